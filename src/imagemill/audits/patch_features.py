"""What small pictures look like, in numbers learnt from the pictures themselves: no weights come from elsewhere.

Patches of six pixels are whitened, gathered around centres (spherical k-means), and every picture is described by how
much of each centre there is in each of its four quarters.

Source: Coates, Ng (2012), "Learning feature representations with k-means", in Neural Networks: Tricks of the Trade;
Coates, Lee, Ng (2011), "An analysis of single-layer networks in unsupervised feature learning", AISTATS, for patches,
whitening, the soft threshold and quarters.
"""

# The kernel is compiled per type, so its arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import csr_array

from imagemill.core.interrupts import as_interrupts
from imagemill.engine.shipped_kernels import njit

__all__ = ["Dictionary", "described", "learnt_dictionary", "planes_of"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

_SIDE = 6
"""Of a patch, pixels; the best of those that Coates, Lee and Ng tried on pictures of this size."""
_PATCHES = 40_000
_ROUNDS = 10
_CONTRAST = 10.0
"""Added to the variance of a patch, in gray values squared, so that noise of flat patches is not blown up."""
_WHITENING = 0.1
"""Added to the variance along each axis of the whitening."""
_THRESHOLD = 0.25
_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Dictionary:
    """Centres of patches, as filters.

    Parameters
    ----------
    filters : array ``[6 * 6 * C, 2 K]`` float32
        The whitening and each centre in one; the second half are those of mirrored patches.
    bias : array ``[2 K]`` float32
    """

    filters: Floats
    bias: Floats

    @property
    def channels(self) -> int:
        """1 for gray pictures, 3 for those in colour."""
        return len(self.filters) // _SIDE**2

    @property
    def count(self) -> int:
        """Centres."""
        return len(self.bias) // 2

    @property
    def width(self) -> int:
        """Numbers that describe a picture one way round: four quarters, two signs."""
        return 8 * self.count


def planes_of(small: Array) -> Array:
    """The small pictures with one channel where all of them are gray.

    Parameters
    ----------
    small : array ``[n, s, s, 3]`` uint8

    Examples
    --------
    >>> planes_of(np.zeros((2, 32, 32, 3), np.uint8)).shape
    (2, 32, 32, 1)
    """
    gray = all((part[..., :1] == part).all() for part in np.array_split(small, max(1, len(small) // 4096)))
    return small[..., :1] if gray else small


def learnt_dictionary(small: Array, count: int, *, seed: int) -> Dictionary:
    """Centres of the patches of some pictures.

    Parameters
    ----------
    small : array ``[n, s, s, C]`` uint8
    count : int
        How many centres.
    seed : int
        Which patches are drawn.

    Examples
    --------
    >>> pictures = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 1), np.uint8)
    >>> learnt_dictionary(pictures, 8, seed=0).width
    64
    """
    draws = np.random.Generator(np.random.Philox(seed))
    side, channels = small.shape[1], small.shape[3]
    which = draws.integers(0, len(small), _PATCHES)
    y, x = draws.integers(0, side - _SIDE + 1, (2, _PATCHES))
    windows = sliding_window_view(small, (_SIDE, _SIDE), axis=(1, 2))
    patches = _normalised(windows[which, y, x].transpose(0, 2, 3, 1).reshape(_PATCHES, -1))
    mean = patches.mean(axis=0, dtype=np.float64)
    variances, axes = np.linalg.eigh(np.cov(patches.T))
    whitening = (axes / np.sqrt(np.maximum(variances, 0) + _WHITENING)) @ axes.T
    white = ((patches - mean) @ whitening).astype(np.float32)
    filters = whitening @ _centres(white, count, draws).T
    mirrored = filters.reshape(_SIDE, _SIDE, channels, count)[:, ::-1].reshape(filters.shape)
    both = np.concatenate([filters, mirrored], axis=1).astype(np.float32)
    return Dictionary(np.ascontiguousarray(both), np.tile(mean @ filters, 2).astype(np.float32))


def _centres(white: Floats, count: int, draws: np.random.Generator) -> npt.NDArray[np.float64]:
    """Directions ``[K, d]`` of length 1 such that each patch is nearly a multiple of one of them."""
    centres = white[draws.choice(len(white), count, replace=False)].astype(np.float64)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True) + 1e-9
    rows = np.arange(len(white))
    for _ in range(_ROUNDS):
        products = white @ centres.T.astype(np.float32)
        best = np.abs(products).argmax(axis=1)
        weights = csr_array((products[rows, best], (best, rows)), shape=(count, len(white)))
        # What no patch is nearest to stays where it is.
        moved = weights @ white.astype(np.float64) + 1e-3 * centres
        centres = moved / (np.linalg.norm(moved, axis=1, keepdims=True) + 1e-9)
    return centres


def _normalised(patches: Array) -> Floats:
    """Patches ``[n, d]`` without their mean, of deviation 1."""
    found = patches.astype(np.float32)
    found -= found.mean(axis=1, keepdims=True)
    found /= np.sqrt(np.einsum("nd,nd->n", found, found) / found.shape[1] + _CONTRAST)[:, None]
    return found


def described(
    small: Array,
    dictionary: Dictionary,
    *,
    mirrored: bool = True,
    together: bool = False,
    workers: int = 1,
    step: Callable[[int], None] | None = None,
) -> Floats:
    """How much of each centre each picture has in each quarter: as it is, then mirrored.

    Parameters
    ----------
    small : array ``[n, s, s, C]`` uint8
    dictionary : Dictionary
    mirrored : bool
        False leaves the mirrored picture out, at half the cost.
    together : bool
        The sum of both ways round, which is the same for a picture and its mirror image.
    workers : int
        Threads.
    step : callable, optional
        Called with how many pictures were done since it was called last.

    Returns
    -------
    array ``[n, 2, 8 K]`` float32, or ``[n, 1, 8 K]``, or ``[n, 8 K]`` together
        Square roots of sums, so that what is everywhere in a picture does not outweigh the rest.
    """
    ways = 2 if mirrored else 1
    found = np.empty((len(small), *(() if together else (ways,)), dictionary.width), np.float32)
    filters, bias = (part[..., : ways * dictionary.count] for part in (dictionary.filters, dictionary.bias))
    filters = np.ascontiguousarray(filters)
    places = (small.shape[1] - _SIDE + 1) ** 2

    def some(at: int) -> int:
        part = small[at : at + _AT_ONCE]
        # Arrays of this size come fresh from the system, which costs more than the sums: they are made once.
        responses = np.empty((places, filters.shape[1]), np.float32)
        sums = np.empty((4, 2, filters.shape[1]), np.float32)
        one = np.empty((ways, dictionary.width), np.float32)
        for row, picture in enumerate(part, at):
            _describe(picture, filters, bias, responses, sums, one)
            found[row] = one.sum(axis=0) if together else one
        return len(part)

    with as_interrupts(), ThreadPoolExecutor(workers) as pool:
        for done in pool.map(some, range(0, len(small), _AT_ONCE)):
            if step is not None:
                step(done)
    return found


def _describe(picture: Array, filters: Floats, bias: Floats, responses: Floats, sums: Floats, out: Floats) -> None:
    windows = sliding_window_view(picture, (_SIDE, _SIDE), axis=(0, 1))
    patches = _normalised(windows.transpose(0, 1, 3, 4, 2).reshape(-1, _SIDE**2 * picture.shape[2]))
    np.matmul(patches, filters, out=responses)
    _pool(responses, bias, sums)
    both = np.sqrt(sums)  # [4 quarters, 2 signs, K or 2 K]
    count = len(bias) // len(out)
    out[0] = both[..., :count].ravel()
    if len(out) > 1:  # seen in a mirror, left and right change places
        out[1] = both[[1, 0, 3, 2]][..., count:].ravel()


@njit(nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _pool(responses, bias, sums):
    """Sum what is above the threshold, of either sign, in each quarter: one trip over the responses.

    A middle row or column belongs to both sides, so that a mirrored picture is told in the same numbers.
    """
    side = int(np.sqrt(len(responses)))
    zero, threshold = np.float32(0), np.float32(_THRESHOLD)
    sums[:] = 0
    for y in range(side):
        for x in range(side):
            here = responses[y * side + x]
            for quarter in range(4):
                down, across = 2 * y - (side - 1), 2 * x - (side - 1)
                # Quarters 0 and 1 are above, 0 and 2 on the left.
                if (down if quarter < 2 else -down) > 0 or (-across if quarter & 1 else across) > 0:
                    continue
                for k in range(len(bias)):
                    value = here[k] - bias[k]
                    sums[quarter, 0, k] += max(value - threshold, zero)
                    sums[quarter, 1, k] += max(-value - threshold, zero)
