"""Gray and colour in one batch: gray becomes RGB exactly where that is asked for; else the error says what to ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import imagemill as im

RNG = np.random.default_rng(8)
RGB = RNG.integers(0, 256, (16, 20, 3), dtype=np.uint8)
GRAY = RNG.integers(0, 256, (16, 20), dtype=np.uint8)
FLIP = im.Pipeline([im.Flip("x")], seed=3)
MIXED: list[Any] = [RGB, GRAY, im.Image(np.dstack([GRAY, 255 - GRAY]), "yxc"), np.dstack([RGB, GRAY])]
PIL = [
    Image.fromarray(RGB),
    Image.fromarray(GRAY),
    Image.fromarray(np.dstack([GRAY, GRAY])),
    Image.fromarray(GRAY > 99),
]
EXACT = np.dstack([GRAY] * 3)
# ITU-R BT.601, as Pillow rounds it.
LUMA = np.asarray(Image.fromarray(RGB).convert("L"))


def test_gray_becomes_rgb_exactly_and_rgb_gray_by_luma() -> None:
    batch = FLIP.batch(MIXED, channels="rgb").image
    for found, wanted in zip(batch, [RGB, EXACT, EXACT, RGB], strict=True):
        np.testing.assert_array_equal(found, wanted[:, ::-1])
    batch = FLIP.batch(MIXED, channels="gray").image
    for found, wanted in zip(batch, [LUMA, GRAY, GRAY, LUMA], strict=True):
        np.testing.assert_array_equal(found, wanted[:, ::-1])
    batch = FLIP.batch(MIXED, channels="rgba").image
    np.testing.assert_array_equal(batch[2, ..., 3], 255 - GRAY[:, ::-1])
    assert (batch[1, ..., 3] == 255).all()
    pictures = FLIP.batch(PIL, channels="rgb").image
    np.testing.assert_array_equal(pictures[3], np.dstack([np.where(GRAY > 99, 255, 0)] * 3)[:, ::-1])


def test_single_calls_replays_and_batches_agree() -> None:
    pipe = im.Pipeline([im.Flip("x", p=0.5), im.Saturation((0.5, 1.5)), im.Resize((8, 8))], seed=5)
    batch = pipe.batch(MIXED, keys=list("abcd"), channels="rgb")
    for n, (key, image) in enumerate(zip("abcd", MIXED, strict=True)):
        np.testing.assert_array_equal(pipe(image, key=key, channels="rgb"), batch.image[n])
        np.testing.assert_array_equal(pipe.replay(batch.recipe[n], image, channels="rgb").image, batch.image[n])


def test_axes_keep_their_order() -> None:
    first = np.ascontiguousarray(GRAY[None])
    np.testing.assert_array_equal(FLIP(first, axes="cyx", channels="rgb"), EXACT[:, ::-1].transpose(2, 0, 1))
    volume = RNG.integers(0, 99, (3, 4, 5), dtype=np.int16)
    made = FLIP(volume, axes="xyz", channels="rgb")
    np.testing.assert_array_equal(made, np.stack([volume[::-1]] * 3, axis=-1))
    back = im.Image(made, "xyzc").with_channels("gray")
    assert (back.axes, back.array.shape) == ("xyz", (3, 4, 5))
    image = im.Image(RGB)
    assert image.with_channels("rgb") is image
    assert image.with_channels("keep") is image
    with pytest.raises(im.InputError, match=r"expected 1 to 4 channels to turn into rgb, got 7"):
        im.Image(np.zeros((4, 4, 7), np.uint8), "yxc").with_channels("rgb")
    with pytest.raises(im.InputError, match="expected channels to be one of"):
        FLIP(RGB, channels="RGB")  # type: ignore[arg-type]


def test_mixed_batches_name_the_setting_that_helps() -> None:
    for images in (MIXED, PIL, [RGB, np.dstack([RGB, GRAY])]):
        with pytest.raises(im.InputError, match=r"pass channels='rgb' \(or "):
            FLIP.batch(images)
        assert FLIP.batch(images, channels="rgb").image.shape[-1] == 3
    with pytest.raises(im.InputError, match=r"pass channels='rgb'"):
        im.hf_transform(FLIP)({"image": PIL})
    assert im.hf_transform(FLIP, channels="rgb")({"image": PIL})["image"][1].shape == (16, 20, 3)
    wide = GRAY.astype(np.uint16) * 257
    with pytest.raises(im.InputError, match=r"bring all to one type first: \(array // 257\)\.astype\(numpy\.uint8\)"):
        FLIP.batch([GRAY, wide])
    batch = FLIP.batch([GRAY, (wide // 257).astype(np.uint8)])
    np.testing.assert_array_equal(batch.image[0], batch.image[1])


@pytest.mark.parametrize("items", [MIXED, PIL, [{"image": one, "label": 1} for one in PIL]])
def test_the_loader_takes_mixed_items(items: list[Any]) -> None:
    with pytest.raises(im.InputError, match=r"pass channels='rgb' \(or 'gray'\)"):
        next(iter(im.Loader(items, FLIP, batch_size=4, seed=1)))
    batch = next(iter(im.Loader(items, FLIP, batch_size=4, shuffle=False, seed=1, channels="rgb")))
    np.testing.assert_array_equal(batch.image[1], EXACT[:, ::-1])


def test_the_loader_turns_arrays_into_the_channels_asked_for() -> None:
    x = np.stack([GRAY, 255 - GRAY])
    for pipeline in (FLIP, None):
        batch = next(iter(im.Loader((x, [0, 1]), pipeline, batch_size=2, shuffle=False, seed=1, channels="rgb")))
        wanted = np.stack([np.dstack([one] * 3) for one in x])
        np.testing.assert_array_equal(batch.image, wanted[:, :, ::-1] if pipeline else wanted)
    colours = np.stack([RGB, RGB])
    batch = next(iter(im.Loader((colours, [0, 1]), None, batch_size=2, shuffle=False, seed=1, channels="gray")))
    np.testing.assert_array_equal(batch.image[0], LUMA)


def test_a_folder_of_gray_and_colour_of_eight_and_sixteen_bits(tmp_path: Path) -> None:
    for name, image in zip(("a", "b", "c", "d"), PIL, strict=True):
        image.save(tmp_path / f"{name}.png")
    Image.fromarray(GRAY.astype(np.uint16) * 257).save(tmp_path / "e.png")
    loader = im.Loader(im.open(tmp_path), FLIP, batch_size=5, shuffle=False, seed=1, channels="rgb")
    with pytest.raises(im.InputError, match="ToDtype"):
        next(iter(loader))
    pipe = im.Pipeline([im.Flip("x"), im.Rescale()], seed=1)
    batch = next(iter(im.Loader(im.open(tmp_path), pipe, batch_size=5, shuffle=False, seed=1, channels="rgb")))
    np.testing.assert_allclose(batch.image[1], EXACT[:, ::-1] / 255, atol=1e-6)
    np.testing.assert_allclose(batch.image[4], batch.image[1], atol=1e-6)
