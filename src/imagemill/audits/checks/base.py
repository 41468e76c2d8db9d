"""What a check is: a function of a survey that yields findings, or says why it was not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["Check", "NotAsked", "listed", "many"]


@dataclass(frozen=True, slots=True)
class NotAsked:
    """A question that this dataset does not let one ask.

    Parameters
    ----------
    rule : str
    because : str
        In words that end the sentence "not asked, because ...".
    """

    rule: str
    because: str

    def __str__(self) -> str:
        return f"{self.rule}: not asked, because {self.because}"


Check = Callable[[Survey], Iterator[Finding | NotAsked]]


def many(count: int, what: str = "image") -> str:
    """A count with its word in the singular or plural.

    Examples
    --------
    >>> many(1), many(2000, "class")
    ('1 image', '2,000 classes')
    """
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"


def listed(names: list[str], shown: int = 5) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:shown]) + (f" and {len(names) - shown:,} more" if len(names) > shown else "")
