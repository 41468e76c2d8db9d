"""Transforms that move whole pixels do exactly what numpy's own functions do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ranges import Choice, Normal
from imagemill.transforms.geometric import Crop, Flip, Pad, QuarterTurn, Rotate, Shift
from tests.transforms.geometric.support import Array, draw, frame_of, render

LENGTH = st.integers(1, 7)
SHAPES = st.tuples(LENGTH, LENGTH) | st.tuples(LENGTH, LENGTH, LENGTH)


def numbered(shape: tuple[int, ...]) -> Array:
    return np.arange(1, 1 + np.prod(shape), dtype=np.int64).reshape(shape)


@given(SHAPES, st.sampled_from("zyx"))
def test_a_flip_is_numpys_and_twice_it_is_nothing(shape: tuple[int, ...], axis: str) -> None:
    if axis == "z" and len(shape) == 2:
        shape = (2, *shape)
    image = numbered(shape)
    op = draw(Flip(axis), Frame.of(*shape))
    position = "zyx"[-len(shape) :].index(axis)
    np.testing.assert_array_equal(render(op, image), np.flip(image, position))
    np.testing.assert_array_equal(render(op, render(op, image)), image)


def test_a_picture_has_no_slices_to_flip() -> None:
    with pytest.raises(InputError, match="expected one of the axes y, x, got 'z'"):
        draw(Flip("z"), Frame.of(4, 4))


@given(SHAPES, st.integers(-5, 9), st.sampled_from(["yx", "zy", "zx"]))
def test_quarter_turns_are_rot90(shape: tuple[int, ...], times: int, plane: str) -> None:
    if "z" in plane and len(shape) == 2:
        shape = (3, *shape)
    image = numbered(shape)
    names = "zyx"[-len(shape) :]
    turned = render(draw(QuarterTurn(times, plane=plane), Frame.of(*shape)), image)
    np.testing.assert_array_equal(turned, np.rot90(image, times, axes=(names.index(plane[0]), names.index(plane[1]))))


def test_a_quarter_turn_takes_the_spacing_along() -> None:
    frame = Frame.of(3, 4, 5, spacing=(5.0, 2.0, 1.0))
    after = draw(QuarterTurn(1, plane="zx"), frame).after(frame)
    assert after.shape.tolist() == [[5, 4, 3]]
    np.testing.assert_allclose(after.spacing, [[1.0, 2.0, 5.0]])


def test_rows_of_a_batch_turn_by_their_own_number() -> None:
    op = draw(QuarterTurn(), frame_of(*[(2, 3)] * 64))
    image = numbered((2, 3))
    seen = {render(op, image, row=i).tobytes() for i in range(64)}
    assert seen == {np.rot90(image, k).tobytes() for k in range(4)}


@pytest.mark.parametrize("times", [(0, 3), 1.5, Choice((0, 0.5)), Normal(0, 1)])
def test_parts_of_quarter_turns_are_refused(times: object) -> None:
    with pytest.raises(ParameterError, match=r"a Choice of whole numbers, got .*; write Choice\(\[0, 1, 2, 3\]\)"):
        QuarterTurn(times)


@given(st.integers(1, 8), st.sampled_from([-270, -180, -90, 0, 90, 180, 270, 360]))
def test_turning_a_square_by_right_angles_is_rot90(side: int, degrees: int) -> None:
    image = numbered((side, side))
    op = draw(Rotate(degrees, order=0), Frame.of(side, side))
    np.testing.assert_array_equal(op.matrix, np.round(op.matrix))
    np.testing.assert_array_equal(render(op, image), np.rot90(image, degrees // 90))


@given(SHAPES, st.integers(-9, 9), st.integers(-9, 9))
def test_a_whole_shift_that_wraps_is_roll(shape: tuple[int, ...], down: int, right: int) -> None:
    image = numbered(shape)
    op = draw(Shift(pixels={"y": down, "x": right}, border="wrap", whole=True), Frame.of(*shape))
    np.testing.assert_array_equal(render(op, image), np.roll(image, (down, right), axis=(-2, -1)))


def test_a_whole_shift_has_no_opinion_on_interpolation() -> None:
    op = draw(Shift(fraction=(-0.3, 0.3), whole=True), Frame.of(10, 10, n=16))
    assert op.sampling.order is None
    np.testing.assert_array_equal(op.matrix, np.round(op.matrix))
    assert draw(Shift(pixels=1), Frame.of(10, 10)).sampling.order == 1


@given(SHAPES, st.data())
def test_a_crop_is_a_slice(shape: tuple[int, ...], data: st.DataObject) -> None:
    image = numbered(shape)
    low = [data.draw(st.integers(0, n - 1)) for n in shape]
    high = [data.draw(st.integers(a + 1, n)) for a, n in zip(low, shape, strict=True)]
    op = draw(Crop(box=(*low, *high)), Frame.of(*shape))
    np.testing.assert_array_equal(render(op, image), image[tuple(map(slice, low, high))])


@given(
    SHAPES,
    st.sampled_from(["centre", "random", "top_left", "top_right", "bottom_left", "bottom_right"]),
    st.data(),
)
def test_a_crop_of_a_size_lies_inside_the_frame(shape: tuple[int, ...], at: str, data: st.DataObject) -> None:
    size = tuple(data.draw(st.integers(1, n)) for n in shape)
    op = draw(Crop(size, at=at), Frame.of(*shape, n=8))
    start, free = op.matrix[:, :-1, -1], np.array(shape) - size
    assert op.shape.tolist() == [list(size)] * 8
    assert ((start >= 0) & (start <= free)).all()
    if at == "centre":
        np.testing.assert_array_equal(start, np.tile(free // 2, (8, 1)))
    elif at != "random":
        down, right = at.split("_")
        expected = [free[-2] * (down == "bottom"), free[-1] * (right == "right")]
        np.testing.assert_array_equal(start[:, -2:], [expected] * 8)


def test_a_random_crop_is_uniform_over_all_positions() -> None:
    op = draw(Crop(7, at="random"), Frame.of(9, 10, n=12_000))
    places, counts = np.unique(op.matrix[:, :-1, -1], axis=0, return_counts=True)
    assert len(places) == 3 * 4
    # 1000 expected each, standard deviation 30.
    np.testing.assert_allclose(counts, 1000, atol=150)


def test_two_lengths_keep_the_slices_of_a_volume() -> None:
    frame = Frame.of(5, 8, 9)
    assert draw(Crop((4, 3)), frame).shape.tolist() == [[5, 4, 3]]
    assert draw(Crop(2), frame).shape.tolist() == [[5, 2, 2]]
    assert draw(Crop((2, 4, 3)), frame).shape.tolist() == [[2, 4, 3]]
    assert draw(Crop(box=(1, 2, 4, 6)), frame).shape.tolist() == [[5, 3, 4]]
    with pytest.raises(InputError, match=r"expected Crop\(size=...\) to hold 2 lengths"):
        draw(Crop((2, 4, 3)), Frame.of(8, 9))


def test_a_crop_larger_than_an_image_names_image_and_remedy() -> None:
    with pytest.raises(InputError, match=r"at least \(6, 6\) for Crop.*, got \(9, 5\); put Pad or Resize before it"):
        draw(Crop(6), frame_of((8, 8), (9, 5)))
    with pytest.raises(InputError, match=r"hold Crop\(box=.*, got \(9, 5\); put Pad or Resize"):
        draw(Crop(box=(0, 0, 6, 6)), frame_of((8, 8), (9, 5)))


@given(SHAPES, st.data(), st.sampled_from(["constant", "nearest", "reflect", "mirror", "wrap"]))
def test_padding_is_numpys(shape: tuple[int, ...], data: st.DataObject, border: str) -> None:
    # No wider than the image less one pixel, where numpy and scipy need no second reflection.
    sides = [(data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n - 1))) for n in shape]
    image = numbered(shape)
    pixels = (*(a for a, _ in sides), *(b for _, b in sides))
    padded = render(draw(Pad(pixels, border=border, fill=-3), Frame.of(*shape)), image)
    mode = {
        "constant": "constant",
        "nearest": "edge",
        "reflect": "symmetric",
        "mirror": "reflect",
        "wrap": "wrap",
    }
    extra = {"constant_values": -3} if border == "constant" else {}
    np.testing.assert_array_equal(padded, np.pad(image, sides, mode=mode[border], **extra))  # type: ignore[call-overload]


def test_pad_forms() -> None:
    frame = frame_of((5, 6), (8, 3))
    assert draw(Pad(2), frame).shape.tolist() == [[9, 10], [12, 7]]
    assert draw(Pad((0, 1)), frame).shape.tolist() == [[5, 8], [8, 5]]
    assert draw(Pad(size=(6, 6)), frame).shape.tolist() == [[6, 6], [8, 6]]
    assert draw(Pad(multiple_of=4), frame).shape.tolist() == [[8, 8], [8, 4]]
    assert draw(Pad(multiple_of=(1, 4)), frame).shape.tolist() == [[5, 8], [8, 4]]
    assert draw(Pad(size=(8, 6)), frame).window.tolist() == [True, True]
    assert draw(Pad(size=(5, 6)), frame).window.tolist() == [False, True]
    assert draw(Pad(size=8, at="bottom_right"), frame).matrix[:, :-1, -1].tolist() == [[-3, -2], [0, -5]]
    assert draw(Pad(2), Frame.of(4, 5, 6)).shape.tolist() == [[4, 9, 10]]
    assert draw(Pad((1, 0, 0)), Frame.of(4, 5, 6)).shape.tolist() == [[6, 5, 6]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Pad(),
            r"exactly one of pixels, size, multiple_of for Pad, got none of them; write Pad\(4\)",
        ),
        (lambda: Pad(1, size=3), "got pixels and size"),
        (lambda: Pad(-1), r"Pad\(pixels=...\) to be a whole number of at least 0, got -1"),
        (lambda: Pad((1, 2, 3, 4, 5)), "to hold 1, 2, 3, 4, 6 whole numbers"),
        (lambda: Pad(1, at="random"), r"Pad\(at=...\) only with size or multiple_of"),
        (lambda: Pad(1, mask_fill=0.5), "whole number, got 0.5"),
        (lambda: Crop(), r"exactly one of size, box for Crop, got none of them; write Crop\(size"),
        (lambda: Crop(0), "whole numbers of at least 1, got 0"),
        (lambda: Crop(4, at="center"), "did you mean 'centre'"),
        (lambda: Crop(box=(0, 0, 4)), "to hold 4, 6 whole numbers"),
        (lambda: Crop(box=(0, 3, 4, 3)), "y0 < y1 and x0 < x1"),
        (lambda: Crop(box=(0, 0, 1, 1), at="random"), r"Crop\(at=...\) only with a size"),
        (lambda: Crop((1, 2, 3, 4)), "1, 2 or 3 lengths"),
        (lambda: Flip("w"), r"Flip\(axis=...\) to be one of 'x', 'y', 'z', got 'w'"),
        (lambda: Flip(p=1.5), "probability from 0 to 1"),
    ],
)
def test_constructors_refuse(make: object, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()  # type: ignore[operator]
