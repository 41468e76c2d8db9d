"""What people hold as pictures, as arrays: the one place that knows what the things of other libraries mean.

Nothing is imported for it. A PIL image can only be given where PIL was imported by somebody else, and everything else
is known by what it offers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.colours import lab_of, lab_to_srgb, like, orient
from imagemill.core.errors import CodecError, InputError

__all__ = ["Given", "is_pil", "pil_pixels", "read_given", "several"]

Array = np.ndarray[Any, Any]

_ORIENTATION = 0x0112
_INKS = ("CMYK", "YCbCr", "HSV", "RGBX")
_STRAIGHT = {"La": "LA", "RGBa": "RGBA"}


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """An array in native byte order, and what its holder says of its axes and its place; None where it does not."""

    array: Array
    axes: str | None = None
    spacing: tuple[float, ...] | None = None
    affine: npt.NDArray[np.float64] | None = None


def read_given(value: Any, kind: str) -> Given:
    """Make an array of whatever was given as an image or a mask.

    Taken are arrays and all that numpy makes arrays of (tensors, memory maps, nested lists of numbers), in any byte
    order; PIL images of any mode, turned upright; what `read_picture` gives; and images of nibabel.

    Parameters
    ----------
    value : object
    kind : {"image", "mask"}
        An image becomes what it shows: a palette its colours, CMYK RGB, single bits 0 and 255. A mask keeps its labels:
        the indices of a palette, single bits as 0 and 1.

    Raises
    ------
    InputError
        When it is none of these; the message says what to write.
    CodecError
        When a PIL image that was not loaded yet turns out to be damaged.

    Examples
    --------
    >>> read_given(np.array([[1, 2]], ">i2"), "image").array.dtype
    dtype('int16')
    >>> read_given("cat.jpg", "image")
    Traceback (most recent call last):
    imagemill.core.errors.InputError: expected the image as an array, got the text 'cat.jpg'; if it is a file, read ...
    """
    if isinstance(value, np.ndarray):
        return Given(_native(value, kind))
    _refuse(value, kind)
    if is_pil(value):
        array = _upright(value, _pil_array(value, kind))
        return Given(array, "yx" if array.ndim == 2 else "yxc")
    if isinstance(getattr(value, "axes", None), str) and isinstance(getattr(value, "array", None), np.ndarray):
        return Given(_native(value.array, kind), value.axes, getattr(value, "spacing", None), value.affine)
    if hasattr(value, "dataobj") and hasattr(value, "affine"):
        return _nibabel(value, kind)
    return Given(_native(_as_array(value, kind), kind))


def several(values: Any, name: str) -> Any:
    """Check that a column holds one value per sample; an array in native byte order where it is one.

    Parameters
    ----------
    values : object
        A sequence, an array ``[n, ...]``, or anything with a length and items by number.
    name : str

    Raises
    ------
    InputError

    Examples
    --------
    >>> several({}, "image")
    Traceback (most recent call last):
    imagemill.core.errors.InputError: expected image as a sequence with one value per sample, got dict; write ...
    """
    if isinstance(values, np.ndarray):
        return _native(values, name) if values.dtype != object else values
    if isinstance(values, list | tuple):
        return values
    if _is_dataset(values):
        do = "imagemill.Loader(dataset, pipeline, batch_size=32) gives batches of it"
        raise InputError(
            f"expected {name} as a sequence with one value per sample, got a {type(values).__name__}; {do}"
        )
    by_number = hasattr(values, "__len__") and hasattr(values, "__getitem__")
    one = isinstance(values, str | bytes | os.PathLike) or is_pil(values) or hasattr(values, "affine")
    if not by_number or one or isinstance(values, Mapping):
        do = f"write [{name}] for one, list(...) for an iterator"
        if isinstance(values, str | os.PathLike):
            do = f"open files as a dataset: imagemill.Loader({os.fspath(values)!r}, pipeline, batch_size=32)"
        got = type(values).__name__
        raise InputError(f"expected {name} as a sequence with one value per sample, got {got}; {do}")
    return _native(_as_array(values, name), name) if hasattr(values, "__array__") else values


def _refuse(value: Any, kind: str) -> None:
    """Say what to write for things that are no pixels, though numpy would make an array of some."""
    read = "imagemill.read_picture" if kind == "image" else "imagemill.read_mask"
    expected = f"expected the {kind} as an array"
    if value is None:
        raise InputError(f"{expected}, got None; cv2.imread gives None for a file that it cannot read: check the path")
    if isinstance(value, str | os.PathLike):
        named = os.fspath(value)
        if any(letter in str(named) for letter in "*?["):
            do = f"open them: imagemill.open({named!r}) is a dataset, for imagemill.Loader"
            raise InputError(f"{expected}, got a pattern of files, {named!r}; {do}")
        what = "text" if isinstance(value, str) else "path"
        raise InputError(f"{expected}, got the {what} {named!r}; if it is a file, read it first: {read}({named!r})")
    if isinstance(value, bytes | bytearray):
        do = "decode them first: PIL.Image.open(io.BytesIO(data)), or write them to a file and read that"
        raise InputError(f"{expected}, got {len(value):,} bytes; {do}")
    if hasattr(value, "image") and hasattr(value, "key") and hasattr(value, "split"):
        do = f"read its pixels: {read}(record.image)"
        raise InputError(f"{expected}, got a {type(value).__name__}, which says where they are; {do}")
    if _is_dataset(value):
        do = "imagemill.Loader(dataset, pipeline, batch_size=32) gives batches; dataset[0] is one sample"
        raise InputError(f"{expected}, got a {type(value).__name__} of {len(value):,} images; {do}")
    if hasattr(value, "targets") and hasattr(value, "recipe"):
        do = "write pipeline(**sample.targets, key=sample.recipe.key)"
        raise InputError(f"{expected}, got a {type(value).__name__}; {do}")
    if isinstance(value, Mapping | set | frozenset):
        do = f"pass its values by name: pipeline({kind}=..., label=...)"
        raise InputError(f"{expected}, got a {type(value).__name__}; {do}")


def _is_dataset(value: Any) -> bool:
    return hasattr(value, "table") and hasattr(value, "backings")


def _as_array(value: Any, kind: str) -> Array:
    """An array of whatever says that it is one, or holds numbers."""
    held, listed = type(value).__name__, isinstance(value, list | tuple)
    if listed and value and not isinstance(value[0], list | tuple | int | float | np.number):
        things, do = "things", "pass several to pipeline.batch(images), or take one: value[0]"
        if all(isinstance(one, str | os.PathLike) for one in value):
            things, do = "paths", "imagemill.Loader(imagemill.open(paths), pipeline, batch_size=32) reads them"
        raise InputError(f"expected the {kind} as an array, got a {held} of {len(value)} {things}; {do}")
    try:
        array = np.asarray(value)
    except Exception as error:  # tensors that need gradients or are on a device, ragged lists: each in its own way
        do = "make one with numpy.asarray"
        if hasattr(value, "detach"):
            wide = ".float()" if "bfloat16" in str(getattr(value, "dtype", "")) else ""
            do = f"write {kind}.detach().cpu(){wide}.numpy()"
        got = f"a {held} that is none ({error})"
        raise InputError(f"expected the {kind} as an array, got {got}; {do}") from error
    if array.dtype.kind in "OUSV":
        raise InputError(f"expected the {kind} as an array, got a {held}; make an array of numbers with numpy")
    if kind == "image" and listed and array.dtype.kind in "iu":
        do = "say which they are: numpy.array(values, numpy.uint8)"
        raise InputError(f"expected the image as an array, got a {held} of whole numbers; {do}")
    return array


def _native(array: Array, kind: str) -> Array:
    """A plain array in this machine's byte order; a view where it is one already."""
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        do = "write array.filled(0), or pass the hidden places as a mask of their own"
        raise InputError(f"expected the {kind} without hidden values, got a masked array; {do}")
    array = np.asarray(array)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _nibabel(value: Any, kind: str) -> Given:
    """A volume as nibabel holds it: first axis to the right, last axis up or through time."""
    array = _native(np.asanyarray(value.dataobj), kind)
    if array.ndim not in (3, 4):
        raise InputError(f"expected a volume of 3 axes, or 4 with channels, got shape {array.shape}; take one apart")
    affine = np.asarray(value.affine, np.float64)[:, [2, 1, 0, 3]]
    return Given(array, "xyzc"[: array.ndim], None, affine)


