"""Hypothesis strategies: pictures, frames, transforms and whole pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.extras import require
from imagemill.core.geometry import Frame
from imagemill.core.ops import BORDERS
from imagemill.pipeline.pipeline import Pipeline
from imagemill.testing.each import COLOUR, GEOMETRY, MAKERS, Setting, that_fit
from imagemill.testing.made_pictures import picture
from imagemill.transforms.base import Transform

Strategy = Any
"""A hypothesis strategy; ``Any``, since hypothesis is optional."""

KINDS = ("geometry", "colour", "mixed")

SHORTEST = {2: 6, 3: 4}
"""The shortest side of generated pictures and volumes, by the number of axes."""


def _st() -> Any:
    return require("hypothesis.strategies", extra="testing")


def images(
    *,
    sizes: tuple[int, int] = (SHORTEST[2], 40),
    channels: Sequence[int | None] = (None, 1, 3, 4),
    dtypes: Sequence[npt.DTypeLike] = ("uint8",),
    noise: bool = False,
) -> Strategy:
    """Pictures ``(H, W)`` or ``(H, W, C)`` with sides within ``sizes``."""
    st = _st()
    side = st.integers(*sizes)
    return st.builds(
        picture,
        st.integers(0, 2**32 - 1),
        st.tuples(side, side),
        st.sampled_from(channels),
        st.sampled_from(dtypes),
        noise=st.just(noise),
    )


def volumes(*, sizes: tuple[int, int] = (SHORTEST[3], 14), dtypes: Sequence[npt.DTypeLike] = ("float32",)) -> Strategy:
    """Volumes ``(D, H, W)`` with sides within ``sizes``."""
    st = _st()
    side = st.integers(*sizes)
    return st.builds(
        picture, st.integers(0, 2**32 - 1), st.tuples(side, side, side), st.none(), st.sampled_from(dtypes)
    )


def frames(ndim: int = 2, *, sizes: tuple[int, int] = (4, 40), channels: int = 3) -> Strategy:
    """Frames of one to four images of one size, with spacings from 0.5 to 4 mm."""
    st = _st()
    side, millimetres = st.integers(*sizes), st.floats(0.5, 4.0)
    return st.builds(
        lambda shape, spacing, n: Frame.of(*shape, channels=channels, spacing=spacing, n=n),
        st.tuples(*[side] * ndim),
        st.tuples(*[millimetres] * ndim),
        st.integers(1, 4),
    )


def transforms(
    kind: str = "mixed",
    *,
    ndim: int = 2,
    channels: int = 3,
    orders: Sequence[int] = (1, 1, 3),
    borders: Sequence[str] = BORDERS,
    least: int = 0,
) -> Strategy:
    """Single transforms, of every type that suits such images, except a user's function and combinations.

    Parameters
    ----------
    kind : {"geometry", "colour", "mixed"}
    ndim : {2, 3}
    channels : int
        Of the images; hue and saturation need 3.
    orders, borders : sequence
        What the geometric ones choose from.
    least : int, pixels
        The shortest side of the images: what is cut out fits. By default that of :func:`images` and
        :func:`volumes`.
    """
    if kind not in KINDS:
        raise ParameterError(f"expected a kind of {', '.join(KINDS)}, got {kind!r}")
    setting = _setting(ndim, channels, orders, borders, least)
    makers = {**({} if kind == "colour" else GEOMETRY), **({} if kind == "geometry" else COLOUR)}
    made = (make(setting) for make in makers.values())
    return _st().one_of(*[one for one in made if one is not None])


def transforms_of(
    cls: type[Transform],
    *,
    ndim: int = 2,
    channels: int = 3,
    orders: Sequence[int] = (1, 1, 3),
    borders: Sequence[str] = BORDERS,
    least: int = 0,
) -> Strategy | None:
    """Transforms of one type, among those of imagemill; None where it has none for such images.

    Parameters
    ----------
    cls : type
        Any transform of imagemill: combinations and :class:`~imagemill.Apply` as well.
    ndim, channels, orders, borders, least
        As for :func:`transforms`.

    Raises
    ------
    ParameterError
        For a transform of somebody else.

    Examples
    --------
    >>> import imagemill as im
    >>> transforms_of(im.Perspective, ndim=3, channels=1) is None
    True
    """
    if cls not in MAKERS:
        raise ParameterError(f"expected a transform of imagemill, got {cls.__name__}; write a strategy of its own")
    return MAKERS[cls](_setting(ndim, channels, orders, borders, least))


def _setting(ndim: int, channels: int, orders: Sequence[int], borders: Sequence[str], least: int) -> Setting:
    return Setting(ndim, channels, orders, borders, least or SHORTEST[ndim])


def pipelines(
    kind: str = "mixed",
    *,
    ndim: int = 2,
    channels: int = 3,
    longest: int = 5,
    orders: Sequence[int] = (1, 1, 3),
    borders: Sequence[str] = BORDERS,
    least: int = 0,
    **options: Any,
) -> Strategy:
    """Pipelines of one to ``longest`` transforms; ``options`` go to :class:`~imagemill.Pipeline`."""
    st = _st()
    least = least or SHORTEST[ndim]
    one = transforms(kind, ndim=ndim, channels=channels, orders=orders, borders=borders, least=least)
    return st.builds(
        lambda listed, seed: Pipeline(that_fit(listed, least), seed=seed, **options),
        st.lists(one, min_size=1, max_size=longest),
        st.integers(0, 2**32 - 1),
    )
