"""``RandomFlipLeftRight``, ``RandomResizedCrop``, ``Compose`` and the others, as parts of one pipeline.

>>> from imagemill.compat.gluon import transforms
>>> chain = transforms.Compose([transforms.RandomFlipLeftRight(), transforms.ToTensor()])
>>> [type(transform).__name__ for transform in chain.pipeline.transforms]
['Flip', 'Rescale', 'ToDtype', 'ToLayout']
"""

from imagemill.feed.compat.gluon import *  # noqa: F403  the list of names is __all__ of the module it comes from
from imagemill.feed.compat.gluon import __all__ as __all__
