"""The closed vocabulary between what transforms say and what the engine runs.

Drawing a transform gives ops: arrays of numbers over the batch, nothing random left. There are few kinds,
and the planner knows all of them:

=============  =======================================================================================
``Affine``     pull matrix (perspective included), output shape, sampling; ``window`` marks padding
``Warp``       coarse lattice of B-spline displacements over the current frame
``ChannelMix`` colour matrix with offset, and a share of the picture's own channel means
``Pointwise``  a curve on each value: gamma, tones, clip
``Fit``        an affine map whose numbers come from the picture itself at run time (min/max, z-score)
``Cast``       the type of the values
``Layout``     order of the axes in memory
``Filter``     each value from its neighbours or from the whole image: blur, median, equalisation
``Noise``      a random number for each value
``Erase``      boxes that are filled
``Exchange``       boxes that change places
``Blend``      samples of one group put together: weighted, side by side, objects of one on another
``Fan``        several chains of ops on one image, and their weighted sum
``Opaque``     a user's function
=============  =======================================================================================

``Filter``, ``Noise``, ``Erase`` and ``Exchange`` are defined in :mod:`imagemill.core.image_ops`, ``Blend`` and
``Fan`` in :mod:`imagemill.core.blend_ops`.
Samples a transform was not chosen for get identity rows, so the planner never sees a coin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from imagemill.core import geometry as geo
from imagemill.core.blend_ops import Blend as Blend
from imagemill.core.blend_ops import Fan as Fan
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Floats, Frame, Ints
from imagemill.core.image_ops import Bools as Bools
from imagemill.core.image_ops import Erase as Erase
from imagemill.core.image_ops import Exchange as Exchange
from imagemill.core.image_ops import Filter as Filter
from imagemill.core.image_ops import Noise as Noise

Border = Literal["nearest", "constant", "reflect", "mirror", "wrap"]
BORDERS: tuple[str, ...] = get_args(Border)
Order = Literal[0, 1, 3, 5]
ORDERS: tuple[int, ...] = get_args(Order)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How pixels are read where a coordinate falls between or beside them.

    ``None`` means "no opinion": a flip or a crop reads whole pixels inside the frame and fuses with
    anything. Two ops fuse when their opinions do not contradict each other.

    Parameters
    ----------
    order : {0, 1, 3, 5} or None
        Spline order for images; label maps are always read by order 0.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"} or None
    fill, mask_fill
        Values beyond the edge when the border is constant; ``fill`` is one for all channels or one for each.
    antialias : bool
        Average before shrinking by more than 2.
    """

    order: int | None = None
    border: str | None = None
    fill: float | tuple[float, ...] = 0.0
    mask_fill: int = 0
    antialias: bool = False

    def __post_init__(self) -> None:
        if self.order is not None and self.order not in ORDERS:
            raise ParameterError(f"expected a spline order of {ORDERS}, got {self.order!r}")
        if self.border is not None and self.border not in BORDERS:
            raise ParameterError(f"expected a border of {BORDERS}, got {self.border!r}")

    def merge(self, other: Sampling) -> Sampling | str:
        """The sampling that serves both, or the reason why there is none."""
        if self.order is not None and other.order is not None and self.order != other.order:
            return f"spline order {self.order} against {other.order}"
        if self.border is not None and other.border is not None:
            if self.border != other.border:
                return f"border {self.border} against {other.border}"
            if self.border == "constant" and self.fill != other.fill:
                return f"fill {shown(self.fill)} against {shown(other.fill)}"
            if self.border == "constant" and self.mask_fill != other.mask_fill:
                return f"label fill {self.mask_fill} against {other.mask_fill}"
        bordered = other if self.border is None else self
        return Sampling(
            other.order if self.order is None else self.order,
            bordered.border,
            bordered.fill,
            bordered.mask_fill,
            self.antialias or other.antialias,
        )


