"""What every backend must do, as one call a backend's own tests can make."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from imagemill.core.geometry import Frame, identity
from imagemill.core.ops import Affine, Cast, ChannelMix, Op, Sampling
from imagemill.engine.backends import get_backend
from imagemill.engine.backends.protocol import Backend
from imagemill.engine.plan import Pass
from imagemill.engine.planner import make_plan
from imagemill.testing.made_pictures import label_map, picture

Array = np.ndarray[Any, Any]

SIZE = (9, 12)


def check_backend(backend: Backend) -> None:
    """Check a backend on small pictures: exact moves, dtypes, buffers of any strides, many at once, inputs left alone.

    Parameters
    ----------
    backend : Backend

    Raises
    ------
    AssertionError
        Naming the first promise that is broken.
    ParameterError
        When it lacks a method.

    Examples
    --------
    >>> check_backend(get_backend("cpu"))
    """
    get_backend(backend)
    again = pickle.loads(pickle.dumps(backend))
    assert again.name == backend.name, "a backend comes back from a pickle under its name, for other processes"
    for dtype in ("uint8", "uint16", "int16", "float16", "float32", "float64"):
        _flips(backend, dtype)
        _turns(backend, dtype)
    _colours(backend)
    _labels(backend)
    _many(backend)


def _pass(op: Op, channels: int, dtype: Any) -> Pass:
    frame = Frame.of(*SIZE, channels=channels, dtype=dtype)
    plan = make_plan([("op", op)], [frame, op.after(frame)])
    step = plan.steps[0]
    assert isinstance(step, Pass)
    return step


def _flip() -> Affine:
    m = identity(1, 2)
    m[0, 1, 1:] = -1.0, SIZE[1] - 1
    return Affine(m, np.array([SIZE]))


def _shift(by: float) -> Affine:
    m = identity(1, 2)
    m[0, 0, 2] = by
    return Affine(m, np.array([SIZE]), Sampling(1, "nearest"))


def _flips(backend: Backend, dtype: str) -> None:
    image = picture(1, SIZE, 3, dtype)
    before = image.copy()
    step = _pass(_flip(), 3, dtype)
    found = backend.image(step, 0, image)
    np.testing.assert_array_equal(found, image[:, ::-1], err_msg=f"a flip of {dtype} is exact")
    assert found.dtype == image.dtype, f"a flip keeps {dtype}, got {found.dtype}"
    # A channels-first buffer seen as channels last: strides in no usual order.
    buffer = np.zeros((3, *SIZE), dtype).transpose(1, 2, 0)
    backend.image(step, 0, image, buffer)
    np.testing.assert_array_equal(buffer, image[:, ::-1], err_msg="out is written whatever its strides")
    np.testing.assert_array_equal(image, before, err_msg="inputs are left alone")
    assert isinstance(backend.kernels(step, 0, SIZE, np.dtype(dtype), 3), str), "kernels are named in words"


def _turns(backend: Backend, dtype: str) -> None:
    image = picture(2, SIZE, 1, dtype)
    found = backend.image(_pass(_shift(0.5), 1, dtype), 0, image).astype(np.float64)
    exact = image.astype(np.float64)
    exact = (exact + np.concatenate([exact[1:], exact[-1:]])) / 2
    # Half precision holds 11 bits; the others miss by rounding to whole numbers at most.
    limit = 0.5 + 1e-6 * np.abs(exact).max() if np.dtype(dtype).kind in "iu" else 1e-3
    assert np.abs(found - exact).max() <= limit, f"half a pixel of {dtype} is the mean of two neighbours"


def _colours(backend: Backend) -> None:
    image = picture(3, SIZE, 3)
    mix = ChannelMix.diagonal(np.array([[3.0, 0.5, 1.0]]), np.array([[0.0, 0.0, -20.0]]))
    found = backend.image(_pass(mix, 3, np.uint8), 0, image)
    wanted = np.clip(np.rint(image * [3.0, 0.5, 1.0] + [0.0, 0.0, -20.0]), 0, 255)
    assert np.abs(found - wanted).max() <= 1, "colour is rounded and saturates"
    cast = backend.image(_pass(Cast(np.dtype(np.float32)), 3, np.uint8), 0, image)
    assert cast.dtype == np.float32, "a cast gives the dtype it names"
    np.testing.assert_array_equal(cast, image, err_msg="a cast to floating point keeps values")


def _labels(backend: Backend) -> None:
    labels = label_map(4, SIZE)
    turned = backend.labels(_pass(_shift(0.3), 1, np.uint8), 0, labels)
    np.testing.assert_array_equal(turned, labels, err_msg="labels are read by nearest neighbour")
    step, out = _pass(_flip(), 1, np.uint8), np.zeros(SIZE, np.uint8)
    backend.labels(step, 0, labels, out)
    np.testing.assert_array_equal(out, labels[:, ::-1], err_msg="labels are written to out")


def _many(backend: Backend) -> None:
    images = np.stack([picture(seed, SIZE, 3) for seed in (5, 6, 7)])
    half = _shift(0.5)
    matrices = np.tile(half.matrix, (3, 1, 1))
    matrices[:, 0, 2] = 0.25, 0.5, 0.75
    op = Affine(matrices, np.tile(half.shape, (3, 1)), half.sampling)
    frame = Frame.of(*SIZE, channels=3, n=3)
    step = make_plan([("op", op)], [frame, op.after(frame)]).steps[0]
    assert isinstance(step, Pass)
    for src in (images, list(images)):
        out = np.zeros_like(images)
        made = backend.images(step, slice(0, 3), src, out)
        later = backend.images(step, slice(1, 3), src[1:])
        assert (made is None) == (later is None), "whether images() takes a step does not depend on which samples"
        if made is None or later is None:
            continue
        alone = np.stack([backend.image(step, row, images[row]) for row in range(3)])
        np.testing.assert_array_equal(out, alone, err_msg="images() makes what image() makes, in out")
        np.testing.assert_array_equal(later, alone[1:], err_msg="images() begins with the first of its rows")
