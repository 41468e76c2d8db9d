"""Work over many records: outputs that survive a kill, threads, what became of each, whose fault an error was.

Here: whatever verbs that make files or tables share. Not here: what one verb makes of one record.
"""

from __future__ import annotations

from imagemill.jobs.threads import OnError, Progress, one_opencv_thread

__all__ = [
    "OnError",
    "Progress",
    "one_opencv_thread",
]
