"""Pictures for the page of an audit: a few images, decoded once more at the size that is shown, and counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.audits.glance import Glance, to_rgb8
from imagemill.audits.survey import Survey
from imagemill.core.errors import ImagemillError
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.records.loading import load_mask, load_picture
from imagemill.data.records.record import Record
from imagemill.pages import Figure

__all__ = ["PagePictures"]

Array = npt.NDArray[Any]

SIDE = 192
"""Longer side of what is embedded, pixels; a page shows it at half of that, which is sharp on a dense screen."""
_SHOWN = 96
_FINE = 64
"""Images up to this size keep every pixel; larger ones are stored as JPEG."""
_COLOURS = np.array(
    [[255, 255, 255], [230, 60, 40], [40, 160, 240], [60, 200, 90], [240, 180, 30], [190, 90, 220]], np.float64
)
"""Of the values of label maps, from 0, which is never drawn."""


class PagePictures:
    """Hands out small pictures of images, up to a number of them.

    Parameters
    ----------
    survey : Survey
    most : int
        So many pictures are handed out, one again as often as it is asked for; then none.
    """

    def __init__(self, survey: Survey, most: int) -> None:
        self.survey, self.most = survey, most
        self.embedded = self.left_out = 0
        self._made: dict[tuple[str, bool], Figure] = {}

    def of(
        self, places: Iterable[str], *, annotated: bool = False, said: Mapping[str, str] | None = None
    ) -> list[Figure]:
        """The small pictures in their own shape, with the name and class of each; what cannot be shown is left out.

        Parameters
        ----------
        places : iterable of str
        annotated : bool
            With boxes and label maps drawn.
        said : mapping of str to str, optional
            By place what stands there in place of its name and class.
        """
        shown = [(place, figure) for place in places if (figure := self._one(place, annotated)) is not None]
        words = said or {}
        return [replace(figure, caption=words.get(place, figure.caption)) for place, figure in shown]

    def _one(self, place: str, annotated: bool) -> Figure | None:  # noqa: FBT001 - part of what is remembered
        found = self.survey.found(place)
        glance = None if found is None else found[0].glances[found[1]]
        if found is None or glance is None:
            return None
        if self.embedded >= self.most:
            self.left_out += 1
            return None
        self.embedded += 1
        if (place, annotated) not in self._made:
            self._made[place, annotated] = self._decoded(place, *found, glance, annotated=annotated)
        return self._made[place, annotated]

    @staticmethod
    def _decoded(place: str, survey: Survey, row: int, glance: Glance, *, annotated: bool) -> Figure:
        record = survey.records[row]
        told = (survey.labels[row], record.split)
        words = ", ".join([place, *(word for word in told if word and word not in place.split("/"))])
        if glance.view is not None:  # of a scan: the slice with most of its labels, drawn over it
            return Figure(_fitted(glance.view), words)
        try:
            rgb = _annotated(record, glance) if annotated else _shown(record)
        except (ImagemillError, OSError):
            # The files are gone since they were looked at: what was kept of them is shown, and the words say so.
            rgb = cv2.resize(glance.small, _size(glance.shape[-2:], _SHOWN)).astype(np.uint8)
            words += " (as it was seen; the file cannot be read any more)"
        return Figure(rgb, words, photo=max(glance.shape[-2:]) > _FINE)


def _size(shape: tuple[int, ...], longer: int) -> tuple[int, int]:
    """Width and height whose longer one is so many pixels."""
    scale = longer / max(shape)
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def _shown(record: Record) -> Array:
    """The image as a screen would show it."""
    rgb, _ = to_rgb8(load_picture(record.image, ReadOptions(at_least=SIDE)))
    return _fitted(rgb)


def _fitted(rgb: Array) -> Array:
    """Shrunk to `SIDE`, or each pixel repeated where the image is smaller."""
    longer = max(rgb.shape[:2])
    if longer > SIDE:
        return cv2.resize(rgb, _size(rgb.shape[:2], SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    times = max(1, round(_SHOWN / longer))
    return rgb.repeat(times, axis=0).repeat(times, axis=1)


def _annotated(record: Record, glance: Glance) -> Array:
    """The same with its label map in colours and its boxes; a volume has a view with its labels already."""
    if record.mask is None:
        drawn = _shown(record)
    else:
        whole = load_picture(record.image, ReadOptions())
        labels = load_mask(record.mask, like=whole, frame=record.frame).array
        rgb = to_rgb8(whole)[0].astype(np.float64)
        colours = _COLOURS[labels.astype(np.int64) % len(_COLOURS)]
        drawn = _fitted(np.where((labels > 0)[..., None], 0.55 * rgb + 0.45 * colours, rgb).astype(np.uint8))
    drawn = np.ascontiguousarray(drawn)
    scale = drawn.shape[1] / glance.shape[-1]
    for one in record.objects or ():
        # Boxes of a photo that EXIF turns may be meant on either frame: they are not drawn on a guess.
        if one.box is not None and glance.file.orientation == 1:
            x, y, wide, high = (value * scale for value in one.box)
            cv2.rectangle(drawn, (round(x), round(y)), (round(x + wide), round(y + high)), (255, 60, 40), 1)
    return drawn
