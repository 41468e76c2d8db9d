"""Values as JSON can hold them: what is no finite number is None."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """A number, or lists and mappings of them, with None for every float that is infinite or no number.

    Examples
    --------
    >>> plain({"high": math.inf, "ends": (0.5, math.nan)})
    {'high': None, 'ends': [0.5, None]}
    """
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float):  # numpy's too, which JSON does not know
        return float(value) if math.isfinite(value) else None
    return value
