"""What can be moved together: images, masks, maps, boxes, keypoints, polygons, rotated boxes, instances, labels.

Formats are converted here, where values enter and leave, and nowhere else. Inside, an image is ``(*shape, C)`` and a
mask ``(*shape, K)``; annotations have files of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt

from imagemill.core.annotated.instance_masks import Instances as Instances
from imagemill.core.annotated.polygons import Polygons as Polygons
from imagemill.core.annotated.rotated_boxes import RotatedBoxes as RotatedBoxes
from imagemill.core.colours import Channels, check_channels, to_channels
from imagemill.core.errors import InputError
from imagemill.core.geometry import SPATIAL_AXES, Floats
from imagemill.core.interop.annotations import Boxes as Boxes
from imagemill.core.interop.annotations import Keypoints as Keypoints
from imagemill.core.interop.foreign_images import read_given
from imagemill.core.short_repr import ShortRepr

Array = np.ndarray[Any, Any]

_SPATIAL = {"".join(sorted(axes)): axes for axes in SPATIAL_AXES.values()}


def read_axes(axes: str, array: Array, what: str) -> tuple[str, bool]:
    """Check an axes word against an array: its spatial axes in canonical order, and whether it has channels."""
    canonical, channels = _read_word(axes)
    if canonical is None or len(axes) != array.ndim:
        raise InputError(
            f"expected axes={axes!r} of the {what} to name the {array.ndim} axes of an array of shape {array.shape} "
            "with the letters y, x, z and c, each once, such as 'yx', 'yxc', 'zyx', 'yxz' or 'cyx'"
        )
    return canonical, channels


@lru_cache(maxsize=256)
def _read_word(axes: str) -> tuple[str | None, bool]:
    """Its spatial axes in canonical order, None where there are no such, and whether it has channels."""
    return _SPATIAL.get("".join(sorted(axes.replace("c", "", 1)))), "c" in axes


_WRAPPERS = {"mask": "Mask", "instance masks": "Mask", "map": "Map"}


def guess_axes(array: Array, what: str) -> str:
    """The axes of a plain array: ``(H, W)`` and ``(H, W, 1|3|4)`` are pictures, anything else must say."""
    if array.ndim == 2:
        return "yx"
    if array.ndim == 3 and array.shape[2] in (1, 3, 4):
        return "yxc"
    words = {3: "'zyx' (slices first), 'yxz' (slices last), 'yxc' or 'cyx'", 4: "'zyxc', 'czyx', or 'tyxc' for a video"}
    suggestion = words.get(array.ndim, "'yx', 'yxc', 'zyx' or 'zyxc'")
    wrapper = _WRAPPERS.get(what, "Image")
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[0] < min(array.shape[1:]):
        raise InputError(
            f"expected the {what} as (H, W) or (H, W, 1|3|4), got shape {array.shape}, which looks like channels first"
            f"; say its axes: {wrapper}(array, axes='cyx'), or axes='zyx' if those are {array.shape[0]} slices"
        )
    if array.ndim == 4 and array.shape[3] in (1, 3, 4):
        raise InputError(
            f"expected one {what}, got shape {array.shape}, which looks like {array.shape[0]} of them; give several to "
            f"pipeline.batch, or say its axes: {wrapper}(array, axes=...) with {suggestion}"
        )
    raise InputError(
        f"expected the {what} as (H, W) or (H, W, 1|3|4), got shape {array.shape}; say its axes: "
        f"{wrapper}(array, axes=...) with {suggestion}"
    )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Raster(ShortRepr):
    """An array over the frame, with its axes: an image, a label map or a map of numbers."""

    array: Array
    axes: str | None = None
    spacing: tuple[float, ...] | None = None
    affine: npt.NDArray[np.float64] | None = None

    kind: ClassVar[str] = "raster"

    if TYPE_CHECKING:  # whatever `read_given` takes may be given; an array is what is kept

        def __init__(
            self,
            array: Any,
            axes: str | None = None,
            spacing: tuple[float, ...] | None = None,
            affine: npt.NDArray[np.float64] | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        array = self.array
        if type(array) is not np.ndarray or not array.dtype.isnative:
            array = self._take(array)
        if array.size == 0:
            raise InputError(f"expected the {self.kind} to hold pixels, got an empty array of shape {array.shape}")
        if self.axes is not None:
            frame, word = array, self.axes
            if "t" in word and len(word) == array.ndim:
                frame, word = np.moveaxis(array, word.index("t"), 0)[0], word.replace("t", "", 1)
            axes, _ = read_axes(word, frame, self.kind)
            d = len(axes)
            if self.spacing is not None and (len(self.spacing) != d or min(self.spacing) <= 0):
                raise InputError(f"expected {d} spacings above 0 in the order {axes}, got {self.spacing}")
            if self.affine is not None and np.shape(self.affine) != (d + 1, d + 1):
                raise InputError(f"expected an affine of shape {(d + 1, d + 1)}, got shape {np.shape(self.affine)}")

    def _take(self, value: Any) -> Array:
        """Take over an image or mask as another library holds it; what the caller says of it goes before."""
        given = read_given(value, self.kind)
        found = {"axes": given.axes, "spacing": given.spacing, "affine": given.affine, "array": given.array}
        for name, value in found.items():
            if name == "array" or (value is not None and getattr(self, name) is None):
                object.__setattr__(self, name, value)
        return given.array

    def named(self, axes: str | None = None) -> str:
        """The axes as given, inherited or guessed."""
        if self.axes is not None:
            return self.axes
        if axes is not None and self.array.ndim == len(axes):
            return axes
        spatial = None if axes is None else axes.replace("c", "")
        if spatial is not None and self.array.ndim == len(spatial):
            return spatial
        return guess_axes(self.array, self.kind)

    def canonical(self, axes: str | None = None) -> Array:
        """The array as ``(*shape, C)``, a view where possible."""
        axes = self.named(axes)
        spatial, channels = read_axes(axes, self.array, self.kind)
        if axes == spatial + "c":  # as nearly all are
            return self.array[...]
        order = [axes.index(a) for a in spatial + ("c" if channels else "")]
        moved = self.array.transpose(order)
        return moved if channels else moved[..., None]

    def affine_matrix(self, axes: str) -> Floats:
        """Index to world, ``(d+1, d+1)``; the identity (or the spacing) when nothing else is known."""
        if self.affine is not None:
            return np.asarray(self.affine, dtype=np.float64)
        d = len(axes.replace("c", ""))
        m = np.eye(d + 1)
        if self.spacing is not None:
            if len(self.spacing) != d:
                raise InputError(f"expected {d} spacings, one per spatial axis, got {self.spacing}")
            m[range(d), range(d)] = self.spacing
        return m

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=copy)


_IMAGE_DTYPES = ("uint8", "uint16", "int16", "int32", "float16", "float32", "float64")
_NATIVE = frozenset(map(np.dtype, _IMAGE_DTYPES))


def _holding(array: Array) -> str:
    """The smallest type of pixels that whole numbers fit into; where there is none, one with a fraction."""
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for name in ("uint8", "uint16", "int16", "int32"):
        if np.iinfo(name).min <= low and high <= np.iinfo(name).max:
            return name
    return "float64"


class Image(Raster):
    """Pixel values that are interpolated and recoloured.

    Parameters
    ----------
    array : array
        uint8, uint16, int16, int32, float16, float32 or float64, in any byte order; also tensors, PIL images (of any
        mode, as they look, turned as EXIF says), what `read_picture` gives, and images of nibabel.
    axes : str, optional
        What each axis is: ``"yx"``, ``"yxc"``, ``"cyx"``, ``"zyx"``, ``"yxz"``, ``"zyxc"``... Pictures
        ``(H, W)`` and ``(H, W, 1|3|4)`` need not say. A ``t`` is the time of a video, as in ``"tyxc"``: every frame
        gets the same draw.
    spacing : tuple of float, optional
        Millimetres between pixels in the order ``(z, )y, x``.
    affine : array, optional
        Index to world coordinates, ``(d+1, d+1)``, in the order ``(z, )y, x``. Its columns give the spacing
        unless ``spacing`` is given as well: then turns are rigid by ``spacing``, and ``affine`` is only
        carried along.
    """

    __slots__ = ()
    kind: ClassVar[str] = "image"

    def __post_init__(self) -> None:
        Raster.__post_init__(self)
        # Names of dtypes are put together anew each time they are asked for.
        if self.array.dtype not in _NATIVE and self.array.dtype.name not in _IMAGE_DTYPES:
            do = "use array.astype"
            if self.array.dtype.kind in "iu":
                do = f"write array.astype({_holding(self.array)!r})"
            if self.array.dtype == np.bool_:
                do = "write array.astype(numpy.uint8) * 255, or pass it as a mask"
            raise InputError(f"expected image values of {', '.join(_IMAGE_DTYPES)}, got {self.array.dtype}; {do}")

    def with_channels(self, channels: Channels, axes: str | None = None) -> Image:
        """The same image as gray, RGB or RGBA: gray becomes RGB exactly, alpha that is not wanted is dropped.

        Parameters
        ----------
        channels : {"keep", "gray", "rgb", "rgba"}
        axes : str, optional
            Of its array, where the image does not say them itself.

        Returns
        -------
        Image
            Its axes in the same order; channels that were not there come last.

        Examples
        --------
        >>> Image(np.array([[7, 8]], np.uint8)).with_channels("rgb").array.tolist()
        [[[7, 7, 7], [8, 8, 8]]]
        """
        check_channels(channels)
        axes = self.named(axes)
        spatial, there = read_axes(axes, self.array, self.kind)
        count = self.array.shape[axes.index("c")] if there else None
        if channels == "keep" or count == {"gray": None, "rgb": 3, "rgba": 4}[channels]:
            return self
        made, order = to_channels(self.canonical(axes), channels), spatial + "c"
        out = axes if there else axes + "c"
        if channels == "gray":
            made, order, out = made[..., 0], spatial, axes.replace("c", "")
        array = np.ascontiguousarray(made.transpose([order.index(letter) for letter in out]))
        return replace(self, array=array, axes=out)


class Mask(Raster):
    """A label map: read by nearest neighbour, always, so its set of labels never grows.

    Parameters
    ----------
    array : array
        bool or any integer dtype, of the image's shape; a trailing channel axis holds several maps. PIL images of mode
        ``P`` give their indices and of mode ``1`` 0 and 1; what `read_mask` gives is taken as well.
    axes, spacing, affine
        As for :class:`Image`. Where both say their ``affine``, a map on another grid (mirrored axes, a part of the
        scan, other voxels) is brought onto the image's by nearest neighbour, 0 where it says nothing; where they
        contradict each other, that is an error.
    """

    __slots__ = ()
    kind: ClassVar[str] = "mask"

    def __post_init__(self) -> None:
        Raster.__post_init__(self)
        if self.array.dtype.kind not in "biu":
            raise InputError(
                f"expected a mask of integers or bool, got {self.array.dtype}; convert labels with array.astype, "
                "or pass soft masks as Map"
            )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Map(Raster, ShortRepr):
    """A map of numbers over the frame (depth, heatmaps, a soft mask): interpolated as images are, never recoloured.

    It is given under a name of its own, as a second label map or image is: ``pipe(image=photo, depth=Map(depth))``. Its
    name does not say its kind, so the value does, and one call takes as many as there are. Colour, filters and noise
    leave it as it is. What hides parts of an image (`Erasing`, `PixelDropout`, ...) hides them here where it hides them
    in label maps: where its ``mask_fill`` is given.

    Parameters
    ----------
    array : array
        float16, float32 or float64, and the whole-number dtypes of images, whose values are rounded; it keeps its
        dtype. Of the image's shape, with any number of channels in a trailing axis: ``(H, W)``, or ``(H, W, K)`` with
        ``axes="yxc"`` for K heatmaps. NaN and infinities are read as in images: NaN as the finite value nearest to 0.
    axes, spacing, affine
        As for :class:`Image`. On another grid than the image's it is refused, unless its axes are only mirrored or
        exchanged: resample it first.
    fill : float
        What stands where there is nothing: beyond the edge with ``border="constant"``, in padding, and where parts
        are hidden. The transforms' own ``fill`` and ``mask_fill`` are a colour and a label, and not for maps.
    order : {0, 1, 3, 5}, optional
        Spline order for this map; that of the transforms when left out. 0 makes no value that was not there, which
        suits depth with sharp edges and holes; 3 and 5 overshoot.

    Notes
    -----
    A map with a channel axis comes out in the layout that `ToLayout` asks for; one without has none.

    Examples
    --------
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.Shift(pixels={"x": 0.5}, border="constant"), im.Brightness(2)], seed=1)
    >>> out = pipe(image=np.array([[10, 20]], np.uint8), depth=im.Map(np.array([[1.0, 2.0]], np.float32), fill=-1))
    >>> out.depth
    array([[0. , 1.5]], dtype=float32)
    """

    fill: float = 0.0
    order: int | None = None

    kind: ClassVar[str] = "map"

    if TYPE_CHECKING:

        def __init__(
            self,
            array: Any,
            axes: str | None = None,
            spacing: tuple[float, ...] | None = None,
            affine: npt.NDArray[np.float64] | None = None,
            fill: float = 0.0,
            order: int | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        Raster.__post_init__(self)
        dtype = self.array.dtype
        if dtype not in _NATIVE and dtype.name not in _IMAGE_DTYPES:
            do = "pass labels as Mask, or a soft mask with array.astype(numpy.float32)"
            raise InputError(f"expected a map of {', '.join(_IMAGE_DTYPES)}, got {dtype}; {do}")
        if self.order not in (None, 0, 1, 3, 5):
            raise InputError(f"expected a map's order of 0, 1, 3, 5 or None, got {self.order!r}")
        number = isinstance(self.fill, int | float | np.number) and not isinstance(self.fill, bool)
        if not number or not np.isfinite(self.fill) or (dtype.kind in "iu" and not _holds(dtype, self.fill)):
            whole = "" if dtype.kind == "f" else f" that {dtype} holds"
            raise InputError(f"expected a map's fill as a finite number{whole}, got {self.fill!r}")


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    info = np.iinfo(dtype)
    return float(value).is_integer() and info.min <= value <= info.max


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Label(ShortRepr):
    """A class name, a number or anything else that no transform here changes."""

    value: Any

    kind: ClassVar[str] = "label"


Annotation = Boxes | RotatedBoxes | Polygons | Instances
"""What has a row for each thing in the picture, and drops those of which too little is left."""
Target = Image | Mask | Map | Annotation | Keypoints | Label
KINDS: tuple[str, ...] = tuple(t.kind for t in get_args(Target))
ANNOTATIONS: tuple[str, ...] = tuple(t.kind for t in get_args(Annotation))


def _boxes(value: Any) -> Boxes:
    array = np.asarray(value, dtype=np.float64)
    return Boxes(array, "zyxzyx" if array.ndim == 2 and array.shape[1] == 6 else "xyxy")


def _rotated_boxes(value: Any) -> RotatedBoxes:
    corners = np.ndim(value) == 3 or (np.ndim(value) == 2 and np.shape(value)[1] == 8) if _is_regular(value) else False
    return RotatedBoxes(value, "corners" if corners else "cxcywha")


def _is_regular(value: Any) -> bool:
    """Whether numpy makes an array of numbers of it, as of rectangles in brackets of several lengths it does not."""
    try:
        np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return True


def _keypoints(value: Any) -> Keypoints:
    array = np.asarray(value, dtype=np.float64)
    return Keypoints(array, "zyx" if array.ndim == 2 and array.shape[1] == 3 else "xy")


NAMED: dict[str, Callable[[Any], Target]] = {
    "image": Image,
    "mask": Mask,
    "boxes": _boxes,
    "rotated_boxes": _rotated_boxes,
    "polygons": Polygons,
    "lines": lambda value: Polygons(value, closed=False),
    "instances": Instances,
    "keypoints": _keypoints,
    "label": Label,
}
"""What a plain value is by the name that it was passed under."""


def as_target(name: str, value: Any) -> Target:
    """Wrap a plain value by the name it was passed under, one of `NAMED`."""
    if isinstance(value, Target):
        return value
    if value is None and name in _SEVERAL:
        raise InputError(
            f"expected {name} as an array or a list, got None; leave {name}=... out, or pass {_SEVERAL[name]} for none"
        )
    if name in NAMED:
        return NAMED[name](value)
    raise InputError(
        f"expected the target {name!r} to be wrapped, since its name does not say its kind; {_advice(name)}"
    )


_SEVERAL = dict.fromkeys(("boxes", "rotated_boxes", "polygons", "lines", "keypoints"), "[]") | {
    "instances": "numpy.zeros((0, height, width), bool)"
}
"""Targets of which an image may have none, and how that is written."""

_OTHERWISE = {
    "image=": ("images", "img", "imgs", "picture", "photo", "scan", "volume", "x", "input", "pixels"),
    "mask=": ("masks", "seg", "segmentation", "label_map", "labelmap", "semantic_mask", "masks_semantic"),
    "boxes=": ("box", "bbox", "bboxes", "bounding_box", "bounding_boxes"),
    "rotated_boxes=": ("rotated_box", "obb", "obbs", "rboxes"),
    "keypoints=": ("keypoint", "points", "landmarks", "joints"),
    "polygons=": ("polygon", "contours"),
    "label=": ("target", "y", "class_", "category", "class_id"),
}
"""What people and other libraries call our targets."""

_OF_BOXES = ("labels", "classes", "class_labels", "box_labels", "bbox_labels", "category_ids", "category_id")


def _advice(name: str) -> str:
    """What to write in the place of a name that we do not know."""
    lower = name.lower()
    if lower in _OF_BOXES:
        return (
            f"write label=... for the class of each image, and boxes=Boxes(array, labels={name}) for the classes of "
            "boxes (Keypoints, Polygons, RotatedBoxes and Instances take labels=... as well)"
        )
    meant = next((ours for ours, names in _OTHERWISE.items() if lower in names), "")
    kinds = (
        f"{name}=Image(...), Mask(...), Map(...) for depth and heatmaps, Boxes(...), Keypoints(...), Polygons(...), "
        "RotatedBoxes(...), Instances(...) or Label(...)"
    )
    if meant:
        return f"did you mean {meant}? Under a name of your own write {kinds}"
    return f"write {kinds}, or use one of the names {', '.join(NAMED)}"


def plain_annotation(value: Any) -> Any:
    """What frameworks take of an annotation: its array, of polygons flat lists; all else as it is."""
    if isinstance(value, Polygons):
        return value.flat()
    return value.array if isinstance(value, Boxes | RotatedBoxes | Instances | Keypoints) else value
