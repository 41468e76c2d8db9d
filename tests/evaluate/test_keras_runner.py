"""The runner of Keras 3: the protocol that every framework keeps, on the backends that are installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import imagemill as im
from imagemill.core.errors import ParameterError
from imagemill.evaluate.runners import keras_networks, keras_runner
from imagemill.evaluate.runners.keras_networks import keras_network
from imagemill.evaluate.runners.keras_runner import KerasRunner
from imagemill.evaluate.runners.recipe import Recipe
from imagemill.evaluate.runners.registry import runner_named
from tests.architecture.repository import SRC, environment

ROOT = SRC.parent

# Processes of their own: the backend is chosen when Keras is first imported, and it turns on warnings of its own.
HEAD = """
import sys
import numpy as np
import imagemill as im
from imagemill.core.errors import InputError
from imagemill.evaluate.inputs.arms import Arm, populations
from imagemill.evaluate.inputs.experiment_data import Data
from imagemill.evaluate.runners.network_file import Network
from imagemill.evaluate.runners.recipe import Recipe
from imagemill.evaluate.runners.registry import runner_named
from tests.evaluate.made_up import sides

def refused(call, words):
    try:
        call()
    except InputError as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)
"""

RUNNER = """
runner = runner_named("keras-" + sys.argv[1])
assert runner.name == "keras-" + sys.argv[1], runner.name
# 72 images, 64 of them to train on, in batches that are all of one size: fewer to compile.
data, recipe, network = sides(72), Recipe(2, 16, workers=0), runner.network("dense")
runner.check(network, data.train[0], 2)
asked = populations(*data.test, ["invert"])
still, mirrored = im.Pipeline([im.Rotate(0)], seed=99), im.Pipeline([im.Flip("x", p=0.5)], seed=0)


def trained(pipeline, seed, network=network, recipe=recipe, told=None):
    return runner.train(Arm("arm", pipeline), network, data.train, asked, 2, seed, recipe, told)
"""

PROTOCOL = """
import random
random.seed(5), np.random.seed(5)
epochs = []
bare = trained(None, 0, told=lambda number, epoch: epochs.append((number, epoch)))
# Nobody else's draws change.
random_after, numpy_after = random.random(), np.random.random()
random.seed(5), np.random.seed(5)
assert (random.random(), np.random.random()) == (random_after, numpy_after)
# With one seed: the same weights, order and validation images for every arm, and again; another seed, others.
same = trained(still, 0)
for name in ("clean", "invert"):
    assert np.array_equal(same.probabilities[name], bare.probabilities[name]), name
assert not np.array_equal(trained(None, 1).probabilities["clean"], bare.probabilities["clean"])
# What is told of it.
assert [number for number, _ in epochs] == [1, 2] and [epoch for _, epoch in epochs] == bare.curve
assert bare.images == 2 * 64 and 0 < bare.waiting < bare.seconds and bare.diverged is None
said = bare.probabilities["clean"]
assert said.shape == (40, 2) and said.dtype == np.float32 and np.allclose(said.sum(1), 1)
"""

LEARNS = """
longer = trained(None, 0, recipe=Recipe(8, 16, workers=0))
assert not np.array_equal(trained(mirrored, 0).probabilities["clean"], trained(None, 0).probabilities["clean"])
assert (longer.probabilities["clean"].argmax(1) == data.test[1]).mean() > 0.9
assert longer.curve[-1].loss < longer.curve[0].loss and longer.curve[-1].validation_accuracy > 0.9
# It answers afterwards, and can be trained on.
assert np.array_equal(longer.predict(data.test[0]), longer.probabilities["clean"])
none_left = trained(None, 3, network=longer.network, recipe=Recipe(1, 16, learning_rate=1e-9, workers=0))
assert np.allclose(none_left.probabilities["clean"], longer.probabilities["clean"], atol=1e-4)
# A loss that is no number any more.
lost = trained(None, 0, recipe=Recipe(3, 16, learning_rate=1e30, workers=0))
assert lost.diverged is not None and lost.probabilities == {}, lost.curve

import keras
def logits(shape, classes):
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(classes)])
quick = Recipe(8, 16, workers=0, learning_rate=0.01)
of_logits = trained(None, 0, network=Network("logits", logits, "adam"), recipe=quick)
assert np.allclose(of_logits.probabilities["clean"].sum(1), 1, atol=1e-5)
assert (of_logits.probabilities["clean"].argmax(1) == data.test[1]).mean() > 0.9
assert of_logits.curve[-1].loss > 0 and abs(of_logits.curve[-1].loss - of_logits.curve[-1].validation_loss) < 0.5

