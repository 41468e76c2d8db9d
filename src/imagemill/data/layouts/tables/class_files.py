"""Lists of class names that lie beside a table: which number is which class."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from imagemill.data.codecs.registry import is_readable_name

__all__ = ["names_beside"]

_LARGEST = 1 << 16
_WORDS = re.compile(r"class|label|categor|dict|map|names")


def names_beside(
    folder: Path, labels: Iterable[Any], tables: Sequence[Path] = ()
) -> tuple[tuple[str, ...], Path | None]:
    """Names of classes that are numbers, where one file of a folder gives each of them a name.

    A file counts that is JSON with ``{"0": "cat", "1": "dog"}`` or ``{"cat": 0, "dog": 1}``, or a table of two columns,
    the numbers from 0 and the names, that is called after classes.

    Parameters
    ----------
    folder : Path
    labels : iterable
        As the table has them; nothing is looked for where one of them is no number.
    tables : sequence of Path
        Files that are something else.

    Returns
    -------
    tuple of str, and Path or None
        The names in the order of their numbers, and the file; nothing where there is none, or several disagree.
    """
    try:
        numbers = {int(label) for label in labels if label is not None and str(label).strip()}
    except (TypeError, ValueError):
        return (), None
    if not numbers or min(numbers) < 0:
        return (), None
    found: dict[tuple[str, ...], Path] = {}
    for path in sorted(folder.iterdir()):
        called = path.suffix.lower() == ".json" or (path.suffix.lower() == ".csv" and _WORDS.search(path.stem.lower()))
        if called and path not in tables and path.is_file() and path.stat().st_size <= _LARGEST:
            names = _numbered(path)
            if len(names) > max(numbers):
                found.setdefault(names, path)
    return next(iter(found.items())) if len(found) == 1 else ((), None)


def _numbered(path: Path) -> tuple[str, ...]:
    """The names in a file in the order of their numbers; none where it is something else."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            found = json.loads(text)
            pairs = list(found.items()) if isinstance(found, Mapping) else []
        else:
            rows = [row for row in csv.reader(text.splitlines()) if row]
            pairs = [(row[0], row[1]) for row in rows] if all(len(row) == 2 for row in rows) else []
    except (OSError, ValueError, RecursionError, csv.Error):
        return ()
    for key, value in ((0, 1), (1, 0)):
        # A table may have names of columns in its first line.
        for some in (pairs, pairs[1:]):
            names = {str(pair[key]).strip(): pair[value] for pair in some}
            if len(names) > 1 and set(names) == {str(n) for n in range(len(some))}:
                texts = tuple(str(names[str(n)]).strip() for n in range(len(some)))
                whole = all(texts) and len(set(texts)) == len(texts) and not all(map(str.isdecimal, texts))
                whole = whole and not any(map(is_readable_name, texts))
                return texts if whole else ()
    return ()
