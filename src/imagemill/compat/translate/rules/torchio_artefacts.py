"""TorchIO's artefacts of scanners, and its transforms whose values have been drawn already."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.functions import open_above
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.torchio import RULES, affine, axis_of, deformed
from imagemill.compat.translate.rules.values import amount, is_number, span
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.gamma import Gamma
from imagemill.transforms.colour.match_landmarks import MatchLandmarks
from imagemill.transforms.colour.normalize import Normalize
from imagemill.transforms.colour.window import Window
from imagemill.transforms.combine import Sequential
from imagemill.transforms.filter.gaussian_blur import GaussianBlur
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.medical.bias_field import BiasField
from imagemill.transforms.medical.ghosting import Ghosting
from imagemill.transforms.medical.low_resolution import LowResolution
from imagemill.transforms.medical.motion_artefact import MotionArtefact
from imagemill.transforms.medical.spike import Spike
from imagemill.transforms.occlusion.patch_swap import PatchSwap

__all__: list[str] = []

_LANDMARKS = (0.0, 10.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0, 90.0, 100.0)
"""Percentiles of the landmarks there: the ends, quartiles and deciles."""
_STRONGEST = 10.0
_MOST_MOVES = 16


def _axes(step: Step, axes: Any) -> str:
    named = {axis_of(step, one) for one in (axes if isinstance(axes, list | tuple) else [axes])}
    return "".join(axis for axis in "zyx" if axis in named)


def _from_zero(step: Step, name: str, value: Any) -> Any:
    """A number is the most, from 0 on."""
    return amount(step, name, (0, value) if is_number(value) else value)


@RULES.rule("RandomBiasField")
def _bias_field(step: Step, coefficients: Any = 0.5, order: int = 3, p: float = 1.0) -> Transform:
    """Coefficients are uniform from -strength to strength, as there."""
    found = span(step, "coefficients", coefficients)
    low, high = found if isinstance(found, tuple) else (found, found)
    if low != -high:
        step.note(f"coefficients lie on both sides of 0, not in {low}..{high}")
    return BiasField(max(abs(low), abs(high)), int(order), p=p)


@RULES.rule("RandomGhosting")
def _ghosting(
    step: Step,
    num_ghosts: Any = (4, 10),
    axes: Any = (0, 1, 2),
    intensity: Any = (0.5, 1),
    restore: Any = None,
    p: float = 1.0,
) -> Transform:
    """``restore`` is ``kept``; intensities end at 1, where every so many lines are gone."""
    low, high = (int(one) for one in ((0, num_ghosts) if is_number(num_ghosts) else num_ghosts))
    if low < 2:
        step.note("at least 2 copies")
    strength = _from_zero(step, "intensity", intensity)
    if max(strength if isinstance(strength, tuple) else (strength,)) > 1:
        step.note("intensities end at 1")
        strength = (min(strength[0], 1.0), 1.0) if isinstance(strength, tuple) else 1.0
    kept = 0.0 if restore is None else _from_zero(step, "restore", restore)
    count = max(low, 2), max(high, 2)
    return Ghosting(count if count[0] < count[1] else count[0], strength, kept, _axes(step, axes), p=p)


@RULES.rule("RandomSpike")
def _spike(step: Step, num_spikes: Any = 1, intensity: Any = (1, 3), p: float = 1.0) -> Transform:
    """As high over the mean of the image as there over the middle of the spectrum, which is the same."""
    low, high = (int(one) for one in ((0, num_spikes) if is_number(num_spikes) else num_spikes))
    if low != high:
        step.note(f"always {max(high, 1)} waves")
    strength = span(step, "intensity", intensity)
    if max(abs(one) for one in (strength if isinstance(strength, tuple) else (strength,))) > _STRONGEST:
        step.note(f"intensities end at {_STRONGEST:g}")
        strength = (-_STRONGEST, _STRONGEST)
    return Spike(strength, max(high, 1), p=p)


@RULES.rule("RandomSwap")
def _swap(step: Step, patch_size: Any = 15, num_iterations: int = 100, p: float = 1.0) -> Transform:
    """`PatchSwap` of as many pairs."""
    size = [int(one) for one in (patch_size if isinstance(patch_size, list | tuple) else [patch_size] * 3)]
    return PatchSwap(tuple(reversed(size)), min(int(num_iterations), 1000), p=p)


@RULES.rule("Ghosting")
def _fixed_ghosting(
    step: Step, num_ghosts: Any, axis: Any, intensity: Any, restore: Any = None, p: float = 1.0
) -> list[Transform]:
    """With the values that were drawn."""
    made: Any = _ghosting(step, (num_ghosts, num_ghosts), (axis,), (intensity, intensity), restore, p)
    return [made]


@RULES.rule("Spike")
def _fixed_spike(step: Step, spikes_positions: Any, intensity: Any, p: float = 1.0) -> list[Transform]:
    """As many waves of that height, anywhere in the spectrum."""
    step.note("waves lie anywhere in the spectrum")
    count = len(spikes_positions)
    made: Any = _spike(step, (count, count), (intensity, intensity), p)
    return [made]


@RULES.rule("BiasField")
def _fixed_bias(step: Step, coefficients: Any, order: int, p: float = 1.0) -> list[Transform]:
    """A field whose coefficients are drawn, as large as the largest of those."""
    step.note("coefficients are drawn, up to the largest of those")
    made: Any = _bias_field(step, max(abs(float(one)) for one in coefficients), order, p)
    return [made]


@RULES.rule("RandomMotion")
def _motion(
    step: Step,
    degrees: Any = 10,
    translation: Any = 10,
    num_transforms: int = 2,
    image_interpolation: Any = "linear",
    p: float = 1.0,
) -> Transform:
    """Millimetres, degrees and the number of moves as there; the label map stays where the body was at first."""
    if int(num_transforms) > _MOST_MOVES:
        step.note(f"{_MOST_MOVES} moves at most")
    turn, moved = span(step, "degrees", degrees), span(step, "translation", translation)
    return MotionArtefact(turn, moved, min(int(num_transforms), _MOST_MOVES), p=p)


@RULES.rule("RandomAffineElasticDeformation")
def _affine_elastic(
    step: Step, affine_first: bool = True, affine_kwargs: Any = None, elastic_kwargs: Any = None, p: float = 1.0
) -> list[Transform]:
    """``RandomAffine`` and ``RandomElasticDeformation``, in one step."""
    first: Any = affine(step, **(affine_kwargs or {}))
    second: Any = [deformed(step, **(elastic_kwargs or {}))]
    made = [*first, *second] if affine_first else [*second, *first]
    return made if p == 1 else [Sequential(made, p=p)]


@RULES.rule("HistogramStandardization")
def _histogram_standardization(step: Step, landmarks: Any, masking_method: Any = None, p: float = 1.0) -> Transform:
    """`MatchLandmarks` with the 13 landmarks of one kind of image."""
    found = landmarks
    if isinstance(landmarks, dict):
        if len(landmarks) > 1:
            step.note(f"the landmarks are those of {next(iter(landmarks))!r}")
        found = next(iter(landmarks.values()), None)
    if not isinstance(found, list | tuple) or len(found) != len(_LANDMARKS):
        raise NoCounterpart("landmarks that are not 13 numbers in the text: write MatchLandmarks, or its fit(images)")
    return MatchLandmarks(
        [float(one) for one in found], _LANDMARKS, above=None if masking_method is None else "mean", p=p
    )


@RULES.rule("Clamp")
def _clamp(step: Step, out_min: Any = None, out_max: Any = None, p: float = 1.0) -> Transform:
    """A `Window` and its values again."""
    if out_max is None and out_min is not None:
        return Sequential(open_above(float(out_min)), p=p)
    if out_min is None or out_max is None:
        raise NoCounterpart("an upper limit alone is not built; give out_min and out_max")
    low, width = float(out_min), float(out_max) - float(out_min)
    return Sequential([Window(low + width / 2, width), Normalize(-low / width, 1 / width, scale="none")], p=p)


@RULES.rule("Affine")
def _fixed_affine(
    step: Step,
    scales: Any,
    degrees: Any,
    translation: Any,
    center: str = "image",
    default_pad_value: Any = "minimum",
    image_interpolation: Any = "linear",
    label_interpolation: Any = "nearest",
    check_shape: bool = True,
    default_pad_label: Any = 0,
    p: float = 1.0,
) -> list[Transform]:
    """With the values that were drawn."""
    doubled = [[one for value in _three(values) for one in (value, value)] for values in (scales, degrees, translation)]
    made: Any = affine(step, *doubled, False, center, default_pad_value, image_interpolation, p=p)
    return list(made)


def _three(value: Any) -> list[float]:
    return [float(one) for one in (value if isinstance(value, list | tuple) else [value] * 3)]


@RULES.rule("Flip")
def _fixed_flip(step: Step, axes: Any, p: float = 1.0) -> list[Transform]:
    flips: list[Transform] = [Flip(axis) for axis in reversed(_axes(step, axes))]  # type: ignore[arg-type]
    return flips if p == 1 else [Sequential(flips, p=p)]


@RULES.rule("Gamma")
def _fixed_gamma(step: Step, gamma: Any, p: float = 1.0) -> Transform:
    return Gamma(float(gamma[0] if isinstance(gamma, list | tuple) else gamma), p=p)


@RULES.rule("Blur")
def _fixed_blur(step: Step, std: Any, p: float = 1.0) -> Transform:
    """In millimetres, for each axis."""
    x, y, z = _three(std)
    return GaussianBlur({"z": z, "y": y, "x": x}, "millimetres", p=p)


@RULES.rule("RandomAnisotropy", "RandomDownsample")
def _anisotropy(
    step: Step,
    axes: Any = (0, 1, 2),
    downsampling: Any = (1.5, 5.0),
    image_interpolation: str = "linear",
    scalars_only: bool = True,
    p: float = 1.0,
) -> Transform:
    """`LowResolution` of one of the axes, drawn: fewer samples by nearest neighbour, as there, and back."""
    if image_interpolation not in ("linear", "nearest"):
        step.note(f"back by straight lines, not {image_interpolation!r}")
    if not scalars_only:
        step.note("label maps stay as they are")
    factor = (1.0, float(downsampling)) if is_number(downsampling) else amount(step, "downsampling", downsampling)
    return LowResolution(factor, _axes(step, axes), one=True, p=p)
