"""What mixing makes, by the papers' formulas and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import imagemill as im
from imagemill.core.errors import InputError, ParameterError, TargetError
from imagemill.testing import picture

RNG = np.random.default_rng(0)
PHOTOS = RNG.integers(0, 256, (6, 12, 16, 3), dtype=np.uint8)
LABELS = [0, 2, 1, 1, 2, 0]


def drawn(transform: im.Transform, name: str, n: int = 2000) -> Any:
    """What a transform drew for many samples."""
    batch = im.Pipeline([transform], seed=3).batch(np.zeros((n, 8, 8), np.uint8), keys=range(n))
    return np.array([batch.applied[i][0].values[name] for i in range(n)])


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8.0])
def test_weights_of_mixup_are_beta(alpha: float) -> None:
    weights = drawn(im.MixUp(alpha), "weight")
    assert ((weights >= 0) & (weights <= 1)).all()
    assert stats.kstest(weights, stats.beta(alpha, alpha).cdf).pvalue > 0.01
    assert stats.kstest(weights, stats.beta(alpha * 1.6, alpha).cdf).pvalue < 0.01, "the test tells others apart"


def test_areas_of_cutmix_are_beta_before_the_box_is_cut() -> None:
    assert stats.kstest(drawn(im.CutMix(0.7), "area"), stats.beta(0.7, 0.7).cdf).pvalue > 0.01


def test_mixup_is_the_papers_sum() -> None:
    batch = im.Pipeline([im.MixUp(1, classes=3)], seed=5).batch(PHOTOS, label=LABELS)
    for i in range(6):
        weight = batch.applied[i][0].values["weight"]
        wanted = weight * PHOTOS[i].astype(float) + (1 - weight) * PHOTOS[i ^ 1]
        assert np.abs(batch.image[i] - wanted).max() <= 0.5 + 1e-3
        shares = weight * np.eye(3)[LABELS[i]] + (1 - weight) * np.eye(3)[LABELS[i ^ 1]]
        np.testing.assert_allclose(batch.label[i], shares, atol=1e-6)


def test_cutmix_shows_one_box_of_the_partner_and_weights_labels_by_what_is_seen() -> None:
    first = [np.full((20, 30), value, np.uint8) for value in (1, 2)] * 8
    batch = im.Pipeline([im.CutMix(classes=("cat", "dog"))], seed=2).batch(first, label=["cat", "dog"] * 8, mask=first)
    for i in range(16):
        theirs = batch.image[i] != first[i]
        rows, columns = np.flatnonzero(theirs.any(axis=1)), np.flatnonzero(theirs.any(axis=0))
        assert theirs.sum() == len(rows) * len(columns), "it is one box"
        assert batch.label[i][1 - i % 2] == pytest.approx(theirs.mean())
        np.testing.assert_array_equal(batch.mask[i], batch.image[i])


def test_boxes_under_cutmix_are_cut_to_what_is_seen() -> None:
    images = [np.zeros((16, 16), np.uint8), np.ones((16, 16), np.uint8)]
    boxes = [im.Boxes([[0, 0, 16, 16], [7, 7, 9, 9]], labels=["all", "dot"])] * 2
    pipe = im.Pipeline([im.CutMix(area=0.25)], seed=0, boxes=im.BoxRules(min_area=0))
    for key in range(30):
        batch = pipe.batch(images, boxes=boxes, keys=[key, 100 + key])
        rows, columns = np.nonzero(batch.image[0])
        own, all_, dots = batch.boxes[0], [], []
        for label, source, array, share in zip(
            own.labels, own.columns["source"], own.array.tolist(), own.visibility, strict=True
        ):
            (all_ if label == "all" else dots).append((int(source), array, share))
        x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        area = (x1 - x0) * (y1 - y0) / 256
        assert next(a for s, a, _ in all_ if s == 1) == [x0, y0, x1, y1], "of the partner's frame the box is seen"
        assert [share for _, _, share in all_] == pytest.approx([1 - area, area])
        # The dot of 4 pixels: of each sample as much as is seen of it.
        seen = sum(bool(batch.image[0][y, x]) for y in (7, 8) for x in (7, 8)) / 4
        found = {source: share for source, _, share in dots}
        assert found.get(1, 0.0) == pytest.approx(seen)
        assert found.get(0, 0.0) == pytest.approx(1 - seen)


def test_a_box_behind_a_strip_shrinks() -> None:
    # By hand: a strip over columns 4 to 9 of a box from 0 to 8 leaves its columns 0 to 4.
    from imagemill.engine.blending.blended_boxes import covered

    left, share = covered(np.array([[-0.5, -0.5, 7.5, 7.5]]), np.array([[-1, 20], [4, 10]]))
    assert left.tolist() == [[-0.5, -0.5, 7.5, 3.5]]
    assert share.tolist() == [0.5]
    left, share = covered(np.array([[-0.5, -0.5, 7.5, 7.5]]), np.array([[-1, 20], [-3, 10]]))
    assert share.tolist() == [0.0]


def test_mosaic_puts_corners_at_the_point_and_carries_everything() -> None:
    sizes = ((4, 6), (5, 3), (2, 2), (7, 7))
    images = [np.full(size, 10 * (i + 1), np.uint8) for i, size in enumerate(sizes)]
    boxes = [im.Boxes([[0, 0, w, h]], labels=[i]) for i, (h, w) in enumerate(sizes)]
    points = [im.Keypoints([[0, 0], [w - 1, h - 1]]) for h, w in sizes]
    batch = im.Pipeline([im.Mosaic((10, 12), {"y": 0.4, "x": 0.5}, fill=114)], seed=1).batch(
        images, mask=images, boxes=boxes, keypoints=points
    )
    # The point is row 4, column 6: the first picture fills what is above and left of it, the fourth is cut.
    wanted = np.full((10, 12), 114)
    wanted[0:4, 0:6] = 10
    wanted[0:4, 6:9] = 20  # its lower 4 of 5 rows
    wanted[4:6, 4:6] = 30
    wanted[4:10, 6:12] = 40  # 6 of 7 rows and columns
    np.testing.assert_array_equal(batch.image[0], wanted)
    np.testing.assert_array_equal(batch.mask[0], np.where(wanted == 114, 0, wanted))
    assert batch.boxes[0].array.tolist() == [[0, 0, 6, 4], [6, 0, 9, 4], [4, 4, 6, 6], [6, 4, 12, 10]]
    assert batch.boxes[0].visibility.tolist() == pytest.approx([1, 0.8, 1, 36 / 49])
    assert batch.boxes[0].columns["source"].tolist() == [0, 1, 2, 3]
    assert batch.keypoints[0].array.tolist() == [
        [0, 0], [5, 3], [6, -1], [8, 3], [4, 4], [5, 5], [6, 4], [12, 10],
    ]  # fmt: skip
    assert batch.keypoints[0].visible.tolist() == [True, True, False, True, True, True, True, False]


def test_labels_of_a_mosaic_are_shares_of_what_is_seen() -> None:
    images = np.zeros((4, 8, 8), np.uint8)
    batch = im.Pipeline([im.Mosaic((8, 8), {"y": 0.5, "x": 0.25}, classes=4)], seed=1).batch(images, label=range(4))
    assert batch.label[0].tolist() == [0.125, 0.375, 0.125, 0.375]


def test_copy_paste_by_instance_masks() -> None:
    images = [np.zeros((6, 6), np.uint8), np.full((6, 6), 9, np.uint8)]
    planes = np.zeros((2, 6, 6, 2), np.uint8)
    planes[1, 1:3, 1:3, 0] = 1
    planes[1, 4:6, 0:6, 1] = 1
    planes[0, 0:3, 0:3, 0] = 1
    boxes = [im.Boxes([[0, 0, 3, 3]], labels=["own"]), im.Boxes([[1, 1, 3, 3], [0, 4, 6, 6]], labels=["a", "b"])]
    given: dict[str, Any] = {
        "instances": [np.moveaxis(planes[0][..., :1], -1, 0), np.moveaxis(planes[1], -1, 0)],
        "boxes": boxes,
    }
    batch = im.Pipeline([im.CopyPaste(1)], seed=1).batch(images, **given)
    wanted = np.where(planes[1].any(axis=-1), 9, 0)
    np.testing.assert_array_equal(batch.image[0], wanted)
    found = batch.boxes[0]
    assert found.labels == ["own", "a", "b"]
    assert found.array.tolist() == [[0, 0, 3, 3], [1, 1, 3, 3], [0, 4, 6, 6]]
    assert found.visibility.tolist() == pytest.approx([5 / 9, 1, 1])
    assert batch.instances[0].visibility.tolist() == pytest.approx([5 / 9, 1, 1])
    for number, index in enumerate(found.index.tolist()):
        plane = batch.instances[0].array[number]
        assert batch.instances[0].index[number] == index
        left, top, right, bottom = map(int, found.array[number])
        assert plane.any()
        assert not plane[[y for y in range(6) if not top <= y < bottom]].any()
        assert not plane[:, [x for x in range(6) if not left <= x < right]].any()
    assert batch.instances[0].area.tolist() == [5, 4, 12], "what is hidden of its own is gone from its mask"


def test_each_object_is_pasted_as_often_as_its_share_says() -> None:
    n = 1000
    mask = np.zeros((n, 4, 4), np.uint8)
    mask[:, 0, 0], mask[:, 3, 3] = 1, 2
    images = (np.arange(n) % 2 * 9)[:, None, None] * np.ones((4, 4), np.uint8)
    batch = im.Pipeline([im.CopyPaste(0.3)], seed=1).batch(images.astype(np.uint8), mask=mask)
    seen = batch.image[::2] == 9
    assert [seen[:, 0, 0].mean(), seen[:, 3, 3].mean()] == pytest.approx([0.3, 0.3], abs=0.05)
    assert (seen[:, 0, 0] & seen[:, 3, 3]).mean() == pytest.approx(0.09, abs=0.03)


def test_boxes_alone_are_pasted_as_boxes_and_cut_out_by_a_map() -> None:
    images = [np.zeros((6, 6), np.uint8), np.full((6, 6), 9, np.uint8)]
    boxes = [im.Boxes(np.zeros((0, 4)), labels=[]), im.Boxes([[1, 1, 4, 3]], labels=["cat"])]
    alone = im.Pipeline([im.CopyPaste(1)], seed=1).batch(images, boxes=boxes)
    assert alone.image[0].sum() == 6 * 9
    mask = np.zeros((2, 6, 6), np.uint8)
    mask[1, 2] = 5
    cut = im.Pipeline([im.CopyPaste(1)], seed=1).batch(images, boxes=boxes, mask=mask)
    assert np.argwhere(cut.image[0]).tolist() == [[2, 1], [2, 2], [2, 3]]
    assert cut.mask[0][2].tolist() == [0, 5, 5, 5, 0, 0]
    assert cut.boxes[0].labels == ["cat"]


def test_mixup_keeps_boxes_of_both_with_weights() -> None:
    boxes = [im.Boxes([[0, 0, 4, 4]], labels=["a"]), im.Boxes([[2, 2, 9, 9]], labels=["b"])]
    batch = im.Pipeline([im.MixUp(weight=0.7)], seed=1).batch(PHOTOS[:2], boxes=boxes)
    assert batch.boxes[0].labels == ["a", "b"]
    assert batch.boxes[0].columns["weight"].tolist() == pytest.approx([0.7, 0.3])
    assert batch.boxes[0].index.tolist() == [0, 1]


def test_what_is_behind_a_mosaic_moves_all_of_it() -> None:
    images = [np.full((8, 8), i + 1, np.uint8) for i in range(4)]
    boxes = [im.Boxes([[0, 0, 8, 8]], labels=[i]) for i in range(4)]
    made = im.Pipeline([im.Mosaic((8, 8), 0.5), im.Flip("x")], seed=1).batch(images, boxes=boxes)
    assert made.image[0][0].tolist() == [2] * 4 + [1] * 4
    assert made.boxes[0].array.tolist() == [[4, 0, 8, 4], [0, 0, 4, 4], [4, 4, 8, 8], [0, 4, 4, 8]]


def test_one_of_mixes_what_came_and_not_what_the_other_made() -> None:
    pipe = im.Pipeline([im.OneOf([im.MixUp(weight=0.5, classes=3), im.CutMix(area=0.3, classes=3)])], seed=4)
    batch = pipe.batch(PHOTOS, label=LABELS)
    chosen = [batch.applied[i][0].name for i in range(6)]
    assert len(set(chosen)) == 2
    for i, name in enumerate(chosen):
        if name == "CutMix":
            own, partner = (batch.image[i] == PHOTOS[j] for j in (i, i ^ 1))
            assert (own | partner).all()
        else:
            assert np.abs(batch.image[i] - (PHOTOS[i] / 2 + PHOTOS[i ^ 1] / 2)).max() <= 0.5


def test_a_sample_that_is_not_chosen_stays_and_its_label_is_its_own() -> None:
    batch = im.Pipeline([im.MixUp(weight=0.5, classes=3, p=0.5)], seed=4).batch(PHOTOS, label=LABELS)
    stay = [i for i in range(6) if not batch.applied[i]]
    assert 0 < len(stay) < 6
    for i in stay:
        np.testing.assert_array_equal(batch.image[i], PHOTOS[i])
        np.testing.assert_array_equal(batch.label[i], np.eye(3)[LABELS[i]])


def test_the_last_of_an_odd_batch_stays_itself_and_says_so() -> None:
    batch = im.Pipeline([im.MixUp(weight=0.5)], seed=4).batch(PHOTOS[:3])
    np.testing.assert_array_equal(batch.image[2], PHOTOS[2])
    assert [recipe.partners for recipe in batch.recipe] == [(1,), (0,), (None,)]
    assert im.Recipe.from_dict(batch.recipe[2].to_dict()) == batch.recipe[2]


def test_pairs_and_quantities() -> None:
    pipe = im.Pipeline([im.MixUp(weight=0.75, labels="pairs")], seed=4)
    assert pipe.batch(PHOTOS[:2], label=["cat", "dog"]).label == [("cat", "dog", 0.75), ("dog", "cat", 0.75)]
    price = im.Pipeline([im.MixUp(weight=0.75)], seed=4).batch(PHOTOS[:2], label=[10.0, 20.0]).label
    assert [float(one) for one in price] == [12.5, 17.5]


def test_a_single_call_takes_its_partner_and_says_so_where_it_is_missing() -> None:
    pipe = im.Pipeline([im.CutMix(classes=3)], seed=4)
    batch = pipe.batch(PHOTOS[:2], label=[0, 1], keys=["a", "b"])
    alone = pipe(image=PHOTOS[0], label=0, key="a", partner={"image": PHOTOS[1], "label": 1, "key": "b"})
    np.testing.assert_array_equal(alone.image, batch.image[0])
    np.testing.assert_array_equal(alone.label, batch.label[0])
    assert alone.recipe == batch.recipe[0]
    with pytest.raises(InputError, match=r"a partner for CutMix, got a sample alone.*pipe.batch\(images"):
        pipe(PHOTOS[0])
    with pytest.raises(InputError, match="a sample alone"):
        pipe.batch(PHOTOS[:1])
    with pytest.raises(InputError, match="expected no partner"):
        im.Pipeline([im.Flip("x")], seed=1)(PHOTOS[0], partner=PHOTOS[1])
    with pytest.raises(InputError, match="expected 3 partners for Mosaic, got 1"):
        im.Pipeline([im.Mosaic(8)], seed=1)(PHOTOS[0], partner=PHOTOS[1])
    with pytest.raises(InputError, match="partners that it was mixed with"):
        pipe.replay(batch.recipe[0], PHOTOS[0], label=0)


def test_what_cannot_be_mixed_says_what_to_do() -> None:
    mix = im.Pipeline([im.MixUp()], seed=1)
    with pytest.raises(InputError, match=r"how many classes.*MixUp\(classes=10\)"):
        mix.batch(PHOTOS, label=LABELS)
    with pytest.raises(TargetError, match=r"no label map 'mask' to go through MixUp.*CutMix"):
        mix.batch(PHOTOS, mask=PHOTOS[..., 0])
    with pytest.raises(InputError, match=r"one size to mix, got \(12, 12\) and \(12, 16\); put Resize"):
        mix.batch([PHOTOS[0], PHOTOS[1][:, :12]])
    with pytest.raises(InputError, match="from 0 to 1, got 2"):
        im.Pipeline([im.MixUp(classes=2)], seed=1).batch(PHOTOS, label=LABELS)
    with pytest.raises(InputError, match="one of cat, dog, got 'cow'"):
        im.Pipeline([im.MixUp(classes=("cat", "dog"))], seed=1).batch(PHOTOS[:2], label=["cat", "cow"])
    with pytest.raises(TargetError, match="pass them as instance masks"):
        im.Pipeline([im.CutMix()], seed=1).batch(PHOTOS[:2], polygons=[[[(0, 0), (4, 0), (4, 3)]]] * 2)
    with pytest.raises(InputError, match="tell what objects are"):
        im.Pipeline([im.CopyPaste()], seed=1).batch(PHOTOS[:2])
    with pytest.raises(ParameterError, match="four labels and no pair"):
        im.Mosaic(8, labels="pairs")
    made = im.Pipeline([im.MixUp()], seed=1).batch(PHOTOS[:3])
    with pytest.raises(InputError, match="a sample of one source"):
        made.recipe and made.geometry[0].seen()  # type: ignore[index]
    assert made.geometry[2].seen().all()  # type: ignore[index]


def test_advice_on_sizes_works_when_followed() -> None:
    pipe = im.Pipeline([im.Resize((8, 8)), im.MixUp()], seed=1)
    assert pipe.batch([PHOTOS[0], PHOTOS[1][:, :12]]).image.shape == (2, 8, 8, 3)


def test_volumes_mix() -> None:
    scans = [im.Image(picture(i, (5, 6, 7), None, np.float32), "zyx") for i in range(2)]
    masks = [im.Mask((scan.array > 0.5).astype(np.uint8), "zyx") for scan in scans]
    batch = im.Pipeline([im.CutMix(area=0.4)], seed=3).batch(scans, mask=masks)
    np.testing.assert_array_equal(batch.mask[0], batch.image[0] > 0.5)
    with pytest.raises(InputError, match="pictures for a Mosaic"):
        im.Pipeline([im.Mosaic(8)], seed=3).batch(scans)


def test_explain_names_it() -> None:
    said = im.Pipeline([im.Rotate((-9, 9)), im.CutMix(), im.Normalize(0.5, 0.5)], seed=1).explain((16, 16, 3))
    assert "blend, regions of 2 samples" in said
    assert "from    CutMix" in said


def test_maps_and_second_images_are_mixed_as_the_first_is() -> None:
    shares = np.eye(3, dtype=np.float32)[RNG.integers(0, 3, (2, 12, 16))]
    depth = RNG.random((2, 12, 16)).astype(np.float32)
    given: dict[str, Any] = {"shares": [im.Map(one, "yxc") for one in shares], "depth": [im.Image(d) for d in depth]}
    batch = im.Pipeline([im.Flip("x"), im.MixUp(weight=0.75)], seed=1).batch(PHOTOS[:2], **given)
    np.testing.assert_allclose(batch.shares[0], (0.75 * shares[0] + 0.25 * shares[1])[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(batch.depth[0], (0.75 * depth[0] + 0.25 * depth[1])[:, ::-1], atol=1e-6)
    size = {"shares": [im.Map(np.ones((2, 2), np.float32), fill=-1)] * 4}
    made = im.Pipeline([im.Mosaic((6, 6), 0.5, fill=7)], seed=1).batch(np.zeros((4, 2, 2), np.uint8), **size)
    assert (made.image[0] == 7).sum() == 36 - 16
    assert (made.shares[0] == -1).sum() == 36 - 16
    with pytest.raises(TargetError, match="mixes samples; leave images= out"):
        im.Pipeline([im.MixUp(images=["image"])], seed=1).batch(PHOTOS[:2], **given)
