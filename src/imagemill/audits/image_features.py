"""Features of the images of a survey: those that were given, or those learnt from the small pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imagemill.audits.kernel_ridge import scaled
from imagemill.audits.label_check import best_model
from imagemill.audits.patch_features import described, learnt_dictionary, planes_of

if TYPE_CHECKING:
    from imagemill.audits.survey import Survey

__all__ = ["ImageFeatures", "image_features", "mirrored_is_the_same"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_BOTH = 3000
"""Up to this many images are described both ways round, and of more a sample first."""
_TRIED = 1000
_WIDTH = 0.15
_LEARNT = "patches of the images themselves"


@dataclass(frozen=True, slots=True, eq=False)
class ImageFeatures:
    """What images look like, in numbers.

    Parameters
    ----------
    rows : array ``[n]``
        Of the dataset: images that could be read and have features.
    values : array ``[n, d]`` float32
        As `scaled` gives them.
    source : str
        Where they come from, for messages.
    missing : int
        Images that could be read and have none.
    """

    rows: Rows
    values: Floats
    source: str
    missing: int = 0

    def of(self, rows: Rows) -> Floats:
        """Features of some of `rows`."""
        if np.array_equal(self.rows, rows):
            return self.values  # half a gigabyte of 60,000 images that need no copy
        return self.values[np.searchsorted(self.rows, rows)]


def image_features(survey: Survey, *, seed: int = 0) -> ImageFeatures:
    """Features of every image that could be read.

    Parameters
    ----------
    survey : Survey
        With two images or more.
    seed : int
        Of what is drawn at random on the way.
    """
    given, rows = survey.given.features, survey.seen
    step = _counter(survey, len(rows))
    if given is not None:
        values, there = given.of(survey.records, rows, workers=survey.workers, step=step)
        return ImageFeatures(there, scaled(values), given.name, len(rows) - len(there))
    planes = planes_of(survey.small)
    dictionary = learnt_dictionary(planes, int(survey.settings.centres), seed=seed)
    describe = partial(described, dictionary=dictionary, workers=survey.workers)
    if len(planes) <= _BOTH:
        both = describe(planes, step=step)
        return ImageFeatures(rows, scaled(both[:, 0] if _as_it_is(survey, both, rows) else both.sum(axis=1)), _LEARNT)
    some = _some(len(planes), seed)
    mirrored = not _as_it_is(survey, describe(planes[some]), rows[some])
    return ImageFeatures(rows, scaled(describe(planes, mirrored=mirrored, together=True, step=step)), _LEARNT)


def mirrored_is_the_same(survey: Survey, *, seed: int = 0) -> bool:
    """Whether classes are told as well when a mirrored image counts as the same, by some of the images."""
    some = _some(len(survey.seen), seed)
    planes = planes_of(survey.small[some])
    dictionary = learnt_dictionary(planes, int(survey.settings.centres), seed=seed)
    return not _as_it_is(survey, described(planes, dictionary, workers=survey.workers), survey.seen[some])


def _some(count: int, seed: int) -> Rows:
    """Places of up to 1,000 images."""
    return np.sort(np.random.Generator(np.random.Philox(seed)).permutation(count)[:_TRIED])


def _as_it_is(survey: Survey, both: Floats, rows: Rows) -> bool:
    """Whether classes are told better when a mirrored image is not the same: so it is for digits."""
    asked, labels, names = survey.classes()
    if len(names) < 2:
        return True
    here = np.isin(asked, rows)
    asked, labels, folds = asked[here], labels[here], survey.folds(asked, labels)[here]
    both = both[np.searchsorted(rows, asked)]
    told = [best_model(scaled(one), labels, folds, seed=0, widths=(_WIDTH,))[0] for one in (both[:, 0], both.sum(1))]
    return told[0] > told[1]


def _counter(survey: Survey, total: int) -> Callable[[int], None]:
    """What tells how many images are described."""
    done = 0

    def step(more: int) -> None:
        nonlocal done
        done += more
        if survey.progress is not None:
            survey.progress(done, total)

    return step
