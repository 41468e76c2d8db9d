"""What a backend must do: run one pass on one sample's image or on many, and its geometry on one label map.

What it may do besides is to filter, to add noise and to erase: see :class:`AltersImages`; and to mix images: see
:class:`BlendsImages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from imagemill.engine.plan import Alter, Pass

Array = np.ndarray[Any, Any]
Rasters = Sequence[Array] | Array
"""Samples one by one, or stacked."""


class Backend(Protocol):
    """Pixels in, pixels out; a backend holds no state between calls and may be used from many threads.

    Any object that does this can be given to :class:`~imagemill.Pipeline`. Worker processes get it by pickle, or by its
    name where a package has it as an entry point. It is never shown NaN or infinities that a step would interpolate.

    Images come and go as ``(*shape, C)``, label maps as ``(*shape)``. Inputs are never modified. Without
    ``out`` the result may be the input itself or a view of it, when nothing has to change.
    """

    name: str

    def image(self, step: Pass, row: int, src: Array, out: Array | None = None) -> Array:
        """Sample ``row`` of a pass, in the dtype the pass says; written to ``out`` when given."""

    def images(self, step: Pass, rows: slice, src: Rasters, out: Array | None = None) -> Array | None:
        """Samples ``rows`` of a pass at once, or None when :meth:`image` is the way to run them.

        ``src`` holds samples of any sizes, stacked or not, ``out`` is ``(k, *shape, C)``. What is returned equals, bit
        for bit, what :meth:`image` makes of each. Whether None is, must not depend on ``rows``.
        """

    def labels(self, step: Pass, row: int, src: Array, out: Array | None = None) -> Array:
        """The geometry of a pass on a label map, in its own dtype; written to ``out`` when given."""

    def kernels(self, step: Pass, row: int, in_shape: tuple[int, ...], dtype: np.dtype[Any], channels: int) -> str:
        """Which kernels :meth:`image` would use, in words."""


@runtime_checkable
class AltersImages(Protocol):
    """A backend with kernels of its own for filters, noise and erasures. Others run them by their definition."""

    def alter(self, step: Alter, row: int, src: Array, out: Array | None = None) -> Array:
        """Sample ``row`` of a step on its image, in its own dtype; written to ``out`` when given."""

    def altering(self, step: Alter, row: int, dtype: np.dtype[Any]) -> str:
        """Which kernel :meth:`alter` would use, in words."""


@runtime_checkable
class BlendsImages(Protocol):
    """A backend with a way of its own to mix images. Others do it by its definition."""

    def weighted(self, parts: Sequence[Array], weights: npt.NDArray[np.float64], out: Array) -> None:
        """The weighted sum of images ``(*shape, C)`` of one type and size, written to ``out``."""
