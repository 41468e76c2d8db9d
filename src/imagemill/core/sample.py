"""What comes out: one sample or a batch, with the recipe that makes it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.targets import Array, Boxes, Image, Keypoints, Label, Mask, Target


@dataclass(frozen=True, slots=True)
class Applied:
    """One transform as it was applied to one sample: its name and the values that were drawn."""

    name: str
    values: Mapping[str, float]

    def __str__(self) -> str:
        inside = ", ".join(f"{k}={v:.4g}" for k, v in self.values.items())
        return f"{self.name}({inside})" if inside else self.name


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """What one transform drew for a batch: who was chosen, ``[n]``, and the values, each ``[n]``."""

    name: str
    where: npt.NDArray[np.bool_]
    values: Mapping[str, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class DrawLog:
    """What all transforms drew for a batch; rows are made when they are asked for."""

    drawings: tuple[Drawing, ...]

    def row(self, i: int) -> tuple[Applied, ...]:
        """The transforms applied to sample ``i``, with their values."""
        return tuple(
            Applied(d.name, {name: float(column[i]) for name, column in d.values.items()})
            for d in self.drawings
            if d.where[i]
        )

    def part(self, rows: slice) -> DrawLog:
        """What was drawn for some of the samples."""
        parts = (
            Drawing(d.name, d.where[rows], {name: column[rows] for name, column in d.values.items()})
            for d in self.drawings
        )
        return DrawLog(tuple(parts))

    def __getitem__(self, i: int) -> tuple[Applied, ...]:
        return self.row(i)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The few numbers that make a sample again.

    Parameters
    ----------
    seed, epoch : int
    key : str or int
        The sample's key.
    pipeline : str
        Digest of the pipeline the numbers belong to.
    """

    seed: int
    epoch: int
    key: str | int
    pipeline: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        # A number from an array of keys is a numpy one, which JSON does not know.
        key = self.key if isinstance(self.key, str) else int(self.key)
        return {"seed": self.seed, "epoch": self.epoch, "key": key, "pipeline": self.pipeline}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote; other keys are an error."""
        if set(values) != {"seed", "epoch", "key", "pipeline"}:
            raise InputError(f"expected a recipe of seed, epoch, key and pipeline, got {sorted(values)}")
        return cls(int(values["seed"]), int(values["epoch"]), values["key"], str(values["pipeline"]))


class Recipes(Sequence[Recipe]):
    """The recipes of a batch, each made when it is asked for.

    Parameters
    ----------
    seed, epoch : int
    keys : sequence of str or int
        The samples' keys.
    pipeline : str

    Examples
    --------
    >>> recipes = Recipes(7, 0, ["a", "b"], "0123456789abcdef")
    >>> recipes[1].key, len(recipes), [recipe.key for recipe in recipes[:1]]
    ('b', 2, ['a'])
    """

    __slots__ = ("_epoch", "_keys", "_pipeline", "_seed")

    def __init__(self, seed: int, epoch: int, keys: Sequence[str | int], pipeline: str) -> None:
        # The caller's list may change later; a recipe may not.
        self._keys = keys.copy() if isinstance(keys, np.ndarray) else keys if isinstance(keys, range) else tuple(keys)
        self._seed, self._epoch, self._pipeline = seed, epoch, pipeline

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, i: int) -> Recipe: ...
    @overload
    def __getitem__(self, i: slice) -> Recipes: ...
    def __getitem__(self, i: int | slice) -> Recipe | Recipes:
        if isinstance(i, slice):
            return Recipes(self._seed, self._epoch, self._keys[i], self._pipeline)
        return Recipe(self._seed, self._epoch, self._keys[i], self._pipeline)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipes | tuple) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


def plain(target: Target) -> Any:
    """The value a user reads: the array of a raster, the label's value, boxes and points as they are."""
    if isinstance(target, Image | Mask):
        return target.array
    return target.value if isinstance(target, Label) else target


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One augmented sample.

    Its targets are read as attributes under the names they were passed by: ``sample.image`` and
    ``sample.mask`` are arrays, ``sample.boxes`` and ``sample.keypoints`` keep their format and labels.

    Parameters
    ----------
    targets : dict of str to target
    recipe : Recipe
    applied : tuple of Applied
        The transforms this sample was chosen for, with their values.
    affine : array, ``(d+1, d+1)``
        Output index to world coordinates.
    """

    targets: Mapping[str, Target]
    recipe: Recipe
    applied: tuple[Applied, ...] = ()
    affine: Floats = field(default_factory=lambda: np.eye(3))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "targets":
            raise AttributeError(name)
        if name in self.targets:
            return plain(self.targets[name])
        raise AttributeError(f"expected one of this sample's targets ({', '.join(self.targets)}), got {name!r}")

    def __getitem__(self, name: str) -> Any:
        if name not in self.targets:
            raise KeyError(f"expected one of {list(self.targets)}, got {name!r}")
        return plain(self.targets[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.targets)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Many augmented samples.

    ``batch.image`` and ``batch.mask`` are single contiguous arrays ``[n, ...]``, ``batch.boxes`` and
    ``batch.keypoints`` lists with one entry per sample, ``batch.label`` a list.

    Parameters
    ----------
    columns : dict of str to array or list
    recipe : sequence of Recipe
    applied : DrawLog
        ``batch.applied[i]`` lists what was applied to sample ``i``.
    affine : array, ``[n, d+1, d+1]``
    """

    columns: Mapping[str, Array | list[Boxes] | list[Keypoints] | list[Any]]
    recipe: Sequence[Recipe]
    applied: DrawLog
    affine: Floats

    def __len__(self) -> int:
        return len(self.recipe)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "columns":
            raise AttributeError(name)
        if name in self.columns:
            return self.columns[name]
        raise AttributeError(f"expected one of this batch's columns ({', '.join(self.columns)}), got {name!r}")

    def __getitem__(self, name: str) -> Any:
        if name not in self.columns:
            raise KeyError(f"expected one of {list(self.columns)}, got {name!r}")
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)
