"""What every step is, and how steps become one pipeline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from imagemill.core.errors import InputError, ParameterError
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import Transform

__all__ = ["Compose", "HybridCompose", "Step", "transform_first"]


@dataclass(frozen=True)
class Step(ABC):
    """What can be called on a picture or joined in a :class:`Compose`."""

    @property
    @abstractmethod
    def transforms(self) -> tuple[Transform, ...]:
        """The library's own transforms that this step stands for."""

    @property
    def pipeline(self) -> Pipeline:
        """They as a pipeline, with a seed of its own, made at the first call."""
        made = self.__dict__.get("_pipeline")
        if made is None:
            made = Pipeline(self.transforms)
            object.__setattr__(self, "_pipeline", made)
        return made

    def __call__(self, x: Any, *rest: Any) -> Any:
        """A picture ``(H, W, C)``, or a batch of them; what else is passed comes back beside it."""
        made = _run(self.pipeline, x)
        return (made, *rest) if rest else made


def _run(pipeline: Pipeline, x: Any) -> Any:
    x = np.asarray(x)
    if x.ndim == 4:
        axes = "cyx" if _first(x.shape[1:]) else None
        return pipeline.batch(x, axes=axes).image
    if x.ndim not in (2, 3):
        raise InputError(f"expected a picture of rank 2 or 3 or a batch of rank 4, got shape {x.shape}")
    return pipeline(x, axes="cyx" if x.ndim == 3 and _first(x.shape) else None)


def _first(shape: tuple[int, ...]) -> bool:
    """Whether a picture is a tensor already, channels first."""
    return shape[0] in (1, 3, 4) and shape[-1] not in (1, 3, 4)


class Compose:
    """Steps one after the other; those of this module that follow each other run as one pipeline.

    Parameters
    ----------
    transforms : sequence of callable
        Steps of this module, the library's own transforms, or any function of a picture.
    seed : int, optional
        For every draw; made once when left out.

    Examples
    --------
    >>> from imagemill.compat.gluon.transforms import *
    >>> augment = Compose([RandomFlipLeftRight(), RandomResizedCrop(200, scale=(0.1, 1)), ToTensor()], seed=1)
    >>> tensor = augment(np.zeros((40, 60, 3), np.uint8))
    >>> tensor.shape, tensor.dtype.name
    ((3, 200, 200), 'float32')
    """

    def __init__(self, transforms: Sequence[Any], *, seed: int | None = None) -> None:
        if not isinstance(transforms, Sequence) or not all(callable(s) or isinstance(s, Transform) for s in transforms):
            raise ParameterError(f"expected a list of steps, got {transforms!r}; write Compose([ToTensor()])")
        self.steps = tuple(transforms)
        self.parts: list[Any] = []
        gathered: list[Transform] = []
        for step in _flat(transforms):
            if isinstance(step, Transform):
                gathered.append(step)
            elif isinstance(step, Step):
                gathered.extend(step.transforms)
            else:
                # A function may do anything, so what comes before it has to be finished.
                self._close(gathered, seed)
                gathered = []
                self.parts.append(step)
        self._close(gathered, seed)

    def _close(self, gathered: list[Transform], seed: int | None) -> None:
        if gathered:
            # Every part draws from a seed of its own, and all of them follow from the first.
            own = None if seed is None else (seed + len(self.parts)) % (1 << 64)
            self.parts.append(Pipeline(gathered, seed=own))

    @property
    def pipeline(self) -> Pipeline:
        """The one pipeline that all steps make.

        Raises
        ------
        InputError
            When a function of the user stands among them.
        """
        if len(self.parts) != 1 or not isinstance(self.parts[0], Pipeline):
            raise InputError("expected steps of one pipeline, got a function among them; use .parts")
        return self.parts[0]

    def __call__(self, x: Any, *rest: Any) -> Any:
        """A picture ``(H, W, C)``, or a batch of them; what else is passed comes back beside it."""
        for part in self.parts:
            x = _run(part, x) if isinstance(part, Pipeline) else part(x)
        return (x, *rest) if rest else x

    def __len__(self) -> int:
        return len(self.steps)


HybridCompose = Compose


def _flat(steps: Sequence[Any]) -> Iterator[Any]:
    """Steps, those of a Compose within as well."""
    return chain.from_iterable(_flat(s.steps) if isinstance(s, Compose) else (s,) for s in steps)


class transform_first(Sequence[Any]):  # noqa: N801  the name is that of the method it stands for
    """A dataset whose samples have a function applied to their first part, when they are asked for.

    Parameters
    ----------
    dataset : sequence of tuple
        Such as (image, label) pairs.
    function : callable

    Examples
    --------
    >>> from imagemill.compat.gluon.transforms import ToTensor
    >>> pairs = transform_first([(np.zeros((4, 4, 3), np.uint8), 7)], ToTensor())
    >>> pairs[0][0].shape, pairs[0][1]
    ((3, 4, 4), 7)
    """

    def __init__(self, dataset: Any, function: Callable[[Any], Any]) -> None:
        self.dataset, self.function = dataset, function

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        sample = self.dataset[i]
        return (self.function(sample[0]), *sample[1:]) if isinstance(sample, tuple) else self.function(sample)
