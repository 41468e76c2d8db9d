"""Is a dataset fit to train on: copies and leaks, shortcuts, balance, quality, annotations.

Here: one look at every image, and checks that say what they found or why they were not asked. Not here: what measures
a trained network (`evaluate`), and anything that changes images.
"""

from __future__ import annotations

from imagemill.audits.audit import CHECKS, Audit, audit
from imagemill.audits.clusters import Cluster
from imagemill.audits.settings import Settings
from imagemill.core.findings import LEVELS

__all__ = ["CHECKS", "LEVELS", "Audit", "Cluster", "Settings", "audit"]
