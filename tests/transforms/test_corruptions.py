"""The nineteen corruptions: every one at every severity, on whatever comes, with the published parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.testing import label_map, picture
from imagemill.transforms.corruptions import COMMON, EXTRA
from imagemill.transforms.reading import from_dict

PHOTO = picture(1, (48, 56), 3)
DIGIT = picture(2, (28, 28), None)


def strength(image: Any, name: str, severity: int) -> float:
    made = [im.corrupt(image, name, severity, key=k).astype(float) - image for k in range(3)]
    return float(np.abs(made).mean())


def test_there_are_fifteen_and_four() -> None:
    assert (len(COMMON), len(EXTRA), len(set(COMMON + EXTRA))) == (15, 4, 19)
    parts = [im.corruptions(part) for part in ("noise", "blur", "weather", "digital")]
    assert sum(parts, ()) == im.corruptions("common")
    with pytest.raises(im.ParameterError, match="a subset of corruptions of common, extra, all"):
        im.corruptions("rain")


@pytest.mark.parametrize("name", im.corruptions())
def test_every_severity_takes_digits_and_keeps_their_form(name: str) -> None:
    for severity in range(1, 6):
        made = im.corrupt(DIGIT, name, severity)
        assert (made.shape, made.dtype) == (DIGIT.shape, DIGIT.dtype)
        # A gray image has no saturation.
        assert (made != DIGIT).any() or name == "saturate"


@pytest.mark.parametrize("name", im.corruptions())
def test_a_call_is_the_pipeline_of_its_seed_and_key(name: str) -> None:
    pipe = im.Pipeline([im.Corruption(name, 3)], seed=4)
    for key, image in enumerate((PHOTO, DIGIT, PHOTO)):
        np.testing.assert_array_equal(im.corrupt(image, name, 3, seed=4, key=key), pipe(image, key=key, epoch=0))


@pytest.mark.parametrize("name", im.corruptions())
def test_any_number_of_channels_type_and_volumes(name: str) -> None:
    for channels in (2, 4, 5):
        image = picture(3, (30, 33), channels)
        made = im.corrupt(im.Image(image, axes="yxc"), name, 3)
        assert made.shape == image.shape
        if channels == 4:
            np.testing.assert_array_equal(made[..., 3], image[..., 3])
    for dtype in (np.uint16, np.float32):
        image = picture(4, (30, 33), 3, dtype)
        made = im.corrupt(image, name, 2)
        assert (made.shape, made.dtype) == (image.shape, image.dtype)
        assert np.isfinite(made.astype(float)).all()
    volume = picture(5, (3, 30, 33), None)
    assert im.corrupt(im.Image(volume, axes="zyx"), name, 1).shape == volume.shape


UNEVEN = {"snow", "fog", "frost", "glass_blur", "spatter", "saturate", "elastic_transform"}
"""Those whose published parameters do not all grow, or that are as strong by chance."""


@pytest.mark.parametrize("name", sorted(set(im.corruptions()) - UNEVEN))
def test_the_next_severity_is_stronger(name: str) -> None:
    strengths = [strength(PHOTO, name, severity) for severity in range(1, 6)]
    assert strengths == sorted(strengths)
    assert strengths[-1] > strengths[0] > 0


def test_label_maps_boxes_and_points_stay() -> None:
    mask = label_map(1, (48, 56))
    boxes = im.Boxes(np.array([[5.0, 6, 20, 30]]), "xyxy")
    points = im.Keypoints(np.array([[9.0, 12.0]]))
    for name in im.corruptions():
        sample = im.Pipeline([im.Corruption(name, 5)], seed=1)(image=PHOTO, mask=mask, boxes=boxes, keypoints=points)
        np.testing.assert_array_equal(sample.mask, mask)
        np.testing.assert_array_equal(sample.boxes, [[5, 6, 20, 30]])
        np.testing.assert_array_equal(sample.keypoints, [[9, 12]])


def test_published_numbers_where_a_sum_tells_them() -> None:
    flat = np.full((200, 200), 0.5)
    for severity, std in enumerate((0.08, 0.12, 0.18, 0.26, 0.38), start=1):
        assert im.corrupt(flat, "gaussian_noise", severity).std() == pytest.approx(std, rel=0.02)
    for severity, photons in enumerate((60, 25, 12, 5, 3), start=1):
        found = im.corrupt(flat, "shot_noise", severity)
        assert found.std() == pytest.approx(np.sqrt(0.5 / photons), rel=0.03)
    for severity, share in enumerate((0.03, 0.06, 0.09, 0.17, 0.27), start=1):
        assert (im.corrupt(flat, "impulse_noise", severity) != 0.5).mean() == pytest.approx(share, rel=0.05)
    for severity, std in enumerate((0.15, 0.2, 0.35, 0.45, 0.6), start=1):
        assert im.corrupt(flat, "speckle_noise", severity).std() == pytest.approx(0.5 * std, rel=0.02)
    for severity, factor in enumerate((0.4, 0.3, 0.2, 0.1, 0.05), start=1):
        means = PHOTO.mean(axis=(0, 1))
        np.testing.assert_allclose(im.corrupt(PHOTO, "contrast", severity), (PHOTO - means) * factor + means, atol=0.51)
    for severity, more in enumerate((0.1, 0.2, 0.3, 0.4, 0.5), start=1):
        np.testing.assert_allclose(im.corrupt(flat, "brightness", severity), 0.5 + more)


def test_zoom_blur_is_the_mean_of_the_published_zooms_and_the_image_once_more() -> None:
    dot = np.zeros((41, 61))
    dot[20, 30] = 1
    zooms = (np.arange(1, 1.11, 0.01), np.arange(1, 1.16, 0.01), np.arange(1, 1.21, 0.02), np.arange(1, 1.26, 0.02),
             np.arange(1, 1.31, 0.03))  # fmt: skip
    for severity, factors in enumerate(zooms, start=1):
        # Each zoom shows the middle as it is, and lowers with its straight lines what lies a step beside it.
        assert im.corrupt(dot, "zoom_blur", severity)[20, 30] == pytest.approx(1)
        (blur,) = im.Corruption("zoom_blur", severity).children()
        assert (blur.steps, blur.factor.high) == (len(factors), pytest.approx(factors[-1]))
        beside = im.corrupt(dot, "zoom_blur", severity)[20, 31]
        assert beside == pytest.approx(sum(1 - 1 / z for z in factors) / (len(factors) + 1))


def test_severities_are_drawn_evenly_and_a_batch_changes_nothing() -> None:
    pipe = im.Pipeline([im.Corruption("brightness")], seed=3)
    images = np.zeros((500, 28, 28), np.uint8)
    batch = pipe.batch(images, keys=range(500))
    levels, counts = np.unique(batch.image[:, 0, 0], return_counts=True)
    np.testing.assert_array_equal(levels, np.rint(255 * np.array([0.1, 0.2, 0.3, 0.4, 0.5])))
    assert counts.min() > 70
    for k in (0, 17, 499):
        np.testing.assert_array_equal(pipe(images[k], key=k, epoch=0), batch.image[k])
    some = im.Pipeline([im.Corruption("brightness", im.Choice([1, 5]))], seed=3).batch(images[:99], keys=range(99))
    assert set(np.unique(some.image)) == {26, 128}
    assert im.Corruption("fog", im.Choice([1, 5], [1, 3])).chances() == (0.25, 0.75)


def test_files_keep_the_name_and_the_severity() -> None:
    made = im.Corruption("jpeg-compression", severity=(2, 4), p=0.5)
    assert made.to_dict() == {"Corruption": {"name": "jpeg_compression", "severity": [2, 4], "p": 0.5}}
    assert from_dict(made.to_dict()) == made
    assert im.Corruption("fog").to_dict() == {"Corruption": {"name": "fog"}}


def test_what_is_refused() -> None:
    with pytest.raises(im.ParameterError, match="a corruption, got 'fogg'; did you mean 'fog'"):
        im.Corruption("fogg")
    with pytest.raises(im.ParameterError, match=r"within 1\.\.5, got 6"):
        im.corrupt(DIGIT, "fog", 6)
    with pytest.raises(im.ParameterError, match=r"within 1\.\.5, got 0"):
        im.corrupt(DIGIT, "fog", 0)
    with pytest.raises(im.ParameterError, match=r"whole number.*got 2\.5; write 2, for example"):
        im.corrupt(DIGIT, "fog", 2.5)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(im.ParameterError, match="to be a corruption, got 3"):
        im.Corruption(3)  # type: ignore[arg-type]  # on purpose
