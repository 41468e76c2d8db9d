"""How many images there are of each class, and in each part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_counts"]

_PLANE = 2
"""Lengths of an image that is no volume."""


def check_counts(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Classes that are few or small beside the others, missing in a part, or not given."""
    asked = survey.settings
    counts = _images_of(survey)
    if not counts:
        yield from _without_classes(survey)
        return
    if few := [f"{name} ({count})" for name, count in counts.items() if count < asked.start]:
        yield Finding(
            "few",
            "warning",
            f"{many(len(few), 'class')} with fewer than {asked.start} images: {listed(few)}",
            numbers={"classes": len(few), "smallest": min(counts.values())},
            advice="gather more before the first training, or merge classes",
        )
    if short := [f"{name} ({count})" for name, count in counts.items() if asked.start <= count < asked.enough]:
        yield Finding(
            "short",
            "note",
            f"{many(len(short), 'class')} with fewer than {asked.enough:,} images: {listed(short)}",
            numbers={"classes": len(short), "smallest": min(counts.values())},
            advice="enough to start with; augment, and gather more where accuracy matters",
        )
    if rows := [row for row, of in enumerate(_classes(survey)) if of is None]:
        yield Finding(
            "no-class",
            "warning",
            f"{many(len(rows))} of {len(survey.records):,} without a class",
            survey.keys(rows),
            {"images": len(rows)},
            "label them, leave them out, or make them a class of their own with prepare --unlabeled",
        )
    if len(counts) == 1:
        yield NotAsked("balance", "there is one class")
        return
    yield from _balance(survey, counts)
    yield from _parts(survey)


def _without_classes(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Whether there are enough images in all; of volumes, each of which holds many slices, it is not asked."""
    asked, count = survey.settings, len(survey.seen)
    if count and all(len(seen.shape) == _PLANE for seen in survey.glances if seen is not None) and count < asked.enough:
        yield Finding(
            "few" if count < asked.start else "short",
            "warning" if count < asked.start else "note",
            f"{many(count)} in all, fewer than {asked.start if count < asked.start else asked.enough:,}",
            numbers={"images": count},
            advice="that many are wanted of each class: gather more, or start from a network that knows such images",
        )
    yield NotAsked("counts", "no image has a class")


def _classes(survey: Survey) -> list[tuple[str, ...] | None]:
    """The classes of each image: its label or labels, else those of its annotations; None where nobody said any."""
    found: list[tuple[str, ...] | None] = []
    for record in survey.records:
        if record.label is not None or record.labels:
            found.append((record.label,) if record.label is not None else record.labels)
        else:
            found.append(
                None if record.objects is None else tuple(dict.fromkeys(one.category for one in record.objects))
            )
    return found


def _images_of(survey: Survey) -> dict[str, int]:
    """Images with each class, the commonest first."""
    return dict(Counter(name for of in _classes(survey) for name in of or ()).most_common())


def _balance(survey: Survey, counts: Mapping[str, int]) -> Iterator[Finding]:
    asked = survey.settings
    mean, largest = sum(counts.values()) / len(counts), max(counts.values())
    small = [
        name
        for name, count in counts.items()
        if count < asked.part_of_mean * mean or count < asked.part_of_largest * largest
    ]
    if small:
        shown = [f"{name} ({counts[name]:,})" for name in small]
        yield Finding(
            "unbalanced",
            "warning",
            f"{many(len(small), 'class')} under {asked.part_of_mean:.0%} of the mean class ({mean:,.0f}) or "
            f"{asked.part_of_largest:.0%} of the largest ({largest:,}): {listed(shown)}",
            numbers={"classes": len(small), "mean": mean, "largest": largest},
            advice="gather more of them, or draw them more often: Loader(sampling='balanced')",
        )


def _parts(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Classes that a part has none of, where another part has."""
    parts: dict[str, Counter[str]] = {}
    for record, of in zip(survey.records, _classes(survey), strict=True):
        if record.split is not None:
            parts.setdefault(record.split, Counter()).update(of or ())
    if len(parts) < 2:
        yield NotAsked("parts", "there are no training and test parts")
        return
    for part, counts in parts.items():
        if missing := sorted(set().union(*parts.values()) - set(counts)):
            yield Finding(
                "class-missing",
                "error" if part == "train" else "warning",
                f"no image of {listed(missing)} in the {part} part",
                numbers={"classes": len(missing)},
                advice="split anew with imagemill split, which keeps the share of every class",
            )
