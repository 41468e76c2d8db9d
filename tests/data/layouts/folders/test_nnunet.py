from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imagemill.core.errors import CodecError, SourceError
from imagemill.data import Picture, Record, Source, load_mask, load_picture, open_source, read_picture, write_picture
from imagemill.data.layouts.arrays.in_memory import from_arrays
from imagemill.data.layouts.base import ReadSource, WriteTarget
from imagemill.data.layouts.folders.nnunet import NnUnet
from imagemill.data.layouts.registry import guesses, look_at

RNG = np.random.default_rng(0)
WORLD = np.array([[0, 0, -2.0, 5], [0, 1.5, 0, 6], [3, 0, 0, 7], [0, 0, 0, 1]])
VERSION_2 = {
    "channel_names": {"0": "T1", "1": "T2"},
    "labels": {"background": 0, "front": 1, "whole": [1, 2]},
    "numTraining": 1,
    "file_ending": ".nii.gz",
}


def volume(path: Path, seed: int = 0, affine: Any = WORLD, shape: tuple[int, ...] = (3, 4, 5)) -> np.ndarray[Any, Any]:
    values = np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8)
    write_picture(path, Picture(values, "zyx", affine))
    return values


def read(path: Path, **options: Any) -> Source:
    return NnUnet().read(look_at(path), ReadSource(**options))


def described(root: Path, **words: Any) -> Path:
    (root / "dataset.json").write_text(json.dumps(words))
    return root


def test_channels_of_a_case_are_put_together(tmp_path: Path) -> None:
    one, two = volume(tmp_path / "imagesTr/c_0000.nii.gz", 1), volume(tmp_path / "imagesTr/c_0001.nii.gz", 2)
    mask = volume(tmp_path / "labelsTr/c.nii.gz", 3)
    volume(tmp_path / "imagesTs/d_0000.nii.gz"), volume(tmp_path / "imagesTs/d_0001.nii.gz")
    described(tmp_path, **VERSION_2)
    assert guesses(look_at(tmp_path))[0][0].name == "nnunet"
    source = read(tmp_path)
    assert [(r.key, r.split) for r in source] == [("imagesTr/c", "train"), ("imagesTs/d", "test")]
    assert not source.problems
    assert source.info["mask_labels"] == {"0": "background", "1": "front", "1+2": "whole"}
    picture = load_picture(source.records[0].image)
    assert picture.axes == "zyxc"
    np.testing.assert_array_equal(picture.array, np.stack([one, two], axis=-1))
    np.testing.assert_allclose(picture.affine, WORLD, atol=1e-6)
    np.testing.assert_array_equal(load_mask(source.records[0].mask).array, mask)  # type: ignore[arg-type]


def test_the_form_of_version_1_and_of_the_decathlon(tmp_path: Path) -> None:
    volume(tmp_path / "imagesTr/brain_0012.nii.gz"), volume(tmp_path / "labelsTr/brain_0012.nii.gz")
    volume(tmp_path / "imagesTr/brain_0013.nii.gz"), volume(tmp_path / "labelsTr/brain_0013.nii.gz")
    source = read(described(tmp_path, modality={"0": "MRI"}, labels={"0": "background", "1": "front"}, numTraining=3))
    assert [(r.key, r.mask is not None) for r in source] == [
        ("imagesTr/brain_0012", True),
        ("imagesTr/brain_0013", True),
    ]
    assert source.info["mask_labels"] == {"0": "background", "1": "front"}
    assert source.notes == ("dataset.json counts 3 training cases, and there are 2",)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    volume(tmp_path / "imagesTr/gap_0001.nii.gz")
    volume(tmp_path / "imagesTr/ok_0000.nii.gz"), volume(tmp_path / "labelsTr/lonely.nii.gz")
    (tmp_path / "imagesTr/note.txt").write_text("hello")
    source = read(described(tmp_path, **VERSION_2))
    assert [r.key for r in source] == ["imagesTr/ok"]
    assert source.missing_masks == ("imagesTr/ok",)
    assert {p.name for p in source.problems} == {"imagesTr/gap", "labelsTr/lonely.nii.gz", "imagesTr/note.txt"}
    for text in ("[1, 2]", "{", ""):
        (tmp_path / "dataset.json").write_text(text)
        with pytest.raises(SourceError, match=r"dataset\.json"):
            read(tmp_path)


