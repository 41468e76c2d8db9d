"""Copies: the same image twice, re-encoded, resized, flipped, turned, cropped, recoloured; and what they spoil.

A copy across parts is a leak, a copy in another class a contradiction, one in another group a group too many, and one
beside its twin counts twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from imagemill.audits.checks.base import NotAsked, many
from imagemill.audits.clusters import HOW, Cluster
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_copies"]

_BURST = timedelta(seconds=60)
"""Photos of one content taken within this time are a burst."""


def check_copies(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Leaks, contradictions, groups that belong together, and images that count twice."""
    if len(survey.seen) < 2:
        yield NotAsked("copies", "there are not two images that can be read")
        return
    found = survey.clusters
    parts = [record.split for record in survey.records]
    groups = [record.group for record in survey.records]
    leaks = [c for c in found if len({parts[row] for row in c.rows} - {None}) > 1]
    torn = [c for c in found if len({survey.labels[row] for row in c.rows} - {None}) > 1]
    straddling = [c for c in found if len({groups[row] for row in c.rows} - {None}) > 1]
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
    if straddling:
        yield _finding(
            survey, straddling, "group-copies", "warning", "in more than one group: the groups belong together",
            "join them with --apply regroup before you split",
        )  # fmt: skip
    if found:
        yield _finding(
            survey, list(found), "copies", "warning", "more than once",
            "drop all but the one to keep of each with --apply drop-duplicates",
        )  # fmt: skip


def _finding(survey: Survey, found: list[Cluster], rule: str, level: str, what: str, advice: str) -> Finding:
    """Clusters as one finding: those that most speaks for first."""
    best = np.full(len(survey.records), -np.inf)
    np.maximum.at(best, survey.pairs.first, survey.pairs.score)
    np.maximum.at(best, survey.pairs.second, survey.pairs.score)
    found = sorted(found, key=lambda cluster: -float(best[list(cluster.rows)].max()))
    images = sum(len(cluster.rows) for cluster in found)
    kinds = [f"{sum(c.how == how for c in found):,} {how}" for how in HOW if any(c.how == how for c in found)]
    bursts = sum(_is_burst(survey, cluster) for cluster in found)
    taken = f"; {many(bursts, 'content')} of photos taken within a minute" if bursts else ""
    return Finding(
        rule,
        level,
        f"{many(len(found), 'content')} ({many(images)}) {what}; {', '.join(kinds)}{taken}",
        tuple(key for cluster in found for key in survey.keys(cluster.rows)),
        {"contents": len(found), "images": images, "extra": images - len(found), "bursts": bursts},
        advice,
    )


def _is_burst(survey: Survey, cluster: Cluster) -> bool:
    """Whether the photos of a cluster say that they were taken one after another, at different times."""
    times = []
    for row in cluster.rows:
        glance = survey.glances[row]
        try:
            times.append(datetime.strptime(glance.file.taken if glance else "", "%Y:%m:%d %H:%M:%S"))
        except ValueError:  # no time, or one that is none
            return False
    return len(set(times)) > 1 and max(times) - min(times) <= _BURST
