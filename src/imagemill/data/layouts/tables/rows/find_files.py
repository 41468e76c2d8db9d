"""Finding the files that a table names: without suffix, in a folder it does not say, or by paths of another machine."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.folder_names import is_mask_role, split_named
from imagemill.data.layouts.walk import walk_files
from imagemill.data.records.record import split_suffix

__all__ = ["Finder", "Trail", "path_parts"]

_SAMPLE = 200


def path_parts(text: str) -> tuple[str, ...]:
    r"""The parts of a path of any machine, without its drive and root.

    Examples
    --------
    >>> path_parts(r"C:\data\cat\1.jpg"), path_parts("/content/./1.jpg")
    (('data', 'cat', '1.jpg'), ('content', '1.jpg'))
    """
    text = text.strip().replace("\\", "/")
    if len(text) > 1 and text[1] == ":" and text[0].isalpha():
        text = text[2:]
    return tuple(part for part in text.split("/") if part not in ("", ".", ".."))


def _folded(text: str) -> str:
    """A name without what file systems and tools write differently: Unicode's forms, upper and lower case."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


@dataclass(slots=False)
class Finder:
    """The images below a folder, by the ends of their paths.

    Parameters
    ----------
    root : Path
        The folder.
    files : sequence of (str, Path), optional
        Keys and paths of its files, where they were listed before; else it is walked when that is first needed.

    Examples
    --------
    >>> finder = Finder(Path("d"), [("images/1.jpg", Path("d/images/1.jpg")), ("masks/1.png", Path("d/masks/1.png"))])
    >>> finder.trail(["/content/x/1"]).find("/content/x/1")
    ['images/1.jpg']
    """

    root: Path
    files: Sequence[tuple[str, Path]] | None = None

    @cached_property
    def _index(self) -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, list[str]]]:
        """Keys by folded name, by folded stem, and by stems that are numbers without their leading zeros."""
        files = self.files if self.files is not None else list(walk_files(self.root))
        names: dict[str, list[str]] = {}
        stems: dict[str, list[str]] = {}
        numbers: dict[str, list[str]] = {}
        for key, path in files:
            if is_readable_name(path):
                name = key.rpartition("/")[2]
                names.setdefault(_folded(name), []).append(key)
                stem = split_suffix(name)[0]
                stems.setdefault(_folded(stem), []).append(key)
                if stem.isdecimal() and stem.startswith("0"):
                    numbers.setdefault(stem.lstrip("0") or "0", []).append(key)
        return names, stems, numbers

    def ending(self, parts: Sequence[str]) -> list[str]:
        """Keys that end with the parts of a path; without suffix where none does with it."""
        if not parts:
            return []
        names, stems, numbers = self._index
        wanted = [_folded(part) for part in parts]
        for index, without in ((names, False), (stems, True)):
            found = [key for key in index.get(wanted[-1], ()) if _ends(key.split("/"), wanted, without=without)]
            if found:
                return found
        if wanted[-1].isdecimal():  # spreadsheets take leading zeros off
            there = numbers.get(wanted[-1], ())
            return [key for key in there if _ends(key.split("/")[:-1], wanted[:-1], without=False)]
        return []

    def trail(self, texts: Iterable[str]) -> Trail:
        """Find out from some paths of a table what leads to their files.

        Where some are there as they are written, only other spellings of the same path are looked for. Where none is,
        the folders that all of them begin with may be those of another machine.
        """
        sample = [parts for text in list(texts)[:_SAMPLE] if (parts := path_parts(text))]
        if not sample:
            return Trail(self)
        whole = sum(any(len(key.split("/")) == len(parts) for key in self.ending(parts)) for parts in sample)
        common = _common([parts[:-1] for parts in sample])
        hits = [sum(bool(self.ending(parts[strip:])) for parts in sample) for strip in range(len(common) + 1)]
        best = max(hits)
        if not best or best <= 4 * whole:  # a few may be there by chance
            return Trail(self)
        strip = hits.index(best)
        votes = Counter[str]()
        for parts in sample:
            votes.update({_before(key, len(parts) - strip) for key in self.ending(parts[strip:])})
        return Trail(self, strip, anywhere=True, votes=votes, begin="/".join(common[:strip]))


def _ends(have: Sequence[str], wanted: Sequence[str], *, without: bool) -> bool:
    """Whether the parts of a key end with others, its name with or without suffix."""
    if len(have) < len(wanted):
        return False
    if not wanted:
        return True
    last = split_suffix(have[-1])[0] if without else have[-1]
    return [*map(_folded, have[len(have) - len(wanted) : -1]), _folded(last)] == [*wanted]


@dataclass(frozen=True, slots=True)
class Trail:
    """How the paths of one column lead to files.

    Parameters
    ----------
    finder : Finder
    strip : int
        So many leading folders are left out.
    anywhere : bool
        Whether what is left may begin in any folder.
    votes : Counter
        How many paths lead into each folder.
    begin : str
        The folders that are left out.
    """

    finder: Finder
    strip: int = 0
    anywhere: bool = False
    votes: Counter[str] = field(default_factory=Counter)
    begin: str = ""

    def find(self, text: str, hints: Sequence[str] = (), *, mask: bool = False) -> list[str]:
        """Keys of the files that a path may mean: one where it is clear, none, or several.

        Parameters
        ----------
        text : str
            The path as the table has it.
        hints : sequence of str
            What else the row says, such as its split and its class: of several files, those in folders of these names.
        mask : bool
            Whether a label map is meant.
        """
        parts = path_parts(text)
        if not self.anywhere:
            if ".." in text:  # it leads somewhere else
                return []
            return [key for key in self.finder.ending(parts) if key.count("/") == len(parts) - 1]
        parts = parts[self.strip :]
        found = self.finder.ending(parts)
        if len(found) < 2:
            return found
        tail = "/".join(parts)
        found = [key for key in found if key == tail or key.endswith("/" + tail)] or found
        found = [key for key in found if any(map(is_mask_role, key.split("/")[:-1])) == mask] or found
        for hint in hints:
            found = [key for key in found if any(_named(folder, hint) for folder in key.split("/")[:-1])] or found
        most = max(self.votes[_before(key, len(parts))] for key in found)
        return [key for key in found if self.votes[_before(key, len(parts))] == most]


def _named(folder: str, hint: str) -> bool:
    return _folded(folder) == _folded(hint) or split_named(folder) == hint


def _before(key: str, parts: int) -> str:
    """The folders of a key before its last so many parts."""
    return "/".join(key.split("/")[:-parts])


def _common(folders: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The folders that all paths begin with."""
    first, last = min(map(tuple, folders)), max(map(tuple, folders))
    for n, (a, b) in enumerate(zip(first, last, strict=False)):
        if a != b:
            return first[:n]
    return first[: len(last)]
