"""The way back: predictions about what a pipeline made, brought to the frame of what went in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from imagemill.core.annotated.box_rules import BoxRules
from imagemill.core.blend_ops import Blend
from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.core.geometry import Floats, Ints
from imagemill.core.image_ops import Exchange
from imagemill.core.keypoint_names import Swap
from imagemill.core.sample import plain
from imagemill.core.short_repr import ShortRepr
from imagemill.core.targets import (
    Annotation,
    Array,
    Boxes,
    Image,
    Instances,
    Keypoints,
    Map,
    Mask,
    Polygons,
    Raster,
    RotatedBoxes,
    Target,
    as_target,
)
from imagemill.engine.backends import Backend, as_given, get_backend
from imagemill.engine.execute import moved
from imagemill.engine.inverse import filled, geometry_of, inverse_of, shown
from imagemill.engine.plan import Alter, Displacements, Link, Matrices, Pass, Plan, Resample
from imagemill.engine.target_table import rule

__all__ = ["SourceMaps"]

_ALL = BoxRules(min_area=0)
"""Of predictions none is dropped for being small."""
_LEAST = 0.05
"""Share of an interpolated value that has to come from the source for the rest to be left out."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SourceMaps(ShortRepr, Sequence["_SourceMap"]):
    """The ways back of all samples of a batch.

    Parameters
    ----------
    resamples : tuple of Resample
        The geometry of the plan that made the batch.
    source, shape : array of int, ``[n, d]``
        Of what went in, and of what came out.
    spatial : str
        Axes of those shapes.
    axes : str
        Of the images that came out.
    affine : array, ``[n, d+1, d+1]``
        Of the sources.
    backend : Backend
    swap : "auto" or pairs of names
        Keypoints that change sides in a mirror.
    mixed : bool array, ``[n]``, optional
        Samples that have no one source, or show it in parts that changed places.
    """

    resamples: tuple[Resample, ...]
    source: Ints
    shape: Ints
    spatial: str
    axes: str
    affine: Floats
    backend: Backend = field(repr=False)
    swap: Swap
    mixed: npt.NDArray[np.bool_] | None = None
    _made: list[Resample] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan, given: str, affine: Floats, backend: Backend, swap: Swap) -> SourceMaps:
        """Those of what a plan makes of images with the axes ``given``."""
        axes = plan.image_axes(given)
        meets = [meet.op for part in plan.parts for meet in part]
        torn = [one for one in plan.steps if isinstance(one, Alter) and isinstance(one.op, Exchange) and one.op.masks]
        lost: list[Blend | Alter] = [*meets, *torn]
        mixed = np.array([any(one.active(row) for one in lost) for row in range(plan.n)]) if lost else None
        return cls(geometry_of(plan), plan.in_shape, plan.shape, plan.axes, axes, affine, backend, swap, mixed)

    def __reduce__(self) -> tuple[Any, ...]:
        one = (self.resamples, self.source, self.shape, self.spatial, self.axes, self.affine)
        return _sent, (*one, as_given(self.backend), self.swap, self.mixed)

    def __len__(self) -> int:
        return len(self.source)

    @overload
    def __getitem__(self, i: int) -> _SourceMap: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[_SourceMap]: ...
    def __getitem__(self, i: int | slice) -> _SourceMap | Sequence[_SourceMap]:
        if isinstance(i, slice):
            return _Some(self, range(len(self))[i])
        return _SourceMap(self, range(len(self))[i])

    def resample(self, order: int, fill: float, label: int) -> Resample:
        """The resample from the batch's frames to the sources."""
        if not self._made:
            # Kept, for inverses that have to be solved for are kept with it.
            self._made.append(inverse_of(self.resamples, self.source))
        return filled(self._made[0], order=order, fill=fill, mask_fill=label)


def _sent(*arguments: Any) -> SourceMaps:
    *one, backend, swap, mixed = arguments
    return SourceMaps(*one, get_backend(backend), swap, mixed)  # type: ignore[call-arg]  # as `__reduce__` lists them


