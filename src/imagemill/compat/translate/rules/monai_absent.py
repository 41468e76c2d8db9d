"""What MONAI has and this library has not, and why."""

from __future__ import annotations

from imagemill.compat.translate.rules.monai import RULES

__all__: list[str] = []

_PREDICTIONS = (
    "AsDiscrete Activations KeepLargestConnectedComponent FillHoles RemoveSmallObjects LabelFilter LabelToContour "
    "LabelToMask MeanEnsemble VoteEnsemble Ensemble ProbNMS Invert SaveImage SaveClassification BatchInverseTransform "
    "WriteFileMapping DistanceTransformEDT SobelGradients BoundingRect ComputeHoVerMaps"
)
_LABELS = (
    "ConvertToMultiChannelBasedOnBratsClasses MapLabelValue FgBgToIndices ClassesToIndices AddExtremePointsChannel "
    "ForegroundMask MaskIntensity GenerateHeatmap AddCoordinateChannels"
)
_PATCHES = "RandGridPatch GridPatch GridSplit SplitDim"
_OTHERS = (
    "RandScaleCrop "
    "KSpaceSpikeNoise RandCoarseShuffle RandStdShiftIntensity "
    "StdShiftIntensity RandScaleIntensityFixedMean ScaleIntensityFixedMean ThresholdIntensity HistogramNormalize "
    "IntensityRemap RandIntensityRemap SavitzkyGolaySmooth ImageFilter RandImageFilter RandSmoothDeform "
    "RandSmoothFieldAdjustContrast RandSmoothFieldAdjustIntensity Transpose SpatialResample ResampleToMatch "
    "DetectEnvelope TorchIO RandTorchIO TorchVision RandTorchVision CuCIM RandCuCIM "
    "UltrasoundConfidenceMapTransform ConvertBoxToPoints ConvertPointsToBoxes ApplyTransformToPoints "
    "TransformPointsImageToWorld TransformPointsWorldToImage IntensityStats"
)

RULES.without("it has to be run to be known; put imagemill.Apply(function) in its place", "Lambda", "RandLambda")
RULES.without(
    "several patches of one volume come from a sampler, not from a transform",
    *_PATCHES.split(),
)  # fmt: skip
RULES.without("it belongs to what a model gave; Batch.inverse brings that back", *_PREDICTIONS.split())
RULES.without("label maps are changed before they come here", *_LABELS.split())
RULES.without("it is not built", *_OTHERS.split())
