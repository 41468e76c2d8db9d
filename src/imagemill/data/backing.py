"""Where the pixels of a `Dataset` come from: a prepared store, or a source that is read picture by picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagemill.core.errors import SourceError
from imagemill.core.targets import Array, Boxes, Image, Instances, Keypoints, Label, Map, Mask, Polygons, Target
from imagemill.data import store
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.shapes.rle import mask_from_rle
from imagemill.data.records.as_targets import keypoint_labels, keypoint_names_of, rings_of
from imagemill.data.records.further_targets import further_of
from imagemill.data.records.instances import RLE, Instance
from imagemill.data.records.loading import load_mask, load_picture
from imagemill.data.records.orientation import Seen, objects_on
from imagemill.data.records.record import Further, Record, Stored
from imagemill.data.splits.duplicates import Contents, contents_of
from imagemill.data.store import Part

__all__ = [
    "Backing",
    "SourceBacking",
    "StoreBacking",
    "called_before",
    "is_mask_of",
    "labels_of",
    "names_of",
    "rows_alike",
    "targets_of",
    "texts_of",
]


_MOST = 4096
"""Files mapped at once: systems allow some ten thousand mappings."""


class Backing(Protocol):
    """What a dataset asks of whatever holds its pixels."""

    def targets(self, row: int) -> dict[str, Target]:
        """Image, mask, boxes and keypoints of a row."""
        ...

    def record(self, row: int) -> Record:
        """The row as a record whose pixels are read when they are needed."""
        ...

    def masked(self) -> npt.NDArray[np.bool_]:
        """Whether each of all its rows has a label map."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SourceBacking:
    """Records that were never prepared."""

    source: Source

    def targets(self, row: int) -> dict[str, Target]:
        """Read a row."""
        record = self.source.records[row]
        picture = load_picture(record.image)
        found: dict[str, Target] = {
            "image": Image(picture.array, picture.axes, picture.spacing, picture.affine),
        }
        if record.mask is not None:
            mask = load_mask(record.mask, like=picture, frame=record.frame)
            found["mask"] = Mask(mask.array, axes=mask.axes)
        found |= further_of(record, picture)
        if record.objects is None or len(picture.spatial_shape) != 2:
            return found
        objects = objects_on(record, Seen.of(picture))[0]
        return found | targets_of(objects, picture.spatial_shape, self.keypoint_names)

    @property
    def keypoint_names(self) -> Mapping[str, Sequence[str]]:
        """Names of each category's keypoints."""
        return keypoint_names_of(self.source.categories, self.source.keypoint_names, self.source.info)

    def record(self, row: int) -> Record:
        """The record itself."""
        return self.source.records[row]

    def masked(self) -> npt.NDArray[np.bool_]:
        """Whether each of its records has a label map."""
        return np.array([record.mask is not None for record in self.source.records], dtype=bool)


def targets_of(
    objects: Sequence[Instance] | None,
    shape: Sequence[int],
    names: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, Target]:
    """Annotations, on the pixels as they are, as boxes, polygons, instance masks and keypoints.

    ``index`` and ``keypoints.instance`` say which of the annotations each belongs to. Polygons are where they are
    given as such, instance masks where they are given as runs over a picture of this ``shape``; ``names`` are those of
    each category's keypoints.
    """
    if objects is None:
        return {}
    boxed = [
        (place, annotation, annotation.box) for place, annotation in enumerate(objects) if annotation.box is not None
    ]
    edges = [[b[0], b[1], b[0] + b[2], b[1] + b[3]] for _, _, b in boxed]
    index = np.array([place for place, _, _ in boxed], np.int64)
    found: dict[str, Target] = {
        "boxes": Boxes(np.array(edges), "xyxy", [annotation.category for _, annotation, _ in boxed], index)
    }
    outlined = [place for place, annotation in enumerate(objects) if rings_of(annotation)]
    if outlined:
        rows = [objects[place] for place in outlined]
        found["polygons"] = Polygons(
            [rings_of(one) for one in rows], labels=[one.category for one in rows], index=np.array(outlined)
        )
    masked = [place for place, annotation in enumerate(objects) if is_mask_of(annotation.rle, shape)]
    if masked:
        runs = [objects[place].rle for place in masked]
        masks = np.stack([mask_from_rle(one) for one in runs if one is not None]).astype(bool)
        labels = [objects[place].category for place in masked]
        found["instances"] = Instances(masks, labels=labels, index=np.array(masked))
    keypoints = [keypoint for annotation in objects for keypoint in annotation.keypoints]
    if keypoints:
        points = np.array(keypoints, dtype=np.float64)
        instance = np.repeat(np.arange(len(objects)), [len(annotation.keypoints) for annotation in objects])
        labels = keypoint_labels(objects, names)
        found["keypoints"] = Keypoints(points[:, :2], "xy", points[:, 2] > 0, labels, instance)
    return found


