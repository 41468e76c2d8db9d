"""The input that explain and lint plan for: a file's, or one that is described."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

import imagemill as im
from imagemill.data import ReadOptions, load_picture

__all__ = ["Input", "read_input", "read_some"]


@dataclass(frozen=True, slots=True)
class Input:
    """Shape, axes, dtype and spacing of an input.

    Parameters
    ----------
    shape : tuple of int
    axes : str or None
    dtype : str
    spacing : tuple of float or None
        Millimetres, for scans.
    key : str or int
        Whose draws are shown.
    note : str
        Where all this is from.
    """

    shape: tuple[int, ...]
    axes: str | None
    dtype: str
    spacing: tuple[float, ...] | None = None
    key: str | int = 0
    note: str = ""


def read_input(src: Path | None, shape: str | None, axes: str | None, dtype: str) -> Input | None:
    """Read what the command line says about the input; None when it says nothing.

    Raises
    ------
    ImagemillError
        When it cannot be understood, or the file not read.
    """
    if src is not None:
        if shape is not None:
            raise im.InputError(f"expected a source or a shape, got {src} and --shape {shape}; drop one of them")
        return _read(next(iter(im.open_source(src))), axes)
    return None if shape is None else _described(shape, axes, dtype)


def read_some(src: Path, axes: str | None, most: int) -> tuple[list[Input], list[str], int]:
    """Inputs from all over a source, why some could not be read, and how many there are.

    Parameters
    ----------
    src : Path
    axes : str or None
        Of the stored arrays, where files do not say them.
    most : int
        How many to read, spread evenly.
    """
    source = im.open_source(src)
    step = max(1, -(-len(source) // most))
    read, troubles = [], []
    for record in islice(source, 0, None, step):
        try:
            read.append(_read(record, axes))
        except im.ImagemillError as error:
            troubles.append(str(error))
    return read, troubles, len(source)


def _read(record: im.Record, axes: str | None) -> Input:
    picture = load_picture(record.image, ReadOptions(axes=axes))
    spacing = None
    if picture.affine is not None:
        spacing = tuple(float(edge) for edge in np.linalg.norm(picture.affine[:-1, :-1], axis=0))
    note = f"{record.key}: {picture.note}" if picture.note else record.key
    return Input(picture.array.shape, picture.axes, picture.array.dtype.name, spacing, record.key, note)


def _described(shape: str, axes: str | None, dtype: str) -> Input:
    try:
        lengths = tuple(int(word) for word in shape.replace("x", ",").split(","))
    except ValueError:
        lengths = ()
    if not lengths or min(lengths) < 1:
        raise im.InputError(f"expected a shape such as 375,500,3, got {shape!r}; write whole numbers and commas")
    try:
        name = np.dtype(dtype).name
    except TypeError:
        raise im.InputError(f"expected a dtype such as uint8 or float32, got {dtype!r}; write its name") from None
    return Input(lengths, axes, name)
