"""The list of layouts as a page: how each is recognised, written, and what it holds."""

from __future__ import annotations

from imagemill.data.layouts.base import CAN_HOLD, Layout
from imagemill.data.layouts.registry import known_layouts

__all__ = ["page"]

INTRODUCTION = """\
# Layouts

Any of these can be given to `scan`, `prepare`, `augment`, `preview`, `export` and their functions in Python. The layout
is guessed: the one that leaves least of what was seen unexplained is taken. `scan` says why, `scan --why` shows what
was seen and what each layout would take and leave. `--layout NAME` decides where the guess is wrong, and
`--option NAME=VALUE` says more. All but DICOM and the files of labelling tools (labelme, CVAT, Label Studio,
VIA) can be written as well; `augment` writes COCO for those, which these tools take in:

```console
$ imagemill export photos -o out --to coco
$ imagemill export --list
```

Encoded pictures are copied byte for byte unless `--format` asks for another. What a layout has no place for is named at
the end, never dropped silently.
"""

WORDS = {
    "uint16": ("16 bits", "pixels of 16 bits"),
    "float": ("fractions", "pixels of floating point"),
    "channels": ("channels", "counts of channels other than 1, 3 and 4"),
    "volume": ("volume", "stacks of slices"),
    "affine": ("affine", "voxel sizes and the matrix from index to millimetres"),
    "label": ("label", "one class an image"),
    "hierarchy": ("levels", "classes with levels, such as dog/beagle"),
    "labels": ("labels", "several classes of one image"),
    "mask": ("mask", "a label map"),
    "boxes": ("boxes", "bounding boxes"),
    "polygons": ("polygons", "polygons of instances"),
    "rle": ("RLE", "instance masks, run-length encoded"),
    "keypoints": ("keypoints", "keypoints of instances"),
    "split": ("split", "train, val and test"),
    "group": ("group", "patients, videos: what must not part"),
    "attributes": ("columns", "further columns"),
}
"""Column of the table and explanation of each word of `CAN_HOLD`."""


def page() -> str:
    """The page as Markdown."""
    names = [word for word in CAN_HOLD if word in WORDS]
    legend = [f"* {column}: {meaning}" for column, meaning in (WORDS[word] for word in names)]
    head = ["", "layout", *(WORDS[word][0] for word in names), ""]
    rows = ["|".join(head), "|".join(["", "---", *("---" for _ in names), ""])]
    for layout in known_layouts():
        marks = ("•" if word in layout.holds else "" for word in names)
        rows.append("|".join(["", f"[{layout.name}](#{layout.name})", *marks, ""]))
    parts = [INTRODUCTION, "## What they hold\n", "\n".join(rows), "", *legend, "", "## One by one\n"]
    return "\n".join([*parts, *(_section(layout, names) for layout in known_layouts())])


def _section(layout: Layout, names: list[str]) -> str:
    lines = [f"### {layout.name}\n", f"This is: {layout.title}.\n", f"* Recognised: {layout.recognised}"]
    if not layout.writes:
        return "\n".join([*lines, "* Read only.\n"])
    lost = [WORDS[word][0] for word in names if word not in layout.holds]
    lines += [f"* Written (`--to {layout.name}`): {layout.written}"]
    lines += [f"* Has no place for: {', '.join(lost)}.\n" if lost else "* Loses nothing.\n"]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")
