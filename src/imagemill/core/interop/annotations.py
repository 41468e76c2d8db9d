"""What is annotated in a picture and moves with it: boxes and keypoints.

Their formats are converted here, where values enter and leave. Inside, boxes are edges ``(k, 2d)`` (all lower, then all
upper, in index order and coordinates) and keypoints are indices ``(k, d)``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from imagemill.core.annotated.annotation_rows import check_rows, left_rows
from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.keypoint_names import read_swap
from imagemill.core.short_repr import ShortRepr

__all__ = ["BOX_FORMATS", "Boxes", "Keypoints"]

Array = np.ndarray[Any, Any]
_NONE = np.zeros(0, np.int64)

BOX_FORMATS = ("xyxy", "xywh", "cxcywh", "xyxy_normalized", "xywh_normalized", "yolo", "zyxzyx", "yxyx")


_SHARES = {"xyxy": "xyxy_normalized", "xywh": "xywh_normalized", "cxcywh": "yolo"}


def _in_pixels(array: Array, format: str) -> Array:
    """The same boxes; warns where all of them lie within the first pixel, as shares of the frame do."""
    if array.size and array.max() <= 1 and array.min() >= 0 and (array % 1).any():
        warnings.warn(
            f"expected boxes ({format}) in pixels, got none beyond 1, such as {array[0].tolist()}: for shares of the "
            f"frame write Boxes(array, {_SHARES[format]!r})",
            stacklevel=3,
        )
    return array


def _columns(array: Array, width: int) -> str:
    """What to do with arrays of boxes of another shape."""
    if array.shape == (width,):
        return "; write [box] for a single one"
    if array.ndim == 2 and array.shape[1] == width + 1:
        return f"; classes go beside them: Boxes(array[:, :{width}], labels=array[:, {width}])"
    return ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Boxes(ShortRepr):
    """Axis-aligned boxes.

    Parameters
    ----------
    array : array, ``(k, 4)`` or ``(k, 6)``
    format : str
        ``"xyxy"`` (left, top, right, bottom edges; a box around the whole picture is 0, 0, width, height),
        ``"xywh"`` (COCO), ``"cxcywh"``, the same ``_normalized`` by width and height, ``"yolo"``
        (normalized cxcywh), ``"yxyx"``, and ``"zyxzyx"`` for volumes.
    labels : sequence, optional
        One per box; they stay with their box.
    columns : mapping of str to sequence, optional
        Whatever else is known of each box (``{"iscrowd": [0, 1]}``); it stays with it as well.
    index : array of int ``(k,)``, optional
        What each box is known by. Left out, it comes back as the place of each box among those that were given.
    visibility : array ``(k,)``
        Set on what comes back: the share of each box that is left in the frame, 0 to 1.
    dropped : array of int
        Set on what comes back: the ``index`` of every box that is not there any more.

    Raises
    ------
    InputError
        Naming the box, for edges that are not finite or in the wrong order, and columns of another length.

    Notes
    -----
    A box moves as its corners do and becomes the smallest upright box around them, cut at the frame.
    Boxes of which less than a pixel is left are dropped with all that belongs to them, and so are boxes that came
    without area; ``Pipeline(..., boxes=BoxRules(...))`` says otherwise.

    Examples
    --------
    >>> import imagemill as im
    >>> boxes = im.Boxes([[0, 0, 4, 4], [8, 0, 12, 4]], labels=["cat", "dog"], columns={"iscrowd": [0, 1]})
    >>> out = im.Pipeline([im.Shift(pixels={"x": -9})], seed=1)(image=np.zeros((10, 20)), boxes=boxes).boxes
    >>> out.array.tolist(), out.labels, out.columns, out.index.tolist()
    ([[0.0, 0.0, 3.0, 4.0]], ['dog'], {'iscrowd': [1]}, [1])
    >>> out.visibility.tolist(), out.dropped.tolist()
    ([0.75], [0])
    """

    array: Array
    format: str = "xyxy"
    labels: Any = None
    index: npt.NDArray[np.int64] | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    visibility: Floats | None = None
    dropped: npt.NDArray[np.int64] = field(default_factory=lambda: _NONE)

    kind: ClassVar[str] = "boxes"

    def __post_init__(self) -> None:
        if self.format not in BOX_FORMATS:
            raise InputError(f"expected a box format of {', '.join(BOX_FORMATS)}, got {self.format!r}")
        width = 6 if self.format == "zyxzyx" else 4
        array = np.asarray(self.array, dtype=np.float64)
        if array.size == 0:
            array = array.reshape(0, width)
        if array.ndim != 2 or array.shape[1] != width:
            raise InputError(
                f"expected boxes ({self.format}) as (k, {width}), got shape {array.shape}{_columns(array, width)}"
            )
        if not np.isfinite(array).all():
            bad = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
            raise InputError(
                f"expected finite box coordinates, got box {bad}: {array[bad].tolist()}; mend it or leave it out"
            )
        object.__setattr__(self, "array", array)
        check_rows(self, "box")

    def edges(self, shape: tuple[int, ...]) -> Floats:
        """Lower and upper edges ``(k, 2d)`` in index coordinates of a frame of ``shape``."""
        a = self.array
        if self.format in ("zyxzyx", "yxyx"):
            found = a - 0.5
        else:
            if len(shape) != 2:
                raise InputError(f"expected boxes in 'zyxzyx' with a volume, got {self.format!r}")
            form, size = _plain_format(self.format), np.array([shape[1], shape[0]] * 2, dtype=np.float64)
            a = a * size if self.format != form else _in_pixels(a, self.format)
            if form == "xywh":
                a = np.concatenate([a[:, :2], a[:, :2] + a[:, 2:]], axis=1)
            elif form == "cxcywh":
                a = np.concatenate([a[:, :2] - a[:, 2:] / 2, a[:, :2] + a[:, 2:] / 2], axis=1)
            found = a[:, [1, 0, 3, 2]] - 0.5
        if found.shape[1] != 2 * len(shape):
            raise InputError(f"expected boxes for a frame of {len(shape)} axes, got format {self.format!r}")
        d = len(shape)
        bad = np.flatnonzero((found[:, d:] < found[:, :d]).any(axis=1))
        if bad.size:
            raise InputError(
                f"expected upper edges at or above lower ones, got box {bad[0]}: {self.array[bad[0]].tolist()} "
                f"({self.format}); is the format right? For x, y, width and height write Boxes(array, 'xywh')"
            )
        return found

    def like(self, edges: Floats, shape: tuple[int, ...], kept: npt.NDArray[np.int64], share: Floats) -> Boxes:
        """Boxes with new edges in this one's format; ``kept`` says which they are, ``share`` what is left of each."""
        return Boxes(_from_edges(edges, self.format, shape), self.format, **left_rows(self, kept, share))

    def refitted(self, edges: Floats, shape: tuple[int, ...], share: Floats) -> Boxes:
        """The same boxes with other edges, ``share`` being what is left of each."""
        return replace(self, array=_from_edges(edges, self.format, shape), visibility=share)

    def only(self, kept: npt.NDArray[np.int64]) -> Boxes:
        """Some of the boxes as they are."""
        return replace(self, array=self.array[kept], **left_rows(self, kept, np.ones(len(kept))))

    def emptied(self, gone: npt.NDArray[np.bool_]) -> Boxes:
        """All rows, some drawn together to a point."""
        array, half = self.array.copy(), self.array.shape[1] // 2
        sized = _plain_format(self.format) in ("xywh", "cxcywh")
        array[gone, half:] = 0.0 if sized else array[gone, :half]
        share = np.ones(len(self)) if self.visibility is None else self.visibility
        return replace(self, array=array, visibility=np.where(gone, 0.0, share))

    def to(self, format: str, shape: tuple[int, ...]) -> Boxes:
        """The same boxes in another format, for a frame of ``shape``."""
        return replace(self, format=format, array=_from_edges(self.edges(shape), format, shape))

    def __len__(self) -> int:
        return len(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=copy)


