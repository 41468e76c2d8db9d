"""An audit as one page: can one train on this, what to mend first, and every finding with the images that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from imagemill.audits.checks.base import many
from imagemill.audits.page_pictures import PagePictures
from imagemill.audits.page_words import NUMBERS
from imagemill.core.findings import LEVELS
from imagemill.pages import (
    Beside,
    Block,
    Card,
    Cards,
    Cell,
    Code,
    Facts,
    Folded,
    Link,
    Part,
    Pictures,
    Section,
    Table,
    Verdict,
    Word,
    fragment,
    page,
)  # fmt: skip

if TYPE_CHECKING:
    from imagemill.audits.audit import Audit
    from imagemill.core.findings import Finding

__all__ = ["as_fragment", "as_page"]

_FIRST = 5
_TOLD = 60
"""Findings that are told one by one with pictures; the table has all of them."""
_PICTURES = 200
"""Pictures of a page, about 6 KB each: it opens in a mail and on a phone."""
_SHOWN = 10
_CLUSTERS = 8
_NAMED = 500
_OF_CLUSTERS = ("leak", "contradiction", "copies")
_ANNOTATED = ("annotations", "label-maps", "label-pieces")
"""Checks whose pictures show boxes and label maps."""
_IN_NOTEBOOK = 20


def as_page(found: Audit) -> str:
    """The whole page as HTML."""
    pictures = PagePictures(found.survey, _PICTURES)
    told = found.findings[:_TOLD]
    first = _first(found.findings)
    cards = [_card(found, pictures, found.findings[place], place) for place in first]
    parts = [_told(found, pictures, finding, place) for place, finding in enumerate(told)]
    sections = []
    if parts:
        left = len(found.findings) - len(told)
        more = [f"The other {left:,} are in the table below."] if left else []
        sections.append(Section("Findings", [*parts, *more]))
    sections.append(Section("All findings", [_searched(found.findings)] if found.findings else ["None."]))
    if found.not_asked:
        rows = [[one.rule, one.because] for one in found.not_asked]
        table = Table("Questions that this dataset does not allow", ["question", "because"], rows)
        sections.append(Section("What was not asked", [table]))
    settings = [(name, f"{value:g}") for name, value in asdict(found.survey.settings).items()]
    sections.append(
        Section("Thresholds", ["Each can be set by its name: --set NAME=NUMBER.",
                               Folded("Every threshold of this audit", [Facts(settings)])])
    )  # fmt: skip
    lead: list[Block | str] = [*_lead(found), *([Cards("To mend first", cards)] if cards else [])]
    left_out = f"; {many(pictures.left_out)} more are named and not shown" if pictures.left_out else ""
    held = f"{many(pictures.embedded, 'picture')} embedded, at most {_PICTURES}{left_out}"
    footer = f"{held}. Nothing is loaded from elsewhere."
    return page(f"Audit of {_name(found)}", lead, sections, footer)


def as_fragment(found: Audit) -> str:
    """The verdict and a table, for a notebook."""
    shown = found.findings[:_IN_NOTEBOOK]
    more = len(found.findings) - len(shown)
    rows: list[list[Cell]] = [[Word(one.level), one.rule, one.message, one.advice] for one in shown]
    blocks = [*_lead(found), *([Table("The worst first", _COLUMNS, rows, heads=2)] if rows else [])]
    if more:
        blocks.append(f"And {more:,} more: to_frame() has all, save_html(path) shows them with pictures.")
    return fragment(blocks)


_COLUMNS = ("level", "rule", "what was found", "what to do")


def _name(found: Audit) -> str:
    return found.survey.source.root.name or "arrays"


def _lead(found: Audit) -> list[Block | str]:
    survey, other = found.survey, found.survey.given.against
    classes = len(set(survey.labels) - {None})
    what = f", {many(classes, 'class')}" if classes else ""
    beside = "" if other is None else f"; compared with {many(len(other.seen))} of {other.source.root}"
    said = (
        f"{len(survey.seen):,} of {many(len(survey.records))} looked at{what}; layout {survey.source.layout}{beside}."
    )
    worst = next((level for level in LEVELS[:2] if found.of_level(level)), "yes")
    verdict = Verdict(f"Fit to train on? {found.verdict[0].upper()}{found.verdict[1:]}.", Word(worst))
    return [verdict, said]


def _first(findings: Sequence[Finding]) -> list[int]:
    """Places of what to mend first: the worst of each rule, so that five cards are five different things."""
    rules: dict[str, int] = {}
    for place, finding in enumerate(findings):
        if finding.level != "note":
            rules.setdefault(finding.rule, place)
    return list(rules.values())[:_FIRST]


def _card(found: Audit, pictures: PagePictures, finding: Finding, place: int) -> Card:
    alike = sum(one.rule == finding.rule for one in found.findings) - 1
    more = f" (and {alike:,} more such)" if alike else ""
    shown = list(map(str, finding.places[:4]))
    figures = pictures.of(shown, annotated=_is_annotated(found, finding), said=_captions(found, finding))
    to = f"finding-{place + 1}" if place < _TOLD else "part-2"
    return Card(Word(finding.level), _titled(finding), _sentence(finding.message) + more, to, figures)


def _titled(finding: Finding) -> str:
    """``"odd-size"`` as ``"Odd size"``."""
    words = finding.rule.replace("-", " ")
    return words[0].upper() + words[1:]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _ended(words: str) -> str:
    return words if words.endswith((".", "?", "!")) else f"{words}."


def _is_annotated(found: Audit, finding: Finding) -> bool:
    return found.check_of.get(finding.rule) in _ANNOTATED


def _captions(found: Audit, finding: Finding) -> dict[str, str]:
    """What is written below pictures of a finding in place of their class: the one given, and the one suggested."""
    if found.check_of.get(finding.rule) != "labels":
        return {}
    return {one.key: f"{one.key}: {one.given} > {one.suggested}" for one in found.labels}


def _searched(findings: Sequence[Finding]) -> Table:
    rows: list[list[Cell]] = [
        [
            Word(one.level, key=str(LEVELS.index(one.level))),
            Link(one.rule, f"finding-{place + 1}") if place < _TOLD else one.rule,
            one.message,
            f"{len(one.places):,}" if one.places else "–",
            one.advice,
        ]
        for place, one in enumerate(findings)
    ]
    columns = ["level", "rule", "what was found", "images", "what to do"]
    return Table("The worst first", columns, rows, heads=2, searched=("level",))


def _told(found: Audit, pictures: PagePictures, finding: Finding, place: int) -> Part:
    """One finding: what it is, what to do, its figures, and what shows it."""
    blocks: list[Block | str] = [_ended(_sentence(finding.message))]
    if finding.advice:
        blocks.append(f"What to do: {_ended(finding.advice)}")
    keys = [str(place) for place in finding.places]
    if finding.rule in _OF_CLUSTERS:
        blocks += _clusters(found, pictures, set(keys))
    elif shown := pictures.of(keys[:_SHOWN], annotated=_is_annotated(found, finding), said=_captions(found, finding)):
        several = f"{len(shown)} of {many(len(keys))}, those that show it best first"
        blocks.append(Pictures(shown, several if len(keys) > 1 else "The image that shows it"))
    if finding.numbers:
        rows = [[name, _figure(value), NUMBERS.get(name, "")] for name, value in finding.numbers.items()]
        blocks.append(Folded("The figures, explained", [Table("", ["", "value", "what it is"], rows)], on_paper=False))
    if keys:
        more = f"\n... and {len(keys) - _NAMED:,} more, in the JSON" if len(keys) > _NAMED else ""
        title = f"Names of all {many(len(keys))}" if len(keys) > 1 else "Its name"
        blocks.append(Folded(title, [Code("\n".join(keys[:_NAMED]) + more)], on_paper=False))
    return Part(Word(finding.level, _titled(finding)), blocks, f"finding-{place + 1}")


def _figure(value: float) -> str:
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.3g}"


def _clusters(found: Audit, pictures: PagePictures, keys: set[str]) -> list[Block | str]:
    """Images of one content side by side, the one to keep first."""
    told: list[Block | str] = []
    named = [(found.survey.keys(cluster.rows), cluster) for cluster in found.survey.clusters]
    of_this = [(names, cluster) for names, cluster in named if keys.issuperset(names)]
    shown = [
        Pictures(pictures.of(names[:_SHOWN]), f"{cluster.how}; the first is the one to keep: {cluster.why}")
        for names, cluster in of_this[:_CLUSTERS]
    ]
    told += [Beside(shown)] if shown else []
    if len(of_this) > _CLUSTERS:
        told.append(f"And {len(of_this) - _CLUSTERS:,} more.")
    return told
