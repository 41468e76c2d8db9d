"""Each transform there is keeps every promise, alone and behind a crop: none can be left out of the search."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imagemill as im
from imagemill.testing import assert_backends_agree, label_map, picture, transforms, transforms_of
from imagemill.testing.derived import accepts, needed
from imagemill.testing.each import APART, BY_HAND, COLOUR, COMBINED, GEOMETRY, MIXING, OWN
from imagemill.transforms.base import REGISTRY

# Generated images have all types, and generated transforms any that go by a white.
pytestmark = pytest.mark.filterwarnings("ignore:.* takes .* for white in images")

SHIPPED = [getattr(im, name) for name in sorted(REGISTRY) if getattr(im, name, None) is REGISTRY[name]]
SHIPPED = [cls for cls in SHIPPED if cls not in MIXING]  # those are in tests/transforms/mixing
FORMS = {"rgb": (3, 2), "rgba": (4, 2), "gray": (1, 2), "volume": (1, 3)}
"""Channels and axes of images."""

each = pytest.mark.parametrize("cls", SHIPPED, ids=lambda cls: cls.__name__)


def test_every_transform_has_a_strategy() -> None:
    known = [*GEOMETRY, *COLOUR, *OWN, *APART, *COMBINED]
    public = {t for t in map(im.__dict__.get, im.__all__) if isinstance(t, type) and issubclass(t, im.Transform)}
    assert public - {im.Transform} <= {*SHIPPED, *MIXING}
    assert len(SHIPPED) > 30
    assert set(known) == set(SHIPPED)
    assert len(known) == len(set(known))


def test_strategies_are_by_hand_only_where_a_declaration_does_not_tell() -> None:
    derived = {cls.__name__ for cls in set(SHIPPED) - set(BY_HAND)}
    assert {"Brightness", "Gamma", "Hue", "Perspective", "ToLayout", "Zoom"} <= derived
    # What is not told is said, with the way out.
    with pytest.raises(im.ParameterError, match=r"Normalize\(mean=\.\.\.\) to be a param\(\), a size or one_of"):
        needed(im.Normalize)


@pytest.mark.parametrize("cls", [cls for cls in SHIPPED if cls not in BY_HAND], ids=lambda cls: cls.__name__)
@given(st.data())
@settings(max_examples=20)
def test_derived_strategies_reach_what_is_declared(cls: type[im.Transform], data: Any) -> None:
    strategy = transforms_of(cls, orders=(3,), borders=("wrap",))
    assert strategy is not None
    made = data.draw(strategy)
    assert accepts(made, (8, 8), 3)
    assert (getattr(made, "order", 3), getattr(made, "border", "wrap")) == (3, "wrap")
    for f in dataclasses.fields(cls):
        if f.metadata.get("kind") == "param":
            held = getattr(made, f.name)
            if held is None:  # an option that is off
                continue
            low, high = held.bounds
            assert f.metadata["low"] <= low <= high <= f.metadata["high"]


def test_a_transform_of_somebody_else_is_refused() -> None:
    class Theirs(im.Transform):
        pass

    REGISTRY.pop("Theirs")
    with pytest.raises(im.ParameterError, match=r"a transform of imagemill, got Theirs; write a strategy"):
        transforms_of(Theirs)


@st.composite
def cases(draw: Any, cls: type[im.Transform]) -> tuple[im.Transform, str]:
    """A transform of a type, and the form of images it is for."""
    made = {form: transforms_of(cls, channels=c, ndim=d, least=4) for form, (c, d) in FORMS.items()}
    form = draw(st.sampled_from([form for form, strategy in made.items() if strategy is not None]))
    found = draw(made[form])
    if isinstance(found, im.AugMix):  # versions that move have no place in common, so label maps are refused
        found = dataclasses.replace(found, geometry=False)
    return found, form


def images_of(form: str, seed: int, count: int) -> list[Any]:
    channels, ndim = FORMS[form]
    shape = (9, 13) if ndim == 2 else (5, 7, 9)
    return [picture(seed + i, shape, channels if channels > 1 else None) for i in range(count)]


def axes_of(form: str) -> str:
    return "zyx" if form == "volume" else "yx" if form == "gray" else "yxc"


@each
@settings(max_examples=4)
@given(st.data())
def test_every_transform_keeps_every_promise(cls: type[im.Transform], data: Any) -> None:
    transform, form = data.draw(cases(cls))
    seed = data.draw(st.integers(0, 2**16))
    # Behind a small crop, where statistics go over few pixels.
    first = [im.Crop((4, 5), at="random", p=1.0)] if data.draw(st.booleans()) else []
    pipe = im.Pipeline([*first, transform], seed=seed)
    check(pipe, form, seed)


def check(pipe: im.Pipeline, form: str, seed: int) -> None:
    listed, axes = images_of(form, seed, 3), axes_of(form)
    mask = label_map(seed, listed[0].shape[: FORMS[form][1]])
    assert_backends_agree(pipe, image=listed[0], mask=mask, axes=axes)
    alone = [pipe(image=image, key=key, axes=axes) for key, image in enumerate(listed)]
    if len({sample.image.shape for sample in alone}) == 1:  # a batch has one size
        for workers in (1, 2):
            batch = pipe.batch(listed, keys=range(3), axes=axes, workers=workers)
            for row, sample in enumerate(alone):
                np.testing.assert_array_equal(batch.image[row], sample.image)
                assert batch.applied[row] == sample.applied
    replayed(pipe, listed[1], axes, alone[1])


def replayed(pipe: im.Pipeline, image: Any, axes: str, sample: Any) -> None:
    recipe = json.loads(json.dumps(sample.recipe.to_dict()))
    again = pipe.with_seed(pipe.seed ^ 1).replay(recipe, image=image, axes=axes)
    np.testing.assert_array_equal(again.image, sample.image)
    assert again.applied == sample.applied
    if not any(isinstance(t, im.Apply) for t in pipe.transforms):
        assert im.Pipeline.from_json(pipe.to_json()) == pipe


@each
@settings(max_examples=3)
@given(st.data())
def test_a_transform_alone_is_the_same_fused_and_step_by_step(cls: type[im.Transform], data: Any) -> None:
    transform, form = data.draw(cases(cls))
    image = images_of(form, data.draw(st.integers(0, 99)), 1)[0].astype(np.float64)
    fused, steps = (im.Pipeline([transform], seed=3, backend="reference", fuse=f) for f in (True, False))
    found, wanted = (p(image=image, axes=axes_of(form), key=0).image for p in (fused, steps))
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    if isinstance(transform, im.OneOf | im.PerClass | im.SomeOf | im.Sequential):
        return  # several resamples in a row become one: see test_fused_equals_stepwise.py
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9 * max(1.0, float(np.abs(wanted).max())))


def exact(transform: im.Transform) -> bool:
    """Whether colour is the same before and after an interpolation, but for rounding.

    Not where it turns about the mean, which is that of what the geometry left, not along a bent curve, and not
    where whole numbers may be rounded the other way.
    """
    bent = isinstance(transform, im.Gamma | im.ColorJitter) or getattr(transform, "pivot", "") == "mean"
    return not bent and not str(getattr(transform, "dtype", "")).startswith("uint")


colours = st.lists(transforms("colour").filter(exact), max_size=2)


@settings(max_examples=40)
@given(colours, transforms("geometry"), colours, st.integers(0, 99))
def test_colour_of_any_kind_is_the_same_fused_and_step_by_step(before: Any, move: Any, after: Any, seed: int) -> None:
    image = picture(seed, (9, 13), 3, np.float64)
    fused, steps = (im.Pipeline([*before, move, *after], seed=seed, backend="reference", fuse=f) for f in (True, False))
    found, wanted = (p(image=image, key=0).image.astype(np.float64) for p in (fused, steps))
    # float32 holds seven digits.
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6 * max(1.0, float(np.abs(wanted).max())))
