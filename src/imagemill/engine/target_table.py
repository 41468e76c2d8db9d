"""THE table: what each kind of step does to each kind of target. A missing cell raises, nothing vanishes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

import numpy as np

from imagemill.core.errors import TargetError, blame_caller
from imagemill.core.image_ops import Erase, Exchange, Filter, Noise
from imagemill.core.ops import Opaque
from imagemill.core.targets import Array, Boxes, Image, Instances, Keypoints, Label, Map, Mask, Polygons, RotatedBoxes
from imagemill.engine.altering.altered import altered, altered_labels
from imagemill.engine.altering.erase_values import gone, hidden
from imagemill.engine.altering.exchanged_parts import moved_objects, moved_points
from imagemill.engine.annotations import points
from imagemill.engine.annotations.boxes import Outlines
from imagemill.engine.annotations.rings import Rings
from imagemill.engine.backends.protocol import AltersImages, Backend
from imagemill.engine.colour_values import to_dtype
from imagemill.engine.inverse import shown
from imagemill.engine.plan import Alter, Branch, Call, Pass, Step

Value = Any
"""What a kind carries between steps: ``(*shape, C)``, ``(*shape, K)``, the boundaries of boxes, rings, indices with
visibility, anything."""

Rule = Callable[[Step, int, Value, Backend, Array | None], Value]
"""Step, sample, value, backend and, for rasters, the buffer the result belongs in."""


def _pixels(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Pass)
    return backend.image(step, row, value, out)


def _labels(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Pass)
    if step.resample is None:
        return value
    if out is None:
        out = np.empty((*step.resample.shape[row].tolist(), value.shape[-1]), value.dtype)
    for k in range(value.shape[-1]):
        backend.labels(step, row, value[..., k], out[..., k])
    return out


def _boxes(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Pass)
    assert isinstance(value, Outlines)
    return value if step.resample is None else value.pushed(step.resample.chain(row))


def _keypoints(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Pass)
    if step.resample is None:
        return value
    indices, seen = value
    chain = step.resample.chain(row)
    return points.push(chain, indices), seen & points.kept(chain, indices)


def _rings(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Pass)
    assert isinstance(value, Rings)
    return value if step.resample is None else value.pushed(step.resample.chain(row))


def _instances(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    """As label maps, but that nothing beyond the source is part of an object."""
    assert isinstance(step, Pass)
    if step.resample is None:
        return value
    (resample,) = shown((step.resample,))
    return _labels(Pass(resample, None, step.sources), row, value, backend, out)


def _call(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Call)
    if step.op.where is not None and not step.op.where[row]:
        return value
    given = value.copy()
    try:
        found = np.asarray(step.op.function(given))
        if found.shape != value.shape or found.dtype != value.dtype:
            raise TargetError(
                f"expected the function {step.op.name!r} to return shape {value.shape} and dtype {value.dtype}, "
                f"got {found.shape} and {found.dtype}; geometry and dtype belong to transforms of their own"
            )
    except Exception as error:
        blame_caller(error, f"the function {step.op.name!r}")
        raise
    return found


def _altered(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Alter)
    return cast(Any, backend).alter(step, row, value, out) if _alters(type(backend)) else altered(step, row, value, out)


@lru_cache(maxsize=64)
def _alters(backend: type[Backend]) -> bool:
    """Whether backends of a class have kernels for it: asking a protocol takes longer than copying a small image."""
    return issubclass(backend, AltersImages)


def _altered_labels(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Alter)
    return altered_labels(step, row, value, out)


def _less_of_each(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    """What is lost to label maps is no part of an object any more."""
    assert isinstance(step, Alter)
    if not (step.reaches_masks and step.active(row)):
        return value
    assert isinstance(step.op, Noise | Erase)
    left = np.ones((*value.shape[:-1], 1), value.dtype)
    return value * altered_labels(replace(step, op=replace(step.op, mask_fill=0)), row, left)


def _hidden(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Alter)
    assert isinstance(step.op, Erase)
    if not (step.op.hides and step.active(row)):
        return value
    indices, seen = value
    return indices, seen & ~hidden(step.op, row, indices)


def _boxes_of_objects(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Alter)
    assert isinstance(step.op, Erase)
    assert isinstance(value, Outlines)
    if step.op.objects is None or not step.active(row):
        return value
    return value.without(gone(step.op, row, value.whole()))


def _rings_of_objects(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Alter)
    assert isinstance(step.op, Erase)
    assert isinstance(value, Rings)
    if step.op.objects is None or not step.active(row):
        return value
    return replace(value, share=np.where(gone(step.op, row, value.around()), 0.0, value.share))


def _points_of_parts(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Alter)
    assert isinstance(step.op, Exchange)
    if not (step.op.masks and step.active(row)):
        return value
    indices, seen = value
    return moved_points(step.op, row, indices), seen


def _boxes_of_parts(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Alter)
    assert isinstance(step.op, Exchange)
    assert isinstance(value, Outlines)
    if not (step.op.masks and step.active(row)):
        return value
    shift, torn = moved_objects(step.op, row, value.whole())
    return replace(value, points=value.points + shift[:, None]).without(torn)


def _rings_of_parts(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    assert isinstance(step, Alter)
    assert isinstance(step.op, Exchange)
    assert isinstance(value, Rings)
    if not (step.op.masks and step.active(row)):
        return value
    shift, torn = moved_objects(step.op, row, value.around())
    points = value.points + np.repeat(shift[value.owner], value.lengths, axis=0)
    return replace(value, points=points, share=np.where(torn, 0.0, value.share))


def _branched(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    """The image itself and what each plan makes of it, in float64 summed by their shares and rounded once."""
    assert isinstance(step, Branch)
    made = value
    if step.active(row):
        weight, colours = step.op.weight[row], step.op.channels
        total = weight[0] * value[..., :colours].astype(np.float64)
        for share, plan in zip(weight[1:].tolist(), step.plans, strict=True):
            version = value
            for inner in plan.steps:
                version = rule(inner, Image.kind)(inner, row, version, backend, None)
            total += share * version[..., :colours]
        made = to_dtype(total, value.dtype)
        if colours < value.shape[-1]:
            made = np.concatenate([made, value[..., colours:]], axis=-1)
    if out is None:
        return made
    out[...] = made
    return out


def _stays(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    """What has one place in the image stays, unless versions of the image move."""
    assert isinstance(step, Branch)
    if step.moves:
        raise TargetError(
            f"expected nothing but images and labels to go through {step.sources[0]}, which sums versions that are "
            f"moved differently, got something that has a place in the image; write {step.sources[0]}(geometry=False), "
            "which mixes colours alone"
        )
    return value


def _unchanged(step: Step, row: int, value: Value, backend: Backend, out: Array | None) -> Value:
    return value


STEPS: tuple[type[Any], ...] = (Pass, Filter, Noise, Erase, Exchange, Branch, Opaque)
"""A pass and a branch stand by themselves, any other step by the op it runs. Where samples meet
(:class:`~imagemill.engine.plan.Meet`) no rule for one of them will do: :mod:`imagemill.engine.blending.meeting`."""

_KINDS: dict[str, tuple[Rule, ...]] = {
    Image.kind: (_pixels, _altered, _altered, _altered, _altered, _branched, _call),
    Mask.kind: (_labels, _unchanged, _altered_labels, _altered_labels, _altered_labels, _stays, _unchanged),
    Map.kind: (_pixels, _unchanged, _altered_labels, _altered_labels, _altered_labels, _stays, _unchanged),
    Instances.kind: (
        _instances,
        _unchanged,
        _less_of_each,
        _less_of_each,
        _altered_labels,
        _stays,
        _unchanged,
    ),
    Boxes.kind: (_boxes, _unchanged, _unchanged, _boxes_of_objects, _boxes_of_parts, _stays, _unchanged),
    Keypoints.kind: (_keypoints, _unchanged, _unchanged, _hidden, _points_of_parts, _stays, _unchanged),
    Polygons.kind: (_rings, _unchanged, _unchanged, _rings_of_objects, _rings_of_parts, _stays, _unchanged),
    RotatedBoxes.kind: (_rings, _unchanged, _unchanged, _rings_of_objects, _rings_of_parts, _stays, _unchanged),
    Label.kind: (_unchanged, _unchanged, _unchanged, _unchanged, _unchanged, _unchanged, _unchanged),
}
"""For each kind what the steps do to it, in the order of :data:`STEPS`. A new kind is a line here."""

TABLE: dict[tuple[type[Any], str], Rule] = {
    (step, kind): rule for kind, rules in _KINDS.items() for step, rule in zip(STEPS, rules, strict=True)
}


def reaches(step: Step, kind: str) -> bool:
    """Whether a step may change rasters of a kind."""
    if kind == Image.kind:
        return True
    if isinstance(step, Branch):
        return step.moves  # and then says that it must not
    return step.reaches_masks if isinstance(step, Alter) else isinstance(step, Pass) and step.resample is not None


def rule(step: Step, kind: str) -> Rule:
    """What a step does to a kind of target.

    Raises
    ------
    TargetError
        When the table has no such cell.
    """
    row = type(step.op) if isinstance(step, Alter | Call) else type(step)
    found = TABLE.get((row, kind))
    if found is None:
        known = sorted({k for _, k in TABLE})
        raise TargetError(
            f"expected a rule for what {row.__name__} does to {kind!r}, but the table has none; "
            f"known targets: {', '.join(known)}"
        )
    return found
