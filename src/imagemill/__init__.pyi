"""The public names: this stub is the list, the runtime reads the same one lazily."""

from imagemill.app.figures import before_after as before_after
from imagemill.app.figures import grid as grid
from imagemill.core.box_rules import BoxRules as BoxRules
from imagemill.core.errors import CodecError as CodecError
from imagemill.core.errors import DiskError as DiskError
from imagemill.core.errors import ImagemillError as ImagemillError
from imagemill.core.errors import InputError as InputError
from imagemill.core.errors import MissingExtra as MissingExtra
from imagemill.core.errors import ParameterError as ParameterError
from imagemill.core.errors import PipelineFileError as PipelineFileError
from imagemill.core.errors import PlanError as PlanError
from imagemill.core.errors import SourceError as SourceError
from imagemill.core.errors import TargetError as TargetError
from imagemill.core.errors import WorkerError as WorkerError
from imagemill.core.geometry import Frame as Frame
from imagemill.core.ranges import Choice as Choice
from imagemill.core.ranges import LogUniform as LogUniform
from imagemill.core.ranges import Normal as Normal
from imagemill.core.ranges import Range as Range
from imagemill.core.sample import Applied as Applied
from imagemill.core.sample import Batch as Batch
from imagemill.core.sample import Recipe as Recipe
from imagemill.core.sample import Sample as Sample
from imagemill.core.targets import Boxes as Boxes
from imagemill.core.targets import Image as Image
from imagemill.core.targets import Keypoints as Keypoints
from imagemill.core.targets import Label as Label
from imagemill.core.targets import Mask as Mask
from imagemill.data import RLE as RLE
from imagemill.data import Blob as Blob
from imagemill.data import Instance as Instance
from imagemill.data import Picture as Picture
from imagemill.data import Record as Record
from imagemill.data import Source as Source
from imagemill.data import Stored as Stored
from imagemill.data import formats as formats
from imagemill.data import from_arrays as from_arrays
from imagemill.data import image_size as image_size
from imagemill.data import open_source as open_source
from imagemill.data import orient_instances as orient_instances
from imagemill.data import read_mask as read_mask
from imagemill.data import read_picture as read_picture
from imagemill.data import register_codec as register_codec
from imagemill.data import register_layout as register_layout
from imagemill.data import write_picture as write_picture
from imagemill.data.dataset import Dataset as Dataset
from imagemill.data.dataset import open as open
from imagemill.data.web.fetch import fetch as fetch
from imagemill.feed import FeedTiming as FeedTiming
from imagemill.feed import LoadedBatch as LoadedBatch
from imagemill.feed import Loader as Loader
from imagemill.feed import time_feed as time_feed
from imagemill.feed.adapters import augmented as augmented
from imagemill.feed.adapters import hf_transform as hf_transform
from imagemill.pipeline.lint import Finding as Finding
from imagemill.pipeline.pipeline import Pipeline as Pipeline
from imagemill.transforms.base import Transform as Transform
from imagemill.transforms.colour import Apply as Apply
from imagemill.transforms.colour import Brightness as Brightness
from imagemill.transforms.colour import ChannelGain as ChannelGain
from imagemill.transforms.colour import ColorJitter as ColorJitter
from imagemill.transforms.colour import Contrast as Contrast
from imagemill.transforms.colour import GainOffset as GainOffset
from imagemill.transforms.colour import Gamma as Gamma
from imagemill.transforms.colour import Gray as Gray
from imagemill.transforms.colour import Hue as Hue
from imagemill.transforms.colour import Invert as Invert
from imagemill.transforms.colour import Lighting as Lighting
from imagemill.transforms.colour import Normalize as Normalize
from imagemill.transforms.colour import Rescale as Rescale
from imagemill.transforms.colour import Saturation as Saturation
from imagemill.transforms.colour import Standardize as Standardize
from imagemill.transforms.colour import ToDtype as ToDtype
from imagemill.transforms.colour import ToLayout as ToLayout
from imagemill.transforms.colour import ToneGain as ToneGain
from imagemill.transforms.combine import OneOf as OneOf
from imagemill.transforms.combine import Sequential as Sequential
from imagemill.transforms.combine import SomeOf as SomeOf
from imagemill.transforms.geometric import Affine as Affine
from imagemill.transforms.geometric import Crop as Crop
from imagemill.transforms.geometric import Elastic as Elastic
from imagemill.transforms.geometric import Flip as Flip
from imagemill.transforms.geometric import Pad as Pad
from imagemill.transforms.geometric import Perspective as Perspective
from imagemill.transforms.geometric import QuarterTurn as QuarterTurn
from imagemill.transforms.geometric import RandomResizedCrop as RandomResizedCrop
from imagemill.transforms.geometric import Resample as Resample
from imagemill.transforms.geometric import Resize as Resize
from imagemill.transforms.geometric import Rotate as Rotate
from imagemill.transforms.geometric import Shear as Shear
from imagemill.transforms.geometric import Shift as Shift
from imagemill.transforms.geometric import SquareCrop as SquareCrop
from imagemill.transforms.geometric import Zoom as Zoom
from imagemill.transforms.presets import PRESETS as PRESETS
from imagemill.transforms.presets import preset as preset
from imagemill.verbs.augment.augment import AugmentReport as AugmentReport
from imagemill.verbs.augment.augment import augment as augment
from imagemill.verbs.augment.replay import Verification as Verification
from imagemill.verbs.augment.replay import replay as replay
from imagemill.verbs.augment.replay import replay_all as replay_all
from imagemill.verbs.augment.replay import verify as verify
from imagemill.verbs.export.export import export as export
from imagemill.verbs.prepare import PrepareReport as PrepareReport
from imagemill.verbs.prepare import prepare as prepare
from imagemill.verbs.scan.scan import ScanReport as ScanReport
from imagemill.verbs.scan.scan import scan as scan

