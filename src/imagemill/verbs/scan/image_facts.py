"""What `scan` makes of one image that it opens, and the counts of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, DiskError, ImagemillError, InputError, MissingExtra
from imagemill.core.finite import count_not_finite, like_nodata
from imagemill.core.short_repr import ShortRepr
from imagemill.data.codecs.base import Picture, ReadOptions
from imagemill.data.records.loading import load_mask, load_picture, pair_note, pixels_name, pixels_suffix
from imagemill.data.records.orientation import Seen, objects_on
from imagemill.data.records.record import Record

__all__ = ["Facts", "FactsWork", "Pixels", "Tally", "kind_of"]


@dataclass(frozen=True, slots=True, repr=False)
class Pixels(ShortRepr):
    """What the images that were opened are made of; each mapping counts images.

    Parameters
    ----------
    opened : int
        Images that were decoded.
    formats : mapping
        By suffix, or ``"array"``.
    kinds : mapping
        Such as ``"RGB uint8"`` or ``"volume int16"``.
    sizes : mapping
        By height and width, or slices, height and width.
    smallest, median, largest : tuple of int
        Lengths along each axis, each axis by itself; empty when nothing could be opened, or ranks are mixed.
    spacings : mapping
        Millimetres between pixel centres along each axis, rounded to 0.01.
    labels : tuple of int
        Values seen in label maps, at most 256 of them.
    bytes : int
        Decoded size of all opened images.
    notes : mapping
        How the axes were decided, where a file does not say it.
    not_finite : mapping
        Images with values that are NaN or infinite, and how many: not how many images.
    like_nodata : mapping
        In the same way, floating-point images whose smallest value is -9999 or another that often means that nothing
        was measured.
    """

    opened: int = 0
    formats: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    smallest: tuple[int, ...] = ()
    median: tuple[int, ...] = ()
    largest: tuple[int, ...] = ()
    spacings: Mapping[str, int] = field(default_factory=dict)
    labels: tuple[int, ...] = ()
    bytes: int = 0
    notes: Mapping[str, int] = field(default_factory=dict)
    not_finite: Mapping[str, int] = field(default_factory=dict)
    like_nodata: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one image."""

    format: str
    kind: str
    shape: tuple[int, ...]
    spacing: str
    labels: tuple[int, ...]
    bytes: int
    note: str
    key: str
    not_finite: int
    like_nodata: int


@dataclass(frozen=True, slots=True)
class FactsWork:
    """Gives what one image is made of, or why it could not be opened.

    Parameters
    ----------
    options : ReadOptions
    """

    options: ReadOptions

    def __call__(self, record: Record) -> Iterator[Facts | str]:
        """The one row of a record."""
        yield _facts(record, self.options)


def _facts(record: Record, options: ReadOptions) -> Facts | str:
    try:
        picture = load_picture(record.image, options)
        labels: tuple[int, ...] = ()
        mask, assumed = None, ""
        if record.mask is not None:
            mask = load_mask(record.mask, like=picture, frame=record.frame)
            if mask.spatial_shape != picture.spatial_shape:
                got = f"{mask.spatial_shape} in {pixels_name(record.mask)}"
                msg = f"expected a mask of the image's size {picture.spatial_shape}, got {got}"
                return f"{msg}; pair them anew, or say axes"
            labels = tuple(int(v) for v in np.unique(mask.array)[:256])
        if record.objects and len(picture.spatial_shape) == 2:
            _, assumed = objects_on(record, Seen.of(picture))
    except DiskError:  # no fault of this image: the next one would meet it as well
        raise
    except (CodecError, MissingExtra, InputError) as error:
        return str(error)
    except ImagemillError as error:
        return f"{type(error).__name__}: {error}"
    spacing = (
        "" if picture.spacing is None else " x ".join(f"{mm:.2f}".rstrip("0").rstrip(".") for mm in picture.spacing)
    )
    return Facts(
        pixels_suffix(record.image) or str(picture.meta.get("format", "array")),
        kind_of(picture),
        picture.spatial_shape,
        spacing,
        labels,
        picture.array.nbytes,
        "; ".join(filter(None, (pair_note(picture, mask), "" if isinstance(record.image, Path) else assumed))),
        record.key,
        count_not_finite(picture.array),
        (like_nodata(picture.array) or (0, 0))[1],
    )


def kind_of(picture: Picture) -> str:
    """What pixels are, such as ``"RGB uint8"`` or ``"volume int16"``.

    Examples
    --------
    >>> kind_of(Picture(np.zeros((4, 6, 3), np.uint8), "yxc"))
    'RGB uint8'
    """
    return _kind(picture.channels, picture.axes[:1], picture.array.dtype)


@lru_cache(maxsize=64)
def _kind(channels: int | None, axis: str, dtype: np.dtype[Any]) -> str:
    # A dtype works its name out anew each time.
    kind = {None: "gray", 1: "gray", 3: "RGB", 4: "RGBA"}.get(channels, f"{channels} channels")
    if axis == "z":
        kind = "volume" if channels is None else f"volume of {channels} channels"
    return f"{kind} {dtype.name}"


class Tally:
    """Counts that grow with every image, in any order: what is first in them goes by the places of images."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {n: Counter() for n in ("format", "kind", "size", "spacing", "note")}
        self.first: dict[tuple[str, str], int] = {}
        self.shapes: Counter[tuple[int, ...]] = Counter()
        self.labels: set[int] = set()
        self.bytes = 0
        self.not_finite: dict[int, tuple[str, int]] = {}
        self.like_nodata: dict[int, tuple[str, int]] = {}

    def add(self, place: int, facts: Facts) -> None:
        """Count one image."""
        for name, value in (
            ("format", facts.format),
            ("kind", facts.kind),
            ("size", " x ".join(map(str, facts.shape))),
            ("spacing", facts.spacing),
            ("note", facts.note),
        ):
            if value:
                self.counts[name][value] += 1
                self.first[name, value] = min(place, self.first.get((name, value), place))
        self.shapes[facts.shape] += 1
        self.labels.update(facts.labels)
        self.bytes += facts.bytes
        if facts.not_finite:
            self.not_finite[place] = facts.key, facts.not_finite
        if facts.like_nodata:
            self.like_nodata[place] = facts.key, facts.like_nodata

    def _common(self, name: str) -> dict[str, int]:
        """What was counted, the commonest first; of the same number, the one that was met first."""
        return dict(sorted(self.counts[name].items(), key=lambda pair: (-pair[1], self.first[name, pair[0]])))

    def pixels(self) -> Pixels:
        """What was counted."""
        shapes = list(self.shapes.elements())
        low: tuple[int, ...] = ()
        middle: tuple[int, ...] = ()
        high: tuple[int, ...] = ()
        if shapes and len({len(shape) for shape in shapes}) == 1:
            table = np.array(shapes)
            low, middle, high = (tuple(map(int, f(table, axis=0))) for f in (np.min, np.median, np.max))
        return Pixels(
            len(shapes),
            self._common("format"),
            self._common("kind"),
            self._common("size"),
            low,
            middle,
            high,
            spacings=self._common("spacing"),
            labels=tuple(sorted(self.labels)[:256]),
            bytes=self.bytes,
            notes=self._common("note"),
            not_finite=dict(found for _, found in sorted(self.not_finite.items())),
            like_nodata=dict(found for _, found in sorted(self.like_nodata.items())),
        )
