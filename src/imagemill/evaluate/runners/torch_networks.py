"""Networks to compare augmentations with: small ones for digits, a residual one for photos of 32x32, or one's own.

All are PyTorch modules that take ``[n, C, y, x]`` float32 and give ``[n, classes]`` logits. Weights start as Keras
starts them (Glorot uniform, zero biases), so that published figures of those networks are comparable.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.evaluate.runners.network_file import Network, Shape, network_of
from imagemill.evaluate.runners.torch_unet import unet, unet_of_slices

__all__ = ["NETWORKS", "Network", "network_named"]


def _torch() -> Any:
    return require("torch", extra="torch")


def _glorot(module: Any) -> Any:
    nn = _torch().nn
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return module


def _colour_last(module: Any) -> Any:
    """The same network with colours last in memory, in which convolutions and pooling on a CPU take two thirds as long.

    Not done to networks of others: ``view`` of what such a convolution gives is an error.
    """
    return module.to(memory_format=_torch().channels_last)


def _dense(*widths: int, dropout: tuple[float, ...] = ()) -> Callable[[Shape, int], Any]:
    def build(shape: Shape, classes: int) -> Any:
        nn = _torch().nn
        layers: list[Any] = [nn.Flatten()]
        inputs = shape[0] * shape[1] * shape[2]
        for place, width in enumerate(widths):
            layers += [nn.Linear(inputs, width), nn.ReLU()]
            if dropout:
                layers.append(nn.Dropout(dropout[place]))
            inputs = width
        return _glorot(nn.Sequential(*layers, nn.Linear(inputs, classes)))

    return build


def _convolutional(*filters: int) -> Callable[[Shape, int], Any]:
    def build(shape: Shape, classes: int) -> Any:
        nn = _torch().nn
        layers: list[Any] = []
        channels, height, width = shape
        for count in filters:
            # Pooling first: the same values as the other way round, and a quarter of the work for the rest.
            layers += [nn.Conv2d(channels, count, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Dropout(0.25)]
            channels, height, width = count, (height - 2) // 2, (width - 2) // 2
        if min(height, width) < 1:
            raise InputError(
                f"expected images of at least {3 * 2 ** len(filters)} pixels a side for {len(filters)} convolutions, "
                f"got {shape[1]}x{shape[2]}; prepare them larger, or take the network 'dense'"
            )
        return _colour_last(
            _glorot(nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, classes)))
        )

    return build


def _resnet18(width: int) -> Callable[[Shape, int], Any]:
    """ResNet-18 as it is used on 32x32: a first convolution of 3x3 without stride or pooling, of ``width`` filters.

    Source: He, Zhang, Ren, Sun (2016), "Deep residual learning for image recognition", CVPR.
    """

    def build(shape: Shape, classes: int) -> Any:
        nn = _torch().nn

        class Block(nn.Module):  # type: ignore[misc,name-defined]
            def __init__(self, inputs: int, outputs: int, stride: int) -> None:
                super().__init__()
                self.way = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
                    nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
                )  # fmt: skip
                self.past = nn.Identity()
                if stride != 1 or inputs != outputs:
                    self.past = nn.Sequential(
                        nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                    )

            def forward(self, x: Any) -> Any:
                return _torch().relu(self.way(x) + self.past(x))

        layers: list[Any] = [nn.Conv2d(shape[0], width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        inputs = width
        for outputs, stride in ((width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)):
            layers += [Block(inputs, outputs, stride), Block(outputs, outputs, 1)]
            inputs = outputs
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)]
        return _colour_last(nn.Sequential(*layers))

    return build


NETWORKS = {
    network.name: network
    for network in (
        Network("dense", _dense(512), said="one hidden layer of 512"),
        Network("dense-1024", _dense(1024), said="one hidden layer of 1,024"),
        Network("dense-deep", _dense(512, 512), said="two hidden layers of 512"),
        Network("dense-dropout", _dense(512, 512, dropout=(0.5, 0.25)), said="the same with dropout 0.5 and 0.25"),
        Network("cnn-16", _convolutional(16), said="16 filters of 3x3, pooling, dropout 0.25"),
        Network("cnn", _convolutional(16, 32), said="16 and 32 filters of 3x3, each with pooling and dropout 0.25"),
        Network("resnet18", _resnet18(64), "adam", said="ResNet-18 for images of about 32x32"),
        Network("resnet18-16", _resnet18(16), "adam", said="the same with a quarter of the filters of each layer"),
        Network("unet", unet, "adam", "a U-Net for label maps; of volumes in three dimensions", "segmentation"),
        Network("unet-slices", unet_of_slices, "adam", "a U-Net for every slice of volumes", "segmentation"),
    )
}
"""Networks by the names that ``--model`` takes."""


def network_named(model: str | Path | Network) -> Network:
    """A network by its name, or from a Python file.

    Parameters
    ----------
    model : str, Path or Network
        A name of `NETWORKS`, or a file that defines ``build(shape, classes)``; the file may name an ``OPTIMIZER``,
        ``"rmsprop"`` or ``"adam"`` (taken when it says nothing), and a ``TASK``, ``"classification"`` or
        ``"segmentation"``. The file is run, so run none that you do not trust.

    Returns
    -------
    Network

    Raises
    ------
    ParameterError
        For a name that is not there.
    InputError
        For a file that does not load, or does not define ``build``.

    Examples
    --------
    >>> network_named("cnn").said
    '16 and 32 filters of 3x3, each with pooling and dropout 0.25'
    """
    return network_of(model, NETWORKS)
