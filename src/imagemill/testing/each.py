"""A hypothesis strategy for each transform there is, and what a transform leaves of small images.

Most are derived from what the parameters declare. By hand are those that a declaration does not tell enough of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import imagemill as im
from imagemill.testing.derived import derived, example
from imagemill.testing.each_geometry import MOVING
from imagemill.testing.made_pictures import picture
from imagemill.testing.setting import Maker, Setting, Strategy
from imagemill.transforms.base import REGISTRY, Transform, required

__all__ = [
    "APART", "BY_HAND", "COLOUR", "COMBINED", "EXAMPLES", "GEOMETRY",
    "MAKERS", "MIXING", "OWN", "Setting", "example_of", "that_fit",
]  # fmt: skip


def _window(s: Setting) -> Strategy:
    st = s.st
    return st.builds(im.Window, s.pair(20, 200), s.pair(50, 300), st.sampled_from(((0, 1), (-1, 1))))


def _of_colour(make: Callable[[Setting], Strategy]) -> Maker:
    """Only where there are red, green and blue."""
    return lambda s: make(s) if s.colours == 3 else None


def _channel_gain(s: Setting) -> Strategy:
    st = s.st
    each = st.lists(st.floats(0.0, 2.0), min_size=s.colours, max_size=s.colours)
    return st.one_of(st.builds(im.ChannelGain, s.pair(0.7, 1.3), **s.coin), st.builds(im.ChannelGain, each=each))


def _contrast(s: Setting) -> Strategy:
    return s.st.builds(im.Contrast, s.pair(0.5, 1.6), pivot=s.st.sampled_from(("mean", "middle")), **s.coin)


def _jitter(s: Setting) -> Strategy:
    pair = s.pair
    hue = s.st.one_of(s.st.none(), pair(-20, 20))
    return s.st.builds(im.ColorJitter, pair(0.7, 1.3), pair(0.7, 1.3), pair(0.5, 1.5), hue, **s.coin)


def _lighting(s: Setting) -> Strategy:
    st = s.st
    if s.colours == 3:
        return st.builds(im.Lighting, s.pair(-0.3, 0.3), **s.coin)
    basis = ((0.2,) * s.colours, tuple(map(tuple, np.eye(s.colours).tolist())))
    return st.builds(im.Lighting, s.pair(-0.3, 0.3), st.just(basis), **s.coin)


def _normalize(s: Setting) -> Strategy:
    st = s.st
    one = st.builds(im.Normalize, st.floats(0.0, 1.0), st.floats(0.2, 1.0), **s.coin)
    return st.one_of(one, st.builds(im.Normalize, st.sampled_from(("imagenet", "clip")))) if s.colours == 3 else one


def _rescale(s: Setting) -> Strategy:
    st = s.st
    # By their own extremes gray images only: colour images refuse it.
    by = st.sampled_from(("depth", (10, 240), "minmax") if s.colours != 3 else ("depth", (10, 240)))
    return st.builds(im.Rescale, by, st.sampled_from(((0, 1), (-1, 1))), **s.coin)


def _standardize(s: Setting) -> Strategy:
    st = s.st
    which = st.sampled_from(({}, {"centre": False}, {"scale": False}))
    return st.builds(
        lambda parts, each, p: im.Standardize(per_channel=each, p=p, **parts), which, st.booleans(), s.coin["p"]
    )


def _tones(s: Setting) -> Strategy:
    st = s.st
    # Uneven edges: a value that lies on one is on either side of it by a rounding.
    edges = st.sampled_from(((85.3017,), (60.3017, 170.6131), (0.30171, 0.61317)))
    gains = st.floats(0.6, 1.5)
    return edges.flatmap(lambda e: st.builds(im.ToneGain, st.just(e), st.tuples(*[gains] * (len(e) + 1)), **s.coin))


def _dtype(s: Setting) -> Strategy:
    st = s.st
    # Whole numbers keep their white: in units of 1, what came from a normalisation would be lost in rounding.
    return st.one_of(
        st.builds(im.ToDtype, st.sampled_from(("float32", "float64")), st.booleans()),
        st.builds(im.ToDtype, st.sampled_from(("uint8", "uint16")), st.just(value=True)),
    )


def _gray(s: Setting) -> Strategy | None:
    words = s.st.sampled_from(("bt601", "bt709", "mean"))
    return s.st.builds(im.Gray, words, **s.coin) if s.colours in (1, 3) else None


def _corruption(s: Setting) -> Strategy:
    st = s.st
    severity = st.one_of(st.integers(1, 5), st.sampled_from(((1, 5), (2, 3))))
    return st.builds(im.Corruption, st.sampled_from(im.corruptions()), severity, **s.coin)


def _halved(values: Any) -> Any:
    return values // 2 if values.dtype.kind in "iu" else values / 2


def _children(s: Setting) -> Strategy:
    """Lists of transforms whose results have one size and one type, so that any of them may run."""
    st = s.st
    alike = (im.Flip, im.Rotate, im.Zoom, im.Elastic, im.Gamma, im.Brightness)
    listed = [MAKERS[cls](s) for cls in alike]
    return st.lists(st.one_of(*listed).filter(lambda t: getattr(t, "frame", "keep") == "keep"), min_size=1, max_size=3)


def _per_class(s: Setting) -> Strategy:  # without a label, images get what others get
    classes = s.st.dictionaries(s.st.sampled_from(("cat", "dog")), _children(s), min_size=1)
    return s.st.builds(im.PerClass, classes, _children(s), missing=s.st.just("ignore"), **s.coin)


def _matching(cls: type[Transform]) -> Maker:
    """Towards one of two made-up images."""

    def make(s: Setting) -> Strategy | None:
        if cls is im.MatchSpectrum and s.ndim == 3:
            return None
        shapes = ((9, 12), (14, 8)) if s.ndim == 2 else ((4, 6, 8),)
        images = [picture(i, shape, s.colours if s.colours > 1 else None) for i, shape in enumerate(shapes)]
        axes = "zyx"[3 - s.ndim :] + ("c" if s.colours > 1 else "")
        made = cls(references=[im.Image(image, axes) for image in images])  # type: ignore[call-arg]
        return s.st.builds(cls, s.st.just(made.references), **s.coin)  # type: ignore[attr-defined]

    return make


def _ignoring(cls: type[Transform]) -> Maker:
    """What goes by what is in the image, of images that may come without; windows of a size that fits."""
    sized = "size" in required(cls)
    return lambda s: s.st.builds(cls, *[s.sides(2, s.least)] * sized, missing=s.st.just("ignore"))


def _coarse_dropout(s: Setting) -> Strategy:
    st = s.st
    holes = s.pair(0, 6).map(lambda pair: (round(pair.low), round(pair.high)))
    where = st.sampled_from((None, "boxes", "masks"))
    common = {"mask_fill": st.sampled_from((None, 9)), "hide_keypoints": st.booleans(), "missing": st.just("ignore")}
    return st.builds(im.CoarseDropout, holes, s.pair(0, 1), where=where, **common, **s.coin)


def _label_crop(s: Setting) -> Strategy:
    st = s.st
    by = st.one_of(
        st.fixed_dictionaries({"positive": st.floats(0, 1)}),
        st.fixed_dictionaries({"labels": st.dictionaries(st.integers(0, 4), st.floats(0.5, 2), min_size=1)}),
    )
    lies = st.sampled_from(("centre", "random"))
    return st.tuples(s.sides(2, s.least), by, lies).map(
        lambda three: im.LabelCrop(three[0], lies=three[2], missing="ignore", **three[1])
    )


BY_HAND: Mapping[type[Transform], Maker] = {
    **MOVING,
    # Parameters exclude or need each other.
    im.ChannelGain: _channel_gain,
    im.ColorJitter: _of_colour(_jitter),
    im.Standardize: _standardize,
    im.ToneGain: _tones,
    # Images.
    im.MatchColours: _matching(im.MatchColours),
    im.MatchHistogram: _matching(im.MatchHistogram),
    im.MatchSpectrum: _matching(im.MatchSpectrum),
    # As they are, of images that come without what they go by.
    im.BoxCrop: _ignoring(im.BoxCrop),
    im.BoxSafeCrop: _ignoring(im.BoxSafeCrop),
    im.CoarseDropout: _coarse_dropout,
    im.ForegroundCrop: _ignoring(im.ForegroundCrop),
    im.IoUCrop: _ignoring(im.IoUCrop),
    im.LabelCrop: _label_crop,
    im.MaskDropout: _ignoring(im.MaskDropout),
    im.NearBoxCrop: _ignoring(im.NearBoxCrop),
    im.WeightedCrop: _ignoring(im.WeightedCrop),
    # An option is a word or something else, and only its check knows which.
    im.ClipPercentiles: lambda s: s.st.builds(im.ClipPercentiles, s.st.floats(0, 20), s.st.floats(80, 100)),
    im.MatchLandmarks: lambda s: s.st.builds(im.MatchLandmarks, s.st.just((0, 30, 100)), s.st.just((5, 50, 95))),
    im.Window: _window,
    im.Contrast: _contrast,
    im.Gray: _gray,
    im.Lighting: _lighting,
    im.Normalize: _normalize,
    im.Rescale: _rescale,
    im.ToDtype: _dtype,
    im.Corruption: _corruption,
    # A function, or other transforms.
    im.Apply: lambda s: s.st.just(im.Apply(_halved, "halve")),
    im.OneOf: lambda s: s.st.builds(im.OneOf, _children(s), **s.coin),
    im.PerClass: _per_class,
    im.Sequential: lambda s: s.st.builds(im.Sequential, _children(s), **s.coin),
    im.SomeOf: lambda s: s.st.builds(im.SomeOf, _children(s), **s.coin),
    im.Schedule: lambda s: s.st.builds(im.Schedule, _children(s), s.st.just({0: 0.5, 4: 1.0}), **s.coin),
}
"""Strategies that cannot be derived, and why."""

_GRAY = picture(3, (12, 16), None)
"""A reference image that serves for any number of channels."""

EXAMPLES: Mapping[type[Transform], Transform] = {
    cls: made
    for made in (
        im.Affine(20, shift=0.1),
        im.Apply(np.negative),
        im.ColorJitter(brightness=0.5),
        im.ClipPercentiles(20, 80),
        im.Corruption("fog", 3),
        im.BoxCrop(6),
        im.Crop(box=(2, 3, 12, 18)),
        im.Downscale(0.5),
        im.Elastic(0.4, cells=2),
        im.ForegroundCrop(above=254),
        im.IoUCrop((0.4, 0.6), least=(0.1,)),
        im.LabelCrop((12, 14)),
        im.NearBoxCrop(0.1),
        im.MatchColours(_GRAY),
        im.MatchHistogram(_GRAY),
        im.MatchSpectrum(_GRAY),
        im.Normalize("imagenet"),
        im.Orient("LPS"),
        im.Pad((3, 1)),
        im.PerClass({"cat": [im.Flip("x")], "dog": [im.Invert()]}, [im.Flip("x")], missing="ignore"),
        im.Posterize(3),
        im.Resample((8, 9)),
        im.Schedule([im.Flip("x")], {0: 1}),
        *(cls([im.Flip("x")]) for cls in (im.OneOf, im.Sequential, im.SomeOf)),
        im.Shift(pixels=3),
        im.ToDtype("float32", scale=True),
        im.ToneGain([100], [1, 0.5]),
        im.WeightedCrop(6, of="mask"),
    )
    for cls in (type(made),)
}
"""One of each type whose declaration does not tell how to make one that does something."""


def example_of(cls: type[Transform]) -> Transform:
    """One transform of a type that does something to a colour picture of at least 12 by 18 pixels.

    Examples
    --------
    >>> example_of(im.Flip), example_of(im.Shift).pixels
    (Flip(), Range(low=3, high=3))
    """
    return EXAMPLES.get(cls) or example(cls)


def _maker(cls: type[Transform]) -> Maker:
    return BY_HAND.get(cls) or (lambda s: derived(cls, ndim=s.ndim, channels=s.channels, given=s.decided))


_OURS = [cls for _, cls in sorted(REGISTRY.items()) if cls.__module__.startswith("imagemill.")]
MIXING = [cls for cls in _OURS if example_of(cls).traits().group > 1]
SHIPPED = [cls for cls in _OURS if cls not in MIXING]  # those for single samples
MAKERS: Mapping[type[Transform], Maker] = {cls: _maker(cls) for cls in SHIPPED}

COMBINED = {cls: make for cls, make in MAKERS.items() if example_of(cls).children()}
"""Strategies of transforms made of others."""

OWN = {im.Apply: MAKERS[im.Apply]}
"""A user's function: no file holds it, so it is no part of generated pipelines."""

