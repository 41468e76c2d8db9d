"""Whether each class is shown in enough ways: bursts, colours of the object, its size and place, light."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.checks.variety.object_colours import colours_found
from imagemill.audits.checks.variety.one_light import lighting_found
from imagemill.audits.checks.variety.same_view import perspective_found
from imagemill.audits.content.bursts import bursts_of
from imagemill.audits.content.objects_seen import objects_seen
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_variety"]


def check_variety(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Variety within each class, every burst counted once."""
    if not len(survey.seen):
        yield NotAsked("variety", "no image can be read")
        return
    yield from _bursts(survey)
    seen = objects_seen(survey)
    yield from perspective_found(survey, seen)
    yield from colours_found(survey, seen)
    yield from lighting_found(survey)


def _bursts(survey: Survey) -> Iterator[Finding]:
    """Classes that are far fewer scenes than images."""
    bursts = bursts_of(survey)
    of_class: dict[str, list[int]] = {}
    for row in survey.seen.tolist():
        of_class.setdefault(survey.labels[row] or "", []).append(row)
    lines, places = list[str](), list[int]()
    for name, rows in of_class.items():
        scenes = Counter(bursts[rows].tolist())
        if len(rows) - len(scenes) > survey.settings.in_bursts * len(rows):
            lines.append(f"{name or 'all images'}: {many(len(rows))} are {len(scenes):,}")
            places += [row for row in rows if scenes[bursts[row]] > 1]
    if lines:
        yield Finding(
            "bursts",
            "warning",
            f"{many(len(lines), 'class')} with more than {survey.settings.in_bursts:.0%} of copies and images that one "
            f"camera took within {survey.settings.burst:g} seconds: {listed(lines)} when each burst counts once",
            survey.keys(places[:200]),
            {"classes": len(lines)},
            "count bursts and not images, and keep each on one side of a split: --apply regroup joins copies",
        )
