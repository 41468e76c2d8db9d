"""The pipeline over a batch of rows: photos decoded as large as they are needed, classes by pipelines of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import CodecError, InputError
from imagemill.core.geometry import Floats
from imagemill.core.randomness.known_runs import Run
from imagemill.core.sample import Batch, Drawing, DrawLog, Recipes
from imagemill.core.targets import Image, Mask, Target
from imagemill.engine import compiling, execute
from imagemill.feed.making.item import Item
from imagemill.feed.making.reduced import factors_of, on_reduced, rows_of
from imagemill.pipeline.groups import groups
from imagemill.pipeline.inputs import Inputs, read_columns
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Beside", "Clock", "UnreadableError", "augmented", "check_alike", "merged"]

Array = np.ndarray[Any, Any]
Hashes = npt.NDArray[np.uint64]

_TOGETHER = 1 << 14
"""Pixels up to which photos are decoded all and run as one batch: then calls cost more than what the caches lose."""


class UnreadableError(Exception):
    """A photo turned out damaged when it was decoded; only passed on within this room."""

    def __init__(self, row: int, error: CodecError) -> None:
        super().__init__(row, error)
        self.row, self.error = row, error


@dataclass(slots=True)
class Clock:
    """Seconds spent on reading (and decoding), on augmenting, and on waiting for kernels to be compiled."""

    reading: float = 0.0
    augmenting: float = 0.0
    compiling: float = 0.0
    _since: float = field(default_factory=lambda: time.perf_counter())
    _compiled: float = field(default_factory=lambda: compiling.seconds())

    def shared(self, among: int) -> Clock:
        """The part of one of several batches that were made together."""
        return Clock(self.reading / among, self.augmenting / among, self.compiling / among)

    def lap(self, *, reading: bool) -> None:
        """Count the time since the last lap as one or the other."""
        now, compiled = time.perf_counter(), compiling.seconds()
        held_up = compiled - self._compiled
        spent = now - self._since - held_up
        self.compiling += held_up
        if reading:
            self.reading += spent
        else:
            self.augmenting += spent
        self._since, self._compiled = now, compiled


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """What a pipeline is told of rows besides their targets, where it mixes them or chooses by their classes.

    Parameters
    ----------
    places : array of int, optional
        Of the rows in the epoch.
    columns : mapping of str to list of Label
        Labels and weights that are mixed.
    choose_by : sequence, optional
        What `PerClass` chooses by.
    """

    places: npt.NDArray[np.int64] | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    choose_by: Sequence[Any] | None = None


def check_alike(items: Sequence[Item], name: Callable[[int], str]) -> None:
    """All images of a batch must share channels, and all masks channels and type; images may differ in type.

    Parameters
    ----------
    items : sequence of Item
    name : callable
        What errors call the item at a position.

    Raises
    ------
    InputError
        Naming the first that differs.
    """
    for kind in ("image", "mask"):
        first: tuple[Any, ...] | None = None
        for row, item in enumerate(items):
            target = item.targets.get(kind)
            if not isinstance(target, Image | Mask):
                continue
            axes = target.named()
            channels = target.array.shape[axes.index("c")] if "c" in axes else None
            found = (channels, axes, None if kind == "image" else target.array.dtype)
            first = first or found
            if found != first:
                want, got = (
                    f"{c or 'no'} channels ({a}){'' if t is None else f' of {t}'}" for c, a, t in (first, found)
                )
                do = "prepare the dataset, which makes them alike"
                if kind == "image" and {a.replace("c", "") for a in (first[1], axes)} == {"yx"}:
                    do = f"pass channels='rgb' (or 'gray'), or {do}"
                raise InputError(f"{name(row)}: expected an {kind} with {want} as others have, got {got}; {do}")


def augmented(
    pipeline: Pipeline,
    columns: Mapping[str, Any] | Sequence[Item],
    hashes: Hashes | Run,
    epoch: int,
    axes: str | None,
    clock: Clock,
    stopped: Callable[[], bool] = lambda: False,
    beside: Beside | None = None,
) -> Batch:
    """Run a pipeline over columns, or over items of which photos may still be encoded.

    ``beside`` is what is known of the rows besides.

    Raises
    ------
    UnreadableError
        When a photo is damaged.
    """
    also = beside or Beside()
    if isinstance(columns, Mapping):
        clock.lap(reading=True)
        how: dict[str, Any] = {"places": also.places, "choose_by": also.choose_by}
        batch = pipeline.batch(**columns, **also.columns, keys=hashes, epoch=epoch, axes=axes, **how)  # type: ignore[arg-type]
        clock.lap(reading=False)
        return batch
    rows: dict[str, Any] = columns_of(columns)
    pixels_first = "pixels" in pipeline.reads
    if pixels_first:
        rows["image"] = [_pixels(columns, row, 1, None, stopped) for row in range(len(columns))]
    if pixels_first or not any(item.photo is not None for item in columns):
        return augmented(pipeline, rows, hashes, epoch, axes, clock, beside=beside)
    clock.lap(reading=True)
    read, _ = read_columns({**rows, **also.columns}, axes)
    group = None if also.places is None else groups(also.places.tolist(), pipeline.group)
    inputs, log, plan, own = pipeline.planned(read, hashes, epoch, group=group, labels=also.choose_by)  # type: ignore[arg-type]
    # Where objects are cut out by what is annotated, images and annotations meet on one plan.
    at_once = any(meet.op.kind == "objects" for part in plan.parts for meet in part)
    factors = factors_of(plan)
    factors[[at_once or item.photo is None for item in columns]] = 1
    rows_needed = rows_of(plan, factors)
    clock.lap(reading=False)
    there = plan
    if (factors > 1).any():
        there = on_reduced(plan, factors, np.array([_shape(item, f) for item, f in zip(columns, factors, strict=True)]))
    if there.in_shape.prod(axis=1).max() > _TOGETHER:
        image = _fetched(inputs.columns()["image"], columns, factors, rows_needed, clock, stopped)
    else:
        images = [_pixels(columns, row, int(f), None, stopped) for row, f in enumerate(factors)]
        clock.lap(reading=True)
        found, _ = read_columns({"image": images}, axes)
        image = Inputs(found).columns()["image"]
    how = {"rules": pipeline.boxes, "swap": pipeline.swap, "buffers": pipeline.buffers}
    others = inputs.columns(own, without=("image",))
    made = execute.run(there, {"image": image, **(others if at_once else {})}, pipeline.backend, **how)
    if not at_once:
        made |= execute.run(plan, others, pipeline.backend, **how)
    clock.lap(reading=False)
    recipes = Recipes(pipeline.seed, epoch, hashes, pipeline.digest)  # type: ignore[arg-type]
    return Batch(made, recipes, log, plan.affine, geometry=pipeline.way_back(inputs, plan))


def _fetched(
    column: execute.Column,
    items: Sequence[Item],
    factors: npt.NDArray[np.int64],
    rows_needed: npt.NDArray[np.int64],
    clock: Clock,
    stopped: Callable[[], bool],
) -> execute.Column:
    """A column of photos, each decoded right before it is run."""

    def fetch(row: int) -> Array:
        clock.lap(reading=False)
        found = _pixels(items, row, int(factors[row]), int(rows_needed[row]), stopped).canonical()
        clock.lap(reading=True)
        return found

    return replace(column, fetch=fetch)


def columns_of(items: Sequence[Item]) -> dict[str, list[Target]]:
    """Items turned into columns."""
    return {name: [item.targets[name] for item in items] for name in items[0].targets if name != "label"}


def _shape(item: Item, factor: int) -> tuple[int, int]:
    """Height and width that a photo is decoded at; others stay as they are."""
    if item.photo is not None:
        return item.photo.over(factor)
    image = item.targets["image"]
    assert isinstance(image, Image)
    height, width = image.canonical().shape[:2]
    return height, width


def _pixels(items: Sequence[Item], row: int, factor: int, rows: int | None, stopped: Callable[[], bool]) -> Image:
    if stopped():
        raise InterruptedError
    item = items[row]
    if item.photo is None:
        image = item.targets["image"]
        assert isinstance(image, Image)
        return image
    try:
        return item.photo.at(factor, rows if rows is None or rows < item.photo.size[0] else None)
    except CodecError as error:
        raise UnreadableError(row, error) from error


def named(
    pipeline: Pipeline,
    items: Mapping[str, Any],
    keys: Sequence[Any],
    hashes: Hashes,
    choose_by: Sequence[Any] | None = None,
    **how: Any,
) -> str | None:
    """Which sample a failed batch failed at: the first that fails alone; None when none does."""
    for row, key in enumerate(keys):
        one = {name: column[row : row + 1] for name, column in items.items()}
        try:
            by = None if choose_by is None else choose_by[row : row + 1]
            pipeline.batch(**one, keys=hashes[row : row + 1].tolist(), choose_by=by, **how)
        except Exception:
            return str(key)
    return None


def merged(parts: Sequence[tuple[npt.NDArray[np.int64], Batch]], n: int) -> Batch:
    """Batches of some rows each as one, in the order of the rows.

    Raises
    ------
    InputError
        When the pipelines made images of different sizes or types.
    """
    columns: dict[str, Any] = {}
    for name in parts[0][1].columns:
        made = [(rows, batch[name]) for rows, batch in parts]
        if isinstance(made[0][1], np.ndarray):
            columns[name] = _scattered(name, made, n)
        else:
            listed: list[Any] = [None] * n
            for rows, values in made:
                for row, value in zip(rows.tolist(), values, strict=True):
                    listed[row] = value
            columns[name] = listed
    affine: Floats = np.empty((n, *parts[0][1].affine.shape[1:]))
    recipes: list[Any] = [None] * n
    drawings: list[Drawing] = []
    ways: list[Any] = [None] * n
    for rows, batch in parts:
        affine[rows] = batch.affine
        for row, recipe in zip(rows.tolist(), batch.recipe, strict=True):
            recipes[row] = recipe
        for row, way in zip(rows.tolist(), batch.geometry or (), strict=True):
            ways[row] = way
        drawings += [_spread(drawing, rows, n) for drawing in batch.applied.drawings]
    return Batch(columns, tuple(recipes), DrawLog(tuple(drawings)), affine, geometry=tuple(ways))


def _scattered(name: str, made: Sequence[tuple[npt.NDArray[np.int64], Any]], n: int) -> Any:
    shapes = {(values.shape[1:], values.dtype) for _, values in made}
    if len(shapes) > 1:
        said = " and ".join(f"{shape} {dtype}" for shape, dtype in sorted(shapes, key=str))
        do = "end every pipeline with the same size, type (ToDtype, Rescale) and layout"
        raise InputError(f"expected the {name} of all rows in one size and type, got {said}; {do}")
    first = made[0][1]
    out = np.empty((n, *first.shape[1:]), first.dtype)
    for rows, values in made:
        out[rows] = values
    return out


def _spread(drawing: Drawing, rows: npt.NDArray[np.int64], n: int) -> Drawing:
    where = np.zeros(n, bool)
    where[rows] = drawing.where
    values: dict[str, Floats] = {}
    for name, column in drawing.values.items():
        values[name] = np.full(n, np.nan)
        values[name][rows] = column
    return replace(drawing, where=where, values=values)
