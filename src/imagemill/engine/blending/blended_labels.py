"""Labels of several samples as one: shares of classes, or pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.blend_ops import MixedLabels
from imagemill.core.errors import InputError, TargetError
from imagemill.core.ops import Blend

__all__ = ["Mixture", "as_mixture", "asked", "combined", "finished"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Labels with their shares, which add up to 1; the sample's own first."""

    shares: tuple[tuple[Any, float], ...]


def as_mixture(value: Any) -> Mixture:
    """A label as it came, or a mixture of labels."""
    return value if isinstance(value, Mixture) else Mixture(((value, 1.0),))


def combined(values: Sequence[Any], weights: Sequence[float]) -> Mixture:
    """Labels of several samples with the samples' shares.

    Examples
    --------
    >>> combined([combined([1, 2], [0.5, 0.5]), 3], [0.5, 0.5]).shares
    ((1, 0.25), (2, 0.25), (3, 0.5))
    """
    parts = zip(map(as_mixture, values), weights, strict=True)
    return Mixture(tuple((label, share * weight) for mixture, weight in parts for label, share in mixture.shares))


def asked(ops: Iterable[Blend]) -> MixedLabels:
    """How the labels of a pipeline come out, by what its blends say.

    Raises
    ------
    InputError
        When they say different things.
    """
    listed = [op.labels for op in ops]
    forms, classes = {one.form for one in listed}, {one.classes for one in listed} - {None}
    if len(forms) > 1 or len(classes) > 1:
        said = " and ".join(sorted(map(str, forms if len(forms) > 1 else classes)))
        raise InputError(f"expected one way to give labels in a pipeline, got {said}; say the same in all that mix")
    return MixedLabels(forms.pop(), classes.pop() if classes else None)


def finished(value: Any, how: MixedLabels, name: str) -> Any:
    """A mixture as it is handed over: a share for each class, or a pair of labels and the share of the first.

    Raises
    ------
    InputError, TargetError
        When the number of classes is not known, or a label is none of them.

    Examples
    --------
    >>> finished(combined([2, 0], [0.75, 0.25]), MixedLabels(classes=3), "label").tolist()
    [0.25, 0.0, 0.75]
    >>> finished(combined(["cat", "dog"], [0.75, 0.25]), MixedLabels("pairs"), "label")
    ('cat', 'dog', 0.75)
    """
    shares = as_mixture(value).shares
    if how.form == "pairs" and not all(isinstance(label, float | np.floating) for label, _ in shares):
        if len(shares) > 2:
            raise InputError(
                f"expected {name} of two samples to give as pairs, got {len(shares)}; write labels='soft' in what mixes"
            )
        return shares[0][0], shares[-1][0], shares[0][1] if len(shares) == 2 else 1.0
    total: Any = 0.0
    for label, share in shares:
        total = total + share * _numbers(label, how.classes, name)
    return np.float32(total) if np.ndim(total) == 0 else np.asarray(total, np.float32)


def _numbers(label: Any, classes: int | tuple[str, ...] | None, name: str) -> Any:
    """A label as numbers that can be weighted."""
    found = np.asarray(label.detach().cpu() if hasattr(label, "detach") else label)
    if found.dtype.kind not in "biufU":
        raise TargetError(
            f"expected {name} as a class or numbers to mix, got {type(label).__name__}; leave it out, or say "
            "labels='pairs' in what mixes, which gives both"
        )
    if found.ndim == 1 and found.dtype.kind != "U":
        _same_length(len(found), classes, name)
        return found.astype(np.float64)
    if found.ndim == 0 and found.dtype.kind == "f":
        return found.astype(np.float64)  # a quantity, which is averaged
    if found.ndim:
        raise TargetError(f"expected {name} as one class or a row of numbers, got shape {found.shape}")
    if classes is None:
        raise InputError(
            f"expected to know how many classes there are, got {name}={label!r} alone; write MixUp(classes=10), or "
            "classes=('cat', 'dog') for names, or labels='pairs' for both labels and the share of the first"
        )
    return _one_hot(label, classes, name)


def _one_hot(label: Any, classes: int | tuple[str, ...], name: str) -> Array:
    names = classes if isinstance(classes, tuple) else ()
    count = len(names) if names else int(classes)  # type: ignore[arg-type]  # a tuple of names is never empty
    if isinstance(label, str):
        if label not in names:
            known = ", ".join(names) or f"numbers of {count} classes"
            raise InputError(f"expected {name} as one of {known}, got {label!r}; say all names: classes=('cat', 'dog')")
        number = names.index(label)
    else:
        number = int(label)
    if not 0 <= number < count:
        raise InputError(f"expected {name} from 0 to {count - 1}, got {number}; say how many classes there are")
    found = np.zeros(count)
    found[number] = 1.0
    return found


def _same_length(length: int, classes: int | tuple[str, ...] | None, name: str) -> None:
    count = None if classes is None else len(classes) if isinstance(classes, tuple) else classes
    if count is not None and count != length:
        raise InputError(
            f"expected {name} with a share for each of {count} classes, got {length}; say classes={length}, or leave "
            "classes out, which rows of numbers need not"
        )
