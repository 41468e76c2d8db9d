"""Polygons, lines, rotated boxes and instance masks go where their pixels go: every geometry there is, and back."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

import imagemill as im
from imagemill.core import coordinate_maps as maps
from imagemill.core import geometry as geo
from imagemill.engine.backends import reference
from imagemill.testing.each import GEOMETRY, example_of

SHAPE = (90, 120)
STAR = np.array(
    [(60, 20), (66, 38), (92, 40), (72, 50), (80, 70), (60, 58), (40, 70), (48, 50), (28, 40), (54, 38)], np.float64
)
"""Concave, in x and y from the outer corner."""
SHIP = [60.0, 44.0, 46.0, 14.0, 25.0]
TOGETHER = im.Sequential(
    [im.Rotate((-30, 30)), im.Elastic(0.3, cells=3), im.Pad(4), im.Flip("x"), im.Zoom((0.7, 1.4)), im.Resize((100, 80))]
)
STRONG = [
    im.Elastic((0.3, 0.4), cells=3),
    im.GridDistortion(0.4, cells=4),
    im.OpticalDistortion(0.5),
    im.Perspective((0.2, 0.3)),
    im.Rotate((-180, 180), frame="fit"),
    im.Sequential([im.Crop((60, 80)), im.Shear((-20, 20)), im.Pad(5)]),
    TOGETHER,
]
CASES = [example_of(cls) for cls in GEOMETRY if cls is not im.Orient] + STRONG
each = pytest.mark.parametrize("transform", CASES, ids=[f"{i}-{type(t).__name__}" for i, t in enumerate(CASES)])
"""Orient takes volumes alone."""


def inside(rings: Any, points: Any) -> Any:
    """Which points ``(p, 2)`` of x and y lie in any of some rings, by the rule of even and odd."""
    found = np.zeros(len(points), bool)
    for ring in rings:
        odd = np.zeros(len(points), bool)
        for (ax, ay), (bx, by) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            crossed = (ay > points[:, 1]) != (by > points[:, 1])
            if crossed.any():
                at = points[crossed, 1]
                odd[crossed] ^= points[crossed, 0] < ax + (at - ay) / (by - ay) * (bx - ax)
        found |= odd
    return found


def centres(shape: tuple[int, ...]) -> Any:
    """The centres of all pixels in x and y from the outer corner."""
    return np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 2)[:, ::-1] + 0.5


def pulled(sample: im.Sample) -> Any:
    """Where in the source each pixel of a sample comes from, x and y from the outer corner; nan for padding."""
    way: Any = sample.geometry
    places = centres(sample.image.shape[:2])[:, ::-1] - 0.5
    lost = np.zeros(len(places), bool)
    for resample in reversed(way.maps.resamples):
        for stage in resample.chain(way.row):
            if isinstance(stage, maps.Matrix):
                places = geo.apply(stage.m, places)
            elif isinstance(stage, maps.Displace):
                places = places + reference.displacement(stage, places.T).T
            else:
                lost |= ((places < -0.5) | (places > np.array(stage.shape) - 0.5)).any(axis=1)
    return np.where(lost[:, None], np.nan, places[:, ::-1] + 0.5)


def given() -> dict[str, Any]:
    raster = inside([STAR], centres(SHAPE)).reshape(SHAPE)
    ship = im.RotatedBoxes([SHIP], labels=["ship"])
    around = [*STAR.min(axis=0), *STAR.max(axis=0)]
    return {
        "image": np.zeros((*SHAPE, 3), np.uint8),
        "mask": raster.astype(np.uint8),
        "instances": im.Instances(raster[None], index=[0]),
        "polygons": im.Polygons([STAR], labels=["star"], index=[0]),
        "boxes": im.Boxes([around], labels=["star"], index=[0]),
        "rotated": ship,
        "ship": inside(ship.corners(), centres(SHAPE)).reshape(SHAPE).astype(np.uint8),
        "lines": im.Polygons([STAR], closed=False),
    } | {"ship": im.Mask(inside(ship.corners(), centres(SHAPE)).reshape(SHAPE).astype(np.uint8))}


def around_of(ring: Any) -> float:
    return float(np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1).sum())


def overlap(one: Any, two: Any) -> float:
    return float((one & two).sum() / max(1, (one | two).sum()))


@each
@pytest.mark.parametrize("fuse", [True, False], ids=["fused", "stepwise"])
def test_shapes_agree_with_their_pixels(transform: im.Transform, fuse: bool) -> None:
    pipe = im.Pipeline([transform], seed=5, fuse=fuse, boxes=im.BoxRules(min_area=0))
    targets = given()
    alone = [pipe(key=key, **targets) for key in range(3)]
    batch = pipe.batch(**{n: [v] * 3 for n, v in targets.items()}, keys=range(3)) if _one_size(alone) else None
    for key, out in enumerate(alone):
        here = centres(out.image.shape[:2])
        truth = inside([STAR], pulled(out))
        if not len(out.polygons):
            assert truth.sum() < 3, "nothing is left of its pixels"
            continue
        (rings,) = out.polygons.rings
        edge, size = sum(map(around_of, rings)), max(truth.sum(), 1)
        moved = inside(rings, here)
        # As far as the curve may be missed by, along the whole boundary, and a few pixels that lie on it.
        assert (moved != truth).sum() <= 0.2 * edge + 2, "the polygon is where its pixels are"
        # Label maps are read at the nearest pixel: along the boundary a quarter of a pixel is lost or won.
        assert overlap(moved, out.mask.ravel() > 0) >= 1 - (0.6 * edge + 3) / size or _repeats(out)
        assert overlap(moved, out.instances.masks[0].ravel()) >= 1 - (0.6 * edge + 3) / size
        assert out.polygons.bounds[0].min() >= 0
        assert (out.polygons.bounds[0][2:] <= np.array(out.image.shape[1::-1]) + 1e-9).all()
        assert _length(out.lines.parts) <= edge + 1e-6, "a line is the boundary without what runs along the frame"
        _check_rotated(out, here)
        if batch is not None:
            for name in ("polygons", "lines"):
                assert batch[name][key].flat() == out[name].flat()
            assert np.array_equal(batch.rotated[key].array, out.rotated.array)
            assert np.array_equal(batch.instances[key].array, out.instances.array)
            assert np.array_equal(batch.boxes[key].array, out.boxes.array)


def _check_rotated(out: im.Sample, here: Any) -> None:
    truth = inside(im.RotatedBoxes([SHIP]).corners(), pulled(out)).reshape(out.image.shape[:2])
    if not truth.any() or not len(out.rotated) or out.rotated.visibility[0] < 1:
        return
    box = inside(out.rotated.corners(), here)
    assert box[truth.ravel()].mean() > 0.97, "all of the thing is in its box"
    found, _ = cv2.findContours(truth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(found, key=len).reshape(-1, 2)
    corners = np.concatenate([contour + d for d in ((0, 0), (0, 1), (1, 0), (1, 1))]).astype(np.float32)
    (_, size, _) = cv2.minAreaRect(corners)
    # Around the corners of pixels the rectangle is larger by up to a pixel on each side.
    edge = 2 * sum(size)
    assert -edge * 1.2 - 4 <= out.rotated.area[0] - size[0] * size[1] <= 0.3 * edge, "and no other box is smaller"


def _one_size(samples: list[im.Sample]) -> bool:
    return len({sample.image.shape for sample in samples}) == 1


def _repeats(out: im.Sample) -> bool:
    """Whether a border repeats what is at the edge: label maps follow the picture there, shapes do not."""
    places = pulled(out)
    beyond = ((places < 0) | (places > np.array(SHAPE[::-1]))).any(axis=1)
    return bool((beyond & (out.mask.ravel() > 0)).any())


def _length(lines: Any) -> float:
    return float(sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines))


@each
def test_shapes_come_back(transform: im.Transform) -> None:
    out = im.Pipeline([transform], seed=5)(key=1, **given())
    if not len(out.polygons) or not len(out.rotated):
        return
    back = out.inverse(polygons=out.polygons, rotated=out.rotated, instances=out.instances)
    here = centres(SHAPE)
    seen = out.seen().ravel()
    was, now = inside([STAR], here) & seen, inside(back["polygons"].rings[0], here)
    assert overlap(was, now) >= 1 - 0.4 * around_of(STAR) / was.sum()
    if np.prod(out.image.shape[:2]) > 0.7 * np.prod(SHAPE):  # of a small picture large pixels come back
        assert overlap(was, back["instances"].masks[0].ravel()) >= 0.8
    ship = inside(im.RotatedBoxes([SHIP]).corners(), here) & seen
    assert inside(back["rotated"].corners(), here)[ship].mean() > 0.97
    assert back["polygons"].labels == ["star"]
    assert back["rotated"].labels == ["ship"]


@each
def test_fused_and_stepwise_shapes_are_one(transform: im.Transform) -> None:
    one, two = (im.Pipeline([transform], seed=5, fuse=fuse)(key=2, **given()) for fuse in (True, False))
    here = centres(one.image.shape[:2])
    for name in ("polygons", "rotated"):
        assert len(one[name]) == len(two[name])
    if len(one.polygons):
        edge = sum(map(around_of, one.polygons.rings[0]))
        differ = inside(one.polygons.rings[0], here) != inside(two.polygons.rings[0], here)
        assert differ.sum() <= 0.2 * edge + 2
    if len(one.rotated):
        np.testing.assert_allclose(one.rotated.array, two.rotated.array, atol=0.5)


def test_tight_boxes_are_the_ones_around_what_is_left() -> None:
    pipe = im.Pipeline([TOGETHER], seed=5, boxes=im.BoxRules(tight=True))
    for key in range(4):
        out = pipe(key=key, **given())
        ys, xs = np.nonzero(out.instances.masks[0])
        assert out.boxes.array[0].tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        without = {n: v for n, v in given().items() if n != "instances"}
        out = pipe(key=key, **without)
        np.testing.assert_array_equal(out.boxes.array[0], out.polygons.bounds[0])
        loose = im.Pipeline([TOGETHER], seed=5)(key=key, **without)
        assert np.prod(np.subtract(*out.boxes.array[0].reshape(2, 2)[::-1])) < 0.9 * np.prod(
            np.subtract(*loose.boxes.array[0].reshape(2, 2)[::-1])
        )
