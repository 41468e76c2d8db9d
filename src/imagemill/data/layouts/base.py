"""What a source is, and what a layout has to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

from imagemill.core.errors import SourceError
from imagemill.core.short_repr import ShortRepr
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.guess.folder_structure import Arrangement, arrange, folder_of
from imagemill.data.records.record import Pixels, Record

__all__ = [
    "ARRAYS",
    "CAN_HOLD",
    "MEMORY",
    "RECORDS",
    "Evidence",
    "Guess",
    "Layout",
    "Look",
    "Problem",
    "ReadSource",
    "Source",
    "WriteTarget",
    "Written",
]

CAN_HOLD = (
    "image",
    "uint16",
    "float",
    "channels",
    "volume",
    "affine",
    "label",
    "hierarchy",
    "labels",
    "mask",
    "boxes",
    "polygons",
    "rle",
    "keypoints",
    "split",
    "group",
    "attributes",
)
"""What a layout may be able to hold, in the order of the table in the documentation.

``uint16`` and ``float`` are pixel types beyond 8 bits, ``channels`` counts other than 1, 3 and 4, ``hierarchy`` a
label with levels, ``labels`` several labels of one image, ``rle`` instance masks, ``affine`` the place of a volume.
"""


ARRAYS, RECORDS, MEMORY = "arrays", "records", Path("memory")
"""Layouts of what was given in memory, and the root of what has no files."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a source that could not be taken in, and why.

    Parameters
    ----------
    name : str
        The file, line, row or member.
    message : str
        What was expected, what came, what to do.
    missing : bool
        Whether it is a picture that is spoken of and not there; ``on_error="raise"`` stops for those.
    """

    name: str
    message: str
    missing: bool = False

    def __str__(self) -> str:
        return self.message if self.name in self.message else f"{self.name}: {self.message}"


@dataclass(frozen=True, slots=True, repr=False)
class Source(ShortRepr):
    """A finite, ordered set of records, and what is known of them together.

    Parameters
    ----------
    root : Path
        The folder or file that keys are relative to.
    layout : str
        Name of the layout.
    records : tuple of Record
        The records in order, each key once.
    missing_masks : tuple of str
        Keys of records without a mask, where masks were asked for.
    notes : tuple of str
        What else there is to know.
    classes : tuple of str
        Class names in the order of their numbers, where the layout says one; else empty, and names count in
        alphabetical order.
    categories : tuple of str
        The same for the annotations inside pictures (boxes, polygons, keypoints).
    keypoint_names : tuple of str
        Names of the keypoints of an instance, in order.
    links : tuple of pairs of int
        Keypoints joined by the skeleton, counted from 0.
    problems : tuple of Problem
        What could not be taken in; it is never silently dropped.
    info : mapping
        Whatever else the layout says of the whole set (licence, description, numbers of categories...), as
        plain values that JSON can hold.
    also_read : tuple of Path
        Files besides images and masks that were taken in: annotation files, tables, lists of classes. What a folder
        holds beyond these and the pixels was passed over.
    passed_over : tuple of str
        Keys of the folder's files that are neither pixels of a record nor `also_read`.

    Examples
    --------
    >>> source = Source(Path("d"), "file", (Record("a.png", Path("d/a.png")),))
    >>> len(source), source.describe()
    (1, '1 image (file) in d')
    """

    root: Path
    layout: str
    records: tuple[Record, ...]
    missing_masks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    keypoint_names: tuple[str, ...] = ()
    links: tuple[tuple[int, int], ...] = ()
    problems: tuple[Problem, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)
    also_read: tuple[Path, ...] = ()
    passed_over: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    @property
    def is_in_memory(self) -> bool:
        """Whether it was given as arrays or as records: no folder is its own, and no file beside it speaks of it."""
        return self.layout in (ARRAYS, RECORDS)

    def describe(self) -> str:
        """Say in words what was found, and what was left out."""
        count = len(self.records)
        parts = [f"{count} image{'' if count == 1 else 's'} ({self.layout}) in {self.root}"]
        labels = Counter(record.label for record in self.records if record.label is not None)
        if labels:
            named = ", ".join(f"{name} {labels[name]}" for name in sorted(labels)[:20])
            more = f", and {len(labels) - 20} more" if len(labels) > 20 else ""
            parts.append(f"{len(labels)} class{'' if len(labels) == 1 else 'es'}: {named}{more}")
        masks = sum(record.mask is not None for record in self.records)
        if masks or self.missing_masks:
            parts.append(f"{masks} with a mask, {len(self.missing_masks)} without")
        if self.problems:
            parts.append(f"{len(self.problems)} could not be taken in")
        return "; ".join([*parts, *self.notes])


@dataclass(frozen=True)
class Look:
    """A first look at a path, taken once and shown to every layout that may know it.

    Parameters
    ----------
    path : Path
        The file or folder.
    files : tuple of (str, Path)
        For a folder: key and path of every file below it, sorted; for a file: itself.
    skipped : tuple of str
        Keys of hidden files, and of files and folders that operating systems put there (``Thumbs.db``, ``__MACOSX/``).
    empty : tuple of str
        Keys of folders without any file.
    memo : dict
        What was found out about the files, so that it is found out once.
    """

    path: Path
    files: tuple[tuple[str, Path], ...]
    skipped: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @cached_property
    def images(self) -> tuple[tuple[str, Path], ...]:
        """The files that are images, volumes or label maps by their names."""
        good = {suffix for suffix in self._by_suffix if suffix and is_readable_name(f"x{suffix}")}
        double = any(
            not is_readable_name(f"x{suffix}") and suffix in (".gz", ".bz2", ".zst") for suffix in self._by_suffix
        )
        if len(good) == len(self._by_suffix):
            return self.files
        chosen = self.ending(*sorted(good)) if not double else list(self.files)
        return tuple((key, path) for key, path in chosen if not double or is_readable_name(key))

    @cached_property
    def _by_suffix(self) -> Mapping[str, tuple[tuple[str, Path], ...]]:
        """The files by their last suffix, in lower case."""
        found: dict[str, list[tuple[str, Path]]] = {}
        for pair in self.files:
            name = pair[0].rpartition("/")[2]
            dot = name.rfind(".")
            found.setdefault(name[dot:].lower() if 0 < dot < len(name) - 1 else "", []).append(pair)
        return {suffix: tuple(files) for suffix, files in found.items()}

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The last suffixes of the files in lower case, each once."""
        return tuple(self._by_suffix)

    def ending(self, *suffixes: str) -> list[tuple[str, Path]]:
        """The files with one of some suffixes, in their order; quick however many there are of others.

        Parameters
        ----------
        *suffixes : str
            In lower case, with the dot; ``""`` stands for files without. Only the last suffix of a name counts.

        Examples
        --------
        >>> look = Look(Path("d"), (("a.PNG", Path("d/a.PNG")), ("b.json", Path("d/b.json"))))
        >>> [key for key, _ in look.ending(".png")]
        ['a.PNG']
        """
        found = [pair for suffix in dict.fromkeys(suffixes) for pair in self._by_suffix.get(suffix, ())]
        return sorted(found) if len(suffixes) > 1 else found

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """The folder of each of the images, as the arrangement counts folders."""
        return tuple(folder_of(key) for key, _ in self.images)

    @cached_property
    def arrangement(self) -> Arrangement:
        """How the folders that the images lie in are arranged."""
        return arrange(Counter(self.folders), self.path.resolve().name)


