"""Compiling the kernels ahead of time, so that the first picture of a fresh machine or image does not wait for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from imagemill import Elastic, Gamma, Normalize, Pipeline, Rescale, Resize, Rotate, Shift, ToDtype, ToLayout, preset

__all__ = ["Job", "jobs"]

Job = tuple[str, Pipeline, dict[str, Any]]
"""What a user would call it, a pipeline, and what to run it on."""

_SIZES = {"small": (32, 40), "photo": (120, 160)}


def jobs() -> Iterator[Job]:
    """What has to run once so that the usual pipelines find their kernels compiled.

    Yields
    ------
    Job
        Small inputs: a kernel is compiled for types and ranks, not for sizes.

    Examples
    --------
    >>> len({name for name, _, _ in jobs()}) > 10
    True
    """
    last = (Normalize(0.5, 0.25), ToLayout("channels_first"))
    for (size, shape), channels, dtype in itertools.product(_SIZES.items(), (1, 3), ("uint8", "float32")):
        photo = np.zeros((*shape, channels), dtype)
        kind = f"{size} {'RGB' if channels == 3 else 'gray'} {dtype}"
        names = ("photo", "crops") if channels == 3 else ("gray",)
        for name in names:
            yield f"{name}, {kind}", Pipeline(preset(name, 64), seed=0), {"image": photo}
            yield f"{name}, {kind}, to network", Pipeline((*preset(name, 64), *last), seed=0), {"image": photo}
        mask = photo[..., 0].astype(np.uint8)
        with_mask = {"image": photo, "mask": mask}
        yield f"segmentation, {kind}", Pipeline(preset("segmentation", 64), seed=0), with_mask
        curves = Pipeline((Gamma((0.5, 2)), Elastic(), ToDtype("float32")), seed=0)
        yield f"elastic and gamma, {kind}", curves, with_mask
    yield (
        "cubic photo",
        Pipeline((Rotate((-9, 9), order=3), Resize((64, 64), order=3)), seed=0),
        {"image": np.zeros((120, 160, 3), np.uint8)},
    )
    # A box that is bent and cut at the frame, and a point, find their places by kernels of their own.
    annotated: dict[str, Any] = {
        "image": np.zeros((120, 160, 3), np.uint8),
        "boxes": [[-5, 20, 90, 100]],
        "keypoints": [[30, 40]],
    }
    yield "elastic, boxes and points", Pipeline((Shift(pixels=9), Elastic()), seed=0), annotated
    solid: dict[str, Any] = {"image": np.zeros((12, 24, 24), np.uint8), "boxes": [[2, 2, 2, 9, 20, 20]], "axes": "zyx"}
    yield "volume bent, boxes", Pipeline((Elastic(),), seed=0), solid
    for dtype in ("float32", "int16", "uint8"):
        volume = {"image": np.zeros((12, 24, 24), dtype), "mask": np.zeros((12, 24, 24), np.uint8), "axes": "zyx"}
        yield f"scan, {dtype}", Pipeline(preset("scan", 16), seed=0), volume
        turned = Pipeline((Rotate((-9, 9), plane="all"), Shift(pixels=(-2, 2)), Rescale("minmax")), seed=0)
        yield f"volume turned, {dtype}", turned, volume
        yield f"volume turned and bent, {dtype}", Pipeline((Rotate((-9, 9), plane="all"), Elastic()), seed=0), volume
