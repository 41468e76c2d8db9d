"""Compiling the kernels ahead of time, so that the first picture of a fresh machine or image does not wait for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import imagemill as im
from imagemill import (
    ColorJitter,
    Elastic,
    Flip,
    Gamma,
    Normalize,
    Perspective,
    Pipeline,
    Rescale,
    Resize,
    Rotate,
    Shift,
    ToDtype,
    ToLayout,
    Zoom,
    preset,
)
from imagemill.transforms import plain_declarations

__all__ = ["Job", "each_transform", "jobs", "run", "run_verbs"]

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
    for size, shape in _SIZES.items():
        # As classifiers of small pictures are trained: turned, moved and scaled, and left with channels last.
        moved = (Rotate((-15, 15)), Shift(fraction=(-0.1, 0.1)), Zoom({"y": (0.9, 1.1), "x": (0.9, 1.1)}), Flip("x"))
        for words, after in (("", ()), (" and coloured", (ColorJitter(hue=(-9, 9)),))):
            photo = np.zeros((*shape, 3), np.uint8)
            yield f"turned{words}, {size}", Pipeline((*moved, *after), seed=0), {"image": photo}
            yield f"turned{words}, {size}, floats", Pipeline((*moved, *after, Rescale()), seed=0), {"image": photo}
    yield (
        "cubic photo",
        Pipeline((Rotate((-9, 9), order=3), Resize((64, 64), order=3)), seed=0),
        {"image": np.zeros((120, 160, 3), np.uint8)},
    )
    # Shrunk enough to be averaged first.
    yield (
        "photo in perspective",
        Pipeline((Resize((64, 64)), Perspective()), seed=0),
        {"image": np.zeros((240, 320, 3), np.uint8)},
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


def each_transform() -> Iterator[Job]:
    """Every transform by itself, on a photo and on a scan: for wheels, whose making may take its time.

    Yields
    ------
    Job
        Not all of them run: some transforms ask for what their input has not.

    Examples
    --------
    >>> len({name for name, _, _ in each_transform()}) > 100
    True
    """
    photo = np.linspace(0, 255, 96 * 128 * 3).reshape(96, 128, 3).astype(np.uint8)
    scan = np.linspace(0, 1, 12 * 24 * 32, dtype=np.float32).reshape(12, 24, 32)
    for name, known in plain_declarations.declared().items():
        if name not in ("OneOf", "SomeOf", "Sequential"):  # which are made of others
            made = getattr(im, name)(**known["begin"])
            yield f"{name}, photo", Pipeline((made,), seed=0), {"image": photo, "mask": photo[..., 0] > 99}
            yield f"{name}, scan", Pipeline((made,), seed=0), {"image": scan, "mask": scan > 0.5, "axes": "zyx"}


def run(pipeline: Any, inputs: dict[str, Any]) -> None:
    """Call a pipeline and run a batch: small pictures go another way when they are alone."""
    pipeline(**inputs)
    columns: dict[str, Any] = {n: [v, v] for n, v in inputs.items() if n != "axes"}
    pipeline.batch(**columns, axes=inputs.get("axes"))


def run_verbs(folder: Path) -> None:
    """Audit, prepare and load a small made-up set of photos, all in this process.

    Parameters
    ----------
    folder : Path
        An empty one, for the photos and what becomes of them.
    """
    from PIL import Image

    photos, rng = folder / "photos", np.random.default_rng(0)
    for label in ("cat", "dog"):
        (photos / label).mkdir(parents=True)
        for k in range(24):
            rough = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
            rough.resize((200, 150), Image.Resampling.BICUBIC).save(photos / label / f"{k}.jpg", quality=95)
    im.audit(photos, workers=1)
    im.prepare(photos, folder / "store", size=64, workers=1)
    for _ in im.Loader(folder / "store", preset("photo", 48), batch_size=8, seed=0):
        pass
