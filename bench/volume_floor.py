"""What a turned volume costs at least: the same reads without borders, choices or rounding, beside ours.

Three rows, nanoseconds of one thread for a voxel of the workload `volume-affine` (128^3 float32 with labels of 8 bits):

* *moved*: the map is the identity, so that every read is of a line that is in the nearest cache: what arithmetic costs.
* *turned*: the same loop with the map of the workload: arithmetic, and lines from further away.
* *copied*: both volumes read and written once, at the speed of memory.

And how many times as fast two threads are with two volumes. ``python -m bench.volume_floor``; some 20 s.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from numba import njit

import imagemill as im
from bench.workloads import volumes

_ROUNDS = 15


@njit(nogil=True, fastmath={"contract"}, error_model="numpy")
def least(values, labels, pull, made, found):
    """Trilinear values and the nearest label, places outside held at the border."""
    depth, height, width = values.shape
    plane, line, one = np.uintp(height * width), np.uintp(width), np.uintp(1)
    source, marks, out, kept = values.ravel(), labels.ravel(), made.ravel(), found.ravel()
    for z in range(depth):
        for y in range(height):
            start = [pull[k, 0] * z + pull[k, 1] * y + pull[k, 3] for k in range(3)]
            row = (z * height + y) * width
            for x in range(width):
                a = min(max(start[0] + pull[0, 2] * x, 0.0), depth - 1.001)
                b = min(max(start[1] + pull[1, 2] * x, 0.0), height - 1.001)
                c = min(max(start[2] + pull[2, 2] * x, 0.0), width - 1.001)
                i, j, k = int(a), int(b), int(c)
                u, v, w = np.float32(a - i), np.float32(b - j), np.float32(c - k)
                p = np.uintp((i * height + j) * width + k)
                q = p + plane
                low = source[p] + w * (source[p + one] - source[p])
                low += v * (source[p + line] + w * (source[p + line + one] - source[p + line]) - low)
                high = source[q] + w * (source[q + one] - source[q])
                high += v * (source[q + line] + w * (source[q + line + one] - source[q + line]) - high)
                out[row + x] = low + u * (high - low)
                kept[row + x] = marks[np.uintp((int(a + 0.5) * height + int(b + 0.5)) * width + int(c + 0.5))]


def _nanoseconds(run: Callable[[], object], voxels: int) -> tuple[float, float]:
    """Least and median of some rounds."""
    run()
    took = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        run()
        took.append(1e9 * (time.perf_counter() - started) / voxels)
    return min(took), statistics.median(took)


def main() -> None:
    image, labels = volumes.scan()
    made, found = np.empty_like(image), np.empty_like(labels)
    pull, voxels = volumes.fixed_pull(), image.size
    pipe = im.Pipeline([im.Affine(matrix=pull)], seed=0)

    def ours() -> object:
        return pipe(image=image, mask=labels, axes="zyx")

    def copied() -> None:
        np.copyto(made, image)
        np.copyto(found, labels)

    rows = {
        "copied": copied,
        "moved, the least": lambda: least(image, labels, np.eye(4), made, found),
        "turned, the least": lambda: least(image, labels, pull, made, found),
        "turned, imagemill": ours,
    }
    print(f"{'ns a voxel':20} least  median of {_ROUNDS}")
    for name, run in rows.items():
        fewest, middle = _nanoseconds(run, voxels)
        print(f"{name:20} {fewest:5.2f}  {middle:5.2f}")
    both = im.Pipeline(volumes.affine_transforms(), seed=0)
    images, masks = [image, image], [labels, labels]

    def threads(workers: int) -> Callable[[], object]:
        return lambda: both.batch(images, mask=masks, axes="zyx", keys=[0, 1], workers=workers)

    one, two = (_nanoseconds(threads(workers), 2 * voxels)[1] for workers in (1, 2))
    print(f"two volumes, two threads: {one / two:.2f} times one")


if __name__ == "__main__":
    main()
