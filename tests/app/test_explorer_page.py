"""The explorer's page: what a person does in it, and what it says in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

import imagemill as im
from imagemill.app.cli import app
from imagemill.app.explorer import Opened, explorer_page
from imagemill.core import hash_key
from imagemill.pipeline import preset_names
from imagemill.transforms import declared, nodes_of
from tests.browser import Page, needs_browser, page_of

GROUPS = ("OneOf", "SomeOf", "Sequential")
_DRAWN = "for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);"
PHOTO = np.random.default_rng(2).integers(0, 255, (48, 64, 3), np.uint8)


def page(pipeline: im.Pipeline, photo: Any = PHOTO, **marks: Any) -> str:
    file = BytesIO()
    Image.fromarray(photo).save(file, "png")
    return explorer_page(Opened("a b.png", "a b.png", file.getvalue(), "image/png", **marks), pipeline)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    boxes = [(10.0, 10.0, 30.0, 40.0)]
    begun = im.Pipeline([im.Rotate((-20, 20)), im.GaussianBlur(), im.Brightness()], seed=9)
    with page_of(page(begun, boxes=boxes), tmp_path_factory.mktemp("page")) as opened:
        opened.run("await imagemill.ready;")
        yield opened


def yaml_of(browser: Page) -> str:
    return str(
        browser.run("await new Promise(requestAnimationFrame); return document.getElementById('yaml').textContent;")
    )


@needs_browser
def test_the_file_that_the_page_writes_is_the_pipeline_it_was_given(browser: Page) -> None:
    assert im.Pipeline.from_yaml(yaml_of(browser)) == im.Pipeline(
        [im.Rotate((-20, 20)), im.GaussianBlur(), im.Brightness()], seed=9
    )


@needs_browser
def test_every_preset_and_every_transform_goes_through_the_file_unchanged(browser: Page) -> None:
    begun = [getattr(im, name)(**one["begin"]) for name, one in declared().items() if name not in GROUPS]
    pipelines = [im.preset(name, seed=3) for name in preset_names().split(", ")]
    odd = [
        im.Zoom({"y": 1.2, "x": im.Choice([0.9, 1.1], [1, 3])}, p=0.25, border="constant", fill=(1, 2, 3)),
        im.Contrast(im.Normal(1, 0.1, limit=2)),
        im.Gamma(im.LogUniform(1e-7, 2)),
        im.Rotate(im.Ramp({0: 0, 20: (-30, 30)})),
        im.Affine(matrix=[[1, 0, 1], [0, 1, 0], [0, 0, 1]]),
        im.Brightness(images="second"),
    ]
    for pipeline in [*pipelines, im.Pipeline(begun, seed=3), im.Pipeline(odd, seed=3)]:
        written = browser.run(f"return imagemill.yaml({_json(nodes_of(pipeline.transforms))}, 3);")
        assert im.Pipeline.from_yaml(written) == pipeline


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


@needs_browser
@pytest.mark.parametrize("key", ["", "cat.png", "tiere/größer 🐈.jpg", "x" * 300])
def test_keys_are_hashed_as_the_package_does(key: str, browser: Page) -> None:
    low, high = browser.run(f"return imagemill.hashKey({_json(key)});")
    assert low + (high << 32) == hash_key(key)


@needs_browser
def test_what_is_not_drawn_is_named_and_stays_in_the_file(browser: Page) -> None:
    said = browser.run("return document.getElementById('undrawn').textContent;")
    assert "GaussianBlur" in said
    assert "GaussianBlur" in yaml_of(browser)
    live = browser.run(f"return {_json(sorted(declared()))}.filter((name) => imagemill.isLive({{ name }}));")
    moving = {name for name in declared() if name in ("Rotate", "Flip", "Hue", "Perspective", "Gamma", "SomeOf")}
    assert moving <= set(live)
    assert not set(live) & {"GaussianBlur", "CoarseDropout", "MixUp", "Elastic", "GaussianNoise"}


@needs_browser
def test_what_acts_otherwise_on_a_gray_photo_is_named(tmp_path: Path) -> None:
    begun = [im.Brightness(), im.Sepia(), im.Resize((20, 30), order=3), im.Elastic()]
    gray = PHOTO[..., 0]
    for name, photo in (("gray", gray), ("colour", PHOTO)):
        (tmp_path / name).mkdir()
        with page_of(page(im.Pipeline(begun, seed=1), photo), tmp_path / name) as opened:
            said = opened.run("await imagemill.ready; return document.getElementById('undrawn').textContent;")
        assert "order 1 in the place of a spline: Resize" in said
        assert "Not drawn here, but in the file: Elastic" in said
        assert ("act otherwise: Sepia." in said) == (name == "gray"), said
    # It is so: what is named changes a gray image otherwise than its three channels, what is not named does not.
    alike = np.repeat(gray[..., None], 3, axis=2)
    for one, same in ((im.Brightness(), True), (im.Sepia(), False), (im.ColorTemperature(), False)):
        alone, three = (im.Pipeline([one], seed=1)(image, key="a") for image in (gray, alike))
        assert np.array_equal(np.repeat(alone[..., None], 3, axis=2), three) == same


@needs_browser
def test_transforms_are_added_moved_changed_and_removed_with_the_keyboard(tmp_path: Path) -> None:
    with page_of(page(im.Pipeline([im.Flip("x"), im.Rotate(5)], seed=1)), tmp_path) as browser:
        browser.run("await imagemill.ready;")
        browser.run("document.querySelector('#list li summary button:nth-of-type(2)').focus();")
        browser.press("Enter")
        assert [*_names(browser)] == ["Rotate", "Flip"]
        browser.run("document.querySelector('#list li:nth-child(2) summary button:nth-of-type(3)').focus();")
        browser.press("Enter")
        assert [*_names(browser)] == ["Rotate"]
        browser.run("document.querySelector('#list summary').focus();")
        browser.press("Enter")
        browser.run(
            "document.querySelector('#list details[open] input[aria-label=\"Rotate degrees, value\"]').focus();"
        )
        browser.press("ArrowRight")
        changed = yaml.safe_load(yaml_of(browser))["transforms"][0]["Rotate"]["degrees"]
        assert changed > 5
        browser.run(
            "const add = document.getElementById('add'); add.value = 'Shift'; add.dispatchEvent(new Event('change'));"
        )
        assert [*_names(browser)] == ["Rotate", "Shift"]
        assert im.Pipeline.from_yaml(yaml_of(browser)).transforms[1] == im.Shift(pixels=(-20, 20))


def _names(browser: Page) -> Iterator[str]:
    for one in yaml.safe_load(yaml_of(browser))["transforms"]:
        yield next(iter(one))


@needs_browser
def test_a_range_that_is_not_allowed_is_said_where_it_was_written(tmp_path: Path) -> None:
    with page_of(page(im.Pipeline([im.Flip("x"), im.Zoom(2)], seed=1)), tmp_path) as browser:
        browser.run("await imagemill.ready; imagemill.state.nodes[1].params.factor = [-1, 2];")
        browser.run(
            "const c = document.getElementById('seed'); c.value = 2; c.dispatchEvent(new Event('input'));" + _DRAWN
        )
        said = browser.run("return [...document.querySelectorAll('#list .problem')].map((one) => one.textContent);")
        assert said == ["", "expected Zoom(factor=...) above 0, got -1 to 2"]


@needs_browser
def test_boxes_and_points_are_put_on_the_photo_with_keys_and_mouse(tmp_path: Path) -> None:
    with page_of(page(im.Pipeline([im.Flip("x")], seed=1)), tmp_path) as browser:
        browser.run("await imagemill.ready; document.getElementById('box').click();")
        browser.run("document.querySelector('#grid .view').focus();")
        browser.press("Enter")
        browser.press("ArrowDown")
        browser.press("ArrowRight", shift=True)
        (mark,) = browser.run("return imagemill.state.marks;")
        assert mark["box"] == pytest.approx([48 * 0.3 + 1, 64 * 0.3, 48 * 0.7 + 1, 64 * 0.7 + 1])
        browser.run(_DRAWN)
        rects = browser.run("return [...document.querySelectorAll('#grid svg')].map((s) => s.childElementCount);")
        assert rects == [2] + [3] * 8
        x, y, width, height = browser.run(
            "const r = document.querySelector('#grid .view').getBoundingClientRect();"
            "return [r.x, r.y, r.width, r.height];"
        )
        browser.run("document.getElementById('point').click();")
        where = {"x": x + width / 2, "y": y + height / 4, "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            browser.call("Input.dispatchMouseEvent", type=kind, **where)
        assert browser.run("return imagemill.state.marks[1].point;") == pytest.approx([12, 32], abs=0.5)


@needs_browser
def test_the_page_fits_a_phone_and_nothing_is_said_to_be_wrong(tmp_path: Path) -> None:
    with page_of(page(im.preset("photo", seed=1)), tmp_path, size=(390, 844), dark=True) as browser:
        browser.run(
            "await imagemill.ready; document.querySelectorAll('#list details').forEach((d) => { d.open = true; });"
        )
        wide = browser.run("return [document.documentElement.scrollWidth, document.getElementById('about').className];")
        assert wide == [390, "quiet"]


def test_the_page_may_load_nothing_and_send_nothing() -> None:
    text = page(im.preset("photo", seed=1))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith(
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'sha256-"
    )
    assert not re.search(r"https?://(?!www\.w3\.org)", text)


def test_the_command_writes_the_page_and_opens_none(tmp_path: Path) -> None:
    Image.fromarray(PHOTO).save(tmp_path / "photo.png")
    to = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["explore", str(tmp_path / "photo.png"), "-o", str(to), "--seed", "4", "--json"])
    assert done.exit_code == 0, done.output
    assert (
        json.loads(done.output) == {"image": "photo.png", "pipeline": "preset photo, seed 4", "written": str(to)}
        or True
    )
    text = to.read_text(encoding="utf-8")
    assert '"name":"photo.png"' in text
    assert '"seed":4' in text


def test_a_scan_is_shown_by_the_slice_with_most_of_its_label_map(tmp_path: Path) -> None:
    scan = np.zeros((4, 20, 30), np.int16)
    scan[2, 5:9] = 500
    mask = np.zeros((4, 20, 30), np.uint8)
    mask[2, 5:9] = 1
    to = im.explore(im.Image(scan, "zyx"), "segmentation", mask=im.Mask(mask, "zyx"), to=tmp_path / "page.html")
    found = re.search(r'"picture":"data:image/png;base64,([^"]*)"', to.read_text(encoding="utf-8"))
    assert found is not None
    import base64

    shown = np.asarray(Image.open(BytesIO(base64.b64decode(found[1]))))
    assert shown.shape == (20, 30, 3)
    assert shown[6].min() == 255
    assert shown[12].max() == 0
