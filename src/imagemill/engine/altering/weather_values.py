"""How weather lies on an image, in its own units; the layers are :mod:`imagemill.engine.altering.weather_layers`.

========== ============================================================== ==========================================
kind       parameters of a sample, a stream ``[2]`` last                  ``x`` becomes
========== ============================================================== ==========================================
``fog``    thickness ``t`` in whites, decay                               ``(x + t f) m / (m + t)``
``snow``   level, threshold, pixels of a flake, share ``b``, kernel       ``x + b (max(x, 1.5 g + 0.5) - x) + s + s'``
``frost``  share ``k`` that is kept, strength ``t``, kernels              ``k x + t f c``
``rain``   share of pixels, strength ``t``, dimming ``d``, kernel         ``d x (1 - t r) + 0.8 t r``
``water``  quantile, sigma in pixels, strength ``t``                      ``x + t w c``
``mud``    quantile, sigma in pixels, strength ``t``                      ``x (1 - t w) + t w c``
``shadow`` corners ``[k, v, 2]``, darkness ``[k]``, pixels of the rim     ``x (1 - d)`` inside each
``flare``  sun ``[2]``, radius, strength, ghosts ``[k, 6]``               ``x + (1 - x) a``
========== ============================================================== ==========================================

``m`` is the brightest value of the image, ``g`` its gray, ``s'`` the layer turned by half, ``c`` a colour (its luma
where there are not three channels). No stream for shadows and flares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.engine.altering import weather_layers as layers
from imagemill.engine.altering.histogram_values import LUMA
from imagemill.engine.altering.weather_layers import BY_DEFINITION, Size, Tools

__all__ = ["WEATHER", "weathered"]

Array = np.ndarray[Any, Any]
Params = list[Array]

_ICE = (0.82, 0.95, 1.0)
_TURQUOISE = (175 / 255, 238 / 255, 238 / 255)
"""Pale turquoise, the colour of water on a lens in ImageNet-C."""
_BROWN = (63 / 255, 42 / 255, 20 / 255)
"""Its brown of mud."""
_RAIN = 0.8
"""Of white: how bright a streak of rain is."""
_SOFT = 1.5
"""Pixels by which rims of mud are smoothed."""


def weathered(kind: str, params: Params, values: Array, peak: float, tools: Tools = BY_DEFINITION) -> Array:
    """One sample's image in some weather; slices of a volume all have the same.

    Parameters
    ----------
    kind : str
    params : list of array
        Of the sample.
    values : array, ``(*shape, C)``
        The colours alone, float32 or float64.
    peak : float
        White of the values.
    """
    return WEATHER[kind](params, values, peak, tools)


def _size(values: Array) -> Size:
    return values.shape[-3], values.shape[-2]


def _coloured(layer: Floats, colour: tuple[float, ...], values: Array) -> Array:
    """A layer in a colour ``(y, x, C)``, or in its luma where there are not three channels."""
    three = np.asarray(colour if values.shape[-1] == 3 else (LUMA @ np.asarray(colour),))
    return np.asarray(_plain(layer, values) * three.astype(values.dtype))


def _plain(layer: Floats, values: Array) -> Array:
    return layer.astype(values.dtype)[..., None]


def _gray(values: Array) -> Array:
    if values.shape[-1] == 3:
        return np.asarray((values @ LUMA.astype(values.dtype))[..., None])
    return np.asarray(values.mean(axis=-1, keepdims=True))


def _fog(params: Params, values: Array, peak: float, tools: Tools) -> Array:
    thickness, decay, stream = params
    brightest = max(float(values.max()), 0.0)
    thick = float(thickness) * peak
    if thick <= 0:
        return values
    haze = layers.plasma(_size(values), float(decay), stream, tools)
    kept = brightest / (brightest + thick)
    made: Array = values * values.dtype.type(kept) + _plain(haze * (thick * kept), values)
    return made


def _snow(params: Params, values: Array, peak: float, tools: Tools) -> Array:
    level, threshold, pixels, bleach, kernel, stream = params
    layer = layers.flakes(_size(values), float(level), float(threshold), float(pixels), kernel, stream, tools)
    share = values.dtype.type(bleach)
    pale = np.maximum(values, 1.5 * _gray(values) + values.dtype.type(0.5 * peak))
    made: Array = values + share * (pale - values) + _plain((layer + layer[::-1, ::-1]) * peak, values)
    return made


def _frost(params: Params, values: Array, peak: float, tools: Tools) -> Array:
    kept, strength, kernels, stream = params
    layer = layers.frost(_size(values), kernels, stream, tools)
    made: Array = values * values.dtype.type(kept) + _coloured(layer * (float(strength) * peak), _ICE, values)
    return made


def _rain(params: Params, values: Array, peak: float, tools: Tools) -> Array:
    amount, strength, dimming, kernel, stream = params
    layer = _plain(layers.streaks(_size(values), float(amount), kernel, stream, tools) * float(strength), values)
    made: Array = values * values.dtype.type(dimming) * (1 - layer) + layer * values.dtype.type(_RAIN * peak)
    return made


def _water(params: Params, values: Array, peak: float, tools: Tools) -> Array:
    z, sigma, strength, stream = params
    layer = layers.water(_size(values), float(z), float(sigma), stream, tools)
    made: Array = values + _coloured(layer * (float(strength) * peak), _TURQUOISE, values)
    return made


def _mud(params: Params, values: Array, peak: float, tools: Tools) -> Array:
    z, sigma, strength, stream = params
    layer = layers.mud(_size(values), float(z), float(sigma), _SOFT, stream, tools) * float(strength)
    made: Array = values * (1 - _plain(layer, values)) + _coloured(layer * peak, _BROWN, values)
    return made


def _shadow(params: Params, values: Array, _peak: float, _tools: Tools) -> Array:
    corners, darkness, soft = params
    light = np.ones(_size(values))
    for outline, dark in zip(corners, darkness.tolist(), strict=True):
        if dark > 0:
            light *= 1 - dark * _inside(outline, _size(values), float(soft))
    made: Array = values * _plain(light, values)
    return made


def _inside(outline: Floats, size: Size, soft: float) -> Floats:
    """How far a pixel lies within a convex outline, from 0 to 1 over the width of its rim.

    ``outline`` has corners ``(y, x)`` in the order of their angles about the middle.
    """
    y, x = np.ogrid[: size[0], : size[1]]
    depth = np.full(size, np.inf)
    for (y0, x0), (y1, x1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        length = float(np.hypot(y1 - y0, x1 - x0))
        if length > 0:
            depth = np.minimum(depth, ((y - y0) * (x1 - x0) - (x - x0) * (y1 - y0)) / length)
    found: Floats = np.clip(depth / soft + 0.5, 0, 1)
    return found


def _flare(params: Params, values: Array, peak: float, _tools: Tools) -> Array:
    sun, radius, strength, ghosts = params
    y, x = np.ogrid[: values.shape[-3], : values.shape[-2]]
    away = np.hypot(y - sun[0], x - sun[1])
    # A core that is white, and a glow that falls off slowly.
    glow = float(strength) * np.clip(np.exp(-0.5 * (away / radius) ** 2) + 0.35 * np.exp(-away / (2 * radius)), 0, 1)
    bright = np.repeat(glow[..., None], 3, axis=-1)
    for gy, gx, size, weight, warm, cold in ghosts:
        rim = np.clip((size - np.hypot(y - gy, x - gx)) / max(0.1 * size, 1.0) + 0.5, 0, 1)
        bright += (weight * rim)[..., None] * np.array([warm, 0.8, cold])
    bright = np.minimum(bright, 1.0)
    bright = bright if values.shape[-1] == 3 else (bright @ LUMA)[..., None]
    made: Array = values + np.maximum(values.dtype.type(peak) - values, 0) * bright.astype(values.dtype)
    return made


WEATHER: dict[str, Callable[[Params, Array, float, Tools], Array]] = {
    "fog": _fog,
    "snow": _snow,
    "frost": _frost,
    "rain": _rain,
    "water": _water,
    "mud": _mud,
    "shadow": _shadow,
    "flare": _flare,
}
"""What each kind does."""
