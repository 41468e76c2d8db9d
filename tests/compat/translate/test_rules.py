"""What transforms of other libraries become: values by hand, pixels by OpenCV from the matrices they document."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import cv2
import numpy as np
import pytest

import imagemill as im
from imagemill.compat.translate.calls import Call
from imagemill.compat.translate.catalogue import LIBRARIES, example_call
from imagemill.compat.translate.rules.rule import Rule, Rules, Translator

FRONT = {
    "albumentations": im.from_albumentations,
    "torchvision": im.from_torchvision,
    "monai": im.from_monai,
    "torchio": im.from_torchio,
}


def one(library: str, text: str, **how: Any) -> Any:
    """The one transform that a call becomes."""
    (made,) = FRONT[library](f"Compose([{text}])", seed=1, **how).transforms
    return made


def spoken(made: Any) -> str:
    from imagemill.pipeline.describe import call

    return call(made)


@pytest.mark.parametrize(
    ("library", "there", "here"),
    [
        ("albumentations", "A.Rotate(limit=30, p=1)", "Rotate(degrees=(-30.0, 30.0), border='constant')"),
        ("albumentations", "A.Rotate(limit=(0, 30), p=1, border_mode=1)", "Rotate(degrees=(0.0, 30.0))"),
        ("albumentations", "A.SafeRotate(limit=5, interpolation=2)", "Rotate(p=0.5, degrees=(-5.0, 5.0), frame='fit', order=3, border='constant')"),  # noqa: E501
        ("albumentations", "A.ShiftScaleRotate(0.1, 0.2, 15, p=1)", "Affine(degrees=(-15.0, 15.0), zoom=(0.8, 1.2), shift=(-0.1, 0.1), border='constant')"),  # noqa: E501
        ("albumentations", "A.RandomGamma(gamma_limit=(50, 200), p=1)", "Gamma(gamma=(0.5, 2.0))"),
        ("albumentations", "A.RandomBrightnessContrast(0.2, 0, p=1)", "GainOffset(alpha=1.0, beta=(-51.0, 51.0))"),
        ("albumentations", "A.HueSaturationValue(10, 0, 0, p=1)", "ColorJitter(brightness=1.0, saturation=1.0, hue=(-20.0, 20.0))"),  # noqa: E501
        ("albumentations", "A.ColorJitter(0.5, (0.9, 1.1), 0, 0.1, p=1)", "ColorJitter(brightness=(0.5, 1.5), contrast=(0.9, 1.1), saturation=1, hue=(-36.0, 36.0))"),  # noqa: E501
        ("albumentations", "A.Crop(1, 2, 30, 40)", "Crop(box=(2, 1, 40, 30))"),
        ("albumentations", "A.Pad((1, 2, 3, 4))", "Pad(pixels=(2, 1, 4, 3))"),
        ("albumentations", "A.RandomResizedCrop(100, 200, scale=(0.2, 1))", "RandomResizedCrop(size=(100, 200), area=(0.2, 1.0))"),  # noqa: E501
        ("albumentations", "A.RandomResizedCrop((100, 200))", "RandomResizedCrop(size=(100, 200))"),
        ("albumentations", "A.Normalize((0.5,) * 3, (0.25,) * 3, max_pixel_value=1.0)", "Normalize(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), scale='none')"),  # noqa: E501
        ("albumentations", "A.OneOf([A.HorizontalFlip(p=1), A.VerticalFlip(p=3/4)], p=0.5)", "OneOf([Flip(), Flip(axis='y')], p=0.5, weights=(1.0, 0.75))"),  # noqa: E501
        ("albumentations", "A.SmallestMaxSize([100, 200])", "ShortestSide(length={'choice': [100, 200]})"),
        ("torchvision", "T.RandomRotation(10)", "Rotate(degrees=(-10.0, 10.0), order=0, border='constant')"),
        ("torchvision", "T.RandomAffine((0, 10), (0.1, 0.2), (0.5, 2), interpolation=Image.BILINEAR)", "Affine(degrees=(-10.0, 0.0), zoom=(0.5, 2.0), shift={'y': [-0.2, 0.2], 'x': [-0.1, 0.1]}, border='constant')"),  # noqa: E501
        ("torchvision", "T.RandomRotation(10, expand=True, fill=(1, 2, 3))", "Rotate(degrees=(-10.0, 10.0), frame='grow', order=0, border='constant', fill=(1.0, 2.0, 3.0))"),  # noqa: E501
        ("torchvision", "T.Pad(4, fill=(1, 2, 3))", "Pad(pixels=(4,), fill=(1.0, 2.0, 3.0))"),
        ("albumentations", "A.Rotate(limit=30, crop_border=True, p=1)", "Rotate(degrees=(-30.0, 30.0), frame='crop', border='constant')"),  # noqa: E501
        ("albumentations", "A.Affine(rotate=9, p=1, border_mode=0, fill=(7, 7, 7))", "Affine(degrees=9.0, shift={'y': 0.0, 'x': 0.0}, border='constant', fill=7.0)"),  # noqa: E501
        ("torchvision", "T.Resize(256, interpolation=3)", "ShortestSide(length=256, order=3)"),
        ("torchvision", "T.Resize((100, 200), antialias=False)", "Resize(size=(100, 200), antialias=False)"),
        ("torchvision", "T.Pad((1, 2))", "Pad(pixels=(2, 1))"),
        ("torchvision", "T.Pad([1, 2, 3, 4], padding_mode='reflect')", "Pad(pixels=(2, 1, 4, 3), border='mirror')"),
        ("torchvision", "T.RandomPerspective(0.5, p=1)", "Perspective(strength=0.25, border='constant')"),
        ("torchvision", "T.ColorJitter(0.8, hue=0.2)", "ColorJitter(brightness=(0.19999999999999996, 1.8), hue=(-72.0, 72.0))"),  # noqa: E501
        ("torchvision", "T.ConvertImageDtype(torch.float)", "ToDtype(dtype='float32', scale=True)"),
        ("torchvision", "v2.ToDtype(torch.float32)", "ToDtype(dtype='float32')"),
        ("monai", "RandRotated(['a'], range_x=pi/6, prob=1)", None),
        ("monai", "RandScaleIntensityd(keys='a', factors=0.1, prob=1)", "GainOffset(alpha=(0.9, 1.1))"),
        ("monai", "RandSpatialCropd(['a'], (96, 96, 48), random_size=False)", "Crop(size=(48, 96, 96), at='random')"),
        ("monai", "Spacingd(['a'], pixdim=(1.0, 1.5, 3.0))", "Resample(spacing=(3.0, 1.5, 1.0), antialias=False)"),
        ("monai", "RandRotate90(prob=0.5)", "QuarterTurn(p=0.5, times={'choice': [1, 2, 3]})"),
        ("torchio", "tio.RandomFlip(axes=('AP',), flip_probability=1)", "Flip(axis='y')"),
        ("torchio", "tio.RandomGamma(log_gamma=0)", "Gamma(gamma=1.0)"),
        ("torchio", "tio.Resample((1, 2, 3))", "Resample(spacing=(3.0, 2.0, 1.0), antialias=False)"),
        ("torchio", "tio.OneOf({tio.RandomFlip(axes=0): 3, tio.RandomFlip(axes=1): 1})", "OneOf([Flip(p=0.5), Flip(p=0.5, axis='y')], weights=(3.0, 1.0))"),  # noqa: E501
    ],
)  # fmt: skip
def test_values(library: str, there: str, here: str | None) -> None:
    if here is None:
        turn = one(library, there, names={"pi": math.pi})
        assert turn.degrees.bounds == pytest.approx((-30, 30))
    else:
        assert spoken(one(library, there)) == here


@pytest.fixture(name="photo")
def _photo() -> Any:
    draws = np.random.default_rng(0)
    return cv2.resize(draws.integers(0, 256, (12, 16, 3), np.uint8), (120, 90), interpolation=cv2.INTER_CUBIC)


def warped(photo: Any, forward: Any) -> Any:
    """The photo under a map of (x, y) about its centre."""
    height, width = photo.shape[:2]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    return cv2.warpAffine(photo, np.hstack([forward, (centre - forward @ centre)[:, None]]), (width, height))


def close(got: Any, wanted: Any) -> None:
    assert got.shape == wanted.shape
    assert np.abs(got.astype(int) - wanted)[10:-10, 10:-10].max() <= 3


def turning(degrees: float) -> Any:
    """Counter-clockwise on a screen, where y points down."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, s], [-s, c]])


