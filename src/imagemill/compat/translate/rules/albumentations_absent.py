"""What Albumentations has and this library has not, and why."""

from __future__ import annotations

from imagemill.compat.translate.rules.albumentations import RULES

__all__: list[str] = []

_NEAREST = {
    "RandomGravel": "Spatter('mud')",
    "Superpixels": "Downscale, or Posterize",
    "IAASuperpixels": "Downscale, or Posterize",
    "ChromaticAberration": "OpticalDistortion, of all channels alike",
    "Morphological": "MedianBlur, or imagemill.Apply(function)",
    "HEStain": "MatchColours(references=...), or ColorJitter",
    "TextImage": "CoarseDropout, or imagemill.Apply(function)",
    "OverlayElements": "CopyPaste, of objects of other samples",
    "TemplateTransform": "MixUp, with other samples of the epoch",
    "SelectiveChannelTransform": "the same transform on images of their own: images=[...]",
    "Vignetting": "BiasField(degree=2)",
    "FilmGrain": "GaussianNoise",
    "Halftone": "Posterize",
    "Dithering": "Posterize",
    "Colorize": "Sepia, or ColorTemperature",
    "Enhance": "Sharpen, or UnsharpMask",
    "WaterRefraction": "Turbulence, or Elastic",
}

for _name, _one in _NEAREST.items():
    RULES.without(f"it is not built; nearest is {_one}", _name)
