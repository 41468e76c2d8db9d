"""From any layout to any other, with what it can hold kept and the rest named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from imagemill.core.errors import SourceError
from imagemill.data.sources.base import Source, WriteTarget, Written
from imagemill.data.sources.files import open_source
from imagemill.data.sources.layouts import layout_named

__all__ = ["export"]


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
    groups and attributes go along where the layout holds them.

    Parameters
    ----------
    src : Path, str or Source
        A file or folder in any layout, or a source that is open.
    out : Path or str
        A new or empty folder, or one that an earlier export filled, with `overwrite`.
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
        When the source cannot be understood, there is no such layout, or the folder holds something else.

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
    writer = layout_named(to)
    source = src if isinstance(src, Source) else open_source(src, layout=layout, **options)
    if not len(source):
        raise SourceError(f"expected images to write, got none in {source.root}; scan it to see why")
    target = Path(out)
    root = Path(source.root)
    inside = root if root.is_dir() else root.parent
    if target.resolve() == inside.resolve() or (root.is_dir() and inside.resolve() in target.resolve().parents):
        # What was written would be read as part of the source the next time.
        raise SourceError(f"expected a folder outside {inside}, got {target}; choose another place")
    return writer.write(source, target, WriteTarget(format, files, embed, overwrite, progress))
