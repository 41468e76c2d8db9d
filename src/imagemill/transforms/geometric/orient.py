"""Bringing scans to one orientation."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Affine, Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform, option
from imagemill.transforms.traits import Traits

_LETTERS = "RLAPSI"
"""Ends of the world's axes x, y, z: plus and minus of each."""
_ORDERS = list(itertools.permutations(range(3)))


def _orientation(name: str, value: Any) -> str:
    pairs = [_LETTERS.find(letter) // 2 for letter in value] if isinstance(value, str) else []
    if sorted(pairs) != [0, 1, 2]:
        raise ParameterError(
            f"expected {name} to name where x, y and z run to, one letter each out of R or L, A or P, S or I, such as "
            f"'RAS' or 'LPS', got {value!r}"
        )
    return str(value)


@dataclass(frozen=True, slots=True)
class Orient(Transform):
    """Turn axes over and exchange them until they run as asked for, voxel for voxel.

    Where each axis runs is read from the affine of the scan, which goes along: every voxel stays where it is in the
    world. Axes that are oblique count as those they are nearest to, so that no value is interpolated.

    Parameters
    ----------
    to : str
        Where the axes x, y and z of the array run to, in this order: R(ight) or L(eft), A(nterior) or P(osterior),
        S(uperior) or I(nferior), as in nibabel. ``"RAS"`` is nibabel's canonical orientation, ``"LPS"`` that of DICOM.

    Raises
    ------
    ParameterError
        For pictures, which have no orientation in a body.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    nibabel, "Image voxel orientation"; the world is that of NIfTI, in which x runs to the right, y to the front and z
    up. A volume without an affine counts as oriented so.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> to_left = np.diag([1.0, 1, -1, 1])[[2, 1, 0, 3]]  # world x, y, z of index z, y, x: x runs to the left
    >>> scan = im.Image(np.arange(3).reshape(1, 1, 3).astype(np.int16), "zyx", affine=to_left)
    >>> turned = im.Pipeline([im.Orient("RAS")], seed=0)(image=scan)
    >>> turned.image.ravel().tolist(), turned.affine[0].tolist()
    ([2, 1, 0], [0.0, 0.0, 1.0, -2.0])
    """

    to: str = option("RAS", check=_orientation)

    def traits(self) -> Traits:
        return Traits(moves=True, whole_frame=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        if frame.ndim != 3:
            raise ParameterError("expected volumes for Orient, got pictures; use Flip and QuarterTurn for those")
        matrix, shape = geo.identity(frame.n, 3), frame.shape.copy()
        for row in range(frame.n):
            runs = _runs(frame.affine[row])
            for out, letter in enumerate(reversed(self.to)):  # index order is z, y, x
                world, minus = divmod(_LETTERS.index(letter), 2)
                axis = next(axis for axis, (along, _) in enumerate(runs) if along == world)
                length = shape[row, out] = frame.shape[row, axis]
                turned = runs[axis][1] != (minus == 0)
                matrix[row, axis] = 0.0
                matrix[row, axis, out] = -1.0 if turned else 1.0
                matrix[row, axis, 3] = length - 1 if turned else 0
        return Affine(matrix, shape)


def _runs(affine: Floats) -> list[tuple[int, bool]]:
    """For each axis of the index the axis of the world that it runs along, and whether it runs to its plus end."""
    linear = affine[:3, :3]
    spacing = np.diag(linear)
    if not affine[:3, 3].any() and np.array_equal(linear, np.diag(spacing)) and (spacing > 0).all():
        return [(2, True), (1, True), (0, True)]  # no more than a spacing is known
    # The nearest rotation: shear and spacing do not choose for an axis.
    left, _, right = np.linalg.svd(linear / np.linalg.norm(linear, axis=0))
    turn = left @ right
    best = max(_ORDERS, key=lambda order: sum(abs(turn[world, axis]) for axis, world in enumerate(order)))
    return [(world, bool(turn[world, axis] > 0)) for axis, world in enumerate(best)]
