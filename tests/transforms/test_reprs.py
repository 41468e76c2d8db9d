"""Reprs of transforms are what one would write, and make the same transform again."""

from __future__ import annotations

import numpy as np
import pytest

import imagemill as im
from imagemill.testing.each import SHIPPED, example_of
from imagemill.transforms.written_calls import stable

NAMES = {name: getattr(im, name) for name in im.__all__}
SUMMARIES = (im.Apply, im.MatchHistogram, im.MatchSpectrum)
"""What holds functions or summaries of pictures, which a line has no room for."""


@pytest.mark.parametrize("cls", [cls for cls in SHIPPED if cls not in SUMMARIES], ids=lambda cls: cls.__name__)
def test_a_repr_makes_the_same_transform_again(cls: type[im.Transform]) -> None:
    made = example_of(cls)
    again = eval(repr(made), NAMES)
    assert again.to_dict() == made.to_dict()
    assert "images=None" not in repr(made)


def test_what_nobody_gave_is_left_out() -> None:
    assert repr(im.Rotate((-10, 10))) == "Rotate(degrees=(-10, 10))"
    assert repr(im.CoarseDropout(size={"x": 0.2}, p=0.5)) == "CoarseDropout(p=0.5, size={'x': 0.2})"
    assert repr(im.OneOf([im.Invert(), im.Apply(np.invert)])) == "OneOf([Invert(), Apply(function=<ufunc 'invert'>)])"


def test_an_own_repr_stays() -> None:
    class Mine(im.Invert):
        def __repr__(self) -> str:
            return "mine"

    assert repr(Mine()) == "mine"


def test_digests_of_what_no_file_holds_are_what_they_were() -> None:
    pipe = im.Pipeline([im.OneOf([im.Apply(np.invert), im.Flip("y")])], seed=1)
    assert stable(pipe.transforms[0]) == (
        "OneOf(p=1.0, transforms=(Apply(p=1.0, function=<ufunc 'invert'>, name=None), "
        "Flip(p=1.0, axis='y', mode='random', every=1)), weights=None)"
    )
