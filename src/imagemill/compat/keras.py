"""``ImageDataGenerator``, its iterators and its functions; see ``docs/how-to/from-keras-imagedatagenerator.md``.

>>> from imagemill.compat.keras import ImageDataGenerator
>>> ImageDataGenerator(zoom_range=0.2).zoom_range
[0.8, 1.2]
"""

from imagemill.feed.compat.keras import *  # noqa: F403  the list of names is __all__ of the module it comes from
from imagemill.feed.compat.keras import __all__ as __all__
