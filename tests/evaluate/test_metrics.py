"""Figures of a classifier against scikit-learn, and calibration against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sklearn

from imagemill.core.errors import InputError
from imagemill.evaluate.statistics.metrics import calibration_error, metrics_of


def test_every_figure_is_that_of_scikit_learn() -> None:
    draws = np.random.default_rng(5)
    said, truth = draws.dirichlet(np.ones(6), 400), draws.integers(0, 6, 400)
    truth[truth == 4] = 1  # a class without images
    found, called = metrics_of(said, truth), said.argmax(1)
    present = [0, 1, 2, 3, 5]
    precision, recall, f1, _ = sklearn.precision_recall_fscore_support(truth, called, labels=range(6), zero_division=0)
    np.testing.assert_array_equal(found.confusion, sklearn.confusion_matrix(truth, called, labels=range(6)))
    np.testing.assert_allclose(found.accuracy, sklearn.accuracy_score(truth, called))
    np.testing.assert_allclose(found.precision, precision)
    np.testing.assert_allclose(found.recall[present], recall[present])
    np.testing.assert_allclose(found.f1[present], f1[present])
    assert np.isnan(found.recall[4])
    plain = found.to_dict()
    assert plain["per_class"]["recall"][4] is None  # type: ignore[index]
    assert plain["recall"] == pytest.approx(recall[present].mean())


def test_calibration_is_counted_by_hand() -> None:
    # Two bins of 15 have images: 0.55 (four, half right) and 0.95 (two, both wrong).
    said = np.array([[0.55, 0.45]] * 4 + [[0.05, 0.95]] * 2)
    truth = np.array([0, 0, 1, 1, 0, 0])
    by_hand = (4 * abs(0.55 - 0.5) + 2 * abs(0.95 - 0.0)) / 6
    assert calibration_error(said, truth) == pytest.approx(by_hand)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="n labels"):
        metrics_of([[1.0, 0.0]], [0, 1])
    with pytest.raises(InputError, match="labels from 0 to 1, got 2 to 2"):
        metrics_of([[1.0, 0.0]], [2])
