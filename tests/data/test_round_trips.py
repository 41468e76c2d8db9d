"""Every layout to every other and back: what `holds` says is kept, and the rest is named."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import SourceError
from imagemill.data import Picture, Record, Source, open_source
from imagemill.data.layouts.registry import known_layouts, layout_named
from imagemill.data.records.instances import RLE, Instance
from imagemill.data.records.record import Stored
from imagemill.testing.layout_changes import SEEN, changed, has, said
from imagemill.verbs.export.export import export
from tests.data.pictures import label_map, photo

WRITES = tuple(layout.name for layout in known_layouts() if layout.writes)
MANY = tuple(name for name in WRITES if name != "file")
SHAPE = (12, 16)
RUNS = RLE(*SHAPE, (30, 20, 142))
# What a mask, a volume or a hierarchy is lost with in a layout that has no place for it at all.
KINDS = ("uint16", "float", "channels", "volume")


def _things(number: int) -> tuple[Instance, ...]:
    """Boxes on whole pixels, so that Pascal VOC can hold them; an outline with its box; a mask; joints."""
    outline = (2.0, 1.0, 9.0, 1.0, 9.0, 7.0, 2.0, 7.0)
    return (
        Instance("cat", (2.0, 1.0, 7.0, 6.0), polygons=(outline,)),
        Instance("dog", (1.0, 2.0, float(4 + number), 6.0), attributes={"pose": "Left"}),
        Instance("dog", (2.0, 6.0, 2.0, 12.0 - 6.0), rle=RUNS),
        Instance("dog", (1.0, 1.0, 9.0, 9.0), keypoints=((3.0, 4.0, 2), (0.0, 0.0, 0), (5.5, 6.25, 1))),
    )


def _photos(root: Path) -> Source:
    """Photos with one of everything."""
    records = []
    for number, (split, key) in enumerate(
        [("train", "a/1.png"), ("train", "b/2.jpg"), ("test", "a/3.png"), ("val", "b/4.png")]
    ):
        path = photo(root / key, number, (*SHAPE, 3))
        mask = label_map(root / f"maps/{number}.png", number, SHAPE)
        attributes = {"camera": f"c{number}", "iso": 100 * number, "sharp": number > 1}
        records.append(
            Record(
                *(key, path, mask, ("pet/cat", "pet/dog")[number % 2], (), _things(number), split),
                group=f"patient{number:03d}",
                size=SHAPE,
                attributes=attributes,
            )
        )
        records[-1] = replace(records[-1], labels=("furry", "small")[: number % 3])
    names = ("left eye", "right eye", "nose")
    return Source(
        *(root, "made-up", tuple(records)),
        classes=("pet/cat", "pet/dog"),
        categories=("cat", "dog"),
        keypoint_names=names,
        links=((0, 1), (1, 2)),
    )


def _volumes(root: Path) -> Source:
    """Volumes that lie somewhere, with label maps."""
    records = []
    for number in range(2):
        affine = np.array([[0, 0.2, 1.5, 3], [0.1, -1.5, 0, number], [2.0, 0, 0.3, -4], [0, 0, 0, 1]])
        voxels = np.random.default_rng(number).normal(size=(5, 6, 7)).astype(np.float32)
        im.write_picture(root / f"{number}.nii.gz", Picture(voxels, "zyx", affine))
        im.write_picture(root / f"m/{number}.nii.gz", Picture((voxels > 0).astype(np.uint8), "zyx", affine))
        records.append(
            Record(f"v{number}.nii.gz", root / f"{number}.nii.gz", root / f"m/{number}.nii.gz", "lung", split="train")
        )
    return Source(root, "made-up", tuple(records))


@cache
def _kind(kind: str) -> Source:
    """Pictures of one kind of pixels alone."""
    values = np.random.default_rng(3).integers(0, 60_000, (2, 5, 6, 7))
    arrays = {
        "uint16": (values[..., 0].astype(np.uint16), "yx"),
        "float": ((values[..., 0] / 7).astype(np.float32), "yx"),
        "channels": (values.astype(np.uint8), "yxc"),
        "volume": (values.astype(np.uint8), "zyx"),
    }
    stack, axes = arrays[kind]
    # Everything that some layout asks for, so that it can refuse the pixels alone.
    things = (Instance("cat", (1.0, 1.0, 2.0, 2.0)),)
    records = tuple(
        Record(f"{n}", Stored(f"{kind} {n}", array.copy, axes), label="a", objects=things, split="train")
        for n, array in enumerate(stack)
    )
    return Source(Path("made-up"), "made-up", records, classes=("a",), categories=("cat",))


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    root = tmp_path_factory.mktemp("sets")
    return {"photos": _photos(root / "photos"), "volumes": _volumes(root / "volumes")}


def _read(out: Path, to: str) -> Source:
    if to != "file":
        return open_source(out, layout=to)
    image, *masks = sorted(path for path in out.iterdir() if not path.name.startswith("."))
    return open_source(image, masks=masks[0] if masks else None)


def _check(source: Source, to: str, out: Path) -> Source | None:
    """Write and read a source; whatever differs must have been said. None where the layout takes none of it."""
    layout = layout_named(to)
    source = replace(source, records=source.records[:1]) if to == "file" else source
    try:
        made = export(source, out, to)
    except SourceError as error:
        if ";" not in str(error):  # every error says what to do
            raise
        return None
    back = _read(out, to)
    assert back.problems == ()
    found = changed(source, back)
    if not made.problems:
        assert "image" not in found
    if "label" not in layout.holds:
        found.pop("hierarchy", None)  # it went with the label
    for word in found:
        assert word == "image" or said(made.lost, word), (
            f"{to} changed {word} silently: {found[word]}; said {made.lost}"
        )
    for word in SEEN:
        if has(source, word) and word not in layout.holds and (word != "hierarchy" or "label" in layout.holds):
            # Folders named like patients are groups to whoever reads them.
            kept = made.problems or word == "affine" or (word == "group" and "patient" in source.records[0].key)
            assert word in found or kept, f"{to} kept {word} and does not claim it"
    return back


@pytest.mark.parametrize("to", WRITES)
@pytest.mark.parametrize("name", ["photos", "volumes"])
def test_one_way(sets: dict[str, Source], name: str, to: str, tmp_path: Path) -> None:
    back = _check(sets[name], to, tmp_path / "out")
    holds = layout_named(to).holds
    takes = "volume" in holds if name == "volumes" else to != "tiff-stack"
    if (name, to) != ("volumes", "voc"):  # it takes volumes as long as there are no boxes
        assert (back is not None) == takes


@pytest.mark.parametrize("to", MANY)
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_pixels(kind: str, to: str, tmp_path: Path) -> None:
    source = _kind(kind)
    if to == "image-masks":
        shape = (5, 6, 7) if kind == "volume" else (5, 6)
        mask = Stored("m", np.zeros(shape, np.uint8).copy, "zyx"[-len(shape) :])
        source = replace(source, records=tuple(replace(record, mask=mask) for record in source))
    if to == "tiff-stack" and kind != "volume":
        pytest.skip("a stack takes volumes alone")
    try:
        made = export(source, tmp_path / "out", to)
        extra = {"axes": "yxc"} if to in ("idx",) and kind == "channels" else {}
        kept = not made.problems and "image" not in changed(
            source, open_source(tmp_path / "out", layout=to, extra=extra)
        )
    except SourceError:
        kept = False
    assert kept == (kind in layout_named(to).holds)


def _back(source: Source, via: str, into: str, root: Path) -> None:
    """A source of the layout `into` by way of another, and into its first kind again."""
    try:
        made = export(source, root / "there", via)
    except SourceError:
        return  # what the layout takes nothing of; `test_one_way` says when that may be
    there = _read(root / "there", via)
    lost = made.lost
    try:
        again = export(there, root / "back", into)
    except SourceError as error:
        # The way back needs what the layout in between has lost.
        if "expected a source with" not in str(error) and not made.problems:
            raise
        return
    found = changed(source, _read(root / "back", into))
    kept = layout_named(via).holds & layout_named(into).holds
    for word in found:
        if word == "image":
            assert made.problems or again.problems, f"{into} by way of {via}: {found[word]}"
        elif word in kept:
            assert said((*lost, *again.lost), word), f"{into} by way of {via} changed {word} silently: {found[word]}"


@pytest.mark.parametrize("into", MANY)
@pytest.mark.parametrize("name", ["photos", "volumes"])
def test_there_and_back(sets: dict[str, Source], name: str, into: str, tmp_path: Path) -> None:
    try:
        export(sets[name], tmp_path / "first", into)
    except SourceError:
        pytest.skip(f"{into} takes none of the {name}")
    source = _read(tmp_path / "first", into)
    for via in MANY:
        _back(source, via, into, tmp_path / via)


def _some(source: Source, count: int) -> Source:
    step = max(1, len(source) // count)
    return replace(source, records=source.records[::step][:count])


def _real(root: Path, name: str) -> Source:
    if name == "semantic":
        return _some(open_source(root / "coco_sample/images", root / "coco_sample/semantic_masks"), 4)
    if name == "acdc":
        source = open_source(root / "volumes/acdc")
        return _some(replace(source, records=tuple(r for r in source if r.mask), missing_masks=()), 2)
    if name == "imc":
        pattern = r"(.*)_imc\.tiff=>\1_mask.tiff"
        return open_source(root / "tiff/imc", layout="image-masks", mask_pattern=pattern)
    paths = {
        "pets": ("pets", 10),
        "coco": ("coco_sample", 4),
        "keypoints": ("coco_keypoints/person_keypoints.json", 6),
        "voc": ("voc_bccd", 3),
        "hippocampus": ("volumes/hippocampus", 6),
        "cifar": ("cifar10/cifar10-png-test-2000.tar", 60),
        "mnist": ("mnist", 60),
        "png16": ("png16", 2),
    }
    path, count = paths[name]
    return _some(open_source(root / path), count)


@pytest.mark.parametrize(
    "name",
    ["pets", "coco", "semantic", "keypoints", "voc", "hippocampus", "acdc", "cifar", "mnist", "imc", "png16"],
)
def test_real_sets_one_way_and_back(data_root: Path, name: str, tmp_path: Path) -> None:
    source = _real(data_root, name)
    for to in MANY:
        back = _check(source, to, tmp_path / to)
        if back is not None:
            _back(source, to, "parquet", tmp_path / f"{to}-parquet")
