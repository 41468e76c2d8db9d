"""The picture of the rooms on the architecture page is the one the code draws."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_picture_shows_the_rooms_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("draw_rooms", ROOT / "docs" / "draw_rooms.py")
    assert spec is not None
    assert spec.loader is not None
    draw = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, draw)  # dataclasses look there
    spec.loader.exec_module(draw)
    drawn = draw.PICTURE.read_text("utf-8")
    assert drawn == draw.picture(), "do: make docs"
    for room in (p.parent.name for p in draw.PACKAGE.glob("*/__init__.py")):
        assert f">{room}</text>" in drawn
