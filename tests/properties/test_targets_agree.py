"""Image, label map, boxes and points go the same way: small drawings, moved, and looked for again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im

# Generated images have all types, and generated transforms any that go by a white.
pytestmark = pytest.mark.filterwarnings("ignore:.* takes .* for white in images")

SIZES = [(20, 24), (21, 24), (20, 25), (21, 25)]
SOLID = [(10, 12, 14), (11, 13, 14), (10, 13, 15)]

EXACT = [
    im.Flip("x"),
    im.Flip("y"),
    im.QuarterTurn(1),
    im.QuarterTurn(2),
    im.QuarterTurn(3),
    im.Shift(pixels={"y": 3, "x": -2}),
    im.Crop((15, 17), at="random"),
    im.Pad((3, 1, 0, 4), fill=0),
    im.Pad(multiple_of=8, at="random"),
    im.SquareCrop(2),
    im.Sequential([im.Flip("x"), im.Pad(2), im.QuarterTurn(1), im.Crop((18, 19)), im.Flip("y")]),
]
ALIGNED = [
    *EXACT,
    im.Resize((37, 41)),
    im.Resize((13, 12), fit="pad"),
    im.Resize((30, 30), fit="crop"),
    im.Zoom((0.6, 1.7)),
    im.Zoom({"x": 1.5}),
    im.Shift(pixels=(-3, 3)),
    im.Shift(fraction=(-0.1, 0.1)),
    im.RandomResizedCrop((24, 20), area=(0.5, 1)),
    im.Resample((25, 19)),
]
BENT = [
    im.Rotate((-180, 180)),
    im.Rotate(20, frame="fit"),
    im.Rotate((-60, 60), frame="grow"),
    im.Shear((-20, 20)),
    im.Affine((-30, 30), (0.8, 1.2), (-0.1, 0.1), {"x": 10}),
    im.Perspective((0, 0.3)),
    im.Elastic((0.2, 0.4), cells=3),
    im.Sequential([im.Rotate((-30, 30)), im.Elastic(0.3, cells=2), im.Flip("x"), im.Resize((40, 30)), im.Pad(3)]),
]
EXACT3 = [im.Flip("z"), im.Flip("x"), im.QuarterTurn(1, plane="zx"), im.QuarterTurn(3, plane="zy"), im.Pad((1, 2, 3))]
ALIGNED3 = [*EXACT3, im.Zoom((0.7, 1.5)), im.Shift(pixels={"z": 1.5, "x": -2}), im.Resample((14, 15, 11))]
BENT3 = [
    im.Rotate((-40, 40)),
    im.Rotate((-40, 40), plane="zx"),
    im.Rotate((-20, 20), plane="all"),
    im.Shear((-15, 15), plane="zy"),
    im.Affine((-20, 20), (0.9, 1.1), (-0.1, 0.1), plane="zx"),
    im.Elastic(0.3, cells=2),
]


def named(listed: list[im.Transform]) -> Any:
    return pytest.mark.parametrize("transform", listed, ids=[f"{i}-{type(t).__name__}" for i, t in enumerate(listed)])


def flat(points: Any) -> Any:
    """Points in index order as the format wants them."""
    return im.Keypoints(np.asarray(points, float), {2: "yx", 3: "zyx"}[np.shape(points)[1]])


def run(transform: im.Transform, key: int, **targets: Any) -> im.Sample:
    found = im.Pipeline([transform], seed=11)(key=key, **targets)
    assert isinstance(found, im.Sample)
    return found


def some_points(shape: tuple[int, ...], key: int) -> Any:
    rng = np.random.default_rng(key)
    return np.stack([rng.integers(0, n, 6) for n in shape], axis=1)


def check_one_pixel(transform: im.Transform, shape: tuple[int, ...]) -> None:
    checked = 0
    axes = "yx" if len(shape) == 2 else "zyx"
    for key in range(4):
        for point in some_points(shape, key)[:3]:
            image, mask = np.zeros(shape, np.uint8), np.zeros(shape, np.uint16)
            image[tuple(point)], mask[tuple(point)] = 255, 500
            box = np.array([[*point, *(point + 1)]], float)
            found = run(
                transform,
                key,
                image=im.Image(image, axes),
                mask=im.Mask(mask),
                keypoints=flat([point]),
                boxes=im.Boxes(box, "yxyx" if len(shape) == 2 else "zyxzyx"),
            )
            (place,) = found.keypoints.array
            if not found.keypoints.visible[0]:
                assert found.image.max() == 0
                assert len(found.boxes) == 0
                continue
            np.testing.assert_array_equal(np.argwhere(found.image), [place])
            assert found.image.max() == 255
            np.testing.assert_array_equal(np.argwhere(found.mask == 500), [place])
            np.testing.assert_allclose(found.boxes.array, [[*place, *(place + 1)]], atol=1e-9)
            checked += 1
    assert checked > 3


@named(EXACT)
@pytest.mark.parametrize("shape", SIZES)
def test_one_pixel_goes_where_its_point_and_box_go(transform: im.Transform, shape: tuple[int, ...]) -> None:
    check_one_pixel(transform, shape)


@named(EXACT3)
@pytest.mark.parametrize("shape", SOLID)
def test_one_voxel_goes_where_its_point_and_box_go(transform: im.Transform, shape: tuple[int, ...]) -> None:
    check_one_pixel(transform, shape)


def blob(shape: tuple[int, ...], centre: Any) -> Any:
    """A bright spot, and the same as a label."""
    place = np.indices(shape) - np.reshape(centre, (-1, *[1] * len(shape)))
    distance = (place**2).sum(axis=0)
    return np.exp(-distance / (2 * 1.6**2)).astype(np.float32), (distance <= 3.1**2).astype(np.uint8)


def centroid(values: Any) -> Any:
    place = np.indices(values.shape)
    return (place * values).reshape(values.ndim, -1).sum(axis=1) / values.sum()


def check_blob(transform: im.Transform, shape: tuple[int, ...], far: float) -> None:
    checked = 0
    for key in range(8):
        centre = (np.array(shape) - 1) / 2 + np.random.default_rng(key).uniform(-3, 3, len(shape)) / (len(shape) - 1)
        spot, disc = blob(shape, centre)
        axes = "yx" if len(shape) == 2 else "zyx"
        found = run(transform, key, image=im.Image(spot, axes), mask=im.Mask(disc), keypoints=flat([centre]))
        (place,) = found.keypoints.array
        near = (place < 6).any() or (place > np.array(found.image.shape) - 7).any()
        if near:
            # Part of the spot is beyond the edge: its centroid is no longer its centre.
            continue
        assert np.abs(centroid(found.image) - place).max() < far
        assert np.abs(centroid(found.mask > 0) - place).max() < far + 0.25
        checked += 1
    # In a small frame there may be no room around the spot; the drawings of one pixel look after those.
    assert checked >= 3 or min(found.image.shape) < 18


@named([*ALIGNED, *BENT])
def test_a_spot_goes_where_its_point_goes(transform: im.Transform) -> None:
    check_blob(transform, (33, 34), far=0.35)


@named([*ALIGNED3, *BENT3])
def test_a_solid_spot_goes_where_its_point_goes(transform: im.Transform) -> None:
    check_blob(transform, (22, 23, 21), far=0.35)


def extent(mask: Any) -> Any:
    """Edges of what is there, lower then upper."""
    place = np.argwhere(mask)
    return np.concatenate([place.min(axis=0), place.max(axis=0) + 1]).astype(float)


def rectangle(shape: tuple[int, ...]) -> tuple[Any, Any]:
    mask = np.zeros(shape, np.uint8)
    low, high = np.array(shape) // 3, np.array(shape) * 2 // 3
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 1
    return mask, np.concatenate([low, high]).astype(float)


def boxed(transform: im.Transform, shape: tuple[int, ...], key: int) -> tuple[Any, Any]:
    mask, box = rectangle(shape)
    form = "yxyx" if len(shape) == 2 else "zyxzyx"
    found = run(
        transform,
        key,
        image=im.Image(mask.astype(np.float32), "yx" if len(shape) == 2 else "zyx"),
        mask=im.Mask(mask),
        boxes=im.Boxes([box], form),
    )
    return found.boxes.array[0], extent(found.mask)


@named([*ALIGNED, *ALIGNED3])
def test_a_box_is_the_extent_of_its_rectangle(transform: im.Transform) -> None:
    for shape in SIZES if transform in ALIGNED else SOLID:
        for key in range(4):
            box, seen = boxed(transform, shape, key)
            assert np.abs(box - seen).max() <= 0.5 + 1e-6


@named([*BENT, *BENT3])
def test_a_box_holds_its_turned_rectangle(transform: im.Transform) -> None:
    for shape in SIZES if transform in BENT else SOLID:
        d = len(shape)
        for key in range(4):
            box, seen = boxed(transform, shape, key)
            # A pixel counts by its centre, so the drawing may stand out by half of one; bends are sampled at 9 points.
            assert (box[:d] <= seen[:d] + 0.6).all()
            assert (box[d:] >= seen[d:] - 0.6).all()
            assert (np.abs(box - seen) < 3.5).all(), "and not much more than that"


@named([im.Rotate((-90, 90), order=0), im.Elastic(0.4, order=0), im.Perspective(0.3, order=0), im.Zoom(1.7, order=0)])
def test_a_mask_passed_as_an_image_moves_the_same(transform: im.Transform) -> None:
    mask = np.random.default_rng(1).integers(0, 9, (21, 24)).astype(np.uint8)
    found = run(transform, 0, image=mask, mask=mask)
    np.testing.assert_array_equal(found.image, found.mask)


WORLD = np.array([[0.2, -2.5, 0.1, 7], [3.0, 0.1, 0.2, -9], [0.1, 0.3, -0.8, 4], [0, 0, 0, 1]])
AFFINE3 = [
    *ALIGNED3,
    *BENT3[:-1],
    im.Resample(spacing=(2.0, 2.0, 2.0)),
    im.Crop((5, 6), at="random"),
    im.Shift(millimetres=(-4, 4)),
    im.Sequential([im.Rotate((-20, 20), plane="zx"), im.Resample(spacing=1.5), im.Flip("z"), im.Pad(2)]),
]


@named(AFFINE3)
@pytest.mark.parametrize("how", ["spacing", "affine"])
def test_a_landmark_keeps_its_place_in_the_world(transform: im.Transform, how: str) -> None:
    shape = (9, 13, 17)
    given: Any = {"spacing": (3.0, 1.0, 0.5)} if how == "spacing" else {"affine": WORLD}
    affine = np.diag([3.0, 1.0, 0.5, 1.0]) if how == "spacing" else WORLD
    points = some_points(shape, 1).astype(float)
    for key in range(3):
        image = im.Image(np.zeros(shape, np.float32), "zyx", **given)
        found = run(transform, key, image=image, keypoints=im.Keypoints(points, "zyx"))
        before, after = (np.column_stack([p, np.ones(len(p))]) for p in (points, found.keypoints.array))
        np.testing.assert_allclose(after @ found.affine.T, before @ affine.T, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(found.targets["image"].affine, found.affine)


@named([im.Rotate((-40, 40)), im.Resize((30, 31)), im.Shear(10), im.RandomResizedCrop((9, 9), area=0.5)])
def test_a_landmark_of_a_picture_keeps_its_place_too(transform: im.Transform) -> None:
    points = some_points((20, 24), 1).astype(float)
    found = run(
        transform, 2, image=im.Image(np.zeros((20, 24)), spacing=(0.5, 2.0)), keypoints=im.Keypoints(points, "yx")
    )
    after = np.column_stack([found.keypoints.array, np.ones(len(points))])
    np.testing.assert_allclose((after @ found.affine.T)[:, :2], points * (0.5, 2.0), rtol=0, atol=1e-6)


def test_what_left_before_padding_does_not_come_back() -> None:
    # Shifted out on the right by two pixels, then padded by thirty: the place shows the fill.
    moved = im.Sequential([im.Shift(pixels={"x": 58}), im.Pad(30, fill=9)])
    image = np.zeros((50, 60), np.uint8)
    found = run(moved, 0, image=image, keypoints=[[5, 5], [0, 5]], boxes=[[5, 5, 10, 10], [0, 5, 10, 10]])
    assert found.keypoints.visible.tolist() == [False, True]
    np.testing.assert_array_equal(found.keypoints.array, [[93, 35], [88, 35]])
    assert found.boxes.index.tolist() == [1]
    np.testing.assert_array_equal(found.boxes.array, [[88, 35, 90, 40]])
    # Step by step says the same.
    steps = im.Pipeline([moved], seed=11, fuse=False)(image=image, keypoints=[[5, 5], [0, 5]], boxes=[[5, 5, 10, 10]])
    assert steps.keypoints.visible.tolist() == [False, True]
    assert len(steps.boxes) == 0
