"""A path on another machine that is used as a path on this one.

`pathlib` has no class for other file systems, and everything here reads `Path`s: so this is one whose looks, lists and
reads go through fsspec. What hands it to the system (``open(path)``, a library in C) gets, by ``__fspath__``, a copy in
the cache. Nothing but the address is in it; credentials are found where the package for the protocol finds them.
"""

from __future__ import annotations

import errno
import io
import os
import posixpath
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from imagemill.core.errors import InputError

__all__ = ["RemotePath", "as_path", "common_folder", "is_remote", "relative"]

SCHEMES = frozenset(
    (
        *("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "hf", "oss", "oci", "hdfs", "webhdfs"),
        *("sftp", "ssh", "ftp", "smb", "memory"),
    )
)
"""What may stand before ``://``; ``file://`` is a path of this machine."""

# One slash as well: that is what is left where somebody made a Path of the text.
_ADDRESS = re.compile(r"^([a-z][a-z0-9]+):[/\\]+(.*)$", re.DOTALL)


def is_remote(what: str | os.PathLike[str]) -> bool:
    """Whether a text or path is an address on another file system.

    Examples
    --------
    >>> is_remote("s3://bucket/a.png"), is_remote("C:/a.png"), is_remote("photos/a.png")
    (True, False, False)
    """
    if isinstance(what, RemotePath):
        return True
    found = _ADDRESS.match(str(what))
    return found is not None and found[1] in SCHEMES


def as_path(what: str | os.PathLike[str]) -> Path:
    """A path of this machine, or of another where the text begins like ``s3://``.

    Raises
    ------
    InputError
        When there is a name and a password, or a key, in the address, or no bucket.

    Examples
    --------
    >>> as_path("photos/a.png").name, str(as_path("s3://bucket/photos") / "a.png")
    ('a.png', 's3://bucket/photos/a.png')
    """
    if isinstance(what, RemotePath) or (isinstance(what, Path) and not (what.parts and what.parts[0].endswith(":"))):
        return what
    text = os.fspath(what)
    found = _ADDRESS.match(text)
    if found is None:
        return Path(text)
    if found[1] in ("file", "local"):
        return Path("/" + unquote(urlsplit(f"file:///{found[2]}").path).lstrip("/"))
    if found[1] not in SCHEMES:
        return Path(text)
    if not found[2].strip("/") and found[1] != "memory":
        raise InputError(f"expected the name of a bucket in {text!r}; write {found[1]}://BUCKET/FOLDER")
    _refuse_secrets(found[1], found[2])
    return RemotePath(f"{found[1]}://{found[2]}")


def _refuse_secrets(scheme: str, rest: str) -> None:
    """Addresses are written into reports and stores; a key in one would be, too."""
    user, at, _ = rest.partition("/")[0].rpartition("@")
    if at and ":" in user:
        do = "leave them out, and set them where the package for it looks: the environment, or a profile"
        raise InputError(f"expected an address without a password, got one in {scheme}://...; {do}")
    if re.search(r"[?&](?:sig|signature|token|x-amz-[a-z-]+|key|secret)=", rest, re.IGNORECASE):
        raise InputError(f"expected an address without a key, got a signed one in {scheme}://...; give the plain one")


class RemotePath(type(Path())):  # type: ignore[misc]
    """An address as a path; see the top of this module.

    Examples
    --------
    >>> path = RemotePath("memory://sets/cat/1.png")
    >>> path.name, str(path.parent), path.is_file()
    ('1.png', 'memory://sets/cat', False)
    """

    __slots__ = ()

    def __str__(self) -> str:
        parts = self.parts
        if parts and parts[0].endswith(":"):
            return f"{parts[0]}//{'/'.join(parts[1:])}"
        return "/".join(parts) or "."  # of one path relative to another

    def __repr__(self) -> str:
        return f"RemotePath({str(self)!r})"

    def as_posix(self) -> str:
        """The address."""
        return str(self)

    def __fspath__(self) -> str:
        """A copy on this machine; of a folder, or of what is not there, the address."""
        from imagemill.data.remote.remote_files import local_copy

        return local_copy(self) if self.is_file() else str(self)

    def __reduce__(self) -> Any:
        from imagemill.data.remote.remote_files import known

        return _again, (type(self), str(self), known(str(self)))

    # --------------------------------------------------------------------------------------------- what it is

    def is_absolute(self) -> bool:
        """Always: an address names no folder of this machine."""
        return True

    def absolute(self) -> Self:
        """Itself."""
        return self

    def resolve(self, strict: bool = False) -> Self:  # noqa: ARG002, FBT001, FBT002
        """Itself: there are no links."""
        return self

    def expanduser(self) -> Self:
        """Itself."""
        return self

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:  # noqa: ARG002
        """Kind and size.

        Raises
        ------
        FileNotFoundError
        """
        from imagemill.data.remote.remote_files import look

        found = look(self)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))
        mode = stat.S_IFDIR | 0o555 if found.is_folder else stat.S_IFREG | 0o444
        return os.stat_result((mode, 0, 0, 1, 0, 0, found.size, 0, 0, 0))

    @property
    def tag(self) -> str:
        """What is the same for files of the same content on the same server; empty where the server says nothing."""
        from imagemill.data.remote.remote_files import look

        found = look(self)
        return "" if found is None or found.token.startswith(" ") else found.token

    def lstat(self) -> os.stat_result:
        """As `stat`."""
        return self.stat()

    def _kind(self) -> str:
        from imagemill.data.remote.remote_files import look

        found = look(self)
        return "" if found is None else "folder" if found.is_folder else "file"

    def exists(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        """Whether there is a file, or anything below it."""
        return bool(self._kind())

    def is_file(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        """Whether it is a file."""
        return self._kind() == "file"

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        """Whether anything lies below it."""
        return self._kind() == "folder"

    def is_symlink(self) -> bool:
        """Never."""
        return False

    # ----------------------------------------------------------------------------------------------- contents

    def iterdir(self) -> Iterator[Self]:
        """What lies right in it."""
        from imagemill.data.remote.remote_files import files_below

        names = dict.fromkeys(key.partition("/")[0] for key in files_below(self))
        return (self / name for name in names)

    def glob(self, pattern: str, **_: Any) -> Iterator[Self]:
        """Files below it whose paths are like a pattern; ``**`` stands for folders of any depth."""
        from imagemill.data.remote.remote_files import files_below

        like = re.compile(_expression(pattern))
        return (self / key for key in files_below(self) if like.fullmatch(key))

    def rglob(self, pattern: str, **_: Any) -> Iterator[Self]:
        """As `glob`, in folders of any depth."""
        return self.glob(f"**/{pattern}")

    def open(
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any:
        """A file to read: a copy in the cache where it is small, else one that fetches what is asked for."""
        from imagemill.data.remote.remote_files import opened

        if set(mode) & set("wax+"):
            raise OSError(errno.EROFS, "expected a file to read, files there are written whole", str(self))
        if "b" in mode:
            return opened(self)
        return io.TextIOWrapper(opened(self), encoding, errors, newline, line_buffering=buffering == 1)

    def read_bytes(self) -> bytes:
        """All of it."""
        with self.open("rb") as file:
            found: bytes = file.read()
        return found

    def read_text(self, encoding: str | None = None, errors: str | None = None, newline: str | None = None) -> str:
        """All of it."""
        with self.open("r", encoding=encoding, errors=errors, newline=newline) as file:
            found: str = file.read()
        return found

    # ------------------------------------------------------------------------------------------------ changes

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:  # noqa: FBT001, FBT002
        """Nothing: folders are there when files are."""

    def rmdir(self) -> None:
        """Nothing, for the same reason."""

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002
        """Remove a file."""
        from imagemill.data.remote.remote_files import remove

        if not remove(self) and not missing_ok:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))


def _again(kind: type[RemotePath], text: str, known: Any) -> RemotePath:
    """A path that comes from another process, with what that one knew of it: nobody has to ask again."""
    from imagemill.data.remote.remote_files import learn

    if known is not None:
        learn(text, known)
    return kind(text)


def _expression(pattern: str) -> str:
    """A pattern of paths as a regular expression, in which ``*`` stops at a slash."""
    plain = {r"\*": "[^/]*", r"\?": "[^/]"}
    parts = []
    for part in pattern.split("/"):
        text = re.escape(part)
        for sign, means in plain.items():
            text = text.replace(sign, means)
        parts.append("(?:[^/]+/)*" if part == "**" else f"{text}/")
    return "".join(parts).removesuffix("/")


def relative(path: str | os.PathLike[str], start: str | os.PathLike[str]) -> str:
    """As `os.path.relpath`, also of addresses, with nothing fetched.

    Examples
    --------
    >>> relative(as_path("s3://bucket/photos/a.png"), as_path("s3://bucket/lists"))
    '../photos/a.png'
    """
    if isinstance(path, RemotePath) or isinstance(start, RemotePath):
        return posixpath.relpath(str(path), str(start))
    return os.path.relpath(path, start)


def common_folder(folders: Sequence[Path]) -> Path:
    """The folder that all of some folders are in.

    Raises
    ------
    ValueError
        When they share none.
    """
    if any(isinstance(folder, RemotePath) for folder in folders):
        shared = posixpath.commonpath([str(folder) for folder in folders])
        if not is_remote(shared):
            raise ValueError("files of different file systems")
        return as_path(shared)
    return Path(os.path.commonpath(folders))
