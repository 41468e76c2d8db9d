"""Philox compiled: the numbers of :mod:`imagemill.core.randomness.rng`, bit for bit, many times quicker."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.randomness.rng import Generator, Keys, Words
from imagemill.engine.shipped_kernels import njit


@njit(nogil=True)
def block(c0, c1, c2, c3, k0, k1):
    """One block of four words from a counter of four and a key of two, all of them uint64 below 2**32."""
    m0, m1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p0, p1 = c0 * m0, c2 * m1
        c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ k0, p1 & low, (p0 >> half) ^ c3 ^ k1, p0 & low
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
    return c0, c1, c2, c3


@njit(nogil=True)
def _rounds(counter, k0, k1, out):
    for i in range(len(counter)):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = block(
            np.uint64(counter[i, 0]), np.uint64(counter[i, 1]), np.uint64(counter[i, 2]), np.uint64(counter[i, 3]),
            np.uint64(k0), np.uint64(k1),
        )  # fmt: skip


def philox4x32(counter: Words, key: tuple[int, int]) -> Words:
    """:func:`imagemill.core.randomness.rng.philox4x32`, compiled.

    Parameters
    ----------
    counter : array of uint32, ``(..., 4)``
    key : pair of int
        Two 32-bit words.

    Returns
    -------
    array of uint32, ``(..., 4)``

    Source
    ------
    Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC '11.

    Examples
    --------
    >>> [hex(w) for w in philox4x32(np.zeros(4, np.uint32), (0, 0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    flat = np.ascontiguousarray(counter).reshape(-1, 4)
    out = np.empty(flat.shape, np.uint32)
    _rounds(flat, np.uint64(key[0]), np.uint64(key[1]), out)
    return out.reshape(counter.shape)


@njit(nogil=True)
def _uniforms(k0, k1, epoch, keys, out):
    low, half, key = np.uint64(0xFFFFFFFF), np.uint64(32), (np.uint64(k0), np.uint64(k1))
    for stream in range(len(out) // 4):
        for i in range(len(keys)):
            words = block(keys[i] & low, keys[i] >> half, np.uint64(epoch), np.uint64(stream), *key)
            out[4 * stream, i] = (np.float64(words[0]) + 0.5) * 2.0**-32
            out[4 * stream + 1, i] = (np.float64(words[1]) + 0.5) * 2.0**-32
            out[4 * stream + 2, i] = (np.float64(words[2]) + 0.5) * 2.0**-32
            out[4 * stream + 3, i] = (np.float64(words[3]) + 0.5) * 2.0**-32


def uniforms(seed: int, epoch: int, keys: Keys, blocks: int) -> Floats:
    """The first numbers of the first place of :class:`~imagemill.core.randomness.rng.Generator`, in one call.

    Parameters
    ----------
    seed, epoch : int
        0 to 2**64 - 1, and 0 to 2**32 - 1.
    keys : array of uint64, ``[n]``
    blocks : int
        Of four numbers.

    Returns
    -------
    array, ``[4 * blocks, n]``

    Raises
    ------
    InputError
        For a seed or an epoch out of range.

    Examples
    --------
    >>> hex(int(uniforms(0, 0, np.zeros(1, np.uint64), 1)[0, 0] * 2**32))
    '0x6627e8d5'
    """
    if not (0 <= seed < 1 << 64 and 0 <= epoch < 1 << 32):
        Generator(seed, epoch, keys)  # says what is wrong with them
    out = np.empty((4 * blocks, len(keys)))
    _uniforms(seed & 0xFFFFFFFF, seed >> 32, epoch, keys, out)
    return out
