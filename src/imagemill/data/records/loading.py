"""Where pixels are: a file of their own, bytes within another file, or an array within one.

A record's image is a plain `Path`, or one of the two classes here. Everything that reads pixels goes through the
functions of this module, so that it works for all three.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import Any

import numpy as np

from imagemill.core.colours import orient
from imagemill.core.errors import CodecError, InputError
from imagemill.core.grids import labels_onto
from imagemill.data.codecs.axes import place_axes
from imagemill.data.codecs.base import Picture, ReadOptions, check_pixels, check_plain, native, not_plain, problem
from imagemill.data.codecs.channels import convert
from imagemill.data.codecs.label_values import label_map
from imagemill.data.codecs.npy import axes_by_rank
from imagemill.data.codecs.registry import decode, encode
from imagemill.data.codecs.volumes.volume_header import DETACHED, files_of
from imagemill.data.records.orientation import Seen, frame_of
from imagemill.data.records.record import Blob, Frame, Pixels, Stored, split_suffix

__all__ = [
    "encoded",
    "held_array",
    "label_map_onto",
    "load_mask",
    "load_picture",
    "pair_note",
    "pixels_digest",
    "pixels_name",
    "pixels_size",
    "pixels_suffix",
]

_SAFE = ReadOptions()
# Not blocking: a pipe that nobody writes to is opened at once, seen to be one and refused.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def pixels_name(where: Pixels) -> str:
    """What errors call the place: a path, or a container and the member in it."""
    return str(where) if isinstance(where, Path) else where.name


def pixels_suffix(where: Pixels) -> str:
    """The suffix of the encoded picture in lower case, such as ``".jpg"``; empty for arrays."""
    if isinstance(where, Path):
        return split_suffix(where)[1].lower()
    return where.suffix.lower() if isinstance(where, Blob) else ""


def encoded(where: Pixels, suffix: str | None = None) -> bytes | None:
    """The bytes of the encoded picture, or None for arrays; of a header with its pixels elsewhere both in one file.

    ``suffix`` is what `pixels_suffix` gives, where it is known.

    Raises
    ------
    CodecError
        When they cannot be read.
    """
    if isinstance(where, Stored):
        return None
    if isinstance(where, Blob):
        return where.fetch()
    if instead := DETACHED.get(pixels_suffix(where) if suffix is None else suffix):
        return encode(decode(where, _SAFE), instead)
    try:
        return _whole(where)
    except CodecError:
        raise
    except (OSError, ValueError) as error:
        raise problem(where, "a readable file", str(error), "check the path and its permissions") from error


def read_once(where: Pixels, at_most: int | None = None) -> tuple[str, Pixels]:
    """The digest of pixels, and the same pixels in memory, so that they are read once.

    Parameters
    ----------
    where : Path, Blob or Stored
    at_most : int, optional
        Bytes: longer files, and those of several parts, stay where they are.

    Returns
    -------
    str
        As `pixels_digest` gives it; of a header with its pixels elsewhere, where there is no limit, that of both in
        one file.
    Path, Blob or Stored

    Raises
    ------
    CodecError
        When they cannot be read.
    """
    size = None if at_most is None else pixels_size(where)
    if at_most is not None and size is not None and (size > at_most or pixels_suffix(where) in DETACHED):
        return pixels_digest(where), where
    data = encoded(where)
    if data is not None:
        held = data
        return hashlib.sha256(held).hexdigest(), Blob(pixels_name(where), pixels_suffix(where), lambda: held)
    assert isinstance(where, Stored)
    array = where.fetch()
    held_array = replace(where, fetch=lambda: array)
    return pixels_digest(held_array), held_array


def _whole(path: Path) -> bytes:
    """The bytes of a file in as few calls to the system as can be: each of them lets another thread take over."""
    handle = os.open(path, _READ)
    try:
        found = os.fstat(handle)
        if not S_ISREG(found.st_mode):
            raise not_plain(path)
        # One byte more than there are: what comes back is as long as the file says, or there is more to be done.
        parts = [os.read(handle, found.st_size + 1)]
        if len(parts[0]) != found.st_size:
            while parts[-1]:
                parts.append(os.read(handle, 1 << 24))
        return parts[0] if len(parts) == 1 else b"".join(parts)
    finally:
        os.close(handle)


def load_picture(where: Pixels, options: ReadOptions = _SAFE) -> Picture:
    """Read an image or volume from wherever it is.

    Parameters
    ----------
    where : Path, Blob or Stored
    options : ReadOptions
        As for `read_picture`.

    Returns
    -------
    Picture

    Raises
    ------
    CodecError
        When it cannot be read whole; the message names the place.

    Examples
    --------
    >>> load_picture(Stored("made up", lambda: np.zeros((4, 6), np.uint8), "yx"), ReadOptions("rgb")).array.shape
    (4, 6, 3)
    """
    return convert(_called(where), _raw(where, options), options)


def load_mask(
    where: Pixels, options: ReadOptions = _SAFE, like: Picture | None = None, frame: Frame | None = None
) -> Picture:
    """Read a label map from wherever it is: one channel of integers, as they are stored.

    Parameters
    ----------
    where : Path, Blob or Stored
    options : ReadOptions
        As for `read_mask`.
    like : Picture, optional
        The image it belongs to. Where both say their place in the world, the map comes on the image's grid. A map that
        fits the image as it is stored, or as it is seen, is turned onto its pixels as they are.
    frame : {"stored", "shown"}, optional
        Which of the two is meant where the size of the map fits both; as it is seen when left out.

    Raises
    ------
    CodecError
        As `load_picture`, and when the values are not whole numbers or the channels differ, or map and image
        contradict each other.
    """
    if like is None:
        return label_map(_called(where), _raw(where, replace(options, labels=True)))
    # As it is stored or turned, like the image it belongs to.
    options = replace(options, labels=True, exif=like.meta.get("exif_applied") is not False)
    found = label_map(_called(where), _raw(where, options))
    return label_map_onto(found, like, frame, pixels_name(where))


def label_map_onto(mask: Picture, like: Picture, frame: Frame | None = None, name: str = "the label map") -> Picture:
    """A label map as `load_mask` gives it without an image, brought onto the grid of its image.

    Parameters
    ----------
    mask, like : Picture
    frame : {"stored", "shown"}, optional
        As for `load_mask`.
    name : str
        What errors call it.

    Raises
    ------
    CodecError
        When map and image contradict each other.

    Examples
    --------
    >>> image = Picture(np.zeros((1, 1, 2)), "zyx", np.diag([1.0, 1, -1, 1]))
    >>> affine = np.eye(4)
    >>> affine[2, 3] = -1
    >>> mask = Picture(np.array([[[1, 2]]]), "zyx", affine)
    >>> label_map_onto(mask, image).array.tolist()
    [[[2, 1]]]
    """
    return _beside(_turned_like(mask, like, frame), like, name)


def _turned_like(mask: Picture, image: Picture, frame: Frame | None) -> Picture:
    """A map without a turn of its own, turned as the image was where it lies as the other of its two frames."""
    seen = Seen.of(image)
    own = int(mask.meta.get("exif_orientation", 1) or 1)
    size = mask.spatial_shape
    if len(size) != 2 or seen.orientation not in range(2, 9) or own != 1:
        return mask
    meant, is_open = frame_of((size[0], size[1]), seen, frame)
    turn = 1 if meant is None else seen.turn(meant)
    if turn != 1:
        said = "turned as EXIF turns its image"
    elif is_open and frame is None:
        said = "taken as its image is seen: EXIF turns the image, and nothing says which orientation the map has"
    else:
        return mask
    return replace(mask, array=orient(mask.array, turn), meta={**mask.meta, "brought": said})


def _beside(mask: Picture, image: Picture, name: str) -> Picture:
    if mask.affine is None or image.affine is None or mask.affine.shape != image.affine.shape:
        return mask
    if _placeless(mask) or _placeless(image):
        return mask  # paired by their voxels
    try:
        found = labels_onto(mask.array, mask.affine, image.spatial_shape, image.affine)
    except InputError as error:
        notes = f" ({mask.note})" if "form" in mask.note else ""
        raise CodecError(f"{name}: {error}{notes}") from error
    if not found.changed:
        return mask
    note = f"{mask.note}; {found.note}" if mask.note else found.note
    # What is said of the place is the image's now; what is said of the values stays the map's.
    place = {name: image.meta.get("nifti", {}).get(name) for name in ("qform_code", "sform_code", "zoom_ratio")}
    said = {name: value for name, value in {**mask.meta.get("nifti", {}), **place}.items() if value is not None}
    meta = {**mask.meta, "brought": found.note, **({"nifti": said} if "nifti" in mask.meta else {})}
    return Picture(found.array, mask.axes, image.affine, meta, note)


def _placeless(picture: Picture) -> bool:
    """Whether a file says that it does not know where it lies: its matrix is then a reader's default."""
    return picture.meta.get("placed") is False


