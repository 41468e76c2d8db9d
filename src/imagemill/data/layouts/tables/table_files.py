"""Finding the tables in a folder: one, or one per split, or shards; others beside them are told apart by content."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath

from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import Guess, Look, ReadSource
from imagemill.data.layouts.guess.folder_words import parts_of
from imagemill.data.layouts.tables.cells.image_cells import Place
from imagemill.data.layouts.tables.columns.column_names import normal_split
from imagemill.data.layouts.tables.columns.columns import Sample, guess_columns
from imagemill.data.layouts.tables.rows.find_files import Finder
from imagemill.data.layouts.tables.rows.table import Table
from imagemill.data.layouts.tables.sidecar import SIDECAR

__all__ = [
    "IMAGE_FOLDER",
    "Probe",
    "TableFiles",
    "found_tables",
    "guess_tables",
    "need_tables",
    "probe_table",
    "split_of_name",
]

_WORD = re.compile(r"[-_. ]")
_TO_FILL_IN = re.compile(r"submission|submit", re.IGNORECASE)
IMAGE_FOLDER = frozenset(("file_name", "image_file_name", "mask_file_name"))
"""Columns by which a table called ``metadata`` names images in an image folder of Hugging Face datasets."""

_PLAIN = ".txt"
_MANY = 30
_ROWS = 200


def split_of_name(stem: str) -> str | None:
    """The split that a file's name says, as in ``train-00000-of-00002`` or ``cifar10-test``.

    Examples
    --------
    >>> split_of_name("train-00000-of-00002"), split_of_name("cifar10_validation"), split_of_name("fruit")
    ('train', 'val', None)
    """
    found = {split for word in _WORD.split(stem) if (split := normal_split(word)) is not None}
    return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Probe:
    """What the first rows of a table hold.

    Parameters
    ----------
    images : float
        0 to 1: how much a column looks like images.
    targets : bool
        Whether there are labels, boxes, masks or parts.
    rows : int
        How many were looked at.
    """

    images: float
    targets: bool
    rows: int = 0


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The tables of a path.

    Parameters
    ----------
    files : tuple of (Path, str or None)
        Each with the split that its name says.
    notes : tuple of str
        What was passed over.
    """

    files: tuple[tuple[Path, str | None], ...] = ()
    notes: tuple[str, ...] = ()


def probe_table(table: Table, look: Look) -> Probe | None:
    """Look at the first rows of a table; None where no column holds images.

    Nothing is fetched: addresses only have to look like some.
    """
    if look.is_folder and PurePosixPath(table.name).stem == "metadata" and IMAGE_FOLDER & {*table.columns}:
        return None  # another layout's
    place = Place(table.base, ReadSource(urls=True, outside=True))
    root, files = (look.path, look.files) if look.is_folder else (table.base, None)
    sample = Sample([cells for _, cells in islice(table.rows, _ROWS)], place, Finder(root, files))
    try:
        columns = guess_columns(table.columns, ReadSource(), table.name, sample)
    except SourceError:
        return None
    seen = sample.seen(number := columns.roles["image"])
    share = max(seen.pictures, sample.seen(number, search=True).pictures if seen.pictures < 0.9 and seen.cells else 0.0)
    if share < 0.2 if sample.rows else look.is_folder:
        return None
    known = {"label", "labels", "mask", "runs", "boxes", "split"} & columns.roles.keys()
    return Probe(share if sample.rows else 1.0, bool(known or columns.box or columns.hot), len(sample.rows))


def _listed(look: Look, suffixes: Sequence[str]) -> list[list[Path]]:
    """Tables by the folder that they lie in: the path's own, ``data``, then each other one in it."""
    places: dict[str, list[Path]] = {".": [], "data": []}
    for key, path in look.ending(*suffixes):
        if path.name != SIDECAR:
            folder = str(PurePosixPath(key).parent)
            if "/" not in folder:
                places.setdefault(folder, []).append(path)
    return [found for found in places.values() if found]


def found_tables(look: Look, suffixes: Sequence[str], probe: Callable[[Path], Probe | None]) -> TableFiles:
    """The tables of a path that belong together; none where there is none with images.

    Parameters
    ----------
    look : Look
        For a folder, tables count that lie directly in it, else in one of its folders.
    suffixes : sequence of str
        In lower case.
    probe : callable
        Looks into a table; None says that it holds no images.
    """
    if not look.is_folder:
        fits = look.path.suffix.lower() in suffixes
        # A text file is a list of paths, or anything, unless it shows itself a table.
        fits = fits and (look.path.suffix.lower() != _PLAIN or probe(look.path) is not None)
        return TableFiles(((look.path, split_of_name(look.path.stem)),) if fits else ())
    listed = _listed(look, suffixes)
    for found in listed:
        chosen = _chosen(found, probe)
        if chosen.files:
            return _with_other_parts(chosen, listed, probe)
    return TableFiles()


