"""Hidden holes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from imagemill.core.content import Array, Floats
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame, Ints
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import PerAxis, Random, Read
from imagemill.transforms.asked_content import Missing, all_maps, asked, missing_option, name_of_target
from imagemill.transforms.base import Transform, one_of, option, param
from imagemill.transforms.cropping._known import boxes_in_view
from imagemill.transforms.geometric._common import switch, wholes
from imagemill.transforms.occlusion._fills import Fill, erase, fill_option, mask_fill_option
from imagemill.transforms.occlusion._parts import boxes_of_parts
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import draw_whole


def _some_labels(name: str, value: Any) -> tuple[int, ...]:
    """A check for one label or several."""
    count = len(value) if isinstance(value, list | tuple) and value else 1
    labels: tuple[int, ...] = wholes(count, low=1)(name, value)
    return labels


@dataclass(frozen=True, slots=True)
class CoarseDropout(Transform):
    """Hide some holes of a size, anywhere inside the image: with one square hole it is Cutout.

    Parameters
    ----------
    holes : whole number, pair or Choice
        How many, 0 to 1000. They may overlap.
    size : number, pair, Distribution, or mapping from axis to one
        Side of a hole as a share of the image's side, 0 to 1, drawn for each hole and each axis; in volumes along ``z``
        as well. A mapping names the axes; along the others a hole is as long as the image.
    fill : {"mean", "noise"}, float or list of float
        The mean of each channel of the image; uniform noise from black to white; or values of the image, one, or one
        for each colour channel.
    mask_fill : int, optional
        What label maps show there; by default they keep what is hidden.
    hide_keypoints : bool
        Whether keypoints in a hole count as not visible.
    where : {"boxes", "masks"}, optional
        Holes lie on objects, each on one that is drawn anew: inside its box, and ``size`` are shares of that box. Of
        masks an object is what touches and has one label. An image without objects in view stays as it is.
    labels : int or tuple of int, optional
        With masks, the labels whose objects count; all above 0 when left out.
    of : str, optional
        The name of the boxes or the mask to go by; ``boxes``, or all masks, when left out.
    missing : {"raise", "ignore"}
        What happens with ``where`` to samples that came without such: an error, or they stay as they are.

    Raises
    ------
    InputError
        When ``where`` asks for boxes or masks that did not come along.

    Targets
    -------
    Image changes (an alpha channel does not); Mask and Map with ``mask_fill``, Keypoints with ``hide_keypoints``;
    Boxes, Label stay: what is hidden is still there. Reads Boxes or Mask with ``where``.

    Source
    ------
    DeVries and Taylor (2017), "Improved regularization of convolutional neural networks with Cutout", arXiv:1708.04552.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.CoarseDropout(1, 0.5)], seed=1)(np.full((4, 4), 9, np.uint8)).sum()
    np.uint64(108)
    """

    holes: Random = param((1, 8), low=0, high=1000, whole="any")
    size: PerAxis = param((0.05, 0.2), low=0, high=1, per_axis=True)
    fill: Fill = fill_option()
    mask_fill: int | None = mask_fill_option()
    hide_keypoints: bool = option(False, check=switch)
    where: Literal["boxes", "masks"] | None = option(None, check=one_of("boxes", "masks"))
    labels: Read[int | Sequence[int] | None, tuple[int, ...] | None] = option(None, check=_some_labels)
    of: str | None = option(None, check=name_of_target)
    missing: Missing = missing_option()

    def check(self) -> None:
        if self.where != "masks" and self.labels is not None:
            raise ParameterError("expected CoarseDropout(labels=...) only with where='masks'; say so, or drop labels")
        if self.where is None and self.of is not None:
            raise ParameterError("expected CoarseDropout(of=...) only with where=...; say 'boxes' or 'masks'")

    def reads(self) -> str:
        return self.where or ""

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        count = draw_whole(draws, self.holes, "holes")
        # As many as the most there could be are drawn, so that a hole is the same whatever the batch.
        most = int(self.holes.bounds[1])
        boxes = np.zeros((frame.n, most, frame.ndim, 2), np.int64)
        there = np.arange(most) < count[:, None]
        low, side = self._places(draws, frame, most)
        for axis, name in enumerate(frame.axes):
            size = self.size.get(name) if isinstance(self.size, Mapping) else self.size
            first, length = low[:, :, axis], side[:, :, axis]
            boxes[:, :, axis, 0] = first
            if size is None:
                boxes[:, :, axis, 1] = np.where(there, first + length, first)
                continue
            shares, places = draws.uniforms(most).T, draws.uniforms(most).T
            shares = draws.of(size, shares)
            hidden = np.minimum(np.maximum(np.rint(shares * length), shares > 0), length).astype(np.int64)
            start = first + np.floor(places * (length - hidden + 1)).astype(np.int64)
            boxes[:, :, axis, 0] = start
            boxes[:, :, axis, 1] = np.where(there, start + hidden, start)
        how = {"mask_fill": self.mask_fill, "hides": self.hide_keypoints}
        return erase(boxes, draws, frame, self.fill, "CoarseDropout(fill=...)", **how)

    def _places(self, draws: Draws, frame: Frame, most: int) -> tuple[Ints, Ints]:
        """First pixel and sides, ``[n, most, d]`` each, of where each hole may be; sides of 0 where it may not."""
        if self.where is None:
            side = np.repeat(frame.shape[:, None], most, axis=1)
            return np.zeros_like(side), side
        which = draws.uniforms(most).T
        low = np.zeros((frame.n, most, frame.ndim), np.int64)
        side = np.zeros_like(low)
        for row, edges in enumerate(self._objects(frame)):
            if len(edges):
                # Box edges lie between pixels; a pixel counts whose middle is inside.
                chosen = edges[np.floor(which[row] * len(edges)).astype(np.int64)]
                first, last = np.ceil(chosen[:, : frame.ndim]), np.floor(chosen[:, frame.ndim :])
                low[row], side[row] = first, np.maximum(last - first + 1, 0)
        return low, side

    def _objects(self, frame: Frame) -> Sequence[Floats]:
        """Edges ``(k, 2d)`` of the objects in view of each image."""
        if self.where == "boxes":
            return boxes_in_view(frame, "CoarseDropout(where='boxes')", self.missing, self.of)
        owner = "CoarseDropout(where='masks')"
        found = asked(frame, self.of or "mask", owner, self.missing, all_maps(frame, self.of))
        return [_edges_in(maps, self.labels) for maps in found or ()]

    def variants(self) -> float:
        """Continuous, or as many as there are places, which depends on the image."""
        return self._with_coin(np.inf)


def _edges_in(maps: Array, labels: tuple[int, ...] | None) -> Floats:
    """Edges ``(k, 2d)`` of what touches and has one label in label maps ``(*shape, K)``."""
    found = [
        box
        for layer in np.moveaxis(maps, -1, 0)
        for label in np.unique(layer[layer > 0]).tolist()
        if labels is None or label in labels
        for box in boxes_of_parts(layer == label)[1]
    ]
    return np.array(found, np.float64).reshape(len(found), 2 * (maps.ndim - 1))
