"""Photos that are decoded no larger than they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st

import imagemill as im
from imagemill.core.geometry import Frame
from imagemill.feed import Loader
from imagemill.feed.making import augmenting
from imagemill.feed.making.item import Photo
from imagemill.feed.making.reduced import factors_of
from tests.feed.makes import coco, smooth

SHRINK = im.Pipeline([im.Resize((40, 50)), im.Normalize((0.0,) * 3, (1.0,) * 3)], seed=1)


def photo(path: Path, shape: tuple[int, int], seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(simplejpeg.encode_jpeg(smooth(seed, shape), quality=95))
    return path


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """By how much each photo was decoded smaller."""
    seen: list[int] = []
    at = Photo.at

    def noted(self: Photo, factor: int, rows: int | None = None) -> Any:
        seen.append(factor)
        return at(self, factor, rows)

    monkeypatch.setattr(Photo, "at", noted)
    return seen


def batches(folder: Any, pipeline: im.Pipeline, **how: Any) -> im.Batch:
    return Loader(folder, pipeline, batch_size=64, shuffle=False, workers=0, **how).batch(0)


@pytest.mark.parametrize(("side", "factor"), [(50, 1), (79, 1), (80, 2), (159, 2), (160, 4), (333, 8), (641, 8)])
def test_the_decoder_shrinks_as_far_as_the_geometry_allows(
    tmp_path: Path, sizes: list[int], side: int, factor: int
) -> None:
    photo(tmp_path / "a" / "1.jpg", (side, side * 50 // 40 + 1))
    whole = batches(tmp_path, SHRINK, reduced=False).image
    assert not sizes
    found = batches(tmp_path, SHRINK).image
    assert sizes == [factor]
    assert found.shape == whole.shape
    # In the same place: a shift by half a pixel of the output would show ten times this.
    assert np.abs(found - whole).mean() < 0.006
    assert np.abs(found - whole).max() < 0.08


def test_pictures_stay_in_their_place(tmp_path: Path) -> None:
    ramp = np.broadcast_to(np.linspace(20, 235, 320)[None, :, None], (240, 320, 3)).astype(np.uint8)
    (tmp_path / "1.jpg").write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(ramp), quality=98))
    pipe = im.Pipeline([im.Flip("x"), im.Rotate(7), im.Resize((30, 40))], seed=1)
    whole, found = (batches(tmp_path, pipe, reduced=r).image.astype(float)[0, 8:-8, 8:-8] for r in (False, True))
    # A pixel of the output is five levels wide: less than a twentieth of one.
    assert abs((found - whole).mean()) < 0.25


def test_small_pictures_and_other_transforms_are_read_whole(tmp_path: Path, sizes: list[int]) -> None:
    photo(tmp_path / "1.jpg", (200, 200))
    for pipe in (
        im.Pipeline([im.Resize((40, 40), order=0)], seed=0),
        im.Pipeline([im.Resize((40, 40), antialias=False)], seed=0),
        im.Pipeline([im.Apply(lambda image: image), im.Resize((40, 40))], seed=0),
        im.Pipeline([im.Crop((40, 40))], seed=0),
        im.Pipeline([im.Elastic(), im.Resize((40, 40))], seed=0),
        im.Pipeline([], seed=0),
    ):
        whole, found = batches(tmp_path, pipe, reduced=False), batches(tmp_path, pipe)
        assert np.array_equal(whole.image, found.image)
    assert set(sizes) == {1}


def test_draws_boxes_and_masks_are_those_of_the_whole_picture(tmp_path: Path, sizes: list[int]) -> None:
    coco(tmp_path)
    pipe = im.Pipeline([im.Rotate((-20, 20)), im.Resize((20, 20)), im.Flip("x", p=0.5)], seed=4)
    whole, found = (batches(im.open(tmp_path), pipe, reduced=r) for r in (False, True))
    assert max(sizes) > 1
    for row in range(len(found)):
        assert np.array_equal(whole.boxes[row].array, found.boxes[row].array)
        assert whole.applied[row] == found.applied[row]
    assert np.array_equal(whole.affine, found.affine)


def test_exif_turns_are_part_of_it(tmp_path: Path, sizes: list[int]) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(smooth(3, (160, 300))).save(tmp_path / "1.jpg", exif=exif, quality=95)
    whole, found = (batches(tmp_path, SHRINK, reduced=r).image for r in (False, True))
    assert sizes[-1] == 2
    assert np.abs(found - whole).max() < 0.08


def test_gray_photos_and_channels(tmp_path: Path, sizes: list[int]) -> None:
    gray = smooth(1, (200, 240))[..., :1]
    (tmp_path / "1.jpg").write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(gray), colorspace="GRAY"))
    for channels, shape in (("keep", (40, 50)), ("rgb", (40, 50, 3)), ("gray", (40, 50)), ("rgba", (40, 50, 4))):
        pipe = im.Pipeline([im.Resize((40, 50))], seed=0)
        whole, found = (batches(tmp_path, pipe, reduced=r, channels=channels).image for r in (False, True))
        assert found.shape == (1, *shape)
        assert np.abs(found.astype(int) - whole).max() <= 20
    assert set(sizes) == {4}


def test_photos_beside_pictures_of_other_formats(tmp_path: Path, sizes: list[int]) -> None:
    photo(tmp_path / "1.jpg", (200, 240))
    im.write_picture(tmp_path / "2.png", im.Picture(smooth(2, (200, 240)), "yxc"))
    whole, found = (batches(tmp_path, SHRINK, reduced=r).image for r in (False, True))
    assert sizes == [4]
    assert np.array_equal(whole[1], found[1])
    assert np.abs(whole[0] - found[0]).max() < 0.08


def test_it_depends_on_the_sample_alone(tmp_path: Path) -> None:
    for n in range(12):
        photo(tmp_path / f"{n}.jpg", (60 + 30 * n, 70 + 25 * n), n)
    pipe = im.Pipeline([im.RandomResizedCrop((32, 32))], seed=3)
    together = batches(tmp_path, pipe)
    for number in range(12):
        alone = Loader(tmp_path, pipe, batch_size=1, shuffle=False, workers=0).batch(number)
        assert np.array_equal(alone.image[0], together.image[number])


def test_factors_are_the_same_for_a_product_that_is_a_little_below() -> None:
    pipe = im.Pipeline([im.Rotate(90), im.Resize((25, 25))], seed=0)
    frame = Frame("yx", np.array([[100, 100], [99, 99]]), np.tile(np.eye(3), (2, 1, 1)), 3, np.dtype("u1"), 255.0)
    assert factors_of(pipe.plan(pipe.draw(frame, [0, 1]))).tolist() == [4, 2]


def test_fast_decoding_is_near(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg", (50, 60))
    exact, fast = (batches(tmp_path, SHRINK, decode=d).image for d in ("exact", "fast"))
    assert 0 < np.abs(exact - fast).max() < 0.1


MAPS = st.sampled_from(
    [
        im.RandomResizedCrop((48, 56), area=(0.05, 0.6)),
        im.RandomResizedCrop((20, 20), area=(0.1, 0.7), order=0),
        im.Rotate((-30, 30)),
        im.Flip("y"),
        im.Zoom((1.2, 3.0)),
        im.Shift(fraction=(-0.5, 0.5)),
        im.Shear((-15, 15)),
        im.ColorJitter(contrast=(0.5, 1.5)),
        im.Elastic(),
    ]
)


@settings(max_examples=60)
@given(
    transforms=st.lists(MAPS, min_size=1, max_size=3),
    border=st.sampled_from(["nearest", "constant", "reflect", "wrap"]),
    order=st.sampled_from([0, 1, 3]),
    seed=st.integers(0, 1000),
    crop=st.booleans(),
)
def test_rows_that_are_not_needed_change_nothing(
    transforms: list[Any], border: str, order: int, seed: int, crop: bool, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue("large")
    last = im.Affine(degrees=(-9, 9), border=border, order=order)
    first = [im.Crop(box=(20, 30, 110, 180))] if crop else []
    pipe = im.Pipeline([*first, *transforms, last, im.Resize((40, 44))], seed=seed)
    found = batches(folder, pipe).image
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(augmenting, "rows_of", lambda plan, factors: plan.in_shape[:, 0])
        whole = batches(folder, pipe).image
    assert np.array_equal(found, whole)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    for n in range(6):
        photo(folder / f"{n}.jpg", (190 + 40 * n, 300 - 20 * n), n)
    return folder


def test_the_decoder_stops_below_the_crop(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []
    at = Photo.at

    def noted(self: Photo, factor: int, rows: int | None = None) -> Any:
        asked.append(rows)
        return at(self, factor, rows)

    monkeypatch.setattr(Photo, "at", noted)
    batches(large, im.Pipeline([im.Crop(box=(0, 0, 40, 40))], seed=0))
    assert asked == [45] * 6
    asked.clear()
    batches(large, im.Pipeline([im.Crop(box=(150, 0, 190, 40))], seed=0))
    assert asked[0] is None


@pytest.mark.parametrize("order", [1, 5])
@pytest.mark.parametrize("border", ["nearest", "constant", "reflect", "wrap"])
def test_borders_and_splines_that_look_further(
    large: Path, border: str, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Twice as large and moved down: the upper half shows what is above the photo, the lower one its top.
    moved = im.Affine(zoom=2.0, shift={"y": 0.9, "x": 0.0}, border=border, order=order)
    pipe = im.Pipeline([moved, im.Resize((60, 60), order=order), im.Normalize((0.0,) * 3, (1.0,) * 3)], seed=0)
    found = batches(large, pipe).image
    monkeypatch.setattr(augmenting, "rows_of", lambda plan, factors: plan.in_shape[:, 0])
    assert np.array_equal(found, batches(large, pipe).image)


@pytest.mark.parametrize("fuse", [True, False])
def test_however_many_are_decoded_before_they_are_run_each_is_what_it_is_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fuse: bool
) -> None:
    for n in range(7):  # larger than what is run all at once
        photo(tmp_path / "a" / f"{n}.jpg", (150 + 9 * n, 230 - 7 * n), n)
    pipe = im.Pipeline(
        [im.Rotate((-20, 20)), im.Flip("x", p=0.5), im.Brightness((0.5, 1.5)), im.Resize((140, 150))],
        seed=7,
        fuse=fuse,
    )
    loader = Loader(tmp_path, pipe, batch_size=7, shuffle=False, workers=0)
    alone = [loader.places([place], epoch=0).image[0] for place in range(7)]
    assert len({image.tobytes() for image in alone}) == 7
    for most in (1, 250_000, 1 << 30):
        monkeypatch.setattr("imagemill.engine.execute._CACHED", most)
        np.testing.assert_array_equal(loader.batch(0, epoch=0).image, alone)
