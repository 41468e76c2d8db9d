"""Other images beside the dataset's: halves of one population are alike, a change of images is called by its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy import stats

import imagemill as im
from imagemill.audits import Audit
from imagemill.audits.checks import populations
from imagemill.audits.probes import Told
from tests.audits.made_up import Array, folder, photo, write


def bars(seed: int, count: int = 60) -> Array:
    """Bright bars on a dark ground, no two alike, with a texture each of its own: as digits are, of one class."""
    draws = np.random.default_rng(seed)
    found = np.zeros((count, 32, 32), np.uint8)
    for image in found:
        image[:] = draws.integers(10, 25, (32, 32))
        top, left = draws.integers(8, 12, 2)
        high, wide = draws.integers(9, 13), draws.integers(6, 8)
        image[top : top + high, left : left + wide] = draws.integers(120, 220, (high, wide))
    return found


def audited(here: object, there: object) -> Audit:
    return im.audit(here, against=there, checks=["populations"])


def told(found: Audit) -> dict[str, str]:
    """Rules and the message of each; gaps by the measure that the message begins with."""
    return {f"{f.rule}: {f.message}": f.level for f in found.findings}


def says(found: Audit, words: str) -> bool:
    return any(words in finding.message for finding in found.findings)


def test_without_other_images_the_question_is_not_asked_and_says_how_to_ask(tmp_path: Path) -> None:
    found = im.audit(folder(tmp_path, 3), checks=["populations"])
    assert [str(one) for one in found.not_asked] == [
        "populations: not asked, because there are no other images to compare with; give some with --against"
    ]


@pytest.mark.parametrize("seed", range(4))
def test_halves_of_one_population_are_alike(seed: int) -> None:
    images = bars(seed, 120)
    assert audited(images[:60], images[60:]).findings == ()


def darker(images: Array) -> Array:
    return (images * 0.5).astype(np.uint8)


CHANGES: dict[str, tuple[Callable[[Array], Array], str]] = {
    "inverted": (lambda images: 255 - images, "objects are darker than their background in 100% of the others"),
    "right": (lambda images: np.roll(images, 5, axis=2), "objects lie farther right in the others"),
    "left": (lambda images: np.roll(images, -5, axis=2), "objects lie farther left in the others"),
    "down": (lambda images: np.roll(images, 5, axis=1), "objects lie lower in the others"),
    "darker": (darker, "images are darker in the others"),
    "blurred": (
        lambda images: np.stack([cv2.GaussianBlur(image, (0, 0), 1.5) for image in images]),
        "images are more blurred in the others",
    ),
    "turned": (
        lambda images: np.stack([np.rot90(image) for image in images]),
        "objects are turned",
    ),
    "noisier": (
        lambda images: np.clip(
            images + np.random.default_rng(5).normal(0, 12, images.shape), 0, 255
        ).astype(np.uint8),
        "images are noisier in the others",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", sorted(CHANGES))
def test_what_changed_is_called_by_its_name_and_the_two_are_told_apart(how: str) -> None:
    change, words = CHANGES[how]
    images = bars(7, 120)
    found = audited(images[:60], change(images[60:]))
    assert says(found, words), told(found)
    assert says(found, "can be told apart"), told(found)
    gap = next(f for f in found.findings if words in f.message)
    assert (gap.rule, gap.level) == ("gap", "note")
    assert gap.numbers["p"] <= 0.05
    # An image of the others that shows it beside a usual one of the dataset.
    assert [str(place).partition("row-")[0] for place in gap.places[:4]] == ["against: ", "", "against: ", ""]
    apart = next(f for f in found.findings if f.rule == "told-apart")
    assert apart.level == "warning"
    assert re.search(r"50% by guessing; they differ in \w", apart.message)


def test_how_far_is_said_with_an_interval_that_holds_the_truth() -> None:
    images = bars(3, 160)
    found = audited(images[:80], np.roll(images[80:], 4, axis=2))
    [gap] = [f for f in found.findings if "farther right" in f.message]
    assert gap.numbers["low"] < 4 / 32 < gap.numbers["high"]
    apart = next(f for f in found.findings if f.rule == "told-apart")
    right = round(apart.numbers["accuracy"] * 160)
    assert apart.numbers["low"] == pytest.approx(stats.binomtest(right, 160).proportion_ci(0.95).low)
    assert apart.numbers["chance"] == 0.5


def test_a_sure_difference_that_is_less_than_matters_is_not_named_of_its_measure() -> None:
    images = bars(4, 80)
    lifted = np.where(images[40:] < 60, images[40:] + 8, images[40:]).astype(np.uint8)
    found = audited(images[:40], lifted)  # 0.03 of white behind the objects, where 0.05 matter
    assert not says(found, "the background is"), told(found)
    assert says(found, "can be told apart")


def test_the_image_of_the_others_that_lies_farthest_comes_first() -> None:
    images = bars(6, 80)
    others = np.roll(images[40:], 5, axis=2)
    others[7] = np.roll(others[7], 4, axis=1)
    [gap] = [f for f in audited(images[:40], others).findings if "farther right" in f.message]
    farthest = (others[:, :, :].astype(float) > 60).sum(axis=1).argmax(axis=1)
    assert int(str(gap.places[0]).partition("row-")[2]) in np.flatnonzero(farthest >= farthest.max() - 2)
    left = audited(images[:40], np.roll(images[40:], -5, axis=2))
    [gap] = [f for f in left.findings if "farther left" in f.message]
    first = int(str(gap.places[0]).partition("row-")[2])
    starts = (images[40:].astype(float) > 60).any(axis=1).argmax(axis=1)
    assert starts[first] <= np.quantile(starts, 0.3)


def test_right_answers_are_counted_against_a_coin(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[float]] = []
    monkeypatch.setattr(populations, "adjusted", lambda p: asked.append(list(p)) or p)
    images = bars(8, 60)
    right = np.repeat([True, False], [37, 23])
    monkeypatch.setattr(
        populations, "told_by_features", lambda *_, **__: Told(37 / 60, 0.45, 0.5, 0.7, 0.001, 60, right)
    )
    audited(images[:30], images[30:])
    assert asked[0][0] == pytest.approx(stats.binomtest(37, 60, 0.5, "greater").pvalue)


def test_images_that_are_in_both_are_a_leak_and_do_not_count_as_a_likeness(tmp_path: Path) -> None:
    here, there = tmp_path / "train", tmp_path / "wild"
    for row in range(20):
        write(here / f"{row}.png", photo(row))
        write(there / f"w{row}.png", photo(300 + row))
    write(there / "mirrored.jpg", np.ascontiguousarray(photo(3)[:, ::-1]), 90)
    write(there / "same.png", photo(5))
    found = audited(here, there)
    [leak] = [f for f in found.findings if f.rule == "in-both"]
    assert leak.level == "error"
    assert set(leak.places) == {"3.png", "against: mirrored.jpg", "5.png", "against: same.png"}
    assert (leak.numbers["against"], leak.numbers["images"]) == (2, 2)
    assert leak.numbers["share"] == pytest.approx(2 / 22)


def test_a_set_beside_itself_is_all_leak_and_nothing_else_is_asked(tmp_path: Path) -> None:
    src = folder(tmp_path, 10)
    found = audited(src, src)
    assert [f.rule for f in found.findings] == ["in-both"]
    assert found.findings[0].numbers["share"] == 1
    assert [one.because for one in found.not_asked] == ["nearly all images of one side are on the other as well"]


def test_classes_that_one_side_alone_has(tmp_path: Path) -> None:
    here = folder(tmp_path / "here", 15, ("cat", "dog"))
    there = tmp_path / "there"
    for row in range(15):
        write(there / "dog" / f"{row}.png", photo(7000 + row))
        write(there / "fox" / f"{row}.png", photo(8000 + row))
    by_rule = {f.rule: f for f in audited(here, there).findings}
    assert by_rule["against-unknown"].message == (
        "1 class of the others (15 images) that the dataset has not: fox (15)"
    )
    assert by_rule["against-unknown"].level == "error"
    assert by_rule["against-missing"].message == "1 class of the dataset that the others have not: cat"
    assert "against: fox/0.png" in by_rule["against-unknown"].places


def test_other_shares_of_the_classes_are_no_change_of_images() -> None:
    # Ones are dark and twos are bright: more twos make brighter images, and that is said of the classes alone.
    dark, bright = darker(bars(1, 160)), bars(2, 160)
    here = (np.concatenate([dark[:60], bright[:60]]), np.repeat([0, 1], 60))
    there = (np.concatenate([dark[60:72], bright[60:140]]), np.repeat([0, 1], [12, 80]))
    for others in (there, there[0]):
        found = audited(here, others)
        assert not says(found, "brighter"), told(found)
    labelled = audited(here, there)
    assert [f.rule for f in labelled.findings] == ["gap-classes"], told(labelled)
    assert labelled.findings[0].numbers["distance"] == pytest.approx(80 / 92 - 1 / 2, abs=1e-9)


def test_files_that_differ_are_named_and_sharpness_is_not_compared_at_two_sizes(tmp_path: Path) -> None:
    for row in range(25):
        write(tmp_path / "a" / f"{row}.jpg", photo(row, 160, 160), 95)
        write(tmp_path / "b" / f"{row}.png", photo(100 + row, 80, 80))
    found = audited(tmp_path / "a", tmp_path / "b")
    by_rule = {f.rule: f.message for f in found.findings}
    assert by_rule["gap-format"].startswith("formats of files differ in the others: jpeg 100% here, 0% there")
    assert by_rule["gap-file"].startswith("images have fewer pixels in the others: side, median 80 and here 160 pixels")
    assert not says(found, "sharper")
    assert not says(found, "blurred")


def test_a_few_images_are_not_compared(tmp_path: Path) -> None:
    here, there = folder(tmp_path / "here", 20), folder(tmp_path / "there", 4)
    assert [one.because for one in audited(here, there).not_asked] == [
        "there are fewer than 10 images that can be read on one side"
    ]


def test_files_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    here, there = folder(tmp_path / "here", 12), tmp_path / "there"
    for row in range(12):
        write(there / f"{row}.png", photo(900 + row))
    (there / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    [broken] = [f for f in audited(here, there).findings if f.rule == "against-unreadable"]
    assert broken.numbers["images"] == 1


def test_the_classifier_is_given_as_many_of_each_class_on_both_sides() -> None:
    mine, theirs = ["a"] * 5 + ["b"] * 9 + ["c"] * 4, ["b"] * 3 + ["a"] * 8 + ["d"] * 7
    here, there = populations._balanced(mine, theirs)
    assert sorted(mine[at] for at in here) == sorted(theirs[at] for at in there) == ["a"] * 5 + ["b"] * 3
    here, there = populations._balanced([None] * 4, ["a"] * 9)
    assert (len(here), len(there)) == (4, 4)
