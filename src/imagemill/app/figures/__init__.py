"""Pictures for people: grids of draws, before and after, pages of results."""

from __future__ import annotations

from imagemill.app.figures.figure import before_after, grid

__all__ = ["before_after", "grid"]
