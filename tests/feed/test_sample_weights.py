"""Weights of samples in a loss, and labels as frameworks take them."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import imagemill as im
from imagemill.feed import Loader
from tests.architecture.repository import SRC, environment

X = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
Y = (np.arange(20) % 3).astype(np.uint8)
W = np.arange(20) / 10


@pytest.mark.parametrize("workers", [0, 2])
def test_weights_stay_with_their_rows(workers: int) -> None:
    with Loader((X, Y, W), im.Pipeline([im.Flip("x")], seed=1), batch_size=6, workers=workers) as loader:
        for batch in loader:
            assert batch.weight.dtype == np.float32
            assert np.allclose(batch.weight, W[np.asarray(batch.keys)])
            assert np.array_equal(batch.label, Y[np.asarray(batch.keys)])
        image, label, weight = next(iter(loader.numpy(("image", "label", "weight"))))
        assert (image.shape, label.dtype, weight.shape) == ((6, 8, 8, 3), np.uint8, (6,))


def test_a_column_of_the_table_is_the_weight(tmp_path: Path) -> None:
    for n in range(6):
        im.write_picture(tmp_path / "ab"[n % 2] / f"{n}.png", im.Picture(X[n], "yxc"))
    dataset = im.open(tmp_path)
    assert "weight" not in Loader(dataset, batch_size=6, workers=0).batch(0).columns
    heavy = dataset.with_columns(weight=pl.when(pl.col("label") == "a").then(3.0).otherwise(0.5))
    batch = Loader(heavy, batch_size=6, workers=0, seed=1).batch(0)
    assert batch.weight.tolist() == [3.0 if label == 0 else 0.5 for label in batch.label]
    with pytest.raises(im.InputError, match="a weight for every row"):
        Loader(dataset.with_columns(weight=pl.when(pl.col("label") == "a").then(3.0)), workers=0)


@pytest.mark.parametrize("weights", [W[:5], -W, W * np.nan, np.array(["x"] * 20)])
def test_what_is_no_weight_is_refused(weights: Any) -> None:
    with pytest.raises(im.InputError, match="weights of samples"):
        Loader((X, Y, weights), workers=0)


def test_labels_are_as_losses_of_torch_take_them() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    scores = torch.zeros(20, 3)
    for kind in (np.uint8, np.int32, np.int64, np.uint16):
        _, label = next(iter(Loader((X, Y.astype(kind)), batch_size=20, workers=0).torch(("image", "label"))))
        assert label.dtype == torch.int64
        torch.nn.functional.cross_entropy(scores, label)
    several = np.eye(3, dtype=np.uint8)[Y]
    _, label = next(iter(Loader((X, several), batch_size=20, workers=0).torch(("image", "label"))))
    assert label.dtype == torch.float32
    torch.nn.functional.binary_cross_entropy_with_logits(scores, label)
    _, label = next(iter(Loader((X, W), batch_size=20, workers=0).torch(("image", "label"))))
    assert label.dtype == torch.float64, "expected numbers to regress on as they are"


# A process of its own: the backend is chosen when Keras is first imported.
PROGRAM = """
import numpy as np, keras
from imagemill.feed import Loader

x = np.zeros((8, 4, 4, 1), np.uint8)
y = np.array([0, 1] * 4)
w = np.array([1.0, 0.0] * 4)
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")])
model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
loader = Loader((x, y, w), batch_size=4, workers=0, seed=0)
made = loader.keras()[0]
assert len(made) == 3 and np.array_equal(made[2], w[np.asarray(loader.batch(0).keys)])
model.fit(loader.keras(), epochs=20, verbose=0)
# Only the first class weighs anything, and images say nothing.
assert model.predict(x, verbose=0)[:, 0].min() > 0.9
assert len(loader.keras(("image", "label"))[0]) == 2
print("weighted")
"""


@pytest.mark.skipif(find_spec("keras") is None or find_spec("torch") is None, reason="Keras and PyTorch are needed")
def test_keras_weighs_its_loss(tmp_path: Path) -> None:
    env = {**environment(SRC), "KERAS_BACKEND": "torch", "CUDA_VISIBLE_DEVICES": "", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert run.stdout.strip() == "weighted", run.stderr
