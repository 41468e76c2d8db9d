"""What a run of `augment` keeps beside its outputs: no part of the dataset, so that readers pass over it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

__all__ = ["ERRORS", "JOB", "PARTIAL", "PIPELINE", "QUARANTINE", "RECIPES", "without_own"]

JOB, PIPELINE, RECIPES, PARTIAL, ERRORS, QUARANTINE = (
    "job.json",
    "pipeline.yaml",
    "recipes.jsonl",
    "recipes.partial.jsonl",
    "errors.jsonl",
    "quarantine",
)
_FILES = frozenset((JOB, PIPELINE, RECIPES, PARTIAL, ERRORS))


def without_own(folder: Path, files: Sequence[tuple[str, Path]]) -> tuple[tuple[str, Path], ...]:
    """Keys and paths of a folder's files without those that `augment` keeps there for itself.

    Files of these names that are not of such a run stay.
    """
    if not any(key == JOB for key, _ in files):
        return tuple(files)
    try:
        told = json.loads((folder / JOB).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return tuple(files)
    if not isinstance(told, dict) or not {"imagemill", "pipeline", "copies"} <= set(told):
        return tuple(files)
    return tuple((key, path) for key, path in files if key not in _FILES and not key.startswith(f"{QUARANTINE}/"))
