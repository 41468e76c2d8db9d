"""What the caller passed, wrapped, checked and brought into canonical form."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from imagemill.core.colours import Channels, check_channels
from imagemill.core.errors import InputError
from imagemill.core.geometry import SPATIAL_AXES, Floats, Frame, Ints, peak_of
from imagemill.core.grids import placed
from imagemill.core.interop.foreign_images import several
from imagemill.core.targets import Array, Boxes, Image, Label, Map, Mask, Raster, Target, as_target, read_axes
from imagemill.engine.annotations.in_view import Sources
from imagemill.engine.backends.protocol import Rasters
from imagemill.engine.execute import Column
from imagemill.engine.plan import Plan
from imagemill.pipeline.ahead import Kind
from imagemill.transforms.base import Transform, everyone


@dataclass(frozen=True, slots=True, eq=False)
class Stack(Sequence[Target]):
    """A column of plain rasters that differ in nothing but their size, of which only the first is wrapped.

    Parameters
    ----------
    first : Image or Mask
    arrays : array ``[n, ...]`` or list of arrays
    """

    first: Image | Mask
    arrays: Array | list[Array]

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return replace(self, arrays=self.arrays[i])
        return replace(self.first, array=self.arrays[i])

    def canonical(self, axes: str) -> Rasters:
        """The arrays as ``(*shape, C)``, views."""
        spatial, channels = read_axes(axes, self.first.array, self.first.kind)
        order = [axes.index(a) for a in spatial + ("c" if channels else "")]
        if isinstance(self.arrays, np.ndarray):
            moved = self.arrays.transpose(0, *[1 + place for place in order])
            return moved if channels else moved[..., None]
        if order == sorted(order):
            return self.arrays if channels else [array[..., None] for array in self.arrays]
        return [array.transpose(order) if channels else array.transpose(order)[..., None] for array in self.arrays]


Columns = dict[str, Sequence[Target]]

_SMALL = 1 << 16
"""Bytes of an image below which a list of equal ones is copied into one array: less work than wrapping each."""


def read_columns(columns: Mapping[str, Any], axes: str | None, channels: Channels = "keep") -> tuple[Columns, int]:
    """Every value wrapped as a target, images in the channels asked for; how many samples there are."""
    check_channels(channels)
    if not columns:
        raise InputError(
            "expected an image or other targets, got none; pass image=... (cv2.imread gives None where a file is "
            "missing or cannot be read: imagemill.read_picture says why)"
        )
    wrapped: Columns = {}
    for name, values in columns.items():
        values = several(values, name)
        stacked = _stacked(name, values) if channels == "keep" else None
        if stacked is not None:
            wrapped[name] = Stack(_with_axes(as_target(name, stacked[0]), axes), stacked)
        else:
            wrapped[name] = [_with_axes(as_target(name, v), axes) for v in values]
        if channels != "keep":
            wrapped[name] = [t.with_channels(channels) if isinstance(t, Image) else t for t in wrapped[name]]
    counts = {name: len(values) for name, values in wrapped.items()}
    if not counts or len(set(counts.values())) > 1 or 0 in counts.values():
        do = "; does the list or the pattern of files it came from match anything?" if 0 in counts.values() else ""
        got = counts or "nothing"
        raise InputError(f"expected at least one sample, and as many values in every column, got {got}{do}")
    return wrapped, next(iter(counts.values()))


def in_place(values: Sequence[Any], call: str = "pipeline(image=image, {}=...)") -> str:
    """What to write instead of values behind the image that do not say what they are.

    Examples
    --------
    >>> in_place([np.zeros((8, 8), np.uint8)])
    'expected what goes with the image by its name, got 1 more value in place; write pipeline(image=image, mask=...)'
    """
    rank = np.ndim(values[0]) if isinstance(values[0], np.ndarray | list | tuple | int | float) else 3
    name = "label" if rank == 0 else "boxes" if np.shape(values[0])[-1:] == (4,) else "mask"
    got = f"{len(values)} more value{'s' if len(values) > 1 else ''}"
    return f"expected what goes with the image by its name, got {got} in place; write {call.format(name)}"


def _stacked(name: str, values: Any) -> Array | list[Array] | None:
    """Plain images or masks that differ in nothing but their size; None for anything else."""
    if name not in ("image", "mask") or len(values) < 2:
        return None
    if isinstance(values, np.ndarray):
        return values if values.ndim > 2 and values.dtype != object else None
    first = values[0]
    if type(first) is not np.ndarray or not first.size or not first.dtype.isnative:
        return None
    if first.nbytes <= _SMALL and all(
        type(v) is np.ndarray and v.shape == first.shape and v.dtype == first.dtype for v in values
    ):
        return np.stack(values)
    # The last axis may be one of channels, by whose number axes are told.
    last = first.shape[2:]
    alike = first.ndim in (2, 3) and all(
        type(v) is np.ndarray and v.ndim == first.ndim and v.shape[2:] == last and v.dtype == first.dtype and v.size
        for v in values
    )
    return list(values) if alike else None


def _with_axes(target: Any, axes: str | None) -> Any:
    """An image that does not say its axes, with those said for it; anything else as it is."""
    if axes is None or not isinstance(target, Image) or target.axes is not None:
        return target
    return replace(target, axes=_said(target, axes))


def _said(image: Image, axes: str) -> str:
    """The axes word for an image: as said, without its channel where there is none. A wrong word is refused."""
    spatial = axes.replace("c", "", 1)
    return spatial if image.array.ndim == len(spatial) else axes


def _metric(lead: Sequence[Target], affine: Floats) -> Floats | None:
    """Voxel sizes where any sample gives them beside an affine; None when the world says it all."""
    apart = [i for i, t in enumerate(lead) if isinstance(t, Raster) and t.spacing and t.affine is not None]
    if not apart:
        return None
    d = affine.shape[-1] - 1
    found = affine[:, :d, :d].copy()
    for i in apart:
        found[i] = np.diag(np.asarray(getattr(lead[i], "spacing", None), dtype=np.float64))
    return found


def _measured(lead: Sequence[Target]) -> npt.NDArray[np.bool_] | None:
    """Which samples say their spacing or their place in the world; None when all do."""
    if isinstance(lead, Stack):
        one = lead.first
        return None if one.spacing or one.affine is not None else np.zeros(len(lead), dtype=bool)
    found = np.array([isinstance(t, Raster) and bool(t.spacing or t.affine is not None) for t in lead])
    return None if found.all() else found


def _shapes(arrays: Rasters) -> Ints:
    """Spatial shapes ``[n, d]``."""
    if isinstance(arrays, np.ndarray):
        return np.tile(np.array(arrays.shape[1:-1], dtype=np.int64), (len(arrays), 1))
    return np.array([a.shape[:-1] for a in arrays], dtype=np.int64)


class Inputs:
    """The targets of a batch, in canonical form, and the frame they share."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.names = tuple(columns)
        self._first = {name: column[0] for name, column in columns.items()}
        rasters = [name for name in columns if isinstance(self._first[name], Raster)]
        if not rasters:
            raise InputError("expected an image, a mask or a map among the targets: boxes and points need a frame")
        images = [name for name in rasters if isinstance(self._first[name], Image)]
        self._lead = images[0] if images else rasters[0]
        self._axes: dict[str, str] = {}
        self._canonical: dict[str, Rasters] = {}
        self._read(self._lead)
        for name in rasters:
            if name != self._lead:
                self._read(name)
        if len(rasters) > 1:
            shape = _shapes(self._canonical[self._lead])
            for name in rasters:
                if name != self._lead:
                    self._check(name, shape)

    @cached_property
    def frame(self) -> Frame:
        """The frame of the leading rasters."""
        lead, first = self._columns[self._lead], self._canonical[self._lead][0]
        spatial, affine = self._spatial, self.affine
        metric = None if isinstance(lead, Stack) else _metric(lead, affine)
        kept = (first.shape[-1], first.dtype, peak_of(first.dtype), metric, _measured(lead))
        return Frame(SPATIAL_AXES[len(spatial)], _shapes(self._canonical[self._lead]), affine, *kept)

    @cached_property
    def affine(self) -> Floats:
        """From indices of the leading rasters to the world, ``[n, d+1, d+1]``."""
        lead, spatial = self._columns[self._lead], self._spatial
        if isinstance(lead, Stack):
            return np.tile(lead.first.affine_matrix(spatial), (len(lead), 1, 1))
        if all(isinstance(t, Raster) and t.affine is None and t.spacing is None for t in lead):
            return np.tile(np.eye(len(spatial) + 1), (len(lead), 1, 1))
        return np.array([t.affine_matrix(spatial) for t in lead if isinstance(t, Raster)])

    @property
    def _spatial(self) -> str:
        return self._axes[self._lead].replace("c", "")

    @property
    def only_kind(self) -> Kind | None:
        """All that can be known of images that say nothing of the world and are alike; None where there is more.

        Label maps beside them go by the same plan.
        """
        lead, arrays = self._columns[self._lead], self._canonical[self._lead]
        first = [lead.first] if isinstance(lead, Stack) else lead
        if self.several or not all(map(_says_nothing, first)):
            return None
        array, more = arrays[0], () if isinstance(arrays, np.ndarray) else arrays[1:]
        if any(one.shape != array.shape or one.dtype != array.dtype for one in more):
            return None
        return Kind(array.shape[:-1], array.shape[-1], array.dtype)

    def _read(self, name: str) -> None:
        given = self._axes.get(self._lead)
        column = self._columns[name]
        if isinstance(column, Stack):
            self._axes[name] = column.first.named(given)
            self._canonical[name] = column.canonical(self._axes[name])
            return
        arrays = []
        for row, target in enumerate(column):
            if not isinstance(target, Raster):
                raise InputError(f"expected the same kind of target in all of {name!r}, got {target.kind!r}")
            axes = target.named(given)
            if self._axes.setdefault(name, axes) != axes:
                msg = f"expected one order of axes in all of {name!r}, got {self._axes[name]!r} and {axes!r}"
                mixed = self._axes[name].replace("c", "") == axes.replace("c", "")
                do = "pass channels='rgb' (or 'gray')" if mixed and target.kind == Image.kind else "transpose some"
                raise InputError(f"{msg}; {do}")
            arrays.append(self._placed(name, row, target, target.canonical(axes)))
        self._canonical[name] = arrays

    def _placed(self, name: str, row: int, target: Raster, array: Array) -> Array:
        """A raster on the grid of the leading one, by what both say of the world."""
        column = self._columns[self._lead]
        # Plain arrays, of which stacks are, say nothing.
        if name == self._lead or isinstance(column, Stack) or (target.affine is None and target.spacing is None):
            return array
        lead = column[row]
        assert isinstance(lead, Raster)
        return placed(target, array, lead, self._canonical[self._lead][row].shape[:-1], name)

    def _check(self, name: str, shape: Any) -> None:
        column = self._canonical[name]
        # Samples of one array are alike, so the first stands for all.
        every = column[:1] if isinstance(column, np.ndarray) and (shape == shape[0]).all() else column
        for i, array in enumerate(every):
            if array.shape[:-1] != tuple(shape[i].tolist()):
                raise InputError(
                    f"expected the {name} of the same size as the {self._lead}, {tuple(shape[i].tolist())}, "
                    f"got {array.shape[:-1]}; targets of a sample share one frame, so bring them to one size first"
                )

    @property
    def several(self) -> bool:
        """Whether there is a raster that may need a plan of its own: a second image, or a map of numbers."""
        kinds = [self.kind(name) for name in self._canonical]
        return Map.kind in kinds or kinds.count(Image.kind) > 1

    @property
    def lead(self) -> str:
        """Name of the raster whose frame all others share: the first image, else the first there is."""
        return self._lead

    def frame_of(self, name: str) -> Frame:
        """The common frame, with the channels and the values of one raster column."""
        if name == self._lead:
            return self.frame
        first = self._canonical[name][0]
        return replace(self.frame, channels=first.shape[-1], dtype=first.dtype, peak=peak_of(first.dtype))

    def alike(self, name: str) -> Map:
        """The first of a column of maps, which stands for all: one column, one fill and one order.

        Raises
        ------
        InputError
            When they differ.
        """
        first = self._first[name]
        assert isinstance(first, Map)
        for row, other in enumerate(self._columns[name]):
            assert isinstance(other, Map)
            if (other.fill, other.order) != (first.fill, first.order):
                raise InputError(
                    f"expected one fill and one order in all of {name!r}, {first.fill:g} and {first.order}, as the "
                    f"first has, got {other.fill:g} and {other.order} at position {row}"
                )
        return first

    @property
    def first_image(self) -> Array | None:
        """The first image there is, as ``(*shape, C)``."""
        return self._canonical[self._lead][0] if self.kind(self._lead) == Image.kind else None

    def kind(self, name: str) -> str:
        """The kind of a column's targets."""
        return self._first[name].kind

    def column(self, name: str) -> Sequence[Target]:
        """A column as it was passed, wrapped."""
        return self._columns[name]

    def columns(
        self, plans: Mapping[str, Plan] = MappingProxyType({}), *, without: Container[str] = (), together: int = 1
    ) -> dict[str, Column]:
        """What is run, with the plans that columns have of their own: rasters in canonical form, the rest wrapped."""
        return {
            name: Column(
                self._first[name].kind,
                self._axes.get(name, ""),
                self._canonical.get(name, column),
                plan=plans.get(name),
                together=together,
            )
            for name, column in self._columns.items()
            if name not in without
        }

    @property
    def lead_axes(self) -> str:
        """The axes that the leading raster came with."""
        return self._axes[self._lead]

    def axes(self, name: str) -> str:
        """The axes a raster column came with."""
        return self._axes[name]

    def canonical(self, name: str) -> Rasters:
        """A raster column as ``(*shape, C)`` arrays, or as one array of them."""
        return self._canonical[name]

    def labels(self) -> list[Any] | None:
        """The values of the column of labels, of the first where none is called so; None without."""
        found = [name for name in self._columns if isinstance(self._first[name], Label)]
        if not found:
            return None
        column = self._columns["label" if "label" in found else found[0]]
        return [one.value for one in column if isinstance(one, Label)]

    def sources(self) -> Sources:
        """The targets that transforms may read while they draw."""
        # Rows of an array are read by their number, like the items of a list.
        rasters = cast(dict[str, Sequence[Array]], self._canonical)
        masks = {name: column for name, column in rasters.items() if self.kind(name) == Mask.kind}
        images = {name: column for name, column in rasters.items() if self.kind(name) in (Image.kind, Map.kind)}
        boxes = {n: column for n, column in self._columns.items() if self.kind(n) == Boxes.kind}
        return Sources(masks, images, cast(dict[str, Sequence[Boxes]], boxes))


