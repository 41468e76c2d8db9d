"""Copies: the same image twice, as it is, re-encoded, resized, squashed, flipped or turned; and what they spoil.

A copy across parts is a leak, a copy in another class a contradiction, and a copy beside its twin counts twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from imagemill.audits.checks.base import NotAsked, many
from imagemill.audits.clusters import HOW, Cluster
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_copies"]


def check_copies(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Leaks, contradictions, and images that count twice."""
    if len(survey.seen) < 2:
        yield NotAsked("copies", "there are not two images that can be read")
        return
    found = survey.clusters
    parts = [record.split for record in survey.records]
    leaks = [c for c in found if len({parts[row] for row in c.rows} - {None}) > 1]
    torn = [c for c in found if len({survey.labels[row] for row in c.rows} - {None}) > 1]
    groups = [c for c in found if len({survey.records[row].group for row in c.rows}) > 1]
    if leaks:
        yield _finding(
            survey, leaks, "leak", "error", "in more than one part: what is tested was trained on",
            "keep them together with --apply regroup, or drop copies with --apply drop-duplicates",
        )  # fmt: skip
    if torn:
        yield _finding(
            survey, torn, "contradiction", "error", "in more than one class: one of the labels is wrong",
            "look at them and correct the labels",
        )  # fmt: skip
    if found:
        straddle = [c for c in groups if any(survey.records[row].group is not None for row in c.rows)]
        said = f" ({many(len(straddle), 'content')} in more than one group)" if straddle else ""
        yield _finding(
            survey, list(found), "copies", "warning", f"more than once{said}",
            "drop all but the first of each with --apply drop-duplicates",
        )  # fmt: skip


def _finding(survey: Survey, found: list[Cluster], rule: str, level: str, what: str, advice: str) -> Finding:
    """Clusters as one finding, those of the most images first."""
    found = sorted(found, key=lambda cluster: -len(cluster.rows))
    images = sum(len(cluster.rows) for cluster in found)
    kinds = [f"{sum(c.how == how for c in found):,} {how}" for how in HOW if any(c.how == how for c in found)]
    return Finding(
        rule,
        level,
        f"{many(len(found), 'content')} ({many(images)}) {what}; {', '.join(kinds)}",
        tuple(key for cluster in found for key in survey.keys(cluster.rows)),
        {"contents": len(found), "images": images, "extra": images - len(found)},
        advice,
    )
