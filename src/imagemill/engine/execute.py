"""Plans over pixels and annotations. One sample is a batch of one; results stand in memory of their final layout."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

import numpy as np

from imagemill.core.annotated.box_rules import BoxRules
from imagemill.core.errors import InputError
from imagemill.core.keypoint_names import Swap
from imagemill.core.sample import plain
from imagemill.core.side_threads import side_by_side
from imagemill.core.targets import Image, Label, Map, Mask, Target
from imagemill.engine.annotations.belonging import Links, links_of, of_columns, own_rules
from imagemill.engine.annotations.carried import CARRIED
from imagemill.engine.backends.protocol import Array, Backend, Rasters
from imagemill.engine.blending.blended_labels import Mixture, asked, finished
from imagemill.engine.blending.meeting import met
from imagemill.engine.buffers import Buffers
from imagemill.engine.execute_columns import Column
from imagemill.engine.plan import Call, Pass, Plan, Step
from imagemill.engine.target_table import reaches, rule
from imagemill.engine.whole_clips import reads_all, run_clip

__all__ = ["Column", "alone", "axes_out", "moved", "run"]

_SHARE = 1 << 15
"""Fewest pixels that are worth a thread of their own where many samples are run at once."""

_CACHED = 1 << 21
"""Bytes of images that are fetched before they are run: few enough to be in the caches still."""

_RASTERS = (Image.kind, Mask.kind, Map.kind)
_INTERPOLATED = (Image.kind, Map.kind)


def run(
    plan: Plan,
    columns: Mapping[str, Column],
    backend: Backend,
    *,
    rules: BoxRules = BoxRules(),  # noqa: B008  # frozen
    swap: Swap = (),
    workers: int = 1,
    buffers: Buffers | None = None,
    first: int = 0,
) -> dict[str, Any]:
    """Every target of every sample through a plan.

    Parameters
    ----------
    plan : Plan
    columns : mapping of str to Column
        Any of those of the batch that was planned.
    backend : Backend
    rules : BoxRules
        Which boxes stay.
    swap : "auto" or pairs of names
        Keypoints that change sides in a mirror.
    workers : int
        Threads; the result does not depend on it.
    buffers : Buffers, optional
        Where the memory for rasters comes from; fresh memory otherwise.
    first : int
        The sample of the plan that the columns begin with.

    Returns
    -------
    dict of str to array or list
        Rasters as one array ``[n, ...]``, any other kind as a list: of the values of labels, of targets else.

    Raises
    ------
    InputError
        When rasters of a column differ in channels or dtype, or come out in several sizes.
    TargetError
        When the table has no rule for a kind.

    Examples
    --------
    >>> from imagemill.core.geometry import Frame
    >>> from imagemill.core.ops import Cast
    >>> from imagemill.engine.backends import get_backend
    >>> from imagemill.engine.planner import make_plan
    >>> frame, cast = Frame.of(1, 2, n=3), Cast(np.dtype("float32"))
    >>> plan = make_plan([("ToDtype", cast)], [frame, cast.after(frame)])
    >>> images = Column("image", "yx", np.full((3, 1, 2, 1), 7, np.uint8))
    >>> run(plan, {"image": images}, get_backend("reference"))["image"][2]
    array([[7., 7.]], dtype=float32)
    """
    last, how = plan.stretches[-1], _How(backend, rules, swap, workers)
    links: Links | None = None
    if plan.parts:
        values_of = {name: cast(Any, c.values) for name, c in columns.items() if c.kind not in _RASTERS}
        links = links_of(values_of)
        columns = _before_last(plan, columns, links, how)
    made: dict[str, Any] = {}
    for name, column in columns.items():
        kind, values = column.kind, cast(Any, column.values)
        if kind in _RASTERS:
            if column.fetch is None:
                _check(kind, values)
            own = (column.plan or plan).stretches[-1]
            rows = slice(first, first + len(values))
            made[name], room = _memory(own, rows, kind, column.axes, values[0], buffers)
            if column.together > 1 and kind == Image.kind and any(map(reads_all, own.steps)):
                for start in range(0, len(values), column.together):
                    part = slice(start, start + column.together)
                    run_clip(own.steps, first + start, values[part], backend, room[part])
                continue
            for start, some in _fetched(column):
                _pixels(own, backend, kind, first + start, some, room[start : start + len(some)], workers)
        else:
            judged = own_rules(kind, rules)
            made[name] = [plain(moved(last, backend, row, one, judged, swap)) for row, one in enumerate(values, first)]
    apart = {name: cast(Sequence[Target], c.values) for name, c in columns.items() if c.kind not in _RASTERS}
    count = max((len(column) for column in apart.values()), default=0)
    of_columns(apart, made, rules, plan.shape[first : first + count], links)
    return _with_labels(plan, made, columns) if plan.parts else made


def alone(plan: Plan, row: int, image: Array, axes: str, backend: Backend) -> Array:
    """One image that has nothing beside it through a plan in which no samples meet: as `run` for a column of one.

    Parameters
    ----------
    plan : Plan
    row : int
        The sample that it is.
    image : array, ``(*shape, C)``
    axes : str
        Those that it came with.
    backend : Backend
    """
    memory, seen = _axes_in_memory(plan.image_axes(axes), plan.axes)
    lengths = (*plan.shape[row].tolist(), image.shape[-1])
    out = np.empty([lengths[k] for k in memory], plan.dtype)
    place = out[..., None] if len(memory) < len(lengths) else out
    _stepped(plan.steps, Image.kind, row, image, backend, place.transpose(seen))
    return out


def _before_last(plan: Plan, columns: Mapping[str, Column], links: Links, how: _How) -> Mapping[str, Column]:
    """The columns behind the last place where samples meet."""
    for number, meets in enumerate(plan.parts):
        before = {name: cast(Any, one.values) for name, one in columns.items() if one.kind not in _RASTERS}
        columns = {name: _through(plan, number, column, how) for name, column in columns.items()}
        made = {name: list(cast(Any, columns[name].values)) for name in before}
        of_columns(before, made, how.rules, plan.stretches[number].shape, links)
        columns = {n: replace(one, values=made[n]) if n in made else one for n, one in columns.items()}
        columns = met(meets, columns, number, links, how.backend, how.rules, how.workers)
    return columns


def _with_labels(plan: Plan, made: dict[str, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    """What was made, with mixed labels in the form that was asked for."""
    form = asked(meet.op for meets in plan.parts for meet in meets)
    for name, column in columns.items():
        if column.kind == Label.kind:
            made[name] = [finished(one, form, name) if isinstance(one, Mixture) else one for one in made[name]]
    return made


@dataclass(frozen=True, slots=True, eq=False)
class _How:
    """What stays the same along a plan; see `run`."""

    backend: Backend
    rules: BoxRules
    swap: Swap
    workers: int


def _through(plan: Plan, number: int, column: Column, how: _How) -> Column:
    """A column behind a stretch of a plan, in the form in which it came: rasters may be of several sizes there."""
    stretch = (plan if column.plan is None else column.plan).stretches[number]
    values: Any = column.values
    kind, backend = column.kind, how.backend
    if kind not in _RASTERS:
        judged = own_rules(kind, how.rules)
        found = [moved(stretch, backend, row, one, judged, how.swap) for row, one in enumerate(values)]
        return replace(column, values=found)
    if column.fetch is None:
        _check(kind, values)
    if not any(reaches(step, kind) for step in stretch.steps):
        held = values if column.fetch is None else [column.fetch(row) for row in range(stretch.n)]
        return replace(column, values=held, fetch=None)
    channels, dtype = values[0].shape[-1], stretch.dtype if kind in _INTERPOLATED else values[0].dtype
    if (stretch.shape == stretch.shape[0]).all():
        room: Any = np.empty((stretch.n, *stretch.shape[0].tolist(), channels), dtype)
        for start, some in _fetched(column):
            _pixels(stretch, backend, kind, start, some, room[start : start + len(some)], how.workers)
    else:
        room = [np.empty((*shape, channels), dtype) for shape in stretch.shape.tolist()]
        for start, some in _fetched(column):
            for i in range(len(some)):
                _pixels(stretch, backend, kind, start + i, some[i : i + 1], room[start + i][None], 1)
    return replace(column, values=room, fetch=None)


def _fetched(column: Column) -> Iterator[tuple[int, Rasters]]:
    """The rasters of a column: all of them, or a few at a time where they are fetched one by one."""
    if column.fetch is None:
        yield 0, cast(Rasters, column.values)  # as the kind says
        return
    few: list[Array] = []
    n = len(column.values)
    for row in range(n):
        few.append(column.fetch(row))
        if row == n - 1 or sum(one.nbytes for one in few) >= _CACHED:
            yield row + 1 - len(few), few
            few = []


def _pixels(
    plan: Plan, backend: Backend, kind: str, first: int, values: Rasters, out: Array, workers: int, done: int = 0
) -> None:
    """Images or label maps of the samples from ``first`` on into their room ``[k, *shape, C]``.

    Many at once while the backend can, then each by itself, from the step ``done`` on that they have come to.
    """
    steps = [s for s in plan.steps if reaches(s, kind)]
    many = len(values) > 1
    while many and kind in _INTERPOLATED and done < len(steps):
        room = out if done == len(steps) - 1 else None
        found = _at_once(steps[done], backend, first, values, room, workers)
        if found is None:
            break
        values, done = found, done + 1
    if values is out:
        return
    if many and workers > 1:

        def alone(i: int) -> None:
            _pixels(plan, backend, kind, first + i, values[i : i + 1], out[i : i + 1], 1, done)

        side_by_side(alone, range(len(values)), workers)
        return
    for i in range(len(values)):
        _stepped(steps[done:], kind, first + i, values[i], backend, out[i])


def _stepped(steps: Sequence[Step], kind: str, row: int, value: Array, backend: Backend, place: Array) -> None:
    """One raster through steps, the last of which writes into its place."""
    last = len(steps) - 1
    for k, step in enumerate(steps):
        room = place if k == last and not isinstance(step, Call) else None
        value = rule(step, kind)(step, row, value, backend, room)
    if value is not place:
        place[...] = value


def _at_once(step: Step, backend: Backend, first: int, src: Rasters, out: Array | None, workers: int) -> Array | None:
    """One step on many samples, shared out among the workers; None where the backend takes them one by one."""
    if not isinstance(step, Pass):
        return None
    n = len(src)
    parts = 1 if workers == 1 else min(workers, n, n * (src[0].size // src[0].shape[-1]) // _SHARE)
    if parts <= 1:
        return backend.images(step, slice(first, first + n), src, out)
    edges = [n * k // parts for k in range(parts + 1)]

    def work(span: tuple[int, int]) -> Array | None:
        start, end = span
        room = None if out is None else out[start:end]
        return backend.images(step, slice(first + start, first + end), src[start:end], room)

    made = [part for part in side_by_side(work, [*itertools.pairwise(edges)], parts) if part is not None]
    if not made:
        return None
    return np.concatenate(made) if out is None else out


def moved(plan: Plan, backend: Backend, row: int, target: Target, rules: BoxRules, swap: Swap) -> Any:
    """A target without pixels through all steps."""
    kind = target.kind
    if kind in _RASTERS:
        raise InputError(
            f"expected targets without pixels in all of a column that begins with one, got {kind!r} at position {row}; "
            "pass it under a name of its own"
        )

    def through(value: Any) -> Any:
        for step in plan.steps:
            value = rule(step, kind)(step, row, value, backend, None)
        return value

    carried = CARRIED.get(kind)
    return through(target) if carried is None else carried(plan, row, target, through, rules, swap)


def _memory(
    plan: Plan, rows: slice, kind: str, axes: str, first: Array, buffers: Buffers | None
) -> tuple[Array, Array]:
    """Memory for a column of rasters like the first, in its order of axes, and the same seen as ``[n, *shape, C]``.

    Images come out in the plan's dtype.
    """
    n, shape = rows.stop - rows.start, plan.shape[rows]
    if n > 1 and (shape != shape[0]).any():
        sizes = sorted({tuple(s) for s in shape.tolist()})
        raise InputError(
            f"expected one output size for a batch, got {len(sizes)} ({sizes[0]}, {sizes[1]}, ...); "
            "end the pipeline with Resize, Resample, Crop or RandomResizedCrop"
        )
    dtype = first.dtype
    if kind == Image.kind:
        dtype = plan.dtype
    order, seen = _axes_of_memory(plan, kind, axes)
    lengths = (*shape[0].tolist(), first.shape[-1])
    size = (n, *[lengths[k] for k in order])
    memory = np.empty(size, dtype) if buffers is None else buffers.empty(size, dtype)
    whole = memory[..., None] if len(order) < len(seen) else memory
    return memory, whole.transpose(0, *[1 + k for k in seen])


def _axes_of_memory(plan: Plan, kind: str, axes: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which of ``(*shape, C)`` a raster of some axes has in memory, and the order in which that is so seen."""
    return _axes_in_memory(axes_out(plan, kind, axes), plan.axes)


@lru_cache(maxsize=256)
def _axes_in_memory(found: str, spatial: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    canonical = spatial + "c"
    order = found if "c" in found else found + "c"
    return tuple(map(canonical.index, found)), tuple(map(order.index, canonical))


def axes_out(plan: Plan, kind: str, given: str) -> str:
    """The axes a raster comes out in: images, and maps with channels, in the layout that was asked for."""
    return plan.image_axes(given) if kind == Image.kind or (kind == Map.kind and "c" in given) else given


def _check(kind: str, values: Any) -> None:
    """All rasters of one column must share channels and dtype."""
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
