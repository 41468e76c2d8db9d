"""What became of a shard on its way between processes, and what is sent to them."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import Any

from imagemill.core.errors import InputError
from imagemill.jobs.sent_errors import SentError
from imagemill.jobs.shards import Outcome

__all__ = ["as_bytes", "packed", "unpacked"]


class _Sent(Exception):  # noqa: N818 - it is no error, it carries one
    """An error on its way, in the place of the error."""

    def __init__(self, error: SentError) -> None:
        super().__init__(error)
        self.error = error


def packed(found: Sequence[Outcome[Any]], dumps: Callable[[Any], bytes] = pickle.dumps) -> bytes:
    """Outcomes as bytes, their errors among them; what can be sent one way has to come back the same way."""
    for outcome in found:
        if outcome.error is not None:
            outcome.error = _Sent(SentError.of(outcome.error))
    return dumps(found)


def unpacked(data: bytes) -> list[Outcome[Any]]:
    """Outcomes from bytes."""
    found: list[Outcome[Any]] = pickle.loads(data)
    for outcome in found:
        if isinstance(outcome.error, _Sent):
            outcome.error = outcome.error.error.raised()
    return found


def as_bytes(value: Any, what: str, do: str, dumps: Callable[[Any], bytes] = pickle.dumps) -> bytes:
    """A value to be sent.

    Raises
    ------
    InputError
        When it cannot be; the message says what to do.
    """
    try:
        return dumps(value)
    except Exception as error:
        raise InputError(f"expected {what} that can be sent to another process, got {error}; {do}") from error
