"""Value and saturation of colours, without a way through hues: any number of channels has them.

Value is the largest channel and saturation the share by which the smallest falls below it; a change of either moves all
channels along the line to white or black that keeps the hue.

Source: Smith (1978), "Color gamut transform pairs", SIGGRAPH: the hexcone model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["revalued"]

Array = np.ndarray[Any, Any]


def revalued(values: Array, gain: float, shift: float, lighter: float, peak: float) -> Array:
    """Saturation times a gain and plus an offset, within 0..1; value plus a share of white, within 0..white.

    Grays have no hue. Of three channels they get that of red, which is 0, of any other number they stay gray. A value
    that lies beyond black or white already, as floating-point images may have it, is not brought back.
    """
    value = values.max(axis=-1, keepdims=True)
    span = value - values.min(axis=-1, keepdims=True)
    lit = value > 0
    safe = np.where(lit, value, 1)
    old = span / safe
    new = np.clip(old * gain + shift, 0, np.maximum(old, 1) if gain > 1 else 1)
    gray = span <= 0
    below = (value - values) * np.where(gray, 0, new / np.where(gray, 1, old))
    if values.shape[-1] == 3 and shift > 0:
        below = np.where(gray, np.array([0, 1, 1], values.dtype) * (new * value), below)
    # What falls below the value in shares of it stays so while the value changes.
    wanted = np.clip(value + lighter * peak, np.minimum(value, 0), np.maximum(value, peak))
    made: Array = np.where(lit, (value - below) * (wanted / safe), values + (wanted - value))
    return made
