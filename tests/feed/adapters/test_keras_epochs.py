"""What `fit` of Keras 3 is fed when its epochs are not the loader's."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.architecture.repository import SRC, environment

pytestmark = pytest.mark.skipif(find_spec("keras") is None, reason="Keras is not installed")

# A process of its own: the backend is chosen when Keras is first imported, and it turns on warnings of its own.
PROGRAM = """
import numpy as np
import keras
from imagemill.feed import Loader

y = np.arange(10) % 2
x = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)

def network():
    made = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")])
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made

def noted(loader):
    batches, seen = loader.keras(), []
    class Noting(type(batches)):
        def __getitem__(self, number):
            made = super().__getitem__(number)
            seen.append(sorted(made[0][:, 0, 0, 0].tolist()))
            return made
    batches.__class__ = Noting
    return batches, seen

def fresh(**how):
    return Loader((x, y), batch_size=3, seed=1, workers=0, **how)

ours = fresh()
right = [sorted(ours.batch(n, epoch=e).image[:, 0, 0, 0].tolist()) for e in range(6) for n in range(4)]

for built in (False, True):
    # A model that is not built yet is shown a batch before the first epoch.
    model = network()
    if built:
        model.fit(fresh().keras(), verbose=0)

    loader = fresh()
    batches, seen = noted(loader)
    model.fit(batches, steps_per_epoch=2, epochs=6, verbose=0)
    assert seen[-12:] == right[:12], "expected every batch of three epochs in six halves"
    assert (batches.epoch, loader.state_dict()["batch"]) == (3, 0)

    loader = fresh()
    batches, seen = noted(loader)
    for _ in range(4):
        model.fit(batches, steps_per_epoch=1, verbose=0)
    assert seen[-4:] == right[:4] and loader.epoch == 1, "expected another fit to go on"

    loader = fresh()
    batches, seen = noted(loader)
    model.fit(batches, epochs=3, initial_epoch=1, verbose=0)
    assert seen[-8:] == right[4:12], "expected nothing of the epoch before initial_epoch"
    model.fit(batches, epochs=5, initial_epoch=3, verbose=0)
    assert seen[-8:] == right[12:20]
    batches, seen = noted(fresh())
    model.fit(batches, epochs=4, initial_epoch=3, steps_per_epoch=2, verbose=0)
    assert seen[-2:] == right[6:8]

    before, loader = fresh(), fresh()
    running = iter(before)
    next(running), next(running)
    batches, seen = noted(loader)
    loader.load_state_dict(before.state_dict())
    model.fit(batches, epochs=2, verbose=0)
    assert seen[-8:] == right[2:10], "expected a state to say where training goes on"
    assert (loader.epoch, loader.state_dict()["batch"]) == (2, 2)
    loader.set_epoch(5)
    model.fit(batches, verbose=0)
    assert seen[-4:] == right[20:], "expected set_epoch to be heard"

    loader = fresh()
    batches, seen = noted(loader)
    held_out, looked_at = noted(fresh(shuffle=False))
    model.fit(batches, epochs=3, validation_data=held_out, validation_steps=2, verbose=0)
    assert seen[-12:] == right[:12]
    assert looked_at[-6:] == [[0, 1, 2], [3, 4, 5]] * 3, "expected the same rows each time"
    model.fit(fresh().keras(), class_weight={0: 1.0, 1: 5.0}, verbose=0)
    assert model.predict(fresh(shuffle=False).keras(), verbose=0).shape == (10, 2)
print("fitted on", keras.backend.backend())
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_epochs_of_keras_that_are_not_the_loaders(backend: str, tmp_path: Path) -> None:
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    env = {**environment(SRC), "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert f"fitted on {backend}" in run.stdout