images = data.train[0]
one = Network("one", lambda shape, classes: logits(shape, 1))
refused(lambda: runner.check(one, images, 2), "expected network 'one' to give [n, 2]")
refused(lambda: runner.check(Network("no", lambda *_: 3), images, 2), "to give a keras.Model, got int")
refused(lambda: runner.check(runner.network("cnn"), images, 2), "expected images of at least 12 pixels a side")
other = {"torch": "jax", "jax": "torch"}[sys.argv[1]]
refused(lambda: runner_named("keras-" + other), f"expected Keras on {other}, got it on {sys.argv[1]} already")
published = {"cnn": 12_810, "cnn-16": 27_210, "dense": 407_050, "dense-1024": 814_090, "dense-deep": 669_706}
for name, count in published.items():
    assert runner.network(name).build((28, 28, 1), 10).count_params() == count, name
"""

COMPARED = """
from pathlib import Path
out, model = Path(sys.argv[2]), Path(sys.argv[3])
mirrored = {"mirrored": im.Pipeline([im.Flip("x", p=0.5)], seed=0)}
asked = dict(model=model, epochs=3, batch_size=16, seeds=3, workers=0, runner="keras-" + sys.argv[1], out=out)
found = im.compare(sides(80), mirrored, **asked)
assert found.design["runner"] == "keras-" + sys.argv[1] and found.design["model"] == "mine"
assert found.effect("mirrored").here.mean < -0.05, found
others = {**asked, "runner": "torch", "model": "dense"}
refused(lambda: im.compare(sides(80), mirrored, **others), "another model, runner")
"""

DONE = """
print("kept on", sys.argv[1])
"""

MINE = """
import keras

OPTIMIZER = "adam"


def build(shape, classes):
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(64, "relu")]
    return keras.Sequential([*layers, keras.layers.Dense(classes, "softmax")])
"""

BACKENDS = [name for name in ("torch", "jax") if find_spec(name) is not None and find_spec("keras") is not None]


def ran(program: str, backend: str, folder: Path, *arguments: Path) -> None:
    path = [str(SRC), str(ROOT)]
    env = {**environment(SRC), "CUDA_VISIBLE_DEVICES": "", "HOME": str(folder), "PYTHONPATH": ":".join(path)}
    env.pop("KERAS_BACKEND", None)
    command = [sys.executable, "-c", HEAD + program + DONE, backend, *map(str, arguments)]
    run = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stderr
    assert f"kept on {backend}" in run.stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_keeps_the_protocol_of_a_runner_learns_and_compares(backend: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    # The rest is no other matter on another backend, and PyTorch has nothing to compile.
    rest = (LEARNS, COMPARED) if backend == BACKENDS[0] else ()
    ran("".join((RUNNER, PROTOCOL, *rest)), backend, tmp_path, tmp_path / "out", tmp_path / "mine.py")


def test_a_backend_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, *, extra: str) -> None:
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")

    monkeypatch.setattr(keras_networks, "require", missing)
    with pytest.raises(im.MissingExtra, match="but tensorflow is not; choose one that is, such as runner"):
        KerasRunner()


def test_without_keras_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(im.MissingExtra, match=r"imagemill\[keras\]"):
        runner_named("keras")


def test_names_that_are_not_there_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"expected a model of dense, .*, cnn, or a file .py, got 'resnet18'"):
        keras_network("resnet18")
    with pytest.raises(ParameterError, match=r"expected a runner of torch, keras, keras-tensorflow, .* got 'mxnet'"):
        runner_named("mxnet")
    with pytest.raises(ParameterError, match="expected a backend of tensorflow, torch, jax, got 'mxnet'"):
        KerasRunner("mxnet")


def test_the_device_is_what_the_backend_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    def runner(backend: str) -> KerasRunner:
        made = KerasRunner.__new__(KerasRunner)
        made.keras = SimpleNamespace(backend=SimpleNamespace(backend=lambda: backend))
        return made

    given: dict[str, Any] = {
        "torch": lambda there: SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: there)),
        "jax": lambda there: SimpleNamespace(devices=lambda: [SimpleNamespace(platform="gpu" if there else "cpu")]),
        "tensorflow": lambda there: SimpleNamespace(
            config=SimpleNamespace(list_physical_devices=lambda kind: ["0"] if there and kind == "GPU" else [])
        ),
    }
    for backend, made in given.items():
        for there, device in ((True, "cuda"), (False, "cpu")):
            monkeypatch.setattr(keras_runner, "require", lambda name, made=made, there=there, **_: made(there))
            assert runner(backend).settled(Recipe(device="auto")).device == device
            assert runner(backend).settled(Recipe(device="cpu")).device == "cpu"
        with pytest.raises(im.InputError, match=f"expected a GPU for device 'cuda', got none that {backend} can use"):
            runner(backend).settled(Recipe(device="cuda"))
    with pytest.raises(ParameterError, match="expected a device of auto, cpu, cuda for Keras, got 'tpu'"):
        runner("torch").settled(Recipe(device="tpu"))
