"""What a network already takes: ranges of changes over which it keeps its accuracy, from its invariance profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagemill.core.errors import InputError
from imagemill.core.ranges import Distribution
from imagemill.evaluate.inputs.experiment_data import Data
from imagemill.evaluate.recommendations.read_results import read_results
from imagemill.evaluate.stressing.stress import stress
from imagemill.transforms.base import Transform

__all__ = ["Held", "Profiled", "held_by", "read_held", "within"]

Held = Mapping[str, tuple[float, float]]
"""By the name of a change, such as ``"rotate"`` or ``"shift.x"``: between which magnitudes accuracy holds."""

Profiled = Any
"""A profile of `stress`, its file, or a mapping as `Held`."""

_CHANGES = {
    ("Rotate", "degrees"): "rotate",
    ("Shift", "pixels.x"): "shift.x",
    ("Shift", "pixels.y"): "shift.y",
    ("Zoom", "factor"): "zoom",
    ("Brightness", "factor"): "brightness",
    ("Contrast", "factor"): "contrast",
    ("Gamma", "gamma"): "gamma",
}
"""How a profile calls the parameters of proposed transforms."""


def read_held(given: Profiled) -> Held:
    """The ranges of a profile.

    Parameters
    ----------
    given : Profiles, Path, str or mapping
        What `stress` gave, the file or folder that it wrote, or ranges by the names of changes.

    Returns
    -------
    mapping of str to pair of float
        A change without a magnitude has the range 0 to 1 where accuracy holds under it, 0 to 0 where not.

    Raises
    ------
    InputError
        When it is no profile.

    Examples
    --------
    >>> read_held({"rotate": (-20, 25)})
    {'rotate': (-20.0, 25.0)}
    """
    given = read_results(
        given,
        "results.json",
        written="a profile that stress wrote",
        held="a profile of stress, its file, or ranges by name",
    )
    try:
        if "profiles" not in given:
            return {str(name): _pair(ends) for name, ends in given.items()}
        found = {one["name"]: _range(one) for one in given["profiles"]}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"expected a profile as stress writes it, or pairs by name, got another form: {error}"
        ) from error
    return {name: ends for name, ends in found.items() if ends is not None}


def held_by(model: Any, data: Data, images: int, seed: int) -> Held:
    """The ranges over which a network keeps its accuracy on test images, of every change that a proposal may make.

    Parameters
    ----------
    model : str, Path or object
        As for `stress`.
    data : Data
    images : int
        At most.
    seed : int

    Raises
    ------
    InputError
        When it does not load, or its answers do not fit.
    """
    over = (*_CHANGES.values(), "invert")
    classes = list(data.classes)
    return read_held(stress(model, data, over, worst=False, limit_images=images, classes=classes, seed=seed))


def within(transform: Transform, held: Held) -> tuple[bool, str]:
    """Whether a network takes all that a transform draws, and in words what it takes; no words where nobody knows.

    Examples
    --------
    >>> from imagemill.transforms.geometric.rotate import Rotate
    >>> within(Rotate((0, 12)), {"rotate": (-20.0, 25.0)})
    (True, 'the network holds for rotate from -20 to 25')
    """
    asked = _asked(transform)
    known = [(name, held[name], bounds) for name, bounds in asked.items() if name in held]
    if not known:
        return False, ""
    said = ", ".join(f"{name} from {low:.3g} to {high:.3g}" for name, (low, high), _ in known)
    inside = all(low <= bounds[0] and bounds[1] <= high for _, (low, high), bounds in known)
    return inside and len(known) == len(asked), f"the network holds for {said}"


def _asked(transform: Transform) -> dict[str, tuple[float, float]]:
    kind = type(transform).__name__
    if kind == "Invert":
        return {"invert": (0.0, 1.0)}
    found = {}
    for place, distribution, *_ in transform.distributions():
        assert isinstance(distribution, Distribution)
        if distribution.count != 1:
            found[_CHANGES.get((kind, place), f"{kind}.{place}")] = distribution.bounds
    return found


def _range(one: Mapping[str, Any]) -> tuple[float, float] | None:
    if one["range"] is not None:
        return _pair(one["range"])
    (first, *more) = one["points"]
    if more or first["magnitude"] is not None:
        return None
    return (0.0, 1.0 if first["margin"]["value"] >= 0 else 0.0)


def _pair(ends: Any) -> tuple[float, float]:
    low, high = ends
    return float(low), float(high)
