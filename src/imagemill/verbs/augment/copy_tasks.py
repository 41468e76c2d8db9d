"""What `augment` makes of one record: copies as files, and a line for each; and which of them are still to be made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagemill.core.errors import ImagemillError
from imagemill.core.sample import Recipe
from imagemill.data.codecs.base import Channels, Picture
from imagemill.data.records.loading import pixels_size
from imagemill.data.records.record import Record
from imagemill.jobs.shards import Note
from imagemill.pipeline.pipeline import Pipeline
from imagemill.pipeline.shared_draws import SharedDraws, sharing
from imagemill.verbs.augment import one_copy
from imagemill.verbs.augment.copy_annotations import Place, row_of
from imagemill.verbs.augment.ledger import Row, Rows

__all__ = ["CopyTask", "CopyWork", "clip_of", "tasks_at_once", "tasks_for", "unchanged"]

Make = Callable[[Recipe], one_copy.Made]

COPIES_PER_TASK = 8
"""What a worker makes of one decoded image before it notes what it made."""
_TOGETHER, _FILES, _PIXELS = 16, 2 << 20, 32 << 20
"""Copies that are made before they are noted, and drawn for at once: so many, of files of about so many bytes; and of
images that are decoded at the same time, which are as many bytes but for the last."""
_SHARDS = 4
"""That each worker gets at least, before they grow: the last ones end at nearly the same time."""


@dataclass(frozen=True, slots=True)
class CopyTask:
    """Copies of one record that one worker makes.

    Parameters
    ----------
    record : Record
    copies : tuple of int
        Their numbers.
    places : tuple of Place
        Where each is to be.
    suffix : str
        Of their images.
    is_first : bool
        Of the record: how it was read is told once.
    """

    record: Record
    copies: tuple[int, ...]
    places: tuple[Place, ...]
    suffix: str
    is_first: bool


def unchanged(records: Sequence[Record], rows: Rows) -> Rows:
    """The outputs whose source still has the size it had.

    A look at the size costs nothing and finds most files that were replaced; `verify` with the source reads them
    and finds all.
    """
    made = {key for key, _ in rows}
    sizes = {record.key: pixels_size(record.image) for record in records if record.key in made}
    return {place: row for place, row in rows.items() if sizes.get(place[0]) in (None, row.get("source_bytes"))}


def tasks_for(
    records: Iterable[tuple[Record, str]], done: Rows, copies: int, places: Mapping[tuple[str, int], Place]
) -> list[CopyTask]:
    """Cut what is missing into tasks: the first of each suffix, then the others in the order of the records.

    A format that cannot hold the results shows at once for this order.
    """
    first: dict[str, CopyTask] = {}
    rest = []
    for record, suffix in records:
        missing = [copy for copy in range(copies) if (record.key, copy) not in done]
        for at in range(0, len(missing), COPIES_PER_TASK):
            some = tuple(missing[at : at + COPIES_PER_TASK])
            task = CopyTask(record, some, tuple(places[record.key, copy] for copy in some), suffix, not at)
            if suffix in first:
                rest.append(task)
            else:
                first[suffix] = task
    return [*first.values(), *rest]


def tasks_at_once(tasks: Sequence[CopyTask], workers: int) -> int:
    """How many tasks a worker is given at once: as many as are worth it, where their images are small."""
    most = min(_TOGETHER // max((len(task.copies) for task in tasks), default=1), len(tasks) // (_SHARDS * workers))
    if most < 2:
        return 1
    sizes = [pixels_size(task.record.image) or 0 for task in tasks]
    return max(1, min(most, _FILES * len(tasks) // max(1, sum(sizes))))


def clip_of(record: Record) -> str:
    """The clip that a frame belongs to: its group, else the folder it lies in, with a slash behind it."""
    return record.group or record.key.rpartition("/")[0] + "/"


@dataclass(frozen=True, slots=True)
class CopyWork:
    """Makes the copies of a task, and gives the line of each when its files are written.

    Parameters
    ----------
    out : Path
    pipeline : Pipeline
    channels, axes
        How images are read.
    keypoint_names : mapping
        Names of the keypoints of each category.
    annotated : bool
        Whether lines hold what annotations are written from.
    further : bool
        Whether further images and maps are written, in folders of their names.
    clips : bool
        Whether the images of a group, or of a folder, are frames of one clip, which are drawn for alike.
    """

    out: Path
    pipeline: Pipeline
    channels: Channels
    axes: str | None
    keypoint_names: Mapping[str, Sequence[str]]
    annotated: bool
    further: bool = True
    clips: bool = False

    def __call__(self, task: CopyTask) -> Iterator[Row | Note]:
        """Lines of copies; an error of writing is one of the output."""
        return self.together((task,))(task)

    def together(self, tasks: Sequence[CopyTask]) -> TasksTogether:
        """The same for some tasks, whose copies are drawn for at once."""
        return TasksTogether(self, tasks)

    def key(self, record: Record) -> str:
        """What the copies of a record draw under."""
        return clip_of(record) if self.clips else record.key

    def load(self, record: Record) -> one_copy.Loaded:
        """Read a record."""
        return one_copy.load(record, self.channels, self.axes, self.keypoint_names)

    def copies(self, task: CopyTask, loaded: one_copy.Loaded, make: Make) -> Iterator[Row | Note]:
        """Make and write the copies of a record that was read."""
        if loaded.note and task.is_first:
            yield Note(loaded.note)
        for copy, place in zip(task.copies, task.places, strict=True):
            recipe = Recipe(self.pipeline.seed, copy, self.key(task.record), self.pipeline.digest)
            made = make(recipe)
            try:
                row = self._write(task, place, recipe, made)
            except ImagemillError as error:
                error.of_output = True
                raise
            row |= {"source_bytes": loaded.bytes, "source_sha256": loaded.sha256}
            yield row | row_of(task.record, made) if self.annotated else row

    def _write(self, task: CopyTask, place: Place, recipe: Recipe, made: one_copy.Made) -> Row:
        image = place.image + task.suffix
        row: Row = {
            "key": task.record.key,
            "copy": recipe.epoch,
            "output": image,
            "mask": None,
            "recipe": recipe.to_dict(),
        }
        row["applied"] = [{"name": a.name, "values": dict(a.values)} for a in made.applied]
        # The image last: what has one has all that belongs to it.
        beside: dict[str, tuple[str, Picture]] = {}
        if made.mask is not None and place.mask is not None:
            beside["mask"] = place.mask + one_copy.mask_suffix(made.mask, task.suffix), made.mask
        for name, one in made.further.items() if self.further else ():
            suffix = one_copy.further_suffix(task.record, name, one, task.suffix)
            beside[name] = place.further(name) + suffix, one
        try:
            for name, (output, picture) in beside.items():
                digest = one_copy.write(self.out / output, picture)
                if name == "mask":
                    row |= {"mask": output, "mask_sha256": digest}
                else:
                    row.setdefault("further", {})[name] = {"output": output, "sha256": digest}
            row["sha256"] = one_copy.write(self.out / image, made.picture)
        except BaseException:
            for output, _ in beside.values():  # nothing is left of half a copy
                (self.out / output).unlink(missing_ok=True)
            raise
        return row


class TasksTogether:
    """The copies of some records: each is made and written in its turn, and drawn for with others.

    Parameters
    ----------
    work : CopyWork
    tasks : sequence of CopyTask
    """

    def __init__(self, work: CopyWork, tasks: Sequence[CopyTask]) -> None:
        self._work, self._tasks = work, tasks
        self._read: dict[int, one_copy.Loaded | Exception] = {}
        self._next = 0
        self._draws: SharedDraws | None = None

    def __call__(self, task: CopyTask) -> Iterator[Row | Note]:
        """As `CopyWork` for the next of the tasks."""
        number, self._next = self._next, self._next + 1
        if number not in self._read:
            self._draws = self._begun(number)
        loaded = self._read.pop(number)
        if isinstance(loaded, Exception):
            raise loaded
        yield from self._work.copies(task, loaded, lambda recipe: self._made(number, loaded, recipe))
        if self._draws is not None:
            self._draws.drop(number)

    def _begun(self, first: int) -> SharedDraws | None:
        """Read records from one on, as many as may be in memory; what cannot be read is raised in its turn."""
        pipeline, found, held = self._work.pipeline, {}, 0
        for number, task in enumerate(self._tasks[first:], first):
            if held > _PIXELS:
                break
            try:
                loaded = self._read[number] = self._work.load(task.record)
                targets = one_copy.targets_of(pipeline, loaded)
            except Exception as error:
                self._read[number] = error
                continue
            held += loaded.picture.array.nbytes
            one = sharing(pipeline, self._work.key(task.record), task.copies, targets)
            if one is not None:
                found[number] = one
        return SharedDraws(pipeline, found) if len(found) > 1 else None

    def _made(self, number: int, loaded: one_copy.Loaded, recipe: Recipe) -> one_copy.Made:
        sample = None if self._draws is None else self._draws.made(number, recipe)
        if sample is None:
            return one_copy.make(self._work.pipeline, loaded, recipe)
        return one_copy.made_of(loaded, sample)
