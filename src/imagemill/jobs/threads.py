"""Arguments that all runs over many records share, and threads that do not start threads of their own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

from imagemill.core.errors import InputError

__all__ = ["OnError", "Progress", "check_run", "one_opencv_thread"]

OnError = Literal["raise", "skip", "quarantine"]
Progress = Callable[[int, int], None]


def check_run(workers: Any, on_error: Any) -> None:
    """Refuse wrong arguments.

    Raises
    ------
    InputError

    Examples
    --------
    >>> check_run(0, "raise")
    Traceback (most recent call last):
    imagemill.core.errors.InputError: expected workers as a whole number of at least 1, got 0; give a larger one
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InputError(f"expected workers as a whole number of at least 1, got {workers!r}; give a larger one")
    if on_error not in get_args(OnError):
        known = ", ".join(get_args(OnError))
        raise InputError(f"expected on_error to be one of {known}, got {on_error!r}; choose one of these")


_pins = threading.Lock()
_pinned: list[int] = []


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Let OpenCV work in the calling thread: our workers are the threads.

    Compiled kernels need nothing of the kind: they never start threads. The setting belongs to the process, so
    that of several runs at once the last one restores it. Where nothing that the run was put together from has
    loaded OpenCV, nothing of it will start threads, and it is not loaded for this.
    """
    cv2 = sys.modules.get("cv2")
    if cv2 is None:
        yield
        return
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
