"""What pipelines say of themselves: numbers that were applied, how much runs on an image, how often each part."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import pytest

import imagemill as im

RAMP = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)


@pytest.mark.parametrize(
    "amount",
    [{"pixels": (-2, 2)}, {"pixels": {"x": (-3, 3)}}, {"fraction": (-0.1, 0.1)}, {"fraction": {"y": (-0.1, 0.1)}}],
    ids=str,
)
def test_a_whole_shift_reports_the_pixels_it_moved_by(amount: Any) -> None:
    pipe = im.Pipeline([im.Shift(**amount, whole=True, border="wrap")], seed=1)
    for epoch in range(40):
        out = pipe(image=RAMP, key="a", epoch=epoch)
        (applied,) = out.applied
        down, right = (int(applied.values.get(f"pixels.{axis}", 0)) for axis in "yx")
        assert all(value == round(value) for value in applied.values.values())
        np.testing.assert_array_equal(out.image, np.roll(RAMP, (down, right), (0, 1)))
        assert set(applied.values) <= {"pixels.y", "pixels.x"}


def test_a_whole_shift_in_millimetres_reports_pixels() -> None:
    pipe = im.Pipeline([im.Shift(millimetres={"z": 6.0, "x": 1.2}, whole=True, border="constant")], seed=1)
    volume = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
    out = pipe(image=im.Image(volume, "zyx", (3.0, 1.0, 0.5)))
    assert dict(out.applied[0].values) == {"pixels.z": 2.0, "pixels.x": 2.0}
    np.testing.assert_array_equal(out.image[2:, :, 2:], volume[:2, :, :4])


def test_why_there_is_no_number_of_variants_is_said() -> None:
    def said(*listed: im.Transform) -> str:
        return im.Pipeline(listed, seed=1).explain().splitlines()[2].partition(": ")[2]

    sized = "many (their number depends on the size of the image)"
    assert said(im.Crop(4, at="random")) == sized
    assert said(im.Shift(fraction=(-0.1, 0.1), whole=True)) == sized
    assert said(im.OneOf([im.Flip("x"), im.Pad(size=9, at="random")])) == sized
    assert said(im.Crop(4, at="random"), im.Rotate((-5, 5))) == "unlimited (a parameter is continuous)"
    assert said(im.SomeOf([im.Crop(4, at="random"), im.Rotate((-5, 5))])) == "unlimited (a parameter is continuous)"
    assert said(im.Shift(pixels=(-2, 2), whole=True)) == "25"
    assert said(im.Rotate((-5, 5), p=0)) == "1"


FIVE = [im.Flip("x"), im.Flip("y"), im.Invert(), im.Rotate((-5, 5)), im.Gamma()]

# what is listed, operations on each image, lines of explain
RUNS: list[tuple[list[im.Transform], str, list[str]]] = [
    ([], "0", []),
    ([im.Flip("x"), im.Invert()], "2", []),
    ([im.Flip("x", p=0.5), im.Invert()], "1 to 2", ["Flip               axis 'x'  for 50% of the images"]),
    ([im.Flip("x", p=0), im.Invert()], "1 of 2", ["Flip               axis 'x'  for 0% of the images"]),
    (
        [im.SomeOf(FIVE)],
        "1 to 5",
        ["SomeOf             1 to 5 of these run, each number equally likely", "degrees -5..5  for 60% of the images"],
    ),
    ([im.SomeOf(FIVE, count=2)], "2 of 5", ["2 of these run", "Invert             for 40% of the images"]),
    ([im.SomeOf(FIVE, count=1)], "1 of 5", ["1 of these runs", "Invert             for 20% of the images"]),
    ([im.SomeOf(FIVE, count=(2, 3))], "2 to 3 of 5", ["2 to 3 of these run, each number equally likely"]),
    (
        [im.SomeOf(FIVE, count=im.Choice([1, 4], weights=[3, 1]))],
        "1 to 4 of 5",
        ["1 or 4 of these run\n", "Invert             for 35% of the images"],
    ),
    (
        [im.OneOf([im.Invert(p=0.5), im.Gamma()], weights=[1, 3], p=0.5), im.Flip("x")],
        "1 to 2 of 3",
        [
            "OneOf              exactly one of these runs  for 50% of the images",
            "Invert             for 6.25% of the images (p=0.5 once chosen)",
            "Gamma              gamma 0.8..1.25 (log)  for 37.5% of the images",
        ],
    ),
    (
        [im.OneOf([im.Sequential([im.Flip("x"), im.Invert()]), im.Gamma()])],
        "1 to 2 of 3",
        ["Sequential         all of these run  for 50% of the images", "Invert             for 50% of the images"],
    ),
]


@pytest.mark.parametrize(("listed", "count", "lines"), RUNS, ids=[repr(r[1]) for r in RUNS])
def test_explain_says_how_many_operations_run_and_how_often_each(listed: Any, count: str, lines: list[str]) -> None:
    said = im.Pipeline(listed, seed=1).explain() + "\n"
    assert f"operations that run on each image: {count}\n" in said
    for line in lines:
        assert line in said, line


@pytest.mark.parametrize("listed", [listed for listed, *_ in RUNS if listed], ids=[repr(r[1]) for r in RUNS if r[0]])
def test_how_much_runs_is_what_is_drawn(listed: Any) -> None:
    pipe, n = im.Pipeline(listed, seed=1), 4000
    batch = pipe.batch(np.zeros((n, 2, 2), np.uint8), keys=range(n))
    counts = [len(batch.applied[i]) for i in range(n)]
    each = [t.runs() for t in listed]
    assert (min(counts), max(counts)) == (sum(low for low, _ in each), sum(high for _, high in each))
    for t in listed:
        for child, chance in zip(t.children(), t.chances(), strict=True):
            if not child.children() and child.p == t.p == 1:
                ran = np.mean([any(a.name == type(child).__name__ for a in batch.applied[i]) for i in range(n)])
                same = sum(type(c) is type(child) for c in t.children())
                assert same > 1 or abs(ran - chance) < 4 * np.sqrt(chance * (1 - chance) / n) + 1e-9


@pytest.mark.parametrize("count", [im.Normal(2, 0.5, 2), im.LogUniform(1, 2), 4, 1.5, (0, 2)], ids=str)
def test_a_number_of_transforms_that_cannot_be_counted_is_refused(count: Any) -> None:
    with pytest.raises(im.ParameterError, match=r"SomeOf\(count"):
        im.SomeOf(FIVE[:3], count=count)


class _Both(im.Transform):
    """A combination of a user's own that says nothing of itself."""

    def children(self) -> tuple[im.Transform, ...]:
        return (im.Invert(), im.Flip("x"))

    def select(self, draws: Any) -> list[Any]:
        chosen = draws.uniform() < 0.5
        return [chosen, ~chosen]