def shown(fill: float | tuple[float, ...]) -> str:
    """A fill in words.

    Examples
    --------
    >>> shown(0.5), shown((124, 116, 104))
    ('0.5', '(124, 116, 104)')
    """
    return f"({', '.join(f'{one:g}' for one in fill)})" if isinstance(fill, tuple) else f"{fill:g}"


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """Geometry by a pull matrix, ``[n, d+1, d+1]``, into frames of ``shape`` ``[n, d]``.

    With ``window`` (bool ``[n]``) the op is a padding: in the rows where it holds, whatever lies outside
    the frame it was given shows ``sampling.fill``, whatever follows.
    """

    matrix: Floats
    shape: Ints
    sampling: Sampling = Sampling()
    window: Bools | None = None

    def __post_init__(self) -> None:
        n, d = self.shape.shape
        if self.matrix.shape != (n, d + 1, d + 1):
            raise InputError(f"expected matrices {(n, d + 1, d + 1)} for shapes {(n, d)}, got {self.matrix.shape}")
        # Arrays of two numbers cost ten times as much as the numbers.
        if (min(self.shape[0].tolist()) < 1) if n == 1 else (self.shape < 1).any():
            raise InputError(f"expected output sizes of at least 1, got {self.shape.min(axis=0).tolist()}")

    def of_row(self, i: int) -> Affine:
        """The op of one sample; what was found right for all of them is not looked at again."""
        here, one = slice(i, i + 1), object.__new__(Affine)
        put = object.__setattr__
        put(one, "matrix", self.matrix[here])
        put(one, "shape", self.shape[here])
        put(one, "sampling", self.sampling)
        put(one, "window", None if self.window is None else self.window[here])
        return one

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """Identity in the rows where ``where`` is False."""
        return replace(
            self,
            matrix=np.where(where[:, None, None], self.matrix, geo.identity(*frame.shape.shape)),
            shape=np.where(where[:, None], self.shape, frame.shape),
            window=None if self.window is None else self.window & where,
        )

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op."""
        return frame.moved(self.matrix, self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """Smooth displacement: control coefficients ``[n, d, *cells + 3]`` in pixels, over the current frame."""

    grid: Floats
    sampling: Sampling = Sampling()

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """No displacement in the rows where ``where`` is False."""
        return replace(self, grid=self.grid * where.reshape(-1, *[1] * (self.grid.ndim - 1)))

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: the same."""
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class ChannelMix:
    """``out = A x + b + K mean(x)`` on the channels of each pixel.

    Parameters
    ----------
    matrix : array, ``[n, C, C+1]``
        ``A`` and, in the last column, ``b``.
    pivot : array, ``[n, C, C]``, optional
        ``K``, applied to the channel means of the picture as it reaches this op. The family is closed
        under composition, so any run of such ops is one op.
    leaves_range : bool
        True for normalisation: what follows is no longer a picture's value range, and a clip that is
        due is made before.
    """

    matrix: Floats
    pivot: Floats | None = None
    leaves_range: bool = False

    @classmethod
    def diagonal(cls, gain: Floats, offset: Floats | None = None, *, leaves_range: bool = False) -> Self:
        """Gain and offset per channel, each ``[n, C]``."""
        n, c = gain.shape
        matrix = np.zeros((n, c, c + 1))
        for channel in range(c):
            matrix[:, channel, channel] = gain[:, channel]
        if offset is not None:
            matrix[:, :, c] = offset
        return cls(matrix, leaves_range=leaves_range)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.matrix.shape[1])

    def then(self, later: ChannelMix) -> ChannelMix:
        """The one mix that equals this one followed by a later one, both over the same batch.

        With ``m`` the channel means of what arrives here, they are ``(A1 + K1) m + b1`` behind this mix, so
        ``A = A2 A1``, ``b = (A2 + K2) b1 + b2`` and ``K = A2 K1 + K2 (A1 + K1)``.

        Examples
        --------
        >>> double = ChannelMix.diagonal(np.array([[2.0]]))
        >>> lower = ChannelMix.diagonal(np.array([[1.0]]), np.array([[-3.0]]))
        >>> double.then(lower).matrix.tolist(), lower.then(double).matrix.tolist()
        ([[[2.0, -3.0]]], [[[2.0, -6.0]]])
        """
        if later.matrix.shape != self.matrix.shape:
            raise InputError(
                f"expected mixes of one batch and as many channels, got {self.matrix.shape} then {later.matrix.shape}"
            )
        c = self.channels
        a1, a2 = self.matrix[:, :, :c], later.matrix[:, :, :c]
        if c > 4:
            # Products of many channels are quick only where rows lie one behind the other.
            a1, a2 = np.ascontiguousarray(a1), np.ascontiguousarray(a2)
        k1, k2 = self.pivot, later.pivot
        carried = a2 if k2 is None else a2 + k2
        matrix = np.concatenate([a2 @ a1, carried @ self.matrix[:, :, c:] + later.matrix[:, :, c:]], axis=2)
        pivot = None if k1 is None else a2 @ k1
        if k2 is not None:
            means = a1 if k1 is None else a1 + k1
            pivot = k2 @ means if pivot is None else pivot + k2 @ means
        return ChannelMix(matrix, pivot, self.leaves_range or later.leaves_range)

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """Identity in the rows where ``where`` is False."""
        c = self.channels
        same = np.eye(c, c + 1)
        pivot = None if self.pivot is None else self.pivot * where[:, None, None]
        return replace(self, matrix=np.where(where[:, None, None], self.matrix, same), pivot=pivot)

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op; beyond the range of a picture values are floating point."""
        if not self.leaves_range:
            return frame
        return replace(frame, dtype=floating(frame.dtype), peak=1.0)


def floating(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The floating-point dtype that values of ``dtype`` turn into: float32, or what it already is."""
    return dtype if dtype.kind == "f" else np.dtype(np.float32)


def _gamma(x: Floats, params: Floats) -> Floats:
    peak, gamma = params
    out = np.maximum(x, 0.0)
    out /= peak
    np.power(out, gamma, out=out)
    out *= peak
    return out


