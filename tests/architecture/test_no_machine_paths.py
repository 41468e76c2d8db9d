"""Nothing in the project knows the machine it was written on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.repository import ROOT, files

# Folders that people and build machines keep their checkouts in. A path counts when it starts there, not in
# the middle of a relative path or of an address.
_HOMES = "home|root|Users|work|workspace|workspaces|mnt|scratch|farm"
_PATH = re.compile(rf"(?<![\w.~\-/}})\]])/(?:{_HOMES})/[\w.\-]|\b[A-Za-z]:\\\\?Users\\", re.ASCII)


def machine_paths(text: str) -> list[str]:
    lines = enumerate(text.splitlines(), start=1)
    return [f"{number}: {line.strip()[:120]}" for number, line in lines if _PATH.search(line)]


def test_no_file_names_a_path_of_one_machine() -> None:
    found: dict[str, list[str]] = {}
    read = 0
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures and scans
        read += 1
        if hits := machine_paths(text):
            found[str(path.relative_to(ROOT))] = hits
    assert read > 10, "expected the project's files, found next to none: the search is broken"
    assert found == {}


# Assembled here and below, so that this file holds none itself.
@pytest.mark.parametrize("parts", [("", "home", "ann", "x"), ("", "root", ".cache"), ("", "Users", "ann")])
@pytest.mark.parametrize("before", ["", 'open("', "see ", "path="])
def test_a_machine_path_is_seen(parts: tuple[str, ...], before: str) -> None:
    assert machine_paths("x = 1\n" + before + "/".join(parts)) != []


def test_a_windows_path_is_seen() -> None:
    assert machine_paths("\\".join(["C:", "Users", "ann"])) != []


@pytest.mark.parametrize("before", ["src", "https://example.org", "~", "${HOME}"])
@pytest.mark.parametrize("home", _HOMES.split("|"))
def test_other_paths_are_left_alone(before: str, home: str) -> None:
    assert machine_paths("/".join([before, home, "x"])) == []
    assert machine_paths("/usr/bin/env") == []


def test_the_walk_without_git_skips_what_is_not_ours(tmp_path: Path) -> None:
    for name in ("a.py", ".venv/b.py", "pkg/c.py", ".mypy_cache/d.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert [p.relative_to(tmp_path).as_posix() for p in files(tmp_path)] == ["a.py", "pkg/c.py"]
