"""Signs, orders and units of volumes: pixels by scipy from the matrices that MONAI and SimpleITK document."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import imagemill as im


@pytest.fixture(name="body", scope="module")
def _body() -> Any:
    """Smooth, uneven along every axis; x first, as there."""
    return ndimage.zoom(np.random.default_rng(0).normal(size=(5, 6, 4)), 5, order=3).astype(np.float32)


def pulled(body: Any, matrix: Any, shift: Any = (0, 0, 0)) -> Any:
    """What stands at ``matrix @ place + shift`` about the centre."""
    centre = (np.array(body.shape) - 1) / 2
    return ndimage.affine_transform(body, matrix, centre - matrix @ centre + matrix @ np.array(shift), order=1)


def ours(pipe: im.Pipeline, body: Any) -> Any:
    """The pipeline's result, brought back to x first."""
    return np.asarray(pipe(image=im.Image(np.ascontiguousarray(body.T), "zyx", (1.0, 1.0, 1.0))).image).T


def about(axis: int, angle: float) -> Any:
    """A right-handed turn about x, y or z."""
    c, s = np.cos(angle), np.sin(angle)
    plane = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(3)
    matrix[np.ix_(plane, plane)] = [[c, -s], [s, c]]
    return matrix


def inside(volume: Any) -> Any:
    return volume[6:-6, 6:-6, 6:-6]


@pytest.mark.parametrize("axes", [(0, 1), (0, 2), (1, 2), (1, 0)])
def test_quarter_turns_of_monai_go_from_the_first_axis_to_the_second(body: Any, axes: Any) -> None:
    pipe = im.from_monai(f"mt.Compose([mt.Rotate90(k=1, spatial_axes={axes})])", seed=1)
    assert np.array_equal(ours(pipe, body), np.rot90(body, 1, axes))


def test_one_drawn_quarter_turn_of_monai_has_its_direction(body: Any) -> None:
    pipe = im.from_monai("mt.Compose([mt.RandRotate90(prob=1, max_k=1)])", seed=1)
    assert np.array_equal(ours(pipe, body), np.rot90(body, 1, (0, 1)))


@pytest.mark.parametrize("angles", [(0.2, 0, 0), (0, 0.2, 0), (0, 0, 0.2), (0.1, 0.2, 0.3)])
def test_turns_of_monai(body: Any, angles: Any) -> None:
    """The grid is turned by ``Rx Ry Rz``."""
    x, y, z = angles
    wanted = pulled(body, about(0, x) @ about(1, y) @ about(2, z))
    pipe = im.from_monai(f"mt.Compose([mt.Rotate(angle={angles})])", seed=1)
    np.testing.assert_allclose(inside(ours(pipe, body)), inside(wanted), atol=2e-5)
    ranges = ", ".join(f"range_{axis}=({angle}, {angle})" for axis, angle in zip("xyz", angles, strict=True))
    if y or z:
        drawn = im.from_monai(f"mt.Compose([mt.RandRotate({ranges}, prob=1)])", seed=1)
        np.testing.assert_allclose(inside(ours(drawn, body)), inside(wanted), atol=2e-5)


def test_an_affine_map_of_monai_is_that_of_the_grid(body: Any) -> None:
    """Turn, shift and scale of the grid that looks into the image: ``R T S``."""
    turn = about(0, 0.1) @ about(1, 0.2) @ about(2, 0.3)
    scale = np.diag([1.2, 1.0, 0.9])
    centre = (np.array(body.shape) - 1) / 2
    matrix = turn @ scale
    wanted = ndimage.affine_transform(body, matrix, centre - matrix @ centre + turn @ [3, -2, 1], order=1)
    text = "mt.Affine(rotate_params=(0.1, 0.2, 0.3), translate_params=(3, -2, 1), scale_params=(1.2, 1.0, 0.9))"
    got = ours(im.from_monai(f"mt.Compose([{text}])", seed=1), body)
    np.testing.assert_allclose(inside(got)[3:-3, 3:-3, 3:-3], inside(wanted)[3:-3, 3:-3, 3:-3], atol=2e-5)


