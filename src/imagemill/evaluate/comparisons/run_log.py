"""Following a study in another tool: what such a tool is told, and which there are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from imagemill.core.errors import ParameterError
from imagemill.evaluate.comparisons.logged import Logged
from imagemill.evaluate.comparisons.rounds import Step

__all__ = ["Found", "RunLog", "followed", "measured", "opened"]


class Found(Protocol):
    """What a study found."""

    def logged(self) -> Iterator[Logged]:
        """Its effects as figures."""

    def table(self) -> str:
        """All of it as a Markdown table."""

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""


class RunLog(Protocol):
    """A tool that keeps figures of runs."""

    def begin(self, design: Mapping[str, Any]) -> None:
        """Take note of what will be compared, before anything is trained."""

    def step(self, step: Step) -> None:
        """Take note of an epoch, and with a run's last one of what it says of the test images."""

    def end(self, found: Found) -> None:
        """Take note of the effects."""

    def close(self, *, failed: bool) -> None:
        """Write everything; ``failed`` when the comparison did not come to its end."""


def opened(spec: str) -> RunLog:
    """The log that a text names.

    Parameters
    ----------
    spec : str
        ``"tensorboard:DIR"``, ``"mlflow"``, or ``"mlflow:URI"``.

    Raises
    ------
    ParameterError
        For another text.
    MissingExtra
        When the tool is not installed.
    """
    name, _, where = spec.partition(":")
    if name == "tensorboard" and where:
        from imagemill.evaluate.comparisons.tensorboard_log import TensorBoardLog

        return TensorBoardLog(where)
    if name == "mlflow":
        from imagemill.evaluate.comparisons.mlflow_log import MlflowLog

        return MlflowLog(where or None)
    raise ParameterError(f"expected a log as tensorboard:DIR, mlflow or mlflow:URI, got {spec!r}")


@contextmanager
def followed(
    specs: str | RunLog | Sequence[str | RunLog], progress: Callable[[Step], None] | None
) -> Iterator[tuple[list[RunLog], Callable[[Step], None] | None]]:
    """Open logs for the time of a comparison, and close them however it ends.

    Parameters
    ----------
    specs : str, RunLog, or sequence of both
    progress : callable or None
        What is told of steps besides.

    Yields
    ------
    list of RunLog, callable or None
        To be told of steps: all logs, then ``progress``.
    """
    listed = [specs] if isinstance(specs, str) or not isinstance(specs, Sequence) else specs
    logs = [opened(one) if isinstance(one, str) else one for one in listed]
    if not logs:
        yield [], progress
        return

    def told(step: Step) -> None:
        for log in logs:
            log.step(step)
        if progress is not None:
            progress(step)

    failed = True
    try:
        yield logs, told
        failed = False
    finally:
        for log in logs:
            log.close(failed=failed)


def measured(step: Step) -> dict[str, float]:
    """Figures of a step by name, without those that are no number.

    Examples
    --------
    >>> from imagemill.evaluate.runners.recipe import Epoch
    >>> measured(Step("flip", 0, 1, 2, 3, 3, Epoch(0.5, 0.9, 0.6, float("nan")), right={"clean": 0.8}))
    {'loss/training': 0.5, 'loss/validation': 0.6, 'accuracy/training': 0.9, 'accuracy/test/clean': 0.8}
    """
    found: dict[str, float] = {}
    if step.said is not None:
        found |= {
            "loss/training": step.said.loss,
            "loss/validation": step.said.validation_loss,
            "accuracy/training": step.said.accuracy,
            "accuracy/validation": step.said.validation_accuracy,
        }
    found |= {f"accuracy/test/{name}": share for name, share in (step.right or {}).items()}
    return {name: value for name, value in found.items() if math.isfinite(value)}
