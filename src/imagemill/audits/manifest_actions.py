"""What an audit found, put into a new manifest: rows left out or grouped. Images are never touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from pyarrow import parquet

from imagemill.audits.survey import Survey
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.findings import Finding
from imagemill.data.atomic import atomic_path
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.tables.cells.annotation_cells import objects_cell
from imagemill.data.layouts.tables.formats.columnar_read import META
from imagemill.data.layouts.tables.rows.write_rows import attribute_column
from imagemill.data.layouts.tables.sidecar import SIDECAR, sidecar_plain
from imagemill.data.records.loading import pixels_name
from imagemill.data.records.record import Pixels

__all__ = ["ACTIONS", "new_manifest"]


def _copies(survey: Survey, _: Sequence[Finding]) -> set[int]:
    return {row for cluster in survey.clusters for row in cluster.rows[1:]}


def _corrupt(survey: Survey, findings: Sequence[Finding]) -> set[int]:
    cut = {key for finding in findings if finding.rule == "cut-off" for key in finding.places}
    return {
        row
        for row, (record, glance) in enumerate(zip(survey.records, survey.glances, strict=True))
        if glance is None or record.key in cut or (glance.label_map is not None and glance.label_map.fault)
    }


def _named_by(rule: str, survey: Survey, findings: Sequence[Finding]) -> set[int]:
    """The rows that findings of a rule name."""
    keys = {str(key) for finding in findings if finding.rule == rule for key in finding.places}
    return {survey.row_of[key] for key in keys if key in survey.row_of}


_QUALITY = ("flat", "dark", "light", "blurred", "noisy", "low-information", "odd-size")
"""Rules whose images may be left out by name: faults of single images that more or better labels do not mend."""

ACTIONS: dict[str, Callable[[Survey, Sequence[Finding]], set[int]] | None] = {
    "drop-duplicates": _copies,
    "quarantine-corrupt": _corrupt,
    **{f"quarantine-{rule}": partial(_named_by, rule) for rule in _QUALITY},
    "regroup": None,
    "none-of-these": None,
    "review": None,
}
"""Actions by name, with the rows that each leaves out."""

NONE_OF_THESE = "none of these"
"""The class of images that show nothing of what the others are of."""


def new_manifest(survey: Survey, findings: Sequence[Finding], actions: Sequence[str], path: Path) -> Mapping[str, int]:
    """Write the rows that are kept, with all that the source says of them.

    Raises
    ------
    ParameterError
        For an action that is none, and for ``"review"`` beside others.
    InputError
        For a file of another kind, or images that have no path of their own.
    """
    if wrong := sorted(set(actions) - set(ACTIONS)):
        raise ParameterError(f"expected actions of {', '.join(ACTIONS)}, got {', '.join(wrong)}")
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"expected a .csv or .parquet file for the manifest, got {str(path)!r}; give one of these")
    if "review" in actions:
        if len(set(actions)) > 1:
            raise ParameterError(f"expected review alone, got {', '.join(actions)}; it keeps what others leave out")
        return _review(survey, findings, path)
    left: set[int] = set()
    told: dict[str, int] = {}
    groups = [record.group for record in survey.records]
    other: set[int] = set()
    for name in dict.fromkeys(actions):
        action = ACTIONS[name]
        if name == "none-of-these":
            other = _named_by("off-topic", survey, findings)
            told[name] = len(other)
            continue
        if action is None:
            told[name] = _regroup(survey, groups)
            continue
        rows = action(survey, findings)
        left |= rows
        told[name] = len(rows)
    kept = [row for row in range(len(survey.records)) if row not in left]
    if not kept:
        raise InputError("expected images that are kept, got none left; look at the findings first")
    _written(_table(survey, kept, groups, path.resolve().parent, other), path, survey.source)
    return told


def _review(survey: Survey, findings: Sequence[Finding], path: Path) -> Mapping[str, int]:
    """A list for people: the images that findings name, the most often named first, with the rules that name them."""
    rules: dict[int, list[str]] = {}
    for finding in findings:
        for key in dict.fromkeys(map(str, finding.places)):
            if key in survey.row_of:
                rules.setdefault(survey.row_of[key], []).append(finding.rule)
    if not rules:
        raise InputError("expected findings that name images, got none; there is nothing to review")
    rows = sorted(rules, key=lambda row: (-len(rules[row]), row))
    table = _table(survey, rows, [record.group for record in survey.records], path.resolve().parent)
    found = pl.Series("findings", [", ".join(dict.fromkeys(rules[row])) for row in rows])
    _written(table.with_columns(found), path, survey.source)
    return {"review": len(rows)}


def _written(table: pl.DataFrame, path: Path, source: Source) -> None:
    """The table, and what the source knows of all images together: inside a Parquet file, beside a CSV file."""
    whole = sidecar_plain(source)
    if "label" in table.columns and not set(table["label"].drop_nulls()) <= set(source.classes):
        whole.pop("classes", None)  # an action made a class that the source does not know
    if path.suffix.lower() != ".csv":
        arrow = table.to_arrow()
        said = {META: json.dumps(whole, ensure_ascii=False).encode()} if whole else {}
        with atomic_path(path) as part:
            parquet.write_table(arrow.replace_schema_metadata(said), part)
        return
    if set(whole) & _NOT_IN_ROWS:
        _beside(path.parent / SIDECAR, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    with atomic_path(path) as part:
        table.write_csv(part)


_NOT_IN_ROWS = {"joint_names", "links", "info"}
"""What a source knows that no row of its table says."""


def _beside(path: Path, text: str) -> None:
    """The names of keypoints and the like, which hold for every table of a folder."""
    if path.exists():
        if path.read_text("utf-8") == text:
            return
        raise InputError(
            f"expected no {path.name} of another dataset beside the manifest, got {path}; "
            "write the manifest as .parquet, which holds names of keypoints itself, or into a folder of its own"
        )
    with atomic_path(path) as part:
        part.write_text(text, "utf-8")


def _regroup(survey: Survey, groups: list[str | None]) -> int:
    """Give copies one group, and with them all that was in a group of one of them; how many images that concerns."""
    concerned: set[int] = set()
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        if group is not None:
            members.setdefault(group, []).append(row)
    for cluster in survey.clusters:
        rows = set(cluster.rows)
        for group in {groups[row] for row in cluster.rows} - {None}:
            rows |= set(members[str(group)])
        name = groups[min(rows)] or f"copies of {survey.records[cluster.rows[0]].key}"
        for row in rows:
            groups[row] = name
        members[name] = sorted(rows)
        concerned |= rows
    return len(concerned)


def _said(where: Pixels, below: Path) -> str:
    """The path, relative to the folder of the manifest where it lies below it, so that both can be moved together."""
    path = Path(pixels_name(where)).resolve()
    return path.relative_to(below).as_posix() if path.is_relative_to(below) else str(path)


def _table(
    survey: Survey, kept: Sequence[int], groups: Sequence[str | None], below: Path, other: Collection[int] = ()
) -> pl.DataFrame:
    """One row an image: its path, and what the source says of it; `other` are rows that belong to no class."""
    records = [survey.records[row] for row in kept]
    inside = [r.key for r in records if not isinstance(r.image, Path) or not isinstance(r.mask, Path | None)]
    if inside:
        raise InputError(
            f"expected images and label maps that are files of their own, got {inside[0]} inside another file; "
            "do: imagemill export DATA -o FOLDER --to class-folders, and audit that"
        )
    attributes = dict.fromkeys(name for record in records for name in record.attributes)
    columns: dict[str, list[Any]] = {
        "key": [record.key for record in records],
        "path": [_said(record.image, below) for record in records],
        "mask": [None if record.mask is None else _said(record.mask, below) for record in records],
        "label": [NONE_OF_THESE if row in other else survey.records[row].label for row in kept],
        "labels": [None if r.labels is None else json.dumps(r.labels) for r in records],
        "split": [record.split for record in records],
        "group": [groups[row] for row in kept],
        "height": [None if record.size is None else record.size[0] for record in records],
        "width": [None if record.size is None else record.size[1] for record in records],
        "objects": [None if r.objects is None else json.dumps(objects_cell(r.objects)) for r in records],
        **{attribute_column(name): [r.attributes.get(name) for r in records] for name in attributes},
    }
    return pl.DataFrame({name: values for name, values in columns.items() if any(v is not None for v in values)},
                        strict=False)  # fmt: skip
