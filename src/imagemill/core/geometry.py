"""The frame of an image and the matrices that move it. THE coordinate convention is stated here, once.

* Index order is array order: ``(y, x)`` for pictures, ``(z, y, x)`` for volumes. Every vector, matrix,
  shape and spacing follows it.
* Pixel centres are at integers: pixel ``i`` spans ``i - 0.5 .. i + 0.5``, a frame ``-0.5 .. N - 0.5``.
* Matrices are homogeneous, ``(d+1, d+1)``, and *pull*: they take an output index to an input index.
* Positive degrees turn counter-clockwise as seen on screen (first axis of the plane pointing down, second
  to the right), zoom above 1 magnifies, positive shifts go down and to the right.
* With spacing, turns and shears are rigid in millimetres: they are conjugated by the spacing. Where none was given they
  are rigid in pixels, those of the place where they stand.
* Resizing keeps the outer edges of the frame (half-pixel centres).
* Boxes are stored by their edges in these coordinates, keypoints as indices; other formats are converted
  where they enter and where they leave.

Everything is an array over the batch: shapes ``[n, d]``, matrices ``[n, d+1, d+1]``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from imagemill.core.content import Content, Extent
from imagemill.core.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SPATIAL_AXES = {2: "yx", 3: "zyx"}
_EYE = [np.eye(d + 1) for d in range(4)]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What a transform may know of a batch of images while it draws.

    Parameters
    ----------
    axes : str
        ``"yx"`` or ``"zyx"``.
    shape : array of int, ``[n, d]``
    affine : array, ``[n, d+1, d+1]``
        Index to world coordinates in millimetres; the identity when nothing is known.
    channels : int
        Number of channels of the image (1 for gray).
    dtype : numpy dtype
        Of the image values at this place of the pipeline.
    peak : float
        The value that stands for white: 255 for 8 bits, 65,535 for 16, 1 for floating point.
    metric : array, ``[n, d, d]``, optional
        Steps of index to steps in millimetres, where they are known apart from ``affine`` (some scans carry
        an empty affine beside true voxel sizes). The linear part of ``affine`` otherwise.
    measured : bool array, ``[n]``, optional
        The images whose distances between pixels were given; None for all. Those of the others are counted from 1, and
        turns and shears are rigid in pixels.
    content : Content, optional
        Tells what the images show in this frame; None where there are no images yet, only their sizes.
    chosen : bool array, ``[n]``, optional
        The images that the transform at work was chosen for; None for all. What does not fit another one is no error.
    group : array of int, ``[n, g]``, optional
        The images of the batch that each one may be mixed with, by their rows: itself, then those whose place in the
        epoch differs from its own by an exclusive or with 1, 2, 3; itself where there is none. None for no others.
    """

    axes: str
    shape: Ints
    affine: Floats
    channels: int = 1
    dtype: np.dtype[Any] = np.dtype(np.uint8)
    peak: float = 255.0
    metric: Floats | None = None
    measured: npt.NDArray[np.bool_] | None = None
    content: Content | None = None
    chosen: npt.NDArray[np.bool_] | None = None
    group: Ints | None = None

    @classmethod
    def of(
        cls,
        *shape: int,
        channels: int = 1,
        dtype: npt.DTypeLike = np.uint8,
        spacing: tuple[float, ...] | None = None,
        n: int = 1,
    ) -> Self:
        """A frame of ``n`` images of one shape.

        Examples
        --------
        >>> Frame.of(375, 500, channels=3).centre
        array([[187. , 249.5]])
        """
        d = len(shape)
        if d not in SPATIAL_AXES:
            raise InputError(f"expected a shape of 2 or 3 lengths, got {shape}")
        dtype = np.dtype(dtype)
        affine = scaling(np.tile(np.asarray(spacing or (1.0,) * d, dtype=np.float64), (n, 1)))
        sizes = np.tile(np.asarray(shape, dtype=np.int64), (n, 1))
        measured = None if spacing else np.zeros(n, dtype=bool)
        return cls(SPATIAL_AXES[d], sizes, affine, channels, dtype, peak_of(dtype), measured=measured)

    @property
    def n(self) -> int:
        """Number of images in the batch."""
        return len(self.shape)

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.axes)

    @property
    def centre(self) -> Floats:
        """Centre of each frame, ``[n, d]``."""
        return (self.shape - 1) / 2.0

    @property
    def spacing(self) -> Floats:
        """Distance between neighbouring pixels in millimetres, ``[n, d]``; 1 when nothing is known."""
        d = self.ndim
        steps = self.affine[:, :d, :d] if self.metric is None else self.metric
        lengths: Floats = np.linalg.norm(steps, axis=1)
        return lengths

    @property
    def rigid(self) -> Floats:
        """The distances in which turns and shears are rigid, ``[n, d]``: the spacing where it was given, else pixels.

        A photo that was squashed is turned as it is then; a scan is turned in millimetres, whatever its pixels became.
        """
        if self.measured is None:
            return self.spacing
        if not self.measured.any():
            return np.ones((self.n, self.ndim))
        return np.where(self.measured[:, None], self.spacing, 1.0)

    @property
    def in_plane(self) -> tuple[int, int]:
        """Positions of the axes ``y`` and ``x``."""
        return self.ndim - 2, self.ndim - 1

    def axis(self, name: str) -> int:
        """Position of a named axis."""
        if len(name) != 1 or name not in self.axes:
            raise InputError(f"expected one of the axes {', '.join(self.axes)}, got {name!r}")
        return self.axes.index(name)

    def plane(self, name: str) -> tuple[int, int]:
        """Positions of the two axes of a plane such as ``"yx"``."""
        if len(name) != 2 or name[0] == name[1] or any(a not in self.axes for a in name):
            raise InputError(f"expected a plane of two of the axes {', '.join(self.axes)}, such as 'yx', got {name!r}")
        return self.axes.index(name[0]), self.axes.index(name[1])

    def partners(self, count: int) -> Ints:
        """Rows of each image and the next ``count`` of its group, ``[n, 1 + count]``; its own where there is none."""
        if self.group is None or self.group.shape[1] <= count:
            return np.repeat(np.arange(self.n)[:, None], count + 1, axis=1)
        return self.group[:, : count + 1]

    def foreground(self) -> Extent | None:
        """Outer edges of each mask's foreground (labels above 0) in this frame.

        Returns
        -------
        (low, high) of ``[n, d]``, or None when no mask came along. Rows of an empty mask are ``nan``.
        The source mask is read and its extent mapped through the geometry drawn so far; nothing is
        resampled.
        """
        return None if self.content is None else self.content.extent()

    def moved(self, matrix: Floats, shape: Ints) -> Self:
        """The frame after a geometric operation."""
        if not affine_rows(matrix):
            return replace(self, shape=shape)
        d = self.ndim
        metric = None if self.metric is None else self.metric @ matrix[:, :d, :d]
        affine = self.affine @ matrix
        # Written out, for this runs for every op of every call.
        kept = (self.channels, self.dtype, self.peak, metric, self.measured, self.content, None, self.group)
        return type(self)(self.axes, shape, affine, *kept)


