"""Networks that are trained on the images of a survey itself, in place of features: how, at which cost, and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from imagemill.audits.given_features import squared
from imagemill.audits.image_features import mirrored_is_the_same
from imagemill.audits.networks.small_network import SIDE
from imagemill.audits.networks.told_by_networks import cost, told_by_networks
from imagemill.audits.patch_features import planes_of
from imagemill.core.extras import require
from imagemill.core.interrupts import as_interrupts
from imagemill.data.codecs.base import ReadOptions

if TYPE_CHECKING:
    from imagemill.audits.survey import Survey

__all__ = ["NETWORK", "OwnNetwork"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

NETWORK = "network"
"""What ``features=`` is given for it."""
_MANY = 20_000
"""Images above which a network learns from one half and is asked about the other: more folds would cost more time."""
_LARGE, _TWICE = 96, 2
"""Photos of more pixels a side than this, in the median, are shown at twice the side."""
_MINUTE = 60


@dataclass(frozen=True, slots=True, eq=False)
class OwnNetwork:
    """Told about by networks; what they said of one labelling is kept, so that other thresholds cost nothing.

    Parameters
    ----------
    options : ReadOptions
    """

    options: ReadOptions = field(default_factory=ReadOptions)
    kept: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require("torch", extra="torch")

    def told(self, survey: Survey, rows: Rows, labels: Rows, *, seed: int = 0) -> Floats:
        """Logarithms of the probability of each class ``[rows, classes]``, out of fold."""
        count = 2 if len(rows) > _MANY else int(survey.settings.folds)
        folds = tuple(
            survey.folds(rows, labels, count=count, seed=seed + round_)
            for round_ in range(max(1, int(survey.settings.networks)))
        )
        name = hashlib.sha256(b"".join(part.tobytes() for part in (rows, labels, *folds))).hexdigest()
        if name not in self.kept:
            images, mirrored = self._images(survey, rows), mirrored_is_the_same(survey)
            if survey.stage is not None:
                trained = sum(len(np.unique(of)) for of in folds)
                took = in_words(cost(images, folds, mirrored=mirrored))
                survey.stage(f"labels: training {trained} networks, {took} of one core")
            how: dict[str, Any] = {"workers": survey.workers, "progress": survey.progress}
            self.kept[name] = told_by_networks(images, labels, folds, mirrored=mirrored, seed=seed, **how)
        return self.kept[name]

    def _images(self, survey: Survey, rows: Rows) -> Array:
        """Pictures ``[rows, side, side, C]`` uint8, with one channel where all are gray."""
        shapes = [glance.shape for row in rows.tolist() if (glance := survey.glances[row]) is not None]
        if any(len(shape) > 2 for shape in shapes) or np.median([min(shape) for shape in shapes]) <= _LARGE:
            here = np.isin(survey.seen, rows)
            return planes_of(survey.small if here.all() else survey.small[here])
        return planes_of(np.concatenate(list(self._larger(survey, rows))))

    def _larger(self, survey: Survey, rows: Rows) -> Iterator[Array]:
        side = _TWICE * SIDE
        read = partial(squared, side=side, options=self.options)
        with as_interrupts(), ThreadPoolExecutor(survey.workers) as pool:
            for at in range(0, len(rows), 256):
                some = rows[at : at + 256].tolist()
                yield np.stack(list(pool.map(read, [survey.records[row] for row in some])))
                if survey.progress is not None:
                    survey.progress(at + len(some), len(rows))


def in_words(seconds: float) -> str:
    """A time that is known roughly.

    Examples
    --------
    >>> in_words(20), in_words(70), in_words(800)
    ('less than a minute', 'about 1 minute', 'about 13 minutes')
    """
    minutes = round(seconds / _MINUTE)
    if seconds < _MINUTE:
        return "less than a minute"
    return f"about {minutes:,} minute{'' if minutes == 1 else 's'}"