@pytest.mark.parametrize(
    ("affine", "shape", "message"),
    [(np.eye(4), (3, 4, 5), "on the grid"), (WORLD, (3, 4, 6), "shape")],
)
def test_channels_that_differ_are_refused(tmp_path: Path, affine: Any, shape: Any, message: str) -> None:
    volume(tmp_path / "imagesTr/c_0000.nii.gz"), volume(tmp_path / "imagesTr/c_0001.nii.gz", 1, affine, shape)
    with pytest.raises(CodecError, match=message):
        load_picture(read(described(tmp_path, **VERSION_2)).records[0].image)


def test_listed_paths_stay_inside(tmp_path: Path) -> None:
    root = tmp_path / "set"
    volume(root / "raw/a.nii.gz"), volume(root / "raw/a_seg.nii.gz"), volume(tmp_path / "out.nii.gz")
    (root / "imagesTr").mkdir()
    listed = {
        "a": {"images": ["raw/a.nii.gz"], "label": "raw/a_seg.nii.gz"},
        "b": {"images": ["../out.nii.gz"]},
        "c": {"images": ["raw/none.nii.gz"]},
        "d": {"images": "raw"},
    }
    source = read(described(root, **VERSION_2, dataset=listed))
    assert [r.key for r in source] == ["dataset/a"]
    assert [p.name for p in source.problems] == ["b", "c", "d"]
    assert "leads out" in str(source.problems[0])
    assert len(read(root, outside=True)) == 2


def test_volumes_of_two_channels_go_there_and_back(tmp_path: Path) -> None:
    voxels = RNG.normal(size=(3, 4, 5, 2)).astype(np.float32)
    source = from_arrays([voxels, voxels + 1], masks=[voxels[..., 0] > 0, voxels[..., 0] > 1], split=["train", "test"])
    written = NnUnet().write(source, tmp_path / "out", WriteTarget())
    assert (written.count, written.lost) == (2, ())
    names = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.gz"))
    assert names == [
        "imagesTr/row-0_0000.nii.gz",
        "imagesTr/row-0_0001.nii.gz",
        "imagesTs/row-1_0000.nii.gz",
        "imagesTs/row-1_0001.nii.gz",
        "labelsTr/row-0.nii.gz",
        "labelsTs/row-1.nii.gz",
    ]
    again = read(tmp_path / "out")
    for one, other in zip(source, again, strict=True):
        np.testing.assert_array_equal(load_picture(one.image).array, load_picture(other.image).array)
        np.testing.assert_array_equal(load_mask(one.mask).array, load_mask(other.mask).array)  # type: ignore[arg-type]
    assert json.loads((tmp_path / "out/dataset.json").read_text())["labels"] == {"background": 0, "label_1": 1}


def test_photos_become_png_and_losses_are_said(tmp_path: Path) -> None:
    photo = RNG.integers(0, 255, (6, 7, 3), dtype=np.uint8)
    masks = [np.full((6, 7), 5, np.uint8), None]
    source = from_arrays([photo, photo[..., :1]], ["a", "b"], masks=masks, split=["val", "train"])
    written = NnUnet().write(source, tmp_path / "out", WriteTarget())
    assert written.count == 2
    assert {text.partition(":")[0] for text in written.lost} == {
        "2 class names",
        "labels without gaps",
        "1 splits (val)",
    }
    np.testing.assert_array_equal(read_picture(tmp_path / "out/imagesTr/row-0_0000.png").array, photo)


def test_real_volumes_keep_voxels_and_world(data_root: Path, tmp_path: Path) -> None:
    folder = data_root / "volumes/hippocampus"
    source = open_source(folder / "images", masks=folder / "labels")
    few = Source(source.root, source.layout, source.records[:6])
    NnUnet().write(few, tmp_path / "out", WriteTarget())
    again = read(tmp_path / "out")
    norm = data_root / "volumes/freesurfer/norm.mgz"  # LIA: no axis of the file is one of the world's
    NnUnet().write(Source(norm.parent, "x", (Record("norm", norm),)), tmp_path / "lia", WriteTarget())
    pairs = [*zip(few, again, strict=True), (Record("norm", norm), read(tmp_path / "lia").records[0])]
    for one, other in pairs:
        for load, before, after in ((load_picture, one.image, other.image), (load_mask, one.mask, other.mask)):
            if before is None or after is None:
                continue
            first, second = load(before), load(after)
            np.testing.assert_array_equal(first.array, second.array)
            np.testing.assert_allclose(first.affine, second.affine, atol=1e-5)
