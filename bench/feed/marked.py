"""Photos with everything that can belong to one: a label map, boxes with names, a label."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.feed.data import SIDE, albumentations, made_up, torchvision

MADE = 12
"""Photos that are made up where there are none."""

NAMES = ("cat", "dog", "kite", "plane")
"""What is on photos that were made up."""


# ------------------------------------------------------------------------------------------- the photos


def marked(root: Path, count: int) -> Any:
    """A source of ``count`` photos, the same few under other keys: a sample of COCO, or made up where there is none."""
    import imagemill as im

    named = os.environ.get("IMAGEMILL_DATA")
    few = list(_coco(Path(named) / "coco_sample") if named else _made(root / "marked"))
    records = tuple(_record(f"{n // len(few)}/{few[n % len(few)][0].name}", *few[n % len(few)]) for n in range(count))
    return im.Source(root, "folder", records)


def _record(key: str, image: Path, mask: Path, things: tuple[Any, ...]) -> Any:
    import imagemill as im

    largest = max(things, key=lambda thing: thing.box[2] * thing.box[3], default=None)
    return im.Record(key, image, mask, label="nothing" if largest is None else largest.category, objects=things)


def _coco(folder: Path) -> Iterator[tuple[Path, Path, tuple[Any, ...]]]:
    """Photos with what COCO says of them; crowds have no boxes of single things."""
    import imagemill as im

    said = json.loads((folder / "instances.json").read_text("utf-8"))
    names = {category["id"]: category["name"] for category in said["categories"]}
    things: dict[int, list[Any]] = {photo["id"]: [] for photo in said["images"]}
    for one in said["annotations"]:
        if not one["iscrowd"]:
            things[one["image_id"]].append(im.Instance(names[one["category_id"]], tuple(one["bbox"])))
    for photo in said["images"]:
        name = Path(photo["file_name"])
        mask = folder / "semantic_masks" / f"{name.stem}.png"
        yield folder / "images" / name, mask, tuple(things[photo["id"]])


def _made(folder: Path) -> Iterator[tuple[Path, Path, tuple[Any, ...]]]:
    """Photos out of numbers, the same ones every time; their label maps are the boxes filled in."""
    import imagemill as im

    folder.mkdir(parents=True, exist_ok=True)
    for n in range(MADE):
        image, mask = folder / f"{n:02}.jpg", folder / f"{n:02}.png"
        rng = np.random.default_rng(n)
        things, labels = [], np.zeros((375, 500), np.uint8)
        for which in rng.integers(0, len(NAMES), n % 4):  # every fourth has none
            (x, y), (width, height) = rng.integers(0, (300, 200)), rng.integers(40, (200, 175))
            things.append(im.Instance(NAMES[which], (float(x), float(y), float(width), float(height))))
            labels[y : y + height, x : x + width] = which + 1
        if not mask.exists():
            image.write_bytes(made_up(n))
            im.write_picture(mask, im.Picture(labels, "yx"))
        yield image, mask, tuple(things)


# ------------------------------------------------------------------------------------------- as torch reads them


class Marked:
    """A map-style dataset over such photos, as people write it; it gives key, image, mask, boxes, names and label."""

    def __init__(self, source: Any, library: str, side: int = SIDE):
        self.records, self.library = source.records, library
        self.labels = sorted({record.label for record in self.records})
        self.names = sorted({thing.category for record in self.records for thing in record.objects})
        self.transform = (torchvision if library == "torchvision" else albumentations)(side, boxes=True)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, i: int) -> tuple[Any, ...]:
        from PIL import Image

        record = self.records[i]
        image, mask = Image.open(record.image).convert("RGB"), Image.open(record.mask)
        edges = np.array([thing.box for thing in record.objects], np.float32).reshape(-1, 4)
        edges[:, 2:] += edges[:, :2]
        numbers = [self.names.index(thing.category) for thing in record.objects]
        made = (self._tensors if self.library == "torchvision" else self._arrays)(image, mask, edges, numbers)
        names = [self.names[int(number)] for number in made["labels"]]
        return record.key, made["image"], made["mask"], made["boxes"], names, self.labels.index(record.label)

    def _arrays(self, image: Any, mask: Any, edges: Any, numbers: list[int]) -> dict[str, Any]:
        made = self.transform(image=np.asarray(image), mask=np.asarray(mask), bboxes=edges, labels=numbers)
        return {**made, "boxes": made["bboxes"]}

    def _tensors(self, image: Any, mask: Any, edges: Any, numbers: list[int]) -> dict[str, Any]:
        import torch
        from torchvision import tv_tensors
        from torchvision.transforms.v2 import functional

        size = (image.height, image.width)
        made: dict[str, Any] = self.transform(
            {
                "image": functional.to_image(image),
                "mask": tv_tensors.Mask(functional.pil_to_tensor(mask)),
                "boxes": tv_tensors.BoundingBoxes(torch.from_numpy(edges), format="XYXY", canvas_size=size),
                "labels": torch.tensor(numbers, dtype=torch.int64),
            }
        )
        return made


def kept(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """For ``collate_fn``: photos differ in how many boxes they have, so columns stay lists."""
    return list(zip(*rows, strict=True))
