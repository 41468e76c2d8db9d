"""Images beside their label maps, as a pipeline and a loader take them: both are moved by the same draws."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from imagemill.core.targets import Image, Mask, Target
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import everyone
from imagemill.transforms.per_class import PerClass

__all__ = ["Scans", "axes_of", "moved"]

Array = npt.NDArray[Any]


def axes_of(images: Array) -> str:
    """The axes of one of the images ``[n, y, x, C]`` or ``[n, z, y, x, C]``."""
    return "yxc" if images.ndim == 4 else "zyxc"


class Scans:
    """Images with label maps, one item each; anything that takes a sequence of items can read them.

    Parameters
    ----------
    images : array ``[n, y, x, C]`` or ``[n, z, y, x, C]``
    label_maps : array ``[n, y, x]`` or ``[n, z, y, x]``, optional
        Class numbers.
    spacing : array ``[n, d]``, optional
        Distances of neighbouring pixels in millimetres, in the order of the axes: turns are rigid in the world.

    Examples
    --------
    >>> import numpy as np
    >>> scans = Scans(np.zeros((2, 8, 6, 1), np.uint8), np.ones((2, 8, 6), np.uint8))
    >>> len(scans), sorted(scans[0])
    (2, ['image', 'mask'])
    """

    def __init__(self, images: Array, label_maps: Array | None = None, spacing: Array | None = None) -> None:
        self.images, self.label_maps, self.spacing = images, label_maps, spacing
        self.axes = axes_of(images)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> dict[str, Target]:
        spacing = None if self.spacing is None else tuple(map(float, self.spacing[row]))
        found: dict[str, Target] = {"image": Image(self.images[row], self.axes, spacing)}
        if self.label_maps is not None:
            found["mask"] = Mask(self.label_maps[row], self.axes.removesuffix("c"))
        return found


def moved(
    pipeline: Pipeline,
    images: Array,
    label_maps: Array | None = None,
    spacing: Array | None = None,
    first: int = 0,
    epoch: int = 0,
) -> tuple[Array, Array | None]:
    """What a pipeline makes of all images, and of their label maps where there are any, in one epoch.

    Keys are the numbers of the images, counted from ``first``. What `PerClass` lists takes its turns.

    Examples
    --------
    >>> from imagemill.transforms.geometric.flip import Flip
    >>> import numpy as np
    >>> image = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1)
    >>> [made.tolist() for made in moved(Pipeline([Flip("x")], seed=0), image, image[..., 0])]
    [[[[[1], [0]], [[3], [2]]]], [[[1, 0], [3, 2]]]]
    """
    keys = range(first, first + len(images))
    # By their numbers as well, where a pipeline mixes images: then one may be alone.
    places = keys if pipeline.group > 1 else None
    how: dict[str, Any] = {"keys": keys, "epoch": epoch, "places": places}
    if pipeline.chooses:
        how["choose_by"] = _in_turn(pipeline, keys)
    if label_maps is None and images.ndim == 4:
        return pipeline.batch(images, **how).image, None
    items = [Scans(images, label_maps, spacing)[row] for row in range(len(images))]
    columns: dict[str, Any] = {name: [item[name] for item in items] for name in items[0]}
    made = pipeline.batch(**how, **columns)
    return made.image, made.mask if label_maps is not None else None


def _in_turn(pipeline: Pipeline, keys: range) -> list[str]:
    """A class for each image, so that all that a pipeline lists for one runs on some."""
    known = [name for one in everyone(pipeline.transforms) if isinstance(one, PerClass) for name in one.transforms]
    return [known[key % len(known)] for key in keys]
