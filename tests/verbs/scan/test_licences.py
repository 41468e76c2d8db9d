"""Licences and sources: found in columns, lists, cards and files, counted, and gaps said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.data import Record, Source
from imagemill.verbs.scan.licence_names import licence_in, licence_name, restrictions
from imagemill.verbs.scan.licences import Licences, licences_of
from imagemill.verbs.scan.scan import scan
from tests.data.pictures import photos


def _found(*rows: dict[str, Any], path: Path = Path("nowhere"), **info: Any) -> Licences:
    records = [Record(str(n), Path("x.png"), attributes=row) for n, row in enumerate(rows)]
    return licences_of(Source(path, "csv", tuple(records), info=info), path)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("http://creativecommons.org/licenses/by-nc-nd/2.0/", "CC BY-NC-ND 2.0"),
        ("https://creativecommons.org/licenses/by/4.0/deed.de", "CC BY 4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0 1.0"),
        ("cc0-1.0", "CC0 1.0"), ("CC-0", "CC0 1.0"), ("cc-by-nc-sa-4.0", "CC BY-NC-SA 4.0"), ("CC BY SA", "CC BY-SA"),
        ("cc_by", "CC BY"), ("CC BY-NC v3.0", "CC BY-NC 3.0"), ("ccby4.0", "CC BY 4.0"),
        ("Attribution-NonCommercial-ShareAlike License", "CC BY-NC-SA"),
        ("Creative Commons Attribution 4.0", "CC BY 4.0"), ("Attribution-NoDerivs License", "CC BY-ND"),
        ("  Apache-2.0 \n", "Apache-2.0"), ("attribution required", "attribution required"), ("ccby2go", "ccby2go"),
        ("x" * 500, "x" * 77 + "..."), ("a\x1b[31mb", "a [31mb"),
    ],
)  # fmt: skip
def test_one_name_for_a_licence(text: str, name: str) -> None:
    assert licence_name(text) == name


@given(st.sampled_from(["", "-nc", "-sa", "-nd", "-nc-sa", "-nc-nd"]), st.sampled_from(["", "2.0", "3.0", "4.0"]))
def test_every_way_of_writing_is_the_same_licence(parts: str, version: str) -> None:
    wanted = f"CC BY{parts.upper()}" + (f" {version}" if version else "")
    tail = f"-{version}" if version else ""
    ways = [f"cc-by{parts}{tail}", f"CC BY{parts.upper()} {version}", f"cc_by{parts.replace('-', '_')} {version}"]
    ways += [wanted, f"https://creativecommons.org/licenses/by{parts}/{version}"]
    assert {licence_name(way) for way in ways} == {wanted}
    told = ("non-commercial",) * ("nc" in parts) + ("no-derivatives",) * ("nd" in parts)
    assert restrictions(wanted) == told


@given(st.text(max_size=300))
def test_any_text_has_a_short_printable_name(text: str) -> None:
    name = licence_name(text)
    assert len(name) <= 80
    assert name.isprintable()
    assert licence_name(name) == name
    licence_in(text, whole=True)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("unknown", ("unknown",)), ("Not stated", ("unknown",)), ("number 7, which nothing explains", ("unknown",)),
        ("All rights reserved", ("reserved",)), ("free for non commercial use", ("non-commercial",)),
        ("research only", ("non-commercial",)), ("Apache-2.0", ()), ("NCSA", ()),
        ("No derivatives", ("no-derivatives",)),
    ],
)  # fmt: skip
def test_what_ties_hands(name: str, told: tuple[str, ...]) -> None:
    assert restrictions(name) == told


def test_numbers_stand_for_what_the_list_says() -> None:
    licenses = [
        {"id": 1, "url": "http://creativecommons.org/licenses/by-nc/2.0/", "name": "Attribution-NonCommercial License"},
        {"id": 2, "url": None, "name": "Public domain"}, {"id": 3, "url": "", "name": ""}, {"id": "4"}, "5", {"x": 1},
    ]  # fmt: skip
    rows = [{"license": n} for n in (1, 1, "2", 1.0, 3, "4", 5, None, True, float("nan"))]
    found = _found(*rows, licenses=licenses)
    assert dict(found.counts) == {
        "CC BY-NC 2.0": 3, "Public domain": 1, "number 5, which nothing explains": 1,
    }  # fmt: skip
    assert (found.without, found.columns) == (5, ("license",))
    assert found.remarks() == [
        "5 images of 10 without a licence, while others have one",
        "3 images may not be used commercially (CC BY-NC 2.0)",
        "1 image under a licence that nothing explains (number 5, which nothing explains)",
    ]
    assert dict(_found({"license": 1}, licenses="nonsense").counts) == {"number 1, which nothing explains": 1}


@pytest.mark.parametrize("column", ["licence", "License", "LICENSE_URL", "license name", "rights"])
def test_columns_by_their_usual_names(column: str) -> None:
    found = _found({column: "cc-by-4.0"}, {column: ""}, {})
    assert (dict(found.counts), found.without, found.columns) == ({"CC BY 4.0": 1}, 2, (column,))


def test_the_clearest_of_several_columns_counts() -> None:
    found = _found({"license_id": 9, "license_url": "http://creativecommons.org/licenses/by/4.0/"}, {"license_id": 9})
    assert dict(found.counts) == {"CC BY 4.0": 1, "number 9, which nothing explains": 1}
    assert set(found.columns) == {"license_id", "license_url"}
    assert dict(_found({"licence": "unknown", "rights": "MIT"}).counts) == {"MIT": 1}


def test_sources_and_their_gaps() -> None:
    found = _found({"author": "Ann"}, {"flickr_url": "https://example.org/1"}, {"author": " ", "copyright": "N/A"})
    assert (found.sourced, found.source_columns) == (2, ("copyright", "author", "flickr_url"))
    assert found.remarks() == ["1 image of 3 without a source, while others have one"]
    assert _found({"author": ""}).source_columns == ()
    assert _found({}, {}).remarks() == []


def test_the_whole_set_may_have_a_licence_and_an_image_its_own() -> None:
    for info in ({"licence": "CC BY-SA 4.0"}, {"info": {"license": "cc-by-sa-4.0"}}):
        found = _found({"licence": "MIT"}, {"licence": None}, {}, **info)
        assert (dict(found.counts), found.without) == ({"CC BY-SA 4.0": 2, "MIT": 1}, 0)
        assert (found.whole, found.said_in) == ("CC BY-SA 4.0", "the set's own description")
    assert _found({}, license=["not", "text"], info="text").without == 1


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("README.md", "---\nlicense: cc-by-nc-4.0\ntags:\n- x\n---\n# Cells", "CC BY-NC 4.0"),
        ("README.md", "---\r\nlicense: mit\r\n---\r\n", "mit"),
        ("README.md", "---\nlicense:\n- cc-by-4.0\n- 'mit'\ntask: x\n---\n", "CC BY 4.0 and mit"),
        ("README.md", "---\nlicense: other\nlicense_name: house-rules\n---\n", "house-rules"),
        ("README.md", "---\nlicense: unknown\n---\nLicense: MIT\n", "unknown"),
        ("readme.txt", "Photos of cells.\nLicence: **CC BY 4.0**.\n", "CC BY 4.0"),
        ("README.md", "Licence: MIT\nLicence: CC BY 4.0\n", ""),
        ("README.md", "License: see LICENSE\n", ""),
        ("README.md", "License: LICENSE file\n", ""),
        ("README.md", "License: whatever the head of the lab says\n", ""),
        ("LICENSE", "CC BY, at https://creativecommons.org/licenses/by/4.0/", "CC BY 4.0"),
        ("README.md", "Annotations are CC BY 4.0, photos are not.\nRead about licences elsewhere.", ""),
        ("LICENSE", "Apache License\nVersion 2.0, January 2004", "Apache-2.0"),
        ("LICENCE.txt", "All photos: https://creativecommons.org/licenses/by/2.0/ and nothing else", "CC BY 2.0"),
        ("COPYING", "GNU GENERAL PUBLIC LICENSE, unlike the GNU Lesser General Public License,", "LGPL"),
        ("LICENSE.txt", "a.jpg CC BY 2.0 by Ann\nb.jpg CC BY-NC 2.0 by Ben\n", ""),
        ("CITATION.cff", "cite us", ""),
    ],
)
def test_files_beside_the_images(tmp_path: Path, file: str, text: str, name: str) -> None:
    (tmp_path / file).write_bytes(text.encode())
    found = _found({}, {}, path=tmp_path)
    assert (found.files, found.whole, found.said_in) == ((file,), name, file if name else "")
    assert (dict(found.counts), found.without) == (({name: 2}, 0) if name else ({}, 2))


def test_files_that_say_nothing_or_are_none(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Cats and dogs.")
    (tmp_path / "LICENSE.pdf").write_bytes(b"%PDF")
    (tmp_path / "COPYING").mkdir()
    (tmp_path / "my-license.txt").write_text("MIT License: permission is hereby granted, free of charge")
    os.mkfifo(tmp_path / "LICENSE")
    assert _found({}, path=tmp_path) == Licences(without=1)
    (tmp_path / "LICENSE").unlink()
    (tmp_path / "LICENSE").write_bytes(b"\xff\xfe" + b"\0" * 100)
    assert _found({}, path=tmp_path) == Licences(without=1, files=("LICENSE",))


def test_a_gap_points_to_the_files_to_read(tmp_path: Path) -> None:
    (tmp_path / "CREDITS.txt").write_text("a.jpg CC BY 2.0, b.jpg CC BY-NC 2.0")
    said = _found({"licence": "CC BY 4.0"}, {}, path=tmp_path).remarks()
    assert said == ["1 image of 2 without a licence, while others have one (see CREDITS.txt)"]


def test_scan_says_licences(tmp_path: Path) -> None:
    photos(tmp_path, "images/1.png", "images/2.png", "images/3.png")
    license_of = {1: {"license": 2}, 2: {"license": 8}, 3: {}}
    images = [{"id": n, "file_name": f"{n}.png", "height": 30, "width": 40, **license_of[n]} for n in (1, 2, 3)]
    licenses = [{"id": 2, "name": "x", "url": "http://creativecommons.org/licenses/by-nc-nd/2.0/"}]
    coco = {"images": images, "annotations": [], "categories": [{"id": 1, "name": "cat"}], "licenses": licenses}
    (tmp_path / "instances.json").write_text(json.dumps(coco))
    report = scan(tmp_path)
    assert dict(report.licences.counts) == {"CC BY-NC-ND 2.0": 1, "number 8, which nothing explains": 1}
    plain = json.loads(json.dumps(report.to_dict()))
    assert (plain["licences"]["without"], plain["licences"]["columns"]) == (1, ["license"])
    for word in ("1 image of 3 without a licence", "not be used commercially", "not augmented", "nothing explains"):
        assert any(word in remark for remark in plain["remarks"]), word


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_tables_say_licences(tmp_path: Path, name: str) -> None:
    photos(tmp_path, "1.png", "2.png")
    rows = [("1.png", "CC-BY-4.0", "Ann"), ("2.png", "", "Ben")]
    if name.endswith("csv"):
        text = "\n".join(["file_name,license,photographer", *(",".join(row) for row in rows)])
    else:
        text = "\n".join(json.dumps(dict(zip(("file_name", "license", "photographer"), r, strict=True))) for r in rows)
    (tmp_path / name).write_text(text)
    (tmp_path / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    found = scan(tmp_path).licences
    assert dict(found.counts) == {"CC BY 4.0": 1, "CC0 1.0": 1}
    assert (found.sourced, found.source_columns) == (2, ("photographer",))


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("coco_sample", {"CC BY-NC-SA 2.0": 15, "CC BY 2.0": 12, "CC BY-NC 2.0": 10, "CC BY-SA 2.0": 10,
                         "No known copyright restrictions": 1}),
        ("coco_keypoints", {"CC BY 2.0": 7, "CC BY-NC-SA 2.0": 6, "CC BY-SA 2.0": 2, "CC BY-NC 2.0": 1}),
    ],
)  # fmt: skip
def test_licences_of_real_photos(data_root: Path, name: str, counts: dict[str, int]) -> None:
    found = scan(data_root / name, opened=0).licences
    assert (dict(found.counts), found.without, found.sourced) == (counts, 0, sum(counts.values()))
