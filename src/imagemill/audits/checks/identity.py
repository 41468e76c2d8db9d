"""Columns that identify the sample, or what it is of: a patient, a plant, a session."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding
from imagemill.data.layouts.tables.columns.box_columns import squashed
from imagemill.data.layouts.tables.columns.column_names import LICENCE_COLUMNS, SOURCE_COLUMNS
from imagemill.data.records.instances import Scalar

__all__ = ["check_identity", "is_identity"]

_OF_WHAT = re.compile(
    r"(patient|subject|person|participant|animal|individual|plant|specimen|slide|case|study|session|visit|series|scene|"
    r"video|clip|burst|sequence|track|user|donor|owner)(id|no|nr|number|name|key|code|uid)?"
)
"""Names, squashed, of columns that say which of many something is."""
_ID = re.compile(r"(.*[\W_])?(?i:id|uid|uuid)|.*[a-z](Id|ID|UID)")
_FEW = 20
"""Images with a value below which a column tells nothing of this kind."""


def is_identity(name: str) -> bool:
    """Whether a column is called like one that says which of many something is.

    Examples
    --------
    >>> [is_identity(name) for name in ("Patient", "patient_id", "sampleId", "grid", "colour")]
    [True, True, True, False, False]
    """
    return bool(_OF_WHAT.fullmatch(squashed(name)) or _ID.fullmatch(name))


def check_identity(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Columns that identify each image, and columns whose values keep several images together without a group."""
    columns = dict.fromkeys(name for record in survey.records for name in record.attributes)
    if not columns:
        yield NotAsked("identity", "there are no columns besides image and class")
        return
    for name in columns:
        plain = squashed(name)
        if plain in LICENCE_COLUMNS or plain in SOURCE_COLUMNS:
            continue
        rows: dict[Scalar, list[int]] = defaultdict(list)
        for row, record in enumerate(survey.records):
            if (value := record.attributes.get(name)) is not None and value != "":
                rows[value].append(row)
        images = sum(map(len, rows.values()))
        # Measurements differ from image to image as well: numbers with fractions identify nothing.
        if images < _FEW or any(isinstance(value, float) for value in rows):
            continue
        if len(rows) == images and is_identity(name):
            yield Finding(
                "identifier",
                "note",
                f"column {name} has a different value for every image that has one ({images:,})",
                numbers={"images": images},
                advice="it names the sample: never hand it to a network, nor a number made of it",
            )
        elif 1 < len(rows) < images and is_identity(name):
            yield from _together(survey, name, rows)


def _parted(survey: Survey, what: str, rows: dict[Scalar, list[int]]) -> Iterator[Finding]:
    """What is in more than one part, and has to be in one."""
    parted = [value for value, of in rows.items() if len({survey.records[row].split for row in of} - {None}) > 1]
    if parted:
        shown = [row for value in parted for row in rows[value]]
        yield Finding(
            "identity-leak",
            "error",
            f"{many(len(parted), what)} in more than one part ({listed([str(v) for v in parted])}): what is tested was "
            "trained on in other images",
            survey.keys(shown[:200]),
            {"values": len(parted), "images": len(shown)},
            "split anew by it: imagemill split --group COLUMN",
        )


def _together(survey: Survey, name: str, rows: dict[Scalar, list[int]]) -> Iterator[Finding]:
    """Images of one patient, or of whatever a column says, that a split could part, or did."""
    if found := list(_parted(survey, f"value of {name}", rows)):
        yield from found
    elif not any(record.group is not None for record in survey.records):
        several = [of for of in rows.values() if len(of) > 1]
        one_class = sum(len({survey.labels[row] for row in of}) == 1 for of in several)
        yield Finding(
            "identity",
            "note",
            f"column {name} keeps {many(sum(map(len, rows.values())))} together under {many(len(rows), 'value')}; "
            f"{one_class:,} of the {len(several):,} with several images have them in one class",
            survey.keys([row for of in several for row in of][:200]),
            {"values": len(rows), "together": len(several)},
            f"if these are images of one thing or person, split by it: imagemill split --group {name}",
        )
