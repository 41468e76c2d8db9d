"""What every transform is: a frozen dataclass that declares, and draws ops for a whole batch when asked.

A transform is written by listing its parameters with :func:`param` (random: a number, a pair or a
distribution) and :func:`option` (fixed: a word, a size, a switch) and by one method, ``draw``. Reading
numbers and pairs, checking bounds, naming values in recipes and writing to files follow from the fields.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np

from imagemill.core.errors import ParameterError, UnknownParameter
from imagemill.core.geometry import Frame
from imagemill.core.interop import foreign_names as foreign
from imagemill.core.near_numbers import share_of, whole_of
from imagemill.core.ops import BORDERS, ORDERS, Bools, Op, Sampling
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import KINDS, Distribution, Read, as_distribution, to_plain
from imagemill.transforms.one_of import OneOfThese as OneOfThese
from imagemill.transforms.one_of import one_of as one_of
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import require_whole

REGISTRY: dict[str, type[Transform]] = {}
"""Every transform by its name, as used in pipeline files."""


Sizes: TypeAlias = "Read[int | Sequence[int], tuple[int, ...]]"
"""A length, or one for each axis."""
OptionalSizes: TypeAlias = "Read[int | Sequence[int] | None, tuple[int, ...] | None]"

Fill: TypeAlias = "Read[float | Sequence[float], float | tuple[float, ...]]"
"""One value for all channels, or one for each."""

COMMON = ("images", "p")
"""Parameters that every transform has."""

CONTINUOUS = "a parameter is continuous"
"""Why most transforms have no number of variants."""


def param(
    default: Any = dataclasses.MISSING,
    *,
    low: float = -np.inf,
    high: float = np.inf,
    above: float | None = None,
    unit: str = "",
    per_axis: bool = False,
    optional: bool = False,
    whole: Literal["", "any", "odd"] = "",
) -> Any:
    """A parameter that may be fixed or random.

    Parameters
    ----------
    default : number, pair, Distribution or None
        Required when left out.
    low, high : float
        Bounds every value that can come out must keep.
    above : float, optional
        A lower bound that itself is not allowed.
    unit : str
        Shown in messages and recipes.
    per_axis : bool
        Also accepts a mapping from axis name to number, pair or distribution, ``{"y": 1, "x": (0.9, 1.1)}``.
    optional : bool
        Also accepts None.
    whole : {"", "any", "odd"}
        Takes whole numbers only, or odd ones; see :mod:`imagemill.transforms.whole_numbers`.
    """
    meta = {
        "kind": "param",
        "low": low,
        "high": high,
        "above": above,
        "unit": unit,
        "per_axis": per_axis,
        "optional": optional or default is None,
        "whole": whole,
    }
    return dataclasses.field(metadata=meta, **_default(default))


def option(
    default: Any = dataclasses.MISSING, *, check: Callable[[str, Any], Any] | None = None, by_name: bool = False
) -> Any:
    """A setting that is the same for all samples.

    Parameters
    ----------
    default
        Required when left out.
    check : callable, optional
        Takes the setting's full name and its value, returns the value to store, raises ParameterError.
    by_name : bool
        Whether it has to be given by its name, as ``p`` has.
    """
    return dataclasses.field(metadata={"kind": "option", "check": check}, kw_only=by_name, **_default(default))


def _default(default: Any) -> dict[str, Any]:
    return {} if default is dataclasses.MISSING else {"default": default}


def sizes(name: str, value: Any) -> Any:
    """A check for a size: whole numbers of at least 1, stored as a tuple."""
    listed = (value,) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(listed, list | tuple) or not listed:
        raise ParameterError(f"expected {name} to be a length or a tuple of lengths, got {value!r}")
    for length in listed:
        if isinstance(length, bool) or not isinstance(length, int | np.integer) or length < 1:
            raise ParameterError(
                f"expected {name} to hold whole numbers of at least 1, got {value!r}{whole_of(listed)}"
            )
    return tuple(int(length) for length in listed)


def number(*, low: float = -np.inf, high: float = np.inf) -> Callable[[str, Any], Any]:
    """A check for a fixed number between two bounds."""

    def check(name: str, value: Any) -> Any:
        real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not real or not low <= value <= high:
            raise ParameterError(f"expected {name} to be a number from {low:g} to {high:g}, got {value!r}")
        return value.item() if isinstance(value, np.generic) else value

    return check


def fill_option() -> Any:
    """The ``fill`` setting of a geometric transform: one value, or one for each channel of the image."""
    single: Callable[[str, Any], Any] = number()

    def check(name: str, value: Any) -> Any:
        listed = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 else value
        if not isinstance(listed, list | tuple):
            return single(name, value)
        if not listed:
            raise ParameterError(f"expected {name} to be a number or one for each channel, got {value!r}")
        return tuple(single(name, one) for one in listed)

    return option(0.0, check=check)


def border_option(default: str = "nearest") -> Any:
    """The ``border`` setting of a geometric transform."""
    return option(default, check=one_of(*BORDERS))


def order_option(default: int = 1) -> Any:
    """The ``order`` (spline order) setting of a geometric transform."""
    return option(default, check=one_of(*ORDERS))


class _Checked(type):
    """What makes transforms: says which parameter was meant where Python would only say that it does not exist."""

    # Checkers of types look at the constructors themselves.
    if not TYPE_CHECKING:

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().__call__(*args, **kwargs)
            except TypeError as error:
                # An error from deeper down, from an own constructor say, is not ours to explain.
                if not str(error).startswith(_constructor(cls)):
                    raise
                raise UnknownParameter(misfit(cls, args, kwargs)) from None


def _constructor(cls: Any) -> str:
    """How errors of Python about arguments begin, for a class whose constructor takes its fields."""
    owner = next(base for base in cls.__mro__ if "__init__" in vars(base))
    params = vars(owner).get("__dataclass_params__")
    # Nothing begins with a zero byte.
    return f"{owner.__init__.__qualname__}()" if params is not None and params.init else "\0"


def misfit(cls: type[Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Why some arguments do not fit a transform, naming the parameter that was probably meant."""
    name = cls.__name__
    known = sorted((f.name for f in fields_of(cls) if f.init), key=lambda name: (name in COMMON, name == "p"))
    for word in kwargs:
        if word not in known:
            return f"expected a parameter of {name} ({', '.join(known)}), got {word!r}{_meant(word, known)}"
    places = [f.name for f in fields_of(cls) if f.init and not f.kw_only]
    if len(args) > len(places):
        rest = ", ".join(f"{word}=..." for word in known if word not in places)
        return f"expected {name}({', '.join(places)}), got {len(args)} values in place; give others by name: {rest}"
    twice = [word for word in places[: len(args)] if word in kwargs]
    if twice:
        return f"expected {name}({twice[0]}=...) once, got it in place and by name; drop one of them"
    missing = [
        f.name for f in fields_of(cls) if f.name in required(cls) and f.name not in {*places[: len(args)], *kwargs}
    ]
    return f"expected {name} to say {', '.join(missing)}; write {name}({missing[0]}=...)"


