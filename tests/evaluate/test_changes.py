"""Changes of test images by name: one grammar for stressed populations and sweeps, for every transform there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import imagemill as im
from imagemill.evaluate.inputs import arm_check
from imagemill.evaluate.inputs.arms import populations, stressed
from imagemill.evaluate.inputs.changes import GROUPS, change_named
from imagemill.evaluate.stressing.sweeps import read_sweeps
from imagemill.transforms.base import REGISTRY

Array = np.ndarray[Any, Any]
OURS = sorted(name for name, cls in REGISTRY.items() if cls.__module__.startswith("imagemill.transforms."))
PHOTOS = np.random.default_rng(1).integers(0, 255, (3, 16, 20, 3)).astype(np.uint8)


def changed(pipeline: im.Pipeline, images: Array) -> Array:
    made, _ = arm_check.changed(pipeline, images, "the change", "images")
    return made


def spelled(name: str) -> str:
    return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")


@pytest.mark.parametrize("name", OURS)
def test_every_transform_is_a_change_by_its_name_or_says_what_to_do(name: str) -> None:
    known, said, made = spelled(name), "", []
    try:
        change, _ = change_named(known, (16, 20))
        magnitudes = change.grid(3) if change.counted else (None,)
        made = [changed(change.make(magnitude), PHOTOS) for magnitude in magnitudes]
    except im.InputError as error:
        said = str(error)
    if made:
        assert all(one.shape == PHOTOS.shape and one.dtype == PHOTOS.dtype for one in made)
    else:
        # It needs values that no name can say, gives another type, or has no range of its own.
        advice = (
            "in a pipeline file",
            "leave Rescale",
            "LOW..HIGH",
            "expected volumes",
            "such as corruption:fog:3",
            "end the pipeline with Resize",
            "such as rotate:15",
        )
        assert any(word in said for word in advice), said


def test_most_transforms_need_nothing_but_their_name() -> None:
    def works(name: str) -> bool:
        try:
            change, _ = change_named(spelled(name), (16, 20))
            changed(change.make(change.grid(3)[0] if change.counted else None), PHOTOS)
        except im.InputError:
            return False
        return True

    assert sum(map(works, OURS)) >= 22, [name for name in OURS if not works(name)]


@pytest.mark.parametrize("name", sorted({name for members in GROUPS.values() for name in members}))
def test_members_of_groups_have_a_range_and_leave_images_alone_somewhere(name: str) -> None:
    (sweep,) = read_sweeps(name, PHOTOS)
    assert not sweep.change.counted or (len(sweep.magnitudes) >= 5 and sweep.neutral is not None)


def test_a_name_does_what_the_transform_does() -> None:
    def same(spec: str, transform: Any) -> None:
        expected = im.Pipeline([transform], seed=0).batch(PHOTOS, keys=range(3), epoch=0).image
        made = populations(PHOTOS, np.arange(3), [spec])[1]
        assert made.name == spec
        np.testing.assert_array_equal(made.images, expected)

    same("rotate:15", im.Rotate(15))
    same("rotate:15deg", im.Rotate(15))
    same("rotate:-15..15", im.Rotate((-15, 15)))
    same("shift:4px", im.Shift(pixels={"x": 4}))
    same("shift.y:-2", im.Shift(pixels={"y": -2}))
    same("shift:10%", im.Shift(fraction={"x": 0.1}))
    same("zoom.x:0.8", im.Zoom({"x": 0.8}))
    same("flip:y", im.Flip("y"))
    same("gain-offset.beta:20", im.GainOffset(1, beta=20))  # what is not asked about is held still
    same("median-blur:3", im.MedianBlur(3))
    same("noise:0.1", im.GaussianNoise(0.1))
    same("blur:1px", im.GaussianBlur(1))
    same("random-resized-crop:0.5", im.RandomResizedCrop((16, 20), area=0.5, aspect=1))


def test_several_amounts_are_several_populations() -> None:
    asked = populations(PHOTOS, np.arange(3), ["rotate:-20..20/3", "gamma:0.5,2", "invert"])
    names = ["clean", "rotate:-20", "rotate:0", "rotate:20", "gamma:0.5", "gamma:2", "invert"]
    assert [one.name for one in asked] == names
    np.testing.assert_array_equal(asked[2].images, PHOTOS)
    assert not np.array_equal(asked[1].images, asked[3].images)


def test_what_crops_is_brought_back_to_its_size() -> None:
    name, pipeline = stressed("pad:2", (16, 20))
    assert name == "pad:2"
    assert pipeline.batch(PHOTOS, keys=range(3), epoch=0).image.shape == PHOTOS.shape


def test_noise_is_the_same_pattern_at_every_strength_and_blur_is_scipys() -> None:
    flat = np.full((3, 40, 40, 1), 0.5, np.float32)
    weak, strong = (changed(change_named(f"noise:{d}")[0].make(d), flat) - flat for d in (0.01, 0.1))
    np.testing.assert_allclose(strong, weak * 10, atol=1e-4)
    assert strong.std() == pytest.approx(0.1, rel=0.05)
    assert abs(np.corrcoef(strong[0].ravel(), strong[1].ravel())[0, 1]) < 0.1  # each image has its own
    np.testing.assert_array_equal(changed(change_named("noise")[0].make(0.0), PHOTOS), PHOTOS)
    sharp = PHOTOS.astype(np.float32) / 255
    made = changed(change_named("blur:1.5")[0].make(1.5), sharp)
    expected = ndimage.gaussian_filter(sharp, (0, 1.5, 1.5, 0), mode="mirror", truncate=4)
    np.testing.assert_allclose(made, expected, atol=1e-5)
    drawn = populations(PHOTOS, np.arange(3), ["blur:0..2"])[1].images
    assert len({float(one.std()) for one in drawn}) == 3


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("invert:3", "invert without an amount"),
        ("rotate", "one amount for stressed images, such as rotate:90, or a range to draw from"),
        ("rotate:1,2", "one amount for stressed images"),
        ("rotate:15px", "expected rotate in degrees, got 'px'"),
        ("blur:3deg", "expected blur in pixels, got 'deg'"),
        ("noise:-1", r"expected GaussianNoise\(std=...\) within 0..1000, got -1"),
        ("shift.q:1", r"a parameter of Shift \(pixels, fraction, millimetres\), got 'q'"),
        ("rotate.x:1", "expected Rotate.degrees without an axis, got 'x'"),
        ("shift:1px..2deg", "one unit for shift"),
        ("one-of", "in a pipeline file, and give that file"),
        ("brightnes:2", "did you mean 'brightness'"),
        ("flip:q", "expected Flip.*one of 'x', 'y', 'z', got 'q'"),
    ],
)
def test_a_name_or_amount_that_is_wrong_is_an_error_with_the_right_one(spec: str, words: str) -> None:
    with pytest.raises(im.ParameterError, match=words):
        stressed(spec)