def names_of(objects: Iterable[Instance]) -> set[str]:
    """Under which names something of some annotations is found, besides boxes."""
    found: set[str] = set()
    for annotation in objects:
        parts = {"keypoints": annotation.keypoints, "polygons": rings_of(annotation), "instances": annotation.rle}
        found |= {name for name, there in parts.items() if there}
    return found


def is_mask_of(runs: RLE | None, shape: Sequence[int]) -> bool:
    """Whether there are runs, and over a picture of this shape: a mask of another picture is no mask of this one."""
    return runs is not None and (runs.height, runs.width) == tuple(shape)


@dataclass(eq=False)
class StoreBacking:
    """A prepared store; each part is mapped when it is first needed.

    Parameters
    ----------
    path : Path
    said : mapping
        What `dataset.json` says.
    parts : dict
        Files that are mapped.
    most : int
        How many of them may be at once.
    """

    path: Path
    said: Mapping[str, Any]
    parts: dict[str, Part] = field(default_factory=dict)
    most: int = _MOST

    @cached_property
    def files(self) -> dict[str, store.File]:
        """The files that hold the rows, by name and in order."""
        return {one.name: one for one in store.files_of(self.said)}

    @cached_property
    def names(self) -> list[str]:
        """Their names: those of the parts, or, where a part is many files, with a number."""
        return list(self.files)

    def part(self, name: str) -> Part:
        """A file of a part, mapped; of very many, those that were opened first are closed again.

        Raises
        ------
        SourceError
            When its file is missing or damaged.
        """
        if name not in self.parts:
            part = open_checked(self.path / f"{name}.arrow", self.files[name].count)
            self.parts[name] = part
            while len(self.parts) > self.most:
                self.parts.pop(next(iter(self.parts)), None)
            return part
        return self.parts[name]

    @cached_property
    def starts(self) -> list[int]:
        """First row of each file, and the number of rows."""
        return [0, *np.cumsum([one.count for one in self.files.values()], dtype=np.int64).tolist()]

    @cached_property
    def table(self) -> pl.DataFrame:
        """The manifest's rows that are in the store, in the store's order."""
        try:
            # By pyarrow, which answers damage with an error; the reader of Polars panics.
            found = pl.from_arrow(pq.read_table(self.path / store.MANIFEST))
            manifest = found if isinstance(found, pl.DataFrame) else found.to_frame()
            manifest = manifest.filter(pl.col("split").is_not_null()).drop("entry", "problem").cast({"key": pl.String})
            _ = manifest["label"], manifest["labels"], manifest["group"], manifest["mask_checksum"]
        except (OSError, ValueError, pa.ArrowException, pl.exceptions.PolarsError) as error:
            do = "prepare the dataset again"
            raise SourceError(f"{self.path / store.MANIFEST}: expected a table, got: {error}; {do}") from error
        keys = pl.concat(
            [
                pl.DataFrame({"key": pl.Series(pl.from_arrow(self.part(name).table["key"]), dtype=pl.String)})
                for name in self.names
            ]
        )
        table = keys.join(manifest, on="key", how="left", maintain_order="left")
        # Columns of what this dataset does not have would only be in the way.
        empty = [n for n in ("label", "labels", "group", "mask_checksum") if table[n].null_count() == len(table)]
        return table.drop(empty)

    def masked(self) -> npt.NDArray[np.bool_]:
        """Whether each of its rows has a label map, which for the others is stored as zeros."""
        parts = [self.part(name) for name in self.names]
        known = [
            part.table["mask"].is_valid().to_numpy() if "mask" in part.arrays else np.zeros(len(part.table), bool)
            for part in parts
        ]
        return np.concatenate([*known, np.zeros(0, bool)])

    @cached_property
    def maps(self) -> tuple[str, ...]:
        """Names of the maps of numbers that every row has."""
        return tuple(self.said.get("maps") or ())

    def maps_of(self, read: Callable[[str], Any], *, plain: bool) -> dict[str, Any]:
        """Maps of some rows by name, as targets, or plain as their columns are read."""
        flat = str(self.said["image"]["axes"]).removesuffix("c")
        found = {name: read(store.map_column(name)) for name in self.maps}
        return found if plain else {name: [Map(one, flat) for one in rows] for name, rows in found.items()}

    def locate(self, row: int) -> tuple[Part, int]:
        """The part a row is in, and its place there."""
        which = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.part(self.names[which]), row - self.starts[which]

    def targets(self, row: int) -> dict[str, Target]:
        """The prepared targets of a row; arrays are views into the file."""
        part, place = self.locate(row)
        axes = self.said["image"]["axes"]
        affine = self._affine(part, place)
        found: dict[str, Target] = {"image": Image(part.arrays["image"][place], axes, None, affine)}
        if "mask" in part.arrays and part.table["mask"][place].is_valid:
            found["mask"] = Mask(part.arrays["mask"][place], axes.removesuffix("c"))
        found |= {name: Map(part.arrays[store.map_column(name)][place], axes.removesuffix("c")) for name in self.maps}
        return found | targets_of(self._objects(part, place), self.said["image"]["shape"][:2], self.keypoint_names)

    @cached_property
    def keypoint_names(self) -> Mapping[str, Sequence[str]]:
        """Names of each category's keypoints."""
        said = self.said
        info = (said.get("source") or {}).get("info") or {}
        return keypoint_names_of(said.get("categories", ()), said.get("joint_names", ()), info)

    @cached_property
    def has_keypoints(self) -> bool:
        """Whether any annotation in the store has keypoints, named or not."""
        return self._any_annotation_has("joints")

    @cached_property
    def has_polygons(self) -> bool:
        """Whether any annotation in the store has a polygon."""
        return self._any_annotation_has("polygons")

    @cached_property
    def has_runs(self) -> bool:
        """Whether any annotation in the store has a mask."""
        return self._any_annotation_has("runs")

    def _any_annotation_has(self, field: str) -> bool:
        for name in self.names:
            column = self.part(name).table
            if "objects" in column.column_names:
                annotations = pc.list_flatten(column["objects"])
                if (pc.sum(pc.list_value_length(pc.struct_field(annotations, field))).as_py() or 0) > 0:
                    return True
        return False

    def label(self, row: int) -> Label | None:
        """The label as a number, or a row of 0 and 1."""
        part, place = self.locate(row)
        if "label" not in part.table.column_names:
            return None
        value = part.table["label"][place].as_py()
        return None if value is None else Label(np.array(value, np.uint8) if isinstance(value, list) else value)

    def record(self, row: int) -> Record:
        """A row with its pixels as arrays in the store."""
        part, place = self.locate(row)
        key = part.table["key"][place].as_py()
        axes, name = self.said["image"]["axes"], f"{part.path}: row {place}"
        image = Stored(name, lambda: part.arrays["image"][place], axes, self._affine(part, place))
        record = Record(key, image, objects=self._objects(part, place))
        if "mask" in part.arrays and part.table["mask"][place].is_valid:
            mask = Stored(name, lambda: part.arrays["mask"][place], axes.removesuffix("c"))
            record = replace(record, mask=mask)
        further = {
            one: Further(Stored(name, partial(_row_of, part, one, place), axes.removesuffix("c")), "map")
            for one in self.maps
        }
        return replace(record, further=further) if further else record

    def _affine(self, part: Part, place: int) -> Array | None:
        if "world" not in part.table.column_names:
            return None
        flat = part.table["world"][place].as_py()
        side = None if flat is None else round(len(flat) ** 0.5)
        return None if side is None else np.array(flat).reshape(side, side)

    def _objects(self, part: Part, place: int) -> tuple[Instance, ...] | None:
        if "objects" not in part.table.column_names:
            return None
        annotations = part.table["objects"][place].as_py()
        shape = self.said["image"]["shape"]
        try:
            return (
                None
                if annotations is None
                else tuple(_instance(t, self.said["categories"], shape) for t in annotations)
            )
        except (LookupError, TypeError, ValueError) as error:
            do = "prepare the dataset again"
            raise SourceError(f"{part.path}: expected annotations in row {place}, got {error}; {do}") from error


