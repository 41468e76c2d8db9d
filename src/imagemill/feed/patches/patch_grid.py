"""Patches that cover a volume, and predictions about them put together again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Floats, Ints
from imagemill.core.targets import Array
from imagemill.data.sliced_volumes import SlicedVolume, open_volume
from imagemill.feed.patches.patch_sampler import read_size

__all__ = ["Aggregator", "PatchGrid"]

Blend = Literal["average", "crop", "hann"]


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """Patches of one size that cover a volume, evenly spread, the outermost at its edges.

    Parameters
    ----------
    shape : tuple of int
        Of the volume.
    size : tuple of int
        Of a patch. Along an axis that is shorter, the volume lies in the middle of it.
    overlap : float
        Share of a patch that its neighbour covers as well, at least; 0 to below 1.

    Source
    ------
    Isensee et al. (2021), "nnU-Net", Nature Methods 18: a sliding window that overlaps by half.

    Examples
    --------
    >>> grid = PatchGrid((5, 7), (3, 4), overlap=0.5)
    >>> grid.starts.tolist()
    [[0, 0], [0, 2], [0, 3], [1, 0], [1, 2], [1, 3], [2, 0], [2, 2], [2, 3]]
    >>> volume = np.arange(35.0).reshape(5, 7)
    >>> whole = grid.aggregator("average")
    >>> for start, patch in grid.patches(volume):
    ...     whole.add(patch[None], start[None])
    >>> np.array_equal(whole.merged(), volume)
    True
    """

    shape: tuple[int, ...]
    size: tuple[int, ...]
    overlap: float = 0.5

    def __post_init__(self) -> None:
        for name in ("shape", "size"):
            object.__setattr__(self, name, read_size(f"PatchGrid({name}=...)", getattr(self, name)))
        if len(self.shape) != len(self.size):
            raise ParameterError(f"expected a shape and a size of as many axes, got {self.shape} and {self.size}")
        if not 0 <= self.overlap < 1:
            raise ParameterError(f"expected PatchGrid(overlap=...) from 0 to below 1, got {self.overlap!r}")

    @property
    def along(self) -> list[Ints]:
        """Where patches begin along each axis."""
        found = []
        for n, m in zip(self.shape, self.size, strict=True):
            if n <= m:
                found.append(np.array([-((m - n) // 2)]))
                continue
            # At least a voxel on, and no more than leaves the overlap.
            step = max(1, int(m * (1 - self.overlap) + 1e-9))
            count = -(-(n - m) // step) + 1
            found.append(np.round(np.linspace(0, n - m, count)).astype(np.int64))
        return found

    @property
    def starts(self) -> Ints:
        """Where patches begin, ``[n, d]``, the last axis first to move on."""
        return np.array(list(itertools.product(*self.along)), dtype=np.int64)

    def __len__(self) -> int:
        return int(np.prod([len(along) for along in self.along]))

    def patches(self, volume: Any, fill: float = 0) -> Iterator[tuple[Ints, Array]]:
        """Each patch of a volume with where it begins, read one after the other.

        Parameters
        ----------
        volume : SlicedVolume, or whatever `open_volume` takes
        fill : float
            What stands beyond the volume.
        """
        opened = volume if isinstance(volume, SlicedVolume) else open_volume(volume)
        if opened.spatial_shape != self.shape:
            raise InputError(f"expected a volume of shape {self.shape}, got {opened.spatial_shape}")
        for start in self.starts:
            yield start, opened.read(start.tolist(), self.size, fill)

    def aggregator(self, blend: Blend = "average", *, channels_first: bool = False) -> Aggregator:
        """What puts predictions about the patches together."""
        return Aggregator(self, blend, channels_first=channels_first)


class Aggregator:
    """Predictions about the patches of a grid, put together.

    Parameters
    ----------
    grid : PatchGrid
    blend : {"average", "crop", "hann"}
        Where patches overlap: their mean; the one whose middle is nearer along each axis; or the mean weighted by a
        Hann window along each axis, which is nearly 0 at the edge of a patch and never quite.
    channels_first : bool
        Whether predictions are ``[n, c, *size]``; else ``[n, *size]`` or ``[n, *size, c]``.

    Notes
    -----
    Sums are kept in double precision, so that what all patches agree on comes out exactly: the mean of equal numbers of
    single precision is that number.

    Source
    ------
    Pielawski and Wählby (2020), "Introducing Hann windows for reducing edge-effects in patch-based image
    segmentation", PLoS ONE 15(3).
    """

    def __init__(self, grid: PatchGrid, blend: Blend = "average", *, channels_first: bool = False) -> None:
        if blend not in get_args(Blend):
            raise ParameterError(f"expected blend as one of {', '.join(get_args(Blend))}, got {blend!r}")
        self.grid, self.blend, self.channels_first = grid, blend, channels_first
        self._weight = np.zeros(grid.shape)
        self._sum: Array | None = None
        self._dtype: np.dtype[Any] | None = None

    def add(self, predictions: Any, starts: Any) -> None:
        """Predictions ``[n, ...]`` about the patches that begin at ``starts`` ``[n, d]``; tensors will do.

        Raises
        ------
        InputError
            When they are of another size, or the grid has no patch there.
        """
        array = np.asarray(predictions.detach().cpu() if hasattr(predictions, "detach") else predictions)
        starts = np.asarray(starts.cpu() if hasattr(starts, "cpu") else starts, dtype=np.int64)
        d = len(self.grid.size)
        if self.channels_first and array.ndim == d + 2:
            array = np.moveaxis(array, 1, -1)
        if array.shape[1 : d + 1] != self.grid.size or array.ndim not in (d + 1, d + 2) or len(starts) != len(array):
            raise InputError(
                f"expected predictions about {len(starts)} patches of {self.grid.size}, got shape {array.shape}"
            )
        if self._sum is None:
            self._sum = np.zeros((*self.grid.shape, *array.shape[d + 1 :]))
            self._dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
        for one, start in zip(array, starts, strict=True):
            self._add(one, start)

    def _add(self, one: Array, start: Ints) -> None:
        assert self._sum is not None
        weights = [self._along(axis, int(begin)) for axis, begin in enumerate(start)]
        into, out = [], []
        for begin, length, size in zip(start.tolist(), self.grid.shape, self.grid.size, strict=True):
            low, high = max(0, begin), min(length, begin + size)
            into.append(slice(low, high))
            out.append(slice(low - begin, high - begin))
        weight = np.ones(())
        for along, part in zip(weights, out, strict=True):
            weight = np.multiply.outer(weight, along[part])
        self._weight[tuple(into)] += weight
        value = one[tuple(out)].astype(np.float64)
        self._sum[tuple(into)] += value * (weight if value.ndim == weight.ndim else weight[..., None])

    def _along(self, axis: int, begin: int) -> Floats:
        """Weights of a patch along an axis."""
        size = self.grid.size[axis]
        if self.blend == "hann":
            # Sampled at the middles of voxels: no weight is 0, so that edges of the volume are covered.
            return np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
        weight = np.ones(size)
        places = self.grid.along[axis].tolist()
        if begin not in places:
            raise InputError(f"expected starts of the grid, {places} along axis {axis}, got {begin}")
        if self.blend == "crop":
            i = places.index(begin)
            # Up to the middle of what it shares with the patch before, and from the middle of that with the next.
            if i > 0:
                weight[: (places[i - 1] + size + begin) // 2 - begin] = 0
            if i + 1 < len(places):
                weight[(begin + size + places[i + 1]) // 2 - begin :] = 0
        return weight

    def merged(self) -> Array:
        """The predictions over the whole volume, ``shape``, with their channels where they came.

        Raises
        ------
        InputError
            When patches are missing: it says how many voxels nobody said anything about.
        """
        bare = int(np.count_nonzero(self._weight == 0))
        if self._sum is None or bare:
            raise InputError(f"expected predictions about all {len(self.grid)} patches, got none about {bare:,} voxels")
        weight = self._weight if self._sum.ndim == self._weight.ndim else self._weight[..., None]
        found: Array = (self._sum / weight).astype(self._dtype)
        return np.moveaxis(found, -1, 0) if self.channels_first and found.ndim > self._weight.ndim else found
