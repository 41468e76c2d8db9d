"""A body that moves while it is scanned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import axis_names, whole_number
from imagemill.transforms.medical._axes import drawn_axis
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class MotionArtefact(Transform):
    """Move the body a few times while the scan is made: parts of the spectrum are those of other positions.

    The scan reads its spectrum along an axis from one end to the other. At drawn times the body jumps to another
    position, turned and shifted; the label map stays where the body was at first.

    Parameters
    ----------
    degrees : number, pair or Distribution, degrees
        Turn of each position in each plane; rigid in millimetres. -90 to 90.
    millimetres : number, pair or Distribution, millimetres
        Shift of each position along each axis. -100 to 100.
    count : int
        How many times it moves, 1 to 16.
    axes : str, optional
        The axes to draw one of, along which lines are read; all by default.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Shaw, Sudre, Ourselin and Cardoso (2019), "MRI k-space motion artefact augmentation", MIDL.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> scan = np.zeros((16, 16))
    >>> scan[4:12, 4:12] = 1
    >>> made = im.Pipeline([im.MotionArtefact(0, (2, 3), axes="y")], seed=0)(scan)
    >>> bool(np.isclose(made.mean(), scan.mean()) and np.abs(made - scan).max() > 0)
    True
    """

    degrees: Random = param((-10.0, 10.0), low=-90, high=90, unit="degrees")
    millimetres: Random = param((-10.0, 10.0), low=-100, high=100, unit="millimetres")
    count: int = option(2, check=whole_number(low=1))
    axes: str | None = option(None, check=axis_names)

    def check(self) -> None:
        if self.count > 16:
            raise ParameterError(f"expected MotionArtefact(count=...) of 16 at most, got {self.count}")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def variants(self) -> float:
        """Unlimited: the times are continuous."""
        still = self.degrees.bounds == self.millimetres.bounds == (0, 0)
        return self._with_coin(1.0 if still else np.inf)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        axis = drawn_axis(draws, self.axes, frame)
        # The middle of the spectrum is read while the body lies as the label map has it.
        times = 0.5 + np.sort(draws.uniforms(self.count), axis=0).T / 2
        planes = ["yx"] if frame.ndim == 2 else ["yx", "zy", "zx"]
        matrices = [geo.identity(frame.n, frame.ndim)]
        for number in range(self.count):
            linear = geo.identity(frame.n, frame.ndim - 1)
            for plane in planes:
                turn = geo.rotation(draws(self.degrees, f"degrees.{number}.{plane}"), frame.plane(plane), frame.ndim)
                linear = linear @ turn
            drawn = [draws(self.millimetres, f"millimetres.{number}.{name}") for name in frame.axes]
            shift = geo.translation(-np.stack(drawn, axis=1) / frame.spacing)
            matrices.append(geo.about(linear, frame.centre, frame.spacing) @ shift)
        return Filter("motion", (np.stack(matrices, axis=1), times, axis), colours(frame))
