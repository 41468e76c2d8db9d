"""Every layout of tables gives back what it was given, except for what it says it lost."""

from __future__ import annotations

import string
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagemill as im
from imagemill.data import Picture, Record, Source
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.registry import guesses, layout_named, look_at
from imagemill.data.layouts.tables.columns.box_columns import squashed
from imagemill.data.layouts.tables.rows.row_reader import _NO_ANNOTATION
from imagemill.data.records.instances import RLE, Instance
from imagemill.data.records.loading import pixels_digest
from imagemill.data.records.record import Stored
from tests.data.pictures import label_map, photo

NAMES = ("csv", "tsv", "json", "jsonl", "parquet", "arrow", "huggingface", "webdataset", "tfrecord")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    photo(root / "a.png", 1, (6, 8, 3))
    photo(root / "b.jpg", 2, (6, 8, 3))
    label_map(root / "m.png", 3)
    return root


def _plain(record: Record) -> Any:
    mask = record.mask and pixels_digest(record.mask)
    return replace(record, image=Path("x"), mask=None), pixels_digest(record.image), mask


def _there_and_back(source: Source, name: str, *, embed: bool) -> tuple[Source, tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        layout = layout_named(name)
        written = layout.write(source, out, WriteTarget(embed=embed))
        assert written.problems == ()
        assert written.count == len(source)
        back = layout.read(look_at(out), ReadSource())
        assert back.problems == ()
        # Pixels are compared while they are there.
        wanted, got = [_plain(r) for r in source], [_plain(r) for r in back]
        if written.lost == ():
            assert sorted(got, key=repr) == sorted(wanted, key=repr)
        else:
            assert [one[1:] for one in sorted(got, key=lambda o: o[0].key)] == [
                one[1:] for one in sorted(wanted, key=lambda o: o[0].key)
            ]
        return back, written.lost


_text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
_word = st.text(string.ascii_letters + "äß漢 ,;\"'|\t\r\n", min_size=1, max_size=8).filter(lambda t: bool(t.strip()))
# A class that says there is nothing ("none", "NaN") is read as an image without annotations where boxes have a column.
_class = _word.filter(lambda t: squashed(t) not in _NO_ANNOTATION)
_number = st.floats(-1000, 1000).map(lambda v: round(v, 3))
_positive = st.floats(0, 1000).map(lambda v: round(v, 3))
_instances = st.builds(
    Instance,
    _word,
    st.none() | st.tuples(_number, _number, _positive, _positive),
    st.lists(st.lists(_number, min_size=6, max_size=6).map(tuple), max_size=2).map(tuple),
    st.none() | st.just(RLE(2, 3, (1, 2, 3))),
    st.lists(st.tuples(_number, _number, st.integers(0, 2)), max_size=2).map(tuple),
    st.booleans(),
    st.dictionaries(_word, st.booleans() | st.integers(-5, 5) | _word, max_size=2),
)


@st.composite
def _sources(draw: st.DrawFn, root: Path) -> Source:
    names = [f"{d}x{n}{s}" for d in ("", "cat/", "a.b/") for n in (1, 2) for s in (".png", ".v2.jpg", "")]
    keys = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    columns = {"price": st.integers(-(2**40), 2**40), "class": _word, "x.y": st.sampled_from([0.5, -1.25, 3.0])}
    records = []
    classes = draw(st.just(()) | st.lists(_class, min_size=1, max_size=3, unique=True).map(tuple))
    for key in keys:
        objects = draw(st.none() | st.lists(_instances, max_size=2).map(tuple))
        records.append(
            Record(
                key,
                root / draw(st.sampled_from(["a.png", "b.jpg"])),
                draw(st.none() | st.just(root / "m.png")),
                label=draw(st.none() | (st.sampled_from(classes) if classes else _class)),
                labels=draw(st.none() | st.lists(_word, max_size=3).map(tuple)),
                objects=objects,
                split=draw(st.sampled_from([None, "train", "val", "test"])),
                group=draw(st.none() | _word),
                # Boxes as parts of the size bring the size along.
                size=(6, 8) if objects else draw(st.none() | st.just((6, 8))),
                attributes={n: draw(s) for n, s in columns.items() if draw(st.booleans())},
            )
        )
    return Source(root, "made-up", tuple(records), classes=classes)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(data=st.data(), embed=st.booleans())
def test_what_is_written_comes_back(pictures: Path, name: str, data: st.DataObject, embed: bool) -> None:
    source = data.draw(_sources(pictures))
    back, lost = _there_and_back(source, name, embed=embed)
    if not lost:
        assert back.classes == source.classes or not source.classes
    words = " ".join(lost)
    allowed = {
        "csv": ("values of",),
        "tsv": ("values of",),
        "tfrecord": (
            "polygons",
            "instance masks",
            "keypoints",
            "without a box",
            "attributes",
            "rounded",
            "stand out",
            "outside their",
        ),
        "huggingface": ("wishes",),
    }
    assert all(any(word in one for word in allowed.get(name, ())) for one in lost), words


@pytest.mark.parametrize("name", NAMES)
def test_a_written_folder_is_recognised(pictures: Path, tmp_path: Path, name: str) -> None:
    records = [Record(f"{label}/{n}.png", pictures / "a.png", label=label) for label in ("cat", "dog") for n in (1, 2)]
    layout_named(name).write(Source(pictures, "x", tuple(records)), tmp_path / "out", WriteTarget())
    best, guess = guesses(look_at(tmp_path / "out"))[0]
    assert best.name == name, guess


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("embed", [False, True])
def test_arrays_and_other_formats_are_encoded_without_loss(
    pictures: Path, tmp_path: Path, name: str, embed: bool
) -> None:
    pixels = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    volume = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    records = (
        Record("deep", Stored("array", lambda: pixels, "yx")),
        Record("scan", Stored("v", lambda: volume, "zyx")),
    )
    layout = layout_named(name)
    written = layout.write(Source(tmp_path, "x", records), tmp_path / "out", WriteTarget(embed=embed))
    assert written.problems == ()
    back = layout.read(look_at(tmp_path / "out"), ReadSource())
    np.testing.assert_array_equal(im.data.load_picture(back.records[0].image).array, pixels)
    np.testing.assert_array_equal(im.data.load_picture(back.records[1].image).array, volume)


@pytest.mark.parametrize("name", NAMES)
def test_equal_sources_give_equal_bytes(pictures: Path, tmp_path: Path, name: str) -> None:
    record = Record("a.png", pictures / "a.png", pictures / "m.png", "cat", split="train", attributes={"n": 1})
    source = Source(pictures, "x", (record,), classes=("cat", "dog"))
    found = []
    for out in (tmp_path / "1", tmp_path / "2"):
        layout_named(name).write(source, out, WriteTarget(embed=True))
        found.append({p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()})
    assert found[0] == found[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_that_cannot_be_read_is_a_problem_and_the_rest_is_written(
    pictures: Path, tmp_path: Path, name: str
) -> None:
    records = (Record("gone.png", tmp_path / "gone.png"), Record("a.png", pictures / "a.png"))
    written = layout_named(name).write(Source(tmp_path, "x", records), tmp_path / "out", WriteTarget(embed=True))
    assert (written.count, [problem.name for problem in written.problems]) == (1, ["gone.png"])
    assert [r.key for r in layout_named(name).read(look_at(tmp_path / "out"), ReadSource())] == ["a.png"]


def test_picture_of_the_fixture(pictures: Path) -> None:
    assert isinstance(im.read_picture(pictures / "a.png"), Picture)
