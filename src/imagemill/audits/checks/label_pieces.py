"""What label maps show that is unlike the others: volumes, pieces, islands, holes, structures that are cut off."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.checks.label_map_faults import declared_labels, label_maps_of, named_label
from imagemill.audits.label_map_facts import LabelMapFacts
from imagemill.audits.robust_outliers import FEW, far_from_rest
from imagemill.audits.scan_facts import ScanFacts
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_label_pieces"]

_TIMES = 2.0
"""A volume is odd only if it is this many times larger or smaller than usual: people differ by less in most organs."""

Maps = dict[int, LabelMapFacts]


def check_label_pieces(survey: Survey) -> Iterator[Finding | NotAsked]:
    """What is labelled, label by label, beside what is usual in the set."""
    usable = label_maps_of(survey)
    if not usable:
        yield NotAsked("label-pieces", "no image has a label map that can be used")
        return
    yield from _cut_off(survey, usable)
    if len(usable) < FEW:
        yield NotAsked("label-pieces", f"there are fewer than {FEW} label maps, so that none is odd beside the others")
        return
    apart = {row: one for row, one in usable.items() if one.pieces}
    if not apart and any(one.counts.keys() - {0} for one in usable.values()):
        yield NotAsked("label-pieces", "label maps hold more than 64 values, as numbers of single things do")
    yield from _in_pieces(survey, apart)
    yield from _holes(survey, apart)
    yield from _volumes(survey, usable)


def _labels(usable: Maps) -> list[int]:
    return sorted({value for one in usable.values() for value in one.pieces})


def _cut_off(survey: Survey, usable: Maps) -> Iterator[Finding]:
    """Labels at the outermost voxels of a volume: what they mark may go on outside."""
    names, said, amount = declared_labels(survey.source.info), list[str](), dict[int, float]()
    for label in sorted({value for one in usable.values() for value in one.edge}):
        rows = [row for row, one in usable.items() if one.edge.get(label)]
        there = sum(label in one.counts for one in usable.values())
        said.append(f"{named_label(label, names)} in {len(rows):,} of {there:,}")
        for row in rows:
            amount[row] = max(amount.get(row, 0.0), usable[row].edge[label] / usable[row].counts[label])
    if said:
        yield Finding(
            "label-cut",
            "note",
            f"{many(len(amount), 'label map')} with labels that touch the frame: {listed(said)}",
            survey.keys(sorted(amount, key=lambda row: -amount[row])),
            {"images": len(amount)},
            "what is marked may be cut off there: its volume and its border are not to be relied on",
        )


def _in_pieces(survey: Survey, usable: Maps) -> Iterator[Finding]:
    """Labels in several pieces where they usually are one: tiny ones by themselves."""
    asked, names = survey.settings, declared_labels(survey.source.info)
    islands, parts = dict[int, list[str]](), dict[int, list[str]]()
    smallest: dict[int, float] = {}
    for label in _labels(usable):
        of = {row: one.pieces[label] for row, one in usable.items() if label in one.pieces}
        if len(of) < FEW or sum(one.count == 1 for one in of.values()) < asked.usual * len(of):
            continue
        for row, one in of.items():
            if one.count > 1:
                share = one.smallest / usable[row].counts[label]
                told = f"{named_label(label, names)} {one.count} pieces"
                (islands if share < asked.island else parts).setdefault(row, []).append(told)
                smallest[row] = min(share, smallest.get(row, 1.0))
    for rule, level, found, what, advice in (
        ("label-islands", "warning", islands, f"with islands of under {asked.island:.0%} of their label",
         "look at them: single voxels are slips of the brush"),
        ("label-parts", "note", {row: told for row, told in parts.items() if row not in islands},
         "with a label in several pieces that is usually one", "look at them: is a piece missing between?"),
    ):  # fmt: skip
        if found:
            rows = sorted(found, key=lambda row: smallest[row])
            yield Finding(
                rule,
                level,
                f"{many(len(rows), 'label map')} of {len(usable):,} {what} "
                f"({survey.records[rows[0]].key}: {listed(found[rows[0]])})",
                survey.keys(rows),
                {"images": len(rows)},
                advice,
            )


def _holes(survey: Survey, usable: Maps) -> Iterator[Finding]:
    rows = sorted((row for row, one in usable.items() if one.holes), key=lambda row: -usable[row].holes)
    if rows and len(rows) <= (1 - survey.settings.usual) * len(usable):
        yield Finding(
            "label-holes",
            "note",
            f"{many(len(rows), 'label map')} of {len(usable):,} with holes: unlabelled voxels shut in by labels "
            f"({survey.records[rows[0]].key}: {usable[rows[0]].holes:,})",
            survey.keys(rows),
            {"images": len(rows), "most": usable[rows[0]].holes},
            "fill them where nothing is meant to be in there",
        )


def _volumes(survey: Survey, usable: Maps) -> Iterator[Finding | NotAsked]:
    """Volume of each label, in cubic millimetres where all volumes say their spacing."""
    scans: dict[int, ScanFacts] = {
        row: glance.scan
        for row in usable
        if (glance := survey.glances[row]) is not None and glance.scan is not None and glance.scan.is_volume
    }
    if len(scans) < FEW:
        yield NotAsked("label-volumes", f"there are fewer than {FEW} volumes with a label map")
        return
    placed = all(scan.spacing is not None for scan in scans.values())
    names, unit = declared_labels(survey.source.info), "mm3" if placed else "voxels"
    told, apart = dict[int, str](), dict[int, float]()
    rows = np.array(list(scans))
    voxel = np.array([float(np.prod(scan.spacing or 1.0)) for scan in scans.values()])
    for label in _labels({row: usable[row] for row in scans}):
        size = np.array([usable[row].counts.get(label, np.nan) for row in scans]) * (voxel if placed else 1.0)
        usual = float(np.nanmedian(size))
        for n in np.flatnonzero(far_from_rest(size, survey.settings.odd_scan, _TIMES)):
            row, times = int(rows[n]), abs(float(np.log(size[n] / usual)))
            if times > apart.get(row, 0.0):
                apart[row] = times
                told[row] = f"{named_label(label, names)} {size[n]:,.0f} {unit}, usually {usual:,.0f}"
    if apart:
        worst = sorted(apart, key=lambda row: -apart[row])
        yield Finding(
            "label-volume",
            "warning",
            f"{many(len(worst), 'label map')} of {len(scans):,} with a volume far from the usual one "
            f"({survey.records[worst[0]].key}: {told[worst[0]]})",
            survey.keys(worst),
            {"images": len(worst), "times": float(np.exp(apart[worst[0]]))},
            "look at them: half a structure, a slip of the brush, or a disease",
        )
