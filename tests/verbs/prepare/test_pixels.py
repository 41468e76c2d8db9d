"""Sizes, values, and what moves along: each against a plain calculation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.data import RLE, Instance, Picture, Record, write_picture
from imagemill.verbs.prepare import area_average, build
from imagemill.verbs.prepare.annotations_in_frame import decoded_rle, encoded_runs, moved
from imagemill.verbs.prepare.class_numbers import plan_labels, smallest
from imagemill.verbs.prepare.common_frame import place, read_size
from imagemill.verbs.prepare.fitting import Values, resized, value_plan

FITS = ("crop", "pad", "stretch")
sides = st.integers(2, 60)


def averaged(values: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Means over areas, by repeating every pixel until the sizes divide."""
    for axis, length in enumerate(shape):
        fine = np.repeat(values, length, axis=axis)
        split = (*fine.shape[:axis], length, values.shape[axis], *fine.shape[axis + 1 :])
        values = fine.reshape(split).mean(axis=axis + 1)
    return values


@given(st.integers(6, 30), st.integers(6, 30), st.integers(2, 6), st.integers(2, 6))
def test_shrinking_averages_areas(h: int, w: int, th: int, tw: int) -> None:
    values = np.random.default_rng(h * w).random((h, w, 3)).astype(np.float32)
    made = resized(Picture(values, "yxc"), place((h, w), (th, tw), "stretch"))
    np.testing.assert_allclose(made, averaged(values.astype(float), (th, tw)), atol=2e-6)
    volume = Picture(values, "zyx")
    made = resized(volume, place((h, w, 3), (th, tw, 2), "stretch"))
    np.testing.assert_allclose(made, averaged(values.astype(float), (th, tw, 2)), atol=2e-6)


