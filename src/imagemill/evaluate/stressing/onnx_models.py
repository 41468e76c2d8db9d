"""Models in ONNX files, run by onnxruntime on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.evaluate.stressing.opened import LAYOUTS, Opened, as_arrays, in_batches

__all__ = ["open_onnx"]

Array = npt.NDArray[Any]
_AT_ONCE = 256
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
}


def open_onnx(path: Path) -> Opened:
    """A file ``.onnx`` with one input, images.

    Raises
    ------
    InputError
    MissingExtra
        Without onnxruntime (extra ``onnx``).
    """
    runtime = require("onnxruntime", extra="onnx")
    try:
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has an error of its own for each thing that can be wrong
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"expected {path.name} to load in onnxruntime, got: {said}") from error
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise InputError(f"expected an ONNX model with one input, images, got {[one.name for one in inputs]}")
    if inputs[0].type not in _DTYPES:
        raise InputError(f"expected an ONNX model that takes {', '.join(_DTYPES)}, got {inputs[0].type}")
    size, *rest = (one if isinstance(one, int) and one > 0 else None for one in inputs[0].shape)
    name, dtype = inputs[0].name, _DTYPES[inputs[0].type]

    def some(batch: Array) -> list[Array]:
        return as_arrays(session.run(None, {name: batch}))

    def ask(batch: Array) -> list[Array]:
        return in_batches(some, batch, size or _AT_ONCE, fixed=size is not None)

    return Opened(path.stem, ask, "an ONNX model", LAYOUTS, tuple(rest), dtype)
