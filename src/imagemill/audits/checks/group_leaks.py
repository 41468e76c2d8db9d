"""Patients, videos and other groups of which a part is trained on and another is tested on."""

from __future__ import annotations

from collections.abc import Iterator

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_groups"]


def check_groups(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Groups in more than one part."""
    if len({record.split for record in survey.records} - {None}) < 2:
        yield NotAsked("group-leak", "there are not two parts")
        return
    parts: dict[str, set[str]] = {}
    for record in survey.records:
        if record.group is not None and record.split is not None:
            parts.setdefault(record.group, set()).add(record.split)
    if not parts:
        yield NotAsked("group-leak", "no image says its patient, video or other group")
        return
    torn = [name for name, of in parts.items() if len(of) > 1]
    if torn:
        apart = set(torn)
        rows = [row for row, record in enumerate(survey.records) if record.group in apart]
        yield Finding(
            "group-leak",
            "error",
            f"{many(len(torn), 'group')} of {len(parts):,} in more than one part ({listed(torn)}): what is tested was "
            "trained on",
            survey.keys(rows),
            {"groups": len(torn), "images": len(rows)},
            "split anew by group: imagemill split --group",
        )
