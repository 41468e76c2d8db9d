"""The names of this room: the only list of them, which the package reads when it is imported."""

from imagemill.core.extras import require as require
from imagemill.core.geometry import peak_of as peak_of
from imagemill.core.grids import placed as placed
from imagemill.core.looking import has_screen as has_screen
from imagemill.core.looking import notebook_display as notebook_display
from imagemill.core.randomness.rng import hash_key as hash_key
from imagemill.core.targets import as_target as as_target
