"""What a decoded picture is, and what a codec has to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from types import MappingProxyType
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from imagemill.core.colours import Channels
from imagemill.core.errors import CodecError, InputError
from imagemill.core.short_repr import ShortRepr

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "Channels",
    "Codec",
    "Picture",
    "ReadOptions",
    "check_pixels",
    "check_plain",
    "not_plain",
    "problem",
]

MAX_PIXELS = 200_000_000
"""Largest picture that is decoded unless asked otherwise, in pixels, voxels or voxels times time points."""

MAX_BYTES = 1 << 32
"""Largest encoded file that is opened unless asked otherwise, in bytes."""

Array = np.ndarray[Any, Any]
AXES = ("yx", "yxc", "zyx", "zyxc")


def problem(path: Path | str, expected: str, got: str, do: str) -> CodecError:
    """Make the error that names the file, what was expected, what came and what to do."""
    return CodecError(f"{path}: expected {expected}, got {got}; {do}")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Picture(ShortRepr):
    """Pixels, the names of their axes, and where they are in the world.

    Parameters
    ----------
    array : numpy.ndarray
        The pixels, channels last, in the file's own dtype and native byte order.
    axes : str
        One of ``"yx"``, ``"yxc"``, ``"zyx"``, ``"zyxc"``: one letter per axis of `array`.
    affine : numpy.ndarray or None
        The affine ``(d+1, d+1)``, index to world, in float64 over the spatial axes in array order; the world is
        RAS+ (x, y, z) in millimetres. None for photos.
    meta : mapping
        What the file said: ``format``, ``mode``, ``bit_depth``, ``exif_orientation`` (already applied to the
        pixels, unless ``exif_applied`` is False), ``full_size`` (height and width before a reduced decoding),
        ``nifti`` (codes, units, zooms, intent), ``placed`` (whether a volume's file says where it lies; where it does
        not, `affine` is made of voxel sizes).
    note : str
        How the axes were decided, in words.

    Raises
    ------
    InputError
        When axes, array and matrix do not fit together.

    Examples
    --------
    >>> picture = Picture(np.zeros((4, 6, 3), np.uint8), "yxc")
    >>> picture.channels, picture.spatial_shape
    (3, (4, 6))
    """

    array: Array
    axes: str
    affine: npt.NDArray[np.float64] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        if self.axes not in AXES or len(self.axes) != self.array.ndim:
            msg = f"expected axes of {AXES} with one letter per axis, got {self.axes!r} for shape"
            raise InputError(f"{msg} {self.array.shape}; name every axis, channels last")
        side = len(self.axes.removesuffix("c")) + 1
        if self.affine is not None and self.affine.shape != (side, side):
            msg = f"expected an affine of shape {(side, side)} for axes {self.axes!r}"
            raise InputError(f"{msg}, got {self.affine.shape}; give a homogeneous matrix from index to world")

    @property
    def channels(self) -> int | None:
        """Number of channels, or None without a channel axis."""
        return int(self.array.shape[-1]) if self.axes.endswith("c") else None

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """Distance between pixel centres along each spatial axis in millimetres; None for photos.

        This is the length of the columns of `affine`, except where a file's header gives other voxel sizes
        (``meta["nifti"]["zoom_ratio"]``): those were measured, while a matrix may be a tool's default.
        """
        if self.affine is None:
            return None
        side = self.affine.shape[0] - 1
        lengths = np.linalg.norm(self.affine[:side, :side], axis=0)
        ratio = self.meta.get("nifti", {}).get("zoom_ratio", ())
        if len(ratio) != side:
            ratio = (1.0,) * side
        return tuple(float(length * factor) for length, factor in zip(lengths, ratio, strict=True))

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Lengths of the axes that are places."""
        shape: tuple[int, ...] = self.array.shape
        return shape[:-1] if self.axes.endswith("c") else shape


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is to be read.

    Parameters
    ----------
    channels : str
        ``"keep"``, ``"gray"``, ``"rgb"`` or ``"rgba"``.
    axes : str or None
        Names of the stored axes, where the file does not say them; None lets the file or the rank decide.
    max_pixels : int
        Refuse larger pictures before decoding.
    labels : bool
        Read a label map: palette indices and small integers as they are stored, not as colours.
    background : tuple of float or None
        Colour (in the picture's own value range) to lay under transparent pixels when alpha goes; None drops
        alpha and keeps the colours as stored.
    exif : bool
        Whether pixels are turned the way EXIF asks for; without, they come as they are stored.
    icc : str
        ``"ignore"`` embedded colour profiles, as training code does, or convert 8-bit colours to ``"srgb"``.
    at_least : tuple of int, int or None
        Height and width that are enough, or the longer side alone: JPEG is then decoded at so many eighths of its size
        as that takes. Other formats pay no heed.
    rows : int or None
        So many rows from the top are enough: the others of a JPEG may be left black, as long as no EXIF turns it.
        Other formats pay no heed.
    max_bytes : int
        Refuse larger files before reading them.
    fast : bool
        Decode JPEG with the quicker inverse transform and without smoothing the chroma: a few per cent of the time
        less, for values that are off by a few levels at colour edges.
    """

    channels: Channels = "keep"
    axes: str | None = None
    max_pixels: int = MAX_PIXELS
    labels: bool = False
    background: tuple[float, ...] | None = None
    exif: bool = True
    icc: Literal["ignore", "srgb"] = "ignore"
    at_least: tuple[int, int] | int | None = None
    rows: int | None = None
    max_bytes: int = MAX_BYTES
    fast: bool = False


class Codec(Protocol):
    """One family of file formats; what derives from it need say no more than `name`, `suffixes` and `read`.

    A codec holds no state, and is called from many threads at once. Whatever its methods raise, users see a
    `CodecError` that names the file.
    """

    name: str
    """For reports and errors, such as ``"nifti"``; one of its own."""
    suffixes: tuple[str, ...]
    """Suffixes of its files in lower case, such as ``(".qoi",)``."""
    writes: tuple[str, ...] = ()
    """Those of them that `encode` can write."""
    remarks: Mapping[str, str] = MappingProxyType({})
    """What there is to know of a suffix, for the table of formats."""
    needs: Mapping[str, tuple[str, str]] = MappingProxyType({})
    """By suffix the module that reads it where that is optional, and the extra of imagemill that brings it."""

    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        """Decode a file, or its content where `data` is given; CodecError when it cannot be done whole.

        A file that promises more than ``options.max_pixels`` is refused before memory is taken for it.
        """
        ...

    def recognises(self, start: bytes) -> bool:
        """Whether a file whose first 4096 bytes are these is of this format, whatever its suffix."""
        return False

    def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
        """Height and width as they are stored (of volumes those of a slice), and the orientation of EXIF, 1 to 8.

        Formats that say it in a header read no more than that; here the whole file is decoded.
        """
        picture = self.read(path, ReadOptions(exif=False), data)
        height, width = picture.spatial_shape[-2:]
        return (height, width), 1

    def can_write(self, picture: Picture, suffix: str) -> str | None:
        """Say why this format cannot hold the picture, or None when it can."""
        return f"{suffix} is read only; choose .png"

    def encode(self, picture: Picture, suffix: str) -> bytes:
        """Encode a picture that `can_write` accepts; equal pictures give equal bytes."""
        raise CodecError(f"expected a format that is written, got {suffix}; choose .png")


def check_pixels(path: Path, shape: tuple[int, ...], limit: int) -> None:
    """Refuse a picture that would fill the memory, before it is decoded."""
    count = 1
    for length in shape:
        count *= int(length)
    if count > limit:
        size = " x ".join(str(int(n)) for n in shape)
        raise problem(
            path,
            f"at most {limit:,} pixels",
            f"{size} = {count:,}",
            "pass a larger max_pixels if the file is meant to be that large",
        )


def check_plain(path: Path) -> None:
    """Refuse pipes, sockets and devices, also behind a link: reading one may never end.

    Raises
    ------
    CodecError
    """
    try:
        plain = S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return  # nothing there; whoever opens it says so
    if not plain:
        raise not_plain(path)


def not_plain(path: Path) -> CodecError:
    """The error for what `check_plain` refuses."""
    return problem(path, "a file", "a pipe, socket or device", "leave it out, or copy what it gives into a file")


def native(array: Array) -> Array:
    """Bring an array into native byte order and C order."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
