"""Further images and maps of a record as the targets a pipeline moves."""

from __future__ import annotations

from imagemill.core.targets import Array, Image, Map, Target
from imagemill.data.codecs.base import Picture, problem
from imagemill.data.records.loading import load_picture, pixels_name
from imagemill.data.records.record import Record

__all__ = ["as_further", "further_of", "further_pictures"]


def further_of(record: Record, like: Picture) -> dict[str, Target]:
    """What a record has besides its image as targets, by name; see :func:`further_pictures`."""
    return {
        name: as_further(record, name, picture, picture.array)
        for name, picture in further_pictures(record, like).items()
    }


def as_further(record: Record, name: str, picture: Picture, array: Array) -> Target:
    """A further image or map with these values, which lies where its file says."""
    kind = Map if record.further[name].kind == "map" else Image
    return kind(array, picture.axes, picture.spacing, picture.affine)


def further_pictures(record: Record, like: Picture) -> dict[str, Picture]:
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
    found: dict[str, Picture] = {}
    for name, one in record.further.items():
        picture = load_picture(one.pixels)
        if picture.spatial_shape != like.spatial_shape:
            shown = " x ".join(map(str, picture.spatial_shape))
            wanted = " x ".join(map(str, like.spatial_shape))
            raise problem(
                pixels_name(one.pixels), f"{name} of {wanted}, as its image is", shown, "bring both to one size first"
            )
        found[name] = picture
    return found