@dataclass(frozen=True, slots=True)
class Guess:
    """How sure a layout is that a path is its own.

    Parameters
    ----------
    sure : float
        0 to 1. 0.9 and more when a file says so by its content (a COCO JSON, an HDF5 file), 0.5 to 0.8 for
        an arrangement of folders, 0.1 to 0.4 for what is left (any folder with images).
    why : str
        In words a newcomer understands, such as ``"every image lies in one of 5 folders named like classes"``.
    takes : frozenset of str or None
        Keys of the files that it would read as images, label maps or annotations, where that is known without reading.
        None lets the layout be read, to see what it takes.
    carries : frozenset of str or None
        What its records would have of ``"label"``, ``"split"``, ``"mask"``, ``"objects"`` and ``"group"``. None as
        for `takes`.
    """

    sure: float
    why: str
    takes: frozenset[str] | None = None
    carries: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was seen at a path, and what it speaks for.

    Parameters
    ----------
    seen : str
        In words, such as ``"folders of parts: train (60 images), test (20)"``.
    strength : float
        0 to 1: how much is lost by a layout that leaves it unexplained.
    carries : str
        What a layout has to carry to explain it (``"label"``, ``"split"``, ``"mask"``, ``"objects"``, ``"group"``);
        empty where only certain layouts explain it.
    layouts : tuple of str
        Names of layouts that explain it.
    """

    seen: str
    strength: float
    carries: str = ""
    layouts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadSource:
    r"""How a source is to be read; a layout takes what concerns it and refuses what contradicts it.

    Parameters
    ----------
    masks : Path or None
        A folder (or, for one image, a file) of label maps.
    missing_masks : bool
        Whether images without a mask are fine.
    mask_pattern : str or None
        A regular expression over image keys, and, after ``=>``, the mask's key with ``\1`` for groups, such as
        ``"images/(.*)\.jpg=>masks/\1_seg.png"``.
    columns : mapping
        For tables: which column is ``key``, ``image``, ``mask``, ``label``, ``labels``, ``split``, ``group``,
        ``boxes``...; what is not named is guessed from usual names.
    separator : str or None
        For tables of text: the character between cells, where it cannot be guessed.
    encoding : str or None
        For tables of text: how their characters are written, such as ``"latin-1"`` or ``"cp1252"``; None takes UTF-8,
        or UTF-16 where a byte order mark says so.
    labels_separator : str or None
        What stands between several labels in one cell; None finds it out (``|``, ``;``, ``,`` or a blank).
    images : Path or None
        For tables: the folder that names and paths of images are relative to, where it is not the table's own.
    outside : bool
        Whether paths in a list or table may lead out of its folder.
    urls : bool
        Whether ``http(s)://`` paths may be fetched.
    private : bool
        Whether addresses of the local network may be fetched.
    cache : Path or None
        Where fetched files are kept; None takes the user's cache folder.
    frame : {"auto", "stored", "shown"}
        The picture that annotations are meant on, as its file stores it or as EXIF turns it, where the size that they
        state leaves it open; see `imagemill.data.records.orientation`.
    rescale : bool
        Whether annotations that state another size than their picture has are scaled to it.
    maps : mapping from str to Path or str
        Maps of numbers over the images (depth, dose): the target's name, and the folder in which files are named like
        the images. A name without a path, such as ``"depth"``, stands for every folder of that name in the source.
    views : mapping from str to Path or str
        Further images of the same scene (infrared, T2) in the same way.
    extra : mapping
        Further words of single layouts, named in their documentation.
    """

    masks: Path | None = None
    missing_masks: bool = False
    mask_pattern: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    separator: str | None = None
    encoding: str | None = None
    labels_separator: str | None = None
    images: Path | None = None
    outside: bool = False
    urls: bool = False
    private: bool = False
    cache: Path | None = None
    frame: str = "auto"
    rescale: bool = False
    maps: Mapping[str, Path | str] = field(default_factory=dict)
    views: Mapping[str, Path | str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """How a layout is to be written.

    Parameters
    ----------
    format : str or None
        Suffix of written images, such as ``".png"``; None keeps the bytes of each image where the layout can.
    files : str
        ``"copy"`` the bytes, or ``"link"`` (hard link, copied where that fails).
    embed : bool
        For tables: put the encoded pictures into the table itself.
    overwrite : bool
        Whether what an earlier export wrote may be replaced.
    progress : callable or None
        Called with the number of records written so far.
    place : callable or None
        Where pictures are in the folder already: called instead of writing one, with where its pixels are and the path
        that the layout wants for it, without suffix; gives its path below the folder.
    """

    format: str | None = None
    files: Literal["copy", "link"] = "copy"
    embed: bool = False
    overwrite: bool = False
    progress: Any = None
    place: Callable[[Pixels, str], str] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What an export wrote, and what the layout could not hold.

    Parameters
    ----------
    out : Path
    count : int
        Records written.
    lost : tuple of str
        What was left out, in words: ``"12 polygons: YOLO boxes hold no polygons"``.
    problems : tuple of Problem
        Records that could not be written.
    notes : tuple of str
        What else there is to say of the run, such as workers that were lost on the way.
    """

    out: Path
    count: int
    lost: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


class Layout(Protocol):
    """One way to arrange a dataset, read and where it can be written.

    A layout is a small class without state. `read` takes in what it can, lists the rest under ``problems``, and
    raises SourceError only when nothing can be made of the path. It reads no pixels. `write` is whole or
    nothing per file, makes the folder, refuses to mix with what is there unless told to overwrite, and reads back
    as the same records, except for what `lost` names.
    """

    name: str
    """For flags and reports, such as ``"class-folders"``."""
    title: str
    """For people, such as ``"one folder per class"``."""
    holds: frozenset[str]
    """Of `CAN_HOLD`."""
    place: int = 1000
    """Where it stands in lists. Of layouts that are equally sure and leave equally little, the first is taken."""
    writes: bool = False
    """Whether it can be written."""
    recognised: str = ""
    """What it is recognised by, and options of its own, for the documentation; in Markdown."""
    written: str = ""
    """What `write` makes, for the documentation; in Markdown."""

    def guess(self, look: Look) -> Guess | None:
        """Say whether the path looks like this layout, and why; None when it does not. It reads little."""
        ...

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read the records."""
        ...

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write the records."""
        raise SourceError(f"expected a layout that can be written, got {self.name!r}, which is only read; choose coco")