def test_a_combination_that_says_nothing_of_itself_is_not_guessed_at() -> None:
    said = im.Pipeline([_Both()], seed=1).explain()
    assert "operations that run on each image: 0 to 2" in said
    assert " 1. _Both              some of these run\n     1. Invert\n     2. Flip               axis 'x'" in said


def test_explain_and_lint_take_an_image_where_they_take_its_shape() -> None:
    pipe = im.Pipeline([im.Flip("x")])
    photo = np.zeros((20, 30, 3), np.uint8)
    said = pipe.explain((20, 30, 3))
    for image in (photo, PIL.Image.fromarray(photo), im.Image(photo), [20, 30, 3]):
        assert pipe.explain(image) == said
        assert pipe.lint(image) == []
    assert "20x30, 1 channel of uint16" in pipe.explain(np.zeros((20, 30), np.uint16))
    volume = im.Image(np.zeros((4, 5, 6), np.float32), "zyx")
    assert "4x5x6, 1 channel of float32" in pipe.explain(volume)


@pytest.mark.parametrize("shape", [224, "photo.png", (1.5, 2), (-1, 2), ("a", "b")])
def test_what_is_neither_shape_nor_image_is_told(shape: Any) -> None:
    pipe = im.Pipeline([im.Flip("x")])
    for ask in (pipe.explain, pipe.lint):
        with pytest.raises(im.InputError, match=r"expected a shape .*\(height, width, 3\), or an image"):
            ask(shape)
