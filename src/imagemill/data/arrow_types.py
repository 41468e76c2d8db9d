"""What numbers of Arrow are to numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["numpy_type"]

_CALLED = {"halffloat": "float16", "float": "float32", "double": "float64"}


def numpy_type(kind: Any) -> np.dtype[Any]:
    """The type of a column of numbers; pyarrow's own answer wants pandas in releases up to 17.

    Parameters
    ----------
    kind : pyarrow.DataType
        Of whole or floating-point numbers, or bools.

    Examples
    --------
    >>> import pyarrow as pa
    >>> [str(numpy_type(one)) for one in (pa.uint8(), pa.float16(), pa.float32(), pa.float64(), pa.bool_())]
    ['uint8', 'float16', 'float32', 'float64', 'bool']
    """
    return np.dtype(_CALLED.get(str(kind), str(kind)))
