"""The shuffle's network, compiled: the same for one place as for a million, and without the interpreter's lock."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.philox import block

__all__ = ["walk"]

Numbers = npt.NDArray[np.int64]

ROUNDS = 12
"""With fewer, permutations of five rows are visibly not all equally likely."""


@compiled
def _walk(places, tweaks, n, a, b, k0, k1, epoch, purpose, back, out):
    """:func:`walk`, with the numbers of the two digits, and words as uint64 below 2**32."""
    low, half, one = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(1)
    for i in range(len(places)):
        value = places[i]
        tweak = np.uint64(tweaks[i]) & low
        while True:
            left, right = value // b, value % b
            for turn in range(ROUNDS):
                number = ROUNDS - 1 - turn if back else turn
                # In turns, each half moves by an amount that the other one decides: that can always be undone.
                moves_left = number % 2 == 0
                still, size = (right, a) if moves_left else (left, b)
                w0, w1, _, _ = block(np.uint64(still) & low, tweak, epoch, np.uint64(purpose << 8 | number), k0, k1)
                step = np.int64(((w0 | w1 << half) >> one) % np.uint64(size))
                if back:
                    step = size - step
                if moves_left:
                    left = (left + step) % a
                else:
                    right = (right + step) % b
            value = left * b + right
            if value < n:
                break
        out[i] = value


def walk(
    places: Numbers, n: int, tweak: Numbers | int, purpose: int, key: tuple[int, int], epoch: int, *, back: bool
) -> Numbers:
    """Send each place through the network, again and again until it is below ``n``.

    Parameters
    ----------
    places : array of int64, ``[m]``
        0 to ``n - 1``.
    n : int
        1 to 2**62.
    tweak : int or array of int64, ``[m]``
        A word of the counter.
    purpose : int
        Another one, with the number of the round.
    key : pair of int
        Two words.
    epoch : int
        A word of the counter.
    back : bool
        The other way round.

    Returns
    -------
    array of int64, ``[m]``

    Examples
    --------
    >>> walk(np.arange(5), 5, 0, 0, (1, 2), 0, back=False).tolist()
    [2, 1, 3, 0, 4]
    """
    at = np.ascontiguousarray(places, dtype=np.int64)
    tweaks = np.ascontiguousarray(np.broadcast_to(np.asarray(tweak, dtype=np.int64), at.shape))
    # Numbers below a * b are pairs of digits; those from n on are walked past.
    a = math.isqrt(n - 1) + 1
    k0, k1 = (np.uint64(word) for word in key)
    found = np.empty_like(at)
    _walk(at, tweaks, n, a, -(-n // a), k0, k1, np.uint64(epoch & 0xFFFFFFFF), purpose, back, found)
    return found
