"""Values that are not finite, and pictures that are constant but for rounding, against numpy over the finite values."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import imagemill as im

BACKENDS = ("cpu", "reference")
BAD = {"nan": [np.nan], "inf": [np.inf], "minus": [-np.inf], "all": [np.nan, np.inf, -np.inf]}


def scan_with(bad: list[float], dtype: Any = np.float32) -> Any:
    volume = np.random.default_rng(3).normal(100, 20, (8, 16, 16)).astype(dtype)
    for k, value in enumerate(bad):
        volume[k, 3, 5 + k] = value
    return volume


def quiet(pipe: im.Pipeline, *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*NaN or infinite.*")
        return pipe(*args, **kwargs)


def by_hand(volume: Any) -> Any:
    """NaN as the value nearest to 0 (here the smallest), infinities as the ends."""
    left = volume[np.isfinite(volume)]
    return np.nan_to_num(volume, nan=left.min(), posinf=left.max(), neginf=left.min())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("what", ["minmax", "standardize", "contrast"])
def test_statistics_go_over_the_finite_values(backend: str, bad: str, dtype: Any, what: str) -> None:
    volume = scan_with(BAD[bad], dtype)
    left = volume[np.isfinite(volume)].astype(np.float64)
    full = by_hand(volume).astype(np.float64)
    transform, expected = {
        "minmax": (im.Rescale("minmax"), (full - left.min()) / np.ptp(left)),
        "standardize": (im.Standardize(), (full - left.mean()) / (left.std() + 1e-7)),
        "contrast": (im.Contrast(1.5), left.mean() + 1.5 * (full - left.mean())),
    }[what]
    made = quiet(im.Pipeline([transform], seed=0, backend=backend), im.Image(volume, "zyx"), key=0)
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("order", [0, 1, 3, 5])
def test_interpolation_spreads_nothing(backend: str, order: int) -> None:
    volume = scan_with(BAD["all"])
    pipe = im.Pipeline([im.Rotate(11, order=order), im.Shift(pixels={"x": 0.4}, order=order)], seed=0, backend=backend)
    made = quiet(pipe, im.Image(volume, "zyx"), key=0)
    np.testing.assert_array_equal(made, pipe(im.Image(by_hand(volume), "zyx"), key=0))
    assert np.isfinite(made).all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(8, 16, 17), (24, 20), (210, 190, 3)])
def test_what_moves_whole_pixels_reads_none_of_them(shape: tuple[int, ...], dtype: Any, backend: str) -> None:
    image = np.random.default_rng(1).normal(100, 20, shape).astype(dtype)
    for k, value in enumerate(BAD["all"]):
        image[(k, 3, k)[: image.ndim]] = value
    axes, x = ("zyx", 2) if image.ndim == 3 and shape[-1] != 3 else ("yxc"[: image.ndim], 1)
    given, cut = im.Image(image, axes), (slice(None),) * x
    for transform, expected in (
        (im.Flip("x"), np.flip(image, x)),
        (im.Shift(pixels={"x": 2}, border="nearest"), image[(*cut, [0, 0, *range(shape[x] - 2)])]),
        (im.ToDtype("float64"), image),
    ):
        pipe = im.Pipeline([transform], seed=0, backend=backend)
        np.testing.assert_array_equal(pipe(given, key=0), expected)
        np.testing.assert_array_equal(pipe.batch([given, given], keys=[0, 1]).image[1], expected)
    turned = im.Pipeline([im.QuarterTurn(1, plane="yx")], seed=0, backend=backend)(given, key=0)
    assert np.count_nonzero(~np.isfinite(turned)) == 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_erased_leaves_gaps_elsewhere_as_they_are(backend: str) -> None:
    volume = scan_with(BAD["all"])
    made = im.Pipeline([im.CoarseDropout(2, 0.2, fill=7)], seed=0, backend=backend)(im.Image(volume, "zyx"), key=0)
    kept = made != 7
    np.testing.assert_array_equal(made[kept], volume[kept])
    assert 0 < kept.sum() < volume.size


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_preset_for_scans_loses_nothing_but_the_voxel(fuse: bool, backend: str) -> None:
    volume = scan_with([np.nan])
    pipe = im.Pipeline(im.preset("scan", size=24), seed=5, fuse=fuse, backend=backend)
    made = quiet(pipe, im.Image(volume, "zyx"), key="a")
    full = pipe(im.Image(by_hand(volume), "zyx"), key="a")
    np.testing.assert_allclose(made, full, atol=1e-5)
    assert made.std() > 0.05


@pytest.mark.parametrize("last", [im.Standardize(), im.Normalize(0.5, 0.2)])
@pytest.mark.parametrize("shape", [(24, 20, 3), (200, 180, 3)])
def test_a_batch_with_one_bad_picture_is_that_of_single_calls(shape: tuple[int, ...], last: im.Transform) -> None:
    pictures = np.random.default_rng(0).uniform(0, 1, (5, *shape)).astype(np.float32)
    pictures[2, 4, 4, 1] = np.nan
    pipe = im.Pipeline([im.Rotate((-20, 20)), im.Contrast((0.5, 1.5)), last], seed=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*NaN or infinite.*")
        together = pipe.batch(pictures, keys=range(5), workers=2).image
    for k in range(5):
        np.testing.assert_array_equal(together[k], quiet(pipe, pictures[k], key=k))
    assert np.isfinite(together).all()


def test_it_is_said_once_with_the_count() -> None:
    pipe = im.Pipeline([im.Rescale("minmax")], seed=0)
    with pytest.warns(UserWarning, match="3 of 2,048 values of an image are NaN or infinite"):
        pipe(im.Image(scan_with(BAD["all"]), "zyx"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe(im.Image(scan_with(BAD["all"]), "zyx"))
        im.Pipeline([im.Rescale("minmax")], seed=0)(im.Image(scan_with([]), "zyx"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("transform", [im.Rescale("minmax"), im.Standardize(), im.Contrast(2), im.Rotate(5)])
def test_an_image_of_nothing_finite_is_refused(backend: str, transform: Any) -> None:
    nothing = np.full((4, 5), np.nan, np.float32)
    with pytest.raises(ValueError, match="at least one finite value, got none"):
        quiet(im.Pipeline([transform], seed=0, backend=backend), nothing)


def test_a_channel_of_nothing_finite_takes_none_of_the_others_down() -> None:
    picture = np.random.default_rng(0).uniform(1, 2, (9, 8, 3)).astype(np.float32)
    picture[..., 1] = np.nan
    made = quiet(im.Pipeline([im.Standardize(per_channel=True)], seed=0), picture)
    for channel in (0, 2):
        expected = (picture[..., channel] - picture[..., channel].mean()) / picture[..., channel].std()
        np.testing.assert_allclose(made[..., channel], expected, atol=1e-4)


# ------------------------------------------------------------------------------------------- constant, and nearly


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
@pytest.mark.parametrize("order", [1, 3, 5])
@pytest.mark.parametrize("last", [im.Rescale("minmax"), im.Standardize(), im.Standardize(per_channel=True)])
def test_a_constant_volume_stays_constant(backend: str, dtype: Any, order: int, last: Any) -> None:
    for k, value in enumerate((7, 0.1, 1 / 3, 1234.567, 99)):
        volume = np.full((6, 11, 13), value, dtype)
        pipe = im.Pipeline(
            [im.Rotate(7 + k, order=order), im.Zoom(1.13, order=order), im.Resample((5, 17, 19), order=order), last],
            seed=0, backend=backend,
        )  # fmt: skip
        assert not pipe(im.Image(volume, "zyx"), key=0).any()


def test_one_pixel_that_stands_out_is_no_constant_picture() -> None:
    picture = np.full((1000, 1000), 7, np.float32)
    picture[500, 500] = 7.01
    made = im.Pipeline([im.Standardize()], seed=0)(picture)
    wide = picture.astype(np.float64)
    np.testing.assert_allclose(made[500, 500], (wide - wide.mean())[500, 500] / (wide.std() + 1e-7), rtol=1e-2)
    stretched = im.Pipeline([im.Rescale("minmax")], seed=0)(picture)
    assert (stretched[500, 500], stretched[0, 0]) == (1, 0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("to", [(0, 1), (-1, 1)])
def test_a_stretched_picture_stays_in_its_range(backend: str, to: tuple[int, int]) -> None:
    rng = np.random.default_rng(8)
    for _ in range(200):
        volume = rng.normal(rng.uniform(-1e4, 1e4), rng.uniform(0.1, 1e4), (3, 7, 9)).astype(np.float32)
        made = im.Pipeline([im.Rescale("minmax", to=to)], seed=0, backend=backend)(im.Image(volume, "zyx"))
        assert (made.min(), made.max()) == pytest.approx(to, abs=1e-6)
        assert to[0] <= made.min() <= made.max() <= to[1]


def test_a_flat_picture_without_epsilon_gives_zeros() -> None:
    assert not im.Pipeline([im.Standardize(epsilon=0)], seed=0)(np.full((4, 5), 9, np.uint8)).any()
    assert not im.Pipeline([im.Standardize(epsilon=0)], seed=0)(np.full((4, 5), 9, np.float32)).any()
