"""Records become rows: what every layout of tables shares when it writes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import CodecError, MissingExtra
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.codecs.volumes.volume_header import DETACHED
from imagemill.data.layouts.base import Source, WriteTarget
from imagemill.data.layouts.export_files import Export, place_image, place_mask, refuse_turned
from imagemill.data.layouts.folder_names import safe_stems
from imagemill.data.layouts.tables.cells.annotation_cells import objects_cell
from imagemill.data.layouts.tables.cells.image_cells import is_safe_key, picture_suffix
from imagemill.data.layouts.tables.columns.column_names import ATTRIBUTE, normal_split, role_of
from imagemill.data.records.instances import Scalar
from imagemill.data.records.loading import encoded, pixels_suffix
from imagemill.data.records.record import Pixels, Record, Stored, split_suffix

__all__ = [
    "HOLDS",
    "Embedded",
    "Row",
    "attribute_column",
    "column_values",
    "count_written",
    "embedded",
    "known_classes",
    "plain_row",
    "rows_of",
    "table_columns",
]

HOLDS = frozenset(
    (
        *("image", "uint16", "float", "channels", "volume", "affine", "label", "hierarchy", "labels", "mask", "boxes"),
        *("polygons", "rle", "keypoints", "split", "group", "attributes"),
    )
)
"""What a table holds: all of it, since pictures keep their own formats."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """An encoded picture to put into a cell: its bytes, and a name that ends in its suffix."""

    data: bytes
    name: str


Row = dict[str, Any]
"""Values by column: text, numbers, `Embedded`, lists of text, the mapping of `objects_cell`; absent where empty."""


def embedded(where: Pixels, stem: str, options: WriteTarget, *, labels: bool = False) -> Embedded:
    """Encode pixels into bytes, keeping the bytes of an encoded picture where no other format is asked for.

    Raises
    ------
    CodecError
        When the pixels cannot be read, or the format cannot hold them.
    """
    suffix = split_suffix(where)[1] if isinstance(where, Path) else pixels_suffix(where)
    if options.format is None and not isinstance(where, Stored):
        data = encoded(where) or b""
        suffix = DETACHED.get(suffix.lower(), suffix) or picture_suffix(data)
        if is_readable_name("a" + suffix):
            return Embedded(data, stem + suffix)
    with tempfile.TemporaryDirectory() as folder:
        path = (place_mask if labels else place_image)(where, Path(folder) / "a", options)
        return Embedded(path.read_bytes(), stem + split_suffix(path)[1])


def attribute_column(name: str) -> str:
    """The column of an attribute, named so that nothing else is taken from it.

    Examples
    --------
    >>> attribute_column("price"), attribute_column("class")
    ('price', 'attribute.class')
    """
    plain = role_of(name) is None and name == name.strip() and name and not name.startswith(ATTRIBUTE)
    return name if plain else ATTRIBUTE + name


def table_columns(source: Source, image: str = "image", mask: str = "mask") -> list[str]:
    """The columns that a source's records need, in order."""
    records = source.records
    wanted = [
        ("key", True),
        (image, True),
        (mask, any(r.mask is not None for r in records)),
        ("label", any(r.label is not None for r in records)),
        ("labels", any(r.labels is not None for r in records)),
        ("split", any(r.split is not None for r in records)),
        ("group", any(r.group is not None for r in records)),
        ("height", any(r.size is not None for r in records)),
        ("width", any(r.size is not None for r in records)),
        ("objects", any(r.objects is not None for r in records)),
    ]
    attributes = dict.fromkeys(attribute_column(name) for record in records for name in record.attributes)
    return [name for name, needed in wanted if needed] + list(attributes)


def known_classes(source: Source, job: Export) -> tuple[str, ...]:
    """The class names in order, where they explain every label; else none, which is noted."""
    strange = sum(r.label is not None and r.label not in source.classes for r in source.records)
    if source.classes and strange:
        job.lose("numbers of classes", "some labels are not among the class names", len(source.classes))
        return ()
    return source.classes


def rows_of(
    source: Source, job: Export, image: str = "image", mask: str = "mask", folder: str = "images", masks: str = "masks"
) -> Iterator[Row]:
    """Give the row of each record, writing or encoding its pictures on the way; what fails is noted.

    Parameters
    ----------
    source : Source
    job : Export
    image, mask : str
        Names of the two columns.
    folder, masks : str
        Where pictures and label maps are written, below the export's folder.
    """
    # What lies in a folder of that name already needs no second one in it.
    own = "" if job.options.embed else f"{folder}/"
    stems = safe_stems({record.key: record.key.removeprefix(own) for record in source.records})
    for record in source.records:
        stem = stems[record.key]
        picture: Embedded | str | None
        label_map: Embedded | str | None
        if job.options.embed:
            picture, label_map = _embed(record, job, stem)
        else:
            picture = job.image(record, f"{folder}/{stem}")
            label_map = None if picture is None else job.mask(record, f"{masks}/{stem}")
        if picture is not None:
            row = {"key": _clean(record.key, job), image: picture, mask: label_map, **plain_row(record, job)}
            yield {name: value for name, value in row.items() if value is not None}


def _embed(record: Record, job: Export, stem: str) -> tuple[Embedded | None, Embedded | None]:
    label_map = None
    try:
        refuse_turned(record, job.options)
        picture = embedded(record.image, stem, job.options)
        if record.mask is not None:
            label_map = embedded(record.mask, f"{stem}_mask", job.options, labels=True)
    except (CodecError, MissingExtra) as error:
        job.problem(record.key, str(error))
        return None, None
    count_written(job)
    return picture, label_map


def count_written(job: Export) -> None:
    """Count a record that was written without `Export.image`."""
    job.count += 1
    if job.options.progress is not None:
        job.options.progress(job.count)


def plain_row(record: Record, job: Export) -> Row:
    """Everything of a record but key and pictures."""
    if not is_safe_key(record.key):
        job.lose("keys", "a key is a relative path without control characters")
    split = record.split
    if split is not None and normal_split(split) != split:
        job.lose("splits", "only train, val and test are splits")
        split = None
    height, width = record.size or (None, None)
    row: Row = {
        "label": _filled(record.label, job, "labels"),
        "labels": None if record.labels is None else [_clean(name, job) for name in record.labels],
        "split": split,
        "group": _filled(record.group, job, "groups"),
        "height": height,
        "width": width,
        "objects": None if record.objects is None else objects_cell(record.objects),
    }
    for name, value in record.attributes.items():
        row[attribute_column(name)] = _clean(value, job) if isinstance(value, str) else value
    return row


def _filled(text: str | None, job: Export, what: str) -> str | None:
    if text is not None and not text.strip():
        job.lose(f"empty {what}", "an empty cell says that there is none")
        return None
    return None if text is None else _clean(text, job)


def _clean(text: str, job: Export) -> str:
    """Text that UTF-8 can hold: file names may come with bytes that it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        job.lose("texts with undecodable characters", "they are written with question marks")
        return text.encode("utf-8", "replace").decode()
    return text


def column_values(source: Source, column: str) -> Sequence[Scalar]:
    """All values of one attribute's column."""
    names = {name for record in source.records for name in record.attributes if attribute_column(name) == column}
    return [record.attributes[name] for record in source.records for name in names if name in record.attributes]
