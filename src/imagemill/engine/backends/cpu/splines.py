"""B-spline coefficients for orders 3 and 5, padded exactly as ``scipy.ndimage`` pads.

The borders "reflect", "mirror" and "wrap" have exact boundary conditions; "nearest" and "constant" do not, so
the image is first extended by 12 pixels, over which the filter's memory (0.43 a pixel at order 5) dies away.
Source: Unser, "Splines: a perfect fit for signal and image processing", IEEE SPM 16(6), 1999.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi

from imagemill.engine.backends.stages import SCIPY_MODES

Array = np.ndarray[Any, Any]

# scipy's stubs want orders and modes as literals; ours are checked when they are given.
_filter: Any = ndi.spline_filter1d

PAD = 12


def coefficient_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Precision of coefficients: float32 holds 24 bits, enough for all but int32 and float64 images."""
    return np.dtype(np.float64 if dtype.itemsize >= 4 and dtype != np.float32 else np.float32)


def coefficients(
    src: Array, order: int, border: str, axes: tuple[int, ...], fill: npt.NDArray[np.float64]
) -> tuple[Array, int]:
    """Filter an image into B-spline coefficients.

    Parameters
    ----------
    src : array, ``(*shape, C)``
    order : {3, 5}
    border : str
    axes : tuple of int
        Spatial axes that will be interpolated along.
    fill : array, ``(C,)``
        Extension of the "constant" border.

    Returns
    -------
    coefficients : array, ``(*shape + 2 * pad, C)``
        Padded along ``axes`` only.
    pad : int
        How far the first pixel moved along each of ``axes``.

    Examples
    --------
    >>> flat, pad = coefficients(np.ones((3, 3, 1), np.float32), 3, "mirror", (0, 1), np.zeros(1))
    >>> bool(np.allclose(flat, 1.0)), pad
    (True, 0)
    """
    dtype = coefficient_dtype(src.dtype)
    pad = PAD if border in ("nearest", "constant") else 0
    out = src.astype(dtype)
    if pad:
        widths = [(pad, pad) if axis in axes else (0, 0) for axis in range(src.ndim)]
        if border == "nearest":
            out = np.pad(out, widths, mode="edge")
        else:
            padded = np.empty([n + 2 * w[0] for n, w in zip(out.shape, widths, strict=True)], dtype)
            padded[...] = fill
            padded[tuple(slice(w[0], w[0] + n) for n, w in zip(out.shape, widths, strict=True))] = out
            out = padded
    for axis in axes:
        # A single pixel is its own coefficient; the filter's start would divide by its period of zero.
        if out.shape[axis] > 1:
            out = _filter(out, order, axis, output=dtype, mode=SCIPY_MODES[border])
    return out, pad
