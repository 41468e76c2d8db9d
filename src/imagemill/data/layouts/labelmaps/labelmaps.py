"""The label maps that a folder holds, told from its images, one kind of them chosen and given to the images."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Literal

from imagemill.core.errors import SourceError
from imagemill.data.layouts.arrays.array_files import npy_stacks
from imagemill.data.layouts.base import Look, Problem, ReadSource, Source
from imagemill.data.layouts.guess.folder_words import is_image_role, is_mask_role
from imagemill.data.layouts.labelmaps.colour_table import ColourTable, find_table, read_table
from imagemill.data.layouts.labelmaps.composed_label_maps import coloured, merged
from imagemill.data.layouts.labelmaps.label_map_kinds import ToldApart, choose, files_of, first_of
from imagemill.data.layouts.labelmaps.mask_names import hints_at_masks, image_cores
from imagemill.data.layouts.labelmaps.pair_by_content import alike_folders, beside_by_ends
from imagemill.data.layouts.labelmaps.pair_by_name import (
    Kind,
    Pairs,
    Reader,
    find_pairs,
    pair_files,
    role_of,
)
from imagemill.data.layouts.labelmaps.pixel_evidence import shown_by
from imagemill.data.layouts.walk import walk_files
from imagemill.data.records.record import Pixels, Record, split_suffix

__all__ = [
    "LabelMaps",
    "as_mask",
    "attached",
    "label_maps",
    "numbered_folders",
    "own_folders",
    "paired",
    "with_classes",
    "with_colours",
    "without",
]

Files = tuple[tuple[str, Path], ...]

_NUMBERED = re.compile(r"\d{3}")


@dataclass(frozen=True, slots=True)
class LabelMaps:
    """Label maps among the files of a folder.

    Parameters
    ----------
    images : tuple of (str, Path)
        The images, without label maps.
    files : frozenset of str
        Keys of label maps, also of those that belong to no image or were not chosen: no images in any case.
    found : mapping of str to tuple of Path
        From an image's key to its label maps; several where each shows one annotation.
    why : str
        In words, for a guess.
    undecided : str
        Where kinds of label maps have to be chosen from: what to say.
    notes, problems
        What there is to know, and what could not be paired.
    colours : bool
        Whether they tell classes by colours.
    table : Path or None
        A table of colours that lies beside them.
    asked : bool
        Whether a pattern or a word of the user says where they are.
    """

    images: Files
    files: frozenset[str] = frozenset()
    found: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    why: str = ""
    undecided: str = ""
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    colours: bool = False
    table: Path | None = None
    asked: bool = False


def without(look: Look, maps: LabelMaps) -> Look:
    """A look at the images alone."""
    taken = {key for key, _ in maps.images}
    kept = tuple(pair for pair in look.files if pair[0] not in maps.files and (not maps.asked or pair[0] in taken))
    return Look(look.path, kept, look.skipped)


def label_maps(look: Look, options: ReadSource) -> LabelMaps | None:
    """Tell label maps from images in a folder: as a pattern says, or by names, folders and a look into a few files.

    Parameters
    ----------
    look : Look
    options : ReadSource
        ``mask_pattern`` decides; ``extra={"masks": word}`` chooses a folder or kind, ``"none"`` takes all as images.

    Returns
    -------
    LabelMaps or None
        None where there is none, or where ``options.masks`` says that they are elsewhere.

    Raises
    ------
    SourceError
        When the pattern is none or fits nothing, or nothing is called like the word.
    """
    wanted = options.extra.get("masks")
    if not look.is_folder or options.masks is not None or wanted in (False, "none", "no"):
        return None
    if options.mask_pattern is not None:
        return _by_pattern(look, options.mask_pattern)
    if wanted is None and npy_stacks(look) is not None:  # a file of labels beside a file of images
        return None
    if wanted is not None and not isinstance(wanted, str):
        raise SourceError(f"expected the name of a folder or kind of label maps, got {wanted!r}; give it as text")
    at = f"label maps {wanted or ''}"
    if at not in look.memo:
        look.memo[at] = _told_apart(look, wanted)
    found: LabelMaps | None = look.memo[at]
    return found


def with_classes(maps: LabelMaps) -> bool:
    """Whether folders of the images may be classes: where there are parts, parts that share no name have none.

    Cityscapes has its cities in such folders, and each of them is in one part alone.
    """
    reader = Reader([key for key, _ in maps.images])
    read = [reader.read(key) for key, _ in maps.images]
    if own_folders([key for key, _ in maps.images]):
        return False
    if numbered_folders([key for key, _ in maps.images]):
        return False
    if _beside_their_maps({name.folders for name in read}, maps):
        return False
    names: dict[str | None, set[str]] = defaultdict(set)
    for name in read:
        names[name.split] |= set(name.bare[-1:])
    return len(names) < 2 or any(a & b for a, b in combinations(names.values(), 2))


def own_folders(keys: Sequence[str]) -> bool:
    """Whether each image has a folder of its own, which is called like it, or in which it is called ``image``."""
    reader = Reader(keys)
    read = [reader.read(key) for key in keys]
    alike = all("" in image_cores(name.stem) or name.stem.casefold() in name.bare for name in read)
    return alike and len({name.folders for name in read}) == len(read)


def numbered_folders(keys: Sequence[str]) -> bool:
    """Whether images lie in folders with long numbers in their names: of patients or scenes, not of classes."""
    reader = Reader(keys)
    names = {reader.read(key).bare[-1:] for key in keys}
    words = {re.sub(r"\d+", "", "".join(name)) for name in names}  # 001.Laysan and 002.Sooty are classes
    return 1 < len(names) >= 2 * len(words) and all(name and _NUMBERED.search(name[0]) for name in names)


def _beside_their_maps(folders: set[tuple[str, ...]], maps: LabelMaps) -> bool:
    """Whether each folder of images is the only one beside a folder of label maps: a role, whatever it is called."""
    of_maps = {tuple(key.split("/")[:-1]) for key in maps.files}
    above = Counter(folder[:-1] for folder in folders)
    if any(folder and is_image_role(folder[-1]) for folder in folders):
        return False  # what such a folder is, and what is above it, is clear
    return all(folder and above[folder[:-1]] == 1 for folder in folders) and all(
        any(each != folder and each[: len(folder) - 1] == folder[:-1] and len(each) >= len(folder) for each in of_maps)
        for folder in folders
    )


def _by_pattern(look: Look, pattern: str) -> LabelMaps:
    """Find masks by ``expression=>key``; only images that the expression fits are taken."""
    expression, arrow, template = pattern.partition("=>")
    try:
        if not arrow or not template:
            raise ValueError("there is no => with a mask's path behind it")
        compiled = re.compile(expression.strip())
        known = dict(look.images)
        named = {key: m.expand(template.strip()) for key in known if (m := compiled.fullmatch(key)) is not None}
    except (ValueError, re.error, IndexError) as error:
        raise SourceError(
            f"expected a mask pattern such as 'images/(.*)\\.jpg=>masks/\\1.png', got {pattern!r}: {error}; correct it"
        ) from error
    if not named:
        first = look.images[0][0] if look.images else "no image at all"
        raise SourceError(f"expected images that fit {expression!r}, got none, the first file is {first}; mend it")
    used = set(named.values())
    images = tuple((key, known[key]) for key in named if key not in used)
    found = {key: (known[named[key]],) for key, _ in images if named[key] in known}
    if not found:
        key = images[0][0] if images else next(iter(named))
        raise SourceError(
            f"expected label maps where {pattern!r} says, got none for {len(images)} images: {key} would have "
            f"{named[key]}, which is not there; correct the pattern"
        )
    others = sorted(set(known) - {key for key, _ in images} - used)
    loose = first_of(others) if others else ""
    return LabelMaps(
        images,
        frozenset(known) - {key for key, _ in images},
        found,
        "where the pattern says",
        notes=(f"{len(others)} pictures that the pattern does not name were passed over: {loose}",) if others else (),
        colours=shown_by([paths[0] for paths in found.values()]).colours,
        table=find_table(look.files),
        asked=True,
    )


def _told_apart(look: Look, wanted: str | None) -> LabelMaps | None:
    pairs = _pairs(look, wanted)
    if pairs is None:
        if wanted is not None:
            raise SourceError(f"expected label maps in a folder named {wanted!r}, got none; check the name")
        return None
    path_of = dict(look.images)
    state = ToldApart(path_of, pairs, {}, [key for key, _ in pairs.images], [], [], [])
    for kind in list(pairs.kinds()):
        _judge(state, kind, wanted)
    _judge_loose(state)
    pairs.found = {key: kinds for key, kinds in pairs.found.items() if kinds}
    files = frozenset(path_of) - set(state.images)
    images = tuple((key, path_of[key]) for key in sorted(state.images))
    if not files:
        return LabelMaps(images, notes=tuple(state.notes)) if state.notes else None
    chosen, undecided = choose(state, wanted)
    found, several = files_of(state, chosen, together=wanted is not None)
    if several:
        state.notes.append(
            f"{several} images have several label maps each: made one, numbered from 1 in each; --option merge=union "
            "makes all 1"
        )
    rules = [pairs.rules[kind] for kind in sorted(chosen) if kind in pairs.rules]
    if rules:
        state.notes.append(f"label maps paired like {rules[0]}")
    colours = any(state.shown[kind].colours for kind in chosen if kind in state.shown)
    folders = sorted({kind.folder for kind in chosen if kind.folder})
    why = f"in the folder {', '.join(folders[:3])}" if folders else "beside them"
    return LabelMaps(
        images, files, found, why, undecided, tuple(state.notes), tuple(state.problems), colours,
        find_table(look.files), wanted is not None,
    )  # fmt: skip


def _pairs(look: Look, wanted: str | None) -> Pairs | None:
    """Pair by what words say; where they say nothing, by what names and a few files look like."""
    if wanted is not None:
        return find_pairs(look.images, wanted)
    found = find_pairs(look.images) if hints_at_masks(key for key, _ in look.images) else None
    if found is not None and found.found:
        return found
    folders = alike_folders(look.images)
    return (find_pairs(look.images, folders=folders) if folders else beside_by_ends(look.images)) or found


def _judge(state: ToldApart, kind: Kind, wanted: str | None) -> None:
    """Look into a few files of a kind; what shows photos, or rests on little, is taken for images."""
    if wanted is not None and kind.is_called(wanted):
        state.shown[kind] = shown_by([state.path_of[key] for key in state.keys_of(kind)])
        return
    keys = state.keys_of(kind)
    shown = shown_by([state.path_of[key] for key in keys])
    beside = sum(any(not each.folder for each in kinds) for kinds in state.pairs.found.values())
    few = not kind.folder and 2 * beside < len(state.images)
    if shown.labels is False:
        state.notes.append(
            f"{len(keys)} files named like label maps ({first_of(sorted(keys))}) show photos: taken for images; "
            "--mask-pattern pairs them all the same"
        )
        state.drop(kind)
    elif shown.labels is None and (few or kind in state.pairs.far or kind in state.pairs.weak):
        state.notes.append(
            f"{len(keys)} look like masks of the image beside them ({first_of(sorted(keys))}): taken for images; "
            "--mask-pattern pairs them"
        )
        state.drop(kind)
    else:
        state.shown[kind] = shown


def _judge_loose(state: ToldApart) -> None:
    """What lies in folders of label maps and fits no image: left over, or images in a folder with an unlucky name."""
    folders: dict[str, list[str]] = defaultdict(list)
    for key in state.pairs.loose:
        folders[key.rpartition("/")[0]].append(key)
    paired = {key.rpartition("/")[0] for kind in state.shown for key in state.keys_of(kind)}
    named = {kind.folder for kind in state.shown}
    by_role = any(role_of(name) == "image" for key in state.images for name in key.split("/")[:-1])
    alone: list[str] = []
    for folder, keys in folders.items():
        if folder in paired or named & set(folder.split("/")):
            state.loose += keys
            continue
        shown = shown_by([state.path_of[key] for key in keys]).labels
        sure = by_role and any(is_mask_role(name) for name in folder.split("/"))
        if shown is False or (shown is None and not sure):
            state.images += keys
        else:
            alone += keys
    if state.loose:
        state.notes.append(f"{len(state.loose)} mask files belong to no image: {first_of(sorted(state.loose))}")
    if alone:
        state.problems.append(_unpaired(state, sorted(alone)))


def _unpaired(state: ToldApart, keys: list[str]) -> Problem:
    """A folder of label maps of which none fits an image."""
    folder = keys[0].rpartition("/")[0] or "."
    images = sorted(key for key in state.images if key not in state.pairs.found)
    hint = ""
    if _padded(keys) & _padded(images):
        hint = "; their numbers are the same apart from leading zeros"
    shown = images[0] if images else "no image without one"
    return Problem(
        folder,
        f"expected label maps named like the images ({shown}), got {first_of(keys)}: {len(keys)} were not paired"
        f"{hint}; rename them, or say by --mask-pattern where each image has its own",
    )


def _padded(keys: Sequence[str]) -> set[str]:
    """Stems with numbers written without leading zeros."""
    return {re.sub(r"\d+", lambda m: str(int(m[0])), split_suffix(key)[0]) for key in keys}


def attached(source: Source, maps: LabelMaps, options: ReadSource) -> Source:
    """Give the records of a source their label maps.

    Raises
    ------
    SourceError
        When kinds have to be chosen from, a table of colours cannot be read, or a pattern leaves images without.
    """
    if maps.undecided:
        raise SourceError(maps.undecided)
    if any(record.mask is not None for record in source):
        return source
    table, problems = _table(maps, options)
    how = options.extra.get("merge", "number")
    if how not in ("number", "union"):
        raise SourceError(f"expected merge as number or union, got {how!r}; choose one")
    several = any(len(files) > 1 for files in maps.found.values())
    key_of = {path: key for key, path in maps.images}
    records: list[Record] = []
    for record in source:
        key = key_of.get(record.image) if isinstance(record.image, Path) else None
        files = maps.found.get(key, ()) if key is not None else ()
        records.append(replace(record, mask=as_mask(files, table, how, several=several)) if files else record)
    missing = tuple(record.key for record in records if record.mask is None)
    if maps.asked and options.mask_pattern is not None and missing and not options.missing_masks:
        raise SourceError(
            f"expected a mask for each of {len(source)} images, got none for {len(missing)}: {', '.join(missing[:5])}; "
            "correct the pattern, or allow missing masks"
        )
    notes = [*source.notes, *maps.notes]
    if missing and len(missing) < len(records):
        notes.append(f"{len(missing)} images have no label map: {first_of(missing)}")
    info = source.info if table is None else {**source.info, "mask_labels": table.labels}
    read = [*source.also_read]
    if table is not None and maps.table is not None:
        read.append(maps.table)
    if several or table is not None:  # made of files, which are in no record then
        read += (path for files in maps.found.values() for path in files)
    return replace(
        source, records=tuple(records), missing_masks=missing, notes=tuple(notes), info=info, also_read=tuple(read),
        problems=(*source.problems, *maps.problems, *problems),
    )  # fmt: skip


def _table(maps: LabelMaps, options: ReadSource) -> tuple[ColourTable | None, list[Problem]]:
    """What says which class a colour means: the user, or a file beside the label maps."""
    given = options.extra.get("colours", options.extra.get("colors"))
    if given is not None:
        return read_table(given), []
    if not maps.colours:
        return None, []
    if maps.table is not None:
        return read_table(maps.table), []
    msg = "expected class numbers or a table of colours beside the label maps, got colours alone; give the table by"
    return None, [Problem("label maps", f"{msg} --option colours=FILE (name red green blue, a class a line)")]


def as_mask(
    files: tuple[Path, ...],
    table: ColourTable | None = None,
    how: Literal["number", "union"] = "number",
    *,
    several: bool = False,
) -> Pixels:
    """The label map of one image: a file as it is, or what is made of it and others when it is read.

    Parameters
    ----------
    files : tuple of Path
    table : ColourTable or None
        What colours mean.
    how : str
        How several files become one; see `Merged`.
    several : bool
        Whether any image of the set has several, so that all count alike.
    """
    if several:
        name = str(files[0]) + (f" and {len(files) - 1} more" if len(files) > 1 else "")
        return merged(files, name, how, table)
    return files[0] if table is None else coloured(files[0], table)


def paired(images: Sequence[str], masks: Sequence[tuple[str, Path]]) -> LabelMaps:
    """Label maps of a folder of their own, for images that are elsewhere.

    Raises
    ------
    SourceError
        When kinds of label maps have to be chosen from.
    """
    pairs = pair_files([(key, Path(key)) for key in images], masks)
    state = ToldApart(dict(masks), pairs, {}, list(images), [], [], [])
    chosen, undecided = choose(state, None)
    if undecided:
        raise SourceError(undecided)
    found, _ = files_of(state, chosen)
    return LabelMaps((), found=found, notes=tuple(state.notes), problems=tuple(state.problems))


def with_colours(source: Source, root: Path, options: ReadSource) -> Source:
    """Read label maps of colours by a table: the user's, or one that lies in their folder."""
    paths = [record.mask for record in source if isinstance(record.mask, Path)]
    given = options.extra.get("colours", options.extra.get("colors"))
    if not paths or (given is None and not shown_by(paths).colours):
        return source
    tables = () if given is not None or not root.is_dir() else tuple(walk_files(root))
    maps = LabelMaps((), colours=True, table=find_table(tables))
    table, problems = _table(maps, options)
    if table is None:
        return replace(source, problems=(*source.problems, *problems))
    records = tuple(
        replace(record, mask=coloured(record.mask, table)) if isinstance(record.mask, Path) else record
        for record in source
    )
    read = (*source.also_read, *([] if maps.table is None else [maps.table]), *paths)
    return replace(source, records=records, info={**source.info, "mask_labels": table.labels}, also_read=read)
