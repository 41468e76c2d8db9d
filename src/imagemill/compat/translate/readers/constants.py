"""Names that stand for values in pipelines of other libraries: interpolations, borders, types."""

from __future__ import annotations

from typing import Any

__all__ = ["constant"]

# Numbers of OpenCV's and Pillow's documentation.
_OPENCV = {
    "INTER_NEAREST": 0, "INTER_LINEAR": 1, "INTER_CUBIC": 2, "INTER_AREA": 3, "INTER_LANCZOS4": 4,
    "INTER_LINEAR_EXACT": 5, "INTER_NEAREST_EXACT": 6,
    "BORDER_CONSTANT": 0, "BORDER_REPLICATE": 1, "BORDER_REFLECT": 2, "BORDER_WRAP": 3, "BORDER_REFLECT_101": 4,
    "BORDER_REFLECT101": 4, "BORDER_DEFAULT": 4,
}  # fmt: skip
_FILTERS = ("NEAREST", "NEAREST_EXACT", "BILINEAR", "BICUBIC", "BOX", "HAMMING", "LANCZOS", "ANTIALIAS")
_DTYPES = (
    "uint8", "uint16", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "float", "double", "half",
    "long", "bool",
)  # fmt: skip
_VALUES = {"pi": 3.141592653589793, "True": True, "False": False}
_ENUMERATIONS = (
    "PositionType", "ImageCompressionType", "GridSampleMode", "GridSamplePadMode", "InterpolateMode",
    "NumpyPadMode", "PytorchPadMode", "Method", "SplineMode", "NdimageMode",
)  # fmt: skip
_POLICIES = ("IMAGENET", "CIFAR10", "SVHN")


def constant(dotted: str) -> Any:
    """The value of a dotted name; None where it is not known.

    Numbers for OpenCV's constants, words in small letters for filters, types and policies.

    Examples
    --------
    >>> constant("cv2.BORDER_REFLECT_101"), constant("transforms.InterpolationMode.BICUBIC"), constant("torch.float32")
    (4, 'bicubic', 'float32')
    >>> constant("config.size") is None
    True
    """
    head, _, last = dotted.rpartition(".")
    if last in _OPENCV and head.rpartition(".")[2] in ("cv2", "cv"):
        return _OPENCV[last]
    if last in _FILTERS and head.rpartition(".")[2] in ("InterpolationMode", "Image", "Resampling", "PIL", "Resample"):
        return last.lower()
    if last in _DTYPES and head in ("torch", "np", "numpy", "tf"):
        return last
    if last in _POLICIES and head.endswith("Policy"):
        return last.lower()
    if last.isupper() and head.rpartition(".")[2] in _ENUMERATIONS:
        return last.lower()
    if last in ("mean", "otsu") and head.rpartition(".")[2] == "ZNormalization":
        return last
    if head.rpartition(".")[2] in ("tio", "torchio") and last in ("INTENSITY", "LABEL", "DATA", "AFFINE"):
        return last.lower()
    if last in _VALUES and head in ("np", "numpy", "math"):
        return _VALUES[last]
    return None
