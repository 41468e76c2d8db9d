"""Datasets on loan: from a server of our own that plays the official one."""

from __future__ import annotations

import hashlib
import json
import pickle
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imagemill import datasets
from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Source, load_picture
from imagemill.data.web.fetch import fetch
from imagemill.datasets.catalogue import NOT_STATED, SOURCES, Loan
from imagemill.datasets.cifar import cifar_source
from imagemill.datasets.download import RECORD, files_of
from imagemill.datasets.lend import lend
from imagemill.datasets.local import VARIABLE
from tests.local_server import Server, serving
from tests.made_up_sets import jpeg, packed, row, tiny_cifar, tiny_mnist


@pytest.fixture(autouse=True)
def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    def once(url: str, **options: object) -> bytes:
        return fetch(url, retries=0, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("imagemill.datasets.download.fetch", once)


Offer = Callable[..., Loan]


@pytest.fixture
def offer(server: Server) -> Offer:
    """Put files on the server, and give the set with their addresses and digests."""

    def make(name: str, files: dict[str, bytes], *, digests: bool = True, **known: object) -> Loan:
        return server.offer(SOURCES[name], files, digests=digests, **known)

    return make


def got(loan: Loan, cache: Path) -> Source:
    return lend(loan, None, cache, None, private=True)


def left(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


# -------------------------------------------------------------------------------------------------- downloads


def test_a_set_is_downloaded_once(offer: Offer, server: Server, tmp_path: Path) -> None:
    loan = offer("mnist", tiny_mnist())
    source = got(loan, tmp_path)
    assert Counter(r.split for r in source) == {"train": 6, "test": 4}
    first = next(r for r in source if r.key == "train/3")
    assert first.label == "3"
    assert load_picture(first.image).array.tolist() == [[3] * 5] * 5
    assert source.classes == tuple("0123456789")
    assert source.info["licence"] == NOT_STATED
    assert "the published set has 70,000 images" in source.notes
    assert [r.key for r in got(loan, tmp_path)] == [r.key for r in source]
    assert sorted(server.asked) == sorted(tiny_mnist())
    assert left(tmp_path / "datasets" / "mnist") == {*tiny_mnist(), RECORD}


def test_progress_counts_all_bytes(offer: Offer, tmp_path: Path) -> None:
    loan, seen = offer("mnist", tiny_mnist()), list[tuple[int, int]]()
    lend(loan, None, tmp_path, lambda done, total: seen.append((done, total)), private=True)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (loan.size, loan.size)
    assert len({done for done, _ in seen}) >= 4
    assert len(seen) >= 8  # while each of the four comes, and when it is in place


@pytest.mark.parametrize("which", ["sha256", "md5"])
def test_a_wrong_checksum_is_refused_and_nothing_kept(offer: Offer, server: Server, tmp_path: Path, which: str) -> None:
    loan = offer("mnist", tiny_mnist())
    first = replace(loan.downloads[0], sha256=None, md5=None)
    wrong = replace(first, **{which: "0" * len(getattr(loan.downloads[0], which))})
    loan = replace(loan, downloads=(wrong, *loan.downloads[1:]))
    for _ in range(2):
        with pytest.raises(CodecError, match=f"expected content with {which} 0000"):
            got(loan, tmp_path)
    assert left(tmp_path) == set()
    assert server.asked == [wrong.name] * 2


def test_a_download_cut_short_is_refused_and_nothing_kept(offer: Offer, server: Server, tmp_path: Path) -> None:
    loan = offer("mnist", tiny_mnist())
    server.short = {loan.downloads[0].name}
    with pytest.raises(CodecError, match=r"expected the file, got [\d,]+ of [\d,]+ bytes"):
        got(loan, tmp_path)
    assert left(tmp_path) == set()


def test_an_interrupted_download_goes_on_with_the_next_file(offer: Offer, server: Server, tmp_path: Path) -> None:
    loan = offer("mnist", tiny_mnist())
    names = [one.name for one in loan.downloads]
    server.short = {names[2]}
    with pytest.raises(CodecError):
        got(loan, tmp_path)
    server.short, server.asked = set(), []
    assert len(got(loan, tmp_path)) == 10
    assert server.asked == names[2:]


def test_what_was_damaged_or_removed_is_fetched_again(offer: Offer, server: Server, tmp_path: Path) -> None:
    loan = offer("mnist", tiny_mnist())
    folder = files_of(loan, tmp_path, private=True)
    server.asked = []
    (folder / loan.downloads[1].name).write_bytes(b"short")
    (folder / loan.downloads[3].name).unlink()
    assert len(got(loan, tmp_path)) == 10
    assert server.asked == [loan.downloads[1].name, loan.downloads[3].name]
    (folder / RECORD).write_text("[]")
    got(loan, tmp_path)
    assert len(server.asked) == 6


def test_the_second_address_is_asked_when_the_first_fails(offer: Offer, server: Server, tmp_path: Path) -> None:
    loan = offer("mnist", tiny_mnist())
    place = loan.downloads[0].urls[0].rpartition("/")[0]
    gone = replace(loan.downloads[0], urls=(f"{place}/gone", *loan.downloads[0].urls))
    assert len(got(replace(loan, downloads=(gone, *loan.downloads[1:])), tmp_path)) == 10
    assert server.asked[:2] == ["gone", gone.name]
    nowhere = replace(gone, urls=(f"{place}/gone", f"{place}/away"))
    with pytest.raises(CodecError, match="/gone: expected status 200, got 404"):
        got(replace(loan, downloads=(nowhere,)), tmp_path / "other")


def test_without_a_published_checksum_the_first_one_is_recorded(offer: Offer, tmp_path: Path) -> None:
    loan = offer("mnist", tiny_mnist(), digests=False)
    folder = files_of(loan, tmp_path, private=True)
    told = json.loads((folder / RECORD).read_text("utf-8"))["downloads"][loan.downloads[0].name]
    assert told["sha256"] == hashlib.sha256(tiny_mnist()[loan.downloads[0].name]).hexdigest()
    assert told["checksum"] == "none was published; this is the first"


def test_a_server_of_the_local_network_is_not_asked(offer: Offer, server: Server, tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="public internet"):
        lend(offer("mnist", tiny_mnist()), None, tmp_path, None, private=False)
    assert server.asked == []


# --------------------------------------------------------------------------------------------------- archives


def test_cifar_is_unpacked_and_its_planes_become_colours(offer: Offer, tmp_path: Path) -> None:
    archive = packed({**tiny_cifar(), "batches.meta.txt": b"airplane\n"}, "cifar-10-batches-bin")
    source = got(offer("cifar10", {"cifar-10-binary.tar.gz": archive}), tmp_path)
    assert left(tmp_path / "datasets" / "cifar10") == {*tiny_cifar(), "batches.meta.txt", RECORD}
    assert [r.key for r in source][:2] == ["train/00000", "train/00001"]
    assert Counter(r.split for r in source) == {"train": 10, "test": 2}
    record = next(r for r in source if r.key == "train/00004")
    assert record.label == "bird"
    pixels = load_picture(pickle.loads(pickle.dumps(record)).image).array
    assert pixels.shape == (32, 32, 3)
    assert pixels[31, 0].tolist() == [2, 12, 22]


def test_pixels_of_cifar_run_along_rows(tmp_path: Path) -> None:
    for name, data in tiny_cifar().items():
        (tmp_path / name).write_bytes(data)
    plane = bytes(32) + b"\xff" + bytes(1024 - 33)  # one bright pixel: second row, first column
    (tmp_path / "test_batch.bin").write_bytes(b"\x00" + plane + bytes(2048))
    record = cifar_source(tmp_path, SOURCES["cifar10"].classes).records[-1]
    assert np.argwhere(load_picture(record.image).array).tolist() == [[1, 0, 0]]


def test_damaged_files_of_cifar_are_problems(tmp_path: Path) -> None:
    files = tiny_cifar()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "data_batch_2.bin").write_bytes(files["data_batch_2.bin"][:-1])
    (tmp_path / "data_batch_3.bin").write_bytes(row(10, (0, 0, 0)) + row(1, (0, 0, 0)))
    source = datasets.cifar10(tmp_path)
    assert len(source) == 9
    assert [p.name for p in source.problems] == ["data_batch_2.bin", "data_batch_3.bin: image 0"]
    last = source.records[-1]
    (tmp_path / "test_batch.bin").write_bytes(b"cut")
    with pytest.raises(CodecError, match="expected 3,072 bytes for image 1, got 0"):
        load_picture(last.image)
    for name in files:
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(SourceError, match="nothing that can be read"):
        datasets.cifar10(tmp_path)


def test_flowers_have_their_authors(offer: Offer, tmp_path: Path) -> None:
    files = {f"{name}/{name}_1.jpg": jpeg(n) for n, name in enumerate(SOURCES["flowers"].classes)}
    credits = "All images CC-BY.\n\nroses/roses_1.jpg CC-BY by A. N. - Other - https://example.org/photos/1/\n"
    archive = packed({"LICENSE.txt": credits.encode(), **files}, "flower_photos")
    source = got(offer("flowers", {"flower_photos.tgz": archive}), tmp_path)
    assert [r.label for r in source] == list(SOURCES["flowers"].classes)
    about = {r.label: dict(r.attributes) for r in source}
    assert about["roses"] == {
        "author": "A. N. - Other",
        "page": "https://example.org/photos/1/",
        "licence": "CC BY 2.0",
    }
    assert about["daisy"] == {}


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


@pytest.mark.parametrize(
    "extra",
    [
        link("cifar-10-batches-bin/a", "/etc"),
        tarfile.TarInfo("cifar-10-batches-bin/../../out"),
        tarfile.TarInfo("/out"),
    ],
    ids=["link", "above", "absolute"],
)
def test_archives_that_lead_outside_are_refused(offer: Offer, tmp_path: Path, extra: tarfile.TarInfo) -> None:
    archive = packed(tiny_cifar(), "cifar-10-batches-bin", extra)
    with pytest.raises(SourceError, match="expected an archive of plain files"):
        got(offer("cifar10", {"cifar-10-binary.tar.gz": archive}), tmp_path / "cache")
    assert left(tmp_path) == set()


@pytest.mark.parametrize("extra", ["second/a", "cifar-10-batches-bin/TEST_batch.bin", "cifar-10-batches-bin/C:a"])
def test_archives_of_another_form_are_refused(offer: Offer, tmp_path: Path, extra: str) -> None:
    archive = packed(tiny_cifar(), "cifar-10-batches-bin", tarfile.TarInfo(extra))
    with pytest.raises(SourceError, match="once each below one folder"):
        got(offer("cifar10", {"cifar-10-binary.tar.gz": archive}), tmp_path)
    assert left(tmp_path) == set()


@pytest.mark.parametrize("digests", [True, False])
def test_archives_that_are_none_or_too_large_are_not_kept(offer: Offer, tmp_path: Path, digests: bool) -> None:
    whole = packed(tiny_cifar(), "cifar-10-batches-bin")
    for data in (whole[: len(whole) // 2], b"text"):
        with pytest.raises(SourceError, match=r"to be a (tar|whole gzip) file"):
            got(offer("cifar10", {"cifar-10-binary.tar.gz": data}, digests=digests), tmp_path)
    loan = offer("cifar10", {"cifar-10-binary.tar.gz": whole}, digests=digests)
    small = replace(loan, downloads=(replace(loan.downloads[0], unpacked=5000),))
    with pytest.raises(SourceError, match="to unpack to at most 5,000 bytes"):
        got(small, tmp_path)
    assert left(tmp_path) == set()
    assert len(got(loan, tmp_path)) == 12
