"""A study in MLflow: one run with the design and the effects, and below it one for each arm and seed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.evaluate.comparisons.rounds import Step
from imagemill.evaluate.comparisons.run_log import Found, measured

__all__ = ["EXPERIMENT", "MlflowLog"]

EXPERIMENT = "imagemill compare"
_PARENT, _NAME = "mlflow.parentRunId", "mlflow.runName"
_LONGEST = 500
"""Letters of a parameter's value."""


class MlflowLog:
    """Runs in a tracking store.

    Parameters
    ----------
    uri : str or None
        Of the store; that of the environment (``MLFLOW_TRACKING_URI``) where none is given.

    Raises
    ------
    MissingExtra
        Without mlflow.
    """

    def __init__(self, uri: str | None = None) -> None:
        # A client of its own: nothing of the process's own runs and settings is touched.
        self._client: Any = require("mlflow", extra="mlflow").MlflowClient(tracking_uri=uri)
        self._uri = uri
        self._experiment = ""
        self._parent = ""
        self._runs: dict[tuple[str, int], str] = {}

    def begin(self, design: Mapping[str, Any]) -> None:
        """Begin a run that the others are below, with the design as its parameters.

        Raises
        ------
        InputError
            When the store cannot be used, with what MLflow says.
        """
        try:
            self._begin(design)
        except Exception as error:  # whatever a store, a database or the network raises: nothing was trained yet
            where = self._uri or "its usual place"
            raise InputError(
                f"expected MLflow's store at {where} to answer, got {type(error).__name__}: {error}; "
                "give another as --log mlflow:URI"
            ) from error

    def _begin(self, design: Mapping[str, Any]) -> None:
        there = self._client.get_experiment_by_name(EXPERIMENT)
        self._experiment = self._client.create_experiment(EXPERIMENT) if there is None else there.experiment_id
        arms = ", ".join(list(design["arms"])[1:])
        self._parent = self._begun({_NAME: f"{design['model']}: {arms}"})
        for name, value in design.items():
            self._client.log_param(self._parent, name, json.dumps(value)[:_LONGEST])

    def step(self, step: Step) -> None:
        """Log the figures of an epoch, and end the run with its last."""
        key = (step.arm, step.seed)
        if key not in self._runs:
            self._runs[key] = self._begun({_NAME: f"{step.arm}-{step.seed}", _PARENT: self._parent})
            self._client.log_param(self._runs[key], "arm", step.arm)
            self._client.log_param(self._runs[key], "seed", str(step.seed))
        for name, value in measured(step).items():
            self._client.log_metric(self._runs[key], _allowed(name), value, step=step.epoch)
        if step.right is not None:
            self._client.set_terminated(self._runs.pop(key), "FINISHED" if step.right else "FAILED")

    def end(self, found: Found) -> None:
        """Log the effects, the table and the results."""
        for effect in found.logged():
            for name, value in effect.finite.items():
                tag = _allowed(f"effect/{effect.arm}/{effect.population}/{name}")
                self._client.log_metric(self._parent, tag, value, step=effect.seeds)
        self._client.log_text(self._parent, found.table() + "\n", "table.md")
        self._client.log_text(self._parent, json.dumps(found.to_dict(), indent=1) + "\n", "results.json")

    def close(self, *, failed: bool) -> None:
        """End what has not ended."""
        for run in self._runs.values():
            self._client.set_terminated(run, "KILLED")
        self._runs.clear()
        if self._parent:
            self._client.set_terminated(self._parent, "FAILED" if failed else "FINISHED")
        self._parent = ""

    def _begun(self, tags: dict[str, str]) -> str:
        return str(self._client.create_run(self._experiment, tags=tags, run_name=tags[_NAME]).info.run_id)


def _allowed(name: str) -> str:
    """A name that every store takes: letters, digits, ``_ - . /`` and spaces."""
    return re.sub(r"[^\w\-. /]", "_", name)
