"""Elastic transforms: smoothed noise there, splines over a grid here."""

from __future__ import annotations

import math
from typing import Any

from imagemill.compat.translate.rules.rule import Step

__all__ = ["elastic"]

_SPLINE = 0.277
"""Deviation of a cubic B-spline surface over control points that are uniform in -1..1."""
_STRONGEST = 0.4


def elastic(step: Step, alpha: Any, sigma: Any, *, uniform: bool, axes: int = 2) -> dict[str, Any]:
    """Strength and cells that displace as far, and as finely, as noise that was smoothed by a Gaussian.

    White noise of deviation 1 has a deviation of ``(2 sigma sqrt(pi)) ** (-d / 2)`` once it is smoothed in ``d``
    dimensions.
    """
    smooth = float(sigma[0] if isinstance(sigma, list | tuple) else sigma)
    strong = float(max(alpha) if isinstance(alpha, list | tuple) else alpha)
    side = max(step.sides)
    cells = max(2, min(32, round(side / (3 * smooth))))
    deviation = strong / math.sqrt(3 if uniform else 1) / (2 * smooth * math.sqrt(math.pi)) ** (axes / 2)
    strength = min(deviation / _SPLINE * cells / side, _STRONGEST)
    made = f"strength {strength:.2g} on {cells} cells"
    step.note(f"alpha {alpha} and sigma {sigma} are {made}, of images of {side} pixels; set them for others")
    return {"strength": strength, "cells": cells}
