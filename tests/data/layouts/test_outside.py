"""Layouts from outside: registered by a program, or brought by a package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import imagemill as im
from imagemill.core.errors import InputError, SourceError
from imagemill.data.layouts.catalogue import page
from imagemill.data.layouts.outside import OUTSIDE
from imagemill.data.layouts.registry import known_layouts, layout_named, own_layouts
from tests.data.layouts.toy_layout import INDEX, ToyLayout
from tests.data.pictures import photo
from tests.plugins import install

CODE = (Path(__file__).parent / "toy_layout.py").read_text("utf-8")
GROUP = "imagemill.layouts"
POINTS = {"toy-lines": "toy_layouts:ToyLayout"}


@pytest.fixture
def toy() -> Iterator[ToyLayout]:
    layout = ToyLayout()
    im.register_layout(layout)
    yield layout
    OUTSIDE.drop("toy-lines")


def _set(root: Path) -> Path:
    for name in ("one/1.png", "one/2.png", "two/3.png"):
        photo(root / name)
    (root / INDEX).write_text("one/1.png\tcat\none/2.png\tdog\ntwo/3.png\tcat\n", "utf-8")
    return root


def test_a_registered_layout_is_a_layout_like_any_other(toy: ToyLayout, tmp_path: Path) -> None:
    source = im.open_source(_set(tmp_path / "set"))
    assert source.layout == "toy-lines"
    assert [record.label for record in source] == ["cat", "dog", "cat"]
    report = im.scan(tmp_path / "set", why=True).to_dict()
    assert report["layout"] == "toy-lines"
    assert "there is a pictures.toy" in str(report)
    assert im.open_source(tmp_path / "set", layout="class-folders").records[0].label == "one"
    assert im.open_source(tmp_path / "set", layout="toy-lines").records == source.records
    assert "### toy-lines\n" in page()
    im.export(source, tmp_path / "csv", "csv")
    made = im.export(im.open_source(tmp_path / "csv"), tmp_path / "back", "toy-lines")
    assert made.count == 3
    assert im.open_source(tmp_path / "back").layout == "toy-lines"
    with pytest.raises(SourceError, match=r"tiff-stack, toy-lines$"):
        layout_named("no-such-layout")


def test_augment_writes_in_it(toy: ToyLayout, tmp_path: Path) -> None:
    im.augment(_set(tmp_path / "set"), tmp_path / "out", im.Pipeline([im.Flip("x")], seed=1), copies=1)
    back = im.open_source(tmp_path / "out", layout="toy-lines")
    assert len(back) == 3
    assert sorted(record.label or "" for record in back) == ["cat", "cat", "dog"]


class OddError(Exception):
    """What no list holds."""


def test_a_guess_that_fails_is_none(toy: ToyLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise OddError("odd")

    _set(tmp_path / "set")
    monkeypatch.setattr(ToyLayout, "guess", fail)
    with pytest.warns(UserWarning, match="'toy-lines' to say whether .* is its own, got OddError: odd; it is left out"):
        found = im.open_source(tmp_path / "set")
    assert found.layout == "class-folders"
    assert im.open_source(tmp_path / "set").layout == "class-folders"  # said once
    monkeypatch.setattr(ToyLayout, "read", fail)
    monkeypatch.setattr(ToyLayout, "write", fail)
    with pytest.raises(SourceError, match="in the layout 'toy-lines', got OddError: odd; choose another"):
        im.open_source(tmp_path / "set", layout="toy-lines")
    with pytest.raises(SourceError, match="layout 'toy-lines' can write, got OddError: odd; choose"):
        im.export(found, tmp_path / "out", "toy-lines")


def test_what_is_of_another_kind_does_not_leave_it(
    toy: ToyLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(tmp_path / "set")
    for method in ("guess", "read", "write"):
        monkeypatch.setattr(ToyLayout, method, lambda *_: "text")
    with pytest.warns(UserWarning, match="got TypeError: str in place of a Guess"):
        found = im.open_source(tmp_path / "set")
    with pytest.raises(SourceError, match="str in place of a Source"):
        im.open_source(tmp_path / "set", layout="toy-lines")
    with pytest.raises(SourceError, match="str in place of a Written"):
        im.export(found, tmp_path / "out", "toy-lines")


def test_a_layout_that_is_only_read(tmp_path: Path) -> None:
    class Reader(ToyLayout):
        name, writes = "reader", False
        write = im.data.Layout.write

    im.register_layout(Reader())
    try:
        source = im.open_source(_set(tmp_path / "set"), layout="reader")
        with pytest.raises(SourceError, match="can be written, got 'reader', which is only read; choose"):
            im.export(source, tmp_path / "out", "reader")
        im.augment(source, tmp_path / "augmented", im.Pipeline([im.Flip("x")], seed=1), copies=1)
    finally:
        OUTSIDE.drop("reader")


def _like(**changes: Any) -> Any:
    return type("Other", (ToyLayout,), {"name": "other", **changes})()


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (ToyLayout, r"got the class ToyLayout; write ToyLayout\(\)"),
        (object(), "got object with name None; derive"),
        (_like(name="Other Layout"), "like 'my-layout', got Other with name 'Other Layout'"),
        (_like(name="coco"), "a name of its own, got Other called 'coco'"),
        (_like(title=""), "with a title for people, got Other with ''"),
        (_like(holds=frozenset(("cats",))), "with holds as a frozenset of image, uint16"),
        (_like(holds={"image"}), "with holds as a frozenset"),
        (_like(read=None), "got Other without read; derive"),
        (_like(guess=lambda self: None), r"Other with guess\(look\), got too many"),
    ],
)
def test_what_cannot_be_a_layout_is_refused(layout: Any, said: str) -> None:
    before = [each.name for each in known_layouts()]
    with pytest.raises(InputError, match=said):
        im.register_layout(layout)
    assert [each.name for each in known_layouts()] == before


def test_registering_again_replaces(toy: ToyLayout) -> None:
    im.register_layout(_like(name="toy-lines", title="another"))
    assert [each.title for each in known_layouts()][-1] == "another"
    assert len(known_layouts()) == len(own_layouts()) + 1


def test_a_package_brings_a_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch, "toy-layouts", CODE, **{GROUP: POINTS})
    assert im.open_source(_set(tmp_path / "set")).layout == "toy-lines"
    with pytest.raises(InputError, match="a name of its own, got Other called 'toy-lines'"):
        im.register_layout(_like(name="toy-lines"))


BROKEN = {
    "import": ("import no_such_module_at_all", POINTS, "toy-layouts 1.0 to load, got ModuleNotFoundError: .*no_such"),
    "constructor": (
        "class ToyLayout:\n    def __init__(self):\n        raise RuntimeError('no licence')",
        POINTS,
        r"toy_layouts:ToyLayout\(\) of the package toy-layouts 1.0 to make a layout, got RuntimeError: no licence",
    ),
    "methods": (
        "class ToyLayout:\n    name = 'toy-lines'",
        POINTS,
        "got ToyLayout of the package toy-layouts 1",
    ),
    "name": (
        CODE,
        {"lines": POINTS["toy-lines"]},
        "called 'lines' of the package toy-layouts 1.0, got 'toy-lines'",
    ),
    "taken": (CODE.replace("toy-lines", "coco"), {"coco2": POINTS["toy-lines"]}, "a name of its own, .* called 'coco'"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_package_is_named_and_others_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    code, points, said = BROKEN[kind]
    install(tmp_path / "site", monkeypatch, "toy-layouts", code, **{GROUP: points})
    _set(tmp_path / "set")
    with pytest.warns(UserWarning, match=said) as caught:
        assert im.open_source(tmp_path / "set").layout == "class-folders"
    assert len(caught) == 1
    im.open_source(tmp_path / "set")  # under "error", a second warning would fail
    with pytest.raises(SourceError, match=said):
        im.open_source(tmp_path / "set", layout=next(iter(points)))
    with pytest.raises(SourceError, match=f"{next(iter(points))}$"):
        layout_named("no-such-layout")


def test_two_packages_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two", "three"):
        install(tmp_path / name, monkeypatch, name, CODE, **{GROUP: {"toy-lines": f"{name}:ToyLayout"}})
    with pytest.warns(UserWarning, match="one layout called 'toy-lines', got those of the packages one 1.0, three 1.0"):
        assert known_layouts() == own_layouts()
    with pytest.raises(SourceError, match=r"one 1\.0, three 1\.0 and two 1\.0; uninstall all but one"):
        layout_named("toy-lines")


def test_layouts_are_loaded_when_a_path_is_looked_at() -> None:
    code = "import imagemill.data, sys; print('imagemill.data.layouts.yolo.yolo' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
