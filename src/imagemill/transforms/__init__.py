"""All transforms. Importing this package fills the registry that pipeline files are read with."""

from imagemill.transforms.colour import *  # noqa: F403  (the rooms list their names)
from imagemill.transforms.colour import normalize as _normalize
from imagemill.transforms.combine import OneOf as OneOf
from imagemill.transforms.combine import Sequential as Sequential
from imagemill.transforms.combine import SomeOf as SomeOf
from imagemill.transforms.geometric import *  # noqa: F403
from imagemill.transforms.reading import line_for as line_for

NORMALIZE_PRESETS = _normalize.PRESETS
