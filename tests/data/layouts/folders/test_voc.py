"""Pascal VOC: boxes from XML as edges, splits from lists, and back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import SourceError
from imagemill.data import Instance, Record, Source, open_source
from imagemill.data.layouts.base import WriteTarget
from imagemill.data.layouts.folders.voc import Voc, _pixels
from imagemill.data.records.instances import RLE
from tests.data.pictures import label_map, photo

XML = """<annotation><folder>x</folder><filename>elsewhere.jpg</filename><path>/photos/x.jpg</path>
<size><width>40</width><height>30</height><depth>3</depth></size>{}</annotation>"""
OBJECT = """<object><name>{}</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>
<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>
<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"""


def xml(root: Path, name: str, *objects: str, around: str = XML) -> Path:
    path = root / "Annotations" / f"{name}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(around.format("".join(objects)), "utf-8")
    return path


def small_set(root: Path) -> Path:
    for name in ("a", "b", "c"):
        photo(root / "JPEGImages" / f"{name}.png")
    xml(root, "a", OBJECT.format("cat", 1, 1, 1, 1), OBJECT.format("dog", 3, "4.0", 40, 30))
    xml(root, "b")
    return root


def test_boxes_count_from_one_and_include_both_ends(tmp_path: Path) -> None:
    source = open_source(small_set(tmp_path))
    assert (source.layout, source.categories, source.problems) == ("voc", ("cat", "dog"), ())
    a, b, c = source
    assert a.objects is not None
    assert [(thing.category, thing.box) for thing in a.objects] == [
        ("cat", (0.0, 0.0, 1.0, 1.0)),
        ("dog", (2.0, 3.0, 38.0, 27.0)),
    ]
    assert a.objects[0].attributes == {"truncated": 1, "difficult": 0, "pose": "Left"}
    assert (a.size, b.objects, c.objects) == ((30, 40), (), None)
    assert "2 parts of annotations passed over" in source.describe()
    assert "1 picture" in source.describe()


def test_splits_and_masks(tmp_path: Path) -> None:
    small_set(tmp_path)
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("b\n")
    (lists / "trainval.txt").write_text("a\nb\n")
    (lists / "cat_train.txt").write_text("c 1\n")  # of one class: it says nothing of splits
    label_map(tmp_path / "SegmentationClass" / "a.png")
    label_map(tmp_path / "SegmentationObject" / "a.png")
    source = open_source(tmp_path)
    assert [(r.key, r.split) for r in source] == [
        ("JPEGImages/a.png", "train"),
        ("JPEGImages/b.png", "val"),
        ("JPEGImages/c.png", None),
    ]
    assert [r.mask for r in source] == [tmp_path / "SegmentationClass" / "a.png", None, None]
    assert source.missing_masks == ("JPEGImages/b.png", "JPEGImages/c.png")


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><annotation>&b;{}</annotation>'
FILE = (
    '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><annotation><object><name>&f;{}</name></object></annotation>'
)


@pytest.mark.parametrize(
    ("around", "objects", "says"),
    [
        ("<annotation>", (), "expected an XML file"),
        (BOMB, (), "expected an XML file"),
        (FILE, (), "expected an XML file"),
        (XML, (OBJECT.format("", 1, 1, 2, 2),), "b.xml object 1: expected an object with a name"),
        (XML, (OBJECT.format("cat", "x", 1, 2, 2),), "as numbers"),
        (XML, (OBJECT.format("cat", 9, 1, 2, 2),), "whose ends follow its starts"),
        (XML, (OBJECT.format("cat", "nan", 1, 2, 2),), "whose ends follow its starts"),
    ],
)
def test_what_cannot_be_taken_in_is_named(tmp_path: Path, around: str, objects: tuple[str, ...], says: str) -> None:
    xml(small_set(tmp_path), "b", *objects, around=around)
    source = open_source(tmp_path)
    assert len(source) == 3
    assert len(source.problems) == 1
    assert says in str(source.problems[0])
    assert not any(thing.category.startswith("root") for record in source for thing in record.objects or ())


def test_annotations_without_a_picture_are_named(tmp_path: Path) -> None:
    xml(small_set(tmp_path), "z")
    assert "expected a picture for Annotations/z.xml" in str(open_source(tmp_path).problems[0])


def _source(root: Path) -> Source:
    things = (
        Instance("cat", (2.0, 3.0, 10.0, 4.0), attributes={"pose": "Left", "difficult": 0, "area": 7}),
        Instance("dog", (1.4, 2.6, 3.3, 0.2)),
        Instance("dog", (5.0, 5.0, 9.0, 9.0), crowd=True),
        Instance("dog", polygons=((1.0, 1.0, 4.0, 1.0, 4.0, 3.0),)),
        Instance("cat", rle=RLE(30, 40, (31, 2, 1167))),
        Instance("nose", keypoints=((1.0, 1.0, 2),)),
    )
    records = (
        Record("set/a.png", photo(root / "a.png"), label_map(root / "m.png"), objects=things, split="train"),
        Record("b.png", photo(root / "b.png", 2), objects=(), split="val", group="g"),
        Record("c.png", photo(root / "c.png", 3)),
    )
    return Source(root, "made up", records, categories=("cat", "dog", "nose", "unseen"))


def test_written_and_read_again(tmp_path: Path) -> None:
    source = _source(tmp_path / "in")
    written = Voc().write(source, tmp_path / "out", WriteTarget())
    assert (written.count, written.problems) == (3, ())
    lost = " | ".join(written.lost)
    for words in (
        *("1 boxes: rounded to whole pixels", "1 crowds: written as difficult", "1 polygons", "1 run-length masks"),
        *("1 annotations' keypoints", "1 annotations without box", "1 pictures' groups", "attributes (area)"),
        "1 categories without an annotation",
    ):
        assert words in lost, lost
    back = open_source(tmp_path / "out")
    by_name = {Path(record.key).name: record for record in back}
    assert [by_name[name].split for name in ("a.png", "b.png", "c.png")] == ["train", "val", None]
    assert by_name["a.png"].key == "JPEGImages/set/a.png"
    assert (by_name["b.png"].objects, by_name["c.png"].objects) == ((), None)
    a = by_name["a.png"]
    assert isinstance(a.mask, Path)
    assert a.mask.read_bytes() == (tmp_path / "in" / "m.png").read_bytes()
    assert [thing.box for thing in a.objects or ()] == [
        (2.0, 3.0, 10.0, 4.0),
        (1.0, 3.0, 4.0, 1.0),  # 1.4 to 4.7 and 2.6 to 2.8: rounded, and at least one pixel
        (5.0, 5.0, 9.0, 9.0),
        (1.0, 1.0, 3.0, 2.0),
        (1.0, 1.0, 1.0, 2.0),
    ]
    assert (a.objects or ())[0].attributes == {"pose": "Left", "difficult": 0}
    assert (a.objects or ())[2].attributes == {"difficult": 1}


@given(st.tuples(*[st.integers(0, 5000)] * 2, *[st.integers(1, 5000)] * 2))
def test_whole_boxes_come_back_as_they_were(box: tuple[int, int, int, int]) -> None:
    ends = _pixels(box)
    x, y, w, h = box
    assert ends == {"xmin": x + 1, "ymin": y + 1, "xmax": x + w, "ymax": y + h}


@pytest.mark.parametrize("box", [(1.4, 2.0, 0.1, 5.0), (1.6, 2.6, 0.3, 0.2), (0.0, 0.0, 0.0, 0.0)])
def test_thin_boxes_keep_a_pixel(box: tuple[float, float, float, float]) -> None:
    ends = _pixels(box)
    assert ends["xmax"] >= ends["xmin"] >= 1
    assert ends["ymax"] >= ends["ymin"] >= 1


def test_odd_names_of_classes_survive(tmp_path: Path) -> None:
    names = ["<b> & 'c'", "größe", "a b"]
    things = tuple(Instance(name, (0.0, 0.0, 1.0, 1.0)) for name in names)
    source = Source(tmp_path, "x", (Record("a.png", photo(tmp_path / "a.png"), objects=things),))
    Voc().write(source, tmp_path / "out", WriteTarget())
    assert [thing.category for thing in open_source(tmp_path / "out").records[0].objects or ()] == names


def test_a_set_without_boxes_is_refused(tmp_path: Path) -> None:
    source = Source(tmp_path, "x", (Record("a.png", photo(tmp_path / "a.png")),))
    with pytest.raises(SourceError, match="expected a source with boxes or label maps"):
        Voc().write(source, tmp_path / "out", WriteTarget())


def test_real_blood_cells(data_root: Path, tmp_path: Path) -> None:
    source = open_source(data_root / "voc_bccd")
    assert (source.layout, len(source), source.problems) == ("voc", 72, ())
    counts = Counter(thing.category for record in source for thing in record.objects or ())
    assert counts == {"RBC": 805, "WBC": 71, "Platelets": 69}
    assert {record.split for record in source} == {"test"}
    for record in source:
        for thing in record.objects or ():
            x, y, w, h = thing.box or (-1, 0, 0, 0)
            assert min(x, y) >= 0
            assert x + w <= 640
            assert y + h <= 480
    assert Voc().write(source, tmp_path / "out", WriteTarget()).lost == ()
    back = open_source(tmp_path / "out")
    assert [(r.key, r.objects, r.size, r.split) for r in back] == [(r.key, r.objects, r.size, r.split) for r in source]
