"""Whose fault an error is, the error with a file's name in it, and what reports say of a file that was left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imagemill.core.errors import DiskError, ImagemillError, MissingExtra, PlanError, SourceError, WorkerError
from imagemill.data.layouts.base import Problem

__all__ = ["Failure", "is_of_file", "named", "refuse_missing"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was left out, and why.

    Parameters
    ----------
    key : str
        The record's key.
    message : str
    """

    key: str
    message: str

    def __str__(self) -> str:
        return self.message if self.key in self.message else f"{self.key}: {self.message}"


def is_of_file(error: Exception) -> bool:
    """Whether an error is the fault of one file, so that leaving it out helps.

    Everything that is wrong with a file is an error of ours by the time it gets here. What is not one comes from a
    function or transform of the caller's, or is a mistake of ours; a missing package or a full disk meets the
    next file as well.

    Examples
    --------
    >>> from imagemill.core.errors import CodecError
    >>> is_of_file(CodecError("a.png: cut off")), is_of_file(ZeroDivisionError("in a function of the user's"))
    (True, False)
    """
    if not isinstance(error, ImagemillError) or error.of_caller:
        return False
    return not isinstance(error, DiskError | MissingExtra | PlanError | WorkerError)


def refuse_missing(problems: Iterable[Problem], instead: str) -> None:
    """Stop where a source speaks of pictures that are not there: for who asked to stop at errors.

    Parameters
    ----------
    problems : iterable of Problem
    instead : str
        What goes on without them, such as ``"on_error='skip' (--on-error skip)"``.

    Raises
    ------
    SourceError
    """
    missing = [problem for problem in problems if problem.missing]
    if missing:
        shown = "; ".join(problem.name for problem in missing[:3]) + ("; ..." if len(missing) > 3 else "")
        msg = f"expected every picture that is spoken of to be there, got none for {len(missing)} ({shown})"
        raise SourceError(f"{msg}: {missing[0]}; add them, or pass {instead} to go on without")


def named(name: str, error: Exception, doing: str) -> Exception:
    """The error with the name of a sample or its file in it: in the text of errors of ours, else in a note.

    Parameters
    ----------
    name : str
    error : Exception
    doing : str
        What went on, such as ``"augmenting"``.

    Examples
    --------
    >>> from imagemill.core.errors import CodecError
    >>> str(named("b.png", CodecError("expected pixels, got none"), "augmenting"))
    'b.png: expected pixels, got none'
    >>> named("b.png", ZeroDivisionError(), "augmenting").__notes__
    ['while augmenting b.png']
    """
    if isinstance(error, MissingExtra) or name in str(error):
        return error
    if type(error).__module__ == ImagemillError.__module__:  # of ours, so it can be made from a text
        found = type(error)(f"{name}: {error}")
        found.__dict__.update(error.__dict__)
        found.__cause__ = error
        return found
    error.add_note(f"while {doing} {name}")
    return error
