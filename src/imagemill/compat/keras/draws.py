"""Which numbers a picture gets: a function of seed, epoch and key alone.

Every parameter has a place of its own among a key's random numbers, so that switching brightness on does not change
the rotations, and two generators with the same seed (one for pictures, one for masks) move both alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats
from imagemill.core.ops import Bools
from imagemill.core.randomness import rng
from imagemill.engine.philox import philox4x32, uniforms

__all__ = ["Parameters", "Ranges", "epoch_order", "read_ranges", "read_shift", "read_zoom", "uniform_columns"]

Shift = float | int | tuple[float, ...]
_BLOCKS = 3
_ORDER_PLACE = 1


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """What a batch was given, one value a picture in each column ``[n]``; None where it was not asked for."""

    theta: Floats
    tx: Floats
    ty: Floats
    shear: Floats
    zx: Floats
    zy: Floats
    flip_horizontal: Bools
    flip_vertical: Bools
    channel_shift_intensity: Floats | None
    brightness: Floats | None

    def row(self, i: int) -> dict[str, Any]:
        """One picture's numbers by name."""
        columns = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: None if column is None else column[i].item() for name, column in columns}

    @classmethod
    def one(cls, given: Mapping[str, Any]) -> Parameters:
        """A batch of one picture, from numbers by name; what is missing changes nothing."""

        def number(name: str, rest: float) -> Floats:
            value = given.get(name, rest)
            if isinstance(value, str) or not np.isscalar(value) or not np.isfinite(value):
                raise ParameterError(f"expected {name} as a finite number, got {value!r}")
            return np.array([value], dtype=np.float64)

        def may(name: str) -> Floats | None:
            return None if given.get(name) is None else number(name, 0)

        flips = [np.array([bool(given.get(name, False))]) for name in ("flip_horizontal", "flip_vertical")]
        return cls(
            theta=number("theta", 0),
            tx=number("tx", 0),
            ty=number("ty", 0),
            shear=number("shear", 0),
            zx=number("zx", 1),
            zy=number("zy", 1),
            flip_horizontal=flips[0],
            flip_vertical=flips[1],
            channel_shift_intensity=may("channel_shift_intensity"),
            brightness=may("brightness"),
        )

    @property
    def still(self) -> bool:
        """Whether no picture is moved or turned over."""
        moves = self.theta.any() or self.tx.any() or self.ty.any() or self.shear.any()
        zooms = (self.zx != 1).any() or (self.zy != 1).any()
        return not (moves or zooms or self.flip_horizontal.any() or self.flip_vertical.any())


@dataclass(frozen=True, slots=True)
class Ranges:
    """Within what a generator draws; see :class:`ImageDataGenerator` for the meaning of each."""

    rotation: float
    width_shift: Shift
    height_shift: Shift
    shear: float
    zoom: tuple[float, float]
    channel_shift: float
    brightness: tuple[float, float] | None
    horizontal_flip: bool
    vertical_flip: bool

    @property
    def moving(self) -> bool:
        """Whether a picture may be moved or turned over."""
        turns = self.rotation or self.shear or self.horizontal_flip or self.vertical_flip
        shifts = (any(v) if isinstance(v, tuple) else v for v in (self.width_shift, self.height_shift))
        return bool(turns or self.zoom != (1, 1) or any(shifts))

    def draw(self, seed: int, epoch: int, keys: Sequence[Any], size: tuple[int, int], *, exact: bool) -> Parameters:
        """The numbers of a batch of pictures of one size (height, width).

        With ``exact`` the two shifts are exchanged, as they are in Keras 3.
        """
        u = uniform_columns(seed, epoch, keys)
        both_ways = 2 * u - 1
        width = _shift(self.width_shift, u[1], both_ways[1], u[2], size[1])
        height = _shift(self.height_shift, u[3], both_ways[3], u[4], size[0])
        low, high = self.zoom
        zooms = np.ones((2, u.shape[1])) if low == high == 1 else low + u[6:8] * (high - low)
        light = self.brightness
        return Parameters(
            theta=self.rotation * both_ways[0],
            tx=height if exact else width,
            ty=width if exact else height,
            shear=self.shear * both_ways[5],
            zx=zooms[0],
            zy=zooms[1],
            flip_horizontal=(u[8] < 0.5) & bool(self.horizontal_flip),
            flip_vertical=(u[9] < 0.5) & bool(self.vertical_flip),
            channel_shift_intensity=self.channel_shift * both_ways[10] if self.channel_shift else None,
            brightness=None if light is None else light[0] + u[11] * (light[1] - light[0]),
        )


