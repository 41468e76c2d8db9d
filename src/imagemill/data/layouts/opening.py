"""Opening a path as a source; single files and lists of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.core.near_paths import near_path
from imagemill.core.near_words import near_word
from imagemill.core.pause_gc import without_collecting
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.codecs.sniff import FOREIGN, head, sniff
from imagemill.data.codecs.unsupported import unread
from imagemill.data.layouts.base import (
    Guess,
    Layout,
    Look,
    Problem,
    ReadSource,
    Source,
    WriteTarget,
    Written,
)
from imagemill.data.layouts.export_files import MARKER, exporting, is_unfinished
from imagemill.data.layouts.folder_names import safe_stems
from imagemill.data.layouts.further_rasters import further_rasters, with_hint, with_rasters, without_rasters
from imagemill.data.layouts.guess.detached_data import with_detached
from imagemill.data.layouts.guess.guess import Weighed, completed, images_alone, read_by, weigh
from imagemill.data.layouts.guess.unused_files import accounted
from imagemill.data.layouts.path_patterns import is_pattern
from imagemill.data.layouts.plain_folders import nothing_there, with_masks, without_masks
from imagemill.data.layouts.registry import layout_named, look_at
from imagemill.data.layouts.shapes.source_orientation import framed
from imagemill.data.layouts.unwritten import lose_the_rest
from imagemill.data.records.record import Record
from imagemill.data.remote.remote_files import fresh
from imagemill.data.remote.remote_path import as_path

__all__ = ["FileLayout", "open_source", "open_weighed", "read_options"]


def open_source(
    src: Path | str,
    masks: Path | str | None = None,
    *,
    allow_missing_masks: bool = False,
    layout: str | None = None,
    **options: Any,
) -> Source:
    r"""Open a file or a folder as a source of records, whatever its layout.

    Parameters
    ----------
    src : Path or str
        An image or volume, a list, table, archive or annotation file, or a folder, searched with its sub-folders; or
        a pattern of files, such as ``"train-{0000..0009}.tar"``.
    masks : Path or str or None
        A folder of masks, named like the images (see `pair_masks`); it may be `src` itself, and then files
        such as ``<image>_gt`` are masks and not images. For a single image also a file.
    allow_missing_masks : bool
        Whether images without a mask are fine, where `masks` or a pattern asks for them.
    layout : str or None
        Name of the layout, such as ``"class-folders"`` or ``"coco"``; None takes the best guess.
    **options
        Fields of `ReadSource`, such as ``mask_pattern`` or ``extra``; ``axes`` names those of one image in a file of
        arrays.

    Returns
    -------
    Source
        The records; `describe` says what was found and what was left out.

    Raises
    ------
    SourceError
        When nothing is there, or nothing can be made of it.
    InputError
        When an option is not known.

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
    return open_weighed(src, masks, allow_missing_masks=allow_missing_masks, layout=layout, **options)[0]


_ROLES = ("image", "mask", "label", "labels", "split", "group", "boxes", "key")


def _meant(unknown: str, known: set[str], options: Mapping[str, Any]) -> str:
    """What to write for an option that there is none of; columns of tables have one option for all of them."""
    role = unknown.removesuffix("_column").removesuffix("_col").removesuffix("_key")
    if role in _ROLES and isinstance(options[unknown], str):
        do = f"for a column of a table write columns={{{role!r}: {options[unknown]!r}}}"
        return f"; {do}; words of a single layout go into extra={{...}}"
    return near_word(unknown, known) or "; words of a single layout go into extra={...}"


def read_options(masks: Path | str | None = None, *, allow_missing_masks: bool = False, **options: Any) -> ReadSource:
    """How a source is to be read, from the options of `open_source`.

    Raises
    ------
    InputError
        When one is not known.
    """
    if (axes := options.pop("axes", None)) is not None:
        options["extra"] = {"axes": axes, **options.get("extra", {})}
    known = {field.name for field in fields(ReadSource)} - {"masks", "missing_masks"}
    if unknown := set(options) - known:
        raise InputError(
            f"expected options of {', '.join(sorted(known))}, got {', '.join(sorted(unknown))}"
            f"{_meant(sorted(unknown)[0], known, options)}"
        )
    folders = {name: as_path(options[name]) for name in ("images", "cache") if options.get(name) is not None}
    return ReadSource(None if masks is None else as_path(masks), allow_missing_masks, **{**options, **folders})


