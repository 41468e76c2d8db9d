"""``ImageDataGenerator``, its iterators and its functions, run by this library's engine."""

from imagemill.feed.compat.keras.affine import apply_affine_transform, flip_axis, transform_matrix_offset_center
from imagemill.feed.compat.keras.arrays import NumpyArrayIterator
from imagemill.feed.compat.keras.colour import apply_brightness_shift, apply_channel_shift
from imagemill.feed.compat.keras.dataframe import DataFrameIterator
from imagemill.feed.compat.keras.directory import DirectoryIterator
from imagemill.feed.compat.keras.generator import ImageDataGenerator
from imagemill.feed.compat.keras.images import (
    array_to_img,
    img_to_array,
    list_pictures,
    load_img,
    save_img,
    validate_filename,
)
from imagemill.feed.compat.keras.iterator import Iterator
from imagemill.feed.compat.keras.random import (
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "list_pictures",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "transform_matrix_offset_center",
    "validate_filename",
]
