"""TensorBoard and MLflow are told what is in the results, and closed however a comparison ends."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import imagemill as im
from imagemill.core.errors import InputError, MissingExtra, ParameterError
from imagemill.evaluate import Epoch, Step, compare
from imagemill.evaluate.comparisons.mlflow_log import EXPERIMENT, MlflowLog
from imagemill.evaluate.comparisons.run_log import Found, measured, opened
from imagemill.evaluate.comparisons.tensorboard_log import TensorBoardLog
from tests.evaluate.made_up import sides

FLIP = {"flip": im.Pipeline([im.Flip("x", p=0.5)], seed=0)}
QUICK: dict[str, Any] = {
    "model": "dense",
    "epochs": 2,
    "batch_size": 16,
    "workers": 0,
    "seeds": 2,
    "stress": ["shift:1px"],
}


class Recorded:
    """A log that keeps what it is told."""

    def __init__(self, stop_after: int = -1) -> None:
        self.told: list[str] = []
        self.steps: list[Step] = []
        self.design: Mapping[str, Any] = {}
        self.found: Found | None = None
        self.stop_after = stop_after

    def begin(self, design: Mapping[str, Any]) -> None:
        self.told.append("begin")
        self.design = design

    def step(self, step: Step) -> None:
        self.told.append("step")
        self.steps.append(step)
        if len(self.steps) == self.stop_after:
            raise KeyboardInterrupt

    def end(self, found: Found) -> None:
        self.told.append("end")
        self.found = found

    def close(self, *, failed: bool) -> None:
        self.told.append(f"close failed={failed}")


def test_a_log_is_told_of_every_epoch_of_what_each_run_says_and_of_the_end() -> None:
    log, other, seen = Recorded(), Recorded(), list[Step]()
    found = compare(sides(32, 10), FLIP, log=[log, other], progress=seen.append, **QUICK)
    assert log.told == ["begin", *["step"] * 8, "end", "close failed=False"]
    assert log.told == other.told
    assert seen == log.steps
    assert log.found is found
    assert dict(log.design) == dict(found.design)
    last = {(s.arm, s.seed): s.right for s in log.steps if s.right is not None}
    assert [s.epoch for s in log.steps if s.right is not None] == [2] * 4
    for (arm, population), metrics in found.metrics.items():
        assert [dict(last[arm, seed] or {})[population] for seed in range(2)] == [m.accuracy for m in metrics]


def test_a_log_is_closed_when_a_comparison_is_stopped() -> None:
    log = Recorded(stop_after=3)
    with pytest.raises(KeyboardInterrupt):
        compare(sides(32, 10), FLIP, log=log, **QUICK)
    assert log.told == ["begin", "step", "step", "step", "close failed=True"]


def test_figures_have_names_and_what_is_no_number_is_left_out() -> None:
    lost = Step("a", 0, 1, 1, 1, 4, Epoch(math.nan, 0.1, math.inf, math.nan), right={})
    assert measured(lost) == {"accuracy/training": 0.1}
    there = Step("a", 0, 1, 1, 4, 4, None, right={"shift:4px": 0.5})
    assert measured(there) == {"accuracy/test/shift:4px": 0.5}


@pytest.mark.parametrize("spec", ["wandb", "tensorboard", "tensorboard:", "", "mlflows"])
def test_another_log_is_refused_before_anything_is_made(spec: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"expected a log as tensorboard:DIR, mlflow or mlflow:URI, got '"):
        compare(sides(32, 10), FLIP, log=spec, out=tmp_path / "out", **QUICK)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("spec", "module", "extra"), [
    ("tensorboard:runs", "tensorboard", "tensorboard"), ("mlflow", "mlflow", "mlflow"),
])  # fmt: skip
def test_a_tool_that_is_not_installed_is_named_with_its_extra(
    spec: str, module: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    real = importlib.import_module

    def absent(name: str, package: str | None = None) -> Any:
        if name.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingExtra, match=rf"expected the package '{module}' .* pip install 'imagemill\[{extra}\]'"):
        compare(sides(32, 10), FLIP, log=spec, out=tmp_path / "out", **QUICK)
    assert not (tmp_path / "out").exists()


def test_a_file_is_no_folder_for_event_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ParameterError, match="expected a folder for TensorBoard, got the file"):
        opened(f"tensorboard:{tmp_path / 'file'}")


# ------------------------------------------------------------------------------------------------- doubles


class Writer:
    """Stands in for TensorBoard's writer."""

    made: dict[str, list[tuple[str, float, int]]]
    open: set[str]

    def __init__(self, folder: str) -> None:
        self.name = Path(folder).name
        self.made.setdefault(self.name, [])
        self.open.add(self.name)

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        assert self.name in self.open
        self.made[self.name].append((tag, value, step))

    def close(self) -> None:
        self.open.remove(self.name)


