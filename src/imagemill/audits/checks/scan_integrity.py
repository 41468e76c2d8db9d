"""Scans that contradict what is said of them, lack slices, or hold values of another unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.scan_facts import ScanFacts
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["channel_names", "check_scans", "measured_of", "modality_of", "scans_of"]

_AIR = -500.0
"""Hounsfield units below which there is no tissue but lung and air; no other modality goes there."""
_ENOUGH = 64 * 64
"""Voxels below which a picture may show one tissue alone."""
Rows = dict[int, ScanFacts]


def check_scans(survey: Survey) -> Iterator[Finding | NotAsked]:
    """What is wrong with single scans, and with what the dataset says of them."""
    scans = scans_of(survey)
    if not scans:
        yield NotAsked("scans", "no image is a volume or a DICOM file")
        return
    yield from _declared(survey, scans)
    yield from _headers(survey, scans)
    yield from _like_label_maps(survey, scans)
    # Slices of a label map are blank or equal where an object ends or goes on, and its values have no unit.
    scans = measured_of(scans)
    yield from _slices(survey, scans)
    yield from _units(survey, scans)


def scans_of(survey: Survey) -> Rows:
    """What was seen of each scan, by row."""
    return {
        row: glance.scan for row, glance in enumerate(survey.glances) if glance is not None and glance.scan is not None
    }


def measured_of(scans: Rows) -> Rows:
    """Those whose values were measured; the others are like label maps."""
    return {row: scan for row, scan in scans.items() if not scan.like_label_map}


def channel_names(info: Mapping[str, Any]) -> list[str]:
    """Names of the channels in the order of their numbers, as ``dataset.json`` says them; empty where it does not.

    Examples
    --------
    >>> channel_names({"modality": {"1": "T2", "0": "FLAIR"}})
    ['FLAIR', 'T2']
    """
    said = info.get("channel_names", info.get("modality"))
    if isinstance(said, Mapping):
        # By number where keys are numbers: as text, 10 comes before 2.
        order = sorted(said, key=lambda key: (int(key) if str(key).isdigit() else 0, str(key)))
        return [str(said[key]) for key in order]
    return [str(name) for name in said] if isinstance(said, list | tuple) else []


def modality_of(survey: Survey, row: int) -> str:
    """Such as ``"CT"`` or ``"MR"``, of the DICOM file, a column or ``dataset.json``; empty where nothing says it."""
    said = str(survey.records[row].attributes.get("modality", ""))
    if not said and (names := set(channel_names(survey.source.info))) and len(names) == 1:
        said = names.pop()
    said = said.strip().upper()
    return "MR" if said.startswith(("MR", "T1", "T2", "FLAIR")) else said


def _declared(survey: Survey, scans: Rows) -> Iterator[Finding]:
    """Counts of channels and cases beside those that ``dataset.json`` says."""
    names = channel_names(survey.source.info)
    wrong = [row for row, scan in scans.items() if scan.channels != len(names)] if names else []
    if wrong:
        yield Finding(
            "channel-count",
            "error",
            f"{many(len(wrong))} without the {many(len(names), 'channel')} that dataset.json names: {listed(names)}",
            survey.keys(wrong),
            {"images": len(wrong), "channels": len(names)},
            "add the missing files, or correct channel_names",
        )
    said = survey.source.info.get("numTraining")
    trained = sum(record.split == "train" for record in survey.records)
    if isinstance(said, int) and said != trained:
        yield Finding(
            "case-count",
            "error",
            f"dataset.json counts {many(said, 'training case')}, and {many(trained, 'image')} can be taken",
            numbers={"said": said, "found": trained},
            advice="find the missing cases, or correct numTraining",
        )


def _headers(survey: Survey, scans: Rows) -> Iterator[Finding]:
    """Headers that contradict themselves, and places that are lost."""
    unplaced = [row for row, scan in scans.items() if scan.is_volume and "no place in space" in scan.faults]
    if unplaced:
        yield Finding(
            "no-place",
            "warning",
            f"{many(len(unplaced), 'volume')} of {len(scans):,} whose header says no place in space",
            survey.keys(unplaced),
            {"images": len(unplaced)},
            "left and right, and the size of voxels, are a reader's default: get them from where the scan came from",
        )
    said = {row: [word for word in scan.faults if word != "no place in space"] for row, scan in scans.items()}
    rows = [row for row, words in said.items() if words]
    if rows:
        kinds = sorted({word for words in said.values() for word in words})
        yield Finding(
            "header",
            "warning",
            f"{many(len(rows), 'volume')} whose header contradicts itself: {'; '.join(kinds)}",
            survey.keys(rows),
            {"images": len(rows)},
            "tools choose differently between the two: write the right one to both",
        )


def _like_label_maps(survey: Survey, scans: Rows) -> Iterator[Finding]:
    rows = [row for row, scan in scans.items() if scan.like_label_map]
    if rows:
        volumes = sum(scan.is_volume for scan in scans.values())
        yield Finding(
            "like-label-maps",
            "warning",
            f"{many(len(rows), 'volume')} of {volumes:,} like label maps: whole numbers, and most voxels that are "
            "not 0 equal the next",
            survey.keys(rows),
            {"images": len(rows)},
            "pair them with their images (--mask-pattern), or leave them out: they are no images to learn from",
        )


def _slices(survey: Survey, scans: Rows) -> Iterator[Finding]:
    asked = survey.settings
    padding = {row: len(scan.blank) - len(scan.blank_inside) for row, scan in scans.items() if scan.is_volume}
    rules: list[tuple[str, str, dict[int, float], str, str]] = [
        ("slices-missing", "error", {row: 1.0 for row, scan in scans.items() if scan.gap},
         "whose slices are not evenly apart", "get the missing files: every distance along the scan is wrong"),
        ("slices-blank", "warning", {row: float(len(scan.blank_inside)) for row, scan in scans.items()},
         "with blank slices between others", "export them anew, or leave those slices out"),
        ("slices-twice", "warning", {row: float(scan.twice) for row, scan in scans.items()},
         "with slices that are equal to another one", "look at them: was one exported twice, or repeated to fill up?"),
        ("slices-padded", "note",
         {row: count / scans[row].shape[0] for row, count in padding.items()
          if count < scans[row].shape[0] and count >= asked.padded * scans[row].shape[0]},
         f"with {asked.padded:.0%} of the slices or more blank at the ends", "crop them: patches of nothing are drawn"),
        ("nodata", "warning", {row: float(scan.nodata) for row, scan in scans.items()},
         "whose smallest value often means that nothing was measured, such as -9999", "replace it by NaN if it does"),
    ]  # fmt: skip
    for rule, level, amount, what, advice in rules:
        rows = sorted((row for row, value in amount.items() if value > 0), key=lambda row: -amount[row])
        if rows:
            one = scans[rows[0]]
            first = survey.records[rows[0]].key
            example = {
                "slices-missing": f"{first}: {one.gap}",
                "slices-blank": f"{first}: slice {listed([str(n + 1) for n in one.blank_inside])} of {one.shape[0]}",
                "slices-twice": f"{first}: {one.twice} of {one.shape[0]}",
                "slices-padded": f"{first}: {padding.get(rows[0], 0)} of {one.shape[0]}",
                "nodata": f"{first}: {one.nodata:,} values of {one.levels[0][0]:g}",
            }[rule]
            yield Finding(
                rule, level, f"{many(len(rows), 'scan')} {what} ({example})", survey.keys(rows),
                {"images": len(rows), "most": amount[rows[0]]}, advice,
            )  # fmt: skip


def _units(survey: Survey, scans: Rows) -> Iterator[Finding]:
    """Values that are no Hounsfield units where the rest are, or where it is said that they are."""
    gray = {
        row: scan
        for row, scan in scans.items()
        if scan.channels == 1 and scan.levels[0][4] > scan.levels[0][0] and np.prod(scan.shape) >= _ENOUGH
    }
    said = {row: scan for row, scan in gray.items() if modality_of(survey, row) == "CT"}
    wrong = sorted((row for row, scan in said.items() if scan.levels[0][0] >= 0), key=_highest(said))
    if wrong:
        yield Finding(
            "not-hounsfield",
            "error",
            f"{many(len(wrong), 'CT scan')} of {len(said):,} without a value below 0, where Hounsfield units have "
            f"air at -1000: {survey.records[wrong[0]].key} {_likely(said[wrong[0]])}",
            survey.keys(wrong),
            {"images": len(wrong)},
            "export them anew with slope and intercept applied",
        )
    unsaid = {row: scan for row, scan in gray.items() if row not in said and modality_of(survey, row) in ("", "OT")}
    units = [row for row, scan in unsaid.items() if scan.levels[0][1] <= _AIR]
    others = sorted((row for row, scan in unsaid.items() if scan.levels[0][0] >= 0), key=_highest(unsaid))
    if units and others:
        rare, what = (others, "no value below 0") if len(others) <= len(units) else (units, "values as of air")
        yield Finding(
            "units-mixed",
            "warning",
            f"{many(len(units), 'scan')} with values as of air in Hounsfield units, and {len(others):,} without one "
            f"below 0: {survey.records[rare[0]].key} has {what}",
            survey.keys(rare),
            {"hounsfield": len(units), "others": len(others)},
            "keep one unit, or one modality, in a set",
        )


def _highest(scans: Rows) -> Callable[[int], float]:
    return lambda row: scans[row].levels[0][4]


def _likely(scan: ScanFacts) -> str:
    """What values from 0 on were made of."""
    low, _, _, _, high = scan.levels[0]
    if high <= 1:
        return "was scaled to 0 to 1"
    if scan.whole and high <= 255:
        return "was cut to 8 bits"
    return f"goes from {low:g} to {high:g}, as values are stored before the intercept is added"
