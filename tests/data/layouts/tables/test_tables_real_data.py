"""Figures that the README of the real data states, through the layouts of tables; skipped where it is not there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from imagemill.data import Source, open_source
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.registry import guesses, layout_named, look_at
from imagemill.data.records.loading import encoded, load_picture, pixels_digest

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def _read(path: Path) -> Source:
    look = look_at(path)
    return guesses(look)[0][0].read(look, ReadSource())


def test_cifar_as_parquet(data_root: Path) -> None:
    source = _read(data_root / "cifar10")
    assert source.layout == "parquet"
    assert list(source.classes) == CLASSES
    wanted = {("train", name): 5000 for name in CLASSES} | {("test", name): 1000 for name in CLASSES}
    assert Counter((r.split, r.label) for r in source) == wanted
    for record in source:
        assert (encoded(record.image) or b"")[:3] == b"\xff\xd8\xff"
        assert record.key.split("/")[1] == record.label
    assert load_picture(source.records[-1].image).array.shape == (32, 32, 3)


@pytest.mark.parametrize(("name", "count"), [("train-10000", 1000), ("test-2000", 200)])
def test_cifar_as_tar(data_root: Path, name: str, count: int) -> None:
    source = _read(data_root / "cifar10" / f"cifar10-png-{name}.tar")
    assert Counter((r.split, r.label) for r in source) == {(name.split("-")[0], label): count for label in CLASSES}
    assert load_picture(source.records[-1].image).array.shape == (32, 32, 3)


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet", "huggingface", "webdataset", "tfrecord"])
def test_pets_there_and_back(data_root: Path, tmp_path: Path, name: str) -> None:
    source, layout = open_source(data_root / "pets"), layout_named(name)
    written = layout.write(source, tmp_path / "out", WriteTarget())
    assert (written.count, written.lost, written.problems) == (300, (), ())
    back = layout.read(look_at(tmp_path / "out"), ReadSource())
    assert [(r.key, r.label, pixels_digest(r.image)) for r in back] == [
        (r.key, r.label, pixels_digest(r.image)) for r in source
    ]


@pytest.mark.parametrize("name", ["json", "parquet", "webdataset"])
def test_coco_annotations_there_and_back(data_root: Path, tmp_path: Path, name: str) -> None:
    source, layout = _read(data_root / "coco_sample" / "instances.json"), layout_named(name)
    assert layout.write(source, tmp_path / "out", WriteTarget()).lost == ()
    back = layout.read(look_at(tmp_path / "out"), ReadSource())
    assert sum(len(r.objects or ()) for r in back) == 462
    assert [(r.key, r.objects, r.size, dict(r.attributes)) for r in back] == [
        (r.key, r.objects, r.size, dict(r.attributes)) for r in source
    ]
    assert (back.categories, back.info) == (source.categories, source.info)
