"""Figures: a grid of what a pipeline makes of one image, and the image before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from imagemill import (
    Applied,
    Boxes,
    Image,
    InputError,
    Instances,
    Keypoints,
    Mask,
    Pipeline,
    Polygons,
    RotatedBoxes,
    Sample,
)
from imagemill.app.figures.display import (
    Marks,
    Plane,
    Window,
    foreground,
    labels_in,
    marked,
    normalisation,
    plane_of,
    window_of,
)
from imagemill.app.figures.draw_annotations import Colour, Outline, Rgb, colours_of, label_colour
from imagemill.app.figures.figure_array import Drawing, drawing
from imagemill.app.figures.shape_outlines import SHAPES, outlines_of
from imagemill.app.figures.sheet import QUIET, Sheet, Text
from imagemill.core import as_target, placed
from imagemill.pipeline import PipelineGiven, as_pipeline

TILE = 260
"""Longest side of a tile of a grid, pixels; larger pictures are shrunk to it, small ones magnified."""
LARGE = 420
"""The same for the two pictures of a before-and-after figure."""
_MARGIN, _GAP, _NARROW = 20, 14, 190
_MOST_LABELS = 14
_UNITS = {"degrees": (1, "°"), "pixels": (1, "\u00a0px"), "millimetres": (1, "\u00a0mm"), "fraction": (100, "\u00a0%")}
_NAMED = {"hue": "°", "margin": "\u00a0px"}
"""Units that do not say what is meant: the name stays beside the number."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One sample to show: the image, what is drawn on it, and words below it instead of what was applied.

    `shapes` are polygons, rotated boxes and instance masks by name, beside further lines around annotations;
    `links` join rows of `keypoints`.
    """

    image: Image
    mask: Mask | None = None
    boxes: Boxes | None = None
    keypoints: Keypoints | None = None
    applied: tuple[Applied, ...] = ()
    words: str = ""
    outlines: tuple[Outline, ...] = ()
    links: tuple[tuple[int, int], ...] = ()
    shapes: Mapping[str, Any] = field(default_factory=dict)

    def lines(self, plane: int | None = None) -> tuple[Outline, ...]:
        """All that is drawn as lines."""
        return self.outlines + outlines_of(self.shapes, plane)

    @property
    def targets(self) -> dict[str, Any]:
        """Those that are there, by name."""
        named = {"image": self.image, "mask": self.mask, "boxes": self.boxes, "keypoints": self.keypoints}
        return {name: target for name, target in named.items() if target is not None} | dict(self.shapes)

    @property
    def plane(self) -> Plane:
        """What is shown of the image."""
        return plane_of(self.image, self.mask)

    @property
    def shape(self) -> tuple[int, ...]:
        """Spatial shape."""
        return tuple(self.image.canonical().shape[:-1])


def shown(
    image: Any, mask: Any = None, boxes: Any = None, keypoints: Any = None, axes: str | None = None, **shapes: Any
) -> Shown:
    """Wrap plain values; every raster knows its axes afterwards."""
    given = {"image": image, "mask": mask, "boxes": boxes, "keypoints": keypoints}
    kinds = {"image": Image, "mask": Mask, "boxes": Boxes, "keypoints": Keypoints}
    targets: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        target = as_target(name, value)
        if not isinstance(target, kinds[name]):
            raise InputError(f"expected {name} as {kinds[name].__name__} or a plain array, got {type(target).__name__}")
        if isinstance(target, Image | Mask):
            first = targets.get("image")
            target = replace(target, axes=target.named(axes if first is None else first.axes))
            target = target if first is None else _beside(target, first)
        targets[name] = target
    drawn = {name: as_target(name, value) for name, value in shapes.items() if value is not None}
    for name, target in drawn.items():
        if not isinstance(target, Polygons | RotatedBoxes | Instances):
            raise InputError(f"expected {name} as polygons, rotated boxes or masks, got {type(target).__name__}")
    return Shown(**targets, shapes=drawn)


def _known(shapes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse names that are none of those drawn."""
    if strange := [name for name in shapes if name not in SHAPES]:
        raise InputError(f"expected mask, boxes, keypoints or any of {', '.join(SHAPES)}, got {', '.join(strange)}")
    return shapes


