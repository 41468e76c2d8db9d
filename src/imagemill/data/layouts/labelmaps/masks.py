"""Finding the mask that belongs to an image."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from imagemill.core.errors import SourceError
from imagemill.core.near_paths import near_path
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.labelmaps.labelmaps import as_mask, paired
from imagemill.data.layouts.walk import real_path, walk_files
from imagemill.data.records.record import Pixels, Record, split_suffix
from imagemill.data.remote.remote_path import as_path

__all__ = ["MASK_SUFFIXES", "Pairing", "mask_stems", "pair_masks"]

MASK_SUFFIXES = ("_gt", "_mask", "_seg", "_label", "_labels")
"""What a mask's stem may have behind the image's stem."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Records with their masks.

    Parameters
    ----------
    records : tuple of Record
        All records, in order, with `mask` set where one was found.
    missing : tuple of str
        Keys of records without a mask.
    unused : tuple of Path
        Mask files that belong to no record.
    """

    records: tuple[Record, ...]
    missing: tuple[str, ...] = ()
    unused: tuple[Path, ...] = ()


def mask_stems(stem: str) -> list[str]:
    """Give the stems a mask of `stem` may have.

    Examples
    --------
    >>> mask_stems("a")
    ['a', 'a_gt', 'a_mask', 'a_seg', 'a_label', 'a_labels']
    """
    return [stem, *(stem + suffix for suffix in MASK_SUFFIXES)]


def pair_masks(
    records: Sequence[Record],
    mask_root: Path | str,
    *,
    allow_missing: bool = False,
    exclude: Iterable[Path] = (),
) -> Pairing:
    """Give every record the mask with the same relative path and stem.

    The format may differ, and the mask's stem may end in one of `MASK_SUFFIXES`. Where all images lie below
    one common folder of the root, masks may lie at the same place with or without that folder. What is not found so is
    looked for as beside images: by words such as ``_L`` and ``seg_``, and by what all names share.

    Parameters
    ----------
    records : sequence of Record
        What to pair.
    mask_root : Path or str
        The folder of masks; it may be the folder of the images.
    allow_missing : bool
        Whether images without a mask are fine.
    exclude : iterable of Path
        Files that are no masks, besides the images themselves.

    Returns
    -------
    Pairing
        The records with masks, the keys without, the masks left over.

    Raises
    ------
    SourceError
        When the folder is missing, two files could be the mask of one image, or an image has none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a_gt.png").write_bytes(b"")
    ...     pairing = pair_masks([Record("a.jpg", Path("photos/a.jpg"))], folder)
    ...     pairing.records[0].mask.name
    'a_gt.png'
    """
    root = as_path(mask_root)
    if not root.is_dir():
        do = near_path(root).replace("did you mean ", "did you mean masks=")
        msg = f"expected a folder of masks, got {str(root)!r}, where there is none; {do}"
        raise SourceError(msg)
    images = {_real(record.image) for record in records if isinstance(record.image, Path)} | {
        _real(path) for path in exclude
    }
    index: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for key, path in walk_files(root):
        if is_readable_name(path) and _real(path) not in images:
            index[_place(key)].append(path)
    common = _common_folder(records)
    found: list[Pixels | None] = [_find(record, index, common) for record in records]
    read = {mask for mask in found if isinstance(mask, Path)}
    if None in found:
        keys = [re.sub(r"#\d+$", "", record.key) for record in records]
        rest = [
            (key, path) for key, path in walk_files(root) if path in {p for ps in index.values() for p in ps} - read
        ]
        found, more = _by_words(keys, common, rest, found)
        read |= more
    missing = tuple(record.key for record, mask in zip(records, found, strict=True) if mask is None)
    if missing and not allow_missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        held = sum(len(paths) for paths in index.values())
        what = f"{held:,} file{'' if held == 1 else 's'} of pictures" if held else "no file of a picture"
        do = "name masks like their images, or pass allow_missing_masks=True"
        msg = f"expected a mask in {root} (which holds {what}) for each of {len(records)} images, got none for"
        raise SourceError(f"{msg} {len(missing)}: {shown}; {do}")
    unused = tuple(path for paths in index.values() for path in paths if path not in read)
    paired = tuple(replace(record, mask=mask) for record, mask in zip(records, found, strict=True))
    return Pairing(paired, missing, unused)


def _by_words(
    keys: Sequence[str], common: PurePosixPath, masks: list[tuple[str, Path]], found: Sequence[Pixels | None]
) -> tuple[list[Pixels | None], set[Path]]:
    """Find what names and folders say in other words; what has a mask already keeps it."""
    bare = [key for key, mask in zip(keys, found, strict=True) if mask is None]
    read: set[Path] = set()
    of: dict[str, Pixels] = {}
    for drop in dict.fromkeys(("", f"{common}/" if common.parts else "")):
        left = [key for key in bare if key not in of]
        there = [(key, path) for key, path in masks if path not in read]
        if left and there:
            maps = paired([key.removeprefix(drop) for key in left], there)
            several = any(len(files) > 1 for files in maps.found.values())
            of |= {f"{drop}{key}": as_mask(files, several=several) for key, files in maps.found.items()}
            read |= {path for files in maps.found.values() for path in files}
    return [of.get(key) if mask is None else mask for key, mask in zip(keys, found, strict=True)], read


def _real(path: Path) -> Path:
    return real_path(path)


def _place(key: str) -> tuple[str, str]:
    """Folder and stem of a key, without the number that keeps repeated lines of a list apart."""
    pure = PurePosixPath(re.sub(r"#\d+$", "", key))
    return str(pure.parent), split_suffix(pure.name)[0]


def _common_folder(records: Sequence[Record]) -> PurePosixPath:
    """Find the deepest folder that all keys lie in."""
    parents = [PurePosixPath(_place(record.key)[0]).parts for record in records]
    depth = 0
    while parents and all(len(p) > depth and p[depth] == parents[0][depth] for p in parents):
        depth += 1
    return PurePosixPath(*parents[0][:depth]) if parents else PurePosixPath()


def _find(record: Record, index: dict[tuple[str, str], list[Path]], common: PurePosixPath) -> Path | None:
    """Find the one mask of a record."""
    folder, stem = _place(record.key)
    for place in dict.fromkeys((folder, str(PurePosixPath(folder).relative_to(common)))):
        found = [path for name in mask_stems(stem) for path in index.get((place, name), ())]
        if len(found) > 1:
            names = " and ".join(str(path) for path in found[:2])
            msg = f"expected one mask for {record.key}, got {len(found)}: {names}"
            raise SourceError(f"{msg}; remove or rename all but one")
        if found:
            return found[0]
    return None
