"""The files of the project, as its architecture tests see them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

# Looked past only where git is absent and .gitignore cannot be asked.
_NOT_OURS = {".git", ".venv", ".venv-bench", "build", "dist", "demo-output", "__pycache__", ".hypothesis"}


def files(root: Path = ROOT) -> list[Path]:
    """Every file that is tracked or would be: git's list where there is a repository, a walk elsewhere."""
    if shutil.which("git") and (root / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        out = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
        found = [root / os.fsdecode(name) for name in out.split(b"\0") if name]
    else:
        found = [p for p in root.rglob("*") if not _ignored(p.relative_to(root))]
    return sorted({p for p in found if p.is_file() and not p.is_symlink()})


def _ignored(relative: Path) -> bool:
    return any(part in _NOT_OURS or part.endswith(("_cache", ".egg-info")) for part in relative.parts)


def environment(*paths: Path) -> dict[str, str]:
    """The variables for a subprocess that must find the package, installed or not."""
    found = [str(p) for p in paths or (SRC,)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found)}
