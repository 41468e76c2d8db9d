"""Rows of delimited text, with the line each one begins on.

The grammar is that of RFC 4180: cells are separated by one character, a cell in double quotes may hold separators,
line ends and doubled quotes. The csv module of the standard library reads it too, but has one limit on the length of a
cell for the whole process, which pictures in cells exceed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["Unclosed", "sniff_separator", "text_rows"]


class Unclosed(Exception):  # noqa: N818 - it is a message on its way to a Problem, not an error of its own
    """A quoted cell that does not end; the argument is the line it begins on."""


def sniff_separator(header: str) -> str:
    r"""Guess what stands between the cells of a header: a comma, semicolon, tab or bar; a comma in doubt.

    Examples
    --------
    >>> sniff_separator("path;label"), sniff_separator("path"), sniff_separator('"a;b;c",d')
    (';', ',', ',')
    """
    outside = "".join(header.split('"')[::2])
    return max(",;\t|", key=outside.count)


def text_rows(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    r"""Give the number of the line that each row begins on, counted from 1, and its cells.

    Parameters
    ----------
    lines : iterable of str
        With their ends as they are (``\n``, ``\r\n`` or ``\r``). Empty lines are passed over.
    separator : str
        One character.

    Raises
    ------
    Unclosed
        When a quote is opened and never closed.

    Examples
    --------
    >>> list(text_rows(['a,"b\n', 'c"\n', '1,"2 ""x"" 3"\n'], ","))
    [(1, ['a', 'b\nc']), (3, ['1', '2 "x" 3'])]
    """
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        if '"' not in line:
            text = line.rstrip("\r\n")
            if text:
                yield number, text.split(separator)
            continue
        yield number, _quoted(number, line, numbered, separator)


def _quoted(number: int, line: str, numbered: Iterator[tuple[int, str]], separator: str) -> list[str]:
    """One row with a quote in it, which may go on over further lines."""
    cells: list[str] = []
    position = 0
    while True:
        parts: list[str] = []
        if line.startswith('"', position):
            position += 1
            while True:
                end = line.find('"', position)
                if end < 0:
                    parts.append(line[position:])
                    _, line = next(numbered, (0, ""))
                    position = 0
                    if not line:
                        raise Unclosed(number)
                    continue
                parts.append(line[position:end])
                position = end + 1
                if not line.startswith('"', position):
                    break
                parts.append('"')
                position += 1
        end = line.find(separator, position)
        rest = line[position:] if end < 0 else line[position:end]
        if end < 0:
            parts.append(rest.rstrip("\r\n"))
            cells.append("".join(parts))
            return cells
        parts.append(rest)
        cells.append("".join(parts))
        position = end + 1
