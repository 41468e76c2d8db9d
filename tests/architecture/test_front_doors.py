"""The command line takes what it needs at the front doors of rooms, never from a file inside one."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from tests.architecture.repository import SRC

APP = SRC / "imagemill" / "app"


def _door(module: str) -> str:
    """The front door of the room that a module is in: a verb has one of its own."""
    parts = module.split(".")
    return ".".join(parts[: 3 if parts[1:2] == ["verbs"] else 2])


def _deep_imports() -> list[str]:
    found = []
    for file in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                continue
            for module in modules:
                ours = module.startswith("imagemill.") and not module.startswith("imagemill.app")
                if ours and module != _door(module):
                    found.append(f"{file.relative_to(SRC)}:{node.lineno} {module}")
    return found


def test_app_uses_front_doors_only() -> None:
    assert _deep_imports() == [], "do: import it from the room itself, and list it in the room's __init__.py"


def test_every_room_says_what_belongs_in_it() -> None:
    silent = [
        str(file.relative_to(SRC))
        for file in sorted((SRC / "imagemill").rglob("__init__.py"))
        if not (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").strip()
    ]
    assert silent == []


LAZY = ("imagemill.core", "imagemill.data")


@pytest.mark.parametrize("room", LAZY)
def test_names_are_loaded_when_they_are_used_and_kept(room: str) -> None:
    door = importlib.import_module(room)
    for name in door.__all__:
        vars(door).pop(name, None)
        assert name in dir(door)
        value = getattr(door, name)
        assert vars(door)[name] is value
    with pytest.raises(AttributeError, match=f"module '{room}' has no attribute 'nothing'"):
        door.nothing  # noqa: B018


@pytest.mark.parametrize("room", LAZY)
def test_no_name_is_that_of_a_module_beside(room: str) -> None:
    # A module takes the place of a name when anything imports it, and the name would never be loaded.
    door = importlib.import_module(room)
    beside = {path.stem for path in (SRC / Path(*room.split("."))).iterdir()}
    assert not beside & set(door.__all__)
