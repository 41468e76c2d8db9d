"""What fusing changes and what it does not, on the reference backend and float64 images.

Exact moves and colour stay as they were; chains of interpolations become one, which lies nearer to the truth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.coordinate_maps import Matrix
from imagemill.core.geometry import Frame
from imagemill.engine.backends import reference
from imagemill.engine.plan import Pass
from imagemill.testing import images, label_map, picture, pipelines, transforms

# Generated images have all types, and generated transforms any that go by a white.
pytestmark = pytest.mark.filterwarnings("ignore:.* takes .* for white in images")

COMMUTES = 1e-9
"""Interpolation weights sum to one, so affine colour commutes with them but for rounding."""

exact_moves = st.lists(
    st.one_of(
        st.builds(im.Flip, st.sampled_from("yx"), p=st.sampled_from((0.5, 1.0))),
        st.builds(im.QuarterTurn, st.just(im.Choice((0, 1, 2, 3)))),
        st.builds(lambda n: im.Crop((n, n), at="random"), st.integers(3, 6)),
        st.builds(im.Pad, st.integers(0, 3), fill=st.sampled_from((0.0, 7.0)), mask_fill=st.sampled_from((0, 3))),
    ),
    min_size=2,
    max_size=6,
).filter(lambda listed: sum(isinstance(t, im.Crop) for t in listed) <= 1)

colours = st.one_of(
    st.builds(im.Brightness, st.floats(0.2, 3)),
    st.builds(im.GainOffset, st.floats(0.2, 3), st.floats(-1, 1)),
    st.builds(im.ChannelGain, each=st.lists(st.floats(0, 2), min_size=3, max_size=3)),
    st.builds(im.Saturation, st.floats(0, 2)),
    st.builds(im.Hue, st.floats(-180, 180)),
    st.builds(im.Contrast, st.floats(0, 2), pivot=st.just("middle")),
    st.builds(im.Invert),
)


def both(listed: Any, seed: int = 3) -> tuple[im.Pipeline, im.Pipeline]:
    """The pipeline fused, and step by step."""
    fused, steps = (im.Pipeline(listed, seed=seed, backend="reference", fuse=f) for f in (True, False))
    return fused, steps


@given(exact_moves, images(sizes=(6, 12), channels=(3,), dtypes=("float64",), noise=True))
def test_exact_moves_stay_exact(listed: Any, image: Any) -> None:
    fused, steps = both(listed)
    mask = label_map(1, image.shape[:2])
    a, b = (p(image=image, mask=mask, key=0) for p in (fused, steps))
    np.testing.assert_array_equal(a.image, b.image)
    np.testing.assert_array_equal(a.mask, b.mask)


@settings(max_examples=40)
@given(
    st.lists(colours, max_size=3),
    transforms("geometry", orders=(0, 1, 3)),
    st.lists(colours, min_size=1, max_size=3),
    images(sizes=(8, 20), channels=(3,), dtypes=("float64",)),
)
def test_affine_colour_commutes_with_a_resample(before: Any, move: Any, after: Any, image: Any) -> None:
    fused, steps = both([*before, move, *after])
    assert len(fused.plan(fused.draw(Frame.of(*image.shape[:2], channels=3, dtype=image.dtype), [0])).steps) <= 2
    a, b = fused(image=image, key=0).image, steps(image=image, key=0).image
    np.testing.assert_allclose(a, b, rtol=0, atol=COMMUTES * max(1.0, float(np.abs(b).max())))


jumps = st.builds(
    im.ToneGain,
    st.just((0.3017, 0.6131)),
    st.lists(st.floats(0.2, 2), min_size=3, max_size=3),
    p=st.sampled_from((0.5, 1.0)),
)


@settings(max_examples=60)
@given(
    st.lists(colours, max_size=2),
    jumps,
    transforms("geometry", orders=(0, 1, 3)),
    st.lists(st.one_of(colours, jumps), max_size=3),
    images(sizes=(8, 20), channels=(3,), dtypes=("float64",)),
)
def test_a_curve_that_jumps_stays_on_its_side_of_a_resample(
    before: Any, jump: Any, move: Any, after: Any, image: Any
) -> None:
    fused, steps = both([*before, jump, move, *after])
    a, b = fused(image=image, key=0).image, steps(image=image, key=0).image
    np.testing.assert_allclose(a, b, rtol=0, atol=COMMUTES * max(1.0, float(np.abs(b).max())))


def test_a_curve_that_jumps_is_why_a_pipeline_has_two_resamples() -> None:
    jump = im.ToneGain([0.3, 0.6], [1.5, 0.5, 1.0])
    fused, steps = both([im.Zoom(1.2), jump, im.Rotate(20)])
    image = picture(4, (30, 40), 3, np.float64)
    found = fused(image=image, key=0).image
    np.testing.assert_allclose(found, steps(image=image, key=0).image, rtol=0, atol=COMMUTES)
    why = "because of gains that jump from one range of values to the next, before it"
    assert why in fused.explain((30, 40, 3), dtype=np.float64)
    # Whole pixels are only moved, so one pass over them is enough.
    flipped, _ = both([jump, im.Flip("x"), im.Crop(box=(2, 3, 20, 25))])
    assert len(flipped.plan(flipped.draw(Frame.of(30, 40, channels=3, dtype=np.float64), [0])).steps) == 1


@given(pipelines(longest=6, orders=(0, 1, 3, 5)), images(sizes=(6, 20), channels=(3,), dtypes=("float64",)))
@settings(max_examples=30)
def test_label_maps_stay_in_their_label_set(pipeline: im.Pipeline, image: Any) -> None:
    mask = label_map(2, image.shape[:2], np.int32) * 1000
    # What a padding or a constant border may add.
    allowed = {int(v) for v in np.unique(mask)} | {0}
    for p in both(pipeline.transforms, pipeline.seed):
        found = p(image=image, mask=mask, key=0).mask
        assert found.dtype == np.int32
        assert {int(v) for v in np.unique(found)} <= allowed


SIZE = (64, 80)
WAVES = np.random.default_rng(0).normal(size=(8, 3))


def wavy(q: Any) -> Any:
    """A picture that is known between its pixels too: waves of about ten pixels."""
    directions = WAVES[:, :2] / np.linalg.norm(WAVES[:, :2], axis=1, keepdims=True)
    phase = np.tensordot(directions, q, axes=1) * (2 * np.pi / 10) + WAVES[:, 2].reshape(-1, *[1] * (q.ndim - 1))
    return np.cos(phase).mean(axis=0)


CHAINS = [
    [im.Rotate((-10, 10)), im.Zoom((0.9, 1.1)), im.Shift(pixels=(-3, 3))],
    [im.Flip("x"), im.Rotate((-15, 15)), im.Rotate((-15, 15)), im.Rotate((-15, 15)), im.Flip("y")],
    [im.Shear((-8, 8)), im.Brightness(1.0), im.Shift(fraction=(-0.04, 0.04)), im.QuarterTurn(1), im.Zoom(1.05)],
    [im.Rotate((-10, 10)), im.Shift(pixels=(-3, 3)), im.RandomResizedCrop((40, 40), area=(0.5, 0.9))],
]


@pytest.mark.parametrize("chain", range(len(CHAINS)))
@pytest.mark.parametrize("order", [1, 3])
def test_one_interpolation_is_nearer_to_the_truth_than_a_chain(chain: int, order: int) -> None:
    listed = [type(t)(**{**fields(t), **({"order": order} if "order" in fields(t) else {})}) for t in CHAINS[chain]]
    fused, steps = both(listed)
    image = wavy(np.indices(SIZE, dtype=np.float64))[..., None]
    gains = []
    for key in range(4):
        plan = fused.plan(fused.draw(Frame.of(*SIZE, dtype=np.float64), [key]))
        (step,) = plan.steps
        assert isinstance(step, Pass)
        assert step.resample is not None
        coords, _ = reference.coordinates((Matrix(step.resample.matrix[0]),), tuple(plan.shape[0].tolist()))
        truth, inner = wavy(coords), (slice(12, -12), slice(12, -12))
        once, often = (p(image=image, key=key).image[..., 0] for p in (fused, steps))
        errors = [float(np.sqrt(((found - truth)[inner] ** 2).mean())) for found in (once, often)]
        gains.append(errors[1] / errors[0])
    # Every key gains, by more than a fifth on average even where two resamples become one.
    assert min(gains) >= 1.0
    assert np.mean(gains) > 1.2


def fields(transform: im.Transform) -> dict[str, Any]:
    return {name: getattr(transform, name) for name in transform.__dataclass_fields__}


def test_a_curve_nearly_commutes() -> None:
    fused, steps = both([im.Gamma(1.5), im.Rotate(12), im.Zoom(1.1)])
    image = picture(2, (60, 60), 3, np.float64)
    apart = np.abs(fused(image=image).image - steps(image=image).image)
    # The bound of a curve g on a picture f is |g''| |f'|^2 / 8 for each interpolation: well below a grey level here.
    assert apart.mean() < 0.5 / 255
    assert apart.max() > 0


def test_contrast_turns_about_the_mean_of_what_the_geometry_left() -> None:
    image = np.concatenate([np.zeros((8, 8, 3)), np.ones((8, 8, 3))])
    fused, steps = both([im.Contrast(0.5), im.Crop(box=(8, 0, 16, 8))])
    np.testing.assert_allclose(fused(image=image).image, 1.0)
    np.testing.assert_allclose(steps(image=image).image, 0.75)


def test_a_frame_in_between_does_not_cut_but_padding_does() -> None:
    image = picture(1, (8, 10), 1, np.float64, noise=True)
    there_and_back = [im.Shift(pixels={"x": 4}, whole=True), im.Shift(pixels={"x": -4}, whole=True)]
    fused, steps = both(there_and_back)
    np.testing.assert_array_equal(fused(image=image).image, image)
    assert (steps(image=image).image != image).any()
    fused, steps = both([im.Crop(box=(2, 2, 6, 8)), im.Pad(2, fill=5)])
    found = fused(image=image).image
    np.testing.assert_array_equal(found, steps(image=image).image)
    assert (found[:2] == 5).all()
