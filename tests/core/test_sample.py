"""What comes out is read by name, says what is missing, and survives pickling and JSON."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from imagemill.core.errors import InputError
from imagemill.core.sample import Applied, Batch, Drawing, DrawLog, Recipe, Sample
from imagemill.core.targets import Boxes, Image, Label

RECIPE = Recipe(7, 3, "cat/1.jpg", "0123456789abcdef")


def a_sample() -> Sample:
    targets = {"image": Image(np.ones((2, 3))), "boxes": Boxes([[0, 0, 1, 1]]), "label": Label("cat")}
    return Sample(targets, RECIPE, (Applied("Rotate", {"degrees": 3.14159}), Applied("Flip", {})))


def a_batch() -> Batch:
    where = np.array([True, False])
    log = DrawLog((Drawing("Flip", where, {}), Drawing("Rotate", ~where, {"degrees": np.array([1.0, 2.0])})))
    return Batch(
        {"image": np.ones((2, 4, 4)), "label": ["a", "b"]}, (RECIPE, RECIPE), log, np.tile(np.eye(3), (2, 1, 1))
    )


def test_targets_are_read_as_attributes_and_by_name() -> None:
    sample = a_sample()
    assert sample.image.shape == (2, 3)
    assert sample.label == sample["label"] == "cat"
    assert isinstance(sample.boxes, Boxes)
    image, boxes, label = sample
    assert (image is sample.image, boxes is sample.boxes, label, sample[-1]) == (True, True, "cat", "cat")
    assert (len(sample), "boxes" in sample, "cat" in sample) == (3, True, False)
    batch = a_batch()
    assert batch.image is batch["image"]
    images, labels = batch
    assert (len(batch), images is batch.image, labels) == (2, True, ["a", "b"])
    assert ("label" in batch, "a" in batch) == (True, False)


def test_missing_names_say_what_there_is() -> None:
    with pytest.raises(AttributeError, match=r"sample's targets \(image, boxes, label\), got 'mask'"):
        _ = a_sample().mask
    with pytest.raises(KeyError, match=r"expected one of \['image', 'boxes', 'label'\], got 'mask'"):
        a_sample()["mask"]
    with pytest.raises(AttributeError, match=r"batch's columns \(image, label\), got 'mask'"):
        _ = a_batch().mask
    with pytest.raises(KeyError, match="got 'mask'"):
        a_batch()["mask"]
    with pytest.raises(AttributeError, match="got 'labels'; did you mean 'label'"):
        _ = a_batch().labels
    with pytest.raises(AttributeError, match=r"got 'shape'; write batch\.image\.shape"):
        _ = a_batch().shape
    with pytest.raises(KeyError, match=r"got 0; a column is an array or a list: batch\['image'\]\[0\]"):
        a_batch()[0]
    for value in (a_sample(), a_batch()):
        with pytest.raises(InputError, match=r"expected an array, got a .*image is one"):
            np.asarray(value)


def test_what_was_applied_reads_as_words() -> None:
    assert [str(a) for a in a_sample().applied] == ["Rotate(degrees=3.142)", "Flip"]
    log = a_batch().applied
    assert log[0] == (Applied("Flip", {}),)
    assert log.row(1) == (Applied("Rotate", {"degrees": 2.0}),)


@pytest.mark.parametrize("key", ["bär.png", 0, 2**64 - 1, np.int64(5)])
def test_a_recipe_survives_json(key: str | int) -> None:
    recipe = Recipe(2**63, 4, key, "d")
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize("change", [{"sed": 1}, {"seed": None}])
def test_a_recipe_with_other_keys_is_refused(change: dict[str, int | None]) -> None:
    values = {**RECIPE.to_dict(), **change}
    values = {k: v for k, v in values.items() if v is not None}
    with pytest.raises(InputError, match=r"expected a recipe of seed, epoch, key and pipeline, got \["):
        Recipe.from_dict(values)


def test_samples_and_batches_are_pickled() -> None:
    sample, batch = pickle.loads(pickle.dumps((a_sample(), a_batch())))
    np.testing.assert_array_equal(sample.image, a_sample().image)
    assert sample.recipe == RECIPE
    assert batch.applied[1] == a_batch().applied[1]
