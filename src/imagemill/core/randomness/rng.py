"""Counter-based draws: a number is a function of where it is used, never of what was drawn before.

The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as
1, 2, 3", SC '11). Its 128-bit counter and 64-bit key are laid out as

==========  ==========================================================================
key         seed (64 bits)
counter 0   sample key, low 32 bits
counter 1   sample key, high 32 bits
counter 2   epoch (32 bits)
counter 3   stream: place in the pipeline (20 bits) and block of four requests (12 bits)
==========  ==========================================================================

so the same sample in the same epoch gets the same numbers under any batch size, order, number of
workers, backend or resume, and adding a file to a folder changes no other file's numbers.

Noise needs a number for each pixel. Its transform draws two words per sample (:meth:`Draws.stream`), which are the key
of a Philox of its own whose counter is the number of the pixel (:mod:`imagemill.core.randomness.pixel_numbers`).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.ramp import in_epoch
from imagemill.core.ranges import Distribution

Words = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_ROUNDS = 10
_BLOCK_BITS = 12
MAX_PLACES = 1 << (32 - _BLOCK_BITS)


def philox4x32(counter: Words, key: tuple[int, int]) -> Words:
    """Philox4x32-10 over many counters at once.

    Parameters
    ----------
    counter : array of uint32, ``(..., 4)``
    key : pair of int
        Two 32-bit words.

    Returns
    -------
    array of uint32, ``(..., 4)``

    Examples
    --------
    >>> [hex(w) for w in philox4x32(np.zeros(4, np.uint32), (0, 0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    c0, c1, c2, c3 = (counter[..., i].astype(np.uint64) for i in range(4))
    k0, k1 = key
    for _ in range(_ROUNDS):
        p0, p1 = c0 * _M0, c2 * _M1
        c0, c1, c2, c3 = (
            (p1 >> _HALF) ^ c1 ^ np.uint64(k0),
            p1 & _LOW,
            (p0 >> _HALF) ^ c3 ^ np.uint64(k1),
            p0 & _LOW,
        )
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def read_seed(seed: Any) -> int:
    """A seed as a number; one that nobody knows where none is given.

    Raises
    ------
    ParameterError
    """
    if seed is None:
        return secrets.randbits(32)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 1 << 64:
        raise ParameterError(f"expected a seed from 0 to 2**64 - 1, got {seed!r}")
    return int(seed)


def hash_key(key: str | int) -> int:
    """The 64 bits that stand for a sample's key: integers as they are, text by blake2b.

    Examples
    --------
    >>> hash_key(3), hash_key("cat/1.jpg") == hash_key("cat/1.jpg")
    (3, True)
    """
    if isinstance(key, str):
        return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")
    number = int(key)
    if number != key or not 0 <= number < 1 << 64:
        raise InputError(f"expected a sample key of text or an integer from 0 to 2**64 - 1, got {key!r}")
    return number


def hash_keys(keys: Iterable[str | int]) -> Keys:
    """:func:`hash_key` for each of ``keys``, as ``uint64 [n]``; ranges and arrays of integers at once.

    Examples
    --------
    >>> hash_keys(range(3, 6))
    array([3, 4, 5], dtype=uint64)
    """
    found = _whole_keys(keys)
    return np.array([hash_key(k) for k in keys], dtype=np.uint64) if found is None else found


def _whole_keys(keys: Iterable[str | int]) -> Keys | None:
    """Keys that are integers in range, without looking at them one by one; None when they must be."""
    if isinstance(keys, np.ndarray) and keys.ndim == 1 and keys.dtype.kind in "iu":
        return None if keys.dtype.kind == "i" and (keys < 0).any() else keys.astype(np.uint64)
    if isinstance(keys, range) and len(keys):
        if min(keys[0], keys[-1]) < 0 or max(keys[0], keys[-1]) >= 1 << 63:
            return None
        return np.arange(keys.start, keys.stop, keys.step, dtype=np.int64).astype(np.uint64)
    if isinstance(keys, list | tuple) and all(type(key) is int for key in keys):
        try:
            return np.array(keys, dtype=np.uint64)
        except OverflowError:
            return None
    return None


def unit(words: Words) -> Floats:
    """Words as numbers strictly inside (0, 1).

    Examples
    --------
    >>> unit(np.array([0, 2**31], np.uint32)).tolist() == [2.0**-33, 0.5 + 2.0**-33]
    True
    """
    # The half keeps 0 and 1 out, so that quantile functions stay finite.
    found: Floats = (words + 0.5) * np.float64(2.0**-32)
    return found


class Generator:
    """Uniform columns for a batch of samples.

    Parameters
    ----------
    seed : int
        0 to 2**64 - 1.
    epoch : int
        0 to 2**32 - 1.
    keys : array of uint64, ``[n]``
        One per sample, see :func:`hash_keys`.
    blocks : sequence of int, optional
        How many blocks of four numbers each place is expected to ask for. They are all computed in one
        call; more are made when asked for. A hint for speed: it never changes a value.
    philox : callable
        What computes the numbers: :func:`philox4x32`, or a quicker function that equals it bit for bit.
    """

    __slots__ = ("_ahead", "_base", "_key", "_philox", "epoch", "n", "shared", "used")

    def __init__(
        self,
        seed: int,
        epoch: int,
        keys: Keys,
        blocks: Sequence[int] = (),
        philox: Callable[[Words, tuple[int, int]], Words] = philox4x32,
    ) -> None:
        if not 0 <= seed < 1 << 64:
            raise InputError(f"expected a seed from 0 to 2**64 - 1, got {seed}")
        if not 0 <= epoch < 1 << 32:
            raise InputError(f"expected an epoch from 0 to 2**32 - 1, got {epoch}")
        self.n = len(keys)
        self._philox = philox
        self._key = (seed & 0xFFFFFFFF, seed >> 32)
        self._base = np.empty((self.n, 4), dtype=np.uint32)
        self._base[:, 0] = keys & _LOW
        self._base[:, 1] = keys >> _HALF
        self._base[:, 2] = epoch
        self.epoch = epoch
        self.used: dict[int, int] = {}
        streams = [self._stream(p, b) for p, count in enumerate(blocks) for b in range(count)]
        self._ahead: dict[int, Floats] = {}
        self.shared: dict[tuple[int, int], tuple[Any, int]] = {}
        """What was drawn for all samples by those who go on with one at a time, by place and request."""
        if streams:
            self._compute(streams)

    @staticmethod
    def _stream(place: int, block: int) -> int:
        if block >= 1 << _BLOCK_BITS:
            raise InputError(
                f"expected at most {4 << _BLOCK_BITS:,} random numbers per transform and sample, got a request for "
                "more; use a coarser lattice"
            )
        if place >= MAX_PLACES:
            raise InputError(f"expected fewer than {MAX_PLACES} transforms in a pipeline, got {place + 1}")
        return place << _BLOCK_BITS | block

    def _compute(self, streams: list[int]) -> None:
        """Four columns for each of some streams, in one call."""
        columns = self._columns(self._base, streams)
        # They are handed out more than once.
        columns.flags.writeable = False
        self._ahead.update(zip(streams, columns, strict=True))

    def _columns(self, base: Words, streams: list[int]) -> Floats:
        counter = np.empty((len(streams), self.n, 4), np.uint32)
        counter[:] = base
        counter[..., 3] = np.array(streams, dtype=np.uint32)[:, None]
        return np.ascontiguousarray(unit(self._philox(counter, self._key)).transpose(0, 2, 1))

    def uniform(self, place: int, request: int) -> Floats:
        """The uniform numbers, strictly inside (0, 1), ``[n]``, of one request of one place."""
        block, lane = divmod(request, 4)
        self.used[place] = max(self.used.get(place, 0), block + 1)
        stream = self._stream(place, block)
        if stream not in self._ahead:
            self._compute([stream])
        column: Floats = self._ahead[stream][lane]
        return column

    def lasting(self, place: int, request: int) -> Floats:
        """As `uniform`, but what epoch 0 gives, in every epoch."""
        block, lane = divmod(request, 4)
        first = self._base.copy()
        first[:, 2] = 0
        column: Floats = self._columns(first, [self._stream(place, block)])[0, lane]
        return column

    def uniforms(self, place: int, first: int, count: int) -> Floats:
        """Many requests of one place at once, ``[count, n]``; what is missing is computed in one call."""
        if count == 0:
            return np.empty((0, self.n))
        streams = [self._stream(place, b) for b in range(first // 4, -(-(first + count) // 4))]
        missing = [s for s in streams if s not in self._ahead]
        if missing:
            self._compute(missing)
        self.used[place] = max(self.used.get(place, 0), -(-(first + count) // 4))
        columns: Floats = np.concatenate([self._ahead[s] for s in streams])[first % 4 : first % 4 + count]
        return columns


class OneRow:
    """The numbers that a generator has for one of its samples.

    Parameters
    ----------
    generator : Generator
    row : int
    """

    __slots__ = ("_generator", "_here", "epoch", "n")

    def __init__(self, generator: Generator, row: int) -> None:
        self._generator, self._here = generator, slice(row, row + 1)
        self.epoch, self.n = generator.epoch, 1

    def shared(self, place: int, request: int, make: Callable[[Draws], Any]) -> tuple[Any, int]:
        """What ``make`` draws for this sample, from what it draws for all of them, and the requests it ends with."""
        known, what = self._generator.shared, (place, request)
        if what not in known:
            draws = Draws(self._generator, place, request=request)
            known[what] = make(draws), draws.request
        columns, end = known[what]
        return tuple([column[..., self._here] for column in columns]), end

    def uniform(self, place: int, request: int) -> Floats:
        """As the generator's, ``[1]``."""
        return self._generator.uniform(place, request)[self._here]

    def lasting(self, place: int, request: int) -> Floats:
        """As the generator's, ``[1]``."""
        return self._generator.lasting(place, request)[self._here]

    def uniforms(self, place: int, first: int, count: int) -> Floats:
        """As the generator's, ``[count, 1]``."""
        return self._generator.uniforms(place, first, count)[:, self._here]


class Draws:
    """What a transform draws from: one column of ``n`` values per request.

    Requests of one transform are numbered in the order they are made, so a transform must always make
    them in the same order and number.
    """

    __slots__ = ("_generator", "_names", "_place", "_request", "labels", "values")

    def __init__(
        self,
        generator: Generator | OneRow,
        place: int,
        names: dict[int, str] | None = None,
        labels: Sequence[Any] | None = None,
        request: int = 0,
    ) -> None:
        self._generator = generator
        self.labels = labels
        """Of the samples, one each; None where none were given, empty where there are no samples yet."""
        self._place = place
        self._request = request
        self._names = names or {}
        self.values: dict[str, Any] = {}

    @property
    def n(self) -> int:
        """Number of samples in the batch."""
        return self._generator.n

    @property
    def epoch(self) -> int:
        """The epoch that is drawn for."""
        return self._generator.epoch

    @property
    def request(self) -> int:
        """How many numbers were asked for so far."""
        return self._request

    def lasting(self) -> Floats:
        """Uniform numbers strictly inside (0, 1), ``[n]``, that stay with the sample: the same in every epoch."""
        column = self._generator.lasting(self._place, self._request)
        self._request += 1
        return column

    def shared(self, make: Callable[[Draws], tuple[Floats, ...]]) -> tuple[Floats, ...]:
        """What ``make`` draws, from numbers alone: for one of many samples it is worked out once for all of them.

        Parameters
        ----------
        make : callable
            Takes draws; gives arrays whose last axis is that of the samples.
        """
        if not isinstance(self._generator, OneRow):
            return make(self)
        found: tuple[Floats, ...]
        found, self._request = self._generator.shared(self._place, self._request, make)
        return found

    def uniform(self) -> Floats:
        """Uniform numbers strictly inside (0, 1), ``[n]``."""
        column = self._generator.uniform(self._place, self._request)
        self._request += 1
        return column

    def uniforms(self, count: int) -> Floats:
        """``count`` columns at once, ``[count, n]``: the numbers of as many calls of :meth:`uniform`."""
        rows = self._generator.uniforms(self._place, self._request, count)
        self._request += count
        return rows

    def stream(self) -> Words:
        """Two words for each sample, ``[n, 2]``: the key of numbers that are counted by pixel."""
        # What `unit` made of the words, undone: doubles hold all their bits.
        return np.rint(self.uniforms(2).T * 2.0**32 - 0.5).astype(np.uint32)

    def __call__(self, distribution: Distribution, name: str | None = None) -> Floats:
        """Draw a column of values, ``[n]``, and remember it under a name for the recipe.

        Parameters
        ----------
        distribution : Distribution
            Usually one of the transform's own fields, whose name is then used.
        name : str, optional
            Name to show instead.
        """
        values = self.of(distribution, self.uniform())
        shown = name or self._names.get(id(distribution), f"draw {self._request}")
        self.values[shown] = values
        return values

    def of(self, distribution: Distribution, u: Floats) -> Floats:
        """The values that uniform numbers of any shape have by a parameter, in the epoch that is drawn for."""
        values: Floats = in_epoch(distribution, self.epoch).sample(u.reshape(-1)).reshape(u.shape)
        return values

    def note(self, name: str, values: npt.ArrayLike) -> None:
        """Show a value that followed from the drawn ones, ``[n]``, beside them."""
        # Of one row among many it is hardly ever asked for: an array is made of it then.
        alone = isinstance(self._generator, OneRow)
        self.values[name] = values if alone else np.asarray(values, dtype=np.float64)

    def forget(self, *names: str) -> None:
        """Do not show these values (a coin that only chose a sign, say)."""
        for name in names:
            self.values.pop(name, None)
