"""TFRecord files of ``tf.train.Example`` messages, with the names of features that detection and classification use.

A file is a row of records: length (8 bytes), its checksum (4), data, its checksum (4), all little-endian, as the
TensorFlow guide "TFRecord and tf.train.Example" describes it.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from imagemill.core.errors import CodecError, MissingExtra, SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.arrays.containers import MAY_CARRY
from imagemill.data.layouts.base import Guess, Layout, Look, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import exporting
from imagemill.data.layouts.shards.tf_example_write import features_of, framed, note_losses
from imagemill.data.layouts.shards.tfrecord_rows import (
    begins_as_records,
    most_label,
    read_names,
    read_table,
)
from imagemill.data.layouts.shards.webdataset import by_split
from imagemill.data.layouts.tables.rows.table import read_tables
from imagemill.data.layouts.tables.rows.write_rows import count_written, known_classes
from imagemill.data.layouts.tables.sidecar import SIDECAR, read_sidecar, sidecar_plain

__all__ = ["TfRecord"]

_NAME = re.compile(r".*\.tfrecords?([-.]\d+(-of-\d+)?)?(\.gz)?|.*\.tfrec(\.gz)?", re.IGNORECASE)
# Shards of ImageNet are called train-00000-of-01024, those of the object detection tools x.record-00000-of-00010.
_PERHAPS = re.compile(r".*\.records?([-.]\d+(-of-\d+)?)?(\.gz)?|.*-\d+-of-\d+(\.gz)?|.*\.tfr", re.IGNORECASE)
_SHARD = 256 * 1024 * 1024


class TfRecord(Layout):
    """TFRecord files; the checksum of every record is compared while they are opened.

    Reads ``image/encoded``, ``image/class/label``, ``image/class/text``, ``image/object/bbox/xmin`` and the like
    (parts of the picture's size), ``image/height``, ``image/width``, ``image/segmentation/class/encoded``, and the
    plain names that tables use (``image``, ``label``...). Pixels may also be raw (``image_raw`` with ``height``,
    ``width`` and ``depth``) or lists of numbers. Files may be shards (``train-00000-of-01024``) and gzip; a
    ``label_map.pbtxt``, ``labels.txt`` or ``label.labels.txt`` beside them names classes.
    """

    name = "tfrecord"
    title = "TFRecord files of tf.train.Example"
    holds = frozenset(
        (
            *("image", "uint16", "float", "channels", "volume", "affine", "label", "hierarchy", "labels", "mask"),
            *("boxes", "split", "group", "attributes"),
        )
    )
    place = 250
    writes = True
    recognised = (
        "TFRecord files of `tf.train.Example`, by the checksum of their first record: `.tfrecord`, `.record`, "
        "shards (`train-00000-of-01024`), gzip. Pictures are encoded, raw (`image_raw` with `height`, `width`, "
        "`depth`; `--option shape=28,28,1` where nothing says them) or lists of numbers. `label_map.pbtxt`, "
        "`labels.txt` and `label.labels.txt` name classes."
    )
    written = "Shards of about 256 MB for each split. Corners of boxes are kept in single precision."

    def guess(self, look: Look) -> Guess | None:
        files = _files(look)
        if not files:
            return None
        pictures = len(look.images) if look.is_folder else 0
        begins = begins_as_records(files[0])
        takes = frozenset(key for key, path in look.files if path in set(files))
        if begins and len(files) >= pictures:
            return Guess(
                0.9 if look.is_folder else 0.95, f"{files[0].name} begins as a TFRecord file", takes, MAY_CARRY
            )
        return (
            None if look.is_folder else Guess(0.3, f"{files[0].name} is named like a TFRecord file", takes, MAY_CARRY)
        )

    def read(self, look: Look, options: ReadSource) -> Source:
        files = _files(look)
        if not files:
            raise SourceError(f"expected TFRecord files in {look.path}, got none; give a .tfrecord or a folder of them")
        root = look.path if look.is_folder else look.path.parent
        names = read_names(files[0].parent if files[0].parent != root else root)
        tables = [read_table(path, root, names.annotations, options) for path in files]
        sidecar = read_sidecar(files[0].parent)
        if not sidecar.classes and names.classes and most_label(tables) < len(names.classes):
            sidecar = replace(sidecar, classes=names.classes, notes=(*sidecar.notes, f"class names from {names.file}"))
        source = read_tables(root, self.name, tables, options, sidecar)
        return replace(source, also_read=tuple(dict.fromkeys((*source.also_read, *files, *names.read))))

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with exporting(out, self.name, options) as job:
            classes = known_classes(source, job) or tuple(sorted({r.label for r in source if r.label is not None}))
            categories = source.categories or tuple(sorted({o.category for r in source for o in r.objects or ()}))
            note_losses(source, job)
            for split, records in by_split(source.records):
                with ExitStack() as stack:
                    file, size, number = None, 0, 0
                    for record in records:
                        try:
                            data = framed(features_of(record, classes, categories, job))
                        except (CodecError, MissingExtra) as error:
                            job.problem(record.key, str(error))
                            continue
                        if file is None or size > _SHARD:
                            stack.close()
                            target = out / f"{split or 'images'}-{number:05d}.tfrecord"
                            job.announce(target)
                            file = stack.enter_context(stack.enter_context(atomic_path(target)).open("wb"))
                            size, number = 0, number + 1
                        file.write(data)
                        size += len(data)
                        count_written(job)
            plain = sidecar_plain(source)
            if plain:
                job.text(SIDECAR, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")
        return job.written()


def _files(look: Look) -> list[Path]:
    """The TFRecord files of a path, by their names, or by their content where those say less."""
    if not look.is_folder:
        return [look.path] if _NAME.fullmatch(look.path.name) or begins_as_records(look.path) else []
    return [
        path
        for _, path in look.ending(*(end for end in look.suffixes if not is_readable_name(f"x{end}")))
        if _NAME.fullmatch(path.name) or (_PERHAPS.fullmatch(path.name) and begins_as_records(path))
    ]


LAYOUTS: tuple[Layout, ...] = (TfRecord(),)
