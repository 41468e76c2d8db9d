"""Which labels are wrong, how many, and how well wrong labels are found in this very dataset.

Classes are told from features out of fold, copies and groups kept together. A rate of wrong labels is fitted to the
scores, and each label gets the probability that it is wrong. Then labels are made wrong on purpose, and the same is
asked of them: at random, and to the class that resembles the true one most, which is the hardest to notice. What is
found of these says what the fitted rate is worth: what is noticed in one of two makes a rate that is half of the truth.
Errors that a whole kind of images shares are learnt as right, and not noticed at all.

Source: Rogan, Gladen (1978), "Estimating prevalence from the results of a screening test", American Journal of
Epidemiology 107, for the rate over the share that is noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from imagemill.audits.kernel_ridge import out_of_fold
from imagemill.audits.label_noise import fit_noise, planted

__all__ = ["CheckedLabel", "LabelCheck", "best_model", "check_labels", "check_told"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_WIDTHS = (0.05, 0.15, 0.45)
_PENALTIES = (0.003, 0.03, 0.3)
_TRIED = 1000
"""Images on which ways of telling are compared."""
_LANDMARKS = 3000
_PLANTINGS = 3
_MANY = 100
"""Classes above which labels are made wrong once each way: scores of all of them are large."""
_SMALL = 1000
_LEAST_SEEN = 0.2
"""Of planted errors: what is noticed less is taken as noticed so often, and the words say that there may be more."""


@dataclass(frozen=True, slots=True)
class CheckedLabel:
    """One label that was checked.

    Parameters
    ----------
    key : str
        Of the image.
    given, suggested : str
        Its class in the dataset, and what a model of the other images would call it.
    own, wrong : float, 0 to 1
        Probability of the given class, were no label wrong, and that the label is wrong.
    """

    key: str
    given: str
    suggested: str
    own: float
    wrong: float

    def to_dict(self) -> dict[str, str | float]:
        """Plain values that JSON can hold."""
        return {
            "key": self.key,
            "given": self.given,
            "suggested": self.suggested,
            "own": round(self.own, 6),
            "wrong": round(self.wrong, 6),
        }


@dataclass(frozen=True, slots=True, eq=False)
class LabelCheck:
    """What is known of the labels of some images.

    Parameters
    ----------
    given, suggested : array ``[n]`` of int
        Classes.
    own : array ``[n]``
        Probability of the given class, were no label wrong.
    wrong : array ``[n]``
        Probability that the label is wrong.
    accuracy : float
        Share of labels that the model says out of fold.
    rate, low, high : float, 0 to 1
        Share of wrong labels, were they at random; the interval reaches to what the fit would mean were all of them
        between the classes that resemble each other most. Errors that many images of a kind share are not in it.
    high_random : float, 0 to 1
        Where the interval would end were all of them at random.
    planted : float
        Share of labels that were made wrong on purpose.
    seen_random, seen_alike : float
        By how much the fitted rate grew for each of them, as a share: 1 when all were noticed.
    found_random, found_alike : float, 0 to 1
        Share of those made wrong that were among as many images, by rank, as the fitted rate says.
    """

    given: Rows
    suggested: Rows
    own: Floats
    wrong: Floats
    accuracy: float
    rate: float
    low: float
    high: float
    high_random: float
    planted: float
    seen_random: float
    seen_alike: float
    found_random: float
    found_alike: float

    @property
    def order(self) -> Rows:
        """Places of images, the most probably wrong label first."""
        return np.lexsort((self.own, -self.wrong))

    @property
    def tells(self) -> float:
        """By how much more than chance the list holds of labels made wrong at random: 1 at best, 0 by guessing."""
        return self.found_random - min(1.0, self.rate + self.planted)

    @property
    def hardly_seen(self) -> bool:
        """Whether of errors to the class most alike so few are noticed that the interval may end too low."""
        return self.seen_alike < _LEAST_SEEN

    @property
    def expected(self) -> int:
        """How many labels are wrong by the rate."""
        return round(self.rate * len(self.given))

    @property
    def listed(self) -> Rows:
        """The first of them: as many as are expected to be wrong, and those that are so more probably than not."""
        count = max(self.expected, int((self.wrong > 0.5).sum()))
        return self.order[:count] if (self.wrong > 0.5).any() else self.order[:0]


def best_model(
    features: npt.NDArray[np.float32], labels: Rows, folds: Rows, *, seed: int, widths: tuple[float, ...] = _WIDTHS
) -> tuple[float, float, float]:
    """The largest share of images whose class is told, and the width and penalty it is reached with.

    Parameters
    ----------
    features : array ``[n, d]`` float32
        As `scaled` gives them; at most 1,000 images are tried.
    labels, folds : array ``[n]``
    seed : int
    widths : tuple of float
        Of the kernel.
    """
    some = np.sort(np.random.Generator(np.random.Philox(seed)).permutation(len(features))[:_TRIED])
    features, labels, folds = features[some], labels[some], folds[some]
    classes, found = int(labels.max()) + 1, []
    for width in widths:
        for penalty in _PENALTIES:
            model = out_of_fold(
                features, folds, width=width, penalty=penalty, landmarks=len(features) // 2 + 1, seed=seed
            )
            told = float((model.scores(labels, classes).argmax(axis=1) == labels).mean())
            found.append((told, width, penalty))
    return max(found)


def check_labels(
    features: npt.NDArray[np.float32],
    labels: Rows,
    folds: Rows,
    *,
    rate: float = 0.04,
    level: float = 0.95,
    seed: int = 0,
    step: Callable[[], None] | None = None,
) -> LabelCheck:
    """Ask which labels are wrong.

    Parameters
    ----------
    features : array ``[n, d]`` float32
        As `scaled` gives them.
    labels : array ``[n]`` of int from 0
    folds : array ``[n]``
    rate : float, 0 to 1
        Share of labels to make wrong on purpose.
    level : float, 0 to 1
        Of the interval.
    seed : int
    step : callable, optional
        Called once for each fold that is done.

    Examples
    --------
    >>> from imagemill.audits.kernel_ridge import scaled
    >>> labels = np.tile([0, 1, 2], 100)
    >>> points = scaled(np.eye(3)[labels] * 6 + np.random.default_rng(0).normal(size=(300, 3)))
    >>> labels[7] = 2
    >>> found = check_labels(points, labels, np.arange(300) // 3 % 5)
    >>> int(found.order[0]), int(found.suggested[7]), bool(found.low < 1 / 300 < found.high)
    (7, 1, True)
    """
    _, width, penalty = best_model(features, labels, folds, seed=seed)
    model = out_of_fold(features, folds, width=width, penalty=penalty, landmarks=_LANDMARKS, seed=seed, step=step)
    return check_told(model.scores, labels, rate=rate, level=level, seed=seed)


def check_told(
    scores_of: Callable[[Rows, int], npt.NDArray[np.float32]],
    labels: Rows,
    *,
    rate: float = 0.04,
    level: float = 0.95,
    seed: int = 0,
) -> LabelCheck:
    """Ask which labels are wrong, of a model that has been trained.

    Parameters
    ----------
    scores_of : callable
        Given labels ``[n]`` and how many classes there are, scores ``[n, classes]`` that the model gives each image
        without having learnt from it. A model that is not trained anew for labels that were made wrong on purpose,
        which takes too long with networks, is asked as it is: what it would notice of them is told a little too well.
    labels : array ``[n]`` of int from 0
    rate, level, seed
        As `check_labels` takes them.
    """
    classes = int(labels.max()) + 1
    scores = scores_of(labels, classes)
    fit = fit_noise(scores, labels, level=level)
    told = scores.argmax(axis=1)
    # The softmax weighs scores with the shares of classes, which may change who is first.
    rows = np.arange(len(labels))
    likely = fit.true.argmax(axis=1)
    # Few labels are made wrong in a small set, so more often.
    tries = 1 if classes > _MANY else _PLANTINGS if len(labels) > _SMALL else 4 * _PLANTINGS
    ask = partial(_noticed, scores_of, labels, classes, fit.rate, rate, seed=seed, tries=tries)
    seen_random, found_random = ask(np.ones((classes, classes)))
    seen_alike, found_alike = ask(_alike(scores, labels, classes))
    ends = [min(1.0, fit.high / min(1.0, max(_LEAST_SEEN, seen))) for seen in (seen_random, seen_alike)]
    return LabelCheck(
        labels, likely, fit.true[rows, labels].astype(np.float64), fit.wrong,
        float((told == labels).mean()),
        rate=fit.rate,
        low=fit.low / max(1.0, seen_random, seen_alike),
        high=max(ends), high_random=ends[0],
        planted=rate, seen_random=seen_random, seen_alike=seen_alike,
        found_random=found_random, found_alike=found_alike,
    )  # fmt: skip


def _alike(scores: npt.NDArray[np.float32], labels: Rows, classes: int) -> Floats:
    """For each class a 1 at the other class that its images score highest in."""
    means = np.zeros((classes, classes))
    for label in range(classes):
        means[label] = scores[labels == label].mean(axis=0)
    means[np.diag_indices(classes)] = -np.inf
    return np.asarray(np.eye(classes)[means.argmax(axis=1)], np.float64)


def _noticed(
    scores: Callable[[Rows, int], npt.NDArray[np.float32]],
    labels: Rows,
    classes: int,
    before: float,
    rate: float,
    like: Floats,
    *,
    seed: int,
    tries: int,
) -> tuple[float, float]:
    """By how much the rate grows for each label made wrong, and the share of those that the list would hold."""
    grown, held = [], []
    for number in range(tries):
        made, rows = planted(labels, rate, np.random.Generator(np.random.Philox([seed, number])), like)
        fit = fit_noise(scores(made, classes), made)
        grown.append((fit.rate - before) / (len(rows) / len(labels)))
        listed = np.argsort(-fit.wrong, kind="stable")[: round(fit.rate * len(labels))]
        held.append(float(np.isin(rows, listed).mean()))
    return float(np.mean(grown)), float(np.mean(held))
