"""Hypothesis strategies: pictures, frames, transforms and whole pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.extras import require
from imagemill.core.geometry import Frame
from imagemill.core.ops import BORDERS
from imagemill.core.ranges import Choice, Range
from imagemill.pipeline import Pipeline
from imagemill.testing.pictures import picture
from imagemill.transforms import colour, geometric

Strategy = Any
"""A hypothesis strategy; ``Any``, since hypothesis is optional."""

KINDS = ("geometry", "colour", "mixed")


def _st() -> Any:
    return require("hypothesis.strategies", extra="testing")


def images(
    *,
    sizes: tuple[int, int] = (6, 40),
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


def volumes(*, sizes: tuple[int, int] = (4, 14), dtypes: Sequence[npt.DTypeLike] = ("float32",)) -> Strategy:
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


def _pair(st: Any, low: float, high: float) -> Strategy:
    number = st.floats(low, high, allow_nan=False)
    return st.tuples(number, number).map(lambda two: Range(min(two), max(two)))


def _coin(st: Any) -> Strategy:
    return st.sampled_from((1.0, 1.0, 0.5))


def _geometry(ndim: int, orders: Sequence[int], borders: Sequence[str]) -> list[Strategy]:
    st = _st()
    plane = st.sampled_from(("yx",) if ndim == 2 else ("yx", "zy", "zx"))
    free = {"p": _coin(st), "order": st.sampled_from(orders), "border": st.sampled_from(borders)}
    sides = st.tuples(*[st.integers(5, 20)] * ndim)
    strongest = 0.45 if ndim == 2 else 0.38
    found = [
        st.builds(geometric.Flip, st.sampled_from("yx" if ndim == 2 else "zyx"), p=_coin(st)),
        st.builds(geometric.QuarterTurn, st.just(Choice((0, 1, 2, 3))), plane=plane, p=_coin(st)),
        st.builds(geometric.Rotate, _pair(st, -180, 180), plane=plane, **free),
        st.builds(geometric.Zoom, _pair(st, 0.6, 1.8), **free),
        st.builds(geometric.Shift, pixels=_pair(st, -6, 6), **free),
        st.builds(geometric.Shear, _pair(st, -25, 25), plane=plane, **free),
        st.builds(geometric.Affine, _pair(st, -30, 30), _pair(st, 0.7, 1.4), _pair(st, -0.2, 0.2), plane=plane, **free),
        st.builds(geometric.Elastic, _pair(st, 0.0, strongest), st.integers(2, 4), **free),
        st.builds(geometric.Pad, st.integers(1, 5), fill=st.sampled_from((0.0, 30.0)), p=_coin(st)),
        st.builds(geometric.Resize, sides, order=st.sampled_from(orders)),
        st.builds(geometric.RandomResizedCrop, sides.map(lambda s: s[-2:]), area=_pair(st, 0.2, 1.0)),
        st.builds(geometric.SquareCrop, st.integers(0, 4)),
    ]
    if ndim == 2:
        found.append(st.builds(geometric.Perspective, _pair(st, 0.0, 0.3), **free))
    return found


def _colours(channels: int) -> list[Strategy]:
    st = _st()
    coin = {"p": _coin(st)}
    found = [
        st.builds(colour.Brightness, _pair(st, 0.5, 1.6), **coin),
        st.builds(colour.Contrast, _pair(st, 0.5, 1.6), pivot=st.sampled_from(("mean", "middle")), **coin),
        st.builds(colour.GainOffset, _pair(st, 0.6, 1.4), _pair(st, -0.1, 0.1), **coin),
        st.builds(colour.ChannelGain, _pair(st, 0.7, 1.3), **coin),
        st.builds(colour.Gamma, _pair(st, 0.7, 1.4), **coin),
        st.builds(colour.Invert, **coin),
    ]
    if channels == 3:
        found += [
            st.builds(colour.Saturation, _pair(st, 0.3, 1.7), **coin),
            st.builds(colour.Hue, _pair(st, -30, 30), **coin),
            st.builds(colour.ColorJitter, _pair(st, 0.7, 1.3), _pair(st, 0.7, 1.3), _pair(st, 0.5, 1.5), **coin),
        ]
    return found


def transforms(
    kind: str = "mixed",
    *,
    ndim: int = 2,
    channels: int = 3,
    orders: Sequence[int] = (1, 1, 3),
    borders: Sequence[str] = BORDERS,
) -> Strategy:
    """Single transforms.

    Parameters
    ----------
    kind : {"geometry", "colour", "mixed"}
    ndim : {2, 3}
    channels : int
        Of the images; hue and saturation need 3.
    orders, borders : sequence
        What the geometric ones choose from.
    """
    if kind not in KINDS:
        raise ParameterError(f"expected a kind of {', '.join(KINDS)}, got {kind!r}")
    listed = [] if kind == "colour" else _geometry(ndim, orders, borders)
    listed += [] if kind == "geometry" else _colours(channels)
    return _st().one_of(*listed)


def pipelines(
    kind: str = "mixed",
    *,
    ndim: int = 2,
    channels: int = 3,
    longest: int = 5,
    orders: Sequence[int] = (1, 1, 3),
    borders: Sequence[str] = BORDERS,
    **options: Any,
) -> Strategy:
    """Pipelines of one to ``longest`` transforms; ``options`` go to :class:`~imagemill.Pipeline`."""
    st = _st()
    one = transforms(kind, ndim=ndim, channels=channels, orders=orders, borders=borders)
    return st.builds(
        lambda listed, seed: Pipeline(listed, seed=seed, **options),
        st.lists(one, min_size=1, max_size=longest),
        st.integers(0, 2**32 - 1),
    )
