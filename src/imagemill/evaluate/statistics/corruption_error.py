"""The mean corruption error of a network, relative to a baseline.

Source: Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and
perturbations", ICLR, section 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagemill.core.errors import InputError
from imagemill.transforms.corruptions import COMMON, SEVERITIES

__all__ = ["CorruptionError", "corruption_error", "corruption_named"]

_PREFIX = "corruption:"


@dataclass(frozen=True, slots=True)
class CorruptionError:
    """How a network's errors under corruptions compare with a baseline's.

    Parameters
    ----------
    mean : float
        mCE: the mean over corruptions of the sum of errors by the baseline's, sums over the severities; 1 is
        as the baseline, less is better.
    relative : float or None
        Relative mCE: the same of what errors rise by from clean images; None where the baseline's rise for some
        corruption by nothing.
    each : mapping from corruption to float
        The ratio of each.
    left_out : tuple of str
        Corruptions under which the baseline makes no error.
    """

    mean: float
    relative: float | None
    each: Mapping[str, float]
    left_out: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """In words, with what it is taken over."""
        whole = set(self.each) == set(COMMON)
        name = "mean corruption error" if whole else f"mean corruption error over {', '.join(self.each)}"
        known = (
            "" if self.relative is None else f"; of what errors rise by from clean images, {self.relative * 100:.1f} %"
        )
        rest = f"; without {', '.join(self.left_out)}, where the baseline makes none" if self.left_out else ""
        return f"{name}: {self.mean * 100:.1f} % of the baseline's{known}{rest}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "mean": self.mean, "relative": self.relative, "each": dict(self.each), "left_out": list(self.left_out),
        }  # fmt: skip


def corruption_named(population: str) -> tuple[str, int] | None:
    """The corruption and the severity that a population is called by; None for any other.

    Examples
    --------
    >>> corruption_named("corruption:fog:3"), corruption_named("rotate:15")
    (('fog', 3), None)
    """
    name, _, severity = population.removeprefix(_PREFIX).partition(":")
    if not population.startswith(_PREFIX) or severity not in map(str, SEVERITIES):
        return None
    return name, int(severity)


def corruption_error(
    scores: Mapping[str, float], baseline: Mapping[str, float], clean: str = "clean"
) -> CorruptionError | None:
    """Compare errors with a baseline's; None where no corruption was looked at at all five severities.

    Parameters
    ----------
    scores, baseline : mapping from population to accuracy
        Of ``corruption:fog:1`` and so on, and of clean images. Other populations do not count, and a corruption under
        which the baseline makes no error is left out.
    clean : str
        What clean images are called.

    Raises
    ------
    InputError
        When the baseline was not asked about one of them.

    Examples
    --------
    >>> severities = [f"corruption:fog:{s}" for s in range(1, 6)]
    >>> better = dict.fromkeys(severities, 0.8) | {"clean": 0.9}
    >>> worse = dict.fromkeys(severities, 0.6) | {"clean": 0.9}
    >>> found = corruption_error(better, worse)
    >>> round(found.mean, 3), round(found.relative, 3)
    (0.5, 0.333)
    """
    whole = _whole(scores)
    if lacking := sorted({clean, *(one for asked in whole.values() for one in asked)} - set(baseline)) if whole else []:
        raise InputError(
            f"expected the baseline's accuracy under {', '.join(lacking)}, got none; ask it about the same"
        )
    errors = {name: [sum(1 - of[one] for one in asked) for of in (scores, baseline)] for name, asked in whole.items()}
    each = {name: ours / theirs for name, (ours, theirs) in errors.items() if theirs > 0}
    if not each:
        return None
    still = [len(SEVERITIES) * (1 - of[clean]) for of in (scores, baseline)]
    rises = [[total - at for total, at in zip(errors[name], still, strict=True)] for name in each]
    relative = None if any(theirs <= 0 for _, theirs in rises) else sum(a / b for a, b in rises) / len(rises)
    return CorruptionError(
        sum(each.values()) / len(each), relative, each, tuple(name for name in errors if name not in each)
    )


def _whole(scores: Mapping[str, float]) -> dict[str, list[str]]:
    """The populations of each corruption that there are five of."""
    asked: dict[str, list[str]] = {}
    for population in scores:
        named = corruption_named(population)
        if named is not None:
            asked.setdefault(named[0], []).append(population)
    return {name: found for name, found in asked.items() if len(found) == len(SEVERITIES)}