def read_ranges(
    rotation: Any, width: Any, height: Any, shear: Any, zoom: Any, shift: Any, light: Any, across: Any, down: Any
) -> Ranges:
    """Ranges from what a user gave, in the order of the fields.

    Raises
    ------
    ParameterError
    """
    return Ranges(
        _number("rotation_range", rotation),
        read_shift("width_shift_range", width),
        read_shift("height_shift_range", height),
        _number("shear_range", shear),
        read_zoom(zoom),
        _number("channel_shift_range", shift),
        None if light is None else (_number("brightness_range", light[0]), _number("brightness_range", light[1])),
        across,
        down,
    )


def uniform_columns(seed: int, epoch: int, keys: Sequence[Any]) -> Floats:
    """Twelve uniform numbers for each key, ``[12, n]``."""
    return uniforms(seed, epoch, rng.hash_keys(keys), _BLOCKS)


def epoch_order(seed: int, epoch: int, keys: Sequence[Any]) -> npt.NDArray[np.int64]:
    """Positions of the keys in the order of an epoch: sorted by a random number that is each key's own."""
    generator = rng.Generator(seed, epoch, rng.hash_keys(keys), (0, 1), philox4x32)
    return np.argsort(rng.Draws(generator, _ORDER_PLACE).uniform(), kind="stable")


def _shift(asked: Shift, value: Floats, both_ways: Floats, sign: Floats, length: int) -> Floats:
    """Pixels along an axis of some length."""
    if isinstance(asked, float):
        found = asked * both_ways
        return found * length if asked < 1 else found
    choices = np.asarray(range(asked) if isinstance(asked, int) else asked, dtype=np.float64)
    if len(choices) == 0:
        return np.zeros_like(value)
    picked = choices[np.minimum((value * len(choices)).astype(np.int64), len(choices) - 1)]
    found = picked * np.where(sign < 0.5, -1.0, 1.0)
    return found * length if np.max(asked) < 1 else found


def read_shift(name: str, value: Any) -> Shift:
    """A shift range as it is used: a float, a whole number of pixels, or numbers to choose from.

    Raises
    ------
    ParameterError
    """
    found = np.asarray(value)
    if found.ndim > 1 or found.dtype.kind not in "iuf" or not np.isfinite(found).all():
        raise ParameterError(f"expected {name} as a number or a list of numbers, got {value!r}")
    if found.ndim == 1:
        return tuple(float(v) for v in found)
    if found.dtype.kind == "f" or found < 0:
        return float(found)
    return int(found)


def read_zoom(value: Any) -> tuple[float, float]:
    """A zoom range as a pair.

    Raises
    ------
    ParameterError
    """
    number = int | float | np.integer | np.floating
    if isinstance(value, number) and not isinstance(value, bool):
        return 1 - float(value), 1 + float(value)
    if isinstance(value, list | tuple | np.ndarray) and len(value) == 2 and all(isinstance(v, number) for v in value):
        return float(value[0]), float(value[1])
    raise ParameterError(f"`zoom_range` should be a float or a tuple or list of two floats, got {value!r}")


def _number(name: str, value: Any) -> float:
    if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not np.isfinite(value):
        raise ParameterError(f"expected {name} as a finite number, got {value!r}")
    return float(value)
