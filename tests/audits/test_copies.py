"""Copies: how they are found, step by step, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import imagemill as im
from imagemill.audits.alignment import aligned, solved
from imagemill.audits.clusters import CERTAIN, keeper_of, pairs_of
from imagemill.audits.evidence import MEASURES, log_odds, measured
from imagemill.audits.glance import Glance, GlanceWork
from imagemill.audits.likeness import Pairs, alike
from imagemill.audits.moves import Looks, symmetries, turns, upright, window, windows
from imagemill.audits.neighbours import Cells, Nearest
from imagemill.audits.survey import survey
from imagemill.data.as_source import source_of
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.records.record import Blob, Record
from tests.audits.made_up import Array, folder, photo, write

FULL = np.array([[0.0, 1.0, 0.0, 1.0]])


def moved(plane: Array, move: Array) -> Array:
    """By OpenCV: pixel (u, v) in half sides from the centre is taken from where the move says."""
    half = (len(plane) - 1) / 2
    v, u = np.meshgrid(np.linspace(-1, 1, len(plane)), np.linspace(-1, 1, len(plane)))
    y = (half + half * (move[0] + move[2] * u + move[3] * v)).astype(np.float32)
    x = (half + half * (move[1] + move[4] * u + move[5] * v)).astype(np.float32)
    return cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def smooth(count: int, side: int = 16, seed: int = 0) -> Array:
    draws = np.random.default_rng(seed)
    noise = draws.normal(0, 80, (count, side, side)).astype(np.float32)
    return np.stack([cv2.GaussianBlur(one, (0, 0), 1.5) for one in noise])


def small(count: int, seed: int = 0) -> Array:
    return np.stack([photo(seed + row, 32, 32) for row in range(count)])


@pytest.mark.parametrize("coloured", [False, True])
def test_the_signature_of_a_moved_picture_is_made_without_moving_it(coloured: bool) -> None:
    gray, colours = smooth(3), np.stack([smooth(2, 8, seed) for seed in range(3)])
    whole = next(symmetries(16))
    for way in (*symmetries(16), *windows(16)):
        by_hand = Looks(
            np.stack([moved(one, way.move) for one in gray]),
            np.stack([[moved(plane, way.move) for plane in one] for one in colours]),
        )
        expected = by_hand.signatures(whole, coloured=coloured)
        np.testing.assert_allclose(Looks(gray, colours).signatures(way, coloured=coloured), expected, atol=1e-4)


def test_turns_are_compared_under_a_weight_that_hides_the_corners() -> None:
    gray, colours = smooth(3), np.zeros((3, 2, 8, 8), np.float32)
    for way in turns(16, 1.5):
        by_hand = Looks(np.stack([moved(one, way.move) for one in gray]), colours)
        expected = by_hand.signatures(upright(16))
        np.testing.assert_allclose(Looks(gray, colours).signatures(way), expected, atol=1e-4)
        np.testing.assert_allclose(Looks(gray + 50, colours).signatures(way), expected, atol=1e-4)


def test_the_eight_symmetries_are_those_of_numpy() -> None:
    plane = smooth(1)[0]
    made = {np.round(moved(plane, way.move), 3).tobytes() for way in symmetries(16)}
    expected = {np.round(np.rot90(one, turn), 3).tobytes() for one in (plane, plane[:, ::-1]) for turn in range(4)}
    assert made == expected


def test_a_window_shows_that_part() -> None:
    plane = np.repeat(np.arange(16, dtype=np.float32)[:, None], 16, 1)
    # Rows 4 to 12 of 16 over the whole side: half a row a pixel.
    np.testing.assert_allclose(moved(plane, window(0.25, 0, 0.5, 1, 16))[:, 3], 3.75 + 0.5 * np.arange(16), atol=1e-4)


def test_of_few_vectors_the_nearest_are_found_without_fail() -> None:
    draws = np.random.default_rng(0)
    vectors = draws.normal(size=(300, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = Nearest.empty(300, 5, -2.0)
    cells = Cells(vectors, seed=0)
    cells.ask(vectors, found, way=0)
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -9)
    np.testing.assert_array_equal(found.answer, np.argsort(-scores, axis=1)[:, :5])
    # Asked once more in another way, each answer is still there once, under the way that found it nearer.
    cells.ask(-vectors, found, way=1)
    both = np.maximum(scores, np.where(np.eye(300) > 0, -9, -(vectors @ vectors.T)))
    np.testing.assert_array_equal(found.answer, np.argsort(-both, axis=1)[:, :5])
    assert set(np.unique(found.way)) == {0, 1}


def test_among_many_vectors_near_ones_are_found_by_cells_and_threads_change_nothing() -> None:
    draws = np.random.default_rng(1)
    vectors = draws.normal(size=(6000, 16)).astype(np.float32)
    vectors[3000:] = vectors[:3000] + 0.3 * draws.normal(size=(3000, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    one, two = Nearest.empty(6000, 1, 0.5), Nearest.empty(6000, 1, 0.5)
    Cells(vectors, seed=0).ask(vectors, one, way=0)
    Cells(vectors, seed=0).ask(vectors, two, way=0, threads=2)
    np.testing.assert_array_equal(one.answer, two.answer)
    assert (one.answer[:3000, 0] == np.arange(3000, 6000)).mean() > 0.95


def test_queries_of_some_rows_are_answered_for_these_alone() -> None:
    vectors = np.eye(4, dtype=np.float32)
    found = Nearest.empty(4, 1, 0.5)
    Cells(vectors, seed=0).ask(vectors[[3, 1]], found, way=0, rows=np.array([1, 3]))
    assert found.answer[:, 0].tolist() == [-1, 3, -1, 1]


def test_a_moved_picture_of_another_contrast_is_brought_back() -> None:
    plane = cv2.GaussianBlur(smooth(1, 32)[0], (0, 0), 1.5)
    move = np.array([0.06, -0.04, 0.93, 0.07, -0.05, 0.95])
    planes = np.stack([plane, 0.6 * moved(plane, move) + 40])
    begin = np.array([[0.0, 0, 1, 0, 0, 1]])
    one = np.array([0]), np.array([1])
    assert aligned(planes, *one, begin.copy(), FULL, steps=0, bound=1, threads=1)[0] > 0.1
    left = aligned(planes, *one, begin, FULL, steps=25, bound=1, threads=1)
    assert left[0] < 1e-3
    np.testing.assert_allclose(begin[0], move, atol=0.01)


def test_what_lies_outside_of_a_frame_does_not_count() -> None:
    plane = cv2.GaussianBlur(smooth(1, 32)[0], (0, 0), 1.5)
    spoiled = plane.copy()
    spoiled[:6] = 300
    planes, begin = np.stack([spoiled, plane]), np.array([[0.0, 0, 1, 0, 0, 1]])
    whole, framed = (
        aligned(planes, np.array([0]), np.array([1]), begin.copy(), frame, steps=0, bound=1, threads=1)[0]
        for frame in (FULL, np.array([[0.2, 1.0, 0.0, 1.0]]))
    )
    assert whole > 0.3
    assert framed < 1e-6


def test_a_picture_of_one_value_is_aligned_with_nothing() -> None:
    planes = np.stack([smooth(1)[0], np.full((16, 16), 9, np.float32)])
    rows, begin = np.array([0, 1]), np.tile([0.0, 0, 1, 0, 0, 1], (2, 1))
    frames = np.repeat(FULL, 2, 0)
    assert aligned(planes, rows, rows[::-1].copy(), begin, frames, steps=4, bound=1, threads=1).tolist() == [2, 2]


def test_equations_are_solved_as_numpy_does() -> None:
    half = np.random.default_rng(0).normal(size=(6, 9))
    matrix, right = half @ half.T, np.arange(6.0)
    expected = np.linalg.solve(matrix, right)
    solved(matrix, right)
    np.testing.assert_allclose(right, expected, rtol=1e-9)


def test_evidence_is_what_it_says() -> None:
    pictures = small(3)
    pictures[1] = np.clip(pictures[0] * 0.8 + 10, 0, 255)
    begin = np.tile([0.0, 0, 1, 0, 0, 1], (2, 1))
    found = measured(pictures, np.array([0, 0]), np.array([1, 2]), begin, np.repeat(FULL, 2, 0), 1)
    same, other = (dict(zip(MEASURES, one, strict=True)) for one in found.tolist())
    assert same["left"] < 0.001
    assert same["detail"] > 0.99
    assert same["places"] > 60
    assert other["left"] > 0.5
    assert abs(other["detail"]) < 0.5
    # Colours by hand: filtered as the evidence says, but by OpenCV.
    gray = pictures[:2].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    apart = [
        cv2.GaussianBlur(pictures[0, ..., k] - gray[0], (9, 9), 1.5, borderType=cv2.BORDER_REPLICATE)
        - cv2.GaussianBlur(pictures[1, ..., k] - gray[1], (9, 9), 1.5, borderType=cv2.BORDER_REPLICATE)
        for k in (0, 2)
    ]
    assert same["far"] == pytest.approx(float(np.sqrt(np.mean(np.square(apart)))), rel=0.02)
    high, low = log_odds(found)
    assert high > 8
    assert low < -5


def test_agreement_of_colours_and_of_more_places_speaks_for_a_pair() -> None:
    base = np.array([0.05, 0.9, 100, 0.05, 0.9, 100, 10, 0.5])
    better = {0: 0.01, 1: 0.95, 2: 200, 7: 0.9, 6: 2}
    for column, value in better.items():
        one = base.copy()
        one[column] = value
        assert log_odds(one[None])[0] > log_odds(base[None])[0], MEASURES[column]
    # Colours that contradict do not speak against: it may be recoloured.
    contradicting, silent = base.copy(), base.copy()
    contradicting[6:], silent[6:] = (60, -0.5), (100, 0)
    assert log_odds(contradicting[None])[0] == log_odds(silent[None])[0]
    # The blend of channels agrees where gray values do not.
    blend = base.copy()
    blend[:3], blend[3:6] = (0.4, 0.3, 50), (0.01, 0.97, 200)
    assert log_odds(blend[None])[0] > 0


def test_threads_change_no_pair() -> None:
    pictures = small(60)
    pictures[50:] = pictures[:10, :, ::-1]
    one, two = (alike(pictures, 3.0, threads=threads) for threads in (1, 2))
    assert list(zip(one.first, one.second, one.how, one.score, strict=True)) == list(
        zip(two.first, two.second, two.how, two.score, strict=True)
    )
    assert one.second.tolist() == list(range(50, 60))


def test_the_surest_pair_has_the_highest_score() -> None:
    pictures = small(40)
    pictures[20] = cv2.imdecode(cv2.imencode(".jpg", pictures[1], [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1)
    pictures[30] = pictures[2]
    found = alike(pictures, 3.0)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [(1, 20), (2, 30)]
    assert found.score[1] > found.score[0] > 0


@pytest.mark.parametrize("hue", [30, 90, 150])
def test_another_hue_is_seen_through(hue: int) -> None:
    draws = np.random.default_rng(3)
    # As in photos, most of what is to be seen is to be seen in every channel.
    tint = np.stack([cv2.resize(one, (32, 32)) for one in draws.normal(0, 30, (40, 3, 3, 3)).astype(np.float32)])
    pictures = np.clip(small(40)[..., :1].astype(np.float32) + tint, 0, 255).astype(np.uint8)
    hsv = cv2.cvtColor(pictures[7], cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + hue) % 180
    pictures[39] = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    found = alike(pictures, 3.0)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [(7, 39)]


def test_pictures_of_one_colour_are_like_nothing() -> None:
    flat = np.stack([np.full((32, 32, 3), value, np.uint8) for value in range(30)])
    assert len(alike(flat, 3.0).first) == 0
    assert len(alike(flat[:2], 3.0).first) == 0


def glance(rgb: Array, digest: str = "", **changed: object) -> Glance:
    encoded = cv2.imencode(".png", rgb)[1].tobytes()
    (found,) = GlanceWork(ReadOptions())(Record("a.png", Blob("a.png", ".png", lambda: encoded)))
    assert isinstance(found, Glance)
    return replace(found, digest=digest or found.digest, **changed)  # type: ignore[arg-type]


def test_many_equal_images_are_each_paired_with_the_first_alone() -> None:
    seen = glance(photo(1))
    same = [replace(seen, digest="x") for _ in range(3000)]
    others = [replace(seen, digest=str(row)) for row in range(2000)]
    pairs = pairs_of([*same, None, *others], 3.0)
    assert (pairs.first == 0).all()
    assert pairs.second.tolist() == [*range(1, 3000), *range(3001, 5001)]
    assert (pairs.how.count("the same bytes"), pairs.how.count("the same pixels")) == (2999, 2000)
    assert (pairs.score == CERTAIN).all()


def test_flat_images_are_copies_by_their_bytes_alone() -> None:
    seen = glance(np.full((20, 20, 3), 7, np.uint8))
    pairs = pairs_of([seen, replace(seen, digest="other"), seen], 3.0)
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([0], [2])


KEEPERS = {
    "the largest, 96 x 72 pixels": {"shape": (72, 96)},
    "the sharpest of the largest": {"sharpness": 0.9},
    "the least compressed, jpeg of quality 95": {"quality": 95.0},
    "the one of most bytes": {"bytes": 900},
}


@pytest.mark.parametrize("why", KEEPERS)
def test_the_one_to_keep_is_named_with_its_reason(why: str) -> None:
    seen = glance(photo(1), sharpness=0.5)
    seen = replace(seen, file=replace(seen.file, format="jpeg", quality=60.0, bytes=500))
    change = dict(KEEPERS[why])
    file = {name: change.pop(name) for name in ("quality", "bytes") if name in change}
    better = replace(seen, file=replace(seen.file, **file), **change)  # type: ignore[arg-type]
    assert keeper_of({3: seen, 5: better, 8: seen}) == (5, why)


def test_of_equals_the_first_is_kept_and_a_border_makes_none_larger() -> None:
    seen = glance(photo(1))
    assert keeper_of({3: seen, 5: seen}) == (3, "the first of equals")
    framed = replace(seen, shape=(96, 64), border=0.5)
    assert keeper_of({3: seen, 5: framed})[0] == 3
    assert keeper_of({3: seen, 5: replace(framed, border=0.0)})[0] == 5


def test_copies_in_two_groups_are_named_and_regroup_joins_them(tmp_path: Path) -> None:
    lines = ["path,label,group"]
    for row in range(20):
        write(tmp_path / f"{row}.png", photo(row))
        lines.append(f"{row}.png,{'ab'[row % 2]},video{row // 5}")
    large = cv2.resize(photo(3), (128, 96), interpolation=cv2.INTER_CUBIC)
    write(tmp_path / "copy.png", large)
    lines.append("copy.png,b,video3")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    found = im.audit(tmp_path, checks=["copies"])
    assert [one.rule for one in found.findings] == ["group-copies", "copies"]
    assert found.findings[0].places == ("copy.png", "3.png")
    assert found.apply(["drop-duplicates"], tmp_path / "new.csv") == {"drop-duplicates": 1}
    assert "3.png" not in {Path(str(record.image)).name for record in im.open(tmp_path / "new.csv").to_source().records}
    assert found.apply(["regroup"], tmp_path / "new.csv") == {"regroup": 11}


def test_pairs_are_told_with_their_parts_and_scores_the_surest_first(tmp_path: Path) -> None:
    for row in range(15):
        write(tmp_path / "train" / "a" / f"{row}.png", photo(row))
        write(tmp_path / "test" / "a" / f"{row}.png", photo(100 + row))
    write(tmp_path / "test" / "a" / "small.jpg", cv2.resize(photo(4), (40, 30), interpolation=cv2.INTER_AREA), 60)
    (tmp_path / "test" / "a" / "same.png").write_bytes((tmp_path / "train" / "a" / "9.png").read_bytes())
    told = im.audit(tmp_path, checks=["copies"]).to_dict()["pairs"]
    assert [(set(one["images"]), set(one["parts"])) for one in told] == [
        ({"train/a/9.png", "test/a/same.png"}, {"train", "test"}),
        ({"train/a/4.png", "test/a/small.jpg"}, {"train", "test"}),
    ]
    assert told[0]["score"] == CERTAIN > told[1]["score"] > 0
    assert [one["how"] for one in told] == ["the same bytes", "re-encoded, resized or recoloured"]


def test_volumes_are_copies_when_their_voxels_are_equal_and_not_when_they_look_alike(tmp_path: Path) -> None:
    """Two phases of one patient look as alike as a copy that was saved again."""
    draws = np.random.default_rng(0)
    scans = [cv2.GaussianBlur(draws.normal(100, 40, (40, 44, 6)), (0, 0), 2).astype(np.int16) for _ in range(6)]
    scans.append(scans[2] + draws.integers(0, 2, scans[2].shape).astype(np.int16))
    scans.append(scans[3].copy())
    volumes = [im.Image(np.ascontiguousarray(np.moveaxis(scan, -1, 0)), "zyx") for scan in scans]
    found = im.audit(im.from_arrays([one.array for one in volumes], axes="zyx"), checks=["copies"])
    pairs = [(int(a), int(b)) for a, b in zip(found.survey.pairs.first, found.survey.pairs.second, strict=True)]
    assert pairs == [(3, 7)]


def stroke(seed: int) -> Array:
    """One stroke of a pen, upright more or less: strokes of other hands can be moved onto it."""
    draws = np.random.default_rng(seed)
    along, bend = np.linspace(-1, 1, 9), draws.normal(0, 5)
    angle, half = np.radians(draws.normal(75, 12)), draws.uniform(30, 40)
    x = 56 + half * along * np.cos(angle) + bend * (1 - along**2) * np.sin(angle) + draws.normal(0, 0.6, 9)
    y = 56 - half * along * np.sin(angle) + bend * (1 - along**2) * np.cos(angle) + draws.normal(0, 0.6, 9)
    canvas = np.zeros((112, 112), np.uint8)
    line = np.stack([x, y], axis=1).round().astype(np.int32)
    cv2.polylines(canvas, [line], False, 255, int(draws.integers(7, 15)), cv2.LINE_AA)
    return np.repeat(cv2.resize(canvas, (32, 32), interpolation=cv2.INTER_AREA)[..., None], 3, axis=2)


def test_strokes_that_look_alike_are_no_copies_and_copies_of_strokes_are() -> None:
    strokes = np.stack([stroke(seed) for seed in range(300)])
    copies = [strokes[5][:, ::-1], np.rot90(strokes[9]), strokes[12] // 2 + 10]
    found = alike(np.concatenate([strokes, np.stack(copies)]), 3.0)
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    planted = {(5, 300), (9, 301), (12, 302)}
    assert planted <= pairs
    # One in e sets may have a chance pair; some twenty had so much in common that they counted.
    assert len(pairs - planted) <= 1


def test_strokes_that_all_have_a_copy_are_told_from_those_that_look_alike() -> None:
    strokes = np.stack([stroke(seed) for seed in range(120)])
    found = alike(np.concatenate([strokes, strokes[:, :, ::-1]]), 3.0)
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    copies = {(row, row + 120) for row in range(120)}
    assert len(pairs & copies) >= 118
    assert len(pairs - copies) <= 2


def test_a_pair_in_two_classes_needs_more_than_one_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows 0 to 2 are cats, 3 to 5 dogs."""
    rows, others = np.array([0, 0, 1, 3]), np.array([1, 3, 4, 5])
    made = Pairs(rows, others, ("turned",) * 4, np.array([0.1, 0.5, 0.9, 0.1]))
    monkeypatch.setattr("imagemill.audits.survey.pairs_of", lambda *_: made)
    kept = survey(source_of(folder(tmp_path, 3))).pairs
    assert list(zip(kept.first.tolist(), kept.second.tolist(), strict=True)) == [(0, 1), (1, 4), (3, 5)]
    assert kept.how == ("turned",) * 3
    assert kept.score.tolist() == [0.1, 0.9, 0.1]
