"""A network of a few layers for small images, which learns much in few passes over them.

Source: Jordan (2024), "94% on CIFAR-10 in 3.29 seconds on a single GPU", arXiv 2404.00498, for the layers: a first one
that whitens patches and is not trained (Coates, Ng 2012), then convolution, pooling, convolution, three times, narrower
here; the answer of the strongest place, made small.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.extras import require

__all__ = ["SIDE", "prepared", "small_network"]

Array = npt.NDArray[Any]

SIDE = 32
"""Places along a side after the first layer, and pixels of the images without one that takes several at once."""
_NARROW, _WIDE = 24, 96
_DIRECTIONS = 24
"""Of patches that are kept at most, those that vary most."""
_LEAST = 5e-4
"""Added to each variance, in squares of deviations of the set."""
_PATCHES = 2000
"""Images whose patches are whitened."""
_ANSWER = 1 / 3


def _torch() -> Any:
    return require("torch", extra="torch")


def prepared(images: Array, mean: Array, deviation: Array) -> Any:
    """A tensor ``[n, C, y, x]`` of images ``[n, y, x, C]`` uint8, of mean 0 and deviation 1 over the set."""
    torch = _torch()
    # Colours stay last in memory, in which convolutions on a CPU take two thirds as long.
    values = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float()
    return (values - torch.from_numpy(mean).view(1, -1, 1, 1)) / torch.from_numpy(deviation).view(1, -1, 1, 1)


def small_network(images: Any, classes: int, seed: int) -> Any:
    """A network with weights drawn from a seed and a first layer that whitens patches of some images.

    Parameters
    ----------
    images : tensor ``[n, C, side, side]`` float32
        As `prepared` gives them; a side of 32, or of a multiple.
    classes : int
    seed : int

    Returns
    -------
    torch.nn.Module
        Takes ``[n, C, y, x]`` and gives ``[n, classes]``.
    """
    torch = _torch()
    nn = torch.nn
    filters = _whitening(images[:_PATCHES], max(1, images.shape[-1] // SIDE))
    first = _layer(nn.Conv2d, filters.shape[1], len(filters), filters.shape[-1], max(1, filters.shape[-1] // 2))
    layers = [first, nn.GELU()]
    inputs = len(filters)
    for outputs in (_NARROW, _WIDE, _WIDE):
        layers += [_layer(nn.Conv2d, inputs, outputs, 3, padding=1, bias=False), nn.MaxPool2d(2)]
        layers += [nn.BatchNorm2d(outputs), nn.GELU()]
        layers += [_layer(nn.Conv2d, outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.GELU()]
        inputs = outputs
    last = _layer(nn.Linear, inputs, classes, bias=False)
    _draw([one for one in [*layers, last] if isinstance(one, nn.Conv2d | nn.Linear)], seed)
    with torch.no_grad():
        last.weight.mul_(_ANSWER)
        first.weight.copy_(filters)
    first.weight.requires_grad_(requires_grad=False)
    network = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), last)
    return network.to(memory_format=torch.channels_last)


def _layer(kind: Any, *args: Any, **options: Any) -> Any:
    """A layer whose weights nobody has drawn yet."""
    return _torch().nn.utils.skip_init(kind, *args, **options)


def _draw(layers: list[Any], seed: int) -> None:
    """Draw the weights as PyTorch does, but from numbers of this network's own.

    PyTorch's are one row for all threads: networks made side by side would take numbers from each other.
    """
    torch = _torch()
    numbers = torch.Generator().manual_seed(seed)
    for layer in layers:
        torch.nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=numbers)
        if layer.bias is not None:
            bound = layer.weight[0].numel() ** -0.5
            torch.nn.init.uniform_(layer.bias, -bound, bound, generator=numbers)


def _whitening(images: Any, step: int) -> Any:
    """Filters ``[m, C, k, k]``: directions in which patches vary most, each brought to deviation 1, of both signs."""
    torch = _torch()
    side, channels = 2 * step, images.shape[1]
    patches = images.unfold(2, side, step).unfold(3, side, step).permute(0, 2, 3, 1, 4, 5)
    patches = patches.reshape(-1, channels * side * side).double()
    variances, axes = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (axes / torch.sqrt(variances.clamp(min=0) + _LEAST)).T[-_DIRECTIONS:].flip(0)
    filters = filters.reshape(-1, channels, side, side).float()
    return torch.cat([filters, -filters])
