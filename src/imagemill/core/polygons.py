"""Polygons around single annotations, which move like boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats

__all__ = ["Polygons"]


@dataclass(frozen=True, slots=True, eq=False)
class Polygons:
    """Polygons around annotations, for pictures.

    Parameters
    ----------
    parts : sequence of array, ``(n, 2)``
        Corners as x and y in pixels from the picture's outer corner, as boxes in ``"xyxy"`` count them.
    index : array of int, optional
        Which of the given polygons each one is; made when left out.

    Notes
    -----
    A polygon is cut at the frame. One of which no area is left is dropped; ``index`` says which are there.

    Examples
    --------
    >>> len(Polygons([[(0, 0), (4, 0), (4, 3)]]))
    1
    """

    parts: Sequence[Floats]
    index: npt.NDArray[np.int64] | None = None

    kind: ClassVar[str] = "polygons"

    def __post_init__(self) -> None:
        """Check the shapes."""
        parts = tuple(np.asarray(part, dtype=np.float64) for part in self.parts)
        for part in parts:
            if part.ndim != 2 or part.shape[1] != 2 or not np.isfinite(part).all():
                raise InputError(f"expected polygons as finite (n, 2) arrays of x and y, got shape {part.shape}")
        object.__setattr__(self, "parts", parts)
        if self.index is None:
            object.__setattr__(self, "index", np.arange(len(parts)))

    def __len__(self) -> int:
        return len(self.parts)
