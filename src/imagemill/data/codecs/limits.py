"""Refusing files that promise more than they can hold, before memory is taken."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from imagemill.data.codecs.base import problem

__all__ = ["DEFLATE", "check_inflation", "gunzip"]

DEFLATE = 1040
"""More than this many times its own length no deflated stream becomes (the format's bound is 1032)."""

_STEP = 1 << 20
_AGAIN = "get the file again from where it came from"


def check_inflation(path: Path | str, declared: int, stored: int, ratio: int = DEFLATE, free: int = 4096) -> None:
    """Refuse a header that declares more bytes than the stored ones can become.

    Parameters
    ----------
    path : Path or str
        Named in the error.
    declared : int
        Bytes the header promises.
    stored : int
        Bytes that are there, compressed.
    ratio : int
        What one stored byte can become at most; 1 where nothing is compressed.
    free : int
        Bytes beyond that which are no reason to refuse: headers, or what any machine has to spare.

    Raises
    ------
    CodecError

    Notes
    -----
    Source of the default: RFC 1951; the longest match is 258 bytes and takes two bits at least.

    Examples
    --------
    >>> check_inflation("a.npz", 4_000_000_000, 1_000)
    Traceback (most recent call last):
    imagemill.core.errors.CodecError: a.npz: expected at most 1,044,096 bytes from 1,000 stored, got a header that ...
    """
    most = ratio * stored + free
    if declared > most:
        got = f"a header that declares {declared:,}: the file is cut off or made to fill the memory"
        raise problem(path, f"at most {most:,} bytes from {stored:,} stored", got, _AGAIN)


def gunzip(path: Path, wanted: int, *, exact: bool = True) -> bytes:
    """Inflate a gzip file up to a number of bytes, and no further.

    Parameters
    ----------
    path : Path
        The file.
    wanted : int
        Bytes to take.
    exact : bool
        Whether the file has to hold exactly so many; its checksum is then checked too.

    Raises
    ------
    CodecError
        When it is no gzip file, is damaged, or has fewer (or, with `exact`, more) bytes.
    """
    try:
        if exact:
            check_inflation(path, wanted, path.stat().st_size)
        with gzip.open(path) as file:
            parts, have = [], 0
            while have < wanted and (part := file.read(min(_STEP, wanted - have))):
                parts.append(part)
                have += len(part)
            rest = file.read(1) if exact else b""  # past the end, where gzip compares its checksum
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise problem(path, "a whole gzip file", str(error), _AGAIN) from error
    except OSError as error:
        raise problem(path, "a readable file", str(error), "check the path and its permissions") from error
    if exact and (have < wanted or rest):
        got = f"only {have:,}" if have < wanted else "more"
        raise problem(path, f"{wanted:,} bytes", got, _AGAIN)
    return b"".join(parts)
