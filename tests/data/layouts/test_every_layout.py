"""The contract that layouts from outside are checked by: each of imagemill's own keeps it, broken ones are caught."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagemill.core.errors import SourceError
from imagemill.data import Guess, Look, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.registry import layout_named, own_layouts
from imagemill.testing import check_layout, sample_files
from tests.data.layouts.toy_layout import INDEX, ToyLayout
from tests.data.pictures import photo

WRITTEN = [layout.name for layout in own_layouts() if layout.writes]


def _image(out: Path) -> tuple[Path, ReadSource]:
    (image,) = (path for path in out.iterdir() if path.suffix in (".png", ".nrrd"))
    return image, ReadSource()


@pytest.mark.parametrize("name", WRITTEN)
def test_every_layout_that_is_written_keeps_the_contract(name: str) -> None:
    check_layout(layout_named(name), opened=_image if name == "file" else None)


def _labelme(root: Path) -> None:
    shape = {"label": "cat", "points": [[1, 2], [9, 2], [9, 8]], "shape_type": "polygon"}
    told = {"shapes": [shape], "imagePath": "a.png", "imageData": None, "imageHeight": 30, "imageWidth": 40}
    (root / "a.json").write_text(json.dumps(told, indent=2), "utf-8")


def _cvat(root: Path) -> None:
    box = '<box label="cat" xtl="4.0" ytl="5.0" xbr="9.0" ybr="8.5"/>'
    text = f'<annotations><image id="0" name="a.png" width="40" height="30">{box}</image></annotations>'
    (root / "annotations.xml").write_text(text, "utf-8")


def _label_studio(root: Path) -> None:
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["cat"]}
    size = {"original_width": 40, "original_height": 30}
    result = {"id": "r", "type": "rectanglelabels", "from_name": "label", "to_name": "image", **size, "value": value}
    task = {"id": 1, "annotations": [{"id": 1, "result": [result]}], "data": {"image": "/data/upload/1/a.png"}}
    (root / "project-1.json").write_text(json.dumps([task]), "utf-8")


def _via(root: Path) -> None:
    shape = {"name": "rect", "x": 1, "y": 2, "width": 10, "height": 9}
    regions = [{"shape_attributes": shape, "region_attributes": {"class": "cat"}}]
    told = {"a.png123": {"filename": "a.png", "size": 123, "regions": regions, "file_attributes": {}}}
    (root / "via.json").write_text(json.dumps(told), "utf-8")


def _dicom(root: Path) -> None:
    (root / "a.png").unlink()
    (root / "1.dcm").write_bytes(sample_files()["scan.dcm"])


def _dota(root: Path) -> None:
    (root / "a.txt").write_text("gsd:0.5\n5 5 20 5 20 15 5 15 plane 0\n", "utf-8")


READ_ONLY: dict[str, Callable[[Path], None]] = {
    "labelme": _labelme,
    "cvat": _cvat,
    "label-studio": _label_studio,
    "via": _via,
    "dota": _dota,
    "dicom": _dicom,
}


def test_every_layout_is_checked() -> None:
    names = [layout.name for layout in own_layouts()]
    assert len(set(names)) == len(names)
    assert {*WRITTEN, *READ_ONLY} == set(names)
    assert [layout.place for layout in own_layouts()] == sorted({layout.place for layout in own_layouts()})


@pytest.mark.parametrize("name", READ_ONLY)
def test_every_layout_that_is_only_read_keeps_the_contract(tmp_path: Path, name: str) -> None:
    photo(tmp_path / "a.png", 1, (30, 40, 3))
    READ_ONLY[name](tmp_path)
    check_layout(layout_named(name), path=tmp_path)


def test_a_layout_from_outside_keeps_it() -> None:
    check_layout(ToyLayout())


_GUESS, _READ, _WRITE = ToyLayout.guess, ToyLayout.read, ToyLayout.write


def _reads(change: Callable[[Source], Any]) -> Any:
    return lambda self, look, options: change(_READ(self, look, options))


def _raises_on_gaps(self: ToyLayout, look: Look, options: ReadSource) -> Source:
    source = _READ(self, look, options)
    if source.problems:
        raise KeyError(source.problems[0].name)
    return source


def _silent(self: ToyLayout, source: Source, out: Path, options: WriteTarget) -> Written:
    return replace(_WRITE(self, source, out, options), lost=())


def _mixing(self: ToyLayout, source: Source, out: Path, options: WriteTarget) -> Written:
    return _WRITE(self, source, out, replace(options, overwrite=True))


def _spoiling(self: ToyLayout, source: Source, out: Path, options: WriteTarget) -> Written:
    if out.exists() and not options.overwrite:
        (out / INDEX).write_text("", "utf-8")
    return _WRITE(self, source, out, options)


def _stubborn(self: ToyLayout, source: Source, out: Path, options: WriteTarget) -> Written:
    return _WRITE(self, source, out, replace(options, overwrite=False))


def _nothing(self: ToyLayout, source: Source, out: Path, options: WriteTarget) -> Written:
    raise SourceError("expected a better source, got this one; find one")


def _wordless(self: ToyLayout, source: Source, out: Path, options: WriteTarget) -> Written:
    raise SourceError("no")


def _empty(self: ToyLayout, source: Source, out: Path, options: WriteTarget) -> Written:
    return Written(out, 0)


_COUNT = iter(range(10**6))
BROKEN: dict[str, tuple[str, Any]] = {
    "a folder with nothing in it is not guessed": ("guess", lambda self, look: Guess(0.1, "why not")),
    "a folder with notes.txt is not guessed": (
        "guess",
        lambda self, look: Guess(0.1, "text") if look.ending(".txt") else None,
    ),
    "sure is within 0 and 1": ("guess", lambda self, look: (g := _GUESS(self, look)) and replace(g, sure=7.0)),
    "a guess says why": ("guess", lambda self, look: (g := _GUESS(self, look)) and replace(g, why="")),
    "gives a Guess or None, got str": ("guess", lambda self, look: (g := _GUESS(self, look)) and g.why),
    "gives a Source, got tuple": ("read", _reads(lambda source: source.records)),
    "has records": ("read", _reads(lambda source: replace(source, records=()))),
    "every key is there once": ("read", _reads(lambda source: replace(source, records=source.records * 2))),
    "in the same order": ("read", _reads(lambda s: replace(s, records=s.records[:: -1 if next(_COUNT) % 2 else 1]))),
    "problems are of type Problem": ("read", _reads(lambda source: replace(source, problems=("oh",)))),
    "changed hierarchy silently": (
        "read",
        _reads(lambda s: replace(s, records=tuple(replace(r, label="x") for r in s.records))),
    ),
    "changed pixels, and no problem": ("read", _reads(lambda s: replace(s, records=s.records[:1]))),
    "kept label, which is not among": ("holds", ToyLayout.holds - {"label"}),
    "changed labels silently": ("write", _silent),
    "does not write over an earlier dataset": ("write", _mixing),
    "refuses to overwrite stays as it was": ("write", _spoiling),
    "at least one source": ("write", _nothing),
    "behind a semicolon what to do: no": ("write", _wordless),
    "is among the problems": ("write", _empty),
    "pictures.toy damaged .* raised KeyError": ("read", _raises_on_gaps),
    "does not write raises": ("writes", False),
}


@pytest.mark.parametrize("said", BROKEN)
def test_a_broken_promise_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str) -> None:
    path = None
    if said.startswith("does not write raises"):
        path = photo(tmp_path / "set" / "a.png").parent
        (path / INDEX).write_text("a.png\tcat\n", "utf-8")
    monkeypatch.setattr(ToyLayout, *BROKEN[said])
    with pytest.raises(AssertionError, match=said):
        check_layout(ToyLayout(), path=path)


def test_what_does_not_overwrite_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyLayout, "write", _stubborn)
    with pytest.raises(SourceError, match="overwrite"):
        check_layout(ToyLayout())


def test_a_layout_that_does_not_write_needs_a_dataset() -> None:
    with pytest.raises(AssertionError, match="a dataset is needed, as `path`"):
        check_layout(layout_named("via"))
