"""Scans that are unlike the others of their set: voxels, size, orientation, values, scanner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.checks.scan_integrity import measured_of, modality_of, scans_of
from imagemill.audits.robust_outliers import FEW, far_from_rest
from imagemill.audits.scan_facts import ScanFacts
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_scan_set"]

_AXES = ("slices", "rows", "columns")
_STEP = 1.5
"""Times the usual spacing from which on a scan is seen differently by a network."""
_SIZE = 2.0
_RANGE = 10.0
"""Times the usual range of values: windows and gains stay below, other units do not."""
_ROUND = 0.05
"""Share of a spacing that is no other spacing: scanners round."""
_ACQUIRED = (
    ("modality", "modalities", "warning", "a network for one modality does not fit another: audit them apart"),
    ("scanner", "scanners", "note", "keep each scanner in every part, and look at the results by scanner"),
    ("sequence", "sequences", "note", "keep each sequence in every part, and look at the results by sequence"),
    ("kernel", "reconstruction kernels", "note", "keep each kernel in every part, and look at the results by kernel"),
)

Rows = dict[int, ScanFacts]


def check_scan_set(survey: Survey) -> Iterator[Finding | NotAsked]:
    """What scans are like beside each other."""
    scans = {row: scan for row, scan in measured_of(scans_of(survey)).items() if scan.is_volume}
    if len(scans) < 2:
        yield NotAsked("scan-set", "there are not two volumes")
        return
    yield from _orientations(survey, scans)
    yield from _acquired(survey, scans)
    alike, of = _of_one_modality(survey, scans)
    yield from _spacings(alike)
    yield from _depth(survey, alike)
    if len(alike) < FEW:
        yield NotAsked(
            "scan-outliers", f"there are fewer than {FEW} volumes{of}, so that none is odd beside the others"
        )
        return
    yield from _outliers(survey, alike)


def _of_one_modality(survey: Survey, scans: Rows) -> tuple[Rows, str]:
    """The scans of the commonest modality, which alone are compared, and its name in words where there are more."""
    said = {row: modality_of(survey, row) for row in scans}
    counts = Counter(said.values())
    if len(counts) < 2:
        return scans, ""
    common = counts.most_common(1)[0][0]
    named = f" of the commonest modality ({common})" if common else " without a modality"
    return {row: scan for row, scan in scans.items() if said[row] == common}, named


def _orientations(survey: Survey, scans: Rows) -> Iterator[Finding]:
    codes = Counter(scan.orientation for scan in scans.values() if scan.orientation)
    if len(codes) > 1:
        common = codes.most_common(1)[0][0]
        rare = [row for row, scan in scans.items() if scan.orientation not in ("", common)]
        shown = listed([f"{code} ({count:,})" for code, count in codes.most_common()])
        yield Finding(
            "orientation-codes",
            "warning",
            f"volumes are stored in {len(codes)} orientations: {shown}",
            survey.keys(rare),
            {"orientations": len(codes), "images": len(rare)},
            "bring them into one: a network sees the others mirrored or lying",
        )


def _spacings(scans: Rows) -> Iterator[Finding]:
    """Voxel sizes that differ at all: whoever resamples needs to know."""
    known = np.array([scan.spacing for scan in scans.values() if scan.spacing is not None])
    if len(known) < 2:
        return
    low, high = known.min(axis=0), known.max(axis=0)
    if np.any(high > (1 + _ROUND) * low):
        shown = ", ".join(
            f"{name} {a:.3g} to {b:.3g}" if b > (1 + _ROUND) * a else f"{name} {a:.3g}"
            for name, a, b in zip(_AXES, low, high, strict=True)
        )
        yield Finding(
            "spacings",
            "note",
            f"voxel sizes differ, in millimetres along {shown}",
            numbers={"ratio": float((high / low).max()), "images": len(known)},
            advice="resample to the median spacing, as nnU-Net does, or let augmentation zoom over this range",
        )


def _depth(survey: Survey, scans: Rows) -> Iterator[Finding]:
    """Scans of 256 gray values among those of more: somebody rescaled them, each by its own range."""
    scans = {row: scan for row, scan in scans.items() if not _is_colour(scan)}
    eight = [row for row, scan in scans.items() if _is_eight_bit(scan)]
    if eight and len(eight) < len(scans):
        yield Finding(
            "eight-bit",
            "warning",
            f"{many(len(eight), 'volume')} of {len(scans):,} with whole numbers from 0 to 255 alone, as of exported "
            "images; the others have more",
            survey.keys(eight),
            {"images": len(eight), "share": len(eight) / len(scans)},
            "get them in their own unit; else normalise each scan by itself (Standardize), and keep both in every part",
        )


def _is_colour(scan: ScanFacts) -> bool:
    return scan.kind == "uint8" and scan.channels in (3, 4)


def _is_eight_bit(scan: ScanFacts) -> bool:
    return scan.whole and all(level[0] >= 0 and 1 < level[4] <= 255 for level in scan.levels)


def _acquired(survey: Survey, scans: Rows) -> Iterator[Finding]:
    for name, plural, level, advice in _ACQUIRED:
        values = {row: _said(survey, row, name) for row in scans}
        counts = Counter(value for value in values.values() if value)
        if len(counts) > 1:
            common = counts.most_common(1)[0][0]
            rare = [row for row, value in values.items() if value not in ("", common)]
            shown = listed([f"{value} ({count:,})" for value, count in counts.most_common()])
            yield Finding(
                plural.replace(" ", "-"),
                level,
                f"{len(counts)} {plural} in one set: {shown}",
                survey.keys(rare),
                {"kinds": len(counts), "images": len(rare)},
                advice,
            )


def _said(survey: Survey, row: int, name: str) -> str:
    attributes = survey.records[row].attributes
    if name == "modality":
        return modality_of(survey, row)
    said = str(attributes.get(name, "")).strip()
    maker = str(attributes.get("manufacturer", "")).strip() if name == "scanner" else ""
    return " ".join(filter(None, (maker, said)))


def _outliers(survey: Survey, scans: Rows) -> Iterator[Finding]:
    times = survey.settings.odd_scan
    rows = list(scans)
    spacing = np.array([scan.spacing or (np.nan,) * 3 for scan in scans.values()])
    shape = np.array([scan.shape for scan in scans.values()], np.float64)
    # By the 99.5th percentile: one hot voxel is no other unit.
    span = np.array([scan.levels[0][3] - scan.levels[0][1] for scan in scans.values()])
    for rule, values, least, unit, advice in (
        ("spacing-odd", spacing, _STEP, "mm", "look at them: is it another protocol, or a wrong header?"),
        ("size-odd", shape, _SIZE, "voxels", "look at them: parts of scans, and scans of more, are such"),
    ):
        odd = np.stack([far_from_rest(values[:, axis], times, least) for axis in range(3)], axis=1)
        hit = np.flatnonzero(odd.any(axis=1))
        if len(hit):
            yield _odd(survey, rule, rows, hit, values, odd, unit, advice)
    hit = np.flatnonzero(far_from_rest(span, times, _RANGE))
    if len(hit):
        first = hit[0]
        yield Finding(
            "range-odd",
            "warning",
            f"{many(len(hit), 'volume')} whose values span ten times more or less than usual "
            f"({survey.records[rows[first]].key}: {span[first]:.4g}, usually {np.nanmedian(span):.4g})",
            survey.keys([rows[n] for n in hit]),
            {"images": len(hit), "usual": float(np.nanmedian(span))},
            "bring them into one unit, or normalise each scan by itself (Standardize)",
        )


def _odd(
    survey: Survey,
    rule: str,
    rows: list[int],
    hit: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    odd: npt.NDArray[np.bool_],
    unit: str,
    advice: str,
) -> Finding:
    usual = np.nanmedian(values, axis=0)
    apart = np.abs(np.log(values / usual)).max(axis=1)
    hit = hit[np.argsort(-apart[hit], kind="stable")]
    first = hit[0]
    shown, normal = (" x ".join(f"{value:.3g}" for value in each) for each in (values[first], usual))
    axes = listed([_AXES[int(axis)] for axis in np.flatnonzero(odd.any(axis=0))])
    what = "voxels" if rule == "spacing-odd" else "a size"
    return Finding(
        rule,
        "warning" if rule == "spacing-odd" else "note",
        f"{many(len(hit), 'volume')} with {what} unlike the rest along {axes} "
        f"({survey.records[rows[first]].key}: {shown}, usually {normal} {unit})",
        survey.keys([rows[n] for n in hit]),
        {"images": len(hit)},
        advice,
    )
