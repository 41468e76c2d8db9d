"""Other transforms for each class: by label alone, in batches, loaders and wrapped datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

import imagemill as im
from imagemill.evaluate.inputs.arm_check import changed
from tests.app.terminal import imagemill

X = np.random.default_rng(0).integers(0, 256, (6, 9, 12, 3), dtype=np.uint8)
NAMES = ["cat", "dog", "text", "cow", "cat", "dog"]
PIPE = im.Pipeline(
    [
        im.Rotate((-20, 20)),
        im.PerClass(
            {"dog": [im.Brightness((0.5, 2)), im.Flip("y", p=0.5)], "cat": [im.Flip("x")], "text": ()}, [im.Invert()]
        ),
    ],
    seed=5,
)
TURN = im.Pipeline([PIPE.transforms[0]], seed=5)


def by_hand(row: int, name: str) -> Any:
    turned = TURN(X[row], key=row, epoch=0)
    return {"cat": turned[:, ::-1], "text": turned, "cow": 255 - turned}.get(name)


def test_each_class_gets_its_own_in_any_batch_and_again_from_its_recipe() -> None:
    batch = PIPE.batch(X, label=NAMES, keys=range(6), epoch=0)
    for row, name in enumerate(NAMES):
        alone = PIPE(image=X[row], label=name, key=row, epoch=0)
        np.testing.assert_array_equal(batch.image[row], alone.image)
        assert batch.applied[row] == alone.applied
        np.testing.assert_array_equal(PIPE.replay(alone.recipe, image=X[row], label=name).image, alone.image)
        if (wanted := by_hand(row, name)) is not None:
            np.testing.assert_allclose(alone.image.astype(int), wanted.astype(int), atol=1)
    # By number in the sorted list of classes that have any: 1 cat, 2 dog, 3 all others; 0 for nothing.
    assert [batch.applied[row][1].values["class"] for row in range(6)] == [1, 2, 0, 3, 1, 2]
    # What a sample draws does not depend on the classes of the others.
    dogs = PIPE.batch(X, label=["dog"] * 6, keys=range(6), epoch=0)
    np.testing.assert_array_equal(dogs.image[[1, 5]], batch.image[[1, 5]])


def test_labels_are_names_or_numbers_of_any_type() -> None:
    pipe = im.Pipeline([im.PerClass({3: [im.Invert()]}, default=())], seed=1)
    for label in (3, "3", np.int64(3), np.array(3), 3.0, np.float32(3)):
        assert (pipe(image=X[0], label=label).image == 255 - X[0]).all()
    assert (pipe(image=X[0], label=4).image == X[0]).all()
    made = pipe.batch(X[:2], label=[np.eye(4)[3], np.eye(4)[0]], choose_by=[3, 0])
    assert (made.image[0] == 255 - X[0]).all()
    assert (made.image[1] == X[1]).all()


def test_files_digests_and_words_do_not_go_by_the_order_of_the_classes() -> None:
    assert im.Pipeline.from_yaml(PIPE.to_yaml()) == PIPE == im.Pipeline.from_json(PIPE.to_json())
    flip: list[im.Transform] = [im.Flip("x", p=0.5)]
    invert: list[im.Transform] = [im.Invert(p=0.5)]
    one, two = (
        im.Pipeline([im.PerClass(listed)], seed=1) for listed in ({"a": flip, "b": invert}, {"b": invert, "a": flip})
    )
    assert one.digest == two.digest
    assert one.to_yaml() == two.to_yaml()
    for key in range(8):
        np.testing.assert_array_equal(*(p(image=X[0], label="b", key=key).image for p in (one, two)))
    written = "PerClass({'cat': [Flip()], 'dog': [Brightness(factor=(0.5, 2)), Flip(p=0.5, axis='y')], 'text': []}, "
    assert repr(PIPE).endswith(written + "default=[Invert()]),\n], seed=5)")
    said = PIPE.explain((9, 12, 3), label="cow")
    assert "by the sample's class: 1 cat, 2 dog, 3 all others; nothing for text" in said
    assert "operations that run on each image: 1 to 3 of 5" in said
    assert "Invert" in said.rpartition("drawn: ")[2]
    assert not [found for found in PIPE.lint((9, 12, 3)) if found.level != "note"]
    assert im.Pipeline([im.PerClass({"a": flip, "b": [im.Flip("x"), im.Invert(p=0.5)]})], seed=1).variants == 2
    with pytest.raises(im.ParameterError, match=r"step 1 \(PerClass\), in it 2 \(Rotate\), line 1"):
        im.Pipeline.from_yaml("transforms: [{PerClass: {transforms: {a: [Flip, {Rotate: {degrees: 999}}]}}}]")


TWICE: Any = {0: [], "0": [im.Invert()]}
ALONE: Any = {"cat": im.Invert()}
STRICT = im.Pipeline([im.PerClass({"cat": [im.Invert()]})], seed=1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: STRICT(X[0]), "one of cat, got none; pass label=... beside the image"),
        (lambda: STRICT(image=X[0], label=None), "got none"),
        (lambda: STRICT(image=X[0], label="dog"), r"one of cat, got 'dog'; .*default=\[...\], \(\) for nothing"),
        (lambda: STRICT(image=X[0], label=[1, 0]), "one class for each sample .* list .*choose_by"),
        (lambda: STRICT.batch(X, choose_by=["cat"]), "6 values to choose by, one per sample, got 1"),
        (lambda: im.PerClass({"cat": ()}), "one class at least"),
        (lambda: im.PerClass(TWICE), "once, got '0'"),
        (lambda: im.PerClass({True: [im.Invert()]}), "by name or number, got True"),
        (lambda: im.PerClass(ALONE), "of class 'cat' to be a list"),
        (lambda: im.PerClass({"cat": [im.Invert()]}, missing="ignore"), r"no default; add default"),
    ],
)
def test_what_it_cannot_go_by_is_refused_with_advice(call: Any, said: str) -> None:
    with pytest.raises(im.InputError, match=said):
        call()


def test_the_advice_works() -> None:
    for label in ("cat", "dog", None):
        pipe = im.Pipeline([im.PerClass({"cat": [im.Invert()]}, default=(), missing="ignore")], seed=1)
        given: dict[str, Any] = {} if label is None else {"label": label}
        assert (pipe(image=X[0], **given).image == (255 - X[0] if label == "cat" else X[0])).all()


def test_loaders_go_by_the_names_of_classes_and_mix_behind(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for row, name in enumerate(NAMES):
        (photos / name).mkdir(exist_ok=True, parents=True)
        Picture.fromarray(X[row]).save(photos / name / f"{row}.png")
    found = im.open(photos)
    for size in (2, 5):
        with im.Loader(found, PIPE, batch_size=size, shuffle=False) as loader:
            for batch in loader:
                for row, key in enumerate(batch.keys):
                    name, number = str(key).split("/")
                    alone = PIPE(image=X[int(number[0])], label=name, key=str(key), epoch=0)
                    np.testing.assert_array_equal(batch.image[row], alone.image)
    wrong = im.Pipeline([im.PerClass({"kat": [im.Invert()]}, default=())], seed=1)
    with pytest.raises(im.InputError, match=r"classes of the dataset, cat, cow, dog, text, got 'kat'"):
        next(iter(im.Loader(found, wrong, batch_size=2)))
    PIPE.to_yaml(tmp_path / "pipe.yaml")
    said = imagemill("augment", photos, "-o", tmp_path / "out", "-p", tmp_path / "pipe.yaml", "-n", "1")
    assert said.code == 0, said.err
    made = np.asarray(Picture.open(next((tmp_path / "out").rglob("3*.png"))))
    np.testing.assert_array_equal(made, PIPE(image=X[3], label="cow", key="cow/3.png", epoch=0).image)


def test_arrays_mixing_and_wrapped_datasets() -> None:
    numbers = np.array([0, 1, 2, 0, 1, 2])
    only = im.PerClass({0: [im.Invert()], 1: [im.Flip("x", p=0.5)]}, default=())
    pipe = im.Pipeline([only], seed=3)
    mixed = im.Pipeline([only, im.MixUp(weight=1.0)], seed=3)
    wrapped = im.augmented(list(zip(X, numbers.tolist(), strict=True)), pipe, names=("image", "label"))
    with im.Loader((X, numbers), pipe, batch_size=4, shuffle=False) as loader:
        plain = np.concatenate([batch.image for batch in loader])
    with im.Loader((X, numbers), mixed, batch_size=4, shuffle=False) as loader:
        np.testing.assert_array_equal(np.concatenate([batch.image for batch in loader]), plain)
    for row, number in enumerate(numbers):
        image, label = wrapped[row]
        assert label == number
        alone = pipe(image=X[row], label=number, key=row, epoch=0).image
        np.testing.assert_array_equal(image, alone)
        np.testing.assert_array_equal(plain[row], alone)
    with pytest.raises(im.InputError, match=r"names=\('image', 'label'\)"):
        im.augmented(list(zip(X, numbers.tolist(), strict=True)), pipe)[0]
    clip = pipe(image=X[:3], label=0, axes="tyxc", key=1)
    assert (clip.image == 255 - X[:3]).all()
    two = pipe.batch([X[:3], X[3:]], label=[2, 0], axes="tyxc", keys=[1, 2])
    np.testing.assert_array_equal(two.image, np.stack([X[:3], 255 - X[3:]]))


def test_an_arm_may_go_by_the_class_and_a_stress_may_not() -> None:
    pipe = im.Pipeline([im.PerClass({0: [im.Invert()]}, default=())], seed=1)
    assert (changed(pipe, X, "arm 'own'", "training images")[0] == 255 - X).all()
    with pytest.raises(im.InputError, match="goes by the label that is to be found"):
        changed(pipe, X, "stress 'own'", "test images")