@without_collecting()
def open_weighed(
    src: Path | str,
    masks: Path | str | None = None,
    *,
    allow_missing_masks: bool = False,
    layout: str | None = None,
    every: bool = False,
    **options: Any,
) -> tuple[Source, Weighed]:
    """As `open_source`, and the table of evidence that the layout was guessed by.

    Parameters
    ----------
    src, masks, allow_missing_masks, layout, **options
        As for `open_source`.
    every : bool
        Whether every layout is asked what it would take, also where that is not needed to choose.
    """
    path = as_path(src)
    fresh(path)
    if not path.exists() and not is_pattern(path):
        msg = f"expected an image, a .txt list or a folder, got {str(src)!r}, where there is nothing"
        raise SourceError(f"{msg}; {near_path(path)}")
    read = read_options(masks, allow_missing_masks=allow_missing_masks, **options)
    whole = look_at(path)
    rasters = further_rasters(whole, read, guess=layout is None)
    look = without_masks(without_rasters(whole, rasters), read.masks)
    asked = None if layout is None else layout_named(layout)
    weighed = Weighed((), []) if asked is not None and not every else weigh(look, read, every=every)
    source = _read(look, read, asked, weighed)
    source = with_rasters(with_detached(framed(with_masks(source, read), read), whole), rasters)
    source = with_hint(source) if not rasters and layout is None else source
    source = accounted(whole, images_alone(look, read)[0], source, None if asked is not None else weighed)
    if path.is_dir() and is_unfinished(path):
        msg = "expected a whole set, got one that was stopped before its end; augment again, or export with overwrite"
        source = replace(source, problems=(*source.problems, Problem(MARKER, f"{path}: {msg}")))
    return source, weighed


def _read(look: Look, options: ReadSource, asked: Layout | None, weighed: Weighed) -> Source:
    """Read by the layout that was asked for, or the one that leaves least; without any, say what is wrong."""
    if asked is not None:
        return read_by(asked, look, options)
    best = weighed.best()
    if best is not None:
        return best.source if best.source is not None else completed(look, options, read_by(best.layout, look, options))
    if weighed.candidates and (fault := weighed.candidates[0].fault) is not None:
        raise fault
    if look.is_folder:
        raise nothing_there(look)
    return FileLayout().read(look, options)


class FileLayout(Layout):
    """One image or volume."""

    name = "file"
    title = "one image or volume"
    holds = frozenset(("image", "uint16", "float", "channels", "volume", "affine", "mask"))
    place = 10
    writes = True
    recognised = "A single file with a picture or volume, by its suffix or its first bytes."
    written = "One image goes in, its label map beside it as `<name>_mask`."

    def guess(self, look: Look) -> Guess | None:
        """Say whether it is one file with a picture."""
        if look.is_folder:
            return None
        if is_readable_name(look.path):
            return Guess(0.6, f"one file named {look.path.suffix}")
        return None if self._what(look.path) else Guess(0.5, "one file that begins like a picture")

    def _what(self, path: Path) -> str | None:
        """Name the content where it is none that can be read."""
        try:
            kind = sniff(head(path))
        except OSError as error:
            msg = f"expected a readable file, got {error}; check its permissions"
            raise SourceError(msg) from error
        return (unread(path) or "unknown content") if kind is None else FOREIGN.get(kind)

    def read(self, look: Look, options: ReadSource) -> Source:
        """Make a source of one image; the suffix or the content must be known."""
        path = look.path
        if look.is_folder:
            raise SourceError(f"expected one file, got the folder {path}; leave the layout out, or choose folder")
        if not is_readable_name(path) and (got := self._what(path)):
            msg = f"expected an image, a table, an archive or a folder, got {str(path)!r} with {got}"
            raise SourceError(f"{msg}; choose its layout, or give the folder that it belongs to")
        return with_masks(Source(path.parent, "file", (Record(path.name, path),)), options)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write the one image of a source, its mask beside it as ``<name>_mask``."""
        if len(source) != 1:
            raise SourceError(f"expected one image for the layout 'file', got {len(source)}; choose 'folder'")
        with exporting(out, self.name, options) as job:
            record = source.records[0]
            stem = safe_stems({record.key: record.key.rpartition("/")[2]})[record.key]
            if job.image(record, stem) is not None:
                job.mask(record, stem + "_mask")
            lose_the_rest(job, source, self.holds, self.title)
        return job.written()


LAYOUTS: tuple[Layout, ...] = (FileLayout(),)
