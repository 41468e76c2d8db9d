"""Whether each class is seen from different distances, at different places of the frame and turned differently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.content.objects_seen import Objects
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["perspective_found"]

_SMALLEST = 20
"""Objects of a class that are needed to ask."""
_KNOWN = 0.5
"""Share of the images that were looked at in which an object has to stand out."""
_PLACES = 50


@dataclass(frozen=True, slots=True)
class _Narrow:
    """What hardly varies within a class, in words."""

    name: str
    ways: tuple[str, ...]
    said: str


def perspective_found(survey: Survey, seen: Objects) -> Iterator[Finding | NotAsked]:
    """Classes whose object always has about the same size, place or turn; bursts count once.

    Four fifths of the objects are asked, those between the tenth and the ninetieth percentile.
    """
    narrow, asked, unknown = list[_Narrow](), 0, list[str]()
    for name in dict.fromkeys([*seen.looked, *seen.classes.tolist()]):
        of_class = seen.classes == name
        if of_class.sum() < _SMALLEST or of_class.sum() < _KNOWN * seen.looked.get(name, 0):
            if seen.looked.get(name, 0) >= _SMALLEST:
                unknown.append(name)
            continue
        asked += 1
        if (one := _narrow(survey, seen, name, of_class)) is not None:
            narrow.append(one)
    if unknown:
        named = [name or "all images" for name in unknown]
        yield NotAsked(
            "perspective", f"no object stands out in most images of {many(len(unknown), 'class')} ({listed(named)})"
        )
    elif not asked:
        yield NotAsked(
            "perspective", f"no class has {_SMALLEST} images, bursts counted once, in which an object is seen"
        )
    if not narrow:
        return
    worst = sorted(narrow, key=lambda one: -len(one.ways))
    both = [one for one in worst if len(one.ways) > 1]
    ways = Counter(way for one in worst for way in one.ways)
    said = " and ".join(f"{way} ({count})" for way, count in ways.most_common())
    rows = np.unique(seen.rows[np.isin(seen.classes, [one.name for one in worst])])
    how = Counter(seen.how.tolist()).most_common(1)[0][0]
    yield Finding(
        "perspective",
        "warning" if both else "note",
        f"{many(len(worst), 'class')} of {asked} always seen alike, by {how}: {said}. "
        f"{listed([one.said for one in worst], 3)}",
        survey.keys(rows[:: max(1, len(rows) // _PLACES)]),
        {"classes": len(worst), **{f"same {way}": count for way, count in ways.items()}},
        "gather them from other distances and sides, or let the augmentation zoom, shift and turn",
    )


def _narrow(survey: Survey, seen: Objects, name: str, of_class: npt.NDArray[np.bool_]) -> _Narrow | None:
    settings = survey.settings
    small, large = np.percentile(seen.size[of_class], (10, 90))
    moves = max(float(np.subtract(*np.percentile(values[of_class], (90, 10)))) for values in (seen.x, seen.y))
    turned = seen.degrees[of_class & np.isfinite(seen.degrees)]
    found = {}
    if large < settings.same_size * small:
        found["size"] = f"{small:.0%} to {large:.0%} of a side"
    if moves < settings.same_place:
        found["place"] = f"within {moves:.0%} of a side"
    if len(turned) >= _SMALLEST and (around := _around(turned)) < settings.same_turn:
        found["turn"] = f"within {around:.0f} degrees of one"
    if not found:
        return None
    told = ", ".join(f"{way} {words}" for way, words in found.items())
    return _Narrow(name, tuple(found), f"{name or 'all images'} ({int(of_class.sum())}): {told}")


def _around(degrees: npt.NDArray[np.float64]) -> float:
    """Standard deviation of directions that are the same after half a turn, degrees.

    Source: Mardia and Jupp (2000), "Directional Statistics", 2.3.1 and 3.1, for axes by doubled angles.
    """
    length = abs(np.exp(2j * np.deg2rad(degrees)).mean())
    return float(np.rad2deg(np.sqrt(-2 * np.log(max(length, 1e-12))) / 2))
