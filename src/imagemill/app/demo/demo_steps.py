"""What the demonstration does, station by station; each tells its result as a section of the report."""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from imagemill import (
    Applied,
    Brightness,
    Flip,
    Image,
    Mask,
    Pipeline,
    Rescale,
    Shift,
    Transform,
    preset,
    read_mask,
    read_picture,
)
from imagemill.app.demo.demo_images import CAT_LINKS, Inputs, cat_boxes, cat_points, digits, write_inputs
from imagemill.app.figures.display import montage
from imagemill.app.figures.figure import (
    TILE,
    Shown,
    before_after,
    caption,
    draws,
    fixed_names,
    grid,
    shown,
    tiles_of,
)
from imagemill.jobs import one_opencv_thread
from imagemill.pages import Code, Fact, Facts, Figure, Pictures, Section
from imagemill.verbs.augment import augment, replay

COPIES = 3
SIZE = 192


@dataclass(slots=True)
class Story:
    """The stations of the demonstration, to be run in order.

    Parameters
    ----------
    out : Path
        The folder everything is written to.
    seed : int
    """

    out: Path
    seed: int
    checks: list[Fact] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    first: list[Pictures] = field(default_factory=list)
    """Pictures that lie there already, and what the page begins with."""

    @property
    def inputs(self) -> Inputs:
        """Where the inputs are."""
        return Inputs(self.out / "input")

    def stations(self) -> Iterator[tuple[str, Callable[[], Section]]]:
        """What is done, in words for the terminal, and the doing."""
        yield "writing the pictures that packages bring along", self.gather
        # The first picture comes from the kernels that photos need as well; each kind of image brings more to compile.
        yield "moving boxes and points along", self.marks
        yield f"augmenting photos, {COPIES} copies each", self.photos
        yield "augmenting a picture with its label map", self.coins
        yield "augmenting a scan with its label map", self.scan
        yield "augmenting 64 digits as one batch", self.digits
        yield "planning and checking a pipeline", self.plan
        yield "timing one fused pass against one pass per transform", self.speed
        yield "checking that everything repeats", self.repeat

    def _pipeline(self, name: str, size: int = SIZE, **options: Any) -> Pipeline:
        return Pipeline(preset(name, size), seed=self.seed, **options)

    def gather(self) -> Section:
        """Write the inputs as files."""
        inputs = write_inputs(self.out / "input")
        files = sorted(path for path in inputs.root.rglob("*") if path.is_file())
        facts = [Fact(path.relative_to(self.out).as_posix(), f"{path.stat().st_size / 1000:,.0f} kB") for path in files]
        text = (
            "Real pictures from installed packages, nothing downloaded: photos and coins from scikit-image, a head "
            "scan from nibabel, digits from scikit-learn (straight from memory). The label maps were made from the "
            "pictures by thresholds and flooding; the cat's boxes and points were read off by eye."
        )
        return _told("The pictures", [text], facts)

    def photos(self) -> Section:
        """Augment a folder of photos."""
        pipe = self._pipeline("photo")
        report = augment(self.inputs.photos, self.out / "photos", pipe, copies=COPIES, workers=2, overwrite=True)
        made = []
        for row in _recipes(self.out / "photos"):
            if row["recipe"]["epoch"] == 0:
                made.append(Shown(_image(self.inputs.photos / row["key"]), words=f"{row['key']}, as it was"))
            applied = tuple(Applied(a["name"], a["values"]) for a in row["applied"])
            made.append(Shown(_image(self.out / "photos" / row["output"]), applied=applied))
        figure = _pictures(
            pipe, made[0], made, "Each photo and its three copies, read back from the files, with the drawn values."
        )
        options = f"--pipeline photo --size {SIZE} --copies {COPIES} --seed {self.seed}"
        command = f"imagemill augment {_name(self.inputs.photos)} -o photos {options}"
        return _told(
            "A folder of photos",
            [
                "Exactly three copies of each photo, and a line of JSON for each that says what was drawn. A copy "
                "depends on the seed, the photo's name and the copy's number, and on nothing else."
            ],
            [Fact("made", f"{report.made} files"), Fact("where", "photos/, with recipes.jsonl and pipeline.yaml")],
            [figure],
            [
                Code(command, "the same from the command line"),
            ],
        )

    def marks(self) -> Section:
        """Boxes and keypoints follow the picture."""
        pipe, cat = self._pipeline("photo", 224), _image(self.inputs.cat).array
        options: dict[str, Any] = {"boxes": cat_boxes(), "keypoints": cat_points(), "links": CAT_LINKS}
        path = self.out / "cat-grid.png"
        grid(pipe, cat, rows=2, columns=4, key="cat.png", path=path, **options)
        self.pictures.append(path)
        source = shown(cat, boxes=cat_boxes(), keypoints=cat_points())
        made, words = draws(pipe, source, "cat.png", range(8)), "Eight draws of one photo with its boxes and points."
        self.first.append(_pictures(pipe, source, made, words, CAT_LINKS))
        pair = before_after(pipe, cat, key="cat.png", epoch=2, path=self.out / "cat-before-after.png", **options)
        json_file = _name(self.inputs.cat_marks)
        command = f"imagemill preview {_name(self.inputs.cat)} --boxes {json_file} --keypoints {json_file} --grid 2x4"
        return _told(
            "Boxes and points",
            ["Whatever belongs to a picture moves with it, by the same coordinate map: boxes, points, label maps."],
            [],
            [Figure(pair, "One draw beside the photo as it was, with the drawn values.")],
            [Code(f"{command} --seed {self.seed}", "the same from the command line")],
        )

    def coins(self) -> Section:
        """A picture and its label map as files."""
        pipe = self._pipeline("segmentation")
        report = augment(
            self.inputs.coins,
            self.out / "coins",
            pipe,
            copies=COPIES,
            masks=self.inputs.coin_labels,
            workers=2,
            overwrite=True,
        )
        image, mask = _image(self.inputs.coins / "coins.png"), read_mask(self.inputs.coin_labels / "coins.png")
        kept = self._labels_kept(self.out / "coins", {0, 1})
        labels = Mask(mask.array, mask.axes)
        source = shown(image, labels)
        grid(
            pipe,
            image,
            mask=labels,
            rows=1,
            columns=4,
            key="coins.png",
            path=self.out / "coins-grid.png",
            title="preset segmentation: some of five transforms, then a square around the coins",
        )
        return _told(
            "A picture with its label map",
            ["Label maps are never interpolated: no label comes out that did not go in."],
            [Fact("made", f"{report.made} pictures and as many label maps"), Fact("labels as before", kept, good=True)],
            [
                _pictures(
                    pipe,
                    source,
                    draws(pipe, source, "coins.png", range(4)),
                    "Four draws of the coins with their label map: some of five transforms, then a square around them.",
                )
            ],
        )

    def scan(self) -> Section:
        """A volume and its label map as files, with its place in the world."""
        pipe = self._pipeline("scan")
        folder = self.inputs.scan
        report = augment(
            folder, self.out / "scan", pipe, copies=COPIES, masks=folder, workers=2, overwrite=True, format="nii.gz"
        )
        picture, labels = read_picture(folder / "head.nii.gz"), read_mask(folder / "head_gt.nii.gz")
        image, mask = Image(picture.array, "zyx", picture.spacing, picture.affine), Mask(labels.array, "zyx")
        kept = self._labels_kept(self.out / "scan", {0, 1, 2})
        source = shown(image, mask)
        grid(
            pipe,
            image,
            mask=mask,
            rows=1,
            columns=4,
            key="head.nii.gz",
            path=self.out / "scan-grid.png",
            title="preset scan: the slice with most tissue of four draws",
        )
        pair = before_after(pipe, image, mask, key="head.nii.gz", path=self.out / "scan-before-after.png")
        shape = " × ".join(map(str, picture.array.shape))
        return _told(
            "A scan with its label map",
            [
                "The same transforms in three dimensions. The files are NIfTI again, and their affine says where "
                "each voxel now is: world coordinates of anatomy stay what they were."
            ],
            [
                Fact("read as", f"{picture.note.removeprefix('read as ')}, {shape} of {picture.array.dtype}"),
                Fact("made", f"{report.made} scans and as many label maps"),
                Fact("labels as before", kept, good=True),
            ],
            [
                _pictures(
                    pipe,
                    source,
                    draws(pipe, source, "head.nii.gz", range(4)),
                    "Four draws of the scan with the label map, the slice with most tissue of each.",
                ),
                Figure(pair, "Before and after, with the drawn values."),
            ],
        )

    def _labels_kept(self, folder: Path, expected: set[int]) -> str:
        """Which labels the label maps of a job hold; a label that was not there before fails the demonstration."""
        found: set[int] = set()
        for row in _recipes(folder):
            found |= set(np.unique(read_mask(folder / row["mask"]).array).tolist())
        words = ", ".join(map(str, sorted(found)))
        self._check(f"label maps of {folder.name} keep their labels", good=found <= expected, words=words)
        return words

    def digits(self) -> Section:
        """Many small pictures in one call."""
        images, named = digits()
        pipe = self._pipeline("gray", 28)
        pipe.batch(list(images[:2]), keys=[0, 1])  # compiled before the clock starts
        begin = time.perf_counter()
        batch = pipe.batch(list(images), keys=list(range(len(images))))
        seconds = time.perf_counter() - begin
        before, after = montage(list(images), 8, 56), montage(list(batch.image), 8, 56)
        both = np.concatenate([before, np.full((before.shape[0], 24, 3), 255, np.uint8), after], axis=1)
        return _told(
            "Small pictures, a batch at a time",
            [
                "64 digits of 8 × 8 pixels become one array of 28 × 28 pictures in one call, each turned, zoomed and "
                "shifted by its own draw. Nothing is flipped: that would change what a digit means."
            ],
            [
                Fact("batch", f"{' × '.join(map(str, batch.image.shape))} of {batch.image.dtype}"),
                Fact("labels", f"{len(set(named))} classes, unchanged"),
                Fact("time", f"{seconds * 1000:.1f} ms for all"),
            ],
            [Figure(both, "The digits as they are, and after one draw each.")],
        )

    def plan(self) -> Section:
        """What will run, and what a reviewer would say to a pipeline."""
        pipe = self._pipeline("photo", 224)
        odd = Pipeline(
            [Brightness((0.8, 1.2)), Rescale("minmax"), Flip("y", p=0.5), Shift(fraction=(-0.3, 0.3), border="wrap")],
            seed=self.seed,
        )
        found = odd.lint()
        self._check("lint finds what is wrong", good=len(found) >= 3, words=f"{len(found)} findings")
        return _told(
            "The plan, and a second pair of eyes",
            [
                "All geometry became one interpolation and all colour one pass over the pixels; the plan says so, "
                "with the kernel chosen for each step.",
                "lint knows the field's rules and points at what is probably not meant.",
            ],
            codes=[
                Code(pipe.explain((300, 451, 3), key="cat.png"), "explain(): preset photo on the cat"),
                Code(repr(odd), "a pipeline with mistakes"),
                Code("\n".join(map(str, found)), "lint(): what it says about it"),
            ],
        )

    def speed(self) -> Section:
        """The same draws in one fused pass and in one pass per transform."""
        # Photos alone, as bytes: their kernels are there, and others would have to be compiled for one line.
        facts = [self._race("photo", _image(self.inputs.cat), list(preset("photo", 224)), 16)]
        return _told(
            "One pass instead of many",
            [
                "Measured now, on this machine, while it did whatever else it does: medians of 7 batches each, taking "
                "turns, in one thread. Fusing is also sharper, since the pixels are interpolated once."
            ],
            facts,
        )

    def _race(self, what: str, image: Image, transforms: Sequence[Transform], size: int) -> Fact:
        """The same batches fused and step by step, as one row of a table."""

        def runner(*, fuse: bool) -> Callable[[int], Any]:
            pipe = Pipeline(transforms, seed=self.seed, fuse=fuse)
            return lambda epoch: pipe.batch([image] * size, keys=list(range(size)), epoch=epoch)

        one, many = (seconds * 1000 / size for seconds in _timed([runner(fuse=True), runner(fuse=False)], 7))
        shape = " × ".join(map(str, image.array.shape))
        words = f"{one:.2f} ms each fused, {many:.2f} ms step by step: {many / one:.1f} times as fast"
        return Fact(f"{what}s of {shape}, batches of {size}", words)

    def repeat(self) -> Section:
        """Other workers, same bytes; any file again from its recipe."""
        folder, pipe = self.out / "photos", self._pipeline("photo")
        with tempfile.TemporaryDirectory() as other:
            augment(self.inputs.photos, other, pipe, copies=COPIES, workers=1)
            same = (Path(other) / "recipes.jsonl").read_bytes() == (folder / "recipes.jsonl").read_bytes()
        rows = _recipes(folder)
        self._check("1 worker and 2 workers write the same bytes", good=same, words=f"{len(rows)} files, by sha256")
        name = rows[4]["output"]
        equal = replay(folder / "recipes.jsonl", name, self.inputs.photos) == (folder / name).read_bytes()
        self._check("a file made again from its recipe", good=equal, words=f"{name}, bit for bit")
        key = json.dumps({k: rows[4][k] for k in ("key", "output", "recipe")}, indent=2)
        return _told(
            "Everything repeats",
            ["Randomness is a function of seed, epoch and key: never of workers, order or batch size."],
            list(self.checks),
            codes=[
                Code(key, "a recipe: the few numbers that make a file again"),
                Code(
                    f"imagemill replay photos/recipes.jsonl {name} --source {_name(self.inputs.photos)} -o again.png",
                    "the same from the command line",
                ),
            ],
        )

    def _check(self, name: str, *, good: bool, words: str) -> None:
        self.checks.append(Fact(name, ("yes: " if good else "NO: ") + words, good))


