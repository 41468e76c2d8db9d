"""One type for fixed and for random parameters.

A number is fixed, a pair is drawn uniformly; :class:`Choice`, :class:`Normal` and :class:`LogUniform` say
anything else, and :class:`~imagemill.core.ramp.Ramp` what changes with the epochs. Every distribution turns uniform
numbers into values through its inverse distribution function, so one value costs one uniform number and is the same
wherever it is computed.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.near_numbers import drawn_of

Floats = npt.NDArray[np.float64]


@runtime_checkable
class Distribution(Protocol):
    """What a parameter may be drawn from: any class with these three members will do."""

    def sample(self, u: Floats) -> Floats:
        """Turn uniform numbers in (0, 1), ``[n]``, into values ``[n]``."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value that can come out."""

    @property
    def count(self) -> float:
        """How many different values can come out; ``inf`` for a continuous distribution."""


Given = TypeVar("Given", contravariant=True)
Kept = TypeVar("Kept", covariant=True)


class Read(Generic[Given, Kept]):
    """The type of a field that is given in one form and kept in another, as a pair is kept as a :class:`Range`.

    For type checkers only, which take a constructor's argument from ``__set__``; a field holds its value plainly.
    """

    if TYPE_CHECKING:

        def __get__(self, owner: object, of: type | None = None) -> Kept: ...

        def __set__(self, owner: object, value: Given) -> None: ...


Number: TypeAlias = "int | float | np.integer[Any] | np.floating[Any]"
Amount: TypeAlias = "Number | tuple[Number, Number] | list[Number] | Distribution"
"""A number (fixed), a pair (uniform) or a distribution."""

Random: TypeAlias = "Read[Amount, Distribution]"
"""A parameter that may be fixed or random."""
OptionalRandom: TypeAlias = "Read[Amount | None, Distribution | None]"
PerAxis: TypeAlias = "Read[Amount | Mapping[str, Amount], Distribution | Mapping[str, Distribution]]"
"""... or a mapping from axis name to one."""
OptionalPerAxis: TypeAlias = (
    "Read[Amount | Mapping[str, Amount] | None, Distribution | Mapping[str, Distribution] | None]"
)


def _finite(owner: str, **values: float) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ParameterError(f"expected {owner}.{name} to be a finite number, got {value!r}")


