"""Layers that weather lays over an image: fields of random numbers, each counted by its place in the layer.

All are in float64 on every backend, so that a threshold falls alike; what a backend brings is quicker ways to the same
numbers and sums (:class:`Tools`). A layer has the size of a slice.

Sources: Fournier, Fussell and Carpenter (1982), "Computer rendering of stochastic models", CACM 25(6): midpoint
displacement, the diamond-square algorithm. Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to
common corruptions and perturbations", ICLR, with the parameters of the ImageNet-C code: how layers are made of it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.randomness import pixel_numbers as numbers
from imagemill.core.randomness.rng import Words

__all__ = ["BY_DEFINITION", "Tools", "drops", "flakes", "frost", "mud", "plasma", "streaks", "water"]

Array = np.ndarray[Any, Any]
Size = tuple[int, int]

SPREAD = 0.3
"""Deviation of the normal numbers that flakes of snow are the highest of."""


class Tools(Protocol):
    """Ways to numbers and sums that may be quick, but for whose speed nothing changes."""

    def uniform(self, stream: Words, field: int, count: int) -> Floats:
        """As :func:`imagemill.core.randomness.pixel_numbers.uniform`."""

    def normal(self, stream: Words, field: int, count: int) -> Floats:
        """As :func:`imagemill.core.randomness.pixel_numbers.normal`."""

    def looked_up(self, stream: Words, field: int, count: int, table: Floats) -> Floats:
        """The same from another table of 65,536 numbers; in single precision at the least."""

    def correlate(self, layer: Floats, kernel: Floats) -> Floats:
        """A layer through a kernel, mirrored at its outermost pixels."""

    def strokes(self, layer: Floats, kernel: Floats) -> Floats:
        """The same for a kernel that is 0 nearly everywhere, in single precision at the least."""

    def distance(self, inside: Array, most: float) -> Floats:
        """How far each pixel that is inside lies from the nearest one that is not, at most ``most``."""

    def clouds(self, u: Floats, decay: float) -> Floats:
        """Midpoint displacement by uniform numbers ``(side, side)``, see :func:`plasma`."""

    def magnified(self, layer: Floats, size: Size, pixels: float) -> Floats:
        """A layer read by straight lines, ``pixels`` between two of its numbers."""

    def ice(self, cloud: Floats, needles: list[Floats]) -> Floats:
        """The layer of :func:`frost`, in single precision at the least."""


class _ByDefinition:
    uniform = staticmethod(numbers.uniform)
    normal = staticmethod(numbers.normal)

    @staticmethod
    def looked_up(stream: Words, field: int, count: int, table: Floats) -> Floats:
        return numbers.normal(stream, field, count, table)

    @staticmethod
    def correlate(layer: Floats, kernel: Floats) -> Floats:
        import scipy.ndimage as ndi

        found: Floats = ndi.correlate(layer, kernel, mode="mirror")
        return found

    strokes = correlate

    @staticmethod
    def distance(inside: Array, most: float) -> Floats:
        if inside.all():  # of which scipy makes nonsense
            return np.full(inside.shape, most)
        import scipy.ndimage as ndi

        found: Floats = np.minimum(ndi.distance_transform_edt(inside), most)
        return found

    @staticmethod
    def clouds(u: Floats, decay: float) -> Floats:
        swing = 2 * u - 1
        made = np.zeros(swing.shape)
        step, height = len(swing), 1.0
        while step > 1:
            half = step // 2
            corners = made[::step, ::step]
            right, below = np.roll(corners, -1, 1), np.roll(corners, -1, 0)
            middles = (corners + right + below + np.roll(right, -1, 0)) / 4 + height * swing[half::step, half::step]
            made[half::step, half::step] = middles
            made[::step, half::step] = (corners + right + middles + np.roll(middles, 1, 0)) / 4 + (
                height * swing[::step, half::step]
            )
            made[half::step, ::step] = (corners + below + middles + np.roll(middles, 1, 1)) / 4 + (
                height * swing[half::step, ::step]
            )
            step, height = half, height / decay**2
        return made

    @staticmethod
    def magnified(layer: Floats, size: Size, pixels: float) -> Floats:
        for axis, n in enumerate(size):
            places = np.arange(n) / pixels
            low = np.minimum(places.astype(int), layer.shape[axis] - 2)
            share = (places - low).reshape([-1 if a == axis else 1 for a in range(2)])
            first = np.take(layer, low, axis)
            layer = first + share * (np.take(layer, low + 1, axis) - first)
        return layer

    @staticmethod
    def ice(cloud: Floats, needles: list[Floats]) -> Floats:
        ice = np.max([grown / max(float(grown.max()), 1e-12) for grown in needles], axis=0)
        edges = np.abs(2 * cloud - 1)
        made = 0.45 * cloud + 0.75 * ice * (0.3 + cloud) - 0.35 * np.clip(1 - 6 * edges, 0, 1)
        # As bright, and as uneven, as the photos of frost in ImageNet-C are on average.
        found: Floats = np.clip(0.33 + 0.78 * made, 0, 1)
        return found


BY_DEFINITION: Tools = _ByDefinition()
"""numpy and scipy."""


def gaussian(layer: Floats, sigma: float, tools: Tools) -> Floats:
    """A layer through a Gaussian that is cut at four deviations."""
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2) if sigma > 0 else np.ones(1)
    weights /= weights.sum()
    return tools.correlate(tools.correlate(layer, weights[:, None]), weights[None])


def plasma(size: Size, decay: float, stream: Words, tools: Tools, field: int = 2) -> Floats:
    """Clouds from 0 to 1 by midpoint displacement, which repeat at the edges of the power of two that holds the slice.

    Parameters
    ----------
    decay : float
        By its square the numbers become smaller from one scale to the next finer one.
    """
    side = 1 << max(int(max(size) - 1).bit_length(), 1)
    made = tools.clouds(tools.uniform(stream, field, side * side).reshape(side, side), decay)
    low, high = float(made.min()), float(made.max())
    found: Floats = ((made - low) / (high - low))[: size[0], : size[1]]
    return found


def flakes(
    size: Size, level: float, threshold: float, pixels: float, kernel: Floats, stream: Words, tools: Tools
) -> Floats:
    """Flakes of snow, 0 to 1: what of magnified normal numbers reaches a threshold, drawn into lines.

    Parameters
    ----------
    pixels : float
        The distance between two numbers.
    """
    few = [int(np.ceil(n / pixels)) + 1 for n in size]
    layer = level + SPREAD * tools.normal(stream, numbers.EACH_PIXEL, few[0] * few[1]).reshape(few)
    layer = tools.magnified(layer, size, pixels)
    return tools.strokes(np.clip(np.where(layer < threshold, 0.0, layer), 0, 1), kernel)


def streaks(size: Size, amount: float, kernel: Floats, stream: Words, tools: Tools) -> Floats:
    """Streaks of rain, 0 to 1: lines that begin at a share of the pixels, as opaque as the drop is heavy."""
    u = tools.uniform(stream, numbers.EACH_PIXEL, size[0] * size[1]).reshape(size)
    heavy = np.where(u < amount, 0.5 + 0.5 * u / max(amount, 1e-12), 0.0)
    return np.minimum(tools.strokes(heavy, kernel / kernel.max()), 1.0)


def drops(size: Size, z: float, sigma: float, stream: Words, tools: Tools) -> tuple[Floats, Array]:
    """Smoothed normal numbers of deviation 1, and where they reach ``z``: the shapes of drops."""
    layer = gaussian(tools.normal(stream, numbers.EACH_PIXEL, size[0] * size[1]).reshape(size), sigma, tools)
    layer /= max(float(layer.std()), 1e-12)
    return layer, layer >= z


_LIT = np.array([[-2.0, -1, 0], [-1, 1, 1], [0, 1, 2]])
"""A relief that is lit from the lower right."""
_ROUND = 20.0
"""Pixels from its rim at which a drop is flat."""


def water(size: Size, z: float, sigma: float, stream: Words, tools: Tools) -> Floats:
    """Drops of water, 0 to 1: bright where their rounded rim faces the light, dark where it faces away."""
    _, inside = drops(size, z, sigma, stream, tools)
    if not inside.any():
        return np.zeros(size)
    height = tools.distance(inside, _ROUND)
    box = np.full((3, 3), 1 / 9)
    lit = tools.correlate(tools.correlate(np.sqrt(height / _ROUND), box), _LIT)
    lit = np.where(inside, np.clip(tools.correlate(lit, box), 0, None), 0.0)
    most = float(lit.max())
    return lit / most if most > 0 else lit


def mud(size: Size, z: float, sigma: float, soft: float, stream: Words, tools: Tools) -> Floats:
    """Splashes of mud, 0 to 1: what of drops is left when their rims are smoothed and cut at 0.8."""
    _, inside = drops(size, z, sigma, stream, tools)
    made = gaussian(inside.astype(np.float64), soft, tools)
    return np.where(made < 0.8, 0.0, made)


def frost(size: Size, kernels: Floats, stream: Words, tools: Tools) -> Floats:
    """Needles of ice on clouded glass, 0 to 1: clouds, and lines of several directions that grow where it is cloudy.

    Parameters
    ----------
    kernels : array, ``[k, side, side]``
        The lines, one for each direction.
    """
    cloud = plasma(size, 1.6, stream, tools)
    needles = []
    for number, kernel in enumerate(kernels):
        seeds = tools.looked_up(stream, 8 + number, size[0] * size[1], _seeds()).reshape(size)
        needles.append(tools.strokes(seeds, kernel))
    return tools.ice(cloud, needles)


@cache
def _seeds() -> Floats:
    """What normal numbers let grow: where they are above 1.2, and by how much."""
    return np.clip(numbers.normal_table() - 1.2, 0, None)
