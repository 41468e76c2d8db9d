"""A recommendation as one page: what is proposed with its evidence, every gap, and what stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagemill.pages import Block, Code, Part, Section, Table, page
from imagemill.pipeline import describe

if TYPE_CHECKING:
    from imagemill.evaluate.recommendations.recommendation import Recommendation

__all__ = ["as_page"]


def as_page(found: Recommendation) -> str:
    """The whole page as HTML."""
    asked, pipeline = found.design, found.pipeline
    proposal: list[Block | str] = []
    for one in found.proposed:
        warnings = [f"Warning: {said}." for said in one.warnings]
        proposal.append(Part(describe.call(one.transform), [*(f"{said}." for said in one.evidence), *warnings]))
    if pipeline is None:
        proposal.append("Nothing: no gap was shown that a transform closes.")
    else:
        proposal.append(
            Code(pipeline.to_yaml(), "the proposal as a pipeline file; whether it helps is for compare to say")
        )
    sections = [Section("What is proposed", proposal), Section("What sets the images apart", [_gaps(found)])]
    open_ones = [[name, "not closed", why] for name, why in found.left.items()]
    open_ones += [[name, "nothing needed", why] for name, why in found.taken.items()]
    if open_ones:
        table = Table("Gaps that nothing in the proposal is for", ["measure", "", "why"], open_ones)
        sections.append(Section("What stays", [table]))
    if found.notes:
        sections.append(Section("How it was measured", [*(f"{note}." for note in found.notes)]))
    count = len(found.proposed)
    title = f"{count or 'No'} {'transform' if count == 1 else 'transforms'} for the images where the network is used"
    return page(title, [f"{asked['train_images']:,} training images and {asked['wild_images']:,} wild ones."], sections)


def _gaps(found: Recommendation) -> Table:
    rows = []
    for gap in found.gaps:
        after = found.after.get(gap.measure.name)
        rows.append(
            [
                gap.measure.name,
                gap.measure.unit or "–",
                gap.verdict,
                f"{gap.train[2]:.3g}",
                f"{gap.wild[2]:.3g}",
                f"{gap.change:.3g} [{gap.low:.3g}, {gap.high:.3g}]",
                f"{gap.outside:.0%}",
                "–" if after is None else f"{after:.0%}",
            ]
        )
    names = ["measure", "unit", "verdict", "training", "wild", "change", "outside", "outside once proposed"]
    caption = (
        "Medians, the change of the mean with its interval (a factor where the measure is a ratio), and the share of "
        "wild images outside the middle 98 % of training images, now and with the proposal"
    )
    return Table(caption, names, rows)
