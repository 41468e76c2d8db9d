"""The explorer: a pipeline drawn live in the browser, on a photo of one's own."""

from __future__ import annotations

from imagemill.app.explorer.explorer_page import Opened, explorer_page
from imagemill.app.explorer.exploring import explore

__all__ = ["Opened", "explore", "explorer_page"]
