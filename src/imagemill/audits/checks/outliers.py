"""Images that look like nothing else in the dataset: not meant to be there, or a class "none of these"."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from imagemill.audits.checks.base import NotAsked, many
from imagemill.audits.outlying import FEWEST, limit_of, outlyingness
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_outliers"]

_LEVEL = 0.05
"""Share of images above which "outlier" is the wrong word: the dataset is of two kinds, or of none."""


def check_outliers(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Images whose features are far from those of all others."""
    if len(survey.seen) < FEWEST:
        yield NotAsked("off-topic", f"there are fewer than {FEWEST} images")
        return
    features = survey.features
    if features.missing:
        yield NotAsked("off-topic", f"{many(features.missing)} {_are(features.missing)} not in {features.source}")
    if len(features.rows) < FEWEST:
        return
    distances = outlyingness(features.values)
    limit = limit_of(distances, survey.settings.outlying)
    far = np.flatnonzero(distances > limit)
    if not len(far):
        return
    far = far[np.argsort(-distances[far], kind="stable")]
    if len(far) > _LEVEL * len(distances):
        yield NotAsked("off-topic", f"{many(len(far))} differ from the rest: too many to be exceptions")
        return
    yield Finding(
        "off-topic",
        "note",
        f"{many(len(far))} {'looks' if len(far) == 1 else 'look'} like nothing else in the dataset "
        f"(by {features.source})",
        survey.keys(features.rows[far]),
        {"images": len(far), "limit": limit, "farthest": float(distances.max())},
        'leave out what is not meant to be there, or make it a class "none of these" with --apply none-of-these',
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
