"""Why a row is lost, where it is."""

from __future__ import annotations

_MOVES = (
    "pixels are only copied, which takes less than the Python around it: reading what was passed, and the step through "
    "the backend"
)
_TABLE = (
    "values go through a table one by one, or through single precision; stringzilla, which Albumentations uses, looks "
    "up many at once by vector instructions"
)
_FLOAT = (
    "channels are mixed in single precision, so that any run of colour is one matrix with one rounding; there it is a "
    "function of OpenCV's for bytes, or a copy"
)
_BENT = "places are worked out and read pixel by pixel by a kernel of our own; there by OpenCV's remap"
_SAME = "OpenCV's own function on either side; what is left is the Python around it"
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
    "ChannelDropout": "a dropped channel is a row of a matrix that all values go through; there it is a slice set to 0",
    "Invert": _FLOAT,
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
    "Perspective": _SAME,
    "GridDistortion": _BENT,
    "OpticalDistortion": _BENT,
    "RandomResizedCrop": "what is left out is averaged where it shrinks by more than 2; there single pixels are read",
    "Resize, smaller": "averages with exact weights over what each pixel spans, in two passes of single precision",
    "Resize, larger": "weights in single precision for each pixel; OpenCV resizes bytes in fixed point",
    "LongestSide": "weights in single precision for each pixel; OpenCV resizes bytes in fixed point",
    "ShortestSide": "weights in single precision for each pixel; OpenCV resizes bytes in fixed point",
    "GaussianBlur": "both are OpenCV's filter; here it is as long as four deviations ask for",
    "BoxBlur": _SAME,
    "MedianBlur": _SAME,
    "MotionBlur": _DRAWN,
    "Sharpen": _SAME,
    "Emboss": _SAME,
    "ZoomBlur": "ten views by OpenCV's warp, added up in single precision",
    "CoarseDropout": "the photo is copied, then filled; what is left is the Python around it",
    "Erasing": "what is erased is as large as drawn, and of its own aspect; what is left is the Python around it",
    "GridMask": "cells may be turned by any angle, so each pixel is asked in which it lies; there they are slices",
}
"""By the name of the row. What has no entry was not looked into."""

_IN_PLACE = (
    "batchgeneratorsv2 works in the tensor that it is given; here inputs stay, and a result is memory of its own"
)
OF_VOLUMES: dict[str, str] = {
    "Flip": _MOVES,
    "Crop, random": _MOVES,
    "Brightness": _IN_PLACE,
    "Contrast": _IN_PLACE,
    "CoarseDropout": "the volume is looked through for NaN, copied, then filled; MONAI fills the one it is given",
    "Erasing, cuboids of noise": "the volume is looked through for NaN and copied; MONAI shuffles the one it is given",
    "ToDtype": "the volume is looked through for NaN first; there it is one conversion",
}
"""The same for volumes."""
