"""Writing a source as a Parquet or Arrow table, in the types that Hugging Face datasets read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from imagemill.data.atomic import atomic_path
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.export_files import Export
from imagemill.data.layouts.tables.formats.columnar_read import META
from imagemill.data.layouts.tables.rows.write_rows import (
    Embedded,
    Row,
    column_values,
    known_classes,
    rows_of,
    table_columns,
)
from imagemill.data.layouts.tables.sidecar import sidecar_plain

__all__ = ["write_arrow"]

_GROUP_ROWS = 1000
_GROUP_BYTES = 64 * 1024 * 1024


def write_arrow(source: Source, job: Export, kind: str) -> None:
    """Write ``images.parquet`` or ``images.arrow`` into the folder of an export.

    Parameters
    ----------
    source : Source
    job : Export
    kind : str
        ``"parquet"`` or ``"arrow"``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns, classes = table_columns(source), known_classes(source, job)
    schema = pa.schema([(name, _type(name, source, classes, job)) for name in columns], _meta(source, job, classes))
    target = job.out / f"images.{kind}"
    job.announce(target)
    with atomic_path(target) as part:
        if kind == "parquet":
            # No dictionary of pictures. Their statistics say where none is (and are left out where they are large).
            others = [name for name in columns if name not in ("image", "mask")]
            writer = pq.ParquetWriter(part, schema, compression="zstd", use_dictionary=others)
        else:
            writer = pa.ipc.new_file(str(part), schema)
        with writer:
            for rows in _groups(rows_of(source, job)):
                cells = {name: [_cell(row.get(name), name, schema, classes) for row in rows] for name in columns}
                arrays = [pa.array(cells[name], schema.field(name).type) for name in columns]
                writer.write_batch(pa.record_batch(arrays, schema=schema))


def _groups(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows in groups of bounded size."""
    group: list[Row] = []
    size = 0
    for row in rows:
        group.append(row)
        size += sum(len(value.data) for value in row.values() if isinstance(value, Embedded))
        if len(group) >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _type(name: str, source: Source, classes: Sequence[str], job: Export) -> Any:
    """The type of a column."""
    import pyarrow as pa

    if name in ("image", "mask"):
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())]) if job.options.embed else pa.string()
    fixed = {
        "label": pa.int64() if classes else pa.string(),
        "labels": pa.list_(pa.string()),
        "height": pa.int32(),
        "width": pa.int32(),
    }
    if name in fixed:
        return fixed[name]
    if name == "objects":
        return _objects_type(source)
    values = column_values(source, name)
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in values if isinstance(value, int)):
        return pa.int64()
    if kinds == {float}:
        return pa.float64()
    if kinds - {str}:
        job.lose(f"types in {name!r}", "a column holds one type, so all of it was written as text", len(values))
    return pa.string()


def _objects_type(source: Source) -> Any:
    """The type of annotations: only what some of them have."""
    import pyarrow as pa

    annotations = [one for record in source.records for one in record.objects or ()]
    numbers = pa.list_(pa.float64())
    fields = [("bbox", pa.list_(numbers)), ("categories", pa.list_(pa.string()))]
    if any(one.polygons for one in annotations):
        fields.append(("polygons", pa.list_(pa.list_(numbers))))
    if any(one.rle for one in annotations):
        runs = pa.struct([("size", pa.list_(pa.int32())), ("counts", pa.list_(pa.int64()))])
        fields.append(("runs", pa.list_(runs)))
    if any(one.keypoints for one in annotations):
        fields.append(("keypoints", pa.list_(pa.list_(numbers))))
    if any(one.crowd for one in annotations):
        fields.append(("crowd", pa.list_(pa.bool_())))
    if any(one.attributes for one in annotations):
        fields.append(("attributes", pa.list_(pa.string())))
    return pa.struct(fields)


def _cell(value: Any, name: str, schema: Any, classes: Sequence[str]) -> Any:
    import pyarrow as pa

    if value is None:
        return None
    if isinstance(value, Embedded):
        return {"bytes": value.data, "path": value.name}
    if name == "label":
        return classes.index(value) if classes else value
    return str(value) if pa.types.is_string(schema.field(name).type) else value


def _meta(source: Source, job: Export, classes: Sequence[str]) -> dict[bytes, bytes]:
    """What the schema says besides: the features that Hugging Face shows, and our own description."""
    features: dict[str, Any] = {}
    if job.options.embed:
        features["image"] = {"_type": "Image"}
        if any(record.mask is not None for record in source.records):
            features["mask"] = {"_type": "Image"}
    if classes:
        features["label"] = {"names": list(classes), "_type": "ClassLabel"}
    plain = sidecar_plain(source)
    if not classes:
        plain.pop("classes", None)
    meta = {}
    if features:
        meta[b"huggingface"] = json.dumps({"info": {"features": features}}, ensure_ascii=False).encode()
    if plain:
        meta[META] = json.dumps(plain, ensure_ascii=False).encode()
    return meta
