"""A fill for each channel: at borders and in padding, on any kernel."""

from __future__ import annotations

import numpy as np
import pytest

import imagemill as im
from imagemill.testing import picture

FILL = (124, 116, 104)
TURN = im.Rotate(30, border="constant", fill=FILL)


@pytest.mark.parametrize(
    ("shape", "dtype", "order"),
    [((20, 30), np.uint8, 1), ((90, 100), np.uint8, 1), ((20, 30), np.float32, 1), ((90, 100), np.uint8, 3),
     ((90, 100), np.uint16, 1), ((20, 30), np.uint8, 0)],
)  # fmt: skip
def test_each_channel_is_what_it_is_alone_with_its_own_fill(shape: tuple[int, int], dtype: type, order: int) -> None:
    image = picture(1, shape, 3).astype(dtype)
    made = im.Pipeline([im.Rotate(30, border="constant", fill=FILL, order=order), im.Zoom(0.9)], seed=1)(image)
    for c, fill in enumerate(FILL):
        alone = im.Pipeline([im.Rotate(30, border="constant", fill=fill, order=order), im.Zoom(0.9)], seed=1)(image)
        np.testing.assert_array_equal(made[..., c], alone[..., c])
    for backend in ("cpu", "reference"):
        corner = im.Pipeline([im.Rotate(45, border="constant", fill=FILL, order=order)], seed=1, backend=backend)(image)
        assert corner[0, 0].tolist() == list(FILL)


def test_padding_is_numpys_for_each_channel_and_stands_whatever_follows() -> None:
    image = picture(1, (10, 12), 3)
    wanted = np.stack([np.pad(image[..., c], 2, constant_values=f) for c, f in enumerate(FILL)], axis=-1)
    for backend in ("cpu", "reference"):
        one = im.Pipeline([im.Pad(2, fill=FILL)], seed=1, backend=backend)
        np.testing.assert_array_equal(one(image), wanted)
        more = im.Pipeline([im.Pad(2, fill=FILL), im.Rotate(45), im.Resize((64, 64), order=0)], seed=1, backend=backend)
        assert {tuple(more(image)[y, x].tolist()) for y, x in ((0, 0), (0, 63), (63, 0), (63, 63))} == {FILL}
    fitted = im.Pipeline([im.Resize((10, 20), fit="pad", fill=FILL), im.Flip("x")], seed=1)(image)
    assert fitted[0, 0].tolist() == fitted[9, 19].tolist() == list(FILL)


def test_a_batch_is_the_samples_and_fills_beyond_the_range_are_cut() -> None:
    images = [picture(k, (40, 50), 3) for k in range(3)]
    pipe = im.Pipeline([im.Affine((-30, 30), border="constant", fill=(300, -5, 7)), im.Brightness(1)], seed=1)
    batch = pipe.batch(images, keys=range(3))
    for k in range(3):
        np.testing.assert_array_equal(batch.image[k], pipe(images[k], key=k))
    wide = im.Pipeline([im.Shift(pixels={"x": 20}, border="constant", fill=(300, -5, 7))], seed=1)(images[0])
    assert wide[0, 0].tolist() == [255, 0, 7]


def test_it_goes_through_files_and_into_words() -> None:
    pipe = im.Pipeline([TURN, im.Pad(2, fill=FILL)], seed=1)
    assert im.Pipeline.from_yaml(pipe.to_yaml()) == pipe == im.Pipeline.from_json(pipe.to_json())
    assert "border constant (124, 116, 104)" in pipe.explain((20, 30, 3))
    differ = im.Pipeline([TURN, im.Rotate(10, border="constant", fill=(0, 0, 0))], seed=1).explain((20, 30, 3))
    assert "fill (124, 116, 104) against (0, 0, 0)" in differ


def test_as_many_values_as_the_image_has_channels_or_an_error_that_says_so() -> None:
    for shape, count in (((20, 30), 1), ((20, 30, 4), 4)):
        with pytest.raises(im.ParameterError, match=rf"Rotate\(fill=...\) as one value or {count}, one for"):
            im.Pipeline([TURN], seed=1)(np.zeros(shape, np.uint8))
    for wrong in ((), (1, "red"), "red"):
        with pytest.raises(im.ParameterError, match=r"expected Pad\(fill=...\) to be a number"):
            im.Pad(1, fill=wrong)
