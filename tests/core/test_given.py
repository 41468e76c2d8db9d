"""Images and masks as other libraries hold them: what the picture shows, and labels as they are."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

import imagemill as im
from imagemill.core.colours import ink_to_rgb, lab_of, lab_to_srgb, straight, ycbcr_to_rgb
from imagemill.core.interop.foreign_images import pil_pixels

RGB = np.random.default_rng(5).integers(0, 256, (12, 18, 3), dtype=np.uint8)
PHOTO = Image.fromarray(RGB)
FLIP = im.Pipeline([im.Flip("x")], seed=1)
WIDE = (RGB[..., 0].astype(np.uint16) << 8) + RGB[..., 1]


def _palette(*, clear: int | None = None) -> Image.Image:
    """Indices 0, 1 and 2 over red, green and blue."""
    image = Image.fromarray(np.arange(216, dtype=np.uint8).reshape(12, 18) % 3, "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    if clear is not None:
        image.info["transparency"] = clear
    return image


COLOURS = np.eye(3, dtype=np.uint8)[np.arange(216).reshape(12, 18) % 3] * np.uint8(255)
ALPHA = np.where(np.arange(216).reshape(12, 18) % 3 == 1, 0, 255).astype(np.uint8)
CMYK = np.random.default_rng(6).integers(0, 256, (12, 18, 4), dtype=np.uint8)
INK = np.rint((255.0 - CMYK[..., :3]) * (255.0 - CMYK[..., 3:]) / 255)  # each ink takes its share of the light
SEEN: dict[str, tuple[Image.Image, Any, float]] = {
    "1": (Image.fromarray(RGB[..., 0] > 99), np.where(RGB[..., 0] > 99, 255, 0).astype(np.uint8), 0),
    "L": (Image.fromarray(RGB[..., 0]), RGB[..., 0], 0),
    "P": (_palette(), COLOURS, 0),
    "P with a clear colour": (_palette(clear=1), np.dstack([COLOURS, ALPHA]), 0),
    "RGB": (PHOTO, RGB, 0),
    "RGBA": (Image.fromarray(CMYK, "RGBA"), CMYK, 0),
    "RGBX": (PHOTO.convert("RGBX"), RGB, 0),
    "LA": (Image.fromarray(RGB[..., :2].copy(), "LA"), RGB[..., :2], 0),
    "CMYK": (Image.fromarray(CMYK, "CMYK"), INK, 1),
    "YCbCr": (PHOTO.convert("YCbCr"), RGB, 3),
    "I;16": (Image.fromarray(WIDE), WIDE, 0),
    "I;16B": (Image.frombytes("I;16B", (18, 12), WIDE.astype(">u2").tobytes()), WIDE, 0),
    "I": (Image.fromarray(WIDE.astype(np.int32) * 7 - 9), WIDE.astype(np.int32) * 7 - 9, 0),
    "F": (Image.fromarray(WIDE.astype(np.float32) / 3), WIDE.astype(np.float32) / 3, 0),
}


@pytest.mark.parametrize("name", sorted(SEEN))
def test_pil_images_become_what_they_show(name: str) -> None:
    image, wanted, off = SEEN[name]
    wanted = np.asarray(wanted)[:, ::-1]
    found = FLIP(image)
    assert found.dtype == (np.uint8 if name in ("CMYK", "YCbCr") else wanted.dtype)
    for got in (found, *FLIP.batch([image, image]).image, FLIP(image=im.Image(image)).image):
        assert got.shape == wanted.shape
        assert np.abs(got.astype(float) - wanted).max() <= off
    assert im.hf_transform(FLIP)({"image": [image]})["image"][0].shape == wanted.shape
    assert im.grid(FLIP, image).ndim == 3


def test_alpha_that_was_multiplied_in_is_divided_out() -> None:
    image = Image.fromarray(CMYK, "RGBA")
    found = pil_pixels(image.convert("RGBa"))
    seen = CMYK[..., 3] > 60
    assert np.abs(found[seen].astype(int) - CMYK[seen]).max() <= 3
    np.testing.assert_array_equal(found[..., 3], CMYK[..., 3])
    assert np.abs(straight(np.asarray(image.convert("RGBa"))).astype(int) - found).max() <= 1


def test_lab_is_converted_as_a_profile_would() -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    inner = Image.fromarray(RGB // 3 + 90)  # far from the edge of sRGB, where what is cut off differs
    image = ImageCms.applyTransform(inner, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    assert image is not None
    back = ImageCms.applyTransform(image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB"))
    assert np.abs(pil_pixels(image).astype(int) - np.asarray(back)).max() <= 1
    assert np.abs(pil_pixels(image).astype(int) - np.asarray(inner)).max() <= 3  # through 8 bits of a and b


def test_colour_formulas_agree_with_values_by_hand() -> None:
    # CIE: lightness 50 without colour is a gray of 18.4 % reflectance, 118.9 in sRGB.
    assert lab_to_srgb(np.array([50.0, 0, 0])) * 255 == pytest.approx([118.9] * 3, abs=0.2)
    # The primary red of sRGB under D50 (Bradford): L 54.29, a 80.81, b 69.89.
    assert lab_to_srgb(np.array([54.29, 80.81, 69.89])) == pytest.approx([1, 0, 0], abs=0.01)
    assert lab_of(np.array([[65_280, 0x8100, 0x7F00]], np.uint16), signed=False).tolist() == [[100.0, 1.0, -1.0]]
    assert lab_of(np.array([[65_535, 0x0100, 0xFF00]], np.uint16), signed=True).tolist() == [[100.0, 1.0, -1.0]]
    assert ink_to_rgb(np.array([[0, 65_535, 0, 0]], np.uint16)).tolist() == [[65_535, 0, 65_535]]
    blue = np.array([[29, 255, 107]], np.uint8)  # ITU-R BT.601: Y 29, Cb 255.5 (cut), Cr 107 for pure blue
    assert np.abs(ycbcr_to_rgb(blue).astype(int) - [0, 0, 255]).max() <= 2
    studio = np.array([[235, 128, 128], [16, 128, 128]], np.uint8)
    found = ycbcr_to_rgb(studio, reference=(16, 235, 128, 240, 128, 240))
    assert found.tolist() == [[255, 255, 255], [0, 0, 0]]


@pytest.mark.parametrize("name", ["P", "P with a clear colour", "1", "L", "I;16", "I;16B"])
def test_masks_keep_the_labels_that_they_hold(name: str) -> None:
    image, _, _ = SEEN[name]
    labels = {"P": np.arange(216).reshape(12, 18) % 3, "1": RGB[..., 0] > 99, "L": RGB[..., 0], "I;16": WIDE}
    wanted = np.asarray(labels[name.split(" ")[0].removesuffix("B")])[:, ::-1]
    np.testing.assert_array_equal(FLIP(image=PHOTO, mask=image).mask, wanted)
    batch = FLIP.batch([PHOTO, PHOTO], mask=[image, image])
    np.testing.assert_array_equal(batch.mask[1], wanted)
    sample = next(iter(im.Loader([{"image": PHOTO, "mask": image}], FLIP, batch_size=1, seed=1)))
    np.testing.assert_array_equal(sample.mask[0], wanted)


def test_a_mask_of_gray_with_alpha_loses_alpha_only_where_it_is_constant() -> None:
    opaque = np.dstack([RGB[..., 0], np.full((12, 18), 255, np.uint8)])
    np.testing.assert_array_equal(im.Mask(Image.fromarray(opaque, "LA")).array, RGB[..., 0])
    with pytest.raises(im.InputError, match="alpha that varies; take a channel"):
        im.Mask(Image.fromarray(RGB[..., :2].copy(), "LA"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_pil_image_is_turned_as_it_is_seen(orientation: int) -> None:
    exif = PHOTO.getexif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    PHOTO.save(buffer, "PNG", exif=exif.tobytes())
    opened = Image.open(buffer)
    wanted = np.asarray(ImageOps.exif_transpose(opened))
    np.testing.assert_array_equal(im.Image(opened).array, wanted)
    np.testing.assert_array_equal(im.Image(ImageOps.exif_transpose(opened)).array, wanted)  # not a second time


@pytest.mark.parametrize("dtype", [">i2", ">u2", ">i4", ">f2", ">f4", ">f8"])
def test_numbers_in_another_byte_order_are_the_same_numbers(dtype: str) -> None:
    array = (RGB[..., 0].astype(np.int16) * 3).astype(dtype)
    wanted = array.astype(np.dtype(dtype).newbyteorder("="))[:, ::-1]
    mask = array.astype(">u2")
    for found in (
        FLIP(array),
        FLIP.batch([array, array]).image[1],
        FLIP.batch(np.stack([array, array])).image[1],
        next(iter(im.Loader([array], FLIP, batch_size=1, seed=1))).image[0],
    ):
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype
        assert found.dtype.isnative
    np.testing.assert_array_equal(FLIP(image=array, mask=mask).mask, mask.astype(int)[:, ::-1])


def test_arrays_of_any_layout_and_holder(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RGB)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    fixed = RGB.copy()
    fixed.flags.writeable = False

    class Holder:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return RGB

    for given in (mapped, fixed, np.asfortranarray(RGB), np.repeat(RGB, 2, axis=1)[:, ::2], Holder()):
        np.testing.assert_array_equal(FLIP(given), RGB[:, ::-1])
        np.testing.assert_array_equal(FLIP.batch([given, given]).image[1], RGB[:, ::-1])
    np.testing.assert_array_equal(FLIP.batch(np.load(tmp_path / "a.npy", mmap_mode="r")[None]).image[0], RGB[:, ::-1])
    assert FLIP([[0.0, 1.0], [2.0, 3.0]]).tolist() == [[1.0, 0.0], [3.0, 2.0]]
    assert FLIP(image=RGB[:2, :2], mask=[[0, 1], [2, 3]]).mask.tolist() == [[1, 0], [3, 2]]


def test_what_read_picture_gives_can_be_given(tmp_path: Path) -> None:
    im.write_picture(tmp_path / "a.png", im.Picture(RGB, "yxc"))
    im.write_picture(tmp_path / "m.png", im.Picture(RGB[..., 0], "yx"))
    picture, mask = im.read_picture(tmp_path / "a.png"), im.read_mask(tmp_path / "m.png")
    np.testing.assert_array_equal(FLIP(picture), RGB[:, ::-1])
    np.testing.assert_array_equal(FLIP.batch([picture, picture], mask=[mask, mask]).mask[1], RGB[:, ::-1, 0])
    assert im.grid(FLIP, picture, mask=mask).ndim == 3
    assert im.before_after(FLIP, picture, mask=mask).ndim == 3
    affine = np.diag([3.0, 2.0, 1.5, 1.0])
    volume = im.Picture(np.arange(60, dtype=np.int16).reshape(3, 4, 5), "zyx", affine)
    sample = FLIP(image=volume)
    np.testing.assert_array_equal(sample.image, volume.array[..., ::-1])
    np.testing.assert_allclose(sample.affine @ [0, 0, 0, 1], affine @ [0, 0, 4, 1])


def test_volumes_of_nibabel_keep_their_place() -> None:
    nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
    values = np.arange(60, dtype=">i2").reshape(3, 4, 5)
    affine = np.array([[0, 0, 2, -7], [0, 3, 0, 1], [-1.5, 0, 0, 4], [0, 0, 0, 1]], float)
    image = nibabel.Nifti1Image(values, affine)
    sample = FLIP(image=image, mask=im.Mask(image))
    np.testing.assert_array_equal(sample.image, values[::-1])  # the first axis runs along x
    np.testing.assert_allclose(sample.affine @ [0, 0, 0, 1], affine @ [2, 0, 0, 1])
    for given in (image.dataobj, image.get_fdata(dtype=np.float32), np.asarray(image.dataobj)):
        np.testing.assert_array_equal(FLIP(given, axes="xyz"), values[::-1])


def test_tensors_are_taken_or_the_call_that_helps_is_named() -> None:
    torch = pytest.importorskip("torch", reason="needs torch")
    tensor = torch.from_numpy(RGB)
    np.testing.assert_array_equal(FLIP(tensor), RGB[:, ::-1])
    np.testing.assert_array_equal(FLIP(tensor.permute(2, 0, 1), axes="cyx"), RGB[:, ::-1].transpose(2, 0, 1))
    np.testing.assert_array_equal(FLIP.batch(torch.stack([tensor, tensor])).image[1], RGB[:, ::-1])
    for given in (torch.rand(4, 5, requires_grad=True), torch.rand(4, 5).bfloat16()):
        with pytest.raises(im.InputError, match=r"write image\.detach\(\)\.cpu\(\)") as caught:
            FLIP(given)
        advice = str(caught.value).rpartition("write ")[2]
        assert FLIP(eval(advice, {"image": given})).shape == (4, 5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("cat.jpg", r"got the text 'cat.jpg'; .*imagemill\.read_picture\('cat.jpg'\)"),
        (Path("cat.jpg"), r"got the path 'cat.jpg'; .*imagemill\.read_picture\('cat.jpg'\)"),
        (b"\xff\xd8\xff", r"got 3 bytes; decode them first: PIL\.Image\.open\(io\.BytesIO\(data\)\)"),
        ([RGB, RGB], r"got a list of 2 things; pass several to pipeline\.batch\(images\)"),
        (["a.jpg", "b.jpg"], r"a list of 2 paths; imagemill\.Loader\(imagemill\.open\(paths\), pipeline"),
        ("photos/*.jpg", r"a pattern of files, 'photos/\*\.jpg'; open them: imagemill\.open\('photos/\*\.jpg'\)"),
        ([[1, 2], [3, 4]], r"got a list of whole numbers; say which they are: numpy\.array\(values, numpy\.uint8\)"),
        ([[0.5, 2], [3]], r"got a list that is none"),
        ({"image": RGB}, r"got a dict; pass its values by name"),
        (object(), r"got a object; make an array of numbers"),
        (RGB > 3, r"got bool; write array\.astype\(numpy\.uint8\) \* 255"),
        (np.ma.masked_equal(RGB, RGB[0, 0, 0]), r"got a masked array; write array\.filled\(0\)"),
    ],
)
def test_what_is_no_image_is_refused_with_advice(given: Any, message: str) -> None:
    with pytest.raises(im.InputError, match=message):
        FLIP(given)
    with pytest.raises(im.InputError, match=message):
        FLIP.batch([given])


def test_other_refusals_name_the_call_that_helps(tmp_path: Path) -> None:
    with pytest.raises(im.InputError, match=r"imagemill\.read_mask\('m.png'\)"):
        FLIP(image=RGB, mask="m.png")
    with pytest.raises(im.InputError, match=r"got None; cv2\.imread gives None"):
        FLIP(image=None)
    with pytest.raises(im.InputError, match=r"got str; open files as a dataset: imagemill\.Loader\('photos', pipeline"):
        FLIP.batch("photos")
    for one in (PHOTO, (image for image in [RGB]), {"a": RGB}):
        with pytest.raises(im.InputError, match=r"one value per sample, got .*; write"):
            FLIP.batch(one)
    im.write_picture(tmp_path / "a.png", im.Picture(RGB, "yxc"))
    sample: Any = im.open(tmp_path)[0]
    with pytest.raises(im.InputError, match=r"write pipeline\(\*\*sample\.targets, key=sample\.recipe\.key\)"):
        FLIP(sample)
    with pytest.raises(im.InputError, match=r"got a Dataset of 1 images; imagemill\.Loader\(dataset, pipeline"):
        FLIP(im.open(tmp_path))
    with pytest.raises(im.InputError, match=r"got a Record, .*: imagemill\.read_picture\(record\.image\)"):
        FLIP(next(iter(im.open_source(tmp_path))))
    np.testing.assert_array_equal(FLIP(**sample.targets, key=sample.recipe.key).image, RGB[:, ::-1])
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:200])
    with (
        Image.open(tmp_path / "cut.png") as opened,
        pytest.raises(im.CodecError, match=r"cut\.png: expected a whole, undamaged image"),
    ):
        FLIP(opened)
