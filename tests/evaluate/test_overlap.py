"""Dice and Hausdorff distances against scikit-learn, scipy and a count by brute force; empty masks by the rule."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import distance
from sklearn.metrics import f1_score

from imagemill.core.errors import InputError
from imagemill.evaluate.statistics.overlap import dice, hausdorff_95, overlap_of
from imagemill.evaluate.statistics.scores import clustered, scores_of


def by_brute_force(mine: np.ndarray, truth: np.ndarray, spacing: tuple[float, ...], percent: float) -> float:
    """Every surface pixel against every other, neighbours looked up one by one."""

    def surface(mask: np.ndarray) -> np.ndarray:
        wide = np.pad(mask, 1)
        found = []
        for place in np.argwhere(wide):
            around = [place + side * unit for unit in np.eye(mask.ndim, dtype=int) for side in (-1, 1)]
            if not all(wide[tuple(one)] for one in around):
                found.append((place - 1) * spacing)
        return np.array(found)

    apart = distance.cdist(surface(mine), surface(truth))
    return max(np.percentile(apart.min(axis=1), percent), np.percentile(apart.min(axis=0), percent))


def blobs(seed: int, frame: tuple[int, ...]) -> np.ndarray:
    draws = np.random.default_rng(seed)
    grids = np.meshgrid(*(np.arange(side) for side in frame), indexing="ij")
    centre = [draws.uniform(0.3, 0.7) * side for side in frame]
    away = sum(((grid - at) / (0.3 * side)) ** 2 for grid, at, side in zip(grids, centre, frame, strict=True))
    return np.asarray(away) + draws.normal(0, 0.15, frame) < 1


@pytest.mark.parametrize(("frame", "spacing"), [((24, 17), (0.7, 1.3)), ((9, 14, 11), (5.0, 1.4, 1.4))])
@pytest.mark.parametrize("seed", range(3))
def test_distances_are_those_of_a_count_by_brute_force(
    frame: tuple[int, ...], spacing: tuple[float, ...], seed: int
) -> None:
    mine, truth = blobs(seed, frame), blobs(seed + 10, frame)
    assert hausdorff_95(mine, truth, spacing) == pytest.approx(by_brute_force(mine, truth, spacing, 95), rel=1e-12)
    assert hausdorff_95(truth, mine, spacing) == hausdorff_95(mine, truth, spacing)
    assert hausdorff_95(mine, truth) == pytest.approx(by_brute_force(mine, truth, (1.0,) * len(frame), 95), rel=1e-12)
    assert hausdorff_95(mine, mine, spacing) == 0.0


def test_dice_is_the_f1_of_scikit_learn_of_every_image_and_class() -> None:
    draws = np.random.default_rng(2)
    truth, answers = draws.integers(0, 4, (3, 8, 6)), draws.integers(0, 4, (3, 8, 6))
    found = overlap_of(answers, truth, 4)
    for row in range(3):
        expected = f1_score(truth[row].ravel(), answers[row].ravel(), labels=[1, 2, 3], average=None)
        np.testing.assert_allclose(found.dice[row], expected, rtol=1e-12)
    assert found.score == pytest.approx(found.dice.mean())
    assert found.items.shape == (3,)
    assert found.unit == "pixels"


def test_empty_masks_count_by_the_rule() -> None:
    empty, some = np.zeros((4, 5), bool), np.zeros((4, 5), bool)
    some[1, 2] = True
    assert (dice(empty, empty), dice(some, empty), dice(empty, some)) == (1.0, 0.0, 0.0)
    assert hausdorff_95(empty, empty) == 0.0
    corners = float(np.hypot(3 * 2.0, 4 * 0.5))
    assert hausdorff_95(some, empty, (2.0, 0.5)) == hausdorff_95(empty, some, (2.0, 0.5)) == pytest.approx(corners)
    truth = np.stack([some, empty, some]).astype(np.uint8)
    found = overlap_of(np.stack([some, empty, empty]).astype(np.uint8), truth, 2, np.full((3, 2), (2.0, 0.5)))
    assert found.dice.ravel().tolist() == [1.0, 1.0, 0.0]
    assert (found.absent, found.unit) == (1, "mm")
    assert found.to_dict()["hausdorff_95"] == pytest.approx(corners / 3)


def test_what_does_not_fit_is_refused() -> None:
    maps = np.zeros((2, 3, 3), np.uint8)
    with pytest.raises(InputError, match="label maps"):
        overlap_of(maps, maps[:1], 2)
    with pytest.raises(InputError, match="class numbers under 2, got up to 7"):
        overlap_of(maps + 7, maps, 2)


def test_both_tasks_give_one_score_an_item() -> None:
    said = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    right = scores_of(said, np.array([0, 1, 0]), 2)
    assert (right.items.tolist(), right.step) == ([1.0, 1.0, 0.0], 1 / 3)
    truth = np.zeros((2, 4, 4), np.uint8)
    truth[:, :2], truth[:, 3] = 1, 2
    answers = truth.copy()
    answers[0, 0] = 0
    overlap = scores_of(answers, truth, 3)
    assert overlap.measure.name == "Dice"
    np.testing.assert_allclose(overlap.items, [(2 * 4 / 12 + 1) / 2, 1.0])
    np.testing.assert_allclose(overlap.classes[1], [2 * 4 / 12, 1.0])
    assert overlap.step == 0.0


def test_scores_of_groups_keep_the_mean_of_the_items() -> None:
    draws = np.random.default_rng(3)
    table, groups = draws.random((4, 10)), draws.integers(0, 3, 10)
    found = clustered(table, groups)
    assert found.shape == (4, 3)
    np.testing.assert_allclose(found.mean(axis=1), table.mean(axis=1))
    np.testing.assert_array_equal(clustered(table, np.arange(10)), table)
    assert clustered(table, None) is table
