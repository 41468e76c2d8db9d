"""What a pipeline asks of boxes and other annotations after they were moved: how much has to be left of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats

__all__ = ["BoxRules"]

_ROUNDING = 1e-9
"""Relative: a box of exactly one pixel stays one, however its edges were rounded on the way."""


@dataclass(frozen=True, slots=True)
class BoxRules:
    """Which boxes stay after the geometry, and where they end.

    Parameters
    ----------
    min_area : float
        Fewest square pixels (in a volume: voxels) of the frame that comes out which a box has to have left in it,
        0 or more. The default, 1, drops what not even one pixel shows: slivers that a crop left, boxes of zero area.
    min_visibility : float
        Smallest share of a box, 0 to 1, that has to be left: its area in the frame over its area before it was cut,
        both after the geometry. A box that shrinks with its picture keeps a share of 1; a turned box is measured as
        the turned box, not as the upright one around it.
    clip : bool
        Cut boxes at the frame. Without it they may stand out of it, and are judged by what lies inside all the same.
    tight : bool
        Fit each box anew, around what is left of its object: its instance mask, or else its polygon, or its rotated
        box, whichever was passed beside the boxes and belongs to them (by ``index``, or as many rows where none says
        one). A turned box is as large as the box around it; the object in it is not. What is measured by the other
        rules is then the object as well. A box without any of these stays the box that it is.
    keep_empty : bool
        Keep a row for every box that was given: one that the other rules drop is drawn together to a point in the
        frame, with a visibility of 0, and columns of the caller's own stay aligned without ``index``.

    Notes
    -----
    ``min_area`` and ``min_visibility`` mean what they mean in Albumentations, but for two things: there the default of
    ``min_area`` is 0, and visibility is measured on upright boxes, so that a turned box loses share by its corners
    alone. A box of exactly the threshold stays.

    Examples
    --------
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.Crop(box=(0, 0, 10, 10))], boxes=im.BoxRules(min_visibility=0.5), seed=1)
    >>> out = pipe(image=np.zeros((20, 20)), boxes=im.Boxes([[0, 0, 8, 8], [9, 0, 13, 4]], labels=["cat", "dog"]))
    >>> out.boxes.labels, out.boxes.index.tolist(), out.boxes.visibility.tolist(), out.boxes.dropped.tolist()
    (['cat'], [0], [1.0], [1])
    """

    min_area: float = 1.0
    min_visibility: float = 0.0
    clip: bool = True
    keep_empty: bool = False
    tight: bool = False

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        for name, top in (("min_area", np.inf), ("min_visibility", 1.0)):
            value = getattr(self, name)
            number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
            if not number or not 0 <= value <= top or np.isinf(value):
                said = "square pixels, 0 or more" if np.isinf(top) else "a share from 0 to 1"
                raise ParameterError(f"expected {name} as {said}, got {value!r}; leave it out for the default")
            object.__setattr__(self, name, float(value))
        for name in ("clip", "keep_empty", "tight"):
            value = getattr(self, name)
            if not isinstance(value, bool | np.bool_):
                raise ParameterError(f"expected {name} as True or False, got {value!r}; leave it out for the default")
            object.__setattr__(self, name, bool(value))

    def keep(self, area: Floats, share: Floats) -> npt.NDArray[np.bool_]:
        """Which boxes stay, by the area and the share that are left of each, ``(k,)``; a share of 0 is nothing."""
        least, part = self.min_area * (1 - _ROUNDING), self.min_visibility * (1 - _ROUNDING)
        large = area >= least if least > 0 or self.keep_empty else area > 0
        return np.asarray(large & (share >= part) & (share > 0))

    def __str__(self) -> str:
        said = [f"at least {self.min_area:g} px² of the frame"]
        said += [f"at least {self.min_visibility:.0%} of the box"] if self.min_visibility else []
        said += [] if self.clip else ["not cut at the frame"]
        said += ["fitted to their mask or polygon"] if self.tight else []
        return ", ".join([*said, "the others as points"] if self.keep_empty else said)

    def to_dict(self) -> dict[str, Any]:
        """What differs from the defaults, as plain values."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) != f.default}

    @classmethod
    def from_dict(cls, described: Any) -> BoxRules:
        """Read what :meth:`to_dict` wrote; unknown names are refused.

        Raises
        ------
        ParameterError
        """
        known = [f.name for f in fields(cls)]
        if not isinstance(described, Mapping) or set(described) - set(known):
            raise ParameterError(f"expected rules for boxes with the names {', '.join(known)}, got {described!r}")
        return cls(**described)
