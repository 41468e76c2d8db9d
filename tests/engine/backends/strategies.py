"""Generated images, chains and shapes, and how two results are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from imagemill.core.coordinate_maps import Displace, Matrix, Stage, Window
from tests.engine import tolerances as tol

Array = np.ndarray[Any, Any]
BORDERS = ("nearest", "constant", "reflect", "mirror", "wrap")
ORDERS = (0, 1, 3, 5)
DTYPES = ("uint8", "uint16", "int16", "int32", "float32", "float64")


def image(seed: int, shape: tuple[int, ...], dtype: str) -> Array:
    """White noise over the dtype's range (int32: over 24 bits)."""
    rng = np.random.default_rng(seed)
    if dtype.startswith("float"):
        return rng.uniform(-1.0, 1.0, shape).astype(dtype)
    low, high = (-(2**23), 2**23) if dtype == "int32" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return rng.integers(low, high, shape, dtype=dtype, endpoint=True)


def affine(rng: np.random.Generator, in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> Matrix:
    """Rotation, zoom, shear and shift in sane ranges, centre to centre."""
    d = len(in_shape)
    turn = np.eye(d)
    for a in range(d):
        for b in range(a + 1, d):
            angle = rng.uniform(-3.2, 3.2)
            plane = np.eye(d)
            plane[[a, a, b, b], [a, b, a, b]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
            turn = turn @ plane
    linear = turn @ np.diag(rng.uniform(0.5, 1.9, d)) @ (np.eye(d) + rng.uniform(-0.3, 0.3, (d, d)))
    m = np.eye(d + 1)
    m[:d, :d] = linear
    centre = (np.array(in_shape) - 1) / 2 + rng.uniform(-3, 3, d)
    m[:d, d] = centre - linear @ ((np.array(out_shape) - 1) / 2)
    return Matrix(m)


def projective(rng: np.random.Generator, in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> Matrix:
    """A perspective whose depth stays between a half and one and a half."""
    m = affine(rng, in_shape, out_shape).m.copy()
    d = len(in_shape)
    m[d, :d] = rng.uniform(-0.5, 0.5, d) / (d * np.array(out_shape))
    return Matrix(m)


def displace(rng: np.random.Generator, shape: tuple[int, ...]) -> Displace:
    """A lattice of one to four cells an axis, two pixels strong."""
    cells = rng.integers(1, 5, len(shape))
    return Displace(rng.normal(0.0, 2.0, (len(shape), *(cells + 3))), shape)


def window(rng: np.random.Generator, shape: tuple[int, ...]) -> Window:
    """A window a little smaller or larger than the frame."""
    sizes = tuple(int(max(1, n + rng.integers(-3, 2))) for n in shape)
    return Window(sizes, fill=float(rng.integers(0, 100)), mask_fill=int(rng.integers(0, 5)))


def chain(
    kind: str, rng: np.random.Generator, in_shape: tuple[int, ...], out_shape: tuple[int, ...]
) -> tuple[Stage, ...]:
    """A chain of the kind named."""
    middle = tuple(int(n) for n in rng.integers(3, 12, len(in_shape)))
    if kind == "affine":
        return (affine(rng, in_shape, out_shape),)
    if kind == "two matrices":
        return (affine(rng, middle, out_shape), projective(rng, in_shape, middle))
    if kind == "projective":
        return (projective(rng, in_shape, out_shape),)
    if kind == "elastic":
        return (displace(rng, out_shape), affine(rng, in_shape, out_shape))
    if kind == "elastic last":
        return (affine(rng, in_shape, out_shape), displace(rng, in_shape))
    if kind == "windowed":
        return (affine(rng, middle, out_shape), window(rng, middle), affine(rng, in_shape, middle))
    if kind == "scaled":
        scale = rng.uniform(0.4, 2.5, len(in_shape)) * rng.choice([-1, 1], len(in_shape))
        m = np.diag([*scale, 1.0])
        m[:-1, -1] = (np.array(in_shape) - 1) / 2 - scale * (np.array(out_shape) - 1) / 2 + rng.uniform(-2, 2)
        return (window(rng, out_shape), Matrix(m))
    return (
        window(rng, out_shape),
        displace(rng, out_shape),
        projective(rng, middle, out_shape),
        window(rng, middle),
        displace(rng, middle),
        affine(rng, in_shape, middle),
    )


KINDS = ("affine", "two matrices", "projective", "elastic", "elastic last", "windowed", "scaled", "everything")

seeds = st.integers(0, 2**32 - 1)
shapes2 = st.tuples(st.integers(1, 20), st.integers(1, 20))
shapes3 = st.tuples(st.integers(1, 8), st.integers(1, 9), st.integers(1, 9))


def far_from_ties(coords: Array) -> Array:
    """Where nearest neighbours are beyond doubt: no coordinate within the tolerance of a half."""
    fraction = np.abs(coords - np.floor(coords) - 0.5)
    return np.asarray((fraction > tol.LABEL_HALF).all(axis=0))


def assert_close(got: Array, wanted: Array, src: Array, order: int) -> None:
    """Compare a kernel's result with the float64 reference by the table of tolerances."""
    assert got.shape == wanted.shape
    spread = float(src.max()) - float(src.min()) or 1.0
    relative = tol.SPLINE_RELATIVE if order > 1 else tol.FLOAT_RELATIVE
    if got.dtype.kind == "f":
        np.testing.assert_allclose(got, wanted, rtol=0, atol=relative * max(spread, np.abs(wanted).max()))
        return
    bounds = np.iinfo(got.dtype)
    error = np.abs(got.astype(np.float64) - np.clip(wanted, bounds.min, bounds.max))
    if got.dtype == np.uint8:
        assert np.quantile(error, 0.999) <= tol.GREY_999
        # Few distinct values may all round the long way; many average out.
        assert np.unique(wanted).size < 200 or error.mean() <= tol.GREY_MEAN
    else:
        assert error.max() <= 0.5 + tol.WIDE_INTEGER_RELATIVE * spread
