from __future__ import annotations

from pathlib import Path

import pytest

from imagemill.core.errors import SourceError
from imagemill.data import Record, Source, open_source, pair_masks
from imagemill.data.layouts.labelmaps.masks import MASK_SUFFIXES


def _make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def _pairs(source: object, root: Path) -> dict[str, str | None]:
    assert isinstance(source, Source)
    return {r.key: None if r.mask is None else r.mask.relative_to(root).as_posix() for r in source}


@pytest.mark.parametrize("end", ["", *MASK_SUFFIXES])
def test_masks_lie_in_a_parallel_folder(tmp_path: Path, end: str) -> None:
    _make(tmp_path, "img/a.jpg", "img/s/a.jpg", f"lab/a{end}.png", f"lab/s/a{end}.nii.gz", "lab/notes.md")
    source = open_source(tmp_path / "img", masks=tmp_path / "lab")
    assert _pairs(source, tmp_path) == {"a.jpg": f"lab/a{end}.png", "s/a.jpg": f"lab/s/a{end}.nii.gz"}
    assert "2 with a mask, 0 without" in source.describe()


def test_masks_beside_the_images_are_not_images(tmp_path: Path) -> None:
    _make(
        tmp_path,
        "p1/f1.nii.gz",
        "p1/f1_gt.nii.gz",
        "p1/f2.nii.gz",
        "p1/f2_gt.nii.gz",
        "p2/f1.png",
        "p2/f1_mask.png",
    )
    source = open_source(tmp_path, masks=tmp_path)
    assert _pairs(source, tmp_path) == {
        "p1/f1.nii.gz": "p1/f1_gt.nii.gz",
        "p1/f2.nii.gz": "p1/f2_gt.nii.gz",
        "p2/f1.png": "p2/f1_mask.png",
    }
    alone = open_source(tmp_path)
    assert alone.layout == "image-masks"
    assert _pairs(alone, tmp_path) == _pairs(source, tmp_path)
    as_images = open_source(tmp_path, layout="folder")
    assert len(as_images) == 6
    assert "3 of them look like label maps; leave the layout out to pair them" in as_images.describe()


def test_a_mask_folder_inside_the_images_is_left_out_of_them(tmp_path: Path) -> None:
    _make(tmp_path, "a.png", "b.png", "masks/a.png", "masks/b_seg.png", "masks/c.png")
    source = open_source(tmp_path, masks=tmp_path / "masks")
    assert _pairs(source, tmp_path) == {"a.png": "masks/a.png", "b.png": "masks/b_seg.png"}
    assert "1 mask files belong to no image" in source.describe()


def test_missing_masks_are_listed(tmp_path: Path) -> None:
    _make(tmp_path, "img/a.png", "img/b.png", "lab/a.png")
    with pytest.raises(SourceError, match=r"for each of 2 images, got none for 1: b\.png; name masks"):
        open_source(tmp_path / "img", masks=tmp_path / "lab")
    source = open_source(tmp_path / "img", masks=tmp_path / "lab", allow_missing_masks=True)
    assert _pairs(source, tmp_path) == {"a.png": "lab/a.png", "b.png": None}
    assert isinstance(source, Source)
    assert source.missing_masks == ("b.png",)
    assert "1 with a mask, 1 without" in source.describe()


@pytest.mark.parametrize("other", ["a.tif", "a_gt.png"])
def test_two_masks_for_one_image_are_both_named(tmp_path: Path, other: str) -> None:
    _make(tmp_path, "img/a.png", "lab/a.png", f"lab/{other}")
    with pytest.raises(SourceError, match=rf"one mask for a\.png, got 2: .*a\.png and .*{other}; remove"):
        open_source(tmp_path / "img", masks=tmp_path / "lab", allow_missing_masks=True)


def test_lists_find_masks_below_their_common_folder_too(tmp_path: Path) -> None:
    _make(tmp_path, "images/x/a.png", "images/y/a.png", "lab/x/a.png", "lab/y/a.png")
    (tmp_path / "list.txt").write_text("images/x/a.png\nimages/y/a.png\nimages/x/a.png\n")
    source = open_source(tmp_path / "list.txt", masks=tmp_path / "lab")
    assert _pairs(source, tmp_path) == {
        "images/x/a.png": "lab/x/a.png",
        "images/y/a.png": "lab/y/a.png",
        "images/x/a.png#2": "lab/x/a.png",
    }


def test_a_single_image_finds_its_mask_in_a_folder(tmp_path: Path) -> None:
    _make(tmp_path, "p_frame01.nii.gz", "p_frame01_gt.nii.gz", "p_frame10.nii.gz")
    source = open_source(tmp_path / "p_frame01.nii.gz", masks=tmp_path)
    assert _pairs(source, tmp_path) == {"p_frame01.nii.gz": "p_frame01_gt.nii.gz"}


def test_an_image_is_never_its_own_mask(tmp_path: Path) -> None:
    _make(tmp_path, "a.png", "b.png")
    with pytest.raises(SourceError, match="got none for 2"):
        open_source(tmp_path, masks=tmp_path)


def test_a_mask_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    _make(tmp_path, "a.png")
    with pytest.raises(SourceError, match="expected a folder of masks"):
        pair_masks([Record("a.png", tmp_path / "a.png")], tmp_path / "none")


def test_excluded_files_are_no_masks(tmp_path: Path) -> None:
    _make(tmp_path, "img/a.png", "lab/a.png", "lab/a.tif")
    records = [Record("a.png", tmp_path / "img/a.png")]
    pairing = pair_masks(records, tmp_path / "lab", exclude=[tmp_path / "lab/a.tif"])
    assert pairing.records[0].mask == tmp_path / "lab/a.png"
    assert (pairing.missing, pairing.unused) == ((), ())
    assert records[0].mask is None


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (("train/a.jpg", "train/b.jpg"), ("lab/a_L.png", "lab/b_L.png")),
        (("im/img_1.jpg", "im/img_2.jpg"), ("lab/seg_1.png", "lab/seg_2.png")),
        (("x/ulm/ulm_0_leftImg8bit.png",), ("lab/ulm/ulm_0_gtFine_labelIds.png",)),
        (("x/s/foto1.png", "x/t/foto2.png"), ("lab/s/umriss1.png", "lab/t/umriss2.png")),
        (("x/A\u0308.png",), ("lab/\u00c4.png",)),
    ],
)
def test_a_folder_of_masks_is_paired_by_words_too(
    tmp_path: Path, images: tuple[str, ...], masks: tuple[str, ...]
) -> None:
    _make(tmp_path, *images, *masks)
    source = open_source(tmp_path / images[0].partition("/")[0], masks=tmp_path / "lab")
    assert [record.mask for record in source] == [tmp_path / mask for mask in masks]


def test_several_files_for_one_image_in_a_folder_of_masks(tmp_path: Path) -> None:
    _make(tmp_path, "im/a.png", "im/b.png", "lab/a_1.png", "lab/a_2.png", "lab/b_1.png")
    source = open_source(tmp_path / "im", masks=tmp_path / "lab")
    assert [record.mask.fetch.files for record in source] == [
        (tmp_path / "lab/a_1.png", tmp_path / "lab/a_2.png"),
        (tmp_path / "lab/b_1.png",),
    ]
