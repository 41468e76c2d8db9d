"""Several files of one case as the channels of one image, such as the sequences of an MR examination."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, InputError
from imagemill.core.grids import values_onto
from imagemill.data.codecs.base import MAX_PIXELS, Picture, ReadOptions, check_pixels, problem
from imagemill.data.codecs.registry import decode
from imagemill.data.codecs.volumes.volume_header import volume_place
from imagemill.data.records.record import Pixels, Stored, split_suffix

__all__ = ["VOLUMES", "Channels", "as_channels"]

VOLUMES = (".nii.gz", ".nii", ".mgz", ".mgh", ".mha", ".mhd", ".nrrd", ".nhdr")
"""Suffixes of volumes with a place in the world."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Reads the files of one case and puts them side by side as channels."""

    case: str
    files: tuple[Path, ...]

    def __call__(self) -> np.ndarray[Any, Any]:
        first = decode(self.files[0], ReadOptions())
        arrays = [first.array]
        for path in self.files[1:]:
            picture = decode(path, ReadOptions())
            array = _on_grid(path, picture, first, self.files[0].name)
            if picture.axes != first.axes or array.shape != first.array.shape:
                got = f"{picture.axes} {array.shape}"
                expected = f"a channel of shape {first.array.shape} like {self.files[0].name}"
                raise problem(path, expected, got, "resample the channels of a case to one grid")
            arrays.append(array)
        return np.concatenate(arrays, axis=-1) if first.axes.endswith("c") else np.stack(arrays, axis=-1)


def _on_grid(path: Path, picture: Picture, first: Picture, name: str) -> np.ndarray[Any, Any]:
    """A channel on the grid of the first, where it takes no more than turning its axes over."""
    if picture.affine is None or first.affine is None or picture.axes != first.axes:
        return picture.array
    try:
        return values_onto(picture.array, picture.affine, first.spatial_shape, first.affine, f"channel {path.name}")
    except InputError as error:
        raise CodecError(f"{path}: {error} (the first is {name})") from error


def as_channels(case: str, files: tuple[Path, ...]) -> Pixels:
    """The image of one case: its file, or its files side by side as channels, read when they are needed.

    Parameters
    ----------
    case : str
        What errors call it.
    files : tuple of Path
        In the order of the channels, on one grid.

    Raises
    ------
    CodecError
        When the header of the first cannot be read.
    """
    if len(files) == 1:
        return files[0]
    axes, affine = "yxc", None
    if split_suffix(files[0])[1].lower() in VOLUMES:
        shape, affine = volume_place(files[0])
        check_pixels(files[0], shape, MAX_PIXELS)
        axes = "zyxc"
    elif split_suffix(files[0])[1].lower() in (".tif", ".tiff"):
        axes = decode(files[0], ReadOptions()).axes.removesuffix("c") + "c"
    return Stored(f"{case} ({len(files)} channels)", Channels(case, files), axes, affine)
