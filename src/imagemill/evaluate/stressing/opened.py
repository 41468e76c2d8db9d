"""What a model of any framework looks like once it is opened: something that answers prepared batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["LAYOUTS", "Opened", "as_arrays", "in_batches"]

Array = npt.NDArray[Any]

LAYOUTS = ("last", "first", "flat")
"""Orders of the axes of a batch: ``[n, y, x, C]``, ``[n, C, y, x]``, ``[n, y * x * C]``."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A model that was opened.

    Parameters
    ----------
    name : str
    ask : callable
        From a batch, prepared, to what the model gives.
    said : str
        What it is, in words.
    layouts : tuple of str
        Which of `LAYOUTS` it may take, the likeliest first; one where that is known.
    shape : tuple of int or None
        Of one input, as the model declares it; empty where it declares none.
    dtype : str
        Of its input.
    stored : bool
        It takes images as they are stored, ``[n, y, x, C]``: a function that prepares by itself.
    rescales : str
        What within the model says that it scales pixels by itself; empty where nothing does.
    classes : tuple of str
        Names of its outputs, where it knows them.
    """

    name: str
    ask: Callable[[Array], Any]
    said: str
    layouts: tuple[str, ...] = LAYOUTS
    shape: tuple[int | None, ...] = ()
    dtype: str = "float32"
    stored: bool = False
    rescales: str = ""
    classes: tuple[str, ...] = ()


def in_batches(ask: Callable[[Array], list[Array]], batch: Array, size: int, *, fixed: bool = False) -> list[Array]:
    """Ask about some at a time; where the size is fixed, the last ones come with copies that are left out again."""
    found: list[list[Array]] = []
    for at in range(0, len(batch), size):
        some = batch[at : at + size]
        count = len(some)
        if fixed and count < size:
            some = np.concatenate([some, np.repeat(some[:1], size - count, axis=0)])
        found.append([one[:count] for one in ask(some)])
    return [np.concatenate(pieces) for pieces in zip(*found, strict=True)]


def as_arrays(said: Any) -> list[Array]:
    """What a model gave, as arrays: one, several, those of a mapping, or the `logits` of an object."""
    if hasattr(said, "logits"):
        said = said.logits
    if isinstance(said, dict):
        said = list(said.values())
    many = said if isinstance(said, list | tuple) else [said]
    return [np.asarray(one.detach().cpu() if hasattr(one, "detach") else one) for one in many]
