"""What a dataset must be, row by row (B1 to B11): a set that breaks one row gets its finding, a clean set none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import imagemill as im
from tests.audits.made_up import Array, thing

COUNT = 60
SETTINGS = {"start": 50, "enough": 50, "centres": 30}
CHECKS = ("counts", "variety", "attributes", "shortcuts", "labels", "outliers", "licences")


@dataclass
class Made:
    """A dataset on its way: images by name, with their class and what a table says of them."""

    images: dict[str, Array] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, image: Array, label: str, number: int) -> None:
        """One image that breaks no row."""
        self.images[name], self.labels[name] = image, label
        self.columns[name] = {
            "colour": ("red", "green", "blue")[number % 3], "stem": number % 2 == 0,
            "stage": ("ripe", "spoiled")[number // 2 % 2], "licence": "MIT", "source": "me",
        }  # fmt: skip

    def rules(self, to: Path, *checks: str) -> set[str]:
        """What an audit finds, by rule."""
        records = []
        for name, image in self.images.items():
            assert cv2.imwrite(str(to / f"{name}.png"), image[..., ::-1])
            records.append(im.Record(f"{name}.png", to / f"{name}.png", label=self.labels[name]))
        table = {f"{name}.png": cells for name, cells in self.columns.items()}
        found = im.audit(im.open(records), attributes=table, checks=list(checks), settings=SETTINGS)
        return {finding.rule for finding in found.findings}


def things(**fixed: Any) -> Made:
    """Cups and jugs of any size, place, turn, colour and light, but for what is ``fixed``."""
    made = Made()
    for number in range(2 * COUNT):
        made.add(f"{number * 7919 % 1009:04d}", thing(number, **fixed), ("cup", "jug")[number % 2], number // 2)
    return made


def stripes() -> Made:
    """Stripes across and down, each with a phase, a width, a colour and noise of its own: classes that can be told."""
    made = Made()
    for number in range(200):
        draws = np.random.default_rng(number)
        wave = np.sin(np.arange(32) * draws.uniform(0.6, 0.9) + draws.uniform(0, 6))
        plane = np.repeat(wave[:, None], 32, axis=1) if number % 2 else np.repeat(wave[None], 32, axis=0)
        image = 128 + plane[..., None] * draws.uniform(30, 60, 3) + draws.normal(0, 20, (32, 32, 3))
        made.add(f"{number:03d}", image.clip(0, 255).astype(np.uint8), ("down", "across")[number % 2], number // 2)
    return made


def of_class(made: Made, label: str) -> list[str]:
    return [name for name, one in made.labels.items() if one == label]


def few(made: Made) -> None:
    for name in of_class(made, "jug")[40:]:
        for held in (made.images, made.labels, made.columns):
            held.pop(name)


def rare(column: str, value: Any, count: int) -> Callable[[Made], None]:
    """So few cups have a value, and all others another one."""

    def change(made: Made) -> None:
        other = {"colour": "red", "stem": True, "stage": "ripe"}[column]
        for number, name in enumerate(of_class(made, "cup")):
            made.columns[name][column] = value if number < count else other

    return change


def many_cups(made: Made) -> None:
    jugs = of_class(made, "jug")
    for number in range(10 * len(jugs)):
        made.add(f"more{number}", made.images[jugs[0]], "cup", number)


def wrong(made: Made) -> None:
    for name in list(made.labels)[::7]:
        made.labels[name] = "down" if made.labels[name] == "across" else "across"


def tinted(made: Made) -> None:
    for name, label in made.labels.items():
        image = made.images[name].astype(int)
        # As much redder above as bluer below, and the other way round: the whole has the same colours.
        tint = np.array([25, 0, -25]) * (1 if label == "jug" else -1)
        image[:10] += tint
        image[-10:] -= tint
        made.images[name] = image.clip(0, 255).astype(np.uint8)


def something_else(made: Made) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    made.add("noise", noise, "down", 0)


def without_licence(made: Made) -> None:
    made.columns[of_class(made, "cup")[3]].pop("licence")


ROWS: dict[str, tuple[Callable[[], Made], Callable[[Made], None] | None, str, str]] = {
    "B1 enough images": (things, few, "counts", "few"),
    "B2 a colour at a tenth": (things, rare("colour", "blue", 5), "attributes", "colour-share"),
    "B3 a feature at a twentieth": (things, rare("stem", False, 2), "attributes", "feature-share"),
    "B4 a stage at a fifth": (things, rare("stage", "spoiled", 11), "attributes", "stage-share"),
    "B5 balance": (things, many_cups, "counts", "unbalanced"),
    "B6 perspective": (lambda: things(size=18, x=30, y=25), None, "variety", "perspective"),
    "B7 light": (lambda: things(light=0.9), None, "variety", "lighting"),
    "B8 wrong labels": (stripes, wrong, "labels", "wrong-labels"),
    "B9 background": (things, tinted, "shortcuts", "background"),
    "B10 none of these": (stripes, something_else, "outliers", "off-topic"),
    "B11 licences": (things, without_licence, "licences", "licence"),
}
"""By row: a set, what breaks it, and the check and rule that say so."""


@pytest.mark.parametrize("row", ROWS)
def test_a_set_that_breaks_one_row_gets_its_finding_and_no_other(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "LICENSE").write_text("Apache License")  # of where the program runs: no image has it for that
    make, spoil, check, rule = ROWS[row]
    made = make()
    if spoil is not None:
        spoil(made)
    assert made.rules(tmp_path, check) == {rule}


@pytest.mark.parametrize(
    ("make", "left_out"), [(things, ()), (stripes, ("variety", "shortcuts", "outliers"))], ids=["things", "stripes"]
)
def test_a_clean_set_gets_no_finding(make: Callable[[], Made], left_out: tuple[str, ...], tmp_path: Path) -> None:
    # Stripes are always seen alike and are all background; the noisiest of 200 is named as off-topic, by chance.
    assert make().rules(tmp_path, *(name for name in CHECKS if name not in left_out)) == set()
