"""Writing a record's pixels to a path, and keeping an export apart from everything else.

Every layout that writes files goes through `exporting`: it refuses a folder with other content, remembers each file it
is about to make in a hidden list (so that an export that was killed can be taken away again), copies encoded pictures
byte for byte where it can, and collects what could not be written or held.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from imagemill.core.errors import CodecError, DiskError, MissingExtra, SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.codecs.base import Picture
from imagemill.data.codecs.registry import formats, write_picture
from imagemill.data.codecs.volumes.volume_header import DETACHED
from imagemill.data.layouts.base import Problem, WriteTarget, Written
from imagemill.data.layouts.tables.cells.image_cells import picture_suffix
from imagemill.data.records.loading import encoded, load_mask, load_picture, pixels_suffix
from imagemill.data.records.record import Pixels, Record, Stored, split_suffix

__all__ = [
    "FINISHED",
    "MARKER",
    "Export",
    "exporting",
    "files_listed",
    "is_unfinished",
    "place_image",
    "place_mask",
    "refuse_mixing",
    "refuse_turned",
    "remove_listed",
]

MARKER = ".imagemill-export.jsonl"
"""The hidden list of files that an export made, in its folder."""

FINISHED = '{"finished": '
"""How the last line of the list begins, once the export is whole."""
_SAME = {".jpeg": ".jpg", ".tiff": ".tif"}
# A label map that went through one of these would come back with other numbers.
_LOSSY = (".jpg", ".jpeg", ".webp", ".gif")


def place_image(
    where: Pixels, target: Path, options: WriteTarget, before: Callable[[Path], None] | None = None
) -> Path:
    """Write an image or volume next to `target`, in its own format where possible.

    The bytes of an encoded picture are copied (or linked) unchanged, unless ``options.format`` asks for another
    format. Arrays, and pictures that change format, are encoded: pictures as PNG, volumes as NIfTI, what neither
    holds as TIFF. A picture that is encoded anew is upright: its EXIF orientation is applied.

    Parameters
    ----------
    where : Path, Blob or Stored
    target : Path
        The file to write, without its suffix.
    options : WriteTarget
    before : callable, optional
        Called with the full path just before anything is written.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    CodecError
        When the pixels cannot be read, or the format cannot hold them.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from imagemill.data.records.record import Stored
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place_image(Stored("a", lambda: np.zeros((4, 6), np.uint8)), Path(folder, "a"), WriteTarget()).name
    'a.png'
    """
    return _place(where, target, options, before, asked=_asked(options), labels=False)


def place_mask(where: Pixels, target: Path, options: WriteTarget, before: Callable[[Path], None] | None = None) -> Path:
    """Write a label map next to `target`: as `place_image`, but always lossless.

    Raises
    ------
    CodecError
        As `place_image`.
    """
    asked = _asked(options)
    return _place(where, target, options, before, asked=None if asked in _LOSSY else asked, labels=True)


def _asked(options: WriteTarget) -> str | None:
    if options.format is None:
        return None
    suffix = "." + options.format.lower().removeprefix(".")
    known = [row.suffix for row in formats() if row.writes]
    if suffix not in known:
        raise SourceError(f"expected a format of {' '.join(known)}, got {options.format!r}; choose one of these")
    return suffix


def _place(
    where: Pixels,
    target: Path,
    options: WriteTarget,
    before: Callable[[Path], None] | None,
    *,
    asked: str | None,
    labels: bool,
) -> Path:
    suffix, data = _own(where)
    if suffix and (asked is None or _SAME.get(asked, asked) == _SAME.get(suffix.lower(), suffix.lower())):
        path = target.with_name(target.name + suffix)
        if before is not None:
            before(path)
        _copy(where, data, path, options)
        return path
    picture = load_mask(where) if labels else load_picture(where)
    path = target.with_name(target.name + (asked or _fitting(picture)))
    if before is not None:
        before(path)
    write_picture(path, picture)
    return path


def _own(where: Pixels) -> tuple[str, bytes | None]:
    """The suffix that the encoded picture has, empty for arrays; and its bytes where they had to be read."""
    suffix = split_suffix(where)[1] if isinstance(where, Path) else pixels_suffix(where)
    if suffix.lower() in DETACHED and isinstance(where, Path):
        return DETACHED[suffix.lower()], encoded(where)
    if suffix:
        return suffix, None
    data = encoded(where)
    return ("", None) if data is None else (picture_suffix(data), data)


def _fitting(picture: Picture) -> str:
    """A lossless format that holds the picture."""
    if picture.axes.startswith("z"):
        return ".nii.gz" if find_spec("nibabel") is not None else ".tif"
    plain = picture.channels in (None, 1, 3, 4) and picture.array.dtype.name in ("uint8", "uint16", "bool")
    return ".png" if plain else ".tif"


def _copy(where: Pixels, data: bytes | None, path: Path, options: WriteTarget) -> None:
    try:
        if isinstance(where, Path) and data is None:
            if options.files == "link" and _linked(where, path):
                return
            with atomic_path(path) as part:
                shutil.copyfile(where, part)
            return
        content = encoded(where) if data is None else data
        with atomic_path(path) as part:
            part.write_bytes(content or b"")
    except CodecError:
        raise
    except OSError as error:
        raise CodecError(f"{path}: expected to write a copy of {where}, got {error}; check both places") from error


def _linked(where: Path, path: Path) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # another disk, or a file system without links: a copy does as well
        os.link(where.resolve(), path)
        return True
    return False


def refuse_mixing(out: Path, options: WriteTarget, *, remove: bool = True) -> None:
    """Make sure that a folder can be written to; remove what an earlier export made there where that is asked for.

    Parameters
    ----------
    out : Path
    options : WriteTarget
    remove : bool
        Whether what an earlier export made is removed at once.

    Raises
    ------
    SourceError
        When the folder holds anything else, or an earlier export and ``overwrite`` was not asked for.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "thesis.txt").write_text("mine")
    ...     refuse_mixing(Path(folder), WriteTarget(overwrite=True))
    Traceback (most recent call last):
    imagemill.core.errors.SourceError: expected an empty folder or an earlier export, got ... with thesis.txt...
    """
    if out.exists() and not out.is_dir():
        raise SourceError(f"expected a folder to write to, got the file {out}; choose another place")
    marker = out / MARKER
    if not out.is_dir():
        return
    made = files_listed(marker)
    there = [path for path in sorted(out.rglob("*")) if path.is_file() or path.is_symlink()]
    others = [p.relative_to(out).as_posix() for p in there if p != marker and not p.name.endswith(".part")]
    foreign = [name for name in others if name not in made]
    if foreign:
        shown = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
        raise SourceError(
            f"expected an empty folder or an earlier export, got {out} with {shown}; choose another folder"
        )
    if marker.exists() and not options.overwrite:
        raise SourceError(
            f"expected an empty folder, got {out} with an earlier export; use another folder, or overwrite=True"
        )
    if remove:
        remove_listed(out, marker, made)


def files_listed(marker: Path) -> set[str]:
    """The files that an earlier export lists; a torn last line is passed over."""
    made = set()
    if marker.is_file():
        for line in marker.read_text("utf-8", "surrogateescape").splitlines()[1:]:
            with suppress(ValueError):  # the export was killed while it wrote this line, so there is no such file
                name = json.loads(line)
                made |= {name} if isinstance(name, str) else set()
    return made


def is_unfinished(folder: Path) -> bool:
    """Whether an export into the folder began and never came to its end.

    Examples
    --------
    >>> is_unfinished(Path("no/such/folder"))
    False
    """
    try:
        lines = (folder / MARKER).read_text("utf-8", "surrogateescape").splitlines()
    except OSError:  # there was no export
        return False
    return not lines or not lines[-1].startswith(FINISHED)


def remove_listed(out: Path, marker: Path, made: set[str]) -> None:
    """Remove some files of a folder, the folders that are empty without them, and the list."""
    folders = set()
    for name in made:
        path = out / name
        # The list is a file that anybody could have written: nothing outside the folder is removed for it.
        if path.resolve().is_relative_to(out.resolve()):
            path.unlink(missing_ok=True)
            folders |= {folder for folder in path.parents if folder.is_relative_to(out) and folder != out}
    for folder in sorted(folders, key=lambda f: -len(f.parts)):
        with suppress(OSError):  # not empty, or gone
            folder.rmdir()
    marker.unlink(missing_ok=True)


def refuse_turned(record: Record, options: WriteTarget) -> None:
    """Refuse a picture that encoding would turn upright, leaving its annotations behind; `export` turns both.

    Raises
    ------
    CodecError
    """
    asked, own = _asked(options), pixels_suffix(record.image)
    if not record.objects or record.frame == "shown" or asked is None or _SAME.get(asked, asked) == _SAME.get(own, own):
        return
    if isinstance(record.image, Stored):
        return
    if load_picture(record.image).meta.get("exif_orientation", 1) not in (None, 1):
        raise CodecError(
            f"{record.key}: expected a picture stored upright for another format with annotations, got one that "
            "its EXIF data turns; use export, which turns both, or leave the format out to keep its bytes"
        )


@dataclass(slots=True)
class Export:
    """An export that is being written; made by `exporting`.

    Parameters
    ----------
    out : Path
    options : WriteTarget
    """

    out: Path
    options: WriteTarget
    _marker: IO[str]
    count: int = 0
    _lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    _problems: list[Problem] = field(default_factory=list)

    def image(self, record: Record, stem: str) -> str | None:
        """Write a record's image; its path below `out`, or None when it could not be (that is noted)."""
        try:
            if self.options.place is not None:
                name = self.options.place(record.image, stem)
            else:
                refuse_turned(record, self.options)
                path = place_image(record.image, self.out / stem, self.options, self.announce)
                name = path.relative_to(self.out).as_posix()
        except DiskError:
            raise  # no fault of this record: the next one would be lost as well
        except (CodecError, MissingExtra) as error:
            self.problem(record.key, str(error))
            return None
        self.count += 1
        if self.options.progress is not None:
            self.options.progress(self.count)
        return name

    def mask(self, record: Record, stem: str) -> str | None:
        """Write a record's mask, as `image` does; None where there is none."""
        if record.mask is None:
            return None
        if self.options.place is not None:
            return self.options.place(record.mask, stem)
        try:
            path = place_mask(record.mask, self.out / stem, self.options, self.announce)
        except DiskError:
            raise
        except (CodecError, MissingExtra) as error:
            self.problem(f"{record.key} (mask)", str(error))
            return None
        return path.relative_to(self.out).as_posix()

    def text(self, name: str, content: str) -> None:
        """Write a text file in UTF-8."""
        path = self.out / name
        self.announce(path)
        with atomic_path(path) as part:
            part.write_bytes(content.encode("utf-8"))

    @property
    def nothing(self) -> str:
        """Why no record at all was written; empty where some were, or none was to be."""
        return str(self._problems[0]) if self._problems and not self.count else ""

    def announce(self, path: Path) -> None:
        """Remember a file before it is made."""
        self._marker.write(json.dumps(path.relative_to(self.out).as_posix()) + "\n")

    def lose(self, what: str, why: str, count: int = 1) -> None:
        """Count something that the layout cannot hold; `what` is in the plural, `why` a short sentence."""
        if count:
            self._lost[what, why] += count

    def problem(self, name: str, message: str) -> None:
        """Note a record that could not be written."""
        self._problems.append(Problem(name, message))

    def written(self) -> Written:
        """What there is to say at the end."""
        lost = tuple(f"{count} {what}: {why}" for (what, why), count in sorted(self._lost.items()))
        return Written(self.out, self.count, lost, tuple(self._problems))


