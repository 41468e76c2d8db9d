"""Every step says what it does to every kind of target; nothing vanishes on the way."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import TargetError
from imagemill.core.ops import OfImages, Opaque
from imagemill.core.targets import KINDS
from imagemill.engine.blending.meeting import KINDS_THAT_MEET
from imagemill.engine.plan import Alter, Branch, Call, Meet, Pass, Step
from imagemill.engine.target_table import TABLE, rule
from imagemill.testing import label_map, picture
from imagemill.testing.each import MIXING, SHIPPED, example_of
from imagemill.transforms.catalogue import CHOICE, HIDES, HIDES_OBJECTS, MOVES, targets_of

SHAPE = (16, 20)


ROWS = {Pass, Branch, Opaque, *get_args(OfImages)}
"""A pass and a branch stand by themselves, other steps by what they run."""


def test_every_step_is_in_the_table() -> None:
    assert {Pass, Alter, Branch, Call, Meet} == set(get_args(Step))
    assert set(KINDS) == KINDS_THAT_MEET, "where samples meet, no rule for one of them will do"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", sorted(ROWS, key=lambda row: row.__name__))
def test_no_cell_of_the_table_is_missing(step: type[Any], kind: str) -> None:
    assert callable(TABLE[step, kind])


def test_the_table_has_no_cell_too_many() -> None:
    assert {s for s, _ in TABLE} == ROWS
    assert {k for _, k in TABLE} == set(KINDS)


def test_a_missing_cell_is_named() -> None:
    step = Pass(None, None, ("Flip",))
    with pytest.raises(
        TargetError,
        match=r"what Pass does to 'depth map'.*known targets: boxes, image, instance masks, keypoints, label",
    ):
        rule(step, "depth map")

    class Sharpen:
        """A step no one told the table of."""

    with pytest.raises(TargetError, match="what Sharpen does to 'image'"):
        rule(Sharpen(), "image")  # type: ignore[arg-type]


CASES = [
    (t, "moves" if t.traits().moves else "hides" if isinstance(t, im.MaskDropout) else "stays")
    for t in map(example_of, SHIPPED)
    if not t.children() and not isinstance(t, im.Orient | im.GridShuffle)
]
"""An example of every transform, and what it says of itself; a combination does what its children do.

Orient takes volumes alone: tests/transforms/test_volumes.py. GridShuffle: tests/transforms/test_exchanged.py.
"""


@pytest.mark.parametrize(("transform", "what"), CASES, ids=[type(t).__name__ for t, _ in CASES])
def test_each_transform_moves_or_leaves_every_kind(transform: im.Transform, what: str) -> None:
    given: dict[str, Any] = {
        "image": picture(1, SHAPE, 3),
        "second": im.Image(picture(2, SHAPE, 3)),
        "mask": label_map(1, SHAPE),
        "maps": im.Mask(np.stack([label_map(i, SHAPE) for i in range(2)], axis=-1), "yxc"),
        "boxes": im.Boxes([[4, 4, 14, 12]], labels=["cat"]),
        "keypoints": im.Keypoints([[5, 6], [15, 10]], labels=["eye", "ear"]),
        "label": "cat",
        "depth": im.Map(np.arange(320, dtype=np.float32).reshape(SHAPE)),
        "polygons": im.Polygons([[(4, 4), (14, 5), (8, 8), (9, 12)]], labels=["cat"]),
        "lines": im.Polygons([[(2, 2), (17, 9)]], closed=False, labels=["lane"]),
        "rotated_boxes": im.RotatedBoxes([[9, 8, 8, 4, 20]], labels=["cat"]),
        "instances": im.Instances((np.indices(SHAPE).sum(axis=0) % 7 < 5)[None], labels=["cat"]),
    }
    # Some make small pictures, in which little is left of anything.
    found = im.Pipeline([transform], seed=1, boxes=im.BoxRules(min_area=0))(key=1, **given)
    assert list(found.targets) == list(given), "no target vanishes"
    assert found.label == "cat"
    assert (found.boxes.labels, found.keypoints.labels) == (["cat"], ["eye", "ear"])
    same = [
        found.mask.shape == SHAPE and bool((found.mask == given["mask"]).all()),
        found.maps.shape == (*SHAPE, 2) and bool((found.maps == given["maps"].array).all()),
        bool(np.array_equal(found.boxes.array, given["boxes"].array)),
        bool(np.array_equal(found.keypoints.array, given["keypoints"].array)),
        bool(np.array_equal(found.depth, given["depth"].array)),
        bool(np.array_equal(found.instances.array, given["instances"].array)),
        bool(np.array_equal(found.rotated_boxes.array, given["rotated_boxes"].array)),
        found.polygons.flat() == given["polygons"].flat(),
        found.lines.flat() == given["lines"].flat(),
    ]
    assert found.polygons.labels == found.rotated_boxes.labels == found.instances.labels == ["cat"]
    assert (
        same == [what == "stays"] * 9
        or (what == "hides" and not same[0] and same[2] and all(same[6:]))
        or (what == "moves" and not any(same))
    )
    changed = found.image.shape != (*SHAPE, 3) or found.image.dtype != np.uint8
    assert changed or (found.image != given["image"]).any()
    assert found.second.shape == found.image.shape


def test_every_shipped_transform_is_in_this_list() -> None:
    listed = {type(t).__name__ for t, _ in CASES}
    shipped = {n for n in im.__all__ if isinstance(getattr(im, n), type) and issubclass(getattr(im, n), im.Transform)}
    mixing = {cls.__name__ for cls in MIXING}
    assert shipped - listed - mixing == {
        "AugMix", "Corruption", "GridShuffle", "OneOf", "Orient", "PerClass", "Schedule", "Sequential", "SomeOf",
        "Transform",
    }  # fmt: skip
    assert {what for _, what in CASES} == {"hides", "moves", "stays"}


def test_a_function_sees_a_copy_and_must_keep_shape_and_dtype() -> None:
    image = picture(1, SHAPE, 3)
    before = image.copy()

    def darken(values: Any) -> Any:
        values[...] = 0
        return values

    np.testing.assert_array_equal(im.Pipeline([im.Apply(darken)], seed=1)(image), 0)
    np.testing.assert_array_equal(image, before)
    with pytest.raises(TargetError, match=r"function 'half' to return shape .* and dtype uint8, got .*float64"):
        im.Pipeline([im.Apply(lambda a: a / 2, name="half")], seed=1)(image)


def test_a_function_runs_only_where_it_was_chosen() -> None:
    batch = im.Pipeline([im.Apply(np.invert, p=0.5)], seed=1).batch([np.zeros((4, 4), np.uint8)] * 16)
    values = {int(a.max()) for a in batch.image}
    assert values == {0, 255}


@pytest.mark.parametrize("cls", SHIPPED)
def test_the_catalogue_says_of_each_transform_what_it_says_of_itself(cls: type[im.Transform]) -> None:
    transform, word = example_of(cls), targets_of(cls)
    if transform.children():
        assert word == CHOICE or not any(child.traits().moves for child in transform.children())
    else:
        assert (word == MOVES) == transform.traits().moves
        assert (word in (HIDES, HIDES_OBJECTS)) == (hasattr(transform, "mask_fill") and not transform.traits().moves)