def test_the_order_of_an_affine_map_of_albumentations(photo: Any) -> None:
    """Scale, then turn, then shear, by the matrices of its source; each shear with the sign turned round."""
    pipe = im.from_albumentations(
        "A.Compose([A.Affine(scale={'x': 1.2, 'y': 0.9}, rotate=20.0, shear={'x': 15, 'y': 0}, p=1)])", seed=1
    )
    shear = np.array([[1, math.tan(math.radians(-15))], [0, 1]])
    close(pipe(photo), warped(photo, shear @ turning(20) @ np.diag([1.2, 0.9])))


def test_the_signs_of_an_affine_map_of_torchvision(photo: Any) -> None:
    """Clockwise for positive degrees."""
    text = "T.Compose([T.RandomAffine((20, 20), scale=(1.2, 1.2), interpolation=InterpolationMode.BILINEAR)])"
    close(im.from_torchvision(text, seed=1)(photo), warped(photo, turning(-20) * 1.2))
    turn = "T.Compose([T.RandomRotation((20, 20), InterpolationMode.BILINEAR)])"
    close(im.from_torchvision(turn, seed=1)(photo), warped(photo, turning(20)))


def test_a_photo_is_turned_after_it_was_squashed(photo: Any) -> None:
    pipe = im.from_albumentations("A.Compose([A.Resize(90, 90), A.Rotate(limit=(30, 30), p=1)])", seed=1)
    squashed = cv2.resize(photo, (90, 90), interpolation=cv2.INTER_LINEAR)
    as_there = np.abs(pipe(photo).astype(int) - warped(squashed, turning(30)))[20:-20, 20:-20].mean()
    before = cv2.resize(warped(photo, turning(30)), (90, 90))
    other = np.abs(pipe(photo).astype(int) - before)[20:-20, 20:-20].mean()
    assert as_there < 1
    assert other > 10


