"""One scale of values for scans that have none of their own, such as MRI."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.targets import Image
from imagemill.transforms.base import Transform, option
from imagemill.transforms.colour._percentiles import Above, PercentileMap, above_option, counted, on_values
from imagemill.transforms.traits import Traits

_DECILES = (1.0, *(float(p) for p in range(10, 100, 10)), 99.0)


def _rising(name: str, value: Any) -> tuple[float, ...]:
    listed = tuple(value) if isinstance(value, list | tuple | np.ndarray) else ()
    real = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) and np.isfinite(v) for v in listed)
    if len(listed) < 2 or not real or any(b <= a for a, b in itertools.pairwise(listed)):
        raise ParameterError(f"expected {name} as at least two rising numbers, got {value!r}")
    return tuple(float(v) for v in listed)


@dataclass(frozen=True, slots=True)
class MatchLandmarks(Transform):
    """Bring the percentiles of each image or volume onto those of a training set, piece by piece (Nyul).

    The percentiles of the image become ``landmarks``; between two of them values lie on a straight line, and beyond the
    first and the last they go on as the line there does. ``MatchLandmarks.fit(images)`` finds the landmarks; they are
    kept in the pipeline's file as any parameter is.

    Parameters
    ----------
    landmarks : sequence of float
        Rising; what the percentiles become. Left out: 0 to 100 in equal steps of the percentiles themselves.
    percentiles : sequence of float, percent
        Rising, 0 to 100, as many as landmarks. By default 1, the deciles, and 99.
    above : None, "mean" or number
        Percentiles are those of the values above it; ``"mean"`` is the paper's foreground. None takes all.

    Targets
    -------
    Image changes; all else stays.

    Source
    ------
    Nyul, Udupa and Zhang (2000), "New variants of a method of MRI scale standardization", IEEE TMI 19(2).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> one, other = np.arange(101.0).reshape(1, -1), np.arange(101.0).reshape(1, -1) * 3 + 50
    >>> found = im.MatchLandmarks.fit([one, other], above=None)
    >>> pipe = im.Pipeline([found], seed=0)
    >>> bool(np.allclose(pipe(one), pipe(other))), pipe(one).min().round(2), pipe(one).max().round(2)
    (True, np.float64(-1.02), np.float64(101.02))
    """

    landmarks: Any = option(_DECILES, check=_rising)
    percentiles: Any = option(_DECILES, check=_rising)
    above: Above = option(None, check=above_option)

    def check(self) -> None:
        if len(self.landmarks) != len(self.percentiles):
            counts = f"{len(self.landmarks)} and {len(self.percentiles)}"
            raise ParameterError(f"expected MatchLandmarks with as many landmarks as percentiles, got {counts}")
        if self.percentiles[0] < 0 or self.percentiles[-1] > 100:
            raise ParameterError(f"expected MatchLandmarks(percentiles=...) from 0 to 100, got {self.percentiles}")

    @classmethod
    def fit(
        cls,
        images: Iterable[Any],
        *,
        percentiles: Sequence[float] = _DECILES,
        above: Above = "mean",
        to: tuple[float, float] = (0.0, 100.0),
    ) -> MatchLandmarks:
        """The transform whose landmarks are the mean ones of a training set.

        Parameters
        ----------
        images : iterable of arrays, Images or whatever a pipeline takes
            Read once, one after the other.
        percentiles, above
            As for the transform.
        to : pair of float
            Where the first and the last landmark lie. The percentiles of each image are brought to these before the
            mean is taken.

        Raises
        ------
        InputError
            When there is no image whose first and last percentile differ.
        """
        found = []
        for image in images:
            array = image if isinstance(image, np.ndarray) else Image(image).array
            marks = np.percentile(counted(array.astype(np.float64), above), percentiles)
            if marks[-1] > marks[0]:  # a constant image says nothing of the scale
                found.append(to[0] + (marks - marks[0]) / (marks[-1] - marks[0]) * (to[1] - to[0]))
        if not found:
            raise InputError("expected images to find landmarks in, got none whose values differ; check the files")
        return cls(np.mean(found, axis=0).tolist(), tuple(percentiles), above)

    def traits(self) -> Traits:
        return Traits(fits="extremes", leaves_range=True, white="sets")

    def draw(self, draws: Draws, frame: Frame) -> Op | tuple[Op, ...]:
        return on_values(frame, PercentileMap(self.percentiles, self.landmarks, self.above), "MatchLandmarks")
