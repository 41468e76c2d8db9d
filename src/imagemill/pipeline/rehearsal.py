"""A pipeline tried on the shapes of real inputs: geometry is drawn and planned, no pixel is touched.

Rules judge what is declared; this finds what only shows when images come: a crop larger than the image, slices that are
lost, results that no batch can hold.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from imagemill.core.errors import ImagemillError, InputError
from imagemill.core.findings import Finding, worst_first
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine
from imagemill.core.targets import Image
from imagemill.engine.plan import Plan
from imagemill.engine.planner import Drawn
from imagemill.pipeline.inputs import Inputs
from imagemill.pipeline.lint import Size, lint
from imagemill.transforms.base import Transform, everyone

__all__ = ["Given", "given", "judge"]

_DRAWS = 8
"""Draws of each input: enough for what only some of them meet, such as a turn that exchanges height and width."""

_OF_ONE = ("fails", "fewer-slices", "sees-little")
"""Rules that speak of one image."""

_SEEN_LITTLE = 0.1
"""Share of an image below which a crop probably lost what the label is about."""


@dataclass(frozen=True, slots=True)
class Given:
    """An input without its pixels.

    Parameters
    ----------
    shape : tuple of int
        Of the array.
    axes : str
        Of the array, such as ``"yxc"``.
    dtype : str
    spacing : tuple of float, optional
        Millimetres along the spatial axes.
    key : str or int
        Its name; the draws belong to it.
    """

    shape: tuple[int, ...]
    axes: str
    dtype: str = "uint8"
    spacing: tuple[float, ...] | None = None
    key: str | int = 0

    @property
    def size(self) -> Size:
        """Lengths and spacing by axis."""
        lengths = {axis: n for axis, n in zip(self.axes, self.shape, strict=True) if axis != "c"}
        return Size(lengths, dict(zip(lengths, self.spacing or (), strict=False)))

    def __str__(self) -> str:
        name = f"{self.key}, " if isinstance(self.key, str) else ""
        return f"{name}{_by(self.shape)} ({self.axes}) of {self.dtype}"


def given(
    shape: Sequence[int], axes: str | None, dtype: Any, spacing: tuple[float, ...] | None, key: str | int
) -> Given:
    """An input of which the axes may have to be guessed, as for arrays: pictures need not say, volumes are ``zyx``."""
    shape = tuple(shape)
    if axes is None:
        colours = len(shape) >= 3 and shape[-1] in (1, 3, 4)
        spatial = len(shape) - colours if len(shape) < 4 else 3
        axes = {2: "yx", 3: "zyx"}.get(spatial, "?") + ("c" if len(shape) > spatial else "")
    if len(axes) != len(shape):
        raise InputError(
            f"expected a name for each of {len(shape)} axes of the shape {shape}, got {axes!r}; write axes="
        )
    return Given(shape, axes, np.dtype(dtype).name, spacing, key)


class Tried(Protocol):
    """What is tried: a pipeline."""

    transforms: tuple[Transform, ...]

    def draw(self, frame: Frame, keys: Sequence[str | int], *, epoch: int = 0) -> Any:
        """Ops and frames for a batch."""

    def plan(self, draft: Any) -> Plan:
        """The plan of a draft."""

    def replace(self, **changes: Any) -> Any:
        """The same but for some of its arguments."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What comes of one input, in all of its draws."""

    given: Given
    shapes: frozenset[tuple[int, ...]]
    channels: int
    dtype: str


def judge(pipeline: Tried, inputs: Sequence[Given], *, evaluation: bool = False) -> list[Finding]:
    """All findings about a pipeline, those of the rules and those of trying it, the worst first.

    Parameters
    ----------
    pipeline : Pipeline
    inputs : sequence of Given
        Typical ones; none lets the rules alone speak.
    evaluation : bool
        The pipeline prepares validation or test data, where nothing may be random.
    """
    found = [] if inputs else lint(pipeline.transforms, evaluation=evaluation)
    results: list[_Result] = []
    for one in inputs:
        found += lint(pipeline.transforms, size=one.size, evaluation=evaluation)
        try:
            drawn, plan = _drawn(pipeline, one)
        except Exception as error:
            found.append(_failure(pipeline, one, error))
            continue
        found += _lost(one, drawn.ops, drawn.frames)
        shapes = frozenset(tuple(row) for row in plan.shape.tolist())
        results.append(_Result(one, shapes, plan.channels, np.dtype(plan.dtype).name))
    found += _mixed(results)
    return worst_first(_once(found))


