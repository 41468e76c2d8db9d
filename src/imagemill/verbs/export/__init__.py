"""A dataset in another layout, with what that layout can hold kept and the rest named."""

from __future__ import annotations

from imagemill.verbs.export.export import export

__all__ = [
    "export",
]
