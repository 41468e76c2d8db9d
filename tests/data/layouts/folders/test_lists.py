"""Text files that say of images which part and which class they are of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagemill.data import open_source
from imagemill.data.records.loading import load_mask

PETS = {
    "Abyssinian_1": (1, 1),
    "Abyssinian_2": (1, 1),
    "Bengal_1": (2, 1),
    "american_bulldog_1": (3, 2),
    "beagle_7": (4, 2),
}


def pets(root: Path, boxes: bool) -> Path:
    for folder in ("images", "annotations/trimaps", "annotations/xmls"):
        (root / folder).mkdir(parents=True)
    rng = np.random.default_rng(3)
    for n, name in enumerate(PETS):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(root / "images" / f"{name}.jpg")
        Image.fromarray(np.repeat(np.array([[1], [2], [3], [n]], np.uint8), 5, 0).repeat(30, 1)).save(
            root / "annotations/trimaps" / f"{name}.png"
        )
        if boxes and n < 3:
            (root / "annotations/xmls" / f"{name}.xml").write_text(
                f"<annotation><filename>{name}.jpg</filename><size><width>30</width><height>20</height></size><object>"
                "<name>cat</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
            )
    lines = [f"{name} {number} {species} 1" for name, (number, species) in PETS.items()]
    head = "#Image CLASS-ID SPECIES BREED ID\n#ID: 1:37 Class ids\n"
    (root / "annotations/list.txt").write_text(head + "\n".join(lines) + "\n")
    (root / "annotations/trainval.txt").write_text("\n".join(lines[::2]) + "\n")
    (root / "annotations/test.txt").write_text("\n".join(lines[1::2]) + "\n")
    return root


@pytest.mark.parametrize("boxes", [True, False])
def test_pets_have_breeds_parts_trimaps_and_heads(tmp_path: Path, boxes: bool) -> None:
    source = open_source(pets(tmp_path, boxes))
    labels = {record.key: record.label for record in source}
    assert labels == {f"images/{name}.jpg": name.rpartition("_")[0] for name in PETS}
    assert {record.key: record.split for record in source} == {
        f"images/{name}.jpg": "test" if n % 2 else "train" for n, name in enumerate(PETS)
    }
    for record in source:
        n = list(PETS).index(Path(record.key).stem)
        assert load_mask(record.mask).array[::5, 0].tolist() == [1, 2, 3, n]
    assert sum(bool(record.objects) for record in source) == (3 if boxes else 0)
    assert {path.name for path in source.also_read} >= {"list.txt", "trainval.txt", "test.txt"}


def test_voc_without_boxes_takes_the_lists_of_segmentation(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    for name in ("2007_1", "2007_2", "2007_3"):
        for folder in ("JPEGImages", "SegmentationClass", "SegmentationObject"):
            (tmp_path / folder).mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(tmp_path / f"JPEGImages/{name}.jpg")
        if name != "2007_3":
            for folder in ("SegmentationClass", "SegmentationObject"):
                mask = Image.fromarray(np.full((20, 30), len(folder), np.uint8), "P")
                mask.putpalette([0, 0, 0, 128, 0, 0] * 20)
                mask.save(tmp_path / f"{folder}/{name}.png")
    for folder, parts in {
        "Segmentation": {"train": "2007_1", "val": "2007_2"},
        "Main": {"train": "2007_3", "val": "2007_1", "test": "2007_2"},
    }.items():
        (tmp_path / "ImageSets" / folder).mkdir(parents=True)
        for part, name in parts.items():
            (tmp_path / "ImageSets" / folder / f"{part}.txt").write_text(f"{name}\n")
    source = open_source(tmp_path)
    assert [(record.split, record.mask and record.mask.parent.name) for record in source] == [
        ("train", "SegmentationClass"),
        ("val", "SegmentationClass"),
        (None, None),
    ]
