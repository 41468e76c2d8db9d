"""Value and saturation on the CPU: one trip over the pixels."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["revalued"]

Array = np.ndarray[Any, Any]


@compiled
def _change(src, gain, shift, lighter, peak, out):
    channels = src.shape[1]
    one, none = np.float32(1), np.float32(0)
    for i in range(src.shape[0]):
        value = np.float32(src[i, 0])
        least = value
        for c in range(1, channels):
            x = np.float32(src[i, c])
            value, least = max(value, x), min(least, x)
        wanted = min(max(value + lighter * peak, none), peak)
        if value <= none:
            for c in range(channels):
                out[i, c] = np.rint(wanted)
            continue
        bright = wanted / value
        if value > least:
            old = (value - least) / value
            ratio = min(max(old * gain + shift, none), one) / old
            for c in range(channels):
                out[i, c] = np.rint((value - (value - np.float32(src[i, c])) * ratio) * bright)
        else:
            # Gray has the hue of red, where there are three channels.
            share = min(max(shift, none), one) if channels == 3 else none
            for c in range(channels):
                out[i, c] = np.rint(wanted if c == 0 else wanted * (one - share))


@compiled
def _change_three(src, gain, shift, lighter, peak, out):
    """The same for three channels, with no branch inside, so that many pixels are done at a time."""
    one, none = np.float32(1), np.float32(0)
    share = min(max(shift, none), one)
    for i in range(src.shape[0] // 3):
        x, y, z = np.float32(src[3 * i]), np.float32(src[3 * i + 1]), np.float32(src[3 * i + 2])
        value, least = max(max(x, y), z), min(min(x, y), z)
        wanted = min(max(value + lighter * peak, none), peak)
        black, gray = value <= none, value <= least
        bright = wanted / (one if black else value)
        old = (value - least) / (one if black else value)
        ratio = min(max(old * gain + shift, none), one) / (one if gray else old)
        rest = wanted if black else wanted * (one - share)
        out[3 * i] = np.rint(wanted if gray else (value - (value - x) * ratio) * bright)
        out[3 * i + 1] = np.rint(rest if gray else (value - (value - y) * ratio) * bright)
        out[3 * i + 2] = np.rint(rest if gray else (value - (value - z) * ratio) * bright)


def revalued(src: Array, gain: float, shift: float, lighter: float, peak: float) -> Array:
    """As :func:`imagemill.engine.altering.hsv_values.revalued`, for 8 and 16 bits without a sign."""
    src = np.ascontiguousarray(src)
    out = np.empty(src.shape, src.dtype)
    gain32, shift32, lighter32, white = (np.float32(one) for one in (gain, shift, lighter, peak))
    if src.shape[-1] == 3:
        _change_three(src.reshape(-1), gain32, shift32, lighter32, white, out.reshape(-1))
    else:
        _change(src.reshape(-1, src.shape[-1]), gain32, shift32, lighter32, white, out.reshape(-1, src.shape[-1]))
    return out
