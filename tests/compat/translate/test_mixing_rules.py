"""What transforms that mix samples become, and programs that mix by themselves."""

from __future__ import annotations

import warnings
from typing import Any

import cv2
import numpy as np
import pytest

import imagemill as im


def one(front: Any, text: str) -> Any:
    return front(f"Compose([{text}])", seed=1).transforms[-1]


@pytest.mark.parametrize(("cell", "at", "seam"), [(64, 0.3, 0.7), (64, 0.0, 1.0), (48, 0.25, 0.625), (32, 0.9, 0.5)])
def test_a_mosaic_meets_where_the_window_lies_on_the_grid(cell: int, at: float, seam: float) -> None:
    """By hand: a window of 64 at ``at`` of its way over a grid of two cells starts at ``at * (2 * cell - 64)``."""
    made = one(
        im.from_albumentations,
        f"A.Mosaic(target_size=(64, 64), cell_shape=({cell}, {cell}), center_range=({at}, {at}))",
    )
    assert made.centre.bounds == (pytest.approx((cell - at * (2 * cell - 64)) / 64),) * 2
    assert made.centre.bounds[0] == pytest.approx(seam)


def test_pictures_of_a_mosaic_cover_their_cell_or_are_contained_in_it() -> None:
    text = "A.Mosaic(target_size=(64, 64), cell_shape=(64, 64), center_range=(0.5, 0.5), fill=9, fit_mode={!r}, p=1)"
    images = np.full((4, 20, 80, 3), 200, np.uint8)
    for mode, empty in (("cover", 0), ("contain", 64 * 64 // 2)):
        pipe = im.from_albumentations(f"A.Compose([{text.format(mode)}])", seed=1)
        made = pipe.batch(images).image
        assert made.shape == (4, 64, 64, 3)
        assert int((made[0, ..., 0] == 9).sum()) == empty
    assert (
        type(im.from_albumentations(f"A.Compose([{text.format('contain')}])", seed=1).transforms[0]) is im.LongestSide
    )


def test_a_grid_that_is_not_of_four_is_left_out() -> None:
    with pytest.warns(UserWarning, match=r"Mosaic \(line 1\): a grid of \(3, 3\)"):
        im.from_albumentations("A.Compose([A.Mosaic(grid_yx=(3, 3)), A.HorizontalFlip()])")


def test_what_reads_boxes_behind_a_mosaic_is_said_to_be_refused() -> None:
    pipe = im.from_albumentations("A.Compose([A.Mosaic(), A.BBoxSafeRandomCrop()])", seed=1)
    assert any(note.startswith("BoxSafeCrop goes by the boxes of one sample and is refused") for note in pipe.notes)


def test_mixing_of_monai_is_ours_with_its_defaults() -> None:
    pipe = im.from_monai(
        "Compose([MixUpd(keys=['image', 'label'], batch_size=8), CutMixd(keys='image', batch_size=8)])",
        seed=1,
    )
    assert list(pipe.transforms) == [im.MixUp(1.0), im.CutMix(1.0)]
    assert one(im.from_monai, "CutOutd(keys='image', batch_size=8)") == im.Erasing((0, 1), 1.0, fill=0)


def test_partners_of_albumentations_come_from_the_epoch() -> None:
    pipe = im.from_albumentations("A.Compose([A.MixUp(reference_data=data, read_fn=lambda x: x, p=0.4)])", seed=1)
    assert list(pipe.transforms) == [im.MixUp(0.4, p=0.4)]
    assert "not of reference_data" in pipe.notes[0]


PROGRAM = """
from torchvision.transforms import v2
train = v2.Compose([v2.RandomHorizontalFlip(), v2.ToImage()])
cutmix = v2.CutMix(num_classes=100)
mixup = v2.MixUp(alpha=0.2, num_classes=100)
both = v2.RandomChoice([cutmix, mixup])
"""


def test_what_a_program_mixes_by_itself_is_said_and_can_be_asked_for() -> None:
    pipe = im.from_torchvision(PROGRAM, seed=1)
    assert pipe.notes == (
        "not in this pipeline: both, which the program calls by itself (RandomChoice, CutMix, MixUp); "
        "name='both' gives it",
    )
    pipe = im.from_torchvision(PROGRAM, seed=1, name="both")
    assert list(pipe.transforms) == [im.OneOf([im.CutMix(1.0, classes=100), im.MixUp(0.2, classes=100)])]


def test_transforms_of_a_composition_are_not_said_to_stand_alone() -> None:
    text = "flip = v2.RandomHorizontalFlip()\nsteps = [flip, v2.ToImage()]\ntrain = v2.Compose(steps)\n"
    assert im.from_torchvision(text, seed=1).notes == ()


def test_choices_and_fans_interpolate_once_at_most() -> None:
    notes = im.from_torchvision("T.Compose([T.TrivialAugmentWide(), T.AugMix()])", seed=1).notes
    assert not any("interpolated" in note for note in notes)
    notes = im.from_torchvision(
        "T.Compose([T.TrivialAugmentWide(31, 'bilinear'), T.RandomRotation(9, 'bilinear')])", seed=1
    ).notes
    assert "2 transforms that each interpolated do so together where nothing stands between" in notes


def test_several_names_at_once_have_what_a_function_returns() -> None:
    text = """
def get(size):
    return A.Compose([A.Resize(size, size)]), A.Compose([A.HorizontalFlip(p=1)])
train, valid = get(32)
"""
    assert list(im.from_albumentations(text, name="train").transforms) == [im.Resize((32, 32))]
    assert list(im.from_albumentations(text, name="valid").transforms) == [im.Flip("x")]


def test_objects_of_a_class_have_what_it_is_made_with() -> None:
    text = """
class Preset:
    def __init__(self, size, flip=0.5):
        self.transforms = T.Compose([T.Resize((size, size)), T.RandomHorizontalFlip(flip)])
preset = Preset(32)
"""
    assert list(im.from_torchvision(text).transforms) == [im.Resize((32, 32)), im.Flip("x", p=0.5)]


def test_what_the_command_line_says_reaches_functions_that_take_it() -> None:
    text = """
def build(args):
    return T.Compose([T.Resize((args.size, args.size))])
parser.add_argument("--size", type=int, default=48)
def main():
    args = parser.parse_args()
    build(args)
"""
    assert list(im.from_torchvision(text, name="build").transforms) == [im.Resize((48, 48))]
    assert list(im.from_torchvision(text, name="build", names={"args.size": 24}).transforms) == [im.Resize((24, 24))]


def test_fills_by_type_of_target_go_to_images_and_label_maps() -> None:
    text = "T.Compose([T.RandomCrop(8, pad_if_needed=True, fill={tv_tensors.Mask: 255, 'others': 7})])"
    pad = im.from_torchvision(text).transforms[0]
    assert (pad.fill, pad.mask_fill) == (7.0, 255)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("A.ImageCompression(80)", im.JPEG((80, 100), p=0.5)),
        ("A.ImageCompression(60, 95)", im.JPEG((60, 95), p=0.5)),
        ("A.PadIfNeeded(64, 64, 0)", im.Pad(size=(64, 64), border="constant")),
        ("A.PadIfNeeded(64, 64, 4)", im.Pad(size=(64, 64), border="mirror")),
        ("A.PadIfNeeded(64, 64, 0, 255)", im.Pad(size=(64, 64), border="constant", fill=255)),
    ],
)
def test_arguments_by_place_are_those_of_their_version(text: str, made: im.Transform) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert one(im.from_albumentations, text) == made


def test_borders_by_number_are_opencvs() -> None:
    assert (cv2.BORDER_CONSTANT, cv2.BORDER_REFLECT_101) == (0, 4)