def _told(
    title: str,
    text: Sequence[str],
    facts: Sequence[Fact] = (),
    figures: Sequence[Figure | Pictures] = (),
    codes: Sequence[Code] = (),
) -> Section:
    """A station's part of the page, in the order that all of them have."""
    return Section(title, [*text, *([Facts(facts)] if facts else ()), *figures, *codes])


def _pictures(
    pipeline: Pipeline, source: Shown, made: Sequence[Shown], words: str, links: Sequence[tuple[int, int]] = ()
) -> Pictures:
    """What was made, picture by picture, with the drawn values as text, which any screen can read."""
    tiles, _ = tiles_of(made, pipeline, source, links, TILE)
    fixed = fixed_names(pipeline)
    # Lines may break between a name and its value: a phone's column is narrower than the two.
    said = [one.words or caption(one.applied, fixed).replace("\xa0", " ") for one in made]
    return Pictures([Figure(tile, text) for tile, text in zip(tiles, said, strict=True)], words, large=True)


def _name(path: Path) -> str:
    """A path as seen from the demonstration's folder."""
    parts = path.parts
    return "/".join(parts[len(parts) - parts[::-1].index("input") - 1 :])


def _image(path: Path) -> Image:
    picture = read_picture(path)
    return Image(picture.array, picture.axes, picture.spacing, picture.affine)


def _recipes(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "recipes.jsonl").read_text("utf-8").splitlines()]


def _timed(calls: list[Callable[[int], Any]], repeats: int) -> list[float]:
    """Median seconds of calls that take turns, so that a slow moment of the machine hits them alike."""
    seconds: list[list[float]] = [[] for _ in calls]
    with one_opencv_thread():
        for turn in range(-2, repeats):
            for call, taken in zip(calls, seconds, strict=True):
                begin = time.perf_counter()
                call(max(turn, 0))
                if turn >= 0:
                    taken.append(time.perf_counter() - begin)
    return [statistics.median(taken) for taken in seconds]


def machine() -> str:
    """The machine in words: what the times were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} core{'' if cores == 1 else 's'}, Python {platform.python_version()}"
