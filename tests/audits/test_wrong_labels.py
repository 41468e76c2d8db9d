from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import imagemill as im
from imagemill.audits import Audit
from imagemill.audits.audit_page import as_page
from imagemill.audits.checks.base import NotAsked
from imagemill.audits.checks.wrong_labels import _not_covered
from imagemill.audits.label_check import check_told
from imagemill.core.errors import InputError
from tests.audits.made_up import Array, folder, photo, write


def stripes(seed: int, turned: bool) -> Array:
    """Stripes across or down, each picture with colours, a phase and noise of its own."""
    draws = np.random.default_rng(seed)
    wave = np.sin(np.arange(32) * draws.uniform(0.6, 0.9) + draws.uniform(0, 6))
    plane = np.repeat(wave[:, None], 32, axis=1)
    plane = plane.T if turned else plane
    colour = draws.uniform(30, 60, 3)
    return np.clip(128 + plane[..., None] * colour + draws.normal(0, 20, (32, 32, 3)), 0, 255).astype(np.uint8)


def striped(count: int = 120) -> tuple[Array, list[str]]:
    images = np.stack([stripes(seed, seed % 2 == 1) for seed in range(count)])
    return images, ["across", "down"] * (count // 2)


def asked(images: Array, labels: Any, *checks: str, **options: Any) -> Audit:
    settings = {"centres": 30} | options.pop("settings", {})
    return im.audit(im.from_arrays(images, labels), checks=list(checks or ("labels",)), settings=settings, **options)


def finding(found: Audit, rule: str = "wrong-labels") -> im.Finding:
    return next(one for one in found.findings if one.rule == rule)


def because(found: Audit, rule: str = "wrong-labels") -> str:
    return next(one.because for one in found.not_asked if one.rule == rule)


WRONG = (3, 20, 41, 77, 78, 90, 101, 104)


def with_wrong(labels: list[str]) -> list[str]:
    return [("down" if label == "across" else "across") if n in WRONG else label for n, label in enumerate(labels)]


@pytest.fixture(scope="module")
def found() -> Audit:
    images, labels = striped(200)
    return asked(images, with_wrong(labels))


def test_wrong_labels_are_found_and_the_rate_is_in_the_interval(found: Audit) -> None:
    one = finding(found)
    assert {int(str(key).rpartition("-")[2]) for key in one.places[: len(WRONG)]} == set(WRONG)
    assert one.numbers["low"] <= len(WRONG) / 200 <= one.numbers["high"]
    assert one.level == ("warning" if one.numbers["rate"] > 0.04 else "note")
    assert "given across, looks like down" in one.message


def test_one_wrong_label_in_seven_is_an_error_unless_the_set_may_have_them() -> None:
    images, labels = striped(240)
    some = [("down" if label == "across" else "across") if n % 7 == 0 else label for n, label in enumerate(labels)]
    assert finding(asked(images, some)).level == "error"
    assert finding(asked(images, some, settings={"label_errors": 0.4})).level == "note"


def test_right_labels_are_no_finding() -> None:
    found = asked(*striped())
    assert (found.findings, found.not_asked) == ((), ())


def test_every_label_that_was_checked_is_listed_and_json_has_those_that_differ(found: Audit, tmp_path: Path) -> None:
    assert len(found.labels) == 200
    assert [one.wrong for one in found.labels] == sorted((one.wrong for one in found.labels), reverse=True)
    first = found.labels[0]
    assert first.given != first.suggested
    assert first.own < 0.5 < first.wrong
    found.write(tmp_path / "audit.json")
    written = json.loads((tmp_path / "audit.json").read_text("utf-8"))["labels"]
    assert len(WRONG) <= len(written) < 200
    assert written[0]["key"] == first.key


def test_the_page_says_below_each_picture_which_class_was_given_and_which_is_suggested(found: Audit) -> None:
    text = as_page(found)
    worst = finding(found).places[0]
    said = ("across", "down") if int(str(worst).rpartition("-")[2]) % 2 else ("down", "across")
    assert f"{worst}: {said[0]} &gt; {said[1]}</span>" in text


def test_labels_that_were_not_asked_about_are_not_listed() -> None:
    images, labels = striped(20)
    assert asked(images, labels, "counts").labels == ()


NOT_ASKED = {
    "no image has a class": lambda images, _: (images, None),
    "there are not two classes with 10 images or more": lambda images, _: (images, ["one"] * len(images)),
    "there are fewer than 100 images in classes of 10 or more": lambda images, labels: (images[:40], labels[:40]),
    "all images are the same": lambda images, labels: (np.repeat(images[:1], len(images), axis=0), labels),
    "images have several classes each": lambda images, _: (images, np.ones((len(images), 2), int)),
}


@pytest.mark.parametrize("why", sorted(NOT_ASKED))
def test_what_cannot_be_asked_says_why(why: str) -> None:
    made: Callable[..., Any] = NOT_ASKED[why]
    found = asked(*made(*striped()), "labels", "outliers")
    assert because(found) == why
    assert not [one for one in found.findings if one.rule == "wrong-labels"]


def test_many_classes_of_two_images_are_not_asked_about() -> None:
    images, _ = striped()
    assert because(asked(images, [f"class {n // 2}" for n in range(len(images))])).startswith(
        "there are not two classes"
    )


def test_labels_that_nothing_in_the_images_tells_are_not_asked_about() -> None:
    images, _ = striped()
    at_random = [str(n) for n in np.random.default_rng(0).integers(0, 2, len(images))]
    found = asked(images, at_random)
    assert "give features of a network with --features, or more images" in because(found)
    assert found.findings == ()


def test_classes_of_one_group_each_are_not_asked_about(tmp_path: Path) -> None:
    images, labels = striped()
    for n, image in enumerate(images):
        write(tmp_path / f"{n}.png", image)
    table = {"path": [f"{n}.png" for n in range(len(images))], "label": labels, "group": labels}
    pl.DataFrame(table).write_csv(tmp_path / "list.csv")
    found = im.audit(tmp_path / "list.csv", checks=["labels"])
    assert because(found) == "all images of across, down are of one group, or copies of one image"


def test_small_classes_are_left_out_and_counted() -> None:
    images, labels = striped()
    found = asked(images, with_wrong(labels[:-4] + ["rare"] * 4))
    assert "4 images left out, in classes of fewer than 10" in finding(found).message


def test_images_that_look_like_nothing_else_are_off_topic_and_can_be_a_class(tmp_path: Path) -> None:
    images, labels = striped(60)
    for n, (image, label) in enumerate(zip(images, labels, strict=True)):
        write(tmp_path / "set" / label / f"{n}.png", image)
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    write(tmp_path / "set" / "down" / "noise.png", noise)
    found = im.audit(tmp_path / "set", checks=["outliers"])
    assert finding(found, "off-topic").places == ("down/noise.png",)
    assert found.apply(["none-of-these"], tmp_path / "new.csv") == {"none-of-these": 1}
    table = pl.read_csv(tmp_path / "new.csv")
    assert table.filter(pl.col("label") == "none of these")["path"].to_list() == ["set/down/noise.png"]
    assert len(table) == 61


def test_few_images_are_not_asked_about_outliers(tmp_path: Path) -> None:
    assert because(im.audit(folder(tmp_path, 4), checks=["outliers"]), "off-topic") == "there are fewer than 30 images"
    assert all(isinstance(one, NotAsked) for one in im.audit(folder(tmp_path, 4), checks=["outliers"]).not_asked)


# ------------------------------------------------------------------------------------------------ features given


def told_by_class(labels: list[str]) -> Array:
    draws = np.random.default_rng(0)
    centres = np.array([[4.0, 0.0], [0.0, 4.0]])[[int(label == "down") for label in labels]]
    return (centres + draws.normal(size=(120, 2))).astype("f")


def keys() -> list[str]:
    images, labels = striped()
    return [record.key for record in im.from_arrays(images, labels).records]


ORDER = np.random.default_rng(5).permutation(120)
"""Of rows in a file: not that of the dataset."""


def as_npy(path: Path, values: Array) -> Path:
    np.save(path / "f.npy", values)
    return path / "f.npy"


def as_npz(path: Path, values: Array) -> Path:
    np.savez(path / "f.npz", names=np.array(keys())[ORDER], features=values[ORDER])
    return path / "f.npz"


def as_csv(path: Path, values: Array) -> Path:
    pl.DataFrame({"a": values[ORDER, 0], "key": np.array(keys())[ORDER], "b": values[ORDER, 1]}).write_csv(
        path / "f.csv"
    )
    return path / "f.csv"


def as_parquet(path: Path, values: Array) -> Path:
    pl.DataFrame({"path": np.array(keys())[ORDER], "vector": values[ORDER].tolist()}).write_parquet(path / "f.parquet")
    return path / "f.parquet"


@pytest.mark.parametrize("form", [as_npy, as_npz, as_csv, as_parquet, lambda _, values: values])
def test_features_of_any_form_take_the_place_of_our_own(tmp_path: Path, form: Callable[..., Any]) -> None:
    _, labels = striped()
    # Images that say nothing: what is found is found by the features alone.
    images = np.random.default_rng(1).integers(0, 256, (120, 32, 32, 3), np.uint8)
    one = finding(asked(images, with_wrong(labels), features=form(tmp_path, told_by_class(labels))))
    assert {int(str(key).rpartition("-")[2]) for key in one.places[: len(WRONG)]} == set(WRONG)


def test_a_function_of_images_is_asked_for_features() -> None:
    shapes = []

    def edges(images: Array) -> Array:
        shapes.append((images.shape[1:], images.dtype))
        gray = images.astype(float).mean(axis=3)
        return np.stack([np.abs(np.diff(gray, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)], axis=1)

    images, labels = striped()
    assert {
        int(str(key).rpartition("-")[2])
        for key in finding(asked(images, with_wrong(labels), features=edges)).places[:8]
    } == set(WRONG)
    assert set(shapes) == {((224, 224, 3), np.dtype(np.uint8))}


def test_images_without_features_are_counted(tmp_path: Path) -> None:
    images, labels = striped()
    np.savez(tmp_path / "f.npz", k=np.array(keys()[:-5]), f=told_by_class(labels)[:-5])
    found = asked(images, with_wrong(labels), "labels", "outliers", features=tmp_path / "f.npz")
    assert "5 images left out" in finding(found).message
    assert because(found, "off-topic") == "5 images are not in f.npz"


def broken(values: Array) -> Array:
    values = values.copy()
    values[7, 1] = np.nan
    return values


WRONG_FEATURES: dict[str, Callable[[Path, Array], Any]] = {
    "got NaN or infinity for": lambda path, values: as_npy(path, broken(values)),
    r"expected a row of f.npy for each of 120 images, got 119": lambda path, values: as_npy(path, values[1:]),
    r"expected f.npy to be numbers \[n, d\], got float32 \(120,\)": lambda path, values: as_npy(path, values[:, 0]),
    "expected a file of features, got .*missing.npy": lambda path, _: path / "missing.npy",
    "expected features as .npy, .npz, .parquet, .csv or .onnx, got 'f.txt'": lambda path, _: text(path / "f.txt", "x"),
    "expected features in f.npy, got what cannot be read": lambda path, _: text(path / "f.npy", "no array"),
    "expected features in f.parquet, got what cannot be read": lambda path, _: text(path / "f.parquet", "no table"),
    "expected keys such as 'row-000' in f.csv, got 'x'": lambda path, _: text(path / "f.csv", "key,a\nx,1\n"),
    "expected each key once in f.csv, got 'x' twice": lambda path, _: text(path / "f.csv", "key,a\nx,1\nx,2\n"),
    "expected f.csv to have a column of keys and columns of numbers": lambda path, _: text(
        path / "f.csv", "a,b\nx,y\n"
    ),
}


def text(path: Path, content: str) -> Path:
    path.write_text(content, "utf-8")
    return path


@pytest.mark.parametrize("said", sorted(WRONG_FEATURES))
def test_features_that_cannot_be_meant_are_refused_before_anything_is_looked_at(tmp_path: Path, said: str) -> None:
    images, labels = striped()

    def looked(*_: int) -> None:
        raise AssertionError("an image was looked at")

    with pytest.raises(InputError, match=said):
        asked(images, labels, features=WRONG_FEATURES[said](tmp_path, told_by_class(labels)), progress=looked)


def test_a_function_that_gives_no_features_is_refused() -> None:
    images, labels = striped()
    with pytest.raises(InputError, match=r"expected <lambda> to give numbers \[32, d\], got float64 \(3,\)"):
        asked(images, labels, features=lambda _: np.zeros(3))


def test_a_page_of_text_among_a_few_dozen_photos_is_off_topic_by_what_is_seen_at_first(tmp_path: Path) -> None:
    # Patches even contrast out: a page of small type is a texture to them, as photos are.
    for n in range(50):
        write(tmp_path / f"{n:02d}.png", photo(n, 96, 96))
    assert rules_told(im.audit(tmp_path, checks=["outliers"], settings={"centres": 20})) == []
    page = np.full((96, 96, 3), 250, np.uint8)
    page[8:88:6, 6:90:2] = 10
    write(tmp_path / "page.png", page)
    one = finding(im.audit(tmp_path, checks=["outliers"], settings={"centres": 20}), "off-topic")
    assert one.places == ("page.png",)
    assert one.numbers["by_looks"] == 1
    assert "light, colour and contrast" in one.message


def rules_told(found: Audit) -> list[str]:
    return [one.rule for one in (*found.findings, *found.not_asked)]


def test_the_interval_ends_where_all_errors_would_be_alike_and_says_what_it_leaves_out(found: Audit) -> None:
    one, check = finding(found), found.survey.checked[2]
    assert one.numbers["high"] == max(one.numbers["high_random"], one.numbers["high"]) >= one.numbers["rate"]
    # The rate over the share that is noticed: both ends are of one fit.
    seen = [min(1.0, max(0.2, check.seen_random)), min(1.0, max(0.2, check.seen_alike))]
    assert check.high * min(seen) == pytest.approx(check.high_random * seen[0])
    assert "learnt as right and are not counted" in one.advice
    assert "allows for errors to the class most alike" in one.advice
    assert "hardly noticed, so that there may be more" in _not_covered(replace(check, seen_alike=0.19))
    assert "learnt as right" in json.dumps(found.to_dict())
    assert "learnt as right" in as_page(found)


def test_errors_that_are_noticed_in_part_make_the_interval_as_much_wider() -> None:
    draws = np.random.default_rng(1)
    scores = draws.normal(0, 1.5, (1001, 4)).astype(np.float32)
    scores[:, 2:] = scores[:, :2] + draws.normal(0, 0.3, (1001, 2))  # two and two can hardly be told apart
    labels = (2 * scores + draws.gumbel(size=scores.shape)).argmax(axis=1)
    check = check_told(lambda *_: scores, labels)
    assert check.seen_alike < 0.7 * check.seen_random
    assert check.high > 1.4 * check.high_random > check.rate
