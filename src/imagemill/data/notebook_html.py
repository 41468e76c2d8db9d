"""A dataset as a notebook shows it: its text, and small pictures of rows spread over the table."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

import numpy as np

from imagemill.core.errors import ImagemillError
from imagemill.core.sample import Sample

if TYPE_CHECKING:
    from imagemill.data.dataset import Dataset

__all__ = ["as_html"]

_SHOWN = 12


def as_html(dataset: Dataset) -> str:
    """The text of a dataset, and small pictures of rows spread over the table."""
    rows = sorted({round(row) for row in np.linspace(0, len(dataset) - 1, min(_SHOWN, len(dataset)))})
    figures = []
    for row in rows:
        title = html.escape(str(dataset.table["key"][row]), quote=True)
        try:
            figures.append(f'<img title="{title}" alt="{title}" src="{_thumbnail(dataset[row])}">')
        except ImagemillError as error:  # a file that cannot be read must not hide the table
            figures.append(f"<span>{html.escape(str(error))}</span>")
    return f"<pre>{html.escape(repr(dataset))}</pre>" + "\n".join(figures)


def _thumbnail(sample: Sample) -> str:
    """A small PNG as an address that holds it."""
    import cv2

    picture = sample.targets["image"]
    array = picture.canonical()  # type: ignore[union-attr]
    array = array[len(array) // 2] if array.ndim == 4 else array
    array = array[..., :3] if array.shape[-1] >= 3 else array[..., :1]
    if array.dtype != np.uint8:
        values = np.nan_to_num(array.astype(np.float64))
        array = ((values - values.min()) * (255 / (np.ptp(values) or 1.0))).astype(np.uint8)
    scale = 96 / max(array.shape[:2])
    size = (max(1, round(array.shape[1] * scale)), max(1, round(array.shape[0] * scale)))
    small = cv2.resize(np.ascontiguousarray(array), size, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".png", small if small.ndim == 2 else small[..., ::-1])[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(data).decode()
