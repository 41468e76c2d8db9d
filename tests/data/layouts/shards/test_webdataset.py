from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Record, Source
from imagemill.data.as_source import source_of
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.opening import open_source
from imagemill.data.layouts.registry import look_at
from imagemill.data.layouts.shards import webdataset
from imagemill.data.layouts.shards.webdataset import WebDataset
from imagemill.data.records.loading import encoded
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


# -------------------------------------------------------------------------------------------- as other tools write them
def test_dots_in_folders_and_behind_the_first_dot(tmp_path: Path) -> None:
    members = {
        "dir.v1/n01440764_10026.JPEG": b"one",
        "dir.v1/n01440764_10026.cls.txt": b"tench",
        "dir.v1/n01440764_10026.seg.png": b"map",
        "dir.v1/b.v2.jpg": b"two",  # its class has the same words behind the first dot
        "dir.v1/b.v2.cls": b"bird",
        "dir.v1/b.v2.caption": b"a bird",
        "dir.v1/b.v2.embedding": b"?",
    }
    source = _read(_tar(tmp_path / "a.tar", members))
    assert [(r.key, r.label) for r in source] == [
        ("dir.v1/n01440764_10026.JPEG", "tench"),
        ("dir.v1/b.v2.jpg", "bird"),
    ]
    assert source.records[0].mask is not None
    assert dict(source.records[1].attributes) == {"text": "a bird"}
    assert "members that are not used: .embedding (1)" in source.notes
    assert not source.problems


def test_pictures_that_differ_behind_the_first_dot_are_all_there(tmp_path: Path) -> None:
    days = {f"2021.0{n}.{kind}": text for n in (1, 2, 3) for kind, text in (("jpg", b"x%d" % n), ("cls", b"%d" % n))}
    eyes = {"p.left.jpg": b"l", "p.right.jpg": b"r", "p.cls": b"2", "p.left.seg.png": b"m"}
    source = _read(_tar(tmp_path / "a.tar", days | eyes))
    assert [(r.key, r.label, r.group, r.mask is not None) for r in source] == [
        ("2021.01.jpg", "1", None, False),
        ("2021.02.jpg", "2", None, False),
        ("2021.03.jpg", "3", None, False),
        ("p.left.jpg", "2", "p", True),
        ("p.right.jpg", "2", "p", False),
    ]
    assert [encoded(r.image) for r in source] == [b"x1", b"x2", b"x3", b"l", b"r"]
    assert any("2 samples hold several pictures" in note and "first dot" in note for note in source.notes)


def test_a_text_beside_folders_of_classes_is_no_sample(tmp_path: Path) -> None:
    members = {"cat/1.jpg": b"1", "dog/1.jpg": b"2", "README.txt": b"hello", "labels.json": b"{}"}
    source = _read(_tar(tmp_path / "a.tar", members))
    assert [r.label for r in source] == ["cat", "dog"]
    assert "2 other members passed over: .txt (1), .json (1)" in source.notes


def test_shards_in_folders_of_parts_with_what_a_downloader_leaves(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for number in range(2):
            _tar(tmp_path / part / f"0000{number}.tar", {"a.jpg": b"1", "a.txt": b"a cat"})
            (tmp_path / part / f"0000{number}_stats.json").write_text("{}")
            (tmp_path / part / f"0000{number}.parquet").write_bytes(b"PAR1")
    source = open_source(tmp_path)
    assert (source.layout, [r.split for r in source]) == ("webdataset", ["train", "train", "val", "val"])
    assert len({r.key for r in source}) == 4
    assert len(source.also_read) == 4


@pytest.mark.parametrize("pattern", ["t-{00..02}.tar", "t-{00,01,02}.tar", "t-*.tar", "?-0[0-2].tar"])
def test_shards_by_a_pattern(tmp_path: Path, pattern: str) -> None:
    for number in range(4):
        _tar(tmp_path / f"t-0{number if number < 3 else 9}.tar", {f"{number}.jpg": b"1", f"{number}.cls": b"0"})
    (tmp_path / "t-09.tar").rename(tmp_path / "u.tar")
    for source in (open_source(tmp_path / pattern), source_of(str(tmp_path / pattern))):
        assert [record.key for record in source] == ["0.jpg", "1.jpg", "2.jpg"]
        assert source.root == tmp_path


def test_shards_of_a_pattern_that_are_not_there_are_named(tmp_path: Path) -> None:
    _tar(tmp_path / "t-01.tar", {"1.jpg": b"1", "1.cls": b"0"})
    with pytest.raises(SourceError, match=r"expected 3 files like .*t-\{00\.\.02\}\.tar.*, got 1: .*t-00\.tar, .*t-02"):
        open_source(tmp_path / "t-{00..02}.tar")
    with pytest.raises(SourceError, match="got none; check the spelling"):
        open_source(tmp_path / "u-*.tar")
