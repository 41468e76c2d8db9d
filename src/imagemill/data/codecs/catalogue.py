"""The page of formats in the documentation: ``python -m imagemill.data.codecs.catalogue``."""

from __future__ import annotations

from imagemill.data.codecs.registry import Format, formats
from imagemill.data.codecs.unsupported import groups

__all__ = ["page"]

_HEAD = """# Formats

Made by `make docs` from the code. `imagemill doctor` shows the same of the installation at hand.

A file's suffix says its format; where the content says otherwise, the content is believed and it is said. Files are
read whole or not at all: what is cut off, damaged, or promises more than it holds is named and left out.

| suffix | written | needs | |
|---|---|---|---|
"""

_WORLD = """
NIfTI, MGH, MetaImage, NRRD and DICOM say where a volume lies. Here the world is RAS+ in millimetres, over the axes
`zyx` as they are stored; the formats that count towards left and back (LPS) are turned into it and back. A file that
says no place has voxel sizes alone, and is paired with its label map by its voxels. MetaImage's `TransformMatrix` and
NRRD's `space directions` are read as ITK does; `.mhd` and `.nhdr` name files beside or below them and no others, and
what is made of them is written in one file.

`.jp2` holds numbers of any depth: up to 8 bits are spread over 0 to 255, of more than 8 they stay as they are stored.
Netpbm says which value is white, and the values are spread so that it is white here; label maps keep their counts.
AVIF and HEIC of 10 and 12 bits are read as 8.

HEIC is read with `pip install 'imagemill[heif]'`, which is not part of `all`: its libraries are under the LGPL-3.0.

## Not read

They are counted by suffix wherever a folder is read, with what to do:

| suffix | what it is; what to do |
|---|---|
"""


def page() -> str:
    """The page as Markdown."""
    alike: list[list[Format]] = []
    for row in formats():
        same = alike and not row.remark and (row.writes, row.extra) == (alike[-1][0].writes, alike[-1][0].extra)
        alike[-1:] = [[*alike[-1], row]] if same else [*alike[-1:], [row]]
    others = [f"| {_named(suffixes)} | {words} |" for suffixes, words in groups()]
    return _HEAD + "\n".join(map(_row, alike)) + "\n" + _WORLD + "\n".join(others) + "\n"


def _named(suffixes: list[str]) -> str:
    return " ".join(f"`{suffix}`" for suffix in suffixes)


def _row(alike: list[Format]) -> str:
    first = alike[0]
    needs = f"`imagemill[{first.extra}]`" if first.extra else ""
    named = _named([row.suffix for row in alike])
    return f"| {named} | {'•' if first.writes else ''} | {needs} | {first.remark} |"


if __name__ == "__main__":
    print(page(), end="")
