"""Turns whose frame grows with them, or shrinks so that no empty corner shows."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.ndimage as ndi

import imagemill as im
from imagemill.testing import picture

SIZES = [(40, 70), (70, 40), (50, 50), (10, 90)]
ANGLES = [3, 17, 30, 45, 60, 88, -33, 120]


def turned(degrees: float, frame: str, image: np.ndarray, **how: object) -> np.ndarray:
    made: np.ndarray = im.Pipeline([im.Rotate(degrees, frame=frame, **how)], seed=1)(image)
    return made


@pytest.mark.parametrize("frame", ["grow", "crop"])
def test_quarter_turns_are_numpys(frame: str) -> None:
    image = picture(1, (4, 5), 3)
    for quarters in range(-3, 4):
        np.testing.assert_array_equal(turned(90 * quarters, frame, image), np.rot90(image, quarters))


@pytest.mark.parametrize("size", SIZES)
def test_a_grown_frame_is_as_large_as_the_turned_corners_reach(size: tuple[int, int]) -> None:
    h, w = size
    for degrees in ANGLES:
        c, s = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
        made = turned(degrees, "grow", np.ones(size, np.float32), border="constant")
        assert made.shape == (math.ceil(h * c + w * s - 1e-6), math.ceil(w * c + h * s - 1e-6))
        # Nothing is lost: values sum up to what they did.
        assert abs(made.sum(dtype=float) / (h * w) - 1) < 0.005


@pytest.mark.parametrize("size", SIZES)
def test_a_cropped_frame_shows_no_corner_and_is_the_largest_that_does(size: tuple[int, int]) -> None:
    h, w = size[0] - 1, size[1] - 1
    for degrees in ANGLES:
        c, s = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
        made = turned(degrees, "crop", np.ones(size, np.float32), border="constant", fill=-9)
        assert made.min() >= 1 - 1e-5
        # By trying: of each half height the half width at which a corner meets a side.
        half = np.linspace(1e-3, math.hypot(h, w) / 2, 4000)
        widths = np.minimum((w / 2 - half * s) / c, (h / 2 - half * c) / s)
        best = (half * widths).argmax()
        area = 4 * half[best] * widths[best]
        got = (made.shape[0] - 1) * (made.shape[1] - 1)
        assert got <= area + 1e-6
        assert (made.shape[0]) * (made.shape[1]) >= area - 1e-6


def test_boxes_and_points_go_along_and_come_back() -> None:
    image = np.zeros((40, 70), np.uint8)
    image[10:13, 50:53] = 255
    pipe = im.Pipeline([im.Rotate((-60, 60), frame="grow", border="constant")], seed=3)
    for key in range(4):
        out = pipe(image=image, boxes=[[49, 9, 54, 14]], keypoints=[[51, 11], [0, 0]], key=key)
        y, x = ndi.center_of_mass(out.image)
        np.testing.assert_allclose(out.keypoints.array[0], (x, y), atol=0.1)
        left, top, right, bottom = out.boxes.array[0]
        np.testing.assert_allclose(((left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5), (x, y), atol=0.1)
        assert out.keypoints.inside.all()
        assert len(out.boxes) == 1
        back = out.inverse(scores=out.image.astype(np.float32), keypoints=out.keypoints)
        assert back["scores"].shape == image.shape
        np.testing.assert_allclose(back["keypoints"].array, [[51, 11], [0, 0]], atol=1e-6)
        assert back["scores"][11, 51] > 200


def test_volumes_grow_in_their_plane_by_millimetres() -> None:
    scan = im.Image(np.ones((3, 20, 30), np.float32), "zyx", spacing=(5.0, 2.0, 1.0))
    out = im.Pipeline([im.Rotate(90, frame="grow")], seed=1)(image=scan)
    assert out.image.shape == (3, 15, 40)
    everywhere = im.Pipeline([im.Rotate((-30, 30), plane="all", frame="grow")], seed=1)(image=scan)
    assert all(n >= m for n, m in zip(everywhere.image.shape, (3, 20, 30), strict=True))
    with pytest.raises(im.ParameterError, match='for one plane, got plane="all"; crop behind it instead'):
        im.Rotate(10, plane="all", frame="crop")


def test_a_batch_needs_one_size_and_gets_it_in_the_same_resample() -> None:
    images = [picture(k, (40, 70), 3) for k in range(3)]
    grown = im.Rotate((-60, 60), frame="grow")
    with pytest.raises(im.InputError, match=r"one output size for a batch, got 3 .* end the pipeline with Resize"):
        im.Pipeline([grown], seed=1).batch(images)
    pipe = im.Pipeline([grown, im.Resize((32, 32))], seed=1)
    batch = pipe.batch(images, keys=range(3))
    for k in range(3):
        np.testing.assert_array_equal(batch.image[k], pipe(images[k], key=k))
    assert "1 step" in pipe.explain((40, 70, 3))
    some = im.Pipeline([im.Rotate(45, frame="grow", p=0.5)], seed=1)
    assert {some(images[0], key=k).shape for k in range(12)} == {(40, 70, 3), (78, 78, 3)}
