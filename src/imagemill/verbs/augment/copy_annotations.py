"""What `augment` writes beside its images: their annotations, in the source's layout or another one.

A layout's own writer does it, twice. First for images that are not made yet, into a folder that is thrown away: so it
says where it wants each of them. Then, when all are made, for those that are there: it writes tables and texts alone.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import Layout, Source, WriteTarget
from imagemill.data.layouts.export_files import Export
from imagemill.data.layouts.files_beside import begin_beside, drop_beside, end_beside
from imagemill.data.layouts.registry import known_layouts, layout_named
from imagemill.data.layouts.tables.cells.annotation_cells import objects_cell, read_objects
from imagemill.data.layouts.unwritten import lose_the_rest
from imagemill.data.records.instances import Instance
from imagemill.data.records.moved_annotations import STORED_AS, counts_of
from imagemill.data.records.output_names import output_name
from imagemill.data.records.record import Pixels, Record, Stored, split_suffix
from imagemill.data.remote.remote_path import RemotePath, as_path
from imagemill.verbs.augment.augment_report import Annotated
from imagemill.verbs.augment.ledger import files_of
from imagemill.verbs.augment.one_copy import Made, image_suffix

__all__ = ["IN_FILES", "AnnotationFiles", "Place", "annotation_files", "digest_of", "row_of", "suffix_of"]

_STAGE = ".annotations-"
_PICTURES = ".pictures"
"""Where the images are whose layout keeps pixels in files of its own: hidden, so that no reader takes them for more."""

# Whose folders say all there is to say, so that images by their keys are the layout.
_BY_KEYS = frozenset(("file", "list", "folder", "class-folders", "split-folders", "class-tree", "tiff-stack"))
# Whose writers read pixels, and keep them in files of their own.
IN_FILES = frozenset(("webdataset", "tfrecord", "idx", "npz", "hdf5", "nnunet", "tiff-stack"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a copy's image and mask are to be, without suffix; no mask where it would be taken for an image."""

    image: str
    mask: str | None

    def further(self, name: str) -> str:
        """Where a further image or map is to be: in a folder of its name, named like the image."""
        return f"{name}/{self.image.removeprefix('images/')}"


