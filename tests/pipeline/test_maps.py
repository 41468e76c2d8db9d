"""Maps of numbers: moved as a floating-point image is, and touched by nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.ndimage as ndi

import imagemill as im
from imagemill.core.image_ops import Erase
from imagemill.testing import label_map, picture
from imagemill.testing.each import SHIPPED, example_of

SHAPE = (16, 20)
RNG = np.random.default_rng(3)
DEPTH = RNG.random(SHAPE).astype(np.float32)
HEAT = RNG.random((*SHAPE, 5)).astype(np.float32)
PHOTO = picture(1, SHAPE, 3)

GIVEN: dict[str, Any] = {"mask": label_map(1, SHAPE), "boxes": im.Boxes([[4, 4, 14, 12]], labels=["cat"])}
"""What some transforms go by."""
CASES = [
    t for t in map(example_of, SHIPPED)
    if not isinstance(t, im.Orient | im.ForegroundCrop | im.MaskDropout) and t.traits().group == 1
]  # fmt: skip
"""All but what goes by the values of the image, hides by itself or mixes samples, and has tests of its own."""


@pytest.mark.parametrize("transform", CASES, ids=[type(t).__name__ for t in CASES])
def test_geometry_moves_a_map_as_it_moves_a_float_image_and_all_else_leaves_it(transform: im.Transform) -> None:
    maps = {"depth": im.Map(DEPTH), "heat": im.Map(HEAT, "yxc")}
    out = im.Pipeline([transform], seed=1)(image=PHOTO, key=1, **maps, **GIVEN)
    assert (out.depth.dtype, out.heat.dtype) == (np.float32, np.float32)
    one = transform if not transform.children() else transform.children()[0]
    if one.traits().moves or isinstance(one, im.GridShuffle):  # which exchanges parts without a map
        # The same geometry on images that are nothing but the map's values.
        alone = im.Pipeline([transform], seed=1)(image=DEPTH, key=1, **GIVEN)
        np.testing.assert_allclose(out.depth, alone.image, atol=1e-5)
        many = im.Pipeline([transform], seed=1)(image=im.Image(HEAT, "yxc"), key=1, **GIVEN)
        np.testing.assert_allclose(out.heat, many.image, atol=1e-5)
    elif not transform.children():
        np.testing.assert_array_equal(out.depth, DEPTH)
        wanted = HEAT.transpose(2, 0, 1) if isinstance(transform, im.ToLayout) and out.heat.shape[0] == 5 else HEAT
        np.testing.assert_array_equal(out.heat, wanted)


def test_a_turn_is_scipys_turn_and_its_corners_show_the_fill_of_the_map() -> None:
    pipe = im.Pipeline([im.Rotate(30, border="constant", fill=200, mask_fill=255), im.Brightness(1.5)], seed=1)
    out = pipe(image=PHOTO, depth=im.Map(DEPTH, fill=-1.0))
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    pull = np.array([[c, s], [-s, c]])
    centre = (np.array(SHAPE) - 1) / 2
    wanted = ndi.affine_transform(
        DEPTH.astype(np.float64), pull, centre - pull @ centre, order=1, mode="grid-constant", cval=-1.0
    )
    # OpenCV steps by 1/32 pixel.
    np.testing.assert_allclose(out.depth, wanted, atol=2 / 32)
    assert out.depth[0, 0] == -1.0


def test_padding_shows_the_fill_of_the_map_and_erasures_reach_it_where_they_reach_label_maps() -> None:
    labels = np.ones(SHAPE, np.uint8)
    padded = im.Pipeline([im.Pad(2, fill=9, mask_fill=7)], seed=1)(image=PHOTO, mask=labels, depth=im.Map(DEPTH))
    np.testing.assert_array_equal(padded.depth, np.pad(DEPTH, 2))
    for mask_fill, transform in (
        (None, im.Erasing(0.2)),
        (5, im.Erasing(0.2, mask_fill=5)),
        (5, im.PixelDropout(0.3, mask_fill=5)),
    ):
        out = im.Pipeline([transform], seed=1)(
            image=PHOTO, mask=labels, depth=im.Map(DEPTH, fill=-2.0), heat=im.Map(HEAT, "yxc"), key=1
        )
        hidden = out.mask == 5
        assert hidden.any() == (mask_fill is not None)
        np.testing.assert_array_equal(out.depth, np.where(hidden, np.float32(-2), DEPTH))
        np.testing.assert_array_equal(out.heat, np.where(hidden[..., None], np.float32(0), HEAT))


def test_an_order_of_its_own_makes_no_new_values() -> None:
    depth = np.where(DEPTH > 0.5, np.float32(4), np.float32(1))
    pipe = im.Pipeline([im.Rotate(25, order=3), im.Resize((8, 8))], seed=1)
    assert set(np.unique(pipe(image=PHOTO, depth=im.Map(depth, order=0)).depth)) == {1.0, 4.0}
    assert len(np.unique(pipe(image=PHOTO, depth=im.Map(depth)).depth)) > 4


def test_a_map_is_the_same_in_any_batch_step_by_step_and_replayed() -> None:
    steps: list[im.Transform] = [
        im.Flip("x", p=0.5), im.Brightness((0.5, 1.5)), im.GaussianBlur(1), im.Shift(pixels=(-3, 3), whole=True),
        im.Crop((8, 8)), im.ToDtype("float32"), im.ToLayout("channels_first"),
    ]  # fmt: skip
    pipe, keys = im.Pipeline(steps, seed=2), ["a", "b", "c"]
    maps = [im.Map(HEAT * k, "yxc") for k in (1, 2, 3)]
    batch = pipe.batch([PHOTO] * 3, heat=maps, keys=keys)
    assert batch.heat.shape == (3, 5, 8, 8)
    assert batch.heat.flags.c_contiguous
    for i, key in enumerate(keys):
        one = pipe(image=PHOTO, heat=maps[i], key=key)
        np.testing.assert_array_equal(one.heat, batch.heat[i])
        assert one.targets["heat"].axes == "cyx"
        np.testing.assert_array_equal(pipe.replay(one.recipe, image=PHOTO, heat=maps[i]).heat, one.heat)
        apart = pipe.replace(fuse=False)(image=PHOTO, heat=maps[i], key=key)
        np.testing.assert_array_equal(apart.heat, one.heat)


def test_predictions_of_a_map_come_back_by_its_own_fill() -> None:
    pipe = im.Pipeline([im.Flip("x"), im.Crop((8, 10), at="top_left"), im.Brightness(2)], seed=1)
    out = pipe(image=PHOTO, depth=im.Map(DEPTH, fill=-1.0))
    back = out.inverse(depth=out.depth)["depth"]
    wanted = np.full(SHAPE, -1.0, np.float32)
    wanted[:8, -10:] = DEPTH[:8, -10:]
    np.testing.assert_array_equal(back, wanted)
    rows = pipe.batch([PHOTO], depth=[im.Map(DEPTH, fill=-1.0)])
    np.testing.assert_array_equal(rows.inverse(depth=[im.Map(rows.depth[0], fill=-1.0)])["depth"][0], wanted)


def test_gaps_are_read_as_in_images() -> None:
    depth = DEPTH.copy()
    depth[3, 4] = np.nan
    with pytest.warns(UserWarning, match="1 of 320 values of an image are NaN or infinite"):
        out = im.Pipeline([im.Shift(pixels={"x": 0.5})], seed=1)(image=PHOTO, depth=im.Map(depth))
    filled = np.where(np.isnan(depth), np.nanmin(depth), depth)
    np.testing.assert_allclose(out.depth[:, 1:], (filled[:, 1:] + filled[:, :-1]) / 2, atol=1e-6)


def test_volumes_and_whole_numbers() -> None:
    dose = np.arange(4 * 6 * 8, dtype=np.uint16).reshape(4, 6, 8)
    out = im.Pipeline([im.Flip("x"), im.Crop((4, 4), at="top_left")], seed=1)(
        image=im.Image(np.zeros((4, 6, 8), np.int16), "zyx"), dose=im.Map(dose, "zyx")
    )
    np.testing.assert_array_equal(out.dose, dose[:, :4, ::-1][:, :, :4])
    assert out.dose.dtype == np.uint16
    alone = im.Pipeline([im.Flip("x"), im.Brightness(0.5)], seed=1)(depth=im.Map(DEPTH))
    np.testing.assert_array_equal(alone.depth, DEPTH[:, ::-1])


REFUSED: list[tuple[Any, str]] = [
    (lambda: im.Map(np.zeros(SHAPE, bool)), "expected a map of .*float32.*, got bool; pass labels as Mask"),
    (lambda: im.Map(DEPTH, fill=np.nan), "map's fill as a finite number, got nan"),
    (lambda: im.Map(np.zeros(SHAPE, np.uint8), fill=-1), "finite number that uint8 holds, got -1"),
    (lambda: im.Map(DEPTH, order=2), "order of 0, 1, 3, 5 or None, got 2"),
    (
        lambda: im.Pipeline([], seed=1)(image=PHOTO, depth=DEPTH),
        r"write depth=.* Map\(\.\.\.\) for depth",
    ),
    (lambda: im.Pipeline([], seed=1)(image=PHOTO[..., 0], heat=im.Map(HEAT)), r"say its axes: Map\(array, axes="),
    (lambda: im.Pipeline([], seed=1)(image=PHOTO, depth=im.Map(DEPTH[1:])), "depth of the same size as the image"),
    (
        lambda: im.Pipeline([], seed=1).batch([PHOTO] * 2, depth=[im.Map(DEPTH), im.Map(DEPTH, fill=1)]),
        "one fill and one order in all of 'depth', 0 and None, as the first has, got 1 and None at position 1",
    ),
    (lambda: im.Mask(DEPTH), "pass soft masks as Map"),
]


@pytest.mark.parametrize(("wrong", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_map_is_refused(wrong: Any, words: str) -> None:
    with pytest.raises(im.InputError, match=words):
        wrong()


def test_an_erasure_of_its_plan_holds_the_fill() -> None:
    pipe = im.Pipeline([im.Erasing(0.2, mask_fill=3), im.Brightness(2)], seed=1)
    rows = {"image": [im.Image(PHOTO)], "depth": [im.Map(DEPTH, fill=-2.0)]}
    _, _, plan, own = pipe.planned(rows, [1], 0)
    assert [type(s).__name__ for s in plan.steps] == ["Alter", "Pass"]
    (only,) = own["depth"].steps
    assert isinstance(only.op, Erase)
    assert only.op.mask_fill == -2.0
