"""Further images and maps of numbers that lie in folders of their own, beside those of any layout.

A folder is paired with the images by names: both without the folder that tells them apart (``rgb/012.png`` and
``depth/012.png``, ``train/rgb/a.png`` and ``train/depth/a.npy``), and without its name at the end of a file's
(``a_depth.png``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from imagemill.core.errors import InputError, SourceError
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.base import Look, ReadSource, Source
from imagemill.data.layouts.walk import walk_files
from imagemill.data.records.record import FURTHER_KINDS, Further, FurtherKind, split_suffix
from imagemill.data.remote.remote_path import as_path

__all__ = ["Rasters", "further_rasters", "left_out", "map_names", "with_hint", "with_rasters", "without_rasters"]

_OWN = frozenset(("image", "mask", "boxes", "keypoints", "polygons", "instances", "lines", "rotated_boxes", "label"))
_PHOTO = ("rgb", "image", "img", "color", "colour")
"""Words at the end of an image's name that its map has not."""
_VIEWS = frozenset(
    (
        "rgb", "color", "colour", "nir", "ir", "infrared", "thermal", "rededge", "t1", "t1w", "t1c", "t1ce",
        "t1gd", "t2", "t2w", "flair", "pd", "adc", "dwi", "depth", "disparity",
    )
)  # fmt: skip
"""What folders of several images of one scene are called."""
_DEPTH = frozenset(("depth", "depths", "disparity", "disparities", "dsm", "ndsm"))
"""Names of folders that hold numbers over the images beside them, where all names are the same."""


@dataclass(frozen=True, slots=True)
class Rasters:
    """What lies in the folders of one name.

    Parameters
    ----------
    name : str
        Of the target.
    kind : {"image", "map"}
    word : str
        The folder's name.
    files : mapping from str to Path
        By what is left of their key.
    keys : frozenset of str
        Keys of the look's files that these are.
    """

    name: str
    kind: FurtherKind
    word: str
    files: Mapping[str, Path]
    keys: frozenset[str] = frozenset()


def further_rasters(look: Look, options: ReadSource, *, guess: bool = True) -> tuple[Rasters, ...]:
    """The folders that were asked for; without any, those of depth whose names are all names of images beside them.

    Parameters
    ----------
    look : Look
    options : ReadSource
    guess : bool
        Whether folders are looked for that nobody asked for.

    Raises
    ------
    SourceError
        When a folder is not there, or holds two files for one name.
    """
    asked = [(name, "map", place) for name, place in options.maps.items()]
    asked += [(name, "image", place) for name, place in options.views.items()]
    for name, _, _ in asked:
        if name in _OWN or not name.isidentifier():
            raise InputError(f"expected a name of its own for a map or view, such as depth, got {name!r}; give another")
    if twice := set(options.maps) & set(options.views):
        raise InputError(f"expected a name to be a map or a view, got both for {', '.join(sorted(twice))}; rename one")
    if asked:
        return tuple(_asked(look, name, kind, as_path(place)) for name, kind, place in asked)  # type: ignore[arg-type]
    return tuple(_seen(look)) if guess and look.is_folder else ()


def _asked(look: Look, name: str, kind: FurtherKind, place: Path) -> Rasters:
    said = f"{'maps' if kind == 'map' else 'views'}={{{name!r}: ...}}"
    if place.is_absolute() or not look.is_folder:
        if not place.is_dir():
            raise SourceError(f"expected {said} as a folder, got {str(place)!r}, where there is none; check the path")
        found = [(key, path) for key, path in walk_files(place) if is_readable_name(path)]
        return Rasters(name, kind, place.name, _by_core(found, place.name, said))
    parts = place.as_posix().strip("/").split("/")
    found = [(key, path) for key, path in look.files if _within(key, parts) is not None and is_readable_name(path)]
    if not found:
        folders = sorted({key.rpartition("/")[0] for key, _ in look.files} - {""})
        raise SourceError(
            f"expected {said} as a folder of images below {look.path}, got {place.as_posix()!r}; there are "
            f"{', '.join(folders[:8]) or 'none'}"
        )
    cut = [("/".join(filter(None, _within(key, parts) or ())), path) for key, path in found]
    return Rasters(name, kind, parts[-1], _by_core(cut, parts[-1], said), frozenset(key for key, _ in found))


def _within(key: str, parts: list[str]) -> tuple[str, str] | None:
    """What stands before and behind a folder in a key; None where it is not in one."""
    folders = key.split("/")
    for at in range(len(folders) - len(parts)):
        if folders[at : at + len(parts)] == parts:
            return "/".join(folders[:at]), "/".join(folders[at + len(parts) :])
    return None


def _core(key: str, word: str) -> str:
    """A key without suffix, and without the folder's name at its end or its beginning."""
    folder, slash, file = key.rpartition("/")
    stem = split_suffix(file)[0]
    low = stem.casefold()
    for mark in "_-. ":
        if low.endswith(mark + word.casefold()):
            stem = stem[: -len(word) - 1]
            break
        if low.startswith(word.casefold() + mark):
            stem = stem[len(word) + 1 :]
            break
    return folder + slash + stem


