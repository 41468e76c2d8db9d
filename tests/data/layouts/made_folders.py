"""Folders as people make them, with what an image of each must come back as.

A kind of folder is a strategy of `Made`. To search more, add a strategy to `KINDS` (label maps, tables...).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

__all__ = ["KINDS", "Made", "Meant", "write"]

PARTS = (
    {"train": "train", "test": "test"},
    {"training_set": "train", "test_set": "test"},
    {"seg_train": "train", "seg_test": "test"},
    {"images_train": "train", "images_val": "val"},
    {"trainset": "train", "testset": "test"},
    {"Train_Images": "train", "Test_Images": "test"},
    {"training-data": "train", "testing-data": "test"},
    {"train2017": "train", "val2017": "val"},
    {"Training": "train", "Validation": "val", "Testing": "test"},
    {"train": "train", "eval": "val"},
    {"train": "train", "holdout": "test"},
    {"train": "train", "val": "val", "eval": "test"},
    {"trainImages": "train", "testImages": "test"},
    {"01_train": "train", "02_test": "test"},
)
"""Names of folders and the part that each means, from how public sets are published."""
CLASSES = (
    *(
        "cat",
        "dog",
        "Horse",
        "a b",
        "Zürich",
        "0",
        "1",
        "with_mask",
        "without_mask",
        "train_station",
        "test_tube",
        "images",
    ),
    *("test", "masks", "mask", "no_mask", "photos", "n02085620-Chihuahua", "100% wool", "other", "label", "Тест"),
)
WRAPPERS = ("dataset", "data", "archive (1)", "Data/data", "flowers/flowers", "my_photos")
ODD = (
    "README.md",
    "notes.json",
    "prices.csv",
    "Thumbs.db",
    "__MACOSX/x.png",
    "@eaDir/cat/1.png",
    ".DS_Store",
    "model.bin",
)
"""What lies beside images and is none of them."""


@dataclass(frozen=True)
class Meant:
    """What an image is: class, part, and the key of its label map."""

    label: str | None = None
    split: str | None = None
    mask: str | None = None


@dataclass
class Made:
    """A folder: every image with what it is, other files with their content, and images in no place at all."""

    images: dict[str, Meant] = field(default_factory=dict)
    others: dict[str, bytes] = field(default_factory=dict)
    odd: set[str] = field(default_factory=set)


@cache
def _photo() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def write(made: Made, root: Path) -> Path:
    """Make the folder; every image is one small photo, whatever its suffix."""
    for key in (*made.images, *made.odd):
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(_photo())
    for key, content in made.others.items():
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(content)
    return root


@st.composite
def class_folders(draw: Callable[..., object], most: int = 4) -> Made:
    """Classes, in parts or not, with or without levels, wrapped or not, with odd files in all places."""
    pick: Callable[..., object] = draw
    parts: dict[str, str] | None = pick(st.none() | st.sampled_from(PARTS))  # type: ignore[assignment]
    names: list[str] = pick(st.lists(st.sampled_from(CLASSES), min_size=2, max_size=most, unique=True))  # type: ignore[assignment]
    if set(names) <= {"images", "photos", "masks", "mask", "label"}:
        names.append("cat")  # images and masks alone are images with their label maps, and nobody could tell
    deep: bool = pick(st.booleans())  # type: ignore[assignment]
    role: str = pick(st.sampled_from(("", "", "images/", "JPEGImages/")))  # type: ignore[assignment]
    wrapper: str = pick(st.sampled_from(("", "", *WRAPPERS)))  # type: ignore[assignment]
    suffix: str = pick(st.sampled_from((".png", ".jpg", ".JPG", ".tif")))  # type: ignore[assignment]
    base = f"{wrapper}/" if wrapper else ""
    made = Made()
    number = 0
    # A class may be a level above others, or not; one at least is, where there are levels at all.
    below = {name: ("big", "small") if deep and place % 2 == 0 else ("",) for place, name in enumerate(names)}
    for part, split in (parts or {"": None}).items():
        for name in names:
            for level in below[name]:
                for _ in range(2):
                    number += 1
                    folders = [part, role.strip("/") if part else "", name, level]
                    key = base + "/".join([*filter(None, folders), f"{number:03d}{suffix}"])
                    made.images[key] = Meant("/".join(filter(None, (name, level))), split)
    for odd in pick(st.lists(st.sampled_from(ODD), max_size=3, unique=True)):  # type: ignore[attr-defined]
        made.others[base + odd] = b"item,price\nbread,3\n" if odd.endswith(".csv") else b"{}"
    where = pick(st.sampled_from(("", "beside", "within")))
    if where == "beside":
        made.odd.add(f"{base}stray{suffix}")
    elif where == "within" and not deep:
        # More of the same class in a folder of its own.
        first = next(iter(made.images))
        folder, _, name = first.rpartition("/")
        made.images[f"{folder}/more/{name}"] = made.images[first]
    return made


@st.composite
def parts_alone(draw: Callable[..., object]) -> Made:
    """Parts without classes."""
    parts: dict[str, str] = draw(st.sampled_from(PARTS))  # type: ignore[assignment]
    wrapper: str = draw(st.sampled_from(("", *WRAPPERS)))  # type: ignore[assignment]
    base = f"{wrapper}/" if wrapper else ""
    made = Made()
    for part, split in parts.items():
        made.images |= {f"{base}{part}/{n}-{split}.png": Meant(None, split) for n in range(3)}
    return made


@st.composite
def parts_in_classes(draw: Callable[..., object]) -> Made:
    """Every class with parts of its own."""
    parts: dict[str, str] = draw(st.sampled_from(PARTS))  # type: ignore[assignment]
    names: list[str] = draw(st.lists(st.sampled_from(("cat", "dog", "a b", "7")), min_size=2, unique=True))  # type: ignore[assignment]
    made = Made()
    for name in names:
        for part, split in parts.items():
            made.images |= {f"{name}/{part}/{split}{n}.png": Meant(name, split) for n in range(2)}
    return made


KINDS: dict[str, st.SearchStrategy[Made]] = {
    "class folders": class_folders(),
    "parts alone": parts_alone(),
    "parts in classes": parts_in_classes(),
}
"""Every kind of folder that is searched; a strategy each."""
