"""``ImageDataGenerator``, its iterators and its functions, run by this library's engine."""

from imagemill.compat.keras.affine import apply_affine_transform, flip_axis, transform_matrix_offset_center
from imagemill.compat.keras.channel_shift import apply_brightness_shift, apply_channel_shift
from imagemill.compat.keras.generator import ImageDataGenerator
from imagemill.compat.keras.iterators.arrays import NumpyArrayIterator
from imagemill.compat.keras.iterators.dataframe import DataFrameIterator
from imagemill.compat.keras.iterators.directory import DirectoryIterator
from imagemill.compat.keras.iterators.iterator import Iterator
from imagemill.compat.keras.pictures import (
    array_to_img,
    img_to_array,
    list_pictures,
    load_img,
    save_img,
    validate_filename,
)
from imagemill.compat.keras.random import (
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
