"""Whole batches of small pictures in one compiled call: geometry by one matrix, then colour, into the final buffer.

A picture of a few thousand values costs less than the Python around it, so here Python is paid once a batch.
Each sample is copied into a floating-point buffer with one pixel of border around it. Coordinates beyond it are
folded to where the border shows the same value, so that no pixel is a special case. Blended values
lie plane by plane, where colour is a few long loops, and are written with the final type and strides, rounded once.

What a sample becomes depends on its own shape, numbers and declaration only: a sample alone takes this way too.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.rows import CONSTANT, MIRROR, NEAREST, REFLECT

_TINY = 1e-9


@compiled
def _pad(src, base, h, w, channels, border, fill, buffer):
    """Copy a sample into ``(channels, h + 2, w + 2)`` planes, its border around it."""
    wide = w + 2
    plane = (h + 2) * wide
    for c in range(channels):
        for y in range(h):
            s = base + y * w * channels + c
            t = c * plane + (y + 1) * wide + 1
            for x in range(w):
                buffer[t + x] = src[s + x * channels]
            if border == CONSTANT:
                buffer[t - 1] = fill
                buffer[t + w] = fill
            elif border == NEAREST or border == REFLECT:
                buffer[t - 1] = buffer[t]
                buffer[t + w] = buffer[t + w - 1]
            elif border == MIRROR:
                buffer[t - 1] = buffer[t + min(1, w - 1)]
                buffer[t + w] = buffer[t + max(w - 2, 0)]
            else:
                buffer[t - 1] = buffer[t + w - 1]
                buffer[t + w] = buffer[t]
        top = c * plane
        low = top + (h + 1) * wide
        for x in range(wide):
            if border == CONSTANT:
                buffer[top + x] = fill
                buffer[low + x] = fill
            elif border == NEAREST or border == REFLECT:
                buffer[top + x] = buffer[top + wide + x]
                buffer[low + x] = buffer[low - wide + x]
            elif border == MIRROR:
                buffer[top + x] = buffer[top + (1 + min(1, h - 1)) * wide + x]
                buffer[low + x] = buffer[top + (1 + max(h - 2, 0)) * wide + x]
            else:
                buffer[top + x] = buffer[low - wide + x]
                buffer[low + x] = buffer[top + wide + x]


@compiled
def _fold(q, count, n, border):
    """Move coordinates to where the same values stand within one pixel of the sample."""
    if border == NEAREST:
        for x in range(count):
            q[x] = min(max(q[x], 0.0), n - 1.0)
    elif border == CONSTANT:
        for x in range(count):
            q[x] = min(max(q[x], -1.0), float(n))
    elif border == REFLECT:
        for x in range(count):
            t = q[x] + 0.5
            t -= 2.0 * n * np.floor(t / (2.0 * n))
            q[x] = min(t, 2.0 * n - t) - 0.5
    elif border == MIRROR:
        period = max(2.0 * n - 2.0, 1.0)
        for x in range(count):
            t = q[x] - period * np.floor(q[x] / period)
            q[x] = min(t, 2.0 * n - 2.0 - t) if n > 1 else 0.0
    else:
        for x in range(count):
            q[x] -= n * np.floor(q[x] / n)
