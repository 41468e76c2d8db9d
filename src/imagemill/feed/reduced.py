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
from imagemill.engine.plan import Matrices, Pass, Plan

__all__ = ["FACTORS", "factors_of", "on_reduced"]

FACTORS = (8, 4, 2)


def factors_of(plan: Plan) -> npt.NDArray[np.int64]:
    """By how much each sample may be decoded smaller: 1, 2, 4 or 8, ``[n]``.

    Only where the first thing that happens to the pixels is an averaging resample by one affine map; then it is the
    largest that leaves at least one decoded pixel for each pixel of the output.
    """
    whole = np.ones(plan.n, np.int64)
    first = plan.steps[0] if plan.steps else None
    if plan.axes != "yx" or not isinstance(first, Pass) or first.resample is None:
        return whole
    resample = first.resample
    order = 1 if resample.sampling.order is None else resample.sampling.order
    if not resample.sampling.antialias or order == 0 or not all(isinstance(k, Matrices) for k in resample.links):
        return whole
    matrix = resample.matrix
    if (matrix[:, 2] != (0.0, 0.0, 1.0)).any():
        return whole
    # Input pixels from one output pixel to the next, along each axis of the input.
    spans = np.sqrt((matrix[:, :2, :2] ** 2).sum(axis=2)).min(axis=1)
    for factor in reversed(FACTORS):
        # Rounding in a product of matrices must not decide: 2 is 2 also where it says 1.9999999.
        whole[spans >= factor * (1 - 1e-9)] = factor
    return whole


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
