"""From prepared records, wherever they lie, to the files of a store."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from imagemill.core.errors import CodecError
from imagemill.core.targets import Array
from imagemill.data import store
from imagemill.data.atomic import atomic_path
from imagemill.data.store import Raster, Region
from imagemill.verbs.prepare.arrow_columns import numbers_column, texts_column
from imagemill.verbs.prepare.class_numbers import LabelPlan
from imagemill.verbs.prepare.earlier_rows import Found
from imagemill.verbs.prepare.picture_form import Form
from imagemill.verbs.prepare.statistics import Floats, Moments, Statistics, Whitening, applied, gaps_of

__all__ = [
    "Files",
    "Fitted",
    "Line",
    "fit_statistics",
    "mask_type",
    "opened",
    "write_json",
    "write_rows",
    "write_statistics",
]

_BLOCK_BYTES = 1 << 20
_COMPILER = "imagemill.engine.backends.cpu.compile"
_WORTH_IT = 2 << 30
"""Bytes that are summed without the compiler in the time that it takes to load."""
_MAPS = np.dtype(np.float32)
_LINES = 1 << 12
"""Records whose lines are in memory at once."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a part: its key, label and entry, and where its pixels are."""

    key: str
    label: int | list[int] | None
    entry: str
    found: Found


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Statistics of the training part, and the whitening matrix where it was asked for."""

    statistics: Statistics
    matrix: Floats | None


class Standardizing(NamedTuple):
    """What becomes of pixels on the way into the store.

    Parameters
    ----------
    how : str
        Of `STANDARDIZE`.
    fitted : Fitted or None
        What images are standardised by; None where they stay.
    moments : Moments or None
        What takes in the images that are written.
    """

    how: str
    fitted: Fitted | None
    moments: Moments | None = None


Files = Mapping[Path, Any]


@contextmanager
def opened(paths: Iterable[Path]) -> Iterator[Files]:
    """Every file that rows lie in, opened before any is replaced: the parts of a store are among them."""
    with ExitStack() as stack:
        # By the system: of a file elsewhere a copy, which stays when that is replaced.
        yield {path: stack.enter_context(open(path, "rb", buffering=0)) for path in paths}


def _blocks(
    lines: Sequence[Line], files: Files, which: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Iterator[tuple[Sequence[Line], Array]]:
    """Rows in order, read from wherever they lie, a bounded number at a time; zeros for those there are none of.

    A block is good until the next one is asked for.
    """
    each = max(int(np.prod(shape)) * dtype.itemsize, 1)
    step = max(1, _BLOCK_BYTES // each)
    # The same memory for all: the system clears what it gives, which takes as long as reading into it.
    room = np.empty((min(step, len(lines)), *shape), dtype)
    for at in range(0, len(lines), step):
        part = list(lines[at : at + step])
        block = room[: len(part)]
        for row, line in enumerate(part):
            found = line.found
            region: Region | None = {"image": found.image, "mask": found.mask, **found.maps}[which]
            if region is None:
                block[row] = 0
            else:
                _read_row(files[region.path], region, line.found.number, block[row])
        yield part, block


def _measured(lines: Sequence[Line], block: Array) -> Array:
    """The images of some lines, NaN where a value was filled in: what statistics go over."""
    if block.dtype.kind != "f":
        return block
    found = block
    for number, line in enumerate(lines):
        if line.found.gaps and (runs := line.found.row().get("filled")):
            found = found.copy() if found is block else found
            found[number].reshape(-1)[gaps_of(runs, found[number].size)] = np.nan
    return found


def _read_row(file: Any, region: Region, number: int, into: Array) -> None:
    dtype = np.dtype(region.dtype) if region.dtype else into.dtype
    target = into if dtype == into.dtype else np.empty(into.shape, dtype)
    file.seek(region.offset + number * region.row)
    size = file.readinto(target.reshape(-1).view(np.uint8).data)
    if size != target.nbytes:
        raise CodecError(f"{region.path}: expected {target.nbytes} bytes of a prepared image, got {size}; run again")
    if target is not into:
        into[...] = target


def moments_of(count: int, form: Form) -> Moments:
    """What sums over so many images."""
    # The sums are the same; where nothing was compiled so far, loading the compiler has to pay.
    compiled = _COMPILER in sys.modules or count * form.image_bytes > _WORTH_IT
    return Moments(form.shape, form.dtype, channels=form.axes.endswith("c"), compiled=compiled)


def fit_statistics(lines: Sequence[Line], files: Files, form: Form, *, whiten: bool) -> Fitted | None:
    """Statistics of the training part, over finite values alone; None where there is no training image."""
    if not lines:
        return None
    moments = moments_of(len(lines), form)
    whitening = Whitening(int(np.prod(form.shape))) if whiten else None
    for part, block in _blocks(lines, files, "image", form.shape, form.dtype):
        moments.add(_measured(part, block))
    found = moments.end()
    if whitening is None:
        return Fitted(found, None)
    for part, block in _blocks(lines, files, "image", form.shape, form.dtype):
        known = _measured(part, block)
        # A value that is not there says nothing of the others: it stands at the mean of its place.
        whitening.add(block if known is block else np.where(np.isfinite(known), known, found.location_mean))
    return Fitted(found, whitening.end())


def mask_type(parts: Iterable[Sequence[Line]], files: Files, form: Form) -> np.dtype[Any]:
    """The smallest type for all labels of all masks of all parts."""
    low = high = 0
    for lines in parts:
        for _, block in _blocks(lines, files, "mask", form.spatial, np.dtype(np.int32)):
            low, high = min(low, int(block.min())), max(high, int(block.max()))
    names = ("int8", "int16", "int32") if low < 0 else ("uint8", "uint16", "uint32")
    return np.dtype(next(n for n in names if np.iinfo(n).min <= low and high <= np.iinfo(n).max))


def write_rows(
    path: Path,
    lines: Sequence[Line],
    files: Files,
    form: Form,
    plan: LabelPlan,
    mask_dtype: np.dtype[Any] | None,
    step: Standardizing,
) -> None:
    """Write one part of the store."""
    how, fitted, moments = step

    def images() -> Iterator[Array]:
        for part, block in _blocks(lines, files, "image", form.shape, form.dtype):
            if moments is not None:
                moments.add(block)
            known = _measured(part, block) if how == "per-sample" else None
            yield block if fitted is None else applied(block, how, fitted.statistics, fitted.matrix, known)

    rasters = [Raster("image", form.shape, form.dtype, images)]
    if mask_dtype is not None:

        def masks() -> Iterator[Array]:
            for _, block in _blocks(lines, files, "mask", form.spatial, np.dtype(np.int32)):
                yield block.astype(mask_dtype)

        valid = np.array([line.found.mask is not None for line in lines])
        rasters.append(Raster("mask", form.spatial, mask_dtype, masks, valid))
    rasters += [
        Raster(store.map_column(name), form.spatial, _MAPS, _all_of(name, lines, files, form)) for name in form.maps
    ]
    meta = {
        "format": store.FORMAT,
        "form": form.plain(),
        # Pixels that were standardised by one training part are not what another one starts from.
        "reusable": how == "none",
        "rasters": [raster.name for raster in rasters],
    }
    store.write_part(path, rasters, _columns(lines, form, plan), len(lines), meta)


def _all_of(name: str, lines: Sequence[Line], files: Files, form: Form) -> Callable[[], Iterator[Array]]:
    """What gives the maps of a name."""
    return lambda: (block for _, block in _blocks(lines, files, name, form.spatial, _MAPS))


def _columns(lines: Sequence[Line], form: Form, plan: LabelPlan) -> dict[str, Any]:
    """All that is no pixel, gathered some lines at a time: what is known of a record is read again from the disk."""
    pieces = [_piece(lines[at : at + _LINES], form, plan) for at in range(0, len(lines), _LINES)]
    found = {}
    for name in pieces[0]:
        given = [piece[name] for piece in pieces]
        if isinstance(given[0], _Seldom):
            if not any(one.is_there for one in given):
                continue
            given = [one.column() for one in given]
        found[name] = given[0] if len(given) == 1 else pa.concat_arrays(given)
    return found


@dataclass(frozen=True, slots=True)
class _Seldom:
    """A column that is left out where no row says anything; Arrow loads pandas to make one of it."""

    values: list[Any]
    kind: Any

    @property
    def is_there(self) -> bool:
        return any(self.values)

    def column(self) -> Any:
        return pa.array(self.values, self.kind)


def _piece(lines: Sequence[Line], form: Form, plan: LabelPlan) -> dict[str, Any]:
    lines = list(lines)
    rows = [line.found.row() for line in lines]
    found: dict[str, Any] = {"key": texts_column([line.key for line in lines])}
    if plan.form != "none":
        found["label"] = _labels(lines, plan)
    sizes = [row["size"] for row in rows]
    for place, name in enumerate(("depth", "height", "width")[-len(form.spatial) :]):
        found[name] = numbers_column([size[place] for size in sizes], np.int32)
    side = len(form.spatial) + 1
    found["world"] = _Seldom([row.get("world") for row in rows], pa.list_(pa.float64(), side * side))
    if form.objects:
        found["objects"] = pa.array([row.get("objects") for row in rows], pa.list_(store.OBJECT))
    found["filled"] = _Seldom([row.get("filled") or [] for row in rows], pa.list_(pa.int64()))
    found["entry"] = texts_column([line.entry for line in lines])
    return found


def _labels(lines: Sequence[Line], plan: LabelPlan) -> Any:
    if plan.form == "index":
        return numbers_column([line.label for line in lines], plan.dtype)
    return pa.array(
        [line.label for line in lines], pa.list_(pa.from_numpy_dtype(np.dtype(plan.dtype)), len(plan.classes))
    )


def write_statistics(path: Path, fitted: Fitted) -> None:
    """Write what is too large for JSON."""
    arrays = {"location_mean": fitted.statistics.location_mean, "location_std": fitted.statistics.location_std}
    if fitted.matrix is not None:
        arrays["zca"] = fitted.matrix
    with atomic_path(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def write_json(path: Path, described: Mapping[str, Any]) -> None:
    """Write plain values, to be read by people too."""
    with atomic_path(path, durable=True) as part:
        part.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", "utf-8")
