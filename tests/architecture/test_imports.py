"""`import imagemill` loads nothing that is not Python's own, and little of that."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.architecture.repository import SRC, environment

FEW = 60  # modules of Python's own, which differ a little between versions: what a user at the prompt does not notice

# What start-up itself loads (.pth files of the environment) is not the package's doing, hence the difference.
PROBE = """
import json, sys
before = set(sys.modules)
import {package}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def probe(package: str, root: Path = SRC) -> set[str]:
    """The modules that an import loads."""
    command = [sys.executable, "-W", "error", "-c", PROBE.format(package=package)]
    run = subprocess.run(command, env=environment(root), capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout))


def packages(loaded: set[str]) -> set[str]:
    """Those that are not Python's own."""
    return {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names)


def test_import_loads_the_list_of_names_and_none_of_the_rooms() -> None:
    loaded = probe("imagemill")
    ours = {"imagemill", "imagemill.core", "imagemill.core.front_door"}
    assert {name for name in loaded if packages({name})} == ours
    assert len(loaded) <= FEW


def test_core_loads_numpy_only() -> None:
    assert packages(probe("imagemill.core.errors")) - {"numpy"} == {"imagemill"}


def test_the_probe_sees_a_heavy_import(tmp_path: Path) -> None:
    (tmp_path / "heavy.py").write_text("import PIL, asyncio, urllib.request\n", encoding="utf-8")
    loaded = probe("heavy", tmp_path)
    assert packages(loaded) == {"heavy", "PIL"}
    assert len(loaded) > FEW