def peak_of(dtype: npt.DTypeLike) -> float:
    """The value that stands for white in a dtype: the largest integer, or 1 for floating point."""
    dtype = np.dtype(dtype)
    if dtype == np.bool_:
        return 1.0
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def affine_rows(matrix: Floats) -> bool:
    """Whether no matrix of the batch is projective."""
    d = matrix.shape[-1] - 1
    return not matrix[:, d, :d].any()


def identity(n: int, d: int) -> Floats:
    """Identity matrices, ``[n, d+1, d+1]``."""
    m = np.empty((n, d + 1, d + 1))
    m[:] = _EYE[d]
    return m


def translation(offset: Floats) -> Floats:
    """``q = p + offset`` for offsets ``[n, d]``."""
    n, d = offset.shape
    m = identity(n, d)
    m[:, :d, d] = offset
    return m


def scaling(factor: Floats) -> Floats:
    """``q = factor * p`` for factors ``[n, d]``."""
    n, d = factor.shape
    m = identity(n, d)
    for axis in range(d):  # quicker than an index of all, for one sample as for many
        m[:, axis, axis] = factor[:, axis]
    return m


def about(linear: Floats, centre: Floats, spacing: Floats | None = None) -> Floats:
    """``q = c + S^-1 L S (p - c)``: a linear map about a centre, given in millimetres.

    Parameters
    ----------
    linear : array, ``[n, d, d]``
    centre : array, ``[n, d]``
        In pixels.
    spacing : array, ``[n, d]``, optional
        Millimetres per pixel; without it the map is meant in pixels.
    """
    n, d = centre.shape
    if spacing is not None:
        # Only ratios of spacings matter; equal ones leave the entries untouched, bit for bit.
        ratio = spacing[:, None, :] / spacing[:, :, None]
        linear = linear * ratio
    m = identity(n, d)
    m[:, :d, :d] = linear
    m[:, :d, d] = centre - np.einsum("nij,nj->ni", linear, centre)
    return m


