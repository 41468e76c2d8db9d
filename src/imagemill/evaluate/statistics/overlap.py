"""How well label maps agree: Dice and the 95 % Hausdorff distance of every image and class, with a rule for empty ones.

The item is the image that was asked about: a whole volume, never one of its slices, which are not independent of each
other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from imagemill.core.errors import InputError

__all__ = ["Overlap", "dice", "dices_of", "guessed", "hausdorff_95", "overlap_of"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Figures of one network on one set of images with label maps; the first class is the background and not counted.

    Parameters
    ----------
    dice : array ``[images, classes - 1]``
        See `dice`.
    hausdorff : array ``[images, classes - 1]``
        See `hausdorff_95`.
    unit : {"mm", "pixels"}
        Of the distances.
    absent : int
        Pairs of image and class of which the true label map or the answer is empty and the other is not.
    """

    dice: Floats
    hausdorff: Floats
    unit: str = "pixels"
    absent: int = 0

    @property
    def columns(self) -> dict[str, str]:
        """Heads of a table, and the names of the figures in `to_dict`."""
        return {"Dice": "dice", f"HD95 ({self.unit})": "hausdorff_95"}

    @property
    def items(self) -> Floats:
        """Dice of each image: the mean over classes, ``[images]``."""
        found: Floats = self.dice.mean(axis=1)
        return found

    @property
    def score(self) -> float:
        """The mean Dice of the images."""
        return float(self.items.mean())

    def to_dict(self) -> dict[str, Any]:
        """Plain values; means over images, and over classes too where it does not say by class."""
        return {
            "dice": self.score,
            "hausdorff_95": float(self.hausdorff.mean()),
            "unit": self.unit,
            "absent": self.absent,
            "per_class": {
                "dice": self.dice.mean(axis=0).tolist(),
                "hausdorff_95": self.hausdorff.mean(axis=0).tolist(),
            },
        }


def overlap_of(answers: Array, truth: Array, classes: int, spacing: Array | None = None) -> Overlap:
    """Figures of one network's label maps.

    Parameters
    ----------
    answers, truth : array of int ``[n, y, x]`` or ``[n, z, y, x]``
        Class numbers, 0 the background.
    classes : int
        With the background.
    spacing : array ``[n, d]``, optional
        In millimetres; distances are in pixels without it.

    Returns
    -------
    Overlap

    Raises
    ------
    InputError
        When the two do not fit, or there is nothing to count.

    Examples
    --------
    >>> truth = np.zeros((1, 4, 4), np.uint8)
    >>> truth[0, 1:3, 1:3] = 1
    >>> answer = np.roll(truth, 1, axis=2)
    >>> found = overlap_of(answer, truth, 2)
    >>> found.score, found.hausdorff.tolist()
    (0.5, [[1.0]])
    """
    overlaps = dices_of(answers, truth, classes)
    answers, truth = np.asarray(answers), np.asarray(truth)
    distances, absent = np.empty_like(overlaps), 0
    for row in range(len(truth)):
        millimetres = None if spacing is None else tuple(map(float, spacing[row]))
        for number in range(1, classes):
            mine, true = answers[row] == number, truth[row] == number
            distances[row, number - 1] = hausdorff_95(mine, true, millimetres)
            absent += bool(mine.any()) != bool(true.any())
    return Overlap(overlaps, distances, "pixels" if spacing is None else "mm", absent)


def dices_of(answers: Array, truth: Array, classes: int) -> Floats:
    """`dice` of each image and class but the first, which is the background.

    Parameters
    ----------
    answers, truth : array of int ``[n, y, x]`` or ``[n, z, y, x]``
    classes : int
        With the background.

    Returns
    -------
    array ``[n, classes - 1]``

    Raises
    ------
    InputError
        When the two do not fit, or there is nothing to count.

    Examples
    --------
    >>> dices_of(np.array([[[1, 1, 0, 2]]]), np.array([[[1, 0, 0, 2]]]), 4).round(2).tolist()
    [[0.67, 1.0, 1.0]]
    """
    answers, truth = np.asarray(answers), np.asarray(truth)
    if answers.shape != truth.shape or truth.ndim not in (3, 4) or not len(truth):
        raise InputError(f"expected label maps [n, (z,) y, x] twice, got {answers.shape} and {truth.shape}")
    if max(answers.max(), truth.max()) >= classes or classes < 2:
        raise InputError(f"expected class numbers under {classes}, got up to {max(answers.max(), truth.max())}")
    pairs = zip(answers, truth, strict=True)
    return np.array([[dice(mine == n, true == n) for n in range(1, classes)] for mine, true in pairs])


