"""What a screen asks about: every transform that comes with imagemill and runs on the data, and those of pipelines.

The list follows from the registry, so that a new transform is asked about without a change here. What cannot be asked
about is not dropped: it is named, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

import imagemill.transforms  # noqa: F401  (fills the registry)
from imagemill.core.errors import ImagemillError, InputError
from imagemill.evaluate.inputs.arms import Arm, check_arm
from imagemill.evaluate.inputs.scans import moved
from imagemill.pipeline import describe
from imagemill.pipeline.groups import group_of
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import REGISTRY, Transform, required
from imagemill.transforms.colour.color_jitter import ColorJitter
from imagemill.transforms.colour.tone_gain import ToneGain
from imagemill.transforms.geometric.affine import Affine
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.random_resized_crop import RandomResizedCrop
from imagemill.transforms.geometric.shift import Shift

__all__ = ["Candidate", "PassedOver", "candidates", "changes", "reason", "transforms_of"]

Array = npt.NDArray[Any]
_TRIED = 64
"""Images on which a transform is tried, each with two draws: does it run, and does it change anything."""
_SOME = (0.8, 1.2)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One transform to ask about.

    Parameters
    ----------
    name : str
        ``"Rotate"`` for one that comes with imagemill, ``"Rotate of digits"`` for one of the pipeline ``digits``.
    transform : Transform
    """

    name: str
    transform: Transform

    @property
    def call(self) -> str:
        """As it is written in Python, without what is at its default."""
        return describe.call(self.transform)

    @property
    def arm(self) -> Arm:
        """Training images as this transform alone makes them."""
        return Arm(self.name, Pipeline([self.transform], seed=0))


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A transform that cannot be asked about on this data, and why."""

    name: str
    why: str


def candidates(
    images: Array,
    pipelines: Sequence[Arm],
    *,
    shipped: bool = True,
    label_maps: Array | None = None,
    spacing: Array | None = None,
) -> tuple[tuple[Candidate, ...], tuple[PassedOver, ...]]:
    """The transforms to ask about on images like these, and those that cannot be.

    A transform that comes with imagemill has the ranges that it has when nothing is said. Where nothing would then be
    drawn, or its size must be said, it has a moderate setting; what would change every image in one and the same way
    (a flip, an inversion) changes half of them.

    Parameters
    ----------
    images : array ``[n, y, x, C]``
        Training images.
    pipelines : sequence of Arm
        Their transforms are asked about one by one, as they stand there.
    shipped : bool
        Whether to ask about every transform that comes with imagemill too.
    label_maps : array ``[n, (z,) y, x]``, optional
        Moved with the images, which may be volumes ``[n, z, y, x, C]`` then.
    spacing : array ``[n, d]``, optional
        Of those, in millimetres.

    Returns
    -------
    candidates, passed over

    Raises
    ------
    InputError
        When nothing is left.

    Examples
    --------
    >>> images = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8, 1)
    >>> found, lost = candidates(images, [])
    >>> [one.call for one in found if one.name.startswith("Flip")]
    ['Flip(p=0.5)', "Flip(p=0.5, axis='y')"]
    >>> next(one.why for one in lost if one.name == "Hue")
    'changes no pixel of these images as Hue()'
    """
    asked: list[Candidate] = []
    lost: list[PassedOver] = []
    some = tuple(None if one is None else one[:_TRIED] for one in (label_maps, spacing))
    named = [*_of_pipelines(pipelines), *(_shipped(images) if shipped else ())]
    for name, make in named:
        try:
            one = Candidate(name, make())
            if group_of([one.transform]) > 1:
                raise InputError("mixes images and their labels, of which a screen has no more to ask; make it an arm")
            check_arm(one.arm, images[:_TRIED], *some)
        except ImagemillError as error:
            lost.append(PassedOver(name, reason(error)))
            continue
        if any(one.transform == known.transform for known in asked):
            continue  # a pipeline has this very transform, and stands first
        if not changes(one.arm, images[:_TRIED], *some):
            lost.append(PassedOver(name, f"changes no pixel of these images as {one.call}"))
            continue
        asked.append(one)
    if not asked:
        why = f", such as {lost[0].name}: {lost[0].why}" if lost else ""
        raise InputError(f"expected a transform that runs on these images, got none{why}; give a pipeline of others")
    return tuple(asked), tuple(lost)


def transforms_of(arm: Arm) -> Iterator[tuple[str, Transform]]:
    """The transforms of a pipeline from top to bottom, with names that no two of them share.

    Examples
    --------
    >>> from imagemill.transforms.geometric.rotate import Rotate
    >>> twice = Arm("twice", Pipeline([Rotate((-5, 5)), Flip(), Rotate(90)], seed=0))
    >>> [name for name, _ in transforms_of(twice)]
    ['Rotate', 'Flip', 'Rotate 2']
    """
    listed = arm.pipeline.transforms if arm.pipeline is not None else ()
    for place, transform in enumerate(listed):
        kind = type(transform).__name__
        before = sum(type(other).__name__ == kind for other in listed[:place])
        yield f"{kind} {before + 1}" if before else kind, transform


def _of_pipelines(pipelines: Sequence[Arm]) -> Iterator[tuple[str, Callable[[], Transform]]]:
    for arm in pipelines:
        for name, transform in transforms_of(arm):
            yield f"{name} of {arm.name}", lambda made=transform: made  # type: ignore[misc]


def _shipped(images: Array) -> Iterator[tuple[str, Callable[[], Transform]]]:
    """Every transform of imagemill's own by its name; a function makes it, which may raise."""
    moderate = _moderate(images)
    for name, cls in sorted(REGISTRY.items()):
        if not cls.__module__.startswith("imagemill."):
            continue
        settings = moderate.get(name, {name: {}})
        for called, arguments in settings.items():
            yield called, lambda cls=cls, arguments=arguments: _made(cls, arguments)  # type: ignore[misc]


