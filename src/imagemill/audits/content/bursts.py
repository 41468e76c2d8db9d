"""Images that count once: copies of one another, and those that a camera took within seconds."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt

from imagemill.audits.clusters import joined
from imagemill.audits.survey import Survey

__all__ = ["bursts_of", "seconds_of"]


def bursts_of(survey: Survey) -> npt.NDArray[np.int64]:
    """A number for each record that images of one burst share.

    A burst is what copies join (`Survey.clusters`), and what one camera took with no pause of more than
    ``settings.burst`` seconds, by the time in the file's EXIF data.
    """
    pairs = [(cluster.rows[0], row) for cluster in survey.clusters for row in cluster.rows[1:]]
    taken = seconds_of(survey)
    cameras = np.array(["" if one is None else one.file.camera for one in survey.glances])
    timed = np.flatnonzero(np.isfinite(taken))
    order = timed[np.lexsort((taken[timed], cameras[timed]))]
    for first, second in zip(order[:-1].tolist(), order[1:].tolist(), strict=True):
        if cameras[first] == cameras[second] and taken[second] - taken[first] <= survey.settings.burst:
            pairs.append((first, second))
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return joined(len(survey.records), both[:, 0], both[:, 1])


def seconds_of(survey: Survey) -> npt.NDArray[np.float64]:
    """When each image was taken, in seconds since 1970 by the camera's clock; NaN where the file does not say."""
    return np.array([np.nan if one is None else _seconds(one.file.taken) for one in survey.glances])


def _seconds(taken: str) -> float:
    """Seconds since 1970 of EXIF's ``YYYY:MM:DD HH:MM:SS``; NaN for anything else, such as zeros."""
    try:
        return (datetime.strptime(taken[:19], "%Y:%m:%d %H:%M:%S") - datetime(1970, 1, 1)).total_seconds()
    except ValueError:
        return float("nan")
