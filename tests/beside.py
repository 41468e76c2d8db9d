"""What transforms go by besides an image."""

from __future__ import annotations

from typing import Any

import imagemill as im
from imagemill.testing import label_map


def beside(transform: im.Transform, shape: tuple[int, int]) -> dict[str, Any]:
    """Boxes or a label map, whichever a transform of pictures asks for."""
    if transform.reads() == "boxes":
        y, x = shape
        return {"boxes": im.Boxes([[0.3 * x, 0.25 * y, 0.7 * x, 0.75 * y]])}
    if transform.reads() == "masks" or (isinstance(transform, im.WeightedCrop) and transform.of == "mask"):
        return {"mask": label_map(1, shape)}
    return {}
