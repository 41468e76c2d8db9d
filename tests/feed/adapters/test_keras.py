"""Batches for `model.fit` of Keras 3."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.architecture.repository import SRC, environment

pytestmark = pytest.mark.skipif(find_spec("keras") is None, reason="Keras is not installed")

# A process of its own: the backend is chosen when Keras is first imported, and it turns on warnings of its own.
PROGRAM = """
import warnings
import numpy as np
import keras
import imagemill as im
from imagemill.feed import Loader

y = np.arange(60) % 2
x = (y[:, None, None, None] * 150 + 50) * np.ones((1, 8, 8, 3), int)
pipe = im.Pipeline([im.Flip("x", p=0.5), im.Rescale("depth")], seed=1)
loader = Loader((x.astype(np.uint8), y), pipe, batch_size=8, workers=2)
batches = loader.keras()
assert isinstance(batches, keras.utils.PyDataset)
assert len(batches) == 8
image, label = batches[2]
same = loader.batch(2, epoch=0)
assert np.array_equal(image, same.image) and np.array_equal(label, same.label)
assert batches[7][0].shape == (4, 8, 8, 3)
keras.utils.set_random_seed(0)
handed = []
class Noting(type(batches)):
    def __getitem__(self, number):
        made = super().__getitem__(number)
        handed.append((self.epoch, made[1].tolist(), float(made[0].sum())))
        return made
batches.__class__ = Noting
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")])
model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
held_out = Loader((x.astype(np.uint8), y), pipe, batch_size=8).keras()
history = model.fit(batches, epochs=6, validation_data=held_out, verbose=0)
assert len(history.history["loss"]) == 6
assert history.history["loss"][-1] < history.history["loss"][0]
assert batches.epoch == loader.epoch == held_out.epoch == 6, (batches.epoch, loader.epoch, held_out.epoch)
batches_of = [(e, loader.batch(n, epoch=e)) for e in range(6) for n in range(8)]
wanted = [(e, b.label.tolist(), float(b.image.sum())) for e, b in batches_of]
# Before the first epoch Keras has a look at a batch or two.
assert handed[-48:] == wanted and len(handed) <= 50, "every batch of every epoch, once and in order"
assert not np.array_equal(batches[2][0], image), "another epoch has another order"
assert model.predict(batches, verbose=0).shape == (60, 2)
print("fitted on", keras.backend.backend())
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_it_feeds_fit(backend: str, tmp_path: Path) -> None:
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    env = {**environment(SRC), "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    assert f"fitted on {backend}" in run.stdout


def test_without_keras_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import imagemill as im
    from imagemill.feed import Loader

    loader: Any = Loader((np.zeros((4, 8, 8), np.uint8),), workers=0)
    for extra, module, call in (
        ("keras", "keras", loader.keras),
        ("torch", "torch", loader.torch),
        ("torch", "torch", loader.torch_dataset),
        ("jax", "jax", loader.jax),
        ("tf", "tensorflow", loader.tf),
        ("lightning", "lightning", loader.lightning),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(im.MissingExtra, match=rf"imagemill\[{extra}\]"):
            call()
