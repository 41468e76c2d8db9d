"""What folder names say (a role, a split, a patient), and names for files that are written."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.layouts.guess.folder_words import is_image_role, is_mask_role
from imagemill.data.layouts.guess.folder_words import part_of as split_named
from imagemill.data.records.output_names import output_name
from imagemill.data.records.record import split_suffix

__all__ = ["Place", "group_finder", "is_image_role", "is_mask_role", "place_of", "safe_stems", "split_named"]

_GROUP = re.compile(
    r"(patient|pat|pt|p|subject|subj|sub|s|case|study|series|video|vid|clip|sequence|seq|burst|session|visit)[-_ ]?\d+"
    r"[a-z]?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """What the folders of a key say.

    Parameters
    ----------
    split : str or None
        Where the leading folders name one.
    role : bool
        Whether a leading folder says that it holds images.
    folders : tuple of str
        The folders below those.
    name : str
        The file's own name.
    """

    split: str | None
    role: bool
    folders: tuple[str, ...]
    name: str

    @property
    def bare(self) -> str:
        """The key without the folders of split and role."""
        return "/".join((*self.folders, self.name))


def place_of(key: str) -> Place:
    """Take a key apart into split, role, further folders and name.

    Examples
    --------
    >>> place_of("images/train/cat/1.jpg")
    Place(split='train', role=True, folders=('cat',), name='1.jpg')
    """
    *folders, name = key.split("/")
    split, role, first = None, False, 0
    for folder in folders:
        if split is None and split_named(folder) is not None:
            split = split_named(folder)
        elif not role and is_image_role(folder):
            role = True
        else:
            break
        first += 1
    return Place(split, role, tuple(folders[first:]), name)


@dataclass(frozen=True, slots=True)
class _Groups:
    """Finds the group of a key: what a pattern says, the folder it lies in, or nothing."""

    pattern: re.Pattern[str] | None
    by_folder: bool

    def __call__(self, key: str) -> str | None:
        if self.pattern is not None:
            found = self.pattern.search(key)
            return None if found is None else found[found.re.groups and 1]
        folders = place_of(key).folders
        return folders[-1] if self.by_folder and folders else None


def group_finder(keys: Iterable[str], extra: Mapping[str, Any]) -> tuple[_Groups, str]:
    r"""Find out what tells which images belong together, and say it in words.

    Parameters
    ----------
    keys : iterable of str
        All keys. Where each lies in a folder named like a patient, subject, case, video or burst with its number
        (``patient001``), that folder is its group.
    extra : mapping
        ``group`` may be ``"folder"`` for the folder each image lies in, or a regular expression over keys, such as
        ``r"(patient\d+)"``.

    Returns
    -------
    callable and str
        From key to group or None, and a note (empty where there are no groups).

    Raises
    ------
    SourceError
        When the expression is none.

    Examples
    --------
    >>> find, note = group_finder(["train/patient001/a.png", "train/patient002/a.png"], {})
    >>> find("train/patient001/a.png"), note
    ('patient001', 'group: the folder of each image')
    """
    asked = extra.get("group")
    if asked is not None and asked != "folder":
        try:
            return _Groups(re.compile(asked), by_folder=False), f"group: what {asked!r} finds in the key"
        except (re.error, TypeError) as error:
            raise SourceError(
                f"expected group as 'folder' or a regular expression, got {asked!r}: {error}; correct it"
            ) from error
    inner = {place.folders[-1] if (place := place_of(key)).folders else "" for key in keys}
    by_folder = asked == "folder" or (bool(inner) and all(_GROUP.fullmatch(name.casefold()) for name in inner))
    return _Groups(None, by_folder), "group: the folder of each image" if by_folder else ""


def safe_stems(keys: Mapping[str, str], *, apart: bool = True) -> dict[str, str]:
    """Names without suffix for files that are written, one for each record.

    A name that every file system takes stays as it is. One that has to change, or that would meet another (also
    where upper and lower case are one), gets eight digits made of the record's key, so that nothing depends on order.

    Parameters
    ----------
    keys : mapping of str to str
        From a record's key to where it is wanted, as a relative path with its suffix.
    apart : bool
        Whether ``a.jpg`` and ``a.png`` must not share a stem, because something else is named after it.

    Returns
    -------
    dict
        From a record's key to its relative path without suffix.

    Examples
    --------
    >>> safe_stems({"a.jpg": "a.jpg", "a.png": "a.png", "b.png": "b.png"})
    {'a.jpg': 'a-115365b3', 'a.png': 'a-29d6e224', 'b.png': 'b'}
    """
    tail = re.compile(r"-[0-9a-f]{8}-000\.x")
    clean, marked, suffix = {}, {}, {}
    for key, wanted in keys.items():
        full = output_name(wanted, suffix=".x")
        name = PurePosixPath(wanted).name
        suffix[key] = "" if apart else split_suffix(name)[1]
        digits = output_name(key, suffix=".x")[-14:-6]
        clean[key] = tail.sub("", full)
        marked[key] = f"{clean[key]}-{digits}"
        if PurePosixPath(clean[key]).name != split_suffix(name)[0]:
            clean[key] = marked[key]
    folded = {key: _folded(name + suffix[key]) for key, name in clean.items()}
    seen = Counter(folded.values())
    return {key: name if seen[folded[key]] == 1 else marked[key] for key, name in clean.items()}


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())
