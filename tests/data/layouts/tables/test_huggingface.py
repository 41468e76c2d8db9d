from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagemill.core.errors import SourceError
from imagemill.data import Record, Source
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.registry import guesses, look_at
from imagemill.data.layouts.tables.formats.huggingface_folder import HuggingFaceFolder
from tests.data.pictures import photos


def _read(path: Path) -> Source:
    return HuggingFaceFolder().read(look_at(path), ReadSource())


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_metadata_in_each_split(tmp_path: Path, form: str) -> None:
    photos(tmp_path, "train/x/a.png", "test/a.png", "test/unnamed.png")
    for folder, name, label in (("train", "x/a.png", "cat"), ("test", "a.png", "dog")):
        path = tmp_path / folder / f"metadata.{form}"
        if form == "csv":
            path.write_text(f"file_name,label\n{name},{label}\n")
        elif form == "jsonl":
            path.write_text(json.dumps({"file_name": name, "label": label}))
        else:
            pq.write_table(pa.table({"file_name": [name], "label": [label]}), path)
    source = _read(tmp_path)
    assert [(r.key, r.label, r.split) for r in source] == [
        ("test/a.png", "dog", "test"),
        ("train/x/a.png", "cat", "train"),
    ]
    assert "1 images that the metadata does not name were passed over" in source.describe()
    assert guesses(look_at(tmp_path))[0][0].name == "huggingface"


def test_objects_and_a_table_at_the_top(tmp_path: Path) -> None:
    photos(tmp_path, "train/a.png")
    row = {"file_name": "train/a.png", "split": "train", "objects": {"bbox": [[1, 2, 3, 4]], "categories": [0]}}
    (tmp_path / "metadata.jsonl").write_text(json.dumps(row))
    (record,) = _read(tmp_path)
    assert record.objects is not None
    assert (record.key, record.split, record.objects[0].category) == ("train/a.png", "train", "0")


def test_without_file_names_it_is_another_table(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("image,label\na.png,x\n")
    with pytest.raises(SourceError, match="expected a column 'file_name'"):
        _read(tmp_path)


def test_hugging_face_datasets_read_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    photos(tmp_path, "a.png", "b.png")
    records = [
        Record(f"{n}.png", tmp_path / f"{n}.png", label="dog", split=s) for n, s in (("a", "train"), ("b", "val"))
    ]
    HuggingFaceFolder().write(Source(tmp_path, "x", tuple(records)), tmp_path / "out", WriteTarget())
    found = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {name: len(part) for name, part in found.items()} == {"train": 1, "validation": 1}
    row = found["train"][0]
    assert (row["key"], row["label"], row["image"].size) == ("a.png", "dog", (40, 30))
