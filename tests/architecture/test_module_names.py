"""A module's name says what it is, whatever folder it is in: no two modules have one name and different meanings."""

from __future__ import annotations

import importlib
from collections import defaultdict
from pathlib import Path

from tests.architecture.repository import SRC

PACKAGE = SRC / "imagemill"

FAMILIES = {
    "__init__": "every package has one",
    "base": "what each part of a family implements: a codec, a layout, an adapter, a transform",
    "catalogue": "the list of a family as data, or as the page of the documentation",
    "registry": "finds the member of a family that is meant: a codec, a layout",
}
"""Names that may be used any number of times, and what they mean wherever they are."""

PAIRS = {
    "affine": ("compat", "transforms"),
    "audit": ("app", "audits"),
    "augment": ("app", "verbs"),
    "channel_shift": ("compat", "transforms"),
    "compare": ("app", "evaluate"),
    "export": ("app", "verbs"),
    "files": ("compat", "pipeline"),
    "lint": ("app", "pipeline"),
    "recommend": ("app", "evaluate"),
    "replay": ("app", "verbs"),
    "scan": ("app", "verbs"),
    "screen": ("app", "evaluate"),
    "split": ("app", "data"),
    "stress": ("app", "evaluate"),
    "warmup": ("app", "app"),
    "worth": ("app", "evaluate"),
}
"""A verb and its command; and what `compat` does in another library's way. Exactly these, so that the list shrinks."""


def shared(package: Path) -> dict[str, tuple[str, ...]]:
    """Names that several modules have, with the rooms that these modules are in."""
    rooms = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        rooms[path.stem].append(path.relative_to(package).parts[0])
    return {name: tuple(found) for name, found in rooms.items() if len(found) > 1 and name not in FAMILIES}


def test_no_two_modules_share_a_name() -> None:
    assert shared(PACKAGE) == PAIRS, "do: name the module for what it does, or state the family it belongs to"


def test_a_second_module_of_a_name_is_found(tmp_path: Path) -> None:
    for name in ("a/words.py", "b/words.py", "a/base.py", "b/base.py", "b/other.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert shared(tmp_path) == {"words": ("a", "b")}


def test_no_public_name_hides_a_package_in_the_same_folder() -> None:
    inner = [path.parent.relative_to(PACKAGE.parent) for path in sorted(PACKAGE.glob("*/*/__init__.py"))]
    hidden = []
    for folder in inner:
        name = ".".join(folder.parts)
        module = importlib.import_module(name)
        if getattr(importlib.import_module(name.rpartition(".")[0]), folder.name) is not module:
            hidden.append(name)
    assert len(inner) > 20
    assert hidden == [], "do: list the name otherwise; `import a.b as b` would give it and not the package"
