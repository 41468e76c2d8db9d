"""What every colour transform promises: refusals, round trips, independence of the batch."""

from __future__ import annotations

import json

import numpy as np
import pytest

from imagemill.core.errors import ParameterError
from imagemill.core.ops import ChannelMix, Pointwise
from imagemill.core.ranges import Choice, LogUniform, Normal
from imagemill.testing.each import COLOUR, OWN, example_of
from imagemill.transforms import colour
from imagemill.transforms.base import REGISTRY, required
from imagemill.transforms.colour import (
    Apply,
    Brightness,
    ChannelGain,
    ColorJitter,
    Contrast,
    GainOffset,
    Gamma,
    Gray,
    Hue,
    Invert,
    Lighting,
    Normalize,
    Rescale,
    Saturation,
    Standardize,
    ToDtype,
    ToLayout,
    ToneGain,
)
from imagemill.transforms.reading import from_dict
from tests.transforms.colour.meaning import draws_of, frame_of

RANDOM = [
    Brightness(Normal(1, 0.1)),
    GainOffset((0.5, 1.5), (-20, 20), p=0.5),
    ChannelGain(LogUniform(0.5, 2)),
    ToneGain((64, 128.5), ((0.5, 1), Choice([1, 2], weights=[1, 3]), Normal(1, 0.1))),
    Contrast((0, 2), pivot="middle"),
    Contrast((0, 2), pivot=100),
    Saturation((0, 2)),
    Hue((-180, 180)),
    ColorJitter(0.9, (0.5, 1.5), Choice((0, 1)), (-9, 9)),
    ColorJitter(hue=(-9, 9)),
    Lighting((-1, 1)),
    Lighting(1, basis=([0.3, 0.2, 0.1], np.eye(3))),
    Gamma((0.5, 2)),
]
FIXED = [
    ChannelGain(each=[1, 0, 2.5]),
    Invert(p=0.1),
    Gray(),
    Gray((0.5, 0.25, 0.25)),
    Rescale(),
    Rescale("minmax"),
    Rescale((-100, 400), to=(-1, 1)),
    Normalize("imagenet"),
    Normalize(0.5, 0.25, "none"),
    Normalize(np.array([0.1, 0.2, 0.3]), [1, 2, 3]),
    Standardize(True, True, False, 0.1),
    ToDtype("float16"),
    ToDtype(np.uint8, scale=True),
    ToLayout("channels_first"),
]
COLOURS = [getattr(colour, name) for name in colour.__all__]
BY_HAND = {type(t) for t in RANDOM + FIXED} | {Apply}
DERIVED = [example_of(cls) for cls in COLOURS if cls not in BY_HAND]
DEFAULTS = [cls() for cls in COLOURS if not required(cls) and cls is not ColorJitter]


@pytest.mark.parametrize("transform", RANDOM + FIXED + DERIVED + DEFAULTS, ids=repr)
def test_a_file_gives_back_an_equal_transform(transform):
    written = json.loads(json.dumps(transform.to_dict()))
    again = from_dict(written)
    assert again == transform
    assert again.to_dict() == written


def test_every_transform_is_exported_and_tested():
    tested = {type(t) for t in RANDOM + FIXED + DERIVED} | {Apply}
    assert tested == set(COLOURS) == {*COLOUR, *OWN}
    assert all(REGISTRY[name] is getattr(colour, name) for name in colour.__all__)


@pytest.mark.parametrize("transform", DEFAULTS, ids=repr)
def test_defaults_are_not_written(transform):
    assert transform.to_dict() == {type(transform).__name__: {}}


def numbers_of(op):
    assert isinstance(op, ChannelMix | Pointwise)
    return [op.params] if isinstance(op, Pointwise) else [op.matrix, *([] if op.pivot is None else [op.pivot])]


@pytest.mark.parametrize("transform", RANDOM, ids=repr)
def test_a_sample_draws_the_same_in_any_batch(transform):
    keys = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]
    whole = numbers_of(transform.draw(draws_of(transform, keys), frame_of(5)))
    for row, key in enumerate(keys):
        alone = numbers_of(transform.draw(draws_of(transform, [key]), frame_of(1)))
        for a, b in zip(whole, alone, strict=True):
            np.testing.assert_array_equal(a[row], b[0])
    other = numbers_of(transform.draw(draws_of(transform, keys, seed=6), frame_of(5)))
    if transform.variants() > 100:
        assert any((a != b).any() for a, b in zip(whole, other, strict=True))


