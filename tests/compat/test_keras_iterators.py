"""Batches from arrays: which samples come when, in which form, and the same whatever asks for them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from imagemill.compat.keras import ImageDataGenerator, Iterator, NumpyArrayIterator
from tests.compat.keras_legacy import keras

X = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)
Y = np.arange(10) % 2
TURNS = ImageDataGenerator(rotation_range=40, horizontal_flip=True, validation_split=0.3)


def epoch(flow: Any) -> list[Any]:
    return [next(flow) for _ in range(len(flow))]


def test_an_epoch_has_every_sample_once_and_the_next_another_order() -> None:
    flow = TURNS.flow(X, np.arange(10), batch_size=4, seed=3)
    assert len(flow) == 3
    orders = [np.concatenate([y for _, y in epoch(flow)]) for _ in range(2)]
    assert [sorted(order) for order in orders] == [list(range(10))] * 2
    assert orders[0].tolist() != orders[1].tolist() != list(range(10))
    assert [len(x) for x, _ in epoch(flow)] == [4, 4, 2]


def test_by_number_and_one_after_the_other_are_the_same() -> None:
    by_number, in_turn = (TURNS.flow(X, batch_size=4, seed=3) for _ in range(2))
    for _ in range(2):
        asked = {i: by_number[i] for i in (2, 0, 1)}
        for i, x in enumerate(epoch(in_turn)):
            np.testing.assert_array_equal(asked[i], x)
        by_number.on_epoch_end()


def test_pictures_do_not_depend_on_batch_size_order_or_workers() -> None:
    def pictures(**options: Any) -> dict[int, np.ndarray]:
        flow = TURNS.flow(np.repeat(X, 5, axis=0), np.arange(50), seed=9, **options)
        epoch(flow)
        return {int(label): x for xs, ys in epoch(flow) for x, label in zip(xs, ys, strict=True)}

    expected = pictures(batch_size=50, shuffle=False)
    for options in ({"batch_size": 1}, {"batch_size": 7}, {"batch_size": 48, "workers": 3}):
        found = pictures(**options)
        for label, x in expected.items():
            np.testing.assert_array_equal(found[label], x)


def test_threads_share_an_iterator() -> None:
    alone = TURNS.flow(X, np.arange(10), batch_size=1, seed=1)
    expected = {int(y[0]): x for x, y in epoch(alone)}
    flow, found, lock = TURNS.flow(X, np.arange(10), batch_size=1, seed=1), {}, threading.Lock()

    def work() -> None:
        for _ in range(2):
            x, y = next(flow)
            with lock:
                found[int(y[0])] = x

    threads = [threading.Thread(target=work) for _ in range(5)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert found.keys() == expected.keys()
    for label, x in expected.items():
        np.testing.assert_array_equal(found[label], x)


def test_a_seed_is_made_once_and_shown() -> None:
    generator = ImageDataGenerator(rotation_range=40)
    first = generator.flow(X)
    again = generator.flow(X, seed=first.seed)
    np.testing.assert_array_equal(first[0], again[0])
    assert ImageDataGenerator().seed != ImageDataGenerator().seed


def test_it_goes_on_from_a_state() -> None:
    flow = TURNS.flow(X, batch_size=4, seed=3)
    for _ in range(4):
        next(flow)
    state = flow.get_state()
    other = TURNS.flow(X, batch_size=4)
    other.set_state(state)
    for _ in range(5):
        np.testing.assert_array_equal(next(flow), next(other))
    with pytest.raises(ValueError, match="get_state"):
        other.set_state({"seed": 1})


def test_reset_begins_the_epoch_again() -> None:
    flow = TURNS.flow(X, batch_size=4, seed=3)
    first = next(flow)
    next(flow)
    flow.reset()
    np.testing.assert_array_equal(next(flow), first)


def test_subsets_are_apart_and_the_validation_part_comes_first() -> None:
    parts = {s: TURNS.flow(X, np.arange(10), subset=s, ignore_class_split=True) for s in ("training", "validation")}
    labels = {s: sorted(np.concatenate([y for _, y in epoch(flow)]).tolist()) for s, flow in parts.items()}
    assert labels == {"validation": [0, 1, 2], "training": [3, 4, 5, 6, 7, 8, 9]}
    # A picture keeps its draws, whichever part it is in.
    whole = TURNS.flow(X, shuffle=False, seed=1)[0]
    np.testing.assert_array_equal(TURNS.flow(X, shuffle=False, seed=1, subset="training")[0], whole[3:])
    with pytest.raises(ValueError, match="sorted by class"):
        TURNS.flow(X, [0, 0, 0, 1, 1, 1, 1, 1, 1, 1], subset="training")
    with pytest.raises(ValueError, match="'training' or 'validation'"):
        TURNS.flow(X, subset="test")


def test_the_form_of_a_batch() -> None:
    plain = ImageDataGenerator()
    weights, extra = np.linspace(0, 1, 10), np.arange(20).reshape(10, 2)
    assert isinstance(plain.flow(X)[0], np.ndarray)
    x, y, w = plain.flow(X, Y, sample_weight=weights, shuffle=False, batch_size=3)[1]
    np.testing.assert_array_equal(y, Y[3:6])
    np.testing.assert_array_equal(w, weights[3:6])
    (x, one), y = plain.flow((X, extra), Y, shuffle=False, batch_size=3)[1]
    np.testing.assert_array_equal(x, X[3:6].astype(np.float32))
    np.testing.assert_array_equal(one, extra[3:6])
    parts, y = plain.flow((X, [extra, weights]), Y, shuffle=False, batch_size=3)[1]
    assert [part.shape for part in parts] == [(3, 8, 8, 3), (3, 2), (3,)]


def test_label_maps_follow_and_keep_their_labels() -> None:
    masks = (X[..., 0] > 128).astype(np.uint8) * 7
    pictures = np.repeat(masks[..., None], 3, axis=-1).astype(np.float32)
    generator = ImageDataGenerator(rotation_range=40, zoom_range=0.3, horizontal_flip=True, interpolation_order=0)
    x, moved = generator.flow(pictures, masks=masks, seed=4)[0]
    np.testing.assert_array_equal(x[..., 0], moved)
    assert moved.dtype == np.uint8
    generator = ImageDataGenerator(zoom_range=(2, 2), fill_mode="constant", cval=1.5)
    x, (y, moved) = generator.flow(pictures, Y, masks=masks, mask_cval=255, shuffle=False)[0]
    np.testing.assert_array_equal(y, Y)
    assert set(np.unique(moved)) == {0, 7, 255}
    assert moved[0, 0, 0] == 255
    assert x[0, 0, 0, 0] == 1.5
    with pytest.raises(ValueError, match="label maps of integers"):
        generator.flow(pictures, masks=masks[:, :4])


def test_two_generators_with_one_seed_move_alike() -> None:
    images = ImageDataGenerator(rotation_range=40, brightness_range=(0.5, 1), interpolation_order=0)
    masks = ImageDataGenerator(rotation_range=40, interpolation_order=0)
    a, b = images.flow(X, seed=4), masks.flow(X, seed=4)
    rows = [g._ranges.draw(4, 0, range(10), (8, 8), exact=False).theta for g in (images, masks)]
    np.testing.assert_array_equal(*rows)
    np.testing.assert_array_equal(a.index_array, b.index_array)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x": X[0]}, "rank 4"),
        ({"x": X, "y": Y[:4]}, "same length: 10 pictures, and 4 in y"),
        ({"x": X, "sample_weight": Y[:4]}, "sample_weight"),
        ({"x": (X, Y[:4])}, r"x\[1\]\[0\]"),
        ({"x": (X, Y, Y)}, "a pair"),
        ({"x": [X[0], X[1, :4]], "y": None}, "same length|one array|rank"),
        ({"x": 5}, "one value per picture"),
        ({"x": X.astype(str)}, "as numbers"),
        ({"x": X, "batch_size": 0}, "batch_size"),
        ({"x": X, "workers": 0}, "workers"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ImageDataGenerator().flow(**arguments)


def test_a_batch_that_is_not_there_is_refused() -> None:
    flow = ImageDataGenerator().flow(X, batch_size=4)
    with pytest.raises(ValueError, match="from 0 to 2"):
        flow[3]
    np.testing.assert_array_equal(flow[-1], flow[2])


def test_unusual_channels_are_told() -> None:
    with pytest.warns(UserWarning, match="1, 3 or 4 channels"):
        ImageDataGenerator().flow(X[..., :2])


def test_no_picture_gives_empty_batches() -> None:
    flow = ImageDataGenerator(rotation_range=3).flow(X[:0])
    assert len(flow) == 0
    assert next(flow).shape == (0, 8, 8, 3)


def test_saved_pictures_have_names_of_their_own(tmp_path: Path) -> None:
    flow = TURNS.flow(X, batch_size=4, seed=3, save_to_dir=tmp_path, save_prefix="view", save_format="png")
    epoch(flow)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 10
    assert {name.split("_")[1] for name in names} == {str(i) for i in range(10)}
    epoch(flow)
    assert len(list(tmp_path.iterdir())) == 20
    epoch(TURNS.flow(X, batch_size=5, seed=3, save_to_dir=tmp_path, save_prefix="view"))
    assert len(list(tmp_path.iterdir())) == 20  # the same pictures, so the same names
    with PillowImage.open(tmp_path / names[0]) as image:
        assert image.size == (8, 8)
    with pytest.raises(ValueError, match="make it first"):
        next(TURNS.flow(X, save_to_dir=tmp_path / "absent"))


def test_a_subclass_says_what_a_batch_is() -> None:
    with pytest.raises(NotImplementedError, match="what a batch is"):
        next(Iterator(3, 2, False, 0))


def test_half_precision_comes_out_as_asked() -> None:
    generator = ImageDataGenerator(rotation_range=20, rescale=1 / 255, dtype="float16")
    full = ImageDataGenerator(rotation_range=20, rescale=1 / 255).flow(X, seed=1)[0]
    half = generator.flow(X, seed=1)[0]
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, full.astype(np.float16))


# ------------------------------------------------------------------------------------------------- Keras


def fitted(workers: int) -> tuple[list[float], float]:
    """Losses and the last accuracy of a small network on handwritten digits."""
    k = keras()
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    x, y = (digits.images * 15).astype(np.uint8)[..., None], k.utils.to_categorical(digits.target)
    generator = ImageDataGenerator(width_shift_range=0.1, rescale=1 / 255, validation_split=0.2)
    train = generator.flow(x, y, batch_size=128, subset="training", seed=1, workers=workers)
    test = ImageDataGenerator(rescale=1 / 255, validation_split=0.2).flow(x, y, 128, False, subset="validation")
    k.utils.set_random_seed(0)
    layers = [k.layers.Flatten(), k.layers.Dense(64, "relu"), k.layers.Dense(10, "softmax")]
    model = k.Sequential([k.Input((8, 8, 1)), *layers])
    model.compile(k.optimizers.Adam(0.01), "categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(train, validation_data=test, epochs=2, verbose=0, shuffle=False).history
    assert train.epoch >= 2
    assert model.predict(test, verbose=0).shape == (359, 10)
    return history["loss"], history["val_accuracy"][-1]


@pytest.mark.filterwarnings("ignore")
def test_model_fit_takes_it_and_learns_the_same_with_any_number_of_workers() -> None:
    losses, accuracy = fitted(workers=1)
    assert accuracy > 0.6
    np.testing.assert_allclose(fitted(workers=3)[0], losses, rtol=1e-4)


def test_it_is_a_dataset_of_keras_and_an_iterator_of_ours() -> None:
    dataset = keras().utils.PyDataset
    flow = TURNS.flow(X, batch_size=4, workers=2)
    assert isinstance(flow, NumpyArrayIterator)
    assert isinstance(flow, dataset)
    assert flow.num_batches == 3
    assert (flow.workers, flow.use_multiprocessing) == (1, False)
