"""The gallery: every transform drawn on a photo and on a scan, before and after, with what was drawn.

Pictures are made when the site is built and are no part of the repository. The photo is Chelsea the cat of
scikit-image (Stéfan van der Walt, CC0); the scan is the sample that nibabel ships. The reference backend computes, so
that nothing has to be compiled and the bytes are the same on every machine.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

import imagemill as im
from docs.builder.gallery_examples import ONLY, PHOTO, SCAN
from imagemill.app.demo import demo_images
from imagemill.core.errors import ImagemillError
from imagemill.core.extras import require
from imagemill.transforms.base import REGISTRY
from imagemill.transforms.catalogue import GROUPS

Bytes = npt.NDArray[np.uint8]
SEED, KEY = 5, 1
PHOTO_SIZE = (320, 213)  # x, y
INTRODUCTION = """\
# Gallery

Every transform on a photo and on a scan: before, after, and the values that were drawn. Of the scan the middle slice is
shown; the transform worked on the volume. The photo is Chelsea, a cat (scikit-image, CC0), with boxes about eyes and
nose; the scan a head that nibabel ships, its values scaled to 0..1. Transforms that put samples together have other
photos of scikit-image as partners (a cup of coffee, a rocket, an astronaut), or the scan mirrored. Results that are no
pictures any more, such as those of `Normalize`, are stretched to what a screen can show.
"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One transform on one image.

    Parameters
    ----------
    code : str
        How it was written.
    said : str
        What was drawn, or why there is no picture.
    picture : ndarray or None
        ``(y, x, 3)`` of 8 bits.
    """

    code: str
    said: str
    picture: Bytes | None


def transforms() -> list[str]:
    """The names of all transforms that are shown, those of the package."""
    return sorted(name for name, cls in REGISTRY.items() if cls.__module__.startswith("imagemill."))


def code_of(name: str, *, scan: bool) -> str:
    """How a transform is written for one of the two images."""
    return (SCAN.get(name) if scan else None) or PHOTO.get(name) or f"im.{name}()"


@cache
def photos() -> tuple[dict[str, Any], ...]:
    """The cat with its annotations, and three partners of its size."""
    data = require("skimage.data", extra="demo")
    whole = [getattr(data, name)() for name in ("cat", "coffee", "rocket", "astronaut")]
    small = [cv2.resize(one, PHOTO_SIZE, interpolation=cv2.INTER_AREA) for one in whole]
    scale = PHOTO_SIZE[0] / whole[0].shape[1]
    edges = demo_images.cat_boxes().array * scale
    mask = np.zeros(small[0].shape[:2], np.uint8)
    for number, (x0, y0, x1, y1) in enumerate(np.rint(edges).astype(int), 1):
        mask[y0:y1, x0:x1] = number
    boxes = [im.Boxes(edges, "xyxy", ["eye", "eye", "nose"])] + [im.Boxes(edges[:1], "xyxy", ["eye"])] * 3
    names = ("cat", "coffee", "rocket", "astronaut")
    masks = (mask, *(np.where(mask == 1, mask, 0) for _ in small[1:]))
    return tuple(
        {"image": one, "boxes": box, "mask": m, "label": label}
        for one, box, m, label in zip(small, boxes, masks, names, strict=True)
    )


@cache
def scans() -> tuple[dict[str, Any], ...]:
    """The head with its label map, and the same mirrored in three ways as partners."""
    head = demo_images._head()
    labels = demo_images.head_labels(head.array)
    top = float(np.percentile(head.array, 99.8))
    values = np.clip(head.array / top, 0, 1).astype(np.float32)
    z, y, x = (np.flatnonzero((labels == 2).any(axis=others)) for others in ((1, 2), (0, 2), (0, 1)))
    edges = np.array([[z[0], y[0], x[0], z[-1] + 1, y[-1] + 1, x[-1] + 1]], np.float64)
    made = []
    for turned in ((), (1,), (2,), (1, 2)):
        image = im.Image(np.flip(values, turned).copy(), "zyx", affine=head.affine)
        boxes = im.Boxes(edges, "zyxzyx", ["fluid"])
        made.append({"image": image, "boxes": boxes, "mask": np.flip(labels, turned).copy(), "label": "cat"})
    return tuple(made)


def before(*, scan: bool) -> Bytes:
    """The photo or the scan as it is."""
    sample = (scans() if scan else photos())[0]
    return shown(np.asarray(sample["image"]), scan=scan)


def draw(name: str, *, scan: bool) -> Drawn:
    """One transform on the photo or on the scan."""
    code = code_of(name, scan=scan)
    inputs = scans() if scan else photos()
    another = inputs[1]["image"]
    try:
        made = eval(code, {"im": im, "np": np, "another": another})  # our own lines
        pipe = im.Pipeline([made], seed=SEED, backend="reference")
        group = pipe.group
        if group > 1:
            columns = {key: [one[key] for one in inputs[:group]] for key in _needed(name)}
            batch = pipe.batch(columns.pop("image"), keys=list(range(group)), **columns)
            image, applied, boxes = batch.image[0], batch.applied[0], batch.boxes[0] if "boxes" in columns else None
        else:
            sample = pipe(key=KEY, **{key: inputs[0][key] for key in _needed(name)})
            image, applied, boxes = sample.image, sample.applied, sample.boxes if "boxes" in sample else None
    except ImagemillError:
        if (why := ONLY.get((name, "scan" if scan else "photo"))) is None:
            raise
        return Drawn(code, why, None)
    said = "; ".join(str(one) for one in applied) or "as it is"
    picture = shown(np.asarray(image), scan=scan, boxes=None if scan else boxes)
    return Drawn(code, said, picture)


def _needed(name: str) -> tuple[str, ...]:
    """What a transform is given beside the image."""
    cls = REGISTRY[name]
    room = cls.__module__.split(".")[2]
    if room == "mixing":
        return ("image", "mask") if name == "CopyPaste" else ("image",)
    if name == "PerClass":
        return ("image", "label")
    if room == "cropping" or name == "MaskDropout":
        return ("image", "mask", "boxes")
    return ("image", "boxes") if room == "geometric" else ("image",)


def shown(image: npt.NDArray[Any], *, scan: bool, boxes: Any = None) -> Bytes:
    """Any result as ``(y, x, 3)`` of 8 bits: the middle slice of a volume, other ranges stretched."""
    values = np.asarray(image)
    if not scan and values.ndim == 3 and values.shape[0] in (1, 3) and values.shape[-1] not in (1, 3):
        values = np.moveaxis(values, 0, -1)
    if scan:
        values = values[0] if values.shape[0] == 1 else values.reshape(values.shape[:3])
        values = values[len(values) // 2]
    values = values if values.dtype == np.uint8 else _stretched(values, scan=scan)
    if values.ndim == 2 or values.shape[-1] == 1:
        values = np.repeat(values.reshape(*values.shape[:2], 1), 3, axis=2)
    picture = np.ascontiguousarray(values)
    if scan:
        picture = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    for x0, y0, x1, y1 in np.rint(boxes.array if boxes is not None else np.empty((0, 4))).astype(int):
        cv2.rectangle(picture, (int(x0), int(y0)), (int(x1) - 1, int(y1) - 1), (255, 210, 0), 2)
    return picture


def _stretched(values: npt.NDArray[Any], *, scan: bool) -> Bytes:
    real = np.nan_to_num(values.astype(np.float64))
    low, high = float(real.min()), float(real.max())
    # Values of about 0 to 1 are shown as they are, so that brightness can be compared.
    if scan and low >= -0.6 and high <= 1.9:
        low, high = 0.0, 1.0
    return np.clip(np.rint((real - low) / max(high - low, 1e-9) * 255), 0, 255).astype(np.uint8)


def encoded(picture: Bytes) -> bytes:
    """A picture as the bytes of a WebP file."""
    good, data = cv2.imencode(".webp", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, 82])
    if not good:
        raise RuntimeError("expected OpenCV to write WebP")
    return data.tobytes()


@dataclass(frozen=True, slots=True)
class Gallery:
    """All pictures by their files' names, and the card of each transform."""

    files: dict[str, bytes]
    cards: dict[str, tuple[Drawn, Drawn]]

    def card(self, name: str, prefix: str) -> str:
        """The HTML of one transform; ``prefix`` leads to the pictures."""
        parts = ['<div class="before-after">']
        for drawn, kind in zip(self.cards[name], ("photo", "scan"), strict=True):
            parts.append(self._figure(f"{prefix}before-{kind}.webp", f"the {kind}", f"The {kind} as it is", kind))
            if drawn.picture is None:
                parts.append(f'<figure class="none"><figcaption>{html.escape(drawn.said)}</figcaption></figure>')
            else:
                other = f"<code>{html.escape(drawn.code)}</code><br>" if drawn.code != self.cards[name][0].code else ""
                # Lines of narrow captions end behind a bracket or an equals sign, not within a number.
                said = other + html.escape(drawn.said).replace("(", "(<wbr>").replace("=", "=<wbr>")
                parts.append(
                    self._figure(f"{prefix}{name}-{kind}.webp", said, f"The {kind} after {name}", kind, drawn.picture)
                )
        return "\n".join([*parts, "</div>"])

    def _figure(self, path: str, caption: str, alt: str, kind: str, picture: Bytes | None = None) -> str:
        height, width = (picture if picture is not None else before(scan=kind == "scan")).shape[:2]
        sizes = f'width="{width}" height="{height}" loading="lazy"'
        whole = f'<a href="{path}"><img src="{path}" alt="{alt}" {sizes}></a>'
        return f"<figure>{whole}<figcaption>{caption}</figcaption></figure>"

    def pages(self) -> dict[str, str]:
        """The gallery's pages: the list, and a page for each group."""
        groups = {room: [n for n in self.cards if _room(n) == room] for room in GROUPS}
        listed = "".join(
            f"* [{GROUPS[room]}]({room}.md): {', '.join(f'[{n}]({room}.md#{n.lower()})' for n in found)}\n"
            for room, found in groups.items()
            if found
        )
        made = {"index.md": f"{INTRODUCTION}\n{listed}"}
        for room, found in groups.items():
            if found:
                made[f"{room}.md"] = "\n".join([f"# {GROUPS[room]}\n", *(self._section(name) for name in found)])
        return made

    def _section(self, name: str) -> str:
        code = self.cards[name][0].code
        link = f"[Reference of `{name}`](../reference/python/{name}.rst)"
        return f"## {name}\n\n```python\n{code}\n```\n\n{self.card(name, '../_static/gallery/')}\n\n{link}\n"


def _room(name: str) -> str:
    home = REGISTRY[name].__module__.removeprefix("imagemill.transforms.")
    return next(room for room in GROUPS if home.startswith(room))


def gallery(names: list[str] | None = None) -> Gallery:
    """Draw all of it, or some of the transforms."""
    files = {f"before-{kind}.webp": encoded(before(scan=kind == "scan")) for kind in ("photo", "scan")}
    cards = {}
    for name in transforms() if names is None else names:
        both = (draw(name, scan=False), draw(name, scan=True))
        cards[name] = both
        for drawn, kind in zip(both, ("photo", "scan"), strict=True):
            if drawn.picture is not None:
                files[f"{name}-{kind}.webp"] = encoded(drawn.picture)
    return Gallery(files, cards)
