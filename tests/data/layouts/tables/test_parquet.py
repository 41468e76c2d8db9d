from __future__ import annotations

import json
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Record, Source
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.registry import look_at
from imagemill.data.layouts.tables.formats import columnar_read as columnar
from imagemill.data.layouts.tables.formats.parquet import Arrow, Parquet
from imagemill.data.records.loading import encoded, load_picture
from tests.data.pictures import photos


def _photos(folder: Path, count: int = 4) -> list[bytes]:
    names = [f"{n}.png" for n in range(count)]
    photos(folder, *names)
    return [(folder / name).read_bytes() for name in names]


def _read(path: Path) -> Source:
    layout = Parquet() if path.is_dir() or path.suffix == ".parquet" else Arrow()
    return layout.read(look_at(path), ReadSource())


def _save(table: Any, path: Path, **how: Any) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path, **how)
    elif path.suffix == ".feather":
        with pa.ipc.new_file(str(path), table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_table(table, max_chunksize=3)
    else:
        with pa.ipc.new_stream(str(path), table.schema) as writer:
            writer.write_table(table, max_chunksize=3)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".arrow"])
def test_pictures_as_bytes_and_as_structs(tmp_path: Path, suffix: str) -> None:
    data = _photos(tmp_path / "p")
    structs = [{"bytes": data[n], "path": f"x/{n}.png"} for n in range(3)] + [None]
    table = pa.table({"image": structs, "mask": [data[0], None, b"", data[1]], "label": [1, 0, 1, 1], "day": [1.5] * 4})
    source = _read(_save(table, tmp_path / f"t{suffix}", **({"row_group_size": 2} if suffix == ".parquet" else {})))
    assert [r.key for r in source] == ["x/0.png", "x/1.png", "x/2.png"]
    assert [encoded(r.image) for r in source] == data[:3]
    assert [r.mask is None for r in source] == [False, True, False]
    assert [r.label for r in source] == ["1", "0", "1"]
    assert [problem.name for problem in source.problems] == [f"t{suffix}: row 4"]
    assert source.records[2].mask is not None
    with pytest.raises(CodecError, match=r"row 3: expected the bytes of a picture, got an empty cell"):
        encoded(source.records[2].mask)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_structs_with_paths_alone_are_files(tmp_path: Path, suffix: str) -> None:
    _photos(tmp_path, 2)
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = [{"bytes": None, "path": "0.png"}, {"bytes": None, "path": "../1.png"}]
    source = _read(_save(pa.table({"image": pa.array(cells, kind)}), tmp_path / f"t{suffix}"))
    assert [(r.key, r.image) for r in source] == [("0.png", tmp_path / "0.png")]
    assert "expected a path inside" in str(source.problems[0])


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_lists_of_numbers_are_pixels_of_the_stated_type(tmp_path: Path, suffix: str) -> None:
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    column = pa.array([pixels.tolist()], pa.list_(pa.list_(pa.uint16())))
    (record,) = _read(_save(pa.table({"image": column}), tmp_path / f"t{suffix}"))
    array = load_picture(record.image).array
    assert array.dtype == np.uint16
    np.testing.assert_array_equal(array, pixels)


def test_going_through_in_order_reads_each_group_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = _photos(tmp_path / "p") * 5
    path = _save(pa.table({"image": data}), tmp_path / "t.parquet", row_group_size=5)
    parts = columnar.ParquetParts.open(path)
    asked: list[int] = []
    real = parts._file.read_row_group
    monkeypatch.setattr(columnar, "_CACHE", 1)  # room for no more than the one that must be
    monkeypatch.setattr(parts, "_chunks", lambda group, column: [])
    monkeypatch.setattr(parts, "_file", type("F", (), {"read_row_group": staticmethod(
        lambda group, **how: asked.append(group) or real(group, **how))}))  # fmt: skip
    assert [parts.cell("image", row) for row in range(20)] == data
    assert asked == [0, 1, 2, 3]


