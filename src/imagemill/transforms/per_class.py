"""Other transforms for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Read
from imagemill.transforms.asked_content import Missing, missing_option
from imagemill.transforms.base import Transform, option
from imagemill.transforms.combine import Selection, Sequential
from imagemill.transforms.traits import Traits

__all__ = ["PerClass"]

Listed = tuple[Transform, ...]


def _listed(name: str, value: Any) -> Listed:
    if not isinstance(value, list | tuple) or not all(isinstance(one, Transform) for one in value):
        raise ParameterError(f"expected {name} to be a list of transforms, () for nothing, got {value!r}")
    return tuple(value)


def _by_class(name: str, value: Any) -> dict[str, Listed]:
    if not isinstance(value, Mapping) or not value:
        raise ParameterError(
            f"expected {name} to say the transforms of each class, such as {{'cat': [Flip('x')]}}, got {value!r}"
        )
    found: dict[str, Listed] = {}
    for key, listed in value.items():
        if isinstance(key, bool) or not isinstance(key, str | int | np.integer):
            raise ParameterError(f"expected {name} to call classes by name or number, got {key!r}")
        if str(key) in found:
            raise ParameterError(f"expected {name} to list each class once, got {str(key)!r} as text and as a number")
        found[str(key)] = _listed(f"{name} of class {str(key)!r}", listed)
    # In one order, whatever order they were listed in: files do not tell mappings apart by it.
    return dict(sorted(found.items()))


def _class_of(label: Any) -> str | None:
    """A label as it is listed; None where there is none."""
    if label is None:
        return None
    if getattr(label, "ndim", 0) or isinstance(label, list | tuple | dict):
        raise InputError(
            f"expected one class for each sample that PerClass sees, a name or a number, got {type(label).__name__} "
            f"({label!r:.60}); say which one counts: pipe.batch(..., choose_by=[...])"
        )
    value = label.item() if hasattr(label, "item") else label
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@dataclass(frozen=True, slots=True)
class PerClass(Transform):
    """Other transforms for each class: those listed for the class of a sample run, in order.

    Parameters
    ----------
    transforms : mapping from str or int to list of Transform
        For each class, by its name or number; ``()`` for nothing. A `Loader` of a dataset with class names, or of
        arrays with ``classes``, goes by those, and so do arms; else a class is what the label says, and ``3`` and
        ``"3"`` are the same one.
    default : list of Transform, optional
        For samples of classes that are not listed; ``()`` for nothing. Left out, they are refused.
    missing : {"raise", "ignore"}
        Whether samples without a label are refused, or are treated as those of classes that are not listed.
    p : float
        Probability that any runs at all.

    Raises
    ------
    InputError
        When it runs, for a sample without a label or of a class that is not listed, unless the two above allow it.

    Targets
    -------
    As its transforms. It goes by the Label, which stays.

    Source
    ------
    Hauberg, Freifeld, Larsen, Fisher III and Hansen (2016), "Dreaming more data: class-dependent distributions over
    diffeomorphisms for learned data augmentation", AISTATS, on what keeps the label of one class and not that of
    another: a 6 turned over is a 9, and an 8 is an 8.

    Examples
    --------
    >>> import imagemill as im
    >>> pipe = im.Pipeline([PerClass({"cat": [im.Flip("x")], "text": ()})], seed=1)
    >>> image = np.array([[1, 2, 3]], np.uint8)
    >>> [pipe(image=image, label=label).image.tolist() for label in ("cat", "text")]
    [[[3, 2, 1]], [[1, 2, 3]]]
    """

    transforms: Read[Mapping[Any, Sequence[Transform]], dict[str, Listed]] = option(check=_by_class)
    default: Read[Sequence[Transform] | None, Listed | None] = field(
        default=cast(Any, None), metadata={"kind": "option", "check": _listed, "nested": True}
    )
    missing: Missing = missing_option()

    def check(self) -> None:
        if not self.children():
            raise ParameterError("expected PerClass to list a transform for one class at least, got none")
        if self.missing == "ignore" and self.default is None:
            raise ParameterError(
                "expected PerClass(missing='ignore') to say what samples without a label get, got no default; add "
                "default=[...], or default=() for nothing"
            )

    def _lists(self) -> list[Listed]:
        return [*self.transforms.values(), *([] if self.default is None else [self.default])]

    def children(self) -> tuple[Transform, ...]:
        """One for each class that has transforms, then what the others get."""
        return tuple(Sequential(listed) for listed in self._lists() if listed)

    def _numbers(self) -> tuple[dict[str, int], int]:
        """For each class the number of its child from 1 on, 0 for nothing; and that of all others."""
        names, last = list(self.transforms), 0
        numbers: list[int] = []
        for listed in self._lists():
            last += bool(listed)
            numbers.append(last if listed else 0)
        return dict(zip(names, numbers, strict=False)), numbers[-1]

    def select(self, draws: Draws) -> Selection:
        """The child of each sample's class; of each in turn while there are no samples."""
        count = len(self.children())
        if draws.labels is not None and not len(draws.labels):
            chosen = np.arange(draws.n) % count + 1
        else:
            chosen = self._of(draws.labels, draws.n)
        draws.note("class", chosen)
        return [chosen == number for number in range(1, count + 1)]

    def _of(self, labels: Sequence[Any] | None, n: int) -> npt.NDArray[np.int64]:
        found = [None] * n if labels is None else [_class_of(label) for label in labels]
        if len(found) != n:
            raise InputError(f"expected {n} labels for PerClass, one for each sample, got {len(found)}")
        if None in found and self.missing != "ignore":
            raise InputError(
                f"expected a label for PerClass to go by, one of {self.known()}, got none; pass label=... beside the "
                "image (names=('image', 'label') for augmented(...), a dataset with one class for each row for a "
                "Loader), or say PerClass(default=[...], missing='ignore')"
            )
        numbers, others = self._numbers()
        if self.default is None and (strange := [one for one in found if one not in numbers]):
            raise InputError(
                f"expected a class that PerClass lists, one of {self.known()}, got {strange[0]!r}; list it as well, or "
                "say what all others get: default=[...], () for nothing"
            )
        return np.array([numbers.get(one, others) if one is not None else others for one in found], np.int64)

    def known(self) -> str:
        """The classes that are listed, in words."""
        return ", ".join(self.transforms)

    def variants(self) -> float:
        return self._with_coin(max((child.variants() for child in self.children()), default=1.0))

    def runs(self) -> tuple[int, int]:
        each = [Sequential(listed).runs() if listed else (0, 0) for listed in self._lists()]
        low, high = min(low for low, _ in each), max(high for _, high in each)
        return (low if self.p == 1 else 0, high if self.p > 0 else 0)

    def rule(self) -> str:
        numbers, others = self._numbers()
        told = [*numbers.items(), *([] if self.default is None else [("all others", others)])]
        words = ", ".join(f"{number} {name}" for name, number in told if number)
        nothing = [name for name, number in told if not number]
        return f"by the sample's class: {words}" + (f"; nothing for {', '.join(nothing)}" if nothing else "")

    def traits(self) -> Traits:
        return Traits(exclusive=True, chooses=True)
