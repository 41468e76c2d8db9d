"""Test images whose label maps an arm makes better, and worse: truth, and answers without and with it, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.evaluate.comparisons.differing_images import as_bytes, ends_of, small
from imagemill.evaluate.inputs.arms import NONE, Population
from imagemill.evaluate.runners.recipe import Trained
from imagemill.evaluate.statistics.overlap import dice
from imagemill.pages import Figure

__all__ = ["DifferingMaps", "differing_maps", "map_pictures"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_COLOURS = np.array(
    [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167]]
)
"""Of classes, which then begin again; told apart with every kind of colour vision (Okabe and Ito 2008)."""
_OPAQUE, _BETWEEN = 0.6, 4
"""How much of a pixel is its class, and pixels between pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class DifferingMaps:
    """Rows of a population by what an arm does to their Dice, the largest change first.

    Parameters
    ----------
    gained, lost : array of int
        Rows whose mean Dice over seeds is higher with the arm, and lower.
    mine, bare : array ``[n]``
        That mean, with the arm and without augmentation.
    said, said_bare : array ``[n, (z,) y, x]``
        Label maps of one seed, the first that both have.
    seed : int
    """

    gained: npt.NDArray[np.int64]
    lost: npt.NDArray[np.int64]
    mine: Floats
    bare: Floats
    said: Array
    said_bare: Array
    seed: int


def differing_maps(runs: Sequence[Trained], arm: str, population: Population, classes: int) -> DifferingMaps | None:
    """Compare an arm's label maps with those of no augmentation; None where no seed has both.

    Examples
    --------
    >>> truth = np.array([[[0, 1]], [[1, 1]]], np.uint8)
    >>> runs = [Trained("none", 0, {}, label_maps={"clean": truth[::-1]})]
    >>> runs += [Trained("flip", 0, {}, label_maps={"clean": truth})]
    >>> found = differing_maps(runs, "flip", Population("clean", np.zeros((2, 1, 2, 1), np.uint8), truth), 2)
    >>> found.gained.tolist(), found.lost.tolist(), found.bare.round(2).tolist()
    ([0, 1], [], [0.67, 0.67])
    """
    kept = {(run.arm, run.seed): run.label_maps[population.name] for run in runs if run.diverged is None}
    seeds = [seed for of, seed in kept if of == arm and (NONE, seed) in kept]
    if not seeds:
        return None
    mine, bare = (
        np.mean([_each(kept[of, seed], population.labels, classes) for seed in seeds], axis=0) for of in (arm, NONE)
    )
    order = np.argsort(-np.abs(mine - bare), kind="stable")
    gained, lost = order[(mine > bare)[order]], order[(mine < bare)[order]]
    return DifferingMaps(gained, lost, mine, bare, kept[arm, seeds[0]], kept[NONE, seeds[0]], seeds[0])


def _each(said: Array, truth: Array, classes: int) -> Floats:
    """The mean Dice of each image over the classes but the background."""
    pairs = zip(said, truth, strict=True)
    return np.array([np.mean([dice(one == k, true == k) for k in range(1, classes)]) for one, true in pairs])


def map_pictures(population: Population, rows: Sequence[int], found: DifferingMaps) -> list[Figure]:
    """Of some rows the image, what is true, and what is answered without and with the arm, side by side.

    Of a volume the slice with most of what is true.
    """
    ends, pictures = ends_of(population.images), []
    for row in rows:
        image, maps = population.images[row], [population.labels[row], found.said_bare[row], found.said[row]]
        if image.ndim == 4:
            place = int((maps[0] > 0).sum(axis=(1, 2)).argmax())
            image, maps = image[place], [one[place] for one in maps]
        gray = as_bytes(image, ends)
        colour = gray if gray.ndim == 3 else np.repeat(gray[..., None], 3, axis=2)
        parts = [small(one) for one in (colour, *(_coloured(colour, one) for one in maps))]
        gap = np.full((parts[0].shape[0], _BETWEEN, 3), 255, np.uint8)
        strip = np.concatenate([parts[0], *(one for part in parts[1:] for one in (gap, part))], axis=1)
        words = f"image {row}: Dice {found.bare[row]:.2f} without, {found.mine[row]:.2f} with"
        pictures.append(Figure(strip, words))
    return pictures


def _coloured(picture: Array, label_map: Array) -> npt.NDArray[np.uint8]:
    colours = _COLOURS[(label_map.astype(np.int64) - 1) % len(_COLOURS)]
    mixed = np.round(picture * (1 - _OPAQUE) + colours * _OPAQUE).astype(np.uint8)
    return np.where((label_map > 0)[..., None], mixed, picture)
