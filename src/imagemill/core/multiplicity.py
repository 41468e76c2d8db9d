"""Several questions asked at once: what each of their p values is worth then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from imagemill.core.errors import ParameterError

__all__ = ["adjusted"]


def adjusted(p: Sequence[float], method: Literal["holm", "benjamini-hochberg"] = "holm") -> list[float]:
    """P values of several questions asked at once, adjusted for their number.

    Parameters
    ----------
    p : sequence of float
    method : {"holm", "benjamini-hochberg"}
        Holm bounds the chance of any false alarm; Benjamini-Hochberg the expected share of false ones among alarms.

    Returns
    -------
    list of float
        In the order given, at most 1.

    Notes
    -----
    Source: Holm (1979), Scandinavian Journal of Statistics 6; Benjamini and Hochberg (1995), Journal of the Royal
    Statistical Society B 57.

    Examples
    --------
    >>> [round(value, 3) for value in adjusted([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ParameterError(f"expected p values from 0 to 1, got {p}")
    order, count = np.argsort(values, kind="stable"), len(values)
    ranked = values[order]
    if method == "holm":
        ranked = np.maximum.accumulate(ranked * np.arange(count, 0, -1))
    elif method == "benjamini-hochberg":
        steps = ranked * count / np.arange(1, count + 1)
        ranked = np.minimum.accumulate(steps[::-1])[::-1]
    else:
        raise ParameterError(f"expected 'holm' or 'benjamini-hochberg', got {method!r}")
    out = np.empty(count)
    out[order] = np.minimum(ranked, 1.0)
    return [float(value) for value in out]
