"""Opening a model: a file or an object of any framework, to one thing that answers."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.near_paths import near_path
from imagemill.evaluate.runners.recipe import Trained
from imagemill.evaluate.stressing.keras_models import of_keras, open_keras
from imagemill.evaluate.stressing.onnx_models import open_onnx
from imagemill.evaluate.stressing.opened import Opened
from imagemill.evaluate.stressing.torch_models import of_module, open_export, open_script

__all__ = ["opened"]

Array = npt.NDArray[Any]


def opened(model: Any) -> Opened:
    """Open a model.

    Parameters
    ----------
    model : str, Path or object
        A file: ``.keras``, ``.h5``; ``.pt2`` (``torch.export``), TorchScript (``.pt``, ``.pth``, ``.ts``); ``.onnx``;
        ``.py`` that defines ``load()``, giving any of the objects, or ``predict(images)``. An object: a
        ``torch.nn.Module``, a Keras model, an estimator of scikit-learn, what a runner trained, or a function from
        images ``[n, y, x, C]`` as they are stored to ``[n, classes]``.

    Raises
    ------
    InputError
        For a file that is none of these or does not load, and for objects that do not answer.
    """
    if isinstance(model, str | Path):
        return _file(Path(model))
    return _object(model, type(model).__name__)


def _file(path: Path) -> Opened:
    if path.is_dir():
        raise InputError(f"expected the file of a model, got the folder {path}; save it as .keras, .pt2 or .onnx")
    if not path.is_file():
        raise InputError(f"expected the file of a model, got no file {path}; {near_path(path)}")
    suffix = path.suffix.lower()
    if suffix == ".py":
        return _python(path)
    if suffix not in _FILES:
        trusted = (
            "; pickled files run code when they are loaded: write FILE.py with load()" if suffix in _PICKLED else ""
        )
        raise InputError(f"expected a model in a file {', '.join(_FILES)} or .py, got {path.name}{trusted}")
    return _FILES[suffix](path)


_PICKLED = (".pkl", ".pickle", ".joblib", ".sav")
_FILES: dict[str, Callable[[Path], Opened]] = {
    ".keras": open_keras,
    ".h5": open_keras,
    ".hdf5": open_keras,
    ".pt2": open_export,
    ".pt": open_script,
    ".pth": open_script,
    ".ts": open_script,
    ".onnx": open_onnx,
}


def _python(path: Path) -> Opened:
    """A file that makes the model; it is run, so run none that you do not trust."""
    try:
        found = runpy.run_path(str(path))
        load, predict = found.get("load"), found.get("predict")
        made = load() if callable(load) else predict
    except Exception as error:  # whatever the user's file raises is what to show
        raise InputError(f"expected {path} to load, got {type(error).__name__}: {error}; mend the file") from error
    if made is None:
        raise InputError(f"expected {path} to define load(), giving a model, or predict(images); got neither")
    return replace(_object(made, path.stem), name=path.stem)


def _object(model: Any, name: str) -> Opened:
    torch, keras = sys.modules.get("torch"), sys.modules.get("keras")
    # Keras before PyTorch: on that backend its models are modules as well.
    if keras is not None and isinstance(model, keras.Model):
        return of_keras(model, getattr(model, "name", name))
    if torch is not None and isinstance(model, torch.nn.Module):
        return of_module(model, name)
    if isinstance(model, Trained):
        if model.predict is None:
            raise InputError(f"expected a trained network, got the run {model.arm} that keeps none")
        return Opened(f"{model.arm}, seed {model.seed}", model.predict, "a trained network", stored=True)
    if hasattr(model, "fit") and (hasattr(model, "predict_proba") or hasattr(model, "predict")):
        return _estimator(model, name)
    if callable(model):
        called = getattr(model, "__name__", name)
        return Opened(name if called == "<lambda>" else called, model, "a function", stored=True)
    raise InputError(
        f"expected a model (a function from images to probabilities, a torch.nn.Module, a Keras model, an estimator of "
        f"scikit-learn, or a file), got {type(model).__name__}"
    )


def _estimator(model: Any, name: str) -> Opened:
    """An estimator of scikit-learn, which takes pixels in one row an image."""
    features = getattr(model, "n_features_in_", None)
    answers = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    known = getattr(model, "classes_", None)
    if known is not None and np.issubdtype(np.asarray(known).dtype, np.integer):
        numbers = np.asarray(known)
        if hasattr(model, "predict_proba") and numbers.tolist() != list(range(len(numbers))):
            raise InputError(
                f"expected an estimator of classes from 0 on, got {numbers.tolist()}; fit it on these numbers"
            )
    named = known is not None and np.asarray(known).dtype.kind in "UO" and hasattr(model, "predict_proba")
    return Opened(
        name,
        answers,
        "an estimator of scikit-learn",
        ("flat",),
        () if features is None else (int(features),),
        classes=tuple(map(str, np.asarray(known))) if named else (),
    )
