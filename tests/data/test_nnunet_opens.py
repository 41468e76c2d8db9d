"""Folders of nnU-Net and others with a dataset.json are no stores, and open by every verb."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Picture, write_picture
from imagemill.data.store import is_store


def cases(folder: Path, count: int = 6) -> Path:
    """A raw dataset as nnU-Net describes it."""
    for n in range(count):
        values = np.random.default_rng(n).normal(100, 20, (4, 6, 5)).astype(np.float32)
        affine = np.diag([1.0, 1.0, 1.0, 1.0])
        write_picture(folder / f"imagesTr/case_{n:03d}_0000.nii.gz", Picture(values, "zyx", affine))
        write_picture(folder / f"labelsTr/case_{n:03d}.nii.gz", Picture((values > 100).astype(np.uint8), "zyx", affine))
    told = {"channel_names": {"0": "T2"}, "labels": {"background": 0, "organ": 1}, "numTraining": count}
    (folder / "dataset.json").write_text(json.dumps({**told, "file_ending": ".nii.gz"}))
    return folder


def test_open_loader_split_and_prepare_take_it(tmp_path: Path) -> None:
    folder = cases(tmp_path / "Dataset001_Organ")
    dataset = im.open(folder)
    assert (len(dataset), dataset[0].mask.shape) == (6, dataset[0].image.shape[:3])
    batch = next(iter(im.Loader(folder, batch_size=2, workers=0, seed=1)))
    assert batch.image.shape[0] == batch.mask.shape[0] == 2
    assert dataset.split(0.5, val=0).table["split"].to_list().count("test") == 3
    assert im.scan(folder).layout == "nnunet"
    im.prepare(folder, tmp_path / "out", split=0, val=0)
    assert is_store(tmp_path / "out")


def test_a_description_of_something_else_is_no_store(tmp_path: Path) -> None:
    write_picture(tmp_path / "cat/1.png", Picture(np.zeros((4, 4), np.uint8), "yx"))
    (tmp_path / "dataset.json").write_text(json.dumps({"name": "cats", "labels": {"0": "cat"}}))
    assert not is_store(tmp_path)
    assert im.open(tmp_path).class_counts() == {"cat": 1}


def test_a_damaged_store_is_one_all_the_same(tmp_path: Path) -> None:
    write_picture(tmp_path / "in/cat/1.png", Picture(np.zeros((4, 4), np.uint8), "yx"))
    im.prepare(tmp_path / "in", tmp_path / "out", split=0, val=0)
    (tmp_path / "out/dataset.json").write_text("{")
    assert is_store(tmp_path / "out")
    with pytest.raises(im.SourceError, match="expected JSON"):
        im.open(tmp_path / "out")


def test_levels_count_from_1(tmp_path: Path) -> None:
    write_picture(tmp_path / "in/dog/beagle/1.png", Picture(np.zeros((4, 4), np.uint8), "yx"))
    with pytest.raises(im.InputError, match="got 'level:0'; levels count from 1, the most general: write level:1"):
        im.prepare(tmp_path / "in", tmp_path / "out", labels="level:0")
