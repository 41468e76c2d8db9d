"""`imagemill audit`: whether a dataset is fit to train on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import imagemill as im
from imagemill.app.cli.audit import _say
from tests.app.terminal import imagemill
from tests.audits.made_up import folder, photo, write


def test_findings_with_images_and_advice_and_the_exit_status_that_was_asked_for(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 12)
    write(src / "dog" / "copy.png", photo(3))
    said = imagemill("audit", src, "--json", tmp_path / "audit.json")
    lines = said.out.splitlines()
    assert said.code == 1
    assert lines[0] == "Fit to train on? not as it is: 1 finding to mend first"
    assert "cat/cat003.png, dog/copy.png" in said.out
    assert "parts, because there are no training and test parts" in said.out
    held = json.loads((tmp_path / "audit.json").read_text())
    assert held == im.audit(src).to_dict()
    assert json.loads(imagemill("audit", src, "--json", "-").out) == held
    for level, code in (("never", 0), ("high", 1), ("low", 1)):
        assert imagemill("audit", src, "--fail-on", level).code == code
    clean = folder(tmp_path / "clean", 12)
    assert [imagemill("audit", clean, "--fail-on", level).code for level in ("error", "warning")] == [0, 1]


def test_a_new_manifest_and_thresholds_and_single_checks(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 12)
    write(src / "cat" / "copy.png", photo(3))
    to = tmp_path / "new.csv"
    said = imagemill("audit", src, "--apply", "drop-duplicates,regroup", "--manifest", to, "--check", "copies")
    assert (said.code, "drop-duplicates: 1 image\n" in said.out, "[few]" in said.out) == (0, True, False), said.out
    assert len(im.open(to)) == 24
    said = imagemill("audit", src, "--set", "start=5", "--set", "enough=6", "--check", "counts")
    assert "[few]" not in said.out


def test_the_page_needs_no_network_and_shows_images_of_a_leak(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 12)
    write(src / "dog" / "<b>copy.png", photo(3))
    to = tmp_path / "audit.html"
    said = imagemill("audit", src, "-o", to, "--fail-on", "never")
    assert (said.code, f"page in {to}" in said.out) == (0, True), said.out
    text = to.read_text()
    assert "Fit to train on? Not as it is: 1 finding to mend first." in text
    assert "the same bytes; the first is the one to keep: " in text
    assert "dog/&lt;b&gt;copy.png" in text
    assert "<b>copy" not in text
    assert not [word for word in ("http://", "https://") if word in text]
    assert text.count("data:image/png;base64,") >= 4


def test_what_is_asked_wrongly_is_said(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 1)
    for arguments, words in (
        (("--apply", "regroup"), "expected --apply and --manifest together"),
        (("--set", "dark"), "expected --set NAME=NUMBER, such as dark=0.2, got 'dark'"),
        (("--set", "drak=1"), "expected settings of enough, start"),
        (("--out", tmp_path / "page.txt"), "expected a page with the suffix .html"),
        (("--check", "copy"), "expected checks of quality, copies"),
        (("--apply", "drop", "--manifest", tmp_path / "x.csv"), "expected actions of drop-duplicates"),
    ):
        said = imagemill("audit", src, *arguments)
        assert said.code == 2, said.out
        assert words in said.err


def test_what_goes_on_beside_json_on_the_output_is_said_on_the_error_stream(tmp_path: Path) -> None:
    src = folder(tmp_path / "set", 12)
    said = imagemill("audit", src, "--json", "-", "-o", tmp_path / "page.html", "--check", "counts")
    assert json.loads(said.out)["schema"] == 1
    assert "page in" in said.err


def test_fifteen_findings_are_told_and_how_many_more_and_how_to_see_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = im.audit(folder(tmp_path / "set", 3), checks=[])
    keys = ("cat/cat000.png", "cat/cat001.png", "cat/cat002.png", "dog/dog000.png")
    warnings = [im.Finding(f"r{n}", "warning", f"odd in way {n}", keys, advice="mend it") for n in range(10)]
    notes = [im.Finding(f"n{n}", "note", f"seen in way {n}", keys, advice="look") for n in range(20)]
    many = replace(found, findings=(*warnings, *notes))
    _say(many, everything=False)
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith(("warning", "note")) for line in lines) == 15
    assert "and 15 more (15 notes): --all tells them, -o audit.html shows them" in lines
    # Names of three images; the same advice is said once; notes are a line each.
    assert lines.count("        cat/cat000.png, cat/cat001.png, cat/cat002.png and 1 more") == 10
    assert lines.count("        mend it") == 1
    assert "        look" not in lines
    _say(many, everything=True)
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith(("warning", "note")) for line in lines) == 30
    assert lines.count("        look") == 1
    assert not any("more (" in line for line in lines)
