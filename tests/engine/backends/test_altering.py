"""The CPU's filters, noise and erasures against their definition, for all types, channels and layouts in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.engine.altering.altered import altered
from imagemill.engine.backends import get_backend
from imagemill.engine.backends.cpu.altering.alter import alter
from imagemill.engine.backends.cpu.altering.convolution import trimmed
from imagemill.engine.backends.cpu.backend import Cpu
from imagemill.engine.backends.finite_first import kernel_of
from imagemill.engine.plan import Alter
from imagemill.engine.planner import make_plan
from imagemill.testing import picture, transforms_of
from imagemill.testing.checks import FLOAT_SHARE, MEAN_LEVELS, RARE_LEVELS, difference
from imagemill.testing.each import APART

DTYPES = ("uint8", "uint16", "int16", "int32", "float16", "float32", "float64")
FORMS = {(9, 14): (1, 3, 4, 6), (5, 9, 11): (1, 2)}


def step_of(transform: im.Transform, image: Any, key: int) -> Alter:
    frame = Frame.of(*image.shape[:-1], channels=image.shape[-1], dtype=image.dtype)
    draft = im.Pipeline([transform], seed=5).draw(frame, [key])
    (step,) = make_plan(draft.ops, draft.frames).steps
    assert isinstance(step, Alter)
    return step


@st.composite
def cases(draw: Any, cls: type[im.Transform]) -> tuple[im.Transform, Any]:
    # Some are for pictures alone.
    shapes = [shape for shape in sorted(FORMS) if transforms_of(cls, ndim=len(shape), channels=1) is not None]
    shape = draw(st.sampled_from(shapes))
    channels, dtype = draw(st.sampled_from(FORMS[shape])), draw(st.sampled_from(DTYPES))
    transform = draw(transforms_of(cls, ndim=len(shape), channels=channels))
    return transform, picture(draw(st.integers(0, 99)), (*shape, channels), None, dtype)


@pytest.mark.parametrize("cls", APART, ids=lambda cls: cls.__name__)
@settings(max_examples=8)
@given(st.data())
def test_every_kernel_is_near_to_the_definition(cls: type[im.Transform], data: Any) -> None:
    transform, image = data.draw(cases(cls))
    step, before = step_of(transform, image, data.draw(st.integers(0, 99))), image.copy()
    wanted = altered(step, 0, image)
    found = Cpu().alter(step, 0, image)
    assert (found.shape, found.dtype) == (image.shape, image.dtype)
    apart = difference(found, wanted, image)
    if image.dtype == np.uint8:
        assert apart.mean <= MEAN_LEVELS
        assert apart.rare <= RARE_LEVELS
    else:
        spread = max(float(np.ptp(wanted.astype(np.float64))), 1e-12)
        rounding = {"i": 1.01 / spread, "u": 1.01 / spread, "f": 1e-3 if image.dtype == np.float16 else 0.0}
        assert apart.worst <= FLOAT_SHARE + rounding[image.dtype.kind]
    # A batch of another layout is a view with strides in no usual order; both hold the same.
    for backend in (Cpu(), get_backend("reference")):
        room = np.zeros((image.shape[-1], *image.shape[:-1]), image.dtype)
        alone = backend.alter(step, 0, image)  # type: ignore[attr-defined]
        backend.alter(step, 0, image, np.moveaxis(room, 0, -1))  # type: ignore[attr-defined]
        np.testing.assert_array_equal(np.moveaxis(room, 0, -1), alone)
        plain = np.zeros_like(image)
        backend.alter(step, 0, image, plain)  # type: ignore[attr-defined]
        np.testing.assert_array_equal(plain, alone)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("degrees", [0, 30])
def test_boxes_of_any_turn_are_filled_in_values_of_any_type(degrees: float, dtype: str) -> None:
    image = picture(0, (24, 30), 3, dtype)
    found = im.Pipeline([im.GridMask(cell=0.5, ratio=0.5, degrees=degrees)], seed=1)(image)
    kept = found != 0
    assert found.dtype == image.dtype
    assert 0.5 < kept.mean() < 0.95
    np.testing.assert_array_equal(found[kept], image[kept])


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 3), (40, 1)])
@pytest.mark.parametrize(
    "transform", [im.GaussianBlur(3), im.MotionBlur(9, 30), im.MedianBlur(5), im.UnsharpMask(1, 4)]
)
def test_kernels_larger_than_the_image(transform: im.Transform, shape: tuple[int, ...]) -> None:
    for dtype in (np.uint8, np.float32):
        image = picture(1, (*shape, 3), None, dtype, noise=True)
        step = step_of(transform, image, 0)
        found, wanted = Cpu().alter(step, 0, image), altered(step, 0, image)
        limit = 1 if dtype == np.uint8 else 1e-5
        assert np.abs(found.astype(float) - wanted.astype(float)).max() <= limit


def test_a_backend_without_kernels_of_its_own_runs_the_definition() -> None:
    class Plain:
        name = "plain"

        def __init__(self) -> None:
            self.cpu = Cpu()
            self.image, self.images = self.cpu.image, self.cpu.images
            self.labels, self.kernels = self.cpu.labels, self.cpu.kernels

    image = picture(1, (20, 24), 3)
    theirs = im.Pipeline([im.Flip("x"), im.GaussianBlur(1.5)], seed=1, backend=Plain())
    ours = theirs.replace(backend="reference")
    np.testing.assert_array_equal(theirs(image, key=0), ours(image, key=0))
    assert "numpy and scipy in float64" in theirs.explain((20, 24, 3))
    assert kernel_of(Plain(), step_of(im.Equalize(), image, 0), 0, np.dtype(np.uint8)) == "numpy and scipy in float64"  # type: ignore[arg-type]


def test_gaps_are_filled_for_filters_and_stay_under_noise() -> None:
    image = picture(1, (20, 24), None, np.float64)
    image[3, 4] = np.nan
    for backend in ("cpu", "reference"):
        with pytest.warns(UserWarning, match="NaN or infinite"):
            blurred = im.Pipeline([im.GaussianBlur(1.5)], seed=1, backend=backend)(image)
        assert np.isfinite(blurred).all()
        with pytest.warns(UserWarning, match="NaN or infinite"):
            noisy = im.Pipeline([im.GaussianNoise(0.1)], seed=1, backend=backend)(image)
        assert np.argwhere(np.isnan(noisy)).tolist() == [[3, 4]]


def test_zeros_about_a_kernel_are_cut_off_evenly() -> None:
    kernel = np.zeros((7, 9))
    kernel[2, 3] = kernel[3, 5] = 1
    assert trimmed(kernel).shape == (3, 3)
    assert trimmed(np.pad([[1.0]], 4)).shape == (1, 1)
    assert trimmed(np.zeros((3, 1))).shape == (3, 1)


def test_nothing_runs_for_a_sample_that_was_not_chosen() -> None:
    op = Filter("equalize", (), 3, np.array([False]))
    image = picture(1, (8, 9), 3)
    assert Cpu().alter(Alter(op, 255.0, ("Equalize",), ""), 0, image) is image
    assert altered(Alter(op, 255.0, ("Equalize",), ""), 0, image) is image


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 0.5, 127.5, 128.0, 254.01, 255.0, 255.5, 300.0])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_solarized_bytes_are_negative_from_the_threshold_on(threshold: float, channels: int) -> None:
    src = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), channels, axis=2)
    step = Alter(Filter("solarize", (np.array([threshold]),), channels), 255.0, ("Solarize",), "")
    levels = src.astype(int)
    np.testing.assert_array_equal(alter(step, 0, src), np.where(levels >= threshold, 255 - levels, levels))


@pytest.mark.parametrize("step", [1.0, 2.0, 32.0, 128.0, 3.0, 42.5])
def test_posterized_bytes_go_down_to_their_level(step: float) -> None:
    src = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    done = Alter(Filter("posterize", (np.array([step]),), 1), 255.0, ("Posterize",), "")
    out = np.empty_like(src)
    assert alter(done, 0, src, out) is out
    np.testing.assert_array_equal(out, np.rint(np.floor(src / step) * step))
