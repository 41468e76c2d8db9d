"""Planning and execution: ops become a plan, a backend runs it."""

from __future__ import annotations

from imagemill.engine.compile_notice import notice_seen
from imagemill.engine.compiling import held_up

__all__ = ["held_up", "notice_seen"]