def test_versions_have_their_own_borders() -> None:
    assert one("albumentations", "A.Rotate(5)").border == "constant"
    assert one("albumentations", "A.Rotate(5)", version=1).border == "mirror"
    assert one("albumentations", "A.RandomRotate90()", version=1).p == 0.5


def test_brightness_and_contrast_are_one_gain_and_offset(photo: Any) -> None:
    pipe = im.from_albumentations("A.Compose([A.RandomBrightnessContrast((0.1, 0.1), (0.3, 0.3), p=1)])", seed=1)
    wanted = np.clip(np.rint(photo * 1.3 + 25.5), 0, 255)
    assert np.abs(pipe(photo).astype(int) - wanted).max() <= 1


def test_normalising_is_the_same_from_either_library(photo: Any) -> None:
    a = im.from_albumentations("A.Compose([A.Normalize(), ToTensorV2()])")(photo)
    t = im.from_torchvision("T.Compose([T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])")(
        photo
    )
    wanted = ((photo / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1)
    np.testing.assert_allclose(a, wanted, atol=1e-5)
    np.testing.assert_allclose(t, wanted, atol=1e-5)


def test_one_resample_for_a_chain_of_four() -> None:
    pipe = im.from_albumentations(
        "A.Compose([A.LongestMaxSize(80), A.Rotate(10, p=1), A.Affine(scale=1.1, p=1), A.Perspective(p=1)])", seed=1
    )
    assert "4 transforms that each interpolated" in pipe.notes[-1]
    assert "1 step" in pipe.explain((90, 120, 3))


def test_an_argument_that_is_not_known_is_said() -> None:
    pipe = im.from_albumentations("A.Compose([A.HorizontalFlip(p=0.5, colour='red')])")
    assert "colour='red' is left out; HorizontalFlip takes p" in pipe.notes[0]


def test_a_choice_without_those_that_are_missing_keeps_the_others() -> None:
    with pytest.warns(UserWarning, match="left out 1"):
        pipe = im.from_albumentations(
            "A.Compose([A.OneOf([A.Nonsense(p=0.5), A.HorizontalFlip(p=0.2), A.VerticalFlip(p=0.6)])])"
        )
    assert pipe.transforms[0].weights == (0.2, 0.6)  # type: ignore[attr-defined]


CASES = [(rules, rule) for rules in LIBRARIES.values() for rule in rules]


@pytest.mark.parametrize(("rules", "rule"), CASES, ids=[f"{r.library}-{rule.names[0]}" for r, rule in CASES])
def test_every_rule_makes_a_pipeline_that_runs(rules: Rules, rule: Rule) -> None:
    translator = Translator(rules, 2)
    made = translator.transforms(example_call(rules, rule))
    if translator.missing:
        return
    volume = rules.library in ("monai", "torchio") or rule.names[0].endswith("3D") or rule.names[0] == "CubicSymmetry"
    image = np.random.default_rng(0).integers(0, 256, (40, 70, 70) if volume else (240, 260, 3), np.uint8)
    pipe = im.Pipeline(made, seed=3)
    given = {"mask": (image if volume else image[..., 0]) // 128}
    if not volume:
        given |= dict.fromkeys(("boxes", "cropping_bbox"), im.Boxes([[60, 50, 160, 150]]))
    if "Box" in rule.names[0] and volume:
        given |= {"boxes": im.Boxes([[5, 5, 5, 30, 40, 40]], "zyxzyx")}
    if rule.names[0] == "AugMix":
        given = {}  # versions that are moved differently have no common place
    if rule.names[0] in ("MixUp", "CutMix"):
        (mixer,) = made
        pipe = pipe.replace(transforms=[dataclasses.replace(mixer, classes=2)])
        given = {"label": 1, "partner": {"image": image[::-1], "label": 0}}
    if rule.names[0] in ("Mosaic", "SimpleCopyPaste"):
        others = [{"image": image[::step], "mask": given["mask"][::step]} for step in (-1, 1, -1)]
        given = {"mask": given["mask"], "partner": others if rule.names[0] == "Mosaic" else others[0]}
    out = pipe(image=image, axes="zyx" if volume else None, key=1, **given)
    assert np.isfinite(np.asarray(out.image, dtype=float)).all()
    assert im.Pipeline.from_yaml(pipe.to_yaml()) == pipe


@pytest.mark.parametrize(("rules", "rule"), CASES, ids=[f"{r.library}-{rule.names[0]}" for r, rule in CASES])
def test_every_name_of_a_rule_is_found(rules: Rules, rule: Rule) -> None:
    for name in rule.names:
        translator = Translator(rules, 1)
        translator.transforms(Call(name, example_call(rules, rule).given))
        assert not any("we know" in one for one in translator.missing)


def test_the_version_that_wrote_a_file_decides_its_defaults() -> None:
    turn = {"__class_fullname__": "Rotate", "limit": 5}
    borders = [
        im.from_albumentations({"__version__": version, "transform": turn}).transforms[0].border  # type: ignore[attr-defined]
        for version in ("0.5.2", "1.4.0", "2.0.8")
    ]
    assert borders == ["mirror", "mirror", "constant"]
