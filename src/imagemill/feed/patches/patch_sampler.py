"""Where patches lie: uniformly, by labels, or by weights; by the key of the volume, so that anybody draws the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Floats, Ints
from imagemill.core.randomness import rng
from imagemill.data.sliced_volumes import SlicedVolume

__all__ = ["LabelCounts", "PatchSampler", "WeightSums", "read_size"]


@dataclass(frozen=True, slots=True, eq=False)
class LabelCounts:
    """How many voxels each label has in each slice; the volume is read slice by slice, once.

    Parameters
    ----------
    volume : SlicedVolume
    counts : mapping of int to array ``[slices]``
    """

    volume: SlicedVolume
    counts: Mapping[int, npt.NDArray[np.int64]]

    @classmethod
    def of(cls, volume: SlicedVolume) -> LabelCounts:
        """Those of a label map."""
        slices = volume.shape[0]
        counts: dict[int, npt.NDArray[np.int64]] = {}
        for z in range(slices):
            for label, count in zip(*np.unique(_slice(volume, z), return_counts=True), strict=True):
                counts.setdefault(int(label), np.zeros(slices, np.int64))[z] = count
        return cls(volume, counts)

    def voxel(self, label: int, at: float) -> tuple[int, ...]:
        """A voxel of a label, by a number within (0, 1) that counts through all of them."""
        counts = self.counts[label]
        rank = min(int(at * counts.sum()), int(counts.sum()) - 1)
        ends = np.cumsum(counts)
        z = int(np.searchsorted(ends, rank, side="right"))
        plane = _slice(self.volume, z)
        where = np.flatnonzero(plane == label)[rank - int(ends[z] - counts[z])]
        return z, *map(int, np.unravel_index(where, plane.shape))


@dataclass(frozen=True, slots=True, eq=False)
class WeightSums:
    """How much weight each slice of a map has.

    Parameters
    ----------
    volume : SlicedVolume
        Of weights, at least 0.
    sums : array ``[slices]``
    """

    volume: SlicedVolume
    sums: Floats

    @classmethod
    def of(cls, volume: SlicedVolume) -> WeightSums:
        """Those of a map of weights.

        Raises
        ------
        InputError
            For weights below 0 or that are no numbers, and where all are 0.
        """
        sums = np.zeros(volume.shape[0])
        for z in range(len(sums)):
            plane = _slice(volume, z).astype(np.float64)
            if not np.isfinite(plane).all() or (plane < 0).any():
                raise InputError(f"expected weights of at least 0, got others in slice {z} of {volume.name}")
            sums[z] = plane.sum()
        if not sums.any():
            raise InputError(f"expected weights above 0 somewhere in {volume.name}, got none")
        return cls(volume, sums)

    def voxel(self, at: float) -> tuple[int, ...]:
        """A voxel, by a number within (0, 1) that counts through all weight."""
        ends = np.cumsum(self.sums)
        place = at * ends[-1]
        z = int(np.searchsorted(ends, place, side="right"))
        plane = _slice(self.volume, z).astype(np.float64)
        inner = np.cumsum(plane)
        # Summed in another order, the last bit may differ: the place stays within the slice.
        left = min(max(place - (ends[z] - self.sums[z]), 0.0), np.nextafter(inner[-1], 0))
        where = int(np.searchsorted(inner, left, side="right"))
        return z, *map(int, np.unravel_index(where, plane.shape))


def _slice(volume: SlicedVolume, z: int) -> Any:
    """One index of the first axis."""
    shape = volume.spatial_shape
    found = volume.read((z, *[0] * (len(shape) - 1)), (1, *shape[1:]))[0]
    return found if volume.axes[-1] != "c" else found[..., 0]


def read_size(name: str, size: Any) -> tuple[int, ...]:
    """A check for a size along 2 or 3 axes."""
    listed = tuple(size) if isinstance(size, list | tuple) else ()
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 1 for n in listed)
    if len(listed) not in (2, 3) or not whole:
        raise ParameterError(f"expected {name} as 2 or 3 whole numbers of at least 1, got {size!r}")
    return tuple(int(n) for n in listed)


@dataclass(frozen=True, slots=True)
class PatchSampler:
    """Draws where patches of a volume lie.

    Left alone it draws uniformly among all places within the volume. With ``positive`` or ``labels`` a voxel is drawn
    by its label, and with a map of weights by its weight; the patch lies around it, moved so far that it stays within
    the volume. Along an axis that is shorter than the patch, the volume lies in the middle.

    Parameters
    ----------
    size : tuple of int, voxels
        ``(z, y, x)``, or ``(y, x)`` for pictures.
    positive : float, optional
        Share of patches around a voxel of the foreground, 0 to 1: one label above 0 of those that are there, each as
        often, then one of its voxels. The others are drawn uniformly. Where there is no foreground, all are.
    labels : mapping of int to float, optional
        How often each label is in the middle, as weights: ``{0: 1, 1: 1, 2: 2}``. Labels that a volume lacks are left
        out there; where none is there, patches are drawn uniformly.
    seed : int
        Draws are a function of it, the epoch, the volume's key and the number of the patch.

    Source
    ------
    Isensee et al. (2021), "nnU-Net", Nature Methods 18: a third of the patches around foreground.

    Examples
    --------
    >>> sampler = PatchSampler((2, 3), seed=1)
    >>> starts = sampler.starts((4, 9), 5, key="scan-1")
    >>> starts.shape, starts.min() >= 0, (starts.max(axis=0) <= [2, 6]).all()
    ((5, 2), np.True_, np.True_)
    >>> bool((sampler.starts((4, 9), 3, key="scan-1") == starts[:3]).all())
    True
    """

    size: tuple[int, ...]
    positive: float | None = None
    labels: Mapping[int, float] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", read_size("PatchSampler(size=...)", self.size))
        if self.positive is not None and self.labels is not None:
            raise ParameterError("expected PatchSampler with positive or labels, got both; labels say it all")
        if self.positive is not None and not 0 <= self.positive <= 1:
            raise ParameterError(f"expected PatchSampler(positive=...) as a share from 0 to 1, got {self.positive!r}")
        if self.labels is not None:
            weights = list(self.labels.values())
            if not weights or min(weights) < 0 or not sum(weights) > 0 or not np.isfinite(weights).all():
                raise ParameterError(f"expected PatchSampler(labels=...) with weights above 0, got {self.labels!r}")

    def starts(
        self,
        shape: Sequence[int],
        n: int,
        *,
        key: str | int,
        epoch: int = 0,
        first: int = 0,
        labels: LabelCounts | None = None,
        weights: WeightSums | None = None,
    ) -> Ints:
        """Where patches of a volume begin.

        Parameters
        ----------
        shape : sequence of int
            Of the volume.
        n : int
        key : str or int
            Of the volume.
        epoch : int
        first : int
            Number of the first patch: the same places come of any way to ask for them in parts.
        labels : LabelCounts, optional
            Needed for ``positive`` and ``labels``.
        weights : WeightSums, optional
            A map of weights, which goes before the rest.

        Returns
        -------
        array of int, ``[n, d]``
            Below 0 along an axis that is shorter than the patch.
        """
        size, length = np.array(self.size), np.array(shape)
        if len(size) != len(length):
            raise InputError(f"expected a volume of {len(size)} axes for patches of {self.size}, got {tuple(shape)}")
        if (self.positive is not None or self.labels is not None) and labels is None and weights is None:
            raise InputError("expected a label map to draw patches by labels, got none; give the mask")
        # Here, so that no compiler is loaded before something is drawn.
        from imagemill.engine.philox import philox4x32

        # A name of their own, so that nothing a pipeline draws for the same key goes along with the place.
        hashes = rng.hash_keys([f"patch {first + i} of {key}" for i in range(n)])
        numbers = rng.Generator(self.seed, epoch, hashes, (), philox4x32).uniforms(0, 0, 5).T
        free = length - size
        found = np.empty((n, len(size)), np.int64)
        for i, drawn in enumerate(numbers):
            voxel = self._voxel(drawn, labels, weights)
            if voxel is None:
                found[i] = np.floor(drawn[2 : 2 + len(size)] * (np.maximum(free, 0) + 1))
            else:
                found[i] = np.clip(np.array(voxel) - size // 2, 0, np.maximum(free, 0))
        return np.where(free < 0, -(-free // 2), found)

    def _voxel(self, drawn: Floats, labels: LabelCounts | None, weights: WeightSums | None) -> tuple[int, ...] | None:
        """The voxel in the middle of a patch; None where all places are alike."""
        if weights is not None:
            return weights.voxel(float(drawn[1]))
        if labels is None or (self.positive is None and self.labels is None):
            return None
        chosen = dict(self.labels or {})
        at = float(drawn[0])
        if self.positive is not None:
            if at >= self.positive:
                return None
            at, chosen = at / self.positive, dict.fromkeys(labels.counts, 1.0)
            chosen.pop(0, None)
        there = {label: chosen[label] for label in sorted(chosen) if label in labels.counts and chosen[label] > 0}
        if not there:
            return None
        ends = np.cumsum(list(there.values()))
        label = list(there)[int(np.searchsorted(ends, at * ends[-1], side="right"))]
        return labels.voxel(label, float(drawn[1]))
