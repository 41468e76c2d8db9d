"""What could give a class away: what is known of each image besides what it shows, and its pixels as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from imagemill.audits.content.bursts import seconds_of
from imagemill.audits.content.light_kinds import UNKNOWN, hour_of, lights_of
from imagemill.audits.survey import Survey
from imagemill.data.records.instances import Scalar

__all__ = ["Property", "number_in", "properties_of"]

Kind = Literal["seen", "content", "origin", "order"]

_FRAME = 0.87
"""Margins of one colour are what digits are drawn on: a frame tells nearly all that the whole image does."""
_NUMBERED = 0.95
"""Share of names or cells that have to hold a number for their numbers to be an order."""


@dataclass(frozen=True, slots=True, eq=False)
class Property:
    """One property of each image.

    Parameters
    ----------
    name : str
        In words that end "the class can be told from the ...".
    values : array ``[n]`` or ``[n, features]``
        One for each record: numbers with NaN, or texts, empty where there is none; or several numbers of each.
    kind : {"seen", "content", "origin", "order"}
        ``seen`` is of the file and reaches the network; ``content`` is of the pixels, and may be what the class is;
        ``origin`` says where the image comes from; ``order`` where it stands.
    of_whole : float, 0 to 1
        Share of what the whole image tells that it has to reach: what is shown may have such borders.
    """

    name: str
    values: npt.NDArray[Any]
    kind: Kind
    of_whole: float = 0.0


def properties_of(survey: Survey) -> list[Property]:
    """All properties of a survey."""
    glances = survey.glances
    facts = [None if glance is None else glance.file for glance in glances]
    numbers, share = survey.numbers, survey.settings.shortcut
    brightness = np.stack([numbers(lambda g, at=at: g.brightness[at]) for at in range(5)], axis=1)  # type: ignore[misc]
    lights = [light if light != UNKNOWN else "" for light in lights_of(glances)]
    return [
        Property("width", numbers(lambda g: g.shape[-1]), "seen"),
        Property("height", numbers(lambda g: g.shape[-2]), "seen"),
        Property("aspect", numbers(lambda g: g.shape[-1] / g.shape[-2]), "seen"),
        Property("kind of pixels", _texts([None if g is None else g.kind for g in glances]), "seen"),
        Property("format", _texts([None if f is None else f.format for f in facts]), "seen"),
        Property("JPEG quality", numbers(lambda g: g.file.quality), "seen"),
        # In steps, so that frames that differ by a pixel are one.
        Property("border", numbers(lambda g: round(20 * g.border) / 20), "seen", _FRAME),
        Property("brightness", brightness, "content", share),
        Property("saturation", numbers(lambda g: g.saturation), "content", share),
        Property("warmth of the light", numbers(lambda g: g.warmth), "content", share),
        Property("sharpness", numbers(lambda g: g.sharpness), "content", share),
        Property("noise", numbers(lambda g: g.noise), "content", share),
        Property("camera", _texts([None if f is None else f.camera for f in facts]), "origin"),
        Property("software", _texts([None if f is None else f.software for f in facts]), "origin"),
        Property("day", _texts([None if f is None else f.taken[:10] for f in facts]), "origin"),
        Property("date", seconds_of(survey), "origin"),
        Property("hour", np.array([np.nan if f is None else hour_of(f.taken) for f in facts]), "origin"),
        Property("light", _texts(lights), "origin"),
        *_columns(survey),
        *_order(survey),
    ]


def _columns(survey: Survey) -> list[Property]:
    """Columns of the source, and of a table of attributes."""
    found = []
    for column in dict.fromkeys(name for record in survey.records for name in record.attributes):
        cells = [record.attributes.get(column) for record in survey.records]
        if all(isinstance(cell, int | float) or cell is None for cell in cells):
            values = np.array([np.nan if cell is None else float(cell) for cell in cells])
            found.append(Property(f"column {column}", values, "origin"))
            continue
        found.append(
            Property(f"column {column}", _texts([None if cell is None else str(cell) for cell in cells]), "origin")
        )
        # P-0001, P-0002... differ from image to image, and their numbers may still follow the class.
        if (ordered := number_in(cells)) is not None and len(set(cells)) > len(cells) / 2:
            found.append(Property(f"number in column {column}", ordered, "origin"))
    return found


def _order(survey: Survey) -> list[Property]:
    names = [record.key.rpartition("/")[2] for record in survey.records]
    found = []
    if (ordered := number_in(names)) is not None:
        found.append(Property("number in the file name", ordered, "order"))
    # Folders come one after the other: that is no order that anybody made.
    if not any("/" in record.key for record in survey.records):
        found.append(Property("place in the order", np.arange(len(names), dtype=np.float64), "order"))
    return found


def number_in(cells: Sequence[Scalar | None]) -> npt.NDArray[np.float64] | None:
    """The last number of each text; None unless nearly all have one.

    Examples
    --------
    >>> number_in(["IMG_0012.jpg", "IMG_7.jpg"]).tolist()
    [12.0, 7.0]
    >>> number_in(["a", "b7"]) is None
    True
    """
    found = [
        re.findall(r"\d+", str(cell).rpartition(".")[0] or str(cell)) if cell is not None else [] for cell in cells
    ]
    if not found or sum(map(bool, found)) < _NUMBERED * len(found):
        return None
    return np.array([float(one[-1][:15]) if one else np.nan for one in found])


def _texts(values: Sequence[str | None]) -> npt.NDArray[np.object_]:
    return np.array([value or "" for value in values], object)
