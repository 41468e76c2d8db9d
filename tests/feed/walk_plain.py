"""The shuffle's network in plain numpy, one round after the other: what the compiled one must say."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from imagemill.core.randomness.rng import philox4x32

Numbers = npt.NDArray[np.int64]


def network(places: Numbers, n: int, *, seed: int, epoch: int, tweak: int, purpose: int, back: bool) -> Numbers:
    """Places to rows, or rows to places: generalised Feistel of 12 rounds on pairs of digits, walked below ``n``."""
    a = math.isqrt(n - 1) + 1
    b = -(-n // a)
    key = (seed & 0xFFFFFFFF) ^ 0x6F726465, (seed >> 32) ^ 0x72736565
    found, todo = places.copy(), np.arange(len(places))
    while len(todo):
        left, right = np.divmod(found[todo], b)
        for number in reversed(range(12)) if back else range(12):
            still, size = (right, a) if number % 2 == 0 else (left, b)
            counter = np.zeros((len(todo), 4), np.uint32)
            counter[:, 0], counter[:, 1], counter[:, 2], counter[:, 3] = still, tweak, epoch, purpose << 8 | number
            words = philox4x32(counter, key).astype(object)
            step = np.array([((int(w[0]) | int(w[1]) << 32) >> 1) % size for w in words], np.int64)
            step = -step if back else step
            if number % 2 == 0:
                left = (left + step) % a
            else:
                right = (right + step) % b
        found[todo] = left * b + right
        todo = todo[found[todo] >= n]
    return found
