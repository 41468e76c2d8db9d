"""Pipelines by name, and whatever stands for a pipeline where one is wanted."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError
from imagemill.core.near_paths import near_path
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import Transform
from imagemill.transforms.presets import PRESETS, PresetSize, transforms_of_preset

__all__ = ["PipelineGiven", "as_pipeline", "named_pipeline", "preset", "preset_names"]

PipelineGiven = Pipeline | str | Path | Transform | Sequence[Transform]
"""A pipeline, the name of a preset, a pipeline file, or transforms."""


def preset(name: str, size: PresetSize = None, *, seed: int | None = None) -> Pipeline:
    """A pipeline to start from.

    ``imagemill explain -p photo --yaml > my.yaml`` writes one as a file, to go on from.

    Parameters
    ----------
    name : {"photo", "crops", "segmentation", "scan", "gray", "nnunet-3d"}
    size : int or tuple of int, optional
        Of the result in pixels: the side of a square, or ``(y, x)``, of volumes ``(z, y, x)``; the preset's own when
        left out.
    seed : int, optional
        0 to 2**64 - 1. Made once and shown in the repr when left out.

    Raises
    ------
    ParameterError
        For an unknown name, or a size that it cannot have.

    Examples
    --------
    >>> import imagemill as im
    >>> [type(transform).__name__ for transform in im.preset("gray", seed=1)]
    ['Rotate', 'Zoom', 'Shift', 'Resize']
    >>> im.Pipeline([*im.preset("photo", 128), im.Normalize("imagenet")], seed=1).digest == (
    ...     im.Pipeline([*im.preset("photo", (128, 128)), im.Normalize("imagenet")], seed=2).digest
    ... )
    True
    """
    return Pipeline(transforms_of_preset(name, size), seed=seed)


def preset_names() -> str:
    """The presets, as a sentence names them."""
    return ", ".join(PRESETS)


def named_pipeline(given: str | Path, size: PresetSize = None, *, seed: int | None = None) -> Pipeline:
    """The pipeline of a file or a preset.

    Parameters
    ----------
    given : str or Path
        A file counts before a preset of that name.
    size : int or tuple of int, optional
        For a preset.
    seed : int, optional
        Where a file says none.

    Raises
    ------
    InputError
        When there is no such file or preset, or a size is given for a file.
    PipelineFileError, ParameterError
        For what stands in the file.
    """
    text, path = str(given), Path(given)
    if path.is_file():
        if size is not None:
            raise InputError(f"expected size with a preset, got the file {text}; set the size inside the file")
        return Pipeline.load(path)
    if text in PRESETS:
        return preset(text, size, seed=seed)
    do = f"check the path, or write one: imagemill explain -p photo --yaml > {path.name}"
    if path.suffix in (".yaml", ".yml", ".json"):
        raise InputError(f"expected a pipeline file, got {text!r}, where there is none; {near_path(path, do)}")
    if path.is_dir():
        raise InputError(f"expected a pipeline, got the folder {text!r}; the dataset comes first, then the pipeline")
    near = difflib.get_close_matches(text.lower(), list(PRESETS), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "check the name or the path"
    raise InputError(f"expected a pipeline file or a preset of {preset_names()}, got {text!r}; {hint}")


def as_pipeline(given: Any) -> Pipeline:
    """Whatever stands for a pipeline, as one.

    Parameters
    ----------
    given : Pipeline, str, Path, Transform or sequence of Transform
        The name of a preset, a pipeline file, or transforms, which get a seed of their own.

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> import imagemill as im
    >>> as_pipeline("photo").digest == as_pipeline(im.preset("photo")).digest
    True
    """
    if isinstance(given, Pipeline):
        return given
    if isinstance(given, str | Path):
        return named_pipeline(given)
    if isinstance(given, Transform):
        return Pipeline([given])
    if isinstance(given, Sequence):
        return Pipeline(given)
    raise InputError(
        f"expected a Pipeline, the name of a preset or a pipeline file, got {type(given).__name__}; "
        "write Pipeline([...], seed=7)"
    )
