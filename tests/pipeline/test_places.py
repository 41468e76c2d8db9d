"""What a transform is made of is asked once: many make it anew each time, and names go by identity."""

from __future__ import annotations

import gc
from dataclasses import dataclass

import numpy as np

import imagemill as im
from imagemill.transforms.base import REGISTRY


@dataclass(frozen=True, slots=True)
class Anew(im.Transform):
    """A user's, which makes its children when it is asked for them."""

    def children(self) -> tuple[im.Transform, ...]:
        return (im.Sequential([im.Brightness((0.5, 1.5)), im.Posterize((2, 8))]),)

    def select(self, draws: im.transforms.Draws) -> list[np.ndarray]:
        return [np.ones(draws.n, bool)]


REGISTRY.pop("Anew")  # it is nobody else's


def test_recipes_name_what_was_drawn_of_children_made_anew() -> None:
    pipe = im.Pipeline([Anew()], seed=3)
    for key in range(20):
        gc.collect()
        sample = pipe(image=np.zeros((4, 4, 3), np.uint8), key=key)
        assert [(one.name, list(one.values)) for one in sample.applied] == [
            ("Brightness", ["factor"]),
            ("Posterize", ["bits"]),
        ]


def test_augmix_says_the_strengths_of_its_operations() -> None:
    pipe, said = im.Pipeline([im.AugMix()], seed=14), set()
    for key in range(30):
        sample = pipe(image=np.arange(192, dtype=np.uint8).reshape(8, 8, 3), key=key)
        said |= {(one.name, *one.values) for one in sample.applied}
    assert {("Posterize", "bits"), ("Solarize", "threshold"), ("AugMix", "own")} <= said
    assert not any("draw" in name for one in said for name in one[1:])
