"""The effect: does an augmentation help, by how much, and how sure is that.

Here: designs of comparisons, training the arms, metrics, intervals, verdicts. Not here: pages and tables for people
(`app`), and anything that changes pixels.
"""

from __future__ import annotations

from imagemill.evaluate.compare import Step, compare
from imagemill.evaluate.comparison import ClassChange, Comparison, Effect
from imagemill.evaluate.intervals import Difference
from imagemill.evaluate.networks import NETWORKS, Network

__all__ = ["NETWORKS", "ClassChange", "Comparison", "Difference", "Effect", "Network", "Step", "compare"]
