"""Which column of a table says what: guessed from usual names, or told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imagemill.core.errors import SourceError
from imagemill.data.sources.base import ReadSource

__all__ = ["ATTRIBUTE", "ROLES", "Columns", "guess_columns", "normal_split", "role_of"]

ATTRIBUTE = "attribute."
"""What a written attribute's column begins with where its own name would be taken for something else."""

ROLES: dict[str, tuple[str, ...]] = {
    "key": ("key", "record_key"),
    "image": (
        *(
            "image",
            "img",
            "picture",
            "photo",
            "image_path",
            "img_path",
            "file_name",
            "filename",
            "filepath",
            "file_path",
        ),
        *("path", "file", "image_file", "image_file_name", "image_filename", "url", "image_url", "img_url", "uri"),
        *("image_uri", "pixels", "image_bytes"),
    ),
    "mask": ("mask", "mask_path", "mask_file_name", "mask_file", "segmentation", "segmentation_path", "seg"),
    "label": (
        *("label", "class", "category", "target", "species", "class_name", "label_name", "category_name"),
        *("label_text", "class_label", "fine_label", "breed"),
    ),
    "labels": ("labels", "classes", "tags"),
    "split": ("split", "subset", "fold", "partition"),
    "group": ("group", "patient", "patient_id", "patientid", "subject", "subject_id", "video", "video_id"),
    "boxes": ("objects", "boxes", "bboxes", "bbox"),
    "categories": ("categories", "box_labels", "box_categories"),
    "height": ("height", "image_height"),
    "width": ("width", "image_width"),
}
"""The usual names of columns for each role, the likeliest first."""

_SPLITS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}
_BY_NAME = {name: role for role, names in ROLES.items() for name in names}


def normal_split(text: str) -> str | None:
    """Bring a split's name into the three usual words; None where it is none.

    Examples
    --------
    >>> normal_split("Validation"), normal_split("fold 3")
    ('val', None)
    """
    return _SPLITS.get(text.strip().lower())


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def role_of(name: str) -> str | None:
    """The role that a column's name suggests; only the last part of a dotted name counts.

    Examples
    --------
    >>> role_of("Image Path"), role_of("meta.split"), role_of("price")
    ('image', 'split', None)
    """
    if name.startswith(ATTRIBUTE):
        return None
    return _BY_NAME.get(_plain(name)) or _BY_NAME.get(_plain(name).rpartition(".")[2])


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each role stands in a row.

    Parameters
    ----------
    roles : dict of str to int
        Number of the column, counted from 0.
    attributes : tuple of (int, str)
        The columns that are left, and what they are called.
    names : tuple of int
        Columns that may name a picture that is embedded in another column, the likeliest first.
    notes : tuple of str
    """

    roles: dict[str, int]
    attributes: tuple[tuple[int, str], ...]
    names: tuple[int, ...]
    notes: tuple[str, ...]


def guess_columns(names: Sequence[str], options: ReadSource, table: str) -> Columns:
    """Decide which column is what.

    Parameters
    ----------
    names : sequence of str
        The columns of a table.
    options : ReadSource
        `columns` maps roles to names, or to numbers as text (``"0"`` is the first).
    table : str
        What errors call the table.

    Raises
    ------
    SourceError
        When a column that was named is not there, a role is unknown, or no column holds images.

    Examples
    --------
    >>> guess_columns(["file", "species", "price"], ReadSource(), "fruit.csv").roles
    {'image': 0, 'label': 1}
    """
    roles = {role: _told(role, column, names, table) for role, column in options.columns.items()}
    told = dict(roles)
    for role, usual in ROLES.items():
        if role not in roles:
            found = [n for n, name in enumerate(names) if role_of(name) == role and n not in roles.values()]
            if found:
                roles[role] = min(found, key=lambda n: _rank(names[n], usual))
    if "image" not in roles:
        msg = f"expected a column of images in {table}, got {', '.join(map(repr, names[:12]))}"
        raise SourceError(f"{msg}; name it, for example columns={{'image': {names[0] if names else 'path'!r}}}")
    roles = {role: roles[role] for role in ROLES if role in roles}
    notes = []
    if options.columns or roles != {"image": 0}:
        taken = ", ".join(f"{role} from {names[n]!r}" for role, n in roles.items() if role not in told)
        if taken:
            notes.append(f"took {taken}")
    rest = [(n, name) for n, name in enumerate(names) if n not in roles.values()]
    also = sorted(
        (n for n, name in rest if role_of(name) == "image" and _plain(name) not in ("url", "uri")),
        key=lambda n: _rank(names[n], ROLES["image"]),
    )
    attributes = tuple((n, name.removeprefix(ATTRIBUTE)) for n, name in rest)
    return Columns(roles, attributes, tuple(also), tuple(notes))


def _rank(name: str, usual: Sequence[str]) -> tuple[bool, int]:
    plain = _plain(name)
    last = plain.rpartition(".")[2]
    return plain not in usual, usual.index(plain if plain in usual else last)


def _told(role: str, column: str, names: Sequence[str], table: str) -> int:
    """The number of a column that the user named."""
    if role not in ROLES:
        raise SourceError(f"expected roles of {', '.join(ROLES)}, got {role!r}; choose one of them")
    if column in names:
        return list(names).index(column)
    if str(column).isdecimal() and int(column) < len(names):
        return int(column)
    msg = f"expected a column {column!r} in {table} for {role}, got {', '.join(map(repr, names[:12]))}"
    raise SourceError(f"{msg}; choose one of them, or a number from 0")
