"""The stub, the runtime list and the documentation name the same things; constructors keep their bounds."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import imagemill as im
from imagemill.core.ranges import Choice, Range
from imagemill.testing.each import example_of
from imagemill.transforms.base import REGISTRY
from imagemill.transforms.public_names import completed, missing_lines

ROOT = Path(__file__).parents[1]
STUB = ast.parse((ROOT / "src/imagemill/__init__.pyi").read_text("utf-8"))


def in_stub() -> set[str]:
    return {
        alias.asname or alias.name for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names
    } | {node.target.id for node in STUB.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}


def test_the_stub_and_the_runtime_list_are_one() -> None:
    assert set(im.__all__) == in_stub()
    assert len(im.__all__) == len(set(im.__all__))
    assert set(im.__all__) <= set(dir(im))


def test_every_transform_is_on_the_list() -> None:
    missing = missing_lines((ROOT / "src/imagemill/__init__.pyi").read_text("utf-8"))
    assert not missing, "run `make docs`, or add to src/imagemill/__init__.pyi:\n" + "\n".join(missing)


def test_a_line_that_is_missing_is_put_where_it_belongs() -> None:
    stub = (ROOT / "src/imagemill/__init__.pyi").read_text("utf-8")
    (line,) = [line for line in stub.splitlines(keepends=True) if " Gamma " in line]
    without = stub.replace(line, "")
    assert missing_lines(without) == [line.strip()]
    assert completed(without) == completed(stub) == stub


def test_rooms_with_names_of_their_own_need_no_import() -> None:
    code = "import imagemill as im; im.datasets.digits; from imagemill.compat import keras; im.testing.picture"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_stub_names_where_things_really_come_from() -> None:
    for node in STUB.body:
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None
            room = __import__(node.module, fromlist=["*"])
            for alias in node.names:
                assert getattr(room, alias.name) is getattr(im, alias.name)


@pytest.mark.parametrize("name", sorted(im.__all__))
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(im, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        doc = inspect.getdoc(value) or ""
        assert doc, name
        # A dataclass without a docstring gets its signature as one.
        assert not doc.startswith(f"{name}(")
        assert doc.split("\n")[0].endswith("."), f"{name} begins with a sentence"


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="module 'imagemill' has no attribute 'Rotat'"):
        _ = im.Rotat


def test_importing_the_package_loads_no_image_library() -> None:
    heavy = {"numpy", "scipy", "cv2", "numba", "PIL", "yaml"}
    code = f"import sys, imagemill; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "src")
    assert run.stdout.strip() == "[]"


def required(cls: type[im.Transform]) -> dict[str, Any]:
    """What a constructor cannot do without: what sets an example apart from the defaults."""
    one = example_of(cls)
    values = {f.name: getattr(one, f.name) for f in dataclasses.fields(cls)}
    return {f.name: values[f.name] for f in dataclasses.fields(cls) if values[f.name] != f.default}


SHIPPED = {n: c for n, c in REGISTRY.items() if c.__module__.startswith("imagemill.")}
PARAMS = [(n, f.name, f.metadata) for n, c in SHIPPED.items() for f in dataclasses.fields(c) if "low" in f.metadata]


def build(name: str, **given: Any) -> Any:
    return SHIPPED[name](**{**required(SHIPPED[name]), **given})


@pytest.mark.parametrize(("name", "field", "meta"), PARAMS, ids=[f"{n}-{f}" for n, f, _ in PARAMS])
def test_parameters_keep_their_bounds_on_both_sides(name: str, field: str, meta: Any) -> None:
    low, high, above = meta["low"], meta["high"], meta["above"]
    outside = [v for v in (low - 1e-3, high + 1e-3) if math.isfinite(v)] + ([] if above is None else [above, above - 1])
    for value in outside:
        # As a number, at one end of a range, and among others.
        for given in (value, Range(min(value, 1), max(value, 1)), Choice((1, value))):
            with pytest.raises(im.ParameterError, match=rf"{name}\({field}=\.\.\."):
                build(name, **{field: given})
    for wrong in ("much", True, math.nan, math.inf, (1, 2, 3), (2, 1), {"uniform": [2, 1]}, {"often": 1}):
        with pytest.raises(im.ParameterError):
            build(name, **{field: wrong})
    if not meta["optional"]:
        with pytest.raises(im.ParameterError, match="got None"):
            build(name, **{field: None})


@pytest.mark.parametrize("name", sorted(SHIPPED))
@pytest.mark.parametrize("p", [-0.01, 1.01, "half", None, True, math.nan])
def test_probabilities_are_probabilities(name: str, p: Any) -> None:
    with pytest.raises(im.ParameterError, match=rf"{name}\(p=\.\.\.\)"):
        build(name, p=p)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_transforms_are_frozen_values(name: str) -> None:
    transform = build(name)
    with pytest.raises(dataclasses.FrozenInstanceError):
        transform.p = 0.5
    if name != "Apply":
        assert transform == build(name)
        assert type(transform).__name__ in repr(transform)


WORDS = [
    (n, f.name)
    for n, c in SHIPPED.items()
    for f in dataclasses.fields(c)
    if f.metadata.get("check") is not None
    and f.name in ("order", "border", "plane", "fit", "at", "axis", "layout", "frame")
]


@pytest.mark.parametrize(("name", "field"), WORDS, ids=[f"{n}-{f}" for n, f in WORDS])
def test_words_are_checked_and_the_known_ones_named(name: str, field: str) -> None:
    for wrong in ("sideways", 2, None, True, 1.0):
        with pytest.raises(im.ParameterError, match=rf"{name}\({field}=\.\.\.\) to be one of .*, got {wrong!r}"):
            build(name, **{field: wrong})
