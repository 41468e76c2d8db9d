"""What a recommendation found: a pipeline and the evidence for each of its transforms, as plain data and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError
from imagemill.data.atomic import atomic_path
from imagemill.evaluate.recommendations.closing import Closed, Looked
from imagemill.measures.differences.gaps import Gap
from imagemill.pages import Showable
from imagemill.pipeline import describe
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import Transform

__all__ = ["Proposed", "Recommendation", "proposed_of", "sentence"]

Warned = Mapping[str, tuple[str, ...]]
"""What speaks against transforms, by their names."""

_TURNS = 45.0
"""Degrees, from which on a turn may make one digit or letter of another."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """One transform of the proposal, and why.

    Parameters
    ----------
    transform : Transform
    gaps : tuple of Gap
        What it closes, as measured when transforms before it had been applied.
    evidence : tuple of str
        A sentence for each gap.
    warnings : tuple of str
        What speaks against it.
    """

    transform: Transform
    gaps: tuple[Gap, ...]
    evidence: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Recommendation(Showable):
    """Which transforms would cover what sets wild images apart.

    Parameters
    ----------
    proposed : tuple of Proposed
        In the order of the pipeline; empty where no gap was shown.
    gaps : tuple of Gap
        Every measure at first sight.
    left : mapping of str to str
        Measures with a gap that nothing in the proposal closes, and why.
    taken : mapping of str to str
        Measures with a gap that the network takes as it is, by its profile.
    follows : tuple of str
        Measures whose gap is gone once the others are closed.
    after : mapping of str to float
        By measure, the share of wild images outside the middle 98 % of training images as the proposal makes them.
    notes : tuple of str
        How it was measured, and what was not.
    design : mapping
        Numbers of images, level, seed.
    """

    proposed: tuple[Proposed, ...]
    gaps: tuple[Gap, ...]
    left: Mapping[str, str]
    taken: Mapping[str, str]
    follows: tuple[str, ...]
    after: Mapping[str, float]
    notes: tuple[str, ...]
    design: Mapping[str, Any]

    @property
    def pipeline(self) -> Pipeline | None:
        """The proposal, to be an arm of `compare`; None where there is nothing to propose."""
        if not self.proposed:
            return None
        return Pipeline([one.transform for one in self.proposed], seed=self.design["seed"])

    def gap(self, measure: str) -> Gap:
        """What was found of one measure, such as ``"position x"``."""
        return next(gap for gap in self.gaps if gap.measure.name == measure)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "design": dict(self.design),
            "pipeline": None if self.pipeline is None else self.pipeline.to_dict(),
            "proposed": [
                {
                    "transform": one.transform.to_dict(),
                    "closes": [gap.measure.name for gap in one.gaps],
                    "evidence": list(one.evidence),
                    "warnings": list(one.warnings),
                }
                for one in self.proposed
            ],
            "gaps": [{**gap.to_dict(), "outside_after": self.after.get(gap.measure.name)} for gap in self.gaps],
            "left": dict(self.left),
            "taken": dict(self.taken),
            "follows": list(self.follows),
            "notes": list(self.notes),
        }

    def sentences(self) -> list[str]:
        """The findings, a sentence each; the same as the repr."""
        lines = [f"{self.design['train_images']:,} training images and {self.design['wild_images']:,} wild ones"]
        for one in self.proposed:
            lines.append(f"propose {describe.call(one.transform)}")
            lines += [f"  {said}" for said in one.evidence]
            lines += [f"  warning: {said}" for said in one.warnings]
        if not self.proposed:
            lines.append("nothing to propose")
        lines += [f"not closed: {sentence(self.gap(name))}; {why}" for name, why in self.left.items()]
        lines += [f"nothing needed: {sentence(self.gap(name))}; {why}" for name, why in self.taken.items()]
        for verdict, words in (
            ("small", "sure, and less than matters"),
            ("no difference seen", "no difference seen"),
            ("not measured", "not measured, too few images with a value"),
        ):
            if names := [gap.measure.name for gap in self.gaps if gap.verdict == verdict]:
                lines.append(f"{words}: {', '.join(names)}")
        if self.follows:
            lines.append(f"gone once the others are closed: {', '.join(self.follows)}")
        return [*lines, *(f"note: {note}" for note in self.notes)]

    def write(self, path: Path | str) -> None:
        """The proposal as a pipeline file, YAML or JSON by its suffix; YAML says the evidence in comments.

        Raises
        ------
        InputError
            When there is nothing to propose.
        """
        pipeline = self.pipeline
        if pipeline is None:
            raise InputError("expected a proposal to write, got none: no gap was shown that a transform closes")
        text = pipeline.to_json()
        if Path(path).suffix != ".json":
            text = "".join(f"# {line}\n" for line in self.sentences()) + pipeline.to_yaml()
        with atomic_path(Path(path)) as part:
            part.write_text(text, "utf-8")

    def save_html(self, path: Path | str) -> None:
        """Write everything as one page, which needs no network and nothing beside it."""
        from imagemill.evaluate.recommendations.recommendation_page import as_page

        with atomic_path(Path(path)) as part:
            part.write_text(as_page(self), "utf-8")

    def _repr_html_(self) -> str:
        from imagemill.pages import Code, fragment

        return fragment([Code(repr(self))])

    def _as_page(self) -> str:
        from imagemill.evaluate.recommendations.recommendation_page import as_page

        return as_page(self)

    def plot(self) -> Any:
        """A figure: quantiles of both populations, a row a measure. Needs matplotlib."""
        from imagemill.evaluate.recommendations.gap_plot import plot_gaps

        return plot_gaps(self.gaps, self.after)

    def __repr__(self) -> str:
        return "\n".join(self.sentences())


def proposed_of(closed: Closed, looked: Looked, frame: tuple[int, int], screen: Warned) -> Proposed:
    """A transform with a sentence for each gap it closes, and what speaks against it."""
    said = tuple(
        f"{sentence(gap, frame)}, {_share(gap.outside)} of wild images outside, "
        f"{_share(looked.after[gap.measure.name])} once proposed"
        for gap in closed.gaps
    )
    if closed.held:
        said = (*said, f"{closed.held}, which is less than this")
    return Proposed(closed.transform, closed.gaps, said, tuple(_warnings(closed.transform, screen)))


def _warnings(transform: Transform, screen: Warned) -> Iterator[str]:
    turns = transform.traits().turns
    if turns is not None and turns > _TURNS:
        yield (
            f"turns by up to {turns:.0f} degrees, and an axis does not say which end is up: digits (6, 9) and letters "
            "may change their label"
        )
    for name in dict.fromkeys(type(one).__name__ for one in (transform, *transform.children())):
        yield from screen.get(name, ())


def sentence(gap: Gap, frame: tuple[int, int] | None = None) -> str:
    """A gap in words: both medians, the change with its interval, and the p value."""
    p = f"p {'<' if gap.adjusted_p < 0.001 else '='} {max(gap.adjusted_p, 0.001):.2g}"
    name, unit = gap.measure.name, gap.measure.unit
    if gap.measure.scale == "sign":
        before, after = gap.middle
        return f"{name}: {_share(before)} of training and {_share(after)} of wild objects are darker than around, {p}"
    medians = f"median {gap.train[2]:.3g} to {gap.wild[2]:.3g} {unit}".strip()
    if gap.measure.scale == "ratio":
        return f"{name}: {medians}, a factor of {gap.change:.2f} [{gap.low:.2f}, {gap.high:.2f}], {p}"
    if name.startswith("position") and frame is not None:
        pixels = frame[0 if name.endswith("y") else 1]
        unit = "px"
        medians = f"median {gap.train[2] * pixels:+.1f} to {gap.wild[2] * pixels:+.1f} px from the centre"
        ends = (gap.change * pixels, gap.low * pixels, gap.high * pixels)
    else:
        ends = (gap.change, gap.low, gap.high)
    mean, low, high = (f"{end:+.3g}" for end in ends)
    return f"{name}: {medians}, {mean} [{low}, {high}] {unit}".strip() + f", {p}"


def _share(value: float) -> str:
    return f"{value * 100:.0f} %"
