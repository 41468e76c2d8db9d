"""Whole objects of a label map hidden, with their labels and boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.packed import Bools, packed
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.asked_content import Missing, all_maps, asked, missing_option, name_of_target
from imagemill.transforms.base import Transform, one_of, option, param
from imagemill.transforms.geometric._common import switch, whole_number
from imagemill.transforms.occlusion._fills import Fill, erase, fill_option
from imagemill.transforms.occlusion._parts import boxes_of_parts, edges_of
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import draw_whole

Objects = list[tuple[Bools, list[list[float]]]]
"""The pixels of each object, and the edges of the boxes that it may be known by."""


@dataclass(frozen=True, slots=True)
class MaskDropout(Transform):
    """Hide whole objects of a label map: their pixels are filled, their labels erased, their boxes dropped.

    Some objects in view are drawn, each as often. A box goes with the object whose own box (or, of a label in several
    parts, that of a part) it overlaps best, if their intersection over union is at least a half; boxes without such an
    object stay. An image without objects in view stays as it is. The recipe shows how many were hidden.

    Parameters
    ----------
    objects : whole number, pair or Choice
        How many to hide, 0 to 1000; all that there are where there are fewer.
    by : {"parts", "labels"}
        What an object is: pixels of one label that touch each other, corners included, or all pixels of a label, as in
        maps of instances.
    fill : {"mean", "noise"}, float or list of float
        The mean of each channel of the image; uniform noise from black to white; or values of the image, one, or one
        for each colour channel.
    mask_fill : int
        What label maps show there.
    hide_keypoints : bool
        Whether keypoints on a hidden object count as not visible.
    of : str, optional
        The name of the mask to go by; all that there are when left out.
    missing : {"raise", "ignore"}
        What happens to samples that came without masks: an error, or they stay as they are.

    Raises
    ------
    InputError
        When no masks came along.

    Targets
    -------
    Image changes (an alpha channel does not); Mask changes, Boxes are dropped, Keypoints hidden; Label stays. Reads
    Mask.

    Source
    ------
    Buslaev et al. (2020), "Albumentations: fast and flexible image augmentations", Information 11(2), whose transform
    of this name it is.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> image, mask = np.full((20, 20), 9, np.uint8), np.zeros((20, 20), np.uint8)
    >>> mask[2:6, 3:8] = 1
    >>> out = im.Pipeline([im.MaskDropout()], seed=0)(image=image, mask=mask, boxes=im.Boxes([[3, 2, 8, 6]]))
    >>> int((out.image == 0).sum()), int(out.mask.sum()), out.boxes.dropped.tolist()
    (20, 0, [0])
    """

    objects: Random = param(1, low=0, high=1000, whole="any")
    by: Literal["parts", "labels"] = option("parts", check=one_of("parts", "labels"))
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())
    hide_keypoints: bool = option(True, check=switch)
    of: str | None = option(None, check=name_of_target)
    missing: Missing = missing_option()

    def variants(self) -> float:
        """Unlimited: how many there are depends on the image."""
        return self._with_coin(np.inf)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def reads(self) -> str:
        return "masks"

    def draw(self, draws: Draws, frame: Frame) -> Op:
        wanted = draw_whole(draws, self.objects, "objects")
        lots = draws.uniforms(int(self.objects.bounds[1])).T
        found = asked(frame, self.of or "mask", "MaskDropout", self.missing, all_maps(frame, self.of))
        hidden = [np.zeros(tuple(shape), bool) for shape in frame.shape.tolist()]
        known: list[list[list[float]]] = [[] for _ in hidden]
        count = np.zeros(frame.n)
        for row, maps in enumerate(found or ()):
            objects = _objects(maps, self.by)
            gone = _chosen(len(objects), int(wanted[row]), lots[row])
            for i, (pixels, boxes) in enumerate(objects):
                known[row] += [[float(i in gone), *edges] for edges in boxes]
                if i in gone:
                    hidden[row] |= pixels
            count[row] = len(gone)
        draws.note("objects", count)
        none = np.zeros((frame.n, 1, frame.ndim, 2), np.int64)
        how: dict[str, Any] = {"mask_fill": self.mask_fill, "hides": self.hide_keypoints}
        how |= {"region": packed(hidden), "shape": frame.shape, "objects": _table(known, frame.ndim)}
        return erase(none, draws, frame, self.fill, "MaskDropout(fill=...)", **how)


def _objects(maps: Any, by: str) -> Objects:
    """The objects of label maps ``(*shape, K)``: map by map, by their labels, then by where they begin."""
    import scipy.ndimage as ndi

    found: Objects = []
    for layer in np.moveaxis(maps, -1, 0):
        for label in np.unique(layer[layer > 0]).tolist():
            same = layer == label
            parts, boxes = boxes_of_parts(same)
            if by == "parts":
                found += [(parts == number, [box]) for number, box in enumerate(boxes, start=1)]
            else:
                found.append((same, [edges_of(ndi.find_objects(same.astype(np.int32), 1)[0]), *boxes]))
    return found


def _chosen(there: int, wanted: int, lots: Any) -> set[int]:
    """So many different numbers below ``there``."""
    order = list(range(there))
    for i in range(min(wanted, there)):
        j = i + int(lots[i] * (there - i))
        order[i], order[j] = order[j], order[i]
    return set(order[: min(wanted, there)])


def _table(known: list[list[list[float]]], d: int) -> Any:
    """All objects ``[n, k, 1 + 2d]``: whether it is hidden, then its edges; ``nan`` fills up rows that have fewer."""
    longest = max(1, *map(len, known)) if known else 1
    found = np.full((len(known), longest, 1 + 2 * d), np.nan)
    for row, objects in enumerate(known):
        if objects:
            found[row, : len(objects)] = objects
    return found
