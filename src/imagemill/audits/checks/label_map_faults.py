"""Label maps that cannot be meant: of another size, with values that nobody declared, compressed, scaled, missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from math import gcd
from typing import Any

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.label_map_facts import LabelMapFacts
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_label_maps", "declared_labels", "label_maps_of", "named_label"]

_STRAY = 0.005
"""Share of the pixels that a stray value holds at most."""
_MAIN = 0.01
"""Share from which on a value is meant."""
_MEANT = 0.8
"""Share of the pixels that values that are meant hold at least, where a map is one of classes."""
_OVERSHOOT = 24
"""Levels by which compression and cubic interpolation go beyond a value."""
_STRAYS = 4
_FEW = 0.1
_SCALED = 10
"""Smallest factor by which class numbers are spread out to be seen on a screen."""
_FULL = 255

Maps = dict[int, LabelMapFacts]


def check_label_maps(survey: Survey) -> Iterator[Finding | NotAsked]:
    """What is wrong with label maps as files: what they show is asked elsewhere."""
    found = {
        row: glance.label_map
        for row, glance in enumerate(survey.glances)
        if glance is not None and glance.label_map is not None
    }
    if not found:
        yield NotAsked("label-maps", "no image has a label map")
        return
    yield from _unusable(survey, found)
    yield from _missing(survey)
    usable = label_maps_of(survey)
    if not usable:
        yield NotAsked("label-values", "no label map can be used with its image")
        return
    yield from _grids(survey, usable)
    yield from _changed(survey, usable)
    yield from _scaled(survey, usable)
    yield from _declared(survey, usable)
    yield from _values(survey, usable)


def label_maps_of(survey: Survey) -> Maps:
    """What was seen of each label map that can be used with its image, by row."""
    return {
        row: glance.label_map
        for row, glance in enumerate(survey.glances)
        if glance is not None and glance.label_map is not None and not glance.label_map.fault and glance.label_map.fits
    }


def declared_labels(info: Mapping[str, Any]) -> dict[int, str]:
    """Names of the values that a source declares; regions count as the values they are made of.

    Examples
    --------
    >>> declared_labels({"mask_labels": {"0": "background", "1+2": "whole", "2": "core"}})
    {0: 'background', 1: '', 2: 'core'}
    """
    found: dict[int, str] = {}
    said = info.get("mask_labels")
    for key, name in said.items() if isinstance(said, Mapping) else ():
        parts = str(key).split("+")
        for part in parts:
            if part.strip().isdigit() and (len(parts) == 1 or int(part) not in found):
                found[int(part)] = str(name) if len(parts) == 1 else ""
    return dict(sorted(found.items()))


def named_label(value: int, names: Mapping[int, str]) -> str:
    """A value with its name.

    Examples
    --------
    >>> named_label(1, {1: "liver"}), named_label(2, {})
    ('label 1 (liver)', 'label 2')
    """
    return f"label {value} ({names[value]})" if names.get(value) else f"label {value}"


def _unusable(survey: Survey, found: Maps) -> Iterator[Finding]:
    coloured = [row for row, one in found.items() if one.fault and one.colours]
    if coloured:
        most = max(found[row].colours for row in coloured)
        yield Finding(
            "label-map-colours",
            "error",
            f"{many(len(coloured), 'label map')} in colours in place of class numbers, up to {most:,} colours in one",
            survey.keys(coloured),
            {"images": len(coloured), "colours": most},
            "give the table of colours (--option colours=FILE); thousands of colours were compressed: make them anew",
        )
    for rule, what, rows in (
        ("label-map-grid", "that contradict the place of their image",
         [row for row, one in found.items() if one.fault and not one.colours and one.shape]),
        ("label-map-unusable", "that cannot be used",
         [row for row, one in found.items() if one.fault and not one.colours and not one.shape]),
    ):  # fmt: skip
        if rows:
            yield Finding(
                rule,
                "error",
                f"{many(len(rows), 'label map')} {what}: {found[rows[0]].fault}",
                survey.keys(rows),
                {"images": len(rows)},
                "mend or leave them out: --apply quarantine-corrupt",
            )
    sizes = [row for row, one in found.items() if not one.fault and not one.fits]
    if sizes:
        glance = survey.glances[sizes[0]]
        got = " x ".join(map(str, found[sizes[0]].shape))
        wanted = "" if glance is None else " x ".join(map(str, glance.shape))
        yield Finding(
            "label-map-size",
            "error",
            f"{many(len(sizes), 'label map')} of another size than their image "
            f"({survey.records[sizes[0]].key}: {got}, the image {wanted})",
            survey.keys(sizes),
            {"images": len(sizes)},
            "pair them anew, or resample the label maps with nearest neighbour",
        )


def _missing(survey: Survey) -> Iterator[Finding]:
    without = [row for row, record in enumerate(survey.records) if record.mask is None and record.split != "test"]
    if without:
        yield Finding(
            "label-map-missing",
            "warning",
            f"{many(len(without))} of {len(survey.records):,} without a label map",
            survey.keys(without),
            {"images": len(without)},
            "add them, or leave those images out: an image without one is not an image of nothing",
        )


def _grids(survey: Survey, usable: Maps) -> Iterator[Finding]:
    counts = Counter(word for one in usable.values() for word in one.differs)
    rows = [row for row, one in usable.items() if one.differs]
    if rows:
        parts = ", ".join(f"{word} {count:,}" for word, count in counts.items())
        yield Finding(
            "label-grid",
            "warning",
            f"{many(len(rows), 'label map')} of {len(usable):,} on another grid than their image: {parts}",
            survey.keys(rows),
            {"images": len(rows), **{word: count for word, count in counts.items()}},
            "imagemill brings them onto it by nearest neighbour; tools that pair voxel by voxel learn wrong labels",
        )


def _changed(survey: Survey, usable: Maps) -> Iterator[Finding]:
    """Values that compression or interpolation made: a few pixels each, beside those that are meant."""
    strays = {row: _strays(one) for row, one in usable.items()}
    lossy = [row for row, one in usable.items() if one.lossy]
    if lossy:
        yield Finding(
            "label-map-lossy",
            "error" if any(strays[row] for row in lossy) else "warning",
            f"{many(len(lossy), 'label map')} stored as JPEG or the like, which changes values at edges",
            survey.keys(lossy),
            {"images": len(lossy)},
            "make them anew as PNG, or threshold them first",
        )
    rows = sorted((row for row, count in strays.items() if count and row not in lossy), key=lambda row: -strays[row])
    if rows:
        yield Finding(
            "label-map-strays",
            "error",
            f"{many(len(rows), 'label map')} with values of hardly a pixel each, close to others, as compression and "
            f"interpolation make them ({survey.records[rows[0]].key}: {strays[rows[0]]} such values)",
            survey.keys(rows),
            {"images": len(rows), "values": strays[rows[0]]},
            "make them anew, resized by nearest neighbour and saved as PNG",
        )


def _strays(one: LabelMapFacts) -> int:
    """How many values are blends of others: of few pixels, all at edges, and between values that are meant."""
    total = sum(one.counts.values())
    main = [value for value, count in one.counts.items() if count >= _MAIN * total]
    rare = [value for value, count in one.counts.items() if count < _STRAY * total]
    if len(main) < 2 or sum(one.counts[value] for value in main) < _MEANT * total:
        return 0
    low, high = min(main) - _OVERSHOOT, max(main) + _OVERSHOOT
    blends = [value for value in rare if value in one.thin and low <= value <= high]
    return len(rare) if len(blends) >= max(_STRAYS, 0.5 * len(rare)) else 0


def _scaled(survey: Survey, usable: Maps) -> Iterator[Finding]:
    """Maps with 0 and 255 among maps with 0 and 1: the same class under two numbers."""
    full = {row for row, one in usable.items() if one.counts.get(_FULL)}
    # Where 255 stands beside class numbers, it marks what is not to be learnt.
    if not full or any(gcd(*(value for value in usable[row].counts)) < _SCALED for row in full):
        return
    small = [row for row, one in usable.items() if row not in full and any(one.counts.keys() - {0})]
    if small and all(max(usable[row].counts) < _FULL // _SCALED for row in small):
        rare = sorted(full) if len(full) <= len(small) else small
        yield Finding(
            "label-map-scales",
            "error",
            f"{many(len(full), 'label map')} with class numbers spread to 255, and {len(small):,} without",
            survey.keys(rare),
            {"spread": len(full), "plain": len(small)},
            "divide the first, so that a class has one number",
        )


def _declared(survey: Survey, usable: Maps) -> Iterator[Finding]:
    names = declared_labels(survey.source.info)
    if not names:
        return
    used = Counter(value for one in usable.values() for value in one.counts)
    if wrong := sorted(set(used) - set(names)):
        rows = [row for row, one in usable.items() if set(wrong) & set(one.counts)]
        voxels = sum(one.counts.get(value, 0) for one in usable.values() for value in wrong)
        yield Finding(
            "label-unexpected",
            "error",
            f"{many(len(rows), 'label map')} with values that are not declared: {listed(list(map(str, wrong)))}; "
            f"declared are {listed(list(map(str, names)))}",
            survey.keys(rows),
            {"images": len(rows), "values": len(wrong), "voxels": voxels},
            "correct the label maps, or declare the values",
        )
    if unused := [named_label(value, names) for value in names if value not in used and value]:
        yield Finding(
            "label-unused",
            "warning",
            f"{many(len(unused), 'declared value')} that no label map has: {listed(unused)}",
            numbers={"values": len(unused)},
            advice="a class without examples cannot be learnt: add some, or do not declare it",
        )
    if survey.source.layout == "nnunet" and list(names) != list(range(len(names))):
        yield Finding(
            "label-numbers",
            "warning",
            f"declared values are not 0, 1, 2... without gaps: {listed(list(map(str, names)), 12)}",
            numbers={"values": len(names)},
            advice="renumber them: nnU-Net refuses others",
        )


def _values(survey: Survey, usable: Maps) -> Iterator[Finding]:
    values = {row: set(one.counts) for row, one in usable.items()}
    counts = Counter(value for found in values.values() for value in found)
    empty = [row for row, found in values.items() if not found - {0}]
    if empty:
        yield Finding(
            "background-only",
            "note" if len(empty) < len(values) / 2 else "warning",
            f"{many(len(empty), 'label map')} of {len(values):,} with background alone",
            survey.keys(empty),
            {"images": len(empty)},
            "fine where there is nothing to see; look at some",
        )
    rare = sorted(value for value, count in counts.items() if count <= max(1, 0.01 * len(values)) and value)
    rows = [row for row, found in values.items() if found & set(rare)]
    # Where many maps have such values, the set is small beside its number of classes.
    if rare and len(values) >= 20 and len(rows) <= _FEW * len(values):
        yield Finding(
            "rare-value",
            "warning",
            f"label values {', '.join(map(str, rare[:8]))} in {many(len(rows), 'label map')} of {len(values):,} alone",
            survey.keys(rows),
            {"values": len(rare), "images": len(rows)},
            "a class that is meant needs more images; a slip of the tool is to be corrected",
        )
