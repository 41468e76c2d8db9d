"""numpy, JAX, TensorFlow, Grain, Lightning and Hugging Face."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.randomness import dataloader as loops
from imagemill.feed import Loader
from imagemill.feed.adapters import hf_transform
from tests.architecture.repository import SRC, environment

X = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
Y = np.arange(40) % 3
PIPE = im.Pipeline([im.Flip("x", p=0.5), im.Rescale("depth")], seed=2)


def loader(**how: Any) -> Loader:
    return Loader((X, Y), PIPE, **{"batch_size": 16, "workers": 0, **how})


def test_numpy_gives_arrays() -> None:
    ours = loader()
    for made, batch in zip(ours.numpy(("image", "label")), [ours.batch(n, epoch=0) for n in range(3)], strict=True):
        assert np.array_equal(made[0], batch.image)
        assert np.array_equal(made[1], batch.label)


# A process of its own: JAX starts threads and takes signals.
JAX = """
import numpy as np, jax
import imagemill as im
from imagemill.feed import Loader

x = np.random.default_rng(0).integers(0, 256, (64, 96, 96, 3), dtype=np.uint8)
loader = Loader((x, np.arange(64)), im.Pipeline([im.Rescale("depth")], seed=0), batch_size=16, workers=2)
kept = []
for epoch in range(4):
    for arrays in loader.jax():
        assert isinstance(arrays["image"], jax.Array)
        kept.append((epoch, arrays))
for number, (epoch, arrays) in enumerate(kept):
    batch = loader.batch(number % 4, epoch=epoch)
    assert np.array_equal(np.asarray(arrays["image"]), batch.image), "memory was used again"
    assert np.array_equal(np.asarray(arrays["label"]), batch.label)
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("data",))
spread = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
image, label = next(iter(loader.jax(("image", "label"), sharding=spread)))
assert len(image.sharding.device_set) == 2
one = next(iter(loader.jax(device=jax.devices()[1])))["image"]
assert one.devices() == {jax.devices()[1]}
try:
    loader.jax(device=jax.devices()[0], sharding=spread)
except im.InputError as error:
    print(error)
