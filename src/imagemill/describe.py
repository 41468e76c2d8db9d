"""Pipelines in words: what ``repr`` and ``explain`` print."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.sample import Applied
from imagemill.engine.backends.protocol import Backend
from imagemill.engine.plan import Call, Pass, Plan, Step
from imagemill.transforms.base import Transform


class _Described(Protocol):
    transforms: tuple[Transform, ...]
    seed: int

    @property
    def variants(self) -> float: ...


def stable(transform: Transform) -> Any:
    """A plain form for a digest; a transform that cannot be written to a file stands by its repr."""
    try:
        return transform.to_dict()
    except ParameterError:
        # Without the addresses of functions, which differ from run to run.
        return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(transform))


def call(transform: Transform) -> str:
    """A transform as one would write it."""
    name, form = type(transform).__name__, stable(transform)
    inner = ", ".join(map(call, transform.children()))
    if not isinstance(form, dict):
        return f"{name}([{inner}])" if inner else str(form)
    given = [f"{k}={_value(v)}" for k, v in form[name].items() if not (inner and k == "transforms")]
    return f"{name}({', '.join([f'[{inner}]', *given] if inner else given)})"


def _value(value: Any) -> str:
    return f"({', '.join(map(repr, value))})" if isinstance(value, list) else repr(value)


def header(pipeline: _Described) -> str:
    """How many operations, and how many images can come out."""
    fixed = sum(1 for t in pipeline.transforms if t.variants() == 1)
    total = len(pipeline.transforms)
    count = pipeline.variants
    many = "unlimited (a parameter is continuous)" if math.isinf(count) else f"{count:,.0f}"
    return (
        f"{total} transforms ({total - fixed} random, {fixed} fixed), seed {pipeline.seed}\n"
        f"different images that can come of one: {many}"
    )


def transforms(listed: Iterable[Transform]) -> str:
    """Each transform with its ranges and how often it runs."""
    return "\n".join(_lines(listed, ""))


def _lines(listed: Iterable[Transform], indent: str) -> Iterator[str]:
    for number, t in enumerate(listed, 1):
        ranges = ", ".join([*(_range(name, str(d), unit) for name, d, unit in t.distributions()), *_settings(t)])
        often = "" if t.p == 1 else f"for {t.p:.0%} of the images"
        yield f"{indent}{number:>2}. {type(t).__name__:<18} {'  '.join(filter(None, (ranges, often)))}".rstrip()
        yield from _lines(t.children(), indent + "    ")


def _range(name: str, values: str, unit: str | None) -> str:
    """A parameter with its values and their unit, which its name may be already."""
    return f"{name} {values}" + (f" {unit}" if unit and unit != name else "")


def _settings(t: Transform) -> Iterator[str]:
    """What was set and is not random, where it differs from the default."""
    described = stable(t)
    if not isinstance(described, dict):
        return
    random = {name.partition(".")[0] for name, _, _ in t.distributions()} | {"p", "transforms"}
    for name, value in described[type(t).__name__].items():
        if name not in random:
            yield f"{name} {'x'.join(map(str, value)) if name == 'size' and isinstance(value, list) else _value(value)}"


def steps(plan: Plan, backend: Backend, applied: tuple[Applied, ...], key: object) -> str:
    """The planned steps for one sample: what went into each, the kernel, the bytes, why a run broke."""
    shape, dtype, channels = tuple(plan.in_shape[0].tolist()), plan.in_dtype, plan.channels
    chosen = {a.name for a in applied}
    lines = [f"plan for {_size(shape, channels, dtype)}, key {key!r}: {_steps(len(plan.steps))}"]
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
    if isinstance(step, Call):
        return f"call {step.op.name}", shape, dtype, 2 * size
    kernel = backend.kernels(step, 0, shape, dtype, channels)
    text, out_shape, out_dtype = _pass(step, kernel, shape, dtype)
    out = math.prod(out_shape) * channels
    moved = size + out * out_dtype.itemsize
    if step.resample is not None and step.colour is not None:
        moved += 2 * out * dtype.itemsize
    return text, out_shape, out_dtype, moved


def _pass(
    step: Pass, kernel: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[str, tuple[int, ...], np.dtype[Any]]:
    words = []
    if step.resample is not None:
        shape = tuple(step.resample.shape[0].tolist())
        s = step.resample.sampling
        words.append(f"resample to {'x'.join(map(str, shape))}, order {1 if s.order is None else s.order}")
        if s.border is not None:
            words.append(f"border {s.border}" + (f" {s.fill:g}" if s.border == "constant" else ""))
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
