"""Which licence and which source are recorded for each image, and where they are not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagemill.core.short_repr import ShortRepr
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.tables.columns.column_names import LICENCE_COLUMNS, SOURCE_COLUMNS
from imagemill.data.records.record import Record
from imagemill.verbs.scan.licence_names import (
    EXPLAINS_NOTHING,
    NOTHING,
    licence_in,
    licence_name,
    restrictions,
)

__all__ = ["Licences", "licences_of"]

# Files beside the images that may speak of licences, by the name before the first dot.
_BESIDE = re.compile(r"(un)?licen[cs]e|copying|copyright|credits?|attribution|.*citation|readme", re.I)
_READ = 1 << 16


@dataclass(frozen=True, slots=True, repr=False)
class Licences(ShortRepr):
    """What is recorded of the images' licences and sources.

    Parameters
    ----------
    counts : mapping
        Images by licence, the commonest first. Creative Commons licences have one name however they are written.
    without : int
        Images of which nothing says a licence.
    columns : tuple of str
        Columns that say a licence.
    whole : str
        The licence of all images that name none themselves, and empty where nothing says it.
    said_in : str
        What says it: a file, or the set's own description.
    files : tuple of str
        Files beside the images to read: licences, credits, citations, and a README that speaks of a licence.
    sourced : int
        Images with an author, an address or another word on where they come from.
    source_columns : tuple of str
        Columns that say so.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    without: int = 0
    columns: tuple[str, ...] = ()
    whole: str = ""
    said_in: str = ""
    files: tuple[str, ...] = ()
    sourced: int = 0
    source_columns: tuple[str, ...] = ()

    def remarks(self) -> list[str]:
        """Gaps, and what ties the hands of whoever uses the images, in sentences."""
        said = []
        images = sum(self.counts.values()) + self.without
        if self.counts and self.without:
            look = f" (see {', '.join(self.files)})" if self.files else ""
            said.append(f"{_images(self.without)} of {images:,} without a licence, while others have one{look}")
        for kind, words in _KINDS.items():
            named = {name: count for name, count in self.counts.items() if kind in restrictions(name)}
            if named:
                shown = ", ".join(list(named)[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "")
                said.append(f"{_images(sum(named.values()))} {words} ({shown})")
        if 0 < self.sourced < images:
            said.append(f"{_images(images - self.sourced)} of {images:,} without a source, while others have one")
        return said


_KINDS = {
    "non-commercial": "may not be used commercially",
    "no-derivatives": "may not be passed on changed, so not augmented either",
    "reserved": "with all rights reserved: ask before use",
    "unknown": "under a licence that nothing explains",
}


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def licences_of(source: Source, path: Path | None = None) -> Licences:
    """Gather licences and sources from columns, from the set's own description, and from files beside the images.

    An image's own licence goes before the one of the whole set.

    Parameters
    ----------
    source : Source
    path : Path, optional
        Where it was opened, its root when left out: README and LICENSE are looked for there, or beside it when it is a
        file. What was given in memory lies in no folder: a LICENSE where the program happens to run is not its own.

    Examples
    --------
    >>> records = [Record(str(n), Path("a.png"), attributes={"licence": name}) for n, name in enumerate(("MIT", ""))]
    >>> found = licences_of(Source(Path("d"), "csv", tuple(records)), Path("d"))
    >>> dict(found.counts), found.without
    ({'MIT': 1}, 1)
    """
    names = dict.fromkeys(name for record in source for name in record.attributes)
    columns, sources = _called(names, LICENCE_COLUMNS), _called(names, SOURCE_COLUMNS)
    listed = _listed(source.info.get("licenses"))
    where = source.root if path is None else path
    folder = None if source.is_in_memory else where.parent if where.is_file() else where
    whole, said_in, files = _of_all(source, folder)
    counts: Counter[str] = Counter()
    used: dict[str, None] = {}
    for record in source if columns else ():
        column, name = _own(record, columns, listed)
        used.update({column: None} if name else {})
        counts[name or whole] += 1
    if not columns:
        counts[whole] = len(source)
    without = counts.pop("", 0)
    sourced = (
        0 if not sources else sum(any(_is_said(record.attributes.get(name)) for name in sources) for record in source)
    )
    return Licences(
        dict(counts.most_common()), without, tuple(used), whole, said_in, files, sourced, sources if sourced else ()
    )


def _called(names: Iterable[str], usual: Sequence[str]) -> tuple[str, ...]:
    """The columns with usual names, in the order of those."""
    plain = {name: re.sub(r"[\W_]", "", name).lower() for name in names}
    return tuple(sorted((n for n, word in plain.items() if word in usual), key=lambda n: usual.index(plain[n])))


def _is_said(value: Any) -> bool:
    return value is not None and str(value).strip().lower() not in NOTHING


def _own(record: Record, columns: Sequence[str], listed: Mapping[str, str]) -> tuple[str, str]:
    """The column that says an image's licence, and its name; the first that means something."""
    found = [(column, _named(record.attributes.get(column), listed)) for column in columns]
    said = [pair for pair in found if pair[1]]
    clear = [pair for pair in said if "unknown" not in restrictions(pair[1])]
    return next(iter(clear or said), ("", ""))


def _named(value: Any, listed: Mapping[str, str]) -> str:
    """The name of a licence from one cell: itself, or what the list of licences has under that number."""
    if not _is_said(value) or isinstance(value, bool):
        return ""
    number = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    if number in listed:
        return listed[number]
    return f"number {number}{EXPLAINS_NOTHING}" if re.fullmatch(r"[-+]?\d{1,9}", number) else licence_name(number)


def _listed(licences: Any) -> dict[str, str]:
    """Licences by their numbers, as COCO lists them; empty names where one is listed without saying anything."""
    found = {}
    for entry in licences if isinstance(licences, list) else ():
        if isinstance(entry, dict) and "id" in entry:
            words = [str(entry[key]) for key in ("url", "name") if _is_said(entry.get(key))]
            clear = [name for name in map(licence_name, words) if name.startswith("CC")]
            found[str(entry["id"])] = next(iter(clear or [licence_name(word) for word in reversed(words)]), "")
    return found


def _of_all(source: Source, folder: Path | None) -> tuple[str, str, tuple[str, ...]]:
    """The licence of the whole set, what says it, and the files beside it."""
    files, said = ((), dict[str, str]()) if folder is None else _files(folder)
    inner = source.info.get("info")
    for facts in (source.info, inner if isinstance(inner, Mapping) else {}):
        for column in _called(facts, LICENCE_COLUMNS):
            if isinstance(facts[column], str) and _is_said(facts[column]):
                return licence_name(facts[column]), "the set's own description", files
    name, where = next(((name, file) for file, name in said.items() if name), ("", ""))
    return name, where, files


def _files(folder: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """Files that may speak of licences, and those that name exactly one, README first."""
    try:
        names = sorted(e.name for e in folder.iterdir() if _BESIDE.fullmatch(e.name.partition(".")[0]) and e.is_file())
    except OSError:
        return (), {}
    kept, said = [], {}
    for name in sorted(names[:20], key=lambda name: not name.lower().startswith("readme")):
        if not name.lower().endswith((".md", ".txt", ".rst", ".cff")) and "." in name:
            continue
        text = _text(folder / name)
        found = licence_in(text, whole=not name.lower().startswith("readme"))
        if found or not name.lower().startswith("readme") or re.search(r"\blicen[cs]e", text, re.I):
            kept.append(name)
            said[name] = found
    return tuple(sorted(kept)), said


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_READ).decode("utf-8", "replace")
    except OSError:
        return ""
