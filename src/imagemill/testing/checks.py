"""Checks for pipelines: two backends agree, two plans are the same. They raise AssertionError with figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.sample import Sample
from imagemill.core.targets import Boxes, Image, Instances, Keypoints, Label, Map, Mask, Polygons, RotatedBoxes
from imagemill.engine.backends import get_backend, reference
from imagemill.engine.backends.protocol import Backend
from imagemill.engine.plan import Pass, Plan, Step
from imagemill.pipeline.inputs import Inputs, read_columns
from imagemill.pipeline.pipeline import Pipeline

Array = np.ndarray[Any, Any]

MEAN_LEVELS, RARE_LEVELS = 1.0, 2.0
"""8-bit pictures: mean and 99.9th percentile of the difference, in grey levels of the source."""

FLOAT_SHARE = 1e-4
"""Floating-point and 16-bit images: the largest difference as a share of the range of values."""

TIE = 1e-6
"""Label maps may differ only where a coordinate is this near to a half, in pixels."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two backends are apart on one image.

    Parameters
    ----------
    mean, rare, worst : float
        Mean, 99.9th percentile and largest difference: grey levels for 8-bit sources, else shares of the range.
    """

    mean: float
    rare: float
    worst: float


def with_backend(pipeline: Pipeline, name: str) -> Pipeline:
    """The same pipeline on another backend."""
    return pipeline.replace(backend=name)


def difference(got: Array, wanted: Array, source: Array) -> Difference:
    """Two results of one source, compared in its units."""
    a, b = got.astype(np.float64), wanted.astype(np.float64)
    apart = np.abs(a - b)
    spread = max(float(np.ptp(b)), float(np.abs(b).max()) * 1e-3, 1e-12)
    if source.dtype == np.uint8:
        # One grey level of the source, seen through whatever gain the pipeline has, or one of 8 bits that come out.
        unit = 1.0 if got.dtype == np.uint8 else spread / max(float(np.ptp(source)), 1.0)
    else:
        unit = spread
    apart = apart / unit
    return Difference(float(apart.mean()), float(np.quantile(apart, 0.999)), float(apart.max()))


def assert_backends_agree(
    pipeline: Pipeline,
    /,
    *,
    key: str | int = 0,
    epoch: int = 0,
    axes: str | None = None,
    other: str = "reference",
    **targets: Any,
) -> dict[str, Difference]:
    """Run a sample on the pipeline's backend and on another, and compare every target.

    Returns
    -------
    dict of str to Difference
        For each image.

    Raises
    ------
    AssertionError

    Examples
    --------
    >>> import imagemill as im
    >>> from imagemill.testing import picture
    >>> pipe = im.Pipeline([im.Rotate((-10, 10)), im.Brightness((0.5, 1.5))], seed=7)
    >>> found = assert_backends_agree(pipe, image=picture(1, (30, 40), 3))
    >>> found["image"].mean < 1
    True
    """
    quick = pipeline(key=key, epoch=epoch, axes=axes, **targets)
    slow = with_backend(pipeline, other)(key=key, epoch=epoch, axes=axes, **targets)
    assert isinstance(quick, Sample)
    found: dict[str, Difference] = {}
    for name, target in quick.targets.items():
        twin: Any = slow.targets[name]
        if isinstance(target, Image | Map):
            given = targets[name]
            source = given.array if isinstance(given, Image | Map) else np.asarray(given)
            found[name] = _images(name, target.array, twin.array, source)
        elif isinstance(target, Mask):
            assert target.array.shape == twin.array.shape, f"{name}: {target.array.shape} against {twin.array.shape}"
        elif isinstance(target, Boxes | RotatedBoxes | Keypoints):
            np.testing.assert_array_equal(target.array, twin.array, err_msg=name)
        elif isinstance(target, Polygons):
            assert target.flat() == twin.flat(), name
        elif isinstance(target, Instances):  # nearest neighbours of a tie may differ, as in label maps
            assert target.shape == twin.shape, f"{name}: {target.shape} against {twin.shape}"
        else:
            assert isinstance(target, Label)
    _labels(pipeline, get_backend(other), targets, axes, key, epoch)
    return found


def _labels(
    pipeline: Pipeline, other: Backend, targets: dict[str, Any], axes: str | None, key: str | int, epoch: int
) -> None:
    """Each label map step by step, both backends from the same map: a tie early on is no fault later."""
    columns, _ = read_columns({name: [value] for name, value in targets.items()}, axes)
    inputs = Inputs(columns)
    draft = pipeline.draw(inputs.frame, [key], epoch=epoch, sources=inputs.sources(), labels=inputs.labels())
    resamples = [s for s in pipeline.plan(draft).steps if isinstance(s, Pass) and s.resample is not None]
    for name in (n for n in inputs.names if inputs.kind(n) == Mask.kind):
        labels = inputs.canonical(name)[0][..., 0]
        for step in resamples:
            assert step.resample is not None
            shape = tuple(step.resample.shape[0].tolist())
            coords = reference.coordinates(step.resample.chain(0), shape)[0]
            tie = (np.abs(coords - np.floor(coords) - 0.5) < TIE).any(axis=0)
            got, labels = pipeline.backend.labels(step, 0, labels), other.labels(step, 0, labels)
            astray = int(((got != labels) & ~tie).sum())
            assert not astray, f"{name}: {astray} of {labels.size} labels differ beside ties in {step.sources}"


def _images(name: str, got: Array, wanted: Array, source: Array) -> Difference:
    assert got.shape == wanted.shape, f"{name}: shape {got.shape} against {wanted.shape}"
    assert got.dtype == wanted.dtype, f"{name}: {got.dtype} against {wanted.dtype}"
    found = difference(got, wanted, source)
    if source.dtype == np.uint8:
        fits = found.mean <= MEAN_LEVELS and found.rare <= RARE_LEVELS
    else:
        # Integers may be rounded the other way.
        step = 1.0 / max(float(np.ptp(wanted.astype(np.float64))), 1.0) if got.dtype.kind in "iu" else 0.0
        fits = found.worst <= FLOAT_SHARE + step
    assert fits, f"{name} ({source.dtype} to {got.dtype}): {found}"
    return found


def assert_same_plan(one: Plan, two: Plan) -> None:
    """Two plans have the same content, and if not, say where they part.

    Examples
    --------
    >>> import imagemill as im
    >>> from imagemill.core.geometry import Frame
    >>> pipe, frame = im.Pipeline([im.Flip("x")], seed=1), Frame.of(4, 5)
    >>> assert_same_plan(pipe.plan(pipe.draw(frame, [0])), pipe.plan(pipe.draw(frame, [0])))
    """
    if one == two:
        return
    left, right = [_line(s) for s in one.steps], [_line(s) for s in two.steps]
    assert left == right, f"other steps: {left} against {right}"
    for name in ("axes", "channels", "in_dtype", "dtype", "channels_first"):
        assert getattr(one, name) == getattr(two, name), f"other {name}"
    raise AssertionError("the same steps of the same transforms, with other numbers in them")


def _line(step: Step) -> tuple[str, tuple[str, ...], str]:
    return type(step).__name__, step.sources, step.broken
