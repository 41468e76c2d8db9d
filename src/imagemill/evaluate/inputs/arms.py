"""What is compared: arms, each a pipeline for training images, and populations, each a way test images come.

The network sees every image through one preparation (0 to 1, float32, channels first), which training images of all
arms and all test images share; arms change pixels only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.evaluate.inputs.arm_check import changed
from imagemill.evaluate.inputs.changes import FILES, GROUPS, change_named, spaced
from imagemill.feed.making.mixing import asks_pairs, chosen_by
from imagemill.pipeline.named_pipelines import named_pipeline, preset
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.corruptions import SEVERITIES
from imagemill.transforms.geometric.resize import Resize
from imagemill.transforms.presets import PRESETS

__all__ = ["CLEAN", "NONE", "Arm", "Population", "check_arm", "each", "populations", "read_arms", "stressed"]

NONE = "none"
"""The arm without augmentation, which is always there."""
CLEAN = "clean"
"""The population of test images as they are."""

Array = npt.NDArray[Any]
Stress = str | Path | Pipeline


@dataclass(frozen=True, slots=True)
class Arm:
    """Training images as one pipeline makes them; None leaves them as they are."""

    name: str
    pipeline: Pipeline | None = None
    classes: tuple[str, ...] = ()
    """Names of the data's classes, for pipelines that go by them; numbers where nobody says."""

    @property
    def digest(self) -> str:
        """Of what the arm does, without its seed, which the comparison sets."""
        return NONE if self.pipeline is None else self.pipeline.digest


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Test images that a trained network is asked about.

    Parameters
    ----------
    name : str
    images : array ``[n, y, x, C]`` or ``[n, z, y, x, C]``
    labels : array ``[n]`` or ``[n, (z,) y, x]``
        Classes, or label maps.
    spacing : array ``[n, d]``, optional
        Of images with label maps, in millimetres.
    groups : array ``[n]``, optional
        What each image belongs to, such as a patient: only groups are independent of each other.
    """

    name: str
    images: Array
    labels: npt.NDArray[np.int64]
    spacing: Array | None = None
    groups: Array | None = None

    @property
    def digest(self) -> str:
        """Of all pixels."""
        return hashlib.sha256(np.ascontiguousarray(self.images).data).hexdigest()[:16]


def read_arms(
    pipelines: Mapping[str, Any] | Sequence[Any],
    shape: tuple[int, int] | None = None,
    classes: Sequence[str] = (),
) -> tuple[Arm, ...]:
    """The arms of a comparison, that without augmentation first.

    Parameters
    ----------
    pipelines : mapping or sequence of Pipeline, Path or str
        Pipelines, files, or names of presets. Names are those of the mapping, the files or the presets; pipelines in
        a sequence are called by their number. A tuple of `Arm` is taken as it is.
    shape : (height, width), optional
        Of the images: what presets bring them to. By default what the presets say.
    classes : sequence of str
        Names of the data's classes, which `PerClass` may list.

    Returns
    -------
    tuple of Arm

    Raises
    ------
    ParameterError
        When there is none, or two have one name.
    InputError
        When `PerClass` lists a class that the data does not have, or labels are mixed as pairs.

    Examples
    --------
    >>> import imagemill as im
    >>> [arm.name for arm in read_arms({"turned": im.Pipeline([im.Rotate((-10, 10))], seed=0)})]
    ['none', 'turned']
    """
    if isinstance(pipelines, tuple) and pipelines and all(isinstance(one, Arm) for one in pipelines):
        return tuple(_of_classes(arm, classes) for arm in pipelines)
    if isinstance(pipelines, Pipeline | str | Path):
        pipelines = [pipelines]
    named = list(pipelines.items()) if isinstance(pipelines, Mapping) else [(None, one) for one in pipelines]
    arms = [Arm(NONE)]
    for number, (name, given) in enumerate(named, start=1):
        pipeline = given if isinstance(given, Pipeline) else _read(given, shape)
        stem = f"pipeline-{number}" if isinstance(given, Pipeline) else Path(given).stem
        arms.append(Arm(str(name if name is not None else stem), pipeline))
    names = [arm.name for arm in arms]
    if len(arms) < 2:
        raise ParameterError("expected a pipeline to compare with no augmentation, got none; give --pipeline FILE")
    if again := sorted({name for name in names if names.count(name) > 1}):
        why = f", and {NONE!r} is the arm without augmentation, which is always there" if NONE in again else ""
        raise ParameterError(
            f"expected another name for each arm, got {again} twice{why}; rename a file, or give a mapping"
        )
    if bad := [name for name in names if not name or set(name) & set('/\\:*?"<>|')]:
        raise ParameterError(f"expected names of arms that a file can have, got {bad}")
    return tuple(_of_classes(arm, classes) for arm in arms)


def _of_classes(arm: Arm, classes: Sequence[str]) -> Arm:
    """The arm for data of some classes, refused before anything is trained where it cannot be."""
    if arm.pipeline is None:
        return arm
    if arm.pipeline.group > 1 and asks_pairs(arm.pipeline):
        raise InputError(
            f"expected arm {arm.name!r} to mix labels as shares of classes, which losses take, got labels='pairs'; "
            "leave it out"
        )
    if arm.pipeline.chooses and classes:
        chosen_by(np.zeros(0, np.int64), classes, arm.pipeline)
    return replace(arm, classes=tuple(classes))


def _read(given: Any, shape: tuple[int, int] | None) -> Pipeline:
    """A pipeline file, or a preset by its name."""
    if not isinstance(given, str | Path):
        raise ParameterError(f"expected a pipeline, a file or a preset for each arm, got {given!r}")
    text = str(given)
    if text not in PRESETS or Path(given).is_file() or shape is None:
        return named_pipeline(given, seed=0)
    # Presets make squares; what is none is brought back, in the same interpolation.
    back = () if shape[0] == shape[1] else (Resize(shape),)
    return Pipeline([*preset(text, max(shape)), *back], seed=0)


def check_arm(arm: Arm, images: Array, label_maps: Array | None = None, spacing: Array | None = None) -> None:
    """Try an arm on every training image, with its label map where it has one, before hours are spent.

    Raises
    ------
    InputError
        When its pipeline fails on an image, or gives images of another size, channel count or type.
    """
    if arm.pipeline is not None:
        changed(arm.pipeline, images, f"arm {arm.name!r}", "training images", label_maps, spacing)


def stressed(spec: Stress, shape: tuple[int, int] | None = None) -> tuple[str, Pipeline]:
    """A change of test images by name, or by a pipeline.

    Parameters
    ----------
    spec : str, Path or Pipeline
        ``"invert"``; ``"shift:4px"``, to the right; ``"corruption:fog:3"``; any change and amount, such as
        ``"rotate:15"``, ``"gamma:1.5"`` or ``"blur:1"`` (see `imagemill.evaluate.inputs.changes`); a range, such as
        ``"rotate:-15..15"``, from which each image gets its own; or a pipeline file.
    shape : (height, width), optional
        Of the images: what crops is brought back to it.

    Returns
    -------
    name, pipeline

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> stressed("shift:4px")[0], stressed("invert")[1].transforms[0]
    ('shift:4px', Invert())
    """
    if isinstance(spec, Pipeline):
        return "stressed", spec
    text = str(spec)
    if Path(text).suffix in FILES:
        return Path(text).stem, Pipeline.load(Path(text))
    change, amounts = change_named(text, shape)
    if not change.counted:
        return text, change.make(None)
    if amounts.range is not None and amounts.count is None:
        return text, change.make(amounts.range)
    if len(amounts.values) != 1:
        example = "1" if change.high is None else f"{change.high:g}"
        raise ParameterError(
            f"expected one amount for stressed images, such as {change.name}:{example}, or a range to draw from, "
            f"got {text!r}"
        )
    return text, change.make(amounts.values[0])


def each(spec: Stress) -> tuple[Stress, ...]:
    """The populations that a text stands for: one for each of several amounts, or of a range with a count.

    A corruption without a severity stands for all five, and ``corruptions`` for those of the mean corruption error.

    Examples
    --------
    >>> each("rotate:-30..30/3"), each("shift:2px,4px"), each("rotate:-15..15")
    (('rotate:-30', 'rotate:0', 'rotate:30'), ('shift:2px', 'shift:4px'), ('rotate:-15..15',))
    >>> each("corruption:fog")
    ('corruption:fog:1', 'corruption:fog:2', 'corruption:fog:3', 'corruption:fog:4', 'corruption:fog:5')
    """
    if isinstance(spec, str) and spec in GROUPS:
        return tuple(one for member in GROUPS[spec] for one in each(member))
    if not isinstance(spec, str) or Path(spec).suffix in FILES:
        return (spec,)
    change, amounts = change_named(spec)
    values = amounts.values
    if amounts.range is not None and amounts.count is not None:
        values = spaced(*amounts.range, amounts.count, log=change.log, whole=change.whole)
    if change.graded and not values and amounts.range is None:
        values = change.grid(len(SEVERITIES))
    if len(values) < 2:
        return (spec,)
    return tuple(f"{change.name}:{value:g}{amounts.suffix}" for value in values)


def populations(
    images: Array,
    labels: npt.NDArray[np.int64],
    stress: Sequence[Stress] | Mapping[str, Stress],
    spacing: Array | None = None,
    groups: Array | None = None,
) -> tuple[Population, ...]:
    """The clean test images, and each way they are stressed; the same draws in every comparison.

    Label maps are moved with their images.
    """
    found = [Population(CLEAN, images, labels, spacing, groups)]
    maps = labels if labels.ndim > 1 else None
    named = stress.items() if isinstance(stress, Mapping) else ((None, one) for spec in stress for one in each(spec))
    for given, spec in named:
        name, pipeline = stressed(spec, (images.shape[-3], images.shape[-2]))
        name = name if given is None else given
        if name in (one.name for one in found):
            raise ParameterError(
                f"expected another name for each population, got {name!r} twice; name them: stress={{'dark': ..., ...}}"
            )
        what = f"stressed population {name!r}"
        made, moved_maps = changed(pipeline, images, what, "test images", maps, spacing)
        found.append(Population(name, made, labels if moved_maps is None else moved_maps, spacing, groups))
    return tuple(found)
