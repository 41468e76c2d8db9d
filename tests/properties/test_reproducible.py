"""The same seed, epoch and key give the same bytes, however and wherever they are asked for."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.geometry import Frame
from imagemill.testing import assert_same_plan, label_map, picture, pipelines
from imagemill.testing.checks import with_backend

# Generated images have all types, and generated transforms any that go by a white.
pytestmark = pytest.mark.filterwarnings("ignore:.* takes .* for white in images")

ROOT = Path(__file__).parents[2]

# Every awkward thing at once: coins, conflicts of order and border, fills, a statistic, nested choices.
HARD = [
    im.Rotate((-10, 10), order=3, p=0.5),
    im.Brightness((0.5, 2), p=0.3),
    im.Zoom((0.8, 1.2), border="constant", p=0.5),
    im.Contrast((0.5, 1.5), p=0.5),
    im.OneOf(
        [im.Shift(pixels=(-3, 3), border="constant"), im.Elastic(0.2), im.Sequential([im.Flip("x"), im.Gamma(2)])]
    ),
    im.SomeOf([im.Flip("y"), im.Invert(), im.QuarterTurn(2), im.Pad(2, p=0.5)]),
    im.Resize((16, 20), fit="pad"),
    im.Standardize(p=0.5),
    im.Perspective(p=0.3),
]
IMAGES = [picture(i, (14 + i % 3, 18 + i % 4), 3) for i in range(32)]
MASKS = [label_map(i, image.shape[:2]) for i, image in enumerate(IMAGES)]


def everything(pipe: im.Pipeline, size: int, *, workers: int = 1) -> tuple[Any, Any]:
    """All pictures and masks through the pipeline in batches of a size."""
    batches = [
        pipe.batch(IMAGES[i : i + size], mask=MASKS[i : i + size], keys=range(i, i + size), epoch=2, workers=workers)
        for i in range(0, 32, size)
    ]
    return tuple(np.concatenate([batch[name] for batch in batches]) for name in ("image", "mask"))


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_neither_batch_size_nor_workers_nor_order_matter(backend: str) -> None:
    pipe = im.Pipeline(HARD, seed=5, backend=backend)
    image, mask = everything(pipe, 32)
    for size, workers in ((1, 1), (8, 1), (32, 2), (8, 8)):
        other_image, other_mask = everything(pipe, size, workers=workers)
        np.testing.assert_array_equal(other_image, image)
        np.testing.assert_array_equal(other_mask, mask)
    shuffled = np.random.default_rng(1).permutation(32)
    batch = pipe.batch([IMAGES[i] for i in shuffled], keys=shuffled, epoch=2)
    np.testing.assert_array_equal(batch.image, image[shuffled])
    for i in (3, 17):
        sample = pipe(image=IMAGES[i], key=i, epoch=2)
        np.testing.assert_array_equal(sample.image, image[i])


@settings(max_examples=40)
@given(pipelines(longest=6), st.integers(0, 2**20))
def test_a_sample_is_the_same_alone_and_among_others(pipeline: im.Pipeline, key: int) -> None:
    image = picture(key, (15, 19), 3)
    others = [picture(i, (15, 19), 3) for i in range(4)]
    # A last resize, so that a batch has one size.
    pipeline = im.Pipeline([*pipeline.transforms, im.Resize((8, 9))], seed=pipeline.seed)
    alone = pipeline(image=image, key=key)
    batch = pipeline.batch([*others, image], keys=[key + 1, key + 2, key + 3, key + 4, key])
    np.testing.assert_array_equal(batch.image[4], alone.image)
    assert batch.applied[4] == alone.applied
    np.testing.assert_array_equal(batch.affine[4], alone.affine)


@given(pipelines(longest=6))
def test_backends_draw_the_same_plan(pipeline: im.Pipeline) -> None:
    frame = Frame.of(15, 19, channels=3, n=3)
    plans = [p.plan(p.draw(frame, ["a", "b", 3])) for p in (pipeline, with_backend(pipeline, "reference"))]
    assert_same_plan(*plans)


def test_seed_epoch_and_key_each_make_a_difference() -> None:
    pipe = im.Pipeline([im.Rotate((-90, 90)), im.Brightness((0.5, 1.5))], seed=5)
    image = picture(1, (20, 20), 3)
    first = pipe(image=image, key=1, epoch=1).image
    np.testing.assert_array_equal(pipe(image=image, key=1, epoch=1).image, first)
    for other in (
        pipe(image=image, key=2, epoch=1),
        pipe(image=image, key="1", epoch=1),
        pipe(image=image, key=1, epoch=2),
        pipe.with_seed(6)(image=image, key=1, epoch=1),
    ):
        assert (other.image != first).mean() > 0.5


@given(pipelines(longest=6), st.integers(0, 5))
def test_a_transform_at_the_end_leaves_earlier_draws_alone(longer: im.Pipeline, count: int) -> None:
    pipeline = im.Pipeline(longer.transforms[:count], seed=longer.seed)
    frame, keys = Frame.of(15, 19, channels=3, n=3), ["a", "b", "c"]
    short, long = pipeline.draw(frame, keys).log, longer.draw(frame, keys).log
    for row in range(3):
        assert long.row(row)[: len(short.row(row))] == short.row(row)


PROGRAM = """
import hashlib, sys
import imagemill as im
from imagemill.testing import picture
pipe = im.Pipeline.from_json(sys.stdin.read())
found = pipe(image=picture(3, (30, 40), 3), key="cat/1.jpg", epoch=4)
print(hashlib.sha256(found.image.tobytes()).hexdigest(), pipe.digest)
"""


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_another_process_makes_the_same_bytes(hash_seed: str) -> None:
    pipe = im.Pipeline(HARD, seed=2**63 + 1)
    here = pipe(image=picture(3, (30, 40), 3), key="cat/1.jpg", epoch=4)
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT / "src")}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=pipe.to_json(),
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [hashlib.sha256(here.image.tobytes()).hexdigest(), pipe.digest]


def test_a_pickled_pipeline_makes_the_same_bytes() -> None:
    pipe = im.Pipeline(HARD, seed=5, without=["join"])
    again = pickle.loads(pickle.dumps(pipe))
    assert (again, again.digest, again.without, again.backend.name) == (pipe, pipe.digest, ("join",), "cpu")
    np.testing.assert_array_equal(again(image=IMAGES[0], key=9).image, pipe(image=IMAGES[0], key=9).image)


def test_the_digest_of_a_function_is_the_same_in_every_run() -> None:
    code = "import imagemill as im, numpy; print(im.Pipeline([im.OneOf([im.Apply(lambda a: a)])], seed=1).digest)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    found = {
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(found) == 1


@settings(max_examples=25)
@given(pipelines(longest=6), st.integers(0, 99))
def test_a_recipe_from_json_replays_the_sample(pipeline: im.Pipeline, epoch: int) -> None:
    image = picture(epoch, (15, 19), 3)
    batch = im.Pipeline([*pipeline.transforms, im.Resize((9, 9))], seed=pipeline.seed).batch([image], epoch=epoch)
    recipe = json.loads(json.dumps(batch.recipe[0].to_dict()))
    other_seed = im.Pipeline([*pipeline.transforms, im.Resize((9, 9))], seed=pipeline.seed ^ 1)
    again = other_seed.replay(recipe, image=image)
    np.testing.assert_array_equal(again.image, batch.image[0])
    on_another = other_seed.replay(recipe, image=picture(epoch + 1, (15, 19), 3))
    assert on_another.applied == again.applied == batch.applied[0]


def test_a_recipe_of_another_pipeline_is_refused() -> None:
    recipe = im.Pipeline([im.Flip("x")], seed=1)(image=IMAGES[0]).recipe
    with pytest.raises(
        im.InputError, match=r"a recipe of this pipeline .* load the pipeline file that was saved with it"
    ):
        im.Pipeline([im.Flip("y")], seed=1).replay(recipe, image=IMAGES[0])
