"""The effect: does an augmentation help, by how much, and how sure is that.

Here: designs of comparisons, training the arms, metrics, intervals, verdicts, and what a page says of them. Not here:
how pages look (`pages`), what the terminal shows (`app`), and anything that changes pixels.
"""

from __future__ import annotations

from imagemill.evaluate.comparisons.calibration import Calibration, calibrate
from imagemill.evaluate.comparisons.compare import Step, compare
from imagemill.evaluate.comparisons.comparison import ClassChange, Comparison, Effect
from imagemill.evaluate.comparisons.time_budget import TimeBudget, in_words
from imagemill.evaluate.exchange.exchange_rate import ExchangeRate, ExchangeRates, Reached
from imagemill.evaluate.exchange.learning_curve import LearningCurve, Lookup, invert
from imagemill.evaluate.exchange.worth import worth
from imagemill.evaluate.experiments.experiment_file import Experiment, Study, known_experiments, read_experiment
from imagemill.evaluate.experiments.experiment_result import ExperimentResult
from imagemill.evaluate.experiments.run_experiment import run_experiment
from imagemill.evaluate.inputs.changes import Change
from imagemill.evaluate.inputs.experiment_data import Data, read_data
from imagemill.evaluate.recommendations.recommend import recommend
from imagemill.evaluate.recommendations.recommendation import Proposed, Recommendation
from imagemill.evaluate.runners.launch import several_processes
from imagemill.evaluate.runners.ranks import is_first_process, world_size
from imagemill.evaluate.runners.recipe import Epoch, Recipe
from imagemill.evaluate.runners.torch_networks import NETWORKS, Network
from imagemill.evaluate.screening.ablate import ablate
from imagemill.evaluate.screening.ablation import Ablation, Contribution
from imagemill.evaluate.screening.screen import screen
from imagemill.evaluate.screening.screened import Screened, Screening
from imagemill.evaluate.statistics.intervals import Difference
from imagemill.evaluate.stressing.profiles import Profile, Profiles
from imagemill.evaluate.stressing.profiling import profile
from imagemill.evaluate.stressing.stress import stress
from imagemill.evaluate.stressing.worst_case import WorstCase, WorstGrid

__all__ = [
    "NETWORKS",
    "Ablation",
    "Calibration",
    "Change",
    "ClassChange",
    "Comparison",
    "Contribution",
    "Data",
    "Difference",
    "Effect",
    "Epoch",
    "ExchangeRate",
    "ExchangeRates",
    "Experiment",
    "ExperimentResult",
    "LearningCurve",
    "Lookup",
    "Network",
    "Profile",
    "Profiles",
    "Proposed",
    "Reached",
    "Recipe",
    "Recommendation",
    "Screened",
    "Screening",
    "Step",
    "Study",
    "TimeBudget",
    "WorstCase",
    "WorstGrid",
    "ablate",
    "calibrate",
    "compare",
    "in_words",
    "invert",
    "is_first_process",
    "known_experiments",
    "profile",
    "read_data",
    "read_experiment",
    "recommend",
    "run_experiment",
    "screen",
    "several_processes",
    "stress",
    "world_size",
    "worth",
]
