"""Formats of pictures and videos that are not read, by the suffixes of their files, and what to do about them."""

from __future__ import annotations

from pathlib import Path

from imagemill.data.codecs.shelf import SHELF
from imagemill.data.records.record import split_suffix

__all__ = ["RAW", "groups", "unread"]

_RAW = "a camera's raw photo; develop it into TIFF, PNG or JPEG first"
_VIDEO = "a video; take its frames out as PNG or JPEG first"
_SLIDE = "a whole-slide image; cut tiles out of it as PNG or TIFF first, for instance with OpenSlide"
_SCOPE = "a microscope's own format; export it as TIFF first"
_ICON = "an icon or texture of several pictures; convert it to PNG first"
_OLD = "a picture in an old format; convert it to PNG first"
_DRAWING = "a drawing; render it as PNG first"
_GROUPS = (
    (".cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .dng .raf .orf .rw2 .pef .srw .3fr .iiq .erf .kdc .mrw .x3f", _RAW),
    (".mp4 .m4v .mov .avi .mkv .webm .mpg .mpeg .wmv .flv .ogv .mts .m2ts .3gp", _VIDEO),
    (".svs .ndpi .mrxs .scn .vms .vmu .bif .isyntax", _SLIDE),
    (".czi .nd2 .lif .oib .oif .oir .ims .vsi .dv .zvi", _SCOPE),
    (".ico .cur .icns .dds .ktx .ktx2", _ICON),
    (".pcx .sgi .bw .xpm .xbm .ras .wmf .emf .pict .pct .fli .flc", _OLD),
    (".svg .svgz .eps .ps .ai", _DRAWING),
    (".psd .psb", "a Photoshop document; export it as TIFF or PNG first"),
    (".xcf .kra .afphoto", "a document of a paint program; export it as TIFF or PNG first"),
    (".pdf .djvu", "a document; export its pages as PNG first"),
    (".exr", "an OpenEXR image; convert it to TIFF or .npy first"),
    (".fits .fit .fts", "a FITS image; convert it to TIFF or .npy first"),
    (".jxl", "a JPEG XL image; convert it to PNG or JPEG first"),
    (".jxr .wdp .hdp .bpg .qoi .flif .jls", "a picture in a rare format; convert it to PNG first"),
    (".mnc .par .v .vtk .vti .nii.zst", "a volume in a format that is not read; convert it to .nii.gz first"),
)
_WORDS = {suffix: words for suffixes, words in _GROUPS for suffix in suffixes.split()}

RAW = frozenset(suffix for suffix, words in _WORDS.items() if words == _RAW)
"""Most of them are TIFF files, whose first picture is a thumbnail: their name is believed, not their content."""


def groups() -> list[tuple[list[str], str]]:
    """Suffixes that mean alike, and the words for them."""
    return [(suffixes.split(), words) for suffixes, words in _GROUPS]


def unread(path: Path | str) -> str:
    """What a file is by its suffix, and, behind a semicolon, what to do; empty for all but pictures that are not read.

    Examples
    --------
    >>> unread("film.MP4")
    'a video; take its frames out as PNG or JPEG first'
    >>> unread("a.png"), unread("readme.txt")
    ('', '')
    """
    suffix = (split_suffix(path)[1] or str(path)).lower()
    return "" if suffix in SHELF.by_suffix() else _WORDS.get(suffix, "")
