"""What a screen says against transforms, by their names: that they change labels, or that a network fails on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagemill.core.errors import InputError
from imagemill.evaluate.recommendations.read_results import read_results

__all__ = ["Screened", "read_screen"]

Screened = Any
"""A screen of `screen`, its file or folder, or affinities by the names of transforms."""

_LOW_AFFINITY = 0.5
"""Of clean accuracy, under which a network fails on what a transform makes."""


def read_screen(given: Screened) -> dict[str, tuple[str, ...]]:
    """A sentence for each thing that a screen says against a transform.

    Parameters
    ----------
    given : Screening, Path, str or mapping of str to float
        What `screen` gave, the file or folder that it wrote, or by the names of transforms the share of its accuracy
        that a network without augmentation keeps on images so augmented.

    Returns
    -------
    dict of str to tuple of str
        By the name of the transform's class.

    Raises
    ------
    InputError
        When it is no screen.

    Examples
    --------
    >>> read_screen({"Rotate": 0.31, "Shift": 0.9})["Rotate"][0]
    'the screen gives Rotate 31 % of clean accuracy: it changes labels, or nothing like it was trained on'
    """
    given = read_results(
        given, "screen.json", written="what screen wrote", held="a screen, its file, or affinities by name"
    )
    try:
        if "ranked" not in given:
            return {name: _low(name, float(share)) for name, share in given.items()}
        found: dict[str, tuple[str, ...]] = {}
        for one in given["ranked"]:
            kind = one["name"].split(" ")[0]
            found[kind] = (*found.get(kind, ()), *_said(one, _clean(given)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"expected a screen as screen writes it, or affinities by name, got {error!r}") from error
    return found


def _clean(given: Mapping[str, Any]) -> float:
    return float(given["accuracy"] if "accuracy" in given else given["dice"])


def _said(one: Mapping[str, Any], accuracy: float) -> tuple[str, ...]:
    changed = [f"{c['name']} becomes {c['taken_for']} ({c['moved']['mean']:.0%})" for c in one["changed_classes"]]
    if changed and not one.get("unclear"):
        return (f"the screen sees {one['call']} change labels: {', '.join(changed)}",)
    return _low(one["call"], (accuracy + one["affinity"]["mean"]) / accuracy) if accuracy > 0 else ()


def _low(name: str, share: float) -> tuple[str, ...]:
    if share >= _LOW_AFFINITY:
        return ()
    return (
        f"the screen gives {name} {share * 100:.0f} % of clean accuracy: it changes labels, or nothing like it was "
        "trained on",
    )
