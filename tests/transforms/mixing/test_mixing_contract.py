"""Each transform that mixes keeps what all of them promise."""

from __future__ import annotations

import pytest

import imagemill as im
from imagemill.testing import check_transform
from imagemill.testing.each import MIXING, example_of


def test_these_mix() -> None:
    assert {im.CopyPaste, im.CutMix, im.Mosaic, im.MixUp} == set(MIXING)


@pytest.mark.parametrize("cls", MIXING, ids=lambda cls: cls.__name__)
def test_every_transform_that_mixes_keeps_the_contract(cls: type[im.Transform]) -> None:
    check_transform(example_of(cls))
    check_transform(cls((16, 20)) if cls is im.Mosaic else cls())


@pytest.mark.parametrize(
    "transform",
    [
        im.OneOf([im.MixUp(), im.CutMix()]),
        im.Sequential([im.Flip("x", p=0.5), im.CutMix(p=0.5)]),
        im.Sequential([im.Mosaic((13, 18)), im.MixUp(p=0.5), im.Rotate((-10, 10))]),
    ],
    ids=lambda t: repr(t)[:9],
)
def test_so_do_combinations(transform: im.Transform) -> None:
    check_transform(transform)
