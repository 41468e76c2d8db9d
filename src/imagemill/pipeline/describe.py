"""Pipelines in words: what ``repr`` and ``explain`` print."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from imagemill.core.annotated.box_rules import BoxRules
from imagemill.core.image_ops import Erase
from imagemill.core.ops import shown
from imagemill.core.sample import Applied
from imagemill.engine.backends.finite_first import kernel_of
from imagemill.engine.backends.protocol import Backend
from imagemill.engine.plan import Alter, Branch, Call, Meet, Pass, Plan, Step
from imagemill.transforms.base import COMMON, CONTINUOUS, Transform, everyone, fields_of
from imagemill.transforms.written_calls import call as call
from imagemill.transforms.written_calls import stable as stable
from imagemill.transforms.written_calls import written


class _Described(Protocol):
    transforms: tuple[Transform, ...]
    seed: int

    @property
    def variants(self) -> float: ...


class _Asked(_Described, Protocol):
    boxes: BoxRules
    notes: tuple[str, ...]
    swap: Any


def said(pipeline: _Asked) -> list[str]:
    """What a pipeline is, before anything runs: its header, its transforms, the boxes that stay, and its notes."""
    parts = [header(pipeline), transforms(pipeline.transforms)]
    parts += [f"boxes that stay: {pipeline.boxes}"] if pipeline.boxes != BoxRules() else []
    return parts + (["notes:\n" + "\n".join(f"  {note}" for note in pipeline.notes)] if pipeline.notes else [])


def constructed(pipeline: _Asked) -> str:
    """A pipeline as one would write it."""
    inside = ",\n".join(f"    {call(t)}" for t in pipeline.transforms)
    how = f"seed={pipeline.seed}" + (f", boxes={pipeline.boxes!r}" if pipeline.boxes != BoxRules() else "")
    how += "" if pipeline.swap == "auto" else f", swap={pipeline.swap!r}"
    return f"Pipeline([\n{inside},\n], {how})" if inside else f"Pipeline([], {how})"


def header(pipeline: _Described) -> str:
    """How many operations, and how many images can come out."""
    fixed = sum(1 for t in pipeline.transforms if t.variants() == 1)
    total = len(pipeline.transforms)
    return (
        f"{_counted(total, 'transform')} ({total - fixed} random, {fixed} fixed), seed {pipeline.seed}\n"
        f"operations that run on each image: {operations(pipeline.transforms)}\n"
        f"different images that can come of one: {_variants(pipeline)}"
    )


def operations(listed: Iterable[Transform]) -> str:
    """How many operations run on each image, such as ``3`` or ``3 to 7 of 9``; those inside others are counted."""
    listed = tuple(listed)
    low, high = (sum(each) for each in zip(*(t.runs() for t in listed), strict=True)) if listed else (0, 0)
    among = sum(1 for t in everyone(listed) if not t.children())
    return (str(low) if low == high else f"{low} to {high}") + (f" of {among}" if among > high else "")


def _variants(pipeline: _Described) -> str:
    count = pipeline.variants
    if not math.isinf(count):
        return f"{count:,.0f}"
    reasons = {t.unlimited() for t in pipeline.transforms} - {""}
    return f"unlimited ({CONTINUOUS})" if CONTINUOUS in reasons else f"many ({reasons.pop()})"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def transforms(listed: Iterable[Transform]) -> str:
    """Each transform with its ranges and how often it runs."""
    return "\n".join(_lines(listed, ""))


def _lines(listed: Iterable[Transform], indent: str, chances: Sequence[float] | None = None) -> Iterator[str]:
    """One line a transform; ``chances`` are those of being chosen at all, None where nobody knows."""
    listed = tuple(listed)
    for number, t in enumerate(listed, 1):
        chance = 1.0 if chances is None else chances[number - 1]
        # Of a combination its rule says what its own numbers mean.
        own = () if t.children() else (*_ranges(t), *_settings(t))
        words = filter(None, (", ".join(own), t.rule(), _often(chance * t.p, t.p)))
        yield f"{indent}{number:>2}. {type(t).__name__:<18} {'  '.join(words)}".rstrip()
        inside = t.chances()
        yield from _lines(t.children(), indent + "    ", inside and [chance * t.p * share for share in inside])


def _often(chance: float, p: float) -> str:
    """For how many of the images; and how often once it was chosen from among others, where that differs."""
    if chance == 1:
        return ""
    chosen = f" (p={p:g} once chosen)" if p < 1 and not math.isclose(chance, p) else ""
    return f"for {_percent(chance)} of the images{chosen}"


def _percent(share: float) -> str:
    """Three digits, so that one in eight and one in three hundred can be read off."""
    return f"{100 * share:.3g}%"


def _ranges(t: Transform) -> Iterator[str]:
    return (_range(name, str(d), unit) for name, d, unit in t.distributions())


def _range(name: str, values: str, unit: str | None) -> str:
    """A parameter with its values and their unit, which its name may be already."""
    return f"{name} {values}" + (f" {unit}" if unit and unit != name else "")


def _settings(t: Transform) -> Iterator[str]:
    """What was set and is not random, where it differs from the default; of one without numbers also its first word."""
    described = stable(t)
    if not isinstance(described, dict):
        return
    random = {name.partition(".")[0] for name, _, _ in t.distributions()} | {"p", "transforms"}
    given = {name: value for name, value in described[type(t).__name__].items() if name not in random}
    first = next((f.name for f in fields_of(type(t)) if f.name not in COMMON), None)
    if len(random) == 2 and first is not None:
        given = {first: getattr(t, first), **given}
    for name, value in given.items():
        yield f"{name} {'x'.join(map(str, value)) if name == 'size' and isinstance(value, list) else written(value)}"


def steps(plan: Plan, backend: Backend, applied: tuple[Applied, ...], key: object) -> str:
    """The planned steps for one sample: what went into each, the kernel, the bytes, why a run broke."""
    shape, dtype, channels = tuple(plan.in_shape[0].tolist()), plan.in_dtype, plan.channels
    chosen = {a.name for a in applied}
    where = "" if backend.name == "cpu" else f" on {backend.name}"
    lines = [f"plan for {_size(shape, channels, dtype)}, key {key!r}: {_steps(len(plan.steps))}{where}"]
    moved = 0
    for number, step in enumerate(plan.steps, 1):
        text, shape, dtype, bytes_moved = _step(step, backend, shape, dtype, channels)
        moved += bytes_moved
        names = " + ".join(name if name in chosen else f"({name})" for name in step.sources)
        lines.append(f"{number:>2}. {text}")
        lines.append(f"      from    {names}")
        if step.broken:
            lines.append(f"      alone   because of {step.broken}")
        lines.append(f"      moves   {_bytes(bytes_moved)}")
    layout = {None: "as given", True: "channels first", False: "channels last"}[plan.channels_first]
    lines.append(
        f"out: {_size(tuple(plan.shape[0].tolist()), channels, plan.dtype)}, axes {layout}; {_bytes(moved)} moved"
    )
    if any(name not in chosen for step in plan.steps for name in step.sources):
        lines.append("(in brackets: not drawn for this sample)")
    if applied:
        lines.append("drawn: " + "; ".join(map(str, applied)))
    return "\n".join(lines)


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _step(
    step: Step, backend: Backend, shape: tuple[int, ...], dtype: np.dtype[Any], channels: int
) -> tuple[str, tuple[int, ...], np.dtype[Any], int]:
    size = math.prod(shape) * channels * dtype.itemsize
    if isinstance(step, Meet):
        shape = tuple(step.shape[0].tolist())
        out = math.prod(shape) * channels * dtype.itemsize
        return f"blend, {step.op.kind} of {step.op.rows.shape[1]} samples", shape, dtype, size + out
    if isinstance(step, Branch):
        inside = ", ".join(str(len(plan.steps)) for plan in step.plans)
        return f"sum of the image and {len(step.plans)} chains of {inside} steps", shape, dtype, 2 * size
    if isinstance(step, Call):
        return f"call {step.op.name}", shape, dtype, 2 * size
    if isinstance(step, Alter):
        return f"{_altering(step)}   [{kernel_of(backend, step, 0, dtype)}]", shape, dtype, 2 * size
    kernel = backend.kernels(step, 0, shape, dtype, channels)
    text, out_shape, out_dtype = _pass(step, kernel, shape, dtype)
    out = math.prod(out_shape) * channels
    moved = size + out * out_dtype.itemsize
    if step.resample is not None and step.colour is not None:
        moved += 2 * out * dtype.itemsize
    return text, out_shape, out_dtype, moved


def _altering(step: Alter) -> str:
    kind = step.op.fill if isinstance(step.op, Erase) else step.op.kind
    return f"{type(step.op).__name__.lower()}, {kind}" + (", label maps too" if step.reaches_masks else "")


def _pass(
    step: Pass, kernel: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[str, tuple[int, ...], np.dtype[Any]]:
    words = []
    if step.resample is not None:
        shape = tuple(step.resample.shape[0].tolist())
        s = step.resample.sampling
        words.append(f"resample to {'x'.join(map(str, shape))}, order {1 if s.order is None else s.order}")
        if s.border is not None:
            words.append(f"border {s.border}" + (f" {shown(s.fill)}" if s.border == "constant" else ""))
    if step.colour is not None:
        dtype = step.colour.dtype
        words.append(f"colour to {dtype}")
    return f"{', '.join(words)}   [{kernel}]", shape, dtype


def _size(shape: tuple[int, ...], channels: int, dtype: np.dtype[Any]) -> str:
    return f"{'x'.join(map(str, shape))}, {channels} channel{'s' if channels > 1 else ''} of {dtype}"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError
