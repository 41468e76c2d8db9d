"""What transforms declare, as plain values: parameters with their ranges and defaults, for programs in other languages.

The explorer's page draws pipelines in a browser. Its sliders and every table of numbers come from here: there is no
second list that could say something else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field
from typing import Any

import numpy as np

from imagemill.core import ranges
from imagemill.core.errors import ParameterError
from imagemill.transforms import base
from imagemill.transforms.colour import color_temperature, gray, hue, lighting, sepia
from imagemill.transforms.colour._channels import LUMA
from imagemill.transforms.combine import OneOf, Sequential, SomeOf

__all__ = ["declared", "nodes_of", "tables"]

_BEGIN: dict[str, dict[str, Any]] = {
    "Flip": {"p": 0.5},
    "Shift": {"pixels": [-20, 20]},
    "Affine": {"degrees": [-15, 15], "zoom": [0.8, 1.2]},
    "Crop": {"size": [160, 160]},
    "CropOrPad": {"size": [256, 256]},
    "Pad": {"pixels": [24]},
    "Resize": {"size": [224, 224]},
    "RandomResizedCrop": {"size": [224, 224]},
    "ShortestSide": {"length": 256},
    "LongestSide": {"length": 512},
    "GainOffset": {"beta": [-20, 20]},
    "ColorJitter": {"brightness": [0.8, 1.2], "contrast": [0.8, 1.2], "saturation": [0.8, 1.2], "hue": [-10, 10]},
}
"""What a transform begins with where it needs something said, or its defaults would do nothing."""

_GROUPS = (OneOf, SomeOf, Sequential)
_REACH = 4.0
"""A slider goes so many times as far as what a transform begins with, where its declaration has no bound near."""
_FAR = 30.0
"""A declared bound is no end for a slider when it is so many times as far as what a transform begins with."""


def declared() -> dict[str, dict[str, Any]]:
    """Every transform of imagemill that can be made without others, by name.

    Returns
    -------
    dict
        ``summary``, ``defaults`` (all parameters in the form of pipeline files), ``begin`` (what to say to have one
        that does something) and ``fields``: for each parameter its ``kind``, and for one that may be drawn ``unit``,
        bounds and a ``slider`` of lowest, highest and step.

    Examples
    --------
    >>> rotate = declared()["Rotate"]
    >>> rotate["defaults"]["degrees"], rotate["fields"]["degrees"]["slider"]
    ([-15.0, 15.0], [-360, 360, 1])
    """
    return {name: _described(cls) for name, cls in sorted(base.REGISTRY.items()) if _makeable(name, cls)}


def _makeable(name: str, cls: type[base.Transform]) -> bool:
    if not cls.__module__.startswith("imagemill."):
        return False
    if cls in _GROUPS:
        return True
    try:
        cls(**_BEGIN.get(name, {}))
    except (ParameterError, TypeError):
        return False
    return True


def _described(cls: type[base.Transform]) -> dict[str, Any]:
    begin = _BEGIN.get(cls.__name__, {})
    fields = [f for f in base.fields_of(cls) if f.init and f.name not in ("images", "transforms")]
    return {
        "summary": (cls.__doc__ or "").strip().split("\n")[0],
        "defaults": {f.name: _default(f) for f in fields if f.default is not MISSING},
        "begin": begin,
        "fields": {f.name: _field(f, begin.get(f.name)) for f in fields},
    }


def _default(f: Field[Any]) -> Any:
    return base.plain(base.normalised(f))


def _field(f: Field[Any], begin: Any) -> dict[str, Any]:
    """What a page needs to know of one parameter."""
    if f.name == "p":
        return {"kind": "share", "slider": [0, 1, 0.01]}
    if f.metadata.get("kind") == "param":
        meta = f.metadata
        usual = begin if begin is not None else None if f.default is MISSING else _default(f)
        return {
            "kind": "param",
            "unit": meta["unit"],
            "perAxis": meta["per_axis"],
            "optional": meta["optional"],
            "whole": bool(meta["whole"]),
            "low": _finite(meta["low"]),
            "high": _finite(meta["high"]),
            "above": meta["above"],
            "slider": slider(usual, meta),
        }
    check = f.metadata.get("check")
    words = list(check.words) if isinstance(check, base.OneOfThese) else None
    return {"kind": "words", "words": words} if words else {"kind": "plain"}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def slider(usual: Any, meta: Mapping[str, Any]) -> list[float]:
    """Lowest value, highest value and step of a slider, inside what a parameter may be.

    Parameters
    ----------
    usual : number, pair or mapping
        What a transform begins with, in the form of pipeline files.
    meta : mapping
        ``low``, ``high``, ``above`` and ``whole``, as :func:`~imagemill.transforms.base.param` keeps them.

    Examples
    --------
    >>> slider([0.8, 1.2], {"low": -math.inf, "high": math.inf, "above": 0, "whole": ""})
    [0.01, 4.8, 0.01]
    """
    low, high = (-1.0, 1.0) if usual is None else ranges.as_distribution(_one(usual)).bounds
    reach = _REACH * (max(abs(low), abs(high)) or 1.0)
    floor = meta["low"] if meta["above"] is None else max(meta["low"], meta["above"])
    least = floor if math.isfinite(floor) and abs(floor) <= _FAR * reach else -reach
    most = meta["high"] if abs(meta["high"]) <= _FAR * reach else reach
    step = 1.0 if meta["whole"] else _round((most - least) / 720)
    if meta["above"] is not None and least <= meta["above"]:
        least = meta["above"] + step
    return [_neat(least), _neat(most), _neat(step)]


def _one(usual: Any) -> Any:
    """One of the distributions of a mapping from axes."""
    axes = isinstance(usual, Mapping) and set(usual) <= set("zyx")
    return next(iter(usual.values())) if axes else usual


def _round(step: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(k * power for k in (1, 2, 5, 10) if k * power >= step * 0.999)


def _neat(value: float) -> float:
    short = float(f"{value:.10g}")
    return int(short) if short == int(short) else short


def nodes_of(transforms: Iterable[base.Transform]) -> list[dict[str, Any]]:
    """Transforms as a tree of names and parameters.

    Returns
    -------
    list of dict
        ``name``, ``params``; of groups ``children``, of others ``places``: how many places of the pipeline they take.

    Examples
    --------
    >>> from imagemill.transforms.geometric.flip import Flip
    >>> nodes_of([Flip("y")])
    [{'name': 'Flip', 'params': {'axis': 'y'}, 'places': 1}]
    """
    return [_node(transform) for transform in transforms]


def _node(transform: base.Transform) -> dict[str, Any]:
    ((name, params),) = transform.to_dict().items()
    if isinstance(transform, _GROUPS):
        rest = {key: value for key, value in params.items() if key != "transforms"}
        return {"name": name, "params": rest, "children": nodes_of(transform.children())}
    return {"name": name, "params": params, "places": sum(1 for _ in base.everyone([transform]))}


def tables() -> dict[str, Any]:
    """The numbers that transforms and distributions are defined by.

    Examples
    --------
    >>> tables()["luma"]
    [0.299, 0.587, 0.114]
    """
    return {
        **{name: [list(row) for row in rows] for name, rows in ranges.QUANTILE.items()},
        "luma": list(LUMA),
        "grays": {name: list(row) for name, row in gray.WEIGHTS.items()},
        "sepia": sepia.BROWN.tolist(),
        "yiq": hue.to_yiq().tolist(),
        "eigenvalues": list(lighting.IMAGENET_EIGENVALUES),
        "eigenvectors": [list(row) for row in lighting.IMAGENET_EIGENVECTORS],
        "toRgb": color_temperature.TO_RGB.tolist(),
        "daylight": color_temperature.DAYLIGHT,
        "locus": {axis: np.asarray(rows).tolist() for axis, rows in color_temperature.LOCUS.items()},
    }
