"""Runners by the names that ``--runner`` takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from imagemill.core.errors import ParameterError
from imagemill.evaluate.runners.base import Runner
from imagemill.evaluate.runners.keras_networks import BACKENDS
from imagemill.evaluate.runners.keras_runner import KerasRunner
from imagemill.evaluate.runners.torch_runner import TorchRunner

__all__ = ["RUNNERS", "runner_named"]

RUNNERS: dict[str, Callable[[], Runner]] = {
    "torch": TorchRunner,
    "keras": KerasRunner,
    **{f"keras-{backend}": partial(KerasRunner, backend) for backend in BACKENDS},
}


def runner_named(name: str | Runner) -> Runner:
    """A runner by its name.

    Raises
    ------
    ParameterError
        For a name that is not there.

    Examples
    --------
    >>> runner_named("torch").name
    'torch'
    """
    if not isinstance(name, str):
        return name
    if name not in RUNNERS:
        raise ParameterError(f"expected a runner of {', '.join(RUNNERS)}, got {name!r}")
    return RUNNERS[name]()
