"""Transforms of colour, value range and type."""

from imagemill.transforms.colour.apply import Apply
from imagemill.transforms.colour.brightness import Brightness
from imagemill.transforms.colour.channel_gain import ChannelGain
from imagemill.transforms.colour.color_jitter import ColorJitter
from imagemill.transforms.colour.contrast import Contrast
from imagemill.transforms.colour.gain_offset import GainOffset
from imagemill.transforms.colour.gamma import Gamma
from imagemill.transforms.colour.gray import Gray
from imagemill.transforms.colour.hue import Hue
from imagemill.transforms.colour.invert import Invert
from imagemill.transforms.colour.lighting import Lighting
from imagemill.transforms.colour.normalize import Normalize
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.saturation import Saturation
from imagemill.transforms.colour.standardize import Standardize
from imagemill.transforms.colour.to_dtype import ToDtype
from imagemill.transforms.colour.to_layout import ToLayout
from imagemill.transforms.colour.tone_gain import ToneGain

__all__ = [
    "Apply",
    "Brightness",
    "ChannelGain",
    "ColorJitter",
    "Contrast",
    "GainOffset",
    "Gamma",
    "Gray",
    "Hue",
    "Invert",
    "Lighting",
    "Normalize",
    "Rescale",
    "Saturation",
    "Standardize",
    "ToDtype",
    "ToLayout",
    "ToneGain",
]
