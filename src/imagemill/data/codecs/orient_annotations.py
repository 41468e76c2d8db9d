"""Turning annotations the way EXIF turns their picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from imagemill.core.errors import InputError
from imagemill.data.codecs.channels import orient
from imagemill.data.records.instances import RLE, Instance

__all__ = ["orient_instances"]

_Turn = Callable[[float, float], tuple[float, float]]


def orient_instances(objects: Iterable[Instance], orientation: int, size: tuple[int, int]) -> tuple[Instance, ...]:
    """Move annotations that were made on the stored pixels onto the picture as it is seen.

    Parameters
    ----------
    objects : iterable of Instance
        Boxes and polygons in pixels from the outer corner, keypoints as indices, as `Instance` has them.
    orientation : int
        1 to 8, as EXIF numbers them; anything else counts as 1.
    size : tuple of int
        Height and width of the stored picture, before it is turned.

    Raises
    ------
    InputError
        When a mask has another size than the picture, or a polygon an odd number of values.

    Notes
    -----
    Source: CIPA DC-008 (EXIF 2.32), tag 0x0112. This is what `imagemill.data.codecs.channels.orient` does to pixels.

    Examples
    --------
    >>> annotation = Instance("cat", (0.0, 0.0, 2.0, 1.0))
    >>> orient_instances([annotation], 6, (10, 20))[0].box
    (9.0, 0.0, 1.0, 2.0)
    """
    if orientation not in range(2, 9):
        return tuple(objects)
    objects = tuple(objects)
    if odd := next((len(line) for annotation in objects for line in annotation.polygons if len(line) % 2), 0):
        raise InputError(
            f"expected an x and a y for every corner of a polygon, got {odd} numbers; mend that annotation"
        )
    # Edges count from the corner, so the far edge is at the length; pixel centres are half a pixel in from both.
    edges, centres = _turn(orientation, *size), _turn(orientation, size[0] - 1, size[1] - 1)
    return tuple(_oriented(annotation, orientation, size, edges, centres) for annotation in objects)


def _turn(orientation: int, height: float, width: float) -> _Turn:
    """Where the point (x, y) goes."""

    def turn(x: float, y: float) -> tuple[float, float]:
        far_x, far_y = width, height
        if orientation in (5, 6, 7, 8):
            x, y, far_x, far_y = y, x, far_y, far_x
        if orientation in (2, 3, 6, 7):
            x = far_x - x
        if orientation in (3, 4, 7, 8):
            y = far_y - y
        return x, y

    return turn


def _oriented(annotation: Instance, orientation: int, size: tuple[int, int], edges: _Turn, centres: _Turn) -> Instance:
    box = annotation.box
    if box is not None:
        (one, two), (three, four) = edges(box[0], box[1]), edges(box[0] + box[2], box[1] + box[3])
        box = (min(one, three), min(two, four), abs(three - one), abs(four - two))
    polygons = tuple(
        tuple(v for x, y in zip(line[::2], line[1::2], strict=True) for v in edges(x, y))
        for line in annotation.polygons
    )
    # A keypoint that was not labelled stands at 0, 0 and stays there.
    keypoints = tuple((*centres(x, y), seen) if seen or x or y else (x, y, seen) for x, y, seen in annotation.keypoints)
    return replace(
        annotation, box=box, polygons=polygons, keypoints=keypoints, rle=_runs(annotation.rle, orientation, size)
    )


def _runs(runs: RLE | None, orientation: int, size: tuple[int, int]) -> RLE | None:
    if runs is None:
        return None
    if (runs.height, runs.width) != size:
        got = f"{runs.height} x {runs.width}"
        raise InputError(f"expected a mask of {size[0]} x {size[1]} pixels like the picture, got {got}; correct one")
    values = np.repeat(np.arange(len(runs.counts)) % 2 == 1, runs.counts)
    turned = orient(values.reshape(runs.width, runs.height).T, orientation)
    flat = turned.T.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], ends, [flat.size]]))
    first = (0,) if flat.size and flat[0] else ()  # background comes first, even when there is none
    return RLE(turned.shape[0], turned.shape[1], (*first, *(int(n) for n in counts)))
