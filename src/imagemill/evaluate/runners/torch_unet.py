"""Small U-Nets: a class for every pixel of images and volumes. PyTorch.

They take ``[n, C, (z,) y, x]`` float32 and give ``[n, classes, (z,) y, x]`` logits, for frames of any size.
"""

from __future__ import annotations

from typing import Any

from imagemill.core.errors import InputError
from imagemill.core.extras import require

__all__ = ["halvings", "unet", "unet_of_slices"]

Shape = tuple[int, ...]
_LEVELS = 3
_SHORTEST = 8
"""An axis of fewer pixels than this is not halved: thick slices keep their number."""


def halvings(spatial: Shape, levels: int = _LEVELS) -> list[Shape]:
    """By how much each axis is pooled at each level: 2, or 1 where it is short already.

    Examples
    --------
    >>> halvings((10, 96, 96))
    [(2, 2, 2), (1, 2, 2), (1, 2, 2)]
    """
    found, sides = [], list(spatial)
    for _ in range(levels):
        steps = tuple(2 if side >= _SHORTEST else 1 for side in sides)
        if max(steps) == 1:
            break
        found.append(steps)
        sides = [-(-side // step) for side, step in zip(sides, steps, strict=True)]
    return found


def unet(shape: Shape, classes: int) -> Any:
    """A U-Net of three levels: 16 to 128 filters for images, 8 to 64 for volumes, with instance normalisation.

    Parameters
    ----------
    shape : tuple of int
        ``(channels, y, x)``, or ``(channels, z, y, x)`` for convolutions in three dimensions.
    classes : int
        With the background.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    InputError
        For images of under 8 pixels a side.

    Notes
    -----
    Source: Ronneberger, Fischer, Brox (2015), "U-Net: convolutional networks for biomedical image segmentation",
    MICCAI; Cicek et al. (2016), "3D U-Net", MICCAI, for volumes. Convolutions keep the size here. Ulyanov, Vedaldi,
    Lempitsky (2016), "Instance normalization", for batches of few.
    """
    torch = require("torch", extra="torch")
    nn, functional = torch.nn, torch.nn.functional
    spatial = shape[1:]
    kind = len(spatial)
    steps = halvings(spatial)
    if not steps:
        raise InputError(f"expected images of 8 pixels a side or more for a U-Net, got {spatial}; prepare them larger")
    convolution, normal = getattr(nn, f"Conv{kind}d"), getattr(nn, f"InstanceNorm{kind}d")
    upwards, pool = getattr(nn, f"ConvTranspose{kind}d"), getattr(nn, f"MaxPool{kind}d")
    first = 16 if kind == 2 else 8
    widths = [first * 2**level for level in range(len(steps) + 1)]

    def twice(inputs: int, outputs: int) -> Any:
        layers: list[Any] = []
        for channels in (inputs, outputs):
            layers += [convolution(channels, outputs, 3, padding=1), normal(outputs, affine=True), nn.ReLU()]
        return nn.Sequential(*layers)

    # What every axis has to be a multiple of, so that it can be halved and put together again.
    multiples = [1] * kind
    for step in steps:
        multiples = [a * b for a, b in zip(multiples, step, strict=True)]

    class UNet(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            ends = list(zip([shape[0], *widths[:-1]], widths, strict=True))
            self.down = nn.ModuleList(twice(*end) for end in ends)
            self.pools = nn.ModuleList(pool(step, step) for step in steps)
            pairs = list(zip(widths[:0:-1], widths[-2::-1], reversed(steps), strict=True))
            self.ups = nn.ModuleList(upwards(wide, narrow, step, step) for wide, narrow, step in pairs)
            self.joins = nn.ModuleList(twice(2 * narrow, narrow) for _, narrow, _ in pairs)
            self.last = convolution(widths[0], classes, 1)

        def forward(self, x: Any) -> Any:
            sides = x.shape[2:]
            missing = [-side % multiple for side, multiple in zip(sides, multiples, strict=True)]
            # The last axis is padded first: that is the order in which torch is told.
            x = functional.pad(x, [end for more in reversed(missing) for end in (0, more)])
            kept = []
            for place, layer in enumerate(self.down):
                x = layer(x)
                if place < len(self.pools):
                    kept.append(x)
                    x = self.pools[place](x)
            for up, join in zip(self.ups, self.joins, strict=True):
                x = join(torch.cat([kept.pop(), up(x)], 1))
            return self.last(x)[(..., *(slice(side) for side in sides))]

    return UNet()


def unet_of_slices(shape: Shape, classes: int) -> Any:
    """The U-Net for images on every slice of a volume: where slices are far apart, or time is short.

    What it gives is a whole volume again, so that volumes, and no slices, are what is counted.

    Raises
    ------
    InputError
        For images that are no volumes.
    """
    nn = require("torch", extra="torch").nn
    if len(shape) != 4:
        raise InputError(f"expected volumes [n, z, y, x] for slices, got images of {shape[1:]}; take the model 'unet'")

    class Slices(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.of_slice = unet((shape[0], *shape[2:]), classes)

        def forward(self, x: Any) -> Any:
            found = self.of_slice(x.transpose(1, 2).flatten(0, 1))
            return found.unflatten(0, (x.shape[0], x.shape[2])).transpose(1, 2)

    return Slices()
