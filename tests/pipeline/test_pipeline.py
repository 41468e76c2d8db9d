"""The object users hold: what goes in, what comes out, and what it says when something does not fit."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.geometry import Frame
from imagemill.testing import label_map, picture

PHOTO = [im.Flip("x", p=0.5), im.Rotate((-10, 10)), im.Brightness((0.8, 1.2)), im.Resize((16, 20))]


def test_an_array_goes_in_and_an_array_comes_out() -> None:
    pipe = im.Pipeline(PHOTO, seed=1)
    for shape in ((30, 40), (30, 40, 1), (30, 40, 3), (30, 40, 4)):
        image = picture(1, shape[:2], *shape[2:])
        found = pipe(image)
        assert isinstance(found, np.ndarray)
        assert found.shape == (16, 20, *shape[2:])
        assert found.dtype == image.dtype


def test_targets_go_in_by_name_and_a_sample_comes_out() -> None:
    image, mask = picture(1, (30, 40), 3), label_map(1, (30, 40))
    found = im.Pipeline(PHOTO, seed=1)(
        image=image, mask=mask, boxes=[[5, 5, 20, 20]], keypoints=[[3, 4]], label="cat", key="a", epoch=3
    )
    assert isinstance(found, im.Sample)
    assert found.image.shape == (16, 20, 3)
    assert (found.mask.shape, found.mask.dtype) == ((16, 20), mask.dtype)
    assert isinstance(found.boxes, im.Boxes)
    assert isinstance(found.keypoints, im.Keypoints)
    assert (found.label, found.recipe.key, found.recipe.epoch, found.recipe.seed) == ("cat", "a", 3, 1)
    assert {a.name for a in found.applied} >= {"Rotate", "Brightness", "Resize"}
    np.testing.assert_allclose(found.affine, np.diag([1, 1, 1]) @ found.affine)
    # With a second target, a positional image makes a sample too.
    assert isinstance(im.Pipeline(PHOTO, seed=1)(image, mask=mask), im.Sample)


AXES = {
    "yxc": (10, 14, 3),
    "cyx": (3, 10, 14),
    "zyx": (5, 10, 14),
    "yxz": (10, 14, 5),
    "zyxc": (5, 10, 14, 2),
    "czyx": (2, 5, 10, 14),
    "yxzc": (10, 14, 5, 2),
}


@pytest.mark.parametrize("axes", AXES)
def test_axes_go_out_as_they_came_alone_and_in_batches(axes: str) -> None:
    array = np.random.default_rng(1).random(AXES[axes])
    pipe = im.Pipeline([im.Flip("y")], seed=1)
    wanted = np.flip(array, axes.index("y"))
    np.testing.assert_array_equal(pipe(array, axes=axes), wanted)
    np.testing.assert_array_equal(pipe(im.Image(array, axes)), wanted)
    batch = pipe.batch([array, array], axes=axes)
    np.testing.assert_array_equal(batch.image, [wanted, wanted])
    assert batch.image.flags.c_contiguous
    assert pipe(image=im.Image(array, axes)).targets["image"].axes == axes


@pytest.mark.parametrize(("layout", "shape"), [("channels_first", (3, 16, 20)), ("channels_last", (16, 20, 3))])
@pytest.mark.parametrize("axes", ["yxc", "cyx"])
def test_a_layout_that_was_asked_for_wins(layout: str, shape: tuple[int, ...], axes: str) -> None:
    image = picture(1, (30, 40), 3)
    pipe = im.Pipeline([*PHOTO, im.ToDtype("float32", scale=True), im.ToLayout(layout)], seed=1)
    given = image if axes == "yxc" else image.transpose(2, 0, 1)
    batch = pipe.batch([given] * 3, mask=[label_map(1, (30, 40))] * 3, keys=range(3), axes=axes)
    assert (batch.image.shape, batch.image.dtype, batch.image.flags.c_contiguous) == ((3, *shape), np.float32, True)
    assert (batch.mask.shape, batch.mask.dtype) == ((3, 16, 20), np.uint8)
    np.testing.assert_array_equal(pipe(given, axes=axes, key=1), batch.image[1])
    gray = pipe(image[..., 0])
    assert gray.shape == ((1, 16, 20) if layout == "channels_first" else (16, 20, 1))


def test_a_batch_of_any_sizes_is_one_block_of_memory() -> None:
    images = [picture(i, (20 + i, 30 - i), 3) for i in range(5)]
    masks = [label_map(i, (20 + i, 30 - i), np.int32) for i in range(5)]
    batch = im.Pipeline(PHOTO, seed=1).batch(
        images, mask=masks, boxes=[[[1, 1, 9, 9]]] * 5, label=list("abcde"), keys=list("vwxyz"), epoch=2
    )
    assert (batch.image.shape, batch.mask.shape, batch.mask.dtype) == ((5, 16, 20, 3), (5, 16, 20), np.int32)
    assert batch.image.flags.c_contiguous
    assert batch.image.base is None
    assert len(batch.boxes) == len(batch) == len(batch.recipe) == 5
    assert (batch.label, [r.key for r in batch.recipe]) == (list("abcde"), list("vwxyz"))
    assert {r.epoch for r in batch.recipe} == {2}
    assert batch.affine.shape == (5, 3, 3)


def test_one_array_of_images_is_a_batch_too() -> None:
    images = np.stack([picture(i, (8, 9), 3) for i in range(4)])
    batch = im.Pipeline([im.Invert()], seed=1).batch(images, mask=np.zeros((4, 8, 9), bool))
    np.testing.assert_array_equal(batch.image, 255 - images)
    assert batch.mask.dtype == bool


def test_without_keys_samples_count_up() -> None:
    pipe = im.Pipeline(PHOTO, seed=1)
    image = picture(1, (30, 40), 3)
    assert [pipe(image=image).recipe.key for _ in range(2)] == [0, 1]
    assert [r.key for r in pipe.batch([image] * 3).recipe] == [2, 3, 4]


def test_a_seed_that_was_not_given_is_made_once_and_shown() -> None:
    pipe = im.Pipeline([im.Flip("x")])
    assert f"seed={pipe.seed}" in repr(pipe)
    assert pipe.seed != im.Pipeline([im.Flip("x")]).seed


IMAGE = np.zeros((20, 24, 3), np.uint8)
PIPE = im.Pipeline([im.Flip("x")], seed=1)
REFUSED: list[tuple[Any, type[Exception], str]] = [
    (
        lambda: im.Pipeline(im.Flip("x")),
        im.ParameterError,
        r"one list of transforms, got Flip\(\.\.\.\) without brackets; write Pipeline\(\[Flip\(\.\.\.\)\]\)",
    ),
    (lambda: im.Pipeline(["Flip"]), im.ParameterError, "a list of transforms"),
    (lambda: im.Pipeline([], seed=-1), im.ParameterError, r"a seed from 0 to 2\*\*64 - 1, got -1"),
    (lambda: im.Pipeline([], seed=2**64), im.ParameterError, "a seed from 0"),
    (lambda: im.Pipeline([], seed=1.5), im.ParameterError, "a seed from 0"),
    (lambda: im.Pipeline([], seed=True), im.ParameterError, "a seed from 0"),
    (lambda: im.Pipeline([], backend="gpu"), im.ParameterError, "backend of 'cpu', 'reference', got 'gpu'"),
    (lambda: PIPE(IMAGE, image=IMAGE), im.InputError, "one by position and one by name; drop one"),
    (lambda: PIPE(boxes=[[0, 0, 1, 1]]), im.InputError, "an image, a mask or a map among the targets"),
    (lambda: PIPE(), im.InputError, "an image or other targets, got none"),
    (lambda: PIPE(None), im.InputError, "got none; pass image=.*cv2.imread gives None"),
    (lambda: PIPE(photo=IMAGE), im.InputError, r"'photo' to be wrapped.*photo=Image\("),
    (
        lambda: PIPE(image=IMAGE, mask=np.zeros((20, 23), int)),
        im.InputError,
        r"mask of the same size.*\(20, 24\).*\(20, 23\)",
    ),
    (lambda: PIPE(image=IMAGE, mask=np.zeros((20, 24))), im.InputError, "a mask of integers or bool, got float64"),
    (lambda: PIPE(np.zeros((5, 20, 24))), im.InputError, r"say its axes: Image\(array, axes=...\) with 'zyx'"),
    (lambda: PIPE(np.zeros((20, 24)), axes="zyx"), im.InputError, "axes='zyx' of the image to name the 2 axes"),
    (lambda: PIPE(IMAGE, axes="cyx"), None, ""),
    (
        lambda: PIPE.batch([IMAGE, IMAGE[:10]]),
        im.InputError,
        r"one output size for a batch, got 2 \(\(10, 24\), \(20, 24\).*Resize, Resample, Crop or RandomResizedCrop",
    ),
    (lambda: PIPE.batch([IMAGE], keys=[1, 2]), im.InputError, "expected 1 keys, one per sample, got 2"),
    (lambda: PIPE.batch([]), im.InputError, "at least one sample"),
    (lambda: PIPE.batch([IMAGE], label=[1, 2]), im.InputError, r"as many values in every column, got .*'label': 2"),
    (lambda: PIPE.batch([IMAGE], label="cat"), im.InputError, "label as a sequence with one value per sample, got str"),
    (
        lambda: PIPE.batch([IMAGE, IMAGE[..., 0]]),
        im.InputError,
        "order of axes in all of 'image', got 'yxc' and 'yx'",
    ),
    (
        lambda: PIPE.batch([IMAGE, IMAGE.astype(np.float32)]),
        im.InputError,
        "every image of a batch with 3 channels of uint8.*at position 1; bring all to one type first: array.astype",
    ),
    (lambda: PIPE(IMAGE, key=-1), im.InputError, "sample key of text or an integer"),
    (lambda: PIPE(IMAGE, epoch=-1), im.InputError, "an epoch from 0"),
    (lambda: im.Pipeline([im.Flip("z")], seed=1)(IMAGE), im.InputError, "one of the axes y, x, got 'z'"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_does_not_fit_is_refused_in_words(wrong: Any, error: Any, message: str) -> None:
    if error is None:
        # Twenty channels are unusual, and what was said.
        assert wrong().shape == (20, 24, 3)
        return
    with pytest.raises(error, match=message):
        wrong()


def brute_variants(listed: list[im.Transform], tries: int = 3000) -> int:
    """How many different outcomes are drawn: the numbers of the ops, whatever made them."""
    pipe = im.Pipeline(listed, seed=4)
    draft = pipe.draw(Frame.of(7, 9, channels=3, n=tries), range(tries))
    columns = []
    for _, op in draft.ops:
        parts = [
            getattr(op, name) for name in ("matrix", "params", "where", "window") if getattr(op, name, None) is not None
        ]
        columns += [np.asarray(p, np.float64).reshape(tries, -1) for p in parts]
    table = np.concatenate(columns, axis=1).round(9)
    return len(Counter(row.tobytes() for row in table))


COUNTED: list[list[im.Transform]] = [
    [im.Flip("x", p=0.5)],
    [im.Flip("x"), im.Invert()],
    [im.QuarterTurn(), im.Invert(p=0.3)],
    [im.Rotate(im.Choice((5, 10, 15)), p=0.5), im.Brightness(im.Choice((0.5, 2)))],
    [im.OneOf([im.Flip("x"), im.Flip("y"), im.Rotate(im.Choice((1, 2)))])],
    [im.OneOf([im.Flip("x"), im.Flip("y")], p=0.5), im.Invert(p=0.5)],
    [im.SomeOf([im.Flip("x"), im.Flip("y"), im.Invert()])],
    [im.SomeOf([im.Flip("x"), im.Brightness(im.Choice((0.5, 2))), im.Invert()], count=2)],
    [im.SomeOf([im.Flip("x"), im.Flip("y"), im.Invert()], count=(1, 2), p=0.5)],
    [im.Sequential([im.Flip("x", p=0.5), im.Invert(p=0.5)], p=0.5)],
    [im.ChannelGain(im.Choice((0.5, 2)))],
    [im.Shear(im.Choice((5, 10)))],
    [im.Zoom(im.Choice((0.5, 2)))],
    [im.Shift(pixels=im.Choice((-1, 1)))],
    [im.Shift(pixels={"x": im.Choice((-1, 1))})],
    [im.Affine(shift=im.Choice((-0.1, 0.1)), degrees=im.Choice((0, 10)))],
    [im.Shift(pixels=(-2, 2), whole=True)],
    [im.Shift(pixels=(-1.5, 1.5), whole=True)],
    [im.Shift(pixels={"y": im.Choice((0.1, 0.4, 1.2))}, whole=True)],
    [im.QuarterTurn(im.Choice((-1, 0, 3, 4)))],
    [im.SomeOf([im.Flip("x"), im.Flip("y"), im.Invert()], count=im.Choice((1, 3)))],
    [im.Flip("x", p=0)],
]


@pytest.mark.parametrize("listed", COUNTED, ids=range(len(COUNTED)))
def test_the_number_of_variants_is_that_of_what_can_be_drawn(listed: list[im.Transform]) -> None:
    found = brute_variants(listed)
    nested_coin = any(isinstance(t, im.Sequential) for t in listed)
    pipe = im.Pipeline(listed, seed=1)
    # A coin outside of coins can come to nothing in two ways, which count as two.
    assert pipe.variants == found + (1 if nested_coin else 0)
    assert f"different images that can come of one: {pipe.variants:,.0f}" in pipe.explain()


def test_a_continuous_parameter_has_no_number_of_variants() -> None:
    assert im.Pipeline(PHOTO, seed=1).variants == float("inf")
    assert "unlimited (a parameter is continuous)" in im.Pipeline(PHOTO, seed=1).explain()


def test_one_of_several_is_exactly_one_as_often_as_its_weight_says() -> None:
    pipe = im.Pipeline([im.OneOf([im.Flip("x"), im.Flip("y"), im.Invert()], weights=[1, 1, 2], p=0.8)], seed=1)
    batch = pipe.batch(np.zeros((2000, 2, 2), np.uint8), keys=range(2000))
    names = [[a.name for a in batch.applied[i]] for i in range(2000)]
    assert {len(n) for n in names} == {0, 1}
    # Four standard deviations of a share over 2000 samples are 0.045 at most.
    share = Counter(n[0] for n in names if n)
    assert abs(share["Invert"] / 2000 - 0.4) < 0.045
    assert abs(share["Flip"] / 2000 - 0.4) < 0.045


def test_some_of_several_are_distinct_and_in_their_order() -> None:
    listed = [im.Flip("x"), im.Invert(), im.Zoom(1.1), im.Shear(5)]
    pipe = im.Pipeline([im.SomeOf(listed, count=(1, 3))], seed=1)
    batch = pipe.batch(np.zeros((900, 4, 4), np.uint8), keys=range(900))
    names = [tuple(a.name for a in batch.applied[i]) for i in range(900)]
    order = [type(t).__name__ for t in listed]
    assert all(sorted(n, key=order.index) == list(n) and len(set(n)) == len(n) for n in names)
    counts = Counter(map(len, names))
    assert set(counts) == {1, 2, 3}
    assert min(counts.values()) > 240
    # Every subset of a size comes up.
    assert len(set(names)) == 4 + 6 + 4


HIDDEN = [
    im.Crop((4, 4), at="random"),
    im.Pad(size=99, at="random"),
    im.Elastic(0.2),
    im.Perspective(0.2),
    im.RandomResizedCrop(4, area=0.5, aspect=1),
]


@pytest.mark.parametrize("transform", HIDDEN, ids=lambda t: type(t).__name__)
def test_what_is_drawn_without_being_a_parameter_counts_too(transform: im.Transform) -> None:
    assert transform.variants() == float("inf")
    assert [f.rule for f in im.Pipeline([transform], seed=1).lint(evaluation=True)] == ["random-evaluation"]


def test_what_is_not_random_has_one_variant() -> None:
    fixed = [
        im.Crop((4, 4)),
        im.Pad(3),
        im.Elastic(0),
        im.Perspective(0),
        im.Rotate(5, plane="all"),
        im.Shift(pixels=1),
    ]
    assert [t.variants() for t in fixed] == [1.0] * 6
    assert im.Rotate(im.Choice((1, 2)), plane="all").variants() == 8


def test_explain_says_what_runs_with_which_ranges() -> None:
    said = im.Pipeline([*PHOTO, im.SomeOf([im.Invert()], p=0.25)], seed=9).explain()
    for line in (
        "5 transforms (4 random, 1 fixed), seed 9",
        "Flip               axis 'x'  for 50% of the images",
        "Rotate             degrees -10..10\n",
        "Brightness         factor 0.8..1.2",
        "SomeOf",
        "     1. Invert",
    ):
        assert line in said, line


def test_explain_with_a_shape_shows_the_steps() -> None:
    said = im.Pipeline([*PHOTO, im.Apply(np.invert, name="negative"), im.Rotate(5, order=3)], seed=9).explain(
        shape=(30, 40, 3), key="cat/1.jpg"
    )
    for line in (
        "plan for 30x40, 3 channels of uint8, key 'cat/1.jpg': 3 steps",
        "resample to 16x20, order 1, border nearest, colour to uint8",
        "Rotate + Resize + Brightness",
        "call negative",
        "alone   because of a user's function is not taken apart",
        "drawn: ",
        "out: 16x20, 3 channels of uint8, axes as given",
    ):
        assert line in said, line
    volume = im.Pipeline([im.Resample((4, 8, 8))], seed=1).explain(shape=(8, 20, 20), axes="zyx", dtype=np.int16)
    assert "plan for 8x20x20, 1 channel of int16, key 0: 1 step" in volume


@pytest.mark.parametrize("degrees", [0, 8, 172, 180])
@pytest.mark.parametrize("shape", [(40, 120), (121, 40)])
def test_a_square_crop_follows_the_mask_through_what_was_drawn_before(degrees: float, shape: tuple[int, int]) -> None:
    longer = int(np.argmax(shape))
    mask = np.zeros(shape, np.uint8)
    # Far out along the longer side, where a square in the middle would miss it.
    middle = [n // 2 + (38 if axis == longer else 0) for axis, n in enumerate(shape)]
    mask[tuple(slice(m, m + 7) for m in middle)] = 1
    before = [im.Flip("xy"[1 - longer]), im.Rotate(degrees), im.Shift(pixels={"yx"[longer]: -4}), im.Zoom(0.9)]
    plain = im.Pipeline(before, seed=1)(image=mask, mask=mask)
    found = im.Pipeline([*before, im.SquareCrop(3)], seed=1)(image=mask, mask=mask)
    assert found.mask.shape == (40, 40)
    # Nothing of what is still in the frame is lost, and it keeps its margin.
    assert (found.mask == 1).sum() == (plain.mask == 1).sum() > 30
    place = np.argwhere(found.mask)[:, longer]
    assert place.min() >= 2
    assert place.max() <= 37


def test_inputs_are_never_modified() -> None:
    given: dict[str, Any] = {
        "image": picture(1, (20, 24), 3),
        "mask": label_map(1, (20, 24)),
        "boxes": np.array([[1.0, 1, 5, 5]]),
        "keypoints": np.array([[3.0, 4]]),
    }
    for array in given.values():
        array.setflags(write=False)
    for listed in (
        [],
        [im.Flip("x", p=0)],
        PHOTO,
        [im.Standardize(), im.Invert()],
        [im.Rotate(10, order=3), im.Gamma(2)],
    ):
        for fuse in (True, False):
            found = im.Pipeline(listed, seed=1, fuse=fuse)(**given)
            for name in ("image", "mask"):
                assert not np.shares_memory(found[name], given[name])
                assert found[name].flags.writeable
            assert not np.shares_memory(found.boxes.array, given["boxes"])
            assert not np.shares_memory(found.keypoints.array, given["keypoints"])


def test_one_pipeline_serves_eight_threads() -> None:
    pipe = im.Pipeline([*PHOTO, im.Normalize("imagenet"), im.ToLayout("channels_first")], seed=1)
    images = [picture(i, (30 + i % 4, 40), 3) for i in range(16)]
    alone = [pipe(image, key=i) for i, image in enumerate(images)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda i: pipe(images[i % 16], key=i % 16), range(64)))
    for i, found in enumerate(together):
        np.testing.assert_array_equal(found, alone[i % 16])
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: pipe(image=images[0]).recipe.key, range(64)))
    assert sorted(keys) == list(range(64))


def test_an_error_in_a_worker_is_raised() -> None:
    calls = count()

    def fails(values: Any) -> Any:
        if next(calls) == 2:
            raise ZeroDivisionError("on purpose")
        return values

    with pytest.raises(ZeroDivisionError, match="on purpose"):
        im.Pipeline([im.Apply(fails)], seed=1).batch([IMAGE] * 6, workers=3)


def test_a_mask_alone_is_enough() -> None:
    mask = label_map(1, (20, 24))
    found = im.Pipeline([im.Flip("x"), im.Brightness(2)], seed=1)(mask=mask)
    np.testing.assert_array_equal(found.mask, mask[:, ::-1])


def test_float16_pictures_are_moved_and_coloured() -> None:
    image = picture(1, (20, 24), 3, np.float16)
    found = im.Pipeline([im.Rotate(10), im.Brightness(0.5), im.Resize((8, 8))], seed=1)(image)
    exact = im.Pipeline([im.Rotate(10), im.Brightness(0.5), im.Resize((8, 8))], seed=1)(image.astype(np.float64))
    assert found.dtype == np.float16
    np.testing.assert_allclose(found.astype(np.float64), exact, atol=2e-3)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_a_picture_stays_in_its_range_between_resample_and_colour(backend: str) -> None:
    # Cubic splines overshoot at edges: beyond black and white there is nothing to normalise or to lighten.
    image = (picture(1, (40, 40), 3, noise=True) > 127).astype(np.uint8) * 255
    found = im.Pipeline([im.Rotate(10, order=3), im.Normalize(0.0, 1.0)], seed=1, backend=backend)(image)
    assert found.min() >= 0
    assert found.max() <= 1.0 + 1e-6
    strong = im.Pipeline([im.Rotate(10, order=3), im.GainOffset(3, 100)], seed=1, backend=backend)(image)
    assert strong.min() == 100


def test_what_was_drawn_is_called_by_the_parameters_of_whoever_drew_it() -> None:
    inner = im.Sequential([im.Flip("x"), im.Shift(pixels={"y": (1, 3)}), im.Gamma((0.5, 2))])
    pipe = im.Pipeline([im.Rotate((-5, 5)), im.OneOf([inner]), im.Zoom((0.9, 1.1)), im.Rotate((-5, 5))], seed=1)
    applied = pipe(image=picture(1, (20, 24), 3), key=1).applied
    named = {"Rotate": ["degrees"], "Flip": [], "Shift": ["pixels.y"], "Gamma": ["gamma"], "Zoom": ["factor"]}
    assert [one.name for one in applied] == ["Rotate", "Flip", "Shift", "Gamma", "Zoom", "Rotate"]
    assert {one.name: list(one.values) for one in applied} == named


def test_a_recipe_of_another_seed_is_replayed_with_that_seed() -> None:
    image = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    first, other = (im.Pipeline([im.Rotate((-90, 90)), im.Brightness((0.5, 2))], seed=seed) for seed in (1, 2))
    made = first(image=image, key="a", epoch=3)
    assert not np.array_equal(made.image, other(image=image, key="a", epoch=3).image)
    again = other.replay(made.recipe, image)
    np.testing.assert_array_equal(again.image, made.image)
    assert again.recipe == made.recipe


def test_a_batch_that_runs_backwards_through_memory_is_the_one_that_runs_forwards() -> None:
    photos = np.arange(4 * 12 * 16 * 3, dtype=np.uint32).astype(np.uint8).reshape(4, 12, 16, 3)
    pipe = im.Pipeline([im.Rotate((-15, 15)), im.Brightness((0.8, 1.2))], seed=7)
    forwards = pipe.batch(photos, keys=list("abcd")).image
    backwards = pipe.batch(photos[::-1], keys=list("dcba")).image
    assert np.array_equal(backwards[::-1], forwards)
