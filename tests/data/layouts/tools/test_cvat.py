"""CVAT's XML files for images and for videos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Source, open_source
from imagemill.data.layouts.shapes.rle import mask_from_rle
from imagemill.verbs.scan.scan import scan
from tests.data.pictures import photo

SIZE = (30, 40)
HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><{around}<task><id>7</id><name>street</name><size>2</size><labels>
<label><name>dog</name><type>any</type><attributes></attributes></label>
<label><name>cat</name><type>any</type></label>
<label><name>ape</name><type>skeleton</type><svg>&lt;line x1="1" data-type="edge"
 data-node-from="1" data-node-to="2"&gt;</svg></label>
<label><name>nose</name><type>points</type><parent>ape</parent></label>
<label><name>tail</name><type>points</type><parent>ape</parent></label>
<label><name>tail end</name><type>points</type><parent>ape</parent></label>
<label><name>good</name><type>tag</type></label>
</labels><original_size><width>40</width><height>30</height></original_size></task>{behind}<dumped>now</dumped></meta>
"""


def write(path: Path, body: str, project: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    around, behind = ("project><tasks>", "</tasks></project>") if project else ("x/>", "")
    path.write_text(HEAD.format(around=around, behind=behind) + body + "</annotations>\n", "utf-8")
    return path


def image(inner: str, name: str = "a.png", more: str = "") -> str:
    return f'<image id="0" name="{name}" width="{SIZE[1]}" height="{SIZE[0]}" {more}>{inner}</image>'


def one(root: Path, inner: str, **more: bool) -> Source:
    photo(root / "images" / "a.png", 1, (*SIZE, 3))
    write(root / "annotations.xml", image(inner), **more)
    return open_source(root)


def said(source: Source) -> str:
    return " | ".join([*map(str, source.problems), *source.notes])


@pytest.mark.parametrize("project", [False, True])
def test_boxes_outlines_and_their_attributes(tmp_path: Path, project: bool) -> None:
    source = one(
        tmp_path,
        '<box label="cat" source="manual" occluded="1" xtl="4.0" ytl="5.0" xbr="9.0" ybr="8.5" z_order="3">'
        '<attribute name="colour">red</attribute></box>'
        '<box label="dog" occluded="0" xtl="10" ytl="10" xbr="20" ybr="14" rotation="90.0"/>'
        '<polygon label="dog" points="4.0,5.0;9.0,5.0;9.0,8.0" occluded="0"/>'
        '<ellipse label="cat" cx="20" cy="10" rx="5" ry="3" occluded="0"/>'
        '<cuboid label="cat" xtl1="1" ytl1="2" xbl1="1" ybl1="8" xtr1="5" ytr1="2" xbr1="5" ybr1="8" xtl2="6" ytl2="1"'
        ' xbl2="6" ybl2="7" xtr2="7" ytr2="1" xbr2="7" ybr2="7"/>'
        '<polyline label="dog" points="1,1;2,2"/><points label="dog" points="3,4;5,6" occluded="0"/>',
        project=project,
    )
    assert (source.layout, source.categories, source.problems) == ("cvat", ("dog", "cat", "ape"), ())
    box, turned, outline, oval, cuboid, points = source.records[0].objects or ()
    assert (box.category, box.box) == ("cat", (4, 5, 5, 3.5))
    assert box.attributes == {"occluded": 1, "z_order": 3, "colour": "red"}
    # A quarter turn of 10 x 4 about its centre (15, 12).
    assert (turned.box, turned.attributes["rotation"]) == ((13, 7, 4, 10), 90)
    assert len(turned.polygons[0]) == 8
    assert (outline.polygons, outline.box) == (((4, 5, 9, 5, 9, 8),), (4, 5, 5, 3))
    assert (oval.box, cuboid.box) == ((15, 7, 10, 6), (1, 1, 6, 7))
    assert points.keypoints == ((3, 4, 2), (5, 6, 2))
    assert "1 polyline shapes passed over" in said(source)
    assert "1 cuboids read as the boxes" in said(source)
    assert source.also_read == (tmp_path / "annotations.xml",)
    assert dict(scan(tmp_path).categories) == {"dog": 3, "cat": 3, "ape": 0}


def test_masks_and_skeletons(tmp_path: Path) -> None:
    source = one(
        tmp_path,
        # Along the rows of a part 4 wide and 3 high: 5 off, 2 on, 2 off, 1 on, 2 off.
        '<mask label="cat" occluded="0" rle="5, 2, 2, 1, 2" left="30" top="20" width="4" height="3"/>'
        '<skeleton label="ape"><points label="tail" outside="0" occluded="1" points="7.00,8.00"/>'
        '<points label="nose" outside="0" occluded="0" points="5.00,6.00"/>'
        '<points label="tail end" outside="1" occluded="0" points="9.00,9.00"/></skeleton>',
    )
    mask, ape = source.records[0].objects or ()
    whole = np.zeros(SIZE, bool)
    whole[21, 31:33] = whole[22, 31] = True
    assert mask.rle is not None
    assert np.array_equal(mask_from_rle(mask.rle), whole)
    assert mask.box == (31, 21, 2, 2)
    assert ape.keypoints == ((5, 6, 2), (7, 8, 1), (0, 0, 0))
    assert (source.keypoint_names, source.links) == (("nose", "tail", "tail end"), ((0, 1),))
    assert im.prepare(tmp_path, tmp_path.parent / f"{tmp_path.name}-store").made == 1


def test_subsets_tags_and_pictures_without_shapes(tmp_path: Path) -> None:
    for name in ("Train/x.png", "Validation/x.png", "Validation/y.png", "default/z.png"):
        photo(tmp_path / "images" / name)
    box = '<box label="cat" xtl="{}" ytl="5" xbr="9" ybr="8" occluded="0"/>'
    tag = '<tag label="good" source="manual"><attribute name="light">dim</attribute></tag>'
    write(
        tmp_path / "annotations.xml",
        image(box.format(1), "x.png", 'subset="Train"')
        + image(box.format(2), "x.png", 'subset="Validation"')
        + image(tag, "y.png", 'subset="Validation"')
        + image("", "z.png", 'subset="default"')
        + image("", "gone.png", 'subset="default"'),
    )
    source = open_source(tmp_path)
    found = [(r.key, r.split, r.label, r.objects and [t.box and t.box[0] for t in r.objects]) for r in source]
    assert found == [
        ("images/Train/x.png", "train", None, [1]),
        ("images/Validation/x.png", "val", None, [2]),
        ("images/Validation/y.png", "val", "good", None),
        ("images/default/z.png", None, None, ()),
    ]
    assert source.records[2].attributes == {"light": "dim", "annotated": False}
    assert "gone.png" in said(source)


def test_what_does_not_fit_is_named_and_is_no_background(tmp_path: Path) -> None:
    source = one(
        tmp_path,
        '<box label="cat" xtl="1" ytl="5" xbr="nan" ybr="8"/><box xtl="1" ytl="1" xbr="2" ybr="2"/>'
        '<box label="cat" xtl="3" ytl="5" xbr="3" ybr="8"/><polygon label="cat" points="1,2;3,4"/>'
        '<polygon label="cat" points="1,2;3;4,5"/><polygon label="cat"/>'
        '<box label="cat" xtl="90" ytl="1" xbr="95" ybr="5"/>'
        '<mask label="cat" rle="5, 1" left="0" top="0" width="4" height="3"/>'
        '<mask label="cat" rle="x" left="0" top="0" width="99999999" height="99999999"/>'
        '<skeleton label="ape"><points label="nose" outside="1" points="1,1"/></skeleton>',
    )
    assert [r.objects for r in source] == [None]
    assert len(source.problems) == 10
    assert "1 picture lost everything" in said(source)


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><annotations><image name="&b;"/></annotations>',
        "<annotations><image ",
        "<annotations>" + "<image>" * 100_000,
        "<wrong/>",
    ],
)
def test_files_made_to_do_harm_are_refused(tmp_path: Path, text: str) -> None:
    photo(tmp_path / "a.png")
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(im.SourceError, match="expected"):
        open_source(tmp_path / "a.xml", layout="cvat")
    with pytest.raises(im.SourceError, match="got cvat, which is read only"):
        im.export(tmp_path / "a.png", tmp_path / "out", "cvat")


