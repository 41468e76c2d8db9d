"""Mixing: samples of a batch put together.

One a file: a new file is found by itself.
"""

from imagemill.transforms.finding import transforms_in

_found = transforms_in(__name__, __path__)
globals().update(_found)
__all__ = sorted(_found)
