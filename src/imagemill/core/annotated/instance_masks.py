"""Instance masks: the pixels of each object by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from imagemill.core.annotated.annotation_rows import check_rows, left_rows
from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.short_repr import ShortRepr

__all__ = ["Instances"]

Array = np.ndarray[Any, Any]
_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Instances(ShortRepr):
    """The pixels of each of several objects: a stack of masks, or one map of numbers.

    Parameters
    ----------
    array : array of bool or integers
        A stack ``(k, height, width)``, in volumes ``(k, slices, height, width)``, of which anything but 0 is inside;
        or a map ``(height, width)`` with a number for each object and 0 where there is none. Tensors are taken as well.
    ids : sequence of int, optional
        The numbers in a map, one per object, in the order of the boxes. Left out, a map of a picture has those that are
        in it, rising; ``"all"`` says so of a volume's, which would be taken for a stack.
    labels : sequence, optional
        One per object; they stay with it.
    columns : mapping of str to sequence, optional
        Whatever else is known of each.
    index : array of int ``(k,)``, optional
        What each is known by. Left out, it comes back as the place of each among those that were given.
    visibility : array ``(k,)``
        Set on what comes back: the share of each object's pixels that are still in the frame, 0 to 1.
    dropped : array of int
        Set on what comes back: the ``index`` of everything that is not there any more.

    Raises
    ------
    InputError
        When it is no stack and no map, or ids are not in it as often as they should.

    Notes
    -----
    Read by nearest neighbour, as label maps are. What fills the frame beyond the source (a border that repeats or
    mirrors, padding) is no part of an object, though the picture may look like it. Objects of which too little is
    left, by the rules for boxes (`BoxRules`), are dropped; together with boxes, polygons and rotated boxes of the same
    ``index``, or of the same number where no index was given.

    Examples
    --------
    >>> import imagemill as im
    >>> masks = np.zeros((2, 4, 6), bool)
    >>> masks[0, :2, :2], masks[1, 1:3, 3:6] = True, True
    >>> boxes = im.Boxes([[0, 0, 2, 2], [3, 1, 6, 3]], labels=["cat", "dog"])
    >>> out = im.Pipeline([im.Crop(box=(0, 3, 4, 6))], seed=1)(image=np.zeros((4, 6)), instances=masks, boxes=boxes)
    >>> out.instances.array.shape, out.instances.area.tolist(), out.boxes.labels
    ((1, 4, 3), [6], ['dog'])
    """

    array: Array
    ids: Any = None
    labels: Any = None
    index: npt.NDArray[np.int64] | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    visibility: Floats | None = None
    dropped: npt.NDArray[np.int64] = field(default_factory=lambda: _NONE)

    kind: ClassVar[str] = "instance masks"

    def __post_init__(self) -> None:
        array = self.array
        array = np.asarray(array.detach().cpu() if hasattr(array, "detach") else array)
        if array.dtype.kind not in "biu" or array.ndim not in (2, 3, 4):
            raise InputError(
                "expected instance masks of integers or bool, a stack (k, height, width) or a map (height, width), "
                f"got shape {array.shape} of {array.dtype}; write numpy.stack(masks).astype(bool)"
            )
        native = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
        object.__setattr__(self, "array", native)
        if self.ids is not None or array.ndim == 2:
            object.__setattr__(self, "ids", _ids(array, self.ids))
        check_rows(self, "object")

    @property
    def is_map(self) -> bool:
        """Whether it is one map of numbers, and no stack."""
        return self.ids is not None

    @property
    def shape(self) -> tuple[int, ...]:
        """Spatial shape."""
        return tuple(self.array.shape if self.is_map else self.array.shape[1:])

    @property
    def masks(self) -> npt.NDArray[np.bool_]:
        """A stack ``(k, *shape)`` of bool, whatever was given."""
        if self.is_map:
            return np.asarray(self.array[None] == self.ids.reshape(-1, *[1] * self.array.ndim))
        return self.array if self.array.dtype == np.bool_ else self.array != 0

    def canonical(self) -> Array:
        """As label maps ``(*shape, K)``: of a stack one each, of a map that map."""
        return self.array[..., None] if self.is_map else np.moveaxis(self.array, 0, -1)

    def places(self, most: int) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Indices ``(p, d)`` of pixels, and which object each is in: only some, where it has more than ``most``."""
        if self.is_map:
            order = np.argsort(self.ids)
            where = np.argwhere(np.isin(self.array, self.ids))
            owner = order[np.searchsorted(self.ids[order], self.array[tuple(where.T)])]
            by_owner = np.argsort(owner, kind="stable")
            where, owner = where[by_owner], owner[by_owner]
        else:
            found = np.argwhere(self.array)
            owner, where = found[:, 0], found[:, 1:]
        counts = np.bincount(owner, minlength=len(self))
        rank = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
        some = rank % np.maximum(1, -(-counts // most))[owner] == 0
        return where[some].astype(np.float64), owner[some].astype(np.int64)

    @property
    def area(self) -> npt.NDArray[np.int64]:
        """Pixels of each."""
        if self.is_map:
            numbers, counts = np.unique(self.array, return_counts=True)
            found = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
            return np.array([found.get(number, 0) for number in self.ids.tolist()], np.int64)
        axes = tuple(range(1, self.array.ndim))
        return np.asarray(np.count_nonzero(self.array, axis=axes), np.int64).reshape(-1)

    @property
    def bounds(self) -> Floats:
        """The upright box around each, ``(k, 2d)`` in pixels from the outer corner, lower edges first, or ``nan``."""
        d = len(self.shape)
        found = np.full((len(self), 2 * d), np.nan)
        for row in range(len(self)):
            there = self.array == self.ids[row] if self.is_map else self.array[row] != 0
            for axis in range(d):
                lines = np.flatnonzero(there.any(axis=tuple(a for a in range(d) if a != axis)))
                if len(lines):
                    found[row, axis], found[row, d + axis] = lines[0], lines[-1] + 1
        return found

    def like(self, rasters: Array, kept: npt.NDArray[np.int64], share: Floats) -> Instances:
        """The objects that were kept, of moved label maps ``(*shape, K)``; ``share`` says what is left of each."""
        more = left_rows(self, kept, share)
        if self.is_map:
            ids = self.ids[kept]
            array = rasters[..., 0]
            return Instances(np.where(np.isin(array, ids), array, np.zeros((), array.dtype)), ids, **more)
        return Instances(np.ascontiguousarray(np.moveaxis(rasters[..., kept], -1, 0)), None, **more)

    def only(self, kept: npt.NDArray[np.int64]) -> Instances:
        """Some of the objects as they are."""
        return self.like(self.canonical(), kept, np.ones(len(kept)))

    def emptied(self, gone: npt.NDArray[np.bool_]) -> Instances:
        """All rows, but nothing left of some."""
        share = np.ones(len(self)) if self.visibility is None else self.visibility
        share = np.where(gone, 0.0, share)
        if self.is_map:
            array = np.where(np.isin(self.array, self.ids[gone]), np.zeros((), self.array.dtype), self.array)
        else:
            array = np.where(gone.reshape(-1, *[1] * len(self.shape)), np.zeros((), self.array.dtype), self.array)
        return replace(self, array=array, visibility=share)

    def __len__(self) -> int:
        return len(self.ids) if self.is_map else len(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=copy)


def _ids(array: Array, said: Any) -> npt.NDArray[np.int64]:
    if said is None or (isinstance(said, str) and said == "all"):
        found = np.unique(array)
        return np.asarray(found[found != 0], np.int64)
    ids = np.asarray(said)
    if ids.size == 0:
        return np.zeros(0, np.int64)
    if ids.ndim != 1 or ids.dtype.kind not in "iu" or (ids == 0).any() or len(np.unique(ids)) < len(ids):
        raise InputError(f"expected ids as whole numbers, each once and none 0, or 'all', got {said!r:.80}")
    return ids.astype(np.int64)
