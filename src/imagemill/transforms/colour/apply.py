"""A user's own function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Op, Opaque
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform, option
from imagemill.transforms.traits import Traits


def _function(name: str, value: Any) -> Any:
    if not callable(value):
        raise ParameterError(f"expected {name} to be a function from an array to an array, got {value!r}")
    return value


def _name(name: str, value: Any) -> Any:
    if not isinstance(value, str) or not value:
        raise ParameterError(f"expected {name} to be a word to show in explain(), got {value!r}")
    return value


@dataclass(frozen=True, slots=True)
class Apply(Transform):
    """Call a function on the values of each image: a way out, at the price of fusing.

    ``out = function(x)``. Nothing fuses across it, and a pipeline that holds one cannot be written to a file:
    for both, define a transform class.

    Parameters
    ----------
    function : callable
        Takes one image or volume, ``(*shape, C)``, and returns an array of the same shape and dtype. It must
        not draw random numbers and must not change its argument.
    name : str, optional
        How ``explain()`` calls it; the function's own name when left out.

    Targets
    -------
    Image changes; all else stays.

    Source
    ------
    None needed: the caller's own.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Apply(lambda x: x // 2, "halve")], seed=0)(np.array([[10, 20]], np.uint8))
    array([[ 5, 10]], dtype=uint8)
    """

    function: Callable[[Any], Any] = option(check=_function)
    name: str | None = option(None, check=_name)

    def traits(self) -> Traits:
        return Traits()  # nobody knows what a function does

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Opaque(self.function, self._shown())

    def _shown(self) -> str:
        return self.name or str(getattr(self.function, "__name__", type(self.function).__name__))

    def to_dict(self) -> dict[str, Any]:
        """Refused: a function cannot be written to a file."""
        raise ParameterError(
            f"expected transforms that a file can hold, got Apply({self._shown()}); "
            "define a class: a frozen dataclass derived from Transform is known in files by its name"
        )
