"""The networks for digits as models of Keras 3, by the names that the PyTorch ones have.

All take ``[n, y, x, C]`` float32 and give probabilities ``[n, classes]``; weights start as Keras starts them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, MissingExtra
from imagemill.core.extras import require
from imagemill.evaluate.runners.network_file import Network, Shape, network_of

__all__ = ["BACKENDS", "KERAS_NETWORKS", "keras_network", "keras_with"]

BACKENDS = ("tensorflow", "torch", "jax")
_VARIABLE = "KERAS_BACKEND"


def keras_with(backend: str | None = None) -> Any:
    """Keras, with the backend that is asked for: it is chosen when Keras is first imported, and for good.

    Parameters
    ----------
    backend : {"tensorflow", "torch", "jax"}, optional
        Left out: the one that ``KERAS_BACKEND`` or Keras's own settings name.

    Raises
    ------
    MissingExtra
        Without Keras, or without the backend.
    InputError
        When Keras runs on another backend already.
    """
    if backend is not None and "keras" not in sys.modules:
        os.environ[_VARIABLE] = backend
    try:
        keras = require("keras", extra="keras")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in BACKENDS:
            raise
        raise MissingExtra(
            f"expected the backend of Keras to be installed, but {error.name} is not; choose one that is, such as "
            "runner='keras-torch' or 'keras-jax', or name it in KERAS_BACKEND",
            name=error.name,
        ) from None
    runs = keras.backend.backend()
    if backend is not None and runs != backend:
        raise InputError(
            f"expected Keras on {backend}, got it on {runs} already; start a new process for another backend"
        )
    return keras


def _dense(*widths: int, dropout: tuple[float, ...] = ()) -> Callable[[Shape, int], Any]:
    def build(shape: Shape, classes: int) -> Any:
        keras = keras_with()
        layers: list[Any] = [keras.Input(shape), keras.layers.Flatten()]
        for place, width in enumerate(widths):
            layers.append(keras.layers.Dense(width, activation="relu"))
            if dropout:
                layers.append(keras.layers.Dropout(dropout[place]))
        return keras.Sequential([*layers, keras.layers.Dense(classes, activation="softmax")])

    return build


def _convolutional(*filters: int) -> Callable[[Shape, int], Any]:
    def build(shape: Shape, classes: int) -> Any:
        keras = keras_with()
        fewest = 3 * 2 ** len(filters)
        if min(shape[:2]) < fewest:
            raise InputError(
                f"expected images of at least {fewest} pixels a side for {len(filters)} convolutions, got "
                f"{shape[0]}x{shape[1]}; prepare them larger, or take the network 'dense'"
            )
        layers: list[Any] = [keras.Input(shape)]
        for count in filters:
            layers += [
                keras.layers.Conv2D(count, 3, activation="relu", data_format="channels_last"),
                keras.layers.MaxPooling2D(2, data_format="channels_last"),
                keras.layers.Dropout(0.25),
            ]
        return keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(classes, activation="softmax")])

    return build


KERAS_NETWORKS = {
    network.name: network
    for network in (
        Network("dense", _dense(512), said="one hidden layer of 512"),
        Network("dense-1024", _dense(1024), said="one hidden layer of 1,024"),
        Network("dense-deep", _dense(512, 512), said="two hidden layers of 512"),
        Network("dense-dropout", _dense(512, 512, dropout=(0.5, 0.25)), said="the same with dropout 0.5 and 0.25"),
        Network("cnn-16", _convolutional(16), said="16 filters of 3x3, pooling, dropout 0.25"),
        Network("cnn", _convolutional(16, 32), said="16 and 32 filters of 3x3, each with pooling and dropout 0.25"),
    )
}
"""Networks by the names that ``--model`` takes with a runner of Keras."""


def keras_network(model: str | Path | Network) -> Network:
    """A network of Keras by its name, or from a Python file whose ``build(shape, classes)`` gives a ``keras.Model``.

    Raises
    ------
    ParameterError, InputError
        See `network_of`.

    Examples
    --------
    >>> keras_network("cnn-16").said
    '16 filters of 3x3, pooling, dropout 0.25'
    """
    return network_of(model, KERAS_NETWORKS)
