"""The words every other part shares: targets, frames, ops, ranges, draws, errors. Needs numpy only."""

from __future__ import annotations

from imagemill.core.extras import require
from imagemill.core.geometry import peak_of
from imagemill.core.grids import placed
from imagemill.core.targets import as_target

__all__ = [
    "as_target",
    "peak_of",
    "placed",
    "require",
]
