"""What it means to take over something of a reference image, in float64."""

from __future__ import annotations

import numpy as np

from imagemill.core.decorrelated import correlated, decorrelated
from imagemill.core.geometry import Floats, Ints

__all__ = ["curves", "with_histogram", "with_moments", "with_spectrum"]


def with_histogram(values: Floats, shares: Floats, levels: Floats, amount: float) -> Floats:
    """Each channel with the histogram of a reference.

    Parameters
    ----------
    values : array, ``(*shape, C)``
    shares, levels : array, ``(C, k)``
        Which share of the reference is at a level or below it.
    amount : float
    """
    out = np.empty_like(values)
    for c in range(values.shape[-1]):
        own, place, counts = np.unique(values[..., c], return_inverse=True, return_counts=True)
        out[..., c] = curves(own, counts, shares[c], levels[c], amount)[place].reshape(values.shape[:-1])
    return out


def curves(own: Floats, counts: Ints, shares: Floats, levels: Floats, amount: float) -> Floats:
    """What levels that are there so often become."""
    below = np.cumsum(counts) / counts.sum()
    # Of shares that are there twice, padding behind the last level, the first counts.
    shares, first = np.unique(shares, return_index=True)
    matched = np.interp(below, shares, levels[first])
    found: Floats = own + amount * (matched - own)
    return found


def with_moments(values: Floats, wanted: Floats, amount: float, peak: float, *, apart: bool) -> Floats:
    """Each channel with another mean and deviation, ``(C, 2)``; of RGB, with ``apart``, each decorrelated one."""
    shares = values.reshape(-1, values.shape[-1]) / peak
    seen = decorrelated(shares) if apart else shares
    mean, spread = seen.mean(axis=0), seen.std(axis=0)
    flat = spread <= 1e-12 * np.maximum(np.abs(mean), 1.0)
    gain = np.where(flat, 0.0, wanted[:, 1] / np.where(flat, 1.0, spread))
    made = (seen - mean) * gain + wanted[:, 0]
    made = peak * (correlated(made) if apart else made).reshape(values.shape)
    found: Floats = values + amount * (made - values)
    return found


def with_spectrum(values: Floats, amplitudes: Floats, cycles: int) -> Floats:
    """A picture whose frequencies up to some cycles have other amplitudes ``(C, 2 k + 1, k + 1)``, over its size."""
    height, width = values.shape[:2]
    most = amplitudes.shape[-1] - 1
    down = np.arange(-min(cycles, (height - 1) // 2), min(cycles, (height - 1) // 2) + 1)[:, None]
    right = np.arange(min(cycles, (width - 1) // 2) + 1)
    spectrum = np.fft.rfft2(values, axes=(0, 1))
    part = spectrum[down, right]
    size = np.abs(part)
    phase = np.where(size > 0, part / np.where(size > 0, size, 1.0), 1.0)
    wanted = np.moveaxis(amplitudes[:, most + down, right], 0, -1) * (height * width)
    spectrum[down, right] = wanted * phase
    found: Floats = np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1))
    return found
