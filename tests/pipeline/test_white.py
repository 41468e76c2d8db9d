"""Images whose values do not fit the white that a pipeline goes by: said once, with what to do."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.transforms.base import Transform

RNG = np.random.default_rng(8)
BYTES = RNG.random((12, 14, 3)) * 255
HOUNSFIELD = RNG.integers(-1000, 1500, (6, 12, 14), dtype=np.int16)
NEEDY = [
    im.Gamma(2),
    im.Invert(),
    im.Contrast(2, pivot="middle"),
    im.Normalize(0.5, 0.25),
    im.Rescale(),
    im.ToDtype("uint16", scale=True),
    im.OneOf([im.Flip("x"), im.Gamma(2)]),
    im.Sequential([im.Flip("x"), im.Invert()]),
]


def _told(transforms: list[Transform], image: Any, axes: str | None = None, times: int = 3) -> list[str]:
    pipe = im.Pipeline(transforms, seed=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for key in range(times):
            pipe(image, key=key, axes=axes)
        pipe.batch([image, image], axes=axes)
    return [str(one.message) for one in caught]


@pytest.mark.parametrize("transform", NEEDY, ids=lambda one: type(one).__name__)
def test_floats_of_0_to_255_and_signed_values_are_said_once(transform: Transform) -> None:
    (said,) = _told([transform], BYTES.astype(np.float32))
    assert "takes 1 for white in images of float32, the first of which has values up to 25" in said
    assert said.endswith("give image / 255, or begin the pipeline with Rescale((0, 255))")
    (said,) = _told([transform], HOUNSFIELD, "zyx")
    assert "takes 32,767 for white in images of int16, the first of which has values from -" in said
    assert "Rescale((low, high))" in said
    (said,) = _told([transform], BYTES - 100)
    assert "takes 1 for white in images of float64, the first of which has values from -" in said


@pytest.mark.parametrize("transform", [*NEEDY, im.Lighting(0.1)], ids=lambda one: type(one).__name__)
def test_pictures_that_fit_are_not_remarked_upon(transform: Transform) -> None:
    for image in (
        BYTES.astype(np.uint8),
        (BYTES * 250).astype(np.uint16),
        (BYTES / 255).astype(np.float32),
        (BYTES / 255 * 1.2 - 0.005).astype(np.float32),
    ):
        assert _told([transform], image) == []


def test_what_is_advised_ends_it_and_gives_the_picture_of_the_bytes() -> None:
    assert _told([im.Gamma(2)], BYTES / 255) == []
    assert _told([im.Rescale((0, 255)), im.Gamma(2)], BYTES) == []
    assert _told([im.Rescale((-1000, 1000)), im.Invert()], HOUNSFIELD, "zyx") == []
    assert _told([im.Standardize(), im.Flip("x")], BYTES) == []
    made = im.Pipeline([im.Rescale((0, 255)), im.Gamma(2)], seed=1)(BYTES)
    np.testing.assert_allclose(made, (BYTES / 255) ** 2, rtol=1e-5)


def test_transforms_that_go_by_no_white_say_nothing() -> None:
    for transform in (im.Brightness(1.2), im.Contrast(1.5), im.Normalize(100, 50, scale="none"), im.Flip("x")):
        assert _told([transform], HOUNSFIELD, "zyx") == []
        assert _told([transform], BYTES) == []
    # Where it may not have run, the values may be as they came.


def test_a_scale_that_may_not_have_been_set_is_none() -> None:
    assert len(_told([im.OneOf([im.Rescale((0, 255)), im.Flip("x")]), im.Gamma(2)], BYTES)) == 1


def test_whole_numbers_with_sign_have_no_white_to_speak_of() -> None:
    (said,) = _told([im.Normalize(0.5, 0.5)], np.full((9, 9), 4000, np.int16))
    assert "takes 32,767 for white in images of int16, the first of which has values up to 4000" in said


def test_values_that_are_not_numbers_are_passed_over_and_a_mask_is_no_image() -> None:
    gaps = (BYTES / 255).astype(np.float32)
    gaps[2:5] = np.nan
    assert [one for one in _told([im.Invert()], gaps) if "white" in one] == []
    pipe = im.Pipeline([im.Gamma(2)], seed=1)
    pipe(mask=np.ones((4, 4), np.uint8), key=0)
    with pytest.warns(UserWarning, match="takes 1 for white"):
        pipe(BYTES, key=0)


def test_a_pickled_pipeline_says_it_where_it_runs() -> None:
    pipe = pickle.loads(pickle.dumps(im.Pipeline([im.Gamma(2)], seed=1)))
    with pytest.warns(UserWarning, match="takes 1 for white"):
        pipe(BYTES, key=0)


class _Bright:
    """A dataset of one's own around a pipeline; gives each picture with how often something was said of it."""

    def __init__(self) -> None:
        self.pipe = im.Pipeline([im.Gamma(2)], seed=1)

    def __len__(self) -> int:
        return 12

    def __getitem__(self, i: int) -> int:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.pipe(BYTES.astype(np.float32), key=i)
        return sum("takes 1 for white" in str(one.message) for one in caught)


def test_workers_of_every_epoch_say_it_once_together() -> None:
    data = pytest.importorskip("torch.utils.data", reason="needs torch")
    loader = data.DataLoader(_Bright(), batch_size=3, num_workers=2, multiprocessing_context="fork")
    assert sum(int(batch.sum()) for _ in range(2) for batch in loader) == 1