def cos_sin(degrees: Floats) -> tuple[Floats, Floats]:
    """Cosine and sine of degrees, exact at multiples of 90."""
    turns = np.round(degrees / 90.0)
    rest = np.deg2rad(degrees - 90.0 * turns)
    c, s = np.cos(rest), np.sin(rest)
    if not turns.any():
        return c + 0.0, s + 0.0
    quarter = turns.astype(np.int64) % 4
    cos = np.choose(quarter, [c, -s, -c, s])
    sin = np.choose(quarter, [s, c, -s, -c])
    return cos + 0.0, sin + 0.0


def rotation(degrees: Floats, plane: tuple[int, int], d: int) -> Floats:
    """Linear pull map ``[n, d, d]`` of a counter-clockwise turn in a plane.

    Parameters
    ----------
    degrees : array, ``[n]``
    plane : pair of int
        Axis that points down, axis that points right.
    d : int
        Number of spatial axes.
    """
    down, right = plane
    cos, sin = cos_sin(np.asarray(degrees, dtype=np.float64))
    m = np.empty((len(cos), d, d))
    m[:] = _EYE[d - 1]
    m[:, down, down] = cos
    m[:, down, right] = sin
    m[:, right, down] = -sin
    m[:, right, right] = cos
    return m


def flip(shape: Ints, axis: int) -> Floats:
    """``q = N - 1 - p`` along one axis of frames ``[n, d]``."""
    n, d = shape.shape
    m = identity(n, d)
    m[:, axis, axis] = -1.0
    m[:, axis, d] = shape[:, axis] - 1
    return m


def resize(shape: Ints, out_shape: Ints) -> Floats:
    """``q = (p + 0.5) N / M - 0.5``: outer edges stay outer edges."""
    factor = shape / out_shape
    m = scaling(factor)
    m[:, : shape.shape[1], -1] = 0.5 * (factor - 1.0)
    return m


_WHOLE = 1e-12
"""How far an entry of an inverted matrix may be from a whole number that it stands for."""


def inverse(matrix: Floats) -> Floats:
    """The inverse of matrices ``(..., d+1, d+1)``; whole numbers stay whole, so that moves of whole pixels stay exact.

    Raises
    ------
    InputError
        For a singular matrix.

    Examples
    --------
    >>> inverse(np.array([[-1.0, 0, 6], [0, 3, 0], [0, 0, 1]])).tolist()
    [[-1.0, 0.0, 6.0], [0.0, 0.3333333333333333, 0.0], [0.0, 0.0, 1.0]]
    """
    try:
        found: Floats = np.linalg.inv(matrix).astype(np.float64)
    except np.linalg.LinAlgError:
        raise InputError(
            "expected a geometry that can be undone, got a singular matrix; leave out what makes images flat"
        ) from None
    whole = np.rint(found)
    found = np.where(np.abs(found - whole) < _WHOLE, whole, found) + 0.0
    # An affine matrix keeps an exact last row, so that no division by a rounded 1 follows.
    last = matrix[..., -1, :]
    plain = ~last[..., :-1].any(axis=-1, keepdims=True)
    found[..., -1, :] = np.where(plain, last, found[..., -1, :])
    return found


def apply(matrix: Floats, points: Floats) -> Floats:
    """Map points ``(k, d)`` by one matrix ``(d+1, d+1)``, dividing when it is projective."""
    d = points.shape[-1]
    q = points @ matrix[:d, :d].T + matrix[:d, d]
    if np.any(matrix[d, :d] != 0.0) or matrix[d, d] != 1.0:
        q = q / (points @ matrix[d, :d] + matrix[d, d])[..., None]
    return q
