"""Lists of paths: a text file with one path a line, also with a label behind it, and paths given in memory."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import exporting
from imagemill.data.layouts.folder_names import safe_stems
from imagemill.data.layouts.plain_folders import with_masks
from imagemill.data.layouts.unwritten import lose_the_rest
from imagemill.data.records.record import Record
from imagemill.data.remote.remote_path import as_path, common_folder, is_remote, relative

__all__ = ["ListLayout", "from_paths"]

_LIST = "list.txt"
_APART = re.compile(r"[ \t,;]+")
_NUMBERS = re.compile(r"[-+\d.eE]+([ \t,;]+[-+\d.eE]+)+")


class ListLayout(Layout):
    """A text file with one path per line, also with a label behind it."""

    name = "list"
    title = "a .txt list of paths, or of paths and labels"
    holds = frozenset(("image", "uint16", "float", "channels", "volume", "affine", "label", "hierarchy"))
    place = 20
    writes = True
    recognised = (
        "A text file with a path per line, relative to it; lines that begin with `#` are passed over. Also a "
        "folder with `list.txt`."
    )
    written = "The images by their keys, and `list.txt` in the source's order."

    def guess(self, look: Look) -> Guess | None:
        """Say whether it is a text file, or a folder with ``list.txt``."""
        if look.is_folder:
            # Above a plain folder, below every layout that may have such a file beside it.
            there = any(key == _LIST for key, _ in look.files)
            return Guess(0.25, f"{_LIST} names one image per line") if there else None
        if look.path.suffix.lower() != ".txt":
            return None
        return Guess(0.6, "a text file, which names one image per line")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read the records, one per line; paths may lead anywhere, as a list is written by hand for one machine.

        Behind a path may stand a label (``cat/1.jpg 0``), or a zero or one for each of several labels.
        """
        path = look.path / _LIST if look.is_folder else look.path
        if look.is_folder and not path.is_file():
            raise SourceError(f"expected a .txt file, got the folder {look.path}; give the list in it")
        return with_masks(_list(path), options)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write the images by their keys, and ``list.txt`` in the source's order, labels behind a tabulator."""
        with exporting(out, self.name, options) as job:
            stems = safe_stems({record.key: record.key for record in source}, apart=options.format is not None)
            lines = []
            for record in source:
                if (name := job.image(record, stems[record.key])) is not None:
                    lines.append(f"./{name}\n" if record.label is None else f"./{name}\t{record.label}\n")
            job.text(_LIST, "".join(lines))
            lose_the_rest(job, source, self.holds, self.title)
        return job.written()


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a list: its number, its text, the file it names, and what stands behind that."""

    number: int
    text: str
    file: Path
    behind: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        return f"line {self.number}: {self.text}"


def _list(path: Path) -> Source:
    """Read a list: one path per line, or a path and a label."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"expected {path} to be a list of paths in UTF-8, got {error}; save it as UTF-8 text"
        raise SourceError(msg) from error
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    entries = [_line(path.parent, number, line) for number, line in lines if line and not line.startswith("#")]
    if not entries:
        msg = f"expected {path} to name at least one image, got no path in it; write one path per line"
        raise SourceError(msg)
    bad = [line.shown for line in entries if not _is_file(line.file)]
    shown = "; ".join(bad[:5]) + ("; ..." if len(bad) > 5 else "")
    if len(bad) == len(entries):
        msg = f"expected the paths in {path} to be files, got {len(bad)} that are not: {shown}"
        raise SourceError(f"{msg}; paths are relative to the list's folder")
    keys = _unique(_list_keys(path.parent, [line.file for line in entries]))
    several = _is_one_of_many(entries)
    records = tuple(_record(key, line, several=several) for key, line in zip(keys, entries, strict=True))
    there = [line.file.resolve() for line in entries if _is_file(line.file)]
    again = len(there) - len(set(there))
    notes = [f"{again} lines name a file that came before"] if again else []
    if bad:  # records all the same: reading one says what is wrong, and whoever reads decides what becomes of it
        notes.append(f"{len(bad)} of {len(entries)} lines name no file ({shown})")
    labelled = sum(bool(line.behind) and (several or len(line.behind) == 1) for line in entries)
    if labelled:
        what = "ones among the numbers, counted from 0, as labels" if several else "what stands there as the label"
        notes.append(f"{labelled} of {len(entries)} paths have something behind them: {what}")
    odd = [line for line in entries if len(line.behind) > 1 and not several]
    problems = tuple(
        Problem(
            f"line {line.number}", f"{line.shown}: expected a path, or a path and one label, got more; make a table"
        )
        for line in odd
    )
    return Source(path.parent, "list", records, notes=tuple(notes), problems=problems, also_read=(path,))


