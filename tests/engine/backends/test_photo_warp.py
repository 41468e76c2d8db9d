from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.coordinate_maps import Displace, Matrix, Stage, Window
from imagemill.engine.backends import reference
from imagemill.engine.backends.cpu.choose import choose
from imagemill.engine.backends.cpu.resample.photo_places import places_of
from imagemill.engine.backends.cpu.resample.photo_warp import takes_photo, warp_photo
from tests.engine.backends.strategies import BORDERS, KINDS, affine, chain, displace, image, projective, seeds
from tests.engine.tolerances import FLOAT_RELATIVE

Array = np.ndarray[Any, Any]
FILL = np.array([300.0, 20.4, -30.0])
_SIDES = st.tuples(st.integers(4, 33), st.integers(4, 33))
_SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def _compare(src: Array, stages: tuple[Stage, ...], shape: tuple[int, int], border: str) -> None:
    """Bytes are at most half a level from the unrounded reference, and a little more where single precision rounds."""
    wanted = reference.resample(src, stages, shape, order=1, border=border, fill=FILL)
    for dtype in ("uint8", "float32"):
        room = np.full((shape[0] + 1, shape[1], 3), 77, dtype)
        out = room[:-1]
        warp_photo(src, stages, out, border=border, fill=FILL)
        error = np.abs(out - (np.clip(wanted, 0, 255) if dtype == "uint8" else wanted)).max()
        assert error <= (0.5 if dtype == "uint8" else 0.0) + FLOAT_RELATIVE * 330
        assert (room[-1] == 77).all()


@pytest.mark.parametrize("kind", KINDS)
@given(seeds, _SIDES, _SHAPES, st.sampled_from(BORDERS))
def test_photos_are_warped_as_the_reference_says(
    kind: str, seed: int, in_shape: tuple[int, int], out_shape: tuple[int, int], border: str
) -> None:
    stages = chain(kind, np.random.default_rng(seed), in_shape, out_shape)
    _compare(image(seed, (*in_shape, 3), "uint8"), stages, out_shape, border)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("flips", [(1, 1), (-1, 1), (1, -1)])
def test_a_lattice_between_two_matrices_is_one_sum(flips: tuple[int, int], border: str) -> None:
    rng = np.random.default_rng(4)
    # A crop of the frame that the lattice spans, and a part that lies beside it.
    scale = np.diag([0.7 * flips[0], 0.8 * flips[1], 1.0])
    scale[:2, 2] = [20.0 if flip < 0 else -4.0 for flip in flips]
    stages = (Matrix(scale), displace(rng, (30, 40)), affine(rng, (50, 44), (30, 40)))
    assert places_of(stages, (37, 45))[1].size > 0
    _compare(image(4, (50, 44, 3), "uint8"), stages, (37, 45), border)


def test_other_chains_are_walked_stage_by_stage() -> None:
    rng = np.random.default_rng(0)
    bent, turned, tilted = displace(rng, (20, 20)), affine(rng, (20, 20), (20, 20)), projective(rng, (20, 20), (20, 20))
    behind = Matrix(np.array([[1.0, 0, 0], [0, 1, 0], [0, -0.1, 1]]))
    for stages in ((turned, bent), (bent, tilted), (bent, bent), (tilted, bent), (behind,)):
        matrix, grid, _ = places_of(stages, (20, 20))
        assert matrix.size == grid.size == 0
        _compare(image(1, (20, 20, 3), "uint8"), stages, (20, 20), "reflect")


@pytest.mark.parametrize("border", BORDERS)
def test_the_last_pixels_of_memory_and_far_places_are_read(border: str) -> None:
    src = image(2, (9, 7, 3), "uint8")
    near, far = np.eye(3), np.eye(3)
    near[:2, 2] = 0.25
    far[:2, 2] = -3000.3, 5000.7
    for m in (near, far):
        _compare(src, (Matrix(m),), (9, 7), border)
        _compare(src, (Displace(np.broadcast_to(m[:2, 2, None, None], (2, 5, 4)), (9, 7)),), (9, 7), border)


def test_photos_are_read_whatever_their_strides_and_left_as_they_are() -> None:
    src = image(6, (30, 40, 3), "uint8")
    stages = chain("projective", np.random.default_rng(6), (30, 40), (25, 26))
    src.flags.writeable = False
    _compare(src, stages, (25, 26), "nearest")
    for part in (src[::-1], src[:, ::2], src[..., ::-1], src[3:20, 5:30]):
        stages = chain("projective", np.random.default_rng(6), part.shape[:2], (25, 26))
        _compare(part, stages, (25, 26), "nearest")


def test_only_colour_photos_of_bytes_go_this_way() -> None:
    stages = chain("projective", np.random.default_rng(6), (30, 40), (25, 26))
    for dtype, channels, order in (("uint8", 1, 1), ("uint8", 3, 3), ("uint8", 3, 0), ("float32", 3, 1)):
        assert choose(stages, (30, 40), (25, 26), dtype, channels, order, "nearest").name != "numba.photo"
    assert choose(stages, (30, 40), (25, 26), "uint8", 3, 1, "nearest").name == "numba.photo"
    assert not takes_photo((3, 40), np.dtype(np.uint8), 3)
    assert not takes_photo((9, 30, 40), np.dtype(np.uint8), 3)


@pytest.mark.parametrize("border", BORDERS)
def test_nothing_beyond_the_photo_is_read_whatever_a_plane_seen_edge_on_or_numbers_without_end_ask_for(
    border: str,
) -> None:
    rng = np.random.default_rng(2)
    src = rng.integers(0, 256, (40, 50, 3), np.uint8)
    for _ in range(200):
        m = np.eye(3) + rng.normal(0, 0.3, (3, 3))
        # The horizon lies in the frame, on whole pixels now and then.
        m[2] = (
            rng.choice([0, 0.1, 0.125, 0.25, -0.125]),
            rng.choice([0, 0.1, -0.125, 0.25]),
            rng.choice([0, 1, -1, 1e-300]),
        )
        m[:2] = np.round(m[:2] * 4) / 4 if rng.random() < 0.3 else m[:2]
        m[:2, 2] = rng.choice([0.0, 3.0, 1e18, 1e308, -1e308])
        m = m * rng.choice([1.0, 1.0, 1e300]) if np.abs(m).max() < 1e6 else m
        early = (Matrix(np.eye(3) + rng.normal(0, 0.1, (3, 3))), Window((30, 30), 9.0)) if rng.random() < 0.5 else ()
        out = np.empty((33, 37, 3), np.uint8)
        warp_photo(src, (*early, Matrix(m)), out, border=border, fill=np.full(3, 5.0))