# ------------------------------------------------------------------------------------------------ PIL


def is_pil(value: Any) -> bool:
    """Whether something is an image of PIL, which is not imported for that."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def pil_pixels(image: Any, *, labels: bool = False) -> Array:
    """Decode a PIL image into gray, gray with alpha, RGB or RGBA; into its labels when they are wanted.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any mode. The size of its file is not checked here.
    labels : bool
        Whether palette indices and single bits are wanted instead of colours.

    Returns
    -------
    array ``(y, x)`` or ``(y, x, c)``
        uint8, uint16 for ``I;16``, int32 for ``I``, float32 for ``F``. Straight alpha.
    """
    mode = image.mode
    if mode == "1":
        return np.asarray(image).astype(np.uint8) * np.uint8(1 if labels else 255)
    if mode in ("P", "PA"):
        if labels:
            return np.asarray(image.getchannel(0) if mode == "PA" else image)
        return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    if mode in ("L", "RGB"):
        clear = image.has_transparency_data and not labels
        return np.asarray(image.convert("LA" if mode == "L" else "RGBA") if clear else image)
    if mode in ("LA", "RGBA", "I", "F") or mode.startswith("I;16"):
        array = np.asarray(image)
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if mode in _STRAIGHT:
        return np.asarray(image.convert(_STRAIGHT[mode]))
    if mode == "LAB":
        return like(lab_to_srgb(lab_of(np.asarray(image), signed=True)) * 255, np.dtype(np.uint8))
    if mode in _INKS:
        return np.asarray(image.convert("RGB"))
    raise InputError(f"expected a PIL image of a known mode, got {mode!r}; write image.convert('RGB')")


def _pil_array(image: Any, kind: str) -> Array:
    try:
        array = pil_pixels(image, labels=kind == "mask")
    except (InputError, MemoryError):
        raise
    except Exception as error:  # files are decoded only now, and damaged ones fail in many ways
        name = getattr(image, "filename", "") or "PIL image"
        got = f"{str(error) or type(error).__name__}; get the file again from where it came from"
        raise CodecError(f"{name}: expected a whole, undamaged image, got {got}") from error
    if kind == "mask" and array.ndim == 3 and image.mode in ("LA", "La"):
        if np.any(array[..., 1] != array[0, 0, 1]):
            raise InputError("expected a mask of labels, got alpha that varies; take a channel: mask.getchannel(0)")
        array = array[..., 0]
    return array


def _upright(image: Any, array: Array) -> Array:
    """The pixels as the picture is seen, where its EXIF block asks for a turn."""
    try:
        orientation = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a damaged block asks for nothing; the pixels are whole
        return array
    return orient(array, orientation) if orientation in range(2, 9) else array
