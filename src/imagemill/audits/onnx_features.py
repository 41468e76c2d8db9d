"""Features by a network in an ONNX file, run by onnxruntime on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.extras import require

__all__ = ["SCALES", "onnx_model"]

Array = npt.NDArray[Any]

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)

SCALES: dict[str, Callable[[Array], Array]] = {
    "imagenet": lambda images: (images / np.float32(255) - _MEAN) / _DEVIATION,
    "0..1": lambda images: images / np.float32(255),
    "-1..1": lambda images: images / np.float32(127.5) - np.float32(1),
    "0..255": lambda images: images,
}
"""How pixels are scaled for a network; the first is what most networks for photos were trained with."""


def onnx_model(path: Path) -> tuple[Callable[[Array], Array], int | None]:
    """A function of images ``[n, side, side, 3]`` uint8, and the side it asks for (None: any).

    An output of more than two axes is averaged over all but the first and the one of channels.

    Parameters
    ----------
    path : Path
        With one input, images, channels first or last. Where the file says in its metadata, under ``scale``, one of
        `SCALES`, pixels are scaled so, and like ImageNet's otherwise; those of a network for uint8 are left alone.

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
    shape = [one if isinstance(one, int) else None for one in inputs[0].shape]
    if len(inputs) != 1 or len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise InputError(
            f"expected {path.name} to take images [n, 3, y, x] or [n, y, x, 3], got {[one.shape for one in inputs]}"
        )
    if inputs[0].type not in ("tensor(float)", "tensor(uint8)"):
        raise InputError(f"expected {path.name} to take float32 or uint8, got {inputs[0].type}")
    name = session.get_modelmeta().custom_metadata_map.get("scale", "imagenet")
    if name not in SCALES:
        raise InputError(f"expected the scale in {path.name} to be one of {', '.join(SCALES)}, got {name!r}")
    first = shape[1] == 3
    high, wide = shape[2:4] if first else shape[1:3]
    if high != wide:
        raise InputError(f"expected {path.name} to take square images, got {high} x {wide}")
    floats = inputs[0].type == "tensor(float)"

    def ask(images: Array) -> Array:
        batch = SCALES[name](images.astype(np.float32)) if floats else images
        batch = np.ascontiguousarray(batch.transpose(0, 3, 1, 2) if first else batch)
        if shape[0] is None:
            found = session.run(None, {inputs[0].name: batch})[0]
        else:
            parts = [batch[at : at + shape[0]] for at in range(0, len(batch), shape[0])]
            found = np.concatenate([_filled(session, inputs[0].name, part, shape[0]) for part in parts])
        features: Array = np.asarray(found, np.float32)
        while features.ndim > 2:
            features = np.asarray(features.mean(axis=-1 if first else 1))
        return features

    return ask, high


def _filled(session: Any, name: str, part: Array, size: int) -> Array:
    """What a network of a fixed batch gives for fewer images."""
    whole = np.concatenate([part, np.zeros((size - len(part), *part.shape[1:]), part.dtype)])
    return np.asarray(session.run(None, {name: whole})[0])[: len(part)]
