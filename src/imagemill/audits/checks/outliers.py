"""Images that look like nothing else in the dataset: not meant to be there, or a class "none of these"."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from imagemill.audits.checks.base import NotAsked, many
from imagemill.audits.outlying import FEWEST, NEAREST_LOOKS, limit_of, looks_of, outlyingness
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_outliers"]

_LEVEL, _FEW = 0.05, 5
"""Share of images above which, if they are not few, "outlier" is the wrong word: the dataset is of two kinds."""
_LOOKS = "light, colour and contrast"


def check_outliers(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Images whose features, or whose light, colour and contrast, are far from those of all others."""
    if len(survey.seen) < FEWEST:
        yield NotAsked("off-topic", f"there are fewer than {FEWEST} images")
        return
    features = survey.features
    if features.missing:
        yield NotAsked("off-topic", f"{many(features.missing)} {_are(features.missing)} not in {features.source}")
    if len(features.rows) < FEWEST:
        return
    looks = looks_of(seen for row in features.rows.tolist() if (seen := survey.glances[row]) is not None)
    times = survey.settings.outlying
    of_looks = _beyond(outlyingness(looks, nearest=NEAREST_LOOKS), times)
    # In a set whose images are nearly alike the least alike is far from the rest in nothing that can be seen.
    of_looks[np.abs(looks).max(axis=1) < times] = -np.inf
    beyond = {features.source: _beyond(outlyingness(features.values), times), _LOOKS: of_looks}
    most = np.max(list(beyond.values()), axis=0)
    far = np.flatnonzero(most > 0)
    if not len(far):
        return
    far = far[np.argsort(-most[far], kind="stable")]
    if len(far) > max(_FEW, _LEVEL * len(most)):
        yield NotAsked("off-topic", f"{many(len(far))} differ from the rest: too many to be exceptions")
        return
    counts = {by: int((one > 0).sum()) for by, one in beyond.items()}
    told = " and ".join(by if count == len(far) else f"{by}: {count:,}" for by, count in counts.items() if count)
    yield Finding(
        "off-topic",
        "note",
        f"{many(len(far))} {'looks' if len(far) == 1 else 'look'} like nothing else in the dataset (by {told})",
        survey.keys(features.rows[far]),
        {
            "images": len(far),
            "by_features": counts[features.source],
            "by_looks": counts[_LOOKS],
            "farthest": float(most.max()),
        },
        'leave out what is not meant to be there, or make it a class "none of these" with --apply none-of-these',
    )


def _beyond(distances: npt.NDArray[np.float32], times: float) -> npt.NDArray[np.float64]:
    """By how much distances are beyond the limit."""
    return np.asarray(distances - limit_of(distances, times), np.float64)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
