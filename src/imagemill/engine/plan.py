"""A plan is a value: a few steps, arrays of numbers over the batch, nothing random and nothing hidden.

A step either passes over the pixels (:class:`Pass`: at most one resample, then at most one colour run,
without rounding or clipping in between), or filters, adds noise or erases (:class:`Alter`), or calls a user's
function (:class:`Call`). The order of axes in memory belongs to the plan as a whole.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property, wraps
from typing import Any, TypeVar

import numpy as np

from imagemill.core import coordinate_maps as maps
from imagemill.core import geometry as geo
from imagemill.core.geometry import Floats, Ints
from imagemill.core.looking import Said
from imagemill.core.ops import (
    Blend,
    Bools,
    ChannelMix,
    Erase,
    Exchange,
    Fan,
    Fit,
    Noise,
    OfImages,
    Opaque,
    Pointwise,
    Sampling,
)
from imagemill.core.short_repr import ShortRepr


class Part:
    """A value of which facts are known: they are kept with it, see :func:`kept`, and neither pickled nor copied."""

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]  # all are dataclasses


P = TypeVar("P", bound=Part)
T = TypeVar("T")


def kept(work: Callable[[P], T]) -> Callable[[P], T]:
    """Let a fact about a part of a plan be worked out once, and live as long as that part.

    As :class:`functools.cached_property`, for facts that the class itself does not know of: those of a backend.

    Examples
    --------
    >>> @kept
    ... def steps_of(plan):
    ...     print("counting")
    ...     return len(plan.steps)
    >>> size = np.array([[4, 4]])
    >>> plan = Plan("yx", size, size, 1, np.dtype("u1"), np.dtype("u1"), (), None, np.eye(3)[None])
    >>> steps_of(plan), steps_of(plan)
    counting
    (0, 0)
    """
    name = f"{work.__module__}.{work.__qualname__}"

    @wraps(work)
    def fact(part: P) -> T:
        known = part.__dict__
        if name not in known:
            # Threads that work it out at the same time all get what the first of them found.
            known.setdefault(name, work(part))
        found: T = known[name]
        return found

    return fact


def once(*arrays: Any) -> tuple[Any, ...]:
    """Arrays over a batch, of which only the first row is left where all rows lie in one place of memory.

    So a plan is made for a single sample at any row of a batch. What is found of the row is a fact of all of them, see
    :func:`for_all`.
    """
    return tuple([array[:1] if array.strides[0] == 0 else array for array in arrays])


def for_all(found: Any, n: int) -> Any:
    """An array of facts with ``n`` rows, in the memory of one where there is one for all.

    Examples
    --------
    >>> for_all(np.array([[1, 2]]), 3).tolist()
    [[1, 2], [1, 2], [1, 2]]
    """
    if len(found) == n:
        return found
    one = np.ascontiguousarray(found)
    return np.ndarray((n, *one.shape[1:]), one.dtype, one, 0, (0, *one.strides[1:]))


_SAME = [np.eye(side).tolist() for side in range(5)]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Matrices(ShortRepr):
    """A pull matrix per sample, ``[n, d+1, d+1]``."""

    m: Floats

    def row(self, i: int) -> maps.Stage | None:
        """Sample ``i``'s stage; None for the identity."""
        m = self.m[i]
        return None if m.tolist() == _SAME[len(m)] else maps.Matrix(m)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Displacements(ShortRepr):
    """A lattice per sample, ``[n, d, *cells + 3]``, over frames of ``shape`` ``[n, d]``."""

    grid: Floats
    shape: Ints

    def row(self, i: int) -> maps.Stage | None:
        """Sample ``i``'s stage; None where nothing moves."""
        if not self.grid[i].any():
            return None
        return maps.Displace(self.grid[i], tuple(self.shape[i].tolist()))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Windows(ShortRepr):
    """A valid region per sample, in the rows where ``where`` holds."""

    shape: Ints
    where: Bools
    fill: float | tuple[float, ...]
    mask_fill: int

    def row(self, i: int) -> maps.Stage | None:
        """Sample ``i``'s stage; None where it was not padded."""
        if not self.where[i]:
            return None
        return maps.Window(tuple(self.shape[i].tolist()), self.fill, self.mask_fill)


Link = Matrices | Displacements | Windows