@dataclass(frozen=True, slots=True)
class AnnotationFiles:
    """What is to be written beside the images of one run, and where the images are to be for it.

    Parameters
    ----------
    out : Path
    source : Source
    layout : Layout or None
        None where the images by their keys are all there is.
    copies : int
    prefix : str
    """

    out: Path
    source: Source
    layout: Layout | None
    copies: int
    prefix: str

    @property
    def name(self) -> str | None:
        """Name of the layout."""
        return None if self.layout is None else self.layout.name

    @property
    def suffix_of_arrays(self) -> str:
        """Format of images that are arrays, where no other is asked for; what goes into files must hold any type."""
        return ".tif" if self.name in IN_FILES else ""

    @property
    def further(self) -> bool:
        """Whether further images and maps have a place: beside images that are files, not in files that hold many."""
        return self.name not in IN_FILES

    def places(self, *, masks: bool) -> Mapping[tuple[str, int], Place]:
        """Where every copy is to be; `masks` says whether images have a folder of their own, beside others."""
        names = {
            (record.key, copy): output_name(record.key, copy, self.copies, self.prefix, ".x").removesuffix(".x")
            for record in self.source
            for copy in range(self.copies)
        }
        if self.layout is None or self.layout.name in IN_FILES:
            first = f"{_PICTURES}/" if self.layout is not None else ""
            apart = masks and self.layout is None
            return {
                at: Place(f"{first}{'images/' if apart else ''}{name}", f"{first}masks/{name}")
                for at, name in names.items()
            }
        return self._wanted_by(self.layout, names)

    def _wanted_by(self, layout: Layout, names: Mapping[tuple[str, int], str]) -> dict[tuple[str, int], Place]:
        """Where a layout wants images that are not there yet."""
        wanted: dict[str, str] = {}

        def place(where: Pixels, stem: str) -> str:
            wanted[str(where)] = stem
            return f"{stem}.png"

        records = []
        for record in self.source:
            for copy in range(self.copies):
                name = names[record.key, copy]
                mask = None if record.mask is None else Path("mask", name)
                annotations = None if record.objects is None else ()
                records.append(
                    replace(record, key=f"{name}.png", image=Path(name), mask=mask, objects=annotations, size=(1, 1))
                )
        source = replace(self.source, records=tuple(records), problems=(), notes=())
        with tempfile.TemporaryDirectory() as folder:
            made = layout.write(source, Path(folder) / "out", WriteTarget(place=place))
        if made.problems:
            raise SourceError(f"expected records that the layout {layout.name!r} can hold, got {made.problems[0]}")
        found = {}
        for at, name in names.items():
            image = wanted[str(Path(name))]
            # Where images have a folder of their own, masks in another are no images.
            aside = image.replace("images/", "masks/", 1) if image.startswith("images/") else None
            found[at] = Place(image, wanted.get(str(Path("mask", name)), aside))
        return found

    def current(self, rows: Mapping[tuple[str, int], Any], places: Mapping[tuple[str, int], Place]) -> dict[Any, Any]:
        """The outputs that are where they belong, and whose annotations are still those of their record.

        The others are removed, as they are about to be made anew.
        """
        records = {record.key: record for record in self.source}
        kept = {}
        for at, row in rows.items():
            record, place = records.get(at[0]), places.get(at)
            if record is None or place is None or self._is_current(row, record, place):
                kept[at] = row
                continue
            for _, name, _ in files_of(row):
                (self.out / name).unlink(missing_ok=True)
        return kept

    def _is_current(self, row: Mapping[str, Any], record: Record, place: Place) -> bool:
        there = row["output"] == place.image + split_suffix(row["output"])[1]
        return there and (self.layout is None or row.get("annotated") == digest_of(record))

    def begin(self) -> None:
        """Say that what belongs beside the images is still to come, until `end`; clear what a killed run left."""
        for left in () if isinstance(self.out, RemotePath) else self.out.glob(f"{_STAGE}*"):
            shutil.rmtree(left, ignore_errors=True)
        if self.layout is None:
            drop_beside(self.out)
        else:
            begin_beside(self.out, self.layout.name)

    def end(self, rows: Sequence[Mapping[str, Any]]) -> Annotated:
        """Write annotations of every output, and count what was kept and what was not.

        Parameters
        ----------
        rows : sequence of mapping
            The lines of all outputs, in order.

        Raises
        ------
        SourceError
            When the layout cannot hold the images.
        """
        if self.layout is None:
            return self._by_keys(rows)
        told = _counted(rows)
        records = tuple(self._record(row) for row in rows)
        source = replace(self.source, root=self.out, records=records, problems=(), notes=(), missing_masks=())
        if not records:
            drop_beside(self.out)
            return told
        lost = []
        if "mask" not in self.layout.holds and (count := sum(record.mask is not None for record in records)):
            lost.append(
                f"{count} label maps: written to masks/, where the layout '{self.name}' does not look "
                "(open the folder with masks='masks')"
            )
            source = replace(source, records=tuple(replace(record, mask=None) for record in records))
        with _stage(self.out) as stage:
            made = self.layout.write(source, stage, WriteTarget(place=self._there()))
            files = end_beside(stage, self.out, self.layout.name, made.count)
        return replace(told, files=files, lost=(*lost, *made.lost), problems=made.problems)

    def _there(self) -> Any:
        if self.name in IN_FILES:
            return None
        return lambda where, _: as_path(where).relative_to(self.out).as_posix()

    def _record(self, row: Mapping[str, Any]) -> Record:
        """A row as a record of the output folder."""
        told = row.get("record", {})
        # Keyed as when the layout was asked, so that it wants the same places.
        suffix = split_suffix(row["output"])[1]
        name = output_name(row["key"], row["copy"], max(self.copies, row["copy"] + 1), self.prefix, suffix)
        size = told.get("size")
        return Record(
            name,
            self.out / row["output"],
            None if row.get("mask") is None else self.out / row["mask"],
            told.get("label"),
            None if told.get("labels") is None else tuple(told["labels"]),
            read_objects(told.get("objects")),
            told.get("split"),
            told.get("group"),
            None if size is None else (int(size[0]), int(size[1])),
            json.loads(told.get("attributes", "{}")),
        )

    def _by_keys(self, rows: Sequence[Mapping[str, Any]]) -> Annotated:
        """What images by their keys say, and what they cannot."""
        known = {record.key: record for record in self.source}
        records = [known[row["key"]] for row in rows if row["key"] in known]
        masks = any(record.mask is not None for record in records)
        kept = Counter(labels=sum(record.label is not None for record in records))
        if self.source.layout in _BY_KEYS and not masks:
            return Annotated(kept=+kept)
        holds = layout_named("image-masks" if masks else "folder").holds | {"group", "split"}
        job = Export(self.out, WriteTarget(), io.StringIO())
        lose_the_rest(
            job, replace(self.source, records=tuple(records)), holds, "images and masks" if masks else "folder"
        )
        return Annotated(lost=job.written().lost, kept=Counter())


