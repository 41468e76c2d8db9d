"""What a network is for every framework, and reading one from a Python file of one's own."""

from __future__ import annotations

import contextlib
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import ImagemillError, InputError, ParameterError
from imagemill.evaluate.inputs.experiment_data import Task

__all__ = ["Network", "Shape", "network_of", "of_the_user"]

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """A network that can be built anew, and what it is trained with.

    Parameters
    ----------
    name : str
    build : callable
        ``build(shape, classes)`` gives a ``torch.nn.Module``, shape is ``(channels, height, width)``; or a
        ``keras.Model`` for a runner of Keras, shape is ``(height, width, channels)``. With a depth before the height
        for volumes.
    optimizer : {"rmsprop", "adam"}
    said : str
        One line about it.
    task : {"classification", "segmentation"}
        One class an image, or one a pixel.
    """

    name: str
    build: Callable[[Shape, int], Any]
    optimizer: str = "rmsprop"
    said: str = ""
    task: Task = "classification"


def network_of(model: str | Path | Network, known: Mapping[str, Network]) -> Network:
    """A network by its name among those that are known, or from a Python file.

    Raises
    ------
    ParameterError
        For a name that is not there.
    InputError
        For a file that does not load, or does not define ``build``.
    """
    if isinstance(model, Network):
        return model
    if str(model) in known:
        return known[str(model)]
    path = Path(model)
    if path.suffix != ".py":
        raise ParameterError(f"expected a model of {', '.join(known)}, or a file .py, got {str(model)!r}")
    if not path.is_file():
        raise InputError(f"expected a file that builds a network, got no file {path}")
    # What the file prints is for people: the output of a command may be for programs.
    with of_the_user(f"{path} to load", "mend the file"), contextlib.redirect_stdout(sys.stderr):
        found = runpy.run_path(str(path))
    if not callable(found.get("build")):
        raise InputError(f"expected {path} to define build(shape, classes), got no such function; write one")
    optimizer = found.get("OPTIMIZER", "adam")
    if optimizer not in ("rmsprop", "adam"):
        raise InputError(f"expected OPTIMIZER of {path} to be 'rmsprop' or 'adam', got {optimizer!r}")
    task = found.get("TASK", "classification")
    if task not in ("classification", "segmentation"):
        raise InputError(f"expected TASK of {path} to be 'classification' or 'segmentation', got {task!r}")
    return Network(path.stem, found["build"], optimizer, f"{path}", task)


@contextlib.contextmanager
def of_the_user(expected: str, do: str) -> Iterator[None]:
    """Say what was expected when code of the user's own fails, or ends the program.

    Examples
    --------
    >>> with of_the_user("mine.py to load", "mend the file"):
    ...     raise SystemExit(3)
    Traceback (most recent call last):
    imagemill.core.errors.InputError: expected mine.py to load, got SystemExit: 3; mend the file
    """
    try:
        yield
    except ImagemillError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"expected {expected}, got {type(error).__name__}: {error}; {do}") from error
