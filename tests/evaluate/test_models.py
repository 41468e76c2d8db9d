"""Models of every kind, with weights set by hand: what they take is found out, said, and never silently wrong."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import imagemill as im
from imagemill.evaluate.stressing.preparing import spread
from tests.architecture.repository import SRC, environment

Array = np.ndarray[Any, Any]


def halves(count: int = 120, channels: int = 1) -> tuple[Array, Array]:
    """Images 6x8 in which the left half (class 0), the right half (1) or neither (2) is brighter."""
    y = np.arange(count) % 3
    x = np.random.default_rng(5).integers(90, 110, (count, 6, 8, channels)).astype(np.uint8)
    x[y == 0, :, :4] += 60
    x[y == 1, :, 4:] += 60
    return x, y


class Halves(torch.nn.Module):
    """Logits from the means of the halves; `unit` is the brightness that counts as brighter, in its own scale."""

    def __init__(self, channels: int, classes: int = 3, unit: float = 0.1) -> None:
        super().__init__()
        self.kernel = torch.nn.Conv2d(channels, 2, (6, 4), stride=(1, 4), bias=False)
        torch.nn.init.constant_(self.kernel.weight, 0.5 / (24 * channels))
        self.head = torch.nn.Linear(2, classes, bias=True)
        weight = torch.zeros(classes, 2)
        weight[0], weight[1] = torch.tensor([4.0, -4.0]), torch.tensor([-4.0, 4.0])
        self.head.weight.data, self.head.bias.data = weight, torch.full((classes,), -9.0)
        self.head.bias.data[:3] = torch.tensor([0.0, 0.0, 4.0 * unit])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.kernel(x).sum(1)[:, 0])


OVER = "gain-offset.beta:-60,-20,0,20,60"


def accuracies(found: Any) -> list[float]:
    return [point.score.value for point in found["gain-offset.beta"].points]


def test_a_module_is_asked_in_evaluation_mode_and_its_preparation_is_said() -> None:
    module = torch.nn.Sequential(Halves(1), torch.nn.Dropout(0.9)).train()
    found = im.stress(module, halves(), OVER, worst=False, refine=0)
    assert found.clean.value == 1.0
    assert module.training
    assert "a PyTorch module: images come as 0..1, channels first, by what is right of 120 images" in found.notes[0]
    assert "-1..1, channels first" in found.notes[0]


def test_all_files_of_one_network_give_the_same_figures(tmp_path: Path) -> None:
    module, example = Halves(1).eval(), torch.zeros(2, 1, 6, 8)
    batch = {0: torch.export.Dim("batch")}
    torch.export.save(torch.export.export(module, (example,), dynamic_shapes=(batch,)), tmp_path / "any.pt2")
    torch.export.save(torch.export.export(module, (example,)), tmp_path / "two.pt2")
    with pytest.warns(DeprecationWarning, match="trace"):
        torch.jit.trace(module, example).save(str(tmp_path / "script.pt"))
    script = tmp_path / "own.py"
    script.write_text(
        "import numpy as np\n"
        "def predict(images):\n"
        "    left, right = images[..., :4, 0].mean((1, 2)) / 255, images[..., 4:, 0].mean((1, 2)) / 255\n"
        "    return np.stack([left - right, right - left, np.full(len(left), 0.1)], 1) * 20\n"
    )
    data = halves(121)  # an odd one, so that the last batch of two is filled up
    expected = accuracies(im.stress(module, data, OVER, worst=False))
    assert expected[2] == 1.0
    for name in ("any.pt2", "two.pt2", "script.pt", "own.py"):
        found = im.stress(tmp_path / name, data, OVER, worst=False)
        assert accuracies(found) == expected, name


def test_an_onnx_file_gives_the_same_figures(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    module, example = Halves(3).eval(), torch.zeros(1, 3, 6, 8)
    for name, axes in (("any", {"x": {0: "n"}}), ("one", None)):
        path = tmp_path / f"{name}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the exporter that needs no further package
            torch.onnx.export(module, (example,), path, input_names=["x"], dynamic_axes=axes, dynamo=False)
    data = halves(channels=3)
    expected = accuracies(im.stress(module, data, OVER, worst=False, scale="0..1"))
    for name in ("any", "one"):
        found = im.stress(tmp_path / f"{name}.onnx", data, OVER, worst=False, scale="0..1")
        assert accuracies(found) == expected
    with pytest.raises(im.InputError, match="images of 3x6x8, which an ONNX model takes, got 6x8x1"):
        im.stress(tmp_path / "any.onnx", halves(), OVER)


KERAS = """
import sys, numpy as np, keras
import imagemill as im
x, y = np.load(sys.argv[1])["x"], np.load(sys.argv[1])["y"]
inside = keras.Input((6, 8, 1))
pooled = keras.layers.AveragePooling2D((6, 4))(keras.layers.Rescaling(1 / 255)(inside))
model = keras.Model(inside, keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(pooled)))
model.layers[-1].set_weights([np.array([[40.0, -40, 0], [-40, 40, 0]]), np.array([0, 0, 4.0])])
model.save("model.keras")
for one in (model, "model.keras"):
    found = im.stress(one, (x, y), "gain-offset.beta:-60,-20,0,20,60", worst=False)
    print([round(point.score.value, 3) for point in found["gain-offset.beta"].points])
    print(found.notes)
