"""Looking at what a pipeline does, before anything is trained on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from imagemill.core.looking import Said, looked
from imagemill.transforms.base import Transform

__all__ = ["Previewed"]


class Previewed(ABC):
    """Pictures of what a pipeline makes; a base of :class:`~imagemill.pipeline.pipeline.Pipeline`."""

    transforms: tuple[Transform, ...]

    @abstractmethod
    def explain(self) -> Said:
        """What runs on an image, in words."""

    def __iter__(self) -> Iterator[Transform]:
        """The transforms, in order: ``Pipeline([*pipeline, Normalize("imagenet")])``."""
        return iter(self.transforms)

    def preview(
        self,
        image: Any,
        n: int = 9,
        *,
        columns: int | None = None,
        key: str | int | None = None,
        axes: str | None = None,
        title: str | None = None,
        links: Sequence[tuple[int, int]] = (),
        **targets: Any,
    ) -> Any:
        """Draw what it makes of one image in ``n`` epochs, each with the values that were drawn below it.

        Parameters
        ----------
        image : array, PIL image, Picture, tensor, Image or path
        n : int
            How many draws, 1 to 1024: epochs 0, 1, 2, ... of the same key.
        columns : int, optional
            Pictures in a row; as many rows as columns when left out.
        key : str or int, optional
            What the draws belong to: 0, or the name of the file where there is one.
        axes : str, optional
            Of a plain image array, such as ``"zyx"``.
        title : str, optional
            A line above; made from the pipeline when left out.
        links : sequence of pairs of int
            Keypoints to join by lines.
        **targets
            ``mask``, ``boxes``, ``keypoints``, ``polygons``, ``rotated_boxes``, ``instances``: moved along and drawn.

        Returns
        -------
        Drawing, ``(H, W, 3)`` uint8
            An array that notebooks show, with ``save(path)`` and ``show()``.

        Raises
        ------
        InputError
            When the targets do not fit the image, or ``n`` is out of range.

        Examples
        --------
        >>> import numpy as np
        >>> import imagemill as im
        >>> figure = im.Pipeline([im.Rotate((-20, 20))], seed=7).preview(np.zeros((32, 48, 3), np.uint8), n=4)
        >>> figure.shape[2], figure.dtype
        (3, dtype('uint8'))
        """
        how = {"columns": columns, "key": key, "axes": axes, "title": title, "links": links}
        return looked(self, "preview_of", image=image, n=n, **how, targets=targets)

    def _repr_html_(self) -> str:
        """What runs on an image, as `explain` has it."""
        return self.explain()._repr_html_()
