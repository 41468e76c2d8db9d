"""Batches, samples and datasets as pictures with captions: one sheet, or HTML for a notebook."""

from __future__ import annotations

import html as markup
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np

from imagemill import (
    Batch,
    Boxes,
    Dataset,
    Image,
    ImagemillError,
    InputError,
    Instances,
    Keypoints,
    Label,
    LoadedBatch,
    Mask,
    Pipeline,
    Polygons,
    RotatedBoxes,
    Sample,
    read_picture,
)
from imagemill.app.figures.figure import Shown, caption, captioned, grid, sheet_of, tiles_of
from imagemill.app.figures.figure_array import Drawing, drawing
from imagemill.app.figures.shape_outlines import SHAPES
from imagemill.pages import Figure as Embedded

__all__ = ["html", "preview_of", "sheet", "sheet_of_pictures"]

_MOST = 1024
_IN_HTML, _SMALL, _LOSSLESS = 12, 128, 64
_FIGURE = 'style="display:inline-block;vertical-align:top;margin:0 10px 10px 0;max-width:140px;font-size:11px"'
_WORDS = 'style="overflow-wrap:break-word;opacity:.75;line-height:1.3"'


def sheet(what: Any, n: int, columns: int | None = None, title: str | None = None) -> Drawing:
    """The first ``n`` pictures of something on one sheet.

    Raises
    ------
    InputError
        When ``n`` is below 1, or there is no picture.
    """
    made = _some(what, n)
    several = columns or math.ceil(math.sqrt(len(made)))
    alike = not isinstance(what, Dataset)
    return drawing(sheet_of(made, None, _all_of(made), several, title or _title(what, len(made)), alike=alike))


def html(what: Any) -> str:
    """The text of something, and below it small pictures with their captions."""
    text = f'<pre style="white-space:pre-wrap">{markup.escape(repr(what))}</pre>'
    try:
        made = _some(what, _IN_HTML)
        tiles, _ = tiles_of(made, None, _all_of(made), (), _SMALL, alike=not isinstance(what, Dataset), tags=False)
    except ImagemillError as error:  # no pictures are no reason to show nothing
        return f"{text}<div>{markup.escape(str(error))}</div>"
    return text + "".join(map(_figure, tiles, (one.words or caption(one.applied) for one in made)))


