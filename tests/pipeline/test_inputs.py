"""A column given as one array is read as the list of its samples is, and refused in the same words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.pipeline.inputs import Inputs, Stack, read_columns

Array = np.ndarray[Any, Any]


def read(axes: str | None = None, **columns: Any) -> Inputs:
    return Inputs(read_columns(columns, axes)[0])


SHAPES = [
    ((4, 6, 7), None),
    ((4, 6, 7, 3), None),
    ((4, 3, 6, 7), "cyx"),
    ((4, 5, 6, 7), "zyx"),
    ((4, 6, 7, 5), "yxz"),
    ((4, 2, 5, 6, 7), "czyx"),
    ((4, 6, 7), "yxc"),
]


@pytest.mark.parametrize(("shape", "axes"), SHAPES)
def test_an_array_is_the_list_of_its_samples(shape: tuple[int, ...], axes: str | None) -> None:
    array = np.random.default_rng(1).random(shape)
    stacked, listed = read(axes, image=array), read(axes, image=[im.Image(a) for a in array])
    assert isinstance(stacked.column("image"), Stack)
    assert isinstance(listed.column("image"), list)
    assert stacked.axes("image") == listed.axes("image")
    assert isinstance(stacked.canonical("image"), np.ndarray)
    np.testing.assert_array_equal(stacked.canonical("image"), listed.canonical("image"))
    assert np.shares_memory(stacked.canonical("image"), array)
    for name in ("axes", "channels", "dtype", "peak", "n"):
        assert getattr(stacked.frame, name) == getattr(listed.frame, name)
    for name in ("shape", "affine"):
        np.testing.assert_array_equal(getattr(stacked.frame, name), getattr(listed.frame, name))
        assert getattr(stacked.frame, name).dtype == getattr(listed.frame, name).dtype
    assert stacked.frame.metric is listed.frame.metric is None


def test_a_stack_is_a_sequence_of_targets() -> None:
    array = np.random.default_rng(1).random((4, 6, 7))
    column = read(image=array).column("image")
    assert len(column) == 4
    assert all(isinstance(target, im.Image) for target in column)
    np.testing.assert_array_equal(column[2].array, array[2])  # type: ignore[union-attr]
    assert [len(column[1:]), len(list(column))] == [3, 4]


def test_lists_of_small_equal_arrays_are_stacked_and_others_that_differ_in_size_alone_are_not_wrapped() -> None:
    equal = [np.zeros((6, 7), np.uint8)] * 3
    assert isinstance(read(image=equal).canonical("image"), np.ndarray)
    for alike in ([*equal, np.zeros((7, 6), np.uint8)], [np.zeros((300, 300), np.uint8)] * 3):
        assert isinstance(read(image=alike).column("image"), Stack)
        assert isinstance(read(image=alike).canonical("image"), list)
    for others in (
        [*equal, np.zeros((6, 7), np.uint16)],
        [*equal, np.zeros((6, 7, 3), np.uint8)],
        [*equal, equal[0].astype(float).tolist()],
        [*equal, im.Image(equal[0])],
        equal[:1],
    ):
        assert not isinstance(read_columns({"image": others}, None)[0]["image"], Stack)


@pytest.mark.parametrize(("shape", "axes"), SHAPES)
def test_arrays_of_several_sizes_are_read_as_if_each_were_wrapped(shape: tuple[int, ...], axes: str | None) -> None:
    rng = np.random.default_rng(1)
    rows = (axes or "yxc").index("y")
    arrays = []
    for n in range(3):
        size = list(shape[1:])
        size[rows] += n
        arrays.append(rng.random(size))
    alike, wrapped = read(axes, image=arrays), read(axes, image=[im.Image(array) for array in arrays])
    assert alike.axes("image") == wrapped.axes("image")
    for one, other in zip(alike.canonical("image"), wrapped.canonical("image"), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(alike.frame.shape, wrapped.frame.shape)
    np.testing.assert_array_equal(alike.frame.affine, wrapped.frame.affine)


def test_an_empty_array_among_others_is_named() -> None:
    with pytest.raises(im.InputError, match=r"expected the image to hold pixels, got an empty array of shape \(0, 7\)"):
        read(image=[np.zeros((6, 7)), np.zeros((0, 7))])


@pytest.mark.parametrize("stacked", [True, False])
def test_masks_must_fit_the_images(stacked: bool) -> None:
    images, masks = np.zeros((3, 6, 7), np.uint8), np.zeros((3, 7, 6), np.uint8)
    for image in (images, [im.Image(a) for a in images]):
        with pytest.raises(im.InputError, match=r"the mask of the same size as the image, \(6, 7\), got \(7, 6\)"):
            read(image=image, mask=masks if stacked else [im.Mask(a) for a in masks])
    sizes = [im.Image(np.zeros((6, 7 + i), np.uint8)) for i in range(3)]
    with pytest.raises(im.InputError, match=r"the mask of the same size as the image, \(6, 8\), got \(6, 7\)"):
        read(image=sizes, mask=np.zeros((3, 6, 7), np.uint8))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((3, 6, 7, 5)), r"expected the image as \(H, W\) or \(H, W, 1\|3\|4\), got shape \(6, 7, 5\)"),
        (np.zeros((3, 6, 7), np.int64), "expected image values of .* got int64"),
        (np.zeros((3, 0, 7)), r"expected the image to hold pixels, got an empty array of shape \(0, 7\)"),
        (np.zeros((0, 6, 7)), "expected at least one sample"),
        ([np.zeros((0, 7))] * 2, r"expected the image to hold pixels, got an empty array of shape \(0, 7\)"),
    ],
)
def test_what_is_wrong_is_said_of_the_first_sample(given: Any, words: str) -> None:
    with pytest.raises(im.InputError, match=words):
        read(image=given)


def test_the_given_array_is_left_alone() -> None:
    images = np.random.default_rng(1).integers(0, 256, (4, 9, 9, 3), dtype=np.uint8)
    before = images.copy()
    images.flags.writeable = False
    out = im.Pipeline([im.Flip("x", p=0.5)], seed=1).batch(images).image
    np.testing.assert_array_equal(images, before)
    assert not np.shares_memory(out, images)