@contextmanager
def exporting(out: Path, layout: str, options: WriteTarget, **facts: Any) -> Iterator[Export]:
    """Begin an export into a folder.

    Parameters
    ----------
    out : Path
        Made when missing.
    layout : str
        Name of the layout, for the list of files.
    options : WriteTarget
    **facts
        Anything else to remember in the list's first line.

    Yields
    ------
    Export

    Raises
    ------
    SourceError
        As `refuse_mixing`, when the folder cannot be made, and when not one record could be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with exporting(Path(folder, "out"), "made-up", WriteTarget()) as job:
    ...         job.text("notes.txt", "hello")
    ...         job.lose("boxes", "plain text holds no boxes", 3)
    ...     job.written().lost
    ('3 boxes: plain text holds no boxes',)
    """
    _asked(options)
    refuse_mixing(out, options)
    new = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Line by line, so that even an export that is killed lists every file it began.
        with (out / MARKER).open("w", encoding="utf-8", errors="surrogateescape", buffering=1) as marker:
            marker.write(json.dumps({"layout": layout, **facts}) + "\n")
            job = Export(out, options, marker)
            yield job
            if job.nothing:
                raise SourceError(f"expected images that the layout {layout!r} can hold, got none; {job.nothing}")
            marker.write(f"{FINISHED}{job.count}}}\n")
    except BaseException as error:
        # An export that was refused or stopped leaves nothing behind that could be taken for a dataset.
        with suppress(OSError):
            remove_listed(out, out / MARKER, files_listed(out / MARKER))
            if new:
                out.rmdir()
        if isinstance(error, OSError) and not isinstance(error, CodecError):
            raise SourceError(f"expected a folder to write to, got {error}; check space and permissions") from error
        raise