def test_what_tensorboard_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Writer, "made", {}, raising=False)
    monkeypatch.setattr(Writer, "open", set(), raising=False)
    monkeypatch.setattr(
        "imagemill.evaluate.comparisons.tensorboard_log.require",
        lambda *_, **__: type("Module", (), {"Writer": Writer}),
    )
    found = compare(sides(32, 10), FLIP, log=TensorBoardLog(tmp_path), **QUICK)
    assert set(Writer.made) == {"none-0", "flip-0", "none-1", "flip-1", "flip-effect"}
    assert Writer.open == set()
    run = next(r for r in found.runs if (r.arm, r.seed) == ("flip", 1))
    assert [(v, s) for tag, v, s in Writer.made["flip-1"] if tag == "loss/training"] == [
        (run.curve[0].loss, 1), (run.curve[1].loss, 2),
    ]  # fmt: skip
    here = found.effect("flip", "shift:1px").here
    assert ("effect/shift:1px/low", here.low, 2) in Writer.made["flip-effect"]


class Client:
    """Stands in for MLflow's client."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}

    def get_experiment_by_name(self, name: str) -> None:
        assert name == EXPERIMENT

    def create_experiment(self, name: str) -> str:
        return "7"

    def create_run(self, experiment: str, *, tags: dict[str, str], run_name: str) -> Any:
        assert experiment == "7"
        key = str(len(self.runs))
        self.runs[key] = {"name": run_name, "tags": tags, "params": {}, "metrics": [], "text": {}, "status": None}
        return type("Run", (), {"info": type("Info", (), {"run_id": key})})

    def log_param(self, run: str, name: str, value: str) -> None:
        assert name not in self.runs[run]["params"]
        self.runs[run]["params"][name] = value

    def log_metric(self, run: str, name: str, value: float, *, step: int) -> None:
        assert self.runs[run]["status"] is None
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. /")
        self.runs[run]["metrics"].append((name, value, step))

    def log_text(self, run: str, text: str, name: str) -> None:
        self.runs[run]["text"][name] = text

    def set_terminated(self, run: str, status: str) -> None:
        assert self.runs[run]["status"] is None
        self.runs[run]["status"] = status


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client()
    module = type("Module", (), {"MlflowClient": staticmethod(lambda *, tracking_uri: made)})
    monkeypatch.setattr("imagemill.evaluate.comparisons.mlflow_log.require", lambda *_, **__: module)
    return made


def test_what_mlflow_is_told(client: Client) -> None:
    found = compare(sides(32, 10), FLIP, log=MlflowLog(), **QUICK)
    parent, *others = client.runs.values()
    assert [run["name"] for run in others] == ["none-0", "flip-0", "none-1", "flip-1"]
    assert {run["tags"]["mlflow.parentRunId"] for run in others} == {"0"}
    assert {run["status"] for run in client.runs.values()} == {"FINISHED"}
    assert json.loads(parent["params"]["seeds"]) == 2
    assert json.loads(parent["text"]["results.json"]) == json.loads(json.dumps(found.to_dict()))
    assert ("effect/flip/shift_1px/mean", found.effect("flip", "shift:1px").here.mean, 2) in parent["metrics"]
    assert ("accuracy/test/clean", found.metrics["flip", "clean"][1].accuracy, 2) in others[-1]["metrics"]


def test_what_mlflow_is_told_of_a_stopped_comparison(client: Client) -> None:
    with pytest.raises(KeyboardInterrupt):
        compare(sides(32, 10), FLIP, log=[MlflowLog(), Recorded(stop_after=3)], **QUICK)
    assert [run["status"] for run in client.runs.values()] == ["FAILED", "FINISHED", "KILLED"]


def test_a_store_that_cannot_be_used_is_an_error_before_anything_is_trained(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(name: str) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(client, "get_experiment_by_name", away)
    seen: list[Step] = []
    with pytest.raises(InputError, match=r"expected MLflow's store at http://a:1 to answer, got OSError: no route to"):
        compare(sides(32, 10), FLIP, log=MlflowLog("http://a:1"), progress=seen.append, **QUICK)
    assert seen == []


# ------------------------------------------------------------------------------------------------ the tools


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="needs the extra tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = compare(sides(32, 10), FLIP, log=f"tensorboard:{tmp_path}", **QUICK)
    read = EventAccumulator(str(tmp_path / "flip-1"))
    read.Reload()
    run = next(r for r in found.runs if (r.arm, r.seed) == ("flip", 1))
    tensors = [event.tensor_proto.float_val[0] for event in read.Tensors("loss/validation")]
    assert tensors == pytest.approx([epoch.validation_loss for epoch in run.curve], rel=1e-6)


def test_mlflow_reads_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow", reason="needs the extra mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # the client alone brings no database
    uri = (tmp_path / "runs").as_uri()
    found = compare(sides(32, 10), FLIP, log=f"mlflow:{uri}", **QUICK)
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"dense: flip", "none-0", "flip-0", "none-1", "flip-1"}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    run = next(r for r in found.runs if (r.arm, r.seed) == ("flip", 1))
    kept = client.get_metric_history(runs["flip-1"].info.run_id, "loss/training")
    assert [metric.value for metric in kept] == [epoch.loss for epoch in run.curve]
