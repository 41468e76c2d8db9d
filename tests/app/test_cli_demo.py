"""`imagemill demo` from end to end: every check passes, and the page shows what was made."""

from __future__ import annotations

import json

import numpy as np
import pytest

import imagemill as im
from imagemill.app.demo.demo_images import cat_boxes, cat_points, coin_labels, digits, head_labels
from imagemill.app.demo.demo_steps import Story
from imagemill.pages import Fact
from tests.app.terminal import imagemill

pytest.importorskip("skimage", reason="the demonstration needs the extra 'demo'")
pytest.importorskip("sklearn", reason="the demonstration needs the extra 'demo'")


def test_the_whole_demonstration(tmp_path):
    out = tmp_path / "demo"
    said = imagemill("demo", "-o", out, "--seed", "3")
    assert said.code == 0, said.out + said.err
    assert said.out.count("✓") == 5
    assert "report.html" in said.out
    page = (out / "report.html").read_text("utf-8")
    assert page.count("<section") == 9
    assert page.count("<img") == 8 + 1 + 12 + 4 + 4 + 1 + 1  # draws and pairs of cat, photos, coins, scan; digits
    assert page.index("<img") < page.index("<nav")  # on the first screen
    assert f"look at  {out / 'cat-grid.png'}" in said.out
    assert "times as fast" in page
    assert str(tmp_path) not in page
    assert len(list((out / "photos").glob("*.png"))) == 9
    assert len(list((out / "scan" / "images").glob("*.nii.gz"))) == 3
    rows = [json.loads(line) for line in (out / "coins" / "recipes.jsonl").read_text().splitlines()]
    assert set(np.unique(im.read_mask(out / "coins" / rows[0]["mask"]).array)) == {0, 1}
    # What the page says to type works on the files it names.
    marks = out / "input" / "cat.json"
    said = imagemill(
        "preview", out / "input" / "photos" / "cat.png", "--boxes", marks, "--keypoints", marks, "--grid", "1x1",
        "-o", tmp_path / "cat.png",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "3 from cat.json" in said.out


def test_a_check_that_fails_is_seen(tmp_path, monkeypatch):
    def only(self):
        def station():
            self.checks.append(Fact("that it fails", "NO: as meant", False))
            return self.plan()

        yield "failing", station

    monkeypatch.setattr(Story, "stations", only)
    said = imagemill("demo", "-o", tmp_path)
    assert said.code == 1
    assert "✗ that it fails" in said.out


def test_label_maps_are_of_the_things_in_the_picture():
    import skimage.data

    coins = skimage.data.coins()
    labels = coin_labels(coins)
    assert 0.2 < labels.mean() < 0.5
    assert coins[labels == 1].mean() > coins[labels == 0].mean() + 50
    ball = np.hypot(*np.mgrid[-20:20, -20:20]) < 12
    head = np.broadcast_to(ball * 500, (4, 40, 40)).astype(np.int16)
    found = head_labels(head)
    assert (found > 0)[2][ball].mean() > 0.95
    assert not found[2, :4].any()


def test_marks_of_the_cat_lie_in_the_picture():
    boxes, points = cat_boxes(), cat_points()
    assert (boxes.array >= 0).all()
    assert (boxes.array <= [451, 300, 451, 300]).all()
    for (left, top, right, bottom), (x, y) in zip(boxes.array, points.array, strict=True):
        assert left < x < right
        assert top < y < bottom


def test_digits_are_bytes():
    pictures, named = digits(10)
    assert pictures.shape == (10, 8, 8)
    assert pictures.max() == 255
    assert named == list(range(10))
