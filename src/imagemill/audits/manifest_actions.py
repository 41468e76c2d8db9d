"""What an audit found, put into a new manifest: rows left out or grouped. Images are never touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl

from imagemill.audits.survey import Survey
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.findings import Finding
from imagemill.data.atomic import atomic_path
from imagemill.data.records.loading import pixels_name

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


ACTIONS: dict[str, Callable[[Survey, Sequence[Finding]], set[int]] | None] = {
    "drop-duplicates": _copies,
    "quarantine-corrupt": _corrupt,
    "regroup": None,
}
"""Actions by name, with the rows that each leaves out."""


def new_manifest(survey: Survey, findings: Sequence[Finding], actions: Sequence[str], path: Path) -> Mapping[str, int]:
    """Write the rows that are kept.

    Raises
    ------
    ParameterError
        For an action that is none.
    InputError
        For a file of another kind, or images that have no path of their own.
    """
    if wrong := sorted(set(actions) - set(ACTIONS)):
        raise ParameterError(f"expected actions of {', '.join(ACTIONS)}, got {', '.join(wrong)}")
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"expected a .csv or .parquet file for the manifest, got {str(path)!r}; give one of these")
    left: set[int] = set()
    told: dict[str, int] = {}
    for name in dict.fromkeys(actions):
        action = ACTIONS[name]
        if action is not None:
            rows = action(survey, findings)
            left |= rows
            told[name] = len(rows)
    groups = [record.group for record in survey.records]
    if "regroup" in actions:
        told["regroup"] = _regroup(survey, groups)
    kept = [row for row in range(len(survey.records)) if row not in left]
    if not kept:
        raise InputError("expected images that are kept, got none left; look at the findings first")
    with atomic_path(path) as part:
        table = _table(survey, kept, groups)
        if path.suffix.lower() == ".csv":
            table.write_csv(part)
        else:
            table.write_parquet(part)
    return told


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


def _table(survey: Survey, kept: Sequence[int], groups: Sequence[str | None]) -> pl.DataFrame:
    """One row an image: its path, and what the source says of it."""
    records = [survey.records[row] for row in kept]
    inside = [record.key for record in records if not isinstance(record.image, Path)]
    if inside:
        raise InputError(
            f"expected images that are files of their own, got {inside[0]} inside another file; "
            "do: imagemill export DATA -o FOLDER --to class-folders, and audit that"
        )
    columns: dict[str, list[str | None]] = {"path": [str(Path(pixels_name(r.image)).resolve()) for r in records]}
    several = any(record.labels is not None for record in records)
    labels = [("|".join(r.labels) if r.labels is not None else r.label) for r in records] if several else [
        record.label for record in records
    ]  # fmt: skip
    for name, values in (
        ("label", labels),
        ("split", [record.split for record in records]),
        ("group", [groups[row] for row in kept]),
        ("mask", [None if r.mask is None else str(Path(pixels_name(r.mask)).resolve()) for r in records]),
    ):
        if any(value is not None for value in values):
            columns[name] = values
    return pl.DataFrame(columns)
