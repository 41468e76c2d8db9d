"""Maps of numbers beside the images: in the store as they are in the pixels' frame, and in every batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import imagemill as im

NUMBERS = np.arange(8 * 12, dtype=np.float32).reshape(8, 12) / 7


def save(array: np.ndarray, path: Path) -> None:
    Image.fromarray(array).save(path)


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Six images of 8x12, with a depth and a soft mask for each."""
    for i in range(6):
        for name in ("image", "depth", "soft"):
            (tmp_path / "in" / name).mkdir(parents=True, exist_ok=True)
        save(np.full((8, 12, 3), 10 * i, np.uint8), tmp_path / "in" / "image" / f"{i}.png")
        np.save(tmp_path / "in" / "depth" / f"{i}.npy", NUMBERS + i)
        save(np.full((8, 12), 1000 * i, np.uint16), tmp_path / "in" / "soft" / f"{i}.png")
    return tmp_path / "in"


def prepared(rooms: Path, **how: object) -> im.Dataset:
    source = im.open_source(rooms / "image", maps={"depth": rooms / "depth", "soft": rooms / "soft"})
    im.prepare(source, rooms.parent / "store", split=(1.0, 0.0, 0.0), **how)  # type: ignore[arg-type]
    return im.open(rooms.parent / "store")


def number_of(sample: im.Sample) -> int:
    return int(sample.image[0, 0, 0]) // 10


def test_values_are_those_of_the_files_and_go_through_pipelines(rooms: Path) -> None:
    data = prepared(rooms)
    for sample in data:
        i = number_of(sample)
        np.testing.assert_array_equal(sample.depth, NUMBERS + i)
        np.testing.assert_array_equal(sample.soft, np.full((8, 12), 1000.0 * i))
    loader = im.Loader(data, im.Pipeline([im.Flip("x"), im.Brightness(1.0)], seed=1), batch_size=3, seed=1, split="all")
    for batch in loader:
        for image, depth in zip(batch.image, batch.depth, strict=True):
            np.testing.assert_array_equal(depth, NUMBERS[:, ::-1] + int(image[0, 0, 0]) // 10)


def test_they_are_scaled_and_cut_with_the_image(rooms: Path) -> None:
    for sample in prepared(rooms, size=(4, 4), fit="crop"):
        middle = NUMBERS[:, 2:10].reshape(4, 2, 4, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(sample.depth, middle + number_of(sample), rtol=1e-5)


def test_what_is_known_is_not_made_again_and_a_changed_map_is(rooms: Path) -> None:
    source = im.open_source(rooms / "image", maps={"depth": rooms / "depth"})
    out = rooms.parent / "store"
    assert im.prepare(source, out).made == 6
    assert im.prepare(source, out).made == 0
    np.save(rooms / "depth" / "2.npy", NUMBERS * 2)
    again = im.open_source(rooms / "image", maps={"depth": rooms / "depth"})
    assert im.prepare(again, out).made == 1
    (two,) = [sample for sample in im.open(out) if number_of(sample) == 2]
    np.testing.assert_array_equal(two.depth, NUMBERS * 2)
    assert not any("left out" in note for note in im.prepare(again, out).notes)


def test_a_store_in_many_files_has_them_and_maps_of_several_channels_are_refused(rooms: Path) -> None:
    prepared(rooms, file_rows=2)
    large = im.LargeDataset.open(rooms.parent / "store")
    for batch in im.Loader(large, im.Pipeline([im.Flip("y")], seed=1), batch_size=2, seed=1):
        for image, depth in zip(batch.image, batch.depth, strict=True):
            np.testing.assert_array_equal(depth, NUMBERS[::-1] + int(image[0, 0, 0]) // 10)
    save(np.zeros((8, 12, 3), np.uint8), rooms / "soft" / "0.png")
    with pytest.raises(im.CodecError, match="one number a pixel for soft, got 3 channels"):
        prepared(rooms, overwrite=True)
