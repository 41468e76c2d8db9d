"""What other libraries call things, and how the same is written here.

Read only when a name was not found, so that a slip of memory ends in an answer. An entry is Python, without the
package's name: what was meant exactly, or the nearest there is, marked by a leading ``~``. Names are kept without
the prefixes and suffixes that libraries put on them (``RandomFlip``, ``RandFlipd``).
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["elsewhere", "parameter", "suggestion"]

_MIRROR = 'Flip("x", p=0.5)'
_UPSIDE = 'Flip("y", p=0.5)'
_TURN = "Rotate((-15, 15))"
_QUARTER = "QuarterTurn()"
_AFFINE = "Affine(degrees=(-15, 15), zoom=(0.9, 1.1), shift=(-0.1, 0.1))"
_SHIFT = "Shift(fraction=(-0.1, 0.1))"
_ZOOM = "Zoom((0.9, 1.1))"
_GRAY = "Gray(p=0.1)"
_GAIN = "Brightness((0.8, 1.2))"
_OFFSET = "GainOffset(alpha=1, beta=(-20, 20))"
_CONTRAST = "Contrast((0.8, 1.2))"
_SATURATION = "Saturation((0.8, 1.2))"
_HUE = "Hue((-18, 18))"
_GAMMA = "Gamma((0.8, 1.25))"
_JITTER = "ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2), saturation=(0.8, 1.2), hue=(-18, 18))"
_BLUR = "GaussianBlur((0.1, 2))"
_NOISE = "GaussianNoise((0, 0.1))"
_SHARPEN = "Sharpen((1, 2.5))"
_CHANNELS = "ChannelGain((0.9, 1.1))"
_LIGHTING = "Lighting()"
_ELASTIC = "Elastic((0, 0.25))"
_CROP = 'Crop((224, 224), at="random")'
_CENTRE = "Crop((224, 224))"
_PART = "RandomResizedCrop((224, 224))"
_RESIZE = "Resize((224, 224))"
_PAD_TO = "Pad(size=(256, 256))"
_DEPTH = 'Rescale("depth")'
_MINMAX = 'Rescale("minmax")'
_FLOAT = 'ToDtype("float32", scale=True)'
_FIRST = 'ToLayout("channels_first")'
_TENSOR = f"Sequential([{_DEPTH}, {_FIRST}])"

# Mostly of Albumentations (A), torchvision (V), Keras (K), imgaug (I), Kornia (R), MONAI (M) and TorchIO (T).
_TRANSFORMS: dict[str, str] = {
    # what has the same name here, found behind a prefix
    "Flip": _MIRROR, "Rotate": _TURN, "Affine": _AFFINE, "Zoom": _ZOOM, "Shift": _SHIFT, "Shear": "Shear((-10, 10))",
    "Elastic": _ELASTIC, "Perspective": "Perspective((0, 0.25))", "Resize": _RESIZE, "Pad": "Pad(16)",
    "ColorJitter": _JITTER, "Brightness": _GAIN, "Contrast": _CONTRAST, "Saturation": _SATURATION, "Hue": _HUE,
    "Gamma": _GAMMA, "Invert": "Invert(p=0.5)", "Lighting": _LIGHTING, "Standardize": "Standardize()",
    "Normalize": 'Normalize("imagenet")', "Resample": "Resample(spacing=(1.0, 1.0, 1.0))",
    "GaussianBlur": _BLUR, "BoxBlur": "BoxBlur((1, 5))", "MedianBlur": "MedianBlur(3)", "Sharpen": _SHARPEN,
    "MotionBlur": "MotionBlur((0, 9))", "DefocusBlur": "DefocusBlur((1, 4))", "ZoomBlur": "ZoomBlur((1, 1.15))",
    "UnsharpMask": "UnsharpMask()", "Emboss": "Emboss()", "Equalize": "Equalize()", "CLAHE": "CLAHE()",
    "AutoContrast": "AutoContrast()", "Posterize": "Posterize((3, 6))", "Solarize": "Solarize((0.4, 1))",
    "ChannelShift": "ChannelShift((-0.08, 0.08))", "ToneCurve": "ToneCurve()", "Sepia": "Sepia()",
    "ColorTemperature": "ColorTemperature((4500, 9000))", "Posterization": "Posterize((3, 6))",
    "Solarization": "Solarize((0.4, 1))", "GaussianNoise": _NOISE, "SpeckleNoise": "SpeckleNoise((0, 0.2))",
    "ShotNoise": "ShotNoise((100, 2000))", "ISONoise": "ISONoise()", "SaltAndPepper": "SaltAndPepper((0, 0.06))",
    "Erasing": "Erasing((0.02, 0.33), p=0.5)", "CoarseDropout": "CoarseDropout((1, 8), (0.05, 0.2))",
    "GridMask": "GridMask()", "PixelDropout": "PixelDropout((0, 0.05))", "ChannelDropout": "ChannelDropout(1)",
    "ChannelShuffle": "ChannelShuffle()",
    # mirrors and turns
    "HorizontalFlip": _MIRROR, "HFlip": _MIRROR, "FlipLR": _MIRROR, "FlipLeftRight": _MIRROR,
    "LRFlip": _MIRROR, "Mirror": _MIRROR,
    "VerticalFlip": _UPSIDE, "VFlip": _UPSIDE, "FlipUD": _UPSIDE, "FlipTopBottom": _UPSIDE,
    "AxisFlip": _MIRROR,
    "DepthicalFlip": 'Flip("z", p=0.5)',
    "Rotation": _TURN, "RotationTransform": _TURN, "SafeRotate": '~Rotate((-15, 15), frame="fit")',
    "Rotate90": _QUARTER, "Rot90": _QUARTER, "Rotation90": _QUARTER, "Rotate90s": _QUARTER,
    "D4": "D4()", "SquareSymmetry": "D4()",
    "Transpose": "Transpose(p=0.5)",
    # affine maps
    "ShiftScaleRotate": _AFFINE, "AffineTransform": _AFFINE,
    "Translate": _SHIFT, "Translation": _SHIFT, "Shifts": _SHIFT,
    "TranslateX": 'Shift(fraction={"x": (-0.1, 0.1)})', "TranslateY": 'Shift(fraction={"y": (-0.1, 0.1)})',
    "WidthShift": 'Shift(fraction={"x": (-0.1, 0.1)})', "HeightShift": 'Shift(fraction={"y": (-0.1, 0.1)})',
    "Roll": 'Shift(pixels=(-10, 10), whole=True, border="wrap")',
    "Scale": "~" + _ZOOM, "Scaling": "~" + _ZOOM, "ScaleJitter": "~" + _ZOOM, "ZoomOut": "~Zoom((0.5, 1))",
    "ScaleX": 'Zoom({"x": (0.9, 1.1)})', "ScaleY": 'Zoom({"y": (0.9, 1.1)})',
    "ShearX": 'Shear({"x": (-10, 10)})', "ShearY": 'Shear({"y": (-10, 10)})',
    # what bends
    "ElasticTransform": "~" + _ELASTIC, "ElasticDeformation": "~" + _ELASTIC, "ElasticTransformation": "~" + _ELASTIC,
    "2DElastic": "~" + _ELASTIC, "3DElastic": "~" + _ELASTIC, "GridDistortion": "GridDistortion((0, 0.3))",
    "OpticalDistortion": "OpticalDistortion((-0.2, 0.2))", "FisheyeDistortion": "~OpticalDistortion((-0.2, 0.2))",
    "Fisheye": "~OpticalDistortion((-0.2, 0.2))",
    "ThinPlateSpline": "ThinPlateSpline((0, 0.2))", "PiecewiseAffine": "~" + _ELASTIC, "SmoothDeform": "~" + _ELASTIC,
    "PerspectiveTransform": "Perspective((0, 0.25))",
    # parts and sizes
    "CenterCrop": _CENTRE, "CentreCrop": _CENTRE, "CenterSpatialCrop": _CENTRE, "CropToFixedSize": _CROP,
    "Crop": _CROP, "SpatialCrop": _CROP, "SizedCrop": _PART, "ResizedCrop": _PART,
    "CropAndResize": _PART, "SizedBBoxSafeCrop": "~BoxSafeCrop()", "BBoxSafeRandomCrop": "BoxSafeCrop()",
    "BBoxSafeCrop": "BoxSafeCrop()", "AtLeastOneBBoxRandomCrop": "BoxCrop((224, 224))", "CropNearBBox": "NearBoxCrop()",
    "CropNonEmptyMaskIfExists": "LabelCrop((224, 224))", "IoUCrop": "IoUCrop()", "MinIoURandomCrop": "IoUCrop()",
    "CropAndPad": "CropAndPad()", "CropFromBorders": "CropAndPad((-0.1, 0), keep_size=False)",
    "ConstrainedCoarseDropout": 'CoarseDropout(where="boxes")', "CropForeground": "ForegroundCrop(above=0)",
    "CropByPosNegLabel": "LabelCrop((64, 96, 96), positive=0.5)",
    "CropByLabelClasses": "LabelCrop((64, 96, 96))", "WeightedCrop": "WeightedCrop((64, 96, 96))",
    "RicianNoise": "RicianNoise((0, 0.1))", "GridShuffle": "GridShuffle()", "PatchShuffle": "GridShuffle()",
    "Swap": "~PatchSwap()", "StdShiftIntensity": "DeviationShift()",
    "MaskDropout": "MaskDropout()", "PadToMultiple": "Pad(multiple_of=32)", "Resizing": _RESIZE, "FixedResize": _RESIZE,
    "SmallestMaxSize": "ShortestSide(256)", "LongestMaxSize": "LongestSide(256)",
    "ShortestSide": "ShortestSide(256)", "LongestSide": "LongestSide(256)",
    "LetterBox": 'Resize((224, 224), fit="pad")', "ResizeWithPad": 'Resize((224, 224), fit="pad")',
    "ResizeWithPadOrCrop": "CropOrPad((224, 224))", "ToCanonical": "Orient('RAS')", "Orientation": "Orient('RAS')",
    "HistogramStandardization": "~MatchLandmarks()", "BiasField": "BiasField()", "Ghosting": "Ghosting()",
    "Motion": "MotionArtefact()", "Spike": "Spike()", "KSpaceSpikeNoise": "~Spike()", "GibbsNoise": "GibbsRinging()",
    "Anisotropy": "LowResolution((1.5, 5), one=True)", "SimulateLowResolution": "LowResolution((1, 2))",
    "ScaleIntensityRangePercentiles": "~ClipPercentiles(0.5, 99.5)",
    "PadIfNeeded": _PAD_TO, "SpatialPad": _PAD_TO, "PadTo": _PAD_TO, "PadToFixedSize": _PAD_TO,
    "DivisiblePad": "Pad(multiple_of=32)", "EnsureShapeMultiple": "Pad(multiple_of=32)",
    "Spacing": "Resample(spacing=(1.0, 1.0, 1.0))", "ToSpacing": "Resample(spacing=(1.0, 1.0, 1.0))",
    # colour
    "BrightnessContrast": "ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2))",
    "HueSaturationValue": "~ColorJitter(brightness=(0.8, 1.2), saturation=(0.8, 1.2), hue=(-18, 18))",
    "HueSaturation": "ColorJitter(saturation=(0.8, 1.2), hue=(-18, 18))",
    "AddToHueAndSaturation": "~ColorJitter(saturation=(0.8, 1.2), hue=(-18, 18))",
    "ColorJiggle": _JITTER, "ColourJitter": _JITTER, "PhotometricDistort": _JITTER, "PhotoMetricDistortion": _JITTER,
    "Color": _SATURATION, "Multiply": _GAIN, "MultiplyBrightness": _GAIN, "ScaleIntensity": "~" + _GAIN,
    "Add": _OFFSET, "ShiftIntensity": _OFFSET, "AdditiveShift": _OFFSET,
    "LinearContrast": 'Contrast((0.8, 1.2), pivot="middle")', "AdjustContrast": "~" + _GAMMA,
    "GammaContrast": _GAMMA, "RGBShift": "ChannelShift((-0.08, 0.08))", "ToSepia": "Sepia()",
    "PlanckianJitter": "ColorTemperature((3000, 15000))", "RandomToneCurve": "ToneCurve()",
    "MultiplicativeColor": _CHANNELS,
    "FancyPCA": _LIGHTING, "PCALighting": _LIGHTING, "LightingNoise": "~" + _LIGHTING,
    "Grayscale": "Gray()", "ToGray": "Gray()", "RandomGrayscale": _GRAY, "RandomGray": _GRAY,
    "InvertImg": "Invert()", "Negative": "Invert()",
    # range, type, layout
    "Rescaling": _DEPTH, "ToFloat": _DEPTH, "RescaleIntensity": _MINMAX, "NormalizeIntensity": "Standardize()",
    "ScaleIntensityRange": "Rescale((0, 1000))", "MinMaxNormalize": _MINMAX,
    "ZNormalization": "Standardize()", "PerImageStandardization": "Standardize()", "Standardization": "Standardize()",
    "Normalise": 'Normalize("imagenet")', "Normalization": 'Normalize("imagenet")', "Standardise": "Standardize()",
    "ConvertImageDtype": _FLOAT, "ConvertDtype": _FLOAT, "FromFloat": 'ToDtype("uint8", scale=True)',
    "CastToType": 'ToDtype("float32")', "ToType": 'ToDtype("float32")', "Cast": 'ToDtype("float32")',
    "ToTensor": _TENSOR, "ToTensorV2": _FIRST, "PILToTensor": _FIRST, "ToImage": _FIRST, "Permute": _FIRST,
    "EnsureChannelFirst": _FIRST, "AddChannel": _FIRST, "ChannelsFirst": _FIRST,
    # filters, noise, hidden parts
    "Blur": "BoxBlur((1, 5))", "AverageBlur": "BoxBlur((1, 5))", "GaussBlur": _BLUR, "GaussianSmooth": _BLUR,
    "Defocus": "DefocusBlur((1, 4))", "Sharpness": _SHARPEN, "GaussianSharpen": "UnsharpMask()",
    "GaussNoise": _NOISE, "Noise": _NOISE, "AdditiveGaussianNoise": _NOISE, "AdditiveNoise": _NOISE,
    "AddGaussianNoise": _NOISE, "MultiplicativeNoise": "SpeckleNoise((0, 0.2))",
    "SaltAndPepperNoise": "SaltAndPepper((0, 0.06))", "Cutout": "CoarseDropout(1, 0.25)",
    "Dropout": "PixelDropout((0, 0.05))", "GridDropout": "~GridMask(degrees=0)", "Equalization": "Equalize()",
    "HistogramEqualization": "Equalize()", "AllChannelsCLAHE": "~CLAHE()",
    # quality and weather
    "JPEG": "JPEG((30, 90))", "ImageCompression": "JPEG((30, 90))", "JpegCompression": "JPEG((30, 90))",
    "WebP": "WebP((30, 90))", "Downscale": "Downscale((0.25, 0.75))", "Pixelate": "Downscale((0.25, 0.75))",
    "Fog": "Fog()", "Rain": "Rain()", "Snow": "Snow()", "Frost": "Frost()", "Spatter": "Spatter()",
    "Shadow": "Shadow()", "SunFlare": "SunFlare()", "GlassBlur": "GlassBlur()",
    "Lambda": "Apply(function)", "LambdaTransform": "Apply(function)",
    # choosing
    "RandomChoice": f"OneOf([{_MIRROR}, {_TURN}])",
    "RandomOrder": f"~SomeOf([{_MIRROR}, {_TURN}], count=2)",
    "RandAugment": "rand_augment()", "TrivialAugmentWide": "trivial_augment()", "TrivialAugment": "trivial_augment()",
    "AutoAugment": "auto_augment()", "AutoAugmentPolicy": "auto_augment()",
    "MixUpV2": "MixUp()", "RandomMixup": "MixUp()", "RandomMixUp": "MixUp()", "RandomMixUpV2": "MixUp()",
    "Mixup": "MixUp()",
    "CutMixV2": "CutMix()", "RandomCutmix": "CutMix()", "RandomCutMix": "CutMix()", "RandomCutMixV2": "CutMix()",
    "RandomMosaic": "Mosaic((640, 640))", "SimpleCopyPaste": "CopyPaste()",
    "RandomApply": f"Sequential([{_MIRROR}, {_TURN}], p=0.5)", "Sometimes": f"Sequential([{_MIRROR}], p=0.5)",
}  # fmt: skip

_NOT_HERE = {
    "such noise": "AdditiveLaplaceNoise",
    "such a blur": "AdvancedBlur BilateralBlur",
    "such erasing": "XYMasking HideAndSeek CoarseShuffle",
    "mixing of images": "OverlayElements FMix",
    "matching of histograms": "HistogramNormalize",
    "deforming by a grid of one's own": "GridElasticDeform",
    "artefacts of scanners": "Swap",
    "such weather": "Gravel Clouds PlasmaShadow Snowflakes",
    "shuffling": "PixelShuffle",
    "learned policies": "FastAutoAugment",
    "several crops of one image": "FiveCrop TenCrop GridSample LabelSampler UniformSampler",
}

# Not transforms, but what people look for at the top of a package.
_OTHER: dict[str, str] = {
    "Compose": "Pipeline([...])", "AugmentationSequential": "Pipeline([...])", "ReplayCompose": "Pipeline([...])",
    "Augmentor": "Pipeline([...])", "compose": "Pipeline([...])", "ReplayTransform": "Pipeline.replay",
    "DataLoader": "Loader(dataset, ...)", "Dataloader": "Loader(dataset, ...)", "ImageFolder": "open(folder)",
    "image_dataset_from_directory": "open(folder)", "flow_from_directory": "open(folder)", "load": "open(folder)",
    "load_dataset": "open(folder)", "ImageFolderDataset": "open(folder)", "DirectoryIterator": "open(folder)",
    "read": "read_picture(path)", "imread": "read_picture(path)", "read_image": "read_picture(path)",
    "load_image": "read_picture(path)", "write": "write_picture(path, picture)",
    "imwrite": "write_picture(path, picture)", "imsave": "write_picture(path, picture)",
    "save": "write_picture(path, picture)", "preview": "grid(pipeline, image)", "show": "grid(pipeline, image)",
    "make_grid": "grid(pipeline, image)", "visualize": "grid(pipeline, image)", "Uniform": "Range(low, high)",
    "HistogramMatching": "MatchHistogram(...)", "FDA": "MatchSpectrum(...)",
    "PixelDistributionAdaptation": "MatchColours(...)",
    "BoundingBoxes": "Boxes(...)", "BBoxes": "Boxes(...)", "BboxParams": "Boxes(...)", "KeyPoints": "Keypoints(...)",
    "Points": "Keypoints(...)", "KeypointParams": "Keypoints(...)", "ScalarImage": "Image(array, axes)",
    "LabelMap": "Mask(array, axes)", "Subject": "Sample", "presets": "PRESETS",
}  # fmt: skip

_GENERATORS = ("ImageDataGenerator", "NumpyArrayIterator", "DirectoryIterator", "DataFrameIterator")

_PARAMETERS: dict[str, str] = {
    "angle": "degrees", "angles": "degrees", "rotation": "degrees", "rotate": "degrees", "limit": "degrees",
    "rotate_limit": "degrees", "rotation_range": "degrees", "range_x": "degrees", "rot": "degrees",
    "scale": "factor zoom area", "scale_limit": "factor zoom", "zoom_range": "factor zoom", "scales": "factor zoom",
    "zoom": "factor", "factor": "zoom gains alpha", "gain": "factor alpha gains",
    "brightness_limit": "factor brightness",    "contrast_limit": "factor contrast",
    "hue_limit": "degrees hue", "sat_shift_limit": "factor saturation",
    "brightness": "factor", "contrast": "factor", "saturation": "factor", "hue": "degrees",
    "gamma_limit": "gamma", "gamma_range": "gamma", "log_gamma": "gamma", "bias": "beta", "offset": "beta",
    "translate": "shift fraction", "translation": "shift fraction", "shift_limit": "shift fraction",
    "x": "pixels", "y": "pixels", "dx": "pixels", "dy": "pixels", "max_translation": "pixels",
    "translate_percent": "shift fraction", "translate_px": "pixels", "shift": "fraction", "distance": "pixels",
    "ratio": "aspect", "shears": "shear degrees", "shear": "degrees", "shear_range": "shear degrees",
    "alpha": "strength", "sigma": "strength", "distortion_scale": "strength", "magnitude": "strength",
    "num_control_points": "cells", "grid": "cells", "alphastd": "strength", "alpha_std": "strength",
    "height": "size", "width": "size", "output_size": "size", "img_size": "size", "roi_size": "size",
    "spatial_size": "size", "target_shape": "size", "target_size": "size", "shape": "size", "max_size": "size",
    "padding": "pixels", "pad": "pixels", "pad_height_divisor": "multiple_of", "k": "multiple_of times",
    "interpolation": "order", "mode": "border order", "padding_mode": "border", "border_mode": "border",
    "fill_mode": "border", "pad_mode": "border", "cval": "fill", "value": "fill", "fillcolor": "fill",
    "fill_value": "fill", "default_pad_value": "fill", "constant_values": "fill", "mask_value": "mask_fill",
    "fill_mask": "mask_fill", "prob": "p", "probability": "p", "always_apply": "p", "chance": "p", "n": "count",
    "num": "count", "number": "count", "num_transforms": "count", "flip_axis": "axis", "axes": "axis",
    "spatial_axis": "axis", "dim": "axis", "direction": "axis", "expand": "frame", "pixdim": "spacing",
    "voxel_size": "spacing", "target": "spacing", "subtrahend": "mean", "divisor": "std", "max_pixel_value": "scale",
    "channel_wise": "per_channel", "channelwise": "per_channel", "type": "dtype", "transform": "transforms",
    "p_flip": "p", "probs": "weights", "probabilities": "weights", "func": "function", "fn": "function",
    "lambd": "function", "millimeters": "millimetres", "mm": "millimetres", "out_min_max": "to",
}  # fmt: skip


_NEAR = "~"


def suggestion(name: str, *, file: Mapping[str, Sequence[str]] | None = None) -> str:
    """What to write instead of a transform's name from another library, as the end of a sentence; empty if unknown.

    Parameters
    ----------
    name : str
        With or without the library's prefixes and suffixes, in any case.
    file : mapping from transform to its parameters in order, optional
        Write it as pipeline files do. Python when left out.

    Examples
    --------
    >>> suggestion("RandomHorizontalFlip")
    'write im.Flip("x", p=0.5)'
    >>> suggestion("hflip", file={"Flip": ["axis", "p"]})
    'write Flip: {axis: x, p: 0.5}'
    >>> suggestion("GaussNoise")
    'write im.GaussianNoise((0, 0.1))'
    >>> suggestion("Gravel")
    'imagemill has no transform for such weather'
    >>> suggestion("Cheese")
    ''
    """
    for form in _forms(name):
        if form in _ABSENT:
            return f"imagemill has no transform for {_ABSENT[form]}"
        if form in _BY_NAME:
            code = _BY_NAME[form].removeprefix(_NEAR)
            how = "the nearest here is" if _BY_NAME[form].startswith(_NEAR) else "write"
            if file is None:
                return f"{how} {_in_python(code)}"
            if code.startswith("Apply("):
                return "a function cannot be in a file: define a transform class, or build the pipeline in Python"
            if code[0].islower():
                return f"in a file a policy is written out: im.Pipeline([im.{code}]).to_yaml() writes it"
            return f"{how} {_flow(_tree(code, file))}"
    return ""


def elsewhere(name: str) -> str:
    """What to write instead of another library's name for something that is no transform; empty if unknown.

    Examples
    --------
    >>> elsewhere("Compose")
    'write im.Pipeline([...])'
    """
    if name in _GENERATORS:
        return f"write from imagemill.compat.keras import {name}"
    return f"write im.{_OTHER[name]}" if name in _OTHER else ""


def parameter(name: str, known: Sequence[str]) -> str:
    """The parameter out of ``known`` that ``name`` means, by what others call it or by its spelling; empty if none.

    Examples
    --------
    >>> parameter("degree", ["degrees", "p"]), parameter("limit", ["degrees", "p"]), parameter("cheese", ["p"])
    ('degrees', 'degrees', '')
    """
    meant = [word for word in _PARAMETERS.get(name, "").split() if word in known]
    return (meant or difflib.get_close_matches(name, known, n=1) or [""])[0]


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _forms(name: str) -> Iterator[str]:
    """A name without case and underscores, then without what libraries put around it."""
    whole = _plain(name)
    for tail in ("", "transform", "dict", "v2", "d"):
        if not whole.endswith(tail):
            continue
        body = whole.removesuffix(tail)
        yield body
        for head in ("random", "rand", "adjust"):
            if body.startswith(head):
                yield body.removeprefix(head)


def _in_python(code: str) -> str:
    return f"im.{code}" if code[0].islower() else re.sub(r"\b([A-Z]\w*)\(", r"im.\1(", code)


def _tree(code: str, fields: Mapping[str, Sequence[str]]) -> Any:
    """Python calls as the mappings of pipeline files."""

    def read(node: ast.expr) -> Any:
        if isinstance(node, ast.List):
            return [read(item) for item in node.elts]
        if not isinstance(node, ast.Call):
            return ast.literal_eval(node)
        assert isinstance(node.func, ast.Name)
        named = zip(fields[node.func.id], node.args, strict=False)
        given = {name: read(value) for name, value in named}
        return {node.func.id: given | {str(word.arg): read(word.value) for word in node.keywords}}

    return read(ast.parse(code, mode="eval").body)


def _flow(value: Any, *, outermost: bool = True) -> str:
    """Plain values as YAML on one line."""
    if isinstance(value, dict):
        inside = ", ".join(f"{key}: {_flow(each, outermost=False)}" for key, each in value.items())
        return inside if outermost else f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_flow(each, outermost=False) for each in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


_BY_NAME = {_plain(name): code for name, code in _TRANSFORMS.items()}
_ABSENT = {_plain(name): what for what, names in _NOT_HERE.items() for name in names.split()}
