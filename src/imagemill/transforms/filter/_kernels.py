"""What filters share: kernels for a whole batch, each made for its sample alone, zeros about the smaller ones."""

from __future__ import annotations

import numpy as np

from imagemill.core.geometry import Floats, Frame
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import one_of, option
from imagemill.transforms.geometric._common import per_axis

UNITS = ("pixels", "millimetres")
TRUNCATE = 4.0
"""Standard deviations at which a Gaussian ends: scipy's."""


def unit_option() -> object:
    """The ``unit`` setting of a filter that has a width."""
    return option("pixels", check=one_of(*UNITS))


def widths(draws: Draws, value: object, field: str, unit: str, frame: Frame, rest: float) -> Floats:
    """A width along each axis in pixels, ``[n, d]``.

    In pixels one number stands for ``y`` and ``x``, in millimetres for all axes, each by its own spacing.
    """
    if unit == "pixels":
        return per_axis(draws, value, field, frame, "yx", rest, together=True)
    found = per_axis(draws, value, field, frame, frame.axes, 0.0, together=True) / frame.spacing
    return np.maximum(found, rest)


def gaussian(sigma: Floats) -> Floats:
    """Weights ``[n, k]`` of Gaussians, cut at four standard deviations.

    Examples
    --------
    >>> gaussian(np.array([0.5])).round(4).tolist()
    [[0.0003, 0.1065, 0.7866, 0.1065, 0.0003]]
    """
    reach = np.floor(TRUNCATE * sigma + 0.5)
    most = int(reach.max())
    place = np.arange(-most, most + 1.0)
    safe = np.where(sigma > 0, sigma, 1.0)[:, None]
    weights = np.where(np.abs(place) <= reach[:, None], np.exp(-0.5 * (place / safe) ** 2), 0.0)
    return summed_to_one(weights)


def box(width: Floats) -> Floats:
    """Weights ``[n, k]`` of averages over ``width`` pixels, the outermost counted by the part that is covered.

    Examples
    --------
    >>> box(np.array([2.0, 3.0])).round(3).tolist()
    [[0.25, 0.5, 0.25], [0.333, 0.333, 0.333]]
    """
    most = int(np.ceil((width.max() - 1) / 2))
    place = np.abs(np.arange(-most, most + 1.0))
    covered = np.clip(width[:, None] / 2 - (place - 0.5), 0.0, 1.0)
    covered[:, most] = np.minimum(width, 1.0)
    return summed_to_one(covered)


def line(length: Floats, degrees: Floats) -> Floats:
    """Weights ``[n, k, k]`` of a point that moves evenly along a line, shared out among the pixels nearest to it.

    Parameters
    ----------
    length : array, ``[n]``
        In pixels.
    degrees : array, ``[n]``
        Counter-clockwise from the right.
    """
    n, parts = len(length), 256
    most = int(np.ceil(length.max() / 2))
    side = 2 * most + 1
    along = ((np.arange(parts) + 0.5) / parts - 0.5) * length[:, None]
    angle = np.deg2rad(degrees)[:, None]
    # Rows count downwards. Sines of multiples of 180 degrees are not quite 0, and would leak into the next row.
    y, x = (np.round(v * along, 9) for v in (-np.sin(angle), np.cos(angle)))
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    fy, fx = y - y0, x - x0
    wide = side + 1
    first = (np.arange(n)[:, None] * wide + y0 + most) * wide + x0 + most
    corners = [(dy, dx) for dy in (0, 1) for dx in (0, 1)]
    places = np.stack([first + dy * wide + dx for dy, dx in corners])
    shares = np.stack([(fy if dy else 1 - fy) * (fx if dx else 1 - fx) / parts for dy, dx in corners])
    out: Floats = np.bincount(places.reshape(-1), shares.reshape(-1), n * wide * wide).astype(np.float64)
    return out.reshape(n, wide, wide)[:, :side, :side]