def annotation_files(out: Path, source: Source, to: str | None, copies: int, prefix: str) -> AnnotationFiles:
    """Choose the layout: the one asked for, else the source's.

    Raises
    ------
    SourceError
        When there is no such layout, or it cannot be written.
    """
    layout: Layout | None
    if to is not None:
        layout = layout_named(to)
        if not layout.writes:
            raise SourceError(f"expected a layout that can be written, got {to!r}, which is only read; choose another")
    else:
        layout = _own(source)
    return AnnotationFiles(out, source, layout, copies, prefix)


def _own(source: Source) -> Layout | None:
    """The source's layout where something has to be written for it."""
    name = source.layout
    known = {layout.name: layout for layout in known_layouts()}
    if name in _BY_KEYS or name not in known:
        return None
    if not known[name].writes:
        # COCO is what most tools take in.
        return known["coco"] if any(record.objects for record in source) else None
    if name == "yolo":  # three layouts are read alike
        annotations = [annotation for record in source for annotation in record.objects or ()]
        parts = (
            ("yolo-pose", any(t.keypoints for t in annotations)),
            ("yolo-polygons", any(t.polygons for t in annotations)),
        )
        name = next((form for form, there in parts if there), name)
    return layout_named(name)


@contextmanager
def _stage(out: Path) -> Iterator[Path]:
    """A folder on the disk of the outputs, or on this machine's, hidden from readers and removed at the end."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=_STAGE, dir=None if isinstance(out, RemotePath) else out))
    except OSError as error:
        raise SourceError(f"expected to write to {out}, got {error}; check space and permissions") from error
    try:
        yield folder / "out"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def digest_of(record: Record) -> str | None:
    """What tells whether a record's annotations changed; None where there are none."""
    said = (record.label, record.labels, record.split, record.group, record.objects, sorted(record.attributes.items()))
    if not any(said):
        return None
    return blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def row_of(record: Record, made: Made) -> dict[str, Any]:
    """What an output's line keeps of its record, so that annotations can be written from lines alone."""
    shape = made.picture.spatial_shape
    told: dict[str, Any] = {
        "label": record.label,
        "labels": record.labels,
        "split": record.split,
        "group": record.group,
        # As text, for JSON has no word for NaN.
        "attributes": json.dumps(dict(record.attributes)) if record.attributes else None,
        "objects": None if made.objects is None else objects_cell(made.objects),
    }
    told = {name: value for name, value in told.items() if value is not None}
    if not told:
        return {}
    if len(shape) == 2:
        told["size"] = list(shape)
    row: dict[str, Any] = {"record": told, "annotated": digest_of(record)}
    gone = {STORED_AS.get(name, name): count for name, count in sorted(made.gone.items())}
    return {**row, "gone": gone} if gone else row


def suffix_of(record: Record, asked: str | None, arrays: str) -> str:
    """The suffix of a record's outputs."""
    return arrays if asked is None and arrays and isinstance(record.image, Stored) else image_suffix(record, asked)


def _counted(rows: Sequence[Mapping[str, Any]]) -> Annotated:
    kept: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    shown = {stored: name for name, stored in STORED_AS.items()}
    for row in rows:
        told = row.get("record", {})
        annotations: tuple[Instance, ...] = read_objects(told.get("objects")) or ()
        kept.update(counts_of(annotations))
        kept["labels"] += told.get("label") is not None
        kept["labels"] += len(told.get("labels") or ())
        gone.update({shown.get(name, name): count for name, count in row.get("gone", {}).items()})
    return Annotated(kept=+kept, gone=gone)
