"""What TorchIO has and this library has not, and why."""

from __future__ import annotations

from imagemill.compat.translate.rules.torchio import RULES

__all__: list[str] = []

_LABELS = (
    "RandomLabelsToImage LabelsToImage RemapLabels RemoveLabels SequentialLabels OneHot Contour KeepLargestComponent "
    "Mask"
)
_OTHERS = "CopyAffine ToReferenceSpace Transpose PCA MonaiAdapter CropForeground"
_DRAWN = "AffineElasticDeformation BiasField ElasticDeformation Ghosting Motion Spike Swap"

RULES.without("it has to be run to be known; put imagemill.Apply(function) in its place", "Lambda")
RULES.without("label maps are changed before they come here", *_LABELS.split())
RULES.without("it is not built", "RandomSwap", *_OTHERS.split())
RULES.without("with values that were drawn it is not built; write its random form", *_DRAWN.split())
