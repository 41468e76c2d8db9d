"""A backend in front of another: what reads a picture reads finite values, and it is said when some were not."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.finite import count_not_finite, filled, may_have_gaps, working
from imagemill.core.image_ops import Erase, Exchange, Filter
from imagemill.core.ops import ChannelMix
from imagemill.engine import colour_values as values
from imagemill.engine.altering.altered import altered
from imagemill.engine.backends.protocol import AltersImages, Array, Backend, BlendsImages, Rasters
from imagemill.engine.blending.blended_pixels import weighted
from imagemill.engine.plan import Alter, ColourStage, Pass
from imagemill.engine.sampling import moves

__all__ = ["BY_DEFINITION", "Finite", "kernel_of"]

BY_DEFINITION = "numpy and scipy in float64"
"""How filters, noise and erasures run that a backend has no kernels for."""


class Finite:
    """The rule of :mod:`imagemill.core.finite` for every step, whatever kernels the backend behind it has.

    A step that resamples gets a picture that is filled. A step of colour alone is run by its definition where the
    picture has gaps, so that statistics leave them out. What moves whole pixels or writes into them reads none, and
    is not looked at: gaps stay.

    Parameters
    ----------
    backend : Backend
    named : bool
        Whether a package has it under its name, so that the name is enough to find it again.
    """

    def __init__(self, backend: Backend, *, named: bool = False) -> None:
        self.behind, self.named = backend, named
        self.name, self._told = backend.name, False
        self._alters = backend if isinstance(backend, AltersImages) else None
        self._blends = backend if isinstance(backend, BlendsImages) else None

    def image(self, step: Pass, row: int, src: Array, out: Array | None = None) -> Array:
        """As the backend's."""
        if src.dtype.kind != "f" or not _reads(step, row) or not may_have_gaps(src):
            return self.behind.image(step, row, src, out)
        self._tell(src)
        if step.resample is not None or step.colour is None:
            return self.behind.image(step, row, src if step.resample is None else filled(src), out)
        found = values.apply_colour(step.colour, row, src.astype(self._precision(src)), src.dtype)
        if out is None:
            return found
        out[...] = found
        return out

    def _precision(self, src: Array) -> np.dtype[Any]:
        return np.dtype(np.float64) if self.name == "reference" else working(src.dtype)

    def images(self, step: Pass, rows: slice, src: Rasters, out: Array | None = None) -> Array | None:
        """As the backend's."""
        found = self.behind.images(step, rows, src, out)
        if found is None or step.resample is None or src[0].dtype.kind != "f":
            return found  # what it takes one by one is looked at then
        reading = [_reads(step, row) for row in range(rows.start, rows.start + len(src))]
        if not any(may_have_gaps(picture) for picture, reads in zip(src, reading, strict=True) if reads):
            return found
        for picture, reads in zip(src, reading, strict=True):
            if reads:
                self._tell(picture)
        src = [filled(picture) if reads else picture for picture, reads in zip(src, reading, strict=True)]
        return self.behind.images(step, rows, src, out)

    def alter(self, step: Alter, row: int, src: Array, out: Array | None = None) -> Array:
        """As the backend's, or by its definition. A filter gets a picture that is filled; in other steps gaps stay."""
        blind = isinstance(step.op, Exchange) or (isinstance(step.op, Erase) and step.op.fill != "mean")
        if step.active(row) and not blind and may_have_gaps(src):
            self._tell(src)
            src = filled(src) if isinstance(step.op, Filter) else src
        return altered(step, row, src, out) if self._alters is None else self._alters.alter(step, row, src, out)

    def altering(self, step: Alter, row: int, dtype: np.dtype[Any]) -> str:
        """As the backend's."""
        return BY_DEFINITION if self._alters is None else self._alters.altering(step, row, dtype)

    def weighted(self, parts: Sequence[Array], weights: npt.NDArray[np.float64], out: Array) -> None:
        """As the backend's, or by its definition; gaps stay gaps."""
        mix = weighted if self._blends is None else self._blends.weighted
        mix(parts, weights, out)

    def labels(self, step: Pass, row: int, src: Array, out: Array | None = None) -> Array:
        """As the backend's."""
        return self.behind.labels(step, row, src, out)

    def kernels(self, step: Pass, row: int, in_shape: tuple[int, ...], dtype: np.dtype[Any], channels: int) -> str:
        """As the backend's."""
        return self.behind.kernels(step, row, in_shape, dtype, channels)

    def _tell(self, src: Array) -> None:
        """Say it once, of the first picture that has gaps."""
        count = 0 if self._told else count_not_finite(src)
        if count:
            self._told = True
            warnings.warn(
                f"{count:,} of {src.size:,} values of an image are NaN or infinite: statistics leave them out, and "
                "interpolation reads NaN as the finite value nearest to 0, infinities as the end of the range. "
                "`imagemill scan` names such files",
                stacklevel=2,
            )


def _reads(step: Pass, row: int) -> bool:
    """Whether a pass weighs values, or turns them into whole numbers; moves and other floating types do neither."""
    if step.resample is not None and not moves(step.resample, row):
        return True
    colour = step.colour
    return colour is not None and (colour.dtype.kind != "f" or any(_changes(s, row) for s in colour.stages))


def _changes(stage: ColourStage, row: int) -> bool:
    """Whether a stage does anything for a sample; of several channels even 0 times one would be seen."""
    if isinstance(stage, ChannelMix) and stage.channels == 1:
        factor, offset = stage.matrix[row, 0].tolist()
        return factor != 1 or offset != 0 or (stage.pivot is not None and bool(stage.pivot[row, 0, 0] != 0))
    return values.active(stage, row)


def kernel_of(backend: Backend, step: Alter, row: int, dtype: np.dtype[Any]) -> str:
    """Which kernel a filter, noise or an erasure runs by, in words."""
    return backend.altering(step, row, dtype) if isinstance(backend, AltersImages) else BY_DEFINITION
