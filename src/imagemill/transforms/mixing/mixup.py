"""A weighted sum of two samples."""

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
class MixUp(Transform):
    """Add two samples of a batch, images and labels, with weights that sum to 1.

    The partner is the sample whose place in the epoch differs by an exclusive or with 1: 0 with 1, 2 with 3. So pairs
    do not depend on the size of even batches; a `Loader` fetches partners for odd ones. A last sample without a partner
    stays as it is.

    Parameters
    ----------
    alpha : float
        Above 0: the sample's own weight is drawn from Beta(alpha, alpha).
    weight : number, pair or Distribution, optional
        The sample's own weight, 0 to 1, instead.
    classes : int or list of str, optional
        How many classes there are, or their names in the order of their numbers: needed for labels that are numbers or
        names of classes. A `Loader` knows them from its dataset.
    labels : {"soft", "pairs"}
        ``soft``: a share for each class, float32 ``[classes]``. ``pairs``: the two labels and the share of the first.
        Quantities (floating point) are averaged, rows of 0 and 1 weighted.

    Targets
    -------
    Image, Label change; Boxes, Keypoints and Polygons are those of both, with columns ``source`` (0 for the sample's
    own, 1 for the partner's) and ``weight``; InstanceMasks are those of both. Mask raises, for each pixel would have
    two labels.

    Source
    ------
    Zhang, Cisse, Dauphin and Lopez-Paz (2018), "mixup: beyond empirical risk minimization", ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.MixUp(weight=0.75, classes=3)], seed=1)
    >>> batch = pipe.batch(np.array([[[0]], [[200]]], np.uint8), label=[0, 2])
    >>> batch.image.ravel().tolist(), batch.label[0].tolist()
    ([50, 150], [0.75, 0.0, 0.25])
    """

    alpha: float = option(0.2, check=number(low=1e-3, high=1e3))
    weight: OptionalRandom = param(None, low=0, high=1)
    classes: Classes = classes_option()
    labels: Labels = labels_option()

    def traits(self) -> Traits:
        return Traits(apart=True, group=2, mixes="values")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        if self.weight is None:
            own = beta_quantile(draws.uniform(), self.alpha, self.alpha)
            draws.note("weight", own)
        else:
            own = draws(self.weight)
        weight = np.stack([own, 1 - own], axis=1)
        return Blend("mix", frame.partners(1), weight, frame.shape, said(self.labels, self.classes))

    def variants(self) -> float:
        """As many as there are partners, at least, which nobody knows."""
        return self._with_coin(np.inf)
