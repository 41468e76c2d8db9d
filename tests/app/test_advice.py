"""Advice of the library in the words of the command: following it works."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from imagemill.app.cli import app
from imagemill.app.cli.advice import said_as_options

OPTIONS = {"channels": "--channels", "unlabeled": "--unlabeled", "size": "--size", "axes": "--axes", "urls": "--urls"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x; choose channels='gray', 'rgb' or 'rgba'", "x; choose --channels gray, rgb or rgba"),
        ("x; pass channels='rgb' (or 'gray'), or else", "x; pass --channels rgb (or gray), or else"),
        ("x; pass unlabeled='null' (--unlabeled null)", "x; pass --unlabeled null"),
        ("x; such as size=(2, 3) (--size 2,3)", "x; such as --size 2,3"),
        ("x; use another folder, or urls=True (--urls)", "x; use another folder, or --urls"),
        ("x; say its axes: Image(array, axes=...) with 'zyx' or 'cyx'", "x; say its axes: --axes with 'zyx' or 'cyx'"),
        ("x; dataset.prepare(folder, size=...) once", "x; imagemill prepare -o DIR --size N once"),
        ('x; pass axes="cyx" to read channels', "x; pass --axes cyx to read channels"),
        ("x; pass urls=True to fetch it", "x; pass --urls to fetch it"),
        (
            "got channels='x'; write Image(a, axes='zyx')",
            "got channels='x'; write Image(a, axes='zyx')",
        ),
    ],
)
def test_settings_become_options_where_the_verb_has_them(text: str, wanted: str) -> None:
    assert said_as_options(text, OPTIONS) == wanted


def test_the_option_that_helps_with_gray_among_colours_is_named_and_works(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(3):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(folder / f"{n}.png")
    gray = rng.integers(0, 256, (20, 30), dtype=np.uint8)
    Image.fromarray(gray).save(folder / "gray.png")
    Image.fromarray(gray > 99).save(folder / "bit.png")
    Image.fromarray(np.dstack([gray, gray])).save(folder / "with-alpha.png")
    Image.fromarray(gray.astype(np.uint16) * 257).save(folder / "wide.png")
    command = ["prepare", str(folder), "--size", "20,30"]
    for number, wanted in enumerate((["--channels", "rgb"], ["--dtype", "uint8"])):
        result = CliRunner().invoke(app, [*command, "-o", str(tmp_path / f"store{number}")])
        assert result.exit_code == 2, result.output
        advice = re.search(r"; pass (--\w+) (\w+)", result.output)
        assert advice, result.output
        assert [*advice.groups()] == wanted
        command += advice.groups()
    result = CliRunner().invoke(app, [*command, "-o", str(tmp_path / "store")])
    assert result.exit_code == 0, result.output
    assert "20 x 30 x 3 (yxc), uint8" in result.output