def rounded_averages(values: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Averages over areas, rounded half up, in whole numbers: every pixel is repeated until the sizes divide."""
    sums, area = values.astype(object), 1
    for axis, length in enumerate(shape):
        area *= values.shape[axis]
        fine = np.repeat(sums, length, axis=axis)
        sums = fine.reshape(*fine.shape[:axis], length, values.shape[axis], *fine.shape[axis + 1 :]).sum(axis=axis + 1)
    return ((2 * sums + area) // (2 * area)).astype(values.dtype)


@given(
    st.sampled_from(["uint8", "uint16", "int16"]),
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.sampled_from([(), (1,), (2,), (3,), (4,), (5,)]),
    st.booleans(),
)
def test_averages_of_whole_numbers_are_exact_compiled_and_not(
    dtype: str, old: tuple[int, int], share: tuple[float, float], channels: tuple[int, ...], ends: bool
) -> None:
    kind = np.iinfo(dtype)
    rng = np.random.default_rng([*old, *channels])
    # Values at the ends of the range have the largest sums; among small ones there are halves to round.
    low, high = (kind.min, kind.max) if ends else (-3, 3) if kind.min else (0, 4)
    values = rng.integers(low, high, (*old, *channels), dtype, endpoint=True)
    new = tuple(max(1, round(length * part)) for length, part in zip(old, share, strict=True))
    wanted = rounded_averages(values, new)
    for compiled in (False, True):
        made = area_average.averaged(values, new, compiled=compiled)
        assert made.dtype == values.dtype
        np.testing.assert_array_equal(made, wanted)


def test_averages_hold_where_sums_are_largest() -> None:
    white = np.full((1, 70_000), 65_535, np.uint16)
    for compiled in (False, True):
        assert area_average.averaged(white, (1, 69_999), compiled=compiled).min() == 65_535


@pytest.mark.parametrize("shape", [(20, 30), (7, 9), (43, 3), (1, 61)])
def test_photos_are_averaged_where_they_lie(shape: tuple[int, int]) -> None:
    """A part of a photo, one that was turned, one that may not be written to, and one with a channel left out."""
    photo = np.random.default_rng(0).integers(0, 256, (70, 80, 4), np.uint8)
    plain = np.ascontiguousarray(photo[..., :3])
    for part in (plain[5:48, 7:68], plain[60:17:-1, 70:9:-1], plain[:61, :43].swapaxes(0, 1), photo[5:48, 7:68, :3]):
        kept = part.copy()
        part.flags.writeable = False
        wanted = rounded_averages(kept, shape)
        np.testing.assert_array_equal(area_average.averaged(part, shape, compiled=True), wanted)


def test_sums_of_a_photo_fit_32_bits_up_to_the_largest() -> None:
    # 255 times the number of pixels is just below 2**32; beyond it the sums are of another type.
    for height in (4104, 4105):
        white = np.broadcast_to(np.uint8(255), (height, 4104, 3))
        assert area_average.averaged(white, (1, 1), compiled=True).tolist() == [[[255, 255, 255]]]


def test_pixels_do_not_depend_on_how_many_photos_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (50, 61, 3), np.uint8)
    write_picture(tmp_path / "in/a.png", Picture(pixels, "yxc"))
    made = []
    for many in (1, 100):
        monkeypatch.setattr(build, "_MANY", many)
        im.prepare(tmp_path / "in", tmp_path / f"out{many}", size=20, split=(1.0, 0, 0))
        made.append((tmp_path / f"out{many}/train.arrow").read_bytes())
    assert made[0] == made[1]


def test_enlarging_is_the_cubic_spline_of_the_engine() -> None:
    values = np.random.default_rng(0).integers(0, 256, (9, 11), dtype=np.uint8)
    made = resized(Picture(values, "yx"), place((9, 11), (20, 33), "stretch"))
    wanted = im.Pipeline([im.Resize((20, 33), order=3)], seed=0)(values)
    np.testing.assert_array_equal(made, wanted)


@given(sides, sides, sides, sides, st.sampled_from(FITS))
def test_pixels_masks_boxes_and_points_share_one_geometry(h: int, w: int, th: int, tw: int, fit: Any) -> None:
    placing = place((h, w), (th, tw), fit)
    assert resized(Picture(np.ones((h, w), np.uint8), "yx"), placing).shape == (th, tw)
    boxes, points = im.Boxes([[1, 0, w, h - 0.5]]), im.Keypoints([[w / 3, h / 2]])
    mask = im.Mask(np.arange(h * w).reshape(h, w))
    there = placing.pipeline((h, w))(mask=mask, boxes=boxes, keypoints=points, key=0)
    assert there.mask.shape == (th, tw)
    pull = placing.pull()
    x, y = there.keypoints.array[0]
    np.testing.assert_allclose((pull @ [y, x, 1])[:2], [h / 2, w / 3], atol=1e-9)
    thing = Instance("a", (1.0, 0.0, w - 1.0, h - 0.5), keypoints=((w / 3, h / 2, 2),))
    found = moved([thing], {"a": 0}, placing, (h, w))
    if len(there.boxes):
        np.testing.assert_allclose(found[0]["box"], there.boxes.array[0], atol=1e-9)
        if found[0]["joints"][0][2]:
            np.testing.assert_allclose(found[0]["joints"][0][:2], [x, y], atol=1e-9)


def test_fits() -> None:
    tall = np.full((40, 20), 200, np.uint8)
    padded = resized(Picture(tall, "yx"), place((40, 20), (10, 10), "pad"))
    assert (padded[:, :2] == 0).all()
    assert (padded[:, 8:] == 0).all()
    assert (padded[:, 2:7] == 200).all()
    rows = np.repeat(np.arange(40, dtype=np.uint8)[:, None], 20, axis=1)
    cropped = resized(Picture(rows, "yx"), place((40, 20), (10, 10), "crop"))
    assert cropped[0, 0] in (10, 11)
    assert cropped[-1, 0] in (28, 29)
    assert read_size((4, 5), (9, 8, 7)) == (9, 4, 5)
    with pytest.raises(im.InputError, match="three lengths are for volumes"):
        read_size((1, 2, 3), (4, 5))


@pytest.mark.parametrize(
    ("dtype", "normalize", "given_values", "wanted"),
    [
        ("uint8", "none", np.array([0, 65535, 257], np.uint16), [0, 255, 1]),
        ("uint16", "none", np.array([0, 255, 1], np.uint8), [0, 65535, 257]),
        ("float32", "unit", np.array([0, 65535], np.uint16), [0, 1]),
        ("float16", "symmetric", np.array([0, 255], np.uint8), [-1, 1]),
        ("float32", "none", np.array([-5, 7], np.int16), [-5, 7]),
        ("float32", "minmax", np.array([-5, 5, 0], np.int16), [0, 1, 0.5]),
        ("float32", "minmax", np.array([3, 3], np.int16), [0, 0]),
        ("uint8", "none", np.array([True, False]), [255, 0]),
    ],
)
def test_values(dtype: str, normalize: str, given_values: Any, wanted: list[float]) -> None:
    made = Values(dtype, normalize).of(given_values, "yx")
    assert made.dtype == dtype
    np.testing.assert_array_equal(made, np.array(wanted, dtype))


def test_values_that_would_be_guessed_are_refused() -> None:
    signed = np.zeros((2, 2), np.int16)
    for dtype, normalize in (("uint8", "none"), ("float32", "unit")):
        with pytest.raises(im.CodecError, match="without sign"):
            Values(dtype, normalize).of(signed, "yx")
    with pytest.raises(im.CodecError, match="got colour"):
        Values("float32", "minmax").of(np.zeros((2, 2, 3), np.uint8), "yxc")
    with pytest.raises(im.CodecError, match="float16 holds"):
        Values("float16").of(np.array([70000], np.int32), "yx")
    with pytest.raises(im.InputError, match="floating dtype for normalize"):
        value_plan("uint8", "unit", standardized=False, first=Picture(np.zeros((2, 2), np.uint8), "yx"))
    assert (
        value_plan(None, "none", standardized=False, first=Picture(np.zeros((2, 2), np.uint16), "yx")).dtype == "uint16"
    )
    assert (
        value_plan(None, "unit", standardized=False, first=Picture(np.zeros((2, 2), np.uint8), "yx")).dtype == "float32"
    )


def test_outlines_are_cut_at_the_frame_and_things_outside_dropped() -> None:
    placing = place((10, 20), (10, 10), "crop")
    square = (0.0, 2.0, 10.0, 2.0, 10.0, 6.0, 0.0, 6.0)
    thing = Instance("a", (0.0, 2.0, 10.0, 4.0), (square,), RLE(10, 20, (0, 100, 100)), ((0.0, 3.0, 2), (7.0, 3.0, 1)))
    gone = Instance("a", (0.0, 0.0, 4.0, 4.0))
    found = moved([gone, thing], {"a": 3}, placing, (10, 20))
    assert len(found) == 1
    one = found[0]
    assert (one["index"], one["category"], one["box"]) == (1, 3, [0.0, 2.0, 5.0, 6.0])
    outline = np.array(one["polygons"][0]).reshape(-1, 2)
    assert outline.min(axis=0).tolist() == [0, 2]
    assert outline.max(axis=0).tolist() == [5, 6]
    assert one["joints"] == [[0, 0, 0], [2, 3, 1]]
    assert decoded_rle(one["runs"], (10, 10))[:, :5].all()
    assert sum(one["runs"]) == 100
    with pytest.raises(im.CodecError, match="finite coordinates"):
        moved([Instance("a", (0.0, float("nan"), 1.0, 1.0))], {"a": 0}, placing, (10, 20))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 1 << 30))
def test_runs_come_back(h: int, w: int, seed: int) -> None:
    mask = np.random.default_rng(seed).integers(0, 2, (h, w)).astype(np.uint8)
    np.testing.assert_array_equal(decoded_rle(encoded_runs(mask), (h, w)), mask)


def labelled(*given_labels: Any) -> list[Record]:
    return [
        Record(
            f"{n}",
            Path(f"{n}"),
            label=None if isinstance(label, tuple) else label,
            labels=label if isinstance(label, tuple) else None,
        )
        for n, label in enumerate(given_labels)
    ]


def test_labels_as_numbers() -> None:
    records = labelled("c10", "c9", "c10")
    plan = plan_labels(records, (), None, "raise")
    assert (plan.classes, plan.dtype, [plan.value(r) for r in records]) == (("c9", "c10"), "uint8", [1, 0, 1])
    assert plan_labels(records, ("c10", "x", "c9"), None, "raise").value(records[1]) == 2
    assert plan_labels(records, (), "one-hot", "raise").value(records[0]) == [0, 1]
    several = labelled(("b", "a"), (), ("a",))
    plan = plan_labels(several, (), None, "raise")
    assert [plan.value(r) for r in several] == [[1, 1], [0, 0], [1, 0]]
    tree = labelled("dog/beagle/old", "cat/manx/young")
    assert plan_labels(tree, (), "level:1", "raise").classes == ("cat", "dog")
    assert plan_labels(tree, (), "level:2", "raise").classes == ("cat/manx", "dog/beagle")
    assert plan_labels(labelled(None), (), None, "raise").form == "none"
    assert [smallest(n) for n in (1, 256, 257, 65536, 65537)] == ["uint8", "uint8", "uint16", "uint16", "uint32"]


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(im.SourceError, match="got none for 1: 1"):
        plan_labels(labelled("a", None), (), None, "raise")
    assert plan_labels(labelled("a", None), (), None, "null").value(labelled("a", None)[1]) is None
    with pytest.raises(im.SourceError, match="among the source's 1 classes, got b"):
        plan_labels(labelled("a", "b"), ("a",), None, "raise")
    with pytest.raises(im.SourceError, match="at least 2 levels"):
        plan_labels(labelled("a/b", "c"), (), "level:2", "raise")
    with pytest.raises(im.InputError, match="index, one-hot, multi or level:N"):
        plan_labels(labelled("a"), (), "level:0", "raise")
