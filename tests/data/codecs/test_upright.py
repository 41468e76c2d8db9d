from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import InputError
from imagemill.data import RLE, Instance
from imagemill.data.codecs.channels import orient
from imagemill.data.codecs.orient_annotations import orient_instances


def _runs(mask: np.ndarray) -> RLE:  # type: ignore[type-arg]
    flat, counts, at = mask.T.ravel().astype(bool), [], 0
    want = False
    while at < flat.size:
        end = at
        while end < flat.size and flat[end] == want:
            end += 1
        counts.append(end - at)
        at, want = end, not want
    return RLE(*mask.shape, tuple(counts))


@given(st.integers(1, 8), st.integers(2, 7), st.integers(2, 7), st.data())
def test_annotations_follow_the_pixels(orientation: int, height: int, width: int, data: st.DataObject) -> None:
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom, right = data.draw(st.integers(top + 1, height)), data.draw(st.integers(left + 1, width))
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = 1
    outline = (left, top, right, top, right, bottom, left, bottom)
    thing = Instance(
        "a",
        (left, top, right - left, bottom - top),
        (tuple(float(v) for v in outline),),
        _runs(mask),
        ((float(left), float(top), 2), (0.0, 0.0, 0)),
    )
    seen = orient(mask, orientation)
    (moved,) = orient_instances([thing], orientation, (height, width))
    rows, columns = np.nonzero(seen)
    box = (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
    assert moved.box == box
    xs, ys = moved.polygons[0][::2], moved.polygons[0][1::2]
    assert (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)) == box
    assert moved.rle == _runs(seen)
    point = np.zeros((height, width), np.uint8)
    point[top, left] = 1
    y, x = np.argwhere(orient(point, orientation))[0]
    assert moved.keypoints == ((x, y, 2), (0, 0, 0))


def test_a_mask_of_another_size_is_refused() -> None:
    thing = Instance("a", rle=RLE(2, 3, (6,)))
    with pytest.raises(InputError, match="expected a mask of 3 x 2 pixels"):
        orient_instances([thing], 6, (3, 2))
