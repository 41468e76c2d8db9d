"""What a screen found: transforms in the order of their score, with what speaks for each and against it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imagemill.core.plain_values import plain
from imagemill.data.atomic import atomic_path
from imagemill.evaluate.screening.candidates import PassedOver
from imagemill.evaluate.screening.label_changes import ClassEvidence
from imagemill.evaluate.statistics.intervals import Difference
from imagemill.evaluate.statistics.scores import ACCURACY, Measure
from imagemill.pages import Interval, IntervalPlot, Showable, fragment

__all__ = ["BACKWARD", "Cost", "Screened", "Screening", "in_points", "interval_of", "plain"]

_LABEL = "seems to change the label"

_SURE_OF = 0.25
"""Of fewer held-back images than this share a network is not sure enough for flags."""

BACKWARD = 3
"""What an image costs in training, where it costs 1 to be asked about: the way back takes about twice the way there."""


@dataclass(frozen=True, slots=True)
class Screened:
    """One transform under a screen.

    Parameters
    ----------
    name, call : str
        What it is called here, and as it is written in Python.
    affinity : Difference
        The clean network's accuracy, or Dice, on augmented held-back images less that on the same images as they are.
    diversity : Difference
        The clean network's loss on augmented training images less that on the same images as they are, nats an image;
        of label maps cross-entropy and soft Dice.
    gain : Difference or None
        Accuracy, or Dice, on held-back images after some more epochs with the transform, less that after as many
        without; None where no more were asked for, or the network diverged.
    changed_classes : tuple of ClassEvidence
        Classes that the transform seems to turn into others; none where the label seems to stay, and for label maps.
    diverged : bool
        The loss was no number any more in those epochs.
    unclear : bool
        Images of so many classes are taken for one that the network may not know what it sees; see `is_unclear`.
    """

    name: str
    call: str
    affinity: Difference
    diversity: Difference
    gain: Difference | None = None
    changed_classes: tuple[ClassEvidence, ...] = ()
    diverged: bool = False
    unclear: bool = False

    @property
    def score(self) -> float:
        """What the order is by: how little is lost on the transform's images; see `screen`."""
        return -self.diversity.mean

    @property
    def changes_label(self) -> bool:
        """Whether images of some class seem to become images of another: a reason to look, and no proof."""
        return bool(self.changed_classes) and not self.unclear

    @property
    def flag(self) -> str:
        """What to look at before it is used, in words; empty where there is nothing."""
        pairs = [f"{one.name} becomes {one.taken_for} ({one.moved.mean:.0%})" for one in self.changed_classes]
        said = [f"{_LABEL}: {', '.join(pairs)}"] if pairs else []
        if self.unclear:
            into = Counter(one.taken_for for one in self.changed_classes).most_common(1)[0][0]
            those = [one for one in self.changed_classes if one.taken_for == into]
            names = ", ".join(f"{one.name} ({one.moved.mean:.0%})" for one in those)
            said = [
                f"may change the label or not: {names} are all taken for {into}, as a network also does with images "
                "unlike any that it saw"
            ]
        return "; ".join([*said, "diverged"] if self.diverged else said)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a screen took, beside the arms that it is asked before.

    Parameters
    ----------
    trained, asked : int
        Images that went through the network forward and backward, and forward alone.
    seconds : float
        In all, augmentation included.
    """

    trained: int
    asked: int
    seconds: float = 0.0

    @property
    def images(self) -> int:
        """Forward passes: an image that is trained on counts three."""
        return BACKWARD * self.trained + self.asked


@dataclass(frozen=True, slots=True, eq=False)
class Screening(Showable):
    """Transforms in the order of their score, the most promising first.

    Parameters
    ----------
    design : mapping
        What was asked, and what it was asked on.
    score : float, 0 to 1
        Accuracy, or mean Dice, of the clean network on the held-back images.
    sure : float, 0 to 1, or None
        The share of them that it is sure of; nothing is flagged where it is sure of next to none. None for label maps,
        where nothing is flagged at all.
    ranked : tuple of Screened
    passed_over : tuple of PassedOver
        Transforms that could not be asked about on this data, and why.
    cost : Cost
    measure : Measure
        What the score is.
    """

    design: Mapping[str, Any]
    score: float
    sure: float | None
    ranked: tuple[Screened, ...]
    passed_over: tuple[PassedOver, ...]
    cost: Cost
    measure: Measure = ACCURACY

    def __getitem__(self, name: str) -> Screened:
        """One transform by its name."""
        found = next((one for one in self.ranked if one.name == name), None)
        if found is None:
            raise KeyError(f"expected a name of {', '.join(one.name for one in self.ranked)}, got {name!r}")
        return found

    @property
    def flagged(self) -> tuple[Screened, ...]:
        """Those that seem to change the label."""
        return tuple(one for one in self.ranked if one.changes_label)

    def share_of_arms(self, seeds: int = 3) -> float:
        """The cost as a share of training an arm for each transform, and one without, with some seeds."""
        epochs, images = self.design["recipe"]["epochs"], self.design["train_images"]
        return float(self.cost.images / (BACKWARD * (len(self.ranked) + 1) * seeds * epochs * images))

    @property
    def caution(self) -> str:
        """What the screen rests on, where that is too little; empty where there is nothing to say."""
        of_classes = self.measure is ACCURACY
        guess = self.design["largest_class" if of_classes else "one_class_everywhere"]
        if self.score <= guess:
            than = "the largest class" if of_classes else f"one class for every pixel (Dice {guess:.3f})"
            return f"the network is no better than {than}: the order says nothing; train it for more epochs"
        if self.sure is not None and self.sure < _SURE_OF:
            return f"no change of the label can be seen: the network is sure of {self.sure:.0%} of the held-back images"
        return ""

    @property
    def clean_sentence(self) -> str:
        """How well the clean network knows the held-back images."""
        held = f"{self.design['held_back']:,} held-back images"
        if self.measure is ACCURACY:
            return f"{self.score:.3f} of {held} right"
        return f"{self.measure.name} {self.score:.3f} on {held}"

    @property
    def cost_sentence(self) -> str:
        """What it took, beside the arms that it is asked before."""
        share = f"{self.share_of_arms():.1%}"
        return f"cost: {self.cost.images:,} forward passes, {share} of training each of these as an arm with 3 seeds"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without anything that differs from run to run."""
        cost = asdict(self.cost)
        cost.pop("seconds")
        return {
            "design": dict(self.design),
            self.measure.name.lower(): self.score,
            "sure": self.sure,
            "ranked": [plain(asdict(one)) for one in self.ranked],
            "passed_over": [asdict(one) for one in self.passed_over],
            "cost": cost,
        }

    def table(self) -> str:
        """A Markdown table: a row a transform, the most promising first; intervals in points of accuracy or Dice."""
        lines = ["| transform | affinity | diversity | gain | flag |", "|---|---:|---:|---:|---|"]
        for one in self.ranked:
            cells = [one.name, in_points(one.affinity), f"{one.diversity.mean:+.3f}", in_points(one.gain), one.flag]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)

    def write(self, out: Path | str) -> None:
        """``screen.json``, ``screen.md`` and ``report.html`` into a folder."""
        for name, text in (
            ("screen.json", json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"),
            ("screen.md", self.table() + "\n"),
        ):
            with atomic_path(Path(out) / name) as part:
                part.write_text(text, "utf-8")
        self.save_html(Path(out) / "report.html")

    def save_html(self, path: Path | str) -> None:
        """Write everything as one page, which needs no network and nothing beside it."""
        from imagemill.evaluate.screening.screen_page import as_page

        with atomic_path(path) as part:
            part.write_text(as_page(self, self._drawn()), "utf-8")

    def _as_page(self) -> str:
        from imagemill.evaluate.screening.screen_page import as_page

        return as_page(self, self._drawn())

    def plot(self, ax: Any = None) -> Any:
        """Draw the affinities with matplotlib: an interval a transform, the most promising first.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to; a figure of its own where none is given.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtra
            Without matplotlib.
        """
        return self._drawn().draw(ax)

    def _repr_html_(self) -> str:
        return fragment([self._drawn()])

    def _drawn(self) -> IntervalPlot:
        words = [_LABEL if one.changes_label else "" for one in self.ranked]
        rows = [interval_of(one.name, one.affinity, word) for one, word in zip(self.ranked, words, strict=True)]
        title = f"Affinity: {self.measure.name} on augmented held-back images, less that on the same images as they are"
        return IntervalPlot(title, rows, "points", inner_name=f"{self.design['level']:.0%} over images")

    def __repr__(self) -> str:
        asked = self.design
        lines = [
            f"{asked['model']}, {asked['recipe']['epochs']} epochs on {asked['train_images']:,} images, "
            f"{self.clean_sentence}; {len(self.ranked)} transforms",
        ]
        width = max(len(one.name) for one in self.ranked)
        for place, one in enumerate(self.ranked, start=1):
            gain = f", gain {in_points(one.gain)}" if one.gain is not None else ""
            said = f"{place:>3} {one.name:<{width}}  affinity {in_points(one.affinity)}"
            said += f", diversity {one.diversity.mean:+.3f}{gain}"
            lines.append(said + (f"; {one.flag}" if one.flag else ""))
        if self.caution:
            lines.append(self.caution)
        if self.passed_over:
            lines.append(f"passed over {len(self.passed_over)}: {', '.join(one.name for one in self.passed_over)}")
        lines.append(self.cost_sentence)
        return "\n".join(lines)


def interval_of(name: str, found: Difference, word: str) -> Interval:
    """A row of a plot, in points of accuracy or Dice."""
    return Interval(name, found.mean * 100, found.low * 100, found.high * 100, word)


def in_points(found: Difference | None) -> str:
    """A difference of accuracies or Dice with its interval, in points."""
    if found is None:
        return "-"
    return f"{found.mean * 100:+.1f} [{found.low * 100:+.1f}, {found.high * 100:+.1f}]"