__version__: str

__all__ = [
    "PRESETS",
    "RLE",
    "Affine",
    "Applied",
    "Apply",
    "AugmentReport",
    "Batch",
    "Blob",
    "BoxRules",
    "Boxes",
    "Brightness",
    "ChannelGain",
    "Choice",
    "CodecError",
    "ColorJitter",
    "Contrast",
    "Crop",
    "Dataset",
    "DiskError",
    "Elastic",
    "FeedTiming",
    "Finding",
    "Flip",
    "Frame",
    "GainOffset",
    "Gamma",
    "Gray",
    "Hue",
    "Image",
    "ImagemillError",
    "InputError",
    "Instance",
    "Invert",
    "Keypoints",
    "Label",
    "Lighting",
    "LoadedBatch",
    "Loader",
    "LogUniform",
    "Mask",
    "MissingExtra",
    "Normal",
    "Normalize",
    "OneOf",
    "Pad",
    "ParameterError",
    "Perspective",
    "Picture",
    "Pipeline",
    "PipelineFileError",
    "PlanError",
    "PrepareReport",
    "QuarterTurn",
    "RandomResizedCrop",
    "Range",
    "Recipe",
    "Record",
    "Resample",
    "Rescale",
    "Resize",
    "Rotate",
    "Sample",
    "Saturation",
    "ScanReport",
    "Sequential",
    "Shear",
    "Shift",
    "SomeOf",
    "Source",
    "SourceError",
    "SquareCrop",
    "Standardize",
    "Stored",
    "TargetError",
    "ToDtype",
    "ToLayout",
    "ToneGain",
    "Transform",
    "Verification",
    "WorkerError",
    "Zoom",
    "__version__",
    "augment",
    "augmented",
    "before_after",
    "export",
    "fetch",
    "formats",
    "from_arrays",
    "grid",
    "hf_transform",
    "image_size",
    "open",
    "open_source",
    "orient_instances",
    "prepare",
    "preset",
    "read_mask",
    "read_picture",
    "register_codec",
    "register_layout",
    "replay",
    "replay_all",
    "scan",
    "time_feed",
    "verify",
    "write_picture",
]
