"""Read and write through the codec of a file: chosen by suffix, and corrected by the first bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeGuard

from imagemill.core.errors import CodecError, InputError
from imagemill.data.atomic import atomic_path, writing
from imagemill.data.codecs.base import (
    MAX_PIXELS,
    Channels,
    Codec,
    Picture,
    ReadOptions,
    check_pixels,
    check_plain,
    native,
    problem,
)
from imagemill.data.codecs.channels import convert
from imagemill.data.codecs.error_guard import Guarded, guarded
from imagemill.data.codecs.label_values import label_map
from imagemill.data.codecs.npy import NpyCodec
from imagemill.data.codecs.photos.headers import TGA
from imagemill.data.codecs.photos.jpeg import read_jpeg
from imagemill.data.codecs.photos.jpeg_header import JpegHeader
from imagemill.data.codecs.photos.photo import KIND_OF, PHOTOS, PhotoCodec
from imagemill.data.codecs.shelf import SHELF
from imagemill.data.codecs.sniff import FOREIGN, HEAD, head, sniff
from imagemill.data.codecs.tiff.tiff import TiffCodec
from imagemill.data.codecs.unsupported import RAW, unread
from imagemill.data.codecs.volumes.dicom import DicomCodec
from imagemill.data.codecs.volumes.metaimage import MetaImageCodec
from imagemill.data.codecs.volumes.nifti import NiftiCodec
from imagemill.data.codecs.volumes.nrrd import NrrdCodec
from imagemill.data.records.record import Blob, Pixels, Stored, split_suffix
from imagemill.data.remote.remote_path import as_path

__all__ = [
    "OWN",
    "Format",
    "codec_of",
    "decode",
    "encode",
    "formats",
    "is_readable_name",
    "read_mask",
    "read_picture",
    "register_codec",
    "write_encoded",
    "write_picture",
]

OWN: tuple[Codec, ...] = (
    PhotoCodec(),
    TiffCodec(),
    NiftiCodec(),
    MetaImageCodec(),
    NrrdCodec(),
    NpyCodec(),
    DicomCodec(),
)
"""The codecs of imagemill. All they are asked for is said by themselves; one more is one more here."""

SHELF.put_own(OWN, dict.fromkeys(PHOTOS, "photo"), FOREIGN)


def register_codec(codec: Codec) -> None:
    """Add a format to this process: its files are images from now on, read and, where it can, written.

    Registering a codec of the same name again replaces it. Packages add formats by entry points; see
    ``docs/how-to/write-a-codec.md``.

    Parameters
    ----------
    codec : Codec
        An object with what :class:`~imagemill.data.codecs.base.Codec` says; what derives from that has most of it.

    Raises
    ------
    InputError
        When something is missing, or its name or one of its suffixes is another codec's.

    Examples
    --------
    >>> class Txt(Codec):
    ...     name, suffixes = "numbers", (".numbers",)
    ...
    ...     def read(self, path, options, data=None):
    ...         import numpy as np
    ...
    ...         return Picture(np.loadtxt(path, np.uint8, ndmin=2), "yx")
    >>> register_codec(Txt())
    >>> is_readable_name("a.numbers")
    True
    >>> SHELF.drop("numbers")
    """
    SHELF.add(codec)


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
        What to know about it, or what is wrong with it.
    added_by : str
        The package that adds it; empty for imagemill's own, and what the program registers.
    """

    suffix: str
    reads: bool
    writes: bool
    package: str | None
    extra: str | None
    available: bool
    remark: str
    added_by: str = ""


def formats() -> list[Format]:
    """List every format, what can be done with it here, and what it needs.

    Examples
    --------
    >>> [row.suffix for row in formats() if row.writes]
    ['.jpg', '.jpeg', '.png', '.webp', '.bmp', '.gif', '.tif', '.tiff', '.nii', '.nii.gz', '.mha', '.nrrd', '.npy']
    """
    rows = []
    for one in SHELF:
        for suffix in one.suffixes:
            if one.codec is None:
                rows.append(
                    Format(
                        suffix,
                        reads=True,
                        writes=False,
                        package=None,
                        extra=None,
                        available=False,
                        remark=one.fault,
                        added_by=one.package,
                    )
                )
                continue
            package, extra = one.codec.needs.get(suffix, (None, None))
            available = package is None or find_spec(package) is not None
            written, remark = suffix in one.codec.writes, one.codec.remarks.get(suffix, "")
            rows.append(
                Format(
                    suffix,
                    reads=True,
                    writes=written,
                    package=package,
                    extra=extra,
                    available=available,
                    remark=remark,
                    added_by=one.package,
                )
            )
    return rows


