"""The compiled way of a batch is the way step by step, and the numbers drawn for it are those of the generator."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagemill.compat.keras import ImageDataGenerator, affine
from imagemill.compat.keras.changing import Reading, _by_scipy, by_the_book, changed
from imagemill.compat.keras.draws import Parameters, Ranges, uniform_columns
from imagemill.core.randomness import rng
from imagemill.engine.backends.cpu.batches import exact
from imagemill.engine.backends.cpu.batches import exact_kernels as kernels
from imagemill.engine.backends.cpu.batches.exact import Moves
from imagemill.engine.tone_values import AS_IT_IS, Finish, finished, lit, shifted
from tests.compat.keras_legacy import legacy

Array = np.ndarray[Any, Any]
MODES = ("nearest", "constant", "reflect", "wrap")
N = 4
ALL = Ranges(25.0, 0.3, 0.3, 12.0, (0.7, 1.4), 60.0, (0.5, 1.6), True, True)


def pictures(size: tuple[int, int], channels: int, dtype: str, seed: int, n: int = N) -> Array:
    found = np.random.default_rng(seed).uniform(0, 255, (n, *size, channels)).astype(dtype)
    found[0] = found[0, 0, 0]  # one of a single colour
    return found


def drawn_for(size: tuple[int, int], seed: int, n: int = N) -> tuple[Parameters, Array]:
    drawn = ALL.draw(seed, 0, range(n), size, exact=False)
    moves = drawn.theta, drawn.tx, drawn.ty, drawn.shear, drawn.zx, drawn.zy
    return drawn, affine.matrices(*moves, size, exact=False)


def step_by_step(
    x: Array, drawn: Parameters | None, matrix: Array | None, mode: str, shift: Any, light: Any, finish: Finish
) -> Array:
    """Geometry by scipy in double precision, the rest by numpy in single precision, as Keras does."""
    if matrix is not None and drawn is not None:
        x = _by_scipy(x.astype(np.float64), Moves(matrix, drawn.flip_vertical, drawn.flip_horizontal, mode, 9.0), 1)
    x = x.astype(np.float32)
    x = x if shift is None else shifted(x, shift)
    x = x if light is None else lit(x, light)
    return finished(x, finish)


@settings(max_examples=60)
@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    channels=st.integers(1, 5),
    dtype=st.sampled_from(["uint8", "float32"]),
    mode=st.sampled_from(MODES),
    moved=st.booleans(),
    shift=st.booleans(),
    light=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_the_kernel_is_the_way_step_by_step(
    size: tuple[int, int],
    channels: int,
    dtype: str,
    mode: str,
    moved: bool,
    shift: bool,
    light: bool,
    seed: int,
) -> None:
    x = pictures(size, channels, dtype, seed)
    drawn, matrix = drawn_for(size, seed)
    light = light and channels in (1, 3, 4)
    add, gain = drawn.channel_shift_intensity if shift else None, drawn.brightness if light else None
    finish = Finish(1 / 255, mean=np.float32(0.4), std=np.full((1, 1, channels), 0.3, np.float32))
    moves = Moves(matrix, drawn.flip_vertical, drawn.flip_horizontal, mode, 9.0) if moved else None
    made = exact.run(x, None, moves, add, gain, finish)
    expected = step_by_step(x, drawn, matrix if moved else None, mode, add, gain, finish)
    np.testing.assert_allclose(made, expected, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_brightness_meets_the_same_grey_levels(mode: str, channels: int) -> None:
    x = pictures((31, 29), channels, "uint8", 5, n=40)
    drawn, matrix = drawn_for((31, 29), 5, n=40)
    moves = Moves(matrix, drawn.flip_vertical, drawn.flip_horizontal, mode, 9.0)
    made = exact.run(x, None, moves, None, drawn.brightness)
    expected = step_by_step(x, drawn, matrix, mode, None, drawn.brightness, AS_IT_IS)
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("mode", MODES)
def test_shifts_by_whole_pixels_and_periods_meet_the_same_pixel(mode: str) -> None:
    x = pictures((5, 7), 3, "float32", 2)[1:2].repeat(41, axis=0)
    matrix, no = np.tile(np.eye(3), (41, 1, 1)), np.zeros(41, bool)
    matrix[:, 0, 2] = matrix[:, 1, 2] = np.arange(-20, 21)
    made = exact.run(x, None, Moves(matrix, no, no, mode, 9.0), None, None)
    np.testing.assert_array_equal(made, _by_scipy(x.astype(np.float64), Moves(matrix, no, no, mode, 9.0), 1))


@pytest.mark.parametrize("ends", [(-5, 300), (0, 1), (100, 200), (7, 7), (-4, -4)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_brightness_and_shift_of_any_range(ends: tuple[float, float], channels: int) -> None:
    x = np.random.default_rng(1).uniform(*ends, (3, 6, 7, channels)).astype(np.float32)
    add, gain = np.array([-30.0, 0.0, 30.0]), np.array([0.4, 1.0, 1.9])
    expected = step_by_step(x, None, None, "", add, gain, AS_IT_IS)
    np.testing.assert_allclose(exact.run(x, None, None, add, gain), expected, atol=1e-4)


FINISHES: list[dict[str, Any]] = [
    {"rescale": 1 / 255},
    {"center": True},
    {"scale": True},
    {"rescale": 0.1, "center": True, "scale": True},
    {"mean": 3.5},
    {"mean": np.array([1.0, 2.0, 3.0])},
    {"mean": np.arange(3.0).reshape(1, 1, 3), "std": np.arange(1.0, 4.0).reshape(1, 1, 3)},
    {"std": np.arange(1.0, 6.0).reshape(1, 5, 1)},
    {"mean": np.arange(5.0).reshape(5, 1)},
    {"mean": np.arange(4.0).reshape(4, 1, 1), "std": np.arange(1.0, 4.0)},
    {"mean": np.arange(60.0).reshape(4, 5, 3), "center": True, "rescale": 2.0},
]


@pytest.mark.parametrize("given_finish", FINISHES, ids=lambda f: "-".join(f))
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_end_is_that_of_numpy(given_finish: dict[str, Any], data_format: str) -> None:
    x = np.random.default_rng(2).uniform(0, 255, (3, 4, 5, 3)).astype(np.float32)
    first = data_format == "channels_first"

    def turned(value: Any) -> Any:
        value = np.asarray(value)
        if not first or value.ndim == 0:
            return value
        full = value.reshape((1,) * (3 - value.ndim) + value.shape)
        return np.moveaxis(full, -1, 0)

    finish = Finish(**{k: turned(v) if k in ("mean", "std") else v for k, v in given_finish.items()})
    lying = np.moveaxis(x, -1, 1).copy() if first else x.copy()
    made = exact.run(x, None, None, None, None, finish, channels_first=first)
    np.testing.assert_allclose(made, finished(lying, finish), rtol=1e-5, atol=1e-5)
    assert made.flags.c_contiguous


def test_numbers_per_channel_stay_small() -> None:
    mean = np.arange(3.0).reshape(1, 1, 3)
    assert exact._finish(Finish(mean=mean), (4, 5, 3), first=False)[3].size == 5 * 3
    assert exact._finish(Finish(mean=mean + np.zeros((4, 1, 1))), (4, 5, 3), first=False)[3].size == 4 * 5 * 3


def test_memory_of_any_kind_gives_the_same_pictures() -> None:
    x = pictures((9, 7), 3, "uint8", 3, n=10)
    drawn, matrix = drawn_for((9, 7), 3, n=5)
    moves = Moves(matrix, drawn.flip_vertical, drawn.flip_horizontal, "reflect", 0.0)
    rows = np.array([7, 1, 1, 9, 0])
    expected = exact.run(x[rows], None, moves, None, None)
    locked = x.copy()
    locked.flags.writeable = False
    wide = np.zeros((10, 9, 14, 3), np.uint8)
    wide[:, :, ::2] = x
    turned = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -1, 1)), 1, -1)
    kinds = {
        "bytes": x,
        "read-only": locked,
        "with gaps": wide[:, :, ::2],
        "channels first": turned,
        "backwards": np.ascontiguousarray(x[:, ::-1])[:, ::-1],
        "column by column": np.asfortranarray(x),
        **{kind: x.astype(kind) for kind in ("float32", "float64", "uint16", "int32", "int64", "float16")},
    }
    for name, kind in kinds.items():
        np.testing.assert_array_equal(exact.run(kind, rows, moves, None, None), expected, err_msg=name)
    first = exact.run(turned, rows, moves, None, None, channels_first=True)
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), expected)
    np.testing.assert_array_equal(locked, x)
    dark = exact.run(x < 100, rows, moves, None, None)
    # One kernel reads them all: each further one would be compiled for seconds.
    assert len(getattr(kernels.run, "signatures", [1])) == 1
    np.testing.assert_array_equal(dark, exact.run((x < 100).astype(np.uint8), rows, moves, None, None))


def test_threads_and_company_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "WORTH", 1)
    x = pictures((12, 12), 3, "float32", 4, n=70)
    drawn, matrix = drawn_for((12, 12), 4, n=70)

    def made(part: slice, workers: int) -> Array:
        moves = Moves(matrix[part], drawn.flip_vertical[part], drawn.flip_horizontal[part], "wrap", 0.0)
        assert drawn.channel_shift_intensity is not None
        return exact.run(
            x[part], None, moves, drawn.channel_shift_intensity[part], None, Finish(center=True), workers=workers
        )

    every = made(slice(0, 70), 1)
    np.testing.assert_array_equal(made(slice(0, 70), 3), every)
    for i in (0, 33, 69):
        np.testing.assert_array_equal(made(slice(i, i + 1), 1)[0], every[i])


@pytest.mark.parametrize("mode", MODES)
def test_whatever_is_asked_for_nothing_outside_is_read(mode: str) -> None:
    x = np.full((1, 5, 6, 3), 50.0, np.float32)
    no = np.zeros(1, bool)
    for scale in (1e-300, 1e12, 1e155, 1e300):
        for offset in (0.0, -1e9, 1e300, -1e300):
            matrix = np.array([[[scale, -scale, offset], [-scale, scale, offset], [0, 0, 1]]])
            made = exact.run(x, None, Moves(matrix, no, no, mode, 50.0), None, None)
            np.testing.assert_array_equal(made, x)


def test_what_is_not_a_number_stays_where_it_is() -> None:
    x = np.full((1, 4, 4, 1), 10.0, np.float32)
    x[0, 1, 2] = np.nan
    made = exact.run(x, None, None, np.array([5.0]), np.array([1.5]))
    np.testing.assert_array_equal(np.isnan(made), np.isnan(x))


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**64 - 1),
    epoch=st.integers(0, 2**32 - 1),
    keys=st.lists(st.integers(0, 2**64 - 1), max_size=5),
)
def test_numbers_are_those_of_the_generator(seed: int, epoch: int, keys: list[int]) -> None:
    hashed = np.array(keys, np.uint64)
    expected = rng.Draws(rng.Generator(seed, epoch, hashed), 0).uniforms(12)
    np.testing.assert_array_equal(uniform_columns(seed, epoch, hashed), expected)


@pytest.mark.parametrize(("seed", "epoch"), [(2**64, 0), (-1, 0), (0, 2**32), (0, -1)])
def test_seeds_and_epochs_out_of_range_are_refused(seed: int, epoch: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        uniform_columns(seed, epoch, [1])


def factor_by_factor(
    theta: Array, tx: Array, ty: Array, shear: Array, zx: Array, zy: Array, size: tuple[int, int]
) -> Array:
    """Rotation, shift, shear and zoom about the centre of a frame, each a matrix in (x, y), multiplied."""
    made = []
    for a, s, dx, dy, wide, high in zip(np.deg2rad(theta), np.deg2rad(shear), tx, ty, zx, zy, strict=True):
        m = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        m = m @ np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]])
        m = m @ np.array([[1, -np.sin(s), 0], [0, np.cos(s), 0], [0, 0, 1]]) @ np.diag([wide, high, 1])
        made.append(affine.transform_matrix_offset_center(m, size[1], size[0])[[1, 0, 2]][:, [1, 0, 2]])
    return np.stack(made)


@pytest.mark.parametrize("exact", [False, True])
def test_matrices_are_the_products_factor_by_factor(exact: bool) -> None:
    drawn, _ = drawn_for((20, 31), 6, n=50)
    moves = drawn.theta, drawn.tx, drawn.ty, drawn.shear, drawn.zx, drawn.zy
    found = affine.matrices(*moves, (20, 31), exact=exact)
    np.testing.assert_allclose(found, factor_by_factor(*moves, (20, 31)[:: -1 if exact else 1]), rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match="finite"):
        affine.matrices(*moves[:4], drawn.zx * np.inf, drawn.zy, (20, 31), exact=exact)


@pytest.mark.parametrize("side", [20, 70])
@pytest.mark.parametrize("mode", [*MODES, "mirror", "grid-wrap"])
def test_single_and_double_precision_agree_whichever_way_they_go(side: int, mode: str) -> None:
    x = pictures((side, side), 3, "float32", 8)
    drawn, matrix = drawn_for((side, side), 8)
    reading = Reading(1, mode, 9.0)
    drawn = Parameters(**{f: None if f == "brightness" else getattr(drawn, f) for f in Parameters.__slots__})
    finishes = Finish(rescale=1 / 255), Finish(rescale=1 / 255, center=True)
    for data_format, finish in itertools.product(("channels_last", "channels_first"), finishes):
        made = changed(x, drawn, matrix, reading, finish, dtype=np.dtype(np.float32), data_format=data_format)
        double = by_the_book(x, drawn, matrix, reading, finish, dtype=np.dtype(np.float64), data_format=data_format)
        assert made.dtype == np.float32
        assert double.dtype == np.float64
        np.testing.assert_allclose(made, double, atol=1e-5)


def test_a_batch_without_moves_leaves_label_maps_alone() -> None:
    x = pictures((6, 6), 3, "uint8", 1)
    masks = (x[..., 0] > 100).astype(np.uint8)
    _, moved = ImageDataGenerator(rescale=1 / 255).augmented(x, range(N), masks=masks)
    assert moved is not None
    np.testing.assert_array_equal(moved, masks)
    assert not np.shares_memory(moved, masks)


def test_ranges_changed_later_count() -> None:
    generator = ImageDataGenerator(width_shift_range=1)
    assert generator.get_random_transform((8, 8, 3), seed=1)["tx"] == 0
    generator.width_shift_range = 1.0  # equal, but no longer one of no pixels
    assert generator.get_random_transform((8, 8, 3), seed=1)["tx"] != 0
    generator.zoom_range[0] = 0.5
    assert generator.get_random_transform((8, 8, 3), seed=1)["zx"] != 1
    generator.width_shift_range = np.zeros(2000)
    assert generator.get_random_transform((8, 8, 3), seed=1)["tx"] == 0
    generator.width_shift_range[:] = np.arange(2000) % 1000 == 500
    drawn = [generator.get_random_transform((8, 8, 3), seed=k)["tx"] for k in range(4000)]
    assert set(drawn) == {-1, 0, 1}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras calls ndimage by an old name
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("mode", MODES)
def test_batches_are_those_of_keras(mode: str, dtype: str) -> None:
    module, x = legacy(), pictures((32, 32), 3, dtype, 9, n=16)
    moves: dict[str, Any] = {"rotation_range": 15, "width_shift_range": 0.1, "zoom_range": 0.1, "horizontal_flip": True}
    extras: list[dict[str, Any]] = [
        {"shear_range": 9.0, "height_shift_range": 3},
        {"brightness_range": (0.6, 1.4)},
        {"channel_shift_range": 30.0, "brightness_range": (0.6, 1.4), "rescale": 1 / 255},
        {"featurewise_center": True, "featurewise_std_normalization": True},
        {"samplewise_center": True, "samplewise_std_normalization": True, "rescale": 1 / 255},
    ]
    for extra in extras:
        ours, theirs = (
            kind(**moves, **extra, fill_mode=mode) for kind in (ImageDataGenerator, module.ImageDataGenerator)
        )
        if ours.featurewise_center:
            ours.fit(x)
            theirs.mean, theirs.std = ours.mean, ours.std
        made = next(ours.flow(x, batch_size=16, shuffle=False, seed=3))
        drawn = ours._ranges.draw(3, 0, range(16), (32, 32), exact=False)
        expected = [
            theirs.standardize(theirs.apply_transform(v.astype(np.float32), drawn.row(i))) for i, v in enumerate(x)
        ]
        # The first is of one colour: what rounding leaves of it, Keras divides by what rounding leaves.
        skip = 1 if ours.samplewise_center else 0
        np.testing.assert_allclose(made[skip:], np.stack(expected)[skip:], atol=1e-4, err_msg=str(extra))
