"""The explorer's page draws the pixels, boxes and numbers that the engine makes of the same draws."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import imagemill as im
from imagemill.app.explorer import Opened, explorer_page
from imagemill.core import hash_key
from imagemill.pipeline import Pipeline
from imagemill.transforms import nodes_of
from tests.browser import needs_browser, page_of

pytestmark = needs_browser

GROUPS = ("OneOf", "SomeOf", "Sequential")
LEVELS = 2
"""By how much a value of 0 to 255 may be another one."""
SEED, KEY, EPOCH = 2**40 + 11, "animals/cat 1.jpg", 3

SHAPE = (57, 90)
PIPELINES: dict[str, list[im.Transform]] = {
    "flips": [im.Flip("x", p=0.5), im.Flip("y"), im.Flip("x", mode="alternate", every=2)],
    "rotate": [im.Rotate((-40, 40), border="reflect")],
    "rotate grow": [im.Rotate((20, 70), frame="grow", border="constant", fill=(200, 10, 90))],
    "rotate fit": [im.Rotate((10, 30), frame="fit", border="mirror")],
    "rotate crop": [im.Rotate((10, 30), frame="crop")],
    "shift pixels": [im.Shift(pixels=(-9, 9), border="wrap")],
    "shift whole": [im.Shift(fraction={"y": (-0.3, 0.3), "x": 0.21}, whole=True, border="constant", fill=7)],
    "zoom": [im.Zoom({"y": (0.5, 0.9), "x": im.Choice([0.7, 1.4], [1, 3])}, border="mirror", order=0)],
    "shear": [im.Shear({"y": (-20, 20), "x": 12}, border="reflect")],
    "affine": [im.Affine((-30, 30), (0.8, 1.25), (-0.1, 0.1), (-10, 10), border="constant", fill=128)],
    "affine matrix": [im.Affine(matrix=[[1, 0.1, 1], [0, 1.2, 0], [0, 0, 1]])],
    "perspective": [im.Perspective((0.1, 0.3), border="constant")],
    "quarter turns": [im.QuarterTurn(), im.D4(), im.Transpose(p=0.5)],
    "crops": [im.Crop((40, 50), at="random"), im.Crop(box=(2, 3, 30, 41)), im.CropOrPad((20, 60), at="random", fill=9)],
    "pads": [im.Pad((1, 2, 3, 4), fill=50), im.Rotate(15), im.Pad(multiple_of=32, border="reflect")],
    "pad size": [im.Pad(size=(70, 120), at="random", fill=(0, 90, 255)), im.Zoom(1.3)],
    "resize": [im.Resize((80, 80), fit="crop")],
    "resize pad": [im.Resize((64, 64), fit="pad", fill=33)],
    "resize stretch": [im.Resize((31, 200))],
    "resized crop": [im.RandomResizedCrop((64, 48), area=(0.2, 1), aspect=(0.5, 2))],
    "resized crop that never fits": [im.RandomResizedCrop((30, 60), area=1.0, aspect=4.0)],
    "sides": [im.SquareCrop(), im.ShortestSide((70, 90), longest=300), im.LongestSide(60, enlarge=False)],
    "tones": [im.Brightness(), im.Contrast((0.5, 1.5)), im.Contrast(1.4, "each"), im.Contrast(0.7, "middle")],
    "colours": [im.Saturation((0.2, 1.8)), im.Hue((-90, 90)), im.GainOffset(beta=(-30, 30)), im.Sepia()],
    "jitter": [im.ColorJitter(brightness=(0.5, 1.5), contrast=(0.5, 1.5), saturation=(0, 2), hue=(-40, 40))],
    "gamma": [im.Brightness(1.1), im.Gamma(), im.Contrast(1.3), im.ToneCurve(), im.Saturation(1.2)],
    "channels": [im.ChannelGain(), im.ChannelShift(), im.ChannelShuffle(), im.ChannelDropout((0, 2), fill=40)],
    "light": [im.Lighting(im.Normal(0, 0.5)), im.ColorTemperature((2000, 12000)), im.Gray("bt709", p=0.3), im.Invert()],
    "colour in front of a fill": [im.Brightness((1.3, 2)), im.Rotate(20, border="constant", fill=60), im.Gamma(1.5)],
    "contrast in front of a fill": [im.Contrast(1.6), im.Shift(pixels=(-20, 20), border="constant")],
    "borders that part": [im.Rotate(20, border="reflect"), im.Contrast(1.5), im.Shift(pixels=9, border="wrap")],
    "by epoch": [
        im.Rotate(im.Ramp({0: 0, 4: (-40, 40)}), border="reflect"),
        im.Brightness(im.Ramp({1: im.Choice([0.5, 2]), 3: im.LogUniform(0.5, 2)})),
        im.RandomResizedCrop((60, 60), area=im.Ramp({0: 0.9, 2: (0.4, 1)}), aspect=im.Ramp({0: 1, 2: (0.8, 1.25)})),
    ],
    "groups": [
        im.SomeOf([im.Rotate((-20, 20)), im.Flip("x"), im.Sequential([im.Hue((-50, 50)), im.Zoom()])], p=0.9),
        im.OneOf([im.Gray(), im.Brightness((0.5, 0.8)), im.Shift(pixels=5)], weights=[1, 2, 3]),
        im.Rotate(im.LogUniform(1, 30)),
    ],
}  # fmt: skip
SHRINKING: dict[str, list[im.Transform]] = {
    "area": [im.Flip("x"), im.Resize((11, 20))],
    "area of one axis": [im.Resize((12, 90))],
    "blocks": [im.Rotate((10, 40), border="reflect"), im.Resize((12, 12), fit="crop"), im.Contrast(1.5)],
    "colour first": [im.Contrast(1.5), im.Rotate(20, border="constant"), im.Resize((14, 14))],
    "zoom out": [im.Zoom(0.3, border="mirror")],
}
"""What makes images smaller by more than two is averaged, exactly by the page's script alone."""


