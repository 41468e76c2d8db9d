"""Formats from outside: registered by a program, or brought by a package."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import CodecError, InputError
from imagemill.data import Codec, Picture, is_readable_name
from imagemill.data.codecs.catalogue import page
from imagemill.data.codecs.shelf import SHELF
from imagemill.data.codecs.unsupported import unread
from imagemill.data.layouts.tables.cells.image_cells import picture_suffix
from tests.architecture.repository import ROOT, environment
from tests.data.codecs.toy import Toy
from tests.plugins import install

CODE = (Path(__file__).parent / "toy.py").read_text("utf-8")
PIXELS = np.arange(35, dtype=np.uint8).reshape(5, 7)
POINTS = {"toy": "toy_codec:Toy"}


@pytest.fixture
def toy() -> Iterator[Toy]:
    codec = Toy()
    im.register_codec(codec)
    yield codec
    SHELF.drop("toy")


def _write(file: Path, codec: Any = None) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes((codec or Toy()).encode(Picture(PIXELS, "yx"), ".toy"))
    return file


def test_a_registered_format_is_a_format_like_any_other(toy: Toy, tmp_path: Path) -> None:
    im.write_picture(tmp_path / "a.toy", Picture(PIXELS, "yx"))
    np.testing.assert_array_equal(im.read_picture(tmp_path / "a.toy").array, PIXELS)
    assert im.read_picture(tmp_path / "a.toy", "rgb").array.shape == (5, 7, 3)
    np.testing.assert_array_equal(im.read_mask(tmp_path / "a.toy").array, PIXELS)
    assert im.image_size(tmp_path / "a.toy") == im.image_size((tmp_path / "a.toy").read_bytes()) == (5, 7)
    assert is_readable_name("b/c.TOY")
    row = im.formats()[-1]
    assert (row.suffix, row.reads, row.writes, row.available, row.remark) == (".toy", True, True, True, "8 bit, gray")
    assert "| `.toy` | • |  | 8 bit, gray |" in page()
    with pytest.raises(CodecError, match=r"expected one of \.jpg .*\.toy, got suffix"):
        im.read_picture(_file(tmp_path / "a.xyz", b"hello"))
    with pytest.raises(CodecError, match=r"expected one of \.jpg .*\.toy, got suffix"):
        im.write_picture(tmp_path / "a.xyz", Picture(PIXELS, "yx"))
    with pytest.raises(CodecError, match=r"a\.toy: TOY holds gray of 8 bits, not float32 yx; choose"):
        im.write_picture(tmp_path / "a.toy", Picture(PIXELS.astype(np.float32), "yx"))


def _file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_it_counts_among_images_in_folders_and_tables(toy: Toy, tmp_path: Path) -> None:
    for name in ("cat/1.toy", "cat/2.toy", "dog/1.toy"):
        _write(tmp_path / "set" / name)
    source = im.open_source(tmp_path / "set")
    assert [(record.key, record.label) for record in source] == [
        ("cat/1.toy", "cat"),
        ("cat/2.toy", "cat"),
        ("dog/1.toy", "dog"),
    ]
    assert im.scan(tmp_path / "set").to_dict()["images"] == 3
    im.export(source, tmp_path / "as_png", "class-folders", format=".png")
    im.export(im.open_source(tmp_path / "as_png"), tmp_path / "back", "class-folders", format="toy")
    np.testing.assert_array_equal(im.read_picture(tmp_path / "back" / "cat" / "1.toy").array, PIXELS)
    im.export(source, tmp_path / "table", "parquet", embed=True)
    (first, *_) = im.open_source(tmp_path / "table")
    assert picture_suffix(_write(tmp_path / "x.toy").read_bytes()) == ".toy"
    np.testing.assert_array_equal(im.read_picture(first.image).array, PIXELS)


def test_content_is_believed_before_the_name(toy: Toy, tmp_path: Path) -> None:
    found = im.read_picture(_write(tmp_path / "a.png"))
    np.testing.assert_array_equal(found.array, PIXELS)
    assert found.note == "named .png, read as toy by content"
    im.write_picture(tmp_path / "b.png", Picture(PIXELS, "yx"))
    (tmp_path / "b.png").rename(tmp_path / "b.toy")
    assert im.read_picture(tmp_path / "b.toy").note.startswith("named .toy, read as png by content")
    assert im.image_size(tmp_path / "a.png") == im.image_size(tmp_path / "b.toy") == (5, 7)


def test_what_was_only_named_before_is_read_by_whoever_reads_it(tmp_path: Path) -> None:
    class Fits(Toy):
        name, suffixes, writes = "fits-image", (".fits", ".dng"), ()

        def recognises(self, start: bytes) -> bool:
            return start.startswith((b"SIMPLE  =", b"II*\0"))

        def read(self, path: Path, options: Any, data: bytes | None = None) -> Picture:
            return Picture(PIXELS, "yx")

        def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
            return (5, 7), 1

    _file(tmp_path / "a.fits", b"SIMPLE  =" + bytes(100))
    _file(tmp_path / "a.dng", b"II*\0" + bytes(100))
    for name in ("a.fits", "a.dng"):
        assert unread(name)
        with pytest.raises(CodecError, match=r"FITS|raw photo"):
            im.read_picture(tmp_path / name)
    im.register_codec(Fits())
    try:
        for name in ("a.fits", "a.dng"):
            assert not unread(name)
            assert im.read_picture(tmp_path / name).array.shape == im.image_size(tmp_path / name) == (5, 7)
    finally:
        SHELF.drop("fits-image")
    assert unread("a.dng")


class OddError(Exception):
    """What no list holds."""


def test_nothing_but_our_error_leaves_it(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise OddError("odd")

    file = _write(tmp_path / "a.toy")
    for method in ("read", "header", "can_write", "encode"):
        monkeypatch.setattr(Toy, method, fail)
    for call in (
        lambda: im.read_picture(file),
        lambda: im.read_mask(file),
        lambda: im.image_size(file),
        lambda: im.write_picture(file, Picture(PIXELS, "yx")),
    ):
        with pytest.raises(CodecError, match="OddError: odd"):
            call()
    monkeypatch.setattr(Toy, "recognises", fail)
    im.read_picture(_file(tmp_path / "b.npy", _npy()))
    with pytest.warns(UserWarning, match="codec 'toy' to say whether it knows .* got OddError: odd; its files"):
        picture_suffix(b"unknown")
    assert picture_suffix(b"unknown") == ""  # said once


def _npy() -> bytes:
    from imagemill.data.codecs.npy import NpyCodec

    return NpyCodec().encode(Picture(PIXELS, "yx"), ".npy")


def test_what_is_no_picture_does_not_leave_it(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _write(tmp_path / "a.toy")
    monkeypatch.setattr(Toy, "read", lambda *_: PIXELS)
    monkeypatch.setattr(Toy, "encode", lambda *_: "text")
    with pytest.raises(CodecError, match="got TypeError: ndarray in place of Picture"):
        im.read_picture(file)
    with pytest.raises(CodecError, match="got TypeError: str in place of bytes"):
        im.write_picture(file, Picture(PIXELS, "yx"))
    monkeypatch.setattr(Toy, "read", lambda *_: Picture(PIXELS.astype(">u2"), "yx"))
    assert im.read_picture(file).array.dtype.isnative
    with pytest.raises(CodecError, match="at most 34 pixels"):
        im.read_picture(file, max_pixels=34)


def _like(**changes: Any) -> Any:
    return type("Other", (Toy,), {"name": "other", "suffixes": (".oth",), "writes": (), **changes})()


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        (Toy, r"got the class Toy; write Toy\(\)"),
        (object(), "with a name, got object with name None"),
        (_like(name=""), "with a name, got Other with name ''"),
        (_like(name="png"), "called 'png', which imagemill uses; add a word"),
        (_like(name="fits"), "called 'fits', which imagemill uses"),
        (_like(read=None), "got Other without read; derive it"),
        (_like(read=lambda self, path: None), r"Other with read\(path, options, data\), got too many"),
        (_like(suffixes=(".OTH",)), "in lower case"),
        (_like(suffixes=("oth",)), "tuple of suffixes"),
        (_like(suffixes=(".oth.gz",)), "with one dot"),
        (_like(suffixes=()), "tuple of suffixes"),
        (_like(suffixes=".oth"), "tuple of suffixes"),
        (_like(writes=(".png",)), "to write some of"),
        (_like(suffixes=(".oth", ".png")), r"got \.png, which imagemill itself reads; take it out"),
        (_like(suffixes=(".toy",)), r"got \.toy, which the codec 'toy' reads; take it out"),
    ],
)
def test_what_cannot_be_a_codec_is_refused(toy: Toy, codec: Any, said: str) -> None:
    before = [row.suffix for row in im.formats()]
    with pytest.raises(InputError, match=said):
        im.register_codec(codec)
    assert [row.suffix for row in im.formats()] == before


def test_worker_processes_are_sent_it(toy: Toy, tmp_path: Path) -> None:
    for number in range(2):
        _write(tmp_path / f"{number}.toy")
    with im.Loader(tmp_path, batch_size=2, workers="process:1", shuffle=False) as loader:
        (batch,) = loader
    np.testing.assert_array_equal(np.asarray(batch.image).reshape(2, 5, 7), np.stack([PIXELS, PIXELS]))


def test_what_cannot_be_sent_does_not_keep_others_from_being_sent(toy: Toy, tmp_path: Path) -> None:
    class Local(Toy):
        name, suffixes, writes = "local", (".local",), ()

    im.register_codec(Local())
    try:
        im.write_picture(tmp_path / "a.png", Picture(PIXELS, "yx"))
        with im.Loader(tmp_path, batch_size=1, workers="process:1") as loader:
            assert len(list(loader)) == 1
    finally:
        SHELF.drop("local")


def test_registering_again_replaces(toy: Toy) -> None:
    im.register_codec(_like(name="toy", suffixes=(".toy", ".toys")))
    assert [row.suffix for row in im.formats()][-2:] == [".toy", ".toys"]
    assert not im.formats()[-1].writes
    im.register_codec(toy)
    assert not is_readable_name("a.toys")


def test_a_package_is_loaded_when_a_file_of_its_is_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _write(tmp_path / "set" / "a.toy")
    install(tmp_path / "site", monkeypatch, "toy-codec", CODE, **{"imagemill.codecs": POINTS})
    im.write_picture(tmp_path / "set" / "a.png", Picture(PIXELS, "yx"))
    assert len(im.open_source(tmp_path / "set")) == 2
    im.read_picture(tmp_path / "set" / "a.png")
    assert "toy_codec" not in sys.modules
    np.testing.assert_array_equal(im.read_picture(file).array, PIXELS)
    assert "toy_codec" in sys.modules
    assert (im.formats()[-1].suffix, im.formats()[-1].added_by) == (".toy", "toy-codec 1.0")
    with pytest.raises(InputError, match=r"\.toy, which the package toy-codec 1\.0 reads"):
        im.register_codec(_like(suffixes=(".toy",)))


def test_a_package_is_known_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch, "toy-codec", CODE, **{"imagemill.codecs": POINTS})
    data = _write(tmp_path / "a.toy").read_bytes()
    assert im.read_picture(_write(tmp_path / "nameless")).note == "named without suffix, read as toy by content"
    assert picture_suffix(data) == ".toy"


BROKEN = {
    "import": ("import no_such_module_at_all", POINTS, "toy-codec 1.0 to load, got ModuleNotFoundError: .*no_such_mod"),
    "attribute": ("", POINTS, "got AttributeError"),
    "constructor": (
        "class Toy:\n    def __init__(self):\n        raise RuntimeError('no licence')",
        POINTS,
        r"toy_codec:Toy\(\) of the package toy-codec 1.0 to make a codec, got RuntimeError: no licence; update",
    ),
    "methods": ("class Toy:\n    name = 'toy'", POINTS, "got Toy of the package toy-codec 1.0 without read"),
    "suffixes": (
        CODE,
        {"toys": "toy_codec:Toy"},
        "package toy-codec 1.0, .toy, got those for .toys; set right .toy .toys",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_is_an_error_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    code, points, said = BROKEN[name]
    install(tmp_path / "site", monkeypatch, "toy-codec", code, **{"imagemill.codecs": points})
    suffix = f".{next(iter(points))}"
    file = _write(tmp_path / "set" / f"a{suffix}")
    im.write_picture(tmp_path / "set" / "a.png", Picture(PIXELS, "yx"))
    assert im.read_picture(tmp_path / "set" / "a.png").array.shape == (5, 7)
    assert len(im.open_source(tmp_path / "set")) == 2
    for call in (lambda: im.image_size(file), lambda: im.write_picture(file, Picture(PIXELS, "yx"))):
        with pytest.raises(CodecError, match=said):
            call()
    with pytest.raises(CodecError, match=rf"a{suffix}: .*{said}"):
        im.read_picture(file)


def test_a_broken_package_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "toy-codec", "import no_such_module_at_all", **{"imagemill.codecs": POINTS})
    with pytest.warns(UserWarning, match=r"\.toy cannot be read: .* toy-codec 1\.0 to load") as caught:
        row = im.formats()[-1]
    assert len(caught) == 1
    assert (row.suffix, row.available, row.added_by) == (".toy", False, "toy-codec 1.0")
    assert "no_such_module_at_all" in row.remark
    im.formats()  # under "error", a second warning would fail


def test_importing_and_asking_about_the_installation_do_not_depend_on_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "a", monkeypatch, "broken-codec", "1 / 0", **{"imagemill.codecs": {"brk": "broken_codec:X"}})
    install(tmp_path / "b", monkeypatch, "toy-codec", CODE, **{"imagemill.codecs": POINTS})
    path = f"{tmp_path / 'a'}:{tmp_path / 'b'}:{ROOT}"
    variables = environment(ROOT / "src")
    variables["PYTHONPATH"] = f"{variables['PYTHONPATH']}:{path}"
    code = "import imagemill, imagemill.data, sys; print({'broken_codec', 'toy_codec'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], env=variables, capture_output=True, text=True)
    assert run.stdout == "set()\n", run.stderr
    command = [sys.executable, "-m", "imagemill", "doctor", "--json"]
    run = subprocess.run(command, env=variables, capture_output=True, text=True)
    rows = {row["suffix"]: row for row in json.loads(run.stdout)["formats"]}
    assert rows[".toy"] == {
        "suffix": ".toy", "reads": True, "writes": True, "extra": None, "added_by": "toy-codec 1.0"
    }  # fmt: skip
    assert rows[".brk"]["reads"] is False
    assert run.stderr.count("broken-codec 1.0") == 1


def test_clashes_between_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "a", monkeypatch, "toy-codec", CODE, **{"imagemill.codecs": POINTS})
    install(tmp_path / "b", monkeypatch, "toy-two", CODE, **{"imagemill.codecs": {"toy": "toy_two:Toy"}})
    with pytest.raises(CodecError, match=r"one codec for \.toy, got .* toy-codec 1\.0 and of toy-two 1\.0; uninstall"):
        im.read_picture(_write(tmp_path / "a.toy"))


def test_a_package_does_not_take_over_what_imagemill_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    im.write_picture(tmp_path / "a.png", Picture(PIXELS, "yx"))
    install(tmp_path / "a", monkeypatch, "png-codec", "1 / 0", **{"imagemill.codecs": {"png": "png_codec:Png"}})
    with pytest.warns(UserWarning, match=r"package png-codec 1\.0, got \.png, which imagemill reads itself"):
        assert im.read_picture(tmp_path / "a.png").array.shape == (5, 7)
    im.read_picture(tmp_path / "a.png")


def test_a_codec_may_say_no_more_than_how_it_reads(tmp_path: Path) -> None:
    class Least(Codec):
        name, suffixes = "least", (".lst",)

        def read(self, path: Path, options: Any, data: bytes | None = None) -> Picture:
            return Picture(PIXELS, "yx")

    im.register_codec(Least())
    try:
        file = _file(tmp_path / "a.lst", b"anything")
        assert im.read_picture(file).array.shape == im.image_size(file) == (5, 7)
        with pytest.raises(CodecError, match=r"a\.lst: \.lst is read only; choose \.png"):
            im.write_picture(file, Picture(PIXELS, "yx"))
    finally:
        SHELF.drop("least")
