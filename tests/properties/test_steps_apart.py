"""Filters, noise and hidden parts in pipelines: geometry fuses on either side, and batches change nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagemill as im
from imagemill.engine.plan import Alter, Pass
from imagemill.testing import label_map, picture, transforms, transforms_of
from imagemill.testing.each import APART, example_of
from imagemill.transforms.base import Transform

BEFORE = [im.Rotate((-20, 20)), im.Zoom((0.8, 1.2)), im.Brightness((0.7, 1.3))]
BEHIND = [im.Flip("x", p=0.5), im.Shift(fraction=(-0.1, 0.1)), im.Normalize("imagenet"), im.ToLayout("channels_first")]


def steps_of(pipe: im.Pipeline, shape: tuple[int, ...] = (20, 24, 3)) -> Any:
    frame = im.transforms.Frame.of(*shape[:2], channels=shape[2])
    return pipe.plan(pipe.draw(frame, [0])).steps


@pytest.mark.parametrize("cls", APART, ids=lambda cls: cls.__name__)
def test_geometry_is_one_resample_on_either_side_and_explain_names_what_stands_between(cls: type[Transform]) -> None:
    pipe = im.Pipeline([*BEFORE, example_of(cls), *BEHIND], seed=3)
    first, between, last = steps_of(pipe)
    assert (first.sources, last.sources) == (("Rotate", "Zoom", "Brightness"), ("Flip", "Shift", "Normalize"))
    assert isinstance(between, Alter)
    for one in (first, last):
        assert isinstance(one, Pass)
        assert one.resample is not None
        assert one.colour is not None
    said = pipe.explain((20, 24, 3))
    assert f"from    {cls.__name__}\n      alone   because of {between.broken}" in said
    assert len(between.broken) > 15


@st.composite
def lines(draw: Any) -> list[Transform]:
    """Something that runs apart among geometry and colour, at the end of a batch of one size."""
    apart = transforms_of(draw(st.sampled_from(sorted(APART, key=lambda cls: cls.__name__))))
    some = st.lists(transforms("mixed", borders=("nearest",)).filter(_keeps), max_size=2)
    return [*draw(some), draw(apart), *draw(some), im.Resize((11, 13))]


def _keeps(transform: Transform) -> bool:
    """Not what refuses small images, or gives whole numbers of what is left of a normalisation."""
    return not (transform.traits().brings or transform.traits().whole or isinstance(transform, im.Crop | im.ToLayout))


@pytest.mark.filterwarnings("ignore:.* takes .* for white in images")
@settings(max_examples=40)
@given(lines(), st.integers(0, 99))
def test_a_sample_is_the_same_in_any_batch_order_and_number_of_workers(line: list[Transform], seed: int) -> None:
    images = [picture(seed + i, (17 + i, 19), 3) for i in range(5)]
    masks = [label_map(seed + i, (17 + i, 19)) for i in range(5)]
    pipe = im.Pipeline(line, seed=seed)
    alone = [pipe(image=i, mask=m, key=k, epoch=2) for k, (i, m) in enumerate(zip(images, masks, strict=True))]
    for keys in ([0, 1, 2, 3, 4], [4, 2, 0]):
        for workers in (1, 3):
            given_ = {"mask": [masks[k] for k in keys], "keys": keys, "epoch": 2, "workers": workers}
            batch = pipe.batch([images[k] for k in keys], **given_)
            for row, k in enumerate(keys):
                np.testing.assert_array_equal(batch.image[row], alone[k].image)
                np.testing.assert_array_equal(batch.mask[row], alone[k].mask)
    assert set(np.unique([m.mask for m in alone])) <= set(range(256))


@settings(max_examples=30)
@given(st.data())
def test_fused_and_step_by_step_are_one_picture(data: Any) -> None:
    cls = data.draw(st.sampled_from(sorted(APART, key=lambda c: c.__name__)))
    line = [im.Flip("x"), im.QuarterTurn(1), data.draw(transforms_of(cls)), im.Flip("y"), im.Crop(8)]
    image = picture(data.draw(st.integers(0, 99)), (20, 24), 3)
    fused, steps = (im.Pipeline(line, seed=1, backend="reference", fuse=f)(image, key=0) for f in (True, False))
    np.testing.assert_array_equal(fused, steps)


def test_noise_differs_from_sample_to_sample_and_from_place_to_place() -> None:
    flat = np.full((16, 16), 128, np.uint8)
    pipe = im.Pipeline([im.GaussianNoise(0.1), im.GaussianNoise(0.0)], seed=1)
    listed = [pipe(flat, key=0), pipe(flat, key=1), pipe(flat, key=0, epoch=1), pipe.with_seed(2)(flat, key=0)]
    listed.append(im.Pipeline([im.GaussianNoise(0.0), im.GaussianNoise(0.1)], seed=1)(flat, key=0))
    assert len({made.tobytes() for made in listed}) == len(listed)
    np.testing.assert_array_equal(pipe(flat, key=0), listed[0])
