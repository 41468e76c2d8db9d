"""The reference backend: every pass in float64 by its definition. Slow, and the meaning of all others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from imagemill.engine import colour_values as values
from imagemill.engine.altering.altered import altered
from imagemill.engine.backends import reference
from imagemill.engine.backends.protocol import Rasters
from imagemill.engine.plan import Alter, Pass
from imagemill.engine.sampling import averaged, for_labels, moves, request, still

Array = np.ndarray[Any, Any]


class Reference:
    """numpy and scipy in float64; see :class:`~imagemill.engine.backends.protocol.Backend`."""

    name = "reference"

    def image(self, step: Pass, row: int, src: Array, out: Array | None = None) -> Array:
        """One pass; values are rounded and clipped once, at its end."""
        found: Array = src.astype(np.float64)
        if step.resample is not None and not still(step.resample, row, src.shape[:-1]):
            r = request(step.resample, row)
            # A weight of 0 would spread what is not a number.
            r = replace(r, order=0) if moves(step.resample, row) else r
            read = src
            if r.reduce is not None:
                read, r = averaged(src, r), r.on_reduced()
            found = reference.resample(
                read, r.stages, r.shape, order=r.order, border=r.border, fill=r.fill, antialias=r.antialias
            )
            if src.dtype.kind in "iu":
                # A picture stays in its range: splines overshoot at edges, and a fill may lie beyond.
                found = np.clip(found, *values.max_range(src.dtype))
        if step.colour is not None:
            found = values.apply_colour(step.colour, row, found, src.dtype)
        else:
            found = values.to_dtype(found, src.dtype)
        return _give(found, out)

    def images(self, step: Pass, rows: slice, src: Rasters, out: Array | None = None) -> Array | None:
        """Never: one by one is plainer."""
        return None

    def alter(self, step: Alter, row: int, src: Array, out: Array | None = None) -> Array:
        """By its definition."""
        return altered(step, row, src, out)

    def altering(self, step: Alter, row: int, dtype: np.dtype[Any]) -> str:
        """Always the same."""
        return "numpy and scipy in float64"

    def labels(self, step: Pass, row: int, src: Array, out: Array | None = None) -> Array:
        """Nearest neighbour, whatever the order."""
        if step.resample is None or still(step.resample, row, src.shape):
            return _give(src, out)
        r = for_labels(step.resample, row)
        return _give(reference.resample_labels(src, r.stages, r.shape, border=r.border, fill=r.mask_fill), out)

    def kernels(self, step: Pass, row: int, in_shape: tuple[int, ...], dtype: np.dtype[Any], channels: int) -> str:
        """Always the same."""
        return "scipy.ndimage in float64"


def _give(found: Array, out: Array | None) -> Array:
    if out is None:
        return found
    out[...] = found
    return out
