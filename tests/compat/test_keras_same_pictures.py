"""Given the same numbers, the pictures are those of Keras, and those of ndimage by the book where it is absent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageEnhance
from scipy import ndimage

from imagemill.compat.keras import (
    ImageDataGenerator,
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    img_to_array,
    transform_matrix_offset_center,
)
from tests.compat.keras_legacy import legacy

MODES = ("nearest", "constant", "reflect", "wrap")
PARAMETERS: list[dict[str, Any]] = [
    {"theta": 13.7},
    {"theta": 90},
    {"theta": -170.3},
    {"tx": 2.3},
    {"ty": -4.6},
    {"tx": 3, "ty": -2},
    {"tx": 40.5},
    {"shear": 21.0},
    {"zx": 1.3},
    {"zy": 0.7},
    {"zx": 2.7, "zy": 0.4},
    {"flip_horizontal": True},
    {"flip_vertical": True, "theta": 7.3},
    {"theta": 33, "tx": 1.7, "ty": 9.2, "shear": -9, "zx": 0.8, "zy": 1.2, "flip_horizontal": True},
    {"channel_shift_intensity": 40.0, "theta": 5.1},
    {"channel_shift_intensity": -20.0},
    {},
]


def picture(size: tuple[int, int], channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (*size, channels)).astype(np.float32)


def by_the_book(x: np.ndarray, given: dict[str, Any], mode: str, order: int) -> np.ndarray:
    """Rotation, shift, shear and zoom about the centre of a picture (H, W, C), one channel after the other."""
    a, s = np.deg2rad(given.get("theta", 0)), np.deg2rad(given.get("shear", 0))
    m = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    m = m @ np.array([[1, 0, given.get("tx", 0)], [0, 1, given.get("ty", 0)], [0, 0, 1]])
    m = m @ np.array([[1, -np.sin(s), 0], [0, np.cos(s), 0], [0, 0, 1]])
    m = m @ np.diag([given.get("zx", 1), given.get("zy", 1), 1])
    cx, cy = (x.shape[1] - 1) / 2, (x.shape[0] - 1) / 2
    centre = np.array([[1, 0, cx], [0, 1, cy], [0, 0, 1]])
    m = (centre @ m @ np.array([[1, 0, -cx], [0, 1, -cy], [0, 0, 1]]))[[1, 0, 2]][:, [1, 0, 2]]
    made = np.stack(
        [
            ndimage.affine_transform(x[..., c], m[:2, :2], m[:2, 2], order=order, mode=mode, cval=3.5)
            for c in range(x.shape[2])
        ],
        axis=-1,
    )
    if "channel_shift_intensity" in given:
        made = np.clip(made + given["channel_shift_intensity"], made.min(), made.max())
    made = made[:, ::-1] if given.get("flip_horizontal") else made
    return made[::-1] if given.get("flip_vertical") else made


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_geometry_is_that_of_ndimage(mode: str, data_format: str, order: int) -> None:
    generator = ImageDataGenerator(fill_mode=mode, cval=3.5, data_format=data_format, interpolation_order=order)
    for size in ((17, 17), (20, 31)):
        x = picture(size)
        given = np.moveaxis(x, -1, 0) if data_format == "channels_first" else x
        for parameters in PARAMETERS:
            # Quarter turns leave to the last bit what lies inside; Keras's own order of products is tested below.
            if parameters.get("theta") == 90 and (order == 0 or mode in ("constant", "wrap")):
                continue
            made = generator.apply_transform(given, parameters)
            assert made.dtype == np.float32
            made = np.moveaxis(made, 0, -1) if data_format == "channels_first" else made
            np.testing.assert_allclose(
                made, by_the_book(x, parameters, mode, order), atol=1e-4, err_msg=str(parameters)
            )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras calls ndimage by an old name
@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_pictures_are_those_of_keras(mode: str, data_format: str, order: int) -> None:
    settings: dict[str, Any] = {
        "fill_mode": mode,
        "cval": 3.5,
        "data_format": data_format,
        "interpolation_order": order,
    }
    theirs, ours = legacy().ImageDataGenerator(**settings), ImageDataGenerator(**settings)
    exact = ImageDataGenerator(**settings, exact=True)
    for size, generator in (((17, 17), ours), ((24, 24), ours), ((20, 31), exact)):
        x = picture(size)
        x = np.ascontiguousarray(np.moveaxis(x, -1, 0)) if data_format == "channels_first" else x
        for parameters in PARAMETERS:
            expected, made = theirs.apply_transform(x, parameters), generator.apply_transform(x, parameters)
            assert made.dtype == expected.dtype
            np.testing.assert_allclose(made, expected, atol=1e-4, err_msg=str(parameters))


def test_bytes_come_out_as_bytes_rounded_as_ndimage_rounds() -> None:
    x = picture((15, 15)).astype(np.uint8)
    made = ImageDataGenerator().apply_transform(x, {"theta": 20, "zx": 0.9})
    assert made.dtype == np.uint8
    expected = by_the_book(x.astype(np.float64), {"theta": 20, "zx": 0.9}, "nearest", 1)
    np.testing.assert_array_equal(made, np.floor(expected + 0.5))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("brightness", [0, 0.3, 0.999, 1, 1.7])
def test_brightness_is_that_of_pillow(brightness: float, channels: int) -> None:
    x = picture((9, 8), channels)
    whole = x.astype(np.uint8)
    image = PillowImage.fromarray(whole[..., 0] if channels == 1 else whole)
    expected = img_to_array(ImageEnhance.Brightness(image).enhance(brightness), "channels_last")
    np.testing.assert_array_equal(apply_brightness_shift(x, brightness, scale=False), expected)
    generator = ImageDataGenerator(data_format="channels_first")
    made = generator.apply_transform(np.moveaxis(x, -1, 0), {"brightness": brightness})
    np.testing.assert_array_equal(np.moveaxis(made, 0, -1), expected)


@pytest.mark.parametrize("ends", [(0, 255), (0, 1), (-5, 300), (100, 200), (7, 7)])
@pytest.mark.parametrize("scale", [True, False])
def test_brightness_is_that_of_keras(ends: tuple[float, float], scale: bool) -> None:
    x = np.random.default_rng(1).uniform(*ends, (9, 8, 3)).astype(np.float32)
    expected = legacy().apply_brightness_shift(x, 1.3, scale)
    np.testing.assert_allclose(apply_brightness_shift(x, 1.3, scale), expected, atol=1e-4)


def test_brightness_beyond_a_byte_is_stretched_and_brought_back() -> None:
    x = np.array([[[-10.0], [20.0], [500.0]]], np.float32)
    # In 8 bits: 0, 15 and 255 of 510; halved and cut: 0, 7 and 127.
    made = apply_brightness_shift(x, 0.5, scale=False)[0, :, 0]
    np.testing.assert_allclose(made, np.array([0, 7, 127]) / 255 * 510 - 10, atol=1e-4)


def test_channel_shift_stays_within_the_picture() -> None:
    made = apply_channel_shift(np.array([[[1.0, 5.0]], [[7.0, 9.0]]]), 4, channel_axis=2)
    np.testing.assert_array_equal(made, [[[5, 9]], [[9, 9]]])


def test_rectangles_turn_about_their_own_centre() -> None:
    x = np.zeros((9, 21, 1), np.float32)
    x[4, 10] = 1
    turned = {exact: ImageDataGenerator(exact=exact).apply_transform(x, {"theta": 90}) for exact in (False, True)}
    assert turned[False][4, 10, 0] == pytest.approx(1)
    assert turned[True][4, 10, 0] == 0


def test_positive_numbers_go_the_way_they_are_said_to() -> None:
    x = np.zeros((7, 7, 1), np.float32)
    x[3, 3] = 1
    places = {
        name: tuple(int(v) for v in np.argwhere(ImageDataGenerator().apply_transform(x, given)[..., 0] == 1)[0])
        for name, given in {"left": {"tx": 2}, "up": {"ty": 2}}.items()
    }
    assert places == {"left": (3, 1), "up": (1, 3)}
    wide = ImageDataGenerator(fill_mode="constant").apply_transform(np.ones((9, 9, 1), np.float32), {"zx": 2})
    assert wide[4, :, 0].tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0]
    bar = np.zeros((7, 7, 1), np.float32)
    bar[3, 5] = 1
    # Counter-clockwise on screen: from the right to the top.
    assert ImageDataGenerator().apply_transform(bar, {"theta": 90})[1, 3, 0] == pytest.approx(1)


def test_a_matrix_about_the_centre_leaves_it_alone() -> None:
    m = transform_matrix_offset_center(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), 5, 9)
    np.testing.assert_allclose(m @ [2, 4, 1], [2, 4, 1])


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"row_axis": 0, "col_axis": 0, "channel_axis": 2}, "three different axes"),
        ({"row_axis": 0, "col_axis": 1, "channel_axis": 3}, "the axes 0, 1 and 2"),
        ({"row_axis": 0, "col_axis": 2, "channel_axis": 1}, "first or the last axis"),
    ],
)
def test_wrong_axes_are_refused(axes: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        apply_affine_transform(np.zeros((3, 4, 5)), theta=1, **axes)


def test_other_ranks_and_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="rank 3"):
        apply_affine_transform(np.zeros((4, 5)), theta=1)
    with pytest.raises(ValueError, match="finite"):
        ImageDataGenerator().apply_transform(np.zeros((4, 4, 1)), {"theta": float("nan")})
    with pytest.raises(ValueError, match="fill_mode"):
        apply_affine_transform(np.zeros((3, 4, 5)), theta=1, fill_mode="mirrored")
