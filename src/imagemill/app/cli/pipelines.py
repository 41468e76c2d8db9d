"""The pipeline a command line asks for: a file or a preset, a size, a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import imagemill as im
from imagemill.app.cli.number_options import SIZE_HELP, preset_size
from imagemill.pipeline import named_pipeline, operations, preset_names, read_pipeline_file
from imagemill.transforms import line_for

__all__ = ["HELP", "SIZE_HELP", "Asked", "read_pipeline"]

HELP = "A pipeline file (.yaml, .json), or a preset: photo, crops, segmentation, scan, gray, nnunet-3d."


@dataclass(frozen=True, slots=True)
class Asked:
    """A pipeline and how it came about.

    Parameters
    ----------
    pipeline : Pipeline
    name : str
        The preset or file.
    seed_note : str
        Where the seed is from.
    """

    pipeline: im.Pipeline
    name: str
    seed_note: str

    def with_boxes(self, rules: Mapping[str, Any]) -> Asked:
        """The same with some of the rules for boxes set, the others as the file says them."""
        if not rules:
            return self
        return replace(self, pipeline=self.pipeline.replace(boxes=replace(self.pipeline.boxes, **rules)))

    def __str__(self) -> str:
        count = len(self.pipeline.transforms)
        runs = operations(self.pipeline.transforms)
        # The usual case, all of them on every image, needs no words.
        often = "" if runs == str(count) else f" of which {runs} run on each image"
        what = f"{count} transform{'' if count == 1 else 's'}{often}"
        return f"{self.name}, {what}, seed {self.pipeline.seed} ({self.seed_note})"


def read_pipeline(
    text: str | None, size: str | None = None, seed: int | None = None, begun: int | None = None
) -> Asked:
    """Read a preset's name or a file.

    Parameters
    ----------
    text : str or None
        As given to ``--pipeline``.
    size : str, optional
        As given to ``--size``.
    seed : int, optional
        As given to ``--seed``.
    begun : int, optional
        The seed of the run that is continued; counts when nobody else says one.

    Raises
    ------
    InputError
        When there is no such file or preset, or a size is given for a file.
    """
    if text is None:
        raise im.InputError(
            f"expected --pipeline FILE or a preset ({preset_names()}), got none; start with -p photo for photos, "
            "-p scan for scans, -p segmentation for pictures with label maps"
        )
    path, sides = Path(text), preset_size(size)
    if line := line_for(text):
        hint = f"for one transform alone write a file, such as alone.yaml, that says 'transforms: [{{{line}}}]'"
        raise im.InputError(f"expected a pipeline file or a preset of {preset_names()}, got {text!r}; {hint}")
    if path.is_file() and sides is not None:
        raise im.InputError(f"expected --size with a preset, got the file {text}; set the size inside the file")
    stored = named_pipeline(text, sides)
    if path.is_file() and seed is None and _has_seed(path):
        return Asked(stored, text, "from the file")
    name = text if path.is_file() else f"preset {text}"
    if seed is not None:
        return Asked(stored.replace(seed=seed), name, "as given")
    if begun is not None:
        return Asked(stored.replace(seed=begun), name, "of the run that is continued")
    return Asked(stored, name, f"made now; --seed {stored.seed} repeats it")


def _has_seed(path: Path) -> bool:
    # That it is a mapping was checked when it was loaded.
    return read_pipeline_file(path).value.get("seed") is not None
