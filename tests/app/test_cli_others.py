"""`imagemill replay`, `explain`, `lint`, `doctor`, and what stands before a verb."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.app.cli.doctor import EXTRAS
from imagemill.data import Picture
from tests.app.terminal import imagemill
from tests.architecture.repository import ROOT, SRC, environment
from tests.data.pictures import PIPELINE, digests, outputs, photo, photos


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """A folder with `in` and what was made of it in `out`."""
    source = photos(tmp_path / "in", "a/1.png", "b/1.jpg")
    im.augment(source, tmp_path / "out", PIPELINE, copies=2)
    return tmp_path


# ----------------------------------------------------------------------------------------------- replay


def test_replay_makes_one_again(done: Path) -> None:
    name = next(iter(outputs(done / "out")))
    words = ("replay", done / "out/recipes.jsonl", name, "--source", done / "in", "-o", done / "again.png")
    said = imagemill(*words)
    assert said.code == 0, said.err
    assert "equal to the recorded sha256" in said.out
    assert (done / "again.png").read_bytes() == (done / "out" / name).read_bytes()


def test_replay_makes_all_again(done: Path) -> None:
    words = ("replay", done / "out/recipes.jsonl", "--all", "--source", done / "in", "-o", done / "new")
    assert "made 4 files" in imagemill(*words).out
    assert digests(done / "new") == outputs(done / "out")


def test_replay_verifies(done: Path) -> None:
    recipes = done / "out/recipes.jsonl"
    assert "4 outputs are as they were written (by sha256)" in imagemill("replay", recipes, "--verify").out
    said = imagemill("replay", recipes, "--all", "--verify", "--source", done / "in")
    assert "4 outputs are as they were written (by sha256, and made again bit for bit)" in said.out
    name = next(iter(outputs(done / "out")))
    photo(done / "out" / name, 50)
    said = imagemill("replay", recipes, "--verify")
    assert said.code == 2
    assert f"changed: {name}" in said.err
    assert "got 1 changed and 0 missing" in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "expected the name of one output, or --all, or --verify"),
        (("x.png", "--all"), "expected the name of one output, or --all, or --verify"),
        (("x.png",), "expected --source (where the images are) and -o (where to write)"),
        (("x.png", "--verify"), "expected --verify to check all outputs"),
        (("x.png", "--source", "in", "-o", "x.png"), "expected one output named 'x.png', got none"),
        (("--all", "--source", "in", "-o", "out"), "expected another folder than the one with the outputs"),
    ],
)
def test_replay_errors(done: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str) -> None:
    monkeypatch.chdir(done)
    said = imagemill("replay", "out/recipes.jsonl", *words)
    assert said.code == 2
    assert said.err.startswith(f"error: {message}")


# ---------------------------------------------------------------------------------------- explain, lint


def test_explain_says_transforms_ranges_and_how_many_images(tmp_path: Path) -> None:
    said = imagemill("explain", "-p", "photo")
    assert said.code == 0, said.err
    assert "6 transforms (5 random, 1 fixed)" in said.out
    assert "different images that can come of one: unlimited" in said.out
    assert "degrees -10..10, border 'reflect'\n" in said.out
    assert "plan for" not in said.out
    im.Pipeline([im.Flip("x", p=0.5), im.Rotate(im.Choice((-9, 0, 9)))], seed=1).to_yaml(tmp_path / "p.yaml")
    assert "different images that can come of one: 6" in imagemill("explain", "-p", tmp_path / "p.yaml").out


def test_explain_plans_for_a_shape_or_a_file(tmp_path: Path) -> None:
    assert "plan for 375x500, 3 channels of uint8" in imagemill("explain", "-p", "photo", "--shape", "375,500,3").out
    image = photo(tmp_path / "a.png")
    said = imagemill("explain", image, "-p", "photo")
    assert "for a.png" in said.out
    assert "plan for 30x40, 3 channels of uint8, key 'a.png'" in said.out
    scan = Picture(np.zeros((6, 20, 22), np.int16), "zyx", np.diag([3.0, 1.0, 1.0, 1.0]))
    im.write_picture(tmp_path / "s.nii.gz", scan)
    said = imagemill("explain", tmp_path / "s.nii.gz", "-p", "scan", "--size", "16")
    assert said.code == 0, said.err
    assert "plan for 6x20x22, 1 channel of int16" in said.out
    words = ("--shape", "6x20x22", "--axes", "zyx", "--dtype", "int16")
    assert "plan for 6x20x22, 1 channel of int16" in imagemill("explain", "-p", "scan", *words).out


def test_explain_as_json_is_a_pipeline_file_and_more(tmp_path: Path) -> None:
    said = imagemill("explain", "-p", "photo", "--seed", "3", "--json")
    found = json.loads(said.out)
    assert found["variants"] is None
    assert found["digest"] == im.Pipeline(im.preset("photo"), seed=3).digest
    described = {name: found[name] for name in ("imagemill", "seed", "transforms")}
    assert im.Pipeline.from_dict(described) == im.Pipeline(im.preset("photo"), seed=3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--shape", "a,b"), "expected a shape such as 375,500,3, got 'a,b'"),
        (("--shape", "0,5"), "expected a shape such as 375,500,3, got '0,5'"),
        (("--shape", "5,5,3", "--dtype", "pixels"), "expected a dtype such as uint8 or float32, got 'pixels'"),
        (("--shape", "5,6,7"), "expected the image as (H, W) or (H, W, 1|3|4), got shape (5, 6, 7)"),
        (("nowhere.png",), "where there is nothing"),
    ],
)
def test_explain_errors(words: tuple[str, ...], message: str) -> None:
    said = imagemill("explain", "-p", "photo", *words)
    assert said.code == 2
    assert message in said.err


def test_lint_is_quiet_about_a_good_pipeline_and_loud_about_a_bad_one(tmp_path: Path) -> None:
    said = imagemill("lint", "-p", "gray")
    assert (said.code, said.err) == (0, "")
    assert "nothing to remark" in said.out
    late = im.Pipeline([im.Brightness((0.8, 1.2)), im.Standardize()], seed=1)
    late.to_yaml(tmp_path / "late.yaml")
    command = ("lint", "-p", tmp_path / "late.yaml")
    said = imagemill(*command)
    assert said.code == 0
    assert "warning" in said.out
    assert "[intensity-undone]" in said.out
    assert imagemill(*command, "--strict").code == 1


def test_lint_ends_with_one_for_errors() -> None:
    said = imagemill("lint", "-p", "photo", "--evaluation", "--json")
    assert said.code == 1
    assert {finding["rule"] for finding in json.loads(said.out)} == {"random-evaluation"}


def test_lint_judges_pixels_by_the_shape(tmp_path: Path) -> None:
    im.Pipeline([im.Shift(pixels=(-5, 5))], seed=1).to_yaml(tmp_path / "p.yaml")
    assert "far-shift" not in imagemill("lint", "-p", tmp_path / "p.yaml", "--shape", "200,200,3").out
    assert "far-shift" in imagemill("lint", "-p", tmp_path / "p.yaml", "--shape", "20,20,3").out


# ----------------------------------------------------------------------------------------------- doctor


def test_doctor_shows_what_is_here() -> None:
    said = imagemill("doctor")
    assert said.code == 0
    for word in (im.__version__, np.__version__, "libjpeg-turbo", "usable of", "nibabel", ".nii.gz", ".mgz"):
        assert word in said.out
    found = json.loads(imagemill("doctor", "--json").out)
    assert found["versions"]["numpy"] == np.__version__
    assert [row["suffix"] for row in found["formats"]] == [row.suffix for row in im.formats()]


def test_doctor_warns_of_two_opencvs_and_names_what_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"opencv-python": "5.0", "opencv-python-headless": "5.0", "nibabel": None, "scipy": None}
    doctor_file = importlib.import_module("imagemill.app.cli.doctor")  # the package has the function by that name
    real = doctor_file._version
    monkeypatch.setattr(doctor_file, "_version", lambda name: known[name] if name in known else real(name))
    said = imagemill("doctor")
    assert said.code == 1
    assert "opencv-python-headless and opencv-python are both installed" in said.out
    assert "pip install 'imagemill[medical]'" in said.out
    assert "missing: pip install imagemill" in said.out


# ---------------------------------------------------------------------------------------- before a verb


def test_version_and_help() -> None:
    assert imagemill("--version").out == f"imagemill {im.__version__}\n"
    said = imagemill("--help")
    for verb in ("augment", "preview", "replay", "explain", "lint", "doctor", "demo"):
        assert verb in said.out
        assert imagemill(verb, "--help").code == 0


def test_help_comes_without_the_heavy_libraries() -> None:
    code = (
        "import sys\n"
        "from imagemill.app.cli import app\n"
        "app(['--version'], standalone_mode=False)\n"
        "print(sorted({'numba', 'nibabel', 'matplotlib'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment(SRC), capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "[]"


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-W", "error", "-m", "imagemill", "explain", "-p", "nothing"]
    run = subprocess.run(command, env=environment(SRC), capture_output=True, text=True, timeout=600)
    assert run.returncode == 2
    assert run.stderr.startswith("error: expected a pipeline file or a preset")


def test_doctor_knows_every_optional_package() -> None:
    listed = {name: extra for extra, names in EXTRAS.items() for name in names}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {
        extra: {name for line in lines if (name := re.split(r"[^\w.-]", line)[0]) != "imagemill"}
        for extra, lines in extras.items()
        if extra not in ("dev", "testing", "site")  # what users run needs none of these
    }
    assert set(listed) == set().union(*named.values())
    assert all(name in named[extra] for name, extra in listed.items())
