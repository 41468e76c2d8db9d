"""What each kind of filter means, in float64, by scipy. Images mirror at their outermost pixels, but for medians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.image_ops import Filter
from imagemill.core.packed import unpacked
from imagemill.engine.altering import moved_pixels as moved
from imagemill.engine.altering import reference_values as references
from imagemill.engine.altering import scan_values as scans
from imagemill.engine.altering.codec_values import recoded
from imagemill.engine.altering.histogram_values import equalized, local_equalized, stretched
from imagemill.engine.altering.hsv_values import revalued
from imagemill.engine.altering.weather_values import WEATHER, weathered

__all__ = ["filtered", "sharpened"]

Array = np.ndarray[Any, Any]


def filtered(op: Filter, row: int, values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    """One sample's image through a filter.

    Parameters
    ----------
    values : array, ``(*shape, C)``, float64
        The colours alone.
    source : dtype
        In which the values are kept.
    peak : float
        White of the values.
    """
    return _MEANING[op.kind]([p[row] for p in op.params], values, source, peak)


def _convolve(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    import scipy.ndimage as ndi

    for kernel in params:
        values = np.stack(
            [ndi.correlate(values[..., c], kernel, mode="mirror") for c in range(values.shape[-1])], axis=-1
        )
    return values


def _sharpen(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    amount, threshold, *kernels = params
    return sharpened(values, _convolve(kernels, values, source, peak), float(amount), float(threshold))


def sharpened(values: Array, soft: Array, amount: float, threshold: float) -> Array:
    """``x + amount * (x - soft)`` where the difference is at least the threshold, in the dtype of ``values``."""
    detail = values - soft
    if threshold > 0:
        detail = np.where(np.abs(detail) >= threshold, detail, 0)
    made: Array = values + detail * values.dtype.type(amount)
    return made


def _median(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    import scipy.ndimage as ndi

    found: Floats = ndi.median_filter(values, size=(*params[0].tolist(), 1), mode="nearest")
    return found


def _views(matrices: Floats, values: Floats) -> list[Floats]:
    """The image read through each matrix, edges repeated."""
    import scipy.ndimage as ndi

    index = np.indices(values.shape[:-1], dtype=np.float64)
    d = len(index)
    found = []
    for m in matrices:
        places = np.tensordot(m[:d, :d], index, axes=1) + m[:d, d].reshape((d,) + (1,) * d)
        channels = [
            ndi.map_coordinates(values[..., c], places, order=1, mode="nearest") for c in range(values.shape[-1])
        ]
        found.append(np.stack(channels, axis=-1))
    return found


def _average(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    views = _views(params[0], values)
    return np.asarray(sum(views, np.zeros_like(values)) / len(views))


def _equalize(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return equalized(values, source, peak)


def _stretch(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return stretched(values, float(params[0]), peak)


def _posterize(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    step = float(params[0])
    made: Floats = np.floor(values / step) * step
    return made


def _solarize(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    made: Floats = np.where(values >= params[0], peak - values, values)
    return made


def _clahe(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    limit, tiles = params
    return local_equalized(values, float(limit), (int(tiles[0]), int(tiles[1])), source)


def _bias(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return scans.biased(values, params[0])


def _ghosts(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    axis, count, intensity, kept = params
    return scans.ghosted(values, int(axis), int(count), float(intensity), float(kept))


def _spikes(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return scans.spiked(values, params[0], params[1])


def _truncated(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return scans.truncated(values, float(params[0]))


def _range_curve(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return scans.curved_in_range(values, params[0][: int(params[1])])


def _deviations(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return scans.shifted(values, params[0], params[1], params[2])


def _motion(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    matrices, times, axis = params
    return scans.moved(values, [values, *_views(matrices[1:], values)], int(axis), times)


def _range_gamma(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    gamma, inverted, keeps = params
    return scans.gamma_in_range(values, float(gamma), inverted=bool(inverted), keeps=bool(keeps))


def _lower(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    fewer, (down, straight) = params
    return scans.lowered(values, fewer, down=int(down), straight=bool(straight))


def _jpeg(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return recoded(values, "jpeg", int(params[0]), source, peak)


def _webp(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return recoded(values, "webp", int(params[0]), source, peak)


def _glass(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    reach, times, stream, *kernels = params
    half = len(kernels) // 2
    soft = _convolve(kernels[:half], values, source, peak)
    return _convolve(kernels[half:], moved.glassy(soft, int(reach), int(times), stream), source, peak)


def _turbulence(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    reach, sigma, stream = params
    away = moved.displacements((values.shape[-3], values.shape[-2]), reach, sigma, stream)
    return moved.read_at(values, away)


def _hsv(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    gain, shift, lighter = (float(one) for one in params)
    return revalued(values, gain, shift, lighter, peak)


def _weather(kind: str) -> Callable[[list[Array], Floats, np.dtype[Any], float], Floats]:
    return lambda params, values, _, peak: weathered(kind, params, values, peak)


def _histogram(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return references.with_histogram(values, params[0], params[1], float(params[2]))


def _moments(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return references.with_moments(values, params[0], float(params[2]), peak, apart=bool(params[1]))


def _spectrum(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    return references.with_spectrum(values, params[0], int(params[1]))


def _zscore_within(params: list[Array], values: Floats, source: np.dtype[Any], peak: float) -> Floats:
    bits, each, centre, scale, epsilon = params
    part = unpacked(bits, values.shape[:-1])
    # Statistics of nothing are none: then those of all.
    some = values[part] if part.any() else values.reshape(-1, values.shape[-1])
    if not each:
        some = some.reshape(-1, 1)
    mean, spread = some.mean(axis=0), some.std(axis=0)
    flat = np.ptp(some, axis=0) <= 0
    gain = np.where(flat, 0.0, 1.0 / (spread + float(epsilon) + flat)) if scale else np.ones(1)
    made: Floats = (values - (mean if centre else 0.0)) * gain
    return made


_MEANING: dict[str, Callable[[list[Array], Floats, np.dtype[Any], float], Floats]] = {
    "convolve": _convolve,
    "sharpen": _sharpen,
    "median": _median,
    "average": _average,
    "equalize": _equalize,
    "stretch": _stretch,
    "clahe": _clahe,
    "bias": _bias,
    "ghosts": _ghosts,
    "spikes": _spikes,
    "truncated": _truncated,
    "range curve": _range_curve,
    "deviations": _deviations,
    "motion": _motion,
    "range gamma": _range_gamma,
    "lower": _lower,
    "histogram": _histogram,
    "moments": _moments,
    "spectrum": _spectrum,
    "zscore within": _zscore_within,
    "posterize": _posterize,
    "solarize": _solarize,
    "jpeg": _jpeg,
    "webp": _webp,
    "glass": _glass,
    "turbulence": _turbulence,
    "hsv": _hsv,
    **{kind: _weather(kind) for kind in WEATHER},
}