@dataclass(frozen=True, eq=False, repr=False)
class Resample(Part, ShortRepr):
    """One interpolation: a chain of maps read from the output to the input.

    Parameters
    ----------
    links : tuple of Link
    in_shape, shape : array of int, ``[n, d]``
    sampling : Sampling
    """

    links: tuple[Link, ...]
    in_shape: Ints
    shape: Ints
    sampling: Sampling

    def chain(self, i: int) -> tuple[maps.Stage, ...]:
        """Sample ``i``'s stages, without those that do nothing."""
        return tuple(s for link in self.links if (s := link.row(i)) is not None)

    def likeness(self, i: int) -> bytes | None:
        """What samples have in common that are moved alike; None where something bends, which no two do alike."""
        parts = [self.shape[i].tobytes()]
        for link in self.links:
            if isinstance(link, Displacements):
                return None
            parts.append((link.m if isinstance(link, Matrices) else link.where)[i].tobytes())
        return b"".join(parts)

    @property
    def matrix(self) -> Floats:
        """The product of all matrices, ``[n, d+1, d+1]``: the map without displacements."""
        found = geo.identity(*self.shape.shape)
        for link in self.links:
            if isinstance(link, Matrices):
                found = link.m @ found
        return found

    @property
    def windowed(self) -> bool:
        """Whether padding is part of the chain, even if no sample of this batch needed any."""
        return any(isinstance(link, Windows) for link in self.links)


ColourStage = ChannelMix | Pointwise | Fit


@dataclass(frozen=True, eq=False, repr=False)
class Colour(Part, ShortRepr):
    """One pass over the values: stages in order, then the type they come out in.

    Between stages values are neither rounded nor clipped; at the end they are, if ``dtype`` is an integer.

    Parameters
    ----------
    stages : tuple
    in_dtype, dtype : numpy dtype
    peak : float
        White of the values that come in.
    hard : bool
        The user asked for this dtype here, so what follows starts from rounded values.
    """

    stages: tuple[ColourStage, ...]
    in_dtype: np.dtype[Any]
    dtype: np.dtype[Any]
    peak: float
    hard: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Pass(ShortRepr):
    """One trip over the pixels.

    Parameters
    ----------
    resample : Resample or None
    colour : Colour or None
    sources : tuple of str
        The transforms that went into it.
    broken : str
        Why it could not be one with the step before.
    """

    resample: Resample | None
    colour: Colour | None
    sources: tuple[str, ...]
    broken: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Call(ShortRepr):
    """A user's function, applied where ``op.where`` holds."""

    op: Opaque
    sources: tuple[str, ...]
    broken: str = "a user's function is not taken apart"


@dataclass(frozen=True, eq=False, repr=False)
class Alter(Part, ShortRepr):
    """A filter, noise or an erasure on values of the type they came in, which are rounded before and after.

    Parameters
    ----------
    op : Filter, Noise, Erase or Exchange
    peak : float
        White of the values.
    sources : tuple of str
    broken : str
        Why it is a step of its own.
    """

    op: OfImages
    peak: float
    sources: tuple[str, ...]
    broken: str

    @property
    def reaches_masks(self) -> bool:
        """Whether label maps change as well."""
        if isinstance(self.op, Exchange):
            return self.op.masks
        return isinstance(self.op, Noise | Erase) and self.op.mask_fill is not None

    def active(self, row: int) -> bool:
        """Whether it does anything for a sample."""
        return self.op.where is None or bool(self.op.where[row])


@dataclass(frozen=True, eq=False, repr=False)
class Meet(Part, ShortRepr):
    """Samples of a batch put together. It parts a plan: all samples have come through what is in front of it first.

    Parameters
    ----------
    op : Blend
    in_shape, shape : array of int, ``[n, d]``
    dtype : numpy dtype
        Of the images, which does not change.
    sources : tuple of str
    broken : str
        Why it is a step of its own.
    """

    op: Blend
    in_shape: Ints
    shape: Ints
    dtype: np.dtype[Any]
    sources: tuple[str, ...]
    broken: str


