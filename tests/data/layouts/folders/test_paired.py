"""Images with label maps, found by folders, names or patterns, and written again."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagemill.core.errors import SourceError
from imagemill.data import Record, Source, open_source
from imagemill.data.layouts.base import WriteTarget
from imagemill.data.layouts.folders.paired import ImageMasks
from tests.data.pictures import label_map, photo


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def pairs(source: Source) -> dict[str, str | None]:
    return {
        record.key: record.mask.relative_to(source.root).as_posix() if isinstance(record.mask, Path) else None
        for record in source
    }


@pytest.mark.parametrize(
    ("image", "mask", "split"),
    [
        ("images/a.png", "masks/a.png", None),
        ("images/a.jpg", "labels/a_seg.png", None),
        ("Images/s/a.jpg", "GT/s/a.png", None),
        ("a.png", "masks/a_mask.png", None),
        ("train/images/a.png", "train/masks/a.png", "train"),
        ("images/val/a.png", "annotations/val/a.png", "val"),
        ("training/p1/a.nii.gz", "training/p1/a_gt.nii.gz", "train"),
        ("images/train2017/a.png", "masks/train/a.png", "train"),
        ("scans/a.nii.gz", "semantic_masks/a.nii.gz", None),
    ],
)
def test_pairs_are_found(tmp_path: Path, image: str, mask: str, split: str | None) -> None:
    source = open_source(make(tmp_path, image, mask))
    assert (source.layout, pairs(source)) == ("image-masks", {image: mask})
    assert source.records[0].split == split
    assert source.missing_masks == ()


def test_what_is_missing_left_over_or_twice_there_is_said(tmp_path: Path) -> None:
    make(tmp_path, "images/a.png", "images/b.png", "images/c.png", "masks/a.png", "masks/c.png", "masks/c_gt.png")
    make(tmp_path, "masks/x.png", "notes.md")
    source = open_source(tmp_path)
    assert pairs(source) == {"images/a.png": "masks/a.png", "images/b.png": None, "images/c.png": None}
    assert source.missing_masks == ("images/b.png", "images/c.png")
    assert "expected one mask for images/c.png, got masks/c.png and masks/c_gt.png" in str(source.problems[0])
    assert "1 mask files belong to no image" in source.describe()
    assert "passed over: " in source.describe()
    assert "1 .md" in source.describe()


def test_one_of_several_folders_of_masks_is_chosen(tmp_path: Path) -> None:
    make(tmp_path, "images/a.png", "organ_masks/a.png", "tumour_masks/a.png")
    for layout in (None, "image-masks"):
        with pytest.raises(SourceError, match="got organ_masks, tumour_masks; choose one by extra="):
            open_source(tmp_path, layout=layout)
    chosen = open_source(tmp_path, layout="image-masks", extra={"masks": "tumour_masks"})
    assert pairs(chosen) == {"images/a.png": "tumour_masks/a.png"}
    with pytest.raises(SourceError, match="called 'nowhere', got organ_masks/, tumour_masks/; choose one"):
        open_source(tmp_path, layout="image-masks", extra={"masks": "nowhere"})


def test_few_pairs_among_many_images_are_no_set_of_masks(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "a_mask.png", *[f"{n}.png" for n in range(8)])
    assert open_source(tmp_path).layout == "folder"
    assert "a_mask.png): taken for images" in open_source(tmp_path).describe()
    deep = make(tmp_path / "deep", "h/images/a.png", "h/masks/a.png", *[f"other/{n}.png" for n in range(8)])
    assert (len(open_source(deep)), len(open_source(deep).missing_masks)) == (9, 8)
    few = open_source(make(tmp_path / "few", "images/a.png", "masks/a.png", *[f"images/{n}.png" for n in range(8)]))
    assert (few.layout, len(few.missing_masks)) == ("image-masks", 8)
    with pytest.raises(SourceError, match="expected label maps in a folder such as masks/"):
        open_source(make(tmp_path / "none", "a.png"), layout="image-masks")


def test_a_pattern_says_where_masks_are(tmp_path: Path) -> None:
    make(tmp_path, "img/s1/a.jpg", "img/s2/b.jpg", "ann/a-s1.png", "ann/b-s2.png", "img/s1/a.jpg.png")
    found = open_source(tmp_path, layout="image-masks", mask_pattern=r"img/(s\d)/(.*)\.jpg => ann/\2-\1.png")
    assert pairs(found) == {"img/s1/a.jpg": "ann/a-s1.png", "img/s2/b.jpg": "ann/b-s2.png"}
    (tmp_path / "ann" / "b-s2.png").unlink()
    pattern = r"img/(s\d)/(.*)\.jpg=>ann/\2-\1.png"
    with pytest.raises(SourceError, match=r"got none for 1: img/s2/b\.jpg; correct the pattern"):
        open_source(tmp_path, layout="image-masks", mask_pattern=pattern)
    allowed = open_source(tmp_path, allow_missing_masks=True, layout="image-masks", mask_pattern=pattern)
    assert allowed.missing_masks == ("img/s2/b.jpg",)


@pytest.mark.parametrize("pattern", ["img/(.*)", "img/(=>x", r"img/(.*)=>\2.png", "=>"])
def test_patterns_that_are_none_are_refused(tmp_path: Path, pattern: str) -> None:
    make(tmp_path, "img/a.png")
    with pytest.raises(SourceError, match="expected a mask pattern such as"):
        open_source(tmp_path, layout="image-masks", mask_pattern=pattern)


def test_a_pattern_that_fits_nothing_is_refused_and_none_leads_out(tmp_path: Path) -> None:
    make(tmp_path, "secret.png")
    make(tmp_path / "set", "img/a.png")
    with pytest.raises(SourceError, match="expected images that fit"):
        open_source(tmp_path / "set", layout="image-masks", mask_pattern=r"none/(.*)=>\1")
    with pytest.raises(SourceError, match="got none for 1"):
        open_source(tmp_path / "set", layout="image-masks", mask_pattern=r"img/(.*)=>../secret.png")


def test_written_and_read_again(tmp_path: Path) -> None:
    root = tmp_path / "in"
    rows = [("train/p1/a", "train", "p1"), ("test/p2/a", "test", "p2"), ("images/p3/b", "test", "p3")]
    records = tuple(
        Record(
            f"{key}.png",
            photo(root / f"{n}.png", n),
            None if n == 2 else label_map(root / f"{n}_m.png", n),
            split=split,
            group=group,
        )
        for n, (key, split, group) in enumerate(rows)
    )
    written = ImageMasks().write(Source(root, "made up", records), tmp_path / "out", WriteTarget())
    assert (written.count, written.lost) == (3, ())
    back = open_source(tmp_path / "out")
    assert pairs(back) == {
        "test/images/p2/a.png": "test/masks/p2/a.png",
        "test/images/p3/b.png": None,
        "train/images/p1/a.png": "train/masks/p1/a.png",
    }
    assert [(record.split, record.group) for record in back] == [("test", "p2"), ("test", "p3"), ("train", "p1")]
    masks = {p.read_bytes() for p in (tmp_path / "out").glob("*/masks/*/*")}
    assert masks == {p.read_bytes() for p in root.glob("*_m.png")}


def test_groups_that_folders_do_not_say_are_named(tmp_path: Path) -> None:
    root = tmp_path / "in"
    record = Record("a.png", photo(root / "a.png"), label_map(root / "m.png"), group="anna", label="x")
    written = ImageMasks().write(Source(root, "made up", (record,)), tmp_path / "out", WriteTarget())
    assert [one.split(":")[0] for one in written.lost] == ["1 labels", "1 pictures' groups"]
    plain = Source(root, "made up", (Record("a.png", root / "a.png"),))
    with pytest.raises(SourceError, match="expected a source with label maps"):
        ImageMasks().write(plain, tmp_path / "out2", WriteTarget())


def test_real_scans(data_root: Path, tmp_path: Path) -> None:
    acdc = open_source(data_root / "volumes" / "acdc")
    assert (acdc.layout, len(acdc), len({record.group for record in acdc})) == ("image-masks", 31, 15)
    assert acdc.missing_masks == ("training/patient090/patient090_4d.nii.gz",)
    assert sum(record.split == "train" for record in acdc) == 21
    brains = open_source(data_root / "volumes" / "hippocampus")
    assert (brains.layout, len(brains), brains.missing_masks) == ("image-masks", 48, ())
    few = Source(brains.root, brains.layout, brains.records[:3])
    assert ImageMasks().write(few, tmp_path / "out", WriteTarget(files="link")).lost == ()
    expected = {key: str(mask).replace("labels/", "masks/") for key, mask in pairs(few).items()}
    assert pairs(open_source(tmp_path / "out")) == expected
