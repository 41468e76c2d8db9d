"""Install exactly the lowest versions that pyproject.toml allows, and run some tests with them.

``python .ci/floors.py [FOLDER]`` makes an environment of its own, ``.venv-floors`` where none is said. Needs the
network or a mirror of packages. What is tested needs few extras, which are the newest, and compiles few kernels.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SMOKE = ("tests/core", "tests/pages", "tests/data/splits", "tests/data/layouts/tables", "tests/app/test_cli_words.py")


def floors(requirements: list[str]) -> list[str]:
    """The lowest versions as pip's constraints, ``"numpy>=2.0"`` as ``"numpy==2.0"``."""
    return [one.split(",")[0].replace(">=", "==") for one in requirements]


def main() -> int:
    """Make the environment, install, test."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    home = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".venv-floors"
    venv.create(home, with_pip=True)
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "floors.txt"
        pins.write_text("\n".join(floors(project["dependencies"])) + "\n", "utf-8")
        tools = [one for one in project["optional-dependencies"]["dev"] if one.startswith(("pytest>", "hypothesis"))]
        install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-c",
            pins,
            "-e",
            f"{ROOT}[tiff,report]",
            *tools,
        ]
        subprocess.run([python, *install], check=True)
    # What old releases say about the new ones beside them is no fault of ours.
    quiet = ["-o", "filterwarnings=ignore::DeprecationWarning"]
    return subprocess.run([python, "-m", "pytest", *quiet, *SMOKE], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