def test_a_group_too_large_for_the_memory_is_read_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "_CACHE", 1)
    monkeypatch.setattr(columnar, "_PAGE_ROWS", 3)
    data = [bytes([n]) * (n + 1) for n in range(20)]
    path = _save(pa.table({"image": data}), tmp_path / "t.parquet", row_group_size=10)
    parts = columnar.ParquetParts.open(path)
    order = [*range(20), 3, 8, 2, 19, 0, 11]
    assert [parts.cell("image", row) for row in order] == [data[row] for row in order]
    assert parts._recent.get(("image", 0)) is None


def test_threads_may_share_a_file(tmp_path: Path) -> None:
    data = [bytes([n]) * 100 for n in range(200)]
    path = _save(pa.table({"image": data}), tmp_path / "t.parquet", row_group_size=7)
    records = _read(path).records
    wrong: list[int] = []

    def work(start: int) -> None:
        for n in range(200):
            row = (start + n * 37) % 200
            if encoded(records[row].image) != data[row]:
                wrong.append(row)

    threads = [threading.Thread(target=work, args=(n * 50,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_names_of_classes_come_from_the_schema(tmp_path: Path) -> None:
    data = _photos(tmp_path / "p", 3)
    meta = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    table = pa.table({"image": data, "label": [1, 0, -1]}).replace_schema_metadata({"huggingface": json.dumps(meta)})
    source = _read(_save(table, tmp_path / "t.parquet"))
    assert ([r.label for r in source], source.classes) == (["dog", "cat", None], ("cat", "dog"))


def test_a_folder_of_shards_is_one_source(tmp_path: Path) -> None:
    data = _photos(tmp_path / "p")
    (tmp_path / "set" / "data").mkdir(parents=True)
    for n, name in enumerate(["train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"]):
        _save(pa.table({"image": [data[n]]}), tmp_path / "set" / "data" / f"{name}.parquet")
    source = _read(tmp_path / "set")
    assert [r.split for r in source] == ["train", "train", "val"]
    assert source.records[0].key == "train-00000-of-00002/row-000000"
    assert [encoded(r.image) for r in source] == data[:3]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".feather"])
def test_damaged_files_are_errors_of_our_own(tmp_path: Path, suffix: str) -> None:
    data = _photos(tmp_path / "p")
    path = _save(pa.table({"image": data, "label": ["x"] * 4}), tmp_path / f"t{suffix}")
    whole = path.read_bytes()
    for cut in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:cut])
        try:
            for record in _read(path):
                encoded(record.image)
        except (SourceError, CodecError):
            continue
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            for record in _read(path):
                encoded(record.image)
        except (SourceError, CodecError):
            continue
    path.write_bytes(b"")
    with pytest.raises(SourceError, match=r"expected .* to be"):
        _read(path)


def test_hugging_face_datasets_see_pictures_and_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets = pytest.importorskip("datasets")
    photos(tmp_path, "a.png")
    record = Record("a.png", tmp_path / "a.png", label="dog", attributes={"n": 3})
    Parquet().write(Source(tmp_path, "x", (record,), classes=("cat", "dog")), tmp_path / "out", WriteTarget(embed=True))
    table = pq.read_table(tmp_path / "out" / "images.parquet")
    dataset = datasets.Dataset(table, fingerprint="x")
    assert isinstance(dataset.features["image"], datasets.Image)
    assert dataset.features["label"].names == ["cat", "dog"]
    row = dataset[0]
    assert (row["image"].size, row["label"], row["n"]) == ((40, 30), 1, 3)


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".arrow"])
def test_records_go_to_another_process_with_their_pictures(tmp_path: Path, suffix: str) -> None:
    data = _photos(tmp_path / "p")
    source = _read(_save(pa.table({"image": data, "label": [0, 1, 0, 1]}), tmp_path / f"t{suffix}"))
    _ = [encoded(record.image) for record in source]  # what was opened stays here
    sent = pickle.loads(pickle.dumps(source.records))
    assert [record.key for record in sent] == [record.key for record in source]
    assert [encoded(record.image) for record in sent] == data
