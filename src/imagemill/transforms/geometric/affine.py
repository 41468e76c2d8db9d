"""Turn, zoom, shear and shift in one transform, or a matrix of one's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from imagemill.core import geometry as geo
from imagemill.core import ops
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Border, Order
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import PerAxis, Random, Range, Read
from imagemill.transforms.base import (
    Fill,
    Transform,
    border_option,
    fill_option,
    one_of,
    option,
    order_option,
    param,
    sampling,
)
from imagemill.transforms.geometric._common import per_axis, whole_number
from imagemill.transforms.geometric.shear import STEEPEST, check_plane, shear_pull
from imagemill.transforms.traits import Traits, reach, reaches, turn_of

Rows = tuple[tuple[float, ...], ...]


def _matrix(name: str, value: Any) -> Rows:
    try:
        m = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"expected {name} to be a matrix of numbers, got {value!r}") from error
    if m.shape not in ((3, 3), (4, 4)) or not np.isfinite(m).all():
        raise ParameterError(f"expected {name} to be 3 x 3 (pictures) or 4 x 4 (volumes) finite numbers, got {value!r}")
    last = [0.0] * (len(m) - 1) + [1.0]
    if m[-1].tolist() != last:
        raise ParameterError(f"expected the last row of {name} to be {last}, got {m[-1].tolist()}; see Perspective")
    if abs(np.linalg.det(m)) < 1e-12:
        raise ParameterError(f"expected {name} to be invertible, got determinant {np.linalg.det(m):g}")
    return tuple(tuple(float(v) for v in row) for row in m)


@dataclass(frozen=True, slots=True)
class Affine(Transform):
    """Shear, turn, zoom and shift about the centre, in this order, drawn together.

    The same as ``Shear, Rotate, Zoom, Shift`` one after the other with the same numbers. Shears and turns
    are rigid in millimetres.

    Parameters
    ----------
    degrees : number, pair or Distribution, degrees
        Counter-clockwise turn, -360 to 360.
    zoom : number, pair, Distribution or mapping from axis to one of these
        Above 0, above 1 magnifies; one factor is shared by the two axes of the plane.
    shift : number, pair, Distribution or mapping from axis to one of these
        Fraction of the frame's length, -1 to 1, drawn independently for the two axes of the plane;
        positive goes down and to the right.
    shear : number, pair, Distribution or mapping from axis to one of these, degrees
        -80 to 80, as in ``Shear``.
    plane : {"yx", "zy", "zx"}
        The axis that points down and the one that points right.
    matrix : array, ``(d+1, d+1)``, optional
        Used as it is instead of all the above: it takes an output index ``(y, x, 1)`` or ``(z, y, x, 1)``
        to an input index.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What lies beyond the edge; ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Hartley and Zisserman (2004), "Multiple View Geometry", 2.4: affine transformations.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> up = im.Affine(matrix=[[1, 0, 1], [0, 1, 0], [0, 0, 1]])
    >>> im.Pipeline([up], seed=0)(np.array([[1, 2], [3, 4]], np.uint8))
    array([[3, 4],
           [3, 4]], dtype=uint8)
    """

    degrees: Random = param(0.0, low=-360, high=360, unit="degrees")
    zoom: PerAxis = param(1.0, above=0, per_axis=True)
    shift: PerAxis = param(0.0, low=-1, high=1, per_axis=True)
    shear: PerAxis = param(0.0, low=-STEEPEST, high=STEEPEST, unit="degrees", per_axis=True)
    plane: Literal["yx", "zy", "zx"] = option("yx", check=one_of("yx", "zy", "zx"))
    matrix: Read[npt.ArrayLike | None, Rows | None] = option(None, check=_matrix)
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def check(self) -> None:
        check_plane(self.shear, "Affine(shear=...)", self.plane)
        nothing = Range(0, 0)
        still = (self.degrees, self.zoom, self.shift, self.shear) == (nothing, Range(1, 1), nothing, nothing)
        if self.matrix is not None and not still:
            raise ParameterError(
                "expected Affine(matrix=...) alone, got degrees, zoom, shift or shear beside it; drop one"
            )

    def variants(self) -> float:
        """One distribution for the shift of both axes is drawn for each of them."""
        counts = (d.count ** (2 if name == "shift" else 1) for name, d, _ in self.distributions())
        return self._with_coin(math.prod(counts))

    def traits(self) -> Traits:
        turns = reach(self.degrees) if self.plane == "yx" else 0.0
        mirrors = ""
        if self.matrix is not None:
            turns, mirrors = turn_of(self.matrix), "x" if np.linalg.det(self.matrix) < 0 else ""
        shifts = reaches(self.plane, fraction=self.shift)
        return Traits(moves=True, order=self.order, border=self.border, turns=turns, mirrors=mirrors, shifts=shifts)

    def draw(self, draws: Draws, frame: Frame) -> ops.Op:
        matrix = self._drawn(draws, frame) if self.matrix is None else self._given(frame)
        return ops.Affine(matrix, frame.shape, sampling(self.order, self.border, self.fill, self.mask_fill))

    def _given(self, frame: Frame) -> geo.Floats:
        m = np.asarray(self.matrix)
        if len(m) != frame.ndim + 1:
            side = frame.ndim + 1
            raise InputError(f"expected Affine(matrix=...) to be {side} x {side} for axes {frame.axes}, got {m.shape}")
        return np.tile(m, (frame.n, 1, 1))

    def _drawn(self, draws: Draws, frame: Frame) -> geo.Floats:
        plane = frame.plane(self.plane)
        turn = geo.rotation(draws(self.degrees), plane, frame.ndim)
        factor = per_axis(draws, self.zoom, "zoom", frame, self.plane, 1.0, together=True)
        shift = per_axis(draws, self.shift, "shift", frame, self.plane, 0.0) * frame.shape
        shear = shear_pull(draws, self.shear, "shear", self.plane, frame)
        linear = shear @ turn @ geo.scaling(1.0 / factor)[:, :-1, :-1]
        return geo.about(linear, frame.centre, frame.rigid) @ geo.translation(0.0 - shift)
