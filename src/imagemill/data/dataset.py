"""A table of images: what users filter, divide and iterate, prepared or not."""

from __future__ import annotations

import hashlib
import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import polars as pl

from imagemill.core.errors import InputError, SourceError
from imagemill.core.extras import require
from imagemill.core.looking import Seeable
from imagemill.core.sample import Recipe, Sample
from imagemill.core.targets import Array, Label, Target
from imagemill.data import store
from imagemill.data.as_source import mapped, place_of, source_of
from imagemill.data.asked_otherwise import AskedOtherwise, refuse_pipeline
from imagemill.data.backing import Backing, SourceBacking, StoreBacking, called_before, labels_of, rows_alike, texts_of
from imagemill.data.layouts.base import Source
from imagemill.data.natural_sort import natural
from imagemill.data.records.record import untellable
from imagemill.data.remote.remote_files import fresh
from imagemill.data.remote.remote_path import as_path
from imagemill.data.splits.grouping import divide, grouped
from imagemill.data.splits.split import PARTS, read_shares
from imagemill.data.uniform import uniform_column

__all__ = ["Dataset", "open"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dataset(AskedOtherwise, Seeable):
    """Rows of a table, each with its pixels; nothing is read before it is needed.

    Every method gives a new dataset and leaves this one as it is.

    Parameters
    ----------
    table : polars.DataFrame
        One row per image: ``key``, ``split``, ``label`` (the name), ``group`` and whatever else is known.
    backings : tuple of Backing
        What holds the pixels.
    places : array of int, ``(n, 2)``
        For each row of the table, which backing, and which row of it.
    classes : tuple of str
        In the order of their numbers.
    name : str
        What it was opened from.
    remarks : tuple of str
        What there is to say about how it was divided.

    Examples
    --------
    >>> import tempfile
    >>> from imagemill.data import Picture, write_picture
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for n in range(4):
    ...         picture = Picture(np.full((8, 6), n, np.uint8), "yx")
    ...         write_picture(f"{folder}/{'cat' if n % 2 else 'dog'}/{n}.png", picture)
    ...     photos = open(folder)
    ...     photos.class_counts(), photos[0].image.shape, len(photos.filter(pl.col("label") == "cat"))
    ({'cat': 2, 'dog': 2}, (8, 6), 2)
    """

    table: pl.DataFrame
    backings: tuple[Backing, ...] = ()
    places: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    classes: tuple[str, ...] = ()
    name: str = ""
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, row: int | str) -> Sample: ...
    @overload
    def __getitem__(self, row: slice | Sequence[int] | Array) -> Dataset: ...
    def __getitem__(self, row: Any) -> Sample | Dataset:
        """One row as a sample: ``image``, and where there are any ``mask``, ``boxes``, ``keypoints``, ``label``.

        The row is said by its number or its key. A slice, numbers or a mask of bools give a dataset, as `select` does.

        ``sample.targets`` and ``sample.recipe.key`` are what a pipeline takes; images of a store are read-only
        views into its file.
        """
        if isinstance(row, slice | Sequence | np.ndarray) and not isinstance(row, str):
            return self.select(row)
        if isinstance(row, str):
            row = self._row_of(row)
        if not -len(self) <= row < len(self):
            raise IndexError(f"expected a row below {len(self)}, got {row}")
        which, place = self.places[row].tolist()
        backing = self.backings[which]
        targets: dict[str, Target] = backing.targets(place)
        label = backing.label(place) if self._is_as_stored(backing) else self._number(row)
        if label is not None:
            targets["label"] = label
        key = self.table["key"][row]
        affine = getattr(targets["image"], "affine", None)
        sample = Sample(targets, Recipe(0, 0, key, ""))
        return sample if affine is None else replace(sample, affine=affine)

    def _row_of(self, key: str) -> int:
        found = self.table["key"].index_of(key)
        if found is None:
            do = f"dataset.table[{key!r}] is that column" if key in self.table.columns else "see dataset.table['key']"
            raise InputError(f"expected the key of a row, got {key!r}; {do}")
        return int(found)

    def __iter__(self) -> Iterator[Sample]:
        return (self[row] for row in range(len(self)))

    def _is_as_stored(self, backing: Backing) -> bool:
        """Whether the numbers in a store are those of this dataset's classes."""
        return isinstance(backing, StoreBacking) and tuple(backing.said["classes"]) == self.classes

    def _number(self, row: int) -> Label | None:
        label = self.table["label"][row] if "label" in self.table.columns else None
        return None if label is None else Label(self.classes.index(label))

    # ---------------------------------------------------------------------------------------- choosing rows

    def select(self, rows: Any) -> Dataset:
        """The rows of these numbers, in that order; a mask of bools or a slice does as well."""
        index = np.arange(len(self))[rows if isinstance(rows, slice) else np.asarray(rows)]
        return replace(self, table=self.table[index], places=self.places[index])

    def filter(self, condition: pl.Expr | Callable[[Mapping[str, Any]], bool]) -> Dataset:
        """The rows for which an expression over the table, or a function of one row of it, is true."""
        if isinstance(condition, pl.Expr):
            kept = self.table.select(condition.fill_null(value=False)).to_series().to_numpy().astype(bool)
        else:
            kept = np.array([bool(condition(row)) for row in self.table.iter_rows(named=True)], dtype=bool)
        if len(kept) != len(self):
            raise InputError(f"expected a condition with one value per row, {len(self)}, got {len(kept)}")
        return self.select(np.flatnonzero(kept))

    def subset(self, what: str | int, *, seed: int = 0) -> Dataset:
        """A part by its name, or a number of rows drawn by a hash of seed and key, in the table's order."""
        if isinstance(what, str):
            known = self.table["split"].unique(maintain_order=True).to_list() if "split" in self.table.columns else []
            if what not in known:
                raise InputError(f"expected the name of a part, got {what!r}; choose one of {known}")
            return self.filter(pl.col("split") == what)
        if not 0 <= what <= len(self):
            raise InputError(f"expected a number of rows up to {len(self)}, got {what}; give a smaller one")
        return self.select(np.sort(self._order(seed)[:what]))

    def shuffle(self, seed: int = 0) -> Dataset:
        """The same rows in an order that follows from seed and keys; labels go with their images."""
        return self.select(self._order(seed))

    def _order(self, seed: int) -> npt.NDArray[np.int64]:
        keys = [hashlib.blake2b(k.encode(), digest_size=16, key=str(seed).encode()).digest() for k in self.table["key"]]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)

    def with_columns(self, *columns: pl.Expr, **named: pl.Expr) -> Dataset:
        """The same rows with columns added to the table, or changed; labels of a new name are new classes."""
        changed = replace(self, table=self.table.with_columns(*columns, **named))
        return changed if set(changed._present()) <= set(self.classes) else changed.with_classes()

    def with_classes(self, names: Sequence[str] | None = None) -> Dataset:
        """Other classes, or another order of them; those that the rows have when left out.

        Rows that are filtered away leave the classes as they are, so that their numbers stay.
        """
        present = self._present()
        classes = tuple(present if names is None else names)
        missing = sorted(set(present) - set(classes))
        if missing or len(set(classes)) != len(classes):
            raise InputError(f"expected each class of the rows once, got {list(classes)}; missing: {missing}")
        return replace(self, classes=classes)

    def _present(self) -> list[str]:
        """Names of the labels that the rows have, in natural order."""
        found: set[str] = set()
        if "label" in self.table.columns:
            found |= set(self.table["label"].drop_nulls().unique().to_list())
        if "labels" in self.table.columns:
            found |= set(self.table["labels"].explode().drop_nulls().unique().to_list())
        return sorted(found, key=natural)

    def map(self, *columns: pl.Expr | Callable[[Mapping[str, Any]], Mapping[str, Any]], **named: pl.Expr) -> Dataset:
        """As `with_columns`; or columns from a function that gives values by name for every row of the table."""
        if not any(callable(one) and not isinstance(one, pl.Expr) for one in columns):
            return self.with_columns(*columns, **named)  # type: ignore[arg-type]
        refuse_pipeline(columns[0])
        if len(columns) > 1 or named:
            raise InputError("expected one function, or expressions, got both; call map once for each")
        rows = list(self.table.iter_rows(named=True))
        made = [columns[0](row) for row in rows]  # type: ignore[operator]
        return self.with_columns(**{name: pl.Series(name, values) for name, values in mapped(rows, made).items()})  # type: ignore[arg-type]

    def split(
        self, numbers: Any = "auto", *, val: float | None = None, group: str | None = None, seed: int = 0
    ) -> Dataset:
        """The same rows, divided anew: stratified by label, groups and pictures of the same content kept whole.

        ``group`` is a column, or a regular expression over keys with the group in parentheses. See `read_shares` for
        the numbers. A part that stays empty, or a class without a training picture, is warned of; ``notes`` says more.
        """
        columns = texts_of(self.table)
        made = divide(
            columns["key"],
            read_shares(numbers, val, len(self)),
            columns.get("label"),
            grouped(columns, group, called_before(self.backings)),
            rows_alike(self.backings, self.table, self.places.tolist()),
            seed,
        )
        for warning in made.warnings:
            warnings.warn(warning, stacklevel=2)
        divided = replace(self, remarks=(*made.notes, *made.warnings))
        return replace(divided, table=self.table.with_columns(pl.Series("split", made.parts, pl.String)))

    def concat(self, *others: Dataset) -> Dataset:
        """The rows of several datasets, one behind the other; columns that some lack are empty there.

        Raises
        ------
        InputError
            When a key comes twice, or the classes differ.
        """
        every = (self, *others)
        if len({dataset.classes for dataset in every}) > 1:
            raise InputError("expected datasets of the same classes, got others; filter or relabel them first")
        table = pl.concat([dataset.table for dataset in every], how="diagonal_relaxed")
        if table["key"].is_duplicated().any():
            twice = table["key"].filter(table["key"].is_duplicated())[0]
            raise InputError(f"expected every key once, got {twice!r} twice; change one with with_columns")
        places: list[npt.NDArray[np.int64]] = []
        backings: tuple[Backing, ...] = ()
        for dataset in every:
            places.append(dataset.places + np.array([len(backings), 0]))
            backings = (*backings, *dataset.backings)
        return replace(self, table=table, backings=backings, places=np.concatenate(places))

    # ---------------------------------------------------------------------------------------- looking at it

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the annotations inside the pictures (boxes, polygons, keypoints), in the order of their numbers."""
        found: list[str] = []
        for one in self.backings:
            found += one.source.categories if isinstance(one, SourceBacking) else one.said.get("categories", ())  # type: ignore[attr-defined]
        return tuple(dict.fromkeys(found))

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to know of how it was divided and read: what was passed over or not taken in, and why."""
        sources = [one.source for one in self.backings if isinstance(one, SourceBacking)]
        return (*self.remarks, *(str(said) for source in sources for said in (*source.problems, *source.notes)))

    def class_counts(self) -> dict[str, int]:
        """Images of each class, in the order of the classes."""
        if "labels" in self.table.columns:
            found = self.table["labels"].explode().value_counts()
        elif "label" in self.table.columns:
            found = self.table["label"].value_counts()
        else:
            return {}
        counts = dict(found.iter_rows())
        return {name: int(counts.get(name, 0)) for name in self.classes}

    @property
    def is_prepared(self) -> bool:
        """Whether all rows come from stores, and so are of one size and type."""
        return all(isinstance(backing, StoreBacking) for backing in self.backings)

    @property
    def mean_std(self) -> tuple[list[float], list[float]]:
        """Mean and deviation of each channel over the training part, white as 1: ``Normalize(*dataset.mean_std)``.

        Raises
        ------
        InputError
            When the dataset is not prepared, or its pixels are standardised already.
        """
        said = self._store().said
        if said["statistics"] is None or said["standardized"] != "none":
            got = "none" if said["statistics"] is None else f"pixels standardised by {said['standardized']}"
            raise InputError(f"expected statistics of pixels as they are, got {got}; leave Normalize out")
        white = said["statistics"]["white"]
        means, stds = said["statistics"]["channel_mean"], said["statistics"]["channel_std"]
        return [mean / white for mean in means], [std / white for std in stds]

    @property
    def statistics(self) -> dict[str, Any]:
        """Statistics of the training part, with the arrays by place."""
        backing = self._store()
        said = dict(backing.said["statistics"] or {})
        if said:
            with np.load(backing.path / said.pop("file"), allow_pickle=False) as arrays:
                said |= {name: arrays[name] for name in arrays.files}
        return said

    def _store(self) -> StoreBacking:
        backing = self.backings[0]
        if not self.is_prepared or not isinstance(backing, StoreBacking) or len(self.backings) != 1:
            raise InputError("expected a prepared dataset, got one that is not; do: dataset.prepare(folder, size=224)")
        return backing

    @property
    def images(self) -> Array:
        """All images as one array ``(n, ...)``: a view into the store where the rows are one part or a run of it."""
        return self._column("image")

    @property
    def masks(self) -> Array:
        """All label maps as one array, in the same way; zeros where an image has none."""
        return self._column("mask")

    @property
    def masked(self) -> npt.NDArray[np.bool_]:
        """Whether each row has a label map: ``dataset.select(np.flatnonzero(dataset.masked))`` has no other."""
        known = [backing.masked() for backing in self.backings]
        starts = np.cumsum([0, *map(len, known)])
        return np.concatenate([*known, np.zeros(0, bool)])[starts[self.places[:, 0]] + self.places[:, 1]]

    def _column(self, name: str) -> Array:
        backing = self._store()
        rows = self.places[:, 1]
        starts = backing.starts
        if name not in backing.part(backing.names[0]).arrays:
            raise InputError(f"expected a store with a column {name!r}, got one without; prepare it with masks")
        for which, part in enumerate(backing.names):
            run = len(rows) and starts[which] <= rows[0] and rows[-1] < starts[which + 1]
            if run and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
                first = int(rows[0]) - starts[which]
                return backing.part(part).arrays[name][first : first + len(rows)]
        one = backing.part(backing.names[0]).arrays[name]
        out = np.empty((len(rows), *one.shape[1:]), one.dtype)
        for at, row in enumerate(rows.tolist()):
            part_of, place = backing.locate(row)
            out[at] = part_of.arrays[name][place]
        return out

    def arrays(self, part: str | None = None) -> tuple[Array, Array | None]:
        """Images and labels of a part (or of all rows) as one array each; labels None where some have none."""
        chosen = self if part is None else self.subset(part)
        backing = chosen._store()
        found = [labels_of(backing.part(name)) for name in backing.names]
        if any(labels is None for labels in found):
            return chosen.images, None
        return chosen.images, np.concatenate([labels for labels in found if labels is not None])[chosen.places[:, 1]]

    def __repr__(self) -> str:
        parts = dict(self.table["split"].value_counts().iter_rows()) if "split" in self.table.columns else {}
        lines = [f"Dataset of {len(self):,} images in {self.name}"]
        if self.is_prepared and self.backings:
            image = self._first_said()["image"]
            lines.append(f"  images   {' x '.join(map(str, image['shape']))} ({image['axes']}), {image['dtype']}")
        else:
            lines.append("  images   as they are in their files, not prepared")
        if any(parts.values()) and set(parts) != {None}:
            lines.append("  parts    " + ", ".join(f"{p} {parts[p]:,}" for p in PARTS if p in parts))
        counts = self.class_counts()
        if counts:
            shown = ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:10])
            lines.append(f"  classes  {len(counts)}: {shown}" + (", ..." if len(counts) > 10 else ""))
        lines.append("  columns  " + ", ".join(self.table.columns))
        if self.notes:
            lines.append(f"  notes    {len(self.notes)}: {self.notes[0]}" + ("; ..." if len(self.notes) > 1 else ""))
        return "\n".join(lines)

    def _first_said(self) -> Mapping[str, Any]:
        backing = self.backings[0]
        return backing.said if isinstance(backing, StoreBacking) else {}

    # ---------------------------------------------------------------------------------------- going elsewhere

    def to_polars(self) -> pl.DataFrame:
        """The table."""
        return self.table

    def to_pandas(self) -> Any:
        """The table, for pandas."""
        require("pandas", extra="pandas")
        return self.table.to_pandas()

    def to_hf(self) -> Any:
        """A `datasets.Dataset` of a store's rows, its files mapped and not copied, labels with their names."""
        datasets = require("datasets", extra="huggingface")
        backing = self._store()
        files = [str(backing.path / f"{name}.arrow") for name in backing.names]
        whole = datasets.concatenate_datasets([datasets.Dataset.from_file(file) for file in files])
        if backing.said["label"]["form"] == "index":
            whole = whole.cast_column("label", datasets.ClassLabel(names=list(self.classes)))
        rows = self.places[:, 1]
        return whole if np.array_equal(rows, np.arange(len(whole))) else whole.select(rows)

    def to_source(self) -> Source:
        """The rows as a source, for `prepare`, `augment` and writing layouts, with the values of the table."""
        records = []
        for row, (which, place) in zip(self.table.iter_rows(named=True), self.places.tolist(), strict=True):
            record = self.backings[which].record(place)
            given = {name: row[name] for name in ("key", "label", "split", "group") if name in row}
            several = row.get("labels")
            labels = record.labels if several is None else tuple(several)
            records.append(replace(record, **given, labels=labels))
        if len(self.backings) == 1 and isinstance(first := self.backings[0], SourceBacking):
            return replace(first.source, records=tuple(records), classes=self._named())
        said = self._first_said()
        return Source(
            as_path(self.name),
            "dataset",
            tuple(records),
            classes=self._named(),
            categories=tuple(said.get("categories", ())),
            keypoint_names=tuple(said.get("joint_names", ())),
            links=tuple((a, b) for a, b in said.get("links", ())),
        )

    def _named(self) -> tuple[str, ...]:
        """The classes of pictures; those of annotations only stand in for them."""
        return self.classes if self._present() or self.classes != self.categories else ()

    def prepare(self, out: Path | str, **how: Any) -> Any:
        """Make a store of the rows; see `imagemill.prepare`."""
        # The one import that goes up, and only when it is called: a dataset is what the verb takes and gives.
        module = importlib.import_module("imagemill.verbs.prepare")
        return module.prepare(self.to_source(), out, **how)

    def save(self, out: Path | str, **how: Any) -> Dataset:
        """Write the rows as a store of their own, with the parts the table says, and open it."""
        said = "split" in self.table.columns and not self.table["split"].null_count()
        self.prepare(out, **{"split": "keep" if said else "auto", **how})
        return open(out)