def _line(folder: Path, number: int, text: str) -> _Line:
    """Take a line apart: the longest beginning that is a file, and the words behind it.

    A line that is a file as a whole has nothing behind it, blanks in its name or not.
    """
    whole = _file_at(folder, text)
    if not _is_file(whole):
        for gap in reversed(list(_APART.finditer(text))):
            file = _file_at(folder, text[: gap.start()])
            if _is_file(file):
                rest = text[gap.end() :]
                return _Line(number, text, file, tuple(_APART.split(rest)) if _NUMBERS.fullmatch(rest) else (rest,))
    return _Line(number, text, whole)


def _file_at(folder: Path, name: str) -> Path:
    """The file that a line names, without the quotes around it, and with the slashes of this system."""
    name = name[1:-1] if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'" else name
    file = folder / name
    return file if "\\" not in name or _is_file(file) else folder / name.replace("\\", "/")


def _is_one_of_many(lines: Sequence[_Line]) -> bool:
    """Whether every path has as many zeros and ones behind it: one place a label."""
    behind = [line.behind for line in lines]
    return len(behind[0]) > 1 and all(len(b) == len(behind[0]) and set(b) <= {"0", "1"} for b in behind)


def _record(key: str, line: _Line, *, several: bool) -> Record:
    if several:
        labels = tuple(str(place) for place, one in enumerate(line.behind) if one == "1")
        return Record(key, line.file, labels=labels)
    label = line.behind[0] if len(line.behind) == 1 else None
    return Record(key, line.file, label=label)


def from_paths(paths: Sequence[Path | str]) -> Source:
    """Make a source of files, in their order; keys are relative to the folder that all of them share.

    Raises
    ------
    SourceError
        Naming those that are not there.
    """
    files = [as_path(path).absolute() for path in paths]
    bad = [str(file) for file in files if not _is_file(file)]
    if bad:
        shown = "; ".join(bad[:5]) + ("; ..." if len(bad) > 5 else "")
        raise SourceError(f"expected every path to be a file, got {len(bad)} that are not: {shown}; check them")
    root = common_folder([file.parent for file in files])
    keys = _unique([file.relative_to(root).as_posix() for file in files])
    records = tuple(Record(key, file) for key, file in zip(keys, files, strict=True))
    return Source(root, "list", records)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a zero byte in it
        return False


def _list_keys(folder: Path, files: Sequence[Path]) -> list[str]:
    """Keys of a list's files: relative to the list's folder where they are in it, the others to what they share.

    A key decides what is drawn and how outputs are called. So it never holds where a machine keeps its data, and stays
    as it is when the data is moved as a whole.

    Examples
    --------
    >>> _list_keys(Path("/lists"), [Path("/lists/a.png"), Path("/data/cat/1.png"), Path("/data/dog/1.png")])
    ['a.png', 'cat/1.png', 'dog/1.png']
    """
    keys = [Path(relative(file, folder)).as_posix() for file in files]
    outside = [n for n, key in enumerate(keys) if key.split("/")[0] == os.pardir or os.path.isabs(key)]
    # Not `absolute`, which leaves the way back up in a path.
    places = [str(file) if is_remote(str(file)) else os.path.abspath(file) for file in map(files.__getitem__, outside)]
    root = os.path.commonpath([os.path.dirname(place) for place in places]) if places else ""
    for n, place in zip(outside, places, strict=True):
        keys[n] = Path(os.path.relpath(place, root)).as_posix()
    return keys


def _unique(keys: list[str]) -> list[str]:
    """Number repeated keys ``#2``, ``#3``; a key that really ends so keeps its name."""
    taken, counts, unique = set(keys), Counter[str](), []
    for key in keys:
        counts[key] += 1
        name = key
        if counts[key] > 1:
            number = counts[key]
            while (name := f"{key}#{number}") in taken:
                number += 1
            taken.add(name)
        unique.append(name)
    return unique


LAYOUTS: tuple[Layout, ...] = (ListLayout(),)