def test_tracks_of_a_video(tmp_path: Path) -> None:
    for number in range(6):
        photo(tmp_path / "images" / f"frame_{number:06d}.png", number, (*SIZE, 3))

    def box(frame: int, left: int, outside: int = 0) -> str:
        ends = f'xtl="{left}" ytl="5" xbr="{left + 4}" ybr="8"'
        return f'<box frame="{frame}" keyframe="1" outside="{outside}" occluded="0" {ends}/>'

    write(
        tmp_path / "annotations.xml",
        f'<track id="0" label="cat">{box(0, 2)}{box(1, 3)}{box(2, 4, 1)}</track>'
        f'<track id="1" label="dog">{box(1, 10)}{box(3, 20)}{box(9, 1)}</track>'
        '<track id="2" label="dog"><polygon frame="0" outside="0" points="1,1;5,1;5,5"/>'
        '<polygon frame="2" outside="0" points="1,1;5,1;5,5"/></track>',
    )
    source = open_source(tmp_path)
    assert (len(source), {r.group for r in source}) == (6, {"street"})
    found = [[(t.category, t.box and t.box[0], t.attributes["track_id"]) for t in r.objects or ()] for r in source]
    assert found[0] == [("cat", 2, 0), ("dog", 1, 2)]
    assert found[1] == [("cat", 3, 0), ("dog", 10, 1)]
    assert found[2] == [("dog", 15, 1), ("dog", 1, 2)]  # half way between 10 and 20
    assert found[3] == [("dog", 20, 1)]
    assert all(r.objects is not None for r in source)
    assert "boxes between two keyframes, set by straight lines" in said(source)
    assert "1 shapes between two keyframes passed over" in said(source)
    assert "got none for" in said(source)
    photo(tmp_path / "images" / "more" / "frame_000000.png")
    with pytest.raises(im.SourceError, match="pictures with the same number"):
        open_source(tmp_path, layout="cvat")
