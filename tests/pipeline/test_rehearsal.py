"""Pipelines tried on shapes: what fails, what is lost, and what no batch can hold is found before anything runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.pipeline.rehearsal import Given, given, judge
from tests.app.terminal import imagemill as command

RNG = np.random.default_rng(3)


def rules(pipe: im.Pipeline, *inputs: Given) -> dict[str, tuple[str, str]]:
    return {f.rule: (f.level, f.message) for f in judge(pipe, inputs)}


def photo(height: int = 40, width: int = 60, channels: int = 3, dtype: str = "uint8", key: str = "a.png") -> Given:
    return Given((height, width, channels), "yxc", dtype, key=key)


FAILS: list[tuple[list[im.Transform], Given, tuple[int, ...], str]] = [
    ([im.Flip("x"), im.Crop(50)], photo(), (2,), r"a.png, 40x60x3 \(yxc\) of uint8: .*at least \(50, 50\)"),
    ([im.OneOf([im.Flip("x"), im.Gray()]), im.Invert()], photo(channels=2), (1, 2), "Gray to get 3 colour channels"),
    ([im.Rescale("minmax")], photo(), (1,), "gray images, got 3 channels"),
    ([im.Flip("x"), im.Flip("z")], photo(), (2,), "z"),
    ([im.Resize((4, 5, 6))], photo(), (1,), r"2 lengths \(y, x\)"),
    ([im.Normalize([0.5] * 4, [1] * 4)], photo(channels=2), (1,), "one per channel"),
    ([im.Perspective()], Given((4, 30, 30), "zyx"), (1,), "expected pictures"),
    ([im.Affine(matrix=np.eye(3))], Given((4, 30, 30), "zyx"), (1,), "4 x 4"),
]


@pytest.mark.parametrize(("listed", "one", "places", "message"), FAILS, ids=range(len(FAILS)))
def test_what_will_fail_is_an_error_that_names_input_and_transform(
    listed: Any, one: Given, places: tuple[int, ...], message: str
) -> None:
    pipe = im.Pipeline(listed, seed=1)
    (finding,) = [f for f in judge(pipe, [one]) if f.rule == "fails"]
    assert (finding.level, finding.places) == ("error", places)
    assert re.search(message, finding.message), finding.message
    # And it is true: the same pipeline fails on such an array.
    array = np.zeros(one.shape, one.dtype)
    with pytest.raises(im.ImagemillError):
        pipe(im.Image(array, one.axes))


class _Broken(im.Transform):
    def draw(self, draws: Any, frame: Any) -> Any:
        raise KeyError("mine")


def test_errors_in_a_users_own_transform_are_found_too() -> None:
    assert rules(im.Pipeline([_Broken()], seed=1), photo())["fails"][1].endswith("KeyError: 'mine'")


def test_a_failure_of_many_images_is_said_once_and_counted() -> None:
    found = judge(im.Pipeline([im.Crop(50)], seed=1), [photo(key=k) for k in "abc"])
    (finding,) = [f for f in found if f.rule == "fails"]
    assert finding.message.startswith("a, ")
    assert finding.message.endswith("(and so for 2 more of the images looked at)")


@pytest.mark.parametrize(
    ("transform", "level", "name"),
    [
        (im.Resample((8, 32, 32)), "warning", "Resample"),
        (im.Resize((8, 32, 32)), "warning", "Resize"),
        (im.Crop((8, 16, 16), at="random"), "warning", "Crop"),
        (im.Crop((30, 16, 16)), "note", "Crop"),
    ],
    ids=repr,
)
def test_slices_that_are_lost_are_counted(transform: im.Transform, level: str, name: str) -> None:
    pipe = im.Pipeline([im.Rotate((-5, 5)), transform], seed=1)
    scan = Given((35, 51, 35), "zyx", "float32", key="s.nii")
    said = rules(pipe, scan)["fewer-slices"]
    after = pipe(im.Image(np.zeros((35, 51, 35), np.float32), "zyx")).shape[0]
    assert said[0] == level
    assert f"35 slices become {after} by {name};" in said[1]


def test_slices_that_are_kept_are_not_remarked() -> None:
    scan = Given((35, 51, 35), "zyx", "float32")
    for kept in (im.Resample((32, 32)), im.Crop((16, 16)), im.Pad(size=(40, 60, 60)), im.RandomResizedCrop(32)):
        assert "fewer-slices" not in rules(im.Pipeline([kept], seed=1), scan)


def test_pictures_of_which_little_is_left_are_remarked() -> None:
    large = photo(3000, 4000)
    level, message = rules(im.Pipeline([im.Flip("x"), im.Crop(224)], seed=1), large)["sees-little"]
    assert level == "note"
    assert f"{224 * 224 / 12e6:.1%} of the image is left by Flip and Crop" in message
    for right in ([im.Resize(256), im.Crop(224)], [im.RandomResizedCrop(224)], [im.Resize(16)], [im.Zoom(2)]):
        assert "sees-little" not in rules(im.Pipeline(right, seed=1), large)
    assert "sees-little" in rules(im.Pipeline([im.Zoom(4)], seed=1), large)


def test_results_of_several_sizes_channels_and_types_are_remarked() -> None:
    both = photo(), photo(30, 50, 1, "uint16", "b.png")
    found = rules(im.Pipeline([im.Flip("x")], seed=1), *both)
    assert set(found) == {"mixed-sizes", "mixed-channels", "mixed-types"}
    assert "2 images come out in 2 sizes, 30x50 and 40x60 among them" in found["mixed-sizes"][1]
    assert "1 and 3 channels" in found["mixed-channels"][1]
    assert "uint16 and uint8" in found["mixed-types"][1]
    assert {level for level, _ in found.values()} == {"warning"}
    mended = im.Pipeline([im.Resize(16), im.Rescale("depth")], seed=1)
    assert set(rules(mended, *both)) == {"mixed-channels"}
    assert rules(mended, both[0]) == {}


def test_one_image_that_comes_out_in_two_sizes_is_named() -> None:
    found = rules(im.Pipeline([im.QuarterTurn()], seed=1), photo(), photo(40, 40, key="b.png"))
    assert "a.png, 40x60x3 (yxc) of uint8 comes out in 2 sizes" in found["mixed-sizes"][1]
    assert "mixed-sizes" not in rules(im.Pipeline([im.QuarterTurn()], seed=1), photo(40, 40))


def test_scans_of_several_depths_are_told_how_to_agree() -> None:
    scans = [Given((n, 20, 20), "zyx", key=str(n)) for n in (4, 5)]
    assert "three lengths" in rules(im.Pipeline([im.Resize(16)], seed=1), *scans)["mixed-sizes"][1]
    assert "mixed-sizes" not in rules(im.Pipeline([im.Resample((4, 16, 16))], seed=1), *scans)


def test_axes_are_guessed_as_arrays_are_read() -> None:
    assert [given(shape, None, "uint8", None, 0).axes for shape in ((3, 4), (3, 4, 3), (5, 3, 7), (5, 3, 4, 1))] == [
        "yx",
        "yxc",
        "zyx",
        "zyxc",
    ]
    with pytest.raises(im.InputError, match="a name for each of 3 axes"):
        given((3, 4, 5), "yx", "uint8", None, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, shape in (("a.png", (40, 60, 3)), ("b.png", (30, 50, 3)), ("c.png", (48, 64, 3))):
        im.write_picture(tmp_path / "in" / name, im.Picture(RNG.integers(0, 256, shape, np.uint8), "yxc"))
    return tmp_path / "in"


def test_the_command_tries_a_folder_and_says_so(folder: Path, tmp_path: Path) -> None:
    fine = command("lint", folder, "-p", "crops")
    assert fine.out.strip() == "preset crops: nothing to remark (tried on 3 of 3 images)"
    (tmp_path / "crop.yaml").write_text("transforms:\n- Crop: {size: 48}\n", "utf-8")
    said = command("lint", folder, "-p", tmp_path / "crop.yaml")
    assert said.code == 1
    assert "error   a.png, 40x60x3 (yxc) of uint8: expected images of at least (48, 48)" in said.out
    assert "(and so for 1 more of the images looked at) (transform 1) [fails]" in said.out
    (tmp_path / "none.yaml").write_text("transforms: []\n", "utf-8")
    said = command("lint", folder, "-p", tmp_path / "none.yaml")
    assert "there are no transforms in it" in said.out
    assert "in 3 sizes" in said.out
    assert command("lint", folder, "-p", tmp_path / "none.yaml", "--strict").code == 1


def test_the_command_goes_on_past_what_cannot_be_read(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"no picture")
    said = command("lint", folder, "-p", "crops")
    assert "(tried on 2 of 3 images)" in said.out
    assert "warning " in said.out
    assert "[unreadable]" in said.out
    assert said.code == 0


def test_the_command_judges_a_described_input(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("transforms:\n- Shift: {pixels: [-5, 5]}\n", "utf-8")
    said = command("lint", "-p", tmp_path / "s.yaml", "--shape", "10,216,216")
    assert "nothing to remark (tried on 10x216x216 (zyx) of uint8)" in said.out
    assert "by the rules alone" in command("lint", "-p", tmp_path / "s.yaml").out