@pytest.mark.parametrize("angles", [(10, 0, 0), (0, 10, 0), (0, 0, 10), (5, 10, 15)])
def test_turns_of_torchio(body: Any, angles: Any) -> None:
    """SimpleITK's Euler angles: the body is turned by ``Rz Rx Ry``, right-handed in the orientation RAS."""
    x, y, z = np.radians(angles)
    wanted = pulled(body, np.linalg.inv(about(2, z) @ about(0, x) @ about(1, y)))
    degrees = tuple(one for angle in angles for one in (angle, angle))
    text = f"tio.Compose([tio.RandomAffine(scales=(1, 1), degrees={degrees}, default_pad_value=0)])"
    got = ours(im.from_torchio(text, seed=1), body)
    np.testing.assert_allclose(inside(got), inside(wanted), atol=2e-5)


def test_lengths_of_monai_are_of_all_axes_unless_others_come_in_pairs() -> None:
    (pad,) = im.from_monai("Compose([DivisiblePad(16)])").transforms
    assert pad.multiple_of == (16, 16, 16)  # type: ignore[attr-defined]
    pad, _ = im.from_monai(
        "Compose([DivisiblePad(16), RandSpatialCrop(roi_size=(8, 8), random_size=False)])"
    ).transforms
    assert pad.multiple_of == (16, 16)  # type: ignore[attr-defined]


def test_windows_onto_any_range() -> None:
    scan = np.linspace(-100, 300, 27).reshape(3, 3, 3)
    text = "mt.Compose([mt.ScaleIntensityRange(0, 200, -1, 3, clip=True)])"
    wanted = np.clip(scan / 200, 0, 1) * 4 - 1
    np.testing.assert_allclose(im.from_monai(text, seed=1)(scan, axes="zyx"), wanted, atol=1e-5)
    clamped = im.from_torchio("tio.Compose([tio.Clamp(-50, 120)])", seed=1)(scan, axes="zyx")
    np.testing.assert_allclose(clamped, np.clip(scan, -50, 120), atol=1e-3)


SCAN = np.random.default_rng(5).normal(40, 100, (6, 7, 8)).astype(np.float32)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("StdShiftIntensity(0.3)", SCAN + 0.3 * SCAN.std(dtype=np.float64)),
        ("ScaleIntensityFixedMean(0.25)", (SCAN - SCAN.mean()) * 1.25 + SCAN.mean()),
        ("ThresholdIntensity(threshold=-20, above=True, cval=-20)", np.maximum(SCAN, -20)),
        ("TorchVision(name='ColorJitter', brightness=(1.25, 1.25))", SCAN * 1.25),
        ("TorchIO(name='RandomFlip', axes=(0,), flip_probability=1)", SCAN[::-1]),
        ("FlipBox(spatial_axis=1)", SCAN[:, ::-1]),
    ],
)
def test_values_of_monai(text: str, wanted: np.ndarray) -> None:
    """By the formulas of its documentation."""
    np.testing.assert_allclose(ours(im.from_monai(f"Compose([{text}])", seed=1), SCAN), wanted, atol=1e-3)


def test_what_moves_by_rows_and_columns_is_left_out() -> None:
    with pytest.raises(im.InputError, match="rows and columns, which are MONAI's last axes"):
        im.from_monai("Compose([TorchVision(name='RandomHorizontalFlip')])")


def test_every_image_has_the_size_that_an_affine_map_asks_for() -> None:
    text = "Compose([RandAffined('image', prob=0.5, rotate_range=(0.3, 0, 0), spatial_size=(9, 6, 5))])"
    pipe = im.from_monai(text, seed=1)
    found = [pipe(SCAN, axes="zyx", key=k) for k in range(12)]
    assert {one.shape for one in found} == {(5, 6, 9)}
    assert len({one.tobytes() for one in found}) > 2


def test_control_points_of_two_dimensions_are_as_far_apart_and_move_as_far() -> None:
    text = "Compose([Resized('image', (240, 240)), Rand2DElasticd('image', (30, 30), (3, 6), prob=1)])"
    (bent,) = im.from_monai(text, seed=1).transforms[1].transforms  # type: ignore[attr-defined]
    assert (bent.cells, bent.strength.low, bent.strength.high) == ((8,), 0.1, 0.2)


def test_compositions_of_torchvision_hold_transforms_of_torchio() -> None:
    text = "from torchvision.transforms import Compose\nfrom torchio import RandomFlip\nt = Compose([RandomFlip()])"
    assert type(im.from_torchio(text, seed=1).transforms[0]).__name__ == "Flip"
    text = "import torchio as tio\nt = tio.Compose([tio.ToCanonical() if hasattr(tio, 'ToCanonical') else tio.X()])"
    assert type(im.from_torchio(text, seed=1).transforms[0]).__name__ == "Orient"
