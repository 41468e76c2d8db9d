"""Pages of screens and recommendations: what was found is on them, and everybody can read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import imagemill as im
from imagemill.evaluate import screen
from tests.evaluate.drawn import glyphs
from tests.evaluate.made_up import sides
from tests.pages.reading import flaws, read


def test_a_screen_has_its_order_flags_and_what_was_passed_over(tmp_path: Path) -> None:
    planted = im.Pipeline([im.Flip("x"), im.Flip("y"), im.Resize((4, 4))], seed=0)
    found = screen(
        sides(160), {"planted": planted}, shipped=False, model="dense", epochs=2, batch_size=16, workers=0, out=tmp_path
    )
    text = (tmp_path / "report.html").read_text("utf-8")
    assert flaws(text) == []
    reader = read(text)
    tables = [said for _, said in reader.all("table")]
    assert [tables[0].index(one.name) for one in found.ranked] == sorted(tables[0].index(o.name) for o in found.ranked)
    assert any(found["Flip of planted"].flag in said for said in tables)
    assert found.passed_over
    assert all(any(one.why in said for said in tables) for one in found.passed_over)


def test_a_recommendation_has_its_proposal_and_every_gap(tmp_path: Path) -> None:
    data = glyphs(120, 0), glyphs(20, 1)
    images, _ = glyphs(100, 2)
    shifted = im.Pipeline([im.Shift(pixels={"x": 3}, whole=True)], seed=3).batch(images, keys=range(100), epoch=0).image
    for wild in (np.asarray(shifted), images):
        found = im.recommend(data, wild)
        found.save_html(tmp_path / "page.html")
        text = (tmp_path / "page.html").read_text("utf-8")
        assert flaws(text) == []
        said = read(text).all("html")[0][1]
        for gap in found.gaps:
            assert gap.measure.name in said
        if found.pipeline is None:
            assert "Nothing: no gap was shown" in said
        else:
            assert found.pipeline.to_yaml() in said
            assert all(evidence in said for one in found.proposed for evidence in one.evidence)
