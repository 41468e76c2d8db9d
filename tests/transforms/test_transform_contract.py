"""Each transform of imagemill passes the contract, and transforms that break a promise do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.ranges import Random
from imagemill.testing import check_transform
from imagemill.testing.each import SHIPPED, example_of
from imagemill.transforms import Draws, Frame, Traits, Transform
from imagemill.transforms.base import REGISTRY, param, required


@pytest.mark.parametrize("cls", SHIPPED, ids=lambda cls: cls.__name__)
def test_every_transform_keeps_the_contract(cls: type[im.Transform]) -> None:
    check_transform(example_of(cls), written=cls is not im.Apply)


NEED_ONE_OF = (im.ColorJitter, im.Crop, im.Pad, im.Resample, im.Shift)
RANDOM = [cls for cls in SHIPPED if not required(cls) and cls not in NEED_ONE_OF]


@pytest.mark.parametrize("cls", RANDOM, ids=lambda cls: cls.__name__)
def test_so_do_random_ones(cls: type[im.Transform]) -> None:
    check_transform(cls())


def _gain(frame: Frame, gains: Any) -> ChannelMix:
    count = frame.channels
    return ChannelMix.diagonal(np.repeat(np.reshape(gains, (-1, 1)), count, axis=1), np.zeros((frame.n, count)))


@dataclass(frozen=True, slots=True)
class Unseeded(Transform):
    """Draws from a generator of its own."""

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return _gain(frame, np.random.default_rng().uniform(0.1, 0.9, frame.n))


@dataclass(frozen=True, slots=True)
class ByRow(Transform):
    """Depends on the place in the batch."""

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return _gain(frame, 1 / (1 + np.arange(frame.n)))


@dataclass(frozen=True, slots=True)
class Forgetful(Transform):
    """Does not write its parameter."""

    gain: Random = param(1, low=0)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return _gain(frame, draws(self.gain))

    def to_dict(self) -> dict[str, Any]:
        return {"Forgetful": {}}


@dataclass(frozen=True, slots=True)
class Pretends(im.Flip):
    """Moves pixels and says that it changes colours."""

    def traits(self) -> Traits:
        return Traits(recolours=True)


@dataclass(frozen=True, slots=True)
class Picky(Transform):
    """Takes colour only."""

    def draw(self, draws: Draws, frame: Frame) -> Op:
        if frame.channels != 3:
            raise im.ParameterError(f"expected 3 channels, got {frame.channels}; convert to RGB")
        return _gain(frame, np.full(frame.n, 0.5))


for _one in (Unseeded, ByRow, Forgetful, Pretends, Picky):
    # Other tests go through all there are.
    REGISTRY.pop(_one.__name__)


@pytest.fixture
def known() -> Any:
    """Forgetful can be read from files here."""
    REGISTRY["Forgetful"] = Forgetful
    yield
    REGISTRY.pop("Forgetful")


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (Unseeded(), "the same key gives the same again"),
        (ByRow(), "a sample of a batch is what it is alone"),
        (Pretends("x"), "colour leaves depth as they are"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_broken_transform_is_caught(broken: im.Transform, promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_transform(broken, written=False)


@pytest.mark.usefixtures("known")
def test_a_transform_that_a_file_does_not_hold_is_caught() -> None:
    check_transform(Forgetful())
    with pytest.raises(AssertionError, match="a file gives back an equal transform"):
        check_transform(Forgetful(2))


def test_images_that_it_is_for_are_taken() -> None:
    check_transform(Picky(), written=False)
    with pytest.raises(AssertionError, match="it takes images that it is for: gray"):
        check_transform(Picky(), forms=["rgb", "gray"], written=False)