REFUSED = [
    (lambda: Brightness(0), r"Brightness\(factor=\.\.\.\) above 0, got 0"),
    (lambda: GainOffset(0), r"GainOffset\(alpha=\.\.\.\) above 0, got 0"),
    (lambda: GainOffset((-1, 1)), r"GainOffset\(alpha=\.\.\.\) above 0"),
    (
        lambda: GainOffset(1, None),
        r"GainOffset\(beta=\.\.\.\) to be a number, a pair or a distribution, got None",
    ),
    (lambda: ChannelGain((-0.1, 1)), r"ChannelGain\(gains=\.\.\.\) within 0\.\.inf, got -0\.1\.\.1"),
    (
        lambda: ChannelGain(each=[1, -1, 1]),
        r"ChannelGain\(each=\.\.\.\) to hold finite numbers of at least 0",
    ),
    (lambda: ChannelGain(each=[]), r"ChannelGain\(each=\.\.\.\) to hold at least one number, got \[\]"),
    (lambda: ChannelGain((0, 1), each=[1]), r"gains or each, got gains=0\.\.1 and each=\(1\.0,\); leave one"),
    (lambda: ToneGain([2, 1], [1, 1, 1]), r"ToneGain\(edges=\.\.\.\) to increase, got \[2, 1\]; sort them"),
    (lambda: ToneGain([1, 1], [1, 1, 1]), r"ToneGain\(edges=\.\.\.\) to increase"),
    (lambda: ToneGain([1, True], [1, 1, 1]), r"ToneGain\(edges=\.\.\.\) to hold finite numbers, got"),
    (lambda: ToneGain([100], [1]), r"ToneGain\(gains=\.\.\.\) to hold 2 entries, one more than edges, got 1"),
    (
        lambda: ToneGain([100], [1, 1, 1]),
        r"ToneGain\(gains=\.\.\.\) to hold 2 entries, one more than edges, got 3",
    ),
    (lambda: ToneGain([100], [1, -1]), r"ToneGain\(gains=\.\.\.\)\[1\] of at least 0, got -1"),
    (lambda: ToneGain([100], 1), r"ToneGain\(gains=\.\.\.\) to be a list of numbers, pairs or distributions"),
    (lambda: ToneGain(None, [1]), r"ToneGain\(edges=\.\.\.\) to hold finite numbers, got None"),
    (lambda: Contrast(-0.1), r"Contrast\(factor=\.\.\.\) within 0\.\.inf"),
    (
        lambda: Contrast(1, "median"),
        r"Contrast\(pivot=\.\.\.\) to be 'mean', 'each', 'middle' or a number, got 'median'",
    ),
    (lambda: Contrast(1, np.nan), r"Contrast\(pivot=\.\.\.\) to be 'mean', 'each', 'middle' or a number, got nan"),
    (lambda: Saturation(-0.1), r"Saturation\(factor=\.\.\.\) within 0\.\.inf"),
    (lambda: Hue((-181, 0)), r"Hue\(degrees=\.\.\.\) within -180\.\.180 degrees, got -181\.\.0"),
    (lambda: Hue((0, 181)), r"Hue\(degrees=\.\.\.\) within -180\.\.180 degrees, got 0\.\.181"),
    (lambda: ColorJitter(), r"ColorJitter to get brightness, contrast, saturation or hue, got none of them"),
    (lambda: ColorJitter(0), r"ColorJitter\(brightness=\.\.\.\) above 0"),
    (lambda: ColorJitter(contrast=-1), r"ColorJitter\(contrast=\.\.\.\) within 0\.\.inf"),
    (lambda: ColorJitter(saturation=-1), r"ColorJitter\(saturation=\.\.\.\) within 0\.\.inf"),
    (lambda: ColorJitter(hue=200), r"ColorJitter\(hue=\.\.\.\) within -180\.\.180 degrees"),
    (lambda: Lighting(basis="cifar"), r"Lighting\(basis=\.\.\.\) to be 'imagenet' or a pair"),
    (
        lambda: Lighting(basis=([1, 2], [[1, 0]])),
        r"as 2 rows of 2 numbers, one row per channel, got rows of \[2\]",
    ),
    (
        lambda: Lighting(basis=([1, 2], [[1], [0]])),
        r"as 2 rows of 2 numbers, one row per channel, got rows of \[1, 1\]",
    ),
    (
        lambda: Lighting(basis=([1, -2], [[1, 0], [0, 1]])),
        r"eigenvalues to hold finite numbers of at least 0",
    ),
    (lambda: Lighting(basis=([1], 1)), r"eigenvectors of .* to be a list of rows, got 1"),
    (lambda: Gamma(0), r"Gamma\(gamma=\.\.\.\) above 0"),
    (lambda: Gamma((-1, 2)), r"Gamma\(gamma=\.\.\.\) above 0"),
    (
        lambda: Rescale("range"),
        r"Rescale\(by=\.\.\.\) to be 'depth', 'minmax' or a pair low < high, got 'range'",
    ),
    (
        lambda: Rescale((5, 5)),
        r"Rescale\(by=\.\.\.\) to be 'depth', 'minmax' or a pair low < high, got \(5, 5\)",
    ),
    (lambda: Rescale(None), r"Rescale\(by=\.\.\.\) to be 'depth'.* got None"),
    (lambda: Rescale(to=(0, 255)), r"Rescale\(to=\.\.\.\) to be \(0, 1\) or \(-1, 1\), got \(0, 255\)"),
    (
        lambda: Normalize("imagnet"),
        r"Normalize\(mean=\.\.\.\) to be one of 'imagenet'.*did you mean 'imagenet'\?",
    ),
    (
        lambda: Normalize("imagenet", 1),
        r"Normalize\('imagenet'\) without std, which the name implies, got std=\(1\.0,\)",
    ),
    (lambda: Normalize("imagenet", scale="none"), r"Normalize\('imagenet'\) with scale='depth'"),
    (lambda: Normalize(0.5), r"Normalize to get std as well as mean=\(0\.5,\); give both, or a name"),
    (lambda: Normalize(0.5, 0), r"Normalize\(std=\.\.\.\) to hold finite numbers above 0, got 0"),
    (
        lambda: Normalize(0.5, [1, -1]),
        r"Normalize\(std=\.\.\.\) to hold finite numbers above 0, got \[1, -1\]",
    ),
    (lambda: Normalize(np.inf, 1), r"Normalize\(mean=\.\.\.\) to hold finite numbers, got inf"),
    (lambda: Normalize(0.5, 1, "255"), r"Normalize\(scale=\.\.\.\) to be one of 'depth', 'none'"),
    (
        lambda: Standardize(epsilon=-1e-9),
        r"Standardize\(epsilon=\.\.\.\) to be a number from 0 to inf, got -1e-09",
    ),
    (lambda: Standardize(centre=False, scale=False), r"Standardize to centre or to scale, got neither"),
    (lambda: Standardize(1), r"Standardize\(per_channel=\.\.\.\) to be one of True, False, got 1"),
    (lambda: ToDtype("int8"), r"ToDtype\(dtype=\.\.\.\) to be one of .*got 'int8'; did you mean 'uint8'\?"),
    (lambda: ToDtype(None), r"ToDtype\(dtype=\.\.\.\) to be one of .*got None"),
    (lambda: ToDtype("uint8", p=0.5), r"ToDtype\(p=\.\.\.\) of 1, since a batch has one dtype, got 0\.5"),
    (
        lambda: ToLayout("chw"),
        r"ToLayout\(layout=\.\.\.\) to be one of 'channels_first', 'channels_last', got 'chw'",
    ),
    (
        lambda: ToLayout("channels_first", p=0),
        r"ToLayout\(p=\.\.\.\) of 1, since a batch has one layout, got 0",
    ),
    (
        lambda: Apply("halve"),
        r"Apply\(function=\.\.\.\) to be a function from an array to an array, got 'halve'",
    ),
    (lambda: Apply(len, 3), r"Apply\(name=\.\.\.\) to be a word to show in explain\(\), got 3"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[m[:40] for _, m in REFUSED])
def test_refused_when_made(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_refused_when_it_meets_an_image():
    with pytest.raises(ParameterError, match=r"ChannelGain\(each=\.\.\.\) to hold 3 numbers, one per colour .*got 2"):
        ChannelGain(each=[1, 2]).draw(draws_of(ChannelGain(), [0]), frame_of(1, 4))
    own = Lighting(basis=([1, 2], np.eye(2)))
    with pytest.raises(ParameterError, match=r"Lighting\(basis=\.\.\.\) of 3 colour channels, got 2"):
        own.draw(draws_of(own, [0]), frame_of(1, 3))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Brightness(0.01),
        lambda: Contrast(0),
        lambda: Saturation(0),
        lambda: Hue((-180, 180)),
        lambda: Gamma(9),
    ],
)
def test_the_bounds_themselves_are_allowed(make):
    make()