"""


@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
def test_jax_arrays_keep_their_values_and_go_where_they_are_sent(tmp_path: Path) -> None:
    env = {**environment(SRC), "XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", JAX]
    run = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr
    assert "got both" in run.stdout


class FakeSet:
    """What this project asks of a tf.data.Dataset."""

    def __init__(self, make: Callable[[], Iterator[Any]], signature: Any) -> None:
        self.make, self.signature, self.cardinality = make, signature, None

    def apply(self, change: Callable[[Any], Any]) -> Any:
        return change(self)


def fake_tensorflow() -> Any:
    def cardinality(count: int) -> Callable[[FakeSet], FakeSet]:
        def change(made: FakeSet) -> FakeSet:
            made.cardinality = count  # type: ignore[assignment]
            return made

        return change

    data = SimpleNamespace(
        Dataset=SimpleNamespace(from_generator=lambda make, output_signature: FakeSet(make, output_signature)),
        experimental=SimpleNamespace(assert_cardinality=cardinality),
    )
    return SimpleNamespace(data=data, TensorSpec=lambda shape, dtype: (shape, dtype), as_dtype=np.dtype)


def test_tf_says_the_shapes_and_gives_epoch_after_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    # With a stand-in: the real package is half a gigabyte. docs/how-to/feed-a-network.md shows the real one.
    monkeypatch.setitem(sys.modules, "tensorflow", fake_tensorflow())
    ours = loader()
    made = ours.tf()
    assert made.signature == (((None, 32, 32, 3), np.dtype("f4")), ((None,), np.dtype("i8")))
    assert made.cardinality == 3
    for epoch in range(2):
        for (image, label), number in zip(made.make(), range(3), strict=True):
            batch = ours.batch(number, epoch=epoch)
            assert np.array_equal(image, batch.image)
            assert np.array_equal(label, batch.label)
    assert set(ours.tf(None).signature) == {"image", "label"}


class FakeSequence:
    """What this project asks of a keras.utils.PyDataset."""

    def __init__(self, **_: Any) -> None:
        pass


def met(monkeypatch: pytest.MonkeyPatch, jax: int = 1, torch: int = 1, tensorflow: int = 1) -> None:
    """Have as many processes met, as each framework says it."""
    distributed = SimpleNamespace(is_initialized=lambda: jax > 1)
    of_jax = SimpleNamespace(distributed=distributed, process_count=lambda: jax, process_index=lambda: jax - 1)
    monkeypatch.setitem(sys.modules, "jax", of_jax)
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(utils=SimpleNamespace(PyDataset=FakeSequence)))
    monkeypatch.setitem(sys.modules, "tensorflow", fake_tensorflow())
    monkeypatch.setattr(loops, "distributed", lambda: (torch - 1, torch) if torch > 1 else None)
    cluster = {"chief": ["a:1"], "worker": [f"b:{n}" for n in range(tensorflow - 1)]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 0}}))


@pytest.mark.parametrize(
    ("way", "where", "rank"),
    [
        ("jax", "jax", "jax.process_index()"),
        ("keras", "jax", "jax.process_index()"),
        ("keras", "torch", "torch.distributed.get_rank()"),
        ("tf", "tensorflow", "RANK"),
    ],
)
def test_a_loader_of_all_rows_is_refused_where_several_processes_have_met(
    monkeypatch: pytest.MonkeyPatch, way: str, where: str, rank: str
) -> None:
    met(monkeypatch, **{where: 3})
    with pytest.raises(im.InputError, match=re.escape(f"write Loader(..., rank={rank}, world_size=3, seed=0)")):
        getattr(loader(), way)()
    parts = [loader(rank=r, world_size=3, seed=0) for r in range(3)]
    for part in parts:
        getattr(part, way)()
    met(monkeypatch)
    getattr(loader(), way)()


def test_a_jax_too_old_to_say_whether_processes_have_met_is_asked_for_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    met(monkeypatch, jax=2)
    del sys.modules["jax"].distributed.is_initialized
    for way in ("jax", "keras"):
        with pytest.raises(im.InputError, match=r"one of 2 processes"):
            getattr(loader(), way)()


@pytest.mark.parametrize("said", ["", "{", "[]", "{}", '{"cluster": {}}'])
def test_a_cluster_that_is_none_is_left_to_tensorflow(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    met(monkeypatch)
    monkeypatch.setenv("TF_CONFIG", said)
    assert loader().tf().cardinality == 3


def test_grain_asks_for_batches_by_number() -> None:
    ours = loader()
    source = ours.grain()
    assert len(source) == 3
    image, label = source[2]
    assert np.array_equal(image, ours.batch(2).image)
    assert np.array_equal(label, ours.batch(2).label)


@pytest.mark.skipif(find_spec("lightning") is not None, reason="the real one is tried instead")
def test_lightning_gets_loaders_and_state(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    monkeypatch.setitem(sys.modules, "lightning", SimpleNamespace(LightningDataModule=object))
    ours = loader()
    module = ours.lightning(val=loader(shuffle=False))
    assert [len(batch) for batch in module.train_dataloader()] == [2, 2, 2]
    assert len(module.val_dataloader()) == 3
    assert module.test_dataloader() == []
    assert module.state_dict() == ours.state_dict()
    other = loader()
    other.lightning().load_state_dict(module.state_dict())
    assert other.epoch == 1


def test_hugging_face_datasets_are_augmented_as_they_are_read() -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    pillow = pytest.importorskip("PIL.Image")
    rows = {"image": [pillow.fromarray(x) for x in X[:6]], "name": [f"{n}" for n in range(6)], "label": Y[:6].tolist()}
    made = datasets.Dataset.from_dict(
        rows,
        features=datasets.Features(
            {"image": datasets.Image(), "name": datasets.Value("string"), "label": datasets.Value("int64")}
        ),
    )
    made.set_transform(hf_transform(PIPE, key="name", epoch=4))
    for n in range(6):
        assert np.array_equal(made[n]["image"], PIPE(X[n], key=str(n), epoch=4))
    assert [row["label"] for row in made] == Y[:6].tolist()
    with pytest.raises(im.InputError, match="column 'picture'"):
        hf_transform(PIPE, "picture")(rows)