def _plain_format(format: str) -> str:
    return "cxcywh" if format == "yolo" else format.removesuffix("_normalized")


def _from_edges(edges: Floats, format: str, shape: tuple[int, ...]) -> Floats:
    if format in ("zyxzyx", "yxyx"):
        return edges + 0.5
    a = edges[:, [1, 0, 3, 2]] + 0.5
    form = _plain_format(format)
    if form == "xywh":
        a = np.concatenate([a[:, :2], a[:, 2:] - a[:, :2]], axis=1)
    elif form == "cxcywh":
        a = np.concatenate([(a[:, :2] + a[:, 2:]) / 2, a[:, 2:] - a[:, :2]], axis=1)
    return a / np.array([shape[1], shape[0]] * 2, dtype=np.float64) if format != form else a


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Keypoints(ShortRepr):
    """Points that move with the pixels they stand on.

    Parameters
    ----------
    array : array, ``(k, d)``
        Pixel indices: ``(0, 0)`` is the centre of the first pixel.
    format : {"xy", "yx", "zyx"}
        Order of the columns; ``"zyx"`` for volumes.
    visible : bool array ``(k,)``, optional
        Points that leave the frame are kept, and are no longer visible.
    labels : sequence, optional
        One per point: its name, or anything else.
    instance : array of int ``(k,)``, optional
        Which annotation each point belongs to, where there are several.
    swap : "auto", or pairs of labels, optional
        What is exchanged where the picture is mirrored, such as ``(("left_eye", "right_eye"),)``; ``()`` for nothing.
        Left out, the pipeline says. Points without labels are known by their row in their annotation: ``((1, 2),)``.
    inside : bool array ``(k,)``
        Set on what comes back: which points lie in the frame.
    columns : mapping of str to array
        Set where samples were mixed: ``source``, whose each point is, and ``weight``, the share of that sample.

    Notes
    -----
    In a mirror a left eye becomes a right one. Where the map mirrors (a flip, a transpose, any matrix that turns the
    picture over; not a turn, nor two flips), points of a pair therefore take each other's places: row ``i`` keeps its
    name, and ``left_eye`` is the left eye of what is seen. ``"auto"``, the default of a pipeline, does so for the words
    left and right in names (``left_eye``, ``eyeLeft``, ``Right Hip``: COCO's 17 among them) and for a letter set apart
    (``l_hip``, ``hip.R``, ``LHip``), if both names of a pair are there. A point whose partner is not in the same
    annotation gets its partner's name instead, if the pair was declared, is COCO's or is there elsewhere. Names without
    a partner, and points without names, stay as they are.

    Examples
    --------
    >>> import imagemill as im
    >>> points = im.Keypoints([[2, 5], [6, 5]], labels=["left_eye", "right_eye"])
    >>> out = im.Pipeline([im.Flip("x")], seed=1)(image=np.zeros((10, 10)), keypoints=points).keypoints
    >>> out.labels, out.array.tolist(), out.inside.tolist()
    (['left_eye', 'right_eye'], [[3.0, 5.0], [7.0, 5.0]], [True, True])
    """

    array: Array
    format: str = "xy"
    visible: Any = None
    labels: Any = None
    instance: Any = None
    swap: Any = None
    inside: npt.NDArray[np.bool_] | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)

    kind: ClassVar[str] = "keypoints"

    def __post_init__(self) -> None:
        if self.format not in ("xy", "yx", "zyx"):
            raise InputError(f"expected a keypoint format of 'xy', 'yx' or 'zyx', got {self.format!r}")
        d = len(self.format)
        array = np.asarray(self.array, dtype=np.float64)
        if array.size == 0:
            array = array.reshape(0, d)
        if array.ndim != 2 or array.shape[1] != d:
            raise InputError(f"expected keypoints ({self.format}) as (k, {d}), got shape {array.shape}")
        object.__setattr__(self, "array", array)
        if self.swap is not None:
            object.__setattr__(self, "swap", read_swap(self.swap))
        if self.instance is not None:
            object.__setattr__(self, "instance", np.asarray(self.instance, np.int64))
            if self.instance.shape != (len(array),):
                raise InputError(f"expected {len(array)} instances, one per point, got {self.instance.shape}")
        seen = np.ones(len(array), bool) if self.visible is None else np.asarray(self.visible).astype(bool)
        if seen.shape != (len(array),):
            raise InputError(f"expected {len(array)} visibilities, one per point, got shape {seen.shape}")
        object.__setattr__(self, "visible", seen)
        if self.labels is not None and len(self.labels) != len(array):
            raise InputError(f"expected {len(array)} labels, one per point, got {len(self.labels)}")

    def indices(self, d: int) -> Floats:
        """Points ``(k, d)`` in index order."""
        if len(self.format) != d:
            raise InputError(f"expected keypoints of {d} coordinates, got format {self.format!r}")
        return self.array[:, ::-1] if self.format == "xy" else self.array

    def like(
        self, indices: Floats, visible: npt.NDArray[np.bool_], inside: npt.NDArray[np.bool_], labels: Any
    ) -> Keypoints:
        """Keypoints with new indices in this one's format, and what else changed."""
        array = indices[:, ::-1] if self.format == "xy" else indices
        return replace(self, array=np.array(array, order="C"), visible=visible, inside=inside, labels=labels)

    def __len__(self) -> int:
        return len(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=copy)
