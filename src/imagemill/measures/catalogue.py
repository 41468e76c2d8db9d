"""All measures with their units, and taking all of them of many images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from imagemill.measures.centre_of_mass import centre_of_mass
from imagemill.measures.colour_cast import colour_cast
from imagemill.measures.edge_sharpness import edge_sharpness
from imagemill.measures.gray_values import as_gray, as_shares
from imagemill.measures.noise_level import noise_level
from imagemill.measures.object_polarity import object_polarity
from imagemill.measures.object_size import object_size
from imagemill.measures.object_weights import background, object_weights
from imagemill.measures.principal_axis import principal_axis
from imagemill.measures.stroke_width import stroke_width
from imagemill.measures.tone import mean_brightness, rms_contrast

__all__ = ["MEASURES", "Measure", "Quantity", "measured"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Reads = Literal["shares", "gray", "weights"]
Scale = Literal["difference", "ratio", "angle", "sign"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of an image, and what a change of it means.

    Parameters
    ----------
    name, unit : str
    scale : {"difference", "ratio", "angle", "sign"}
        How two values are compared: by how much, by what factor, as axes modulo half a turn, as signs.
    tolerance : float
        The smallest change that is worth a transform, in the unit; of a ratio as a share (0.1 is 10 %), of signs as the
        share of images.
    grid : bool
        Whether it depends on how many pixels an image has, so that images of two sizes cannot be compared.
    """

    name: str
    unit: str
    scale: Scale
    tolerance: float
    grid: bool = False


@dataclass(frozen=True, slots=True)
class Measure(Quantity):
    """A quantity that is measured of pixels.

    Parameters
    ----------
    reads : {"shares", "gray", "weights"}
        What ``take`` is given of the images.
    take : callable
        To one number an image; NaN where an image has none.
    """

    reads: Reads = field(kw_only=True)
    take: Callable[[Floats], Floats] = field(kw_only=True)


MEASURES: tuple[Measure, ...] = (
    Measure("polarity", "sign", "sign", 0.1, reads="weights", take=object_polarity),
    Measure("size", "of the frame", "ratio", 0.08, reads="weights", take=object_size),
    Measure("turn", "degrees", "angle", 5.0, reads="weights", take=principal_axis),
    Measure("position y", "of the frame", "difference", 0.02, reads="weights", take=lambda w: centre_of_mass(w)[:, 0]),
    Measure("position x", "of the frame", "difference", 0.02, reads="weights", take=lambda w: centre_of_mass(w)[:, 1]),
    Measure("brightness", "of white", "ratio", 0.15, reads="gray", take=mean_brightness),
    Measure("contrast", "of white", "ratio", 0.15, reads="gray", take=rms_contrast),
    Measure("background", "of white", "difference", 0.05, reads="gray", take=background),
    Measure("red cast", "stops", "difference", 0.1, reads="shares", take=lambda s: colour_cast(s)[:, 0]),
    Measure("blue cast", "stops", "difference", 0.1, reads="shares", take=lambda s: colour_cast(s)[:, 1]),
    Measure("stroke width", "of the frame", "ratio", 0.15, reads="weights", take=stroke_width),
    Measure("sharpness", "", "difference", 0.05, grid=True, reads="gray", take=edge_sharpness),
    Measure("noise", "of white", "difference", 0.01, grid=True, reads="gray", take=noise_level),
)
"""Every measure, in the order in which gaps are closed: what changes others' values comes first."""

_PIXELS = 1 << 20
"""Of the images that are measured at a time."""


def measured(images: Array, progress: Callable[[int], None] | None = None) -> dict[str, Floats]:
    """Every measure of every image.

    Parameters
    ----------
    images : array ``[n, y, x, C]``
    progress : callable, optional
        Told how many images were measured, after each block of them.

    Returns
    -------
    dict of str to array ``[n]``
        Colour casts for images of three colours only.

    Examples
    --------
    >>> image = np.zeros((1, 9, 9, 1), np.uint8)
    >>> image[0, 3:6, 5:8] = 255
    >>> found = measured(image)
    >>> round(float(found["position x"][0]), 3), found["polarity"].item()
    (0.222, 1.0)
    """
    chosen = [m for m in MEASURES if m.reads != "shares" or images.shape[-1] in (3, 4)]
    block = max(1, _PIXELS // max(1, int(np.prod(images.shape[1:3]))))
    found: dict[str, list[Floats]] = {m.name: [] for m in chosen}
    for start in range(0, len(images), block):
        shares = as_shares(images[start : start + block])
        gray = as_gray(shares)
        held = {"shares": shares, "gray": gray, "weights": object_weights(gray)}
        for measure in chosen:
            found[measure.name].append(measure.take(held[measure.reads]))
        if progress is not None:
            progress(min(start + block, len(images)))
    return {name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in found.items()}
