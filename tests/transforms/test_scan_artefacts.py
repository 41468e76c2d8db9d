"""Artefacts of scanners, against the whole spectrum in numpy's FFT: shifted, changed by hand, and brought back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage as ndi

import imagemill as im
from imagemill.core.errors import ParameterError

RNG = np.random.default_rng(6)
SCAN = ndi.gaussian_filter(RNG.random((8, 12, 10)), 1) * 100


def run(transform: Any, scan: Any = SCAN, key: int = 0) -> Any:
    return im.Pipeline([transform], seed=5)(image=im.Image(scan, "zyx" if scan.ndim == 3 else "yx"), key=key)


def spectrum(scan: Any) -> Any:
    return np.fft.fftshift(np.fft.fftn(scan))


def back(changed: Any) -> Any:
    return np.fft.ifftn(np.fft.ifftshift(changed)).real


@pytest.mark.parametrize("name", ["z", "y", "x"])
@pytest.mark.parametrize(("count", "kept"), [(2, 0), (3, 0), (4, 0.3)])
def test_ghosts_are_weaker_planes_of_the_spectrum(name: Any, count: int, kept: float) -> None:
    axis = "zyx".index(name)
    changed = np.moveaxis(spectrum(SCAN), axis, 0).copy()
    n = len(changed)
    middle = [k for k in range(n) if abs(k - n // 2) <= kept * n / 2]
    restored = changed[middle].copy()
    changed[::count] *= 1 - 0.7
    changed[middle] = restored
    found = run(im.Ghosting(count, 0.7, kept, axes=name)).image
    assert np.abs(found - back(np.moveaxis(changed, 0, axis))).max() < 1e-9
    assert found.mean() == pytest.approx(SCAN.mean())


def test_a_spike_is_one_value_of_the_spectrum() -> None:
    found = run(im.Spike(0.6)).image
    where = np.argwhere(np.abs(spectrum(found - SCAN)) > 1e-6 * SCAN.sum())
    assert 1 <= len(where) <= 2  # of a real image the frequency and its mirror
    changed = spectrum(SCAN)
    changed[tuple(where[0])] += 0.6 * np.abs(changed).max()  # the middle, whose value is the sum
    assert np.abs(found - back(changed)).max() < 1e-9
    three = run(im.Spike(0.6, count=3)).image
    assert 3 <= (np.abs(spectrum(three - SCAN)) > 1e-6 * SCAN.sum()).sum() <= 6


def test_a_bias_field_is_a_polynomial() -> None:
    made = run(im.BiasField(0.5, degree=2), SCAN + 1)
    field = np.log(made.image / (SCAN + 1))
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, n) for n in SCAN.shape], indexing="ij")
    basis = np.stack([z**a * y**b * x**c for a in range(3) for b in range(3 - a) for c in range(3 - a - b)], axis=-1)
    coefficients, *_ = np.linalg.lstsq(basis.reshape(-1, 10), field.ravel(), rcond=None)
    assert np.abs(basis @ coefficients - field).max() < 1e-9
    assert 0.1 < np.abs(coefficients).max() <= 0.5
    other = run(im.BiasField(0.5, degree=2), SCAN + 1, key=1)
    assert not np.allclose(other.image, made.image)
    assert np.array_equal(run(im.BiasField(0)).image, SCAN)


def test_motion_is_a_spectrum_of_two_positions() -> None:
    sample = run(im.MotionArtefact(0, (2, 3), count=1, axes="x"))
    (applied,) = sample.applied
    shift = [applied.values[f"millimetres.0.{name}"] for name in "zyx"]
    moved = ndi.shift(SCAN, shift, order=1, mode="nearest")
    still, later = np.fft.fftshift(np.fft.fft(SCAN, axis=2), 2), np.fft.fftshift(np.fft.fft(moved, axis=2), 2)
    parts = []
    for end in range(6, 11):  # the time is one of the second half, the middle belongs to the first position
        both = np.concatenate([still[..., :end], later[..., end:]], axis=2)
        parts.append(np.abs(np.fft.ifft(np.fft.ifftshift(both, 2), axis=2).real - sample.image).max())
    assert min(parts) < 1e-9
    assert sample.image.mean() == pytest.approx(SCAN.mean())
    turned = run(im.MotionArtefact((5, 10), 0, count=3))
    assert np.abs(turned.image - SCAN).max() > 0.01
    assert np.abs(run(im.MotionArtefact(0, 0)).image - SCAN).max() < 1e-9


@pytest.mark.parametrize("factor", [1.0, 1.7, 2.0, 3.3, 50.0])
def test_low_resolution_is_nearest_neighbour_and_straight_lines(factor: float) -> None:
    found = run(im.LowResolution(factor, axes="yx")).image
    wanted = SCAN
    for axis in (1, 2):
        n = SCAN.shape[axis]
        m = max(1, round(n / factor))
        if m == n:
            continue
        seen = np.array([int((j + 0.5) * n / m) for j in range(m)])
        places = (np.arange(n) + 0.5) * m / n - 0.5
        coarse = np.take(wanted, seen, axis=axis)
        wanted = np.apply_along_axis(lambda line, p=places: np.interp(p, np.arange(len(line)), line), axis, coarse)
    assert np.abs(found - wanted).max() < 1e-9


def test_one_axis_at_a_time() -> None:
    step = np.arange(8.0)
    scan = np.add.outer(np.add.outer(np.zeros(8), step**2), step**2 * 10)
    along = set()
    batch = im.Pipeline([im.LowResolution(4, axes="yx", one=True)], seed=5).batch(
        [scan] * 20, axes="zyx", keys=range(20)
    )
    for key in range(20):
        found = run(im.LowResolution(4, axes="yx", one=True), scan, key=key).image
        assert np.array_equal(found, batch.image[key])
        along.add(tuple(not np.allclose(np.diff(found, 2, axis=a), np.diff(scan, 2, axis=a)) for a in (1, 2)))
    assert along == {(True, False), (False, True)}


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("keep", [False, True])
def test_gamma_within_the_images_own_range(*, inverted: bool, keep: bool) -> None:
    scan = np.stack([SCAN - 60, 5 * SCAN], axis=-1)
    pipe = im.Pipeline([im.Gamma(1.4, within="range", inverted=inverted, keep=keep)], seed=0)
    found = pipe(scan, axes="zyxc")
    for c in range(2):
        x = -scan[..., c] if inverted else scan[..., c]
        wanted = ((x - x.min()) / (x.max() - x.min())) ** 1.4 * (x.max() - x.min()) + x.min()
        wanted = -wanted if inverted else wanted
        if keep:
            mean, deviation = scan[..., c].mean(), scan[..., c].std()
            wanted = (wanted - wanted.mean()) / wanted.std() * deviation + mean
        assert np.abs(found[..., c] - wanted).max() < 1e-9
    assert im.Pipeline([im.Gamma(2, within="range", keep=True)], seed=0)(np.full((3, 3), 7.0)).tolist() == [[7] * 3] * 3
    with pytest.raises(ParameterError, match="within='range'"):
        im.Gamma(keep=True)


def test_the_recipe_of_nnunet_keeps_labels_and_gives_patches() -> None:
    pipe = im.Pipeline(im.preset("nnunet-3d", 16), seed=3)
    scan, mask = ndi.gaussian_filter(RNG.random((20, 14, 22)), 1), RNG.integers(0, 3, (20, 14, 22))
    shown = set()
    for key in range(12):
        sample = pipe(image=im.Image(scan, "zyx"), mask=im.Mask(mask, "zyx"), key=key)
        assert sample.image.shape == sample.mask.shape == (16, 16, 16)
        assert np.isfinite(sample.image).all()
        assert set(np.unique(sample.mask)) <= {0, 1, 2}
        shown |= {one.name for one in sample.applied}
    assert {"Rotate", "Zoom", "GaussianBlur", "LowResolution", "Gamma", "Flip"} <= shown


@pytest.mark.parametrize(
    "transform",
    [im.BiasField(0.5), im.Ghosting(2, 0.9), im.Spike(1), im.MotionArtefact(), im.LowResolution(3)],
    ids=lambda t: type(t).__name__,
)
def test_labels_stay_and_integers_keep_their_type(transform: Any) -> None:
    scan, mask = (SCAN * 20).astype(np.int16), (SCAN > 50).astype(np.uint8)
    sample = im.Pipeline([transform], seed=1)(image=im.Image(scan, "zyx"), mask=im.Mask(mask, "zyx"))
    assert np.array_equal(sample.mask, mask)
    assert sample.image.dtype == np.int16
    assert not np.array_equal(sample.image, scan)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: im.BiasField(0.5, degree=9), "8 at most"),
        (lambda: im.BiasField(-1), "within"),
        (lambda: im.Spike(count=33), "32 at most"),
        (lambda: im.MotionArtefact(count=17), "16 at most"),
        (lambda: im.Ghosting(1), "within"),
        (lambda: im.Ghosting(intensity=2), "within"),
        (lambda: im.LowResolution(0.5), "within"),
        (lambda: im.LowResolution(axes="w"), "name axes"),
    ],
)
def test_what_cannot_be_is_said(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


def test_gaps_stay_where_no_filter_was_chosen() -> None:
    scan = SCAN.copy()
    scan[0, 0, 0] = np.nan
    never = im.Pipeline([im.LowResolution(2, p=0.0)], seed=0)(scan, axes="zyx")
    assert np.array_equal(never, scan, equal_nan=True)
    with pytest.warns(UserWarning, match="NaN"):
        assert np.isfinite(im.Pipeline([im.LowResolution(2)], seed=0)(scan, axes="zyx")).all()
