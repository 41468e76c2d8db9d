"""Transforms that move pixels; each draws a matrix or a displacement, and no pixel is read twice."""

from __future__ import annotations

from imagemill.transforms.geometric.affine import Affine
from imagemill.transforms.geometric.crop import Crop
from imagemill.transforms.geometric.elastic import Elastic
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.pad import Pad
from imagemill.transforms.geometric.perspective import Perspective
from imagemill.transforms.geometric.quarter_turn import QuarterTurn
from imagemill.transforms.geometric.random_resized_crop import RandomResizedCrop
from imagemill.transforms.geometric.resample import Resample
from imagemill.transforms.geometric.resize import Resize
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shear import Shear
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.geometric.square_crop import SquareCrop
from imagemill.transforms.geometric.zoom import Zoom

__all__ = [
    "Affine",
    "Crop",
    "Elastic",
    "Flip",
    "Pad",
    "Perspective",
    "QuarterTurn",
    "RandomResizedCrop",
    "Resample",
    "Resize",
    "Rotate",
    "Shear",
    "Shift",
    "SquareCrop",
    "Zoom",
]
