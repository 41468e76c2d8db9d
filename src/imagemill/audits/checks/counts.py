"""How many images there are of each class, and in each part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.survey import Survey, counted
from imagemill.core.findings import Finding

__all__ = ["check_counts"]


def check_counts(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Classes that are few or small beside the others, missing in a part, or not given."""
    labels, asked = survey.labels, survey.settings
    counts = counted(labels)
    if not counts:
        yield NotAsked("counts", "no image has a class")
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
    unlabeled = sum(record.label is None and not record.labels for record in survey.records)
    if unlabeled:
        rows = [row for row, r in enumerate(survey.records) if r.label is None and not r.labels]
        yield Finding(
            "no-class",
            "warning",
            f"{many(unlabeled)} of {len(labels):,} without a class",
            survey.keys(rows),
            {"images": unlabeled},
            "label them, leave them out, or make them a class of their own with prepare --unlabeled",
        )
    if len(counts) == 1:
        yield NotAsked("balance", "there is one class")
        return
    yield from _balance(survey)
    yield from _parts(survey)


def _balance(survey: Survey) -> Iterator[Finding]:
    counts, asked = counted(survey.labels), survey.settings
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
    for record, label in zip(survey.records, survey.labels, strict=True):
        if record.split is not None and label is not None:
            parts.setdefault(record.split, Counter())[label] += 1
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
