"""One line of a dataset: where the pixels are and what belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Record", "split_suffix"]

_DOUBLE = (".gz", ".bz2", ".zst")


@dataclass(frozen=True, slots=True)
class Record:
    """One image of a source, with its mask and label where it has them.

    Parameters
    ----------
    key : str
        The path relative to the source's root, in POSIX form, unique within the source. Everything
        random depends on it, so it never contains a machine's own folders.
    image : Path
        Where the pixels are.
    mask : Path or None
        Where the label map is.
    label : str or None
        The class name.

    Examples
    --------
    >>> Record("cat/1.jpg", Path("data/cat/1.jpg"), label="cat").label
    'cat'
    """

    key: str
    image: Path
    mask: Path | None = None
    label: str | None = None


def split_suffix(path: Path | str) -> tuple[str, str]:
    """Split a file name into stem and suffix, keeping compound suffixes such as ``.nii.gz`` whole.

    Parameters
    ----------
    path : Path or str
        A path or name; only its last part is looked at.

    Returns
    -------
    tuple of str
        The stem, and the suffix as written (with its dot, or empty).

    Examples
    --------
    >>> split_suffix("scans/patient.001_frame01.nii.gz")
    ('patient.001_frame01', '.nii.gz')
    >>> split_suffix("photo.old.JPG"), split_suffix(".hidden"), split_suffix("a.tar")
    (('photo.old', '.JPG'), ('.hidden', ''), ('a', '.tar'))
    """
    name = Path(path).name
    last = Path(name).suffix
    if last.lower() in _DOUBLE:
        inner = Path(name[: -len(last)]).suffix
        # "scan.v2.gz" is not a compound suffix; only formats that are stored compressed are.
        if inner.lower() in (".nii", ".mgh", ".npy", ".tar"):
            last = name[-len(inner) - len(last) :]
    return (name[: -len(last)], last) if last else (name, "")