def pair_note(picture: Picture, mask: Picture | None) -> str:
    """How an image was read, how its label map was made, and whether it had to be brought onto the image's grid."""
    meta = {} if mask is None else mask.meta
    brought = f"label map {meta['brought']}" if "brought" in meta else ""
    made = f"label map: {meta['of_labels']}" if "of_labels" in meta else ""
    return "; ".join(filter(None, (picture.note, brought, made)))


def _called(where: Pixels) -> Path:
    return where if isinstance(where, Path) else _path(where.name)


@lru_cache(maxsize=64)
def _path(name: str) -> Path:
    """Taking a name apart costs as much as reading a header, and pixels are asked for theirs more than once."""
    return Path(name)


def _raw(where: Pixels, options: ReadOptions) -> Picture:
    if isinstance(where, Path):
        return decode(where, options)
    if isinstance(where, Blob):
        # The name ends in the suffix, so that the codec is chosen as for a file.
        name = where.name if where.name.lower().endswith(where.suffix.lower()) else where.name + where.suffix
        return decode(_path(name), options, where.fetch())
    path = _path(where.name)
    fetched = where.fetch()
    if isinstance(fetched, Picture):
        check_pixels(path, fetched.spatial_shape, options.max_pixels)
        return fetched
    array = native(fetched)
    if array.dtype.kind not in "buif" or array.size == 0:
        got = f"dtype {array.dtype} of shape {array.shape}"
        raise problem(path, "integers, floats or booleans", got, "check what wrote it")
    axes, note = (where.axes or options.axes), ""
    if axes is None:
        axes, note = axes_by_rank(path, array.shape)
    array, axes = place_axes(path, array, axes)
    check_pixels(path, array.shape[: len(axes.removesuffix("c"))], options.max_pixels)
    return Picture(array, axes, where.affine, where.meta, note)