def open(path: Any, **options: Any) -> Dataset:
    """Open a prepared store, or any source as a dataset that is not prepared.

    Parameters
    ----------
    path : Path, str, Source, list, array, tuple or mapping of arrays
        A store that `prepare` made, here or at an address (``s3://bucket/store``: rows are fetched when they are asked
        for), or whatever `open_source` takes; ``~`` stands for the user's folder. A pattern such as ``"photos/*.jpg"``
        or ``"train-{0000..0009}.tar"``; a list of paths, records or arrays; one array ``[n, ...]``, ``(images,
        labels)``, ``{"train": (images, labels), "test": ...}`` or ``((x, y), (x, y))``.
    **options
        For `open_source`.

    Returns
    -------
    Dataset

    Raises
    ------
    SourceError
        When there is nothing, or a store is damaged or unfinished.

    Examples
    --------
    >>> open("nowhere")
    Traceback (most recent call last):
    imagemill.core.errors.SourceError: expected ...
    """
    folder = place_of(path)
    if folder is not None:
        fresh(folder)
        if store.is_store(folder):
            backing = StoreBacking(folder, store.read_description(folder))
            table = backing.table
            places = np.column_stack([np.zeros(len(table), np.int64), np.arange(len(table))])
            classes = tuple(backing.said["classes"]) or tuple(backing.said.get("categories", ()))
            return Dataset(table, (backing,), places, classes, str(folder))
        if (folder / ".work").is_dir():
            store.read_description(folder)  # says what to do
    return _of_source(source_of(path, **options))