@dataclass(frozen=True, slots=True, eq=False)
class _Some(Sequence["_SourceMap"]):
    """The ways back of some samples, each made when it is asked for."""

    maps: SourceMaps
    rows: range

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, i: int) -> _SourceMap: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[_SourceMap]: ...
    def __getitem__(self, i: int | slice) -> _SourceMap | Sequence[_SourceMap]:
        return _Some(self.maps, self.rows[i]) if isinstance(i, slice) else _SourceMap(self.maps, self.rows[i])

    def __reduce__(self) -> tuple[Any, ...]:
        """With the maps of its own samples: of those drawn for several batches the others stay where they are."""
        maps, rows = self.maps, np.array(self.rows)
        own = replace(
            maps,
            resamples=tuple(_rows_of(one, rows) for one in maps.resamples),
            source=maps.source[rows],
            shape=maps.shape[rows],
            # Where more was drawn for than the batch, images say nothing of the world: their matrices are all alike.
            affine=maps.affine[rows if len(maps.affine) == len(maps) else slice(len(rows))],
            mixed=None if maps.mixed is None else maps.mixed[rows],
            _made=[],
        )
        return _Some, (own, range(len(rows)))


def _rows_of(step: Resample, rows: Ints) -> Resample:
    """A resample of some samples."""
    links: list[Link] = []
    for link in step.links:
        if isinstance(link, Matrices):
            links.append(Matrices(link.m[rows]))
        elif isinstance(link, Displacements):
            links.append(Displacements(link.grid[rows], link.shape[rows]))
        else:
            links.append(replace(link, shape=link.shape[rows], where=link.where[rows]))
    return Resample(tuple(links), step.in_shape[rows], step.shape[rows], step.sampling)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _SourceMap(ShortRepr):
    """The way back of sample ``row``; see :class:`~imagemill.core.sample.SourceMap`."""

    maps: SourceMaps
    row: int

    def inverse(
        self,
        targets: Mapping[str, Any],
        like: Mapping[str, Any],
        *,
        axes: str | None,
        order: int,
        fill: float,
        label: int,
    ) -> dict[str, Any]:
        """Predictions about the sample, as predictions about its source."""
        self._refuse_mixed()
        step = Pass(self.maps.resample(order, float(fill), int(label)), None, ("inverse",))
        return {name: self._one(step, name, value, like.get(name), axes) for name, value in targets.items()}

    def seen(self) -> Array:
        """Which pixels of the source the sample shows."""
        self._refuse_mixed()
        step = Pass(self.maps.resample(0, 0.0, 0), None, ("inverse",))
        there = np.ones((*self._shape(), 1), dtype=bool)
        found: Array = rule(step, Mask.kind)(step, self.row, there, self.maps.backend, None)[..., 0]
        return found

    def _refuse_mixed(self) -> None:
        if self.maps.mixed is not None and self.maps.mixed[self.row]:
            raise InputError(
                "expected a sample of one source to go back to, got one that was mixed of several or taken apart; "
                "predict on samples of a pipeline without MixUp, CutMix, Mosaic, CopyPaste and GridShuffle"
            )

    def _shape(self) -> tuple[int, ...]:
        return tuple(self.maps.shape[self.row].tolist())

    def _one(self, step: Pass, name: str, value: Any, like: Any, axes: str | None) -> Any:
        if name == "scores" and not isinstance(value, Image):
            array, as_given = _array(value)
            return as_given(self._raster(step, Image(array, self._axes(array, axes, name))))
        if name == "mask" and not isinstance(value, Mask):
            array, as_given = _array(value)
            return as_given(self._raster(step, Mask(array, self._axes(array, axes, name))))
        target = _like(name, value, like)
        if isinstance(target, Map):
            # As on the way there: by its own fill and order.
            order = self._order(step) if target.order is None else target.order
            step = Pass(self.maps.resample(order, float(target.fill), 0), None, step.sources)
        if isinstance(target, Raster):
            said = target.axes or self._axes(target.array, axes, name)
            return self._raster(step, replace(target, axes=said))
        return plain(moved(self._plan(step), self.maps.backend, self.row, target, _ALL, self.maps.swap))

    def _axes(self, array: Array, said: str | None, name: str) -> str:
        """The axes of a plain raster: as said, or those of the batch's images with the channels where they are."""
        if said is not None:
            return said if len(said) == array.ndim else said.replace("c", "")
        spatial = self.maps.axes.replace("c", "")
        shape = self._shape()
        size = tuple(shape[self.maps.spatial.index(letter)] for letter in spatial)
        if array.shape == size:
            return spatial
        first, last = array.shape[1:] == size, array.shape[:-1] == size
        if not first and not last:
            raise InputError(
                f"expected the {name} as large as the sample, {size}, with or without channels before or behind, got "
                f"shape {array.shape}; bring what the model gives to the size of what it was given first"
            )
        # As many classes as pixels: then the images' own layout decides.
        before = first and (not last or self.maps.axes.startswith("c"))
        return "c" + spatial if before else spatial + "c"

    @staticmethod
    def _order(step: Pass) -> int:
        return 0 if step.resample is None else step.resample.sampling.order or 0

    def _raster(self, step: Pass, target: Raster) -> Array:
        axes = target.named()
        array = target.canonical(axes)
        if array.shape[:-1] != self._shape():
            raise InputError(f"expected the {target.kind} of shape {self._shape()}, got {array.shape[:-1]}")
        made = rule(step, target.kind)(step, self.row, array, self.maps.backend, None)
        order = self._order(step)
        if target.kind in (Image.kind, Map.kind) and order:
            made = self._without_edges(order, array, made)
        made = made if "c" in axes else made[..., 0]
        letters = self.maps.spatial + ("c" if "c" in axes else "")
        return np.ascontiguousarray(made.transpose([letters.index(letter) for letter in axes]))

    def _without_edges(self, order: int, array: Array, made: Array) -> Array:
        """Interpolated values that took nothing from beyond the source, such as what is said of padding beside it."""
        weight = self.shows()[..., None].astype(np.float32)
        if weight.all():
            return made
        bare = Pass(self.maps.resample(order, 0.0, 0), None, ("inverse",))
        image = rule(bare, Image.kind)
        total = image(bare, self.row, weight, self.maps.backend, None)
        inner = np.where(weight > 0, array, np.zeros((), array.dtype))
        found = image(bare, self.row, inner, self.maps.backend, None) / np.maximum(total, _LEAST)
        # Where all is of the source there is nothing to mend, nor where next to nothing is.
        return np.where((total < 1) & (total > _LEAST) & self.seen()[..., None], found, made).astype(array.dtype)

    def shows(self) -> Array:
        """Which pixels of the sample show the source, bool of the sample's spatial shape."""
        there = np.ones((*self.maps.source[self.row].tolist(), 1), dtype=bool)
        for resample in shown(self.maps.resamples):
            step = Pass(resample, None, ("shown",))
            there = rule(step, Mask.kind)(step, self.row, there, self.maps.backend, None)
        return there[..., 0]

    def _plan(self, step: Pass) -> Plan:
        """The whole way back as a plan, for annotations."""
        one, kind = self.maps, np.dtype(np.float32)
        return Plan(one.spatial, one.shape, one.source, 1, kind, kind, (step,), None, one.affine)


