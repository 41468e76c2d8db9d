"""What MONAI has and this library has not, and why; and what it hands on to other libraries."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.calls import Call
from imagemill.compat.translate.rules.monai import RULES
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.transforms.base import Transform, everyone

__all__: list[str] = []

_PREDICTIONS = (
    "Activations KeepLargestConnectedComponent FillHoles RemoveSmallObjects LabelFilter LabelToContour MeanEnsemble "
    "VoteEnsemble Ensemble ProbNMS Invert SaveImage SaveClassification BatchInverseTransform WriteFileMapping "
    "DistanceTransformEDT SobelGradients BoundingRect ComputeHoVerMaps"
)
_LABELS = (
    "AsDiscrete ConvertToMultiChannelBasedOnBratsClasses MapLabelValue LabelToMask FgBgToIndices ClassesToIndices "
    "AddExtremePointsChannel GenerateHeatmap AddCoordinateChannels"
)
_PATCHES = "RandGridPatch GridPatch GridSplit SplitDim"
_NEAREST = {
    "RandCoarseShuffle": "PatchSwap, in which patches change places",
    "RandSmoothFieldAdjustContrast": "Gamma, of the whole image",
    "SavitzkyGolaySmooth": "GaussianBlur",
    "MaskIntensity": "ForegroundCrop, or imagemill.Apply(function)",
    "ForegroundMask": "ForegroundCrop, which finds the foreground itself",
    "IntensityRemap": "HistogramShift",
    "RandIntensityRemap": "HistogramShift",
    "SpatialResample": "Resample(spacing=...), or Orient",
    "ImageFilter": "GaussianBlur, MedianBlur, Sharpen or Emboss",
    "RandImageFilter": "GaussianBlur, MedianBlur, Sharpen or Emboss",
    "NormalizeHEStains": "MatchColours(references=...)",
    "ExtractHEStains": "MatchColours(references=...)",
    "RandFourier": "GibbsRinging, Ghosting or Spike",
    "Transpose": "ToLayout, and axes= of the pipeline's input",
}
_OTHERS = (
    "DetectEnvelope CuCIM RandCuCIM UltrasoundConfidenceMapTransform ConvertBoxToPoints ConvertPointsToBoxes "
    "ApplyTransformToPoints TransformPointsImageToWorld TransformPointsWorldToImage IntensityStats"
)

RULES.without("it has to be run to be known; put imagemill.Apply(function) in its place", "Lambda", "RandLambda")
RULES.without(
    "several patches of one volume come from a sampler, not from a transform: see PatchDataset",
    *_PATCHES.split(),
)
RULES.without("it belongs to what a model gave; Batch.inverse brings that back", *_PREDICTIONS.split())
RULES.without(
    "labels go through the pipeline as they are; make channels or other numbers of batch.mask behind it",
    *_LABELS.split(),
)
for _name, _one in _NEAREST.items():
    RULES.without(f"it is not built; nearest is {_one}", _name)
RULES.without("it is not built", *_OTHERS.split())


@RULES.rule("TorchVision", "RandTorchVision")
def _of_torchvision(step: Step, name: str, **rest: Any) -> list[Transform]:
    """What torchvision's transform of that name is here, where it only changes values."""
    made = step.of_library("torchvision", _inner(step, name))
    if any(one.traits().moves for one in everyone(made)):
        raise NoCounterpart("it moves along rows and columns, which are MONAI's last axes; write MONAI's own")
    return made


@RULES.rule("TorchIO", "RandTorchIO")
def _of_torchio(step: Step, name: str, **rest: Any) -> list[Transform]:
    """What TorchIO's transform of that name is here."""
    return step.of_library("torchio", _inner(step, name))


def _inner(step: Step, name: str) -> Call:
    """The call that is handed on."""
    given = {key: one for key, one in step.call.given.items() if key not in ("name", "keys", "allow_missing_keys")}
    return Call(str(name), given, (), step.call.where)