def trail(length: Floats, fade: Floats, degrees: Floats) -> Floats:
    """Weights ``[n, k, k]`` of a trail that leads away from each pixel and fades: half a Gaussian, in steps of a pixel.

    Each step falls on the pixel nearest to it, as in ImageMagick's motion blur.

    Parameters
    ----------
    length : array, ``[n]``
        In pixels.
    fade : array, ``[n]``
        Deviation of the Gaussian, in pixels.
    degrees : array, ``[n]``
        Where it leads, counter-clockwise from the right.
    """
    most = int(np.ceil(length.max()))
    step = np.arange(most + 1.0)
    weights = np.where(step <= length[:, None], np.exp(-0.5 * (step / fade[:, None]) ** 2), 0.0)
    angle = np.deg2rad(degrees)[:, None]
    # What comes to a pixel was behind it. Rows count downwards.
    y, x = (np.ceil(np.round(v * step, 9) - 0.5).astype(int) for v in (np.sin(angle), -np.cos(angle)))
    out = np.zeros((len(length), 2 * most + 1, 2 * most + 1))
    np.add.at(out, (np.arange(len(length))[:, None], y + most, x + most), weights)
    return summed_to_one(out)


def disc(radius: Floats, softness: Floats | None = None) -> Floats:
    """Weights ``[n, k, k]`` of the mean over a disc, each pixel by the part of it that is covered.

    Parameters
    ----------
    radius : array, ``[n]``
        In pixels.
    softness : array, ``[n]``, optional
        With it a pixel counts in whole if its middle lies within the disc, and the weights are smoothed by a Gaussian
        of so many pixels, over 3 of them, or 5 from a radius of 9 on.
    """
    if softness is not None:
        return _smoothed_disc(radius, softness)
    strips = 64
    most = int(np.ceil(np.maximum(radius.max() - 0.5, 0.0)))
    place = np.arange(-most, most + 1.0)
    inside = (np.arange(strips) + 0.5) / strips - 0.5
    columns = place[:, None] + inside
    half = np.sqrt(np.maximum(radius[:, None, None] ** 2 - columns**2, 0.0))
    # Along each strip of a column the disc covers -half..half exactly.
    low, high = place[:, None, None] - 0.5, place[:, None, None] + 0.5
    covered = np.maximum(np.minimum(high, half[:, None]) - np.maximum(low, -half[:, None]), 0.0)
    return summed_to_one(np.add.accumulate(covered, axis=-1)[..., -1])


def _smoothed_disc(radius: Floats, softness: Floats) -> Floats:
    most = int(np.floor(radius.max())) + 2
    place = np.arange(-most, most + 1.0)
    inside = (place[:, None] ** 2 + place**2 <= radius[:, None, None] ** 2).astype(np.float64)
    reach = np.where(radius > 8, 2, 1)
    near = np.arange(-2, 3)
    soft = np.where(np.abs(near) <= reach[:, None], np.exp(-0.5 * (near / softness[:, None]) ** 2), 0.0)
    soft = summed_to_one(soft)
    for axis in (1, 2):
        padded = np.pad(inside, [(2, 2) if a == axis else (0, 0) for a in range(3)])
        parts = [np.take(padded, np.arange(2 * most + 1) + k, axis=axis) for k in range(5)]
        inside = sum((soft[:, k, None, None] * part for k, part in enumerate(parts)), np.zeros_like(inside))
    return summed_to_one(inside)


def summed_to_one(weights: Floats) -> Floats:
    """Weights ``[n, ...]`` that sum to 1 for each sample."""
    flat = weights.reshape(len(weights), -1)
    # Added up one by one: zeros about a kernel then change nothing, to the last bit.
    total = np.add.accumulate(flat, axis=1)[:, -1:]
    found: Floats = (flat / total).reshape(weights.shape)
    return found


def along(frame: Frame, axis: int, weights: Floats) -> Floats:
    """Weights ``[n, k]`` as a kernel along one axis of the frame."""
    shape = [1] * frame.ndim
    shape[axis] = weights.shape[1]
    return weights.reshape(len(weights), *shape)


def in_plane(frame: Frame, weights: Floats) -> Floats:
    """Weights ``[n, k, k]`` as a kernel along ``y`` and ``x`` of the frame."""
    return weights.reshape(len(weights), *[1] * (frame.ndim - 2), *weights.shape[1:])
