"""Layers of weather laid on an image in one pass."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.finite import working
from imagemill.engine.altering.histogram_values import LUMA
from imagemill.engine.altering.weather_values import LAYERS, bleaching, in_colours, weathered
from imagemill.engine.backends.cpu.altering.convolution import rounded
from imagemill.engine.backends.cpu.altering.layer_tools import QUICK
from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["weather_image"]

Array = np.ndarray[Any, Any]

_DIRECT = (np.dtype(np.uint8), np.dtype(np.float32))
"""What is read and written as it is; other types go through a copy of single or double precision."""


@compiled
def _lay(src, layer, kept, under, colour, out):
    """``src`` and ``out`` are ``(slices, pixels, channels)``; numbers are of single precision."""
    channels = src.shape[2]
    for k in range(src.shape[0]):
        for p in range(src.shape[1]):
            one = np.float32(layer[p])
            factor = kept + under * one
            for c in range(channels):
                out[k, p, c] = np.float32(src[k, p, c]) * factor + one * colour[c]


@compiled
def _snow(src, layer, share, peak, luma, out):
    half = np.float32(0.5) * peak
    channels = src.shape[2]
    for k in range(src.shape[0]):
        for p in range(src.shape[1]):
            gray = np.float32(0)
            for c in range(channels):
                gray += luma[c] * np.float32(src[k, p, c])
            pale, flake = np.float32(1.5) * gray + half, np.float32(layer[p]) * peak
            for c in range(channels):
                value = np.float32(src[k, p, c])
                out[k, p, c] = value + share * (max(value, pale) - value) + flake


def weather_image(kind: str, params: list[Array], src: Array, peak: float, out: Array | None = None) -> Array:
    """As :func:`imagemill.engine.altering.weather_values.weathered`, in the image's own type."""
    channels = src.shape[-1]
    if src.dtype not in _DIRECT or kind == "flare":
        return rounded(weathered(kind, params, src.astype(working(src.dtype)), peak, QUICK), src.dtype)
    single, size = np.float32, src.shape[-3:-1]
    parts = np.ascontiguousarray(src).reshape(-1, size[0] * size[1], channels)
    made = out if out is not None and out.dtype == single else np.empty(src.shape, single)
    room = made.reshape(parts.shape)
    if kind == "snow":
        share, layer = bleaching(params, size, QUICK)
        luma = LUMA if channels == 3 else np.full(channels, 1 / channels)
        _snow(parts, layer.reshape(-1), single(share), single(peak), luma.astype(single), room)
        return rounded(made, src.dtype)
    laid = LAYERS[kind](params, src, peak, QUICK)
    if laid is None:
        return src
    colour = np.broadcast_to(in_colours(laid.colour, channels), (channels,)).astype(single)
    _lay(parts, np.ascontiguousarray(laid.layer).reshape(-1), single(laid.kept), single(laid.under), colour, room)
    return rounded(made, src.dtype)
