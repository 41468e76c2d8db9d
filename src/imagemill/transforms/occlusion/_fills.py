"""What stands where a part of an image is hidden."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame, Ints
from imagemill.core.image_ops import Erase
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Read
from imagemill.transforms.base import option
from imagemill.transforms.colour._channels import Numbers, colours, numbers
from imagemill.transforms.geometric._common import whole_number

Fill: TypeAlias = "Read[Literal['mean', 'noise'] | Numbers, str | tuple[float, ...]]"
"""A word, one value, or one for each colour channel."""

_WORDS = ("mean", "noise")


def _fill(name: str, value: Any) -> Any:
    if isinstance(value, str):
        if value not in _WORDS:
            raise ParameterError(
                f"expected {name} to be 'mean', 'noise', a value or one for each channel, got {value!r}"
            )
        return value
    return numbers()(name, value)


def fill_option() -> Any:
    """The ``fill`` setting."""
    return option(0.0, check=_fill)


def mask_fill_option() -> Any:
    """The ``mask_fill`` setting: None leaves label maps as they are."""
    return option(None, check=whole_number())


def values_of(fill: tuple[float, ...], frame: Frame, shown: str) -> Floats:
    """Values for each colour channel, ``[n, c]``."""
    count = colours(frame)
    if len(fill) not in (1, count):
        raise ParameterError(
            f"expected {shown} to hold 1 or {count} values, one for each colour channel, got {len(fill)}; "
            "give one for each"
        )
    return np.tile(np.resize(np.asarray(fill), count), (frame.n, 1))


def erase(boxes: Ints, draws: Draws, frame: Frame, fill: str | tuple[float, ...], shown: str, **how: Any) -> Erase:
    """Boxes filled as a transform's settings say."""
    count = colours(frame)
    if isinstance(fill, str):
        return Erase(boxes, count, fill, stream=draws.stream() if fill == "noise" else None, **how)
    return Erase(boxes, count, "value", values_of(fill, frame, shown), **how)
