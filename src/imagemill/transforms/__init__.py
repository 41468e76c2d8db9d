"""All transforms. Importing this package fills the registry that pipeline files are read with."""

from imagemill.core.geometry import Frame as Frame
from imagemill.core.randomness.rng import Draws as Draws
from imagemill.core.ranges import OptionalPerAxis as OptionalPerAxis
from imagemill.core.ranges import OptionalRandom as OptionalRandom
from imagemill.core.ranges import PerAxis as PerAxis
from imagemill.core.ranges import Random as Random
from imagemill.transforms.adapting import *  # noqa: F403  (the rooms list their names)
from imagemill.transforms.base import Transform as Transform
from imagemill.transforms.base import border_option as border_option
from imagemill.transforms.base import one_of as one_of
from imagemill.transforms.base import option as option
from imagemill.transforms.base import order_option as order_option
from imagemill.transforms.base import param as param
from imagemill.transforms.base import sampling as sampling
from imagemill.transforms.colour import *  # noqa: F403  (the rooms list their names)
from imagemill.transforms.colour import normalize as _normalize
from imagemill.transforms.combine import OneOf as OneOf
from imagemill.transforms.combine import Sequential as Sequential
from imagemill.transforms.combine import SomeOf as SomeOf
from imagemill.transforms.corruptions import Corruption as Corruption
from imagemill.transforms.cropping import *  # noqa: F403
from imagemill.transforms.filter import *  # noqa: F403
from imagemill.transforms.geometric import *  # noqa: F403
from imagemill.transforms.medical import *  # noqa: F403
from imagemill.transforms.mixing import *  # noqa: F403
from imagemill.transforms.noise import *  # noqa: F403
from imagemill.transforms.occlusion import *  # noqa: F403
from imagemill.transforms.per_class import PerClass as PerClass
from imagemill.transforms.plain_declarations import declared as declared
from imagemill.transforms.plain_declarations import nodes_of as nodes_of
from imagemill.transforms.plain_declarations import tables as tables
from imagemill.transforms.quality import *  # noqa: F403
from imagemill.transforms.reading import line_for as line_for
from imagemill.transforms.schedule import Schedule as Schedule
from imagemill.transforms.traits import Reach as Reach
from imagemill.transforms.traits import Traits as Traits
from imagemill.transforms.weather import *  # noqa: F403

NORMALIZE_PRESETS = _normalize.PRESETS
