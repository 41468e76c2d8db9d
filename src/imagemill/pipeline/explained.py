"""What a pipeline says of itself before it runs: its plan in words, and what is probably not meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.findings import Finding
from imagemill.core.looking import Said
from imagemill.core.targets import Image
from imagemill.pipeline import describe as words
from imagemill.pipeline.clips import one_frame
from imagemill.pipeline.inputs import Inputs
from imagemill.pipeline.rehearsal import given, judge

if TYPE_CHECKING:
    from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Explained"]

Key = str | int


class Explained:
    """Words about a pipeline; a base of :class:`~imagemill.pipeline.pipeline.Pipeline`."""

    def explain(
        self,
        shape: Any = None,
        *,
        axes: str | None = None,
        dtype: Any = np.uint8,
        spacing: tuple[float, ...] | None = None,
        key: Key = 0,
        of: str = "image",
        label: Any = None,
    ) -> Said:
        """What runs on an image: the transforms with their ranges and, for a shape, the planned steps.

        Parameters
        ----------
        shape : tuple of int, or an image, optional
            Of an input array; or an image itself, whatever a call takes, whose shape, type and spacing are meant.
        axes, dtype, spacing
            Of that array; pictures need not say their axes.
        key : str or int
            Whose draws to plan with.
        of : str
            Which image of a sample, where transforms say ``images=``.
        label : str or int, optional
            Its class, where transforms choose by that; the first they list when left out.
        """
        pipeline = cast("Pipeline", self)
        parts = words.said(pipeline)
        if shape is not None:
            shape, axes, dtype, spacing = _described(shape, axes, dtype, spacing)
            frame, word = one_frame(shape, axes)
            image = Image(np.broadcast_to(np.zeros((), dtype), frame), word, spacing)
            inputs = Inputs({of: [image]})
            draft = pipeline.draw(inputs.frame, [key], image=of, labels=None if label is None else [label])
            parts.append(words.steps(pipeline.plan(draft), pipeline.backend, draft.log.row(0), key))
        return Said("\n\n".join(parts))

    def lint(
        self,
        shape: Any = None,
        *,
        axes: str | None = None,
        dtype: Any = np.uint8,
        spacing: tuple[float, ...] | None = None,
        evaluation: bool = False,
    ) -> list[Finding]:
        """What is probably not meant, by the field's rules, and for a shape also by trying it on that.

        Parameters
        ----------
        shape : tuple of int, or an image, optional
            Of an input array; or an image itself, whatever a call takes. Nothing runs: geometry is drawn and planned.
        axes, dtype, spacing
            Of that array; without axes two lengths are taken for ``yx``, three for ``zyx``, each with or without
            1, 3 or 4 channels behind.
        evaluation : bool
            The pipeline prepares validation or test data, where nothing may be random.
        """
        inputs = []
        if shape is not None:
            shape, axes, dtype, spacing = _described(shape, axes, dtype, spacing)
            inputs.append(given(*one_frame(shape, axes), dtype, spacing, 0))
        return judge(cast("Pipeline", self), inputs, evaluation=evaluation)


def _described(
    shape: Any, axes: str | None, dtype: Any, spacing: tuple[float, ...] | None
) -> tuple[tuple[int, ...], str | None, Any, tuple[float, ...] | None]:
    """Shape, axes, dtype and spacing of an image of which somebody tells the shape, or which somebody shows."""
    if isinstance(shape, str | int | float):
        raise InputError(f"expected a shape as (height, width, 3), or an image, got {shape!r}")
    if isinstance(shape, tuple | list):
        if not all(isinstance(n, int | np.integer) and n >= 0 for n in shape):
            raise InputError(f"expected a shape in whole numbers as (height, width, 3), or an image, got {shape!r}")
        return tuple(map(int, shape)), axes, dtype, spacing
    image = shape if isinstance(shape, Image) else Image(shape, axes, spacing)
    return image.array.shape, image.axes or axes, image.array.dtype, image.spacing or spacing
