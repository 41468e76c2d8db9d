"""The axis along which a scanner reads lines."""

from __future__ import annotations

import numpy as np

from imagemill.core.geometry import Frame, Ints
from imagemill.core.randomness.rng import Draws

__all__ = ["drawn_axis"]


def drawn_axis(draws: Draws, axes: str | None, frame: Frame) -> Ints:
    """One axis for each sample, each as likely; always one request."""
    known = [frame.axis(name) for name in axes or frame.axes]
    found = np.array(known)[np.floor(draws.uniform() * len(known)).astype(np.int64)]
    draws.note("axis", found)
    return found
