"""A box of one sample on another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Blend, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import OptionalRandom
from imagemill.transforms.base import Transform, number, option, param
from imagemill.transforms.mixing._shares import Classes, Labels, beta_quantile, classes_option, labels_option, said
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class CutMix(Transform):
    """Show a box of another sample of the batch, at its place, and weight labels by the area that is seen of each.

    Partners are those of `MixUp`. The box has the proportions of the image and a centre anywhere in it, and is cut at
    the edge; in a volume it is one of voxels, along all axes.

    Parameters
    ----------
    alpha : float
        Above 0: the share of the image that is kept, before the box is cut at the edge, is drawn from
        Beta(alpha, alpha).
    area : number, pair or Distribution, optional
        The share of the box, 0 to 1, instead.
    classes : int or list of str, optional
        How many classes there are, or their names in the order of their numbers: needed for labels that are numbers or
        names of classes. A `Loader` knows them from its dataset.
    labels : {"soft", "pairs"}
        ``soft``: a share for each class, float32 ``[classes]``. ``pairs``: the two labels and the share of the first.
        Quantities (floating point) are averaged, rows of 0 and 1 weighted.

    Targets
    -------
    Image, Mask, InstanceMasks change, label maps exactly; Label changes by the area that is seen. Boxes are those of
    both, cut to what is seen of them, and dropped where `BoxRules` says that it is too little; Keypoints those of both,
    visible where they are seen. Columns ``source`` and ``weight`` say whose they are. Polygons raise.

    Source
    ------
    Yun, Han, Oh, Chun, Choe and Yoo (2019), "CutMix: regularization strategy to train strong classifiers with
    localizable features", ICCV.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.CutMix(area=0.25, classes=2)], seed=5)
    >>> batch = pipe.batch(np.stack([np.zeros((8, 8), np.uint8), np.ones((8, 8), np.uint8)]), label=[0, 1])
    >>> int(batch.image[0].sum()), batch.label[0].tolist()
    (6, [0.90625, 0.09375])
    """

    alpha: float = option(1.0, check=number(low=1e-3, high=1e3))
    area: OptionalRandom = param(None, low=0, high=1)
    classes: Classes = classes_option()
    labels: Labels = labels_option()

    def traits(self) -> Traits:
        return Traits(apart=True, group=2, mixes="area")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        n, d = frame.shape.shape
        if self.area is None:
            share = 1 - beta_quantile(draws.uniform(), self.alpha, self.alpha)
            draws.note("area", share)
        else:
            share = draws(self.area)
        sides = np.rint(frame.shape * share[:, None] ** (1 / d)).astype(np.int64)
        box = np.empty((n, d, 2), np.int64)
        for axis in range(d):
            centre = np.floor(draws.uniform() * frame.shape[:, axis]).astype(np.int64)
            first = centre - sides[:, axis] // 2
            box[:, axis] = np.clip(np.stack([first, first + sides[:, axis]], axis=1), 0, frame.shape[:, axis, None])
            draws.note(f"start.{frame.axes[axis]}", box[:, axis, 0])
        own = 1 - np.diff(box)[..., 0].prod(axis=1) / frame.shape.prod(axis=1)
        whole = np.stack([np.zeros_like(frame.shape), frame.shape], axis=2)
        return Blend(
            "regions",
            frame.partners(1),
            np.stack([own, 1 - own], axis=1),
            frame.shape,
            said(self.labels, self.classes),
            regions=np.stack([whole, box], axis=1),
        )

    def variants(self) -> float:
        """As many as there are partners, at least, which nobody knows."""
        return self._with_coin(np.inf)
