"""Objects of a label map hidden with their boxes, statistics within a mask, Rician noise, and bent plates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats as stats
from scipy.interpolate import RBFInterpolator

import imagemill as im
from imagemill.core import coordinate_maps as maps
from imagemill.core.content import labelled
from imagemill.engine.backends import reference
from imagemill.testing import label_map, picture
from tests.transforms.geometric.support import draw, frame_of

SHAPE = (40, 60)
IMAGE = picture(1, SHAPE, 3) // 2 + 50
MASK = np.zeros(SHAPE, np.uint8)
MASK[4:12, 5:15], MASK[20:30, 30:45], MASK[33:38, 2:8] = 1, 1, 2
BOXES = im.Boxes([[5, 4, 15, 12], [30, 20, 45, 30], [2, 33, 8, 38], [16, 0, 60, 3]], labels=["a", "b", "c", "none"])
POINTS = im.Keypoints([[10, 8], [40, 25], [5, 35]])


def hide(transform: im.Transform, key: int = 0, before: Any = (), **more: Any) -> Any:
    pipe = im.Pipeline([*before, transform], seed=4)
    return pipe(image=IMAGE, mask=MASK, boxes=BOXES, keypoints=POINTS, key=key, **more)


def test_an_object_goes_with_its_pixels_labels_box_and_points() -> None:
    parts = [MASK == 2, (MASK == 1) & (np.arange(60) < 20), (MASK == 1) & (np.arange(60) > 20)]
    names = ["c", "a", "b"]
    seen = np.zeros(3)
    for key in range(120):
        out = hide(im.MaskDropout(fill=7), key)
        (gone,) = (i for i in range(3) if not out.mask[parts[i]].any())
        np.testing.assert_array_equal(out.image, np.where(parts[gone][..., None], 7, IMAGE))
        np.testing.assert_array_equal(out.mask, np.where(parts[gone], 0, MASK))
        assert out.boxes.labels == [name for name in ["a", "b", "c", "none"] if name != names[gone]]
        assert out.keypoints.visible.tolist() == [name != names[gone] for name in ["a", "b", "c"]]
        assert out.applied[0].values == {"objects": 1}
        seen[gone] += 1
    assert stats.chisquare(seen).pvalue > 1e-3


def test_all_parts_of_a_label_may_be_one_object() -> None:
    out = hide(im.MaskDropout(9, by="labels"))
    assert (out.mask.any(), out.boxes.labels, out.applied[0].values) == (False, ["none"], {"objects": 2})
    once = {tuple(hide(im.MaskDropout(1, by="labels"), key).boxes.labels) for key in range(10)}
    assert once == {("c", "none"), ("a", "b", "none")}
    # A box around all parts is one of the label's as well.
    both = im.Boxes([[5, 4, 45, 30], [0, 33, 9, 40]])
    out = im.Pipeline([im.MaskDropout(2, by="labels")], seed=1)(image=IMAGE, mask=MASK, boxes=both)
    assert out.boxes.dropped.tolist() == [0]
    assert hide(im.MaskDropout(3)).boxes.labels == ["none"]


def test_a_box_goes_by_half_of_what_it_and_the_object_cover() -> None:
    # The object covers 5 to 15 and 4 to 12: these overlap it by 80 / 120 and by 80 / 192.
    boxes = im.Boxes([[5, 4, 15, 16], [5, 4, 21, 16]])
    mask = np.where(np.arange(60) < 20, MASK == 1, 0).astype(np.uint8)
    out = im.Pipeline([im.MaskDropout()], seed=1)(image=IMAGE, mask=mask, boxes=boxes)
    assert out.boxes.dropped.tolist() == [0]


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_objects_behind_other_geometry_are_those_of_the_label_map_there(backend: str) -> None:
    before = [im.Rotate((-30, 30)), im.Flip("y"), im.Resize((50, 70))]
    for key in range(4):
        turned = im.Pipeline(before, seed=4, backend=backend)(image=IMAGE, mask=MASK, key=key)
        pipe = im.Pipeline([*before, im.MaskDropout(9, fill=0), im.Flip("x")], seed=4, backend=backend)
        out = pipe(image=IMAGE, mask=MASK, boxes=BOXES, key=key)
        there = labelled(turned.mask[..., None])
        np.testing.assert_array_equal(out.image[:, ::-1], np.where(there[..., None], 0, turned.image))
        assert not out.mask.any()


def test_a_crop_that_moves_nothing_cuts_off_what_is_asked_for_behind_it() -> None:
    image, mask = np.ones((30, 40), np.float32), np.zeros((30, 40), np.int16)
    mask[2:4, 2:4], mask[20:25, 20:25] = 1, 1
    first = im.Crop((10, 10), at="top_left")
    out = im.Pipeline([first, im.MaskDropout()], seed=1)(image=image, mask=mask)
    assert np.argwhere(out.image == 0).tolist() == [[2, 2], [2, 3], [3, 2], [3, 3]]
    for seed in range(10):
        near = im.Pipeline([first, im.LabelCrop((3, 3), positive=1)], seed=seed)(image=image, mask=mask)
        assert near.mask.any()


def test_objects_of_volumes_and_of_batches() -> None:
    volume, labels = np.ones((6, 20, 20), np.float32), np.zeros((6, 20, 20), np.uint8)
    labels[1:3, 2:6, 2:6], labels[4:6, 10:16, 10:18] = 1, 1
    out = im.Pipeline([im.MaskDropout(1)], seed=1)(image=im.Image(volume, "zyx"), mask=im.Mask(labels, "zyx"))
    assert sorted([int((out.image == 0).sum()), int(out.mask.sum())]) in ([32, 96], [32, 96])
    masks = [np.roll(MASK, i, axis=0) if i % 2 else np.zeros_like(MASK) for i in range(5)]
    pipe = im.Pipeline([im.MaskDropout((0, 3), fill="mean", p=0.8)], seed=1)
    batch = pipe.batch([IMAGE] * 5, mask=masks, keys=range(5))
    for row in range(5):
        alone = pipe(image=IMAGE, mask=masks[row], key=row)
        np.testing.assert_array_equal(batch.image[row], alone.image)
        np.testing.assert_array_equal(batch.mask[row], alone.mask)
    with pytest.raises(im.InputError, match="expected mask for MaskDropout to go by, got none"):
        im.Pipeline([im.MaskDropout()], seed=1)(IMAGE)


# ------------------------------------------------------------------------------------------- within a mask


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_statistics_are_those_within_a_mask(backend: str) -> None:
    scan = np.random.default_rng(1).normal(40, 9, (5, 12, 14)).astype(np.float32)
    labels = label_map(3, scan.shape)
    given = {"image": im.Image(scan, "zyx"), "mask": im.Mask(labels, "zyx")}
    found = im.Pipeline([im.Standardize(mask="mask")], seed=0, backend=backend)(**given).image
    inside = scan[labels > 0].astype(np.float64)
    np.testing.assert_allclose(found, (scan - inside.mean()) / inside.std(), rtol=1e-4, atol=1e-5)
    # Behind a crop the part that is left counts.
    part = (slice(1, 4), slice(2, 11), slice(0, 9))
    crop = im.Crop(box=(1, 2, 0, 4, 11, 9))
    found = im.Pipeline([crop, im.Standardize(mask="mask")], seed=0, backend=backend)(**given).image
    inside = scan[part][labels[part] > 0].astype(np.float64)
    np.testing.assert_allclose(found, (scan[part] - inside.mean()) / inside.std(), rtol=1e-4, atol=1e-5)
    assert found.dtype == np.float32
    each = im.Pipeline([im.Standardize(per_channel=True, mask="mask")], seed=0, backend=backend)
    out = each(image=IMAGE, mask=MASK)
    np.testing.assert_allclose(out.image[MASK > 0].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(out.image[MASK > 0].std(axis=0), 1, atol=1e-4)


def test_an_empty_mask_is_all_and_none_is_an_error() -> None:
    pipe = im.Pipeline([im.Standardize(mask="mask")], seed=0)
    out = pipe(image=IMAGE, mask=np.zeros_like(MASK))
    np.testing.assert_allclose(out.image, im.Pipeline([im.Standardize()], seed=0)(IMAGE), atol=1e-4)
    assert out.applied[0].values == {"inside": 0}
    with pytest.raises(
        im.InputError, match=r"expected mask for Standardize to go by, got none; pass mask=\.\.\. beside"
    ):
        pipe(IMAGE)
    with pytest.raises(im.ParameterError, match="with above or with a mask, got both"):
        im.Standardize(above=0, mask="mask")


# ------------------------------------------------------------------------------------------- noise


@pytest.mark.parametrize("signal", [0.0, 0.1, 0.5])
def test_rician_noise_has_the_published_distribution(signal: float) -> None:
    found = im.Pipeline([im.RicianNoise(0.1)], seed=2)(np.full((120, 120), signal))
    # 65,536 quantiles of each normal number, so ties are rare.
    assert stats.kstest(found.ravel()[::3], stats.rice(signal / 0.1, scale=0.1).cdf).pvalue > 1e-3
    # The second moment of Gudbjartsson and Patz: A^2 + 2 sigma^2.
    np.testing.assert_allclose((found**2).mean(), signal**2 + 2 * 0.1**2, rtol=0.02)
    bytes_ = im.Pipeline([im.RicianNoise(0.1)], seed=2)(np.full((40, 40), round(signal * 255), np.uint8))
    assert abs(bytes_.mean() - found.mean() * 255) < 2


# ------------------------------------------------------------------------------------------- a bent plate


@pytest.mark.parametrize("points", [3, 5])
def test_a_plate_is_the_thin_plate_spline_of_scipy(points: int) -> None:
    shape = (48, 80)
    transform = im.ThinPlateSpline(0.3, points=points)
    op = draw(transform, frame_of(shape), seed=3)
    coords, _ = reference.coordinates((maps.Displace(op.grid[0], shape),), shape)
    index = np.indices(shape, dtype=float)
    ticks = np.linspace(0, 1, points)
    fixed = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)
    # What the points were moved by, read from the splines themselves at the outermost and inner points.
    cells = 4 * (points - 1)
    at = np.rint(fixed * cells).astype(int)
    weights = np.array([1, 4, 1]) / 6
    moved = np.array(
        [[weights @ g[y : y + 3, x : x + 3] @ weights for g in op.grid[0]] for y, x in at],
    )
    step = np.array(shape) / (points - 1)
    assert (np.abs(moved) <= 0.3 * step + 1e-9).all()
    places = ((index + 0.5).reshape(2, -1).T) / np.array(shape)
    wanted = RBFInterpolator(fixed, moved, kernel="thin_plate_spline", degree=1)(places).T.reshape(2, *shape)
    assert np.abs(coords - index - wanted).max() < 0.01 * step.max()


def test_plates_do_not_fold_at_their_limit() -> None:
    shape = (60, 60)
    op = draw(im.ThinPlateSpline(0.3, points=4), frame_of(*[shape] * 200), seed=1)
    least = np.inf
    for row in range(200):
        coords, _ = reference.coordinates((maps.Displace(op.grid[row], shape),), shape)
        (yy, yx), (xy, xx) = (np.gradient(c) for c in coords)
        least = min(least, float((yy * xx - yx * xy).min()))
    assert least > 0


def test_boxes_and_points_follow_a_plate() -> None:
    dots = np.zeros((80, 90), np.uint8)
    places = [[20, 20], [60, 30], [45, 60]]
    for x, y in places:
        dots[y - 2 : y + 3, x - 2 : x + 3] = 255
    pipe = im.Pipeline([im.ThinPlateSpline(0.25)], seed=5)
    for key in range(5):
        out = pipe(image=dots, keypoints=im.Keypoints(places), key=key)
        for x, y in out.keypoints.array:
            if 3 < x < 86 and 3 < y < 76:
                assert out.image[round(y), round(x)] > 200
    with pytest.raises(im.ParameterError, match="expected pictures for ThinPlateSpline"):
        im.Pipeline([im.ThinPlateSpline(0.2)], seed=1)(np.zeros((4, 5, 6), np.float32), axes="zyx")


def test_polygons_rotated_boxes_and_instance_masks_go_with_their_object() -> None:
    first = [[[5, 4], [15, 4], [15, 12], [5, 12]]]
    second = [[[30, 20], [45, 20], [45, 30], [30, 30]]]
    things = np.stack([(MASK == 1) & (np.arange(60) < 20), (MASK == 1) & (np.arange(60) > 20)]).astype(np.uint8)
    given = {
        "polygons": im.Polygons([first, second]),
        "things": im.Instances(things),
        "rotated": im.RotatedBoxes([[10, 8, 10, 8, 0], [37.5, 25, 15, 10, 0]]),
    }
    mask = np.where(MASK == 2, 0, MASK)
    seen = set()
    for key in range(8):
        out = im.Pipeline([im.MaskDropout()], seed=4)(image=IMAGE, mask=mask, key=key, **given)
        left = {name: out.targets[name].index.tolist() for name in given}
        assert len({tuple(index) for index in left.values()}) == 1, left
        seen.add(tuple(left["polygons"]))
    assert seen == {(0,), (1,)}


def test_frames_of_a_video_are_cropped_alike_around_what_any_of_them_shows() -> None:
    clip = np.zeros((3, 40, 60), np.uint8)
    masks = np.stack([np.roll(MASK == 2, 10 * i, axis=1).astype(np.uint8) for i in range(3)])
    given = {"image": im.Image(clip, "tyx"), "mask": im.Mask(masks, "tyx")}
    out = im.Pipeline([im.ForegroundCrop()], seed=1)(**given)
    assert out.image.shape == (3, 5, 26)
    assert out.mask.sum() == masks.sum()
    starts = set()
    for key in range(12):
        one = im.Pipeline([im.LabelCrop(4)], seed=1)(key=key, **given)
        assert one.mask.shape == (3, 4, 4)
        assert one.mask.any()
        starts.add(one.applied[0].values["start.x"])
    assert len(starts) > 4


def test_holes_on_objects_lie_in_their_boxes() -> None:
    seen = np.zeros(3)
    places = [np.s_[4:12, 5:15], np.s_[20:30, 30:45], np.s_[33:38, 2:8]]
    for key in range(60):
        hidden = (hide(im.CoarseDropout(1, (0.3, 1), where="masks"), key).image == 0).all(axis=-1)
        (where,) = (i for i in range(3) if hidden[places[i]].any())
        hidden[places[where]] = False
        assert not hidden.any()
        seen[where] += 1
    assert seen.min() > 8
    whole = hide(im.CoarseDropout(40, 1.0, where="masks", labels=2), 0).image
    np.testing.assert_array_equal((whole == 0).all(axis=-1), MASK == 2)
    boxed = hide(im.CoarseDropout(40, {"y": 1.0}, where="boxes"), 0).image
    shown = np.zeros(SHAPE, bool)
    for x0, y0, x1, y1 in BOXES.array.astype(int).tolist():
        shown[y0:y1, x0:x1] = True
    np.testing.assert_array_equal((boxed == 0).all(axis=-1), shown)


def test_holes_on_objects_need_objects() -> None:
    pipe = im.Pipeline([im.CoarseDropout(3, where="boxes")], seed=1)
    np.testing.assert_array_equal(pipe(image=IMAGE, boxes=im.Boxes(np.zeros((0, 4)))).image, IMAGE)
    with pytest.raises(im.InputError, match="expected boxes for CoarseDropout"):
        pipe(image=IMAGE)
    with pytest.raises(im.ParameterError, match=r"labels=\.\.\.\) only with where='masks'"):
        im.CoarseDropout(labels=1)
    with pytest.raises(im.ParameterError, match=r"of=\.\.\.\) only with where"):
        im.CoarseDropout(of="mask")
