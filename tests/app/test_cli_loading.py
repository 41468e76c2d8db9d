"""The command loads the verb that is asked for, and says the same things with it alone as with all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from typer.main import get_group

import imagemill as im
from imagemill.app.cli import app, lazy_verbs
from imagemill.app.cli.number_options import numbers, preset_size
from imagemill.app.cli.scan import _once
from imagemill.core.near_paths import near_path
from imagemill.data import Problem
from tests.architecture.repository import SRC, environment

LOADED = (
    "import sys; before = set(sys.modules); sys.argv = ['imagemill', *sys.argv[1:]]\n"
    "from imagemill.app.cli import main\n"
    "try:\n    main()\nexcept SystemExit:\n    pass\n"
    "print('loaded', *sorted(set(sys.modules) - before))"
)
UNUSED = {"scipy", "pandas", "numba", "torch", "matplotlib", "jax", "keras", "sklearn", "h5py"}
"""Packages that no verb loads to read photos and write pixels."""


def run(*words: str) -> tuple[str, set[str]]:
    """What the command says, and the modules that it loads."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], env=environment(SRC), capture_output=True, text=True, timeout=300
    )
    said, _, loaded = done.stdout.rpartition("loaded ")
    return said + done.stderr, set(loaded.split())


def packages(loaded: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in loaded}


def verbs(loaded: set[str]) -> set[str]:
    """The verbs among modules."""
    before, _, name = zip(*(module.rpartition(".") for module in loaded), strict=True)
    return {last for first, last in zip(before, name, strict=True) if first == "imagemill.app.cli"} & {*VERBS}


VERBS = tuple(lazy_verbs.Verbs(name="imagemill").commands)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for name in "abc":
        pixels = np.random.default_rng(ord(name)).integers(0, 255, (40, 50, 3), np.uint8)
        (folder / f"{name}.jpg").write_bytes(simplejpeg.encode_jpeg(pixels))
    return folder


def test_one_verb_is_loaded_alone() -> None:
    said, loaded = run("explain", "-p", "gray", "--yaml")
    assert "transforms:" in said
    assert verbs(loaded) == {"explain"}


def test_help_loads_no_verb_and_nothing_that_verbs_work_with() -> None:
    said, loaded = run("--help")
    assert all(f"\u2502 {name} " in said for name in VERBS)
    # A list of one's own leaves nothing out that typer's has.
    assert all(
        words in said for words in ("Usage: ", "repeatable down to the bit", "--version", " -h ", "Exit status: 0")
    )
    assert "--debug                   Show the whole traceback of an error." in said
    assert "`" not in said
    assert verbs(loaded) == set()
    # Markdown and the colours of source code are for the help of one verb.
    assert not packages(loaded) & {"markdown_it", "pygments", "attr", "pydantic"}
    assert not packages(loaded) & {*UNUSED, "numpy", "cv2", "PIL", "polars", "pyarrow", "yaml", "simplejpeg"}
    assert not [
        name for name in loaded if name.startswith(("imagemill.data", "imagemill.pipeline", "imagemill.engine"))
    ]


def test_scan_loads_what_reads_photos(photos: Path) -> None:
    said, loaded = run("scan", str(photos))
    assert "images    3" in said
    assert not packages(loaded) & {*UNUSED, "cv2", "PIL", "polars", "pyarrow", "yaml", "ssl", "pydantic", "email"}
    assert not [name for name in loaded if name.startswith(("imagemill.pipeline", "imagemill.transforms"))]


def test_prepare_loads_what_writes_a_store(photos: Path, tmp_path: Path) -> None:
    said, loaded = run("prepare", str(photos), "-o", str(tmp_path / "made"), "--size", "16")
    assert "16 x 16 x 3" in said
    # Arrow's writer of Parquet in groups of rows brings file systems with it, and these ssl.
    assert not packages(loaded) & {*UNUSED, "PIL", "yaml", "cv2", "polars", "pydantic"}
    assert not [name for name in loaded if name.startswith(("imagemill.pipeline", "imagemill.transforms"))]


def test_a_pipeline_loads_what_draws_and_plans() -> None:
    command = "import sys, imagemill; imagemill.Pipeline([imagemill.Rotate(10)]); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", command], env=environment(SRC), capture_output=True, text=True, timeout=300, check=True
    )
    loaded = set(done.stdout.split())
    # The compiler of kernels loads the bare package of scipy, and YAML for its own settings.
    assert not packages(loaded) & {*UNUSED - {"numba", "scipy"}, "PIL", "polars", "pyarrow"}
    assert not loaded & {"scipy.fft", "scipy.interpolate", "scipy.ndimage", "scipy.special"}


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_that_is_listed_says_what_it_says_loaded(name: str) -> None:
    assert lazy_verbs._help_of(name) == lazy_verbs._loaded(name).help


def test_a_verb_without_compiled_code_is_loaded_for_its_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_verbs, "find_spec", lambda module: None)
    assert (lazy_verbs._help_of("scan") or "").startswith("Say what a dataset is")


def test_completion_lists_verbs_and_loads_the_one_whose_options_it_lists() -> None:
    group = get_group(app)
    context = group.make_context("imagemill", [], resilient_parsing=True)
    listed = {item.value: item.help for item in group.shell_complete(context, "sc")}
    assert set(listed) == {"scan", "screen"}
    assert (listed["scan"] or "").startswith("Say what a dataset is")
    assert group.commands["scan"].callback is None
    _, verb, rest = group.resolve_command(context, ["scan", "--full"])
    assert verb is not None
    assert verb.callback is not None
    assert rest == ["--full"]


def test_a_verb_that_is_none_is_told_from_all() -> None:
    assert "Did you mean 'scan'" in run("scna")[0]


def test_the_version_loads_no_verb() -> None:
    said, loaded = run("--version")
    assert said.startswith(f"imagemill {im.__version__}")
    assert verbs(loaded) == set()


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
