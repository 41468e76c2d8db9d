"""The recipes of a batch read like a tuple of recipes."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from imagemill.core.sample import Recipe, Recipes


@pytest.mark.parametrize("keys", [["a", "b", "c"], range(3, 6), np.array([5, 7, 9]), (1, "x", 2)])
def test_they_are_a_sequence(keys: Any) -> None:
    recipes, wanted = Recipes(7, 2, keys, "d"), tuple(Recipe(7, 2, key, "d") for key in keys)
    assert len(recipes) == 3
    assert list(recipes) == list(wanted)
    assert (recipes[0], recipes[-1], recipes[1:]) == (wanted[0], wanted[-1], wanted[1:])
    assert recipes == wanted
    assert recipes == Recipes(7, 2, list(keys), "d")
    assert recipes != Recipes(7, 3, keys, "d")
    assert recipes != list(wanted)
    assert hash(recipes) == hash(wanted)
    assert repr(recipes).startswith("Recipes(3: seed=7, epoch=2, pipeline='d', keys ")
    assert pickle.loads(pickle.dumps(recipes)) == wanted
    assert wanted[1] in recipes
    with pytest.raises(IndexError):
        recipes[3]


def test_keys_that_change_later_change_no_recipe() -> None:
    for keys in ([1, 2], np.array([1, 2])):
        recipes = Recipes(0, 0, keys, "d")  # type: ignore[arg-type]
        keys[0] = 9
        assert recipes[0].key == 1
