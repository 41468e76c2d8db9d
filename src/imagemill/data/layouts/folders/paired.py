"""Images with their label maps: in two folders, side by side, or as a pattern says."""

from __future__ import annotations

from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import Guess, Layout, Look, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import exporting
from imagemill.data.layouts.folder_names import group_finder, place_of, safe_stems, split_named
from imagemill.data.layouts.folders.modalities import examinations, read_examinations
from imagemill.data.layouts.folders.split_lists import with_lists
from imagemill.data.layouts.labelmaps.labelmaps import attached, label_maps, numbered_folders, own_folders
from imagemill.data.layouts.labelmaps.mask_names import plain
from imagemill.data.layouts.labelmaps.pair_by_name import Reader
from imagemill.data.layouts.plain_folders import nothing_there, with_masks
from imagemill.data.layouts.unwritten import lose_the_rest
from imagemill.data.records.record import Record

__all__ = ["ImageMasks"]


class ImageMasks(Layout):
    """Images and label maps, paired by name."""

    name = "image-masks"
    title = "images with label maps (images/ and masks/, or <name>_mask beside <name>)"
    holds = frozenset(("image", "uint16", "float", "channels", "volume", "affine", "mask", "split", "group"))
    place = 70
    writes = True
    recognised = (
        "Label maps in folders named after them (`masks`, `train_masks`, `trainannot`, `gtFine`, `labelsTr`, "
        "`..._GroundTruth`), beside the images (`<name>_mask`, `_gt`, `_L`, `mask_<name>`), in a folder per "
        "sample, or in a folder of the same names that shows regions where its neighbour shows photos. Several "
        "files of one image become one label map, numbered from 1 (`--option merge=union` makes all 1). Of several "
        "kinds class numbers are taken, or `--option masks=KIND` says which (`none`: all are images). Colours "
        "become class numbers by a table beside them (`class_dict.csv`, `label_colors.txt`, `labelmap.txt`) or by "
        "`--option colours=FILE`. `train.txt` and others say parts. One file per modality (`flair`, `t1`, `ct`...) "
        "makes channels. `--mask-pattern 'images/(.*)\\.jpg=>maps/\\1.png'` says it for anything else, in every "
        "layout."
    )
    written = (
        "`[<split>/]images/<name>` and `[<split>/]masks/<name>`. Needs label maps; a group is kept where its "
        "folder is named like `patient001`."
    )

    def guess(self, look: Look) -> Guess | None:
        """Say whether images have a label map in a folder of masks, or beside them."""
        if look.is_folder and (found := examinations(look)) is not None:
            # Folders of patients are no classes, whatever they are called.
            return Guess(0.85, found.why)
        maps = label_maps(look, ReadSource())
        if maps is None or not maps.files:
            return None
        if maps.undecided:
            return Guess(0.75, "several kinds of label maps fit the images")
        if not maps.found:
            return Guess(0.75, f"{len(maps.files)} files in folders of label maps, none named like an image")
        return Guess(0.75, f"{len(maps.found)} of {len(maps.images)} images have a label map {maps.why}")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read images with their masks.

        ``options.mask_pattern`` says where a mask is; else ``options.masks``; else folders named after roles
        (``images``, ``masks``, ``labels``...), of which ``extra={"masks": name}`` chooses one; else suffixes such as
        ``_gt``. Images without a mask are listed; where masks were asked for by pattern, they are an error unless
        allowed.
        """
        if not look.is_folder:
            raise SourceError(f"expected a folder for the layout {self.name!r}, got {look.path}; give its folder")
        if not look.images:
            raise nothing_there(look)
        if options.masks is not None:
            return with_masks(_source(look, look.images, options), options)
        given = options.mask_pattern is not None or "masks" in options.extra
        if not given and (found := examinations(look)) is not None:
            return read_examinations(look, found, options)
        maps = label_maps(look, options)
        if maps is None or not maps.files:
            raise SourceError(
                f"expected label maps in a folder such as masks/, or named like a_mask.png, below {look.path}, got "
                "none; pass masks=FOLDER or mask_pattern"
            )
        return with_lists(attached(_source(look, maps.images, options), maps, options), look)

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


def _source(look: Look, images: tuple[tuple[str, Path], ...], options: ReadSource) -> Source:
    """Build the records, without masks as yet."""
    keys = [key for key, _ in images]
    group, note = group_finder(keys, options.extra)
    if not note and numbered_folders(keys):
        group, note = group_finder(keys, {**options.extra, "group": "folder"})
    splits = _splits(keys)
    records = [Record(key, path, split=splits.get(key), group=group(key)) for key, path in images]
    bare = [record.key for record in records if record.split is None]
    said = ""
    if bare and splits:
        said = f"{len(splits)} images lie in folders of parts, and {len(bare)} do not ({bare[0]}...): no parts taken"
        records = [Record(r.key, r.image, group=r.group) for r in records]
    kept = tuple(text for text in (said, note or _folders(keys)) if text)
    return Source(look.path, "image-masks", tuple(records), notes=kept)


def _folders(keys: list[str]) -> str:
    """What becomes of folders that say neither a part nor a role."""
    reader = Reader(keys)
    said = {folder: reader.read(key).bare for key in keys for folder in key.split("/")[:-1]}
    names = sorted(folder for folder, bare in said.items() if plain(folder).casefold() in bare[-1:])
    if len(names) < 2 or own_folders(keys):
        return ""
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"folders named {shown}: taken for neither classes nor groups; --option group=folder makes them groups"


def _splits(keys: list[str]) -> dict[str, str]:
    """The part of each image that lies in a folder of one."""
    reader = Reader(keys)
    said = {
        key: reader.read(key).split or next(filter(None, map(split_named, key.split("/")[:-1])), None) for key in keys
    }
    return {key: split for key, split in said.items() if split is not None}


LAYOUTS: tuple[Layout, ...] = (ImageMasks(),)
