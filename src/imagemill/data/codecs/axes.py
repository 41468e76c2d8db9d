"""Bringing stored axes into the order everything else relies on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imagemill.core.errors import InputError
from imagemill.data.codecs.base import AXES, Array, problem

__all__ = ["place_axes"]


def place_axes(path: Path, array: Array, axes: str) -> tuple[Array, str]:
    """Transpose an array whose axes are named to ``(z,) y, x (, c)``.

    Parameters
    ----------
    path : Path
        Named in errors.
    array : numpy.ndarray
        As it is stored.
    axes : str
        One letter of ``zyxc`` per axis of `array`, each at most once, ``y`` and ``x`` among them.

    Returns
    -------
    tuple
        The array in C order, and its axes in their new order.

    Examples
    --------
    >>> pixels, axes = place_axes(Path("a.npy"), np.zeros((3, 4, 6)), "cyx")
    >>> pixels.shape, axes
    ((4, 6, 3), 'yxc')
    """
    order = "".join(letter for letter in "zyxc" if letter in axes)
    if len(axes) != len(set(axes)) or sorted(order) != sorted(axes) or order not in AXES:
        msg = f"expected axes made of the letters z, y, x and c, with y and x, got {axes!r}"
        raise InputError(f'{msg}; write for example "cyx" for channels first')
    if len(axes) != array.ndim:
        got = f"shape {array.shape}"
        raise problem(path, f"{len(axes)} axes ({axes!r})", got, "name every stored axis, in stored order")
    return np.ascontiguousarray(np.transpose(array, [axes.index(letter) for letter in order])), order
