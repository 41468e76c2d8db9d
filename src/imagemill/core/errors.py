"""Every error imagemill raises on purpose.

::

    ImagemillError
    ├── InputError          (ValueError)   a value, array or option given by the caller does not fit
    │   ├── ParameterError                 a transform's or pipeline's parameter is out of its range
    │   │   └── UnknownParameter           a TypeError too: there is no parameter of that name
    │   └── PipelineFileError              a pipeline description (YAML, JSON, dict) cannot be read
    ├── TargetError         (TypeError)    no rule says what an operation does to a kind of target
    ├── PlanError           (RuntimeError) a plan breaks its own promises (a fault of ours: please report)
    ├── CodecError          (OSError)      one file cannot be read or written
    │   └── DiskError                      the disk is full, or may not be written to
    ├── SourceError         (ValueError)   a folder, list or layout cannot be understood
    ├── WorkerError         (RuntimeError) a worker process ended in the middle of its work
    └── MissingExtra        (ImportError)  an optional package is needed; the message names the extra

Messages say what was expected, what came, and what to do about it.
"""

from __future__ import annotations


class ImagemillError(Exception):
    """Base of all errors raised on purpose.

    ``of_caller`` says that it left a function or transform of the caller's own: no file is at fault. ``of_output`` says
    that something whole could not be written as it was asked for: others of its kind will meet the same.
    """

    of_caller: bool = False
    of_output: bool = False


def blame_caller(error: Exception, what: str) -> None:
    """Note on an error that it came out of code of the caller's, so that nobody takes it for the fault of a file.

    Parameters
    ----------
    error : Exception
        Raised by a function or transform that the caller gave.
    what : str
        Which, such as ``"the function 'halve'"``.

    Examples
    --------
    >>> error = CodecError("palette.png: expected a readable file")
    >>> blame_caller(error, "the function 'recolour'")
    >>> error.of_caller, error.__notes__
    (True, ["in the function 'recolour'"])
    """
    error.add_note(f"in {what}")
    if isinstance(error, ImagemillError):
        error.of_caller = True


class InputError(ImagemillError, ValueError):
    """A value, array or option given by the caller does not fit.

    ``path`` says where in a description it stands, by keys and positions from the top; empty elsewhere.
    """

    path: tuple[str | int, ...] = ()


class ParameterError(InputError):
    """A parameter of a transform or pipeline is out of its range; ``field`` is its name where there is one."""

    field: str = ""


class UnknownParameter(ParameterError, TypeError):
    """There is no parameter of that name, or one that must be given was not."""


class PipelineFileError(InputError):
    """A pipeline description cannot be understood."""


class TargetError(ImagemillError, TypeError):
    """No rule says what an operation does to this kind of target."""


class PlanError(ImagemillError, RuntimeError):
    """A plan breaks one of its own promises."""


class CodecError(ImagemillError, OSError):
    """One file cannot be read or written."""


class DiskError(CodecError):
    """The disk takes no more, or may not be written to: no fault of a file, and the next one meets it as well."""


class SourceError(ImagemillError, ValueError):
    """A folder, list or layout cannot be understood."""


class WorkerError(ImagemillError, RuntimeError):
    """A worker process ended in the middle of its work."""


class MissingExtra(ImagemillError, ImportError):
    """An optional package is needed and absent."""
