"""Merging what was said of several views: one after the other, so that no more than a few arrays are held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.sample import Sample
from imagemill.core.short_repr import ShortRepr
from imagemill.core.targets import Array, Image, Keypoints

__all__ = ["MERGES", "Averaged", "Classes", "Points", "Rasters"]

MERGES = ("mean", "max", "vote")

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Averaged(ShortRepr):
    """What several views say together.

    Parameters
    ----------
    value : array
        The mean or the largest score, or the label voted for; 0 where no view says anything.
    spread : array
        Standard deviation over the views; of votes, the share of views that say another label. Of points the root of
        the mean squared distance from their mean, in pixels.
    count : array of int
        How many views said something: of the source's spatial shape for pixels, one number for each point, and one
        number for classes.
    """

    value: Array
    spread: Floats
    count: npt.NDArray[np.int64]


class _Scores:
    """Running mean, deviation and maximum, or votes, over what is known to be there.

    Source: Welford (1962), "Note on a method for calculating corrected sums of squares and products",
    Technometrics 4(3), for the deviation.
    """

    def __init__(self, merge: str) -> None:
        self.merge = merge
        self.count: Any = 0
        self.mean: Any = None
        self.squares: Any = 0.0
        self.largest: Any = -np.inf
        self.votes: dict[int, Any] = {}

    def add(self, value: Array, there: Any) -> None:
        """One view's scores, and where they say something."""
        if self.mean is None:
            self.mean = np.zeros(value.shape)
        self.count = self.count + there
        step = np.where(there, value - self.mean, 0.0)
        self.mean = self.mean + step / np.maximum(self.count, 1)
        self.squares = self.squares + step * np.where(there, value - self.mean, 0.0)
        if self.merge == "max":
            self.largest = np.maximum(self.largest, np.where(there, value, -np.inf))

    def vote(self, labels: Array, there: Any) -> None:
        """One view's labels, and where they are."""
        self.count = self.count + there
        for label in np.unique(labels).tolist():
            self.votes[label] = self.votes.get(label, 0) + ((labels == label) & there)

    def merged(self) -> tuple[Array, Floats]:
        """Value and spread."""
        if self.merge == "vote":
            known = sorted(self.votes)
            most, said = np.zeros_like(self.votes[known[0]], dtype=np.int64), 0
            for label in known:
                more = self.votes[label] > said
                most, said = np.where(more, label, most), np.maximum(said, self.votes[label])
            return most, 1.0 - said / np.maximum(self.count, 1)
        spread = np.sqrt(np.maximum(self.squares, 0.0) / np.maximum(self.count, 1))
        if self.merge == "mean":
            return self.mean, spread
        return np.where(np.isfinite(self.largest), self.largest, 0.0), spread


def _plain(value: Any) -> Array:
    return np.asarray(value.detach().cpu().float() if hasattr(value, "detach") else value)


class Classes:
    """Scores of classes, ``[k]`` a view, or one label."""

    def __init__(self, merge: str) -> None:
        self.scores = _Scores(merge)

    def add(self, sample: Sample, value: Any) -> None:  # noqa: ARG002  # classes have no place in the view
        """What is said of one view."""
        array = _plain(value).astype(np.float64)
        if self.scores.merge == "vote":
            self.scores.vote(np.argmax(array, keepdims=True), np.ones(1, dtype=np.int64))
        else:
            self.scores.add(array, np.ones(1, dtype=np.int64))

    def merged(self) -> Averaged:
        """What all views say."""
        value, spread = self.scores.merged()
        return Averaged(value, spread, self.scores.count)


class Rasters:
    """Scores or labels of pixels, brought back to the source."""

    def __init__(self, merge: str) -> None:
        self.scores = _Scores(merge)
        self.count: Any = 0

    def add(self, sample: Sample, value: Any) -> None:
        """What is said of one view."""
        whole = not value.is_floating_point() if hasattr(value, "detach") else value.dtype.kind in "biu"
        seen = sample.seen()
        self.count = self.count + seen.astype(np.int64)
        if whole:
            self._add_labels(sample, value, seen)
            return
        scores = np.asarray(sample.inverse(scores=_plain(value))["scores"])
        channel = _channel(scores.shape, seen.shape, sample)
        if self.scores.merge == "vote":
            labels = (scores > 0.5).astype(np.int64) if channel is None else scores.argmax(axis=channel)
            self.scores.vote(labels, seen)
        else:
            self.scores.add(scores, seen if channel is None else np.expand_dims(seen, channel))

    def _add_labels(self, sample: Sample, value: Any, seen: Bools) -> None:
        if self.scores.merge != "vote":
            raise ParameterError(
                f"expected merge='vote' for a model that gives labels, got {self.scores.merge!r}; or let it give scores"
            )
        labels = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        self.scores.vote(sample.inverse(mask=labels)["mask"], seen)

    def merged(self) -> Averaged:
        """What all views say."""
        return Averaged(*self.scores.merged(), self.count)


def _channel(shape: tuple[int, ...], spatial: tuple[int, ...], sample: Sample) -> int | None:
    """Which axis holds the classes; None where there is none."""
    if len(shape) == len(spatial):
        return None
    first, last = shape[1:] == spatial, shape[:-1] == spatial
    # As many classes as pixels: then they are where the image has its channels, as `inverse` reads it.
    image = sample.targets["image"]
    before = first and (not last or (isinstance(image, Image) and image.named().startswith("c")))
    return 0 if before else len(shape) - 1


class Points:
    """Points, each brought back to the source."""

    def __init__(self, merge: str, names: Sequence[str] | None) -> None:
        if merge != "mean":
            raise ParameterError(f"expected merge='mean' for keypoints, got {merge!r}")
        self.scores, self.names = _Scores("mean"), names

    def add(self, sample: Sample, value: Any) -> None:
        """What is said of one view."""
        array = _plain(value)
        if self.names is not None and len(self.names) != len(array):
            raise InputError(f"expected {len(self.names)} keypoints, one for each name, got {len(array)}")
        labels = None if self.names is None else list(self.names)
        points = Keypoints(array, "zyx" if array.shape[-1] == 3 else "xy", labels=labels)
        found = sample.inverse(keypoints=points)["keypoints"]
        self.scores.add(found.array, np.isfinite(found.array).all(axis=1, keepdims=True))

    def merged(self) -> Averaged:
        """What all views say."""
        value, spread = self.scores.merged()
        distance = np.sqrt((spread**2).sum(axis=1))
        return Averaged(value, distance, np.asarray(self.scores.count, dtype=np.int64)[:, 0])
