"""Ops that see more of an image than one value at a time, or put in what was not there.

============  ===========================================================================================
``Filter``    each value from its neighbours, or from the whole image: blur, median, equalisation
``Noise``     a random number for each value, by the number of its pixel
``Erase``     boxes that are filled
``Exchange``      boxes that change places
============  ===========================================================================================

The planner runs each as a step of its own, and neither their shape nor their dtype changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats, Frame, Ints
from imagemill.core.packed import Bits

Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint32]
Array = npt.NDArray[Any]

FILTERS: dict[str, str] = {
    "convolve": "a filter reads neighbours",
    "sharpen": "a filter reads neighbours",
    "median": "a median reads neighbours",
    "average": "an average over moved copies reads neighbours",
    "equalize": "an equalisation reads the whole image",
    "stretch": "a stretch by quantiles reads the whole image",
    "clahe": "a local equalisation reads neighbours",
    "bias": "a bias field knows its place",
    "ghosts": "ghosts are made of the whole image",
    "spikes": "spikes are made of the whole image",
    "truncated": "high frequencies are those of the whole image",
    "range curve": "a curve over the image's own range reads the whole image",
    "motion": "motion during a scan reads the whole image",
    "range gamma": "a gamma in the image's own range reads the whole image",
    "lower": "a lower resolution reads neighbours",
    "histogram": "a match of histograms reads the whole image",
    "moments": "a match of colours reads the whole image",
    "spectrum": "a match of low frequencies reads the whole image",
    "zscore within": "a mean and deviation of a part read the whole image",
    "posterize": "it jumps from level to level, so the values in front of it are rounded first",
    "solarize": "it jumps at its threshold, so the values in front of it are rounded first",
    "jpeg": "a codec reads blocks of the image as it is here",
    "webp": "a codec reads blocks of the image as it is here",
    "glass": "pixels take the place of neighbours",
    "deviations": "a deviation reads the whole image",
    "turbulence": "pixels take the place of neighbours, and label maps stay",
    "hsv": "value and saturation saturate at white, so the values in front of it are rounded first",
    "fog": "fog takes the brightest value of the image",
    "snow": "flakes lie on the image as it is here",
    "frost": "frost lies on the image as it is here",
    "rain": "streaks lie on the image as it is here",
    "water": "drops lie on the image as it is here",
    "mud": "drops lie on the image as it is here",
    "shadow": "a shadow lies on the image as it is here",
    "flare": "a flare lies on the image as it is here",
}
"""The kinds of :class:`Filter`, and why each is a step of its own."""

NOISES = ("normal", "poisson", "impulse", "rician")
"""The kinds of :class:`Noise`."""

FILLS = ("value", "mean", "noise")
"""What :class:`Erase` puts in its boxes."""


def _known(kind: str, kinds: Sequence[str], what: str) -> None:
    if kind not in kinds:
        raise InputError(f"expected {what} of {sorted(kinds)}, got {kind!r}")


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """Values that are made of others of the same image. Beyond its edges it is mirrored at the outermost pixels.

    Parameters
    ----------
    kind : str
        ``convolve``: kernels ``[n, *k]`` of odd lengths, one after the other; each value becomes the sum of its
        neighbours times the kernel as it lies (a correlation).
        ``sharpen``: amount and threshold, each ``[n]``, then kernels; ``x + amount * (x - convolved)`` where the
        difference is at least the threshold.
        ``median``: lengths ``[n, d]``, odd; of the box about each value. Edge pixels are repeated, not mirrored.
        ``average``: pull matrices ``[n, k, d+1, d+1]``; the mean of the image read through each, edges repeated.
        ``equalize``: nothing; each channel through its own cumulative histogram.
        ``stretch``: the share ``[n]`` of values to cut at either end; each channel from its quantiles to black and
        white.
        ``posterize``: the step ``[n]`` between levels; each value down to its level.
        ``solarize``: the threshold ``[n]`` from which on values become their negative.
        ``clahe``: clip limit ``[n]`` and tiles ``[n, 2]``, rows and columns; of gray, or of the luma of three colours.
        ``bias``: coefficients ``[n, k]`` of all products of coordinates up to a degree, the constant first, of lower
        degree first, with -1 and 1 at the outermost pixels; values times ``exp`` of the polynomial.
        ``ghosts``: axis, count, intensity and the share that is kept, each ``[n]``; every ``count``-th line of the
        spectrum along the axis is weakened, but for that share in its middle.
        ``spikes``: periods over the frame ``[n, k, d]`` and intensities ``[n, k]``; a wave each on top, as strong as so
        many means of ``|x|``.
        ``truncated``: the share ``[n]`` of frequencies, 0 to 1, that is cut off from the outermost on, as in
        :func:`imagemill.engine.altering.scan_values.truncated`.
        ``range curve``: heights ``[n, k]`` from 0 to 1 and how many of them count ``[n]``, over evenly spaced places of
        the image's own range; all channels by one range, in straight lines.
        ``deviations``: how many ``[n]`` are added to every value, from which value on pixels count ``[n]`` (NaN: all of
        them) and whether each channel goes by its own ``[n]``; of pixels that do not count values stay as they are.
        ``motion``: pull matrices ``[n, k, d+1, d+1]`` of what was seen, the first the identity, shares of the time
        ``[n, k-1]`` before each but the first, and the axis ``[n]`` along which the spectrum is put together of them.
        ``range gamma``: exponent, whether it is inverted, and whether statistics are kept, each ``[n]``; each channel
        stretched onto 0 to 1, inverted where so, to that power, and back; then to the mean and deviation it had.
        ``lower``: samples ``[n, d]`` that are left along each axis, and how, ``[n, 2]``: down by nearest neighbour (0),
        by the mean of what a sample covers (1) or of the pixels whose middles it covers (2), and back by nearest
        neighbour (0) or straight lines (1).
        ``jpeg``, ``webp``: quality ``[n]``; written by that codec and read again, slice by slice. Three colours
        together, others each as a gray picture. Values that are not of 8 bits on a scale of 256 levels: from black to
        white, or between their own ends where some lie beyond.
        ``glass``: reach and times, each ``[n]``, a stream ``[n, 2]``, then kernels before and kernels behind; so many
        times each pixel takes the values of one at most so far, all of a slice and all slices alike.
        ``turbulence``: reach in pixels and deviations in pixels, each ``[n, 2]`` for rows and columns, and a stream
        ``[n, 2]``; each pixel is read from a place that lies off by uniform numbers within the reach, smoothed by a
        Gaussian.
        ``hsv``: gain and offset of saturation, and offset of value as a share of white, each ``[n]``.
        ``fog``, ``snow``, ``frost``, ``rain``, ``water``, ``mud``, ``shadow``, ``flare``: as
        :mod:`imagemill.engine.altering.weather_values` says.
        ``histogram``: shares and levels ``[n, C, k]`` and the amount ``[n]``; each channel through its own cumulative
        histogram onto the level that has as large a share below it, and so far back to what it was.
        ``moments``: means and deviations ``[n, C, 2]`` in shares of white, whether they are of the three decorrelated
        channels, and the amount, each ``[n]``.
        ``spectrum``: amplitudes ``[n, C, 2 k + 1, k + 1]`` of low frequencies over the size of the image, and up to how
        many cycles ``[n]`` they are taken.
        ``zscore within``: the part ``[n, bytes]``, see :mod:`imagemill.core.packed`, all where it is empty, and per
        image whether each channel goes by itself, whether to subtract the mean, and to divide by the deviation plus an
        epsilon, and that epsilon, each ``[n]``.
    params : tuple of arrays
        As the kind says.
    channels : int
        How many leading channels it applies to (an alpha channel is left alone).
    where : bool array, ``[n]``, optional
    """

    kind: str
    params: tuple[Array, ...]
    channels: int
    where: Bools | None = None

    def __post_init__(self) -> None:
        _known(self.kind, tuple(FILTERS), "a filter")
        if self.kind in ("convolve", "sharpen"):
            for kernel in self.kernels:
                if any(side % 2 == 0 for side in kernel.shape[1:]):
                    raise InputError(f"expected kernels of odd lengths, got {kernel.shape[1:]}")

    @property
    def kernels(self) -> tuple[Array, ...]:
        """The kernels of a convolution."""
        return self.params[2:] if self.kind == "sharpen" else self.params

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """Nothing in the rows where ``where`` is False."""
        return replace(self, where=where if self.where is None else self.where & where)

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: the same."""
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """A random number for each value, a function of the sample's stream and of the number of the pixel alone.

    Parameters
    ----------
    kind : {"normal", "poisson", "impulse", "rician"}
        ``normal``: parameters ``c0, c1, c2, shared``; ``x + sqrt(c0 + c1 |x| + c2 x^2) z`` with ``z`` standard normal,
        of which the share ``shared`` of the variance is one number for all channels of a pixel.
        ``poisson``: parameter ``unit``, the value of one event; ``unit * Poisson(x / unit)``, negative ones taken as 0.
        ``rician``: parameter ``std``; the length of ``(x + std z1, std z2)`` with two standard normal numbers.
        ``impulse``: parameters ``share, value, share, value``; that share of the values become that value.
    params : array, ``[n, m]``
    stream : array of uint32, ``[n, 2]``
        From :meth:`~imagemill.core.randomness.rng.Draws.stream`.
    channels : int
        How many leading channels it applies to (an alpha channel is left alone).
    per_channel : bool
        Whether each channel of a pixel has a number of its own.
    mask_fill : int, optional
        What label maps show where an impulse was, or a map of numbers in a plan of its own; by default they stay as
        they are.
    where : bool array, ``[n]``, optional
    """

    kind: str
    params: Floats
    stream: Words
    channels: int
    per_channel: bool = True
    mask_fill: float | None = None
    where: Bools | None = None

    def __post_init__(self) -> None:
        _known(self.kind, NOISES, "a noise")
        if self.stream.shape != (len(self.params), 2) or self.stream.dtype != np.uint32:
            raise InputError(f"expected streams [n, 2] of uint32, got {self.stream.shape} of {self.stream.dtype}")

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """Nothing in the rows where ``where`` is False."""
        return replace(self, where=where if self.where is None else self.where & where)

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: the same."""
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class Erase:
    """Parts that are filled. Boxes, keypoints and polygons stay: what is hidden is there all the same, but for objects.

    Parameters
    ----------
    boxes : array of int, ``[n, k, d, 2]``
        First pixel and the one behind the last, along each axis; empty boxes fill up rows that have fewer.
    channels : int
        How many leading channels are filled (an alpha channel is left alone).
    fill : {"value", "mean", "noise"}
        ``value``: ``values``. ``mean``: of each channel of the image. ``noise``: uniform between black and white for
        each value, from ``stream``.
    values : array, ``[n, channels]``, optional
        In the image's own units.
    stream : array of uint32, ``[n, 2]``, optional
    turn : array, ``[n, d+1, d+1]``, optional
        Takes a pixel's index to where the boxes are said; None for the identity.
    region : array of uint8, ``[n, bytes]``, optional
        Pixels that are filled as well, see :mod:`imagemill.core.packed`.
    shape : array of int, ``[n, d]``, optional
        Of the frames that a region is part of.
    objects : array, ``[n, k, 1 + 2d]``, optional
        Objects of the image: 1 where an object is gone, then the edges of the box around it. Bounding boxes and
        polygons go with the object whose box they overlap best, by at least half of what both cover.
    mask_fill : int, optional
        What label maps show there, or a map of numbers in a plan of its own; by default they stay as they are.
    hides : bool
        Whether keypoints there are no longer visible.
    where : bool array, ``[n]``, optional
    """

    boxes: Ints
    channels: int
    fill: str = "value"
    values: Floats | None = None
    stream: Words | None = None
    turn: Floats | None = None
    region: Bits | None = None
    shape: Ints | None = None
    objects: Floats | None = None
    mask_fill: float | None = None
    hides: bool = False
    where: Bools | None = None

    def __post_init__(self) -> None:
        _known(self.fill, FILLS, "a fill")
        if self.values is not None and self.values.shape != (len(self.boxes), self.channels):
            raise InputError(f"expected values {(len(self.boxes), self.channels)}, got {self.values.shape}")
        if self.boxes.ndim != 4 or self.boxes.shape[3] != 2:
            raise InputError(f"expected boxes [n, k, d, 2], got {self.boxes.shape}")
        if (self.region is None) != (self.shape is None):
            raise InputError("expected a region with the shape of its frames, got one without the other")
        needed = {"value": ("values", self.values), "noise": ("stream", self.stream)}.get(self.fill)
        if needed is not None and needed[1] is None:
            raise InputError(f"expected {needed[0]} for a fill of {self.fill!r}, got none")

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """Nothing in the rows where ``where`` is False."""
        return replace(self, where=where if self.where is None else self.where & where)

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: the same."""
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """Boxes of one size that change places, pair after pair.

    Parameters
    ----------
    boxes : array of int, ``[n, k, 3, d]``
        First pixel of one box, first pixel of the other, and the sides of both; a side of 0 is no pair. Boxes of a pair
        have no pixel in common.
    channels : int
        How many leading channels change; all of them where the scene is moved.
    masks : bool
        Whether the scene is moved (label maps, maps and keypoints go with it; so do objects within a box, those that
        are torn are gone) or only what the image holds.
    where : bool array, ``[n]``, optional
    """

    boxes: Ints
    channels: int
    masks: bool = True
    where: Bools | None = None

    def __post_init__(self) -> None:
        if self.boxes.ndim != 4 or self.boxes.shape[2] != 3:
            raise InputError(f"expected boxes [n, k, 3, d], got {self.boxes.shape}")

    @property
    def kind(self) -> str:
        """What it is called in a description."""
        return f"{self.boxes.shape[1]} pairs"

    def chosen(self, where: Bools, frame: Frame) -> Self:
        """Nothing in the rows where ``where`` is False."""
        return replace(self, where=where if self.where is None else self.where & where)

    def after(self, frame: Frame) -> Frame:
        """The frame behind this op: the same."""
        return frame
