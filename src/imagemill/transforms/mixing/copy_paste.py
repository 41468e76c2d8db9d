"""Objects of one sample on another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Blend, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.mixing._shares import Classes, Labels, classes_option, labels_option, said
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class CopyPaste(Transform):
    """Put objects of another sample of the batch on this one, at their places, with all that is annotated of them.

    Partners are those of `MixUp`. What is an object: each of the instance masks, if there are any; else each box, cut
    out by what the label map says is no background; else each label of the map but 0; else each box as it is.

    Parameters
    ----------
    share : number, pair or Distribution
        The chance of each object to be put on, 0 to 1.
    classes : int or list of str, optional
        How many classes there are, or their names in the order of their numbers: needed for labels that are numbers or
        names of classes. A `Loader` knows them from its dataset.
    labels : {"soft", "pairs"}
        ``soft``: a share for each class, float32 ``[classes]``. ``pairs``: the two labels and the share of the first.
        Quantities (floating point) are averaged, rows of 0 and 1 weighted.

    Targets
    -------
    Image, Mask change, label maps exactly. InstanceMasks, Boxes and Keypoints are the sample's own, those hidden taken
    away as for `CutMix`, and the partner's that came along; columns ``source`` and ``weight`` say whose they are.
    Label changes by the area that is seen. Polygons raise.

    Source
    ------
    Ghiasi, Cui, Srinivas, Qian, Lin, Cubuk, Le and Zoph (2021), "Simple copy-paste is a strong data augmentation method
    for instance segmentation", CVPR.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> images, masks = np.array([[[10, 10]], [[20, 20]]], np.uint8), np.array([[[0, 0]], [[0, 7]]], np.uint8)
    >>> batch = im.Pipeline([im.CopyPaste(1)], seed=1).batch(images, mask=masks)
    >>> batch.image[0].tolist(), batch.mask[0].tolist()
    ([[10, 20]], [[0, 7]])
    """

    share: Random = param(0.5, low=0, high=1)
    classes: Classes = classes_option()
    labels: Labels = labels_option()

    def traits(self) -> Traits:
        return Traits(apart=True, group=2, mixes="objects")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        weight = np.tile([1.0, 0.0], (frame.n, 1))
        labels = said(self.labels, self.classes)
        return Blend(
            "objects", frame.partners(1), weight, frame.shape, labels, share=draws(self.share), stream=draws.stream()
        )

    def variants(self) -> float:
        """As many as there are objects to choose from, which nobody knows."""
        return self._with_coin(np.inf)