@dataclass(frozen=True, eq=False, repr=False)
class Branch(Part, ShortRepr):
    """Several plans for one image, and the weighted sum of what they make, rounded to the type it came in.

    Parameters
    ----------
    op : Fan
    plans : tuple of Plan
        One a chain.
    sources : tuple of str
    broken : str
    """

    op: Fan
    plans: tuple[Plan, ...]
    sources: tuple[str, ...]
    broken: str = "several versions of the image are made here, and summed"

    @property
    def moves(self) -> bool:
        """Whether any of the plans moves pixels."""
        return any(isinstance(s, Pass) and s.resample is not None for plan in self.plans for s in plan.steps)

    def active(self, row: int) -> bool:
        """Whether it does anything for a sample."""
        return self.op.where is None or bool(self.op.where[row])


Step = Pass | Alter | Call | Meet | Branch


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Part, ShortRepr):
    """Everything needed to turn a batch of inputs into outputs.

    Parameters
    ----------
    axes : str
    in_shape, shape : array of int, ``[n, d]``
    channels : int
    in_dtype, dtype : numpy dtype
    steps : tuple of Step
    channels_first : bool or None
        Layout asked for; None leaves the axes as they came.
    affine : array, ``[n, d+1, d+1]``
        Output index to world coordinates.
    """

    axes: str
    in_shape: Ints
    shape: Ints
    channels: int
    in_dtype: np.dtype[Any]
    dtype: np.dtype[Any]
    steps: tuple[Step, ...]
    channels_first: bool | None
    affine: Floats = field(repr=False)

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.shape)

    def _repr_html_(self) -> str:
        """The steps in their order, each with the transforms that it is made of."""
        steps = (f"{type(step).__name__.lower()}: {', '.join(step.sources)}" for step in self.steps)
        return Said("\n".join([repr(self), *steps]))._repr_html_()

    def image_axes(self, given: str) -> str:
        """The axes images come out in: as they came, unless a layout was asked for."""
        if self.channels_first is None:
            return given
        return "c" + self.axes if self.channels_first else self.axes + "c"

    @cached_property
    def parts(self) -> tuple[tuple[Meet, ...], ...]:
        """Where samples meet, in order; blends of which one takes the place of the other meet at once."""
        found: list[tuple[Meet, ...]] = []
        before: Step | None = None
        for step in self.steps:
            if isinstance(step, Meet):
                if isinstance(before, Meet) and step.op.instead:
                    found[-1] = (*found[-1], step)
                else:
                    found.append((step,))
            before = step
        return tuple(found)

    @cached_property
    def stretches(self) -> tuple[Plan, ...]:
        """The plans in front of, between and behind the places where samples meet; one for each more than `parts`."""
        if not self.parts:
            return (self,)
        found: list[Plan] = []
        steps: list[Step] = []
        shape, dtype, meets = self.in_shape, self.in_dtype, 0
        for step in self.steps:
            if not isinstance(step, Meet):
                steps.append(step)
                continue
            if not meets:
                found.append(
                    replace(
                        self,
                        in_shape=shape,
                        shape=step.in_shape,
                        in_dtype=dtype,
                        dtype=step.dtype,
                        steps=tuple(steps),
                        channels_first=None,
                    )
                )
                meets, steps = len(self.parts[len(found) - 1]), []
            meets -= 1
            shape, dtype = step.shape, step.dtype
        found.append(replace(self, in_shape=shape, in_dtype=dtype, steps=tuple(steps)))
        return tuple(found)

    @cached_property
    def digest(self) -> str:
        """Sixteen hex digits that stand for the content: equal plans have equal digests."""
        h = hashlib.blake2b(digest_size=8)
        _feed(h, self)
        return h.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def _feed(h: Any, value: Any) -> None:
    """Add a value to a hash, with its type and shape so that no two different plans read the same."""
    h.update(type(value).__name__.encode() + b"\0")
    if isinstance(value, np.ndarray):
        h.update(f"{value.dtype.str}{value.shape}".encode())
        h.update(np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value):
        for f in fields(value):
            _feed(h, getattr(value, f.name))
    elif isinstance(value, tuple | list):
        h.update(len(value).to_bytes(4, "little"))
        for item in value:
            _feed(h, item)
    elif callable(value):
        h.update(_function_id(value).encode() + b"\0")
    else:
        h.update(repr(value).encode() + b"\0")


def _function_id(function: Any) -> str:
    """What tells a function from others: its name if that leads back to it, else the object itself."""
    name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"
    found: Any = sys.modules.get(getattr(function, "__module__", "") or "")
    for part in getattr(function, "__qualname__", "").split("."):
        found = getattr(found, part, None)
    return name if found is function else f"{name} {id(function)}"