@dataclass(frozen=True, slots=True)
class Range:
    """Uniform between two numbers; a fixed value when both are equal.

    Parameters
    ----------
    low, high : float
        Bounds, ``low <= high``.

    Examples
    --------
    >>> Range(-10, 10).sample(np.array([0.5, 0.75]))
    array([0., 5.])
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _finite("Range", low=self.low, high=self.high)
        if self.low > self.high:
            raise ParameterError(f"expected the lower bound first, got ({self.low}, {self.high}); swap the two numbers")

    def sample(self, u: Floats) -> Floats:
        """Values ``[n]`` for uniform numbers ``[n]``."""
        return self.low + (self.high - self.low) * u

    @property
    def bounds(self) -> tuple[float, float]:
        """The two bounds."""
        return float(self.low), float(self.high)

    @property
    def count(self) -> float:
        """1 when fixed, otherwise ``inf``."""
        return 1 if self.low == self.high else math.inf

    def __str__(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g}..{self.high:g}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several numbers, with equal or given weights.

    Parameters
    ----------
    values : sequence of float
        At least one number.
    weights : sequence of float, optional
        Positive, one per value; they need not sum to one.

    Examples
    --------
    >>> Choice([0, 90, 180]).sample(np.array([0.1, 0.5, 0.9]))
    array([  0.,  90., 180.])
    """

    values: tuple[float, ...]
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.values, Sequence) or isinstance(self.values, str) or not self.values:
            raise ParameterError(f"expected Choice to get at least one number, got {self.values!r}")
        object.__setattr__(self, "values", tuple(self.values))
        for value in self.values:
            _finite("Choice", value=value)
        if self.weights is not None:
            object.__setattr__(self, "weights", tuple(self.weights))
            if len(self.weights) != len(self.values):
                raise ParameterError(f"expected {len(self.values)} weights, one per value, got {len(self.weights)}")
            for weight in self.weights:
                _finite("Choice", weight=weight)
                if weight <= 0:
                    raise ParameterError(f"expected positive weights, got {weight}; leave the value out instead")

    def sample(self, u: Floats) -> Floats:
        """Values ``[n]`` for uniform numbers ``[n]``."""
        weights = np.ones(len(self.values)) if self.weights is None else np.asarray(self.weights, float)
        edges = np.cumsum(weights / weights.sum())[:-1]
        return np.asarray(self.values, dtype=np.float64)[np.searchsorted(edges, u, side="right")]

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value."""
        return float(min(self.values)), float(max(self.values))

    @property
    def count(self) -> float:
        """Number of different values."""
        return len(set(self.values))

    def __str__(self) -> str:
        return "one of " + ", ".join(f"{v:g}" for v in self.values)


@dataclass(frozen=True, slots=True)
class Normal:
    """Normal distribution, cut off at ``limit`` standard deviations.

    The cut is by rejection of the tails, not by clipping: the uniform number is mapped onto the inner
    part of the distribution function. Inverse of the distribution function: Wichura (1988), "Algorithm
    AS 241: the percentage points of the normal distribution", Applied Statistics 37(3).

    Parameters
    ----------
    mean, std : float
        ``std > 0``.
    limit : float
        Largest distance from the mean in standard deviations, above 0 (default 3).

    Examples
    --------
    >>> Normal(1, 0.1).sample(np.array([0.5]))
    array([1.])
    """

    mean: float
    std: float
    limit: float = 3.0

    def __post_init__(self) -> None:
        _finite("Normal", mean=self.mean, std=self.std, limit=self.limit)
        if self.std <= 0 or self.limit <= 0:
            raise ParameterError(
                f"expected std and limit above 0, got std={self.std}, limit={self.limit}; "
                "write a plain number for a fixed value"
            )

    def sample(self, u: Floats) -> Floats:
        """Values ``[n]`` for uniform numbers ``[n]``."""
        tail = 0.5 * math.erfc(self.limit / math.sqrt(2.0))
        z = normal_quantile(tail + (1.0 - 2.0 * tail) * np.asarray(u, dtype=np.float64))
        return self.mean + self.std * z

    @property
    def bounds(self) -> tuple[float, float]:
        """The two cut-offs."""
        reach = self.std * self.limit
        return self.mean - reach, self.mean + reach

    @property
    def count(self) -> float:
        """Always ``inf``."""
        return math.inf

    def __str__(self) -> str:
        return f"normal, mean {self.mean:g}, std {self.std:g}"


@dataclass(frozen=True, slots=True)
class LogUniform:
    """Uniform in the logarithm: a factor of 2 is as likely as a factor of 1/2.

    Parameters
    ----------
    low, high : float
        ``0 < low <= high``.

    Examples
    --------
    >>> LogUniform(0.5, 2).sample(np.array([0.5])).round(6)
    array([1.])
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _finite("LogUniform", low=self.low, high=self.high)
        if not 0 < self.low <= self.high:
            raise ParameterError(f"expected 0 < low <= high, got ({self.low}, {self.high})")

    def sample(self, u: Floats) -> Floats:
        """Values ``[n]`` for uniform numbers ``[n]``."""
        low, high = math.log(self.low), math.log(self.high)
        return np.exp(low + (high - low) * np.asarray(u, dtype=np.float64))

    @property
    def bounds(self) -> tuple[float, float]:
        """The two bounds."""
        return float(self.low), float(self.high)

    @property
    def count(self) -> float:
        """1 when fixed, otherwise ``inf``."""
        return 1 if self.low == self.high else math.inf

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g} (log)"


def as_distribution(value: object, *, name: str = "value") -> Distribution:
    """Read a number, a pair, a mapping or a distribution as a distribution.

    Parameters
    ----------
    value : float, pair of float, mapping or Distribution
        ``3`` is fixed, ``(1, 3)`` uniform, ``{"choice": [1, 2]}`` and the like as in pipeline files.
    name : str
        How error messages call it.

    Examples
    --------
    >>> as_distribution((1, 3))
    Range(low=1, high=3)
    """
    try:
        return _as_distribution(value, name)
    except ParameterError as error:
        said = str(error)
        raise error if name in said else ParameterError(f"{name}: {said}") from None


def _as_distribution(value: object, name: str) -> Distribution:
    if isinstance(value, bool):
        raise ParameterError(f"expected {name} to be a number or a pair, got {value!r}")
    if isinstance(value, int | float | np.integer | np.floating):
        number = value.item() if isinstance(value, np.generic) else value
        return Range(number, number)
    if isinstance(value, Mapping):
        return _from_mapping(value, name)
    if isinstance(value, Distribution):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        low, high = (v.item() if isinstance(v, np.generic) else v for v in value)
        return Range(low, high)
    raise ParameterError(
        f"expected {name} to be a number (fixed), a pair (drawn uniformly) or Choice/Normal/LogUniform/Ramp, "
        f"got {value!r}{drawn_of(value)}"
    )


def whole_count(distribution: Distribution) -> float:
    """How many different whole numbers can come out when each drawn value is rounded, halves up.

    Examples
    --------
    >>> whole_count(Range(-2, 2)), whole_count(Range(-2.5, 2.5)), whole_count(Choice((0, 0.2, 3)))
    (5, 5, 2)
    """
    if isinstance(distribution, Choice):
        return len({math.floor(value + 0.5) for value in distribution.values})
    low, high = distribution.bounds
    # Numbers are drawn from inside the bounds, so a half at the upper end is never reached and rounds down.
    return 1 if low == high else min(distribution.count, math.ceil(high - 0.5) - math.floor(low + 0.5) + 1)


