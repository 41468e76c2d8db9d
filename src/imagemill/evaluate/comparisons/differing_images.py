"""Test images that an arm alone gets right, and those that it alone gets wrong, as small pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.evaluate.inputs.arms import NONE, Population
from imagemill.evaluate.runners.recipe import Trained
from imagemill.pages import Figure

__all__ = ["Differing", "as_bytes", "differing", "ends_of", "small", "small_pictures"]

_SIDE = 96
"""Longest side of a small picture, pixels; smaller images are magnified by whole numbers."""

Array = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Differing:
    """Rows of a population on which an arm and no augmentation differ, the surest first.

    Parameters
    ----------
    gained, lost : array ``[n]``
        Right with most seeds of one of them, and with half or fewer of the other.
    called, called_bare : array ``[images]``
        The class that most seeds call each image: with the arm, and without augmentation.
    """

    gained: Counts
    lost: Counts
    called: Counts
    called_bare: Counts


def differing(runs: Sequence[Trained], arm: str, population: Population) -> Differing | None:
    """Compare an arm's answers with those of no augmentation over the seeds of both; None where no seed has both.

    Examples
    --------
    >>> answers = lambda *called: {"clean": np.eye(2, dtype=np.float32)[list(called)]}
    >>> runs = [Trained("none", 0, answers(0, 0, 1)), Trained("flip", 0, answers(0, 1, 0))]
    >>> found = differing(runs, "flip", Population("clean", np.zeros((3, 4, 4, 1), np.uint8), np.array([0, 1, 1])))
    >>> found.gained.tolist(), found.lost.tolist()
    ([1], [2])
    """
    kept = {(run.arm, run.seed): run.probabilities[population.name] for run in runs if run.diverged is None}
    seeds = [seed for of, seed in kept if of == arm and (NONE, seed) in kept]
    if not seeds:
        return None
    mine, bare = (np.stack([kept[of, seed].argmax(axis=1) for seed in seeds]) for of in (arm, NONE))
    right, right_bare = ((called == population.labels).mean(axis=0) for called in (mine, bare))
    surest = np.argsort(-np.abs(right - right_bare), kind="stable")
    gained = surest[((right > 0.5) & (right_bare <= 0.5))[surest]]
    lost = surest[((right <= 0.5) & (right_bare > 0.5))[surest]]
    classes = next(iter(kept.values())).shape[1]
    return Differing(gained, lost, _most(mine, classes), _most(bare, classes))


def small_pictures(population: Population, rows: Counts, found: Differing, classes: Sequence[str]) -> list[Figure]:
    """Images of some rows with what each is, and what it is called with and without the arm."""
    pictures, ends = [], ends_of(population.images)
    for row in rows:
        words = (
            f"{classes[population.labels[row]]}; with: {classes[found.called[row]]}, "
            f"without: {classes[found.called_bare[row]]} (image {row})"
        )
        pictures.append(Figure(small(as_bytes(population.images[row], ends)), words))
    return pictures


def _most(called: Counts, classes: int) -> Counts:
    """The class that is called most often for each image, the first of those where several are."""
    votes = np.stack([(called == number).sum(axis=0) for number in range(classes)])
    return np.asarray(votes.argmax(axis=0), np.int64)


def ends_of(images: Array) -> tuple[float, float]:
    """The values shown black and white: bytes as they are, all else over the whole population."""
    if images.dtype == np.uint8:
        return 0.0, 255.0
    known = images[np.isfinite(images)] if images.dtype.kind == "f" else images
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


def as_bytes(image: Array, ends: tuple[float, float]) -> npt.NDArray[np.uint8]:
    """One image as gray or RGB bytes."""
    shown = image[..., :3] if image.shape[-1] >= 3 else image[..., 0]
    if shown.dtype == np.uint8:
        return np.ascontiguousarray(shown)
    low, high = ends
    scaled = np.nan_to_num((shown.astype(np.float64) - low) / ((high - low) or 1.0))
    return np.ascontiguousarray(np.round(np.clip(scaled, 0, 1) * 255).astype(np.uint8))


def small(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A picture in the size that a page shows many of."""
    longest = max(picture.shape[:2])
    if longest <= _SIDE:
        times = max(1, _SIDE // longest)
        return picture.repeat(times, axis=0).repeat(times, axis=1)
    size = tuple(max(1, round(side * _SIDE / longest)) for side in picture.shape[1::-1])
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