"""


def test_a_keras_file_gives_the_same_figures_and_its_own_rescaling_is_seen(tmp_path: Path) -> None:
    if find_spec("keras") is None:  # not importorskip: the backend is chosen in the process below
        pytest.skip("needs keras")
    x, y = halves()
    np.savez(tmp_path / "data.npz", x=x, y=y)
    env = {**environment(SRC), "KERAS_BACKEND": "torch", "CUDA_VISIBLE_DEVICES": "", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", textwrap.dedent(KERAS), str(tmp_path / "data.npz")]
    run = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    expected = [round(v, 3) for v in accuracies(im.stress(Halves(1), halves(), OVER, worst=False))]
    assert lines[0] == lines[2] == str(expected)
    assert "a Keras model on torch: images come as 0..255, channels last" in lines[1]
    assert "its layer rescaling scales values by itself" in lines[1]


class Estimator:
    """Looks like one of scikit-learn's, fitted on rows of pixels from 0 to 255."""

    n_features_in_ = 48
    classes_ = np.array([0, 1, 2])

    def fit(self) -> None: ...

    def predict(self, rows: Array) -> Array:
        pixels = rows.reshape(-1, 6, 8)
        apart = pixels[:, :, :4].mean((1, 2)) - pixels[:, :, 4:].mean((1, 2))
        return np.where(apart > 25, 0, np.where(apart < -25, 1, 2))


def test_an_estimator_gets_rows_in_the_scale_that_it_was_fitted_on() -> None:
    found = im.stress(Estimator(), halves(), OVER, worst=False)
    assert found.clean.value == 1.0
    assert "images come as 0..255, one row an image" in found.notes[0]


class Named(Estimator):
    """One that was fitted on names, which scikit-learn sorts."""

    classes_ = np.array(["left", "neither", "right"])

    def predict_proba(self, rows: Array) -> Array:
        return np.eye(3)[np.array([0, 2, 1])[self.predict(rows)]]


def test_classes_that_an_estimator_knows_by_name_are_put_in_the_order_of_the_dataset() -> None:
    found = im.stress(Named(), halves(), OVER, worst=False, classes=("left", "right", "neither"))
    assert found.clean.value == 1.0
    with pytest.raises(im.InputError, match="of the classes left, right, none, got one of left, neither, right"):
        im.stress(Named(), halves(), OVER, worst=False, classes=("left", "right", "none"))


def test_a_preparation_is_taken_as_it_is_and_nothing_is_guessed(tmp_path: Path) -> None:
    pipeline = im.Pipeline([im.Rescale(), im.ToDtype("float32"), im.ToLayout("channels_first")], seed=0)
    pipeline.to_yaml(tmp_path / "prepare.yaml")
    for given in (pipeline, tmp_path / "prepare.yaml"):
        found = im.stress(Halves(1), halves(), OVER, worst=False, preparation=given)
        assert found.clean.value == 1.0
        assert found.notes == ("a PyTorch module: images come as the given pipeline prepares them",)
    wrong = im.Pipeline([im.Rescale(), im.ToDtype("float32"), im.ToLayout("channels_last")], seed=0)
    with pytest.raises(im.InputError, match="to answer images"):
        im.stress(Halves(1), halves(), OVER, preparation=wrong)


def test_a_given_scale_under_which_nothing_is_known_is_said_and_a_guess_is_refused() -> None:
    def dull(images: Array) -> Array:
        return np.eye(3)[np.zeros(len(images), int)]

    found = im.stress(dull, halves(), OVER, worst=False)
    assert "no better than calling every image 0" in found.notes[1]
    module = Halves(1)
    torch.nn.init.zeros_(module.head.weight)
    with pytest.raises(im.InputError, match=r"got none better than chance \(0.333\) on 120 of them: 0..1, channels fi"):
        im.stress(module, halves(), OVER)
    said = im.stress(module, halves(), OVER, worst=False, scale="0..1", layout="first")
    assert "look at the preparation the model was trained with" in said.notes[1]


