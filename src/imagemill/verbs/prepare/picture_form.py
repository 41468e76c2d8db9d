"""The form that all pictures of a store have: one size, one type, channels or none."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, InputError, MissingExtra, SourceError
from imagemill.data.codecs.base import Picture
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.further_rasters import map_names
from imagemill.data.records.loading import load_picture
from imagemill.verbs.prepare.common_frame import read_size
from imagemill.verbs.prepare.fitting import Values, same_form, value_plan
from imagemill.verbs.prepare.parameters import Parameters

__all__ = ["Form", "check_form", "decide_form"]


@dataclass(frozen=True, slots=True)
class Form:
    """What every picture of a dataset has in common.

    Parameters
    ----------
    shape : tuple of int
        With channels last, where there are any.
    axes : str
    values : Values
    masks, objects : bool
        Whether there are label maps and annotations.
    maps : tuple of str
        Names of the maps of numbers that every record has, such as depth.
    """

    shape: tuple[int, ...]
    axes: str
    values: Values
    masks: bool
    objects: bool
    maps: tuple[str, ...] = ()

    @property
    def spatial(self) -> tuple[int, ...]:
        """Lengths of the axes that are places."""
        return self.shape[: len(self.axes.removesuffix("c"))]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels."""
        return np.dtype(self.values.dtype)

    @property
    def image_bytes(self) -> int:
        """Of one picture."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    @property
    def mask_bytes(self) -> int:
        """Of one label map, in 32 bits until it is known how many are needed."""
        return int(np.prod(self.spatial)) * 4 if self.masks else 0

    @property
    def map_bytes(self) -> int:
        """Of one map of numbers, in single precision."""
        return int(np.prod(self.spatial)) * 4

    @property
    def slot_bytes(self) -> int:
        """Of all that belongs to one picture."""
        return self.image_bytes + self.mask_bytes + len(self.maps) * self.map_bytes

    def plain(self) -> dict[str, Any]:
        """As JSON holds it; without maps as before there were any, so that older stores are known again."""
        found: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        if not self.maps:
            del found["maps"]
        return found


def decide_form(source: Source, asked: Parameters) -> Form:
    """Look at the first picture that can be read: it says what all of them are to be.

    Raises
    ------
    SourceError
        When none can be read.
    InputError
        When what is asked does not fit it.
    """
    problem: Exception | None = None
    for record in source:
        try:
            picture = same_form(load_picture(record.image, asked.read))
        except MissingExtra:
            raise
        except CodecError as error:  # it is met again in the run, which does with it what was asked for
            problem = problem or error
            continue
        values = value_plan(asked.dtype, asked.normalize, standardized=asked.standardize != "none", first=picture)
        if asked.standardize != "none" and values.dtype.startswith("u"):
            msg = f"expected a floating dtype for standardize={asked.standardize!r}, got {values.dtype!r}"
            raise InputError(f"{msg}; choose dtype='float32', or leave it out and use the statistics when loading")
        spatial = read_size(asked.size, picture.spatial_shape)
        channels = () if picture.channels is None else (picture.channels,)
        masks = any(r.mask is not None for r in source)
        objects = any(r.objects is not None for r in source)
        maps = map_names(source)
        return Form((*spatial, *channels), picture.axes, values, masks, objects and len(spatial) == 2, maps)
    raise SourceError(f"expected an image that can be read in {source.root}, got none of {len(source)}: {problem}")


def check_form(picture: Picture, asked: Parameters, form: Form) -> None:
    """Refuse a picture that does not fit the others.

    Raises
    ------
    CodecError
        Naming what to pass so that all of them fit.
    """
    if picture.axes != form.axes:
        do = "pass channels='rgb' (or 'gray')" if picture.axes[0] == form.axes[0] else "prepare them apart"
        raise CodecError(f"expected axes {form.axes!r} like the first picture, got {picture.axes!r}; {do}")
    channels = form.shape[len(form.spatial) :]
    if channels and picture.channels != channels[0]:
        msg = f"expected {channels[0]} channels like the first picture, got {picture.channels}"
        raise CodecError(f"{msg}; pass channels='rgb' (or 'rgba', 'gray')")
    wanted = read_size(asked.size, picture.spatial_shape)
    if wanted != form.spatial:
        shown, got = (" x ".join(map(str, shape)) for shape in (form.spatial, wanted))
        raise CodecError(
            f"expected {shown} pixels like the first picture, got {got}; give a size for all axes, {_sized(form)}"
        )
    deeper = asked.dtype is None and form.values.dtype == "uint8" and picture.array.dtype.name not in ("uint8", "bool")
    if deeper:
        msg = f"expected 8 bits like the first picture, got {picture.array.dtype}"
        raise CodecError(f"{msg}; pass dtype='uint8' (or 'uint16', 'float32') for all")


def _sized(form: Form) -> str:
    lengths = ", ".join(map(str, form.spatial))
    return f"such as size=({lengths}) (--size {lengths.replace(' ', '')})"
