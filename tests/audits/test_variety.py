"""Variety within a class: bursts, size, place and turn of the object, its colour, light (rows B2, B6, B7)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import imagemill as im
from imagemill.audits import Audit
from imagemill.audits.content.bursts import bursts_of
from imagemill.audits.content.colour_names import COLOURS, colour_numbers
from imagemill.audits.content.light_kinds import hour_of, light_of
from imagemill.audits.content.objects_seen import BOX, LABEL_MAP, STANDS_OUT, objects_seen
from imagemill.audits.content.standing_out import standing_out
from tests.audits.made_up import folder, photo, shot, thing, things, write


def asked(path: Any, **options: Any) -> Audit:
    return im.audit(path, checks=["variety"], **options)


def rules(found: Audit) -> dict[str, str]:
    return {finding.rule: finding.message for finding in found.findings}


def because(found: Audit) -> dict[str, str]:
    return {one.rule: one.because for one in found.not_asked}


# Names of CSS that everybody calls by one basic term, whatever the shade.
CALLED = {
    "black": ("#000000", "#0a0a0a"),
    "gray": ("#808080", "#696969", "#778899"),
    "white": ("#ffffff", "#f5f5f5", "#fffafa"),
    "red": ("#ff0000", "#dc143c", "#8b0000"),
    "orange": ("#ffa500", "#ff8c00"),
    "yellow": ("#ffff00", "#ffd700"),
    "green": ("#008000", "#006400", "#90ee90", "#32cd32", "#556b2f"),
    "blue": ("#0000ff", "#000080", "#87ceeb", "#4169e1", "#1e90ff"),
    "purple": ("#800080", "#4b0082", "#8a2be2"),
    "pink": ("#ffc0cb", "#ff69b4", "#ff1493"),
    "brown": ("#8b4513", "#a0522d", "#d2b48c"),
}


@pytest.mark.parametrize("name", COLOURS)
def test_colours_have_the_names_that_people_give_them(name: str) -> None:
    shades = np.array([[int(shade[at : at + 2], 16) for at in (1, 3, 5)] for shade in CALLED[name]], np.uint8)
    assert [COLOURS[number] for number in colour_numbers(shades)] == [name] * len(shades)


@pytest.mark.parametrize("seed", range(12))
def test_what_stands_out_is_where_the_object_is(seed: int) -> None:
    small = np.stack([cv2.resize(thing(seed, light=1.0), (32, 32), interpolation=cv2.INTER_AREA)])
    # The ellipse by itself: where the picture changes when it is drawn in another colour.
    black = cv2.resize(thing(seed, light=1.0, colour=(0, 0, 0)), (32, 32), interpolation=cv2.INTER_AREA)
    truth = abs(small[0].astype(int) - black).sum(axis=2) > 60
    found = standing_out(small)[0]
    assert (found & truth).sum() / (found | truth).sum() > 0.6


def test_nothing_stands_out_of_one_colour_or_noise() -> None:
    noise = np.random.default_rng(0).integers(100, 156, (4, 32, 32, 3), np.uint8)
    assert not standing_out(np.concatenate([np.full((1, 32, 32, 3), 90, np.uint8), noise])).any()


def test_size_place_and_turn_are_those_of_the_object(tmp_path: Path) -> None:
    for row, degrees in enumerate((0, 30, -60)):
        write(
            tmp_path / f"{row}.png", thing(row, size=24, x=40, y=20, degrees=degrees, colour=(250, 20, 20), light=1.0)
        )
    seen = objects_seen(asked(tmp_path).survey)
    assert set(seen.how) == {STANDS_OUT}
    np.testing.assert_allclose(seen.degrees, (0, 30, -60), atol=6)
    np.testing.assert_allclose(seen.x, 40 / 64, atol=0.03)
    np.testing.assert_allclose(seen.y, 20 / 48, atol=0.03)
    np.testing.assert_allclose(seen.size, np.sqrt(np.pi * 12 * 6 / (48 * 64)), rtol=0.2)
    assert [COLOURS[number] for number in seen.colour] == ["red"] * 3


def test_a_label_map_and_boxes_say_where_the_object_is(tmp_path: Path) -> None:
    write(tmp_path / "images" / "a.png", photo(1))
    mask = np.zeros((48, 64), np.uint8)
    mask[12:36, 8:24] = 3
    (tmp_path / "masks").mkdir()
    assert cv2.imwrite(str(tmp_path / "masks" / "a.png"), mask)
    (of_map,) = [objects_seen(asked(tmp_path / "images", masks=tmp_path / "masks").survey)]
    boxes = (im.Instance("cup", (8.0, 12.0, 16.0, 24.0)), im.Instance("crowd", (0.0, 0.0, 60.0, 40.0), crowd=True))
    records = [im.Record("a.png", tmp_path / "images" / "a.png", objects=boxes)]
    of_boxes = objects_seen(asked(im.open(records)).survey)
    assert (list(of_map.how), list(of_boxes.how), list(of_boxes.classes)) == ([LABEL_MAP], [BOX], ["cup"])
    assert (of_map.looked, of_boxes.looked) == ({"": 1}, {})
    for seen in (of_map, of_boxes):
        np.testing.assert_allclose((seen.x[0], seen.y[0], seen.size[0]), (0.25, 0.5, np.sqrt(1 / 8)), atol=0.02)


def test_varied_things_have_no_finding(tmp_path: Path) -> None:
    found = asked(things(tmp_path))
    assert rules(found) == {}
    assert set(because(found)) == {"light"}


@pytest.mark.parametrize(
    ("fixed", "words"),
    [
        ({"size": 18}, "size (2)"),
        ({"x": 30, "y": 25}, "place (2)"),
        ({"degrees": 20}, "turn (2)"),
        ({"size": 18, "x": 30, "y": 25}, "size (2) and place (2)"),
    ],
)
def test_one_distance_place_or_turn_is_a_finding(tmp_path: Path, fixed: dict[str, float], words: str) -> None:
    (finding,) = asked(things(tmp_path, **fixed)).findings
    assert (finding.rule, finding.level) == ("perspective", "warning" if "and" in words else "note")
    assert f"2 classes of 2 always seen alike, by {STANDS_OUT}: {words}." in finding.message


def test_only_the_class_that_is_seen_alike_is_named(tmp_path: Path) -> None:
    things(tmp_path, names=("cup",), x=30, y=25)
    things(tmp_path, names=("other", "jug"))
    assert "1 class of 3 always seen alike" in (message := rules(asked(tmp_path))["perspective"])
    assert re.search(r"cup \(\d+\): place within \d% of a side$", message)


def test_a_colour_that_few_have_is_a_note(tmp_path: Path) -> None:
    for row in range(100):
        colour = (200, 30, 30) if row >= 4 else (40, 70, 220)
        write(tmp_path / "cup" / f"{row:03d}.png", thing(row, colour=colour))
    (finding,) = asked(tmp_path).findings
    assert (finding.rule, finding.level) == ("colours", "note")
    assert "cup: blue 4 of" in finding.message
    assert set(finding.places) == {f"cup/{row:03d}.png" for row in range(4)}
    assert rules(asked(tmp_path, settings={"colour_share": 0.03})) == {}


def test_one_light_by_the_pixels_is_a_finding_and_a_note_without_colours(tmp_path: Path) -> None:
    things(tmp_path / "wall", light=0.9)
    (finding,) = asked(tmp_path / "wall").findings
    assert (finding.rule, finding.level) == ("lighting", "warning")
    assert "2 classes of 2 with hardly any difference of light" in finding.message
    for row in range(40):
        gray = thing(row, light=0.9, colour=(200, 200, 200)).mean(axis=2, keepdims=True)
        write(tmp_path / "gray" / f"{row}.png", np.repeat(gray.astype(np.uint8), 3, axis=2))
    found = asked(tmp_path / "gray")
    assert [(one.rule, one.level) for one in found.findings] == [("lighting", "note")]
    assert because(found)["colours"] == "no object of any colour stands out"


# Scenes and their exposure values from tables of the kind that ANSI PH2.7 gives.
SCENES = [
    (15.0, 12.0, "day"),  # full sun
    (12.0, 12.0, "day"),  # open shade
    (10.0, 20.5, "dusk"),  # ten minutes after sunset
    (10.0, 5.5, "dusk"),
    (10.0, 12.0, "indoor bright"),  # a shop window or hall while the sun is up
    (7.5, 10.0, "indoor bright"),  # office
    (7.0, 23.0, "indoor bright"),
    (5.0, 21.0, "indoor dim"),  # home at night
    (4.0, 2.0, "indoor dim"),  # candle light
    (8.0, 19.0, "unknown"),  # dusk, or a lit room
    (10.0, float("nan"), "unknown"),
    (float("nan"), 12.0, "unknown"),
]


@pytest.mark.parametrize(("stops", "hour", "kind"), SCENES)
def test_light_is_told_by_exposure_and_hour(stops: float, hour: float, kind: str) -> None:
    assert light_of(stops, hour) == kind
    assert light_of(stops, hour, flash=True) == "unknown"


def test_a_clock_that_was_never_set_says_no_hour() -> None:
    assert np.isnan([hour_of(text) for text in ("2020:01:01 00:00:00", "2020:01:01", "2020:01:01 25:00:00", "x")]).all()
    assert hour_of("2020:01:01 06:45:00") == 6.75


def exposed(path: Path, name: str, count: int, seconds: float, hour: int, flash: int = 0) -> None:
    """Photos with f/8 at ISO 100: 1/250 s are 14 stops, 1/4 s are 8."""
    for row in range(count):
        taken = f"2024:05:{1 + row % 28:02d} {hour:02d}:{row:02d}:{7 + 20 * (name == 'jug'):02d}"
        tags = {"camera": "X", "taken": taken, "seconds": seconds, "aperture": 8.0, "speed": 100, "flash": flash}
        shot(path / name / f"{name}{hour}-{row}.jpg", thing(hash_of(name, hour, row)), **tags)


def hash_of(name: str, hour: int, row: int) -> int:
    return sum(map(ord, name)) * 10_000 + hour * 100 + row


def test_one_light_by_exposure_and_hour_is_a_finding(tmp_path: Path) -> None:
    exposed(tmp_path, "cup", 25, 1 / 250, 11)
    exposed(tmp_path, "jug", 15, 1 / 250, 11)
    exposed(tmp_path, "jug", 10, 1 / 4, 14)
    (finding,) = [one for one in asked(tmp_path).findings if one.rule == "light"]
    assert finding.level == "warning"
    assert "1 class of 2 in one light" in finding.message
    assert "cup: 25 of 25 day" in finding.message
    assert "jug" not in finding.message


def test_a_flash_says_nothing_of_the_light(tmp_path: Path) -> None:
    exposed(tmp_path, "cup", 25, 1 / 250, 11, flash=1)
    found = asked(tmp_path)
    assert "light" not in rules(found)
    assert because(found)["light"] == "exposure and hour are known of 0 of 25 images: of no class 20"


def test_copies_and_photos_within_seconds_are_one_burst(tmp_path: Path) -> None:
    for row, (camera, second) in enumerate([("X", 1), ("X", 3), ("X", 6), ("Y", 6), ("X", 20)]):
        shot(tmp_path / f"{row}.jpg", photo(row), camera=camera, taken=f"2024:05:01 10:00:{second:02d}")
    write(tmp_path / "5.png", photo(4))
    write(tmp_path / "6.png", photo(9))
    found = asked(tmp_path)
    bursts = bursts_of(found.survey)
    assert [int(np.flatnonzero(bursts == one)[0]) for one in bursts] == [0, 0, 0, 3, 4, 4, 6]
    message = rules(found)["bursts"]
    assert "all images: 7 images are 4 when each burst counts once" in message
    assert "bursts" not in rules(asked(tmp_path, settings={"in_bursts": 0.5}))


def test_a_burst_counts_once_for_variety(tmp_path: Path) -> None:
    # Twenty things that are seen alike, and one burst of a hundred in every way.
    things(tmp_path, 25, names=("cup",), x=30, y=25)
    assert "perspective" in rules(asked(tmp_path))
    for row in range(60):
        shot(tmp_path / "cup" / f"b{row}.jpg", thing(5000 + row), camera="X", taken=f"2024:05:01 10:00:{row:02d}")
    assert "perspective" in rules(asked(tmp_path))
    assert "perspective" not in rules(asked(tmp_path, settings={"burst": 0}))


def test_what_cannot_be_asked_is_said_and_why(tmp_path: Path) -> None:
    assert because(asked(folder(tmp_path / "few", 3))) == {
        "perspective": "no class has 20 images, bursts counted once, in which an object is seen",
        "colours": "no class has 20 objects whose colour can be told",
        "lighting": "no class has 20 images, bursts counted once",
    }
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"no image")
    assert because(asked(tmp_path / "bad")) == {"variety": "no image can be read"}