def _beside(mask: Image | Mask, image: Image) -> Image | Mask:
    """A label map on the grid of its image, as a pipeline takes it."""
    array = placed(mask, mask.canonical(), image, image.canonical().shape[:-1], "mask")
    if array is mask.array or mask.affine is None:
        return mask
    spatial = "zyx" if array.ndim == 4 else "yx"
    return replace(mask, array=array, axes=spatial + "c", spacing=None, affine=image.affine)


def draws(pipeline: Pipeline, source: Shown, key: str | int, epochs: Iterable[int]) -> list[Shown]:
    """What a pipeline makes of an image in each of some epochs."""
    made: list[Shown] = []
    for epoch in epochs:
        sample: Sample = pipeline(**source.targets, key=key, epoch=epoch)
        targets: dict[str, Any] = {n: target for n, target in sample.targets.items() if n not in SHAPES}
        shapes = {n: target for n, target in sample.targets.items() if n in SHAPES}
        made.append(Shown(**targets, applied=sample.applied, shapes=shapes))
    return made


def grid(
    pipeline: PipelineGiven,
    image: Any,
    *,
    mask: Any = None,
    boxes: Any = None,
    keypoints: Any = None,
    rows: int = 3,
    columns: int = 3,
    key: str | int = 0,
    path: str | Path | None = None,
    axes: str | None = None,
    title: str | None = None,
    links: Sequence[tuple[int, int]] = (),
    count: int | None = None,
    **shapes: Any,
) -> Drawing:
    """Show what a pipeline makes of one image: a grid of draws, each with its values below it.

    The tiles are epochs 0, 1, 2, ... of the same key, in reading order: what a network would see of this
    image in as many epochs. Of a scan one slice is shown: the one with most foreground where there is a
    label map, else the middle one.

    Parameters
    ----------
    pipeline : Pipeline, name of a preset, or file
    image : array or Image
    mask, boxes, keypoints : optional
        Moved along and drawn, as arrays or as Mask, Boxes and Keypoints.
    rows, columns : int
        Of the grid, 1 to 32 each.
    key : str or int
        The image's key, which the draws belong to.
    path : str or Path, optional
        Where to write the figure as well; the suffix says the format.
    axes : str, optional
        Axes of a plain image array, such as ``"zyx"``.
    title : str, optional
        A line above; made from the pipeline when left out.
    links : sequence of pairs of int
        Keypoints to join by lines, such as the bones of a skeleton.
    count : int, optional
        How many draws, in rows of ``columns``; ``rows`` times ``columns`` when left out.
    **shapes
        ``polygons``, ``lines``, ``rotated_boxes`` and ``instances``, moved along and drawn as lines.

    Returns
    -------
    Drawing, ``(H, W, 3)`` uint8
        An array that notebooks show, with ``save(path)`` and ``show()``.

    Raises
    ------
    InputError
        When the targets do not fit the image, or the grid's size is out of range.

    Examples
    --------
    >>> import imagemill as im
    >>> photo = np.zeros((32, 48, 3), np.uint8)
    >>> figure = im.grid(im.Pipeline([im.Rotate((-20, 20))], seed=7), photo, rows=2, columns=4)
    >>> figure.shape[2], figure.dtype
    (3, dtype('uint8'))
    """
    for name, number in (("rows", rows), ("columns", columns)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 1 <= number <= 32:
            raise InputError(f"expected {name} from 1 to 32, got {number!r}")
    given, source = as_pipeline(pipeline), shown(image, mask, boxes, keypoints, axes, **_known(shapes))
    made = draws(given, source, key, range(count or rows * columns))
    heading = f"{len(given.transforms)} transforms, seed {given.seed}, key {key}, epochs 0 to {len(made) - 1}"
    return saved(sheet_of(made, given, source, columns, title or heading, links), path)


def sheet_of(
    made: Sequence[Shown],
    pipeline: Pipeline | None,
    source: Shown,
    columns: int,
    title: str,
    links: Sequence[tuple[int, int]] = (),
    *,
    alike: bool = True,
) -> Rgb:
    """Tiles with their captions in rows of ``columns``; ``source`` says which colour is which label."""
    tiles, notes = tiles_of(made, pipeline, source, links, TILE, alike=alike)
    plain = frozenset() if pipeline is None else fixed_names(pipeline)
    words = [one.words or caption(one.applied, plain) for one in made]
    return captioned(tiles, words, columns, title, notes, _legend(source))


def captioned(
    tiles: Sequence[Rgb],
    words: Sequence[str],
    columns: int,
    title: str = "",
    notes: Iterable[str] = (),
    legend: Sequence[tuple[str, Colour]] = (),
) -> Rgb:
    """Pictures in rows of ``columns``, each with its words below it."""
    wide = max(_NARROW, *(tile.shape[1] for tile in tiles))
    sheet = Sheet(2 * _MARGIN + columns * wide + (columns - 1) * _GAP)
    inner = sheet.width - 2 * _MARGIN
    top = sheet.text(Text(title, 15, bold=True), _MARGIN, _MARGIN, inner) if title else _MARGIN
    top = _notes(sheet, notes, legend, top + 2, inner)
    for start in range(0, len(tiles), columns):
        line = range(start, min(start + columns, len(tiles)))
        tall, bottom = max(tiles[i].shape[0] for i in line), top
        for place, i in enumerate(line):
            left = _MARGIN + place * (wide + _GAP)
            sheet.picture(tiles[i], left, top + (tall - tiles[i].shape[0]) // 2)
            bottom = max(bottom, sheet.text(Text(words[i], 11, QUIET), left, top + tall + 5, wide))
        top = bottom + _GAP
    return sheet.draw(top + _MARGIN - _GAP)


def before_after(
    pipeline: PipelineGiven,
    image: Any,
    mask: Any = None,
    boxes: Any = None,
    keypoints: Any = None,
    *,
    key: str | int = 0,
    epoch: int = 0,
    path: str | Path | None = None,
    axes: str | None = None,
    title: str | None = None,
    links: Sequence[tuple[int, int]] = (),
    **shapes: Any,
) -> Drawing:
    """Show an image before and after one draw of a pipeline, with the drawn values beside it.

    Parameters
    ----------
    pipeline, image, mask, boxes, keypoints, key, path, axes, title, links, shapes
        As for :func:`grid`.
    epoch : int
        Which draw.

    Returns
    -------
    Drawing, ``(H, W, 3)`` uint8
        An array that notebooks show, with ``save(path)`` and ``show()``.

    Raises
    ------
    InputError
        When the targets do not fit the image.

    Examples
    --------
    >>> import imagemill as im
    >>> figure = im.before_after(im.Pipeline([im.Flip("x")], seed=7), np.eye(32, dtype=np.float32))
    >>> figure.ndim
    3
    """
    given, source = as_pipeline(pipeline), shown(image, mask, boxes, keypoints, axes, **_known(shapes))
    (made,) = draws(given, source, key, [epoch])
    heading = title or f"before and after: seed {given.seed}, key {key}, epoch {epoch}"
    return saved(pair_of(source, made, given, heading, links), path)


def pair_of(source: Shown, made: Shown, pipeline: Pipeline, title: str, links: Sequence[tuple[int, int]] = ()) -> Rgb:
    """An image, what was made of it, and the drawn values side by side."""
    (before,), first = tiles_of([source], None, source, links, LARGE)
    (after,), second = tiles_of([made], pipeline, source, links, LARGE)
    wide, words = [max(_NARROW, tile.shape[1]) for tile in (before, after)], 250
    sheet = Sheet(2 * _MARGIN + sum(wide) + words + 3 * _GAP)
    inner = sheet.width - 2 * _MARGIN
    top = sheet.text(Text(title, 15, bold=True), _MARGIN, _MARGIN, inner)
    top = _notes(sheet, [], _legend(source), top + 2, inner)
    tall, left, bottoms = max(before.shape[0], after.shape[0]), _MARGIN, []
    for tile, width, what, of, notes in (
        (before, wide[0], "before", source, first),
        (after, wide[1], "after", made, second),
    ):
        sheet.picture(tile, left, top + (tall - tile.shape[0]) // 2)
        line = "; ".join([f"{what}: {size_of(of.image)}", *notes])
        bottoms.append(sheet.text(Text(line, 11, QUIET), left, top + tall + 5, width))
        left += width + _GAP
    bottoms.append(_values(sheet, made.applied, left + 4, top, words))
    return sheet.draw(max(bottoms) + _MARGIN)


def _values(sheet: Sheet, applied: Sequence[Applied], left: int, top: int, width: int) -> int:
    """The drawn values, one transform below the other."""
    top = sheet.text(Text("what was drawn", 12, QUIET), left, top, width) + 4
    if not applied:
        return sheet.text(Text("nothing: the image stays as it is"), left, top, width)
    for one in applied:
        top = sheet.text(Text(one.name, 13, bold=True), left, top, width)
        for line in value_words(one):
            top = sheet.text(Text(line, 12), left + 12, top, width - 12)
        top += 5
    return top


def tiles_of(
    made: Sequence[Shown],
    pipeline: Pipeline | None,
    source: Shown,
    links: Sequence[tuple[int, int]],
    tile: int,
    *,
    alike: bool = True,
    tags: bool = True,
) -> tuple[list[Rgb], list[str]]:
    """Every sample at tile size with its marks, and what to know about the way they are shown.

    Those that are `alike` are shown from the same value as black to the same as white, others each by itself; without
    `tags` boxes do not bear their names.
    """
    planes = _planes(made) if alike else [one.plane for one in made]
    shared = _window(planes, pipeline, source) if alike else None
    labels, colours = labels_in(source.mask), _colours(source)
    tiles = []
    for one, plane in zip(made, planes, strict=True):
        marks = Marks(
            one.mask, one.boxes, one.keypoints, one.links or links, labels, colours, one.lines(plane.slice), tags
        )
        window = shared or window_of([plane.pixels], scan=plane.slice is not None)
        tiles.append(marked(window.apply(plane.pixels), plane, marks, one.shape, tile))
    if shared is None:
        return tiles, []
    chosen = dict.fromkeys(plane.note for plane in planes)
    return tiles, [note for note in (" / ".join(chosen), shared.note) if note]


def _planes(made: Sequence[Shown]) -> list[Plane]:
    """What is shown of each; of scans with label maps the same slice, the one with most foreground in all."""
    counts = [foreground(one.mask) for one in made if one.mask is not None and one.image.canonical().ndim == 4]
    if len(counts) == len(made) and len({c.shape for c in counts}) == 1:
        total = np.sum(counts, axis=0)
        if total.any():
            return [plane_of(one.image, slice=int(total.argmax())) for one in made]
    return [one.plane for one in made]


def _window(planes: Sequence[Plane], pipeline: Pipeline | None, source: Shown) -> Window:
    if pipeline is not None and planes[0].pixels.dtype.kind == "f":
        undone = normalisation(pipeline, planes[0].pixels.shape[-1])
        if undone is not None:
            return undone
    pixels, scan = [plane.pixels for plane in planes], planes[0].slice is not None
    # Where the values kept their meaning, the image before sets the scale: a brighter draw looks brighter.
    before = source.plane.pixels
    same = pixels[0].dtype == before.dtype and before.dtype.kind != "f"
    return window_of([before] if same else pixels, scan=scan)


def _colours(source: Shown) -> dict[Any, Colour]:
    named: list[Any] = []
    for target in (source.boxes, source.keypoints):
        named += [] if target is None or target.labels is None else list(target.labels)
    named += [outline.label for outline in source.lines(source.plane.slice)]
    return colours_of(named, after=len(labels_in(source.mask)))


def _legend(source: Shown) -> list[tuple[str, Colour]]:
    """Which colour is which label of the label map; boxes bear their labels themselves."""
    labels = labels_in(source.mask)
    named = [(f"label {label}", label_colour(place + 1)) for place, label in enumerate(labels[:_MOST_LABELS])]
    if len(labels) > _MOST_LABELS:
        named.append((f"and {len(labels) - _MOST_LABELS} more", (255, 255, 255)))
    if source.keypoints is not None and source.keypoints.labels is not None:
        points = {label: _colours(source)[label] for label in source.keypoints.labels}
        named += [(str(label), colour) for label, colour in list(points.items())[: 2 * _MOST_LABELS]]
    return named


def _notes(sheet: Sheet, notes: Iterable[str], legend: Sequence[tuple[str, Colour]], top: int, width: int) -> int:
    words = "; ".join(notes)
    if words:
        top = sheet.text(Text(words, 12, QUIET), _MARGIN, top, width)
    return sheet.swatches(legend, _MARGIN, top + 6, width) + 6


def size_of(image: Image) -> str:
    """The size, channels and dtype of an image in words.

    Examples
    --------
    >>> size_of(Image(np.zeros((4, 6, 3), np.uint8)))
    '4 × 6, 3 channels, uint8'
    """
    *shape, channels = image.canonical().shape
    count = "1 channel" if channels == 1 else f"{channels} channels"
    return f"{' × '.join(map(str, shape))}, {count}, {image.array.dtype}"


def value_words(applied: Applied) -> list[str]:
    """The drawn values of one transform, one text each, with their units; its spaces do not break.

    Examples
    --------
    >>> value_words(Applied("Rotate", {"degrees": 4.2496}))
    ['4.25°']
    >>> [word.replace("\u00a0", " ") for word in value_words(Applied("Shift", {"fraction.y": -0.05}))]
    ['y −5 %']
    >>> [word.replace("\u00a0", " ") for word in value_words(Applied("SquareCrop", {"margin": 10}))]
    ['margin 10 px']
    """
    return [_value(name, value, len(applied.values)) for name, value in applied.values.items()]


def _value(name: str, value: float, count: int) -> str:
    head, _, tail = name.partition(".")
    if name in _NAMED:
        return f"{name}\u00a0{_number(value)}{_NAMED[name]}"
    factor, unit = _UNITS.get(head, (1, ""))
    # A unit stands for its name, and a single value for the transform's own: "Zoom 1.05".
    named = tail if unit else "" if count == 1 else name.replace(".", " ")
    return f"{named} {_number(value * factor)}".strip().replace(" ", "\u00a0") + unit


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def fixed_names(pipeline: Pipeline) -> frozenset[str]:
    """Names of transforms that do the same to every image: a caption need not repeat them."""
    return frozenset(type(t).__name__ for t in pipeline.transforms if t.p == 1 and t.variants() == 1)


def caption(applied: Sequence[Applied], without: frozenset[str] = frozenset()) -> str:
    """What was applied, short enough for a caption; a transform and its values do not break apart needlessly.

    Examples
    --------
    >>> caption([Applied("Flip", {}), Applied("Gamma", {"gamma": 1.05})]).split("\u00a0")
    ['Flip', '· Gamma', '1.05']
    >>> caption([])
    'unchanged'
    """
    told = [one for one in applied if one.name not in without or one.values]
    return (
        "\u00a0· ".join("\u00a0".join([one.name, ", ".join(value_words(one))]).strip() for one in told) or "unchanged"
    )


def saved(rgb: Rgb, path: str | Path | None) -> Drawing:
    """The figure, written to ``path`` as well when there is one."""
    figure = drawing(rgb)
    if path is not None:
        figure.save(path)
    return figure
