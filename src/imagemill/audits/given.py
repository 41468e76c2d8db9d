"""What was given beside the dataset, for checks that ask for more than its images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imagemill.audits.attribute_table import Attributes
from imagemill.audits.given_features import GivenFeatures
from imagemill.audits.networks.own_network import OwnNetwork

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
    attributes : Attributes
        What was said of attributes: a table of their own, and the share that their values should have.
    features : GivenFeatures or None
        In place of those learnt from the images.
    network : OwnNetwork or None
        What wrong labels are told by, in place of features.
    """

    against: Survey | None = None
    attributes: Attributes = field(default_factory=Attributes)
    features: GivenFeatures | None = None
    network: OwnNetwork | None = None
