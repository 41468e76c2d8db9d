"""What was given beside the dataset, for checks that ask for more than its images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imagemill.audits.survey import Survey

__all__ = ["Given"]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Each field is an argument of `audit` and an option of the command; a check reads it as ``survey.given.NAME``.

    Parameters
    ----------
    against : Survey or None
        Other images, such as those the network will see in use.
    """

    against: Survey | None = None
