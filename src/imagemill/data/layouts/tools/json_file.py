"""Reading a whole JSON file, and what its first and last bytes say of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError

__all__ = ["load_json", "peek"]

_PEEK = 1 << 18


def load_json(path: Path, what: str = "JSON") -> Any:
    """Parse a JSON file.

    Parameters
    ----------
    path : Path
    what : str
        What it should be, for errors.

    Raises
    ------
    SourceError
        When it cannot be read or parsed.
    """
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: expected a {what} file, got: {error}; check the path") from error
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{path}: expected JSON, got an error in line {error.lineno}: {error.msg}; check the file"
        ) from None
    except (RecursionError, ValueError) as error:  # nested a thousand deep, or a number of five thousand digits
        raise SourceError(f"{path}: expected a {what} file, got one that cannot be parsed: {error}") from None


def peek(path: Path, most: int = _PEEK) -> tuple[bytes, bool]:
    """The first and the last bytes of a file, and whether there are more between them; empty where it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.json"
    ...     _ = file.write_bytes(b"0123456789")
    ...     peek(file, 2), peek(file)
    ((b'0189', True), (b'0123456789', False))
    """
    try:
        with path.open("rb") as file:
            data = file.read(most)
            size = file.seek(0, os.SEEK_END)
            if size > most:
                file.seek(max(most, size - most))
                data += file.read()
    except OSError:
        return b"", False
    return data, size > 2 * most
