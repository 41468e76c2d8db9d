"""What a pipeline says of itself before it runs: its plan in words, and what is probably not meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

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
        shape: tuple[int, ...] | None = None,
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
        shape : tuple of int, optional
            Of an input array.
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
            frame, word = one_frame(shape, axes)
            image = Image(np.broadcast_to(np.zeros((), dtype), frame), word, spacing)
            inputs = Inputs({of: [image]})
            draft = pipeline.draw(inputs.frame, [key], image=of, labels=None if label is None else [label])
            parts.append(words.steps(pipeline.plan(draft), pipeline.backend, draft.log.row(0), key))
        return Said("\n\n".join(parts))

    def lint(
        self,
        shape: tuple[int, ...] | None = None,
        *,
        axes: str | None = None,
        dtype: Any = np.uint8,
        spacing: tuple[float, ...] | None = None,
        evaluation: bool = False,
    ) -> list[Finding]:
        """What is probably not meant, by the field's rules, and for a shape also by trying it on that.

        Parameters
        ----------
        shape : tuple of int, optional
            Of an input array. Nothing runs: geometry is drawn and planned for it.
        axes, dtype, spacing
            Of that array; without axes two lengths are taken for ``yx``, three for ``zyx``, each with or without
            1, 3 or 4 channels behind.
        evaluation : bool
            The pipeline prepares validation or test data, where nothing may be random.
        """
        inputs = [] if shape is None else [given(*one_frame(shape, axes), dtype, spacing, 0)]
        return judge(cast("Pipeline", self), inputs, evaluation=evaluation)
