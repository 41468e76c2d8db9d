"""What TorchIO has and this library has not, and why."""

from __future__ import annotations

from imagemill.compat.translate.rules.torchio import RULES

__all__: list[str] = []

_LABELS = "RemapLabels RemoveLabels SequentialLabels OneHot Contour KeepLargestComponent"
_NEAREST = {
    "RandomLabelsToImage": "an image made by a function of your own: imagemill.Apply",
    "LabelsToImage": "an image made by a function of your own: imagemill.Apply",
    "Mask": "ForegroundCrop(of=...), or Standardize(above=...)",
    "CopyAffine": "a Mask without an affine, which lies as the image does",
    "ToReferenceSpace": "Resample(spacing=...) and CropOrPad",
    "Transpose": "ToLayout, and axes= of the pipeline's input",
    "PCA": "imagemill.Apply(function)",
    "MonaiAdapter": "from_monai of what it holds",
    "CropForeground": "ForegroundCrop",
}
_DRAWN = "AffineElasticDeformation ElasticDeformation Motion Swap"

RULES.without("it has to be run to be known; put imagemill.Apply(function) in its place", "Lambda")
RULES.without(
    "labels go through the pipeline as they are; make channels or other numbers of batch.mask behind it",
    *_LABELS.split(),
)
for _name, _one in _NEAREST.items():
    RULES.without(f"it is not built; nearest is {_one}", _name)
RULES.without("with values that were drawn it is not built; write its random form", *_DRAWN.split())
