"""Test-time augmentation: what a model says of several views of one image, brought back and merged."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from imagemill.core.errors import ParameterError, TargetError
from imagemill.core.extras import require
from imagemill.core.sample import Sample
from imagemill.core.targets import Array, Image
from imagemill.pipeline.merged_objects import Found, MergedObjects
from imagemill.pipeline.pipeline import Key, Pipeline
from imagemill.pipeline.votes import MERGES, Averaged, Classes, Points, Rasters
from imagemill.transforms.base import Transform
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.quarter_turn import QuarterTurn
from imagemill.transforms.geometric.resample import Resample

__all__ = ["TTA"]

Named = Literal["flip", "flips", "d4", "scales"]
AXES: tuple[Literal["z", "y", "x"], ...] = ("z", "y", "x")
Merge = Literal["mean", "max", "vote"]
Views = Sequence[Sequence[Transform]]


def _flips(axes: str) -> list[list[Transform]]:
    """Every combination of mirrors."""
    mirrors: list[Transform] = [Flip(axis) for axis in AXES if axis in axes]
    subsets = (itertools.combinations(mirrors, k) for k in range(len(mirrors) + 1))
    return [list(subset) for subset in itertools.chain.from_iterable(subsets)]


def _d4() -> list[list[Transform]]:
    return [[*flip, QuarterTurn(k)] for flip in ([], [Flip("x")]) for k in range(4)]


def _scales(shape: tuple[int, ...]) -> list[list[Transform]]:
    sizes = [tuple(max(1, round(n * factor)) for n in shape) for factor in (0.75, 1.0, 1.25)]
    return [[] if size == shape else [Resample(size)] for size in sizes]


@dataclass(frozen=True, slots=True)
class TTA:
    """What a model says of several views of one image, brought back to the image and merged.

    Parameters
    ----------
    views : {"flip", "flips", "d4", "scales"}, sequence of lists of transforms, or Pipeline
        ``"flip"``: as it is, and mirrored along x. ``"flips"``: every combination of mirrors, 4 for a picture and 8
        for a volume. ``"d4"``: quarter turns in the plane y x, as they are and mirrored, 8. ``"scales"``: 0.75, 1 and
        1.25 times as large. Lists of transforms say one view each; ``[]`` is the image as it is. Of a pipeline ``n``
        draws are taken.
    then : sequence of Transform
        What the model needs behind every view: Resize, Pad, Normalize, ToLayout. Its geometry is undone as well.
    merge : {"mean", "max", "vote"}
        The mean or the largest of scores, or the label that most views say (the lowest of those that tie). Scores of
        one channel vote at 0.5, labels can only be voted on.
    n : int
        Draws from a pipeline.
    batch_size : int
        Views of one size that the model gets at once.
    overlap : float
        Intersection over union, 0 to 1, from which on objects of one label in two views are the same.

    Notes
    -----
    The model is a function of an array ``[n, ...]`` of views, as ``then`` leaves them, or a module of PyTorch, which
    gets tensors on its own device and no gradients. It returns an array or a tensor, or a mapping from names to them:

    * ``[n, k]``: scores of classes, merged as they are;
    * ``[n, *size]``, ``[n, c, *size]`` or ``[n, *size, c]``: scores of pixels where they are floating point, labels
      where they are whole numbers;
    * under the name ``keypoints``, ``[n, k, d]``: points, x first, merged by their mean. Left and right points
      are exchanged in mirrored views where ``keypoint_names`` says their names;
    * a list with a mapping for each view, as detectors of torchvision give: ``boxes`` ``[k, 4]`` (x0, y0, x1, y1 in
      pixels), ``rotated_boxes`` ``[k, 5]`` or ``polygons``, with ``scores`` and ``labels``. What overlaps in several
      views is one object: the mean box, weighted by scores, and the mean score over all views that show its middle; of
      polygons the one most like the others. ``"max"`` keeps the surest, ``"vote"`` what more than half of those views
      found.

    Probabilities average well; logits may, and the mean is then taken of those. Pixels are merged over the views that
    show them; ``count`` says how many those are, and where it is 0 nobody said anything. The draws of a pipeline are
    those of the key in the epochs 0 to ``n - 1``, the same every time.

    Source
    ------
    Shanmugam, Blalock, Balakrishnan and Guttag (2021), "Better aggregation in test-time augmentation", ICCV. Boxes:
    Solovyev, Wang and Gabruseva (2021), "Weighted boxes fusion: ensembling boxes from different object detection
    models", Image and Vision Computing 107.

    Examples
    --------
    >>> import imagemill as im
    >>> def model(views):  # says of each pixel how bright it is
    ...     return views.astype(np.float32)
    >>> image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    >>> merged = im.TTA("d4")(model, image)
    >>> np.array_equal(merged.value, image), float(merged.spread.max()), merged.count.min()
    (True, 0.0, np.int64(8))
    """

    views: Named | Sequence[Sequence[Transform]] | Pipeline = "flip"
    then: Sequence[Transform] = ()
    merge: Merge = "mean"
    n: int = 8
    batch_size: int = 8
    keypoint_names: Sequence[str] | None = None
    overlap: float = 0.55

    def __post_init__(self) -> None:
        if self.merge not in MERGES:
            raise ParameterError(f"expected merge as one of {', '.join(MERGES)}, got {self.merge!r}")
        if isinstance(self.views, str) and self.views not in get_args(Named):
            raise ParameterError(f"expected views as one of {', '.join(get_args(Named))}, got {self.views!r}")
        share = isinstance(self.overlap, int | float) and not isinstance(self.overlap, bool)
        if not share or not 0 < self.overlap <= 1:
            raise ParameterError(f"expected overlap as a share above 0 up to 1, got {self.overlap!r}")
        for name in ("n", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                raise ParameterError(f"expected {name} as a whole number of at least 1, got {value!r}")
        if callable(self.views) and not isinstance(self.views, Pipeline):
            raise ParameterError(
                f"expected views first, and the model with the image, got the function {self.views!r}; write "
                "TTA('flips')(model, image)"
            )
        if not isinstance(self.views, str | Pipeline):
            if not isinstance(self.views, Transform | Sequence):
                raise ParameterError(
                    f"expected views as one of {', '.join(get_args(Named))}, a pipeline, or lists of transforms, "
                    f"got {self.views!r}"
                )
            listed = [] if isinstance(self.views, Transform) else list(self.views)
            if not listed or any(isinstance(view, Transform) for view in listed):
                raise ParameterError(
                    f"expected views as lists of transforms, one a view, got {self.views!r}; write "
                    "views=[[], [Flip('x')]]"
                )

    def __call__(
        self, model: Callable[[Any], Any], image: Any, *, key: Key = 0, axes: str | None = None
    ) -> Averaged | MergedObjects | dict[str, Averaged]:
        """What the model says of one image.

        Parameters
        ----------
        model : callable
        image : array, PIL image, Picture, tensor or Image
        key : str or int
            What the draws of a pipeline belong to.
        axes : str, optional
            Of a plain array.

        Returns
        -------
        Averaged, or a dict of them, or MergedObjects
            As the model returns one array, a mapping, or a list of objects for each view.
        """
        source = image if isinstance(image, Image) else Image(image, axes)
        merged: dict[str, Any] = {}
        for samples in self._batches(source, key):
            said = _asked(model, np.stack([sample.image for sample in samples]))
            if isinstance(said, list | tuple) and len(said) == len(samples):
                objects = merged.setdefault("", Found(self.merge, self.overlap))
                for sample, one in zip(samples, said, strict=True):
                    objects.add(sample, one)
                continue
            for name, values in (said if isinstance(said, Mapping) else {"": said}).items():
                self._check(name, values, len(samples))
                for sample, value in zip(samples, values, strict=True):
                    merged.setdefault(name, self._merging(name, value)).add(sample, value)
        found: dict[str, Any] = {name: one.merged() for name, one in merged.items()}
        result: Averaged | MergedObjects | dict[str, Averaged] = found.get("", found)
        return result

    def _batches(self, source: Image, key: Key) -> Iterator[list[Sample]]:
        """The views, as many of one size as go into a batch, in their order."""
        kept: dict[tuple[int, ...], list[Sample]] = {}
        for pipeline, epoch in self._pipelines(source):
            sample = pipeline(image=source, key=key, epoch=epoch)
            waiting = kept.setdefault(sample.image.shape, [])
            waiting.append(sample)
            if len(waiting) == self.batch_size:
                yield kept.pop(sample.image.shape)
        yield from kept.values()

    def _pipelines(self, source: Image) -> Iterator[tuple[Pipeline, int]]:
        if isinstance(self.views, Pipeline):
            pipeline = self.views.replace(transforms=(*self.views.transforms, *self.then))
            yield from ((pipeline, epoch) for epoch in range(self.n))
            return
        for view in self._views(source):
            yield Pipeline([*view, *self.then], seed=0), 0

    def _views(self, source: Image) -> Views:
        shape = source.canonical().shape[:-1]
        axes = "zyx"[-len(shape) :]
        if self.views == "flip":
            return [[], [Flip("x")]]
        if self.views == "scales":
            return _scales(shape)
        if isinstance(self.views, str):
            return _d4() if self.views == "d4" else _flips(axes)
        assert not isinstance(self.views, Pipeline)
        return self.views

    def _check(self, name: str, values: Any, n: int) -> None:
        if not hasattr(values, "shape") or not hasattr(values, "dtype") or len(values) != n:
            got = f"{tuple(values.shape)}" if hasattr(values, "shape") else type(values).__name__
            what = f"{name!r}" if name else "what the model says"
            raise TargetError(
                f"expected {what} as an array or a tensor with one row for each of {n} views, got {got}; objects are "
                "a list with a mapping for each view: [{'boxes': ..., 'scores': ..., 'labels': ...}, ...]"
            )

    def _merging(self, name: str, value: Any) -> Any:
        if name == "keypoints":
            return Points(self.merge, self.keypoint_names)
        return Classes(self.merge) if len(value.shape) == 1 else Rasters(self.merge)


def _asked(model: Any, views: Array) -> Any:
    """What a model says of views; a module of PyTorch gets a tensor and keeps no gradients."""
    if not (hasattr(model, "parameters") and hasattr(model, "state_dict")):
        return model(views)
    torch = require("torch", extra="torch")  # the caller has it, or there would be no module
    if model.training:
        raise ParameterError("expected the model ready to predict, got it in training mode; call model.eval() first")
    first = next(iter(model.parameters()), None)
    with torch.no_grad():
        return model(torch.from_numpy(views).to("cpu" if first is None else first.device))
