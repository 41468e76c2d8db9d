"""What the loaders read, and the transforms that all of them apply."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIDE = 224
GENERATOR: dict[str, Any] = {
    "rotation_range": 15,
    "width_shift_range": 0.1,
    "height_shift_range": 0.1,
    "zoom_range": [0.9, 1.1],
    "horizontal_flip": True,
    "rescale": 1 / 255,
    "fill_mode": "nearest",
}
"""What ImageDataGenerator is given for CIFAR-10."""


def photos(root: Path, count: int) -> Path:
    """A class folder of ``count`` JPEG photos: the pets again and again, or made up where there are none."""
    out = root / f"photos-{count}"
    if out.is_dir():
        return out
    named = os.environ.get("IMAGEMILL_DATA")
    found = sorted((Path(named) / "pets").glob("*/*.jpg")) if named else []
    for n in range(count):
        source = found[n % len(found)] if found else None
        target = out / (source.parent.name if source else f"class{n % 5}") / f"{n:05}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        if source:
            shutil.copyfile(source, target)
        else:
            target.write_bytes(made_up(n))
    return out


def made_up(seed: int) -> bytes:
    """A photo-sized JPEG with detail about as fine as a photo's."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (24, 32, 3)).astype(np.float64)
    image = np.kron(coarse, np.ones((16, 16, 1)))[:375, :500] + rng.normal(0, 8, (375, 500, 3))
    encoded: bytes = simplejpeg.encode_jpeg(np.clip(image, 0, 255).astype(np.uint8), quality=90)
    return encoded


def small_pictures(root: Path, count: int) -> Path:
    """A class folder of ``count`` JPEG pictures of 32x32: CIFAR-10, or made up where it is not there."""
    out = root / f"small-{count}"
    if out.is_dir():
        return out
    named = os.environ.get("IMAGEMILL_DATA")
    for n, (data, label) in enumerate(_cifar(Path(named), count) if named else _made_up_small(count)):
        target = out / f"class{label}" / f"{n:05}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return out


def _cifar(root: Path, count: int) -> Iterator[tuple[bytes, int]]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(root / "cifar10" / "cifar10-jpeg-train.parquet", columns=["image", "label"])
    for row in table.slice(0, count).to_pylist():
        yield row["image"], row["label"]


def _made_up_small(count: int) -> Iterator[tuple[bytes, int]]:
    rng = np.random.default_rng(0)
    for n in range(count):
        coarse = np.kron(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), np.ones((4, 4, 1), np.uint8))
        yield simplejpeg.encode_jpeg(np.ascontiguousarray(coarse), quality=75), n % 10


def prepared(root: Path, folder: Path, side: int) -> Path:
    """A store of a folder's pictures at one size."""
    import imagemill as im

    out = root / f"{folder.name}-{side}"
    if not out.is_dir():
        im.prepare(folder, out, size=side, workers=2)
    return out


def decoded(root: Path, store: Path) -> Path:
    """The pictures of a store as plain arrays: ``x.npy`` and ``y.npy`` in a folder."""
    import imagemill as im

    out = root / f"{store.name}-arrays"
    if not out.is_dir():
        images, labels = im.open(store).arrays()
        out.mkdir()
        np.save(out / "x.npy", images)
        np.save(out / "y.npy", np.asarray(labels, np.int64))
    return out


def generator_pipeline(seed: int = 7) -> Any:
    """What `GENERATOR` says, in our words."""
    import imagemill as im

    factor = (0.9, 1.1)
    moves = [im.Rotate((-15, 15)), im.Shift(fraction=(-0.1, 0.1)), im.Zoom({"y": factor, "x": factor})]
    return im.Pipeline([*moves, im.Flip("x", p=0.5), im.Rescale()], seed=seed)


def our_pipeline(side: int = SIDE, seed: int = 7) -> Any:
    """Crop, flip, brightness and contrast, normalise, channels first."""
    import imagemill as im

    return im.Pipeline(
        [
            im.RandomResizedCrop((side, side)),
            im.Flip("x", p=0.5),
            im.ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2)),
            im.Normalize(MEAN, STD),
            im.ToLayout("channels_first"),
        ],
        seed=seed,
    )


def albumentations(side: int = SIDE, seed: int | None = 7, *, tensors: bool = True, boxes: bool = False) -> Any:
    """The same in Albumentations; without ``tensors`` it ends in numpy, channels last; with ``boxes`` it takes them."""
    import albumentations as alb

    last = []
    if tensors:
        from albumentations.pytorch import ToTensorV2

        last = [ToTensorV2()]
    return alb.Compose(
        [
            alb.RandomResizedCrop((side, side)),
            alb.HorizontalFlip(p=0.5),
            alb.ColorJitter((0.8, 1.2), (0.8, 1.2), (1, 1), (0, 0), p=1),
            alb.Normalize(MEAN, STD),
            *last,
        ],
        bbox_params=alb.BboxParams("pascal_voc", label_fields=["labels"], clip=True) if boxes else None,
        seed=seed,
    )


def torchvision(side: int = SIDE, *, boxes: bool = False) -> Any:
    """The same in torchvision; with ``boxes`` those of which nothing is left go."""
    import torch

    from bench.peers import torchvision_cpu

    torchvision_cpu.load()
    from torchvision.transforms import v2

    return v2.Compose(
        [
            v2.PILToTensor(),
            v2.RandomResizedCrop(side, antialias=True),
            v2.RandomHorizontalFlip(0.5),
            v2.ColorJitter((0.8, 1.2), (0.8, 1.2)),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
            *([v2.SanitizeBoundingBoxes()] if boxes else []),
        ]
    )


class Files:
    """A map-style dataset over files (or arrays), as people write it."""

    def __init__(
        self,
        items: list[Any],
        labels: list[int],
        library: str,
        side: int = SIDE,
        *,
        tensors: bool = True,
    ):
        self.items, self.labels, self.library = items, labels, library
        self.transform = torchvision(side) if library == "torchvision" else albumentations(side, tensors=tensors)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, i: int) -> Any:
        item = self.items[i]
        if self.library == "albumentations":
            import cv2

            array: Any = item if isinstance(item, np.ndarray) else cv2.imread(str(item), cv2.IMREAD_COLOR_RGB)
            image = self.transform(image=array)["image"]
        else:
            from PIL import Image

            image = self.transform(
                Image.fromarray(item) if isinstance(item, np.ndarray) else Image.open(item).convert("RGB")
            )
        return image, self.labels[i]


def listed(folder: Path) -> tuple[list[Path], list[int]]:
    """Files of a class folder with their labels."""
    files = sorted(folder.glob("*/*.jpg"))
    names = sorted({file.parent.name for file in files})
    return files, [names.index(file.parent.name) for file in files]