def guessed(truth: Array, classes: int) -> tuple[float, int]:
    """The mean Dice of the best answer that does not look at the image, one class for every pixel, and that class.

    Parameters
    ----------
    truth : array of int ``[n, y, x]`` or ``[n, z, y, x]``
    classes : int
        With the background.

    Examples
    --------
    >>> guessed(np.array([[[1, 1, 1, 0]]]), 2)
    (0.8571428571428571, 1)
    """
    rows, pixels = truth.reshape(len(truth), -1), truth[0].size
    counts = np.stack([(rows == number).sum(axis=1) for number in range(classes)], axis=1)
    # The Dice of a class that is nowhere said is 1 where it is not, else 0.
    nowhere = (counts[:, 1:] == 0).astype(np.float64)
    scores = [float(nowhere.mean())]
    for place in range(classes - 1):
        table = nowhere.copy()
        table[:, place] = 2 * counts[:, place + 1] / (pixels + counts[:, place + 1])
        scores.append(float(table.mean()))
    best = int(np.argmax(scores))
    return scores[best], best


def dice(mine: Array, truth: Array) -> float:
    """Dice's coefficient of two masks: twice what they share by what they have together.

    Two empty masks agree and have 1; an empty one and another have 0. So every image counts for every class, whatever a
    network says, and two networks are compared on the same images.

    Parameters
    ----------
    mine, truth : array of bool

    Returns
    -------
    float, 0 to 1

    Notes
    -----
    Source: Dice (1945), "Measures of the amount of ecologic association between species", Ecology 26; on empty masks
    Maier-Hein et al. (2024), "Metrics reloaded", Nature Methods 21.

    Examples
    --------
    >>> dice(np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 1], bool))
    0.4
    """
    together = int(np.count_nonzero(mine)) + int(np.count_nonzero(truth))
    return 1.0 if together == 0 else 2 * int(np.count_nonzero(mine & truth)) / together


def hausdorff_95(mine: Array, truth: Array, spacing: tuple[float, ...] | None = None) -> float:
    """The 95 % Hausdorff distance of two masks: how far their surfaces are apart, but for the farthest twentieth.

    The surface of a mask is its pixels with a neighbour outside, along an axis; beyond the frame is outside. Of each
    surface the distances to the other are taken, of these the 95th percentile, and the larger of the two is the answer.
    Two empty masks are 0 apart; an empty one and another are as far apart as the frame's opposite corners.

    Parameters
    ----------
    mine, truth : array of bool, of one shape
    spacing : tuple of float, optional
        Distances of neighbouring pixels along each axis, in millimetres.

    Returns
    -------
    float
        In millimetres, or in pixels without spacing.

    Notes
    -----
    Source: Huttenlocher, Klanderman, Rucklidge (1993), "Comparing images using the Hausdorff distance", IEEE PAMI 15;
    the percentile and the larger of both as in Maier-Hein et al. (2024), "Metrics reloaded", Nature Methods 21.

    Examples
    --------
    >>> line = np.zeros((1, 9), bool)
    >>> line[0, 2] = True
    >>> hausdorff_95(line, np.roll(line, 3, axis=1), spacing=(1.0, 0.5))
    1.5
    """
    sides = tuple(spacing) if spacing is not None else (1.0,) * truth.ndim
    if not (mine.any() and truth.any()):
        if mine.any() == truth.any():
            return 0.0
        return float(np.linalg.norm((np.array(truth.shape) - 1) * sides))
    # Distances between two masks are the same within the box that holds both.
    box = tuple(slice(int(at.min()), int(at.max()) + 1) for at in np.nonzero(mine | truth))
    surfaces = [_surface(one[box]) for one in (mine, truth)]
    fields = [ndimage.distance_transform_edt(~surface, sampling=sides) for surface in surfaces]
    ends = [np.percentile(fields[1 - k][surfaces[k]], 95) for k in (0, 1)]
    return float(max(ends))


def _surface(mask: Array) -> Array:
    found: Array = mask & ~ndimage.binary_erosion(mask)
    return found
