"""Which channels of an image are colours, and how a colour matrix is laid over them.

Four channels of a picture mean RGBA: three colours and an alpha channel that colour leaves alone. Any other
number of channels, and any channels of a volume, are all colour. Whether three channels are red, green and blue
is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import ChannelMix

Numbers: TypeAlias = "float | Sequence[float] | npt.NDArray[np.number[Any]]"
"""One number, or one for each channel."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luma: ITU-R BT.601."""
_LUMA = np.array(LUMA)
_LUMA.flags.writeable = False


def colours(frame: Frame) -> int:
    """How many of the frame's leading channels are colours."""
    return 3 if frame.channels == 4 and frame.ndim == 2 else frame.channels


def luma_weights(count: int) -> Floats:
    """Weights ``[c]`` that make one gray of ``c`` colours: BT.601 for three, equal ones otherwise."""
    return _LUMA if count == 3 else np.full(count, 1.0 / count)


def per_channel(column: Floats, count: int) -> Floats:
    """The same value for each of ``c`` channels: ``[n]`` to ``[n, c]``."""
    return np.repeat(column[:, None], count, axis=1)


def linear(matrices: Floats) -> ChannelMix:
    """Matrices ``[n, c, c]`` as a mix without offset."""
    n, c, _ = matrices.shape
    padded = np.zeros((n, c, c + 1))
    padded[:, :, :c] = matrices
    return ChannelMix(padded)


def needs_rgb(frame: Frame, who: str) -> None:
    """Refuse a frame whose colours are not three.

    Raises
    ------
    ParameterError
    """
    if colours(frame) != 3:
        raise ParameterError(
            f"expected {who} to get 3 colour channels (RGB, or RGBA with its alpha), got {frame.channels}; "
            "leave it out or read the images as RGB"
        )


def on_rgb(frame: Frame, who: str, make: Callable[[], Floats]) -> ChannelMix:
    """Matrices ``[n, 3, 3]`` that leave grays alone, laid over red, green and blue; a gray image is left as it is.

    Raises
    ------
    ParameterError
        When the frame has neither 1 nor 3 colours.
    """
    if colours(frame) == 1:
        return ChannelMix.diagonal(np.ones((frame.n, 1)))
    needs_rgb(frame, who)
    return on_colours(frame, lambda _: linear(make()))


def on_colours(frame: Frame, make: Callable[[int], ChannelMix]) -> ChannelMix:
    """A mix of the frame's colour channels, laid over all its channels.

    Parameters
    ----------
    frame : Frame
    make : callable
        Gives the mix for a number of colours.

    Returns
    -------
    ChannelMix of ``frame.channels`` channels; an alpha channel gets an identity row and no share in the rest.
    """
    count, total = colours(frame), frame.channels
    mix = make(count)
    if count == total:
        return mix
    n = len(mix.matrix)
    matrix = np.tile(np.eye(total, total + 1), (n, 1, 1))
    matrix[:, :count, :count] = mix.matrix[:, :, :count]
    matrix[:, :count, total] = mix.matrix[:, :, count]
    pivot = None
    if mix.pivot is not None:
        pivot = np.zeros((n, total, total))
        pivot[:, :count, :count] = mix.pivot
    return ChannelMix(matrix, pivot, mix.leaves_range)


def numbers(*, low: float = -np.inf, above: float | None = None) -> Callable[[str, Any], Any]:
    """A check for one fixed number or a list of them, stored as a tuple of floats."""

    def check(name: str, value: Any) -> Any:
        listed = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        listed = listed if isinstance(listed, list | tuple) else (listed,)
        floor = low if above is None else above
        bound = f"above {floor:g}" if above is not None else f"of at least {floor:g}" if np.isfinite(low) else ""
        for v in listed:
            real = isinstance(v, int | float | np.number) and not isinstance(v, bool) and bool(np.isfinite(v))
            if not real or v < low or (above is not None and v <= above):
                raise ParameterError(f"expected {name} to hold finite numbers{bound and ' ' + bound}, got {value!r}")
        if not listed:
            raise ParameterError(f"expected {name} to hold at least one number, got {value!r}")
        return tuple(float(v) for v in listed)

    return check
