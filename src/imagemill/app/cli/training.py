"""What the commands that train networks have in common."""

from __future__ import annotations

import sys

__all__ = ["MODEL_HELP", "this_command"]

MODEL_HELP = (
    "dense, cnn, cnn-16, dense-1024, dense-deep, dense-dropout, resnet18(-16); unet, unet-slices for label maps; or "
    "FILE.py with build(shape, classes)."
)


def this_command() -> list[str]:
    """What further processes of the command that runs now have to run."""
    return ["-m", "imagemill", *sys.argv[1:]]
