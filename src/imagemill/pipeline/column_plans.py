"""Plans of their own for rasters that go another way than the first image: other images, and maps of numbers.

All rasters of a sample share its geometry. Another image may have other channels and another white, or be left out of
a transform that names the images it is for; a map of numbers takes the geometry and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np

from imagemill.core.errors import InputError, PlanError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.image_ops import Erase, Exchange, Noise
from imagemill.core.ops import Affine, Blend, Fan, Layout, Op, Warp
from imagemill.core.sample import DrawLog
from imagemill.core.targets import Image, Label, Map, Raster, Target
from imagemill.engine.execute import axes_out
from imagemill.engine.plan import Plan
from imagemill.engine.planner import Drawn
from imagemill.pipeline.drawing import Draft
from imagemill.pipeline.inputs import Inputs
from imagemill.transforms.base import Transform, everyone

__all__ = ["draft_of_map", "others", "results"]


def results(
    inputs: Inputs, made: Mapping[str, Any], plan: Plan, own: Mapping[str, Plan], affine: Floats
) -> dict[str, Target]:
    """What was made of one sample, wrapped as it was."""
    out: dict[str, Target] = {}
    for name in inputs.names:
        target, found = inputs.column(name)[0], made[name][0]
        if isinstance(target, Raster):
            order = axes_out(own.get(name, plan), target.kind, inputs.axes(name))
            found = replace(target, array=found, axes=order, spacing=None, affine=affine)
        elif isinstance(target, Label):
            found = Label(found)
        out[name] = found
    return out


def _check_images_named(inputs: Inputs, transforms: Sequence[Transform]) -> None:
    """Refuse transforms that are for an image which the sample does not have.

    Raises
    ------
    InputError
    """
    images = [name for name in inputs.names if inputs.kind(name) == Image.kind]
    for transform in everyone(transforms):
        strange = [name for name in transform.images or () if name not in images]
        if strange:
            raise InputError(
                f"expected an image called {strange[0]!r}, as {type(transform).__name__}(images={transform.images!r}) "
                f"says, got {', '.join(map(repr, images)) or 'none'}; pass it under that name, or change images="
            )


def others(
    inputs: Inputs,
    lead: Draft,
    draw: Callable[[Frame, str], Draft],
    plan: Callable[[Draft], Plan],
    selective: Sequence[Transform],
) -> tuple[dict[str, Plan], DrawLog]:
    """The plans of rasters that the first image's plan is not for, and all that was drawn.

    Parameters
    ----------
    inputs : Inputs
    lead : Draft
        Of the first image.
    draw, plan : callable
        Draw for a frame and the name of an image, and plan.
    selective : sequence of Transform
        Those that name the images they are for.

    Raises
    ------
    InputError
        When one is for an image that the sample does not have.
    """
    if not (selective or inputs.several):
        return {}, lead.log
    _check_images_named(inputs, selective)
    made: dict[str, Plan] = {}
    drafts = {_way(inputs, inputs.lead, selective): lead}
    plans: dict[Any, Plan] = {}
    for name in inputs.names:
        kind = inputs.kind(name)
        if kind == Map.kind:
            made[name] = plan(draft_of_map(lead, inputs.alike(name), inputs.frame_of(name)))
        if kind != Image.kind or name == inputs.lead:
            continue
        way = _way(inputs, name, selective)
        if way not in drafts:
            drafts[way] = draw(inputs.frame_of(name), name)
        draft = drafts[way]
        if any(_has_stream(op) for _, op in draft.ops):
            made[name] = plan(_own_noise(draft, name))
        elif draft is not lead:
            plans[way] = made[name] = plans.get(way) or plan(draft)
    for name, own in made.items():
        if (own.shape != lead.frames[-1].shape).any():
            raise PlanError(
                f"expected the image {name!r} to come out as large as {inputs.lead!r}, got another size; a transform "
                "lets its geometry depend on channels or dtype"
            )
    return made, _log(list(drafts.values()))


def _way(inputs: Inputs, name: str, selective: Sequence[Transform]) -> tuple[Any, ...]:
    """What decides how an image is recoloured: images of one way share a plan."""
    frame = inputs.frame_of(name)
    return frame.channels, frame.dtype, tuple(name in (transform.images or ()) for transform in selective)


def _has_stream(op: Op) -> TypeGuard[Noise | Erase]:
    return isinstance(op, Noise | Erase) and op.stream is not None


def _own_noise(draft: Draft, name: str) -> Draft:
    """The draft with other numbers for its pixels: what one camera or scan has for noise, another has not."""
    word = np.uint32(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little"))
    ops = []
    for transform, op in draft.ops:
        if _has_stream(op):
            assert op.stream is not None
            op = replace(op, stream=op.stream ^ np.array([word, 0], np.uint32))
        ops.append((transform, op))
    return replace(draft, ops=tuple(ops))


def _log(drafts: Sequence[Draft]) -> DrawLog:
    """What was drawn for any of the images, in the order of the transforms."""
    if len(drafts) == 1:
        return drafts[0].log
    found: dict[int, Any] = {}
    for draft in drafts:
        for place, drawing in zip(draft.places, draft.log.drawings, strict=True):
            found.setdefault(place, drawing)
    return DrawLog(tuple(found[place] for place in sorted(found)))


def draft_of_map(draft: Draft, of: Map, frame: Frame) -> Draft:
    """What was drawn, as it is for a map of numbers: the geometry, and what hides parts of label maps as well.

    Parameters
    ----------
    draft : Draft
    of : Map
        Says what stands where there is nothing, and the spline order.
    frame : Frame
        Of the map, as it came in.
    """

    def still(one: Frame) -> Frame:
        """The frame at a place, with the map's own channels and values, which nothing changes."""
        return replace(one, channels=frame.channels, dtype=frame.dtype, peak=frame.peak)

    kept = list(_for_map(draft, of))
    frames = (*(still(before) for before, _ in kept), still(draft.frames[-1]))
    return Draft(tuple(drawn for _, drawn in kept), frames, draft.log, draft.places)


def _for_map(draft: Draft, of: Map) -> Iterator[tuple[Frame, Drawn]]:
    for (name, op), before in zip(draft.ops, draft.frames[:-1], strict=True):
        if isinstance(op, Affine | Warp):
            order = op.sampling.order
            chosen = order if order is None or of.order is None else of.order
            yield before, (name, replace(op, sampling=replace(op.sampling, order=chosen, fill=float(of.fill))))
        elif isinstance(op, Erase | Noise) and op.mask_fill is not None:
            yield before, (name, replace(op, mask_fill=float(of.fill)))
        elif isinstance(op, Exchange) and op.masks:
            yield before, (name, op)
        elif isinstance(op, Blend):
            yield before, (name, replace(op, fill=float(of.fill)))
        elif isinstance(op, Layout | Fan):  # a fan that moves the image refuses the map
            yield before, (name, op)
