"""What every backend must do, as one call a backend's own tests can make."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.geometry import Frame, identity
from imagemill.core.ops import Affine, Cast, ChannelMix, Op, Sampling
from imagemill.engine.backends.protocol import Backend
from imagemill.engine.plan import Pass
from imagemill.engine.planner import make_plan
from imagemill.testing.made_pictures import label_map, picture

Array = np.ndarray[Any, Any]

SIZE = (9, 12)


def assert_backend_contract(backend: Backend) -> None:
    """Check a backend on small pictures: exact moves, dtypes, buffers of any strides, inputs left alone.

    Parameters
    ----------
    backend : Backend

    Raises
    ------
    AssertionError
        Naming the first promise that is broken.

    Examples
    --------
    >>> from imagemill.engine.backends import get_backend
    >>> assert_backend_contract(get_backend("cpu"))
    """
    assert isinstance(backend.name, str), "a backend has a name"
    assert backend.name, "a backend's name is not empty"
    for dtype in ("uint8", "uint16", "int16", "float16", "float32", "float64"):
        _flips(backend, dtype)
        _turns(backend, dtype)
    _colours(backend)
    _labels(backend)


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
