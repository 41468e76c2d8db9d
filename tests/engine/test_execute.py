"""A column through a plan: many samples at once where the backend can, one by one where it cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.engine import execute
from imagemill.engine.backends.cpu.backend import Cpu
from imagemill.pipeline.inputs import Inputs, read_columns
from imagemill.testing import label_map, picture

Array = np.ndarray[Any, Any]

TURN = (im.Flip("x", p=0.5), im.Rotate((-30, 30)), im.Shift(fraction=(-0.2, 0.2)), im.Zoom((0.3, 1.5)))
PIPELINES = {
    "one pass": [*TURN, im.Brightness((0.5, 1.5)), im.Normalize(0.5, 0.25), im.ToLayout("channels_first")],
    "a pass after another": [*TURN, im.Rotate((-9, 9), border="wrap"), im.Contrast((0.5, 1.5))],
    "a pass that is not for many": [*TURN, im.Rotate((-9, 9), order=3), im.Gamma((0.5, 2))],
    "a function": [*TURN, im.Apply(np.invert), im.Rotate((-9, 9))],
    "a function last": [*TURN, im.Apply(np.invert)],
    "padding for some": [*TURN, im.Pad(3, p=0.5), im.Crop((28, 28)), im.Standardize()],
    "no geometry": [im.Brightness((0.5, 1.5))],
    "nothing": [],
}
N = 70


def pictures(n: int = N, shape: tuple[int, int] = (30, 32)) -> Array:
    return np.stack([picture(i, shape, 3) for i in range(n)])


@pytest.mark.parametrize("name", PIPELINES)
def test_many_together_are_each_alone(name: str) -> None:
    pipe, images = im.Pipeline(PIPELINES[name], seed=3), pictures()
    together = pipe.batch(images, keys=range(N)).image
    assert together.flags.c_contiguous
    for other in (
        pipe.batch(list(images), keys=range(N)).image,
        pipe.batch(images, keys=range(N), workers=4).image,
        np.concatenate([pipe.batch(images[i : i + 7], keys=range(i, i + 7)).image for i in range(0, N, 7)]),
        np.stack([pipe(image=image, key=key).image for key, image in enumerate(images)]),
    ):
        assert other.dtype == together.dtype
        np.testing.assert_array_equal(other, together)


@pytest.mark.parametrize("name", PIPELINES)
def test_the_other_columns_come_along(name: str) -> None:
    pipe, images = im.Pipeline(PIPELINES[name], seed=3), pictures(9)
    masks = np.stack([label_map(i, images.shape[1:3]) for i in range(9)])
    batch = pipe.batch(images, mask=masks, second=[im.Image(255 - image) for image in images], keys=range(9), workers=2)
    for key in range(9):
        alone = pipe(image=images[key], mask=masks[key], second=im.Image(255 - images[key]), key=key)
        for column in ("image", "mask", "second"):
            np.testing.assert_array_equal(batch[column][key], alone[column])


def test_inputs_of_many_sizes_become_one_batch() -> None:
    pipe = im.Pipeline([*TURN, im.Resize((20, 24))], seed=3)
    images = [picture(i, (20 + i, 40 - i), 3) for i in range(5)]
    batch = pipe.batch(images, keys=range(5))
    for key, image in enumerate(images):
        np.testing.assert_array_equal(batch.image[key], pipe(image, key=key))


def test_colour_photos_and_small_pictures_are_run_in_one_call_and_others_not(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("image", "images"):
        method = getattr(Cpu, name)

        def counted(self: Any, *given: Any, _name: str = name, _method: Any = method) -> Any:
            found = _method(self, *given)
            calls.append(_name if found is not None else "none")
            return found

        monkeypatch.setattr(Cpu, name, counted)
    pipe = im.Pipeline(PIPELINES["one pass"], seed=3)
    pipe.batch(pictures())
    assert calls == ["images"]
    calls.clear()
    pipe.batch(pictures(200), workers=2)
    assert calls == ["images"] * 2
    calls.clear()
    sizes = im.Pipeline([im.Rotate(20), im.Resize((70, 80))], seed=3)
    sizes.batch([picture(0, (300, 200), 3), picture(1, (80, 90), 3), picture(2, (80, 91), 3)] * 5, workers=2)
    assert calls == ["images"] * 2
    calls.clear()
    pipe.batch([array.astype(np.float32) for array in pictures(3, (80, 90))])
    assert calls == ["none", *["image"] * 3]


def test_an_error_in_a_thread_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*given: Any) -> Any:
        raise im.InputError("expected this")

    monkeypatch.setattr(Cpu, "images", failing)
    with pytest.raises(im.InputError, match="expected this"):
        im.Pipeline(PIPELINES["one pass"], seed=3).batch(pictures(), workers=2)


def test_a_picture_among_targets_without_pixels_is_named() -> None:
    images = pictures(2)
    mixed = [im.Keypoints([[1, 2]]), im.Image(images[0])]
    with pytest.raises(im.InputError, match=r"without pixels in all of a column .* got 'image' at position 1; pass it"):
        im.Pipeline([im.Flip("x")], seed=1).batch(images, points=mixed)


def test_one_sample_is_run_as_a_batch_of_one_is() -> None:
    images, boxes, points = pictures(1), im.Boxes([[2, 3, 9, 12]], labels=["cat"]), im.Keypoints([[5, 6]])
    given = {"mask": label_map(1, (30, 32)), "boxes": boxes, "keypoints": points, "label": "cat"}
    pipe = im.Pipeline([*TURN, im.Brightness((0.5, 1.5)), im.ToLayout("channels_first")], seed=3)
    batch = pipe.batch(images, keys=["a"], **{name: [value] for name, value in given.items()})
    alone = pipe(image=images[0], key="a", **given)
    assert list(alone.targets) == list(batch.columns)
    for name in ("image", "mask"):
        np.testing.assert_array_equal(alone[name], batch[name][0])
    assert alone.targets["image"].axes == "cyx"
    assert alone.targets["mask"].axes == "yx"
    for name in ("boxes", "keypoints"):
        np.testing.assert_array_equal(alone[name].array, batch[name][0].array)
    assert (alone.label, batch.label, alone.targets["label"].kind) == ("cat", ["cat"], "label")
    assert alone.boxes.labels == batch.boxes[0].labels
    assert (alone.recipe, alone.applied) == (batch.recipe[0], batch.applied[0])
    np.testing.assert_array_equal(alone.affine, batch.affine[0])


@pytest.mark.parametrize("workers", [1, 3])
def test_images_that_are_fetched_are_run_a_few_at_a_time_and_are_the_same(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, images = im.Pipeline(PIPELINES["one pass"], seed=3), pictures(20)
    expected = pipe.batch(images, keys=range(20)).image
    inputs = Inputs(read_columns({"image": list(images)}, None)[0])
    plan = pipe.plan(pipe.draw(inputs.frame, list(range(20))))
    monkeypatch.setattr(execute, "_CACHED", 6 * images[0].nbytes)
    monkeypatch.setattr(execute, "_SHARE", 1)  # small images too are shared out among the workers
    at_once: list[int] = []

    def counted(plan: Any, backend: Any, kind: str, first: int, values: Any, *more: Any) -> None:
        at_once.append(len(values))
        pixels(plan, backend, kind, first, values, *more)

    pixels = execute._pixels
    monkeypatch.setattr(execute, "_pixels", counted)
    column = execute.Column("image", "yx", images[:1].repeat(20, 0), fetch=images.__getitem__)
    made = execute.run(plan, {"image": column}, pipe.backend, workers=workers)["image"]
    assert at_once[:1] == [6]
    assert max(at_once) == 6
    np.testing.assert_array_equal(made, expected)
