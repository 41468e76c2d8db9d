"""Points through the same maps as the pixels, in the other direction: input to output."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imagemill.core import coordinate_maps as maps
from imagemill.core import geometry as geo
from imagemill.core.geometry import Floats


def push(stages: tuple[maps.Stage, ...], points: Floats) -> Floats:
    """Output coordinates ``(k, d)`` of input points: the chain inverted, its last stage first."""
    for stage in reversed(stages):
        if isinstance(stage, maps.Matrix):
            points = geo.apply(geo.inverse(stage.m), points)
        elif isinstance(stage, maps.InverseDisplace):
            # The lattice was fitted for pixels; points need no fit, for the inverse of an inverse is the map itself.
            from imagemill.engine.annotations.unbend import bend

            points = bend(stage.of, points - stage.margin) + stage.margin
        elif isinstance(stage, maps.Displace):
            # Here, so that plans can be made without loading a compiler.
            from imagemill.engine.annotations.unbend import unbend

            points = unbend(stage, points)
    return points


def kept(stages: tuple[maps.Stage, ...], points: Floats) -> npt.NDArray[np.bool_]:
    """Which input points ``(k, d)`` no padding window hides: what had left the frame then does not come back."""
    seen = np.ones(len(points), dtype=bool)
    for number, stage in enumerate(stages):
        if isinstance(stage, maps.Window):
            seen &= inside(push(stages[number + 1 :], points), stage.shape)
    return seen


def mirrors(stages: tuple[maps.Stage, ...]) -> bool:
    """Whether a chain turns left hands into right ones.

    The determinant of a projective map at a place is that of its matrix over a power of the homogeneous coordinate
    there, which keeps one sign over a frame: the one it has at the origin.
    """
    sign = 1.0
    for stage in stages:
        if isinstance(stage, maps.Matrix):
            sign *= np.sign(np.linalg.det(stage.m)) * np.sign(stage.m[-1, -1]) ** len(stage.m)
    return bool(sign < 0)


def inside(points: Floats, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Which points lie within the frame, edges included."""
    within = (points >= -0.5) & (points <= np.array(shape) - 0.5)
    return np.asarray(within.all(axis=1))
