"""Rows of delimited text, with the line each one begins on.

The grammar is that of RFC 4180: cells are separated by one character, a cell in double quotes may hold separators, line
ends and doubled quotes; single quotes take their place where the first lines show it. The csv module of the standard
library reads it too, but has one limit on the length of a cell for the whole process, which pictures in cells exceed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["Unclosed", "sniff_quote", "sniff_separator", "stated_separator", "text_rows"]

_IN_SINGLE = re.compile(r"(^|[,;|\t])\s*'[^']*'\s*(?=[,;|\t]|$)")


class Unclosed(Exception):  # noqa: N818 - it is a message on its way to a Problem, not an error of its own
    """A quoted cell that does not end; the argument is the line it begins on."""


def sniff_quote(header: str, first: str = "") -> str:
    """Guess which character encloses cells by the first two lines: a double quote unless cells stand in single ones.

    Examples
    --------
    >>> sniff_quote("'path','label'"), sniff_quote("path,label"), sniff_quote("path,label", "'[1, 2]',cat")
    ("'", '"', "'")
    >>> sniff_quote("id,path", "7,'a.jpg'"), sniff_quote("id,path", "7,Bob's 'a.jpg'")
    ("'", '"')
    """
    for line in (header, first):
        text = line.strip()
        if '"' in text:
            break
        if text[:1] == "'" and text.count("'") % 2 == 0 and re.search(r"'\s*([,;|\t]|$)", text[1:]):
            return "'"
        # Behind a number or another bare cell, too, where no apostrophe stands elsewhere.
        rest, cells = _IN_SINGLE.subn(r"\1", text)
        if cells and "'" not in rest:
            return "'"
    return '"'


def sniff_separator(header: str, quote: str = '"') -> str:
    r"""Guess what stands between the cells of a header: a comma, semicolon, tab or bar; a comma in doubt.

    Examples
    --------
    >>> sniff_separator("path;label"), sniff_separator("path"), sniff_separator('"a;b;c",d')
    (';', ',', ',')
    """
    outside = "".join(header.split(quote)[::2])
    return max(",;\t|", key=outside.count)


def stated_separator(line: str) -> str | None:
    r"""The separator that a first line ``sep=;`` states, as spreadsheets write it; None for any other line.

    Examples
    --------
    >>> stated_separator("sep=;\r\n"), stated_separator('"sep=|"'), stated_separator("sep,label")
    (';', '|', None)
    """
    text = line.rstrip("\r\n").strip('"')
    return text[4] if len(text) == 5 and text[:4].lower() == "sep=" else None


def text_rows(
    lines: Iterable[str], separator: str, quote: str = '"', *, blanks: bool = False
) -> Iterator[tuple[int, list[str]]]:
    r"""Give the number of the line that each row begins on, counted from 1, and its cells.

    Parameters
    ----------
    lines : iterable of str
        With their ends as they are (``\n``, ``\r\n`` or ``\r``). Empty lines are passed over.
    separator : str
        One character.
    quote : str
        What encloses cells that hold separators.
    blanks : bool
        Whether there may be blanks between a separator and a quote, as in tables that are written by hand.

    Raises
    ------
    Unclosed
        When a quote is opened and never closed.

    Examples
    --------
    >>> list(text_rows(['a,"b\n', 'c"\n', '1,"2 ""x"" 3"\n'], ","))
    [(1, ['a', 'b\nc']), (3, ['1', '2 "x" 3'])]
    >>> list(text_rows(["'a', 'b, c'"], ",", "'", blanks=True))
    [(1, ['a', 'b, c'])]
    """
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        if quote not in line:
            text = line.rstrip("\r\n")
            if text:
                yield number, text.split(separator)
            continue
        yield number, _quoted(number, line, numbered, separator, quote, blanks=blanks)


def _quoted(
    number: int, line: str, numbered: Iterator[tuple[int, str]], separator: str, quote: str, *, blanks: bool
) -> list[str]:
    """One row with a quote in it, which may go on over further lines."""
    cells: list[str] = []
    position = 0
    while True:
        parts: list[str] = []
        if blanks:
            while line.startswith(" ", position):
                position += 1
        if line.startswith(quote, position):
            position += 1
            while True:
                end = line.find(quote, position)
                if end < 0:
                    parts.append(line[position:])
                    _, line = next(numbered, (0, ""))
                    position = 0
                    if not line:
                        raise Unclosed(number)
                    continue
                parts.append(line[position:end])
                position = end + 1
                if not line.startswith(quote, position):
                    break
                parts.append(quote)
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