@lru_cache(maxsize=4096)
def plain(shape: tuple[int, ...], dtype: np.dtype[np.generic], axes: str | None) -> tuple[Kind, str] | None:
    """What an array is that comes alone: its kind and its axes; None where it has to be looked at, or taken apart.

    Parameters
    ----------
    shape, dtype
        Of the array.
    axes : str, optional
        As the caller says them.

    Raises
    ------
    InputError
        As for the array itself.

    Examples
    --------
    >>> plain((4, 5, 3), np.dtype("u1"), None)
    (Kind(shape=(4, 5), channels=3, dtype=dtype('uint8')), 'yxc')
    """
    if not dtype.isnative or (axes is not None and "t" in axes):
        return None
    rows, _ = read_columns({"image": [np.broadcast_to(np.zeros((), dtype), shape)]}, axes)
    inputs = Inputs(rows)
    named, kind = inputs.lead_axes, inputs.only_kind
    # Other orders are transposed, see `Raster.canonical`.
    return None if kind is None or named.removesuffix("c") != SPATIAL_AXES[len(kind.shape)] else (kind, named)


def _says_nothing(target: Any) -> bool:
    """Whether an image knows no place in the world."""
    return isinstance(target, Image) and target.spacing is None and target.affine is None


class White:
    """Says once, of the first image that comes, when its values do not fit the white that a transform goes by.

    Parameters
    ----------
    transforms : sequence of Transform

    Examples
    --------
    >>> from imagemill.transforms import Gamma, Rescale
    >>> White([Gamma(2)]).asks, White([Rescale((-1000, 1000)), Gamma(2)]).asks
    ('Gamma', '')
    """

    __slots__ = ("asks", "beyond")

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.asks, self.beyond = "", ""
        for transform in transforms:
            needy = [one for one in everyone([transform]) if one.traits().white == "needs"]
            if needy:
                self.asks, self.beyond = type(needy[0]).__name__, needy[0].beyond_white()
            if needy or (transform.traits().white == "sets" and transform.p == 1):
                break

    def checked(self, inputs: Inputs, first: Callable[[], bool]) -> Inputs:
        """The same inputs; ``first`` tells whether nobody has said it before, here or in another process."""
        if self.asks and (image := inputs.first_image) is not None:
            self.look(image, first)
        return inputs

    def look(self, image: Array, first: Callable[[], bool]) -> None:
        """The same of an image ``(*shape, C)``, if none was looked at before."""
        who, self.asks = self.asks, ""
        said = self.beyond if image.dtype.kind == "u" else ""
        if who and (said := said or unlike_white(image)) and first():
            warnings.warn(f"{who} {said}", stacklevel=3)


