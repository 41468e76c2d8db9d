"""What is mixed follows from the order of the epoch: not from batch size, workers, ranks or decoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError

RNG = np.random.default_rng(1)
N = 19
X, Y = RNG.integers(0, 256, (N, 12, 12, 3), dtype=np.uint8), RNG.integers(0, 3, N)
MIXES = [
    im.MixUp(),
    im.CutMix(),
    im.Mosaic((12, 12)),
    im.OneOf([im.MixUp(), im.CutMix()]),
    im.Sequential([im.Mosaic((12, 12)), im.MixUp(p=0.5), im.Rotate((-9, 9))]),
]


def piped(mix: im.Transform) -> im.Pipeline:
    return im.Pipeline([im.Flip("x", p=0.5), mix, im.Normalize(0.5, 0.5)], seed=3)


def written(path: Path, image: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    im.write_picture(path, im.Picture(image, "yxc"))


def epoch(mix: im.Transform, batch_size: int, **how: Any) -> dict[Any, tuple[Any, ...]]:
    """Image, label and recipe of each key of one epoch."""
    found = {}
    with im.Loader((X, Y), piped(mix), batch_size=batch_size, seed=3, **{"workers": 0, **how}) as loader:
        for batch in loader:
            if not batch.repeated:
                for row, key in enumerate(batch.keys):
                    found[int(key)] = (batch.image[row].tobytes(), batch.label[row].tobytes(), batch.recipe[row])
    return found


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: type(mix).__name__)
def test_batch_size_workers_and_ranks_change_no_pixel(mix: im.Transform) -> None:
    whole = epoch(mix, N)
    assert len(whole) == N
    for size in (1, 2, 3, 4, 6, 16):
        assert epoch(mix, size) == whole
    assert epoch(mix, 5, workers=2) == whole
    for world in (2, 3):
        ranks = [epoch(mix, 3, rank=rank, world_size=world) for rank in range(world)]
        assert {key: made for one in ranks for key, made in one.items()} == whole


def test_a_recipe_gives_a_sample_again() -> None:
    loader = im.Loader((X, Y), piped(im.Mosaic((12, 12), classes=3)), batch_size=6, seed=3, workers=0)
    batch = list(loader)[-1]
    for row, recipe in enumerate(batch.recipe):
        others = [
            key if key is None else {"image": X[int(key)], "label": np.eye(3)[Y[int(key)]]} for key in recipe.partners
        ]
        own = int(batch.keys[row])
        again = piped(im.Mosaic((12, 12), classes=3)).replay(recipe, X[own], label=np.eye(3)[Y[own]], partner=others)
        np.testing.assert_array_equal(again.image, batch.image[row])
        np.testing.assert_allclose(again.label, batch.label[row])
    assert any(None in recipe.partners for recipe in batch.recipe), "the epoch ends within a group"


def test_labels_are_shares_of_the_datasets_classes() -> None:
    for batch in im.Loader((X, Y), im.Pipeline([im.MixUp(weight=0.75)], seed=1), batch_size=4, workers=0):
        assert batch.label.dtype == np.float32
        for row, recipe in enumerate(batch.recipe):
            (partner,) = recipe.partners
            wanted = np.eye(3)[Y[int(batch.keys[row])]]
            if partner is not None:
                wanted = 0.75 * wanted + 0.25 * np.eye(3)[Y[int(partner)]]
            np.testing.assert_allclose(batch.label[row], wanted, atol=1e-6)


def test_pairs_come_as_columns() -> None:
    pipe = im.Pipeline([im.CutMix(labels="pairs")], seed=1)
    batch = next(iter(im.Loader((X, Y), pipe, batch_size=4, workers=0)))
    assert batch.label.tolist() == Y[np.array(batch.keys)].tolist()
    assert batch.label_partner.tolist() == [int(Y[int(one.partners[0])]) for one in batch.recipe]
    assert ((batch.label_weight >= 0) & (batch.label_weight <= 1)).all()


def test_weights_of_rows_are_mixed_as_labels_are() -> None:
    weights = np.arange(N, dtype=np.float32)
    loader = im.Loader((X, Y, weights), im.Pipeline([im.MixUp(weight=0.5)], seed=1), batch_size=4, workers=0)
    batch = next(iter(loader))
    wanted = [(int(key) + int(one.partners[0])) / 2 for key, one in zip(batch.keys, batch.recipe, strict=True)]
    assert batch.weight.tolist() == wanted


def test_any_places_come_with_their_partners() -> None:
    loader = im.Loader((X, Y), piped(im.MixUp()), batch_size=N, seed=3, workers=0)
    whole, some = loader.places(range(N), epoch=0), loader.places([7, 2, 18], epoch=0)
    np.testing.assert_array_equal(some.image, whole.image[[7, 2, 18]])
    assert list(some.keys) == [whole.keys[place] for place in (7, 2, 18)]


def test_photos_decoded_late_and_smaller_are_mixed_alike(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        for number in range(4):
            photo = np.kron(RNG.integers(0, 256, (12, 16, 3)), np.ones((16, 16, 1))).astype(np.uint8)
            written(tmp_path / name / f"{number}.jpg", photo)
    pipe = im.Pipeline([im.RandomResizedCrop((32, 32)), im.CutMix()], seed=2)
    dataset = im.open(tmp_path)
    batches = [list(im.Loader(dataset, pipe, batch_size=size, workers=0)) for size in (8, 3)]
    whole, parts = (np.concatenate([batch.image for batch in some]) for some in batches)
    np.testing.assert_array_equal(parts, whole)
    assert batches[0][0].label.shape == (8, 2)


def test_rows_without_a_label_are_named() -> None:
    with pytest.raises(InputError, match="a label for every row of a pipeline that mixes"):
        next(iter(im.Loader((X, np.where(Y == 0, -1, Y)), piped(im.MixUp()), batch_size=N, workers=0)))


def test_pipelines_of_classes_do_not_mix(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        written(tmp_path / name / "0.png", X[0])
    with pytest.raises(InputError, match="pipelines of classes without what mixes samples, got one for 'cat'"):
        im.Loader(im.open(tmp_path), piped(im.Flip("x")), pipelines={"cat": piped(im.MixUp())})


def wrapped(pipe: im.Pipeline, **how: Any) -> Any:
    return im.augmented(list(zip(X, Y.tolist(), strict=True)), pipe, names=("image", "label"), **how)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_dataset_of_ones_own_is_mixed_within_even_batches(workers: int) -> None:
    torch = pytest.importorskip("torch")
    pipe = im.Pipeline([im.Flip("x", p=0.5), im.MixUp(classes=3)], seed=3)
    found = []
    for size in (2, 6, 18):
        loader = torch.utils.data.DataLoader(wrapped(pipe), batch_size=size, num_workers=workers, drop_last=True)
        images, labels = zip(*loader, strict=True)
        found.append((torch.cat(images), torch.cat(labels)))
    assert all(torch.equal(image, found[0][0]) and torch.equal(label, found[0][1]) for image, label in found)
    assert found[0][1].shape == (18, 3)
    assert (found[0][1].max(dim=1).values < 1).any()


def test_a_dataset_of_ones_own_says_what_it_needs() -> None:
    pipe = im.Pipeline([im.MixUp(classes=3)], seed=3)
    with pytest.raises(InputError, match=r"expected a batch for MixUp, got one item alone.*batch_size=32"):
        wrapped(pipe)[0]
    bare = im.augmented(list(zip(X, Y.tolist(), strict=True)), pipe)
    with pytest.raises(InputError, match=r"names=\('image', 'label'\)"):
        bare.__getitems__([0, 1])
    named = im.augmented([{"image": x, "target": int(y)} for x, y in zip(X, Y, strict=True)], pipe)
    with pytest.raises(InputError, match="call it 'label'"):
        named.__getitems__([0, 1])
    good = im.augmented([{"image": x, "label": int(y), "file": "a"} for x, y in zip(X, Y, strict=True)], pipe)
    first, _ = good.__getitems__([0, 1])
    assert first["label"].shape == (3,)
    assert first["file"] == "a"


def test_arrays_have_classes_by_name() -> None:
    images, labels = np.full((4, 2, 2), 10, np.uint8), np.array([0, 1, 1, 0])
    by_class = im.Pipeline([im.PerClass({"cat": [im.Invert()], "dog": ()}), im.MixUp(weight=1.0)], seed=3)
    loader = im.Loader((images, labels), by_class, batch_size=4, workers=0, classes=["cat", "dog", "cow"])
    (batch,) = list(loader)
    assert loader.classes == ("cat", "dog", "cow")
    assert batch.label.shape == (4, 3)
    np.testing.assert_array_equal(batch.image[:, 0, 0], np.where(batch.label[:, 0] == 1, 245, 10))
    own = im.Loader(
        (images, labels), None, pipelines={"dog": im.Pipeline([im.Invert()], seed=1)}, classes=("cat", "dog")
    )
    (batch,) = list(own)
    np.testing.assert_array_equal(batch.image[:, 0, 0], np.where(batch.label == 1, 245, 10))


@pytest.mark.parametrize(
    ("data", "classes", "said"),
    [
        ((np.zeros((3, 2, 2), np.uint8), np.arange(3)), ["a", "b"], "expected a name for each of 3 classes"),
        ((np.zeros((3, 2, 2), np.uint8), np.eye(3)), ["a", "b", "c", "d"], "expected a name for each of 3 classes"),
        ((np.zeros((3, 2, 2), np.uint8), np.zeros(3)), ["a", "b"], "expected labels as numbers of the classes"),
        (np.zeros((3, 2, 2), np.uint8), ["a", "b"], "got no labels"),
        ([np.zeros((2, 2), np.uint8)], ["a", "b"], "got a list, which has its own"),
    ],
)
def test_names_that_do_not_fit_labels_are_refused(data: Any, classes: list[str], said: str) -> None:
    with pytest.raises(im.InputError, match=said):
        im.Loader(data, classes=classes)