def _array(value: Any) -> tuple[Array, Any]:
    """A prediction as an array, and what turns the result into what was given."""
    if not hasattr(value, "detach"):
        return np.asarray(value), lambda found: found
    torch = require("torch", extra="torch")  # the caller has it, or there would be no tensor
    # numpy has no bfloat16.
    held = value.detach().to(dtype=torch.float32) if value.dtype == torch.bfloat16 else value.detach()
    return held.cpu().numpy(), lambda found: torch.from_numpy(found).to(device=value.device, dtype=value.dtype)


def _like(name: str, value: Any, like: Any) -> Any:
    """A prediction as a target, in the format of the sample's own where it is a plain array."""
    if isinstance(value, Target) or not isinstance(like, Annotation | Keypoints | Map):
        return as_target(name, _array(value)[0] if hasattr(value, "detach") else value)
    if isinstance(like, Polygons):
        return Polygons(value, like.closed)
    if isinstance(like, Instances):
        return Instances(value)
    array, _ = _array(value)
    if isinstance(like, Map):
        return Map(array, fill=like.fill, order=like.order)
    if isinstance(like, Boxes | RotatedBoxes):
        return type(like)(array, like.format)
    if len(array) != len(like):
        return Keypoints(array, like.format, swap=like.swap)
    return Keypoints(array, like.format, labels=like.labels, instance=like.instance, swap=like.swap)
