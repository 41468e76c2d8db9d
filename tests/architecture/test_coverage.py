"""What coverage leaves out is machine code: every decorator that is meant makes a function of numba's."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib

import pytest
from numba.core.dispatcher import Dispatcher
from numba.extending import _Intrinsic as Intrinsic

from tests.architecture.repository import ROOT, SRC

PATTERNS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coverage"]["report"]
DECORATORS = [re.compile(pattern) for pattern in PATTERNS["exclude_also"] if "@" in pattern]


def left_out() -> dict[str, list[str]]:
    """Functions at the top of modules that a pattern takes out by their decorator."""
    found: dict[str, list[str]] = {}
    for path in sorted((SRC / "imagemill").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.parse(text).body:
            decorators = getattr(node, "decorator_list", [])
            if any(pattern.search(lines[one.lineno - 1]) for one in decorators for pattern in DECORATORS):
                module = ".".join(path.relative_to(SRC).with_suffix("").parts)
                found.setdefault(module, []).append(node.name)  # type: ignore[attr-defined]
    return found


LEFT_OUT = left_out()


def test_kernels_are_found() -> None:
    assert len(LEFT_OUT) > 10


@pytest.mark.parametrize("module", LEFT_OUT)
def test_what_is_left_out_is_compiled(module: str) -> None:
    loaded = importlib.import_module(module)
    numbas = (Dispatcher, Intrinsic)
    plain = [name for name in LEFT_OUT[module] if not isinstance(getattr(loaded, name), numbas)]
    assert plain == [], "coverage must count what Python runs"
