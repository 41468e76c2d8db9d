from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagemill.core import geometry as geo
from imagemill.core.coordinate_maps import Matrix
from imagemill.engine.backends import reference
from imagemill.engine.backends.cpu import choose
from imagemill.engine.backends.cpu.resample.enlarge import strips
from imagemill.engine.chains import axis_aligned


def crop_resize(start: tuple[int, int], part: tuple[int, int], out: tuple[int, int]) -> Matrix:
    m = geo.resize(np.array([part]), np.array([out]))[0]
    return Matrix(geo.translation(np.array([start], float))[0] @ m)


@settings(max_examples=60)
@given(
    st.tuples(st.integers(0, 30), st.integers(0, 30)),
    st.tuples(st.integers(8, 60), st.integers(8, 60)),
    st.sampled_from(["nearest", "constant", "reflect", "mirror", "wrap"]),
    st.sampled_from([np.uint8, np.float32]),
)
def test_an_enlarged_part_goes_on_beyond_its_edge(start, part, border, dtype) -> None:
    shape, out = (start[0] + part[0] + 5, start[1] + part[1]), (64, 72)
    src = np.random.default_rng(part[0]).integers(0, 256, (*shape, 3)).astype(dtype)
    stage = crop_resize(start, part, out)
    found = choose.resample(src, (stage,), out, order=1, border=border, fill=99.0)
    meant = reference.resample(src, (stage,), out, order=1, border=border, fill=99.0)
    # cv2.resize weighs 8-bit values in fixed point; elsewhere both round once.
    assert np.abs(found - meant).max() <= (1.01 if dtype == np.uint8 else 0.02)


def test_which_kernel_does_it() -> None:
    stage = crop_resize((10, 20), (100, 120), (224, 224))
    kernel = choose.choose((stage,), (375, 500), (224, 224), np.dtype(np.uint8), 3, 1, "nearest")
    assert kernel.name == "cv2.resize"
    tiny = crop_resize((10, 20), (3, 120), (224, 224))
    assert choose.choose((tiny,), (375, 500), (224, 224), np.dtype(np.uint8), 3, 1, "nearest").name == "numba.photo"


@pytest.mark.parametrize("part", [(100, 120), (224, 100), (300, 100)])
def test_strips_are_what_reads_beyond_the_block(part: tuple[int, int]) -> None:
    start, out = (10, 20), (224, 224)
    stage = crop_resize(start, part, out)
    aligned = axis_aligned((stage,), out)
    assert aligned is not None
    found = strips([slice(s, s + p) for s, p in zip(start, part, strict=True)], aligned, out)
    assert found is not None
    beyond = np.zeros(out, bool)
    for axis in (0, 1):
        q = aligned.scale[axis] * np.arange(out[axis]) + aligned.offset[axis]
        bad = (q < start[axis] - 1e-9) | (q > start[axis] + part[axis] - 1 + 1e-9)
        beyond |= bad[:, None] if axis == 0 else bad[None, :]
    covered = np.zeros(out, bool)
    for y, x in found:
        covered[y, x] = True
    np.testing.assert_array_equal(covered, beyond)
