"""From any layout to any other, with what it can hold kept and the rest named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from imagemill.core.errors import CodecError, InputError, MissingExtra, SourceError
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.codecs.upright import orient_instances
from imagemill.data.pixels import load_picture, pixels_name, pixels_suffix
from imagemill.data.record import Pixels, Record, Stored
from imagemill.data.sources.base import Source, WriteTarget, Written
from imagemill.data.sources.files import open_source
from imagemill.data.sources.layouts import layout_named

__all__ = ["export"]

_SAME = {".jpeg": ".jpg", ".tiff": ".tif"}


def export(
    src: Path | str | Source,
    out: Path | str,
    to: str,
    *,
    layout: str | None = None,
    format: str | None = None,
    files: Literal["copy", "link"] = "copy",
    embed: bool = False,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
    **options: Any,
) -> Written:
    """Write a dataset in another layout.

    Encoded pictures are copied byte for byte unless a format is asked for; labels, boxes, outlines, masks, splits,
    groups and attributes go along where the layout holds them. A picture that is encoded anew is turned upright as its
    EXIF data asks, and its annotations with it.

    Parameters
    ----------
    src : Path, str or Source
        A file or folder in any layout, or a source that is open.
    out : Path or str
        A new or empty folder outside the source, or one that an earlier export filled, with `overwrite`. For
        ``"npz"`` and ``"hdf5"`` also a file, by its suffix.
    to : str
        Name of the layout to write, such as ``"coco"`` or ``"parquet"``.
    layout : str, optional
        Of the source, where the guess is wrong.
    format : str, optional
        Suffix of written images; their own by default.
    files : {"copy", "link"}
        ``"link"`` makes hard links where it can.
    embed : bool
        For tables: pictures go into the table itself.
    overwrite : bool
    progress : callable, optional
        Called with the number of images written so far.
    **options
        As for :func:`~imagemill.data.sources.files.open_source`.

    Returns
    -------
    Written
        ``count``, and in words what was lost and what could not be written.

    Raises
    ------
    SourceError
        When the source cannot be understood, there is no such layout, it can hold none of the images, or the folder
        holds something else.
    InputError
        When `files` or one of the options is not known.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from imagemill.data import Picture, write_picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("a/cat/1.png", "a/dog/1.png"):
    ...         write_picture(Path(folder) / name, Picture(np.zeros((4, 6), np.uint8), "yx"))
    ...     made = export(f"{folder}/a", f"{folder}/b", "csv")
    ...     [(r.key, r.label) for r in open_source(f"{folder}/b")]
    [('cat/1.png', 'cat'), ('dog/1.png', 'dog')]
    """
    if files not in ("copy", "link"):
        raise InputError(f"expected files to be 'copy' or 'link', got {files!r}; choose one of them")
    writer = layout_named(to)
    target = Path(out)
    source = src if isinstance(src, Source) else open_source(src, layout=layout, **options)
    if not len(source):
        raise SourceError(f"expected images to write, got none in {source.root}; scan it to see why")
    _stay_outside(source.root if isinstance(src, Source) else Path(src), target)
    if format is not None:
        source = replace(source, records=tuple(_upright(record, format) for record in source))
    return writer.write(source, target, WriteTarget(format, files, embed, overwrite, progress))


def _stay_outside(root: Path, target: Path) -> None:
    """Refuse a folder of the source: what was written would be read as part of it the next time.

    Where the source is a single file (a table, an archive), folders beside it are no part of it.
    """
    inside, place = root.resolve(), target.resolve()
    if place == inside or (root.is_dir() and inside in place.parents):
        raise SourceError(f"expected a place outside the source {root}, got {target}; choose another")


def _upright(record: Record, format: str) -> Record:
    """The record as its picture will be seen: what is encoded anew is turned as EXIF says, and its annotations with it.

    A picture that cannot be read stays as it is; writing it says why.
    """
    own, asked = (_SAME.get(suffix, suffix) for suffix in (pixels_suffix(record.image), _suffix(format)))
    if not record.objects or own == asked or isinstance(record.image, Stored):
        return record
    try:
        stored = load_picture(record.image, ReadOptions(exif=False))
    except (CodecError, MissingExtra):
        return record
    orientation = int(stored.meta.get("exif_orientation", 1) or 1)
    if orientation not in range(2, 9) or len(stored.spatial_shape) != 2:
        return record
    height, width = record.size or stored.spatial_shape
    try:
        objects = orient_instances(record.objects, orientation, (height, width))
    except InputError:  # a mask of another size than its picture; the guard in writing names the record
        return record
    size = (width, height) if orientation > 4 else (height, width)
    upright = Stored(pixels_name(record.image), partial(_pixels, record.image), stored.axes)
    return replace(record, image=upright, objects=objects, size=size)


def _suffix(format: str) -> str:
    return "." + format.lower().removeprefix(".")


def _pixels(where: Pixels) -> np.ndarray[Any, Any]:
    return load_picture(where).array
