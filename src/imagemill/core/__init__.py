"""The words every other part shares: targets, frames, ops, ranges, draws, errors. Needs numpy only."""

from __future__ import annotations

from imagemill.core.front_door import front_door

__getattr__, __dir__, __all__ = front_door(__name__)
