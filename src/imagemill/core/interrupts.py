"""Ctrl-C while Python waits on its own locks: an interrupt, whatever the locks make of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["as_interrupts"]


@contextmanager
def as_interrupts() -> Iterator[None]:
    """Let an interrupt come out as one where conditions, events or futures are waited for.

    Those are written in Python: an interrupt between giving a lock back and taking it again leaves it free, the
    ``with`` around it complains of that, and a program that waits for KeyboardInterrupt gets a RuntimeError.

    Examples
    --------
    >>> try:
    ...     with as_interrupts():
    ...         try:
    ...             raise KeyboardInterrupt
    ...         finally:
    ...             raise RuntimeError("cannot release un-acquired lock")
    ... except KeyboardInterrupt:
    ...     print("stopped")
    stopped
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise
