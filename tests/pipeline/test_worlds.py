"""Label maps and channels that lie elsewhere than their image: by the world, checked with nibabel and scipy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.app.figures.figure import shown
from imagemill.core.errors import CodecError, InputError
from imagemill.core.grids import labels_onto, values_onto
from tests.beside import beside
from tests.engine.test_target_table import CASES

nib = pytest.importorskip("nibabel")
scipy_ndimage = pytest.importorskip("scipy.ndimage")

RNG = np.random.default_rng(3)
SHAPE = (12, 10, 8)
AFFINE = np.array([[-2.0, 0, 0, 30], [0, 2, 0, -20], [0, 0, 3, -10], [0, 0, 0, 1]])


def moved(by: Any) -> Any:
    """Another grid, from what its indices are in the image's."""
    return AFFINE @ np.asarray(by, float)


def shifted(*place: float, scale: Any = (1, 1, 1)) -> Any:
    found = np.diag([*map(float, scale), 1.0])
    found[:3, 3] = place
    return found


def turned(degrees: float) -> Any:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, -s, 0, 2.0], [s, c, 0, -1.5], [0, 0, 1, 0.5], [0, 0, 0, 1]])


def nearest(labels: Any, affine: Any) -> Any:
    """The labels on the image's grid, by scipy."""
    pull = np.linalg.inv(affine) @ AFFINE
    place = np.tensordot(pull[:3, :3], np.indices(SHAPE), 1) + pull[:3, 3].reshape(3, 1, 1, 1)
    found = scipy_ndimage.map_coordinates(labels, place, order=0, mode="nearest")
    size = np.array(labels.shape).reshape(3, 1, 1, 1)
    # A voxel is as large as itself: half of it lies beyond its centre, in the outermost ones too.
    return np.where(((place >= -0.5) & (place < size - 0.5)).all(axis=0), found, 0)


# What is called: shape and affine of a label map, from the image's own.
WORLDS = {
    "mirrored": (SHAPE, moved(shifted(11, 0, 0, scale=(-1, 1, 1)))),
    "mirrored twice": (SHAPE, moved(shifted(11, 0, 7, scale=(-1, 1, -1)))),
    "axes exchanged": ((8, 12, 10), moved([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])),
    "exchanged and mirrored": ((10, 12, 8), moved([[0, -1, 0, 11], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])),
    "a cropped box": ((5, 6, 4), moved(shifted(3, 2, 1))),
    "a box that juts out": ((9, 6, 4), moved(shifted(-4, 2, 1))),
    "a larger scan": ((20, 18, 16), moved(shifted(-4, -4, -4))),
    "coarser voxels": ((4, 4, 4), moved(shifted(1, 0.6, 0.3, scale=(3.1, 2.6, 2.2)))),
    "finer voxels": ((30, 25, 20), moved(shifted(-0.2, -0.3, -0.3, scale=(0.4, 0.4, 0.4)))),
    "turned": ((12, 10, 8), moved(turned(20))),
    "turned much": ((14, 12, 9), moved(turned(100) @ shifted(-2, -11, 0))),
}


def volume(array: Any, affine: Any) -> dict[str, Any]:
    """An array ``(i, j, k)`` and its affine, as imagemill has them."""
    return {"array": np.ascontiguousarray(array.T), "axes": "zyx", "affine": affine[:, [2, 1, 0, 3]]}


@pytest.mark.parametrize(("shape", "affine"), WORLDS.values(), ids=WORLDS)
def test_labels_come_on_the_images_grid(shape: Any, affine: Any) -> None:
    labels = RNG.integers(0, 5, shape).astype(np.uint8)
    wanted = nearest(labels, affine)
    image = im.Image(**volume(RNG.random(SHAPE).astype("f4"), AFFINE))
    mask = im.Mask(**volume(labels, affine))
    out = im.Pipeline([], seed=1)(image=image, mask=mask)
    np.testing.assert_array_equal(out.mask.T, wanted)
    np.testing.assert_array_equal(out.targets["mask"].affine, image.affine)
    batch = im.Pipeline([im.Flip("x")], seed=1).batch([image] * 2, mask=[mask] * 2)
    np.testing.assert_array_equal(batch.mask[1].T, wanted[::-1])
    maps = im.Mask(np.stack([mask.array] * 2, -1), "zyxc", affine=mask.affine)
    np.testing.assert_array_equal(im.Pipeline([], seed=1)(image=image, mask=maps).mask[..., 1].T, wanted)


def save(at: Path, array: Any, affine: Any) -> Path:
    at.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, affine), at)
    return at


@pytest.fixture
def pair(tmp_path: Path) -> Any:
    """Write an image and its label map; the folders."""

    def write(labels: Any, affine: Any) -> tuple[Path, Path]:
        save(tmp_path / "images" / "s.nii.gz", RNG.random(SHAPE).astype("f4"), AFFINE)
        save(tmp_path / "labels" / "s.nii.gz", labels, affine)
        return tmp_path / "images", tmp_path / "labels"

    return write


@pytest.mark.parametrize("name", ["mirrored", "exchanged and mirrored", "a cropped box", "turned"])
def test_written_maps_lie_where_they_lay(name: str, pair: Any, tmp_path: Path) -> None:
    shape, affine = WORLDS[name]
    labels = np.zeros(shape, np.uint8)
    labels[2, 3, 2], labels[3, 4, 3] = 1, 2
    images, masks = pair(labels, affine)
    pipe = im.Pipeline([im.Flip("x"), im.Flip("z"), im.Pad(2)], seed=1)
    report = im.augment(images, tmp_path / "out", pipe, masks=masks)
    assert any("label map brought onto the image's grid" in note for note in report.notes)
    (path,) = (tmp_path / "out" / "masks").glob("*.nii.gz")
    written = nib.load(path)
    (beside,) = (tmp_path / "out" / "images").glob("*.nii.gz")
    np.testing.assert_allclose(written.affine, nib.load(beside).affine, atol=1e-5)
    for label in (1, 2):
        was = nib.affines.apply_affine(affine, np.argwhere(labels == label))
        now = nib.affines.apply_affine(written.affine, np.argwhere(np.asanyarray(written.dataobj) == label))
        # Within half a voxel, and exactly where no grid is turned or finer.
        assert np.abs(now.mean(axis=0) - was.mean(axis=0)).max() <= (1.6 if name == "turned" else 1e-4)


def test_every_way_in_pairs_by_the_world(pair: Any, tmp_path: Path) -> None:
    shape, affine = WORLDS["a cropped box"]
    labels = RNG.integers(1, 4, shape).astype(np.uint8)
    images, masks = pair(labels, affine)
    wanted = nearest(labels, affine).T
    source = im.open_source(images, masks)
    dataset = im.open(source)
    np.testing.assert_array_equal(dataset[0].mask, wanted)
    for workers in (0, 2):
        with im.Loader(dataset, im.Pipeline([], seed=1), batch_size=1, seed=1, workers=workers) as loader:
            (batch,) = loader
        np.testing.assert_array_equal(batch.mask[0], wanted)
    report = im.prepare(source, tmp_path / "store", split=0.0)
    assert any("label map brought onto" in note for note in report.notes)
    store = im.open(tmp_path / "store")
    np.testing.assert_array_equal(store.masks[0], wanted)
    assert im.scan(images, masks=masks).unreadable == ()
    for layout in ("nnunet", "tiff-stack", "npz", "hdf5"):
        im.export(source, tmp_path / layout, layout)
        found = im.open(tmp_path / layout)[0]
        np.testing.assert_array_equal(found.mask, wanted)
    # Pictures of before and after draw the map on the image.
    image, mask = im.Image(**volume(np.zeros(SHAPE, "f4"), AFFINE)), im.Mask(**volume(labels, affine))
    before = shown(image, mask)
    assert before.mask is not None
    np.testing.assert_array_equal(before.mask.canonical()[..., 0], wanted)
    drawn = [im.before_after(im.Pipeline([], seed=1), image, mask=m, key=0) for m in (mask, im.Mask(wanted, "zyx"))]
    np.testing.assert_array_equal(*drawn)


def test_rounding_is_no_other_grid() -> None:
    labels = RNG.integers(0, 5, SHAPE).astype(np.uint8)
    for off in (1e-6, 1e-3, 0.4):
        image = im.Image(**volume(np.zeros(SHAPE, "f4"), AFFINE))
        mask = im.Mask(**volume(labels, moved(shifted(off, -off, off, scale=(1 + off / 100, 1, 1)))))
        np.testing.assert_array_equal(im.Pipeline([], seed=1)(image=image, mask=mask).mask.T, labels)
        assert labels_onto(labels, moved(shifted(off, 0, 0)), SHAPE, AFFINE).array is labels, (
            "no work, and nothing to say"
        )
    # The grids of one box in half and whole voxels, whatever the last digits say.
    fine = np.repeat(np.arange(6), 2)[:, None]
    for noise in (0, 1e-9, -1e-9):
        found = labels_onto(fine, np.diag([0.5, 1, 1]), (6, 1), np.array([[1, 0, 0.25 + noise], [0, 1, 0], [0, 0, 1]]))
        assert found.array.ravel().tolist() == list(range(6))


def test_what_lies_outside_is_counted() -> None:
    labels = np.ones((9, 6, 4), np.uint8)
    found = labels_onto(labels, moved(shifted(-4, 2, 1)), SHAPE, AFFINE)
    assert (found.labelled, found.outside) == (9 * 24, 4 * 24)
    assert "96 of 216 labelled voxels lie outside it" in found.note
    assert labels_onto(np.ones(SHAPE), AFFINE, SHAPE, AFFINE).note == ""


# ------------------------------------------------------------------------------------------------- refusals


def test_worlds_that_contradict_are_refused(pair: Any, tmp_path: Path) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[0, 1, 2] = 1
    for affine, words in (
        (moved(shifted(40, 0, 0)), "do not meet"),
        (moved(shifted(-6, 0, 0)), "all 1 labelled voxels of it lie outside"),
        (np.eye(4), "got the identity"),
    ):
        images, masks = pair(labels, affine)
        with pytest.raises(CodecError, match=f"s.nii.gz.*{words}.*Nifti1Image\\(labels, image.affine\\)"):
            im.augment(images, tmp_path / "out", im.Pipeline([], seed=1), masks=masks)
        assert words in str(im.scan(images, masks=masks).unreadable[0])
        image, mask = im.Image(**volume(np.zeros(SHAPE), AFFINE)), im.Mask(**volume(labels, affine))
        with pytest.raises(InputError, match=f"mask.*{words}"):
            im.Pipeline([], seed=1)(image=image, mask=mask)
    # The advice, followed.
    images, masks = pair(labels, nib.load(images / "s.nii.gz").affine)
    assert im.augment(images, tmp_path / "out", im.Pipeline([], seed=1), masks=masks).made == 1


