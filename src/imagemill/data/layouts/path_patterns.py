"""Patterns of paths: ``train-{0000..0009}.tar`` as WebDataset writes them, and ``train-*.tar``."""

from __future__ import annotations

import glob
import itertools
import re
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.remote.remote_path import as_path, is_remote

__all__ = ["braced", "files_like", "is_pattern"]

_BRACES = re.compile(r"\{(\d+\.\.\d+|[^{}]*,[^{}]*)\}")
_MOST = 1_000_000


def is_pattern(path: Path) -> bool:
    """Whether a path, at which nothing is, stands for several files.

    Examples
    --------
    >>> is_pattern(Path("train-{0..9}.tar")), is_pattern(Path("*.tar")), is_pattern(Path("a.tar"))
    (True, True, False)
    """
    return _BRACES.search(str(path)) is not None or glob.has_magic(str(path))


def braced(text: str) -> list[str]:
    """Every path that braces stand for; a range counts with as many digits as it begins with.

    Raises
    ------
    SourceError
        When they stand for more than a million.

    Examples
    --------
    >>> braced("a-{08..10}.tar"), braced("{train,val}-{0..1}"), braced("a.tar")
    (['a-08.tar', 'a-09.tar', 'a-10.tar'], ['train-0', 'train-1', 'val-0', 'val-1'], ['a.tar'])
    """
    pieces = _BRACES.split(text)
    choices: list[list[str]] = []
    total = 1
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            choices.append([piece])
            continue
        if ".." in piece and "," not in piece:
            first, last = piece.split("..")
            step = 1 if int(first) <= int(last) else -1
            numbers = range(int(first), int(last) + step, step)
            total *= len(numbers)
            _bounded(total, text)
            choices.append([f"{n:0{len(first)}d}" for n in numbers])
        else:
            choices.append(piece.split(","))
            total *= len(choices[-1])
            _bounded(total, text)
    return ["".join(parts) for parts in itertools.product(*choices)]


def _bounded(total: int, text: str) -> None:
    if total > _MOST:
        raise SourceError(
            f"expected a pattern of at most {_MOST:,} files, got {total:,} in {text!r}; correct the range"
        )


def _remote_like(text: str) -> list[Path]:
    """Files of another file system that a pattern stands for."""
    parts = as_path(text).parts
    plain = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    if plain == len(parts):
        return [path] if (path := as_path(text)).is_file() else []
    return sorted(as_path(Path(*parts[:plain])).glob("/".join(parts[plain:])))


def files_like(pattern: Path) -> list[Path]:
    """The files that a pattern stands for, in its order.

    Raises
    ------
    SourceError
        When there is none, or one of those that braces name is missing.
    """
    found: list[Path] = []
    missing: list[str] = []
    for text in braced(str(pattern)):
        if is_remote(text):
            found += _remote_like(text)
        elif glob.has_magic(text):
            found += sorted(Path(name) for name in glob.glob(text, recursive=True) if Path(name).is_file())
        elif Path(text).is_file():
            found.append(Path(text))
        else:
            missing.append(text)
    if not found:
        msg = f"expected files like {str(pattern)!r}, got none"
        raise SourceError(f"{msg}; check the spelling, and write ** for folders of any depth")
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        msg = f"expected {len(found) + len(missing)} files like {str(pattern)!r}, got {len(found)}"
        raise SourceError(f"{msg}: {shown} not there; get them, or correct the range")
    return found
