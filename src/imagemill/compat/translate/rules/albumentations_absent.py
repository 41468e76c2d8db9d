"""What Albumentations has and this library has not, and why."""

from __future__ import annotations

from imagemill.compat.translate.rules.albumentations import RULES

__all__: list[str] = []

_WEATHER = "RandomGravel PlasmaShadow"
_OTHER = (
    "RingingOvershoot Superpixels IAASuperpixels ChromaticAberration Morphological Illumination "
    "PlasmaBrightnessContrast RandomGridShuffle HEStain TextImage OverlayElements MaskDropout ConstrainedCoarseDropout "
    "Mosaic CubicSymmetry GridElasticDeform Pad3D PadIfNeeded3D CenterCrop3D "
    "RandomCrop3D CoarseDropout3D"
)
_OTHERS = "FDA HistogramMatching PixelDistributionAdaptation TemplateTransform"
_CROPS = (
    "RandomSizedBBoxSafeCrop BBoxSafeRandomCrop AtLeastOneBBoxRandomCrop RandomCropNearBBox CropNonEmptyMaskIfExists"
)

RULES.without("such weather is not built", *_WEATHER.split())
RULES.without("it is not built", *_OTHER.split())
RULES.without("adapting to other images is not built", *_OTHERS.split())
RULES.without("crops that look at boxes or label maps are not built", *_CROPS.split())
