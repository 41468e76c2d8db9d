"""Single files, lists of files, and folders with or without classes."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.codecs.sniff import FOREIGN, head, sniff
from imagemill.data.record import Record, split_suffix
from imagemill.data.sources.base import Source
from imagemill.data.sources.masks import MASK_SUFFIXES, pair_masks
from imagemill.data.sources.walk import walk_files

__all__ = ["open_source"]

# First-level folders with these names order a dataset by role or split; they are no classes.
_ROLES = frozenset(
    (
        *("image", "images", "img", "imgs", "photos", "gt", "mask", "masks", "label", "labels"),
        *("annotation", "annotations", "segmentation", "segmentations", "imagestr", "imagests", "labelstr"),
        *("train", "training", "val", "valid", "validation", "test", "testing"),
    )
)


def open_source(src: Path | str, masks: Path | str | None = None, allow_missing_masks: bool = False) -> Source:
    """Open a file, a list of files or a folder as a source of records.

    Parameters
    ----------
    src : Path or str
        An image or volume; a ``.txt`` list with one path per line (relative to the list's own folder, ``#``
        starts a comment line); or a folder, searched with its sub-folders. Where every image lies in a
        first-level sub-folder, and no sub-folder is named after a role or a split (``images``, ``train``...),
        the sub-folders are classes.
    masks : Path or str or None
        A folder of masks, named like the images (see `pair_masks`); it may be `src` itself, and then files
        such as ``<image>_gt`` are masks and not images. For a single image also a file.
    allow_missing_masks : bool
        Whether images without a mask are fine.

    Returns
    -------
    Source
        The records; `describe` says what was found and what was left out.

    Raises
    ------
    SourceError
        When nothing is there, a list names missing files, no image is found, or masks do not fit.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat/1.png", "dog/1.png"):
    ...         (Path(folder) / name).parent.mkdir()
    ...         _ = (Path(folder) / name).write_bytes(b"")
    ...     [(record.key, record.label) for record in open_source(folder)]
    [('cat/1.png', 'cat'), ('dog/1.png', 'dog')]
    """
    path = Path(src)
    mask_path = None if masks is None else Path(masks)
    if path.is_dir():
        return _folder(path, mask_path, allow_missing_masks)
    if not path.is_file():
        msg = f"expected an image, a .txt list or a folder, got {str(src)!r}, where there is nothing"
        raise SourceError(f"{msg}; check the path")
    source = _list(path) if path.suffix.lower() == ".txt" else _single(path)
    if mask_path is None:
        return source
    if mask_path.is_file():
        if len(source) != 1:
            msg = f"expected a folder of masks for {len(source)} images, got the file {str(masks)!r}"
            raise SourceError(f"{msg}; give the folder that holds the masks")
        return replace(source, records=(replace(source.records[0], mask=mask_path),))
    return _paired(source, mask_path, allow_missing_masks)


def _paired(source: Source, masks: Path, allow_missing: bool) -> Source:
    pairing = pair_masks(source.records, masks, allow_missing=allow_missing)
    notes = source.notes
    if pairing.unused and source.layout not in ("file", "list"):
        notes = (*notes, f"{len(pairing.unused)} mask files belong to no image")
    return replace(source, records=pairing.records, missing_masks=pairing.missing, notes=notes)


def _single(path: Path) -> Source:
    """Make a source of one image; the suffix or the content must be known."""
    if not is_readable_name(path):
        try:
            kind = sniff(head(path))
        except OSError as error:
            msg = f"expected a readable file, got {error}; check its permissions"
            raise SourceError(msg) from error
        if kind is None or kind in FOREIGN:
            got = "unknown content" if kind is None else FOREIGN[kind]
            msg = f"expected an image, a .txt list or a folder, got {str(path)!r} with {got}"
            raise SourceError(f"{msg}; give a supported file")
    return Source(path.parent, "file", (Record(path.name, path),))


def _list(path: Path) -> Source:
    """Read a list: one path per line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"expected {path} to be a list of paths in UTF-8, got {error}; save it as UTF-8 text"
        raise SourceError(msg) from error
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    entries = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not entries:
        msg = f"expected {path} to name at least one image, got no path in it; write one path per line"
        raise SourceError(msg)
    files = [(number, line, path.parent / line) for number, line in entries]
    bad = [f"line {number}: {line}" for number, line, file in files if not file.is_file()]
    if bad:
        shown = "; ".join(bad[:5]) + ("; ..." if len(bad) > 5 else "")
        msg = f"expected every path in {path} to be a file, got {len(bad)} that are not: {shown}"
        raise SourceError(f"{msg}; paths are relative to the list's folder")
    keys = _unique([_list_key(path.parent, line) for _, line, _ in files])
    records = tuple(Record(key, file) for key, (_, _, file) in zip(keys, files, strict=True))
    again = len(keys) - len({file.resolve() for _, _, file in files})
    notes = (f"{again} lines name a file that came before",) if again else ()
    return Source(path.parent, "list", records, notes=notes)


