"""Images with their label maps: in two folders, side by side, or as a pattern says."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from imagemill.core.errors import SourceError
from imagemill.data.record import Record, split_suffix
from imagemill.data.sources.base import Guess, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.sources.losses import lose_the_rest
from imagemill.data.sources.masks import mask_stems
from imagemill.data.sources.names import group_finder, is_image_role, is_mask_role, place_of, safe_stems, split_named
from imagemill.data.sources.place import exporting
from imagemill.data.sources.reading import Files, beside, nothing_there, readable, with_masks

__all__ = ["ImageMasks"]


@dataclass(frozen=True, slots=True)
class _Parts:
    """The files of a folder, told apart."""

    images: Files
    masks: Files
    why: str


class ImageMasks:
    """Images and label maps, paired by name."""

    name = "image-masks"
    title = "images with label maps (images/ and masks/, or <name>_mask beside <name>)"
    holds = frozenset(("image", "uint16", "float", "channels", "volume", "world", "mask", "split", "group"))

    def guess(self, look: Look) -> Guess | None:
        """Say whether most images have a label map in a folder of masks, or beside them."""
        if not look.is_folder:
            return None
        try:
            by_role = _by_role(readable(look), None)
            parts = by_role or _by_suffix(readable(look))
        except SourceError:  # several folders of masks: reading says which to choose from
            return None
        if parts is None:
            return None
        paired = sum(bool(found) for found in _pair(parts).values())
        # One picture that happens to be called "x_mask" must not hide a folder of plain images; a folder of masks
        # that all belong to some image is no accident, unless there are images elsewhere, which would be passed over.
        others = len(readable(look)) - len(parts.masks)
        by_accident = by_role is None or paired < len(parts.masks) or len(parts.images) < others
        if not paired or (by_accident and 2 * paired < others):
            return None
        return Guess(0.75, f"{paired} of {len(parts.images)} images have a label map {parts.why}")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read images with their masks.

        ``options.mask_pattern`` says where a mask is; else ``options.masks``; else folders named after roles
        (``images``, ``masks``, ``labels``...), of which ``extra={"masks": name}`` chooses one; else suffixes such as
        ``_gt``. Images without a mask are listed; where masks were asked for by pattern, they are an error unless
        allowed.
        """
        if not look.is_folder:
            raise SourceError(f"expected a folder for the layout {self.name!r}, got {look.path}; give its folder")
        files = readable(look)
        if not files:
            raise nothing_there(look)
        if options.mask_pattern is not None:
            parts, found = _by_pattern(files, options.mask_pattern)
        elif options.masks is not None:
            return with_masks(_source(look, _Parts(files, [], ""), {}, options), options)
        else:
            by_role = _by_role(files, options.extra.get("masks"))
            chosen = by_role or _by_suffix(files)
            if chosen is None:
                raise SourceError(
                    f"expected label maps in a folder such as masks/, or named like a_mask.png, below {look.path}, got "
                    "none; pass masks=FOLDER or mask_pattern"
                )
            parts, found = chosen, _pair(chosen)
        source = _source(look, parts, found, options)
        if options.mask_pattern is not None and source.missing_masks and not options.missing_masks:
            shown = ", ".join(source.missing_masks[:5])
            raise SourceError(
                f"expected a mask for each of {len(source)} images, got none for {len(source.missing_masks)}: {shown}; "
                "correct the pattern, or allow missing masks"
            )
        return source

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``[<split>/]images/<name>`` and ``[<split>/]masks/<name>``, further folders kept below those."""
        if all(record.mask is None for record in source):
            raise SourceError(
                f"expected a source with label maps for the layout {self.name!r}, got none; choose folder"
            )
        wanted = {}
        for record in source:
            first = "" if record.split is None else f"{record.split}/"
            wanted[record.key] = f"{first}images/{place_of(record.key).bare}"
        with exporting(out, self.name, options) as job:
            stems = safe_stems(wanted)
            for record in source:
                stem = stems[record.key]
                if job.image(record, stem) is not None:
                    job.mask(record, stem.replace("images/", "masks/", 1))
            if len({record.split is None for record in source}) == 2:
                job.lose("pictures without a split", "the others' folders order them", 1)
            find, _ = group_finder((f"{stems[record.key]}.x" for record in source), {})
            changed = sum(record.group != find(f"{stems[record.key]}.x") for record in source)
            job.lose("pictures' groups", "only folders named like patient001 say a group", changed)
            lose_the_rest(job, source, self.holds, self.name)
        return job.written()


def _by_role(files: Files, wanted: str | None) -> _Parts | None:
    """Tell images from masks by the folders they lie in; None where no folder is named after masks."""
    masks: dict[str, Files] = defaultdict(list)
    images: Files = []
    for key, path in files:
        role = next((part for part in key.split("/")[:-1] if part == wanted or is_mask_role(part)), None)
        if role is None:
            images.append((key, path))
        else:
            masks[role].append((key, path))
    in_role = [(key, path) for key, path in images if any(map(is_image_role, key.split("/")[:-1]))]
    names = sorted(masks) if wanted is None else [wanted]
    if not masks or not images or (wanted is not None and wanted not in masks):
        if wanted is not None:
            raise SourceError(f"expected label maps in a folder named {wanted!r}, got none; check the name")
        return None
    if len(names) > 1:
        raise SourceError(
            f"expected one folder of label maps, got {', '.join(names)}; choose one by extra={{'masks': {names[0]!r}}}"
        )
    return _Parts(in_role or images, masks[names[0]], f"in the folder {names[0]}")


def _by_suffix(files: Files) -> _Parts | None:
    """Tell images from masks by the ends of their names."""
    hidden = beside([key for key, _ in files])
    if not hidden:
        return None
    images = [(key, path) for key, path in files if key not in hidden]
    return _Parts(images, [(key, path) for key, path in files if key in hidden], "beside them")


def _slot(key: str) -> tuple[str, str]:
    """Where a file is apart from its role: split and folders, and its stem."""
    *folders, name = key.split("/")
    kept: list[str] = []
    role = False
    for folder in folders:
        split = split_named(folder)
        if split is not None:
            kept.insert(0, split)  # images/train/a and train/images/a are the same slot
        elif not role and (is_image_role(folder) or is_mask_role(folder)):
            role = True
        else:
            kept.append(folder)
    return "/".join(kept), split_suffix(name)[0]


def _pair(parts: _Parts) -> dict[str, list[Path]]:
    """Every file that could be the mask of each image, by the image's key."""
    index: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for key, path in parts.masks:
        index[_slot(key)].append(path)
    found = {}
    for key, _ in parts.images:
        folder, stem = _slot(key)
        found[key] = [path for name in mask_stems(stem) for path in index.get((folder, name), ())]
    return found


