"""What artefacts of scanners mean, in float64: fields over the frame, and changes of the spectrum along an axis."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.geometry import Floats

__all__ = [
    "between",
    "biased",
    "fewer_samples",
    "gamma_in_range",
    "ghosted",
    "lowered",
    "monomials",
    "moved",
    "spiked",
    "turns",
    "weakened",
]

Array = np.ndarray[Any, Any]


def monomials(d: int, order: int) -> list[tuple[int, ...]]:
    """Exponents of all products of ``d`` coordinates up to a total degree, the constant first.

    Examples
    --------
    >>> monomials(2, 2)
    [(0, 0), (0, 1), (1, 0), (0, 2), (1, 1), (2, 0)]
    """
    every = itertools.product(range(order + 1), repeat=d)
    return sorted((powers for powers in every if sum(powers) <= order), key=lambda powers: (sum(powers), powers))


def biased(values: Floats, coefficients: Floats) -> Floats:
    """Times ``exp`` of a polynomial over the frame, whose edges lie at -1 and 1."""
    d = values.ndim - 1
    order = next(order for order in itertools.count() if len(monomials(d, order)) == len(coefficients))
    axes = [(np.arange(n) - (n - 1) / 2) / max((n - 1) / 2, 1e-9) for n in values.shape[:-1]]
    powers = [[axis**k for k in range(order + 1)] for axis in axes]
    field = np.zeros(values.shape[:-1])
    for coefficient, exponents in zip(coefficients.tolist(), monomials(d, order), strict=True):
        term = np.full((1,) * d, coefficient)
        for a, k in enumerate(exponents):
            term = term * powers[a][k].reshape([-1 if i == a else 1 for i in range(d)])
        field += term
    made: Floats = values * np.exp(field)[..., None]
    return made


def _gained(values: Floats, axis: int, gain: Floats) -> Floats:
    """Frequencies along an axis times a gain, the lowest in the middle of ``gain``."""
    import scipy.fft as sf

    shape = [-1 if i == axis else 1 for i in range(values.ndim)]
    spectrum = sf.fft(values, axis=axis)
    found: Floats = sf.ifft(spectrum * np.fft.ifftshift(gain).reshape(shape), axis=axis).real
    return found


def ghosted(values: Floats, axis: int, count: int, intensity: float, kept: float) -> Floats:
    """Every ``count``-th line of the spectrum along an axis weakened, but for the share ``kept`` in its middle."""
    return _gained(values, axis, weakened(values.shape[axis], count, intensity, kept))


def weakened(n: int, count: int, intensity: float, kept: float) -> Floats:
    """The gain of each of ``n`` frequencies under :func:`ghosted`, the lowest in the middle.

    Examples
    --------
    >>> weakened(8, 2, 0.5, 0.3).tolist()
    [0.5, 1.0, 0.5, 1.0, 1.0, 1.0, 0.5, 1.0]
    """
    gain = np.ones(n)
    gain[::count] = 1 - intensity
    half = kept * n / 2
    middle = n // 2
    gain[max(0, int(np.ceil(middle - half))) : int(middle + half) + 1] = 1
    return gain


def spiked(values: Floats, waves: Floats, intensity: Floats) -> Floats:
    """Plane waves of whole numbers of periods over the frame ``[k, d]`` on top, as high as so many mean magnitudes."""
    axes = np.meshgrid(*[np.arange(n) / n for n in values.shape[:-1]], indexing="ij", sparse=True)
    mean = np.abs(values).mean(axis=tuple(range(values.ndim - 1)))
    made = values.copy()
    for wave, strength in zip(waves, intensity.tolist(), strict=True):
        phase = sum(2 * np.pi * periods * axis for periods, axis in zip(wave.tolist(), axes, strict=True))
        made += np.cos(phase)[..., None] * (strength * mean)
    return made


def moved(values: Floats, views: list[Floats], axis: int, times: Floats) -> Floats:
    """The spectrum along an axis put together of those of several views, in the order in which they were seen.

    Parameters
    ----------
    views : list of array
        The image as it lay at each time, the first before anything moved.
    times : array
        Rising shares of the scan, one before each further view.
    """
    import scipy.fft as sf

    made = np.empty(values.shape, np.complex128)
    for view, (start, end) in zip(views, turns(times, values.shape[axis]), strict=True):
        region = tuple(slice(start, end) if i == axis else slice(None) for i in range(values.ndim))
        made[region] = sf.fftshift(sf.fft(view, axis=axis), axes=axis)[region]
    found: Floats = sf.ifft(sf.ifftshift(made, axes=axis), axis=axis).real
    return found


def turns(times: Floats, n: int) -> list[tuple[int, int]]:
    """From which to which of ``n`` lines of a spectrum each view was seen, the first line being the lowest frequency.

    Examples
    --------
    >>> turns(np.array([0.2, 0.75]), 8)
    [(0, 5), (5, 6), (6, 8)]
    """
    # Whatever was drawn, the mean is that of the first view.
    ends = [*np.maximum(np.round(times * n).astype(int), n // 2 + 1).tolist(), n]
    starts = [0, *itertools.accumulate(ends[:-1], max)]
    return [(start, max(start, end)) for start, end in zip(starts, ends, strict=True)]


def gamma_in_range(values: Floats, gamma: float, *, inverted: bool, keeps: bool) -> Floats:
    """Each channel to a power within its own range, as it is or inverted; with the mean and deviation it had."""
    axes = tuple(range(values.ndim - 1))
    low, high = values.min(axis=axes), values.max(axis=axes)
    span = np.where(high > low, high - low, 1.0).astype(values.dtype)
    share = (values - low) / span
    bent = 1 - (1 - share) ** gamma if inverted else share**gamma
    made: Floats = np.where(high > low, low + bent * span, values)
    if keeps:
        spread = made.std(axis=axes, dtype=np.float64)
        gain = np.where(spread > 0, values.std(axis=axes, dtype=np.float64) / np.where(spread > 0, spread, 1.0), 1.0)
        before, after = (one.mean(axis=axes, dtype=np.float64) for one in (values, made))
        made = made * gain.astype(values.dtype) + (before - after * gain).astype(values.dtype)
    return made


def lowered(values: Floats, fewer: Array, *, down: int = 0, straight: bool = True) -> Floats:
    """Each axis to fewer samples and back to as many as there were.

    Parameters
    ----------
    fewer : array of int
        Samples that are left along each axis.
    down : {0, 1, 2}
        A sample is the value nearest to its middle; the mean of what it covers; or the mean of the pixels whose middles
        it covers.
    straight : bool
        Back by straight lines, and not by the sample that is nearest.
    """
    shape = values.shape[:-1]
    values = fewer_samples(values, fewer, down=down)
    for axis, (n, m) in enumerate(zip(shape, fewer.tolist(), strict=True)):
        if m < n and straight:
            values = _lengthened(values, axis, n, m)
        elif m < n:
            values = np.take(values, np.floor((np.arange(n) + 0.5) * m / n).astype(int), axis=axis)
    return values


def fewer_samples(values: Floats, fewer: Array, *, down: int = 0) -> Floats:
    """The first half of :func:`lowered`: all axes lose their samples, so that there is little to do on the way back."""
    for axis, (n, m) in enumerate(zip(values.shape[:-1], fewer.tolist(), strict=True)):
        if m < n and down:
            weights = covered(n, m, whole=down == 2).astype(values.dtype)
            values = np.moveaxis(np.tensordot(weights, values, axes=(1, axis)), 0, axis)
        elif m < n:
            values = np.take(values, np.floor((np.arange(m) + 0.5) * n / m).astype(int), axis=axis)
    return values


@lru_cache(maxsize=64)
def covered(n: int, m: int, *, whole: bool = False) -> Floats:
    """Weights ``[m, n]`` of the means over ``m`` equal parts of ``n`` pixels, which count in part or by their middles.

    Examples
    --------
    >>> covered(3, 2).round(3).tolist(), covered(3, 2, whole=True).tolist()
    ([[0.667, 0.333, 0.0], [0.0, 0.333, 0.667]], [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    """
    if whole:
        parts = np.minimum(((np.arange(n) + 0.5) * m / n - 1e-9).astype(int), m - 1)
        weights = (parts == np.arange(m)[:, None]).astype(np.float64)
        weights /= weights.sum(axis=1, keepdims=True)
    else:
        edges = np.arange(m + 1)[:, None] * n / m
        reached = np.clip(edges - np.arange(n), 0, 1)
        weights = (reached[1:] - reached[:-1]) * m / n
    weights.flags.writeable = False
    return np.asarray(weights)


def between(n: int, m: int) -> tuple[Array, Floats]:
    """For ``n`` places on an axis of ``m`` samples, the sample below each and the share of the next.

    Examples
    --------
    >>> low, share = between(4, 2)
    >>> low.tolist(), share.tolist()
    ([0, 0, 0, 0], [0.0, 0.25, 0.75, 1.0])
    """
    places = np.clip((np.arange(n) + 0.5) * m / n - 0.5, 0, m - 1)
    low = np.minimum(places.astype(np.int64), max(m - 2, 0))
    return low, places - low


def _lengthened(values: Floats, axis: int, n: int, m: int) -> Floats:
    """An axis of ``m`` samples read at ``n`` places by straight lines."""
    low, share = between(n, m)
    share = share.astype(values.dtype).reshape([-1 if i == axis else 1 for i in range(values.ndim)])
    first = np.take(values, low, axis=axis)
    rest = np.take(values, np.minimum(low + 1, m - 1), axis=axis)
    rest -= first
    rest *= share
    rest += first
    return np.asarray(rest)


def truncated(values: Floats, share: float) -> Floats:
    """The image ``(*shape, C)`` without its high frequencies, which rings at edges.

    Those stay whose distance from the middle of the spectrum, in whole frequencies, is at most ``1 - share`` of half
    the diagonal of a square on the longest side.

    Source: Morelli et al. (2011), "An image-based approach to understanding the physics of MR artifacts",
    RadioGraphics 31(3); as MONAI's ``GibbsNoise`` cuts, but about the frequency 0 and not half a frequency beside it.
    """
    axes = tuple(range(values.ndim - 1))
    kept = low_frequencies(values.shape[:-1], share)
    made: Floats = np.fft.ifftn(np.fft.fftn(values, axes=axes) * kept[..., None], axes=axes).real
    return made


def low_frequencies(shape: tuple[int, ...], share: float) -> npt.NDArray[np.bool_]:
    """Which numbers of a spectrum are left when that share of them, along its radius, is cut off."""
    axes = range(len(shape))
    away = [np.fft.fftfreq(n, 1 / n).reshape([-1 if at == axis else 1 for at in axes]) for axis, n in enumerate(shape)]
    kept: npt.NDArray[np.bool_] = np.sqrt(sum(one**2 for one in away)) <= (1 - share) * max(shape) * np.sqrt(2) / 2
    return kept


def shifted(values: Floats, deviations: Floats, above: Floats, each: Floats) -> Floats:
    """Values moved by so many of their own deviations.

    Parameters
    ----------
    values : array, ``(*shape, C)``
    deviations : float
    above : float
        From which value on, that one not included, pixels count, in the deviation and for the shift; NaN for all.
    each : bool
        Whether each channel goes by its own deviation.

    Examples
    --------
    >>> shifted(np.array([[0.0], [1.0], [3.0]]), 2, 0, False)[:, 0]
    array([0., 3., 5.])
    """
    made = values.copy()
    parts = [made[..., c] for c in range(made.shape[-1])] if each else [made]
    for part in parts:
        if np.isnan(above):
            part += np.asarray(float(deviations) * part.std(dtype=np.float64), part.dtype)
            continue
        counts = part > above
        if counts.any():
            part[counts] += np.asarray(float(deviations) * part[counts].std(dtype=np.float64), part.dtype)
    return made


def curved_in_range(values: Floats, heights: Floats) -> Floats:
    """Values through a curve over their own range, given by its heights, 0 to 1, at evenly spaced places."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return values
    places = np.linspace(low, high, len(heights))
    made: Floats = np.interp(values, places, low + (high - low) * heights)
    return made
