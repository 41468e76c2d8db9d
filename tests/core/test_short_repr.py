"""A repr says what a value is and how large, in one line, whatever it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.core.looking import Said
from imagemill.core.short_repr import ShortRepr, listed, short

PHOTO = np.zeros((75, 100, 3), np.uint8)
FEW = 260


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Thing(ShortRepr):
    array: np.ndarray
    name: str = ""
    inside: tuple[object, ...] = ()
    table: dict[str, int] = field(default_factory=dict)
    hidden: int = field(default=3, repr=False)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.zeros((4, 5), np.int16), "int16 (4, 5)"),
        (np.array([1.5, 2.0]), "[1.5, 2.0]"),
        (np.array(3), "int64 ()"),
        (Path("a/b.png"), "'a/b.png'"),
        (("one",), "('one',)"),
        (list(range(7)), "[0, 1, 2, 3, 4, ... 2 more]"),
        ([Said("a")], "['a']"),
        ([object(), object()], "<2 object>"),
        ({n: n for n in range(6)}, "{0: 0, 1: 1, 2: 2, 3: 3, 4: 4, ... 1 more}"),
        ("x" * 81, repr("x" * 77 + "...")),
    ],
)
def test_a_value_in_a_few_words(value: object, said: str) -> None:
    assert short(value) == said


def test_a_repr_names_what_is_not_as_usual() -> None:
    assert repr(Thing(PHOTO)) == "Thing(array=uint8 (75, 100, 3))"
    full = Thing(PHOTO, "a", (Thing(PHOTO), Thing(PHOTO)), {"a": 1}, 4)
    assert repr(full) == "Thing(array=uint8 (75, 100, 3), name='a', inside=<2 Thing>, table={'a': 1})"


def test_the_first_of_many_are_listed_with_the_number_of_the_others() -> None:
    assert listed(["a"]) == "'a'"
    assert listed(range(5)) == "0, 1, 2, ... 2 more"


@pytest.mark.parametrize(
    "made",
    [
        im.Image(PHOTO),
        im.Mask(PHOTO[..., 0]),
        im.Boxes(np.tile([0.0, 0.0, 5.0, 5.0], (900, 1)), labels=["cat"] * 900),
        im.Keypoints(np.zeros((900, 2)), labels=[f"point {n}" for n in range(900)]),
        im.Polygons([[[0, 0], [4, 0], [4, 4]]] * 900),
        im.Instances(np.ones((9, 75, 100), bool)),
        im.Picture(PHOTO, "yxc", meta={"exif": {"text": "x" * 9000}}),
        im.Record("a.png", Path("a.png"), attributes={f"column {n}": n for n in range(100)}),
        im.Finding("dark", "warning", "dark", tuple(map(str, range(5000)))),
        im.Source(Path("a"), "folder", tuple(im.Record(f"{n}.png", Path(f"{n}.png")) for n in range(5000))),
    ],
    ids=lambda made: type(made).__name__,
)
def test_public_values_are_short_and_on_one_line(made: object) -> None:
    said = repr(made)
    assert said.startswith(f"{type(made).__name__}(")
    assert len(said) < FEW
    assert "\n" not in said


def test_samples_and_batches_name_their_targets_and_keys() -> None:
    pipe = im.Pipeline([im.Rotate(90), im.Resize((64, 64))], seed=7)
    sample = pipe(image=PHOTO, label="cat", key="a", epoch=2)
    assert repr(sample) == (
        "Sample(image=uint8 (64, 64, 3), label='cat', key='a', epoch=2, seed=7, applied=[Rotate(degrees=90), Resize])"
    )
    batch = pipe.batch([PHOTO] * 200, keys=[f"{n}.jpg" for n in range(200)], label=list(range(200)))
    assert repr(batch) == (
        "Batch(200: image=uint8 (200, 64, 64, 3), label=[0, 1, 2, 3, 4, ... 195 more], seed=7, epoch=0, "
        "keys '0.jpg', '1.jpg', '2.jpg', ... 197 more)"
    )
    assert repr(batch.recipe) == (
        f"Recipes(200: seed=7, epoch=0, pipeline='{pipe.digest}', keys '0.jpg', '1.jpg', '2.jpg', ... 197 more)"
    )
    assert len(repr(batch.geometry)) < 2 * FEW
    assert len(repr(batch.applied)) < FEW
    assert len(repr(pipe.plan(pipe.draw(im.Frame.of(75, 100, channels=3), ["a"])))) < 2 * FEW


def test_explanations_are_shown_as_they_are_printed() -> None:
    told = im.Pipeline([im.Flip("x")], seed=1).explain(PHOTO.shape)
    assert repr(told) == str(told)
    assert "\n" in told
    assert told._repr_html_().startswith("<pre>1 transform")
    assert Said("a < b")._repr_html_() == "<pre>a &lt; b</pre>"
