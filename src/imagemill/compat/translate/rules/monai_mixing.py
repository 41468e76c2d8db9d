"""MONAI's transforms of whole batches: mixing, and holes of a drawn size."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.monai import RULES
from imagemill.compat.translate.rules.rule import Step
from imagemill.transforms.base import Transform
from imagemill.transforms.mixing.cutmix import CutMix
from imagemill.transforms.mixing.mixup import MixUp
from imagemill.transforms.occlusion.erasing import Erasing

__all__: list[str] = []


@RULES.rule("MixUp")
def _mixup(step: Step, batch_size: Any = None, alpha: float = 1.0) -> Transform:
    """A weight for each sample, as there; partners are 0 with 1 and 2 with 3 of an epoch, for any size of batch."""
    step.note("labels become shares of classes: set classes, or take a Loader, which knows them")
    return MixUp(float(alpha))


@RULES.rule("CutMix")
def _cutmix(step: Step, batch_size: Any = None, label_keys: Any = None, alpha: float = 1.0) -> Transform:
    """The box has a centre anywhere, where MONAI draws its first corner, and labels count what is seen of it.

    MONAI weights labels by the box before it is cut at the edge; its sides are those of a share of an area in volumes
    too, here of the volume.
    """
    step.note("labels are weighted by what is seen of the box: set classes, or take a Loader, which knows them")
    return CutMix(float(alpha))


@RULES.rule("CutOut")
def _cutout(step: Step, batch_size: Any = None, alpha: float = 1.0) -> Transform:
    """A square of a share that is drawn evenly, whole in the image, through all slices; there it is cut at the edge."""
    if alpha != 1:
        step.note(f"the hole's share is drawn evenly from 0 to 1, not from Beta({alpha:g}, {alpha:g})")
    return Erasing((0.0, 1.0), 1.0, fill=0.0)
