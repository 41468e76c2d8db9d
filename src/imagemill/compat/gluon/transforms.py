"""The transforms whose names Gluon made known, as steps that build this library's own.

A step alone is a call; steps in :class:`Compose` become one pipeline, so that a chain is one resample and one colour
pass. Sizes are ``(width, height)``, as they are there.

Source: the behaviour of ``gluon.data.vision.transforms`` (MXNet 1.9 and 2.0) as its documentation says.
"""

from imagemill.compat.gluon.cropping import (
    CenterCrop,
    CropResize,
    RandomCrop,
    RandomFlipLeftRight,
    RandomFlipTopBottom,
    RandomResizedCrop,
    RandomRotation,
    Resize,
    Rotate,
)
from imagemill.compat.gluon.steps import Compose, HybridCompose, transform_first
from imagemill.compat.gluon.tones import (
    Cast,
    Normalize,
    RandomApply,
    RandomBrightness,
    RandomColorJitter,
    RandomContrast,
    RandomGray,
    RandomHue,
    RandomLighting,
    RandomSaturation,
    ToTensor,
)

__all__ = [
    "Cast",
    "CenterCrop",
    "Compose",
    "CropResize",
    "HybridCompose",
    "Normalize",
    "RandomApply",
    "RandomBrightness",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomFlipLeftRight",
    "RandomFlipTopBottom",
    "RandomGray",
    "RandomHue",
    "RandomLighting",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSaturation",
    "Resize",
    "Rotate",
    "ToTensor",
    "transform_first",
]
