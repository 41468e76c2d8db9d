"""What `prepare` keeps of its records when there are many: digests on the disk, and a manifest of several groups."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

import imagemill as im
from imagemill.core.errors import DiskError, InputError
from imagemill.data import Record, Source, Stored
from imagemill.data.splits.split import Shares, assign, ordered_by_hash
from imagemill.verbs.prepare import assemble, digests_on_disk, manifest_file
from imagemill.verbs.prepare.digests_on_disk import Digests
from imagemill.verbs.prepare.one_record import Known


def source(folder: Path, values: list[Any], attributes: list[dict[str, Any]]) -> Source:
    records = [
        Record(f"{n}.png", Stored("made up", lambda v=v: np.full((4, 4, 3), v, np.uint8), "yxc"), attributes=more)
        for n, (v, more) in enumerate(zip(values, attributes, strict=True))
    ]
    return Source(folder, "made up", tuple(records))


def test_columns_have_one_type_over_all_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble, "_LINES", 2)
    monkeypatch.setattr(manifest_file, "_ROWS", 2)
    given: list[dict[str, Any]] = [{}, {"age": 3}, {"age": 4.5, "seen": True}, {"split": "x", "size": 1}, {"size": "L"}]
    im.prepare(source(tmp_path / "in", list(range(5)), given), tmp_path / "out", size=4, split=(0.6, 0.2, 0.2))
    found = pl.read_parquet(tmp_path / "out" / "manifest.parquet")
    assert pq.ParquetFile(tmp_path / "out" / "manifest.parquet").num_row_groups == 3
    assert found["key"].to_list() == [f"{n}.png" for n in range(5)]
    assert found.columns[-4:] == ["age", "seen", "attribute.split", "size"]
    assert found["age"].to_list() == [None, 3.0, 4.5, None, None]
    assert found["seen"].to_list() == [None, None, True, None, None]
    assert found["size"].to_list() == [None, None, None, "1", "L"]


def test_the_same_picture_is_on_one_side_wherever_its_digest_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests_on_disk, "_BLOCK", 2)
    monkeypatch.setattr(digests_on_disk, "_TOGETHER", 3)
    values = [0, 1, 2, 3, 4, 5, 6, 1, 8, 0]
    report = im.prepare(source(tmp_path / "in", values, [{}] * 10), tmp_path / "out", size=4, split=(0.5, 0.0, 0.5))
    parts = pl.read_parquet(tmp_path / "out" / "manifest.parquet")["split"].to_list()
    assert (parts[0], parts[1]) == (parts[9], parts[7])
    assert any("2 pictures are there more than once (0.png = 9.png; 1.png = 7.png)" in note for note in report.notes)


def test_digests_come_back_as_they_were_given(tmp_path: Path) -> None:
    def known(n: int, *, mask: bool) -> Known:
        return Known(f"{n:016x}" + "ab" * 24, f"{n + 7:064x}" if mask else None, f"{n + 9:032x}", None)

    def told(one: Known) -> tuple[str, str | None, str]:
        return one.sha256, one.mask_sha256, one.entry

    kept = Digests(tmp_path / "work" / "digests.bin")
    rows = [(n, known(n, mask=n % 3 == 0)) for n in (70, 2, 0, 1)]
    kept.put(rows)
    assert [told(kept.at(place)) for place, _ in rows] == [told(row) for _, row in rows]
    kept.put([(1, known(5, mask=True))])
    assert told(kept.at(1)) == told(known(5, mask=True))
    assert kept.heads(72).tolist() == [*(n << 56 for n in (0, 5, 2)), *[0] * 67, 70 << 56, 0]
    kept.close()


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no file of this system is always full")
    kept = Digests(Path("/dev/full"))
    with pytest.raises(DiskError, match="make room"):
        kept.put([(0, Known("0" * 64, None, "0" * 32, None))])
    kept.close()


def test_a_key_twice_is_refused() -> None:
    with pytest.raises(InputError, match="every key once"):
        assign(["a", "b", "a"], Shares(0.5, 0.0, 0.5))


def test_the_order_by_hash_is_that_of_whole_digests() -> None:
    keys = [f"{n}.png" for n in range(50)] + ["\udce9.png"]
    expected = sorted(
        range(51), key=lambda n: blake2b(keys[n].encode("utf-8", "surrogatepass"), digest_size=16, key=b"3").digest()
    )
    assert ordered_by_hash(3, range(51), keys.__getitem__).tolist() == expected