def preview_of(
    pipeline: Pipeline, image: Any, n: int, columns: int | None, key: str | int | None, targets: Any, **how: Any
) -> Drawing:
    """What a pipeline makes of one image, or of the image in a file, in ``n`` epochs."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= _MOST:
        raise InputError(f"expected n from 1 to {_MOST}, got {n!r}")
    if isinstance(image, str | Path):
        key = Path(image).name if key is None else key
        image = read_picture(image)
    wide = columns or math.ceil(math.sqrt(n))
    return grid(pipeline, image, key=0 if key is None else key, columns=wide, count=int(n), **targets, **how)


def sheet_of_pictures(
    pictures: Sequence[tuple[np.ndarray[Any, Any], str]], columns: int | None = None, title: str = ""
) -> Drawing:
    """Pictures ``(H, W, 3)`` or ``(H, W)``, uint8, with their words on one sheet, each as large as it is."""
    several = columns or math.ceil(math.sqrt(len(pictures)))
    return drawing(captioned([_coloured(rgb) for rgb, _ in pictures], [words for _, words in pictures], several, title))


def _coloured(rgb: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.repeat(rgb[..., None], 3, axis=-1) if rgb.ndim == 2 else rgb


def _figure(tile: np.ndarray[Any, Any], words: str) -> str:
    """A picture that is part of the page, and its words below it."""
    address = Embedded(np.asarray(tile), words, photo=max(tile.shape[:2]) > _LOSSLESS).uri
    said = markup.escape(words, quote=True)
    # A name may be broken where it is made of parts, and nowhere else.
    lines = re.sub(r"([/_])", r"\1<wbr>", said).replace("\n", "<br>")
    return f'<figure {_FIGURE}><img alt="{said}" src="{address}"><figcaption {_WORDS}>{lines}</figcaption></figure>'


def _some(what: Any, n: int) -> list[Shown]:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise InputError(f"expected a number of pictures from 1 on, got {n!r}")
    made = _pictures(what, int(n))
    if not made:
        raise InputError(f"expected pictures, got none in {what!r}")
    return made


def _title(what: Any, shown: int) -> str:
    if isinstance(what, Sample):
        return ""
    number, things = len(what), "rows" if isinstance(what, Dataset) else "samples"
    return f"{type(what).__name__}: {shown:,} of {number:,} {things}"


@singledispatch
def _pictures(what: Any, n: int) -> list[Shown]:
    """The first ``n`` pictures of something, with their words."""
    raise InputError(f"expected {n} pictures of a batch, a sample or a dataset, got {type(what).__name__}")


@_pictures.register
def _(what: Sample, n: int) -> list[Shown]:  # noqa: ARG001 - a sample is one picture, however many are asked for
    targets = {name: what.targets[name] for name in ("image", "mask", "boxes", "keypoints") if name in what.targets}
    if not isinstance(targets.get("image"), Image):
        return []
    shapes = {name: target for name, target in what.targets.items() if name in SHAPES}
    label = what.targets.get("label")
    said = [str(what.recipe.key)] + ([f"label {label.value}"] if isinstance(label, Label) else [])
    words = _joined(*said, caption(what.applied) if what.applied else "")
    return [Shown(**targets, applied=what.applied, shapes=shapes, words=words)]  # type: ignore[arg-type]


@_pictures.register
def _(what: Dataset, n: int) -> list[Shown]:
    rows = sorted({round(row) for row in np.linspace(0, len(what) - 1, min(n, len(what)))})
    named = what.table["label"].to_list() if "label" in what.table.columns else None
    made = []
    for row in rows:
        words = str(what.table["key"][row])
        if named is not None and named[row] is not None and str(named[row]) not in words.split("/"):
            words += f"\n{named[row]}"
        try:
            made += [replace(one, words=_joined(words, one.plane.note)) for one in _pictures(what[row], 1)]
        except ImagemillError as error:  # a file that cannot be read must not hide the others
            made.append(Shown(Image(np.full((96, 96), 200, np.uint8)), words=f"{words}\n{error}"))
    return made


def _joined(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


_KINDS = (Boxes, Keypoints, Polygons, RotatedBoxes, Instances)


@_pictures.register
def _(what: Batch, n: int) -> list[Shown]:
    images = what.columns.get("image")
    if images is None:
        return []
    d = what.affine.shape[-1] - 1
    keys = what.keys if isinstance(what, LoadedBatch) else [recipe.key for recipe in what.recipe[:n]]
    # What happened to all of them alike says nothing about any.
    plain = frozenset(one.name for one in what.applied.drawings if not one.values and one.where.all())
    rows = range(min(n, len(what)))
    return [
        _row(what.columns, i, d, _joined(str(keys[i]), *_label(what.columns, i)), what.applied[i], plain) for i in rows
    ]


def _label(columns: Mapping[str, Any], i: int) -> list[str]:
    return [f"label {_plainly(columns['label'][i])}"] if "label" in columns else []


def _row(columns: Mapping[str, Any], i: int, d: int, said: str, applied: Any, plain: frozenset[str]) -> Shown:
    """One sample of a batch's columns."""
    image = Image(columns["image"][i], _axes_of(columns["image"][i], d))
    mask = columns.get("mask")
    labels = None if mask is None else Mask(mask[i], _axes_of(mask[i], d))
    found = {name: column[i] for name, column in columns.items() if isinstance(column[i], _KINDS)}
    shapes = {name: found.pop(name) for name in list(found) if name in SHAPES}
    known = {name: found[name] for name in ("boxes", "keypoints") if name in found}
    words = _joined(said, caption(applied, plain) if applied else "")
    return Shown(image, labels, **known, applied=applied, shapes=shapes, words=words)


def _plainly(label: Any) -> str:
    """A number as a number; shares of several classes as those that are not 0."""
    values = np.asarray(label)
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        return str(label)
    return ", ".join(f"{place} ({values[place]:.2g})" for place in np.flatnonzero(values)[:3]) or "none"


def _axes_of(array: np.ndarray[Any, Any], d: int) -> str:
    """The axes of a sample's array over ``d`` of space: channels stand where there are few."""
    spatial = "zyx"[3 - d :]
    if array.ndim == d:
        return spatial
    first = array.shape[0] in (1, 3, 4) and array.shape[-1] not in (1, 3, 4)
    return f"c{spatial}" if first or array.shape[0] < min(array.shape[1:]) else f"{spatial}c"


def _all_of(made: Sequence[Shown]) -> Shown:
    """What sets the colours of a whole sheet: the first picture, with the labels of all."""
    masks = [one.mask for one in made if one.mask is not None]
    found = sorted({int(label) for mask in masks for label in np.unique(mask.array) if label})
    several = any(mask.canonical().shape[-1] > 1 for mask in masks)
    labels = masks[0] if several else Mask(np.array([[0, *found]], np.int64)) if masks else None
    named = [label for one in made if one.boxes is not None for label in one.boxes.labels or ()]
    boxes = Boxes(np.tile([0.0, 0.0, 1.0, 1.0], (len(named), 1)), labels=named) if named else None
    points = next((one.keypoints for one in made if one.keypoints is not None), None)
    return replace(made[0], mask=labels, boxes=boxes, keypoints=points)
