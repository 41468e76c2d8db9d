"""The door to all codecs: the suffix picks one, the content has the last word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from imagemill.core.errors import CodecError, InputError
from imagemill.data.atomic import atomic_path, writing
from imagemill.data.codecs.base import MAX_PIXELS, Channels, Codec, Picture, ReadOptions, check_plain, problem
from imagemill.data.codecs.channels import convert
from imagemill.data.codecs.error_guard import Guarded, guarded
from imagemill.data.codecs.label_values import label_map
from imagemill.data.codecs.npy import NpyCodec
from imagemill.data.codecs.photos.jpeg import read_jpeg
from imagemill.data.codecs.photos.jpeg_header import JpegHeader
from imagemill.data.codecs.photos.photo import KIND_OF, PhotoCodec
from imagemill.data.codecs.sniff import FOREIGN, HEAD, head, sniff
from imagemill.data.codecs.tiff.tiff import TiffCodec
from imagemill.data.codecs.unsupported import RAW, unread
from imagemill.data.codecs.volumes.dicom import DicomCodec
from imagemill.data.codecs.volumes.metaimage import MetaImageCodec
from imagemill.data.codecs.volumes.nifti import NiftiCodec
from imagemill.data.codecs.volumes.nrrd import NrrdCodec
from imagemill.data.records.record import Blob, Pixels, Stored, split_suffix

__all__ = ["Format", "decode", "encode", "formats", "is_readable_name", "read_mask", "read_picture", "write_picture"]

_UNGUARDED: tuple[Codec, ...] = (
    PhotoCodec(),
    TiffCodec(),
    NiftiCodec(),
    MetaImageCodec(),
    NrrdCodec(),
    NpyCodec(),
    DicomCodec(),
)
_CODECS: tuple[Codec, ...] = tuple(Guarded(codec) for codec in _UNGUARDED)
_BY_SUFFIX = {suffix: codec for codec in _CODECS for suffix in codec.suffixes}
_BY_KIND = {codec.name: codec for codec in _CODECS} | dict.fromkeys(KIND_OF.values(), _CODECS[0])
_NEEDS: dict[str, tuple[str | None, str | None]] = {
    "tiff": ("tifffile", "tiff"),
    "nifti": ("nibabel", "medical"),
    "dicom": ("pydicom", "medical"),
    "heif": ("pi_heif", "heif"),
}
_REMARKS = {
    ".jpg": "8 bit; CMYK read as RGB; written at quality 95, 4:4:4",
    ".png": "1, 8 and 16 bit; lossless",
    ".webp": "8 bit; written lossless",
    ".gif": "first frame; written gray only",
    ".bmp": "8 bit",
    ".jfif": "JPEG; of several pictures in an .mpo the first",
    ".pbm": "Netpbm: 1 to 16 bit, and PFM's floats; white is what the file says",
    ".jp2": "JPEG 2000; 16-bit colour and signed values need the extra tiff",
    ".avif": "8 bit; more bits are read as 8",
    ".tga": "8 bit, gray, palette or colour, with runs or without",
    ".dib": "a BMP, with or without the header of a file",
    ".heic": "photos of phones; 8 bit",
    ".mha": "volumes and pictures with their place",
    ".mhd": "a header with its voxels in another file",
    ".nrrd": "volumes and pictures with their place",
    ".nhdr": "a header with its voxels in another file",
    ".tif": "any dtype, channels and pages; inks, YCbCr and LAB read as RGB; written deflated",
    ".nii": "volumes with their affine; also NIfTI-2",
    ".mgz": "FreeSurfer volumes",
    ".npy": "plain numbers, no pickles",
    ".dcm": "one file; a series is a source",
}


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table of formats.

    Parameters
    ----------
    suffix : str
        Such as ``".nii.gz"``.
    reads, writes : bool
        What the library can do with it.
    package : str or None
        The optional package it needs.
    extra : str or None
        The extra that installs the package.
    available : bool
        Whether the package is there.
    remark : str
        What to know about it.
    """

    suffix: str
    reads: bool
    writes: bool
    package: str | None
    extra: str | None
    available: bool
    remark: str


def formats() -> list[Format]:
    """List every format, what can be done with it here, and what it needs.

    Examples
    --------
    >>> [row.suffix for row in formats() if row.writes]
    ['.jpg', '.jpeg', '.png', '.webp', '.bmp', '.gif', '.tif', '.tiff', '.nii', '.nii.gz', '.mha', '.nrrd', '.npy']
    """
    rows = []
    for suffix, codec in _BY_SUFFIX.items():
        package, extra = _NEEDS.get(KIND_OF.get(suffix, ""), _NEEDS.get(codec.name, (None, None)))
        available = package is None or find_spec(package) is not None
        remark = _REMARKS.get(suffix, "")
        rows.append(Format(suffix, True, suffix in codec.writes, package, extra, available, remark))
    return rows


