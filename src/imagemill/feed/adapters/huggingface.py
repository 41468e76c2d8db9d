"""Hugging Face datasets: a transform that augments rows as they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagemill.core.colours import Channels
from imagemill.core.errors import InputError
from imagemill.core.randomness.default_keys import Numbering
from imagemill.feed.order.turns import Turns, by_epoch
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["HfTransform", "hf_transform"]


class HfTransform:
    """What `hf_transform` makes."""

    def __init__(self, pipeline: Pipeline, column: str, key: str | None, epoch: int | None, channels: Channels) -> None:
        self.pipeline, self.column, self.key, self.epoch, self.channels = pipeline, column, key, epoch, channels
        self._turns = Turns(Numbering())

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next; it reaches workers that are running."""
        self._turns.set_epoch(epoch)
        self.pipeline.set_epoch(epoch)

    def __call__(self, rows: Mapping[str, list[Any]]) -> dict[str, Any]:
        """Rows, with the pictures of one column augmented."""
        for name in (self.column, *([] if self.key is None else [self.key])):
            if name not in rows:
                what = "pictures" if name == self.column else "keys"
                raise InputError(f"expected a column {name!r}, got {', '.join(rows)}; say which one holds the {what}")
        pictures = list(rows[self.column])
        keys = None if self.key is None else list(rows[self.key])
        if keys is None or self.epoch is not None:
            return {**rows, self.column: self._run(pictures, keys, self.epoch)}

        def make(places: list[int], epoch: int) -> list[Any]:
            return self._run([pictures[i] for i in places], [keys[i] for i in places], epoch)

        return {**rows, self.column: by_epoch(self._turns.of(keys), make)}

    def _run(self, pictures: list[Any], keys: list[Any] | None, epoch: int | None) -> list[Any]:
        return list(self.pipeline.batch(pictures, keys=keys, epoch=epoch, channels=self.channels).image)


def hf_transform(
    pipeline: Pipeline,
    column: str = "image",
    *,
    key: str | None = None,
    epoch: int | None = None,
    channels: Channels = "keep",
) -> HfTransform:
    """A function for ``datasets.Dataset.set_transform`` that augments a column of pictures.

    Parameters
    ----------
    pipeline : Pipeline
    column : str
        Its pictures (PIL images or arrays) are replaced.
    key : str, optional
        A column with what the draws belong to. Left out, no two samples draw alike, and pixels depend on how often they
        were asked for, and by whom.
    epoch : int, optional
        Always the same one. Left out, it advances by itself: with each iteration of a `torch.utils.data.DataLoader`,
        and in any other loop with each time a row is asked for. Its method ``set_epoch`` says where to go on.
    channels : {"keep", "gray", "rgb", "rgba"}
        What pictures are turned into first: gray and colour in one column need ``"rgb"``.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> augment = hf_transform(im.Pipeline([im.Flip("x")], seed=1))
    >>> augment({"image": [np.array([[1, 2]], np.uint8)]})["image"][0].tolist()
    [[2, 1]]
    """
    return HfTransform(pipeline, column, key, epoch, channels)
