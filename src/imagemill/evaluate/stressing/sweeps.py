"""Which changes a network is asked about, and at which magnitudes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import peak_of
from imagemill.evaluate.inputs.arm_check import changed
from imagemill.evaluate.inputs.arms import stressed
from imagemill.evaluate.inputs.changes import FILES, GROUPS, Change, by_pipeline, change_named, spaced
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["DEFAULT", "Over", "Sweep", "read_sweeps"]

Array = npt.NDArray[Any]
Over = str | Path | Pipeline | Change | Sequence[Any] | Mapping[str, Any]

DEFAULT = ("geometry", "light", "quality")
"""What is looked at when nothing is asked for; `colour` too where images have three channels."""

_TRIED = 8
"""Images on which it is tried whether a magnitude leaves images as they are."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One change at some magnitudes.

    Parameters
    ----------
    change : Change
    magnitudes : tuple of float
        In rising order; empty for a change without a magnitude.
    neutral : float or None
        The magnitude that leaves images as they are, found by trying; None where there is none.
    """

    change: Change
    magnitudes: tuple[float, ...] = ()
    neutral: float | None = None


def read_sweeps(over: Over | None, images: Array, levels: int = 11) -> tuple[Sweep, ...]:
    """Sweeps from what was asked for.

    Parameters
    ----------
    over : str, Path, Pipeline, Change, or a sequence or mapping of these
        Names of changes (``"rotate"``, ``"rotate:-30..30"``, ``"zoom:0.5,0.8,1"``), of `GROUPS`, pipeline files;
        several names in one text are separated by commas.
    images : array ``[n, (z,) y, x, C]``
        Their size decides how far a shift goes.
    levels : int
        Magnitudes of each change where they are not given.

    Returns
    -------
    tuple of Sweep

    Raises
    ------
    ParameterError
        For a name or an amount that is none, a change asked for twice, or nothing asked for.

    Examples
    --------
    >>> images = np.arange(28 * 28, dtype=np.uint8).reshape(1, 28, 28, 1)
    >>> [(one.change.name, one.magnitudes, one.neutral) for one in read_sweeps("rotate:-30..30/3,zoom:0.5", images)]
    [('rotate', (-30.0, 0.0, 30.0), 0.0), ('zoom', (0.5, 1.0), 1.0)]
    """
    if isinstance(levels, bool) or not isinstance(levels, int) or levels < 2:
        raise ParameterError(f"expected levels of 2 or more, got {levels!r}")
    if over is None:
        over = [*DEFAULT, "colour"] if images.shape[-1] == 3 else DEFAULT
    found = [one for name, spec in _listed(over) for one in _sweeps(name, spec, images, levels)]
    names = [one.change.name for one in found]
    if not found:
        raise ParameterError("expected a change to look at, such as rotate, got none")
    if again := sorted({name for name in names if names.count(name) > 1}):
        raise ParameterError(
            f"expected each change once, got {', '.join(again)} twice; name them: over={{'wide': ...}}"
        )
    return tuple(found)


def _listed(over: Over) -> list[tuple[str | None, Any]]:
    if isinstance(over, Mapping):
        return list(over.items())
    if isinstance(over, str | Path | Pipeline | Change):
        over = [over]
    listed: list[tuple[str | None, Any]] = []
    for spec in over:
        # A comma separates names where a letter, a dot or a slash follows, and amounts where a number does.
        pieces = re.split(r",(?=\s*[A-Za-z/\\~_]|\s*\.+[/\\])", spec) if isinstance(spec, str) else [spec]
        listed += [(None, piece.strip() if isinstance(piece, str) else piece) for piece in pieces if piece != ""]
    return listed


def _sweeps(name: str | None, spec: Any, images: Array, levels: int) -> list[Sweep]:
    if isinstance(spec, str) and spec in GROUPS:
        found = [one for member in GROUPS[spec] for one in _sweeps(None, member, images, levels)]
        if name is not None:
            raise ParameterError(f"expected one change for the name {name!r}, got the {len(found)} of {spec!r}")
        return found
    sweep = _sweep(spec, images, levels)
    return [sweep if name is None else replace(sweep, change=replace(sweep.change, name=str(name)))]


def _sweep(spec: Any, images: Array, levels: int) -> Sweep:
    shape = (images.shape[-3], images.shape[-2])
    if isinstance(spec, Sweep):
        return spec
    if isinstance(spec, Change):
        magnitudes = spec.grid(levels) if spec.counted else ()
        return _with_neutral(spec, magnitudes, images)
    if isinstance(spec, Pipeline) or Path(str(spec)).suffix in FILES:
        name, pipeline = stressed(spec, shape)
        return Sweep(by_pipeline(name, pipeline))
    if not isinstance(spec, str):
        raise ParameterError(f"expected the name of a change, a Change or a pipeline, got {spec!r}")
    change, amounts = change_named(spec, shape)
    if not change.counted:
        return Sweep(change)
    magnitudes = amounts.values
    if amounts.range is not None:
        low, high = amounts.range
        magnitudes = spaced(low, high, amounts.count or levels, log=change.log, whole=change.whole)
    return _with_neutral(change, tuple(sorted(set(magnitudes or change.grid(levels)))), images)


def _with_neutral(change: Change, magnitudes: tuple[float, ...], images: Array) -> Sweep:
    """The sweep with the magnitude that does nothing among the others: accuracies are held against it."""
    if not change.counted:
        return Sweep(change)
    for magnitude in magnitudes:
        change.make(magnitude)  # a magnitude out of range is an error before anything is asked
    candidates = dict.fromkeys(v for v in (change.neutral, 0.0, 1.0) if v is not None)
    neutral = next((float(v) for v in candidates if _does_nothing(change, v, images[:_TRIED])), None)
    if neutral is not None and neutral not in magnitudes:
        magnitudes = tuple(sorted({*magnitudes, neutral}))
    return Sweep(change, magnitudes, neutral)


def _does_nothing(change: Change, magnitude: float, images: Array) -> bool:
    try:
        made, _ = changed(change.make(magnitude), images, f"the change {change.name!r}", "images")
    except ParameterError:  # no magnitude of this change, as 0 is none of a zoom
        return False
    return bool(np.allclose(made, images, rtol=0.0, atol=1e-6 * peak_of(images.dtype)))
