"""Transforms of MONAI and TorchIO beside what they become here, under equal parameters, on a volume.

``python -m bench.translated_scans SCAN`` prints a table: the peak signal-to-noise ratio between their result and ours
in the middle half and over all of it, of the range of values that theirs has; and between their result and the scan
as it was. Their arrays have x first and ours z, so theirs are turned round on the way in and out.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import imagemill as im

Array = np.ndarray[Any, Any]

MONAI = (
    "mt.Flip(spatial_axis=0)",
    "mt.Flip(spatial_axis=2)",
    "mt.Rotate90(k=1, spatial_axes=(0, 1))",
    "mt.Rotate90(k=1, spatial_axes=(0, 2))",
    "mt.Rotate90(k=3, spatial_axes=(1, 2))",
    "mt.Rotate(angle=(0.2, 0, 0))",
    "mt.Rotate(angle=(0, 0.2, 0))",
    "mt.Rotate(angle=(0, 0, 0.2))",
    "mt.Rotate(angle=(0.1, 0.2, 0.3))",
    "mt.Zoom(1.2, mode='trilinear')",
    "mt.Zoom((1.2, 1.0, 0.8), mode='trilinear')",
    "mt.Affine(rotate_params=(0.1, 0, 0), padding_mode='zeros', image_only=True)",
    "mt.Affine(rotate_params=(0, 0, 0.3), padding_mode='zeros', image_only=True)",
    "mt.Affine(rotate_params=(0.1, 0.2, 0.3), padding_mode='zeros', image_only=True)",
    "mt.Affine(rotate_params=(0.1, 0.2, 0.3), scale_params=(1.2, 1.0, 0.9), translate_params=(3, -2, 1), "
    "image_only=True)",
    "mt.Affine(translate_params=(3, 0, 0), padding_mode='zeros', image_only=True)",
    "mt.Affine(scale_params=(1.2, 1.0, 0.9), padding_mode='border', image_only=True)",
    "mt.Resize((20, 40, 30), mode='trilinear')",
    "mt.SpatialPad((200, 210, 220))",
    "mt.DivisiblePad(16)",
    "mt.CenterSpatialCrop((21, 30, 11))",
    "mt.ResizeWithPadOrCrop((90, 33, 70))",
    "mt.BorderPad((1, 2, 3, 4, 5, 6))",
    "mt.SpatialCrop(roi_start=(2, 3, 4), roi_end=(20, 25, 14))",
    "mt.ScaleIntensity()",
    "mt.ScaleIntensity(-1, 3)",
    "mt.ScaleIntensityRange(50, 900, 0, 1, clip=True)",
    "mt.ScaleIntensityRange(50, 900, -1, 2)",
    "mt.ScaleIntensityRangePercentiles(5, 95, 0, 1, clip=True)",
    "mt.NormalizeIntensity()",
    "mt.NormalizeIntensity(nonzero=True)",
    "mt.GaussianSmooth(1.5)",
    "mt.ShiftIntensity(20)",
    "mt.StdShiftIntensity(0.3)",
    "mt.StdShiftIntensity(0.3, nonzero=True)",
    "mt.ScaleIntensityFixedMean(0.3)",
    "mt.ThresholdIntensity(50, above=True, cval=50)",
    "mt.HistogramNormalize(256, 0, 1)",
    "mt.GibbsNoise(0.5)",
    "mt.ClipIntensityPercentiles(5, 95)",
    "mt.Compose([mt.ScaleIntensity(), mt.AdjustContrast(1.5)])",
)  # fmt: skip

TORCHIO = (
    "tio.RandomFlip(axes=('LR',), flip_probability=1)", "tio.RandomFlip(axes=('IS',), flip_probability=1)",
    "tio.RandomAffine(scales=(1, 1), degrees=(10, 10, 0, 0, 0, 0), default_pad_value=0)",
    "tio.RandomAffine(scales=(1, 1), degrees=(0, 0, 10, 10, 0, 0), default_pad_value=0)",
    "tio.RandomAffine(scales=(1, 1), degrees=(0, 0, 0, 0, 10, 10), default_pad_value=0)",
    "tio.RandomAffine(scales=(1, 1), degrees=(5, 5, 10, 10, 15, 15), default_pad_value=0)",
    "tio.RandomAffine(scales=(1.2, 1.2), degrees=(0, 0), default_pad_value=0)",
    "tio.RandomAffine(scales=(1, 1), degrees=(0, 0), translation=(4, 4, 0, 0, 0, 0), default_pad_value=0)",
    "tio.CropOrPad((90, 33, 70))", "tio.Pad((1, 2, 3, 4, 5, 6))", "tio.EnsureShapeMultiple(16, method='pad')",
    "tio.Resize((20, 40, 30))", "tio.Resample(2)", "tio.RescaleIntensity((0, 1))",
    "tio.RescaleIntensity((-1, 1), percentiles=(1, 99))", "tio.ZNormalization()",
    "tio.ZNormalization(masking_method=tio.ZNormalization.mean)", "tio.Clamp(50, 900)",
    "tio.RandomBlur(std=(1.5, 1.5))",
    "tio.Compose([tio.RescaleIntensity((0, 1)), tio.RandomGamma(log_gamma=(0.3, 0.3))])",
)  # fmt: skip


def psnr(theirs: Array, ours: Array) -> str:
    """Decibels of the range of values that theirs has; ``equal`` where nothing differs by more than a millionth."""
    if theirs.shape != ours.shape:
        return f"{theirs.shape} and {ours.shape}"
    span = float(np.ptp(theirs)) or 1.0
    error = float(((theirs.astype(float) - ours) ** 2).mean()) / span**2
    return "equal" if error < 1e-12 else f"{-10 * np.log10(error):.1f}"


def middle(volume: Array) -> Array:
    """The half of each axis about the centre."""
    return volume[tuple(slice(length // 4, length - length // 4) for length in volume.shape)]


def row(text: str, theirs: Array, ours: Array, scan: Array) -> str:
    """One line of the table."""
    same = theirs.shape == ours.shape
    before = psnr(theirs, scan) if theirs.shape == scan.shape else "-"
    return f"| `{text}` | {psnr(middle(theirs), middle(ours)) if same else '-'} | {psnr(theirs, ours)} | {before} |"


def table(scan: Array, spacing: tuple[float, ...]) -> Iterator[str]:
    """Lines of Markdown."""
    import monai.transforms as mt
    import torch
    import torchio as tio

    affine = np.diag([*reversed(spacing), 1.0])
    # Ours of a volume whose voxels are as large as theirs think: MONAI's arrays of no file have cubes of 1.
    cubes, told = (im.Image(scan, "zyx", of) for of in ((1.0, 1.0, 1.0), spacing))
    turned = np.ascontiguousarray(scan.T)[None]
    yield "| MONAI | middle, dB | all, dB | unchanged, dB |\n|---|---:|---:|---:|"
    for text in MONAI:
        made = eval(text, {"mt": mt})
        theirs = np.asarray(made(torch.from_numpy(turned.copy())))[0].T
        yield row(text, theirs, np.asarray(im.from_monai(text, seed=1)(image=cubes).image), scan)
    yield "\n| TorchIO | middle, dB | all, dB | unchanged, dB |\n|---|---:|---:|---:|"
    for text in TORCHIO:
        subject = tio.Subject(image=tio.ScalarImage(tensor=torch.from_numpy(turned.copy()), affine=affine))
        theirs = eval(text, {"tio": tio})(subject).image.data.numpy()[0].T
        yield row(text, theirs, np.asarray(im.from_torchio(text, seed=1)(image=told).image), scan)


def main(read: Callable[[str], Any] = im.read_picture) -> None:
    """Print the table for a scan."""
    if len(sys.argv) != 2:
        raise SystemExit("expected one scan: python -m bench.translated_scans SCAN")
    warnings.simplefilter("ignore")
    found = read(sys.argv[1])
    for line in table(np.ascontiguousarray(found.array, dtype=np.float32), tuple(found.spacing)):
        print(line)


if __name__ == "__main__":
    main()
