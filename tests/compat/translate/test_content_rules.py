"""Transforms of other libraries that go by boxes, labels, weights and references: what they become here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.testing import picture

CASES: list[tuple[Any, str, im.Transform]] = [
    (im.from_albumentations, "A.BBoxSafeRandomCrop(erosion_rate=0.2, p=1)", im.BoxSafeCrop(0.4)),
    (im.from_albumentations, "A.AtLeastOneBBoxRandomCrop(32, 48)", im.BoxCrop((32, 48))),
    (
        im.from_albumentations,
        "A.RandomCropNearBBox(max_part_shift=(0.1, 0.6))",
        im.NearBoxCrop({"y": (-0.1, 0.1), "x": (-0.49, 0.6)}, of="cropping_bbox"),
    ),
    (
        im.from_albumentations,
        "A.CropNonEmptyMaskIfExists(64, 32, ignore_values=[0, 255])",
        im.LabelCrop((64, 32), ignore=255, lies="random"),
    ),
    (im.from_albumentations, "A.MaskDropout(max_objects=3, p=1)", im.MaskDropout((1, 3))),
    (
        im.from_albumentations,
        "A.MaskDropout((2, 2), image_fill_value=7, mask_fill_value=9)",
        im.MaskDropout(2, fill=7.0, mask_fill=9, p=0.5),
    ),
    (
        im.from_torchvision,
        "v2.RandomIoUCrop(0.1, 0.9, sampler_options=[0.0, 2.0])",
        im.IoUCrop((0.1, 0.9), least=(0.0, 1.0)),
    ),
    (
        im.from_monai,
        "RandCropByPosNegLabeld(keys=['image'], label_key='label', spatial_size=(9, 8, 7), pos=1, neg=3)",
        im.LabelCrop((7, 8, 9), positive=0.25),
    ),
    (im.from_monai, "RandCropByPosNegLabel((9, 8, 7), None, 1, 1)", im.LabelCrop((7, 8, 9), positive=0.5)),
    (
        im.from_monai,
        "RandCropByLabelClassesd(['image'], 'label', (9, 8, 7), ratios=[1, 0, 2])",
        im.LabelCrop((7, 8, 9), labels={0: 1.0, 1: 0.0, 2: 2.0}),
    ),
    (
        im.from_monai,
        "RandCropByLabelClasses((9, 8, 7), num_classes=2)",
        im.LabelCrop((7, 8, 9), labels={0: 1.0, 1: 1.0}),
    ),
    (im.from_monai, "RandWeightedCropd(['image'], 'heat', (9, 8, 7), 1)", im.WeightedCrop((7, 8, 9), of="heat")),
    (im.from_monai, "CropForegroundd(['image'], source_key='image', margin=4)", im.ForegroundCrop(4.0, above=0)),
    (
        im.from_monai,
        "CropForegroundd(['image'], source_key='label', margin=(1, 2, 3))",
        im.ForegroundCrop({"x": 1.0, "y": 2.0, "z": 3.0}),
    ),
    (im.from_monai, "RandRicianNoised(['image'], prob=0.5, std=0.2)", im.RicianNoise((0.0, 0.2), p=0.5)),
    (
        im.from_torchio,
        "tio.RandomAnisotropy(axes=(0, 2), downsampling=(2, 3), p=0.5)",
        im.LowResolution((2.0, 3.0), "zx", one=True, p=0.5),
    ),
]


@pytest.mark.parametrize(("front", "text", "wanted"), CASES, ids=[text.partition("(")[0] for _, text, _ in CASES])
def test_what_goes_by_content_becomes_what_it_is_here(front: Any, text: str, wanted: im.Transform) -> None:
    (made,) = front(f"Compose([{text}])", seed=1).transforms
    assert made == wanted


def test_a_safe_crop_of_a_size_is_one_resample() -> None:
    pipe = im.from_albumentations(
        "A.Compose([A.RandomSizedBBoxSafeCrop(height=30, width=40), A.HorizontalFlip(p=1)])", seed=1
    )
    assert [type(t).__name__ for t in pipe.transforms] == ["BoxSafeCrop", "Resize", "Flip"]
    assert pipe.explain((100, 120, 3)).count("resample to") == 1
    out = pipe(image=np.zeros((100, 120, 3), np.uint8), boxes=im.Boxes([[20, 20, 50, 70]]))
    assert out.boxes.visibility.tolist() == [1.0]
    assert any("empty list" in note for note in pipe.notes)


def test_foreground_that_is_to_be_divisible_is_padded() -> None:
    pipe = im.from_monai("Compose([CropForegroundd(['image'], 'image', k_divisible=[4, 4, 2])])", seed=1)
    scan = np.zeros((9, 20, 20), np.float32)
    scan[2:5, 3:9, 4:11] = 1
    assert pipe(image=im.Image(scan, "zyx")).image.shape == (4, 8, 8)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("HistogramMatching", "MatchHistogram"),
        ("FDA", "MatchSpectrum"),
        ("PixelDistributionAdaptation", "MatchColours"),
    ],
)
def test_reference_images_are_files_that_are_there(name: str, wanted: str, tmp_path: Path) -> None:
    im.write_picture(tmp_path / "a.png", im.Picture(picture(1, (20, 30), 3), "yxc"))
    pipe = im.from_albumentations(f"A.Compose([A.{name}(['{(tmp_path / 'a.png').as_posix()}'], p=1)])", seed=1)
    (made,) = pipe.transforms
    assert type(made).__name__ == wanted
    assert made.references == getattr(im, wanted)(tmp_path).references  # type: ignore[attr-defined]
    with pytest.raises(im.InputError, match="references are images, files or a folder"):
        im.from_albumentations(f"A.Compose([A.{name}(['no.png'])])", seed=1)
