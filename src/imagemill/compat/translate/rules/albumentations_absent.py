"""What Albumentations has and this library has not, and why."""

from __future__ import annotations

from imagemill.compat.translate.rules.albumentations import RULES

__all__: list[str] = []

_WEATHER = "RandomGravel PlasmaShadow"
_OTHER = (
    "RingingOvershoot Superpixels IAASuperpixels ChromaticAberration Morphological Illumination "
    "PlasmaBrightnessContrast RandomGridShuffle HEStain TextImage OverlayElements"
)

RULES.without("such weather is not built", *_WEATHER.split())
RULES.without("it is not built", *_OTHER.split())
RULES.without("blending with a template is not built", "TemplateTransform")
