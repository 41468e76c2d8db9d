"""What a sweep of changes found: points, the range that holds, which classes break first; as data and as text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import InputError, ParameterError
from imagemill.data.atomic import atomic_path
from imagemill.evaluate.statistics.corruption_error import CorruptionError, corruption_error
from imagemill.evaluate.statistics.scores import ACCURACY, Measure
from imagemill.evaluate.statistics.shares import Share
from imagemill.evaluate.stressing.breaking import ClassBreak
from imagemill.evaluate.stressing.worst_case import WorstCase
from imagemill.pages import Showable

__all__ = ["End", "Point", "Profile", "Profiles"]

_BARS = "▁▂▃▄▅▆▇█"
_NAMED = 3
"""Classes that are named for each side of a change; the rest are counted."""
_CLASSES = 5
"""Of more classes than this the Dice of each is in the table and the page alone."""


@dataclass(frozen=True, slots=True)
class Point:
    """Accuracy, or mean Dice, at one magnitude.

    Parameters
    ----------
    magnitude : float or None
        None for a change without one.
    score : Share
    difference : Share
        From the score of clean images, over the same images: below 0 is worse.
    margin : Share
        ``score - hold * clean``: above 0 where it holds.
    by_class : tuple of Share or None
        Recall, or Dice, of each class of the profile; None for a class without images.
    """

    magnitude: float | None
    score: Share
    difference: Share
    margin: Share
    by_class: tuple[Share | None, ...]


@dataclass(frozen=True, slots=True)
class End:
    """Where the score falls below what should hold, on one side of the magnitude that does nothing.

    Parameters
    ----------
    value : float or None
        The magnitude, interpolated between points, or the last whole one that holds; None where it holds as far as
        was looked.
    near, far : float or None
        Its interval: the last magnitude at which it surely holds, and the first at which it surely does not (of whole
        ones the last at which it may); None where that is not within what was looked at.
    last : float
        The farthest magnitude on this side.
    again : tuple of float
        Magnitudes beyond the end at which it holds again: the curve does not fall all the way.
    """

    value: float | None
    near: float | None
    far: float | None
    last: float
    again: tuple[float, ...] = ()

    @property
    def reach(self) -> float:
        """How far it holds: the value, or the farthest magnitude that was looked at."""
        return self.last if self.value is None else self.value

    def __str__(self) -> str:
        if self.value is None and self.near is None:
            return f"beyond {_number(self.last)}"
        near, far = _number(self.near), _number(self.far)
        if self.value is None:
            return f"beyond {_number(self.last)} [{near}, -]"
        low, high = (near, far) if self.far is None or self.near is None or self.near <= self.far else (far, near)
        return f"{_number(self.value)} [{low}, {high}]"


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Accuracy, or mean Dice, against the magnitude of one change, over the same images.

    Parameters
    ----------
    name, unit : str
    points : tuple of Point
        In rising order of magnitude, the one that does nothing among them where there is one.
    neutral : float or None
        That magnitude.
    clean : Share
    below, above : End or None
        Ends of the range that holds; None on a side that was not looked at.
    breaks : tuple of ClassBreak
        By class, those that lose most first.
    still : bool
        The change did nothing to any image at any magnitude.
    log : bool
        Magnitudes are factors.
    hold : float
    classes : tuple of str
        Those that have a score of their own: of label maps all but the background.
    measure : Measure
        What the score is.
    """

    name: str
    unit: str
    points: tuple[Point, ...]
    neutral: float | None
    clean: Share
    below: End | None
    above: End | None
    breaks: tuple[ClassBreak, ...]
    still: bool = False
    log: bool = False
    hold: float = 0.95
    classes: tuple[str, ...] = ()
    measure: Measure = ACCURACY

    @property
    def range(self) -> tuple[float, float] | None:
        """Magnitudes between which the score holds; None where nothing was said to leave images as they are."""
        if self.neutral is None:
            return None
        ends = [self.neutral if end is None else end.reach for end in (self.below, self.above)]
        return ends[0], ends[1]

    @property
    def lowest(self) -> Point:
        """The point with the lowest score."""
        return min(self.points, key=lambda point: point.score.value)

    @property
    def first_classes(self) -> tuple[ClassBreak, ...]:
        """Classes that lose more than the others, adjusted for their number."""
        return tuple(one for one in self.breaks if one.sure)

    @property
    def sentence(self) -> str:
        """The range that holds, or what is left, in words."""
        if self.still:
            return f"{self.name}: does nothing to these images"
        lowest = self.lowest
        if self.points[0].magnitude is None:
            change = _points(lowest.difference, self.measure)
            return f"{self.name}: {lowest.score} {self.measure.said}, {change} from clean{self._classes_of(lowest)}"
        unit = f" {self.unit}" if self.unit else ""
        least = f"lowest {lowest.score} at {_number(lowest.magnitude)}{self._classes_of(lowest)}"
        if self.neutral is None:
            return f"{self.name}{unit}: no magnitude that leaves images as they are, so no range; {least}"
        sides = []
        if self.below is not None:
            sides.append(f"from {self.below}")
        if self.above is not None:
            sides.append(f"to {self.above}")
        again = [_number(one) for end in (self.below, self.above) if end is not None for one in end.again]
        back = f", and again at {', '.join(again)}" if again else ""
        return f"{self.name}: holds {' '.join(sides)}{unit}{back}; {least}"

    @property
    def classes_sentence(self) -> str:
        """Which classes lose more than the others, in words, the most first; empty where none does."""
        said = []
        magnitudes = {one.magnitude for one in self.first_classes}
        for magnitude in sorted(magnitudes, key=lambda m: 0.0 if m is None else m):
            here = [one for one in self.first_classes if one.magnitude == magnitude]
            at = "" if magnitude is None else f" at {_number(magnitude)}"
            lost = ", ".join(f"{one.name} ({one.amount(one.lost)})" for one in here[:_NAMED])
            more = f" and {len(here) - _NAMED} more" if len(here) > _NAMED else ""
            said.append(f"{lost}{more}{at} (others {here[0].amount(here[0].others)})")
        return f"lost most: {'; '.join(said)}" if said else ""

    def _classes_of(self, point: Point) -> str:
        """The Dice of each class in words; empty where there is one class, and for classifiers, which may have many."""
        if self.measure is ACCURACY or not 1 < len(self.classes) <= _CLASSES:
            return ""
        known = zip(self.classes, point.by_class, strict=True)
        return f" ({', '.join(f'{name} {share.value:.3f}' for name, share in known if share is not None)})"

    def curve(self, width: int = 17) -> str:
        """The curve as a row of bars, from score 0 to 1, left to right by magnitude."""
        if self.points[0].magnitude is None:
            return _bar(self.points[0].score.value)
        places = self._places(np.array([point.magnitude for point in self.points], np.float64))
        values = [point.score.value for point in self.points]
        asked = np.linspace(places[0], places[-1], width if len(places) > 1 else 1)
        return "".join(_bar(float(v)) for v in np.interp(asked, places, values))

    def held(self, width: int = 17) -> tuple[int, int]:
        """Which bars of `curve` lie within the range that holds: first and last, from 0."""
        if self.range is None or len(self.points) < 2:
            return 0, -1
        places = self._places(np.array([point.magnitude for point in self.points], np.float64))
        low, high = self._places(np.array(self.range))
        step = (places[-1] - places[0]) / (width - 1)
        return math.ceil((low - places[0]) / step - 1e-9), math.floor((high - places[0]) / step + 1e-9)

    def _places(self, magnitudes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        first = self.points[0].magnitude
        return np.log(magnitudes) if self.log and first is not None and first > 0 else magnitudes

    def cells(self) -> list[str]:
        """Unit, both ends, the lowest score and where it is, for tables."""
        if self.still:
            return [self.unit, "does nothing", "", "", ""]
        ends = ["" if end is None else str(end) for end in (self.below, self.above)]
        lowest = self.lowest
        at = "" if lowest.magnitude is None else _number(lowest.magnitude)
        return [self.unit, *ends, str(lowest.score), at]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        key, of_class = self.measure.keys
        return {
            "name": self.name,
            "unit": self.unit,
            "neutral": self.neutral,
            "sentence": self.sentence,
            "does_nothing": self.still,
            "range": None if self.range is None else list(self.range),
            "below": None if self.below is None else _end_dict(self.below),
            "above": None if self.above is None else _end_dict(self.above),
            "points": [
                {
                    "magnitude": point.magnitude,
                    key: point.score.to_dict(),
                    "difference": point.difference.to_dict(),
                    "margin": point.margin.to_dict(),
                    of_class: [None if share is None else share.to_dict() for share in point.by_class],
                }
                for point in self.points
            ],
            "classes": [one.to_dict() for one in self.breaks],
        }

    def __repr__(self) -> str:
        lines = [f"{self.curve():17}  {self.sentence}"]
        if self.first_classes:
            lines.append(f"{'':17}  {self.classes_sentence}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, eq=False)
class Profiles(Showable):
    """How far images may change before a network fails.

    Parameters
    ----------
    model : str
    images : int
    classes : tuple of str
    clean : Share
        Accuracy, or mean Dice, on images as they are.
    hold : float
        The share of it that ranges hold.
    level : float
        Of all intervals, each by itself.
    profiles : tuple of Profile
    worst : WorstCase or None
    notes : tuple of str
        What was taken for granted, and what to look at.
    clean_by_class : tuple of Share or None
        Recall, or Dice, on images as they are; None for a class without images.
    scored : tuple of str
        The classes that it is said of: of label maps all but the background.
    measure : Measure
    """

    model: str
    images: int
    classes: tuple[str, ...]
    clean: Share
    hold: float
    level: float
    profiles: tuple[Profile, ...]
    worst: WorstCase | None = None
    notes: tuple[str, ...] = ()
    clean_by_class: tuple[Share | None, ...] = ()
    scored: tuple[str, ...] = ()
    measure: Measure = ACCURACY

    def __getitem__(self, name: str) -> Profile:
        found = next((one for one in self.profiles if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self.profiles)
            raise ParameterError(f"expected a change of {known}, got {name!r}")
        return found

    def __iter__(self) -> Iterator[Profile]:
        return iter(self.profiles)

    def __len__(self) -> int:
        return len(self.profiles)

    @property
    def headline(self) -> str:
        """What was asked about, and how much of it is right without any change."""
        head = f"{self.model}: {self.clean} {self.measure.said}"
        if self.measure is ACCURACY:
            return f"{head} of {self.images:,} images of {len(self.classes)} classes"
        known = zip(self.scored, self.clean_by_class, strict=True)
        each = ", ".join(f"{name} {share}" for name, share in known)
        return f"{head} over {self.images:,} images{f'; by class {each}' if len(self.scored) > 1 else ''}"

    def corruption_error(self, baseline: Profiles | Path | str) -> CorruptionError | None:
        """The mean corruption error, relative to another model that was asked about the same.

        Parameters
        ----------
        baseline : Profiles, Path or str
            Of the other model, or its ``results.json``.

        Returns
        -------
        CorruptionError, or None where no corruption was looked at at all five severities.

        Raises
        ------
        InputError
            When the file is none, or the baseline was not asked about one of the corruptions; for label maps, as the
            corruption error is of classes.
        """
        if self.measure is not ACCURACY:
            raise InputError(
                "expected accuracies for the mean corruption error, which is of classifiers, got Dice; leave the "
                "baseline out, and compare the Dice at each severity"
            )
        other = baseline.to_dict() if isinstance(baseline, Profiles) else _results(Path(baseline))
        return corruption_error(_accuracies(self.to_dict()), _accuracies(other), "clean")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, the same for the same model and images."""
        return {
            "model": self.model,
            "images": self.images,
            "classes": list(self.classes),
            "measure": self.measure.name,
            "clean": self.clean.to_dict(),
            f"clean_{self.measure.keys[1]}": [None if one is None else one.to_dict() for one in self.clean_by_class],
            "hold": self.hold,
            "level": self.level,
            "profiles": [one.to_dict() for one in self.profiles],
            "worst_case": None if self.worst is None else self.worst.to_dict(),
            "notes": list(self.notes),
        }

    def table(self) -> str:
        """A Markdown table: a row a change."""
        share = f"{self.hold * 100:g} %"
        lines = [
            f"{self.headline}. Intervals at {self.level * 100:g} %, each by itself.",
            "",
            f"| change | unit | holds {share} from | to | lowest {self.measure.name} | at | classes that lose more |",
            "|---" * 7 + "|",
        ]
        for one in self.profiles:
            lost = ", ".join(dict.fromkeys(found.name for found in one.first_classes))
            lines.append("| " + " | ".join([one.name, *one.cells(), lost]) + " |")
        rest = [*([] if self.worst is None else [self.worst.sentence]), *(f"Note: {note}" for note in self.notes)]
        return "\n".join([*lines, *(line for one in rest for line in ("", one))])

    def page(self) -> str:
        """A self-contained HTML page with tables and curves."""
        from imagemill.evaluate.stressing.profile_plot import page_of

        return page_of(self)

    def _repr_html_(self) -> str:
        from imagemill.evaluate.stressing.profile_plot import curve_of
        from imagemill.pages import Code, Panels, fragment

        curves = [plot for plot in map(curve_of, self.profiles) if plot is not None]
        return fragment([Code(repr(self)), Panels(curves)])

    def _as_page(self) -> str:
        return self.page()

    def plot(self, path: str | Path | None = None) -> Any:
        """The curves as a figure of matplotlib: one panel a change, with intervals and the range that holds.

        Parameters
        ----------
        path : str or Path, optional
            Where to write it; the suffix says the format.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtra
            Without matplotlib (extra ``report``).
        """
        from imagemill.evaluate.stressing.profile_plot import plotted

        return plotted(self, path)

    def write(self, out: str | Path) -> None:
        """``results.json``, ``table.md`` and ``page.html``, which draws the curves, into a folder."""
        out = Path(out)
        out.mkdir(parents=True, exist_ok=True)
        for name, text in (
            ("results.json", json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"),
            ("table.md", self.table() + "\n"),
            ("page.html", self.page()),
        ):
            with atomic_path(out / name) as part:
                part.write_text(text, "utf-8")

    def __repr__(self) -> str:
        lines = [self.headline, f"holds: {self.hold * 100:g} % of that; intervals at {self.level * 100:g} %"]
        lines += [repr(one) for one in self.profiles]
        if self.worst is not None:
            lines.append(self.worst.sentence)
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def _results(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"expected the results.json of a baseline, got {path}: {error}") from error
    if not isinstance(found, dict) or not {"clean", "profiles"} <= set(found):
        raise InputError(f"expected the results.json that stress writes, got {path} with something else")
    if found.get("measure", ACCURACY.name) != ACCURACY.name:
        raise InputError(f"expected a baseline with accuracies, got {path} with {found['measure']}")
    return found


def _accuracies(found: Mapping[str, Any]) -> dict[str, float]:
    """Accuracy by population, such as ``corruption:fog:3``, and of clean images."""
    points = {
        f"{one['name']}:{point['magnitude']:g}": float(point["accuracy"]["value"])
        for one in found["profiles"]
        for point in one["points"]
        if point["magnitude"] is not None
    }
    return {**points, "clean": float(found["clean"]["value"])}


def _bar(share: float) -> str:
    return _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _points(difference: Share, measure: Measure) -> str:
    return f"{difference.value * 100:+.1f} {measure.unit} [{difference.low * 100:+.1f}, {difference.high * 100:+.1f}]"


def _end_dict(end: End) -> dict[str, Any]:
    return {
        "value": end.value,
        "near": end.near,
        "far": end.far,
        "last": end.last,
        "holds_again_at": list(end.again),
    }
