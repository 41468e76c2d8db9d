"""Examinations with one file per modality: one record each, modalities as channels, the label map paired."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import SourceError
from imagemill.data import Picture, open_source
from imagemill.data.records.loading import load_mask, load_picture

nib = pytest.importorskip("nibabel")

ARRANGED = {
    "BraTS20": ("BraTS_{n:03d}/BraTS_{n:03d}_{word}.nii.gz", ("flair", "t1", "t1ce", "t2"), "seg"),
    "BraTS23": ("BraTS-GLI-{n:05d}-000/BraTS-GLI-{n:05d}-000-{word}.nii.gz", ("t1c", "t1n", "t2f", "t2w"), "seg"),
    "by patient": ("patient{n}/{word}.nii.gz", ("ct", "mr"), "seg"),
    "any name": ("case {n}/{word}.nii", ("ct", "pet"), "mask"),
    "all in one folder": ("scan{n}_{word}.nii.gz", ("adc", "t2w"), "label"),
    "in parts": ("{part}/p{n}/{word}.nii.gz", ("flair", "t1"), "seg"),
}


def made(root: Path, how: str, lacking: str = "") -> dict[str, np.ndarray]:
    """Volumes whose values say case and modality; gives what every file holds, by its key."""
    pattern, words, mask = ARRANGED[how]
    held = {}
    for n in range(1, 4):
        for place, word in enumerate((*words, mask)):
            key = pattern.format(n=n, word=word, part="train" if n < 3 else "test")
            if key == lacking:
                continue
            array = np.full((3, 4, 5), 10 * n + place, np.int16) if word != mask else np.eye(4, 5, dtype=np.int16) * n
            held[key] = np.broadcast_to(array, (3, 4, 5))
            (root / key).parent.mkdir(parents=True, exist_ok=True)
            nib.save(nib.Nifti1Image(held[key].T.copy(), np.diag([1.0, 1, 2, 1])), root / key)
    return held


@pytest.mark.parametrize("how", ARRANGED)
def test_one_record_an_examination(tmp_path: Path, how: str) -> None:
    held = made(tmp_path, how)
    pattern, words, mask = ARRANGED[how]
    source = open_source(tmp_path)
    assert (source.layout, len(source), len({record.group for record in source})) == ("image-masks", 3, 3)
    assert not source.problems
    assert all(record.label is None for record in source)
    assert source.info["channel_names"] == {str(n): word for n, word in enumerate(sorted(words))}
    for n, record in enumerate(sorted(source, key=lambda record: record.group), 1):
        part = "train" if n < 3 else "test"
        keys = [pattern.format(n=n, word=word, part=part) for word in sorted(words)]
        picture = load_picture(record.image)
        assert np.array_equal(picture.array, np.stack([held[key] for key in keys], axis=-1))
        assert np.array_equal(
            load_mask(record.mask, like=picture).array, held[pattern.format(n=n, word=mask, part=part)]
        )
        assert record.split == (part if how == "in parts" else None)


def test_they_go_through_prepare_and_batches(tmp_path: Path) -> None:
    held = made(tmp_path / "in", "BraTS20")
    im.prepare(tmp_path / "in", tmp_path / "store", split=(0.34, 0.33, 0.33))
    stored = im.open(tmp_path / "store")
    assert stored[0].image.shape == (3, 4, 5, 4)
    assert stored[0].mask.shape == (3, 4, 5)
    batch = next(iter(im.Loader(im.open(tmp_path / "in"), None, batch_size=3, shuffle=False)))
    assert np.array_equal(np.asarray(batch.mask)[1], held["BraTS_002/BraTS_002_seg.nii.gz"])


def test_some_modalities_may_be_chosen_and_what_lacks_is_named(tmp_path: Path) -> None:
    made(tmp_path, "BraTS20", lacking="BraTS_002/BraTS_002_t2.nii.gz")
    source = open_source(tmp_path)
    assert [record.key for record in source] == ["BraTS_001/BraTS_001", "BraTS_003/BraTS_003"]
    assert "got none for t2; add it, or choose modalities by --option channels=" in str(source.problems[0])
    some = open_source(tmp_path, extra={"channels": "t1ce,flair"})
    assert len(some) == 3
    assert load_picture(some.records[0].image).array[0, 0, 0].tolist() == [12, 10]
    with pytest.raises(SourceError, match="got dwi; choose some of these"):
        open_source(tmp_path, extra={"channels": "dwi"})


def test_frames_are_no_modalities(tmp_path: Path) -> None:
    for name in ("patient001/patient001_frame01", "patient001/patient001_frame12"):
        for end in ("", "_gt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            im.write_picture(tmp_path / f"{name}{end}.nii.gz", Picture(np.zeros((2, 3, 4), np.uint8), "zyx"))
    assert [record.key for record in open_source(tmp_path)] == [
        f"patient001/patient001_frame{n}.nii.gz" for n in ("01", "12")
    ]
