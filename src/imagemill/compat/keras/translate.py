"""A generator's settings as this library's own pipeline, to show, lint, save and go on from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.compat.keras.defaults import Array
from imagemill.compat.keras.draws import read_shift
from imagemill.core.errors import ParameterError
from imagemill.core.ranges import Choice
from imagemill.engine.tone_values import EPSILON
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.apply import Apply
from imagemill.transforms.colour.brightness import Brightness
from imagemill.transforms.colour.gain_offset import GainOffset
from imagemill.transforms.colour.normalize import Normalize
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.standardize import Standardize
from imagemill.transforms.colour.to_dtype import ToDtype
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shear import Shear
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.geometric.zoom import Zoom

__all__ = ["as_pipeline"]

_BORDERS = {
    "grid-constant": "constant",
    "grid-wrap": "wrap",
    "grid-mirror": "reflect",
}


def as_pipeline(generator: Any, seed: int | None = None) -> Pipeline:
    """The transforms a generator draws from, in its order, as a pipeline.

    The ranges are the same, the draws are not: other numbers belong to a seed. Zooms are uniform in the
    magnification, shears keep areas, brightness is not cut to whole values in between, and ``constant`` and ``wrap``
    are this library's borders. ``preprocessing_function``, ``rescale``, the samplewise and the featurewise
    normalisations follow, in the generator's order. A pipeline takes pictures with the channels last, or called with
    ``axes="cyx"``.

    Parameters
    ----------
    generator : ImageDataGenerator
    seed : int, optional
        The generator's own when left out.

    Raises
    ------
    ParameterError
        For what a pipeline cannot do: whitening, a zoom range that reaches 0, spline orders 2 and 4; and for a
        featurewise normalisation that nothing was learned for.
    """
    if generator.zca_whitening:
        raise ParameterError(
            "expected settings that a pipeline has, got zca_whitening=True; set generator.zca_whitening = False, "
            "and whiten the batches with generator.standardize()"
        )
    if generator.interpolation_order not in (0, 1, 3, 5):
        raise ParameterError(
            f"expected an interpolation_order of 0, 1, 3 or 5 for a pipeline, got {generator.interpolation_order}"
        )
    border = _BORDERS.get(generator.fill_mode, generator.fill_mode)
    how: dict[str, Any] = {"order": generator.interpolation_order, "border": border}
    if border == "constant":
        how["fill"] = float(generator.cval)
    found: list[Transform] = []
    if generator.rotation_range:
        found.append(Rotate((-abs(generator.rotation_range), abs(generator.rotation_range)), **how))
    for axis, name in (("x", "width_shift_range"), ("y", "height_shift_range")):
        found += _shift(axis, read_shift(name, getattr(generator, name)), how)
    if generator.shear_range:
        found.append(Shear((-abs(generator.shear_range), abs(generator.shear_range)), **how))
    low, high = sorted(generator.zoom_range)
    if (low, high) != (1, 1):
        if low <= 0:
            raise ParameterError(f"expected a zoom_range above 0 for a pipeline, got {generator.zoom_range}")
        # Theirs is how many input pixels an output pixel spans, ours how much larger things get.
        found.append(Zoom({axis: (1 / high, 1 / low) for axis in "yx"}, antialias=False, **how))
    if generator.channel_shift_range:
        most = abs(float(generator.channel_shift_range))
        found.append(GainOffset(1, (-most, most)))
    found += [Flip("x", p=0.5)] if generator.horizontal_flip else []
    found += [Flip("y", p=0.5)] if generator.vertical_flip else []
    if generator.brightness_range is not None:
        low, high = (float(max(v, 1e-6)) for v in generator.brightness_range)
        found.append(Brightness((low, high)))
    return Pipeline([*found, *_standardizing(generator)], seed=generator.seed if seed is None else seed)


def _standardizing(generator: Any) -> list[Transform]:
    """What the generator does to values in the end, in its order."""
    found: list[Transform] = []
    if generator.preprocessing_function is not None:
        function = _OnFloats(generator.preprocessing_function, generator.data_format == "channels_first")
        found += [ToDtype("float32"), Apply(function, function.name)]
    if generator.rescale:
        found.append(Rescale((0, 1 / float(generator.rescale))))
    centre, scale = generator.samplewise_center, generator.samplewise_std_normalization
    if centre or scale:
        found.append(Standardize(centre=bool(centre), scale=bool(scale), epsilon=EPSILON))
    centre, scale = generator.featurewise_center, generator.featurewise_std_normalization
    for asked, learned, name in (
        (centre, generator.mean, "featurewise_center"),
        (scale, generator.std, "featurewise_std_normalization"),
    ):
        if asked and learned is None:
            raise ParameterError(f"expected {name} to have learned from pictures, got none; call fit(pictures) first")
    if centre or scale:
        mean = np.ravel(generator.mean).tolist() if centre else 0.0
        std = (np.ravel(generator.std) + EPSILON).tolist() if scale else 1.0
        found.append(Normalize(mean, std, scale="none"))
    return found


@dataclass(frozen=True, slots=True)
class _OnFloats:
    """A preprocessing function as a pipeline calls it: single precision and channels last, in and out."""

    function: Callable[[Array], Any]
    channels_first: bool

    @property
    def name(self) -> str:
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    def __call__(self, x: Array) -> Array:
        given = np.moveaxis(x, -1, 0) if self.channels_first else x
        made = np.asarray(self.function(given.copy()), dtype=x.dtype)
        return np.moveaxis(made, 0, -1) if self.channels_first else made


def _shift(axis: str, asked: Any, how: dict[str, Any]) -> list[Transform]:
    """The shift along one axis, in pixels or as a share."""
    if isinstance(asked, float):
        most = abs(asked)
        spread: Any = (-most, most)
    else:
        choices = list(range(asked)) if isinstance(asked, int) else [abs(v) for v in asked]
        spread = Choice(tuple(sorted({float(sign * v) for v in choices for sign in (-1, 1)}))) if choices else 0
        most = max(choices, default=0)
    if most == 0:
        return []
    unit = "fraction" if most < 1 else "pixels"
    amount: dict[str, Any] = {unit: {axis: spread}}
    return [Shift(**amount, **how)]