def is_readable_name(path: Path | str) -> bool:
    """Whether a file's suffix is one that can be read.

    Examples
    --------
    >>> is_readable_name("a/b.NII.GZ"), is_readable_name("Info.cfg")
    (True, False)
    """
    return split_suffix(path)[1].lower() in _BY_SUFFIX


@guarded("a readable image or volume")
def read_picture(
    path: Pixels | str,
    channels: Channels = "keep",
    axes: str | None = None,
    *,
    max_pixels: int = MAX_PIXELS,
    background: tuple[float, ...] | None = None,
    exif: bool = True,
    icc: Literal["ignore", "srgb"] = "ignore",
    at_least: tuple[int, int] | None = None,
) -> Picture:
    """Read one image or volume.

    Parameters
    ----------
    path : Path or str
        The file. Its suffix says the format; where the content says otherwise, the content is believed and
        the note says so. Or what a record has for its image: a member of an archive or table, or an array.
    channels : str
        ``"keep"`` (as stored; ink and palette colours become RGB), ``"gray"``, ``"rgb"`` or ``"rgba"``.
    axes : str or None
        Names of the stored axes for formats that do not say them, such as ``"cyx"``.
    max_pixels : int
        Refuse larger pictures before decoding them.
    background : tuple of float or None
        Colour to lay under transparent pixels when alpha is taken away; None drops alpha.
    exif : bool
        Whether pixels are turned the way EXIF asks for.
    icc : str
        ``"ignore"`` embedded colour profiles, or convert 8-bit colours to ``"srgb"``.
    at_least : tuple of int or None
        Height and width that are enough: JPEG is decoded at a half, a quarter or an eighth where it stays as large.

    Returns
    -------
    Picture
        Pixels with EXIF orientation applied (unless `exif` is off), channels last, native byte order.

    Raises
    ------
    CodecError
        When the file is missing, empty, cut off, damaged, too large or of another kind.
    MissingExtra
        When the format needs a package that is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.png"
    ...     write_picture(file, Picture(np.full((4, 6), 7, np.uint8), "yx"))
    ...     read_picture(file, "rgb").array.shape
    (4, 6, 3)
    """
    options = ReadOptions(
        channels, axes, max_pixels, labels=False, background=background, exif=exif, icc=icc, at_least=at_least
    )
    if isinstance(path, Blob | Stored):
        from imagemill.data.records.loading import load_picture  # which reads files by this module

        return load_picture(path, options)
    file = Path(path)
    return convert(file, decode(file, options), options)


