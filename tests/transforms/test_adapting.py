"""Looks of reference images: against scikit-image, against the papers' formulas, and kept by content in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.exposure

import imagemill as im
from imagemill.testing import picture

PHOTO, OTHER = picture(1, (40, 52), 3), picture(2, (33, 64), 3) // 2 + 60
MATCHES = (im.MatchHistogram, im.MatchColours, im.MatchSpectrum)


def run(transform: im.Transform, image: Any, backend: str = "cpu", **how: Any) -> Any:
    return im.Pipeline([transform], seed=3, backend=backend)(image, **how)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_histograms_are_those_of_scikit_image(backend: str) -> None:
    found = run(im.MatchHistogram(OTHER, amount=1), PHOTO, backend)
    wanted = skimage.exposure.match_histograms(PHOTO.astype(float), OTHER.astype(float), channel_axis=-1)
    assert np.abs(found - np.rint(wanted)).max() <= 1  # a half may be rounded either way
    assert (found == np.rint(wanted)).mean() > 0.999
    half = run(im.MatchHistogram(OTHER, amount=0.5), PHOTO, backend)
    np.testing.assert_allclose(half, (wanted + PHOTO) / 2, atol=0.51)


def test_histograms_of_scans_are_kept_as_quantiles() -> None:
    rng = np.random.default_rng(0)
    scan, other = rng.normal(size=(6, 30, 30)), 100 + 40 * rng.standard_exponential((8, 40, 40))
    reference = im.Image(other, "zyx")
    found = run(im.MatchHistogram(reference, amount=1), scan, axes="zyx")
    wanted = skimage.exposure.match_histograms(scan, other)
    # 256 quantiles of an exponential: all but the longest tail within a hundredth of its deviation.
    assert np.quantile(np.abs(found - wanted), 0.98) < 0.6
    assert abs(np.median(found) - np.median(other)) < 1
    assert found.max() == other.max()


def lab(rgb: Any) -> Any:
    """The space of the paper, one pixel after the other."""
    out = []
    for r, g, b in np.maximum(rgb, 0.5 / 255):
        long = np.log10(0.3811 * r + 0.5783 * g + 0.0402 * b)
        middle = np.log10(0.1967 * r + 0.7244 * g + 0.0782 * b)
        short = np.log10(0.0241 * r + 0.1288 * g + 0.8444 * b)
        light = (long + middle + short) / np.sqrt(3)
        out.append((light, (long + middle - 2 * short) / np.sqrt(6), (long - middle) / np.sqrt(2)))
    return np.array(out)


def test_colours_have_the_moments_of_the_reference() -> None:
    photo, other = picture(1, (12, 15), 3, np.float64) * 0.5 + 0.2, picture(2, (9, 10), 3, np.float64) * 0.4 + 0.3
    found = run(im.MatchColours(other, amount=1), photo)
    got, wanted = lab(found.reshape(-1, 3)), lab(other.reshape(-1, 3))
    np.testing.assert_allclose(got.mean(axis=0), wanted.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(got.std(axis=0), wanted.std(axis=0), atol=1e-9)
    # Each pixel is where it was among the others: a positive gain for each channel.
    before = lab(photo.reshape(-1, 3))
    for c in range(3):
        assert np.corrcoef(before[:, c], got[:, c])[0, 1] > 1 - 1e-9
    gray = run(im.MatchColours(other[..., 0], amount=1), photo[..., 0])
    np.testing.assert_allclose((gray.mean(), gray.std()), (other[..., 0].mean(), other[..., 0].std()))


@pytest.mark.parametrize("beta", [0.0, 0.05, 0.1])
def test_low_frequencies_are_swapped_as_in_the_paper(beta: float) -> None:
    photo, other = picture(1, (40, 52), 3, np.float64), picture(2, (40, 52), 3, np.float64)
    found = run(im.MatchSpectrum(other, beta=beta), photo)
    wanted = np.empty_like(photo)
    for c in range(3):
        source, target = (np.fft.fftshift(np.fft.fft2(x[..., c])) for x in (photo, other))
        amplitude, b = np.abs(source), int(np.floor(beta * 40))
        window = (slice(20 - b, 20 + b + 1), slice(26 - b, 26 + b + 1))
        amplitude[window] = np.abs(target)[window]
        wanted[..., c] = np.fft.ifft2(np.fft.ifftshift(amplitude * np.exp(1j * np.angle(source)))).real
    # Amplitudes are kept in half precision: a thousandth of each.
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_a_reference_of_another_size_stands_for_one_that_was_stretched() -> None:
    photo = picture(1, (40, 52), None, np.float64)
    waves = 0.5 + 0.2 * np.cos(2 * np.pi * np.arange(40)[:, None] / 40) + 0.1 * np.sin(4 * np.pi * np.arange(52) / 52)
    large = 0.5 + 0.2 * np.cos(2 * np.pi * np.arange(80)[:, None] / 80) + 0.1 * np.sin(4 * np.pi * np.arange(104) / 104)
    np.testing.assert_allclose(
        run(im.MatchSpectrum(large, beta=0.1), photo), run(im.MatchSpectrum(waves, beta=0.1), photo), atol=1e-6
    )


@pytest.mark.parametrize("cls", MATCHES)
def test_references_are_arrays_files_folders_or_summaries(cls: Any, tmp_path: Path) -> None:
    for name, image in (("b", OTHER), ("a", PHOTO)):
        im.write_picture(tmp_path / f"{name}.png", im.Picture(image, "yxc"))
    whole = cls([PHOTO, OTHER])
    assert cls(tmp_path) == cls(str(tmp_path)) == cls([tmp_path / "a.png", str(tmp_path / "b.png")]) == whole
    assert cls(OTHER).references == whole.references[1:]
    pipe = im.Pipeline([whole, im.Flip("x")], seed=1)
    text = pipe.to_yaml()
    for name in "ab":
        (tmp_path / f"{name}.png").unlink()
    again = im.Pipeline.from_yaml(text)
    assert again == pipe
    assert (again.digest, len(repr(again)) < 400) == (pipe.digest, True)
    seen = set()
    for key in range(8):
        one, two = pipe(image=PHOTO, key=key), again(image=PHOTO, key=key)
        np.testing.assert_array_equal(one.image, two.image)
        seen.add(one.applied[0].values["reference"])
    assert seen == {0, 1}
    assert im.Pipeline([cls(OTHER)], seed=1).digest != im.Pipeline([cls(PHOTO)], seed=1).digest


def test_what_is_no_reference_is_refused() -> None:
    with pytest.raises(im.ParameterError, match=r"a file or a folder of reference images .* which is not there"):
        im.MatchHistogram("no/such/folder")
    with pytest.raises(im.ParameterError, match=r"1 to 256 images for MatchHistogram\(references=\.\.\.\), got 0"):
        im.MatchHistogram([])
    (summary,) = im.MatchHistogram(PHOTO).references
    for broken in (summary[:-9], summary[:40] + "~" + summary[41:], "histogram:", "histogram:\xff"):
        with pytest.raises(im.ParameterError, match="was cut or changed"):
            im.MatchHistogram(broken)
    with pytest.raises(im.ParameterError, match="not there"):
        im.MatchColours(summary)
    with pytest.raises(im.InputError, match=r"reference images of 1 colour channels for MatchHistogram, got 3"):
        run(im.MatchHistogram(PHOTO), PHOTO[..., 0])
    with pytest.raises(im.InputError, match=r"expected reference images of uint8 for MatchColours, .* got others"):
        run(im.MatchColours(np.array([[-3.0, 900.0]])), PHOTO)
    with pytest.raises(im.ParameterError, match="finite"):
        im.MatchColours(np.full((3, 3), np.nan))
    with pytest.raises(im.InputError, match=r"at most 48 cycles, got 60 for a side of 200"):
        run(im.MatchSpectrum(PHOTO, beta=0.3), np.zeros((200, 300, 3), np.uint8))
    with pytest.raises(im.InputError, match="expected pictures for MatchSpectrum, got volumes"):
        run(im.MatchSpectrum(PHOTO[..., 0]), np.zeros((5, 6, 7), np.float32), axes="zyx")


def test_alpha_is_left_alone() -> None:
    rgba = np.concatenate([PHOTO, np.full((40, 52, 1), 77, np.uint8)], axis=-1)
    for cls in MATCHES:
        found = run(cls(np.concatenate([OTHER, OTHER[..., :1]], axis=-1)), rgba)
        np.testing.assert_array_equal(found[..., 3], 77)
        np.testing.assert_array_equal(found[..., :3], run(cls(OTHER), PHOTO))
