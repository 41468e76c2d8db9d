"""What transforms that mix samples share: how labels come out, and shares that are drawn from a beta distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from imagemill.core.blend_ops import MixedLabels
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats
from imagemill.core.ranges import Read
from imagemill.transforms.base import one_of, option

__all__ = ["Classes", "Labels", "beta_quantile", "classes_option", "gamma_quantile", "labels_option", "said"]

Classes: TypeAlias = "Read[int | Sequence[str] | None, int | tuple[str, ...] | None]"
Labels: TypeAlias = Literal["soft", "pairs"]


def _classes(name: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        if len(set(value)) < len(value) or len(value) < 2 or not all(isinstance(one, str) for one in value):
            raise ParameterError(f"expected {name} as names, two or more that differ, got {value!r}")
        return tuple(value)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 2:
        raise ParameterError(f"expected {name} as a number of classes from 2, or their names, got {value!r}")
    return int(value)


def classes_option() -> Any:
    """The ``classes`` setting of a transform that mixes labels."""
    return option(None, check=_classes, by_name=True)


def labels_option() -> Any:
    """The ``labels`` setting of a transform that mixes labels."""
    return option("soft", check=one_of("soft", "pairs"), by_name=True)


def said(labels: str, classes: Any) -> MixedLabels:
    """How the labels come out, for an op."""
    return MixedLabels(labels, classes)


def beta_quantile(u: Floats, a: float, b: float) -> Floats:
    """Numbers of a beta distribution, from uniform ones by the inverse of its distribution function.

    Examples
    --------
    >>> beta_quantile(np.array([0.25, 0.5]), 1, 1).round(9).tolist()
    [0.25, 0.5]
    """
    from scipy.special import betaincinv  # here: only what mixes needs it

    found: Floats = np.asarray(betaincinv(a, b, u), dtype=np.float64)
    return found


def gamma_quantile(u: Floats, a: float) -> Floats:
    """Numbers of a gamma distribution of shape ``a`` and scale 1, from uniform ones."""
    from scipy.special import gammaincinv

    found: Floats = np.asarray(gammaincinv(a, u), dtype=np.float64)
    return found