def _list_key(folder: Path, line: str) -> str:
    """Key of a line: relative to the list's folder when inside it, else as written."""
    inside = os.path.relpath(folder / line, folder)
    if inside == os.pardir or inside.startswith(os.pardir + os.sep):
        return Path(line).as_posix()
    return Path(inside).as_posix()


def _unique(keys: list[str]) -> list[str]:
    """Number repeated keys ``#2``, ``#3``; a key that really ends so keeps its name."""
    taken, counts, unique = set(keys), Counter[str](), []
    for key in keys:
        counts[key] += 1
        name = key
        if counts[key] > 1:
            number = counts[key]
            while (name := f"{key}#{number}") in taken:
                number += 1
            taken.add(name)
        unique.append(name)
    return unique


def _folder(root: Path, masks: Path | None, allow_missing: bool) -> Source:
    """Search a folder; say what was left out."""
    files = list(walk_files(root))
    images = [(key, path) for key, path in files if is_readable_name(path)]
    others = len(files) - len(images)
    notes = [f"{others} other files passed over"] if others else []
    beside = masks is not None and masks.resolve() == root.resolve()
    looks = _masks_beside(images)
    if beside:
        images = [(key, path) for key, path in images if key not in looks]
    elif masks is not None and root.resolve() in masks.resolve().parents:
        inside = masks.resolve()
        images = [(key, path) for key, path in images if inside not in path.resolve().parents]
    elif looks:
        notes.append(f"{len(looks)} look like masks of the image beside them; pass masks={str(root)!r} to pair them")
    if not images:
        kinds = Counter(split_suffix(path)[1].lower() or "none" for _, path in files).most_common(5)
        got = ", ".join(f"{count} of suffix {kind}" for kind, count in kinds) or "no files"
        msg = f"expected images or volumes below {root}, got {got}"
        raise SourceError(f"{msg}; check the folder, or convert the files to a supported format")
    classes = _is_class_folders(images)
    records = tuple(Record(key, path, label=key.partition("/")[0] if classes else None) for key, path in images)
    source = Source(root, "class folders" if classes else "folder", records, notes=tuple(notes))
    return source if masks is None else _paired(source, masks, allow_missing)


def _masks_beside(images: list[tuple[str, Path]]) -> set[str]:
    """Keys whose stem is another image's stem in the same folder plus one of the mask suffixes."""
    stems = {key.removesuffix(split_suffix(key)[1]) for key, _ in images}
    found = set()
    for key, _ in images:
        stem = key.removesuffix(split_suffix(key)[1])
        if any(stem.endswith(end) and stem.removesuffix(end) in stems for end in MASK_SUFFIXES):
            found.add(key)
    return found


def _is_class_folders(images: list[tuple[str, Path]]) -> bool:
    """Whether every image lies directly in a first-level folder that is not named after a role or split."""
    parts = [key.split("/") for key, _ in images]
    return all(len(part) == 2 and part[0].lower() not in _ROLES for part in parts)
