"""Licences and sources of images: which are missing, and which tie the hands of whoever trains on them."""

from __future__ import annotations

from collections.abc import Iterator

from imagemill.audits.checks.base import NotAsked, many
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding
from imagemill.verbs.scan.licences import licences_of

__all__ = ["check_licences"]


def check_licences(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Gaps in what is recorded, as `scan` finds them."""
    found = licences_of(survey.source)
    if not found.counts and not found.whole:
        yield Finding(
            "licence",
            "note",
            f"no licence {'' if found.sourced else 'and no source '}is recorded for {many(found.without)}",
            numbers={"images": found.without},
            advice="note where they come from, in a column or a LICENSE file beside them, before passing them on",
        )
    elif not found.sourced:
        yield Finding(
            "source",
            "note",
            f"no source is recorded for {many(len(survey.records))}",
            numbers={"images": len(survey.records)},
            advice="note where each comes from, in a column such as source or url, or in one of --attributes",
        )
    for remark in found.remarks():
        yield Finding("licence", "warning", remark)
