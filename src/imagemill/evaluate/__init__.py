"""The effect: does an augmentation help, by how much, and how sure is that.

Here: designs of comparisons, training the arms, metrics, intervals, verdicts. Not here: pages and tables for people
(`app`), and anything that changes pixels.
"""

from __future__ import annotations

from imagemill.evaluate.calibration import Calibration, calibrate
from imagemill.evaluate.compare import Data, Step, compare, read_data
from imagemill.evaluate.comparison import ClassChange, Comparison, Effect
from imagemill.evaluate.intervals import Difference
from imagemill.evaluate.networks import NETWORKS, Network
from imagemill.evaluate.training import Recipe

__all__ = [
    "NETWORKS",
    "Calibration",
    "ClassChange",
    "Comparison",
    "Data",
    "Difference",
    "Effect",
    "Network",
    "Recipe",
    "Step",
    "calibrate",
    "compare",
    "read_data",
]
