"""Errors on their way between processes."""

from __future__ import annotations

import pickle
import traceback
from typing import NamedTuple

__all__ = ["RemoteTraceback", "SentError"]


class RemoteTraceback(Exception):  # noqa: N818 - it is no error, it shows where one came from
    """Where in another process an error was raised."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


class SentError(NamedTuple):
    """An error that was caught in one process and is to be raised in another.

    Parameters
    ----------
    error : bytes
        Pickled.
    text : str
        Its traceback.

    Examples
    --------
    >>> SentError.of(ValueError("no")).raised()
    ValueError('no')
    """

    error: bytes
    text: str

    @classmethod
    def of(cls, error: BaseException) -> SentError:
        """An error that was caught; one that cannot be sent is described by another."""
        text = "".join(traceback.format_exception(error))
        try:
            data = pickle.dumps(error)
            pickle.loads(data)  # many can be written and not read: those whose __init__ asks for more than a message
        except Exception:
            other = RuntimeError(f"{type(error).__name__}: {error}")
            for note in getattr(error, "__notes__", ()):
                other.add_note(note)
            data = pickle.dumps(other)
        return cls(data, text)

    def raised(self) -> BaseException:
        """The error, to be raised here, with where it came from as its cause."""
        try:
            error: BaseException = pickle.loads(self.error)
        except Exception:  # its class may be one that only the other process could make
            error = RuntimeError("an error that cannot be read here; its traceback stands above")
        error.__cause__ = RemoteTraceback(self.text)
        return error