def is_readable_name(path: Path | str) -> bool:
    """Whether a file's suffix is one that can be read.

    Examples
    --------
    >>> is_readable_name("a/b.NII.GZ"), is_readable_name("Info.cfg")
    (True, False)
    """
    return split_suffix(path)[1].lower() in SHELF.by_suffix()


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
    at_least: tuple[int, int] | int | None = None,
) -> Picture:
    """Read one image or volume.

    Parameters
    ----------
    path : Path or str
        The file. Its suffix says the format; where the content says otherwise, the content is believed and
        the note says so. Or what a record has for its image: a member of an archive or table, or an array.
    channels : str
        ``"keep"`` (as stored; CMYK and palette colours become RGB), ``"gray"``, ``"rgb"`` or ``"rgba"``.
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
    at_least : tuple of int, int or None
        Height and width that are enough, or the longer side alone: JPEG is decoded at so many eighths of its size as
        that takes.

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
    file = as_path(path)
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
    file = as_path(path)
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
        raise problem(path, "a file", "a folder", f"open it as a dataset: imagemill.open({str(path)!r})")
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
    if data is not None and not is_readable_name(path):
        note = ""  # content within another file has no name of its own to be at odds with
    picture = codec.read(path, options, data)
    if not _is_own(codec):
        check_pixels(path, picture.spatial_shape, options.max_pixels)
        picture = replace(picture, array=native(picture.array))
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


def _choose(path: Path, start: bytes) -> tuple[Guarded, str]:
    """Take the codec of the suffix, unless the content belongs to another."""
    suffix = split_suffix(path)[1].lower()
    by_name = _of_suffix(path, suffix)
    if _knows(by_name, start):
        return by_name, ""
    kind = sniff(start)
    by_content = None if kind is None else SHELF.of_kind(kind)
    if kind is not None and by_content is None:
        what, _, do = FOREIGN[kind].partition("; ")
        raise problem(path, "an image or volume", what, do)
    words = unread(path) if by_content is None or suffix in RAW else ""
    if words:
        what, _, do = words.partition("; ")
        raise problem(path, "an image or volume of a format that is read", what, do)
    if by_content is None:
        if by_name is None:
            known = " ".join(SHELF.by_suffix())
            raise problem(path, f"one of {known}", f"suffix {suffix!r}", "convert the file to one of these")
        return by_name, ""
    named = KIND_OF.get(suffix)
    if by_content is by_name and (by_name.name != "photo" or named == kind or (named, kind) == ("dib", "bmp")):
        return by_content, ""
    if by_content.name == "dicom" and by_name is None:
        return by_content, ""  # most scanners write them without a suffix, or with a number for one
    return by_content, f"named {suffix or 'without suffix'}, read as {kind} by content"


def _knows(codec: Guarded | None, start: bytes) -> TypeGuard[Guarded]:
    """Whether a codec from outside knows a file by name and content: it may be a kind of TIFF file, and is its own."""
    return codec is not None and not _is_own(codec) and codec.recognises(start)


def _is_own(codec: Guarded) -> bool:
    return any(codec.codec is one for one in OWN)


def _of_suffix(path: Path | str, suffix: str) -> Guarded | None:
    try:
        return SHELF.of_suffix(suffix)
    except CodecError as error:
        raise CodecError(f"{path}: {error}") from error


def codec_of(path: Path, start: bytes, data: bytes | None = None) -> Guarded:
    """The codec that knows a file, by its first bytes or else by its suffix.

    Parameters
    ----------
    path : Path
    start : bytes
        The first bytes.
    data : bytes or None
        The whole content, where it is no file: then its name may say nothing.

    Raises
    ------
    CodecError
        When it is of a format that is not read.
    """
    by_name = _of_suffix(path, split_suffix(path)[1].lower())
    if _knows(by_name, start):
        return by_name
    kind = sniff(start)
    if (found := by_name if kind is None else SHELF.of_kind(kind)) is not None:
        return found
    if kind is None and data is not None and data.endswith(TGA):
        return SHELF.own("tga")
    what, _, do = FOREIGN.get(kind or "", "unknown content; convert it to PNG, TIFF or NIfTI").partition("; ")
    raise problem(path, "a picture or volume", what, do)


def encode(picture: Picture, suffix: str) -> bytes:
    """The bytes of a file of that suffix.

    Raises
    ------
    CodecError
        When the format cannot hold the picture; the message says which can.
    """
    codec = _writer(suffix, suffix)
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
    write_encoded(path, picture)


@guarded("a file that can be written")
def write_encoded(path: Path | str, picture: Picture) -> bytes:
    """Write one image or volume as `write_picture` does, and give what was written, so that nobody reads it again."""
    target = as_path(path)
    suffix = split_suffix(target)[1].lower()
    codec = _writer(target, suffix)
    reason = codec.can_write(picture, suffix)
    if reason is not None:
        raise CodecError(f"{target}: {reason}")
    data = codec.encode(picture, suffix)
    with writing(target), atomic_path(target) as part:
        part.write_bytes(data)
    return data


def _writer(path: Path | str, suffix: str) -> Guarded:
    codec = _of_suffix(path, suffix)
    if codec is None:
        writable = " ".join(row.suffix for row in formats() if row.writes)
        raise problem(path, f"one of {writable}", f"suffix {suffix!r}", "choose one of these")
    return codec
