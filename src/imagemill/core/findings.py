"""What a check has to say: one shape for pipelines (`lint`) and datasets (`audit`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill.core.short_repr import ShortRepr

__all__ = ["LEVELS", "Finding", "worst_first"]

LEVELS = ("error", "warning", "note")
"""From the worst: what cannot be meant, what rarely is, what depends."""

_SHOWN = 5


@dataclass(frozen=True, slots=True, repr=False)
class Finding(ShortRepr):
    """One thing that is probably not meant.

    Parameters
    ----------
    rule : str
        Its name.
    level : {"error", "warning", "note"}
        An error cannot be meant, a warning is rarely meant, a note depends on the data.
    message : str
        What happens, with its figures.
    places : tuple of int or str
        In a pipeline the positions of transforms, counted from 1, combinations flattened; in a dataset the keys of
        images, those that show it best first.
    numbers : mapping of str to float
        The figures of the message, for programs.
    advice : str
        What to do, in one sentence; empty where the message says it.

    Examples
    --------
    >>> print(Finding("flat", "warning", "2 images of one colour", ("a.png", "b.png")))
    warning: 2 images of one colour (a.png, b.png) [flat]
    """

    rule: str
    level: str
    message: str
    places: tuple[int | str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict, hash=False)
    advice: str = ""

    def __str__(self) -> str:
        in_pipeline = any(isinstance(place, int) for place in self.places)
        listed = self.places if in_pipeline else self.places[:_SHOWN]
        shown = ", ".join(map(str, listed)) + (", ..." if len(listed) < len(self.places) else "")
        where = f" ({'transform ' if in_pipeline else ''}{shown})" if self.places else ""
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.level}: {self.message}{where}{advice} [{self.rule}]"

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "rule": self.rule,
            "level": self.level,
            "message": self.message,
            "places": list(self.places),
            "numbers": dict(self.numbers),
            "advice": self.advice,
        }


def worst_first(found: Iterable[Finding]) -> list[Finding]:
    """Errors, then warnings, then notes; within a level those of a pipeline in its order, others as they came."""
    return sorted(found, key=lambda f: (LEVELS.index(f.level), *_positions(f)))


def _positions(finding: Finding) -> tuple[int, ...]:
    return tuple(place for place in finding.places if isinstance(place, int))
