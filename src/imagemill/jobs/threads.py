"""Words that all runs over many records share, and threads that do not start threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

__all__ = ["OnError", "Progress", "one_opencv_thread"]

OnError = Literal["raise", "skip", "quarantine"]
Progress = Callable[[int, int], None]

_pins = threading.Lock()
_pinned: list[int] = []


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Let OpenCV work in the calling thread: our workers are the threads.

    Compiled kernels need nothing of the kind: they never start threads. The setting belongs to the process, so
    that of several runs at once the last one restores it.
    """
    import cv2

    with _pins:
        _pinned.append(_pinned[0] if _pinned else cv2.getNumThreads())
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _pins:
            before = _pinned.pop()
            if not _pinned:
                cv2.setNumThreads(before)