def test_the_identity_is_taken_at_its_word_where_it_can_be() -> None:
    # The same box of voxels, mirrored: nothing is in doubt.
    labels = RNG.integers(0, 5, (4, 5, 6)).astype(np.uint8)
    affine = np.array([[-1.0, 0, 0, 3], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    image = im.Image(np.zeros((4, 5, 6)), "zyx", affine=affine)
    found = im.Pipeline([], seed=1)(image=image, mask=im.Mask(labels, "zyx", affine=np.eye(4)))
    np.testing.assert_array_equal(found.mask, labels[::-1])


def test_without_a_place_voxels_are_paired(pair: Any, tmp_path: Path) -> None:
    labels = RNG.integers(0, 5, SHAPE).astype(np.uint8)
    images, masks = pair(labels, AFFINE)
    # Neither code is set: the matrix is nibabel's default, and means nothing.
    header = nib.Nifti1Image(labels, None)
    assert (int(header.header["qform_code"]), int(header.header["sform_code"])) == (0, 0)
    nib.save(header, masks / "s.nii.gz")
    np.testing.assert_array_equal(im.open(im.open_source(images, masks))[0].mask.T, labels)
    bare = im.Pipeline([], seed=1)(image=im.Image(**volume(np.zeros(SHAPE), AFFINE)), mask=labels.T)
    np.testing.assert_array_equal(bare.mask.T, labels)


def test_spacings_that_contradict_are_refused() -> None:
    image = im.Image(np.zeros((3, 4, 5)), "zyx", spacing=(3, 1, 1))
    with pytest.raises(InputError, match=r"mask with the image's spacing \(3, 1, 1\), got \(1, 1, 1\)"):
        im.Pipeline([], seed=1)(image=image, mask=im.Mask(np.zeros((3, 4, 5), int), "zyx", spacing=(1, 1, 1)))
    same = im.Mask(np.ones((3, 4, 5), int), "zyx", spacing=(3.0001, 1, 1))
    assert im.Pipeline([], seed=1)(image=image, mask=same).mask.all()


# ------------------------------------------------------------------------------------------------- sform, qform


def test_the_sform_wins_and_a_contradiction_is_said(pair: Any) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[0, 1, 2] = 1
    images, masks = pair(labels, AFFINE)
    other = moved(shifted(11, 0, 0, scale=(-1, 1, 1)))
    both = nib.Nifti1Image(labels[::-1], None)
    both.set_sform(other, 2)
    both.set_qform(AFFINE, 1)
    nib.save(both, masks / "s.nii.gz")
    np.testing.assert_array_equal(nib.load(masks / "s.nii.gz").affine, other)
    found = im.read_mask(masks / "s.nii.gz")
    assert "sform and qform are up to 11 voxels apart; the sform is taken" in found.note
    np.testing.assert_array_equal(im.open(im.open_source(images, masks))[0].mask.T, labels)
    # One file says its place by the sform alone, the other by the qform alone.
    only = nib.Nifti1Image(labels, None)
    only.set_qform(AFFINE, 1)
    nib.save(only, masks / "s.nii.gz")
    assert im.read_mask(masks / "s.nii.gz").note.count("sform") == 0
    np.testing.assert_array_equal(im.open(im.open_source(images, masks))[0].mask.T, labels)


# ------------------------------------------------------------------------------------------------- channels


@pytest.mark.parametrize("name", ["mirrored", "mirrored twice", "axes exchanged", "exchanged and mirrored"])
def test_images_of_one_sample_are_turned_over(name: str) -> None:
    shape, affine = WORLDS[name]
    values = RNG.random(shape).astype("f4")
    wanted = nearest(values, affine)
    first = im.Image(**volume(np.zeros(SHAPE, "f4"), AFFINE))
    found = im.Pipeline([], seed=1)(image=first, second=im.Image(**volume(values, affine)))
    np.testing.assert_array_equal(found.second.T, wanted)
    near = affine + 1e-5
    near[3] = 0, 0, 0, 1
    np.testing.assert_array_equal(values_onto(values, near, SHAPE, AFFINE, "second"), wanted)


@pytest.mark.parametrize("name", ["a cropped box", "finer voxels", "turned", "a larger scan"])
def test_images_on_other_grids_are_refused(name: str) -> None:
    shape, affine = WORLDS[name]
    first = im.Image(**volume(np.zeros(SHAPE, "f4"), AFFINE))
    with pytest.raises(InputError, match=r"second on the grid of the first image.*resample_from_to"):
        im.Pipeline([], seed=1)(image=first, second=im.Image(**volume(np.zeros(shape, "f4"), affine)))


def test_channels_of_a_case_are_turned_over(tmp_path: Path) -> None:
    values = RNG.random((2, *SHAPE)).astype("f4")
    affine = WORLDS["mirrored"][1]
    save(tmp_path / "imagesTr" / "a_0000.nii.gz", values[0], AFFINE)
    save(tmp_path / "imagesTr" / "a_0001.nii.gz", values[1][::-1], affine)
    save(tmp_path / "labelsTr" / "a.nii.gz", np.ones(SHAPE, np.uint8), AFFINE)
    said = {"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "x": 1}}
    (tmp_path / "dataset.json").write_text(json.dumps({**said, "numTraining": 1, "file_ending": ".nii.gz"}))
    image = im.open(tmp_path)[0].image
    np.testing.assert_array_equal(np.moveaxis(image, -1, 0), values.transpose(0, 3, 2, 1))
    save(tmp_path / "imagesTr" / "a_0001.nii.gz", values[1], moved(shifted(0.5, 0, 0)))
    with pytest.raises(CodecError, match=r"a_0001.nii.gz.*on the grid of the first image"):
        im.open(tmp_path)[0]


@pytest.mark.parametrize("transform", [t for t, _ in CASES], ids=[type(t).__name__ for t, _ in CASES])
def test_every_transform_moves_the_map_that_was_brought(transform: im.Transform) -> None:
    picture, labels = np.zeros((16, 20, 3), np.uint8), RNG.integers(0, 5, (16, 20)).astype(np.uint8)
    mirrored = np.array([[-1.0, 0, 15], [0, 1, 0], [0, 0, 1]])
    pipe = im.Pipeline([transform], seed=1)
    rest = {name: given for name, given in beside(transform, (16, 20)).items() if name != "mask"}
    plain = pipe(image=picture, mask=labels, key=1, **rest).mask
    image, brought = im.Image(picture, affine=np.eye(3)), im.Mask(labels[::-1], affine=mirrored)
    np.testing.assert_array_equal(pipe(image=image, mask=brought, key=1, **rest).mask, plain)
