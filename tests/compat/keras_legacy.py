"""Keras's own generator where it is installed, to compare with."""

from __future__ import annotations

import os
import sys
import warnings
from functools import cache
from typing import Any

import pytest


@cache
def _imported() -> Any:
    # The choice of whoever runs the tests stands; otherwise the backend that the tests' extra brings.
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import keras
            from keras.src.legacy.preprocessing import image
    except ImportError as error:
        return str(error)
    return keras, image


def legacy() -> Any:
    """The module, or a skip that says why."""
    found = _imported()
    if isinstance(found, str):
        pytest.skip(f"needs keras and a backend of it: {found}")
    return found[1]


def keras() -> Any:
    """The package, or a skip that says why."""
    found = _imported()
    if isinstance(found, str):
        pytest.skip(f"needs keras and a backend of it: {found}")
    return found[0]
