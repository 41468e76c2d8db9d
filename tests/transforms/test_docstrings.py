"""The docstring of a transform is its contract: every section is there, and every parameter is in it."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re

import pytest

import imagemill.transforms
from imagemill.transforms.base import COMMON, REGISTRY, Transform

for _module in pkgutil.walk_packages(imagemill.transforms.__path__, "imagemill.transforms."):
    importlib.import_module(_module.name)

# Combinations move what their children move; they say so in the room's documentation, not each again.
# Transforms of other tests are in the registry, too.
DECLARED = [
    cls
    for _, cls in sorted(REGISTRY.items())
    if cls.__module__.startswith("imagemill.") and "transforms" not in {f.name for f in dataclasses.fields(cls)}
]


@pytest.mark.parametrize("cls", DECLARED, ids=lambda cls: cls.__name__)
def test_sections(cls: type[Transform]) -> None:
    text = cls.__doc__ or ""
    for section in ("Targets", "Source", "Examples"):
        assert re.search(rf"^    {section}\n    -{{{len(section)}}}$", text, re.MULTILINE), f"{section} is missing"
    assert ">>> " in text.split("Examples\n", 1)[1]


@pytest.mark.parametrize("cls", DECLARED, ids=lambda cls: cls.__name__)
def test_every_parameter_is_explained(cls: type[Transform]) -> None:
    text = cls.__doc__ or ""
    # What all have is explained on the base class; fills may be explained with the border they belong to.
    names = {f.name for f in dataclasses.fields(cls)} - set(COMMON)
    missing = {n for n in names if not re.search(rf"(^    |, ){n}( :|, |$)|``{n}``", text, re.MULTILINE)}
    assert missing == set()