GEOMETRY = {cls: make for cls, make in MAKERS.items() if example_of(cls).traits().moves and cls not in COMBINED}
"""Strategies of transforms that move pixels."""

APART = {cls: make for cls, make in MAKERS.items() if example_of(cls).traits().apart}
"""Strategies of transforms that run as steps of their own: filters, noise, hidden parts."""

COLOUR = {cls: make for cls, make in MAKERS.items() if cls not in {*GEOMETRY, *COMBINED, *OWN, *APART}}
"""Strategies of transforms that change values one by one, their type or their layout."""


FEWEST = 4
"""The shortest side of images over which statistics are taken."""


def that_fit(listed: Sequence[Transform], least: int) -> list[Transform]:
    """Leave out what does not suit what the transforms before it leave of the smallest images.

    That are crops that would not fit, and statistics over a handful of pixels: a picture of 8 bits may be rounded
    before they are taken, which moves the deviation of four pixels by more than any tolerance.

    Parameters
    ----------
    listed : sequence of Transform
    least : int
        The shortest side of the images, in pixels of 1 mm.

    Examples
    --------
    >>> import imagemill as im
    >>> [type(t).__name__ for t in that_fit([im.Crop(6), im.Flip("x"), im.Crop(4), im.Crop(6)], 6)]
    ['Crop', 'Flip', 'Crop']
    """
    kept: list[Transform] = []
    for transform in listed:
        if isinstance(transform, im.Crop) and max(transform.size or transform.box or ()) > least:
            continue
        if transform.reads() and transform.traits().brings == "size" and max(transform.traits().size) > least:
            continue
        if transform.traits().fits and least < FEWEST:
            continue
        kept.append(transform)
        least = _left(transform, least)
    return kept


def _left(transform: Transform, least: int) -> int:
    """The shortest side after a transform."""
    if isinstance(transform, im.Crop) and transform.box is not None:
        half = len(transform.box) // 2
        return min(b - a for a, b in zip(transform.box[:half], transform.box[half:], strict=True))
    if isinstance(transform, im.LongestSide) or (isinstance(transform, im.ShortestSide) and transform.longest):
        return 1  # of a long image all but a pixel of the other side may vanish
    if transform.reads() and not transform.traits().brings and not isinstance(transform, im.SquareCrop):
        return 1  # as large as what is in the image
    if isinstance(transform, im.ShortestSide):
        return min(int(transform.length.bounds[0]), least)
    if isinstance(transform, im.Resample) and transform.spacing is not None:
        return max(1, int(least / max(transform.spacing)))
    if transform.traits().brings == "size":
        return min(*transform.traits().size, least)
    return least
