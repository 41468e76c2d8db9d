"""Finding the picture that an annotation file means by what it calls it.

Tools write the path that a picture had where they ran: absolute, of another machine, of Windows, as an address, or bare
where the picture lies in a sub-folder. What is left of such a path after a move is its end, so the picture that has
the most of that end in common is the one that is meant, as long as there is only one.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from imagemill.core.errors import InputError
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.records.record import Record, split_suffix

__all__ = ["ANNOTATED", "Pictures", "marked", "not_background", "plain_name"]

ANNOTATED = "annotated"
"""Column that is false for pictures that nobody annotated, among others that somebody did."""

_UPLOAD = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of a file that is uploaded to it."""


def plain_name(name: str) -> str:
    r"""The path within a name: slashes forward, and of an address the path or the file that it asks for.

    Examples
    --------
    >>> plain_name("imgs\\0.jpg"), plain_name("/data/local-files/?d=set/a%20b.jpg")
    ('imgs/0.jpg', 'set/a b.jpg')
    >>> plain_name("http://images.cocodataset.org/val2017/000000397133.jpg")
    'val2017/000000397133.jpg'
    """
    name = name.strip()
    if "?" in name and (asked := parse_qs(urlsplit(name).query).get("d")):
        return asked[0].replace("\\", "/")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", name):
        return unquote(urlsplit(name).path).lstrip("/")
    return name.replace("\\", "/")


def marked(records: Sequence[Record]) -> tuple[Record, ...]:
    """Records with a column that is false for those that nobody annotated, where somebody annotated others.

    A detector would take a picture without boxes for one with nothing in it: the column is there to leave those out by.
    Others have nothing in that column, so that they stay what they were when the first of these comes.

    Examples
    --------
    >>> records = [Record("a.png", Path("a.png"), objects=()), Record("b.png", Path("b.png"))]
    >>> [dict(record.attributes) for record in marked(records)]
    [{}, {'annotated': False}]
    """
    known = [record.objects is not None for record in records]
    if all(known) or not any(known):
        return tuple(records)
    pairs = zip(records, known, strict=True)
    return tuple(r if there else replace(r, attributes={**r.attributes, ANNOTATED: False}) for r, there in pairs)


def not_background(count: int) -> list[str]:
    """The note about pictures of whose annotations none could be taken in; none about none.

    Examples
    --------
    >>> not_background(1)
    ['1 picture lost everything that was annotated in it: it counts as not annotated, not as empty']
    """
    if not count:
        return []
    one = count == 1
    return [
        f"{count} picture{'' if one else 's'} lost everything that was annotated in {'it' if one else 'them'}: "
        f"{'it counts' if one else 'they count'} as not annotated, not as empty"
    ]


class Pictures:
    r"""The pictures of a folder, by the ends of their paths.

    Parameters
    ----------
    files : iterable of (str, Path)
        Key and path of every file of the folder.

    Examples
    --------
    >>> pictures = Pictures([("train/a.jpg", Path("d/train/a.jpg")), ("val/a.jpg", Path("d/val/a.jpg"))])
    >>> pictures.find(r"C:\work\val\a.jpg")
    'val/a.jpg'
    """

    def __init__(self, files: Iterable[tuple[str, Path]]) -> None:
        self.paths = {key: path for key, path in files if is_readable_name(path)}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for key in self.paths:
            name = _folded(posixpath.basename(key))
            self._by_name[name].append(key)
            self._by_stem[split_suffix(name)[0]].append(key)

    def find(self, name: str, folder: str = "") -> str:
        """The key of the picture that a name means.

        Parameters
        ----------
        name : str
            As the annotation file writes it.
        folder : str
            Key of the folder in which the annotation file lies: a path is meant from there first.

        Raises
        ------
        InputError
            When there is none, or several are meant alike.
        """
        plain = plain_name(name)
        for start in dict.fromkeys((folder, "")):
            key = posixpath.normpath(posixpath.join(start, plain))
            if key in self.paths:
                return key
        found = next((keys for keys in self._alike(plain) if keys), [])
        if not found:
            raise InputError(f"expected a picture {name!r:.200}, got none of that name; add it, or take its entry out")
        best = _nearest(found, posixpath.join(folder, plain))
        if len(best) > 1:
            shown = ", ".join(best[:3]) + (", ..." if len(best) > 3 else "")
            raise InputError(
                f"expected one picture for {name!r:.200}, got {shown}; write the path with its folder in the file"
            )
        return best[0]

    def _alike(self, plain: str) -> Iterable[list[str]]:
        """Keys whose last part is the same, then the same but for quoting, then for what an upload put before it."""
        last = _folded(posixpath.basename(plain.rstrip("/")))
        yield self._by_name.get(last, [])
        yield self._by_name.get(_folded(unquote(last)), [])
        yield self._by_name.get(_UPLOAD.sub("", last, count=1), [])
        if not is_readable_name(Path(last)):
            yield self._by_stem.get(last, [])


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _nearest(keys: list[str], wanted: str) -> list[str]:
    """Those that share the most with the end of a path."""
    ends = _folded(posixpath.normpath(wanted)).split("/")[::-1]

    def shared(key: str) -> int:
        count = 0
        for one, other in zip(_folded(key).split("/")[::-1], ends, strict=False):
            if one != other:
                break
            count += 1
        return count

    most = max(map(shared, keys))
    return [key for key in keys if shared(key) == most]
