"""What `augment` makes of one record: copies as files, and a line for each; and which of them are still to be made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagemill.core.errors import ImagemillError
from imagemill.core.sample import Recipe
from imagemill.data.codecs.base import Channels, Picture
from imagemill.data.records.loading import pixels_size
from imagemill.data.records.record import Record
from imagemill.jobs.shards import Note
from imagemill.pipeline.pipeline import Pipeline
from imagemill.verbs.augment import one_copy
from imagemill.verbs.augment.copy_annotations import Place, row_of
from imagemill.verbs.augment.ledger import Row, Rows

__all__ = ["CopyTask", "CopyWork", "clip_of", "tasks_for", "unchanged"]

COPIES_PER_TASK = 8
"""What a worker makes of one decoded image before it notes what it made."""


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
        loaded = one_copy.load(task.record, self.channels, self.axes, self.keypoint_names)
        if loaded.note and task.is_first:
            yield Note(loaded.note)
        for copy, place in zip(task.copies, task.places, strict=True):
            key = clip_of(task.record) if self.clips else task.record.key
            recipe = Recipe(self.pipeline.seed, copy, key, self.pipeline.digest)
            made = one_copy.make(self.pipeline, loaded, recipe)
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
