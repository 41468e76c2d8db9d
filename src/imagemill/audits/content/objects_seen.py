"""The object in each image: where it is, how large, how turned and of which colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imagemill.audits.content.bursts import bursts_of
from imagemill.audits.content.colour_names import COLOURS, colour_numbers
from imagemill.audits.content.standing_out import standing_out
from imagemill.audits.glance import SMALL, Glance
from imagemill.audits.survey import Survey
from imagemill.data.records.record import Record

__all__ = ["BOX", "LABEL_MAP", "STANDS_OUT", "Objects", "objects_seen"]

Floats = npt.NDArray[np.float64]

LABEL_MAP, BOX, STANDS_OUT = "its label map", "its bounding box", "what stands out from the border"

MOST = 300
"""Images of a class that are looked at: enough to tell a share of a tenth to within a few hundredths."""
_LONG = 1.3
"""How much longer than wide an object has to be for its turn to mean anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """Objects of a survey, one row each; every burst counts once.

    Parameters
    ----------
    rows : array ``[n]`` of int
        The record that each is in.
    classes : array ``[n]`` of object
        Its class; empty where there is none.
    size : array ``[n]``
        Square root of its share of the image.
    x, y : array ``[n]``, 0 to 1
        Its centre, as a share of the width and of the height.
    degrees : array ``[n]``
        Of its longer axis from the horizontal, -90 to 90, counter-clockwise; NaN where it is about as long as wide.
    colour : array ``[n]`` of int
        The commonest of its colours, as a place in `COLOURS`; -1 where it is not known.
    how : array ``[n]`` of object
        What says where it is: `LABEL_MAP`, `BOX` or `STANDS_OUT`.
    looked : mapping of str to int
        Images of each class that were looked at, those with no object that stands out among them; without those
        whose bounding boxes say where objects are.
    """

    rows: npt.NDArray[np.int64]
    classes: npt.NDArray[np.object_]
    size: Floats
    x: Floats
    y: Floats
    degrees: Floats
    colour: npt.NDArray[np.int64]
    how: npt.NDArray[np.object_]
    looked: dict[str, int]


def objects_seen(survey: Survey) -> Objects:
    """Find the object of each image, of at most `MOST` images of a class; volumes are left out.

    The label map says where it is; else the bounding boxes, each an object of its own; else what stands out from the
    border.
    """
    rows = _chosen(survey)
    found: list[tuple[int, str, float, float, float, float, int, str]] = []
    unknown: list[int] = []
    looked: Counter[str] = Counter()
    for row in rows:
        glance, record = survey.glances[row], survey.records[row]
        assert glance is not None
        by_box = glance.foreground is None and bool(record.objects)
        looked.update([] if by_box else [survey.labels[row] or ""])
        if glance.foreground is not None:
            found += _of_mask(row, survey.labels[row] or "", glance, glance.foreground > 127, LABEL_MAP)
        elif by_box:
            found += _of_boxes(row, record, glance)
        else:
            unknown.append(row)
    if unknown:
        shown = [glance for row in unknown if (glance := survey.glances[row]) is not None]
        for row, glance, mask in zip(unknown, shown, standing_out(np.stack([one.small for one in shown])), strict=True):
            found += _of_mask(row, survey.labels[row] or "", glance, mask, STANDS_OUT)
    columns = list(zip(*found, strict=True)) if found else [()] * 8
    size, x, y, degrees = (np.array(column, np.float64) for column in columns[2:6])
    return Objects(
        np.array(columns[0], np.int64),
        np.array(columns[1], object),
        size,
        x,
        y,
        degrees,
        np.array(columns[6], np.int64),
        np.array(columns[7], object),
        dict(looked),
    )


def _chosen(survey: Survey) -> list[int]:
    """One image of each burst, at most so many of a class, evenly spread."""
    bursts = bursts_of(survey)
    _, firsts = np.unique(bursts[survey.seen], return_index=True)
    of_class: dict[str, list[int]] = {}
    for row in np.sort(survey.seen[firsts]).tolist():
        glance = survey.glances[row]
        if glance is not None and len(glance.shape) == 2:
            of_class.setdefault(survey.labels[row] or "", []).append(row)
    chosen = {
        name: [rows[at] for at in np.unique(np.linspace(0, len(rows) - 1, MOST).round().astype(int)).tolist()]
        for name, rows in of_class.items()
    }
    return sorted(row for rows in chosen.values() for row in rows)


def _of_mask(
    row: int, label: str, glance: Glance, mask: npt.NDArray[np.bool_], how: str
) -> Iterator[tuple[int, str, float, float, float, float, int, str]]:
    if not mask.any():
        return
    y, x = np.nonzero(mask)
    height, width = glance.shape[-2:]
    # The small picture is squashed: turns are measured in the picture's own shape.
    across, down = (x - x.mean()) * width, (y - y.mean()) * height
    spread, axes = np.linalg.eigh(np.cov(np.stack([across, -down])) + 1e-9 * np.eye(2)) if len(x) > 2 else (None, None)
    degrees = float("nan")
    if spread is not None and axes is not None and spread[1] >= _LONG**2 * spread[0]:
        degrees = float(np.rad2deg(np.arctan(axes[1, 1] / axes[0, 1]))) if abs(axes[0, 1]) > 1e-9 else 90.0
    size = float(np.sqrt(mask.mean()))
    place = (float(x.mean() + 0.5) / SMALL, float(y.mean() + 0.5) / SMALL)
    yield row, label, size, *place, degrees, _colour(glance, mask), how


def _of_boxes(
    row: int, record: Record, glance: Glance
) -> Iterator[tuple[int, str, float, float, float, float, int, str]]:
    if record.frame == "stored" and glance.file.orientation > 1:
        return
    height, width = glance.shape[-2:]
    for one in record.objects or ():
        if one.box is None or one.crowd:
            continue
        left, top, wide, high = one.box
        right, bottom = min(left + wide, width), min(top + high, height)
        left, top = max(left, 0.0), max(top, 0.0)
        if right <= left or bottom <= top:
            continue
        size = float(np.sqrt((right - left) * (bottom - top) / (height * width)))
        place = ((left + right) / 2 / width, (top + bottom) / 2 / height)
        inside = np.zeros((SMALL, SMALL), bool)
        # The middle half of a box is mostly the object.
        edges = (
            (left + wide / 4) / width,
            (right - wide / 4) / width,
            (top + high / 4) / height,
            (bottom - high / 4) / height,
        )
        x0, x1, y0, y1 = (int(np.clip(edge, 0, 0.999) * SMALL) for edge in edges)
        inside[y0 : y1 + 1, x0 : x1 + 1] = True
        yield row, one.category, size, *place, float("nan"), _colour(glance, inside), BOX


def _colour(glance: Glance, mask: npt.NDArray[np.bool_]) -> int:
    """The commonest colour where the mask is, in the light of a white patch; -1 where the image has no colour at all.

    Source: Land and McCann (1971), "Lightness and retinex theory": the brightest is taken for white, within limits.
    """
    if glance.saturation < 1 / 255:
        return -1
    brightest = float(np.percentile(glance.small.max(axis=2), 98))
    gain = float(np.clip(245 / max(brightest, 1.0), 1.0, 1.5))
    lit = np.minimum(glance.small[mask] * gain, 255).astype(np.uint8)
    return int(np.bincount(colour_numbers(lit), minlength=len(COLOURS)).argmax())