def _row_of(part: Part, name: str, place: int) -> Array:
    found: Array = part.arrays[store.map_column(name)][place]
    return found


def _instance(annotation: Mapping[str, Any], categories: Sequence[str], shape: Sequence[int]) -> Instance:
    box = annotation["box"]
    runs = annotation["runs"]
    return Instance(
        categories[annotation["category"]],
        None if box is None else (box[0], box[1], box[2] - box[0], box[3] - box[1]),
        tuple(tuple(polygon) for polygon in annotation["polygons"] or ()),
        None if runs is None else RLE(shape[0], shape[1], tuple(runs)),
        tuple((x, y, int(seen)) for x, y, seen in annotation["joints"] or ()),
        bool(annotation["crowd"]),
        json.loads(annotation["attributes"]) if annotation["attributes"] else {},
    )


def rows_alike(backings: Sequence[Backing], table: pl.DataFrame, places: Sequence[Sequence[int]]) -> Contents:
    """Which rows show the same picture: a store knows the digests of what it was made from, files are compared."""
    stored = any(isinstance(backing, StoreBacking) for backing in backings)
    if stored and "checksum" in table.columns:
        return contents_of((), table["checksum"].to_list())
    if stored:
        return Contents((None,) * len(places))
    return contents_of([backings[which].record(place) for which, place in places])


