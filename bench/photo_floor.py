"""Where the kernel of a photo's chain spends its time: rows and columns, sums for the means, colours, memory.

One photo of 375x500, a crop of 275x310 to 224x224 as planes of float32, with contrast, brightness and saturation: the
pieces of :mod:`imagemill.engine.backends.cpu.batches.photo_kernels` one by one, microseconds of one thread, the lower
quartile of 300. ``python -m bench.photo_floor``; some 20 s, of which most is compiling.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from bench.harness import single_thread
from imagemill.engine.backends.cpu.batches.level_rows import level_rows, spread, table
from imagemill.engine.backends.cpu.batches.photo_colours import paint
from imagemill.engine.backends.cpu.batches.photo_kernels import _total
from imagemill.engine.backends.cpu.compile import compiled

_SIDE, _ROUNDS, _PHOTOS = 224, 300, 64
_PLANE = _SIDE * _SIDE + 8


@compiled
def _rows(src, dims, scale, offset, side, room):
    rows, weights = table(scale[0], offset[0], side, dims[0], averages=True)
    columns, others = table(scale[1], offset[1], side, dims[1], averages=True)
    taps, left = others.shape[1], min(columns[0], columns[len(columns) - 1])
    line = np.empty(3 * (max(columns[0], columns[len(columns) - 1]) + taps - left) + 1, np.float32)
    at, shares = spread(columns, others, left)
    plane = side * side + 8
    red, green, blue = room[:plane], room[plane : 2 * plane], room[2 * plane : 3 * plane]
    level_rows(src, dims[1], rows, weights, 0, side, taps, at, shares, side, left, line, red, green, blue)


@compiled
def _sums(side, room, added):
    plane, total = side * side + 8, 0.0
    for c in range(3):
        total += _total(room[c * plane : c * plane + side * side], side, added)
    return total


@compiled
def _colours(side, room, p, out):
    plane, some = side * side + 8, 4 * side
    red, green, blue = room[:plane], room[plane : 2 * plane], room[2 * plane : 3 * plane]
    for start in range(0, side * side, some):
        paint(red[start:], green[start:], blue[start:], p, some, out, 0, start)


def _quartile(run: Callable[[int], object]) -> float:
    took = []
    for k in range(_ROUNDS + 20):
        started = time.perf_counter()
        run(k)
        took.append(time.perf_counter() - started)
    return 1e6 * sorted(took[20:])[_ROUNDS // 4]


def main() -> None:
    """Print the table."""
    single_thread()
    rng, dims = np.random.default_rng(0), (375, 500)
    photos = rng.integers(0, 256, (_PHOTOS, 375 * 500 * 3)).astype(np.uint8)
    room, added = np.zeros(3 * _PLANE, np.float32), np.empty(_SIDE, np.float32)
    p = np.concatenate([rng.random(12), [0, 255], rng.random(6), [-np.inf, np.inf]]).astype(np.float32)
    batch = np.zeros((_PHOTOS, 3, _SIDE * _SIDE), np.float32)
    scale, offset = (275 / _SIDE, 310 / _SIDE), (30.0, 40.0)
    rows = {
        "rows and columns, the same photo": lambda _: _rows(photos[0], dims, scale, offset, _SIDE, room),
        "rows and columns, another photo each time": lambda k: _rows(photos[k % 64], dims, scale, offset, _SIDE, room),
        "sums for the means of channels": lambda _: _sums(_SIDE, room, added),
        "colours, into the same place": lambda _: _colours(_SIDE, room, p, batch[:1]),
        "colours, into a batch": lambda k: _colours(_SIDE, room, p, batch[k % 64 : k % 64 + 1]),
        "bytes of the result written, nothing else": lambda k: batch[k % 64].fill(k),
    }
    for name, run in rows.items():
        print(f"| {name} | {_quartile(run):.0f} |")


if __name__ == "__main__":
    main()