_KINDS: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "uniform": (Range, ("low", "high")),
    "choice": (Choice, ("values", "weights")),
    "normal": (Normal, ("mean", "std", "limit")),
    "log_uniform": (LogUniform, ("low", "high")),
}


KINDS = frozenset({*_KINDS, "ramp"})
"""Names of distributions in pipeline files."""


def _from_mapping(value: Mapping[str, Any], name: str) -> Distribution:
    if len(value) != 1:
        raise ParameterError(f"expected {name} to have one key of {sorted(KINDS)}, got {sorted(map(str, value))}")
    ((kind, arguments),) = value.items()
    if kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"expected {name} to be one of {sorted(KINDS)}, got {kind!r}{hint}")
    if kind == "ramp":
        from imagemill.core.ramp import Ramp  # which reads its own ranges by this module

        return Ramp(arguments)
    cls, fields = _KINDS[kind]
    if isinstance(arguments, Mapping):
        unknown = sorted(set(arguments) - set(fields))
        if unknown:
            raise ParameterError(f"expected the keys {list(fields)} in {name}.{kind}, got {unknown}")
        missing = [f for f in fields[: 1 if kind == "choice" else 2] if f not in arguments]
        if missing:
            raise ParameterError(f"expected {name}.{kind} to say {missing}, got {dict(arguments)}")
        made = cls(**arguments)
    elif isinstance(arguments, str) or not isinstance(arguments, Sequence):
        raise ParameterError(f"expected {name}.{kind} as a list or a mapping of {list(fields)}, got {arguments!r}")
    elif kind == "choice":
        made = cls(tuple(arguments))
    elif not 2 <= len(arguments) <= len(fields):
        raise ParameterError(f"expected {name}.{kind} to hold {list(fields)}, got {list(arguments)}")
    else:
        made = cls(*arguments)
    assert isinstance(made, Distribution)
    return made


def to_plain(value: Distribution) -> Any:
    """The shortest plain form that :func:`as_distribution` reads back as an equal distribution.

    Examples
    --------
    >>> to_plain(Range(1, 3)), to_plain(Range(2, 2)), to_plain(Choice((1, 2)))
    ([1, 3], 2, {'choice': [1, 2]})
    """
    match value:
        case Range(low, high):
            return low if low == high and type(low) is type(high) else [low, high]
        case Choice(values, None):
            return {"choice": list(values)}
        case Choice(values, weights):
            assert weights is not None
            return {"choice": {"values": list(values), "weights": list(weights)}}
        case Normal(mean, std, limit):
            return {"normal": {"mean": mean, "std": std, "limit": limit}}
        case LogUniform(low, high):
            return {"log_uniform": [low, high]}
    if hasattr(value, "steps"):
        return {"ramp": {epoch: to_plain(one) for epoch, one in value.steps.items()}}
    raise ParameterError(
        f"expected one of imagemill's own distributions to write to a file, got {type(value).__name__}"
    )


# Coefficients of AS 241 (routine PPND16): numerator and denominator for each of three regions.
_CENTRE = (
    (
        3.3871328727963666080e0,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3,
    ),
    (
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ),
)
_MIDDLE = (
    (
        1.42343711074968357734e0,
        4.63033784615654529590e0,
        5.76949722146069140550e0,
        3.64784832476320460504e0,
        1.27045825245236838258e0,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4,
    ),
    (
        1.0,
        2.05319162663775882187e0,
        1.67638483018380384940e0,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ),
)
_FAR = (
    (
        6.65790464350110377720e0,
        5.46378491116411436990e0,
        1.78482653991729133580e0,
        2.96560571828504891230e-1,
        2.65321895265761230930e-2,
        1.24266094738807843860e-3,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ),
    (
        1.0,
        5.99832206555887937690e-1,
        1.36929880922735805310e-1,
        1.48753612908506148525e-2,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    ),
)


QUANTILE = {"centre": _CENTRE, "middle": _MIDDLE, "tail": _FAR}
"""The same by name, for those who compute the same numbers elsewhere; rows begin with the constant."""


def _ratio(pair: tuple[tuple[float, ...], tuple[float, ...]], r: Floats) -> Floats:
    top, bottom = (np.polynomial.polynomial.polyval(r, np.array(side)) for side in pair)
    return np.asarray(top / bottom, dtype=np.float64)


def normal_quantile(p: Floats) -> Floats:
    """Inverse of the standard normal distribution function, to about 1e-16 relative (AS 241).

    Parameters
    ----------
    p : array
        Probabilities strictly between 0 and 1.

    Examples
    --------
    >>> normal_quantile(np.array([0.975])).round(6)
    array([1.959964])
    """
    p = np.asarray(p, dtype=np.float64)
    q = p - 0.5
    central = q * _ratio(_CENTRE, 0.180625 - q * q)
    r = np.sqrt(-np.log(np.minimum(p, 1.0 - p)))
    tail = np.where(r <= 5.0, _ratio(_MIDDLE, r - 1.6), _ratio(_FAR, r - 5.0))
    return np.where(np.abs(q) <= 0.425, central, np.copysign(tail, q))