def called_before(backings: Sequence[Backing]) -> dict[str, str]:
    """What columns were called in their table before they got a role."""
    found: dict[str, str] = {}
    for backing in backings:
        if isinstance(backing, StoreBacking):
            info = (backing.said.get("source") or {}).get("info") or {}
        else:
            info = backing.source.info if isinstance(backing, SourceBacking) else {}
        found = {**(info.get("columns") or {}), **found}
    return found


def texts_of(table: pl.DataFrame) -> dict[str, list[Any]]:
    """The plain columns of a table as texts."""
    flat = [name for name, kind in table.schema.items() if not kind.is_nested()]
    return {name: table[name].cast(pl.String).to_list() for name in flat}


def open_checked(path: Path, count: int) -> Part:
    """A part of as many rows as the description says.

    Raises
    ------
    SourceError
        When it has others.
    """
    part = store.open_part(path)
    if len(part) != count:
        raise SourceError(f"{path}: expected {count} rows, got {len(part)}; prepare the dataset again")
    if "image" not in part.arrays or "key" not in part.table.column_names:
        raise SourceError(f"{path}: expected a column of keys and one of images, got others; prepare the dataset again")
    return part


def labels_of(part: Part) -> Array | None:
    """The labels of a part as one array; None where there are none, or some are missing."""
    if "label" not in part.table.column_names:
        return None
    column = part.table["label"].combine_chunks()
    if column.null_count:
        return None
    if pa.types.is_fixed_size_list(column.type):
        flat: Array = column.flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(column), column.type.list_size)
    values: Array = column.to_numpy(zero_copy_only=False)
    return values
