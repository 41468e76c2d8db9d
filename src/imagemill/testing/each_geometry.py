"""Strategies for what moves pixels, where declarations do not tell enough."""

from __future__ import annotations

from collections.abc import Mapping

import imagemill as im
from imagemill.testing.setting import Maker, Setting, Strategy
from imagemill.transforms.base import Transform

__all__ = ["MOVING"]


def _shift(s: Setting) -> Strategy:
    st = s.st
    unit = st.one_of(
        st.fixed_dictionaries({"pixels": s.pair(-6, 6)}),
        st.fixed_dictionaries({"fraction": s.pair(-0.3, 0.3)}),
        st.fixed_dictionaries({"millimetres": s.pair(-4, 4)}),
    )
    rest = st.fixed_dictionaries({**s.free, "whole": st.booleans()})
    return st.tuples(unit, rest).map(lambda both: im.Shift(**both[0], **both[1]))


def _affine(s: Setting) -> Strategy:
    pair = s.pair
    return s.st.builds(
        im.Affine, pair(-30, 30), pair(0.7, 1.4), pair(-0.2, 0.2), pair(-15, 15), plane=s.plane, **s.free
    )


def _pad(s: Setting) -> Strategy:
    st = s.st
    fill = {"fill": st.sampled_from((0.0, 30.0)), "border": st.sampled_from(("constant", *s.borders))}
    place = st.sampled_from(("centre", "random", "top_left", "bottom_right"))
    return st.one_of(
        st.builds(im.Pad, st.integers(1, 5), p=s.coin["p"], **fill),
        st.builds(im.Pad, size=s.sides(4, 20), at=place, **fill),
        st.builds(im.Pad, multiple_of=st.integers(2, 8), at=place, **fill),
    )


def _flip(s: Setting) -> Strategy:
    st = s.st
    axis = st.sampled_from("yx" if s.ndim == 2 else "zyx")
    return st.one_of(
        st.builds(im.Flip, axis, **s.coin), st.builds(im.Flip, axis, mode=st.just("alternate"), every=st.integers(1, 3))
    )


def _crop(s: Setting) -> Strategy:
    st = s.st
    places = ("centre", "random", "top_left", "bottom_right")
    ends = st.tuples(*[st.integers(0, 2)] * s.ndim, *[st.integers(3, s.least)] * s.ndim)
    return st.one_of(
        st.builds(im.Crop, s.sides(2, s.least), at=st.sampled_from(places)),
        st.builds(im.Crop, st.integers(2, s.least), at=st.sampled_from(places)),
        ends.map(lambda box: im.Crop(box=box)),
    )


def _resample(s: Setting) -> Strategy:
    st = s.st
    return st.one_of(
        st.builds(im.Resample, s.sides(4, 20), order=s.order),
        st.builds(im.Resample, spacing=st.floats(0.5, 1.8), order=s.order),
    )


def _resize(s: Setting) -> Strategy:
    st = s.st
    fit = st.sampled_from(("stretch", "stretch", "crop", "pad"))
    return st.builds(im.Resize, s.sides(5, 20), fit=fit, order=s.order, fill=st.sampled_from((0.0, 30.0)))


def _crop_or_pad(s: Setting) -> Strategy:
    st = s.st
    place = st.sampled_from(("centre", "random", "top_left", "bottom_right"))
    fill = {"fill": st.sampled_from((0.0, 30.0))}
    return st.one_of(
        st.builds(im.CropOrPad, s.sides(4, 20), at=place, **fill),
        st.builds(im.CropOrPad, s.sides(4, 20), about=st.just("mask"), missing=st.just("ignore"), **fill),
    )


def _crop_and_pad(s: Setting) -> Strategy:
    st = s.st
    share = st.builds(im.CropAndPad, s.pair(-0.2, 0.3), together=st.booleans(), **s.free)
    # Cut, images would become too small for what comes next.
    grown = {"unit": st.just("pixels"), "keep_size": st.sampled_from((False,))}
    return st.one_of(share, st.builds(im.CropAndPad, s.pair(0, 4), **grown, **s.coin))


def _orient(s: Setting) -> Strategy | None:
    return s.st.builds(im.Orient, s.st.sampled_from(("RAS", "LPS", "SAR", "PIR"))) if s.ndim == 3 else None


def _elastic(s: Setting) -> Strategy:
    return s.st.builds(im.Elastic, s.pair(0.0, 0.45 if s.ndim == 2 else 0.38), s.st.integers(2, 4), **s.free)


def _random_resized_crop(s: Setting) -> Strategy:
    return s.st.builds(
        im.RandomResizedCrop, s.sides(5, 20, plane=True), s.pair(0.2, 1.0), s.pair(0.5, 2.0), order=s.order
    )


def _rotate(s: Setting) -> Strategy:
    st = s.st
    return st.builds(im.Rotate, s.pair(-180, 180), plane=s.plane, frame=st.sampled_from(("keep", "fit")), **s.free)


MOVING: Mapping[type[Transform], Maker] = {
    # Parameters exclude or need each other.
    im.Affine: _affine,
    im.Flip: _flip,
    im.Pad: _pad,
    im.Resample: _resample,
    im.Shift: _shift,
    # Sizes, so that images stay large enough for what comes next.
    im.Crop: _crop,
    im.CropAndPad: _crop_and_pad,
    im.CropOrPad: _crop_or_pad,
    im.RandomResizedCrop: _random_resized_crop,
    im.Resize: _resize,
    im.SquareCrop: lambda s: s.st.builds(im.SquareCrop, s.st.integers(0, 4)),
    # Far more is allowed than the default shows: whole turns, and grids of few cells that do not fold.
    im.Elastic: _elastic,
    im.Rotate: _rotate,
    # An option is a word or something else, and only its check knows which.
    im.Orient: _orient,
}
"""Strategies that cannot be derived, and why."""