def pixels_digest(where: Pixels) -> str:
    """The sha256 of the pixels' bytes in hex: of the files of a picture, or of an array with its shape and dtype.

    Raises
    ------
    CodecError
        When they cannot be read.
    """
    if isinstance(where, Path):
        found = hashlib.sha256()
        for path in files_of(where):
            check_plain(path)
            try:
                with path.open("rb") as file:
                    hashlib.file_digest(file, lambda: found)
            except OSError as error:
                raise problem(path, "a readable file", str(error), "check the path and its permissions") from error
        return found.hexdigest()
    if isinstance(where, Blob):
        return hashlib.sha256(where.fetch()).hexdigest()
    array = np.ascontiguousarray(held_array(where))
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()


def held_array(where: Stored) -> np.ndarray[Any, Any]:
    """The array that is stored, without what else its reader has to say."""
    fetched = where.fetch()
    return fetched.array if isinstance(fetched, Picture) else fetched


def pixels_size(where: Pixels) -> int | None:
    """Bytes of a file, -1 where it is gone; None for what has to be read before its size is known."""
    if not isinstance(where, Path):
        return None
    try:
        found = where.stat()
    except (OSError, ValueError):  # a name that no file can have
        return -1
    if not S_ISREG(found.st_mode):
        return -1
    others = [path for path in files_of(where) if path != where]
    return found.st_size + sum(path.stat().st_size for path in others if path.is_file())