def _made(cls: type[Transform], arguments: dict[str, Any]) -> Transform:
    if missing := [name for name in required(cls) if name not in arguments]:
        raise InputError(f"has no setting of its own: {', '.join(missing)} must be said, in a pipeline")
    made = cls(**arguments)
    return replace(made, p=0.5) if made.variants() == 1 else made


def _moderate(images: Array) -> dict[str, dict[str, dict[str, Any]]]:
    """Settings of those that draw nothing, or cannot be made, when nothing is said: by class, then by name."""
    white = float(np.iinfo(images.dtype).max) if np.issubdtype(images.dtype, np.integer) else 1.0
    affine = {"degrees": (-10, 10), "zoom": (0.9, 1.1), "shift": (-0.1, 0.1), "shear": (-5, 5)}
    jitter = {**dict.fromkeys(("brightness", "contrast", "saturation"), _SOME), "hue": (-18, 18)}
    return {
        Affine.__name__: {"Affine": affine},
        ColorJitter.__name__: {"ColorJitter": jitter},
        Flip.__name__: {"Flip x": {"axis": "x"}, "Flip y": {"axis": "y"}},
        RandomResizedCrop.__name__: {"RandomResizedCrop": {"size": images.shape[-3:-1]}},
        Shift.__name__: {"Shift": {"fraction": (-0.1, 0.1)}},
        ToneGain.__name__: {"ToneGain": {"edges": (white / 3, 2 * white / 3), "gains": (_SOME,) * 3}},
    }


def changes(arm: Arm, images: Array, label_maps: Array | None = None, spacing: Array | None = None) -> bool:
    """Whether an arm changes a pixel of some images in two draws."""
    assert arm.pipeline is not None
    made = (moved(arm.pipeline, images, label_maps, spacing, epoch=epoch)[0] for epoch in (0, 1))
    return any(not np.array_equal(one, images) for one in made)


def reason(error: ImagemillError) -> str:
    """What a transform said, without the words that `check_arm` puts before it."""
    said = str(error)
    _, _, inner = said.partition("to run on the training images, got: ")
    return inner or said
