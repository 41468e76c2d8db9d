"""Whatever can be opened as a dataset, as a source: places, patterns, lists of files, arrays, records."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.arrays.in_memory import arrays_in, from_arrays
from imagemill.data.layouts.base import MEMORY, RECORDS, ReadSource, Source
from imagemill.data.layouts.folders.path_list import from_paths
from imagemill.data.layouts.opening import open_source, read_options
from imagemill.data.layouts.path_patterns import files_like
from imagemill.data.layouts.plain_folders import with_masks
from imagemill.data.layouts.shapes.source_orientation import framed
from imagemill.data.layouts.tables.frames import is_frame, read_frame_rows
from imagemill.data.records.record import Record
from imagemill.data.remote.remote_path import as_path, common_folder

__all__ = ["mapped", "place_of", "source_of"]


def place_of(what: Any) -> Path | None:
    """The path that was given, with ``~`` for the user's folder; None for what is no path, or a pattern of names.

    Examples
    --------
    >>> place_of("photos/cat"), place_of("photos/*/*.jpg"), place_of([1, 2])
    (PosixPath('photos/cat'), None, None)
    """
    if not isinstance(what, str | os.PathLike):
        return None
    path = as_path(what).expanduser()
    return None if glob.has_magic(str(path)) and not path.exists() else path


def source_of(what: Any, **options: Any) -> Source:
    """Make a source of a place, a pattern such as ``"photos/*.jpg"``, a list of paths, a data frame, arrays or records.

    A data frame (of pandas or Polars, or a table of Arrow) is read as a CSV file is: its columns are found by what
    stands in them, ``columns={"label": "species"}`` says others, and paths start at the current folder or at
    ``images=``. A column alone (a Series) is a list of paths.

    Arrays are ``images``, ``(images, labels)``, ``(images, labels, masks)``, a list of images (arrays, tensors or
    images of PIL) or of pairs of an image and its label, a mapping of split to either, a mapping of usual names
    (``{"x_train": ..., "y_train": ...}``), or ``((x, y), (x, y))`` for the train and the test part.

    Raises
    ------
    SourceError
        When it is none of these, or nothing is there.
    """
    if isinstance(what, Source):
        return what
    place = place_of(what)
    if place is not None:
        return open_source(place, **options)
    if isinstance(what, str | os.PathLike):
        pattern = as_path(what).expanduser()
        found = files_like(pattern)
        # Pictures are a list; shards, archives and the like are one set in their own layout.
        return _listed(found, options) if all(map(is_readable_name, found)) else open_source(pattern, **options)
    if is_frame(what):
        read = read_options(**options)
        return _beside(read_frame_rows(what, read), read)
    if hasattr(what, "to_list") and hasattr(what, "to_frame"):  # a column of one
        return source_of(what.to_list(), **options)
    if (arrays := arrays_in(what)) is not None:
        return from_arrays(*arrays, **options)
    if isinstance(what, Sequence) and len(what):
        if all(isinstance(one, Record) for one in what):
            return Source(_shared_folder(what), RECORDS, tuple(what))
        if all(isinstance(one, str | os.PathLike) for one in what):
            return _listed([as_path(one).expanduser() for one in what], options)
    held = f"a {type(what).__name__}" + (f" of {len(what)}" if isinstance(what, Sequence | Mapping) else "")
    do = "give arrays as (images, labels) or {'train': (images, labels)}, or see from_arrays"
    if not isinstance(what, Sequence | Mapping) and hasattr(what, "__getitem__") and hasattr(what, "__len__"):
        do = "give the items of a dataset, pairs of an image and a label: [data[i] for i in range(len(data))]"
    raise SourceError(f"expected a path, a pattern, a list of paths, a data frame, arrays or records, got {held}; {do}")


def _listed(paths: Sequence[Path], options: Mapping[str, Any]) -> Source:
    return _beside(from_paths(paths), read_options(**options))


def _beside(source: Source, read: ReadSource) -> Source:
    """A source, with the masks that were asked for, on the picture that its annotations are meant on."""
    return framed(with_masks(source, read), read)


def _shared_folder(records: Sequence[Record]) -> Path:
    """The folder that the files of records share; where one has none, or they share none, it is memory."""
    files = [record.image.absolute() for record in records if isinstance(record.image, Path)]
    try:
        return common_folder([file.parent for file in files]) if len(files) == len(records) else MEMORY
    except ValueError:  # on two drives
        return MEMORY


def mapped(rows: Sequence[Mapping[str, Any]], made: Sequence[Any]) -> dict[str, list[Any]]:
    """New columns from what a function made of every row.

    Raises
    ------
    InputError
        When it made something else than values by name, or not the same names for all rows.
    """
    names = tuple(made[0]) if made and isinstance(made[0], Mapping) else ()
    for row, one in zip(rows, made, strict=True):
        if not isinstance(one, Mapping) or tuple(one) != names:
            got = f"{type(one).__name__}" if not isinstance(one, Mapping) else f"the names {list(one)}"
            do = "a pipeline with Apply, or a Loader, changes pixels"
            msg = "expected a function that gives the same columns for every row, such as {'old': row['year'] < 2000}"
            raise InputError(f"{msg}, got {got} for {row['key']!r}; {do}")
    return {name: [one[name] for one in made] for name in names}
