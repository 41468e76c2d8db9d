"""What the layouts of plain folders share: finding images, pairing masks, staying inside."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.codecs.unsupported import unread
from imagemill.data.layouts.base import Look, ReadSource, Source
from imagemill.data.layouts.labelmaps.labelmaps import with_colours
from imagemill.data.layouts.labelmaps.masks import MASK_SUFFIXES, pair_masks
from imagemill.data.layouts.walk import real_path
from imagemill.data.layouts.yolo.yolo_text import looks_like_yolo
from imagemill.data.records.record import split_suffix

__all__ = ["beside", "inside", "nothing_there", "readable", "with_masks", "without_masks"]

Files = list[tuple[str, Path]]

_LOOKED_INTO = 20
"""Text files that are read before they are called no annotations: some are empty."""


def readable(look: Look) -> Files:
    """The files of a look that are images, volumes or label maps by their names."""
    return list(look.images)


def nothing_there(look: Look) -> SourceError:
    """The error for a folder without images, which names what is there instead."""
    kinds = Counter(split_suffix(path)[1].lower() or "none" for _, path in look.files).most_common(5)
    parts = [f"{count} of suffix {kind}" for kind, count in kinds]
    words = [unread(kind).replace("; ", ", which is not read: ") for kind, _ in kinds]
    got = ", ".join(f"{part} ({word})" if word else part for part, word in zip(parts, words, strict=True)) or "no files"
    msg = f"expected images or volumes below {look.path}, got {got}"
    if all(split_suffix(path)[1].lower() in (".txt", "") for _, path in look.files) and any(
        looks_like_yolo(path) for _, path in look.files[:_LOOKED_INTO]
    ):
        name = look.path.name
        return SourceError(
            f"{msg}, which are annotations as YOLO has them, without their images; open the folder that holds both, "
            f"with layout='yolo' and extra={{'labels': {name!r}}} (--layout yolo --option labels={name})"
        )
    return SourceError(f"{msg}; check the folder, or convert the files to a supported format")


def beside(keys: list[str]) -> set[str]:
    """Keys whose stem is another image's stem in the same folder plus one of the mask suffixes.

    Examples
    --------
    >>> beside(["p/a.png", "p/a_gt.png", "b_gt.png"])
    {'p/a_gt.png'}
    """
    stems = {key: key.removesuffix(split_suffix(key)[1]) for key in keys}
    known = set(stems.values())
    return {
        key
        for key, stem in stems.items()
        if any(stem.endswith(end) and stem.removesuffix(end) in known for end in MASK_SUFFIXES)
    }


def without_masks(look: Look, masks: Path | None) -> Look:
    """A look at the images alone, where the masks lie in the same folder or below it."""
    if masks is None or not look.is_folder:
        return look
    root, place = look.path.resolve(), masks.resolve()
    if place == root:
        hidden = beside([key for key, path in look.files if is_readable_name(path)])
        return replace(look, files=tuple((key, path) for key, path in look.files if key not in hidden))
    if root not in place.parents:
        return look
    below = place.relative_to(root).as_posix() + "/"
    kept = tuple(
        (key, path)
        for key, path in look.files
        if not (key.startswith(below) or (is_readable_name(path) and place in real_path(path).parents))
    )
    return replace(look, files=kept)


def with_masks(source: Source, options: ReadSource) -> Source:
    """Give the records of a source the masks that were asked for, unless they have some.

    Raises
    ------
    SourceError
        When the masks do not fit; see `pair_masks`.
    """
    masks = options.masks
    if masks is None or source.missing_masks or any(record.mask is not None for record in source.records):
        return source
    if masks.is_file():
        if len(source) != 1:
            msg = f"expected a folder of masks for {len(source)} images, got the file {str(masks)!r}"
            raise SourceError(f"{msg}; give the folder that holds the masks")
        return replace(source, records=(replace(source.records[0], mask=masks),))
    pairing = pair_masks(source.records, masks, allow_missing=options.missing_masks)
    notes = source.notes
    if pairing.unused and source.layout not in ("file", "list"):
        notes = (*notes, f"{len(pairing.unused)} mask files belong to no image")
    found = replace(source, records=pairing.records, missing_masks=pairing.missing, notes=notes)
    return with_colours(found, masks, options)


def inside(folder: Path, name: str, *, outside: bool) -> Path | None:
    """The path that a file's text names, or None where it leads out of the folder and may not.

    Links are followed before it is decided.

    Examples
    --------
    >>> inside(Path("data"), "../secret.png", outside=False) is None
    True
    >>> inside(Path("data"), "cat/1.png", outside=False).as_posix()
    'data/cat/1.png'
    """
    path = folder / name.replace("\\", "/")
    try:
        # Resolved in any case: a name with a zero byte in it, or links in a ring, is no path at all.
        return path if real_path(path).is_relative_to(real_path(folder)) or outside else None
    except (OSError, ValueError, RuntimeError):
        return None
