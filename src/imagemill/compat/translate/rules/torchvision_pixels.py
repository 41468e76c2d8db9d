"""torchvision's transforms of values, v1 and v2."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.functions import from_function
from imagemill.compat.translate.rules.rule import Step
from imagemill.compat.translate.rules.torchvision import RULES, of_type
from imagemill.compat.translate.rules.values import amount, fill, is_number, order, scaled, span
from imagemill.core.ranges import LogUniform
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.channel_shuffle import ChannelShuffle
from imagemill.transforms.colour.color_jitter import ColorJitter
from imagemill.transforms.colour.gray import Gray
from imagemill.transforms.colour.invert import Invert
from imagemill.transforms.colour.normalize import Normalize
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.to_dtype import ToDtype
from imagemill.transforms.colour.to_layout import ToLayout
from imagemill.transforms.filter.auto_contrast import AutoContrast
from imagemill.transforms.filter.equalize import Equalize
from imagemill.transforms.filter.gaussian_blur import GaussianBlur
from imagemill.transforms.filter.posterize import Posterize
from imagemill.transforms.filter.sharpen import Sharpen
from imagemill.transforms.filter.solarize import Solarize
from imagemill.transforms.mixing.augmix import AugMix
from imagemill.transforms.mixing.copy_paste import CopyPaste
from imagemill.transforms.mixing.cutmix import CutMix
from imagemill.transforms.mixing.mixup import MixUp
from imagemill.transforms.noise.gaussian_noise import GaussianNoise
from imagemill.transforms.occlusion.erasing import Erasing
from imagemill.transforms.policies import auto_augment, rand_augment, trivial_augment
from imagemill.transforms.quality.jpeg_compression import JPEG

__all__: list[str] = []
_DARKEST = 1e-3


@RULES.rule("ColorJitter")
def _color_jitter(
    step: Step, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0
) -> list[Transform]:
    """A number is a range about 1; hue 1 is 360 degrees. Run in one fixed order and clipped once, at the end."""
    given: dict[str, Any] = {}
    for name, value in (("brightness", brightness), ("contrast", contrast), ("saturation", saturation)):
        if value is not None and not (is_number(value) and value == 0):
            given[name] = span(step, name, value, about=1, low=_DARKEST if name == "brightness" else 0)
    if hue is not None and not (is_number(hue) and hue == 0):
        given["hue"] = scaled(span(step, "hue", hue), 360)
    return [ColorJitter(**given)] if given else []


@RULES.rule("RandomPhotometricDistort")
def _photometric_distort(
    step: Step,
    brightness: Any = (0.875, 1.125),
    contrast: Any = (0.5, 1.5),
    saturation: Any = (0.5, 1.5),
    hue: Any = (-0.05, 0.05),
    p: float = 0.5,
) -> list[Transform]:
    """Each runs with chance ``p``; channels are not exchanged."""
    step.note("channels are not exchanged")
    return [
        ColorJitter(brightness=amount(step, "brightness", brightness), p=p),
        ColorJitter(contrast=amount(step, "contrast", contrast), p=p),
        ColorJitter(saturation=amount(step, "saturation", saturation), p=p),
        ColorJitter(hue=scaled(amount(step, "hue", hue), 360), p=p),
    ]


@RULES.rule("Grayscale")
def _grayscale(step: Step, num_output_channels: int = 1) -> Transform:
    if num_output_channels == 1:
        step.note("three equal channels; for one channel call the pipeline with channels='gray'")
    return Gray()


@RULES.rule("RandomGrayscale")
def _random_grayscale(step: Step, p: float = 0.1) -> Transform:
    return Gray(p=p)


@RULES.rule("RGB")
def _rgb(step: Step) -> list[Transform]:
    """Call the pipeline with ``channels="rgb"`` where images are gray."""
    step.note("for gray images call the pipeline with channels='rgb'")
    return []


@RULES.rule("RandomInvert")
def _random_invert(step: Step, p: float = 0.5) -> Transform:
    return Invert(p=p)


@RULES.rule("Normalize")
def _normalize(step: Step, mean: Any, std: Any, inplace: bool = False) -> Transform:
    """Values are from 0 to 1 by then, so ``scale="none"``."""
    centre, deviation = (float(v) if is_number(v) else [float(one) for one in v] for v in (mean, std))
    return Normalize(centre, deviation, scale="none")


@RULES.rule("ToTensor")
def _to_tensor(step: Step) -> list[Transform]:
    """From 0 to 1, channels first, as an array; ``torch.from_numpy`` makes the tensor."""
    step.note("channels come first, in an array: torch.from_numpy, or Loader's torch(), makes the tensor")
    return [Rescale("depth"), ToLayout("channels_first")]


@RULES.rule("PILToTensor")
def _pil_to_tensor(step: Step) -> Transform:
    return ToLayout("channels_first")


@RULES.rule("ToDtype", "ConvertImageDtype", "ConvertDtype", "ConvertImageDtypes")
def _to_dtype(step: Step, dtype: Any = "float32", scale: bool | None = None) -> list[Transform]:
    """``ConvertImageDtype`` scales, ``ToDtype`` only where it says so."""
    scales = step.call.name != "ToDtype" if scale is None else scale
    if isinstance(dtype, dict):
        step.note("the type is that of images; label maps keep theirs")
        dtype = next((one for one in dtype.values() if one is not None), "float32")
    name = {"float": "float32", "half": "float16", "double": "float64"}.get(str(dtype), str(dtype))
    named: Any = name
    return [ToDtype(named, scale=bool(scales))]


@RULES.rule("GaussianBlur")
def _gaussian_blur(step: Step, kernel_size: Any = None, sigma: Any = (0.1, 2.0)) -> Transform:
    """By ``sigma``; the kernel is as large as that needs."""
    return GaussianBlur(amount(step, "sigma", sigma))


@RULES.rule("GaussianNoise")
def _gaussian_noise(step: Step, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Transform:
    if mean:
        step.note("the mean is 0")
    return GaussianNoise(float(sigma))


@RULES.rule("RandomAdjustSharpness")
def _sharpness(step: Step, sharpness_factor: float, p: float = 0.5) -> Transform:
    """The same kernel."""
    return Sharpen(float(sharpness_factor), p=p)


@RULES.rule("RandomAutocontrast")
def _auto_contrast(step: Step, p: float = 0.5) -> Transform:
    return AutoContrast(p=p)


@RULES.rule("RandomEqualize")
def _equalize(step: Step, p: float = 0.5) -> Transform:
    return Equalize(p=p)


@RULES.rule("RandomChannelPermutation")
def _channel_permutation(step: Step) -> Transform:
    return ChannelShuffle()


@RULES.rule("RandomErasing")
def _erasing(
    step: Step,
    p: float = 0.5,
    scale: Any = (0.02, 0.33),
    ratio: Any = (0.3, 3.3),
    value: Any = 0,
    inplace: bool = False,
) -> Transform:
    """``scale`` is ``area``; ``ratio`` is height over width there, ``aspect`` width over height here."""
    low, high = (float(one) for one in ratio)
    fill: Any = "noise" if value == "random" else value
    return Erasing(amount(step, "scale", scale), LogUniform(1 / high, 1 / low), fill=fill, p=p)


@RULES.rule("RandomPosterize")
def _posterize(step: Step, bits: int, p: float = 0.5) -> Transform:
    return Posterize(int(bits), p=p)


@RULES.rule("RandomSolarize")
def _solarize(step: Step, threshold: float, p: float = 0.5) -> Transform:
    """A share of white here; thresholds above 1 are of 8 bits."""
    value = float(threshold)
    return Solarize(value / 255 if value > 1 else value, p=p)


@RULES.rule("Lambda", reads=True)
def _function(step: Step, lambd: Any, *_: Any) -> list[Transform]:
    """An arithmetic in one line is a `Normalize`; what else has to be run is ``imagemill.Apply(function)``."""
    return list(from_function(step, lambd))


@RULES.rule("JPEG")
def _jpeg(step: Step, quality: Any) -> Transform:
    """By the same quality; a pair is drawn from, both ends among what can come."""
    ends = [int(one) for one in (quality if isinstance(quality, list | tuple) else (quality,))]
    return JPEG(ends[0] if ends[0] == ends[-1] else (ends[0], ends[-1]))


@RULES.rule("AutoAugment")
def _auto_augment(step: Step, policy: Any = "imagenet", interpolation: Any = "nearest", fill: Any = None) -> Transform:
    name = str(getattr(policy, "value", policy)).lower()
    return auto_augment(name, order=_order(step, interpolation), fill=_fill(step, fill))


@RULES.rule("RandAugment")
def _rand_augment(
    step: Step,
    num_ops: int = 2,
    magnitude: int = 9,
    num_magnitude_bins: int = 31,
    interpolation: Any = "nearest",
    fill: Any = None,
) -> Transform:
    most = int(num_magnitude_bins) - 1
    how: dict[str, Any] = {"order": _order(step, interpolation), "fill": _fill(step, fill)}
    return rand_augment(int(num_ops), float(magnitude), most=most, **how)


@RULES.rule("TrivialAugmentWide")
def _trivial_augment(
    step: Step, num_magnitude_bins: int = 31, interpolation: Any = "nearest", fill: Any = None
) -> Transform:
    """Magnitudes are drawn without steps."""
    return trivial_augment(order=_order(step, interpolation), fill=_fill(step, fill))


@RULES.rule("AugMix")
def _augmix(
    step: Step,
    severity: float = 3,
    mixture_width: int = 3,
    chain_depth: int = -1,
    alpha: float = 1.0,
    all_ops: Any = True,
    interpolation: Any = "bilinear",
    fill: Any = None,
) -> Transform:
    """By the operations of the paper, without brightness, color, contrast and sharpness; a depth is the largest."""
    depth = 3 if int(chain_depth) < 1 else int(chain_depth)
    return AugMix(float(severity), int(mixture_width), depth, float(alpha), geometry=True)


@RULES.rule("MixUp")
def _mixup(step: Step, alpha: float = 1.0, num_classes: Any = None, labels_getter: Any = "default") -> Transform:
    """With a weight for each sample, where torchvision draws one for a batch; pairs are 0 with 1, 2 with 3."""
    return MixUp(float(alpha), classes=None if num_classes is None else int(num_classes))


@RULES.rule("CutMix")
def _cutmix(step: Step, alpha: float = 1.0, num_classes: Any = None, labels_getter: Any = "default") -> Transform:
    """With a box for each sample, where torchvision draws one for a batch; pairs are 0 with 1, 2 with 3."""
    return CutMix(float(alpha), classes=None if num_classes is None else int(num_classes))


@RULES.rule("SimpleCopyPaste")
def _copy_paste(step: Step, blending: bool = True, resize_interpolation: Any = "bilinear") -> Transform:
    """Two of three objects; torchvision draws as many as there are, with repeats, so about as many of them differ."""
    if blending:
        step.note("pasted objects have hard edges")
    return CopyPaste(2 / 3)


def _order(step: Step, interpolation: Any) -> Any:
    return order(step, interpolation, pillow=True)


def _fill(step: Step, value: Any) -> float | tuple[float, ...]:
    found = of_type(value, "Image")
    return 0.0 if found is None else fill(step, found)


RULES.without("a matrix over all pixels of the image is not built", "LinearTransformation")
