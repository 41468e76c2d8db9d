"""Exchanging rows and columns, and all symmetries of the square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Affine, Bools, Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Transpose(Transform):
    """Exchange rows and columns, exactly; height and width change places, and the spacing goes along with them.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Cohen and Welling (2016), "Group equivariant convolutional networks", ICML: an element of the group p4m.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Transpose()], seed=0)(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    array([[1, 4],
           [2, 5],
           [3, 6]], dtype=uint8)
    """

    def traits(self) -> Traits:
        return Traits(moves=True, whole_frame=True, turns=90.0, mirrors="x")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        every = np.ones(frame.n, dtype=bool)
        return _symmetry(frame, every, ~every, ~every)


@dataclass(frozen=True, slots=True)
class D4(Transform):
    """One of the eight symmetries of the square, all equally likely: quarter turns, mirrored or not, exactly.

    Height and width change places for four of them.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Cohen and Welling (2016), "Group equivariant convolutional networks", ICML: the group p4m.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.D4()], seed=0)
    >>> len({pipe(np.arange(4, dtype=np.uint8).reshape(2, 2), key=key).tobytes() for key in range(64)}), pipe.variants
    (8, 8.0)
    """

    def variants(self) -> float:
        """All eight, of which one changes nothing."""
        return 8.0 if self.p > 0 else 1.0

    def traits(self) -> Traits:
        return Traits(moves=True, whole_frame=True, turns=180.0, mirrors="x")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        which = np.floor(draws.uniform() * 8).astype(np.int64)
        draws.note("symmetry", which)
        return _symmetry(frame, which & 4 > 0, which & 2 > 0, which & 1 > 0)


def _symmetry(frame: Frame, exchanged: Bools, down: Bools, right: Bools) -> Op:
    """Rows and columns exchanged where it says so, and then mirrored along either axis."""
    y, x = frame.in_plane
    shape = frame.shape.copy()
    shape[exchanged, y], shape[exchanged, x] = frame.shape[exchanged, x], frame.shape[exchanged, y]
    linear: Floats = geo.identity(frame.n, frame.ndim)[:, :-1, :-1]
    signs = np.where(down, -1.0, 1.0), np.where(right, -1.0, 1.0)
    for axis, other, sign in ((y, x, signs[0]), (x, y, signs[1])):
        linear[:, :, axis] = 0.0
        rows = np.where(exchanged, other, axis)
        linear[np.arange(frame.n), rows, axis] = sign
    matrix = geo.identity(frame.n, frame.ndim)
    matrix[:, :-1, :-1] = linear
    # The centre of the output shows the centre of the input; all numbers are halves, so this is exact.
    matrix[:, :-1, -1] = frame.centre - np.einsum("nij,nj->ni", linear, (shape - 1) / 2.0)
    return Affine(matrix, shape)
