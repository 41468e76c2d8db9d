"""Pictures in files, as Pillow images and as arrays.

Source: the behaviour of ``keras.utils`` (Keras 3.15); ``list_pictures`` and ``validate_filename`` of
Keras-Preprocessing 1.1.2.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from imagemill.compat.keras.defaults import (
    FORMATS,
    ArgumentTypeError,
    Array,
    data_format_or_default,
    dtype_or_default,
)
from imagemill.core.errors import CodecError, InputError, ParameterError
from imagemill.data.atomic import atomic_path

__all__ = [
    "INTERPOLATIONS",
    "array_to_img",
    "crop_box",
    "img_to_array",
    "list_pictures",
    "load_img",
    "save_img",
    "validate_filename",
]

INTERPOLATIONS = {
    "nearest": PillowImage.Resampling.NEAREST,
    "bilinear": PillowImage.Resampling.BILINEAR,
    "bicubic": PillowImage.Resampling.BICUBIC,
    "hamming": PillowImage.Resampling.HAMMING,
    "box": PillowImage.Resampling.BOX,
    "lanczos": PillowImage.Resampling.LANCZOS,
}
_DEEP_GRAY = ("L", "I;16", "I")


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
    *,
    upright: bool = False,
) -> PillowImage.Image:
    """Read a picture as a Pillow image.

    Parameters
    ----------
    path : str, bytes, Path or BytesIO
    color_mode : {"rgb", "rgba", "grayscale"}
        Grayscale keeps 16 and 32 bits where the file has them; the others cut at 255, and warn.
    target_size : pair of int, optional
        Height and width to resize to.
    interpolation : {"nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"}
    keep_aspect_ratio : bool
        Cut the middle out to the target's proportions before resizing.
    upright : bool
        Turn the picture as its EXIF orientation says.

    Raises
    ------
    CodecError
        When the file cannot be read as a picture.
    ParameterError
        For an unknown colour mode or interpolation.

    Examples
    --------
    >>> buffer = io.BytesIO()
    >>> PillowImage.new("RGB", (6, 4)).save(buffer, "png")
    >>> load_img(buffer, color_mode="grayscale", target_size=(2, 3)).size
    (3, 2)
    """
    if color_mode not in ("grayscale", "rgb", "rgba"):
        raise ParameterError(f"Invalid color mode: {color_mode!r}; expected 'grayscale', 'rgb' or 'rgba'")
    image = _opened(path)
    try:
        image = ImageOps.exif_transpose(image) if upright else image
        image = _in_mode(image, color_mode)
        if target_size is not None:
            image = _resized(image, target_size, interpolation, keep_aspect_ratio)
        else:
            image.load()
    except (OSError, SyntaxError, ValueError, PillowImage.DecompressionBombError) as error:
        if isinstance(error, ParameterError):
            raise
        raise _unreadable(path, error) from error
    return image


def _opened(path: Any) -> PillowImage.Image:
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not isinstance(path, str | Path | io.BytesIO):
        raise ArgumentTypeError(f"expected a path or a BytesIO, got {type(path).__name__}")
    try:
        # Read at once, so that no file stays open behind a picture that is never loaded.
        data = path if isinstance(path, io.BytesIO) else io.BytesIO(Path(path).read_bytes())
        return PillowImage.open(data)
    except (OSError, ValueError, SyntaxError, PillowImage.DecompressionBombError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Any, error: Exception) -> CodecError:
    name = "the buffer" if isinstance(path, io.BytesIO) else os.fspath(path)
    return CodecError(f"expected a picture that Pillow can read whole at {name}, got: {error}; replace or leave it out")


def _in_mode(image: PillowImage.Image, color_mode: str) -> PillowImage.Image:
    if color_mode == "grayscale":
        if image.mode in ("I;16B", "I;16L", "I;16N"):
            # By way of numbers: a conversion to "L" would cut everything above 255.
            return PillowImage.fromarray(np.asarray(image).astype(np.int32))
        return image if image.mode in _DEEP_GRAY else image.convert("L")
    mode = color_mode.upper()
    if image.mode.startswith("I") and np.asarray(image).max(initial=0) > 255:
        # One text for all files, so that it is said once.
        warnings.warn(
            f"a picture of 16 bits read as {color_mode!r}: everything above 255 becomes white, as in Keras; "
            "color_mode='grayscale' keeps the values",
            stacklevel=3,
        )
    return image if image.mode == mode else image.convert(mode)


def crop_box(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int, int, int]:
    """The middle of a picture with the proportions of a target: left, top, right, bottom.

    Parameters
    ----------
    size, target : pair of int
        Width and height.

    Examples
    --------
    >>> crop_box((400, 300), (100, 100))
    (50, 0, 350, 300)
    """
    width, height = size
    wide, high = target
    crop_high = min(height, width * high // wide)
    crop_wide = min(width, height * wide // high)
    left, top = (width - crop_wide) // 2, (height - crop_high) // 2
    return left, top, left + crop_wide, top + crop_high


def _resized(
    image: PillowImage.Image, target_size: tuple[int, int], interpolation: str, keep_aspect_ratio: bool
) -> PillowImage.Image:
    size = int(target_size[1]), int(target_size[0])
    if image.size == size:
        image.load()
        return image
    if interpolation not in INTERPOLATIONS:
        raise ParameterError(f"expected interpolation to be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}")
    box = crop_box(image.size, size) if keep_aspect_ratio else None
    if box is not None and (box[0] >= box[2] or box[1] >= box[3]):
        raise ParameterError(f"expected a picture that can be cut to {target_size}, got one of {image.size[::-1]}")
    return image.resize(size, INTERPOLATIONS[interpolation], box=box)


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> Array:
    """A Pillow image as an array with channels, floating point from 0 to 255.

    Parameters
    ----------
    img : Pillow image or array of rank 2 or 3
    data_format : {"channels_last", "channels_first"}, optional
    dtype : dtype, optional
        float32 where Keras is not set otherwise.

    Examples
    --------
    >>> img_to_array(PillowImage.new("L", (6, 4)), "channels_first").shape
    (1, 4, 6)
    """
    order = data_format_or_default(data_format)
    x = np.asarray(img, dtype=dtype_or_default(dtype))
    if x.ndim == 2:
        return x[None] if order == "channels_first" else x[..., None]
    if x.ndim != 3:
        raise InputError(f"expected a picture of rank 2 or 3, got shape {x.shape}")
    return np.moveaxis(x, -1, 0) if order == "channels_first" else x


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> PillowImage.Image:
    """An array with 1, 3 or 4 channels as a Pillow image.

    Parameters
    ----------
    x : array, rank 3
    data_format : {"channels_last", "channels_first"}, optional
    scale : bool
        Stretch the values to 0..255; otherwise they are cut to whole numbers.
    dtype : dtype, optional
        To compute with.

    Examples
    --------
    >>> array_to_img(np.zeros((4, 6, 3)), "channels_last").size
    (6, 4)
    """
    order = data_format_or_default(data_format)
    x = np.asarray(x, dtype=dtype_or_default(dtype))
    if x.ndim != 3:
        raise InputError(f"Expected image array to have rank 3, one picture with channels, got shape {x.shape}")
    x = np.moveaxis(x, 0, -1) if order == "channels_first" else x
    if x.shape[2] not in (1, 3, 4):
        raise InputError(f"Unsupported channel number: {x.shape[2]}, not 1, 3 or 4; is data_format {order!r} meant?")
    if scale:
        x = x - x.min()
        top = x.max()
        x = (x / top if top != 0 else x) * 255
    if x.shape[2] == 1:
        # Deep gray needs more than 8 bits.
        return PillowImage.fromarray(x[..., 0].astype(np.int32 if x.max() > 255 else np.uint8))
    return PillowImage.fromarray(np.ascontiguousarray(x.astype(np.uint8)))


def save_img(
    path: str | Path | IO[bytes],
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as a picture; a file is there whole or not at all.

    Parameters
    ----------
    path : str, Path or binary file
    x : array, rank 3
    data_format : {"channels_last", "channels_first"}, optional
    file_format : str, optional
        Of the ending where it is left out.
    scale : bool
        Stretch the values to 0..255.
    **kwargs
        For ``PIL.Image.Image.save``.

    Warns
    -----
    UserWarning
        When alpha is dropped for JPEG.
    """
    if file_format is None and isinstance(path, str | Path):
        file_format = Path(path).suffix[1:]
    file_format = "jpeg" if file_format and file_format.lower() == "jpg" else file_format
    image = array_to_img(x, data_format=data_format, scale=scale)
    if image.mode == "RGBA" and (file_format or "").lower() == "jpeg":
        warnings.warn("JPEG has no alpha channel: the picture is written as RGB", stacklevel=2)
        image = image.convert("RGB")
    try:
        if not isinstance(path, str | Path):
            image.save(path, format=file_format, **kwargs)
            return
        with atomic_path(Path(path)) as part:
            image.save(part, format=file_format, **kwargs)
    except (KeyError, ValueError, OSError) as error:
        raise CodecError(f"expected to write {path} as {file_format!r}, got: {error}; choose another format") from error


def list_pictures(directory: str | Path, ext: str | tuple[str, ...] = FORMATS) -> list[str]:
    """Paths of all pictures in a folder and the folders within, in a fixed order.

    Parameters
    ----------
    directory : str or Path
    ext : str or tuple of str
        Endings without the dot.
    """
    endings = tuple(f".{e}" for e in ((ext,) if isinstance(ext, str) else ext))
    found = [os.path.join(root, name) for root, _, names in os.walk(directory) for name in names]
    return sorted(path for path in found if path.lower().endswith(endings))


def validate_filename(filename: str | Path, white_list_formats: Iterable[str]) -> bool:
    """Whether a file is there and its name ends as a picture's does.

    Examples
    --------
    >>> validate_filename("missing.png", ("png", "jpg"))
    False
    """
    return str(filename).lower().endswith(tuple(white_list_formats)) and os.path.isfile(filename)