def photo() -> np.ndarray[Any, Any]:
    """Smooth enough for a step of a thousandth of a pixel, and with full range."""
    noise = np.random.default_rng(5).normal(size=(*SHAPE, 3))
    smooth = np.stack([ndimage.gaussian_filter(noise[..., c], 2.0) for c in range(3)], axis=2)
    return np.rint(255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def page() -> str:
    """The explorer with that photo."""
    file = BytesIO()
    Image.fromarray(photo()).save(file, "png")
    return explorer_page(Opened("cat.png", KEY, file.getvalue(), "image/png"), im.preset("photo", seed=1))


def words(key: str) -> list[int]:
    return [hash_key(key) & 0xFFFFFFFF, hash_key(key) >> 32]


_DRAW = """
await imagemill.ready;
const rgb = Uint8Array.from(atob(SOURCE), (c) => c.charCodeAt(0));
const data = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
for (let i = 0; i < rgb.length; i++) data[4 * Math.floor(i / 3) + (i % 3)] = rgb[i];
const image = { shape: SHAPE, data };
const packed = (made) => {
  let text = "";
  made.data.forEach((v, i) => { if (i % 4 < 3) text += String.fromCharCode(v); });
  return btoa(text);
};
return CASES.map(([nodes, epoch, by]) => {
  try {
    const made = imagemill.pixels(nodes, image, SEED, epoch, KEY, by);
    return { shape: made.shape, pixels: packed(made), log: made.log, marks: imagemill.annotations(MARKS, made.passes) };
  } catch (error) { return { error: String(error.stack) }; }
});
"""

BOX, POINT = (10.0, 20.0, 30.5, 60.0), (17.0, 33.5)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[Any]]:
    """All that the page draws, in one run of the browser: by name and by who drew, an epoch each."""
    asked = [(name, by) for name in PIPELINES for by in ("graphics", "script")]
    asked += [(name, "script") for name in SHRINKING]
    cases = [(nodes_of({**PIPELINES, **SHRINKING}[name]), epoch, by) for name, by in asked for epoch in range(EPOCH)]
    marks = [{"box": BOX}, {"point": [POINT[0] + 0.5, POINT[1] + 0.5]}]
    named = {"SOURCE": base64.b64encode(photo().tobytes()).decode(), "SHAPE": SHAPE, "CASES": cases, "SEED": SEED}
    named |= {"KEY": words(KEY), "MARKS": marks}
    said = [f"const {name} = {json.dumps(value)};" for name, value in named.items()]
    with page_of(page(), tmp_path_factory.mktemp("browser")) as browser:
        has_graphics = browser.run("return !!document.createElement('canvas').getContext('webgl2');")
        found = browser.run("\n".join(said) + _DRAW)
    made = {one: found[EPOCH * i : EPOCH * (i + 1)] for i, one in enumerate(asked)}
    return {one: drawn for one, drawn in made.items() if has_graphics or one[1] != "graphics"}


def pixels(made: dict[str, Any]) -> np.ndarray[Any, Any]:
    assert "error" not in made, made["error"]
    return np.frombuffer(base64.b64decode(made["pixels"]), np.uint8).reshape(*made["shape"], 3)


@pytest.mark.parametrize("by", ["graphics", "script"])
@pytest.mark.parametrize("name", PIPELINES)
def test_pixels_and_values_are_those_of_the_engine(name: str, by: str, drawn: Any) -> None:
    if (name, by) not in drawn:
        pytest.skip("this Chromium has no WebGL 2")
    pipeline = Pipeline(PIPELINES[name], seed=SEED)
    for epoch, made in enumerate(drawn[name, by]):
        sample = pipeline(image=photo(), key=KEY, epoch=epoch)
        differing = np.abs(pixels(made).astype(int) - sample.image)
        assert differing.max() <= LEVELS, (epoch, differing.max(), (differing > LEVELS).mean())
        meant = [one for one in sample.applied if one.name not in GROUPS]
        assert [name for name, _ in made["log"]] == [one.name for one in meant]
        for (_, told), one in zip(made["log"], meant, strict=True):
            assert told == pytest.approx(one.values, rel=1e-9)


@pytest.mark.parametrize("name", SHRINKING)
def test_what_shrinks_is_averaged_as_the_engine_does(name: str, drawn: Any) -> None:
    pipeline = Pipeline(SHRINKING[name], seed=SEED)
    for epoch, made in enumerate(drawn[name, "script"]):
        image = pipeline(photo(), key=KEY, epoch=epoch)
        assert np.abs(pixels(made).astype(int) - image).max() <= LEVELS


@pytest.mark.parametrize("name", PIPELINES)
def test_boxes_and_points_are_where_the_engine_has_them(name: str, drawn: Any) -> None:
    pipeline = Pipeline(PIPELINES[name], seed=SEED)
    for epoch, made in enumerate(drawn[name, "script"]):
        given = {"boxes": im.Boxes([BOX], "yxyx"), "keypoints": im.Keypoints([POINT], "yx")}
        sample = pipeline(image=photo(), **given, key=KEY, epoch=epoch)
        box, point = made["marks"]
        assert (box["box"] is not None) == (len(sample.boxes) == 1)
        if box["box"]:
            assert box["box"] == pytest.approx(sample.boxes.array[0].tolist(), abs=0.01)
        assert (point["point"] is not None) == bool(sample.keypoints.visible[0])
        if point["point"]:
            assert [at - 0.5 for at in point["point"]] == pytest.approx(sample.keypoints.array[0].tolist(), abs=1e-6)