def test_preparations_that_cannot_be_told_apart_are_named() -> None:
    x, y = halves(60)
    rows = np.flatnonzero((y < 2) | (np.arange(60) == 2))  # one image only of the class that a wrong scale misses
    found = im.stress(Halves(1), (x[rows], y[rows]), OVER, worst=False)
    assert found.notes[0].startswith("a PyTorch module: images come as 0..1, channels first")
    assert found.notes[1].startswith("not told apart from 0..255, channels first")
    assert "say which the model was trained with" in found.notes[1]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (lambda p: np.log(p), "log"),
        (lambda p: p, "probabilities"),
        (lambda p: np.log(p) * 2 + 5, "logits"),
        (lambda p: p.argmax(1), "classes"),
        (lambda p: {"features": np.ones((len(p), 7)), "head": p}, "several"),
    ],
)
def test_outputs_of_every_kind_call_the_same_classes(outputs: Any, expected: str) -> None:
    def own(images: Array) -> Any:
        left, right = images[..., :4, 0].mean((1, 2)), images[..., 4:, 0].mean((1, 2))
        apart = np.clip((left - right) / 60, -1, 1)
        scores = np.stack([apart, -apart, np.full(len(apart), 0.4)], 1) * 5
        return outputs(np.exp(scores) / np.exp(scores).sum(1, keepdims=True))

    assert im.stress(own, halves(), OVER, worst=False).clean.value == 1.0


def test_one_number_for_two_classes_is_a_probability_or_a_logit() -> None:
    x, y = halves(60)
    two = (x[y < 2], y[y < 2])
    for scale in (1.0, 30.0):

        def right(images: Array, scale: float = scale) -> Array:
            apart = (images[..., 4:, 0].mean((1, 2)) - images[..., :4, 0].mean((1, 2))) / 60
            return apart * scale if scale > 1 else np.clip(apart, -1, 1) / 2 + 0.5

        assert im.stress(right, two, OVER, worst=False).clean.value == 1.0


def _file(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda t: t / "none.keras", "got no file"),
        (lambda t: t, "got the folder"),
        (lambda t: _file(t, "m.pkl", b"x"), "pickled files run code when they are loaded"),
        (lambda t: _file(t, "m.txt", b"x"), "expected a model in a file .keras"),
        (lambda t: _file(t, "m.pt", b"x"), "pickled weights or a pickled module"),
        (lambda t: _file(t, "m.pt2", b"x"), "to load as a program of torch.export"),
        (lambda t: _file(t, "m.py", b"1 / 0"), "ZeroDivisionError: division by zero; mend the file"),
        (lambda t: _file(t, "m.py", b"x = 1"), r"define load\(\), giving a model, or predict"),
        (lambda t: _file(t, "m.py", b"def load():\n    return 3"), "got int"),
        (lambda t: 7, "expected a model .* got int"),
        (lambda t: Halves(1, classes=5), "each of 3 classes, got 5 outputs"),
        (lambda t: Halves(3), "to take images of 6x8x1, got: 0..1, channels first"),
        (lambda t: torch.nn.Sequential(Halves(1), torch.nn.ReLU(), torch.nn.Flatten(0)), "got 1 outputs|for 120"),
        (lambda t: lambda images: 1 / 0, "to answer images .* ZeroDivisionError"),
    ],
)
def test_a_model_that_does_not_fit_is_named(tmp_path: Path, model: Any, words: str) -> None:
    with pytest.raises(im.InputError, match=words):
        im.stress(model(tmp_path), halves(), OVER)


def test_pickled_weights_are_never_loaded(tmp_path: Path) -> None:
    torch.save(Halves(1).state_dict(), tmp_path / "weights.pth")
    with pytest.raises(im.InputError, match="can run any code when it is loaded"):
        im.stress(tmp_path / "weights.pth", halves(), OVER)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"layout": "middle"}, "a layout of last, first, flat"),
        ({"scale": "0..2"}, "a scale of 0..1, 0..255"),
        ({"scale": "0..1", "preparation": im.Pipeline([])}, "or a layout and a scale, got both"),
        ({"limit_images": 0}, "limit_images of 1 or more"),
        ({"levels": 1}, "levels of 2 or more"),
        ({"hold": 1.0}, "a share to hold between 0 and 1"),
        ({"refine": -1}, "refine of 0 or more"),
    ],
)
def test_a_wrong_option_is_named(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(im.InputError, match=words):
        im.stress(Halves(1), halves(), OVER, **asked)


def test_a_limit_takes_the_same_share_of_every_class() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [600, 300, 100]))
    rows = spread(labels, 100)
    assert np.bincount(labels[rows]).tolist() == [60, 30, 10]
    assert len(set(rows)) == 100
    assert (np.diff(rows) > 0).all()
    assert rows.tolist() == spread(labels, 100).tolist() != spread(labels, 100, seed=1).tolist()
    found = im.stress(Halves(1), halves(), OVER, worst=False, limit_images=30)
    assert found.images == 30