def _with_other_parts(
    chosen: TableFiles, listed: Sequence[Sequence[Path]], probe: Callable[[Path], Probe | None]
) -> TableFiles:
    """A table in the folder of a part, and those of its name in the folders of the other parts."""
    (path, split), *more = chosen.files
    parts = {} if more or split else parts_of({found[0].parent.name for found in listed})
    if path.parent.name not in parts:
        return chosen
    named = [other for found in listed for other in found if other.name == path.name and other.parent.name in parts]
    return replace(chosen, files=tuple((o, parts[o.parent.name]) for o in named if o == path or probe(o) is not None))


def _chosen(found: Sequence[Path], probe: Callable[[Path], Probe | None]) -> TableFiles:
    """Of the tables in one folder, those that name images."""
    if len(found) > 1 and all(re.search(r"\d+$", path.stem) for path in found):
        # Shards that name no split, or one; the first speaks for all.
        named = [(path, split_of_name(path.stem)) for path in found]
        return TableFiles(tuple(named) if probe(found[0]) is not None else ())
    if len(found) > _MANY:  # one for each image, most likely
        found = [path for path in found if path.suffix.lower() != _PLAIN]
        if len(found) > _MANY:
            return TableFiles()
    probes = {path: seen for path in found if not _TO_FILL_IN.search(path.stem) and (seen := probe(path)) is not None}
    if max((seen.images for seen in probes.values()), default=0.0) >= 0.5:
        probes = {path: seen for path, seen in probes.items() if seen.images >= 0.5}
    splits = {path: split for path in probes if (split := split_of_name(path.stem)) is not None}
    targets = [path for path in probes if probes[path].targets]
    if splits and (set(targets) <= set(splits) or len(splits) == len(probes)):
        kept = list(splits)
    else:
        # Of tables of parts and one of the whole, the whole says more; of others, the one with more images.
        kept = sorted(targets or probes, key=lambda path: (-probes[path].rows, path in splits, -probes[path].images))[
            :1
        ]
        if kept and kept[0] in splits:
            kept = list(splits)
    others = [path.name for path in probes if path not in kept]
    fill_in = [path.name for path in found if _TO_FILL_IN.search(path.stem)]
    notes = [f"{', '.join(others)} name{'s' * (len(others) == 1)} images too and was passed over; "
             "give that file itself to read it"] if others else []  # fmt: skip
    if fill_in and kept:
        notes.append(f"{', '.join(fill_in)} was passed over: it is a form to fill in, its labels are none")
    return TableFiles(tuple((path, splits.get(path)) for path in kept), tuple(notes))


def guess_tables(
    look: Look, suffixes: Sequence[str], probe: Callable[[Path], Probe | None], sure: float
) -> Guess | None:
    """How sure it is that a path is a table of images."""
    found = found_tables(look, suffixes, probe).files
    if not found:
        return None
    path = found[0][0]
    seen = probe(path)
    if seen is None:
        return None if look.is_folder else Guess(0.3, f"{path.name} is a table, but no column looks like images")
    if len(found) == 1:
        names, what = path.name, "is a table with a column of images"
    else:
        names, what = f"{path.name} and {len(found) - 1} more", "are tables with a column of images"
    if seen.images < 0.5:
        return Guess(0.4, f"{names} {what}, most of which are not there")
    # Who names files that are there and says what they show knows this folder.
    known = seen.targets and seen.images > 0.99
    return Guess(max(sure, 0.95) if known else sure - 0.05 * look.is_folder, f"{names} {what}")


def need_tables(look: Look, suffixes: Sequence[str], probe: Callable[[Path], Probe | None]) -> TableFiles:
    """As `found_tables`; where none holds images the only one, so that reading it says why; or an error.

    Raises
    ------
    SourceError
        When there are none, or several without images.
    """
    found = found_tables(look, suffixes, probe)
    if found.files:
        return found
    there = [path for group in _listed(look, suffixes) for path in group]
    if len(there) == 1:
        return replace(found, files=((there[0], split_of_name(there[0].stem)),))
    named = ", ".join(path.name for path in there[:5])
    msg = f"expected a table of images ({' '.join(suffixes)}) in {look.path}, or several named after splits"
    raise SourceError(f"{msg}, got {named or 'none'}; give the file")
