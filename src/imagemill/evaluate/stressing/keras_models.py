"""Models of Keras 3, on whichever backend is there."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.evaluate.runners.keras_networks import BACKENDS, keras_with
from imagemill.evaluate.stressing.opened import Opened, as_arrays

__all__ = ["of_keras", "open_keras"]

Array = npt.NDArray[Any]
_AT_ONCE = 256


def open_keras(path: Path) -> Opened:
    """A file ``.keras`` or ``.h5``, loaded in safe mode: one with code of its own (a Lambda layer) is refused.

    Raises
    ------
    InputError
    """
    if path.suffix != ".keras":
        require("h5py", extra="hdf5")
    keras = _keras()
    try:
        model = keras.saving.load_model(str(path), compile=False)
    except Exception as error:  # whatever Keras raises for layers it does not know or trust
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"expected {path.name} to load in Keras, got: {said}; layers of one's own need FILE.py with load()"
        ) from error
    return of_keras(model, path.stem)


def of_keras(model: Any, name: str) -> Opened:
    """A model in memory."""
    keras = require("keras", extra="keras")

    def ask(batch: Array) -> list[Array]:
        said = model.predict(batch, batch_size=_AT_ONCE, verbose=0)
        return as_arrays(said)

    shape: tuple[int | None, ...] = ()
    try:
        declared = model.input_shape
    except AttributeError:  # not built yet
        declared = None
    if isinstance(declared, tuple) and declared and not isinstance(declared[0], tuple | list):
        shape = tuple(None if one is None else int(one) for one in declared[1:])
    first = keras.config.image_data_format() == "channels_first"
    scaling = [layer.name for layer in getattr(model, "layers", []) if type(layer).__name__ in _SCALING]
    return Opened(
        name,
        ask,
        f"a Keras model on {keras.backend.backend()}",
        ("first", "last", "flat") if first else ("last", "first", "flat"),
        shape,
        rescales=f"its layer {scaling[0]}" if scaling else "",
    )


_SCALING = ("Rescaling", "Normalization")


def _keras() -> Any:
    """Keras, with a backend that is installed where the one that its settings name is not, and nobody chose one."""
    if "keras" in sys.modules or "KERAS_BACKEND" in os.environ:
        return keras_with()
    there = [name for name in BACKENDS if importlib.util.find_spec(name) is not None]
    return keras_with(None if not there or _named() in there else there[0])


def _named() -> str | None:
    """The backend that the user's settings of Keras name; Keras writes them itself, with its own choice."""
    path = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "keras.json"
    try:
        named = json.loads(path.read_text("utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):  # none, or damaged: Keras has its own word for that
        return None
    return str(named)
