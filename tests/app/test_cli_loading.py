"""The command loads the verb that is asked for, and says the same things with it alone as with all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import imagemill as im
from imagemill.app.cli.number_options import numbers, preset_size
from imagemill.app.cli.scan import _once
from imagemill.core.near_paths import near_path
from imagemill.data import Problem
from tests.architecture.repository import SRC, environment

LOADED = (
    "import sys; sys.argv = ['imagemill', *sys.argv[1:]]\n"
    "from imagemill.app.cli import main\n"
    "try:\n    main()\nexcept SystemExit:\n    pass\n"
    "print('loaded', *sorted(name.rpartition('.')[2] for name in sys.modules if name.startswith('imagemill.app.cli.')))"
)


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], env=environment(SRC), capture_output=True, text=True, timeout=300
    )
    return done.stdout + done.stderr


def test_one_verb_is_loaded_alone() -> None:
    said = run("explain", "-p", "gray", "--yaml")
    loaded = said.splitlines()[-1].split()
    assert "transforms:" in said
    assert "explain" in loaded
    assert not {"audit", "augment", "compare", "preview"} & set(loaded)


def test_a_verb_that_is_none_is_told_from_all() -> None:
    assert "Did you mean 'scan'" in run("scna")


def test_the_version_loads_no_verb() -> None:
    said = run("--version")
    assert said.startswith(f"imagemill {im.__version__}")
    assert "audit" not in said


def test_what_is_wrong_with_several_files_is_said_once() -> None:
    same = [Problem(f"{n}.nii.gz", "no nibabel") for n in range(20)]
    assert _once([*same, Problem("a.png", "cut off")]) == [
        "20 files (0.nii.gz, 1.nii.gz, 2.nii.gz, ...): no nibabel",
        "a.png: cut off",
    ]


@pytest.mark.parametrize(
    ("words", "found"),
    [("224", 224), ("224,320", (224, 320)), ("8x64x64", (8, 64, 64)), ("9 / 8", (9, 8))],
)
def test_sizes(words: str, found: object) -> None:
    assert preset_size(words) == found


def test_no_numbers_are_refused_with_an_example() -> None:
    assert preset_size(None) is None
    assert numbers("split", "70%:15%:15%", float) == (0.7, 0.15, 0.15)
    for name, words in (("size", "big"), ("size", "50%"), ("split", "a,b")):
        with pytest.raises(
            im.InputError, match=f"expected --{name} as numbers with commas between, got .*; write --{name}"
        ):
            numbers(name, words, float if name == "split" else int)


def test_paths_that_are_near(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "a.png").touch()
    assert near_path(tmp_path / "lables") == f"did you mean {str(tmp_path / 'labels')!r}?"
    assert near_path(tmp_path / "Labels/x.png") == f"did you mean {str(tmp_path / 'labels/x.png')!r}?"
    assert near_path(tmp_path / "no.png") == "check the path"
    assert near_path(tmp_path / "gone/b.png") == f"check the path: there is no 'gone' in {str(tmp_path)!r}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            (70, 15, 15),
            "counts of all 200 images, got 70,15,15, which sum to 100 as percentages do; .*write 0.7,0.15,0.15",
        ),
        ((0.7, 0.2, 0.2), r"shares that sum to 1, got 0\.7,0\.2,0\.2, which sum to 1\.1"),
        ((3, 4, 5), "counts that sum to all 200 images, got 3,4,5, which sum to 12; as shares write 0.25,"),
        ("70,15,15", r"got '70,15,15'; write \(70, 15, 15\)"),
        ({"train": 0.8, "test": 0.2}, r"write the numbers alone, train, val, test: \(0\.8, 0\.2\)"),
    ],
)
def test_splits_that_do_not_add_up(given: object, message: str) -> None:
    from imagemill.data.splits.split import read_shares

    with pytest.raises(im.InputError, match=message):
        read_shares(given, None, 200)