def required(cls: type[Any]) -> list[str]:
    """Parameters without a default."""
    missing = dataclasses.MISSING
    return [f.name for f in fields_of(cls) if f.init and f.default is missing and f.default_factory is missing]


def _meant(word: str, known: Sequence[str]) -> str:
    near = foreign.parameter(word, known)
    return f"; did you mean {near!r}?" if near else ""


@dataclass(frozen=True, slots=True)
class Transform(metaclass=_Checked):
    """Base of all transforms.

    Parameters
    ----------
    p : float
        Probability that a sample is chosen, 0 to 1.
    images : str or sequence of str, optional
        Names of the images it is for, of several in one sample; all of them when left out. Geometry is for all, since
        a sample has one frame, and so is what hides parts of label maps.
    """

    p: float = dataclasses.field(default=1.0, kw_only=True)
    images: Read[str | Sequence[str] | None, tuple[str, ...] | None] = dataclasses.field(
        default=cast(Any, None), kw_only=True
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # `dataclass(slots=True)` makes the class a second time; the later one is the one to keep.
        # (Named explicitly: zero-argument super() would still point at the first.)
        super(Transform, cls).__init_subclass__(**kwargs)
        if "__repr__" not in vars(cls):
            # Or the decorator writes one that lists every parameter, also those that nobody gave.
            cls.__repr__ = Transform.__repr__  # type: ignore[method-assign]
        if not cls.__name__.startswith("_"):
            _check_name(cls)
            REGISTRY[cls.__name__] = cls

    def __post_init__(self) -> None:
        name = type(self).__name__
        if isinstance(self.p, bool) or not isinstance(self.p, int | float) or not 0 <= self.p <= 1:
            raise ParameterError(
                f"expected {name}(p=...) to be a probability from 0 to 1, got {self.p!r}{share_of(self.p)}"
            )
        for f in fields_of(type(self)):
            value, shown = getattr(self, f.name), f"{name}({f.name}=...)"
            try:
                if f.metadata.get("kind") == "param":
                    object.__setattr__(self, f.name, _read_param(value, shown, f.metadata))
                elif f.metadata.get("check") is not None and not (value is None and f.default is None):
                    object.__setattr__(self, f.name, f.metadata["check"](shown, value))
            except ParameterError as error:
                error.field = f.name
                raise
            except (TypeError, ValueError, OverflowError) as error:
                # A value that the check never thought of: an array, a number too large for any type.
                strange = ParameterError(f"expected {shown} as its documentation has it, got {value!r}: {error}")
                strange.field = f.name
                raise strange from error
        if self.images is not None:
            object.__setattr__(self, "images", _read_images(self))
        self.check()

    def __repr__(self) -> str:
        """As one would write it: what is as it always is is left out."""
        from imagemill.transforms.written_calls import call  # which asks what is nested in what

        return call(self)

    def check(self) -> None:
        """Check what involves more than one parameter; raise ParameterError."""

    def draw(self, draws: Draws, frame: Frame) -> Op | tuple[Op, ...]:
        """Turn the declaration into ops for a batch.

        Parameters
        ----------
        draws : Draws
            ``draws(self.degrees)`` gives a column of ``n`` values.
        frame : Frame
            Shapes, spacing, channels and dtype of the batch as it reaches this transform.
        """
        raise TypeError(f"expected {type(self).__name__} to define draw(self, draws, frame)")

    def runs_on(self, draws: Draws) -> Bools | None:
        """Which samples it runs on, one bool each ``[n]``; None for all. A coin with probability ``p``."""
        return draws.uniform() < self.p if self.p < 1 else None

    def children(self) -> tuple[Transform, ...]:
        """The transforms this one is made of; none for an ordinary one."""
        return ()

    def select(self, draws: Draws) -> list[Bools]:
        """Which children each sample gets, one bool column ``[n]`` per child."""
        raise TypeError(f"expected {type(self).__name__} to define select(self, draws), as it has children")

    def names(self) -> dict[int, str]:
        """Which field each of this transform's distributions stands in, by identity."""
        found: dict[int, str] = {}
        for f in fields_of(type(self)):
            value = getattr(self, f.name)
            if isinstance(value, Mapping):
                found |= {id(v): f"{f.name}.{axis}" for axis, v in value.items()}
            elif f.metadata.get("kind") == "param" and value is not None:
                found[id(value)] = f.name
        return found

    def distributions(self) -> Iterator[tuple[str, Distribution, str]]:
        """Each parameter's name, distribution and unit."""
        for f in fields_of(type(self)):
            value = getattr(self, f.name)
            if f.metadata.get("kind") != "param" or value is None:
                continue
            if isinstance(value, Mapping):
                for axis, v in value.items():
                    yield f"{f.name}.{axis}", v, f.metadata["unit"]
            else:
                yield f.name, value, f.metadata["unit"]

    def variants(self) -> float:
        """How many different results one image can have; ``inf`` when a parameter is continuous."""
        count = 1.0
        for _, distribution, _ in self.distributions():
            count *= distribution.count
        return self._with_coin(count)

    def traits(self) -> Traits:
        """What it does, for those who judge pipelines; nothing known unless a transform says it."""
        return Traits()

    def beyond_white(self) -> str:
        """What is wrong with parameters on a scale where white is 1, if one is far above it; empty where none is."""
        return ""

    def reads(self) -> str:
        """What it goes by while it draws: "" for sizes alone, "masks", "boxes" or "pixels" of the samples.

        The frame's ``content`` is there for transforms that say one of these.
        """
        return ""

    def unlimited(self) -> str:
        """Why :meth:`variants` names no number, in words that follow a colon; empty where it does."""
        if self.p == 0 or not math.isinf(self.variants()):
            return ""
        inside = {child.unlimited() for child in self.children()} - {""}
        return CONTINUOUS if CONTINUOUS in inside or not inside else inside.pop()

    def chances(self) -> tuple[float, ...] | None:
        """How often each child is chosen where this transform runs, 0 to 1; None when nobody knows."""
        return None if self.children() else ()

    def runs(self) -> tuple[int, int]:
        """The least and the largest number of operations that one image gets of this transform."""
        most = sum(child.runs()[1] for child in self.children()) if self.children() else 1
        least = 0 if self.children() else 1
        return (least if self.p == 1 else 0, most if self.p > 0 else 0)

    def rule(self) -> str:
        """Which of its children run, or when it runs itself, in words; empty for an ordinary transform."""
        return "some of these run" if self.children() else ""

    def _with_coin(self, count: float) -> float:
        if self.p == 0:
            return 1.0
        return count + 1 if self.p < 1 else count

    def to_dict(self) -> dict[str, Any]:
        """The plain form ``{name: {parameter: value}}``; parameters at their default are left out."""
        arguments: dict[str, Any] = {}
        for f in fields_of(type(self)):
            value = getattr(self, f.name)
            if f.default is not dataclasses.MISSING and _same(plain(value), plain(normalised(f))):
                continue
            arguments[f.name] = plain(value)
        return {type(self).__name__: arguments}


def _read_images(transform: Transform) -> tuple[str, ...]:
    """The images a transform is for, as a tuple; geometry is refused, and what hides parts of label maps."""
    shown, given = f"{type(transform).__name__}(images=...)", transform.images
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not names or not all(isinstance(n, str) and n for n in names):
        raise ParameterError(f"expected {shown} as the name of an image or a list of names, got {given!r}")
    for one in everyone([transform]):
        what = type(one).__name__
        if one.traits().moves:
            do = "leave images= out: all that belongs to a sample has one frame"
            raise ParameterError(f"expected {shown} for what changes no geometry, got {what}; {do}")
        if getattr(one, "mask_fill", None) is not None or getattr(one, "hide_keypoints", False):
            do = "leave images= out, or mask_fill and hide_keypoints"
            raise ParameterError(f"expected {shown} of {what} to leave label maps and points as they are; {do}")
    return tuple(names)


def _check_name(cls: type[Transform]) -> None:
    """Refuse a name of imagemill's own: a pipeline file would mean another transform than its writer did."""
    known = REGISTRY.get(cls.__name__)
    if known is not None and known.__module__.startswith("imagemill.") and known.__module__ != cls.__module__:
        raise ParameterError(
            f"expected a name that no transform of imagemill has, got {cls.__name__}; call the class something else, "
            f"or _{cls.__name__} where no file is to hold it"
        )


def everyone(transforms: Iterable[Transform]) -> Iterator[Transform]:
    """Every transform, those inside others included."""
    for transform in transforms:
        yield transform
        yield from everyone(transform.children())


def fields_of(cls: type[Any]) -> tuple[dataclasses.Field[Any], ...]:
    """The parameters of a transform."""
    return dataclasses.fields(cls)


def normalised(f: dataclasses.Field[Any]) -> Any:
    """A field's default as it is stored."""
    if f.metadata.get("kind") == "param":
        return _read_param(f.default, f.name, f.metadata)
    check = f.metadata.get("check")
    return f.default if check is None or f.default is None else check(f.name, f.default)


def _read_param(value: Any, shown: str, meta: Mapping[str, Any]) -> Any:
    if value is None:
        if meta["optional"]:
            return None
        raise ParameterError(f"expected {shown} to be a number, a pair or a distribution, got None")
    axes = meta["per_axis"] and isinstance(value, Mapping) and set(value) <= set("zyx")
    if axes:
        return {axis: _read_param(v, f"{shown} along {axis}", {**meta, "per_axis": False}) for axis, v in value.items()}
    if meta["per_axis"] and isinstance(value, Mapping) and not set(value) & KINDS:
        axis_like = "{'y': 1, 'x': (0.9, 1.1)}"
        raise ParameterError(f"expected {shown} to name axes out of z, y and x, such as {axis_like}, got {value!r}")
    # A copy, so that one distribution given for two parameters still has two names.
    distribution = copy.copy(as_distribution(value, name=shown))
    low, high = distribution.bounds
    unit = f" {meta['unit']}" if meta["unit"] else ""
    if meta["above"] is not None and low <= meta["above"]:
        raise ParameterError(f"expected {shown} above {meta['above']:g}{unit}, got {distribution}")
    if low < meta["low"] or high > meta["high"]:
        raise ParameterError(f"expected {shown} within {meta['low']:g}..{meta['high']:g}{unit}, got {distribution}")
    if meta["whole"]:
        require_whole(shown, distribution, odd=meta["whole"] == "odd")
    return distribution


def plain(value: Any) -> Any:
    """A value as YAML and JSON can hold it."""
    if isinstance(value, Transform):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str):
        return str(value)  # of a kind of text of their own, files hold the letters
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Distribution):
        return to_plain(value)
    raise ParameterError(f"expected plain values, distributions and transforms in a file, got {value!r}")


def _same(a: Any, b: Any) -> bool:
    """Equal in value and type, so that 1 and 1.0 are told apart and a round trip is exact."""
    return bool(a == b) and repr(a) == repr(b)


def sampling(
    order: int,
    border: str,
    fill: float | tuple[float, ...] = 0.0,
    mask_fill: int = 0,
    *,
    antialias: bool = False,
) -> Sampling:
    """The sampling a geometric transform asks for; the fill only counts with a constant border."""
    constant = border == "constant"
    return Sampling(order, border, fill if constant else 0.0, mask_fill if constant else 0, antialias)


def chosen(op: Op, where: Bools, frame: Frame) -> Op:
    """The op with identity in the rows that were not chosen."""
    return op if where.all() else op.chosen(where, frame)
