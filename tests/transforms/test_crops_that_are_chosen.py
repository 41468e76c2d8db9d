"""A crop asks for the size of the images it is chosen for, and of no others."""

from __future__ import annotations

import numpy as np
import pytest

import imagemill as im

IMAGE = np.arange(10 * 12 * 3, dtype=np.uint8).reshape(10, 12, 3)
GROWN = im.Sequential([im.Resize((30, 30)), im.Crop((20, 20), at="random")], p=0.5)


def test_a_crop_behind_its_own_resize_may_be_left_out() -> None:
    shapes = {im.Pipeline([GROWN], seed=1)(image=IMAGE, key=key).image.shape for key in range(20)}
    assert shapes == {(10, 12, 3), (20, 20, 3)}
    pipe = im.Pipeline([GROWN, im.Resize((8, 8))], seed=1)
    batch = pipe.batch([IMAGE] * 20, keys=range(20)).image
    for key in range(20):
        np.testing.assert_array_equal(batch[key], pipe(image=IMAGE, key=key).image)


def test_a_box_may_be_left_out_too() -> None:
    boxed = im.Sequential([im.Resize((30, 30)), im.Crop(box=(0, 0, 20, 25))])
    pipe = im.Pipeline([im.OneOf([im.Resize((5, 5)), boxed])], seed=1)
    assert {pipe(image=IMAGE, key=k).image.shape for k in range(20)} == {(5, 5, 3), (20, 25, 3)}


def test_where_it_is_chosen_a_small_image_is_still_an_error() -> None:
    pipe = im.Pipeline([im.Crop((20, 20), p=0.5)], seed=1)
    with pytest.raises(im.InputError, match=r"at least \(20, 20\)"):
        pipe.batch([IMAGE] * 20, keys=range(20))
