"""Ringing at edges and rising curves over an image's own range."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import imagemill as im

SHAPES = [(17, 24), (9, 12, 10)]


def run(transform: im.Transform, image: np.ndarray, key: int = 1, **how: object) -> np.ndarray:
    axes = "zyx" if image.ndim == 3 and image.shape[-1] > 4 else None
    return im.Pipeline([transform], seed=3, **how)(image, key=key, axes=axes)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_waves_within_the_radius_stay_and_those_beyond_go(shape: tuple[int, ...], backend: str) -> None:
    radius = max(shape) * np.sqrt(2) / 2
    places = np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij")
    for number in (2, 3, 5):
        wave = np.cos(2 * np.pi * number * places[-1])
        for cut, stays in ((1 - (number + 0.01) / radius, True), (1 - (number - 0.01) / radius, False)):
            found = run(im.GibbsRinging(float(cut)), 3 + wave, backend=backend)
            np.testing.assert_allclose(found, 3 + wave * stays, atol=1e-9)


def test_an_edge_overshoots_as_gibbs_found() -> None:
    edge = np.zeros((4, 2048))
    edge[:, 512:1536] = 1
    found = run(im.GibbsRinging(0.95), edge)
    # The first overshoot of a truncated series is Si(pi) / pi - 1/2 of the jump, 8.95 %.
    assert found.max() - 1 == pytest.approx(special.sici(np.pi)[0] / np.pi - 0.5, abs=2e-3)


def test_nothing_cut_is_nothing_done_and_all_cut_is_the_mean() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(run(im.GibbsRinging(0), photo), photo)
    found = run(im.GibbsRinging(1), photo)
    np.testing.assert_array_equal(found, np.broadcast_to(np.rint(photo.mean(axis=(0, 1))), photo.shape))


def test_a_curve_goes_through_the_points_that_were_drawn() -> None:
    # The ramp passes every place of a curve of 6 points exactly.
    ramp = np.linspace(-50.0, 200.0, 101).reshape(1, 101)
    op = im.Pipeline([im.HistogramShift(6)], seed=3)
    found = op(ramp, key=1)[0]
    slopes = np.diff(found).reshape(5, 20)
    np.testing.assert_allclose(slopes, slopes[:, :1] * np.ones(20), atol=1e-9)  # straight between six points
    assert (slopes > 0).all()
    assert (found[0], found[-1]) == (-50, 200)
    heights = (found[::20] + 50) / 250
    for at in range(1, 5):
        assert heights[at - 1] < heights[at] < (at + 1) / 5


def test_heights_are_uniform_between_the_one_before_and_the_one_behind() -> None:
    ramp = np.linspace(0.0, 1.0, 4).reshape(1, 4)
    found = im.Pipeline([im.HistogramShift(4)], seed=3).batch([ramp] * 4000, keys=range(4000)).image[:, 0]
    first, second = found[:, 1], found[:, 2]
    for share in (first / (2 / 3), (second - first) / (1 - first)):
        np.testing.assert_allclose(np.quantile(share, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.03)


def test_how_many_points_is_drawn_and_says_nothing_of_other_samples() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (12, 15, 3), dtype=np.uint8)
    pipe = im.Pipeline([im.HistogramShift((3, 9))], seed=1)
    batch = pipe.batch([photo] * 12, keys=range(12))
    assert len({one[0].values["points"] for one in batch.applied}) > 3
    ends = im.Pipeline([im.HistogramShift((3, 9))], seed=1).batch(
        [np.linspace(0, 1, 7).reshape(1, 7)] * 30, keys=range(30)
    )
    assert (ends.image[:, 0, [0, -1]] == [0, 1]).all()
    for key in range(12):
        np.testing.assert_array_equal(batch.image[key], pipe(photo, key=key))


def test_a_flat_image_stays() -> None:
    flat = np.full((5, 6), 7, np.uint8)
    np.testing.assert_array_equal(run(im.HistogramShift(), flat), flat)


def test_a_clip_has_one_curve_and_frames_ring_alone() -> None:
    clip = np.random.default_rng(2).integers(0, 200, (3, 10, 12), dtype=np.uint8)
    clip[0, 0, 0], clip[2, 0, 0] = 255, 0
    found = im.Pipeline([im.HistogramShift(4)], seed=1)(clip, axes="tyx", key=1)
    tones: dict[int, set[int]] = {}
    for before, after in zip(clip.ravel().tolist(), found.ravel().tolist(), strict=True):
        tones.setdefault(before, set()).add(after)
    assert all(len(values) == 1 for values in tones.values())
    ringing = im.Pipeline([im.GibbsRinging(0.5)], seed=1)
    np.testing.assert_array_equal(ringing(clip, axes="tyx", key=1)[1], ringing(clip[1], key=1))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: im.GibbsRinging(1.1), r"within 0\.\.1"),
        (lambda: im.GibbsRinging(-0.1), r"within 0\.\.1"),
        (lambda: im.HistogramShift(2), r"within 3\.\.64"),
        (lambda: im.HistogramShift(65), r"within 3\.\.64"),
        (lambda: im.HistogramShift((3, 4.5)), "whole number"),
    ],
)
def test_what_is_out_of_range_is_refused(build: object, message: str) -> None:
    with pytest.raises(im.ParameterError, match=message):
        build()  # type: ignore[operator]
