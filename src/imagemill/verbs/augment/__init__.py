"""Augmented copies of every image as files with their annotations, the recipe of each, and making them again."""

from __future__ import annotations

from imagemill.verbs.augment.augment import augment
from imagemill.verbs.augment.augment_report import AugmentReport
from imagemill.verbs.augment.ledger import read_parameters, recorded
from imagemill.verbs.augment.one_copy import load as load_record
from imagemill.verbs.augment.replay import Verification, replay, replay_all, verify

__all__ = [
    "AugmentReport",
    "Verification",
    "augment",
    "load_record",
    "read_parameters",
    "recorded",
    "replay",
    "replay_all",
    "verify",
]
