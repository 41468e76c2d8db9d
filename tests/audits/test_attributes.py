"""Attributes from a table of their own, and the share that each of their values has in a class (rows B2 to B4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import imagemill as im
from imagemill.audits import Audit
from imagemill.core.errors import InputError
from tests.app.terminal import imagemill
from tests.audits.made_up import write


def fruit(path: Path, counts: Mapping[str, int]) -> list[str]:
    """Tiny images by class, each different; their keys."""
    keys = []
    for number, (name, count) in enumerate(counts.items()):
        for row in range(count):
            draws = np.random.default_rng([number, row])
            write(path / name / f"{name}{row}.png", draws.integers(0, 256, (8, 8, 3), np.uint8))
            keys.append(f"{name}/{name}{row}.png")
    return keys


def asked(path: Path, given: Any, **options: Any) -> Audit:
    return im.audit(path, attributes=given, checks=["attributes"], **options)


def table(keys: list[str], **columns: list[Any]) -> list[dict[str, Any]]:
    return [{"key": key, **{name: cells[row] for name, cells in columns.items()}} for row, key in enumerate(keys)]


@pytest.mark.parametrize(
    ("column", "rule", "least"),
    [("colour", "colour-share", 10), ("stem", "feature-share", 5), ("stage", "stage-share", 20)],
)
def test_a_value_at_its_least_share_is_enough_and_one_image_fewer_is_not(
    tmp_path: Path, column: str, rule: str, least: int
) -> None:
    keys = fruit(tmp_path / "set", {"apple": 100})
    enough = table(keys, **{column: ["a"] * (100 - least) + ["b"] * least})
    assert asked(tmp_path / "set", enough).findings == ()
    short = table(keys, **{column: ["a"] * (101 - least) + ["b"] * (least - 1)})
    (finding,) = asked(tmp_path / "set", short).findings
    assert (finding.rule, finding.level) == (rule, "warning")
    assert f"in under {least}% of the images of a class: apple: b {least - 1} of 100" in finding.message
    assert set(finding.places) == set(keys[101 - least :])


def test_a_class_need_not_have_every_colour_but_every_stage(tmp_path: Path) -> None:
    keys = fruit(tmp_path / "set", {"apple": 20, "plum": 20})
    values = ["red", "green"] * 10 + ["blue"] * 20
    assert asked(tmp_path / "set", table(keys, colour=values)).findings == ()
    (finding,) = asked(tmp_path / "set", table(keys, ripeness=["ripe", "spoiled"] * 10 + ["ripe"] * 20)).findings
    assert "plum: spoiled 0 of 20" in finding.message
    assert "apple" not in finding.message


def test_what_a_column_holds_and_its_least_share_can_be_said(tmp_path: Path) -> None:
    keys = fruit(tmp_path / "set", {"apple": 100})
    rows = table(keys, look=["a"] * 85 + ["b"] * 15)
    assert asked(tmp_path / "set", rows).findings == ()
    for share, rule in (("stage", "stage-share"), (0.16, "feature-share")):
        (finding,) = asked(tmp_path / "set", rows, attribute_shares={"look": share}).findings
        assert finding.rule == rule
    assert (
        asked(tmp_path / "set", rows, attribute_shares={"look": "stage"}, settings={"stage_share": 0.15}).findings == ()
    )
    with pytest.raises(
        InputError, match="expected a share for a column of attributes, got 'loo', which is none; did you mean 'look'"
    ):
        asked(tmp_path / "set", rows, attribute_shares={"loo": 0.1})
    with pytest.raises(InputError, match=r"expected a share from 0 to 1.* got 'size'; such as look=0.1"):
        asked(tmp_path / "set", rows, attribute_shares={"look": "size"})
    with pytest.raises(InputError, match=r"expected a share from 0 to 1.* got 1.5"):
        asked(tmp_path / "set", rows, attribute_shares={"look": 1.5})


FORMS = ("csv", "tsv", "json", "jsonl", "parquet", "arrow", "mapping", "rows")


def written(form: str, folder: Path, rows: list[dict[str, Any]]) -> Any:
    """The same rows in each form that is taken."""
    frame, path = pl.DataFrame(rows), folder / f"attributes.{form}"
    first = next(iter(rows[0]))
    match form:
        case "csv" | "tsv":
            frame.write_csv(path, separator="," if form == "csv" else "\t")
        case "json":
            path.write_text(json.dumps(rows))
        case "jsonl":
            path.write_text("\n".join(map(json.dumps, rows)))
        case "parquet":
            frame.write_parquet(path)
        case "arrow":
            frame.write_ipc(path)
        case "mapping":
            return {row[first]: {name: value for name, value in row.items() if name != first} for row in rows}
        case _:
            return rows
    return path


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("named", ["key", "file", "stem", "foreign"])
def test_every_form_names_images_by_key_file_name_or_stem(tmp_path: Path, form: str, named: str) -> None:
    keys = fruit(tmp_path / "set", {"apple": 12, "plum": 12})
    name = {
        "key": lambda key: key,
        "file": lambda key: key.split("/")[1],
        "stem": lambda key: key.split("/")[1][:-4],
        "foreign": lambda key: "C:\\data\\" + key.replace("/", "\\"),
    }[named]
    rows = [{"picture": name(key), "stem": n % 12 > 0, "weight": n * 1.25} for n, key in enumerate(keys)]
    found = im.audit(tmp_path / "set", attributes=written(form, tmp_path, rows), checks=["attributes"])
    records = found.survey.records
    assert [record.attributes for record in records] == [
        {"stem": n % 12 > 0, "weight": n * 1.25} for n in map(keys.index, (record.key for record in records))
    ]
    assert [finding.rule for finding in found.findings] == []
    assert any("column weight holds 24 values" in one.because for one in found.not_asked)


def test_a_name_that_is_none_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    keys = fruit(tmp_path / "set", {"apple": 12})
    rows = table([*keys[:-1], "apple/aple11.png"], colour=["red"] * 12)
    with pytest.raises(
        InputError, match=r"got 'apple/aple11.png' in row 12 \(the nearest is 'apple/apple11.png'\); mend"
    ):
        asked(tmp_path / "set", rows)
    rows = table([*keys, *(f"lost{n}.png" for n in range(5))], colour=["red"] * 17)
    with pytest.raises(InputError, match="and 2 more; mend those names, or leave the rows out"):
        asked(tmp_path / "set", rows)
    with pytest.raises(InputError, match="got the columns key, colour, none of which names one; add a column 'key'"):
        asked(tmp_path / "set", table(["x", "y"], colour=["red", "red"]))


def test_a_name_of_two_images_and_two_rows_of_one_are_errors(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/1.png", "b/2.png"):
        write(tmp_path / "set" / name, np.full((8, 8, 3), len(name), np.uint8))
    with pytest.raises(
        InputError, match=r"got '1.png', which 'a/1.png' and 'b/1.png' have; write keys with their folders"
    ):
        asked(tmp_path / "set", [{"key": "1.png", "x": 1}, {"key": "2.png", "x": 1}])
    twice = [{"key": "b/2.png", "x": 1}, {"key": "2.png", "x": 2}]
    with pytest.raises(InputError, match=r"got row 1 and row 2 for 'b/2\.png', which differ; keep one of them"):
        asked(tmp_path / "set", twice)
    assert asked(tmp_path / "set", [twice[0], twice[0]]).survey.row_of["b/2.png"] == 2


def test_images_without_a_row_are_counted_and_named(tmp_path: Path) -> None:
    keys = fruit(tmp_path / "set", {"apple": 30})
    (tmp_path / "attributes.csv").write_text(
        "file,colour\n" + "".join(f"{key},{'rg'[n % 2]}\n" for n, key in enumerate(keys[2:]))
    )
    (finding,) = asked(tmp_path / "set", tmp_path / "attributes.csv").findings
    assert (finding.rule, finding.places) == ("no-attributes", tuple(keys[:2]))
    assert finding.message == "2 images of 30 without a row in attributes.csv"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "", "expected a table with a header"),
        ("a.csv", 'key,colour\n"apple/apple0.png,red\n', "expected attributes that can be read, got"),
        ("a.xlsx", "x", "expected attributes with a suffix of .csv"),
        ("none.csv", None, "which is none; check the path"),
    ],
)
def test_a_file_that_is_no_table_is_an_error(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    fruit(tmp_path / "set", {"apple": 3})
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=said):
        asked(tmp_path / "set", tmp_path / name)


def test_columns_of_the_dataset_itself_count_where_their_names_say_so(tmp_path: Path) -> None:
    keys = fruit(tmp_path / "set", {"apple": 20})
    lines = [f"{key},apple,{'red' if n else 'green'},{'x' if n else 'y'}" for n, key in enumerate(keys)]
    (tmp_path / "set" / "labels.csv").write_text("path,label,skin_color,shelf\n" + "\n".join(lines))
    found = asked(tmp_path / "set", None)
    assert [(finding.rule, finding.places) for finding in found.findings] == [("colour-share", (keys[0],))]
    more = asked(tmp_path / "set", None, attribute_shares={"shelf": "stage"})
    assert {finding.rule for finding in more.findings} == {"colour-share", "stage-share"}


def test_what_no_attribute_lets_one_ask_is_said(tmp_path: Path) -> None:
    keys = fruit(tmp_path / "set", {"apple": 12, "plum": 4})
    because = lambda found: {one.rule: one.because for one in found.not_asked}  # noqa: E731
    assert "give --attributes FILE" in because(asked(tmp_path / "set", None))["attributes"]
    assert (
        because(asked(tmp_path / "set", table(keys, colour=["red"] * 16)))["colour-share"]
        == "column colour has one value"
    )
    found = asked(tmp_path / "set", table(keys, colour=["red", "Red ", "green", "green"] * 4))
    assert because(found)["colour-share"] == "fewer than 10 images have a colour in 1 class (plum)"
    assert found.findings == ()


def test_the_command_takes_a_table_and_shares(tmp_path: Path) -> None:
    keys = fruit(tmp_path / "set", {"apple": 20})
    to = tmp_path / "a.csv"
    to.write_text("key,look\n" + "".join(f"{key},{'old' if n < 3 else 'new'}\n" for n, key in enumerate(keys)))
    arguments = ["audit", tmp_path / "set", "--attributes", to, "--check", "attributes", "--fail-on", "warning"]
    assert imagemill(*arguments).code == 0
    said = imagemill(*arguments, "--attribute-share", "look=stage")
    assert (said.code, "apple: old 3 of 20" in said.out) == (1, True)
    assert imagemill(*arguments, "--attribute-share", "look=0.1").code == 0
    wrong = imagemill(*arguments, "--attribute-share", "look")
    assert (wrong.code, "expected --attribute-share COLUMN=SHARE, such as ripeness=0.2, got 'look'" in wrong.err) == (
        2,
        True,
    )
