"""A zip of pictures is read as the folder it was made of; nothing is unpacked, nothing believed."""

from __future__ import annotations

import pickle
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Source
from imagemill.data.layouts.opening import open_source
from imagemill.data.records.loading import encoded
from tests.app.terminal import imagemill
from tests.data.pictures import photos


def _zip(path: Path, members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def _bytes(source: Source) -> dict[str, bytes | None]:
    return {record.key: encoded(record.image) for record in source}


PLACES = [(s, c, n) for s in ("train", "test") for c in ("cat", "dog") for n in (1, 2)]
MEMBERS = {f"set/{s}/{c}/{n}.png": f"{s}{c}{n}".encode() * 50 for s, c, n in PLACES}


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_of_class_folders(tmp_path: Path, how: int) -> None:
    path = _zip(
        tmp_path / "Pets.ZIP", {**MEMBERS, "set/": b"", "set/README": b"hello", "__MACOSX/set/._1.png": b"x"}, how
    )
    source = open_source(path)
    assert _bytes(source) == MEMBERS
    assert {(r.split, r.label) for r in source} == {(s, c) for s in ("train", "test") for c in ("cat", "dog")}
    assert "1 other members passed over" in source.describe()
    assert not source.problems
    # Workers that are started anew read it too.
    assert _bytes(pickle.loads(pickle.dumps(source))) == MEMBERS


def test_a_zip_goes_through_the_verbs_beside_itself(tmp_path: Path) -> None:
    photos(tmp_path / "in", "cat/1.png", "cat/2.png", "dog/1.png")
    files = {p.relative_to(tmp_path / "in").as_posix(): p.read_bytes() for p in (tmp_path / "in").rglob("*.png")}
    path = _zip(tmp_path / "pets.zip", files)
    said = imagemill("scan", path)
    assert said.code == 0, said.err
    assert "pets.zip is a zip file" in said.out
    for verb in (
        ("augment", "-p", "photo", "--size", "8"),
        ("prepare", "--size", "8"),
        ("export", "--to", "class-folders"),
    ):
        said = imagemill(verb[0], path, *verb[1:], "-o", tmp_path / verb[0])
        assert said.code == 0, said.err
    whole = {p.parent.name + "/" + p.name.rpartition("-")[2]: p.read_bytes() for p in tmp_path.glob("export/*/*.png")}
    assert whole == files
    assert im.augment(path, tmp_path / "again", im.Pipeline([im.Flip("x")], seed=1)).made == 3


def test_what_should_not_be_in_a_zip_is_named_and_never_followed(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/hostname")
        for name in ("../out.png", "/abs.png", "a/../../b.png", "a\\b.png", "fine.png"):
            archive.writestr(name, b"x")
        archive.writestr(zipfile.ZipInfo("packed.png"), b"x", zipfile.ZIP_LZMA)
    source = open_source(path)
    assert [record.key for record in source] == ["a/b.png", "fine.png"]  # some Windows programs write backslashes
    assert [problem.name for problem in source.problems] == [
        f"t.zip: {name}" for name in ("link.png", "../out.png", "/abs.png", "a/../../b.png", "packed.png")
    ]
    # The bit that says encrypted, in the directory at the end.
    path = _zip(tmp_path / "e.zip", {"1.png": b"secret", "2.png": b"plain"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    source = open_source(path)
    assert [record.key for record in source] == ["2.png"]
    assert "got an encrypted one" in str(source.problems[0])


def test_sizes_are_not_believed(tmp_path: Path) -> None:
    path = _zip(tmp_path / "t.zip", {"1.png": bytes(10**6), "2.png": b"two"})
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02") + 24
    for size, refused in ((2**31, True), (999_999, False), (1_000_001, False)):
        struct.pack_into("<I", data, place, size)
        path.write_bytes(data)
        source = open_source(path)
        assert ["1.png" in problem.name for problem in source.problems] == ([True] if refused else [])
        if not refused:
            with pytest.raises(CodecError, match=r"t\.zip: 1\.png: expected .* bytes with their checksum"):
                encoded(source.records[0].image)


def test_every_cut_and_damage_of_a_zip_is_an_error_of_our_own(tmp_path: Path) -> None:
    members = {f"{n}.png": zlib.compress(bytes([n + 1]) * 600) for n in range(3)}
    whole = _zip(tmp_path / "whole.zip", members).read_bytes()
    path = tmp_path / "t.zip"
    broken = [whole[:cut] for cut in range(0, len(whole), 9)]
    broken += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(0, len(whole), 9)]
    for data in broken:
        path.write_bytes(data)
        try:
            for key, found in _bytes(open_source(path)).items():
                assert found == members.get(key, found)
        except (SourceError, CodecError):
            continue


def test_what_a_record_has_for_its_image_can_be_read(tmp_path: Path) -> None:
    photos(tmp_path / "in", "cat/1.png")
    whole = im.read_picture(tmp_path / "in/cat/1.png").array
    path = _zip(tmp_path / "a.zip", {"cat/1.png": (tmp_path / "in/cat/1.png").read_bytes()})
    (record,) = open_source(path)
    np.testing.assert_array_equal(im.read_picture(record.image).array, whole)
    np.savez(tmp_path / "b.npz", x=whole[None], masks=whole[None, ..., 0])
    (record,) = open_source(tmp_path / "b.npz")
    np.testing.assert_array_equal(im.read_picture(record.image, "gray").array.shape, whole.shape[:2])
    stored = im.Stored("a label map", lambda: whole[..., 0], "yx")
    np.testing.assert_array_equal(im.read_mask(stored).array, whole[..., 0])
