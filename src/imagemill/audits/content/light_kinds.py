"""The light an image was taken in, as far as its file says: by exposure and hour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imagemill.audits.glance import Glance

__all__ = ["KINDS_OF_LIGHT", "hour_of", "light_of", "lights_of"]

DAY, DUSK, BRIGHT, DIM, UNKNOWN = "day", "dusk", "indoor bright", "indoor dim", "unknown"
KINDS_OF_LIGHT = (DAY, DUSK, BRIGHT, DIM, UNKNOWN)

_DAYLIGHT = 11.5
"""Open shade and a heavy overcast have 12 stops, floodlit stadiums 9, a landscape just after sunset 9 to 11."""
_LIT_WELL = 6.5
"""Offices and work rooms have 7 to 8 stops, a home at night 5 to 6, a landscape after dusk less than 7."""
_MORNING, _FULL_DAY, _EVENING, _NIGHT = 4, 9, 16, 22


def light_of(exposure_value: float, hour: float, *, flash: bool = False) -> str:
    """What light a scene had, of `KINDS_OF_LIGHT`.

    Parameters
    ----------
    exposure_value : float
        Brightness of the scene at ISO 100, in stops (EV); NaN where it is not known.
    hour : float, 0 to 24
        By the camera's clock; NaN where it is not known.
    flash : bool
        Whether the flash fired: then the exposure says nothing of the scene's own light.

    Notes
    -----
    Exposure values of scenes as in ANSI PH2.7-1986, "General-purpose photographic exposure guide": 15 in the sun, 12 in
    open shade, 9 to 11 in the ten minutes about sunset, 7 to 8 in bright rooms, 5 to 6 in homes at night. Between dusk
    and a bright room the hour decides; without it the answer is unknown.

    Examples
    --------
    >>> light_of(14.0, float("nan")), light_of(9.5, 19.0), light_of(7.5, 12.0), light_of(5.0, 21.0)
    ('day', 'dusk', 'indoor bright', 'indoor dim')
    >>> light_of(9.5, float("nan"))
    'unknown'
    """
    if flash or not np.isfinite(exposure_value):
        return UNKNOWN
    if exposure_value >= _DAYLIGHT:
        return DAY
    if not np.isfinite(hour):
        return UNKNOWN
    if _FULL_DAY <= hour < _EVENING:
        # The sun is up: what is darker than shade has a roof.
        return BRIGHT if exposure_value >= _LIT_WELL else DIM
    if _MORNING <= hour < _FULL_DAY or _EVENING <= hour < _NIGHT:
        if exposure_value >= 9:
            return DUSK
        return DIM if exposure_value < _LIT_WELL else UNKNOWN
    return BRIGHT if exposure_value >= _LIT_WELL else DIM


def hour_of(taken: str) -> float:
    """The hour of EXIF's ``YYYY:MM:DD HH:MM:SS``, 0 to 24; NaN where there is none.

    Midnight to the second is what cameras without a clock write.

    Examples
    --------
    >>> hour_of("2024:05:01 18:30:00"), hour_of("2024:05:01 00:00:00"), hour_of("")
    (18.5, nan, nan)
    """
    time = taken[11:19].split(":")
    if len(time) != 3 or not all(part.strip().isdecimal() for part in time):
        return float("nan")
    hour, minute, second = (int(part) for part in time)
    if hour > 23 or minute > 59 or (hour, minute, second) == (0, 0, 0):
        return float("nan")
    return hour + minute / 60 + second / 3600


def lights_of(glances: Sequence[Glance | None]) -> list[str]:
    """The light of each image."""
    return [
        UNKNOWN
        if glance is None
        else light_of(glance.file.exposure_value, hour_of(glance.file.taken), flash=glance.file.flash)
        for glance in glances
    ]
