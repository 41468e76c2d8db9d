"""Labels that are probably wrong, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.label_check import LabelCheck
from imagemill.audits.survey import SMALLEST_CLASS, Survey
from imagemill.core.findings import Finding

__all__ = ["check_wrong_labels"]

_RULE = "wrong-labels"
_FEWEST = 100
"""Images that are needed to read a rate of a few per cent off them."""
_ENOUGH = 1000
"""Images that a network of their own learns more from than patches say."""
_TELLS, _TELLS_WELL = 0.2, 0.5
"""How much more than chance a list has to hold of labels made wrong on purpose, and what makes it a good one."""
_WIDE = 0.12
"""An interval wider than this, with the limit in it, says nothing if the list is not a good one."""


def check_wrong_labels(survey: Survey) -> Iterator[Finding | NotAsked]:
    """Labels that disagree with what a model of the other images says, and their rate against the limit."""
    if because := _not_asked(survey):
        yield NotAsked(_RULE, because)
        return
    rows, names, found = survey.checked
    limit = survey.settings.label_errors
    left = sum(label is not None for label in survey.labels) - len(rows)
    wide = found.low <= limit <= found.high_random and found.high_random - found.low > _WIDE
    if found.tells < _TELLS or (wide and found.tells < _TELLS_WELL):
        yield NotAsked(
            _RULE,
            f"{_by(survey)} tell the class of {found.accuracy:.0%} of {many(len(rows))} only: "
            f"of labels made wrong on purpose they notice {max(0.0, found.found_random):.0%}, and between "
            f"{found.low:.1%} and {found.high:.1%} of those given may be wrong; "
            f"{_instead(survey)}",
        )
        return
    places = found.listed
    if not len(places):
        return
    first = [
        f"{survey.records[int(rows[n])].key} (given {names[found.given[n]]}, looks like {names[found.suggested[n]]})"
        for n in places.tolist()
    ]
    yield Finding(
        _RULE,
        "error" if found.low > limit else "warning" if found.rate > limit else "note",
        f"{found.rate:.1%} of {many(len(rows), 'label')} are wrong by estimate "
        f"[{found.low:.1%}, {found.high:.1%}; up to {found.high_random:.1%} were all at random], "
        f"{_beside(found, limit)}; look at {many(len(places))}: {listed(first, 3)}"
        + (f"; {many(left)} left out, in classes of fewer than {SMALLEST_CLASS}, or without features" if left else ""),
        survey.keys(rows[places]),
        {
            "rate": found.rate, "low": found.low, "high": found.high, "high_random": found.high_random,
            "limit": limit, "images": len(rows),
            "listed": len(places), "accuracy": found.accuracy, "planted": found.planted,
            "found_random": found.found_random, "found_alike": found.found_alike,
            "seen_random": found.seen_random, "seen_alike": found.seen_alike,
        },
        f"mend those that are wrong; of labels made wrong on purpose such a list held {found.found_random:.0%} where "
        f"they were random, {found.found_alike:.0%} where they went to the class most alike; {_not_covered(found)}",
    )  # fmt: skip


def _not_covered(found: LabelCheck) -> str:
    """What the interval says nothing about."""
    kinds = "errors that a whole kind of images shares (a breed, a camera) are learnt as right and are not counted"
    if found.hardly_seen:
        return f"errors to the class most alike are hardly noticed, so that there may be more of them, and {kinds}"
    return f"the interval allows for errors to the class most alike, while {kinds}"


def _not_asked(survey: Survey) -> str:
    """Why it cannot be asked; empty when it can."""
    if not any(survey.labels):
        several = any(record.labels is not None for record in survey.records)
        return "images have several classes each" if several else "no image has a class"
    rows, labels, names = survey.classes()
    if len(names) < 2:
        return f"there are not two classes with {SMALLEST_CLASS} images or more"
    if len(rows) < _FEWEST:
        return f"there are fewer than {_FEWEST} images in classes of {SMALLEST_CLASS} or more"
    if len(rows) > 1 and (survey.small == survey.small[0]).all():
        return "all images are the same"
    folds = survey.folds(rows, labels)
    alone = [name for n, name in enumerate(names) if len(np.unique(folds[labels == n])) < 2]
    if alone:
        return f"all images of {listed(alone)} are of one group, or copies of one image"
    if survey.given.network is not None:
        return ""
    here = np.isin(rows, survey.features.rows)
    few = [name for n, name in enumerate(names) if (labels[here] == n).sum() < SMALLEST_CLASS]
    if few:
        return f"fewer than {SMALLEST_CLASS} images of {listed(few)} are in {survey.features.source}"
    return ""


def _by(survey: Survey) -> str:
    return (
        f"features ({survey.features.source})" if survey.given.network is None else "networks trained on these images"
    )


def _instead(survey: Survey) -> str:
    """What may tell more."""
    if survey.given.network is None and survey.given.features is None and len(survey.seen) >= _ENOUGH:
        return "train networks on them with --features network, give features of one with --features, or more images"
    return "give features of a network with --features, or more images"


def _beside(found: LabelCheck, limit: float) -> str:
    """The interval against the limit, in words."""
    if found.low > limit:
        return f"more than {limit:.0%}"
    return f"less than {limit:.0%}" if found.high < limit else f"which may be more or less than {limit:.0%}"
