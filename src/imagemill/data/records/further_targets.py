"""Further images and maps of a record as the targets a pipeline moves."""

from __future__ import annotations

from imagemill.core.targets import Image, Map, Target
from imagemill.data.codecs.base import Picture, problem
from imagemill.data.records.loading import load_picture, pixels_name
from imagemill.data.records.record import Record

__all__ = ["further_of"]


def further_of(record: Record, like: Picture) -> dict[str, Target]:
    """Read what a record has besides its image, by name, as it is stored.

    Parameters
    ----------
    record : Record
    like : Picture
        Its image.

    Raises
    ------
    CodecError
        When one cannot be read, or has another size than the image.
    """
    found: dict[str, Target] = {}
    for name, one in record.further.items():
        picture = load_picture(one.pixels)
        if picture.spatial_shape != like.spatial_shape:
            shown = " x ".join(map(str, picture.spatial_shape))
            wanted = " x ".join(map(str, like.spatial_shape))
            raise problem(
                pixels_name(one.pixels), f"{name} of {wanted}, as its image is", shown, "bring both to one size first"
            )
        kind = Map if one.kind == "map" else Image
        found[name] = kind(picture.array, picture.axes, picture.spacing, picture.affine)
    return found
