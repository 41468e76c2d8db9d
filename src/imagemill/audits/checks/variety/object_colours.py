"""Colours of the object that few images of a class have, by the pixels themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from scipy import stats

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.content.colour_names import COLOURS
from imagemill.audits.content.objects_seen import Objects
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["colours_found"]

_SMALLEST = 20
"""Objects of a class whose colour is known that are needed to ask."""
_FEWEST = 3
"""Images that are no slip of the estimate."""
_PLACES = 200


def colours_found(survey: Survey, seen: Objects) -> Iterator[Finding | NotAsked]:
    """Colours that are there, and surely in fewer images of their class than ``settings.colour_share``.

    "Surely" is by the exact one-sided bound (Clopper and Pearson 1934), so that a class of thirty has no finding where
    two fewer or more would decide.
    """
    known = seen.colour >= 0
    if not known.any():
        yield NotAsked("colours", "no object of any colour stands out")
        return
    lines, places, fewest, asked, rare = list[str](), list[int](), 1.0, 0, 0
    for name in dict.fromkeys(seen.classes[known].tolist()):
        of_class = known & (seen.classes == name)
        count = int(of_class.sum())
        if count < _SMALLEST:
            continue
        asked += 1
        colours = Counter(seen.colour[of_class].tolist())
        few = {
            colour: found
            for colour, found in colours.most_common()
            if found >= _FEWEST and _at_most(found, count, survey.settings.level) < survey.settings.colour_share
        }
        if few:
            rare += len(few)
            fewest = min(fewest, *(found / count for found in few.values()))
            shown = [f"{COLOURS[colour]} {found} of {count}" for colour, found in few.items()]
            lines.append(f"{name or 'all images'}: {listed(shown)}")
            places += np.unique(seen.rows[of_class & np.isin(seen.colour, list(few))]).tolist()
    if not asked:
        yield NotAsked("colours", f"no class has {_SMALLEST} objects whose colour can be told")
    elif lines:
        yield Finding(
            "colours",
            "note",
            f"{many(rare, 'colour')} of the object, told from its pixels, in under {survey.settings.colour_share:.0%} "
            f"of the images of a class: {listed(lines)}",
            survey.keys(places[:_PLACES]),
            {"colours": rare, "fewest": fewest},
            "gather more of them if they come in use; a column of colours (--attributes) says it more surely",
        )


def _at_most(found: int, count: int, level: float) -> float:
    return float(stats.beta.ppf(level, found + 1, count - found)) if found < count else 1.0
