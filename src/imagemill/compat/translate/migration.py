"""What the page of translations says of each library before its table: an example, and signs, units and borders."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

__all__ = ["MIGRATIONS", "Migration"]


@dataclass(frozen=True, slots=True)
class Migration:
    """A library's part of the page.

    Parameters
    ----------
    function : str
        Of imagemill, that reads its pipelines.
    before : str
        A pipeline of that library; what it becomes is worked out when the page is written.
    differs : tuple of str
        Signs, units, centres and borders, and how they are translated.
    """

    function: str
    before: str
    differs: tuple[str, ...]


def _text(source: str) -> str:
    return textwrap.dedent(source).strip()


MIGRATIONS = {
    "Albumentations": Migration(
        "from_albumentations",
        _text("""
            A.Compose([
                A.RandomResizedCrop(size=(224, 224), scale=(0.5, 1.0)),
                A.HorizontalFlip(p=0.5),
                A.Affine(rotate=(-15, 15), translate_percent=0.05, shear={"x": (-5, 5), "y": (0, 0)}, p=0.8),
                A.HueSaturationValue(hue_shift_limit=10, p=0.3),
                A.CoarseDropout(num_holes_range=(1, 4), p=0.2),
                A.Normalize(),
                A.ToTensorV2(),
            ], bbox_params=A.BboxParams(format="coco", min_visibility=0.3, label_fields=["labels"]))
        """),
        (
            "Turns: counter-clockwise for positive degrees, as here. Shears have the other sign here.",
            "Borders: version 1 mirrors unless told otherwise, version 2 fills with 0. Which of both a text is "
            "written for is told by its names and arguments (`IAASharpen`, `var_limit`, `always_apply`), and "
            "said in a note; `version=` says it outright.",
            "Scales: `scale_limit` is added to 1, `gamma_limit` is in hundredths, `hue_shift_limit` in steps of "
            "2 degrees, `var_limit` a variance of 8 bits; here a factor, a power, degrees, a share of white.",
            "Brightness and offsets are of 8 bits: for floating point divide `beta` by 255.",
            "Holes in pixels become shares of the size that the pipeline has there, else of 256.",
            "Chances inside `OneOf` are weights, as there.",
            "`SafeRotate` brings each axis back to its length by itself there; here the frame is fitted as a whole.",
        ),
    ),
    "torchvision": Migration(
        "from_torchvision",
        _text("""
            T.Compose([
                T.RandomResizedCrop(224, scale=(0.5, 1.0)),
                T.RandomHorizontalFlip(),
                T.RandomAffine(15, translate=(0.05, 0.05), shear=5, interpolation=T.InterpolationMode.BILINEAR),
                T.ColorJitter(brightness=0.4, hue=0.1),
                T.ToTensor(),
                T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
                T.RandomErasing(p=0.2),
            ])
        """),
        (
            "Turns: `RandomRotation` is counter-clockwise as here, `RandomAffine` clockwise: its range is "
            "turned round. Shears have the other sign here.",
            "`RandomRotation` and `RandomAffine` take the nearest pixel unless told otherwise, as there.",
            "Borders are filled; there the edge fades into the fill over one pixel more.",
            "`hue` 0.5 there is 180 degrees; `ratio` of `RandomErasing` is height over width there, width over "
            "height here.",
            "Shrinking averages over what is left out; the antialiased filter there is a triangle.",
            "Two numbers of `Pad` are left and right, then above and below; here in array order.",
            "`Lambda` of one arithmetic line is read (`x * 2 - 1`); other functions have to be run: put "
            "`imagemill.Apply`.",
        ),
    ),
    "MONAI": Migration(
        "from_monai",
        _text("""
            Compose([
                LoadImaged(keys=["image", "label"]),
                EnsureChannelFirstd(keys=["image", "label"]),
                Orientationd(keys=["image", "label"], axcodes="RAS"),
                Spacingd(keys=["image", "label"], pixdim=(1.5, 1.5, 2.0), mode=("bilinear", "nearest")),
                ScaleIntensityRanged(keys=["image"], a_min=-57, a_max=164, b_min=0.0, b_max=1.0, clip=True),
                RandRotate90d(keys=["image", "label"], prob=0.3, max_k=3),
                RandAffined(keys=["image", "label"], prob=0.5, rotate_range=(0, 0, 0.2), scale_range=(0.1, 0.1, 0.1)),
            ])
        """),
        (
            "Axes: x comes first there and last here. Sizes, spacings, axes and ranges are turned round. A "
            "length of -1 along z leaves the slices; one number is for all axes, two where the pipeline's other "
            "lengths come in pairs.",
            "Turns: radians there, degrees here; about y they have the other sign. Quarter turns go from the "
            "first axis to the second there: `k` becomes `-k`.",
            "Scales and shifts of `RandAffine` and `Affine` are those of the grid that looks into the image: "
            "what is 1.25 there magnifies by 0.8, and a shift moves it the other way. Both are turned round. "
            "The order is turn, shift, scale.",
            "Centres: an odd crop of an even length begins one pixel later there. `Zoom` brings the image to "
            "whole pixels there.",
            "Borders: `GaussianSmooth` takes 0 beyond the edge there, the mirrored image here. Resizing "
            "averages only with `area`.",
            "Keys are left out, as targets have names of their own; `prob` is `p`; reading, channels and "
            "tensors are nothing to do.",
        ),
    ),
    "TorchIO": Migration(
        "from_torchio",
        _text("""
            tio.Compose([
                tio.ToCanonical(),
                tio.Resample((1.0, 1.0, 2.0)),
                tio.RandomFlip(axes=("LR",)),
                tio.OneOf({tio.RandomAffine(scales=0.1, degrees=10): 0.8, tio.RandomElasticDeformation(): 0.2}),
                tio.RandomBiasField(p=0.3),
                tio.RandomGamma(log_gamma=(-0.3, 0.3)),
                tio.ZNormalization(masking_method=tio.ZNormalization.mean),
            ])
        """),
        (
            "Axes: x comes first there and last here; LR is x, AP is y, IS is z of a volume in RAS.",
            "Turns: right-handed, about y, then x, then z. About x and z they have the other sign here.",
            "Centres and borders: a voxel that is over in `CropOrPad` lies on the other side; beyond the edge a "
            "turn fades over half a voxel more there. The least value of the image, which stands there by "
            "default, is 0 here.",
            "Units: millimetres, as here. `log_gamma` is a logarithm there, the power here.",
            "Resampling takes values between the samples, without an average, as there.",
            "`include` and `exclude` are left out, with a note: every image of a sample is changed, label maps "
            "never recoloured.",
        ),
    ),
}
"""By the library's name."""