def _by_core(found: list[tuple[str, Path]], word: str, said: str) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for key, path in found:
        core = _core(key, word)
        if core in files:
            raise SourceError(f"expected one file for each image in {said}, got {files[core]} and {path}; keep one")
        files[core] = path
    return files


def _seen(look: Look) -> Iterator[Rasters]:
    words = {folder for key, _ in look.images for folder in key.split("/")[:-1] if folder.casefold() in _DEPTH}
    for word in sorted(words):
        found = [(key, cut) for key, _ in look.images if (cut := _within(key, [word])) is not None]
        keys = frozenset(key for key, _ in found)
        cores = {_core("/".join(filter(None, cut)), word) for _, cut in found}
        rest = [key for key, _ in look.images if key not in keys]
        if (
            cores
            and cores == {core for key in rest for core in _cores(key) if core in cores}
            and len(rest) >= len(keys)
        ):
            yield _asked(look, word.casefold(), "map", Path(word))


def _cores(key: str) -> Iterator[str]:
    """What a key may be called beside a folder: as it is, and without one of its folders, or a word for photos."""
    parts = key.split("/")
    cut = [("", key), *((word, "/".join(parts[:at] + parts[at + 1 :])) for at, word in enumerate(parts[:-1]))]
    for word, rest in cut:
        for end in (word, *_PHOTO):
            yield _core(rest, end or "\0")


def with_hint(source: Source) -> Source:
    """Say how folders become one sample where classes are called like views of a scene and hold the same names.

    Examples
    --------
    >>> from imagemill.data.records.record import Record
    >>> records = [
    ...     Record(f"{word}/{n}.png", Path(f"{word}/{n}.png"), label=word) for word in ("t1", "t2") for n in "ab"
    ... ]
    >>> with_hint(Source(Path(), "class-folders", tuple(records))).notes
    ("folders t1, t2 hold files of the same names and are read as classes: views={'t2': 't2'} makes samples of them",)
    """
    names: dict[str, set[str]] = {}
    for record in source.records:
        if record.label is None or record.label.casefold() not in _VIEWS:
            return source
        names.setdefault(record.label, set()).add(_core(record.key.rpartition("/")[2], record.label))
    first, *others = sorted(names) or [""]
    if not others or any(names[one] != names[first] for one in others):
        return source
    asked = ", ".join(f"{one.casefold()!r}: {one!r}" for one in others)
    said = f"folders {', '.join(sorted(names))} hold files of the same names and are read as classes: "
    return replace(source, notes=(*source.notes, f"{said}views={{{asked}}} makes samples of them"))


def map_names(source: Source) -> tuple[str, ...]:
    """Names of the maps of numbers that every record has, in their order."""
    kept: dict[str, None] | None = None
    for record in source.records:
        here = {name for name, one in record.further.items() if one.kind == "map"}
        kept = dict.fromkeys(name for name in (record.further if kept is None else kept) if name in here)
        if not kept:
            return ()
    return tuple(kept or ())


def left_out(source: Source, verb: str, taken: Collection[str] = ()) -> tuple[str, ...]:
    """What to say of further images and maps where a verb makes nothing of them, but of those that are ``taken``."""
    found = dict.fromkeys(name for record in source.records for name in record.further if name not in taken)
    names = ", ".join(found)
    return (f"{names}: further images and maps are left out by {verb}; a Loader of the source has them",) * bool(names)


def without_rasters(look: Look, rasters: tuple[Rasters, ...]) -> Look:
    """A look at the images alone."""
    hidden = frozenset().union(*(one.keys for one in rasters)) if rasters else frozenset()
    return replace(look, files=tuple(pair for pair in look.files if pair[0] not in hidden), memo={}) if hidden else look


def with_rasters(source: Source, rasters: tuple[Rasters, ...]) -> Source:
    """Give the records of a source their further images and maps.

    Raises
    ------
    SourceError
        When an image has none: batches have the same columns.
    """
    records = list(source.records)
    notes = list(source.notes)
    for one in rasters:
        used = set()
        for at, record in enumerate(records):
            path = next((one.files[core] for core in _cores(record.key) if core in one.files), None)
            if path is None:
                few = ", ".join(list(one.files)[:3])
                raise SourceError(
                    f"expected a file in {one.word!r} for each of {len(records)} images, got none for {record.key}; "
                    f"there are {few}...: names have to be the same. Where the folder is a class, say "
                    "layout='class-folders'"
                )
            used.add(path)
            records[at] = replace(record, further={**record.further, one.name: Further(path, one.kind)})
        what = FURTHER_KINDS[one.kind]
        unused = len(one.files) - len(used)
        notes.append(
            f"{one.name}: {what} of {len(used)} files in {one.word!r}"
            + (f"; {unused} more belong to no image" if unused else "")
        )
    also = tuple(path for one in rasters for path in one.files.values())
    return replace(source, records=tuple(records), notes=tuple(notes), also_read=(*source.also_read, *also))
