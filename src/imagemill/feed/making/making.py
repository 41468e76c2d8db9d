"""One batch, from its number: rows read, bad ones replaced, the pipeline run, labels put beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import CodecError, InputError, SourceError
from imagemill.core.randomness import rng
from imagemill.core.randomness.known_runs import Run
from imagemill.core.sample import Batch, DrawLog, Recipe, Recipes
from imagemill.core.targets import Image, Label
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.layouts.base import Problem
from imagemill.engine import compiling
from imagemill.feed.batch import LoadedBatch
from imagemill.feed.making.augmenting import (
    Beside,
    Clock,
    UnreadableError,
    augmented,
    check_alike,
    columns_of,
    merged,
    named,
)
from imagemill.feed.making.dataset_rows import Rows
from imagemill.feed.making.item import Item
from imagemill.feed.making.mixing import chosen_by, mixable_labels, stacked_labels, taken, whole_groups
from imagemill.feed.making.sequence import SequenceRows, labels_together
from imagemill.feed.order.batches import Shares
from imagemill.feed.order.order import Order
from imagemill.jobs import faults
from imagemill.pipeline.groups import groups, partner_keys
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Made", "Maker"]

Numbers = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Stopped = Callable[[], bool]

TRIES = 64
"""Rows that are tried in place of one that cannot be read."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A batch, and what became known while it was made."""

    batch: LoadedBatch
    clock: Clock
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True, eq=False)
class _Places:
    """The rows that stand at some places of an epoch, and how to get others where they are bad.

    ``number`` is the batch that begins with them, where they are a batch, or several.
    """

    places: Numbers
    rows: Numbers
    number: int | None = None
    replaced: dict[int, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    tries: dict[int, int] = field(default_factory=dict)


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class Maker:
    """Everything that decides what is in a batch; it knows nothing of threads.

    Parameters
    ----------
    rows : Rows
    order : Order
    shares : Shares
    pipeline : Pipeline or None
        None hands rows over as they are.
    pipelines : mapping of str to Pipeline
        Of classes that have one of their own.
    options : ReadOptions
    reduced : bool
        Decode photos no larger than they are needed.
    replace : bool
        Whether another row stands for one that cannot be read.
    seed : int
    """

    rows: Rows
    order: Order
    shares: Shares
    pipeline: Pipeline | None
    pipelines: Mapping[str, Pipeline]
    options: ReadOptions
    reduced: bool
    replace: bool
    seed: int
    _itself: object = field(default_factory=object, init=False)

    def make(self, epoch: int, number: int, stopped: Stopped = _never) -> Made:
        """Batch ``number`` of an epoch.

        Raises
        ------
        CodecError
            When a row cannot be read, and none is to stand for it.
        InputError
            When the rows do not fit together, or the pipeline does not take them.
        InterruptedError
            When ``stopped`` says so.
        """
        share = self.shares.of(number)
        return self._made(np.array(share.places, np.int64), epoch, number, stopped, repeated=share.repeated)

    def make_some(self, epoch: int, first: int, count: int, stopped: Stopped = _never) -> list[Made]:
        """Several batches that follow each other, made as one and then parted: the same pixels, for less work.

        What one batch costs besides its pixels (drawing, planning) is then paid once. Their arrays are parts of common
        ones.
        """
        shares = [self.shares.of(number) for number in range(first, first + count)]
        if count == 1 or not self.rows.together or any(share.repeated for share in shares):
            return [self.make(epoch, number, stopped) for number in range(first, first + count)]
        places = np.array([place for share in shares for place in share.places], np.int64)
        whole = self._made(places, epoch, first, stopped, repeated=False)
        made, start = [], 0
        for number, share in enumerate(shares, first):
            rows = slice(start, start + len(share.places))
            start = rows.stop
            batch = whole.batch.part(rows, number)
            made.append(Made(batch, whole.clock.shared(count), whole.problems if number == first else ()))
        return made

    def make_places(self, places: Sequence[int], epoch: int) -> Made:
        """A batch of any places of an epoch."""
        return self._made(np.asarray(places, np.int64), epoch, -1, _never, repeated=False)

    def _made(self, places: Numbers, epoch: int, number: int, stopped: Stopped, *, repeated: bool) -> Made:
        if self.pipeline is not None or self.pipelines:
            compiling.watch()
        clock = Clock()
        size = 1 if self.pipeline is None else self.pipeline.group
        # Whole groups, so that what is mixed depends on the order of the epoch, and not on where batches begin.
        every = whole_groups(places, size, self.order.n) if size > 1 else places
        at = _Places(every, self.order.rows(every, epoch), number if number >= 0 else None)
        batch = self._run(at, epoch, clock, stopped)
        keys = self.rows.keys(at.rows)
        said = self._said(keys, at)
        if size > 1:
            batch = replace(batch, columns=stacked_labels(batch.columns))
        else:
            batch = replace(batch, columns=self._beside(batch.columns, at))
        recipe: Sequence[Recipe]
        if self.pipelines:
            pairs = zip(batch.recipe, said, strict=True)
            recipe = tuple(Recipe(r.seed, epoch, _plain(key), r.pipeline) for r, key in pairs)
        else:
            partners = partner_keys(groups(every.tolist(), size), said) if size > 1 else None
            digest = "" if self.pipeline is None else self.pipeline.digest
            recipe = Recipes(self.seed, epoch, said, digest, partners)
        if every is not places and not np.array_equal(every, places):
            rows = np.searchsorted(every, places)
            batch, recipe = taken(batch, rows), [recipe[row] for row in rows.tolist()]
            keys = [keys[row] for row in rows.tolist()]
            at.replaced = {row: key for row, key in at.replaced.items() if row in rows}
        columns = batch.columns
        made = LoadedBatch(
            columns,
            recipe,
            batch.applied,
            batch.affine,
            keys,
            epoch,
            number,
            repeated,
            tuple(at.replaced.values()),
            self.rows.categories,
            geometry=batch.geometry,
        )
        return Made(made, clock, tuple(at.problems))

    def _beside(self, columns: Mapping[str, Any], at: _Places) -> dict[str, Any]:
        """Columns with the labels and weights that no pipeline changes."""
        found = dict(columns)
        if self.rows.labels is not None:
            found["label"] = self.rows.labels[at.rows]
        if self.rows.weights is not None:
            found["weight"] = self.rows.weights[at.rows]
        return found

    def _told(self, pipeline: Pipeline, columns: Mapping[str, Any] | Sequence[Item], at: _Places) -> Beside:
        """What a pipeline that mixes rows, or chooses by their classes, is told of them."""
        labels = None if self.rows.labels is None else self.rows.labels[at.rows]
        if labels is None and not isinstance(columns, Mapping):
            labels = labels_together([item.label for item in columns])
        choose_by = chosen_by(labels, self.rows.classes, pipeline) if pipeline.chooses else None
        if pipeline.group == 1:
            return Beside(choose_by=choose_by)
        found: dict[str, Any] = {}
        if labels is not None:
            found["label"] = mixable_labels(labels, self._names_of_classes(), pipeline)
        if self.rows.weights is not None:
            found["weight"] = [Label(float(weight)) for weight in self.rows.weights[at.rows]]
        return Beside(at.places, found, choose_by)

    def _names_of_classes(self) -> Sequence[str]:
        """Names of classes; numbers where the labels of a whole dataset in memory say how many there are."""
        labels = self.rows.labels
        if self.rows.classes or labels is None or labels.ndim > 1 or labels.dtype.kind not in "iu" or not len(labels):
            return self.rows.classes
        return [str(number) for number in range(int(labels.max()) + 1)]

    # ------------------------------------------------------------------------------------------- randomness

    def _said(self, keys: Sequence[str | int], at: _Places) -> Sequence[str | int]:
        """What the draws belong to: the key, and the place as well where a row may come twice in an epoch."""
        if not self.order.replaces and not at.replaced:
            return keys
        marked = range(len(keys)) if self.order.replaces else at.replaced
        return [f"{key}@{at.places[i]}" if i in marked else _plain(key) for i, key in enumerate(keys)]

    def _hashes(self, at: _Places) -> Hashes:
        if not self.order.replaces and not at.replaced:
            return self.rows.hashes(at.rows)
        return rng.hash_keys(self._said(self.rows.keys(at.rows), at))

    def _run_of(self, hashes: Hashes, at: _Places, epoch: int) -> Hashes | Run:
        """The same for whom it is known who comes next."""
        if at.number is None:
            return hashes
        return Run(hashes, self._itself, at.number * self.shares.batch_size, partial(self._following, epoch))

    def _following(self, epoch: int, number: int, count: int) -> Hashes:
        """What stands for the keys of this rank's places from a number on, which begins a batch."""
        size = self.shares.batch_size
        batches = range(number // size, min(-(-(number + count) // size), len(self.shares)))
        places = np.concatenate([np.array(self.shares.of(batch).places, np.int64) for batch in batches])[:count]
        return self._hashes(_Places(places, self.order.rows(places, epoch)))

    # ------------------------------------------------------------------------------------------- running

    def _run(self, at: _Places, epoch: int, clock: Clock, stopped: Stopped) -> Batch:
        """Run what was gathered, or read row by row, again with another row for each that turns out bad."""
        plain = self.pipeline is None and not self.pipelines
        gathered = self.rows.gather(at.rows, stacked=plain)
        if gathered is not None:
            gathered = self._in_channels(gathered)
            if plain and all(isinstance(column, np.ndarray) for column in gathered.values()):
                clock.lap(reading=True)
                return Batch(gathered, (), DrawLog(()), np.tile(np.eye(3), (len(at.rows), 1, 1)))
            return self._by_class(gathered, at, epoch, clock, stopped)
        items: list[Item | None] = [None] * len(at.rows)
        while True:
            for i, item in enumerate(items):
                if stopped():
                    raise InterruptedError
                items[i] = item or self._read(at, i, epoch)
            ready = [item for item in items if item is not None]
            check_alike(ready, lambda row: str(self.rows.keys(at.rows[row : row + 1])[0]))
            try:
                return self._labelled(self._by_class(ready, at, epoch, clock, stopped), ready)
            except UnreadableError as bad:
                self._next(at, bad.row, epoch, bad.error)
                items[bad.row] = None

    def _in_channels(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Columns of images that were in memory already, in the channels asked for; files are read so."""
        channels, column, axes = self.options.channels, columns["image"], self.rows.axes
        if channels == "keep":
            return columns
        if isinstance(column, np.ndarray):  # all of them are alike, so the first stands for all
            first = Image(column[0])
            if first.with_channels(channels, axes) is first:
                return columns
        return {**columns, "image": [_image(one).with_channels(channels, axes) for one in column]}

    def _labelled(self, batch: Batch, items: Sequence[Item]) -> Batch:
        """The batch with the labels that only its rows know."""
        if self.rows.labels is not None or "label" in batch.columns:  # the latter were mixed
            return batch
        found = labels_together([item.label for item in items])
        return batch if found is None else replace(batch, columns={**batch.columns, "label": found})

    def _by_class(
        self, columns: Mapping[str, Any] | Sequence[Item], at: _Places, epoch: int, clock: Clock, stopped: Stopped
    ) -> Batch:
        hashes = self._hashes(at)
        names = self._classes(at.rows) if self.pipelines else [None] * len(at.rows)
        # A batch of one pipeline has one type going in; scans of one study come in several.
        kinds = list(zip(names, _types(columns, len(names)), strict=True))
        if self.pipeline is not None and self.pipeline.group > 1 and len(set(kinds)) > 1:
            types = " and ".join(sorted({str(kind) for _, kind in kinds}))
            raise InputError(
                f"expected images of one type to mix, got {types}; prepare the dataset, which makes them so"
            )
        if not self.pipelines and len(set(kinds)) == 1:
            keys = self._run_of(hashes, at, epoch) if isinstance(columns, Mapping) else hashes
            return self._augmented(self.pipeline or _NOTHING, columns, at, keys, epoch, clock, stopped)
        parts = []
        for group in dict.fromkeys(kinds):
            name = group[0]
            rows = np.flatnonzero([other == group for other in kinds])
            some: Mapping[str, Any] | Sequence[Item]
            if isinstance(columns, Mapping):
                some = {key: _some(column, rows) for key, column in columns.items()}
            else:
                some = [columns[row] for row in rows.tolist()]
            part = _Places(at.places[rows], at.rows[rows])
            pipeline = self.pipelines.get(name, self.pipeline or _NOTHING) if name else self.pipeline or _NOTHING
            try:
                batch = self._augmented(pipeline, some, part, hashes[rows], epoch, clock, stopped)
            except UnreadableError as bad:
                raise UnreadableError(int(rows[bad.row]), bad.error) from bad
            parts.append((rows, batch))
        return merged(parts, len(at.rows))

    def _classes(self, rows: Numbers) -> list[str | None]:
        """For each row, the class whose pipeline it takes; None for the common one."""
        labels = None if self.rows.labels is None else self.rows.labels[rows]
        if labels is None or labels.ndim != 1 or not self.rows.classes:
            raise InputError("expected one class per row for pipelines by class, got none; leave pipelines out")
        found = [self.rows.classes[label] if label >= 0 else None for label in labels.tolist()]
        return [name if name in self.pipelines else None for name in found]

    def _augmented(
        self,
        pipeline: Pipeline,
        columns: Mapping[str, Any] | Sequence[Item],
        at: _Places,
        hashes: Hashes | Run,
        epoch: int,
        clock: Clock,
        stopped: Stopped,
    ) -> Batch:
        choose_by: Sequence[Any] | None = None
        try:
            beside = self._told(pipeline, columns, at) if pipeline.group > 1 or pipeline.chooses else None
            choose_by = None if beside is None else beside.choose_by
            return augmented(pipeline, columns, hashes, epoch, self.rows.axes, clock, stopped, beside)
        except (UnreadableError, InterruptedError):
            raise
        except Exception as error:
            keys = self.rows.keys(at.rows)
            alone = columns if isinstance(columns, Mapping) else self._whole(columns)
            name = None
            if pipeline.group == 1:  # of those that are mixed none fails alone
                name = named(pipeline, alone, keys, hashes[:], choose_by, epoch=epoch, axes=self.rows.axes)
            found = error if name is None else faults.named(name, error, "augmenting")
            if found is error:
                raise
            raise found from error

    def _whole(self, items: Sequence[Item]) -> Mapping[str, Any]:
        columns = columns_of(items)
        photos = [item.photo for item in items]
        columns["image"] = [i if p is None else p.at(1) for i, p in zip(columns["image"], photos, strict=True)]
        return columns

    # ------------------------------------------------------------------------------------------- bad rows

    def _read(self, at: _Places, i: int, epoch: int) -> Item:
        """Read the row at a place, or the next that can be."""
        while True:
            try:
                item = self._row(int(at.rows[i]), epoch)
                return item.with_channels(self.options.channels)
            except (CodecError, InputError, SourceError) as error:
                if not faults.is_of_file(error):
                    raise
                self._next(at, i, epoch, error)

    def _row(self, row: int, epoch: int) -> Item:
        if isinstance(self.rows, SequenceRows):
            return self.rows.read(row, self.options, reduced=self.reduced, epoch=epoch)
        return self.rows.read(row, self.options, reduced=self.reduced)

    def _next(self, at: _Places, i: int, epoch: int, error: Exception) -> None:
        """Put the row of the next place where one is bad; what comes next depends on the order alone."""
        key = str(self.rows.keys(at.rows[i : i + 1])[0])
        if not self.replace:
            raise faults.named(key, error, "reading") from error
        at.problems.append(Problem(key, str(error)))
        at.replaced.setdefault(i, key)
        tries = at.tries[i] = at.tries.get(i, 0) + 1
        if tries > min(TRIES, self.order.n):
            raise InputError(
                f"expected rows that can be read, got {tries} one after the other that cannot, the last of them "
                f"{key}: {error}; check the dataset"
            ) from error
        place = (int(at.places[i]) + tries) % self.order.n
        at.rows[i] = self.order.rows([place], epoch)[0]


_NOTHING = Pipeline([], seed=0)
_NONE = np.empty(0)


def _types(columns: Mapping[str, Any] | Sequence[Item], n: int) -> list[Any]:
    """The type of each row's image; columns that were gathered at once have one."""
    if isinstance(columns, Mapping):
        return [None] * n
    return [getattr(item.targets["image"], "array", _NONE).dtype for item in columns]


def _plain(key: Any) -> str | int:
    return key if isinstance(key, str) else int(key)


def _some(column: Any, rows: Numbers) -> Any:
    return column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows.tolist()]


def _image(value: Any) -> Image:
    return value if isinstance(value, Image) else Image(value)
