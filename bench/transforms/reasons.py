"""Why a row is lost, where it is."""

from __future__ import annotations

_MOVES = (
    "pixels are only copied, which takes less than the Python around it: some 60 calls for a draw, a plan and a recipe"
)
_TABLE = "the pass over the bytes is a table there and here; what is left is the Python that makes that table"
_FLOAT = (
    "channels are mixed in single precision, so that any run of colour is one matrix with one rounding; there it is a "
    "function of OpenCV's for bytes, or a copy"
)
_EXACT = "averages with exact weights over what each pixel spans, in two passes of single precision"
_OURS = "a kernel of our own, whose places and weights are not rounded to 11 bits; what is left is the Python around it"
_SAME = "OpenCV's own function on either side; what is left is the Python around it"
_BENT = "places are worked out in double precision; there by OpenCV's remap, whose places are rounded to 1/32 pixel"
_DRAWN = (
    "there the kernel has a pixel wide line of zeros and ones; here weights that are right for any angle, more of them"
)

REASONS: dict[str, str] = {
    "Flip": _MOVES,
    "Flip, upside down": _MOVES,
    "Crop, centre": _MOVES,
    "Crop, random": _MOVES,
    "Pad": _MOVES,
    "Pad, to a size": _MOVES,
    "ChannelShuffle": _FLOAT,
    "ChannelDropout": "a dropped channel is a table that all its values go through; there it is a slice set to 0",
    "Invert": _TABLE,
    "Brightness": _TABLE,
    "GainOffset": _TABLE,
    "Contrast": _TABLE,
    "Saturation": _FLOAT,
    "Gray": _FLOAT,
    "Sepia": _FLOAT,
    "ChannelShift": _FLOAT,
    "ColorTemperature": _FLOAT,
    "Gamma": _TABLE,
    "ToneCurve": _TABLE,
    "Posterize": "one `and` over all bytes here and there; what is left is the Python around it",
    "Solarize": _TABLE,
    "Equalize": _TABLE,
    "AutoContrast": _TABLE,
    "ToDtype": "there is nothing to do but one multiplication; here it is a matrix with limits for each channel",
    "Perspective": _OURS,
    "GridDistortion": _BENT,
    "OpticalDistortion": _BENT,
    "RandomResizedCrop": "what is left out is averaged where it shrinks by more than 2; there single pixels are read",
    "Resize, smaller": _EXACT,
    "Resize, larger": _OURS,
    "LongestSide": _OURS,
    "ShortestSide": _OURS,
    "GaussianBlur": "here the filter is as long as four deviations ask for, and nothing is rounded in between",
    "BoxBlur": _SAME,
    "MedianBlur": _SAME,
    "MotionBlur": _DRAWN,
    "Emboss": "weighted sums in single precision, rounded once; there OpenCV's filter for bytes",
    "ZoomBlur": "ten views added up in single precision",
    "CoarseDropout": "the photo is copied, then filled; what is left is the Python around it",
    "Erasing": "what is erased is as large as drawn, and of its own aspect; what is left is the Python around it",
}
"""By the name of the row. What has no entry was not looked into."""

_IN_PLACE = (
    "batchgeneratorsv2 works in the tensor that it is given; here inputs stay, and a result is memory of its own"
)
OF_VOLUMES: dict[str, str] = {
    "Flip": "pixels are only copied; what is left is the Python around it",
    "Crop, random": "pixels are only copied; what is left is the Python around it",
    "Brightness": _IN_PLACE,
    "Contrast": _IN_PLACE,
    "CoarseDropout": "the volume is copied, then filled; MONAI fills the one it is given",
    "Erasing, cuboids of noise": "the volume is copied, then filled; MONAI shuffles the one it is given",
    "ToDtype": "one conversion here and there; what is left is the Python around it",
    "Crop, centre": "pixels are only copied; what is left is the Python around it",
    "ClipPercentiles": "a partition of all values by numpy, which gives the percentiles to the last bit",
}
"""The same for volumes."""
