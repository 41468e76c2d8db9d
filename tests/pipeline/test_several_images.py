"""Several images in one sample: one geometry, and colours by each one's own rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.testing import picture

SHAPE = (16, 20)
PHOTO = picture(1, SHAPE, 3)
NIR = (np.random.default_rng(2).random(SHAPE) * 65535).astype(np.uint16)


def test_colour_goes_by_each_images_own_white_and_channels() -> None:
    pipe = im.Pipeline([im.Flip("x"), im.Brightness(0.5), im.Invert()], seed=1)
    out = pipe(image=PHOTO, nir=im.Image(NIR))
    # Rounded once, at the end.
    np.testing.assert_array_equal(out.image, np.rint(255 - PHOTO[:, ::-1] * 0.5))
    np.testing.assert_array_equal(out.nir, np.rint(65535 - NIR[:, ::-1] * 0.5))
    assert (out.image.dtype, out.nir.dtype) == (np.uint8, np.uint16)


def test_each_image_is_what_it_is_alone_under_the_same_key() -> None:
    steps: list[im.Transform] = [
        im.Rotate((-30, 30)), im.ColorJitter(brightness=(0.5, 1.5), contrast=(0.5, 1.5)),
        im.Erasing(0.2), im.Crop((8, 8), at="random"),
    ]  # fmt: skip
    pipe = im.Pipeline(steps, seed=3)
    both = pipe(image=PHOTO, nir=im.Image(NIR), key="a")
    np.testing.assert_array_equal(both.image, pipe(PHOTO, key="a"))
    np.testing.assert_array_equal(both.nir, pipe(NIR, key="a"))
    batch = pipe.batch([PHOTO] * 3, nir=[im.Image(NIR)] * 3, keys=["b", "a", "c"])
    np.testing.assert_array_equal(batch.nir[1], both.nir)
    np.testing.assert_array_equal(pipe.replay(both.recipe, image=PHOTO, nir=im.Image(NIR)).nir, both.nir)
    assert both.applied == batch.applied[1]


def test_noise_is_each_images_own_by_its_name_and_the_first_ones_is_that_of_an_image_alone() -> None:
    gray = np.full(SHAPE, 100, np.uint8)
    for transform in (im.GaussianNoise(0.1), im.Erasing(0.5, fill="noise")):
        pipe = im.Pipeline([transform], seed=1)
        out = pipe(t1=im.Image(gray), t2=im.Image(gray), flair=im.Image(gray), key=1)
        assert len({out[name].tobytes() for name in out.targets}) == 3
        np.testing.assert_array_equal(out.t1, pipe(gray, key=1))
        np.testing.assert_array_equal(pipe(t1=im.Image(gray), flair=im.Image(gray), key=1).flair, out.flair)
        batch = pipe.batch(t1=[im.Image(gray)] * 2, t2=[im.Image(gray)] * 2, keys=[0, 1])
        np.testing.assert_array_equal(batch.t2[1], out.t2)


def test_a_transform_says_which_images_it_is_for() -> None:
    pipe = im.Pipeline(
        [im.Flip("x"), im.Invert(images="t2"), im.Brightness(0.5, images=["t1", "flair"]), im.GaussianBlur(1, p=0)],
        seed=1,
    )
    t1, t2, flair = (picture(k, SHAPE, None) for k in range(3))
    out = pipe(t1=im.Image(t1), t2=im.Image(t2), flair=im.Image(flair), mask=np.ones(SHAPE, np.uint8))
    np.testing.assert_array_equal(out.t1, np.rint(t1[:, ::-1] * 0.5))
    np.testing.assert_array_equal(out.t2, 255 - t2[:, ::-1])
    np.testing.assert_array_equal(out.flair, np.rint(flair[:, ::-1] * 0.5))
    assert [one.name for one in out.applied] == ["Flip", "Invert", "Brightness"]
    again = im.Pipeline.from_yaml(pipe.to_yaml())
    assert again == pipe
    assert again.transforms[2].images == ("t1", "flair")


def test_what_is_for_another_image_draws_as_if_it_were_not_left_out() -> None:
    """The draws of later transforms do not move, also behind a choice among several."""
    choice = [im.OneOf([im.Invert(), im.Brightness((0.5, 2)), im.Gamma((0.5, 2))], images="nir"), im.Rotate((-30, 30))]
    both = im.Pipeline(choice, seed=1)(image=PHOTO, nir=im.Image(NIR), key=4)
    everywhere = im.Pipeline([im.OneOf(list(choice[0].children())), choice[1]], seed=1)
    assert both.applied[-1] == everywhere(image=PHOTO, key=4).applied[-1]
    np.testing.assert_array_equal(both.nir, everywhere(NIR, key=4))


def test_steps_for_one_image_need_not_suit_the_others() -> None:
    pipe = im.Pipeline(
        [im.Normalize([0.5] * 3, [0.2] * 3, images="image"), im.Normalize([0], [1], images="nir")], seed=1
    )
    out = pipe(image=PHOTO, nir=im.Image(NIR))
    np.testing.assert_allclose(out.image, (PHOTO / 255 - 0.5) / 0.2, atol=1e-5)
    np.testing.assert_allclose(out.nir, NIR / 65535, atol=1e-6)
    assert "1 channel of uint8" in pipe.explain(SHAPE, of="nir")


def test_scans_of_one_patient_are_brought_onto_the_first_ones_grid_or_refused() -> None:
    scan = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
    mirrored = np.diag([1.0, 1, -1, 1])
    mirrored[2, 3] = 3
    first, second = im.Image(scan, "zyx", affine=np.eye(4)), im.Image(scan[:, :, ::-1] + 0.5, "zyx", affine=mirrored)
    out = im.Pipeline([im.Flip("y")], seed=1)(t1=first, t2=second)
    np.testing.assert_array_equal(out.t2, out.t1 + 0.5)
    with pytest.raises(im.InputError, match=r"expected the t2 on the grid of the first image.*resample it"):
        im.Pipeline([], seed=1)(t1=first, t2=im.Image(scan, "zyx", affine=np.diag([2.0, 1, 1, 1])))


class _Turning(im.Transform):
    """Moves pixels and does not say so."""

    def draw(self, draws: Any, frame: Any) -> Any:
        return im.Flip("x").draw(draws, frame)


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (lambda: im.Flip("x", images="image"), im.ParameterError, "what changes no geometry, got Flip; leave images= out"),
    (lambda: im.OneOf([im.Flip("x")], images="image"), im.ParameterError, "got Flip; leave images= out"),
    (lambda: im.Erasing(0.1, mask_fill=0, images="a"), im.ParameterError, "leave label maps and points as they are"),
    (lambda: im.Invert(images=()), im.ParameterError, "name of an image or a list of names, got"),
    (
        lambda: im.Pipeline([im.Invert(images="rgb")], seed=1)(PHOTO),
        im.InputError,
        r"an image called 'rgb', as Invert\(images=\('rgb',\)\) says, got 'image'",
    ),
    (
        lambda: im.Pipeline([_Turning(images="image")], seed=1)(PHOTO),
        im.TargetError,
        "leave geometry as it is where images= is given",
    ),
    (
        lambda: im.Pipeline([], seed=1)(image=PHOTO, nir=im.Image(NIR[:8])),
        im.InputError,
        r"the nir of the same size as the image, \(16, 20\), got \(8, 20\); targets of a sample share one frame",
    ),
]


@pytest.mark.parametrize(("wrong", "kind", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_does_not_go_together_is_refused(wrong: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        wrong()
