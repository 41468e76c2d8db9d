"""What a dataset is: its layout and why, how many of what, what could not be read, licences and sources."""

from __future__ import annotations

from imagemill.verbs.scan.image_facts import kind_of
from imagemill.verbs.scan.licences import Licences
from imagemill.verbs.scan.scan import ScanReport, scan

__all__ = [
    "Licences",
    "ScanReport",
    "kind_of",
    "scan",
]
