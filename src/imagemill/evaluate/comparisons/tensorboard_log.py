"""A study in TensorBoard: a run for each arm and seed, and one for the effects of each arm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagemill.core.errors import ParameterError
from imagemill.core.extras import require
from imagemill.evaluate.comparisons.rounds import Step
from imagemill.evaluate.comparisons.run_log import Found, measured

__all__ = ["TensorBoardLog"]


class TensorBoardLog:
    """Event files below a folder, which ``tensorboard --logdir`` shows.

    Parameters
    ----------
    folder : Path or str

    Raises
    ------
    ParameterError
        When it is a file.
    MissingExtra
        Without tensorboard.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise ParameterError(f"expected a folder for TensorBoard, got the file {self.folder}; give another name")
        require("tensorboard", extra="tensorboard")  # by its own name, for whoever has to install it
        self._writer_of = require("tensorboard.summary", extra="tensorboard").Writer
        self._name, self._writer = "", None

    def begin(self, design: Mapping[str, Any]) -> None:
        """Nothing: TensorBoard has no place for a design but its folders."""

    def step(self, step: Step) -> None:
        """Write the figures of an epoch."""
        name = f"{step.arm}-{step.seed}"
        for tag, value in measured(step).items():
            self._to(name).add_scalar(tag, value, step.epoch)

    def end(self, found: Found) -> None:
        """Write the effects: means and ends of intervals, over the number of seeds."""
        for effect in found.logged():
            for name, value in effect.finite.items():
                self._to(f"{effect.arm}-effect").add_scalar(f"effect/{effect.population}/{name}", value, effect.seeds)

    def close(self, *, failed: bool) -> None:  # noqa: ARG002 - files are whole either way
        """Write out what is still in memory."""
        if self._writer is not None:
            self._writer.close()
        self._name, self._writer = "", None

    def _to(self, name: str) -> Any:
        """The writer of a run; runs come one after the other, so one is open at a time."""
        if name != self._name or self._writer is None:
            self.close(failed=False)
            self._name, self._writer = name, self._writer_of(str(self.folder / name))
        return self._writer
