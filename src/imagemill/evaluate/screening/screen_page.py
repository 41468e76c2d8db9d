"""A screen as one page: transforms in the order of their score, with what speaks for each and against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagemill.evaluate.statistics.scores import ACCURACY
from imagemill.pages import Block, Code, IntervalPlot, Section, Table, page

if TYPE_CHECKING:
    from imagemill.evaluate.screening.screened import Screening
    from imagemill.evaluate.statistics.intervals import Difference

__all__ = ["as_page"]


def as_page(found: Screening, affinities: IntervalPlot) -> str:
    """The whole page as HTML.

    Parameters
    ----------
    found : Screening
    affinities : IntervalPlot
        As a notebook shows them.
    """
    asked = found.design
    name = found.measure.name
    loss = "loss" if found.measure is ACCURACY else "loss (cross-entropy and soft Dice)"
    names = ["transform", "affinity", "diversity", "gain"]
    rows = [[one.name, _points(one.affinity), f"{one.diversity.mean:+.3f}", _points(one.gain)] for one in found.ranked]
    order: list[Block | str] = [
        Table(
            f"The most promising first. Affinity and gain in points of {name}, diversity in {_unit(found)}",
            names,
            rows,
        ),
        f"Affinity is the clean network's {name} on augmented held-back images, less that on the same images as they "
        f"are; diversity its {loss} on augmented training images, less that on the same images as they are; gain what "
        "some more epochs with the transform brought. None of them is a measured effect: compare measures it.",
    ]
    flags = [[one.name, one.flag] for one in found.ranked if one.flag]
    flagged: list[Block | str] = [Table("What to look at before it is used", ["transform", "why"], flags)]
    passed = [[one.name, one.why] for one in found.passed_over]
    sections = [
        Section("The order", order),
        Section("Affinity", [affinities]),
        Section(
            "What seems to change the label", flagged if flags else [_NONE if found.sure is not None else _NOT_ASKED]
        ),
        Section("The transforms as they are written", [Code("\n".join(one.call for one in found.ranked))]),
    ]
    if passed:
        table = Table("Not asked about on this data", ["transform", "why"], passed)
        sections.append(Section("What was passed over", [table]))
    lead = [
        f"{asked['model']}, {asked['recipe']['epochs']} epochs on {asked['train_images']:,} images; "
        f"{found.clean_sentence}.",
        *([f"{found.caution[0].upper()}{found.caution[1:]}."] if found.caution else []),
        f"{found.cost_sentence[0].upper()}{found.cost_sentence[1:]}.",
    ]
    return page(f"A screen of {len(found.ranked)} transforms", lead, sections)


_NONE = "Nothing that was asked about."
_NOT_ASKED = (
    "Not asked of label maps: look whether classes that are told apart by their side (left and right) stay what they "
    "are under flips and turns."
)


def _unit(found: Screening) -> str:
    return "nats an image" if found.measure is ACCURACY else "the loss of an image"


def _points(change: Difference | None) -> str:
    if change is None:
        return "–"
    return f"{change.mean * 100:+.1f} [{change.low * 100:+.1f}, {change.high * 100:+.1f}]"
