"""Where a volume lies, from its header alone; and the files that a picture has beside its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import CodecError
from imagemill.data.codecs.base import problem
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.sniff import sniff
from imagemill.data.codecs.volumes.metaimage import metaimage_header
from imagemill.data.codecs.volumes.nifti import nifti_place
from imagemill.data.codecs.volumes.nrrd import nrrd_header
from imagemill.data.codecs.volumes.text_header import VoxelHeader, data_files, header_text
from imagemill.data.records.record import split_suffix

__all__ = ["DETACHED", "files_of", "header_shape", "volume_place"]

DETACHED = {".mhd": ".mha", ".nhdr": ".nrrd"}
"""Headers whose pixels are in another file, and the format that holds both in one."""

_HEADERS = {"metaimage": metaimage_header, "nrrd": nrrd_header}
_KINDS = {".mha": "metaimage", ".mhd": "metaimage", ".nrrd": "nrrd", ".nhdr": "nrrd"}


def _header(path: Path, data: bytes | None) -> VoxelHeader | None:
    start = header_text(path, data)
    kind = sniff(start) or _KINDS.get(split_suffix(path)[1].lower(), "")
    return _HEADERS[kind](path, start) if kind in _HEADERS else None


@guarded("the header of a volume")
def volume_place(path: Path, data: bytes | None = None) -> tuple[tuple[int, ...], npt.NDArray[np.float64]]:
    """Read shape ``(z, y, x)`` and the affine of a volume from its header alone.

    Parameters
    ----------
    path : Path
    data : bytes or None
        The content, where it is not a file of its own.

    Raises
    ------
    CodecError
    """
    header = _header(path, data)
    if header is None:
        return nifti_place(path, data)
    if header.affine is None or len(header.shape) != 3:
        raise problem(path, "a volume", f"a picture of shape {header.shape}", "choose a layout for pictures")
    return header.shape, header.affine


@guarded("the header of a volume")
def header_shape(path: Path, data: bytes | None = None) -> tuple[int, ...]:
    """Lengths of the axes in space, of MetaImage and NRRD.

    Raises
    ------
    CodecError
    """
    header = _header(path, data)
    if header is None:
        raise problem(path, "a MetaImage or NRRD file", "other content", "check its suffix")
    return header.shape


@guarded("the header of a volume")
def files_of(path: Path) -> tuple[Path, ...]:
    """The files that hold a picture: its own, and those that its header names.

    Examples
    --------
    >>> files_of(Path("a.png"))
    (PosixPath('a.png'),)
    """
    if split_suffix(path)[1].lower() not in DETACHED:
        return (path,)
    try:
        header = _header(path, None)
        return (path, *data_files(path, header)) if header is not None else (path,)
    except (CodecError, OSError):
        return (path,)  # whoever reads it says what is wrong
