"""What has to stay on one side of a split, and what there is to say about a split.

Groups are those of a column (a patient, a video). Pictures of the same content are together too, whatever groups say: a
group that shares a picture with another one goes with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.core.errors import InputError
from imagemill.data.layouts.tables.columns.column_names import role_of
from imagemill.data.records.record import Record
from imagemill.data.splits.duplicates import Contents
from imagemill.data.splits.split import PARTS, Labels, Shares, assign

__all__ = ["Division", "column_named", "divide", "grouped", "remarks_on"]

_SHOWN = 5


def column_named(asked: str, columns: Sequence[str], called: Mapping[str, str] | None = None) -> str | None:
    """The column that is meant by a name: so called, or so called but for case and spaces, or the one of its role.

    Parameters
    ----------
    asked : str
    columns : sequence of str
    called : mapping, optional
        What columns were called in the table before they got a role: "patient" is called "group" since.

    Examples
    --------
    >>> column_named("Patient ID", ["key", "patient_id"]), column_named("patient", ["key", "group"])
    ('patient_id', 'group')
    >>> column_named("cow", ["key", "label"], {"label": "cow"})
    'label'
    """
    if asked in columns:
        return asked
    called = called or {}
    plain = {_plain(name): name for name in reversed(columns)}
    plain |= {_plain(name): role for role, name in called.items() if role in columns}
    if (same := plain.get(_plain(asked))) is not None:
        return same
    role = role_of(asked)
    return role if role in columns and role not in called else None


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _pattern(asked: str) -> re.Pattern[str] | None:
    """A regular expression with a group in it, which finds groups in keys; None for a name."""
    if "(" not in asked:
        return None
    try:
        found = re.compile(asked)
    except re.error as error:
        raise InputError(
            f"expected a column, or a regular expression over keys, for group, got {asked!r}: {error}; mend it"
        ) from None
    return found if found.groups else None


def grouped(
    columns: Mapping[str, Sequence[Any]], asked: str | None, called: Mapping[str, str] | None = None
) -> list[str | None]:
    r"""The group of every record: as the source says it, one of its columns, or what a pattern finds in the keys.

    Parameters
    ----------
    columns : dict
        Values by column, ``key`` among them.
    asked : str or None
        A column; or a regular expression with parentheses, such as ``"(p\d+)_"``, of which the first are the group.
    called : mapping, optional
        As for `column_named`.

    Raises
    ------
    InputError
        When no record has that column, or the pattern finds nothing.

    Examples
    --------
    >>> grouped({"key": ["p1_a.png", "p1_b.png", "p2_a.png"]}, r"(p\d+)_")
    ['p1', 'p1', 'p2']
    """
    keys = columns["key"]
    if asked is None:
        return [_text(value) for value in columns.get("group", [None] * len(keys))]
    known = [name for name, values in columns.items() if name != "key" and any(value is not None for value in values)]
    name = column_named(asked, known, called)
    if name is not None:
        return [_text(value) for value in columns[name]]
    if asked == "group":
        return [None] * len(keys)
    pattern = _pattern(asked)
    found = [] if pattern is None else [None if (m := pattern.search(key)) is None else m[1] for key in keys]
    if not any(one is not None for one in found):
        do = "or give a regular expression over keys with the group in parentheses, such as '(p[0-9]+)_'"
        raise InputError(
            f"expected the name of a column for group, got {asked!r}; choose one of {known or 'none'}, {do}"
        )
    return found


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def columns_of(records: Sequence[Record]) -> dict[str, Sequence[Any]]:
    """What `grouped` takes, of records."""
    found: dict[str, Sequence[Any]] = {
        name: [getattr(record, name) for record in records] for name in ("key", "group", "label", "split")
    }
    for name in dict.fromkeys(name for record in records for name in record.attributes):
        found.setdefault(name, [record.attributes.get(name) for record in records])
    return found


@dataclass(frozen=True, slots=True)
class Division:
    """A split and what there is to say about it.

    Parameters
    ----------
    parts : list of str
        ``"train"``, ``"val"`` or ``"test"`` for each record.
    notes : tuple of str
        What was kept together.
    warnings : tuple of str
        What makes a part useless.
    is_grouped : bool
        Whether anything was kept together.
    """

    parts: list[str]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    is_grouped: bool = False


def divide(
    keys: Sequence[str],
    shares: Shares,
    labels: Labels | None,
    groups: Sequence[str | None],
    contents: Contents,
    seed: int,
) -> Division:
    """Divide records as `assign` does, with pictures of the same content on one side.

    Examples
    --------
    >>> made = divide(["a", "b", "c", "d"], Shares(0.5, 0.0, 0.5), None, [None] * 4, Contents((0, None, None, 0)), 0)
    >>> made.parts[0] == made.parts[3], sorted(made.parts)
    (True, ['test', 'test', 'train', 'train'])
    """
    notes = [contents.note] if contents.note else []
    together = _together(keys, groups, contents.ids)
    wanted = sum(count > 0 for count in shares.counts(len(keys)))
    alone = _together(keys, groups, [None] * len(keys))
    if contents.copies:
        if _units(together) < min(wanted, _units(alone)):
            together = alone
            different = _units(_together(keys, [None] * len(keys), contents.ids))
            notes.append(
                f"only {different} of {len(keys)} pictures {'is' if different == 1 else 'are'} different: "
                "too few to keep the same picture on one side of the split"
            )
        else:
            notes.append(_said(keys, contents))
    parts = assign(keys, shares, labels=labels, groups=together, seed=seed)
    is_grouped = any(one is not None for one in together)
    asked = [part for part, count in zip(PARTS, shares.counts(len(keys)), strict=True) if count]
    warned = remarks_on(parts, labels, asked, together if is_grouped else None)
    return Division(parts, tuple(notes), warned, is_grouped)


def _said(keys: Sequence[str], contents: Contents) -> str:
    """How many pictures are there more than once, and which."""
    held: dict[int, list[str]] = {}
    for key, one in zip(keys, contents.ids, strict=True):
        if one is not None:
            held.setdefault(one, []).append(key)
    shown = "; ".join(f"{names[0]} = {names[1]}" for names in list(held.values())[:3])
    more = f" and {len(held) - 3} more" if len(held) > 3 else ""
    count = "1 picture is" if len(held) == 1 else f"{len(held)} pictures are"
    return f"{count} there more than once ({shown}{more}): all of its kind go to one side of the split"


def _units(groups: Sequence[str | None]) -> int:
    """How many things there are that can be placed apart."""
    return len({one for one in groups if one is not None}) + sum(one is None for one in groups)


def _together(keys: Sequence[str], groups: Sequence[str | None], contents: Sequence[int | None]) -> list[str | None]:
    """The union of groups and of equal contents; None for a record that belongs to nothing else."""
    if all(one is None for one in contents):
        return list(groups)
    parent: dict[tuple[int, Any], tuple[int, Any]] = {}

    def root(node: tuple[int, Any]) -> tuple[int, Any]:
        path = []
        while (up := parent.setdefault(node, node)) != node:
            path.append(node)
            node = up
        parent.update(dict.fromkeys(path, node))
        return node

    nodes: list[tuple[int, Any] | None] = []
    for group, content in zip(groups, contents, strict=True):
        of_group = None if group is None else (0, group)
        of_content = None if content is None else (1, content)
        if of_group is not None and of_content is not None:
            parent[root(of_content)] = root(of_group)
        nodes.append(of_group or of_content)
    # Named by what is in it, so that neither the order of the records nor that of the numbers shows.
    names: dict[tuple[int, Any], str] = {}
    for key, group, node in zip(keys, groups, nodes, strict=True):
        if node is not None:
            name = f"\0{key}" if group is None else group
            at = root(node)
            # Groups come before keys where a unit has both.
            names[at] = name if at not in names else min(names[at], name, key=lambda n: (n.startswith("\0"), n))
    return [None if node is None else names[root(node)] for node in nodes]


def remarks_on(
    parts: Sequence[str | None],
    labels: Labels | None,
    asked: Sequence[str] = (),
    groups: Sequence[str | None] | None = None,
) -> tuple[str, ...]:
    """What makes a split useless: parts without a picture, classes that are not in the training part.

    Parameters
    ----------
    parts : sequence of str or None
    labels : sequence of str, tuple of str or None, or None
    asked : sequence of str
        Parts that there should be.
    groups : sequence of str or None, optional
        What was kept together.

    Examples
    --------
    >>> remarks_on(["train", "test"], ["cat", "dog"])
    ('1 class has no picture in the training part (dog): a network cannot learn it',)
    """
    held = {part for part in parts if part is not None}
    said = []
    for part in asked:
        if part not in held:
            of = "" if groups is None else f": {_units(groups)} groups for {len(asked)} parts"
            said.append(f"no picture is left for the {_PART[part]} part{of}; ask for fewer parts, or larger ones")
    if labels is None or "train" not in held:
        return tuple(said)
    known: Counter[str] = Counter()
    learned: set[str] = set()
    for where, label in zip(parts, labels, strict=True):
        names = () if label is None else label if isinstance(label, tuple) else (label,)
        known.update(names)
        if where == "train":
            learned.update(names)
    missing = [name for name in known if name not in learned]
    if missing:
        shown = ", ".join(missing[:_SHOWN]) + (f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else "")
        count = "1 class has" if len(missing) == 1 else f"{len(missing)} classes have"
        them = "it" if len(missing) == 1 else "them"
        said.append(f"{count} no picture in the training part ({shown}): a network cannot learn {them}")
    return tuple(said)


_PART = {"train": "training", "val": "validation", "test": "test"}
