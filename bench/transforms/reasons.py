"""Why a row is lost, where it is: looked into one by one."""

from __future__ import annotations

REASONS: dict[str, str] = {}
