"""`import imagemill` loads numpy and nothing else that is not Python's own, and does so quickly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.architecture.repository import SRC, environment

SECONDS = 0.3  # what a user at the prompt does not notice

# What start-up itself loads (.pth files of the environment) is not the package's doing, hence the difference.
PROBE = """
import json, sys, time
before = set(sys.modules)
start = time.process_time()
import {package}
seconds = time.process_time() - start
names = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(json.dumps([sorted(names - set(sys.stdlib_module_names)), seconds]))
"""


def probe(package: str, root: Path = SRC) -> tuple[set[str], float]:
    command = [sys.executable, "-W", "error", "-c", PROBE.format(package=package)]
    run = subprocess.run(command, env=environment(root), capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    names, seconds = json.loads(run.stdout)
    return set(names), seconds


def test_import_loads_numpy_only() -> None:
    names, _ = probe("imagemill")
    assert names - {"numpy"} == {"imagemill"}


def test_core_loads_numpy_only() -> None:
    names, _ = probe("imagemill.core.errors")
    assert names - {"numpy"} == {"imagemill"}


def test_import_stays_within_its_budget() -> None:
    # Processor time, and the best of three: a busy machine must not turn this red.
    assert min(probe("imagemill")[1] for _ in range(3)) < SECONDS


def test_the_probe_sees_a_heavy_import(tmp_path: Path) -> None:
    (tmp_path / "heavy.py").write_text("import PIL\n", encoding="utf-8")
    assert probe("heavy", tmp_path)[0] == {"heavy", "PIL"}