_ABOVE = 3.0
"""Times white: beyond it, a floating-point image is hardly one of 0 to 1 with some values outside."""
_LOOKED_AT = 4096


def unlike_white(image: Array) -> str:
    """Which white is taken for an image that does not look like it, and what to do; empty where it fits.

    Parameters
    ----------
    image : array ``(*shape, C)``
        Looked at in some thousand places.

    Examples
    --------
    >>> unlike_white(np.full((4, 4, 1), 254.0))
    'takes 1 for white in images of float64, the first of which has values up to 254: give image / 255, or ...'
    >>> unlike_white(np.full((4, 4, 1), 0.9)), unlike_white(np.full((4, 4, 1), 254, np.uint8))
    ('', '')
    """
    if image.dtype.kind not in "if":
        return ""
    step = max(1, int((image.size / _LOOKED_AT) ** (1 / (image.ndim - 1))))
    seen = image[(slice(None, None, step),) * (image.ndim - 1)]
    low, high = float(np.fmin.reduce(seen, axis=None)), float(np.fmax.reduce(seen, axis=None))
    white = peak_of(image.dtype)
    takes = f"takes {white:,.0f} for white in images of {image.dtype}, the first of which has values"
    if low < -0.01 * max(1.0, high if image.dtype.kind == "f" else 1.0):
        do = "begin the pipeline with Rescale((low, high)) of the values that matter, for CT such as (-1000, 1000)"
        return f"{takes} from {low:g} to {high:g}, and 0 for black: {do}"
    if image.dtype.kind == "f" and high > _ABOVE:
        known = next((top for top in (255, 65_535) if high <= top), None)
        top = known or "white"
        do = f"give image / {top}, or begin the pipeline with Rescale((0, {top}))"
        return f"{takes} up to {high:g}: {do}"
    if image.dtype.kind == "i" and high < white / 4:
        do = "begin the pipeline with Rescale((low, high)) of the values that matter"
        return f"{takes} up to {high:g}: {do}"
    return ""
