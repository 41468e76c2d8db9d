"""Colour runs of single precision whose channels do not mix: statistics, gains, limits and powers in few passes.

Gains and offsets, those that a statistic asks for among them, are collected and cost nothing by themselves: they are
applied where a power or a limit follows, and at the end. Statistics are read of what is there and moved along.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from imagemill.core.finite import working
from imagemill.core.geometry import Floats
from imagemill.core.ops import ChannelMix, Fit, Pointwise
from imagemill.engine import colour_values as values
from imagemill.engine.backends.cpu import value_statistics as statistics
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.halves import halved, single
from imagemill.engine.backends.cpu.powers import power
from imagemill.engine.plan import ColourStage

__all__ = ["fits", "run"]

Array = np.ndarray[Any, Any]

_RUN = 256
"""Values that are written in one inner loop, at least: numbers of several channels lie side by side for as many."""

_END = np.float32(np.inf)


@compiled
def _affine(src, numbers, ints, least, most, out):
    """Limits between two affine maps; numbers are ``(7, k)`` for ``k`` values in turn."""
    each = numbers.shape[1]
    if each == 1:
        s, a, b, low, high = numbers[0, 0], numbers[1, 0], numbers[2, 0], numbers[3, 0], numbers[4, 0]
        a2, b2 = numbers[5, 0], numbers[6, 0]
        if ints:
            for i in range(src.size):
                v = min(max((np.float32(src[i]) - s) * a + b, low), high) * a2 + b2
                out[i] = np.rint(min(max(v, least), most))
        else:
            for i in range(src.size):
                out[i] = min(max((np.float32(src[i]) - s) * a + b, low), high) * a2 + b2
        return
    for first in range(0, src.size, each):
        part, target = src[first : first + each], out[first : first + each]
        for j in range(part.size):
            v = (np.float32(part[j]) - numbers[0, j]) * numbers[1, j] + numbers[2, j]
            v = min(max(v, numbers[3, j]), numbers[4, j]) * numbers[5, j] + numbers[6, j]
            target[j] = np.rint(min(max(v, least), most)) if ints else v


@compiled
def _bent(src, numbers, peak, exponent, out):
    """The same, but to a power between 0 and a peak; an exponent of 1 leaves values alone, also negative ones."""
    each = numbers.shape[1]
    whole = np.float32(1) / peak
    if each == 1:
        s, a, b = numbers[0, 0], numbers[1, 0] * whole, numbers[2, 0] * whole
        for i in range(src.size):
            out[i] = peak * power((np.float32(src[i]) - s) * a + b, exponent[0])
        return
    one = np.float32(1)
    for first in range(0, src.size, each):
        part, target = src[first : first + each], out[first : first + each]
        for j in range(part.size):
            v = (np.float32(part[j]) - numbers[0, j]) * numbers[1, j] + numbers[2, j]
            bent = peak * power(v * whole, exponent[j])
            target[j] = v if exponent[j] == one else bent


def fits(stages: Sequence[ColourStage], row: int, source: np.dtype[Any], out: np.dtype[Any]) -> bool:
    """Whether active stages are of the kinds that run here, of types that single precision holds."""
    if source.kind not in "iuf" or out.kind not in "iuf" or working(source) != np.float32 or out == np.float64:
        return False
    if out.kind in "iu" and out.itemsize > 2:
        return False
    return all(_runs(stage, row) for stage in stages)


def _runs(stage: ColourStage, row: int) -> bool:
    if isinstance(stage, Fit):
        return True
    if isinstance(stage, Pointwise):
        return stage.curve == "clip" or (stage.curve == "gamma" and bool(stage.params[row, 1] != 1.0))
    a = stage.matrix[row, :, :-1]
    mixes = np.count_nonzero(a) > np.count_nonzero(np.diagonal(a))
    return not mixes


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What is still to be done to the values at hand, each number ``(C,)``.

    ``clip((x - shift) * gain + offset, low, high) * gain2 + offset2``. The shift stands by itself for values that lie
    far from 0 and near to each other.
    """

    shift: Floats
    gain: Floats
    offset: Floats
    low: Floats
    high: Floats
    gain2: Floats
    offset2: Floats

    @classmethod
    def nothing(cls, channels: int) -> _Waiting:
        zero, one, end = np.zeros(channels), np.ones(channels), np.full(channels, np.inf)
        return cls(zero, one, zero, -end, end, one, zero)

    @property
    def cuts(self) -> bool:
        return bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())

    @property
    def does(self) -> bool:
        return bool(self.cuts or self.shift.any() or self.offset.any() or (self.gain != 1).any())

    def then(self, gain: Floats, offset: Floats) -> _Waiting:
        if self.cuts:
            return replace(self, gain2=self.gain2 * gain, offset2=self.offset2 * gain + offset)
        return replace(self, gain=self.gain * gain, offset=self.offset * gain + offset)

    def centred(self, shift: Floats, gain: Floats) -> _Waiting:
        """Less a shift, then times a gain; nothing is cut yet."""
        if not self.gain.all():
            return self.then(gain, -shift * gain)
        # Seen from the values at hand, which may lie far from 0 and near to each other.
        shift = self.shift + (shift - self.offset) / self.gain
        return replace(self, shift=shift, gain=self.gain * gain, offset=np.zeros_like(shift))

    def limited(self, low: float, high: float, colours: int) -> _Waiting:
        lows, highs = self.low.copy(), self.high.copy()
        lows[:colours], highs[:colours] = low, high
        return replace(self, low=lows, high=highs)

    def moved(self, x: Floats) -> Floats:
        """Numbers of the values at hand where nothing is cut."""
        found: Floats = (x - self.shift) * self.gain + self.offset
        return found

    def of_one(self) -> _Waiting | None:
        """The same for all channels as one; None where they differ."""
        parts = [getattr(self, f.name) for f in fields(self)]
        return _Waiting(*(part[:1] for part in parts)) if all((part == part[0]).all() for part in parts) else None

    def numbers(self) -> Array:
        """For a kernel: one column where all channels share them, else many, channel by channel."""
        found = np.stack([getattr(self, f.name) for f in fields(self)])
        # What rounding takes from the shift goes into the offset.
        found[0] = self.shift.astype(np.float32)
        found[2] += (found[0] - self.shift) * self.gain
        found = found.astype(np.float32)
        if (found == found[:, :1]).all():
            return np.ascontiguousarray(found[:, :1])
        return np.tile(found, -(-_RUN // found.shape[1]))


def run(stages: Sequence[ColourStage], row: int, src: Array, out: Array) -> bool:
    """Active stages that fit on one sample ``(*shape, C)``; False, with nothing of use, for a statistic not finite."""
    channels, source = src.shape[-1], src.dtype
    at_hand = single(src) if source == np.float16 else np.ascontiguousarray(src)
    waiting = _Waiting.nothing(channels)
    for stage in stages:
        if waiting.cuts and not (isinstance(stage, ChannelMix) and stage.pivot is None):
            at_hand, waiting = _applied(waiting, at_hand), _Waiting.nothing(channels)
        if isinstance(stage, ChannelMix):
            means = None if stage.pivot is None else waiting.moved(statistics.means(at_hand))
            if means is not None and not np.isfinite(means).all():
                return False
            a, b = values.mixed(stage, row, means)
            waiting = waiting.then(np.diagonal(a), b)
        elif isinstance(stage, Fit):
            fitted = _fitted(stage, waiting, at_hand, source)
            if fitted is None:
                return False
            waiting = waiting.centred(fitted.shift, fitted.gain)
            if stage.statistic == "minmax":
                waiting = waiting.limited(0.0, 1.0, channels)
        elif stage.curve == "clip":
            low, high = stage.params[row].tolist()
            waiting = waiting.limited(low, high, stage.channels)
        else:
            last = stage is stages[-1] and out.dtype == np.float32 and out.flags.c_contiguous
            at_hand = _powers(stage, row, waiting, at_hand, out if last else np.empty(src.shape, np.float32))
            if last:
                return True
            waiting = _Waiting.nothing(channels)
    _written(waiting, at_hand, out)
    return True


def _applied(waiting: _Waiting, at_hand: Array) -> Array:
    made = np.empty(at_hand.shape, np.float32)
    _affine(at_hand.reshape(-1), waiting.numbers(), False, -_END, _END, made.reshape(-1))
    return made


def _powers(stage: Pointwise, row: int, waiting: _Waiting, at_hand: Array, made: Array) -> Array:
    peak, gamma = stage.params[row].astype(np.float32)
    channels = at_hand.shape[-1]
    exponent = np.where(np.arange(channels) < stage.channels, gamma, np.float32(1))
    numbers = waiting.numbers()
    if numbers.shape[1] == 1 and stage.channels < channels:
        numbers = np.tile(numbers, channels * -(-_RUN // channels))
    exponent = np.tile(exponent, -(-numbers.shape[1] // channels)).astype(np.float32)
    _bent(at_hand.reshape(-1), numbers, peak, exponent, made.reshape(-1))
    return made


def _fitted(stage: Fit, waiting: _Waiting, at_hand: Array, source: np.dtype[Any]) -> values.Fitted | None:
    """What a statistic asks for, of values that are at hand before what waits is done to them."""
    together = not stage.per_channel
    waits = waiting.of_one() if together else waiting
    if waits is None:
        # Channels differ in what waits for them: it is done first.
        at_hand, waits = _applied(waiting, at_hand), _Waiting.nothing(1)

    def extremes(_: Array, axis: int | None) -> tuple[Floats, Floats]:
        ends = [waits.moved(end) for end in statistics.extremes(at_hand, together=together)]
        return np.minimum(*ends), np.maximum(*ends)

    def mean_and_std(_: Array, axis: int | None) -> tuple[Floats, Floats]:
        mean = statistics.means(at_hand, together=together)
        return waits.moved(mean), np.abs(waits.gain) * statistics.deviations(at_hand, mean, together=together)

    read = values.Reading(extremes, mean_and_std)
    found = values.fitted(stage, at_hand, source, read)
    return found if np.isfinite([found.shift, found.gain]).all() else None


def _written(waiting: _Waiting, at_hand: Array, out: Array) -> None:
    if out.dtype == np.float16:
        as_it_is = at_hand.dtype == np.float32 and not waiting.does
        halved(at_hand if as_it_is else _applied(waiting, at_hand), out)
        return
    ints = out.dtype.kind in "iu"
    least, most = (np.float32(end) for end in values.max_range(out.dtype)) if ints else (-_END, _END)
    made = out if out.flags.c_contiguous else np.empty(out.shape, out.dtype)
    _affine(at_hand.reshape(-1), waiting.numbers(), ints, least, most, made.reshape(-1))
    if made is not out:
        out[...] = made