def _tones(x: Floats, params: Floats) -> Floats:
    edges, gains = np.array_split(params, [len(params) // 2])
    # `edges` are the upper ends of the ranges but the last one's, which reaches to infinity.
    return x * gains[np.searchsorted(edges, x, side="right")]


def _clip(x: Floats, params: Floats) -> Floats:
    return np.clip(x, params[0], params[1])


@dataclass(frozen=True, slots=True)
class Curve:
    """A kind of :class:`Pointwise`.

    Parameters
    ----------
    meaning : callable
        Values and one sample's parameters, of one floating-point dtype, to new values of that dtype.
    breaks : str
        Empty for a curve that may change places with interpolation: one without jumps or corners, so that on smooth
        pictures both orders give nearly the same. Otherwise what in it forbids that, in words for ``explain()``.
    """

    meaning: Callable[[Floats, Floats], Floats]
    breaks: str = ""


def _bezier(x: Floats, params: Floats) -> Floats:
    peak, low, high = params
    # Beyond black and white the curve goes on as it is not there: by as much as the value is beyond.
    t = np.clip(x / peak, 0.0, 1.0)
    s = 1.0 - t
    return np.asarray(x + peak * (t * (3.0 * s * (s * low + t * high) + t * t) - t))


CURVES: dict[str, Curve] = {
    "gamma": Curve(_gamma),
    "bezier": Curve(_bezier),
    "tones": Curve(_tones, "gains that jump from one range of values to the next"),
    "clip": Curve(_clip, "values that are cut off at limits"),
}
"""Each curve's meaning, and whether it may change places with interpolation."""


@dataclass(frozen=True, slots=True, eq=False)
class Pointwise:
    """A curve on every value of every colour channel.

    Parameters
    ----------
    curve : {"gamma", "bezier", "tones", "clip"}
        ``gamma``: parameters peak, exponent; ``peak * (x / peak) ** exponent``, negative values taken as 0.
        ``bezier``: parameters peak, low, high; the cubic through black and white with control values ``low`` and
        ``high``, shares of ``peak`` at a third and two thirds of it.
        ``tones``: ``k - 1`` inner edges, then ``k`` gains, one per range of values.
        ``clip``: lower and upper limit.
    params : array, ``[n, m]``
    channels : int
        How many leading channels it applies to (an alpha channel is left alone).
    where : bool array, ``[n]``, optional
    """

    curve: str
    params: Floats
    channels: int
    where: Bools | None = None

    def __post_init__(self) -> None:
        if self.curve not in CURVES:
            raise InputError(f"expected a curve of {sorted(CURVES)}, got {self.curve!r}")

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """Nothing in the rows where ``where`` is False."""
        return replace(self, where=where if self.where is None else self.where & where)

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: the same."""
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """An affine map of all values whose numbers are read from the picture when it arrives.

    Parameters
    ----------
    statistic : {"minmax", "zscore"}
        ``minmax``: ``(x - min) / (max - min)``, 0 for a constant picture. ``zscore``:
        ``(x - mean) / (std + epsilon)`` over all pixels, together or per channel.
    per_channel : bool
    epsilon : float
    centre, scale : bool
        For ``zscore``: whether to subtract the mean, and to divide by the deviation.
    """

    statistic: str
    per_channel: bool = False
    epsilon: float = 0.0
    centre: bool = True
    scale: bool = True
    where: Bools | None = None

    def __post_init__(self) -> None:
        if self.statistic not in ("minmax", "zscore"):
            raise InputError(f"expected a statistic of 'minmax' or 'zscore', got {self.statistic!r}")

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """Nothing in the rows where ``where`` is False."""
        return replace(self, where=where if self.where is None else self.where & where)

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: floating point."""
        return replace(frame, dtype=floating(frame.dtype), peak=1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """The type of the image values from here on; integers are rounded to even and saturate."""

    dtype: np.dtype[Any]

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """A batch has one type, so the op cannot be chosen for some samples only."""
        raise ParameterError("expected p=1 for a change of dtype: a batch has one dtype for all samples")

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op. The white of a photo that becomes floating point stays where it was."""
        integer = np.issubdtype(self.dtype, np.integer)
        return replace(frame, dtype=self.dtype, peak=geo.peak_of(self.dtype) if integer else frame.peak)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Order of the axes in memory, for images: channels last (as they come) or first."""

    channels_first: bool

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """A batch has one layout, so the op cannot be chosen for some samples only."""
        raise ParameterError("expected p=1 for a change of layout: a batch has one layout for all samples")

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: the same."""
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """A user's function on image values, ``(*shape, C)`` in, same shape and dtype out."""

    function: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
    name: str
    where: Bools | None = None

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """Nothing in the rows where ``where`` is False."""
        return replace(self, where=where if self.where is None else self.where & where)

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: the same."""
        return frame


Geometry = Affine | Warp
Colour = ChannelMix | Pointwise | Fit | Cast
OfImages = Filter | Noise | Erase | Exchange
Op = Affine | Warp | Colour | Layout | OfImages | Blend | Fan | Opaque
