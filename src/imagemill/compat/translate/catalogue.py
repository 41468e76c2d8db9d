"""Writes the page of what each transform of other libraries is here, from the rules themselves."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np

from imagemill.compat.translate import translation
from imagemill.compat.translate.calls import Call, Unread
from imagemill.compat.translate.migration import MIGRATIONS, Migration
from imagemill.compat.translate.rules.rule import Rule, Rules, Translator
from imagemill.compat.translate.rules.tables import table
from imagemill.core.errors import InputError
from imagemill.transforms.base import everyone

__all__ = ["LIBRARIES", "example_call", "page"]

LIBRARIES: dict[str, Rules] = {
    name: table(name.lower()) for name in ("Albumentations", "torchvision", "MONAI", "TorchIO")
}
"""Every table of rules, by the library's name."""

_NEEDED: dict[str, Any] = {
    "size": 224, "height": 224, "width": 224, "min_max_height": (100, 200), "degrees": 10, "padding": 4,
    "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2], "min_size": 200, "max_size": 300, "target_size": (200, 200),
    "pixdim": (1.0, 1.0, 3.0), "spatial_size": (64, 64, 32), "roi_size": (64, 64, 32), "k": 16, "factors": 0.1,
    "offsets": 0.1, "a_min": -200, "a_max": 300, "gamma": 1.5, "target_shape": (64, 64, 32), "target_multiple": 8,
    "lower": 1, "upper": 99, "sharpness_factor": 2, "bits": 4, "quality": (50, 90), "threshold": 0.5, "holes": 4,
    "angle": 0.2, "zoom": 1.2, "spatial_border": 4, "offset": 0.1, "orientation": "LPS", "scales": 1.1, "axes": 0,
    "translation": 2, "num_samples": 2, "roi_scale": 0.8, "cropping": 4, "num_grid_xy": (4, 4),
    "magnitude": 10, "spacing": (30, 30), "magnitude_range": (1, 3), "sigma_range": (5, 8), "rand_size": (8, 8, 4),
    "factor": 0.2, "loc": (5, 5, 5), "num_ghosts": 4, "axis": 1, "intensity": 0.5, "coefficients": [0.1, 0.2],
    "spikes_positions": [[0.2, 0.2, 0.2]], "order": 3,
    "landmarks": {"t1": [0, 4, 9, 12, 16, 24, 34, 47, 61, 69, 77, 89, 100]},
}  # fmt: skip
"""Arguments that have no default there."""

_REFERENCE = np.arange(256, dtype=np.uint8).reshape(16, 16)
_ASKED: dict[str, dict[str, Any]] = {
    "RandomResizedCrop": {"size": (224, 224)}, "RandomSizedCrop": {"size": (224, 224)}, "Resize": {"size": 256},
    "CropAndPad": {"percent": 0.1}, "Crop": {"x_max": 200, "y_max": 180},
    "ColorJitter": {"brightness": 0.4}, "AdditiveNoise": {"spatial_mode": "per_pixel"},
    "SpatialCrop": {"roi_start": (0, 0, 0), "roi_end": (30, 30, 20)}, "Clamp": {"out_min": 0, "out_max": 100},
    "Blur": {"std": (1, 1, 2)}, "Noise": {"std": 0.1}, "CropOrPad": {"target_shape": (64, 64, 32)},
    "Lambda": {"lambd": Unread("lambda x: 2 * x - 1"), "image": Unread("lambda x, **more: 2 * x - 1")},
    "TimeMasking": {"time_mask_param": 40}, "FrequencyMasking": {"freq_mask_param": 40},
    "XYMasking": {"num_masks_x": 2, "mask_x_length": 8},
    "RandCropByPosNegLabel": {"label_key": "label", "spatial_size": (64, 64, 32)},
    "RandCropByLabelClasses": {"label_key": "label", "spatial_size": (64, 64, 32), "num_classes": 2},
    "RandWeightedCrop": {"w_key": "mask", "spatial_size": (64, 64, 32)},
    "PadIfNeeded3D": {"min_zyx": (32, 64, 64)}, "CenterCrop3D": {"size": (32, 64, 64)},
    "HistogramMatching": {"reference_images": _REFERENCE}, "FDA": {"reference_images": _REFERENCE},
    "PixelDistributionAdaptation": {"reference_images": _REFERENCE},
    "TorchVision": {"name": "RandomInvert"}, "TorchIO": {"name": "RandomFlip"},
    "Rand3DElastic": {"magnitude_range": (100, 200)}, "ThresholdIntensity": {"threshold": 0},
    "RandScaleCrop": {"roi_scale": 0.2},
}  # fmt: skip
"""Arguments that have a default there which does nothing, or of which one has to be given."""

_HEAD = """# What transforms of other libraries are here

Written from the rules that `imagemill.from_albumentations`, `from_torchvision`, `from_monai` and `from_torchio` follow:
[bring your pipelines](../how-to/bring-your-pipelines.md) shows how. Each part has an example, what it becomes, and what
differs in signs, units, centres and borders: [measured](../benchmarks/translated.md), transform by transform. In the
tables the middle column is what the transform becomes with its defaults.
"""


def example_call(rules: Rules, rule: Rule) -> Call:
    """A call of a rule with its defaults, and something for what has none."""
    given = {
        name: _NEEDED[name] for name, one in rule.parameters().items() if one.default is one.empty and name in _NEEDED
    }
    if any(name in rule.parameters() for name in ("transforms", "first")):
        inner = [Call(next(name for name in rules.by_name if "Flip" in name)) for _ in range(2)]
        given = {"transforms": inner}
    asked = _ASKED.get(rule.names[0], {})
    given |= {name: value for name, value in asked.items() if name in rule.parameters()}
    return Call(rule.names[0], given)


def _becomes(rules: Rules, rule: Rule) -> str:
    translator = Translator(rules, 2)
    try:
        made = translator.transforms(example_call(rules, rule))
    except InputError as error:
        return str(error)
    if translator.missing:
        return "nothing"
    names = [type(one).__name__ for one in everyone(made)]
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names)) or "nothing to do"


def _migration(about: Migration) -> str:
    """An example, before and after, and what differs."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = getattr(translation, about.function)(about.before, seed=1)
    notes = "".join(f"# {note}\n" for note in made.notes)
    differs = "".join(f"* {line}\n" for line in about.differs)
    return (
        f'```text\npipe = im.{about.function}("""\n{about.before}\n""", seed=1)\n```\n\nis\n\n'
        f"```text\n{made}\n{notes}```\n\n{differs}"
    )


def page() -> str:
    """The page, as Markdown."""
    parts = [_HEAD]
    for name, rules in LIBRARIES.items():
        parts.append(f"\n## {name}\n\n{_migration(MIGRATIONS[name])}\n| there | here | what to know |\n|---|---|---|\n")
        rows = [
            (", ".join(f"`{one}`" for one in rule.names), _becomes(rules, rule), _cell(rule.says)) for rule in rules
        ]
        parts += [
            f"| {there} | {here} | {says} |\n" for there, here, says in sorted(rows, key=lambda row: row[0].lower())
        ]
        if rules.absent:
            parts.append("\nWithout a counterpart:\n\n")
            reasons = dict.fromkeys(rules.absent.values())
            parts += [
                f"* {', '.join(f'`{one}`' for one, why in rules.absent.items() if why == reason)}: {reason}.\n"
                for reason in reasons
            ]
    return "".join(parts)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("``", "`").replace("|", "\\|")).strip()


if __name__ == "__main__":
    print(page(), end="")