@guarded("a readable label map")
def read_mask(path: Pixels | str, axes: str | None = None, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a label map: one channel of integers, as they are stored.

    Palette pictures give their indices, single bits give 0 and 1, small depths give their counts, whole
    numbers stored as floats become integers, and colour whose channels are equal becomes one channel.

    Parameters
    ----------
    path : Path or str
        The file, or what a record has for its mask.
    axes : str or None
        Names of the stored axes for formats that do not say them.
    max_pixels : int
        Refuse larger pictures before decoding them.

    Returns
    -------
    Picture
        Axes ``"yx"`` or ``"zyx"``, an integer dtype.

    Raises
    ------
    CodecError
        As `read_picture`, and when the values are not whole numbers or the channels differ.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "labels.npy"
    ...     write_picture(file, Picture(np.array([[0.0, 2.0]]), "yx"))
    ...     read_mask(file).array
    array([[0, 2]], dtype=uint8)
    """
    options = ReadOptions(axes=axes, max_pixels=max_pixels, labels=True)
    if isinstance(path, Blob | Stored):
        from imagemill.data.records.loading import load_mask

        return load_mask(path, options)
    file = Path(path)
    return label_map(file, decode(file, options))


@guarded("a readable image or volume")
def decode(path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
    """Choose the codec and read, turning what the system says into our own error.

    Channels are left as stored, and label maps as they come; `read_picture` and `read_mask` do the rest.

    Parameters
    ----------
    path : Path
        The file; with `data` only its name counts, for errors and for the suffix.
    options : ReadOptions
    data : bytes or None
        The content, where it is not a file of its own.

    Raises
    ------
    CodecError
    """
    if options.max_pixels < 1:
        msg = f"expected max_pixels of at least 1, got {options.max_pixels}; leave it out for the default"
        raise InputError(msg)
    if data is None and path.is_dir():
        raise problem(path, "a file", "a folder", "open folders as a source")
    if data is None:
        check_plain(path)
    size = path.stat().st_size if data is None else len(data)
    if size > options.max_bytes:
        do = "pass a larger max_bytes if the file is meant to be that large"
        raise problem(path, f"at most {options.max_bytes:,} bytes", f"{size:,}", do)
    start = head(path) if data is None else data[:HEAD]
    if not start:
        raise problem(path, "an image or volume", "an empty file", "get the file again")
    codec, note = _choose(path, start)
    if data is not None and split_suffix(path)[1].lower() not in _BY_SUFFIX:
        note = ""  # content within another file has no name of its own to be at odds with
    picture = codec.read(path, options, data)
    if picture.array.size == 0:
        raise problem(path, "pixels", f"an empty picture of shape {picture.array.shape}", "check what wrote it")
    return replace(picture, note=f"{note}; {picture.note}" if picture.note else note) if note else picture


@guarded("a whole, readable JPEG file")
def decode_jpeg(path: Path, data: bytes, options: ReadOptions, header: JpegHeader) -> Picture:
    """What `decode` does, for the content of a JPEG file whose header was read already.

    Raises
    ------
    CodecError
    """
    return read_jpeg(path, data, options, header)


def _choose(path: Path, start: bytes) -> tuple[Codec, str]:
    """Take the codec of the suffix, unless the content belongs to another."""
    suffix = split_suffix(path)[1].lower()
    by_name, kind = _BY_SUFFIX.get(suffix), sniff(start)
    if kind is not None and kind in FOREIGN:
        what, _, do = FOREIGN[kind].partition("; ")
        raise problem(path, "an image or volume", what, do)
    words = unread(path) if kind is None or suffix in RAW else ""
    if words:
        what, _, do = words.partition("; ")
        raise problem(path, "an image or volume of a format that is read", what, do)
    if kind is None:
        if by_name is None:
            known = " ".join(_BY_SUFFIX)
            raise problem(path, f"one of {known}", f"suffix {suffix!r}", "convert the file to one of these")
        return by_name, ""
    by_content = _BY_KIND[kind]
    named = KIND_OF.get(suffix)
    if by_content is by_name and (by_name.name != "photo" or named == kind or (named, kind) == ("dib", "bmp")):
        return by_content, ""
    if by_content.name == "dicom" and by_name is None:
        return by_content, ""  # most scanners write them without a suffix, or with a number for one
    return by_content, f"named {suffix or 'without suffix'}, read as {kind} by content"


def encode(picture: Picture, suffix: str) -> bytes:
    """The bytes of a file of that suffix.

    Raises
    ------
    CodecError
        When the format cannot hold the picture; the message says which can.
    """
    codec = _BY_SUFFIX[suffix]
    if (reason := codec.can_write(picture, suffix)) is not None:
        raise CodecError(reason)
    return codec.encode(picture, suffix)


@guarded("a file that can be written")
def write_picture(path: Path | str, picture: Picture) -> None:
    """Write one image or volume, whole or not at all.

    Parameters
    ----------
    path : Path or str
        The file; its suffix says the format. Missing folders are made, an existing file is replaced.
    picture : Picture
        Pixels upright; no orientation is written.

    Raises
    ------
    CodecError
        When the format cannot hold the picture; the message says which can.
    DiskError
        When the disk refuses it.

    Examples
    --------
    >>> import numpy as np
    >>> write_picture("volume.jpg", Picture(np.zeros((2, 3, 4), np.uint8), "zyx"))
    Traceback (most recent call last):
    imagemill.core.errors.CodecError: volume.jpg: JPEG holds no volumes; choose .nii.gz or .tiff
    """
    target = Path(path)
    suffix = split_suffix(target)[1].lower()
    codec = _BY_SUFFIX.get(suffix)
    if codec is None:
        writable = " ".join(name for name, found in _BY_SUFFIX.items() if name in found.writes)
        raise problem(target, f"one of {writable}", f"suffix {suffix!r}", "choose one of these")
    reason = codec.can_write(picture, suffix)
    if reason is not None:
        raise CodecError(f"{target}: {reason}")
    data = codec.encode(picture, suffix)
    with writing(target), atomic_path(target) as part:
        part.write_bytes(data)
