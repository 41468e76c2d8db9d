"""Images and label maps in every arrangement that a generator can think of: nothing is lost without a word."""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imagemill.data import Source, open_source

EXAMPLES = int(os.environ.get("IMAGEMILL_FOLDERS", "40"))


def encoded(array: np.ndarray, suffix: str) -> bytes:
    held = io.BytesIO()
    Image.fromarray(array).save(held, {".png": "PNG", ".jpg": "JPEG", ".gif": "GIF", ".tif": "TIFF"}[suffix])
    return held.getvalue()


PHOTO = np.random.default_rng(0).integers(0, 256, (16, 20, 3), np.uint8)
REGIONS = np.repeat(np.arange(4, dtype=np.uint8), 4)[:, None].repeat(20, 1)
PHOTOS = {suffix: encoded(PHOTO, suffix) for suffix in (".png", ".jpg", ".tif")}
MAPS = {suffix: encoded(REGIONS, suffix) for suffix in (".png", ".gif", ".tif")}
ENDS = ("_mask", "_gt", "_seg", "-label", "_segmentation", ".mask", "_GT", "_labelIds", " mask")
STARTS = ("mask_", "gt_", "seg-", "label_")
ROLES = (
    ("images", "masks"),
    ("Images", "Labels"),
    ("img", "gt"),
    ("JPEGImages", "SegmentationClass"),
    ("imgs", "annotations"),
)
GLUED = (
    ("{}", "{}_masks"),
    ("{}", "{}annot"),
    ("{}_images", "{}_labels"),
    ("images_{}", "masks_{}"),
    ("{}-img", "{}-seg"),
)
PARTS = ((), ("train", "val"), ("train", "test"), ("training", "validation", "testing"), ("Train", "Val"))
CLASSES = ((), ("cat", "dog"), ("benign", "malignant", "normal"), ("with_mask", "without_mask"))
NAMES = ("{n}", "img_{n:03d}", "IMG {n}", "2020-01-{n:02d} a.b", "scan({n})", "\u00e4{n}")


@dataclass(frozen=True)
class Made:
    """What was generated: from an image's key to its label map, part and class; and label maps of no image."""

    masks: dict[str, str | None]
    parts: dict[str, str | None]
    classes: dict[str, str | None]
    loose: tuple[str, ...]


def meant(part: str) -> str | None:
    return {"t": {"r": "train", "e": "test"}, "v": {"a": "val"}}[part[0].lower()][part[1]] if part else None


@st.composite
def folders(draw: st.DrawFn, root: Path) -> Made:
    parts, classes = draw(st.sampled_from(PARTS)), draw(st.sampled_from(CLASSES))
    how = draw(st.sampled_from(("beside", "roles above", "roles below", "roles last", "named", "glued")))
    how = "beside" if how == "glued" and not parts else how
    start = draw(st.sampled_from(STARTS)) if how == "beside" and draw(st.booleans()) else ""
    end = "" if start else draw(st.sampled_from(ENDS if how == "beside" else ("", *ENDS)))
    roles = draw(st.sampled_from(GLUED if how == "glued" else ROLES))
    name = draw(st.sampled_from(NAMES))
    suffix, kind = draw(st.sampled_from(list(PHOTOS))), draw(st.sampled_from(list(MAPS)))
    around = draw(st.sampled_from(("", "dataset/", "My Set v2/")))
    bare, loose = draw(st.booleans()), draw(st.booleans())
    made = Made({}, {}, {}, ())
    extra: list[str] = []
    number = 0
    for part in parts or ("",):
        for label in classes or ("",):
            above = {
                "beside": ((part, label), (part, label)),
                "roles above": ((roles[0], part, label), (roles[1], part, label)),
                "roles below": ((part, roles[0], label), (part, roles[1], label)),
                "roles last": ((part, label, roles[0]), (part, label, roles[1])),
                "named": (("cells", part, label), ("cells_masks", part, label)),
                "glued": ((roles[0].format(part), label), (roles[1].format(part), label)),
            }[how]
            image_folder, mask_folder = (around + "".join(f"{each}/" for each in folder if each) for folder in above)
            for _ in range(3):
                number += 1
                key = f"{image_folder}{name.format(n=number)}{suffix}"
                mask: str | None = f"{mask_folder}{start}{name.format(n=number)}{end}{kind}"
                if bare and number == 2:
                    mask = None
                made.masks[key], made.parts[key], made.classes[key] = mask, meant(part), label or None
            if loose and how != "beside" and not extra:
                extra.append(f"{mask_folder}{name.format(n=900)}{end}{kind}")
    for key, mask in made.masks.items():
        put(root / key, PHOTOS[suffix])
        if mask is not None:
            put(root / mask, MAPS[kind])
    for key in extra:
        put(root / key, MAPS[kind])
    for stray in draw(st.lists(st.sampled_from(("notes.txt", "README.md", "Thumbs.db", "labels.json")), max_size=2)):
        put(root / stray, b"x")
    return Made(made.masks, made.parts, made.classes, tuple(extra))


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def keys_of(source: Source) -> dict[str, str | None]:
    return {
        record.key: record.mask.relative_to(source.root).as_posix() if isinstance(record.mask, Path) else None
        for record in source
    }


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_no_label_map_part_or_class_is_lost_without_a_word(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = data.draw(folders(Path(folder)))
        source = open_source(folder)
        assert keys_of(source) == made.masks
        assert {record.key: record.split for record in source} == made.parts
        # A folder around all others may count as the first level of a hierarchy.
        levels = {record.key: record.label and record.label.rpartition("/")[2] for record in source}
        assert levels == made.classes
        said = source.describe()
        assert all(key in said for key in made.loose)
        assert all(key in source.missing_masks for key, mask in made.masks.items() if mask is None)