def _of_source(source: Source) -> Dataset:
    records = source.records
    if bad := next((record.key for record in records if untellable(record)), ""):
        raise SourceError(f"expected names and texts in UTF-8, got others in {bad!a}; rename or mend them")
    table = pl.DataFrame({"key": [r.key for r in records]}, schema={"key": pl.String})
    for name in ("label", "split", "group"):
        values = [getattr(record, name) for record in records]
        if any(value is not None for value in values):
            table = table.with_columns(pl.Series(name, values, pl.String))
    if any(record.labels is not None for record in records):
        several = [None if r.labels is None else list(r.labels) for r in records]
        table = table.with_columns(pl.Series("labels", several, pl.List(pl.String)))
    for name in dict.fromkeys(name for record in records for name in record.attributes):
        taken = name if name not in table.columns else f"attribute.{name}"
        table = table.with_columns(uniform_column(taken, [r.attributes.get(name) for r in records]))
    found = {r.label for r in records if r.label is not None} | {n for r in records for n in r.labels or ()}
    # Where pictures have no label, the classes are those of the annotations in them.
    classes = source.classes or tuple(sorted(found, key=natural)) or source.categories
    places = np.column_stack([np.zeros(len(records), np.int64), np.arange(len(records))])
    return Dataset(table, (SourceBacking(source),), places, classes, str(source.root))
