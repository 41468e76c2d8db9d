"""What a folder holds that a layout did not take in: counted and named, whatever the layout.

After reading, every file of the folder is one of three: the pixels of an image or a label map, a file that the layout
read besides (`Source.also_read`), or passed over. The last are counted by suffix, and what is likely to be missed is
named with the way to take it in: pictures in a format that is not read, class folders without pictures, annotation
files, label maps.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.codecs.sniff import FOREIGN, head, sniff
from imagemill.data.codecs.unsupported import unread
from imagemill.data.layouts.base import Look, Problem, Source
from imagemill.data.layouts.guess.guess import Weighed, carried, taken
from imagemill.data.records.record import split_suffix

__all__ = ["accounted", "by_suffix"]

_SHOWN = 4
_SNIFFED = 16
"""Files of a suffix that are opened to see what they are."""
_ANNOTATIONS = frozenset((".csv", ".tsv", ".xlsx", ".xls", ".json", ".jsonl", ".ndjson", ".xml", ".parquet", ".mat"))


def by_suffix(keys: Sequence[str]) -> dict[str, int]:
    """How many files have each suffix, the commonest first; files without one count as ``"none"``.

    Examples
    --------
    >>> by_suffix(["a.csv", "b.txt", "c.TXT", "LICENSE"])
    {'.txt': 2, '.csv': 1, 'none': 1}
    """
    counts = Counter(split_suffix(key)[1].lower() or "none" for key in keys)
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def accounted(look: Look, plain: Look, source: Source, weighed: Weighed | None = None) -> Source:
    """A source with an account of every file of its folder that it does not hold.

    Parameters
    ----------
    look : Look
        What lies there.
    plain : Look
        The same without label maps.
    source : Source
        What was read.
    weighed : Weighed or None
        What else it might have been.
    """
    if not look.is_folder:
        return source
    used = taken(look, source)
    named = {problem.name for problem in source.problems}
    left = [key for key, _ in look.files if key not in used]
    notes = [
        *_left(left),
        *_unread(left),
        *_skipped(look),
        *_other_ways(source, weighed, left),
        *_bare_folders(look, plain, source, used, left),
    ]
    problems = [problem for problem in _unnamed(look, left) if problem.name not in named]
    return replace(
        source,
        notes=(*source.notes, *notes),
        problems=(*source.problems, *problems),
        passed_over=tuple(left),
    )


def _left(left: Sequence[str]) -> Iterator[str]:
    """How many files were passed over, of which kinds, and the first of them by name."""
    if left:
        kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in by_suffix(left).items())
        yield f"{_files(len(left))} passed over: {kinds} ({_some(left)})"


def _skipped(look: Look) -> Iterator[str]:
    skipped = [key for key in look.skipped if not key.rpartition("/")[2].startswith(".imagemill")]  # our own
    if skipped:
        yield f"{_files(len(skipped), 'hidden or system file')} passed over ({_some(skipped)})"


def _kinds(left: Sequence[str]) -> dict[str, list[str]]:
    """Files by suffix, without those that could be read."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for key in left:
        if not is_readable_name(key):
            kinds[split_suffix(key)[1].lower()].append(key)
    return dict(sorted(kinds.items()))


def _unread(left: Sequence[str]) -> Iterator[str]:
    """Name pictures and videos in formats that are not read, and what to do about them."""
    for suffix, keys in _kinds(left).items():
        if words := unread(suffix) if suffix else "":
            are = "are" if len(keys) > 1 else "is"
            yield f"{_files(len(keys))} of suffix {suffix} {are} not read: {words} ({_some(keys)})"


def _unnamed(look: Look, left: Sequence[str]) -> Iterator[Problem]:
    """Name files that are pictures without saying so."""
    paths = dict(look.files)
    for suffix, keys in _kinds(left).items():
        if suffix in _ANNOTATIONS or (suffix and unread(suffix)):
            continue
        if found := _hidden_pictures(paths, keys[:_SNIFFED]):
            what = f"{_files(len(keys))} with {suffix or 'none'} that begin like {found}: {_some(keys)}"
            do = FOREIGN.get(found, f"rename them to end in .{found}")
            yield Problem(keys[0], f"{keys[0]}: expected a suffix that says a picture, got {what}; {do}")


def _hidden_pictures(paths: dict[str, Path], keys: Sequence[str]) -> str:
    """The one picture format that all these files begin like; empty where there is none."""
    found = set()
    for key in keys:
        try:
            found.add(sniff(head(paths[key])))
        except OSError:
            return ""
    kind = found.pop() if len(found) == 1 else None
    return kind if kind in ("jpeg", "png", "gif", "bmp", "tiff", "webp", "jpeg2000", "heif", "avif", "netpbm") else ""


def _bare_folders(look: Look, plain: Look, source: Source, used: frozenset[str], left: Sequence[str]) -> Iterator[str]:
    """Name folders beside class folders from which no image came."""
    if "label" not in carried(source):
        return
    arrangement = plain.arrangement
    above = {f.rpartition("/")[0] for f, says in arrangement.says.items() if says.levels and not says.odd}
    full = {above for folder in {key.rpartition("/")[0] for key in used} for above in _up_from(folder)}
    files: dict[str, list[str]] = defaultdict(list)
    for key in left:
        for folder in _up_from(key.rpartition("/")[0]):
            files[folder].append(key)
    files |= {folder: [] for folder in look.empty}
    bare = {f: keys for f, keys in files.items() if f.rpartition("/")[0] in above and f not in full}
    if bare:
        said = [f"{f} ({', '.join(f'{n} {s}' for s, n in by_suffix(k).items()) or 'empty'})" for f, k in bare.items()]
        yield f"{_files(len(bare), 'folder')} beside class folders gave no image: {_some(sorted(said))}"


def _up_from(folder: str) -> list[str]:
    """A folder and those above it, without the top."""
    parts = folder.split("/")
    return ["/".join(parts[: n + 1]) for n in range(len(parts))] if folder else []


def _other_ways(source: Source, weighed: Weighed | None, left: Sequence[str]) -> Iterator[str]:
    """Name what was seen and is in no record, with the layout that takes it in."""
    if weighed is None:
        return
    has = carried(source)
    over = set(left)
    for one in weighed.candidates:
        if one.layout.name == source.layout or one.guess.sure <= 0.2:
            continue
        if one.fault is not None:
            yield f"{one.guess.why}; this could not be used: {one.fault}"
        elif one.guess.takes is None and (one.takes is None or one.takes & over):
            yield f"{one.guess.why}; pass layout={one.layout.name!r} to read it so"
        elif one.takes is not None and (more := one.carries - has):
            kept = " and ".join(f"the {word}" for word in sorted(more))
            yield f"{one.guess.why}; pass layout={one.layout.name!r} to keep {kept}"


def _files(count: int, what: str = "file") -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
