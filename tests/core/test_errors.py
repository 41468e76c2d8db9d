"""One documented tree of exceptions, each also of the built-in kind a caller would catch."""

from __future__ import annotations

import inspect
import re

import pytest

from imagemill.core import errors
from imagemill.core.errors import ImagemillError

TREE = {
    "InputError": ("ImagemillError", ValueError),
    "ParameterError": ("InputError", ValueError),
    "UnknownParameter": ("ParameterError", TypeError),
    "PipelineFileError": ("InputError", ValueError),
    "TargetError": ("ImagemillError", TypeError),
    "PlanError": ("ImagemillError", RuntimeError),
    "CodecError": ("ImagemillError", OSError),
    "DiskError": ("CodecError", OSError),
    "SourceError": ("ImagemillError", ValueError),
    "WorkerError": ("ImagemillError", RuntimeError),
    "MissingExtra": ("ImagemillError", ImportError),
}


@pytest.mark.parametrize("name", TREE)
def test_place_in_the_tree(name):
    parent, builtin = TREE[name]
    error = getattr(errors, name)
    assert error.__bases__[0].__name__ == parent
    for kind in (ImagemillError, builtin):
        with pytest.raises(kind, match="expected X, got Y"):
            raise error("expected X, got Y")


def test_every_error_is_in_the_tree_and_in_its_drawing():
    defined = {n for n, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__}
    assert defined == {*TREE, "ImagemillError"}
    drawn = dict(re.findall(r"(\w+) +\((\w+)\)", errors.__doc__))
    assert {n: b.__name__ for n, (parent, b) in TREE.items() if parent == "ImagemillError"} == drawn
    assert all(name in errors.__doc__ for name in TREE)
    assert all(getattr(errors, name).__doc__ for name in TREE)
