"""Keeping fetched files: the content under its own sha256, and an index from addresses to contents."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from imagemill.core.errors import CodecError
from imagemill.data.atomic import atomic_path

__all__ = ["keep", "kept"]


def _content(folder: Path, digest: str) -> Path:
    return folder / "content" / digest[:2] / digest


def _index(folder: Path, url: str) -> Path:
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
    return folder / "url" / digest[:2] / f"{digest}.json"


def kept(folder: Path, url: str, sha256: str | None = None) -> bytes | None:
    """Give what an address gave before, or None; damaged content counts as none.

    Parameters
    ----------
    folder : Path
        The cache.
    url : str
        The address.
    sha256 : str or None
        The digest wanted, in hex; content of another one counts as none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as cache:
    ...     keep(Path(cache), "https://example.org/a", b"abc")
    ...     kept(Path(cache), "https://example.org/a"), kept(Path(cache), "https://example.org/b")
    (b'abc', None)
    """
    digest = sha256.lower() if sha256 is not None else _named(folder, url)
    if digest is None or len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        return None
    try:
        data = _content(folder, digest).read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None


def _named(folder: Path, url: str) -> str | None:
    """The digest that the index has for an address."""
    try:
        entry = json.loads(_index(folder, url).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    digest = entry.get("sha256") if isinstance(entry, dict) and entry.get("url") == url else None
    return digest if isinstance(digest, str) else None


def keep(folder: Path, url: str, data: bytes) -> None:
    """Keep what an address gave.

    Raises
    ------
    CodecError
        When the folder cannot be written to.
    """
    digest = hashlib.sha256(data).hexdigest()
    entry = json.dumps({"url": url, "sha256": digest, "size": len(data)})
    try:
        with atomic_path(_content(folder, digest)) as part:
            part.write_bytes(data)
        with atomic_path(_index(folder, url)) as part:
            part.write_text(entry, encoding="utf-8")
    except CodecError:
        raise
    except OSError as error:
        msg = f"{folder}: expected a cache folder that can be written to, got {error}"
        raise CodecError(f"{msg}; choose another with cache=...") from error
