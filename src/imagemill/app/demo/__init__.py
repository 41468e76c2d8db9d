"""The demonstration: the whole job on real pictures that installed packages bring along."""

from __future__ import annotations
