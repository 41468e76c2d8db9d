"""Run a plan: every target of every sample through the steps, results written where they will stay."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from imagemill.core.box_rules import BoxRules
from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.keypoint_names import Swap, exchange
from imagemill.core.polygons import Polygons
from imagemill.core.targets import Boxes, Image, Keypoints
from imagemill.engine.annotations import outlines as polygons
from imagemill.engine.annotations import points
from imagemill.engine.annotations.boxes import Outlines, bending, grouped
from imagemill.engine.backends.protocol import Array, Backend, Rasters
from imagemill.engine.buffers import Buffers
from imagemill.engine.plan import Pass, Plan, Step
from imagemill.engine.target_table import rule

_SHARE = 1 << 15
"""Fewest pixels that are worth a thread of their own where many samples are run at once."""


def raster_buffer(
    plan: Plan, axes: str, channels: int, dtype: np.dtype[Any], *, row: int | None, buffers: Buffers | None = None
) -> tuple[Array, Array]:
    """A result's memory in an order of axes, and the same memory seen as ``(*shape, C)``.

    ``row`` makes the buffer of one sample; None one for the whole batch, with a leading batch axis, in
    memory from ``buffers`` when they are given.

    Raises
    ------
    InputError
        When the samples of a batch have different sizes.
    """
    if row is None:
        if (plan.shape != plan.shape[0]).any():
            sizes = sorted({tuple(s) for s in plan.shape.tolist()})
            raise InputError(
                f"expected one output size for a batch, got {len(sizes)} ({sizes[0]}, {sizes[1]}, ...); "
                "end the pipeline with Resize, Resample, Crop or RandomResizedCrop"
            )
        lead: tuple[int, ...] = (plan.n,)
        shape = plan.shape[0].tolist()
    else:
        lead, shape = (), plan.shape[row].tolist()
    lengths = dict(zip(plan.axes, shape, strict=True), c=channels)
    size = (*lead, *[lengths[a] for a in axes])
    memory = np.empty(size, dtype) if buffers is None else buffers.empty(size, dtype)
    if "c" not in axes:
        axes, view = axes + "c", memory[..., None]
    else:
        view = memory
    first = len(lead)
    return memory, view.transpose(*range(first), *[first + axes.index(a) for a in plan.axes + "c"])


def run_raster(plan: Plan, backend: Backend, kind: str, row: int, value: Array, out: Array, *, first: int = 0) -> None:
    """One image or label map, ``(*shape, C)``, into its buffer; ``first`` is the step it has come to."""
    steps = _steps(plan, kind)
    for i, step in enumerate(steps[first:], first):
        target = out if i == len(steps) - 1 and isinstance(step, Pass) else None
        value = rule(step, kind)(step, row, value, backend, target)
    if value is not out:
        out[...] = value


def run_some(plan: Plan, backend: Backend, first: int, values: list[Array], out: Array) -> None:
    """Images of the samples from ``first`` on into their buffers, at once where the backend can."""
    steps = _steps(plan, Image.kind)
    only = steps[0] if len(steps) == 1 else None
    rows = slice(first, first + len(values))
    if isinstance(only, Pass) and backend.images(only, rows, values, out) is not None:
        return
    for i, value in enumerate(values):
        run_raster(plan, backend, Image.kind, first + i, value, out[i])


def run_column(plan: Plan, backend: Backend, kind: str, values: Rasters, out: Array, *, workers: int = 1) -> None:
    """A column of images or label maps into its buffer ``[n, *shape, C]``: many at once while the backend can.

    Parameters
    ----------
    values : sequence of array, ``(*shape, C)``, or one array ``[n, *shape, C]``
    workers : int
        Threads.
    """
    done, rest = _together(plan, backend, values, out, workers) if kind == Image.kind else (0, values)
    if rest is not out:
        for_rows(plan.n, lambda row: run_raster(plan, backend, kind, row, rest[row], out[row], first=done), workers)


def _together(plan: Plan, backend: Backend, values: Rasters, out: Array, workers: int) -> tuple[int, Rasters]:
    """The steps that a backend runs on many samples at once, up to the first it does not: how many, and the result."""
    steps = _steps(plan, Image.kind)
    for i, step in enumerate(steps):
        made = _spread(step, backend, values, out if i == len(steps) - 1 else None, workers)
        if made is None:
            return i, values
        values = made
    return len(steps), values


def _spread(step: Step, backend: Backend, src: Rasters, out: Array | None, workers: int) -> Array | None:
    """One step on all samples, shared out among the workers."""
    if not isinstance(step, Pass):
        return None
    n = len(src)
    pixels = src[0].size // src[0].shape[-1]
    parts = min(workers, n, n * pixels // _SHARE)
    if parts <= 1:
        return backend.images(step, slice(0, n), src, out)
    edges = [n * k // parts for k in range(parts + 1)]
    spans = [slice(a, b) for a, b in itertools.pairwise(edges)]

    def work(rows: slice) -> Array | None:
        return backend.images(step, rows, src[rows], None if out is None else out[rows])

    with ThreadPoolExecutor(parts) as pool:
        made = [part for part in pool.map(work, spans) if part is not None]
    if not made:
        return None
    return np.concatenate(made) if out is None else out


def _steps(plan: Plan, kind: str) -> list[Step]:
    """The steps that change a kind of raster."""
    return [s for s in plan.steps if kind == Image.kind or (isinstance(s, Pass) and s.resample is not None)]


def run_boxes(plan: Plan, backend: Backend, row: int, boxes: Boxes, rules: BoxRules) -> Boxes:
    """Boxes through the geometry, cut at the frame, those of which too little is left dropped."""
    chains = [s.resample.chain(row) for s in plan.steps if isinstance(s, Pass) and s.resample is not None]
    edges = boxes.edges(tuple(plan.in_shape[row].tolist()))
    shape = tuple(plan.shape[row].tolist())
    d = len(shape)
    groups = grouped(chains, edges)

    def moved(cuts: bool) -> tuple[Floats, Floats]:
        """Edges and share of each box: of what is seen in the frame, or of the whole."""
        found, share = np.empty_like(edges), np.ones(len(edges))
        for pieces, index in groups:
            outlines: Any = Outlines.of(edges[index], pieces=pieces, cuts=cuts)
            for step in plan.steps:
                outlines = rule(step, Boxes.kind)(step, row, outlines, backend, None)
            found[index], share[index] = outlines.seen(shape) if cuts else (outlines.whole(), 1.0)
        return found, share

    left, share = moved(True)
    # What is gone has edges that are no numbers, and no share.
    keep = rules.keep((left[:, d:] - left[:, :d]).prod(axis=1), share)
    if not rules.clip:
        left = moved(False)[0]
    if rules.keep_empty and not keep.all():
        left, share = left.copy(), np.where(keep, share, 0.0)
        place = np.clip(moved(False)[0][~keep, :d], -0.5, np.array(shape) - 0.5)
        left[~keep] = np.concatenate([place, place], axis=1)
        keep = np.ones(len(boxes), bool)
    index = np.flatnonzero(keep)
    return boxes.like(left[index], shape, index, share[index])


def run_keypoints(plan: Plan, backend: Backend, row: int, keypoints: Keypoints, swap: Swap) -> Keypoints:
    """Keypoints through the geometry; those that left the frame are not visible, names change sides in a mirror."""
    found: Any = keypoints.indices(plan.in_shape.shape[1]), keypoints.visible
    for step in plan.steps:
        found = rule(step, Keypoints.kind)(step, row, found, backend, None)
    indices, seen = found
    inside = points.inside(indices, tuple(plan.shape[row].tolist()))
    seen = seen & inside
    labels = keypoints.labels
    swap = swap if keypoints.swap is None else keypoints.swap
    swapped = exchange(labels, len(keypoints), swap, keypoints.instance) if swap else None
    if swapped is not None and _mirrors(plan, row):
        order, renamed = swapped
        indices, seen, inside = indices[order], seen[order], inside[order]
        labels = labels if renamed is None else np.array(renamed) if isinstance(labels, np.ndarray) else renamed
    return keypoints.like(indices, seen, inside, labels)


def _mirrors(plan: Plan, row: int) -> bool:
    """Whether a sample comes out mirrored: an odd number of its maps do. A map that bends never folds."""
    mirrored = False
    for step in plan.steps:
        if isinstance(step, Pass) and step.resample is not None:
            mirrored ^= points.mirrors(step.resample.chain(row))
    return mirrored


def run_polygons(plan: Plan, backend: Backend, row: int, outlines: Polygons) -> Polygons:
    """Outlines through the geometry, cut at the frame, those without any area left dropped."""
    chains = [s.resample.chain(row) for s in plan.steps if isinstance(s, Pass) and s.resample is not None]
    parts: Any = [part[:, ::-1] - 0.5 for part in outlines.parts]
    if bending(chains):
        parts = [polygons.densely(part) for part in parts]
    for step in plan.steps:
        parts = rule(step, Polygons.kind)(step, row, parts, backend, None)
    shape = plan.shape[row]
    cut = [polygons.clipped(part, np.full(len(shape), -0.5), shape - 0.5) for part in parts]
    left = [i for i, part in enumerate(cut) if len(part) >= 3 and polygons.area(part) > 0]
    return Polygons([cut[i][:, ::-1] + 0.5 for i in left], np.asarray(outlines.index)[left])


def for_rows(n: int, work: Callable[[int], None], workers: int) -> None:
    """Do ``work(row)`` for every row, in ``workers`` threads when there is more than one."""
    if workers <= 1 or n <= 1:
        for row in range(n):
            work(row)
        return
    with ThreadPoolExecutor(min(workers, n)) as pool:
        # Reading the results raises the first error there was.
        list(pool.map(work, range(n)))


def raster_dtype(plan: Plan, kind: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype a raster comes out in."""
    return plan.dtype if kind == Image.kind else dtype


def check_rasters(kind: str, values: Rasters) -> None:
    """All rasters of one column must share channels and dtype.

    Raises
    ------
    InputError
        Naming the first that differs.
    """
    if isinstance(values, np.ndarray):
        return
    first = values[0]
    for i, value in enumerate(values):
        if value.shape[-1] != first.shape[-1] or value.dtype != first.dtype:
            do = "pass channels='rgb' (or 'rgba', 'gray')"
            if value.dtype != first.dtype:
                depths = {value.dtype.name, first.dtype.name} == {"uint8", "uint16"}
                how = "(array // 257).astype(numpy.uint8) makes 8 bits of 16" if depths else "array.astype"
                do = f"bring all to one type first: {how}"
            raise InputError(
                f"expected every {kind} of a batch with {first.shape[-1]} channels of {first.dtype}, as the first "
                f"has, got {value.shape[-1]} of {value.dtype} at position {i}; {do}"
            )


def out_axes(plan: Plan, kind: str, given: str) -> str:
    """The axes a raster comes out in: as it came, unless the layout of images was asked for."""
    if kind != Image.kind or plan.channels_first is None:
        return given
    return "c" + plan.axes if plan.channels_first else plan.axes + "c"
