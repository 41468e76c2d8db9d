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
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.engine.altering import weather_layers as layers
from imagemill.engine.altering.histogram_values import LUMA
from imagemill.engine.altering.weather_layers import BY_DEFINITION, Size, Tools

__all__ = ["LAYERS", "WEATHER", "Laid", "bleaching", "in_colours", "weathered"]

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


@dataclass(frozen=True, slots=True)
class Laid:
    """A layer ``l`` ``(y, x)`` on an image: ``x`` becomes ``x (kept + under l) + l colour``.

    ``colour`` is one number for all channels, or three, whose luma counts where there are not three channels.
    """

    layer: Floats
    kept: float
    under: float
    colour: tuple[float, ...]


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
    if kind == "snow":
        return _snow(params, values, peak, tools)
    if kind == "flare":
        return _flare(params, values, peak)
    laid = LAYERS[kind](params, values, peak, tools)
    if laid is None:
        return values
    layer, number = _plain(laid.layer, values), values.dtype.type
    lit = layer * in_colours(laid.colour, values.shape[-1]).astype(values.dtype)
    made: Array = values * (number(laid.kept) + number(laid.under) * layer) + lit
    return made


def in_colours(colour: tuple[float, ...], channels: int) -> Floats:
    """A colour for each channel, or its luma where there are not three; one number stays one."""
    return np.asarray(colour if channels == 3 or len(colour) == 1 else (LUMA @ np.asarray(colour),))


def _size(values: Array) -> Size:
    return values.shape[-3], values.shape[-2]


def _plain(layer: Floats, values: Array) -> Array:
    return layer.astype(values.dtype)[..., None]


def _tinted(strength: float, colour: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(strength * part for part in colour)


def _gray(values: Array) -> Array:
    if values.shape[-1] == 3:
        return np.asarray((values @ LUMA.astype(values.dtype))[..., None])
    return np.asarray(values.mean(axis=-1, keepdims=True))


def _fog(params: Params, values: Array, peak: float, tools: Tools) -> Laid | None:
    thickness, decay, stream = params
    brightest = max(float(values.max()), 0.0)
    thick = float(thickness) * peak
    if thick <= 0:
        return None
    haze = layers.plasma(_size(values), float(decay), stream, tools)
    kept = brightest / (brightest + thick)
    return Laid(haze, kept, 0.0, (thick * kept,))


def bleaching(params: Params, size: Size, tools: Tools) -> tuple[float, Floats]:
    """The share by which snow bleaches, and the layer of its flakes as it is and turned by half, added up."""
    level, threshold, pixels, bleach, kernel, stream = params
    layer = layers.flakes(size, float(level), float(threshold), float(pixels), kernel, stream, tools)
    return float(bleach), layer + layer[::-1, ::-1]


def _snow(params: Params, values: Array, peak: float, tools: Tools) -> Array:
    share, layer = bleaching(params, _size(values), tools)
    pale = np.maximum(values, 1.5 * _gray(values) + values.dtype.type(0.5 * peak))
    made: Array = values + values.dtype.type(share) * (pale - values) + _plain(layer * peak, values)
    return made


def _frost(params: Params, values: Array, peak: float, tools: Tools) -> Laid:
    kept, strength, kernels, stream = params
    layer = layers.frost(_size(values), kernels, stream, tools)
    return Laid(layer, float(kept), 0.0, _tinted(float(strength) * peak, _ICE))


def _rain(params: Params, values: Array, peak: float, tools: Tools) -> Laid:
    amount, strength, dimming, kernel, stream = params
    layer = layers.streaks(_size(values), float(amount), kernel, stream, tools) * float(strength)
    return Laid(layer, float(dimming), -float(dimming), (_RAIN * peak,))


def _water(params: Params, values: Array, peak: float, tools: Tools) -> Laid:
    z, sigma, strength, stream = params
    layer = layers.water(_size(values), float(z), float(sigma), stream, tools)
    return Laid(layer, 1.0, 0.0, _tinted(float(strength) * peak, _TURQUOISE))


def _mud(params: Params, values: Array, peak: float, tools: Tools) -> Laid:
    z, sigma, strength, stream = params
    layer = layers.mud(_size(values), float(z), float(sigma), _SOFT, stream, tools) * float(strength)
    return Laid(layer, 1.0, -1.0, _tinted(peak, _BROWN))


def _shadow(params: Params, values: Array, _peak: float, _tools: Tools) -> Laid:
    corners, darkness, soft = params
    light = np.ones(_size(values))
    for outline, dark in zip(corners, darkness.tolist(), strict=True):
        if dark > 0:
            light *= 1 - dark * _inside(outline, _size(values), float(soft))
    return Laid(light, 0.0, 1.0, (0.0,))


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


def _flare(params: Params, values: Array, peak: float) -> Array:
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


LAYERS: dict[str, Callable[[Params, Array, float, Tools], Laid | None]] = {
    "fog": _fog,
    "frost": _frost,
    "rain": _rain,
    "water": _water,
    "mud": _mud,
    "shadow": _shadow,
}
"""What each kind lays on the image."""

WEATHER = (*LAYERS, "snow", "flare")
"""All kinds."""
