"""From a source of any layout to a store that a network reads: one size, one type, one table."""

from __future__ import annotations

from imagemill.verbs.prepare.build import prepare
from imagemill.verbs.prepare.prepare_report import PrepareReport
from imagemill.verbs.prepare.work_folder import anything_kept

__all__ = [
    "PrepareReport",
    "anything_kept",
    "prepare",
]
