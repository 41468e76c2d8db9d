"""Decoding photos no larger than they are needed.

The geometry is drawn from the sizes that the headers say. Where it shrinks the picture by 2 or more, the JPEG decoder
makes a picture of half, a quarter or an eighth the size in the first place (a transform of fewer coefficients,
which averages as it should), and the map that was drawn is read on that picture. What was drawn, the masks, the boxes
and the points stay what they are; pixel values differ a little from averaging the whole picture.

Source: ITU-T T.81 for the 8x8 blocks; k x k pixels are the inverse transform of the k x k lowest coefficients.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from imagemill.core.geometry import Floats, Ints
from imagemill.engine.plan import Matrices, Pass, Plan, Resample

__all__ = ["FACTORS", "factors_of", "on_reduced", "rows_of"]

FACTORS = (8, 4, 2)


def factors_of(plan: Plan) -> npt.NDArray[np.int64]:
    """By how much each sample may be decoded smaller: 1, 2, 4 or 8, ``[n]``.

    Only where the first thing that happens to the pixels is an averaging resample by one affine map; then it is the
    largest that leaves at least one decoded pixel for each pixel of the output.
    """
    whole = np.ones(plan.n, np.int64)
    resample = _first(plan)
    if resample is None or not resample.sampling.antialias or _order(resample) == 0:
        return whole
    # Input pixels from one output pixel to the next, along each axis of the input.
    spans = _spans(resample).min(axis=1)
    for factor in reversed(FACTORS):
        # Rounding in a product of matrices must not decide: 2 is 2 also where it says 1.9999999.
        whole[spans >= factor * (1 - 1e-9)] = factor
    return whole


def rows_of(plan: Plan, factors: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many rows of each photo, from the top, its output is made of, ``[n]``; all of them where that is not known.

    Parameters
    ----------
    plan : Plan
    factors : array of int, ``[n]``
        By how much smaller the photos are decoded.
    """
    heights = plan.in_shape[:, 0].astype(np.int64)
    resample = _first(plan)
    # Splines look at every pixel there is, and borders that mirror or repeat at those of the other end.
    if resample is None or _order(resample) > 1 or resample.sampling.border not in (None, "nearest", "constant"):
        return heights
    # The corners of the output, where an affine map has its extremes.
    far = (resample.shape - 1).astype(np.float64)
    y, x, at = resample.matrix[:, 0, 0] * far[:, 0], resample.matrix[:, 0, 1] * far[:, 1], resample.matrix[:, 0, 2]
    last = np.maximum(y, 0.0) + np.maximum(x, 0.0) + at
    # Averaging goes three steps of the output to either side at most; two more pixels are there for rounding.
    steps = np.ceil(np.maximum(_spans(resample)[:, 0] / factors, 1.0))
    found = np.clip(np.ceil(last + (3.0 * steps + 2.0) * factors) + 1.0, 1, heights)
    return found.astype(np.int64)


def _first(plan: Plan) -> Resample | None:
    """The resample by one affine map that is the first thing to happen to the pixels; None where another is."""
    first = plan.steps[0] if plan.steps else None
    if plan.axes != "yx" or not isinstance(first, Pass) or first.resample is None:
        return None
    resample = first.resample
    if not all(isinstance(link, Matrices) for link in resample.links):
        return None
    return None if (resample.matrix[:, 2] != (0.0, 0.0, 1.0)).any() else resample


def _order(resample: Resample) -> int:
    return 1 if resample.sampling.order is None else resample.sampling.order


def _spans(resample: Resample) -> Floats:
    spans: Floats = np.sqrt((resample.matrix[:, :2, :2] ** 2).sum(axis=2))
    return spans


def on_reduced(plan: Plan, factors: npt.NDArray[np.int64], shape: Ints) -> Plan:
    """The plan for images of which each pixel stands for a block of ``factors`` by ``factors``.

    Parameters
    ----------
    plan : Plan
        Of which :func:`factors_of` found the factors.
    factors : array of int, ``[n]``
    shape : array of int, ``[n, 2]``
        Of the images as they were decoded.
    """
    first = plan.steps[0]
    assert isinstance(first, Pass)
    assert first.resample is not None
    f = factors.astype(np.float64)
    scale: Floats = np.tile(np.eye(3), (plan.n, 1, 1))
    # Block k of f pixels has its centre at f k + (f - 1) / 2.
    scale[:, 0, 0] = scale[:, 1, 1] = 1.0 / f
    scale[:, 0, 2] = scale[:, 1, 2] = -0.5 * (f - 1.0) / f
    resample = replace(first.resample, links=(Matrices(scale @ first.resample.matrix),), in_shape=shape)
    return replace(plan, in_shape=shape, steps=(replace(first, resample=resample), *plan.steps[1:]))
