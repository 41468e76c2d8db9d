from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Record, Source
from imagemill.data.pixels import encoded
from imagemill.data.sources import webdataset
from imagemill.data.sources.base import ReadSource, WriteTarget
from imagemill.data.sources.layouts import look_at
from imagemill.data.sources.webdataset import WebDataset
from tests.data.pictures import photos


def _tar(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def _read(path: Path, **extra: object) -> Source:
    return WebDataset().read(look_at(path), ReadSource(extra=extra))


def test_members_of_one_name_belong_together(tmp_path: Path) -> None:
    members = {
        "./d/1.jpg": b"one",
        "./d/1.cls": b"1\n",
        "./d/1.txt": b"a caption",
        "./d/1.mask.png": b"mask",
        "./d/1.json": b'{"group": "p1", "meta": {"n": 2}, "image": "other"}',
        "d/2.png": b"two",
        "d/2.cls": b"0",
        "d/3.cls": b"0",
        "d/4.jpg": b"four",
        "d/4.json": b"{",
        "d/._1.jpg": b"from a Mac",
    }
    source = _read(_tar(tmp_path / "train-000.tar", members), classes=["cat", "dog"])
    one, two = source
    assert (one.key, one.label, one.split, one.group) == ("d/1.jpg", "dog", "train", "p1")
    assert dict(one.attributes) == {"text": "a caption", "meta.n": 2, "json.image": "other"}
    assert (encoded(one.image), one.mask and encoded(one.mask)) == (b"one", b"mask")
    assert (two.key, two.label, encoded(two.image)) == ("d/2.png", "cat", b"two")
    assert sorted(problem.name for problem in source.problems) == ["train-000.tar: d/3", "train-000.tar: d/4"]


@pytest.mark.parametrize("name", ["t.tar", "t.tar.gz", "t.tgz"])
def test_a_tar_of_class_folders(tmp_path: Path, name: str) -> None:
    places = [(s, c, n) for s in ("train", "test") for c in ("cat", "dog") for n in (1, 2)]
    members = {f"set/{s}/{c}/{n}.v2.png": f"{s}{c}{n}".encode() for s, c, n in places}
    path = _tar(tmp_path / "t.tar", {**members, "set/README": b"hello"})
    if name != "t.tar":
        path = tmp_path / name
        path.write_bytes(gzip.compress((tmp_path / "t.tar").read_bytes()))
    source = _read(path)
    assert [(r.key, encoded(r.image)) for r in source] == list(members.items())
    assert {(r.split, r.label) for r in source} == {(s, c) for s in ("train", "test") for c in ("cat", "dog")}
    assert "1 other members passed over" in source.describe()


def test_one_folder_is_no_class(tmp_path: Path) -> None:
    assert [r.label for r in _read(_tar(tmp_path / "t.tar", {"all/1.png": b"x", "all/2.png": b"y"}))] == [None, None]


def test_links_devices_and_names_that_lead_outside_are_never_followed(tmp_path: Path) -> None:
    path = tmp_path / "t.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind in (
            ("link.png", tarfile.SYMTYPE),
            ("hard.png", tarfile.LNKTYPE),
            ("pipe.png", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/hostname"
            tar.addfile(info)
        for name in ("../out.png", "/abs.png", "a/../../b.png", "fine.png"):
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    source = _read(path)
    assert [r.key for r in source] == ["fine.png"]
    assert [problem.name for problem in source.problems] == [
        f"t.tar: {name}" for name in ("link.png", "hard.png", "pipe.png", "../out.png", "/abs.png", "a/../../b.png")
    ]


def test_what_is_cut_off_or_damaged_is_named(tmp_path: Path) -> None:
    path = _tar(tmp_path / "t.tar", {f"{n}.png": bytes([n]) * 1000 for n in range(4)})
    whole = path.read_bytes()
    path.write_bytes(whole[: 512 + 1024 + 512 + 700])
    source = _read(path)
    assert [r.key for r in source] == ["0.png"]
    assert "t.tar: 1.png: expected 1,000 bytes, got the end of the file" in str(source.problems[0])
    path.write_bytes(whole[:3072] + b"\xff" * 512 + whole[3584:])
    source = _read(path)
    assert [r.key for r in source] == ["0.png", "1.png"]
    assert "expected a header at byte 3,072, got damaged data" in str(source.problems[0])
    path.write_bytes(b"no tar at all" * 100)
    with pytest.raises(SourceError, match="to be a tar file"):
        _read(path)


def test_every_cut_of_a_tar_is_an_error_of_our_own(tmp_path: Path) -> None:
    path = _tar(tmp_path / "t.tar", {f"{n}.png": bytes([n + 1]) * 600 for n in range(3)})
    packed = gzip.compress(path.read_bytes())
    for name, whole in (("t.tar", path.read_bytes()), ("t.tgz", packed)):
        for cut in range(0, len(whole), max(1, len(whole) // 50)):
            (tmp_path / name).write_bytes(whole[:cut])
            try:
                for record in _read(tmp_path / name):
                    encoded(record.image)
            except (SourceError, CodecError):
                continue


def test_a_compressed_tar_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "t.tar.gz"
    path.write_bytes(gzip.compress(_tar(tmp_path / "t.tar", {"a.png": bytes(10**6)}).read_bytes()))
    with pytest.raises(SourceError, match=r"expected .* to unpack to at most 1,000 bytes"):
        _read(path, max_bytes=1000)


def test_shards_are_bounded_and_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos(tmp_path, "a.png", "b.png", "c.png", "d.png")
    monkeypatch.setattr(webdataset, "_SHARD", 3000)
    records = [Record(f"{n}.png", tmp_path / f"{n}.png", split="test" if n == "d" else "train") for n in "abcd"]
    WebDataset().write(Source(tmp_path, "x", tuple(records)), tmp_path / "out", WriteTarget())
    names = sorted(path.name for path in (tmp_path / "out").glob("*.tar"))
    assert names == ["test-000000.tar", "train-000000.tar", "train-000001.tar", "train-000002.tar"]
    back = WebDataset().read(look_at(tmp_path / "out"), ReadSource())
    assert sorted((r.key, r.split) for r in back) == sorted((r.key, r.split) for r in records)


def test_names_that_differ_by_a_dot_alone_stay_apart(tmp_path: Path) -> None:
    photos(tmp_path, "p.png")
    records = tuple(Record(key, tmp_path / "p.png") for key in ("a.b.png", "a_b.png", "a.png"))
    WebDataset().write(Source(tmp_path, "x", records), tmp_path / "out", WriteTarget())
    back = WebDataset().read(look_at(tmp_path / "out"), ReadSource())
    assert [r.key for r in back] == ["a.b.png", "a_b.png", "a.png"]
