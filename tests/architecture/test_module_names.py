"""A module's name says what it is, whatever folder it is in: no two modules have one name and different meanings."""

from __future__ import annotations

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
    "affine": ("compat/keras/affine", "transforms/geometric/affine"),
    "augment": ("app/cli/augment", "verbs/augment/augment"),
    "export": ("app/cli/export", "verbs/export/export"),
    "files": ("compat/keras/files", "pipeline/files"),
    "lint": ("app/cli/lint", "pipeline/lint"),
    "replay": ("app/cli/replay", "verbs/augment/replay"),
    "sampling": ("compat/keras/sampling", "engine/sampling"),
    "scan": ("app/cli/scan", "verbs/scan/scan"),
    "split": ("app/cli/split", "data/splits/split"),
    "warmup": ("app/cli/warmup", "app/warmup"),
}
"""A verb and its command; and what `compat` does in another library's way. Exactly these, so that the list shrinks."""


def shared(package: Path) -> dict[str, tuple[str, ...]]:
    """Names that several modules have, with the places of these modules."""
    places = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        places[path.stem].append(path.relative_to(package).with_suffix("").as_posix())
    return {name: tuple(found) for name, found in places.items() if len(found) > 1 and name not in FAMILIES}


def test_no_two_modules_share_a_name() -> None:
    assert shared(PACKAGE) == PAIRS, "do: name the module for what it does, or state the family it belongs to"


def test_a_second_module_of_a_name_is_found(tmp_path: Path) -> None:
    for name in ("a/words.py", "b/words.py", "a/base.py", "b/base.py", "b/other.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert shared(tmp_path) == {"words": ("a/words", "b/words")}
