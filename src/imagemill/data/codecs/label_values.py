"""Turning whatever a mask was stored as into one channel of integers, without changing a label."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imagemill.data.codecs.base import Array, Picture, problem

__all__ = ["label_map", "smallest_integers"]

_LOSSY = ("jpeg", "avif", "heif")


def label_map(path: Path, picture: Picture) -> Picture:
    """Make a label map of a picture that was read with ``labels=True``.

    Raises
    ------
    CodecError
        When channels differ, or values are not whole numbers.
    """
    array = picture.array if picture.channels is None else _one_channel(path, picture)
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype.kind == "f":
        array = smallest_integers(path, array)
    note, meta = picture.note, picture.meta
    kind = str(meta.get("format"))
    if kind in _LOSSY and "of_labels" not in meta:
        lossy = f"{kind.upper()} is lossy: labels near edges may be wrong; store masks as PNG"
        note = f"{note}; {lossy}" if note else lossy
        meta = {**meta, "of_labels": lossy}
    axes = picture.axes.removesuffix("c")
    return Picture(np.ascontiguousarray(array), axes, picture.affine, meta, note)


def _one_channel(path: Path, picture: Picture) -> Array:
    """Drop a constant alpha, and take one of colour channels that are all equal."""
    array, count = picture.array, picture.array.shape[-1]
    if picture.axes.startswith("z") and count > 1:
        do = "give one label map per volume"
        raise problem(path, "a label map of one channel", f"{count} time points or channels", do)
    if count in (2, 4):
        alpha = array[..., -1]
        if np.any(alpha != alpha.flat[0]):
            do = "store class numbers, one channel"
            raise problem(path, "a label map of one channel", "alpha that varies", do)
        array = array[..., :-1]
    if np.any(array != array[..., :1]):
        do = "store class numbers, or give the table of colours by extra={'colours': 'FILE'}"
        raise problem(path, "a label map of one channel", f"{count} channels that differ", do)
    return np.ascontiguousarray(array[..., 0])


def smallest_integers(path: Path, array: Array) -> Array:
    """Turn whole numbers stored as floats into the smallest integer dtype that holds them.

    Examples
    --------
    >>> smallest_integers(Path("m.nii"), np.array([0.0, 300.0])).dtype
    dtype('uint16')
    """
    if not np.all(np.isfinite(array)):
        raise problem(path, "whole numbers as labels", "NaN or infinity", "write 0 where nothing is labelled")
    odd = array[array != np.rint(array)]
    if odd.size:
        got = f"{odd.size:,} others, such as {float(odd.flat[0]):g}"
        raise problem(path, "whole numbers as labels", got, "threshold it, or resample it with nearest")
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    for kind in (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.int64):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return array.astype(kind)
    raise problem(path, "labels that fit 64 bits", f"{low:g} to {high:g}", "renumber them")