def _by_pattern(files: Files, pattern: str) -> tuple[_Parts, dict[str, list[Path]]]:
    """Find masks by ``expression=>key``; only images that the expression fits are taken."""
    expression, arrow, template = pattern.partition("=>")
    try:
        if not arrow or not template:
            raise ValueError("there is no => with a mask's path behind it")
        compiled = re.compile(expression.strip())
        known = dict(files)
        named = {key: m.expand(template.strip()) for key in known if (m := compiled.fullmatch(key)) is not None}
    except (ValueError, re.error, IndexError) as error:
        raise SourceError(
            f"expected a mask pattern such as 'images/(.*)\\.jpg=>masks/\\1.png', got {pattern!r}: {error}; correct it"
        ) from error
    if not named:
        raise SourceError(
            f"expected images that fit {expression!r}, got none, the first file is {files[0][0]}; mend it"
        )
    used = set(named.values())
    parts = _Parts(
        [(key, known[key]) for key in named if key not in used], [(k, p) for k, p in files if k not in named], ""
    )
    return parts, {key: [known[mask]] if mask in known else [] for key, mask in named.items() if key not in used}


def _source(look: Look, parts: _Parts, found: dict[str, list[Path]], options: ReadSource) -> Source:
    """Build the records, and say what is missing, twice there or left over."""
    group, note = group_finder((key for key, _ in parts.images), options.extra)
    records, problems, missing = [], [], []
    for key, path in parts.images:
        masks = found.get(key, [])
        if len(masks) > 1:
            names = " and ".join(PurePosixPath(mask.relative_to(look.path)).as_posix() for mask in masks[:2])
            problems.append(Problem(key, f"expected one mask for {key}, got {names}; remove or rename all but one"))
        mask = masks[0] if len(masks) == 1 else None
        if mask is None and (found or options.masks is None):
            missing.append(key)
        records.append(Record(key, path, mask=mask, split=_split(key), group=group(key)))
    if any(record.split is None for record in records):
        records = [Record(r.key, r.image, mask=r.mask, group=r.group) for r in records]
    used = {path for paths in found.values() for path in paths}
    unused = sum(path not in used for _, path in parts.masks) if options.masks is None else 0
    others = len(look.files) - len(parts.images) - len(parts.masks)
    notes = (
        f"{unused} mask files belong to no image" if unused else "",
        f"{others} other file{'s' * (others > 1)} passed over" if others else "",
        note,
    )
    kept = tuple(text for text in notes if text)
    return Source(look.path, "image-masks", tuple(records), tuple(missing), kept, problems=tuple(problems))


def _split(key: str) -> str | None:
    return next((split for part in key.split("/")[:-1] if (split := split_named(part)) is not None), None)
