"""What can be asked for when a photo is read: a smaller decoding, true colours, pixels as they are stored."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from imagemill.core.errors import InputError
from imagemill.data import ReadOptions, read_picture
from imagemill.data.codecs.registry import decode

RAMP = np.add.outer(np.arange(160), np.arange(240)).astype(np.uint8)
PHOTO = np.stack([RAMP, 255 - RAMP, RAMP // 2], axis=-1)


def _save(path: Path, array: np.ndarray, **more: object) -> Path:  # type: ignore[type-arg]
    Image.fromarray(array).save(path, **more)
    return path


@pytest.mark.parametrize(
    ("least", "shape"),
    [
        ((160, 240), (160, 240)),
        ((80, 120), (80, 120)),
        ((81, 120), (160, 240)),
        ((40, 1), (40, 60)),
        ((1, 1), (20, 30)),
    ],
)
def test_jpeg_is_decoded_no_larger_than_needed(tmp_path: Path, least: tuple[int, int], shape: tuple[int, int]) -> None:
    picture = read_picture(_save(tmp_path / "a.jpg", PHOTO, quality=95), at_least=least)
    # libjpeg-turbo also knows scales between the halves; none may go below what was asked for.
    assert picture.array.shape[0] >= least[0]
    assert picture.array.shape[1] >= least[1]
    assert picture.array.shape[0] <= shape[0]
    assert picture.array.shape[1] <= shape[1]
    if picture.array.shape[:2] != (160, 240):
        assert picture.meta["full_size"] == (160, 240)
        assert "of 160 x 240" in picture.note
    for bad in ((0, 5), (5, -1), 0):
        with pytest.raises(InputError, match="at_least"):
            read_picture(tmp_path / "a.jpg", at_least=bad)


@pytest.mark.parametrize("longer", [240, 120, 119, 100, 60, 61, 1])
def test_jpeg_may_be_asked_for_by_its_longer_side(tmp_path: Path, longer: int) -> None:
    for name, photo in (("wide", PHOTO), ("high", np.rot90(PHOTO).copy())):
        picture = read_picture(_save(tmp_path / f"{name}.jpg", photo), at_least=longer)
        sides = sorted(picture.array.shape[:2])
        # So many eighths of 240 x 160 as it takes, and not one more.
        eighths = -(-longer * 8 // 240)
        assert sides == [20 * eighths, 30 * eighths]


def test_a_reduced_decoding_knows_about_quarter_turns(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    file = _save(tmp_path / "a.jpg", PHOTO, exif=exif)
    picture = read_picture(file, at_least=(120, 80))
    assert picture.array.shape[:2] == (120, 80)
    assert picture.meta["full_size"] == (240, 160)
    assert read_picture(file, at_least=(80, 120), exif=False).array.shape[:2] == (80, 120)


def _swapped() -> bytes:
    """A profile whose red is far from that of sRGB: the linear-light LAB profile will do for gray, this for colour."""
    profile = ImageCms.createProfile("sRGB")
    return ImageCms.ImageCmsProfile(profile).tobytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff"])
def test_profiles_are_ignored_unless_asked_for(tmp_path: Path, suffix: str) -> None:
    more: dict[str, object] = {"lossless": True} if suffix == ".webp" else {}
    file = _save(tmp_path / f"a{suffix}", PHOTO, icc_profile=_swapped(), **more)
    plain, converted = read_picture(file), read_picture(file, icc="srgb")
    assert "sRGB" not in plain.note
    assert "colours converted to sRGB" in converted.note
    # From sRGB to sRGB nothing may change but rounding.
    assert np.abs(plain.array.astype(int) - converted.array).max() <= 2
    broken = _save(tmp_path / f"b{suffix}", PHOTO, icc_profile=b"no profile at all", **more)
    kept = read_picture(broken, icc="srgb")
    np.testing.assert_array_equal(kept.array, plain.array)
    assert "ignored" in kept.note


def test_a_wide_profile_changes_colours_as_littlecms_does(tmp_path: Path) -> None:
    # Red and green swapped in the profile's own colorants: bytes of two tags change places.
    data = bytearray(_swapped())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    file = _save(tmp_path / "a.png", PHOTO, icc_profile=bytes(data))
    found = read_picture(file, icc="srgb").array
    image = Image.open(file)
    expected = ImageCms.profileToProfile(
        image, io.BytesIO(bytes(data)), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    np.testing.assert_array_equal(found, np.asarray(expected))
    assert np.abs(found.astype(int) - PHOTO).max() > 50
    rgba = np.concatenate([PHOTO, RAMP[..., None]], axis=-1)
    again = read_picture(_save(tmp_path / "b.png", rgba, icc_profile=bytes(data)), icc="srgb").array
    np.testing.assert_array_equal(again, np.concatenate([found, RAMP[..., None]], axis=-1))


def test_ink_is_as_pillow_has_it(tmp_path: Path) -> None:
    ink = Image.fromarray(PHOTO).convert("CMYK")
    ink.save(tmp_path / "a.jpg", quality=95)  # Pillow writes the Adobe mark and inverted values, as Photoshop does
    expected = np.asarray(Image.open(tmp_path / "a.jpg").convert("RGB"))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.jpg").array, expected)
    assert np.abs(expected.astype(int) - PHOTO).mean() < 3


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_small_depths(tmp_path: Path, bits: int) -> None:
    count = 1 << bits
    values = (np.add.outer(np.arange(6), np.arange(11)) % count).astype(np.uint8)
    image = Image.fromarray(values, "P") if bits > 1 else Image.fromarray(values.astype(bool))
    if bits > 1:
        image.putpalette([c for n in range(count) for c in (n * 10, n * 15, n * 3)])
        image.info["transparency"] = 1
    image.save(tmp_path / "a.png", bits=bits)
    labels = decode(tmp_path / "a.png", ReadOptions(labels=True)).array
    np.testing.assert_array_equal(labels, values)
    colours = read_picture(tmp_path / "a.png").array
    if bits == 1:
        np.testing.assert_array_equal(colours, values * 255)
    else:
        assert colours.shape == (6, 11, 4)
        np.testing.assert_array_equal(colours[..., 3], np.where(values == 1, 0, 255))
        np.testing.assert_array_equal(colours[..., 0], values * 10)
