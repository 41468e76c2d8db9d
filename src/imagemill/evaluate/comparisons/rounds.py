"""Training all arms of a comparison: one seed with every arm before the next, so that it can end after any of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from imagemill.evaluate.comparisons.kept_runs import KeptRuns
from imagemill.evaluate.comparisons.time_budget import OutOfTime, TimeBudget, TooShortError, in_words
from imagemill.evaluate.inputs.arms import CLEAN, NONE, Arm
from imagemill.evaluate.runners.ranks import Ranks
from imagemill.evaluate.runners.recipe import Epoch, Trained
from imagemill.evaluate.statistics.intervals import FEWEST_SEEDS, detectable
from imagemill.evaluate.statistics.overlap import dice

__all__ = ["MOST_SEEDS", "Rounds", "Step", "or_diverged"]

MOST_SEEDS = 1000
"""Where a budget alone says how many."""

TrainOne = Callable[[Arm, int, Callable[[int, Epoch], None]], Trained]


@dataclass(frozen=True, slots=True)
class Step:
    """Where a comparison is: one epoch of one run was done, or the whole run was there already.

    Parameters
    ----------
    arm : str
    seed, number, runs : int
        Which run it is, from 1, and how many there will be: with a budget, as many as are expected to fit.
    epoch, epochs : int
    said : Epoch or None
        None for a run that was there already.
    left : float or None
        Seconds that the rest is expected to take; None before anything was measured.
    outlook : str
        How many seeds fit into the budget and what they could show: said once, after the first seed.
    right : mapping of str to float, or None
        Of a run that is done, the share of right answers by population, empty where it diverged; None within a run.
    """

    arm: str
    seed: int
    number: int
    runs: int
    epoch: int
    epochs: int
    said: Epoch | None = None
    left: float | None = None
    outlook: str = ""
    right: Mapping[str, float] | None = None


@dataclass(slots=True)
class Rounds:
    """The runs of a comparison, trained seed by seed until all are done or the budget is.

    Parameters
    ----------
    arms : sequence of Arm
    kept : KeptRuns
    train : callable
        ``train(arm, seed, on_epoch)``.
    epochs : int or mapping of str to int
        Of every run, or by the names of arms.
    most : int
        Seeds at most.
    budget : TimeBudget
    labels : mapping of str to array ``[n]`` or ``[n, (z,) y, x]``
        True classes or label maps by population.
    progress : callable, optional
    ranks : Ranks
        Of several processes the first decides what is trained, by its files and its clock.
    """

    arms: Sequence[Arm]
    kept: KeptRuns
    train: TrainOne
    epochs: int | Mapping[str, int]
    most: int
    budget: TimeBudget
    labels: Mapping[str, np.ndarray]
    progress: Callable[[Step], None] | None = None
    ranks: Ranks = Ranks()  # noqa: RUF009 -- a frozen value
    done: list[Trained] = field(default_factory=list)
    _outlook: str = ""

    @property
    def seeds(self) -> int:
        """How many are complete."""
        return len(self.done) // len(self.arms)

    @property
    def ended(self) -> str:
        """Why there are fewer seeds than were asked for; empty where there are not."""
        if self.seeds == self.most or self.budget.minutes is None:
            return ""
        done = _counted(self.seeds, "seed") + (f" of {self.most}" if self.most < MOST_SEEDS else "")
        return (
            f"the budget of {_counted(self.budget.minutes, 'minute')} ended it with {done} done; "
            "the same with a larger budget goes on from there"
        )

    def run(self) -> list[Trained]:
        """All runs of the seeds that are complete, by seed and then by arm.

        Raises
        ------
        TooShortError
            When the budget is over, or is seen not to last, before one seed is complete.
        """
        for seed in range(self.most):
            there = self.ranks.share({arm.name: self.kept.get(arm.name, seed) for arm in self.arms})
            missing = sum(run is None for run in there.values())
            if missing and self.seeds and not self.ranks.share(self.budget.allows(missing)):
                break
            try:
                self.done += [self._one(arm, seed, place, there) for place, arm in enumerate(self.arms, start=1)]
            except OutOfTime:
                break
            if seed == 0 and self.budget.minutes is not None:
                self._outlook = self._said(there)
        if not self.seeds:
            self._too_short()
        return self.done

    def _epochs(self, arm: Arm) -> int:
        return self.epochs if isinstance(self.epochs, int) else self.epochs[arm.name]

    def _one(self, arm: Arm, seed: int, place: int, there: dict[str, Trained | None]) -> Trained:
        run, epochs = there[arm.name], self._epochs(arm)
        if run is not None:
            self.budget.learn(run.seconds)
            self._tell(arm, seed, place, epochs, done=run)
            return run
        # Until one seed is complete, what cannot be completed is not gone on with.
        waiting = sum(one is None for one in there.values())
        if place > 1 and not self.seeds and not self.ranks.share(self.budget.allows(waiting)):
            raise OutOfTime
        last: list[tuple[int, Epoch]] = []
        with self.budget.piece() as part:

            def on_epoch(epoch: int, said: Epoch) -> None:
                part(epoch / epochs)
                # The last one is told together with what the network then says of the test images.
                if epoch == epochs or not math.isfinite(said.loss):
                    last.append((epoch, said))
                    return
                self._tell(arm, seed, place, epoch, said=said)
                if self.ranks.share(self.budget.over):
                    raise OutOfTime

            found = there[arm.name] = or_diverged(self.train(arm, seed, on_epoch))
        self.kept.put(found)
        for epoch, said in last:
            self._tell(arm, seed, place, epoch, said=said, done=found)
        return found

    def _tell(
        self, arm: Arm, seed: int, place: int, epoch: int, *, said: Epoch | None = None, done: Trained | None = None
    ) -> None:
        if self.progress is None:
            return
        number, epochs = seed * len(self.arms) + place, self._epochs(arm)
        runs = len(self.arms) * self._planned(seed, number - 1 + epoch / epochs)
        left = self.budget.expected(runs - number + 1 - epoch / epochs)
        outlook, self._outlook = self._outlook, ""
        right = None if done is None else self._right(done)
        self.progress(Step(arm.name, seed, number, runs, epoch, epochs, said, left, outlook, right))

    def _right(self, run: Trained) -> dict[str, float]:
        """The accuracy, or the mean Dice, by population."""
        found = {}
        for name, answers in run.answers.items():
            truth = self.labels[name]
            if truth.ndim == 1:
                found[name] = float((answers.argmax(axis=1) == truth).mean())
            else:
                classes = range(1, int(truth.max()) + 1)
                pairs = list(zip(answers, truth, strict=True))
                found[name] = float(np.mean([dice(said == k, true == k) for said, true in pairs for k in classes]))
        return found

    def _planned(self, seed: int, done: float) -> int:
        """Seeds in all, as far as can be seen after some runs."""
        expected = self.budget.expected()
        if self.budget.minutes is None or not expected:
            return self.most if self.most < MOST_SEEDS else seed + 1
        # A thousandth of a run is no reason to leave a seed out.
        fit = (done + self.budget.left / expected + 1e-3) // len(self.arms)
        return max(seed + 1, min(self.most, int(fit)))

    def _said(self, first: Mapping[str, Trained | None]) -> str:
        """What fits, and what it could show, from the first seed alone."""
        seeds = min(self.most, 1 + (self.budget.fits(len(self.arms)) or 0))
        assert self.budget.minutes is not None
        given = _counted(self.budget.minutes, "minute")
        fit = f"about {_counted(seeds, 'seed')} in all will be done within the budget of {given}"
        if seeds < FEWEST_SEEDS:
            return f"{fit}, and under {FEWEST_SEEDS} there is no verdict; give more minutes, or fewer epochs"
        deviation = self._deviation(first)
        if not deviation:
            return fit
        seen = detectable(deviation, seeds) * 100
        return f"{fit}; they could show differences from about {seen:.1f} points of accuracy on"

    def _deviation(self, first: Mapping[str, Trained | None]) -> float:
        """Of the differences between pairs, before there is more than one: as if images were right by chance.

        Source: McNemar (1947), Psychometrika 12: the difference of two shares of the same images has the variance of
        the images on which the two disagree.
        """
        if self.labels[CLEAN].ndim > 1:  # of a Dice nothing is known before there are two pairs
            return 0.0
        right = {
            name: run.probabilities[CLEAN].argmax(axis=1) == self.labels[CLEAN]
            for name, run in first.items()
            if run is not None and run.diverged is None
        }
        bare = right.pop(NONE, None)
        if bare is None or not right:
            return 0.0
        return max(math.sqrt(float((one != bare).sum())) / len(bare) for one in right.values())

    def _too_short(self) -> None:
        minutes = self.budget.minutes
        assert minutes is not None
        expected = self.budget.expected(len(self.arms))
        takes = f", which takes about {in_words(expected)}" if expected else ""
        kept = f"; what was trained is kept in {self.kept.out}" if self.kept.out is not None else ""
        raise TooShortError(
            f"expected a budget in which one seed of {len(self.arms)} arms can be trained{takes}, got "
            f"{_counted(minutes, 'minute')}; give more, or fewer epochs{kept}"
        )


def or_diverged(run: Trained) -> Trained:
    """A run whose loss was a number to the end, and whose answers are none, diverged in its last epoch."""
    if all(np.isfinite(one).all() for one in run.probabilities.values()):
        return run
    return replace(run, probabilities={}, diverged=len(run.curve), predict=None, network=None)


def _counted(count: float, what: str) -> str:
    return f"{count:g} {what}{'' if count == 1 else 's'}"
