"""What a network is for every framework, and reading one from a Python file of one's own."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, ParameterError

__all__ = ["Network", "Shape", "network_of"]

Shape = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Network:
    """A network that can be built anew, and what it is trained with.

    Parameters
    ----------
    name : str
    build : callable
        ``build(shape, classes)`` gives a ``torch.nn.Module``, shape is ``(channels, height, width)``; or a
        ``keras.Model`` for a runner of Keras, shape is ``(height, width, channels)``.
    optimizer : {"rmsprop", "adam"}
    said : str
        One line about it.
    """

    name: str
    build: Callable[[Shape, int], Any]
    optimizer: str = "rmsprop"
    said: str = ""


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
    try:
        found = runpy.run_path(str(path))
    except Exception as error:  # whatever the user's file raises is what to show
        raise InputError(f"expected {path} to load, got {type(error).__name__}: {error}; mend the file") from error
    if not callable(found.get("build")):
        raise InputError(f"expected {path} to define build(shape, classes), got no such function; write one")
    optimizer = found.get("OPTIMIZER", "adam")
    if optimizer not in ("rmsprop", "adam"):
        raise InputError(f"expected OPTIMIZER of {path} to be 'rmsprop' or 'adam', got {optimizer!r}")
    return Network(path.stem, found["build"], optimizer, f"{path}")
