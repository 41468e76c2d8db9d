"""Several labels in one cell: whether there are, and what stands between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from imagemill.data.layouts.tables.cells.text_lists import list_text

__all__ = ["LIST", "separator_of", "several_labels"]

LIST = "list"
"""Stands for a separator where cells are lists."""


def several_labels(cell: Any, separator: str | None) -> tuple[str, ...]:
    """The labels of a cell: a list, a list as text, or text with something between.

    Parameters
    ----------
    cell : object
    separator : str or None
        None takes a bar.

    Raises
    ------
    ValueError
        When it is none of these.

    Examples
    --------
    >>> several_labels("['cat', 'dog']", None), several_labels("cat; dog", ";"), several_labels("[]", None)
    (('cat', 'dog'), ('cat', 'dog'), ())
    """
    if isinstance(cell, str):
        found = list_text(cell) if cell.strip()[:1] in ("[", "(", "{") else None
        if not isinstance(found, list):
            between = "|" if separator in (None, LIST) else separator
            return tuple(part.strip() for part in cell.split(between) if part.strip())
        cell = found
    if not isinstance(cell, list | tuple):
        cell = [cell]
    if not all(isinstance(one, str | int) for one in cell):
        raise ValueError(str(cell)[:60])
    return tuple(str(one) for one in cell)


def separator_of(cells: Iterable[Any], *, plural: bool, told: str | None = None) -> str | None:
    """What stands between the labels of a cell; `LIST` where cells are lists, None where each holds one label.

    A bar or a semicolon counts wherever it is. A comma or a blank counts where it is shown that what it parts are
    labels: each comes alone too, or in the company of others.

    Parameters
    ----------
    cells : iterable
    plural : bool
        Whether the column is called like several labels; then less has to be shown.
    told : str, optional
        What the user says; it counts where some cell holds it.

    Examples
    --------
    >>> separator_of(["cat|dog", "cat"], plural=False), separator_of(["['cat']"], plural=False)
    ('|', 'list')
    >>> separator_of(["cat dog", "cat", "dog"], plural=False), separator_of(["german shepherd", "pug"], plural=False)
    (' ', None)
    """
    texts: dict[str, None] = {}
    for cell in cells:
        if isinstance(cell, list | tuple):
            return LIST
        if isinstance(cell, str) and cell.strip():
            texts[cell.strip()] = None
    lists = sum(text[0] in "[{(" and isinstance(list_text(text), list) for text in texts)
    if lists and 2 * lists >= len(texts):
        return LIST
    if told is not None:
        return told if any(told in text for text in texts) else None
    for separator in ("|", ";"):
        if any(separator in text for text in texts) and all(map(_plain, texts)):
            return separator
    if plural and any("," in text for text in texts):
        return ","
    return next(
        (mark for mark in (",", " ") if _shown([text.split(mark) for text in texts], mark, plural=plural)), None
    )


def _plain(text: str) -> bool:
    """Whether a text may be names: one line, without quotes."""
    return not any(mark in text for mark in '"\n\r')


def _shown(parted: Sequence[Sequence[str]], mark: str, *, plural: bool) -> bool:
    """Whether parts of texts are labels of their own."""
    cells = [tuple(part.strip() for part in parts if part.strip()) for parts in parted]
    several = [cell for cell in cells if len(cell) > 1]
    if not several or len({len(cell) for cell in cells}) == 1 or any(len(set(cell)) < len(cell) for cell in several):
        return False
    alone = {cell[0] for cell in cells if len(cell) == 1}
    company = Counter(part for cell in cells for part in set(cell))
    strict = mark == " " and not plural
    return all(part in alone or (not strict and company[part] > 1) for cell in several for part in cell)
