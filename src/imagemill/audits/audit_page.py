"""An audit as one page: can one train on this, what to mend first, and every finding with the images that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import cv2
import numpy as np

from imagemill.audits.checks.base import many
from imagemill.pages import Block, Code, Facts, Figure, Folded, Part, Pictures, Section, Table, fragment, page

if TYPE_CHECKING:
    from imagemill.audits.audit import Audit
    from imagemill.audits.survey import Survey
    from imagemill.core.findings import Finding

__all__ = ["as_fragment", "as_page"]

_FIRST = 5
_SHOWN = 10
_CLUSTERS = 8
_NAMED = 500
_SIDE = 112
_OF_CLUSTERS = ("leak", "contradiction", "copies")


def as_page(found: Audit) -> str:
    """The whole page as HTML."""
    urgent = [one for one in found.findings if one.level != "note"][:_FIRST]
    sections = []
    if urgent:
        sections.append(Section("To mend first", [block for one in urgent for block in _told(found, one)]))
    rest = [one for one in found.findings if one not in urgent]
    if rest:
        sections.append(Section("Further findings", [block for one in rest for block in _told(found, one)]))
    sections.append(Section("All findings", [_table(found.findings)] if found.findings else ["None."]))
    if found.not_asked:
        rows = [[one.rule, one.because] for one in found.not_asked]
        table = Table("Questions that this dataset does not allow", ["question", "because"], rows)
        sections.append(Section("What was not asked", [table]))
    settings = [(name, f"{value:g}") for name, value in asdict(found.survey.settings).items()]
    sections.append(Section("Thresholds", [Folded("Every threshold of this audit", [Facts(settings)])]))
    return page(f"Audit of {found.survey.source.root.name}", _lead(found), sections)


def as_fragment(found: Audit) -> str:
    """The verdict and a table, for a notebook."""
    return fragment([*_lead(found), _table(found.findings)] if found.findings else _lead(found))


def _lead(found: Audit) -> list[Block | str]:
    survey = found.survey
    classes = len(set(survey.labels) - {None})
    what = f", {many(classes, 'class')}" if classes else ""
    said = f"{len(survey.seen):,} of {many(len(survey.records))} looked at{what}; layout {survey.source.layout}."
    return [f"Fit to train on? {found.verdict[0].upper()}{found.verdict[1:]}.", said]


def _table(findings: Sequence[Finding]) -> Table:
    rows = [[one.rule, one.level, one.message, one.advice] for one in findings]
    return Table("The worst first", ["rule", "level", "what was found", "what to do"], rows)


def _told(found: Audit, finding: Finding) -> list[Block | str]:
    """One finding: what it is, what to do, and what shows it."""
    blocks: list[Block | str] = [f"{finding.message[0].upper()}{finding.message[1:]}."]
    if finding.advice:
        blocks.append(f"What to do: {finding.advice}.")
    keys = [str(place) for place in finding.places]
    if finding.rule in _OF_CLUSTERS:
        blocks += _clusters(found, set(keys))
    elif shown := _pictures(found, keys[:_SHOWN]):
        blocks.append(Pictures(shown, f"{len(shown)} of {many(len(keys))}, those that show it best first"))
    if keys:
        more = f"\n... and {len(keys) - _NAMED:,} more, in the JSON" if len(keys) > _NAMED else ""
        blocks.append(
            Folded(f"Names of all {many(len(keys))}", [Code("\n".join(keys[:_NAMED]) + more)], on_paper=False)
        )
    return [Part(f"{finding.rule} ({finding.level})", blocks)]


def _clusters(found: Audit, keys: set[str]) -> list[Block | str]:
    """Images of one content side by side, the one to keep first."""
    told: list[Block | str] = []
    named = [(found.survey.keys(cluster.rows), cluster.how) for cluster in found.survey.clusters]
    of_this = [(names, how) for names, how in named if keys.issuperset(names)]
    for names, how in of_this[:_CLUSTERS]:
        told.append(Pictures(_pictures(found, names[:_SHOWN]), f"{how}; {names[0]} is the one to keep"))
    if len(of_this) > _CLUSTERS:
        told.append(f"And {len(of_this) - _CLUSTERS:,} more.")
    return told


def _pictures(found: Audit, keys: Sequence[str]) -> list[Figure]:
    """The small pictures in their own shape, with the name and class of each."""
    survey = found.survey
    figures = []
    for key in keys:
        row = survey.row_of.get(key)
        glance = None if row is None else survey.glances[row]
        if row is None or glance is None:
            continue
        if glance.view is not None:
            figures.append(Figure(glance.view, _named(survey, row)))
            continue
        height, width = glance.shape[-2:]
        scale = _SIDE / max(height, width)
        size = max(8, round(width * scale)), max(8, round(height * scale))
        shown = cv2.resize(glance.small, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        figures.append(Figure(shown, _named(survey, row)))
    return figures


def _named(survey: Survey, row: int) -> str:
    record = survey.records[row]
    told = (survey.labels[row], record.split)
    return ", ".join([record.key, *(word for word in told if word and word not in record.key.split("/"))])
