"""Build the wheel, install it into a folder of its own, and use it from there: what a checkout hides shows up here.

What lies under ``src`` must be in the wheel and nothing else; the command, a pipeline and the files that are no Python
must work from the installed copy, in a folder that is not the checkout. Needs the development tools and no network:
``python .ci/wheel.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

USE = """
import importlib.metadata, pathlib, sys
import numpy as np
import imagemill as im

home = pathlib.Path(im.__file__).resolve().parent
assert home.parent == pathlib.Path(sys.argv[1]).resolve(), f"expected the installed copy, got {home}"
assert importlib.metadata.version("imagemill") == im.__version__
for name in ("py.typed", "__init__.pyi"):
    assert (home / name).is_file(), f"expected {name} in the wheel"
pipe = im.Pipeline([im.Flip("x"), im.Normalize(0, 1), im.ToDtype("float32")], seed=1)
turned = pipe(np.full((4, 6, 3), 255, np.uint8))
assert turned.shape == (4, 6, 3) and turned.dtype == np.float32, turned
from imagemill.evaluate import known_experiments, read_experiment
assert read_experiment(known_experiments()[0]).studies, "expected the files of experiments in the wheel"
"""


def ask(*command: str | Path, folder: Path | None = None, **environment: str) -> str:
    """What a command prints, run outside of the checkout; all it said and the end where it fails."""
    told = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    run = subprocess.run(
        [*map(str, command)], cwd=folder or tempfile.gettempdir(), env=told, capture_output=True, text=True
    )
    if run.returncode:
        raise SystemExit(f"expected exit status 0, got {run.returncode} of {command}\n{run.stdout}{run.stderr}")
    return run.stdout


def build(into: Path) -> Path:
    """The wheel of this checkout."""
    ask(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", into, folder=ROOT)
    (wheel,) = into.glob("*.whl")
    return wheel


def compare(wheel: Path) -> None:
    """Refuse a wheel that lacks a file of the sources, or holds one more."""
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "imagemill").rglob("*")
        if path.is_file() and path.parent.name != "__pycache__" and not path.name.startswith(".")
    }
    if shipped != sources:
        raise SystemExit(f"expected what is in src, got also {shipped - sources}, and not {sources - shipped}")


def use(wheel: Path, home: Path) -> None:
    """Install the wheel into a folder and work with it there."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index")
    ask(*pip, "--target", home, wheel)
    # -P: the folder a command is run in is not searched for modules. Plain kernels: compiling them is for the tests.
    here = {"PYTHONPATH": str(home), "NUMBA_DISABLE_JIT": "1", "PYTHONSAFEPATH": "1"}
    ask(sys.executable, "-W", "error", "-c", USE, home, **here)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    said = ask(sys.executable, "-m", "imagemill", "--version", **here)
    if said.split() != ["imagemill", version]:
        raise SystemExit(f"expected 'imagemill {version}', got {said!r}; keep pyproject.toml and __version__ alike")
    linted = ask(sys.executable, "-m", "imagemill", "lint", "--pipeline", "photo", "--shape", "64,64,3", **here)
    if "photo" not in linted:
        raise SystemExit(f"expected a word on the preset photo, got {linted!r}")


def main() -> None:
    """Build, compare, use."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        wheel = build(home)
        compare(wheel)
        use(wheel, home / "installed")
        print(f"{wheel.name}: built, whole, and at work where it was installed")


if __name__ == "__main__":
    main()
