"""Resizes, resamples and random resized crops: edges, proportions, spacing, and parts that fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core import geometry as geo
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import LogUniform
from imagemill.transforms.geometric import LongestSide, RandomResizedCrop, Resample, Resize, ShortestSide
from tests.transforms.geometric.support import draw, draws_for, frame_of, render

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 60))


def edges(matrix: Any, shape: Any) -> tuple[Any, Any]:
    """Where the outer edges of an output frame come from."""
    low = geo.apply(matrix, np.full((1, len(shape)), -0.5))[0]
    return low, geo.apply(matrix, np.asarray(shape, dtype=np.float64)[None] - 0.5)[0]


@given(SIZES, SIZES)
def test_stretching_keeps_the_outer_edges(shape: tuple[int, int], size: tuple[int, int]) -> None:
    op = draw(Resize(size), Frame.of(*shape))
    low, high = edges(op.matrix[0], size)
    np.testing.assert_allclose(low, -0.5, atol=1e-9)
    np.testing.assert_allclose(high, np.array(shape) - 0.5, atol=1e-9)
    assert op.shape.tolist() == [list(size)]


@given(SIZES, SIZES)
def test_cropping_covers_the_frame_and_cuts_equally(shape: tuple[int, int], size: tuple[int, int]) -> None:
    op = draw(Resize(size, fit="crop"), Frame.of(*shape))
    scale = np.diagonal(op.matrix[0])[:2]
    assert scale[0] == pytest.approx(scale[1])
    low, high = edges(op.matrix[0], size)
    cut = low + 0.5
    np.testing.assert_allclose(cut, np.array(shape) - 0.5 - high, atol=1e-9)
    assert (cut > -1e-9).all()
    assert cut.min() == pytest.approx(0, abs=1e-9)


@given(SIZES, SIZES)
def test_padding_shows_everything_at_one_scale(shape: tuple[int, int], size: tuple[int, int]) -> None:
    scaled, padded = draw(Resize(size, fit="pad", fill=-7), Frame.of(*shape))
    inner = scaled.shape[0]
    assert padded.shape.tolist() == [list(size)]
    assert (inner <= size).all()
    assert (inner == size).any()
    exact = np.array(shape) * min(np.array(size) / np.array(shape))
    assert (abs(inner - np.maximum(exact, 1)) <= 0.5 + 1e-9).all()
    image = np.round(render((scaled, padded), np.ones(shape)), 9)
    assert (image == 1).sum() == inner.prod()
    assert (image == -7).sum() == image.size - inner.prod()
    rows = np.flatnonzero((image == 1).any(axis=1))
    before, after = rows[0], size[0] - 1 - rows[-1]
    assert 0 <= after - before <= 1


def test_resize_forms() -> None:
    volumes = Frame.of(5, 8, 6)
    assert draw(Resize(4), volumes).shape.tolist() == [[5, 4, 4]]
    assert draw(Resize((4, 3)), volumes).shape.tolist() == [[5, 4, 3]]
    assert draw(Resize((2, 4, 3)), volumes).shape.tolist() == [[2, 4, 3]]
    crop = draw(Resize(4, fit="crop"), volumes).matrix[0]
    np.testing.assert_allclose(np.diagonal(crop), [1, 1.5, 1.5, 1])
    assert draw(Resize(4), frame_of((5, 6), (9, 3))).shape.tolist() == [[4, 4], [4, 4]]
    scaled, padded = draw(Resize(8, fit="pad"), frame_of((4, 4), (2, 4)))
    assert scaled.shape.tolist() == [[8, 8], [4, 8]]
    assert padded.window.tolist() == [False, True]
    with pytest.raises(InputError, match="three lengths are for volumes"):
        draw(Resize((2, 4, 3)), Frame.of(4, 4))


def test_resizing_leaves_borders_to_others_and_antialiases() -> None:
    for op in (
        draw(Resize(3), Frame.of(9, 9)),
        draw(RandomResizedCrop(3), Frame.of(9, 9)),
        draw(Resample((3, 3)), Frame.of(9, 9)),
    ):
        assert op.sampling.border is None
        assert op.sampling.antialias
    assert not draw(Resize(3, order=0), Frame.of(9, 9)).sampling.antialias


@given(SIZES, st.floats(0.3, 4), st.floats(0.3, 4))
def test_resampling_to_a_spacing_reaches_it_exactly(shape: tuple[int, int], y: float, x: float) -> None:
    frame = Frame.of(*shape, spacing=(1.5, 0.8))
    op = draw(Resample(spacing=(y, x)), frame)
    after = op.after(frame)
    np.testing.assert_allclose(after.spacing, [[y, x]])
    np.testing.assert_allclose(geo.apply(op.matrix[0], after.centre), frame.centre, atol=1e-9)
    wanted = np.array(shape) * [1.5, 0.8] / [y, x]
    assert (op.shape >= 1).all()
    assert (abs(op.shape[0] - np.maximum(wanted, 1)) <= 0.5 + 1e-9).all()


def test_resample_forms() -> None:
    frame = Frame.of(20, 64, 48, spacing=(5, 2, 2))
    assert draw(Resample((8, 224, 224)), frame).shape.tolist() == [[8, 224, 224]]
    assert draw(Resample((32, 32)), frame).shape.tolist() == [[20, 32, 32]]
    assert draw(Resample(spacing=1), frame).shape.tolist() == [[100, 128, 96]]
    assert draw(Resample(spacing=(4, 4)), frame).shape.tolist() == [[20, 32, 24]]
    same = draw(Resample(spacing=(5, 2, 2)), frame)
    np.testing.assert_array_equal(same.matrix[0], np.eye(4))


@given(SIZES, st.integers(0, 1000))
def test_the_random_part_lies_inside_and_is_whole(shape: tuple[int, int], seed: int) -> None:
    op = draw(RandomResizedCrop((7, 5)), Frame.of(*shape, n=16), seed=seed)
    for matrix in op.matrix:
        low, high = edges(matrix, (7, 5))
        np.testing.assert_allclose(low + 0.5, np.round(low + 0.5), atol=1e-9)
        np.testing.assert_allclose(high + 0.5, np.round(high + 0.5), atol=1e-9)
        assert (low >= -0.5 - 1e-9).all()
        assert (high <= np.array(shape) - 0.5 + 1e-9).all()
        assert (high - low > 0.99).all()


def part_of(n: int, shape: tuple[int, int], **settings: Any) -> tuple[Draws, Any]:
    transform = RandomResizedCrop(32, **settings)
    draws = draws_for(transform, n)
    return draws, transform.draw(draws, Frame.of(*shape, n=n))


def test_area_and_aspect_keep_their_ranges_and_fill_them() -> None:
    draws, op = part_of(4000, (400, 500), area=(0.2, 0.6), aspect=(0.5, 2))
    area, aspect = draws.values["area"], draws.values["aspect"]
    # Whole pixels: half of one in about 150 either way.
    assert area.min() > 0.2 * 0.99
    assert area.max() < 0.6 * 1.01
    assert aspect.min() > 0.5 * 0.99
    assert aspect.max() < 2 * 1.01
    assert area.min() < 0.21
    assert area.max() > 0.59
    # Tall as often as wide; the picture's own aspect of 1.25 rejects a few of the tall and large ones.
    assert np.median(aspect) == pytest.approx(1.0, abs=0.1)
    assert np.mean(np.log(aspect) > np.log(1.5)) == pytest.approx(np.log(2 / 1.5) / np.log(4), abs=0.04)
    low = np.array([edges(m, (32, 32))[0] for m in op.matrix])
    sizes = np.array([edges(m, (32, 32))[1] for m in op.matrix]) - low
    share = (low + 0.5) / np.maximum(np.array([400, 500]) - sizes, 1)
    np.testing.assert_allclose(share.mean(axis=0), 0.5, atol=0.03)


def test_when_nothing_fits_the_largest_centred_part_is_taken() -> None:
    # Whole area of a 10 x 100 strip at an aspect of 1: nothing fits.
    draws, op = part_of(3, (10, 100), area=1, aspect=1)
    np.testing.assert_array_equal(draws.values["aspect"], 1.0)
    low, high = edges(op.matrix[0], (32, 32))
    np.testing.assert_allclose([low, high], [[-0.5, 44.5], [9.5, 54.5]])
    tall, _ = part_of(1, (100, 10), area=1, aspect=(0.5, 2))
    assert tall.values["aspect"].tolist() == [0.5]
    whole, _ = part_of(1, (30, 30), area=1, aspect=1)
    assert whole.values["area"].tolist() == [1.0]


def test_aspect_is_width_over_height() -> None:
    draws, op = part_of(200, (300, 300), area=(0.1, 0.3), aspect=(1.5, 2.5))
    assert draws.values["aspect"].min() > 1.45
    np.testing.assert_allclose(op.matrix[:, 1, 1] / op.matrix[:, 0, 0], draws.values["aspect"])


def test_a_pair_of_aspects_is_uniform_in_the_logarithm() -> None:
    assert RandomResizedCrop(4, aspect=(0.5, 2)).aspect == LogUniform(0.5, 2)
    assert RandomResizedCrop(4).to_dict() == {"RandomResizedCrop": {"size": [4]}}


def test_slices_are_cut_alike() -> None:
    op = draw(RandomResizedCrop(6), Frame.of(5, 20, 20))
    assert op.shape.tolist() == [[5, 6, 6]]
    np.testing.assert_array_equal(op.matrix[0][0], [1, 0, 0, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Resize(0), "whole numbers of at least 1, got 0"),
        (lambda: Resize((4, 4, 4, 4)), "1, 2 or 3 lengths"),
        (lambda: Resize(4, fit="cover"), "one of 'stretch', 'crop', 'pad'"),
        (
            lambda: Resample(),
            r"exactly one of size, spacing for Resample, got none of them; write Resample\(",
        ),
        (lambda: Resample((4, 4), spacing=1), "got size and spacing"),
        (lambda: Resample(8), r"\(z, y, x\) or \(y, x\), got \(8,\)"),
        (lambda: Resample(spacing=0), "millimetres above 0, got 0"),
        (lambda: Resample(spacing=(1, -1)), "millimetres above 0"),
        (lambda: RandomResizedCrop((1, 2, 3)), r"one length or \(y, x\)"),
        (lambda: RandomResizedCrop(4, area=0), "above 0 of the image, got 0"),
        (lambda: RandomResizedCrop(4, area=(0.5, 1.1)), "within -inf..1 of the image, got 0.5..1.1"),
        (lambda: RandomResizedCrop(4, aspect=(0, 1)), "above 0, got 0..1"),
    ],
)
def test_constructors_refuse(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


@pytest.mark.parametrize(
    ("transform", "shape", "wanted"),
    [
        (ShortestSide(20), (30, 60), (20, 40)),
        (ShortestSide(20), (60, 30), (40, 20)),
        (ShortestSide(20, longest=30), (30, 60), (15, 30)),  # the longer side would be 40
        (ShortestSide(20, longest=50), (30, 60), (20, 40)),
        (LongestSide(30), (30, 60), (15, 30)),
        (LongestSide(90), (30, 60), (45, 90)),
        (LongestSide(90, enlarge=False), (30, 60), (30, 60)),
        (LongestSide(30, enlarge=False), (30, 60), (15, 30)),
        (LongestSide(3), (1, 60), (1, 3)),  # a side never vanishes
    ],
)
def test_one_side_gets_its_length_and_the_other_follows(
    transform: Any, shape: tuple[int, int], wanted: tuple[int, int]
) -> None:
    op = draw(transform, Frame.of(*shape))
    assert tuple(op.shape[0]) == wanted
    low, high = edges(op.matrix[0], wanted)
    np.testing.assert_allclose(low, -0.5, atol=1e-9)
    np.testing.assert_allclose(high, np.array(shape) - 0.5, atol=1e-9)


def test_volumes_keep_their_slices_when_one_side_gets_a_length() -> None:
    assert draw(ShortestSide(20), Frame.of(7, 30, 60)).shape.tolist() == [[7, 20, 40]]


def test_a_drawn_length_is_whole_and_shown() -> None:
    shapes = {draw(ShortestSide((18, 22)), Frame.of(30, 60), seed=seed).shape[0, 0] for seed in range(40)}
    assert shapes == {18, 19, 20, 21, 22}
