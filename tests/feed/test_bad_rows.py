"""Rows that cannot be read, and errors in the user's own functions."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.feed import Loader
from tests.feed.makes import PIPELINE, hashes, jpegs


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Thirty photos: one empty, one cut off behind its header, one that is text."""
    jpegs(tmp_path, 30)
    (tmp_path / "cat" / "003.jpg").write_bytes(b"")
    cut = tmp_path / "dog" / "004.jpg"
    cut.write_bytes(cut.read_bytes()[:-300])
    (tmp_path / "owl" / "005.jpg").write_text("no picture")
    return tmp_path


BAD = {"cat/003.jpg", "dog/004.jpg", "owl/005.jpg"}


def epoch(loader: Loader) -> list[im.Batch]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return list(loader)


@pytest.mark.parametrize("reduced", [True, False])
def test_bad_rows_are_replaced_reported_and_counted(broken: Path, reduced: bool) -> None:
    loader = Loader(broken, PIPELINE, batch_size=8, workers=2, reduced=reduced)
    with pytest.warns(UserWarning, match=r"another row stands for it\. loader\.problems"):
        batches = list(loader)
    assert sum(map(len, batches)) == 30
    assert {problem.name for problem in loader.problems} == BAD
    assert {key for batch in batches for key in batch.replaced} == BAD
    assert not BAD & {str(key) for batch in batches for key in batch.keys}
    assert all("expected" in problem.message for problem in loader.problems)
    epoch(loader)
    assert len(loader.problems) == 3, "expected each once"
    for batch in batches:
        assert [loader.classes[label] for label in batch.label] == [key.split("/")[0] for key in batch.keys]


def test_the_replacement_is_the_next_of_the_order_and_has_pixels_of_its_own(broken: Path) -> None:
    loader = Loader(broken, PIPELINE, batch_size=30, workers=0)
    order = loader._maker.rows.keys(loader._maker.order.rows(np.arange(30), 0))
    (batch,) = epoch(loader)
    for place, key in enumerate(order):
        if key not in BAD:
            assert batch.keys[place] == key
            continue
        following = [k for k in [*order, *order][place + 1 :] if k not in BAD]
        assert batch.keys[place] == following[0]
        twin = list(order).index(following[0])
        assert not np.array_equal(batch.image[place], batch.image[twin])
        assert batch.recipe[place].key == f"{following[0]}@{place}"


def test_replacing_does_not_depend_on_workers_or_batches(broken: Path) -> None:
    def rows(**how: Any) -> list[str]:
        batches = epoch(Loader(broken, PIPELINE, **how))
        return [image.tobytes().hex() + str(key) for b in batches for image, key in zip(b.image, b.keys, strict=True)]

    truth = rows(workers=0, batch_size=30)
    assert rows(workers=3, batch_size=7) == truth
    assert rows(workers=1, batch_size=16, prefetch=5) == truth


@pytest.mark.parametrize("workers", [0, 2])
def test_or_the_first_one_stops_the_run_by_its_name(broken: Path, workers: int) -> None:
    loader = Loader(broken, PIPELINE, batch_size=8, workers=workers, on_error="raise")
    with pytest.raises(im.CodecError, match=r"cat/003\.jpg|dog/004\.jpg|owl/005\.jpg"):
        list(loader)


def test_when_nothing_can_be_read_the_run_ends(tmp_path: Path) -> None:
    jpegs(tmp_path, 6)
    for path in tmp_path.rglob("*.jpg"):
        path.write_bytes(b"")
    with pytest.raises(im.InputError, match="one after the other"):
        epoch(Loader(tmp_path, PIPELINE, batch_size=4, workers=1))


def fails_on_bright(image: Any) -> Any:
    if image.max() > 200:
        raise ZeroDivisionError("my own mistake")
    return image


@pytest.mark.parametrize("workers", [0, 2])
def test_errors_in_own_functions_arrive_with_the_name_of_the_sample(workers: int) -> None:
    x = np.full((20, 8, 8, 3), 100, np.uint8)
    x[13] = 255
    loader = Loader((x, np.arange(20)), im.Pipeline([im.Apply(fails_on_bright)], seed=0), batch_size=5, workers=workers)
    with pytest.raises(ZeroDivisionError, match="my own mistake") as caught:
        list(loader)
    assert caught.value.__notes__ == ["in the function 'fails_on_bright'", "while augmenting 13"]
    loader.close()


class OwnDataset:
    """Somebody's rows, one of which cannot be had."""

    def __len__(self) -> int:
        return 400

    def __getitem__(self, row: int) -> Any:
        if row == 6:
            raise im.CodecError("scan.nii: expected a readable file")
        return np.zeros((8, 8, 3), np.uint8), row


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_an_own_dataset_is_raised_whatever_its_kind(workers: int) -> None:
    loader = Loader(OwnDataset(), im.Pipeline([im.Flip("x")], seed=0), batch_size=8, workers=workers)
    with pytest.raises(im.CodecError, match=r"scan\.nii") as caught:
        list(loader)
    assert "in the dataset, when item 6 was asked for" in caught.value.__notes__
    loader.close()


def test_errors_of_ours_have_the_name_as_well(tmp_path: Path) -> None:
    jpegs(tmp_path, 4)
    im.write_picture(tmp_path / "cat" / "small.png", im.Picture(np.zeros((10, 10, 3), np.uint8), "yxc"))
    with pytest.raises(im.InputError, match=r"small\.png"):
        list(Loader(tmp_path, im.Pipeline([im.Crop((20, 20)), im.Resize((8, 8))], seed=0), workers=1))


def test_after_an_error_the_loader_can_be_used_again(broken: Path) -> None:
    loader = Loader(broken, PIPELINE, batch_size=8, workers=2, on_error="raise")
    for _ in range(2):
        with pytest.raises(im.CodecError):
            list(loader)
    for name in BAD:
        (broken / name).unlink()
    assert len(hashes(Loader(broken, PIPELINE, batch_size=8, workers=2))) == 27