def _once(found: list[Finding]) -> list[Finding]:
    """One finding for each rule and place: what is said of the first input is counted for the others."""
    kept: dict[tuple[str, tuple[int | str, ...]], Finding] = {}
    times: Counter[tuple[str, tuple[int | str, ...]]] = Counter()
    for finding in found:
        kind = finding.rule, finding.places
        kept.setdefault(kind, finding)
        times[kind] += 1
    return [
        replace(finding, message=f"{finding.message} (and so for {times[kind] - 1} more of the images looked at)")
        if times[kind] > 1 and finding.rule in _OF_ONE
        else finding
        for kind, finding in kept.items()
    ]


def _drawn(pipeline: Tried, one: Given) -> tuple[Any, Plan]:
    image = Image(np.broadcast_to(np.zeros((), one.dtype), one.shape), one.axes, one.spacing)
    inputs = Inputs({"image": [image] * _DRAWS})
    # Other epochs of one key would need a call each; other keys draw as differently.
    draft = pipeline.draw(inputs.frame, [one.key, *range(1, _DRAWS)])
    return draft, pipeline.plan(draft)


def _failure(pipeline: Tried, one: Given, error: Exception) -> Finding:
    """Which transform refuses an input, and why."""
    said = str(error) if isinstance(error, ImagemillError) else f"{type(error).__name__}: {error}"
    place = 1
    for end, transform in enumerate(pipeline.transforms, 1):
        leaves = sum(1 for t in everyone([transform]) if not t.children())
        try:
            _drawn(pipeline.replace(transforms=pipeline.transforms[:end]), one)
        except Exception:
            return Finding("fails", "error", f"{one}: {said}", tuple(range(place, place + leaves)))
        place += leaves
    return Finding("fails", "error", f"{one}: {said}")


def _lost(one: Given, ops: Sequence[Drawn], frames: Sequence[Frame]) -> Iterator[Finding]:
    """Slices that go, and pictures of which little is seen."""
    axes, first, last = frames[0].axes, frames[0].shape, frames[-1].shape
    if "z" in axes:
        z = axes.index("z")
        before, after = int(first[0, z]), int(last[:, z].max())
        if after < before:
            steps = zip(ops, frames[1:], strict=True)
            who = next(name for (name, _), frame in steps if frame.shape[:, z].max() < before)
            level = "warning" if 2 * after < before else "note"
            yield Finding(
                "fewer-slices",
                level,
                f"{one}: {before} slices become {after} by {who}; what is small along z is lost; give it y "
                "and x alone to keep all slices",
            )
    seen = np.median(_seen(ops, frames))
    if seen < _SEEN_LITTLE:
        who = " and ".join(dict.fromkeys(name for name, op in ops if isinstance(op, Affine)))
        yield Finding(
            "sees-little",
            "note",
            f"{one}: {seen:.1%} of the image is left by {who}; to see more of it, put Resize before a crop",
        )


def _seen(ops: Sequence[Drawn], frames: Sequence[Frame]) -> Any:
    """Share of the input that the output spans, ``[n]``: how much each map magnifies, over all of them."""
    magnified = np.ones(frames[0].n)
    for _, op in ops:
        if isinstance(op, Affine):
            magnified = magnified * np.abs(np.linalg.det(op.matrix[:, :-1, :-1]))
    return magnified * np.prod(frames[-1].shape, axis=1) / np.prod(frames[0].shape, axis=1)


def _mixed(results: Sequence[_Result]) -> Iterator[Finding]:
    """Results that one batch cannot hold."""
    turned = next((result for result in results if len(result.shapes) > 1), None)
    shapes = turned.shapes if turned is not None else {shape for result in results for shape in result.shapes}
    if len(shapes) > 1:
        sizes = sorted(shapes, key=math.prod)
        who = f"{turned.given} comes" if turned is not None else f"{len(results)} images come"
        slices = len({shape[0] for shape in shapes if len(shape) == 3}) > 1
        end = "Resample to a size of three lengths" if slices else "Resize, or with Pad and Crop"
        yield Finding(
            "mixed-sizes",
            "warning",
            f"{who} out in {len(sizes)} sizes, {_by(sizes[0])} and {_by(sizes[-1])} among them: good for files, but a "
            f"batch holds one size; end with {end}",
        )
    channels = sorted({result.channels for result in results})
    if len(channels) > 1:
        colours = "read all alike (channels='rgb' in Python, --channels rgb on the command line)"
        yield Finding(
            "mixed-channels",
            "warning",
            f"images come out with {' and '.join(map(str, channels))} channels: a batch holds one number of them; "
            + (colours if set(channels) <= {1, 3, 4} else "leave out those of another kind"),
        )
    types = sorted({result.dtype for result in results})
    if len(types) > 1:
        yield Finding(
            "mixed-types",
            "warning",
            f"images come out as {' and '.join(types)}: a batch holds one type; end with Normalize, Rescale or ToDtype",
        )


def _by(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
