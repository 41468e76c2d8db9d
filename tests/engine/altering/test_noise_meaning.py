"""What noise and erasures mean: moments, quantiles of scipy, and small sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats as stats

import imagemill as im
from imagemill.core.image_ops import Noise
from imagemill.engine.altering.noise_values import noisy, poisson_quantile

BACKENDS = ("cpu", "reference")
FLAT = np.full((120, 150, 3), 128, np.uint8)


def run(transform: im.Transform, image: Any, backend: str = "cpu", key: int = 0, **how: Any) -> Any:
    return im.Pipeline([transform], seed=1, backend=backend)(image, key=key, **how)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_gaussian_noise_has_its_strength_in_shares_of_white(backend: str, dtype: Any) -> None:
    white = 1.0 if dtype == np.float32 else float(np.iinfo(dtype).max)
    image = np.full((120, 150, 3), white / 2).astype(dtype)
    noise = (run(im.GaussianNoise(0.05), image, backend).astype(float) - image) / white
    assert abs(noise.mean()) < 1e-3
    assert noise.std() == pytest.approx(0.05, rel=0.02)
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 0.03
    gray = run(im.GaussianNoise(0.05, per_channel=False), image, backend)
    np.testing.assert_array_equal(gray[..., 0], gray[..., 2])


@pytest.mark.parametrize("transform", [im.GaussianNoise(0.1, per_channel=False), im.ISONoise(0.1, 0.1, 0.5)], ids=repr)
def test_both_backends_have_one_field(transform: im.Transform) -> None:
    image = np.full((20, 30, 3), 0.5)
    np.testing.assert_allclose(*(run(transform, image, backend) for backend in BACKENDS), atol=1e-6)


def test_the_same_field_whatever_the_type() -> None:
    low = run(im.GaussianNoise(0.1), np.full((20, 30), 128, np.uint8)) / 255 - 128 / 255
    real = run(im.GaussianNoise(0.1), np.full((20, 30), 128 / 255)) - 128 / 255
    assert np.abs(low - real).max() < 0.6 / 255


@pytest.mark.parametrize("backend", BACKENDS)
def test_speckle_grows_with_the_value(backend: str) -> None:
    image = np.stack([np.full((100, 100), 0.25), np.full((100, 100), 1.0)])
    made = run(im.SpeckleNoise(0.1), image, backend, axes="zyx")
    assert made[0].std() == pytest.approx(0.025, rel=0.03)
    assert made[1].std() == pytest.approx(0.1, rel=0.03)


@pytest.mark.parametrize("backend", BACKENDS)
def test_iso_noise_is_of_shot_and_reading_and_partly_coloured(backend: str) -> None:
    noise = run(im.ISONoise(shot=0.06, read=0.03, colour=0.4), FLAT, backend) - 128.0
    wanted = 255 * np.sqrt(0.06**2 * 128 / 255 + 0.03**2)
    assert noise.std() == pytest.approx(wanted, rel=0.02)
    shared = np.corrcoef(noise[..., 0].ravel(), noise[..., 2].ravel())[0, 1]
    assert shared == pytest.approx(0.6, abs=0.03)


def test_poisson_quantiles_are_scipys() -> None:
    rng = np.random.default_rng(0)
    u, mean = rng.random(4000), np.exp(rng.uniform(-3, 9, 4000))
    np.testing.assert_array_equal(poisson_quantile(u, mean), stats.poisson.ppf(u, mean))
    assert poisson_quantile(np.array([1 - 2.0**-33]), np.zeros(1)) == [0]


@pytest.mark.parametrize("photons", [1.0, 20, 255, 3000, 200_000])
def test_shot_noise_of_8_bits_is_the_same_by_table(photons: float) -> None:
    image = np.arange(256, dtype=np.uint8).repeat(40).reshape(64, 160)
    found, wanted = (run(im.ShotNoise(photons), image, backend).astype(int) for backend in BACKENDS)
    # Where the distribution function is met to the last bits, one event more or less.
    assert (found != wanted).mean() < 1e-3
    if not 20 <= photons <= 3000:
        return  # a photon here and there, or less than what rounding takes
    # Dark enough that nothing saturates.
    noise = wanted[5:25] - image[5:25].astype(int)
    assert noise.std() == pytest.approx(np.sqrt(255 / photons * image[5:25].mean() + 1 / 12), rel=0.1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_salt_and_pepper_by_pixels_and_by_channels(backend: str) -> None:
    together = run(im.SaltAndPepper(0.2, 0.25), FLAT, backend)
    hit = together != 128
    np.testing.assert_array_equal(hit.all(axis=-1), hit.any(axis=-1))
    assert hit.mean() == pytest.approx(0.2, abs=0.01)
    assert (together == 255).mean() == pytest.approx(0.05, abs=0.01)
    apart = run(im.SaltAndPepper(0.2, per_channel=True), FLAT, backend) != 128
    assert apart.mean() == pytest.approx(0.2, abs=0.01)
    assert (apart.all(axis=-1) != apart.any(axis=-1)).any()


def test_all_and_none_are_hit_at_the_bounds() -> None:
    assert (run(im.SaltAndPepper(1, 1), FLAT) == 255).all()
    assert (run(im.SaltAndPepper(1, 0), FLAT) == 0).all()
    assert (run(im.PixelDropout(0.0), FLAT) == 128).all()
    assert (run(im.PixelDropout(1.0, fill=9), FLAT) == 9).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_label_maps_show_the_same_pixels(backend: str) -> None:
    mask = np.ones((120, 150), np.uint8)
    made = run(im.PixelDropout(0.3, fill=0, mask_fill=7), FLAT, backend, mask=mask)
    np.testing.assert_array_equal(made.mask == 7, made.image[..., 0] == 0)
    kept = run(im.PixelDropout(0.3), FLAT, backend, mask=mask)
    np.testing.assert_array_equal(kept.mask, mask)


def test_noise_of_one_sample_leaves_the_unchosen_alone() -> None:
    op = Noise("normal", np.ones((2, 4)), np.ones((2, 2), np.uint32), 1)
    where = op.chosen(np.array([True, False]), None).chosen(np.array([True, True]), None).where  # type: ignore[arg-type]
    assert where is not None
    assert where.tolist() == [True, False]
    assert noisy(op, 0, np.zeros((4, 4, 1))).any()
