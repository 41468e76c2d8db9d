"""Whether each class is shown in more than one light: by exposure and hour where files say them, else by the pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.content.bursts import bursts_of
from imagemill.audits.content.light_kinds import KINDS_OF_LIGHT, UNKNOWN, lights_of
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["lighting_found"]

_SMALLEST = 20
"""Images of a class, bursts counted once, that are needed to ask."""
_PLACES = 50


def lighting_found(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Classes that are shown in one light; bursts count once."""
    _, firsts = np.unique(bursts_of(survey)[survey.seen], return_index=True)
    of_class: dict[str, list[int]] = {}
    for row in np.sort(survey.seen[firsts]).tolist():
        of_class.setdefault(survey.labels[row] or "", []).append(row)
    classes = {name: np.array(rows) for name, rows in of_class.items() if len(rows) >= _SMALLEST}
    if not classes:
        yield NotAsked("lighting", f"no class has {_SMALLEST} images, bursts counted once")
        return
    yield from _by_files(survey, classes)
    yield from _by_pixels(survey, classes)


def _by_files(survey: Survey, classes: dict[str, npt.NDArray[np.int64]]) -> Iterator[Finding | NotAsked]:
    """Day, dusk, indoor bright, indoor dim, where exposure and hour say so."""
    lights, least = np.array(lights_of(survey.glances), object), survey.settings.one_light
    asked, lines, places, unknown = 0, list[str](), list[int](), 0
    for name, rows in classes.items():
        known = rows[lights[rows] != UNKNOWN]
        unknown += len(rows) - len(known)
        if len(known) < _SMALLEST:
            continue
        asked += 1
        (kind, count), *_ = Counter(lights[known].tolist()).most_common(1)
        if count > least * len(known):
            lines.append(f"{name or 'all images'}: {count} of {len(known)} {kind}")
            places += known[lights[known] == kind].tolist()
    if not asked:
        images = sum(map(len, classes.values()))
        yield NotAsked(
            "light",
            f"exposure and hour are known of {images - unknown:,} of {images:,} images: of no class {_SMALLEST}",
        )
    elif lines:
        yield Finding(
            "light",
            "warning",
            f"{many(len(lines), 'class')} of {asked} in one light ({', '.join(KINDS_OF_LIGHT[:-1])}: by exposure and "
            f"hour): {listed(lines)}",
            survey.keys(places[:_PLACES]),
            {"classes": len(lines), "unknown": unknown},
            "gather more of them in other light, or let the augmentation change brightness, contrast and colour",
        )


def _by_pixels(survey: Survey, classes: dict[str, npt.NDArray[np.int64]]) -> Iterator[Finding | NotAsked]:
    """Brightness and warmth that hardly differ from image to image, over the middle four fifths."""
    asked = survey.settings
    measures = {
        "brightness": survey.numbers(lambda g: g.brightness[2]),
        "warmth": survey.numbers(lambda g: g.warmth),
    }
    drawn = float(np.nanmedian(survey.numbers(lambda g: g.saturation))) < 1 / 255
    lines, places = list[str](), list[int]()
    for name, rows in classes.items():
        spread = {what: float(np.subtract(*np.nanpercentile(v[rows], (90, 10)))) for what, v in measures.items()}
        if spread["brightness"] < asked.same_light and spread["warmth"] < asked.same_light:
            lines.append(f"{name or 'all images'} ({len(rows):,})")
            places += rows.tolist()
    if lines:
        yield Finding(
            "lighting",
            # Drawings, scans and writing have no light that could be another.
            "note" if drawn else "warning",
            f"{many(len(lines), 'class')} of {len(classes)} with hardly any difference of light (median brightness "
            f"within {asked.same_light:.0%} of white, warmth within {asked.same_light:.0%}): {listed(lines)}",
            survey.keys(places[:: max(1, len(places) // _PLACES)]),
            {"classes": len(lines)},
            "gather some in other light, or let the augmentation change brightness, contrast and colour",
        )
