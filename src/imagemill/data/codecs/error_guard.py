"""Nothing but our own errors leaves a codec, whatever the libraries below raise.

Decoders fail on damaged and foreign files wherever they happen to be, and with whatever they happen to raise. A list of
such errors is never complete, so there is none: what takes a file apart is wrapped, and every exception becomes a
`CodecError` that names the file and the cause.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from imagemill.core.errors import CodecError, ImagemillError
from imagemill.data.codecs.base import Codec, Picture, ReadOptions, problem

__all__ = ["Guarded", "cause", "guarded", "is_guarded", "told"]

P = ParamSpec("P")
R = TypeVar("R")

_AGAIN = "get the file again from where it came from"


def guarded(expected: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Wrap a function whose parameter ``path`` (or ``where``) is a file: it raises our own errors and no others.

    Parameters
    ----------
    expected : str
        What the file should have been, for the message.

    Notes
    -----
    Interrupts are no exceptions in this sense and pass through.

    Examples
    --------
    >>> @guarded("a whole file of tiles")
    ... def read_tiles(path):
    ...     return {}[6]
    >>> read_tiles(Path("a.jpg"))
    Traceback (most recent call last):
    imagemill.core.errors.CodecError: a.jpg: expected a whole file of tiles, got KeyError: 6; get the file again ...
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        names = list(inspect.signature(function).parameters)
        name = next(one for one in names if one in ("path", "where"))
        index = names.index(name)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except ImagemillError:
                raise
            except Exception as error:
                where = args[index] if index < len(args) else kwargs.get(name)
                raise told(_called(where), expected, error) from error

        call.__guarded__ = True  # type: ignore[attr-defined]
        return call

    return wrap


def is_guarded(function: Any) -> bool:
    """Whether a function was wrapped by `guarded`."""
    return bool(getattr(function, "__guarded__", False))


class Guarded:
    """A codec of which every way in is guarded.

    Examples
    --------
    >>> class Broken:
    ...     name, suffixes, writes = "broken", (".x",), ()
    ...
    ...     def read(self, path, options, data=None):
    ...         raise RuntimeError("half a block")
    >>> Guarded(Broken()).read(Path("a.x"), ReadOptions())
    Traceback (most recent call last):
    imagemill.core.errors.CodecError: a.x: expected a whole, readable BROKEN file, got RuntimeError: half a block; ...
    """

    __slots__ = ("codec", "name", "needs", "odd", "remarks", "suffixes", "writes")

    def __init__(self, codec: Codec) -> None:
        self.codec, self.name, self.suffixes, self.writes = codec, codec.name, codec.suffixes, codec.writes
        self.remarks: Mapping[str, str] = getattr(codec, "remarks", {})
        self.needs: Mapping[str, tuple[str, str]] = getattr(codec, "needs", {})
        self.odd = False

    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        """As the codec's."""
        try:
            return _of_type(Picture, self.codec.read(path, options, data))
        except ImagemillError:
            raise
        except Exception as error:
            raise told(path, f"a whole, readable {self._kind} file", error) from error

    def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
        """As the codec's."""
        try:
            (height, width), orientation = self.codec.header(path, data)
            return (int(height), int(width)), int(orientation)
        except ImagemillError:
            raise
        except Exception as error:
            raise told(path, f"a {self._kind} file with a whole header", error) from error

    def recognises(self, start: bytes) -> bool:
        """As the codec's; False where it fails, which is said once: any file may be shown to it."""
        try:
            return bool(self.codec.recognises(start))
        except Exception as error:
            if not self.odd:
                self.odd = True
                msg = (
                    f"expected the codec {self.name!r} to say whether it knows a file's first bytes, got {cause(error)}"
                )
                warnings.warn(f"{msg}; its files are known by suffix alone", stacklevel=2)
            return False

    @property
    def _kind(self) -> str:
        return "image" if self.name == "photo" else self.name.upper()

    def can_write(self, picture: Picture, suffix: str) -> str | None:
        """As the codec's."""
        try:
            reason = self.codec.can_write(picture, suffix)
            return None if reason is None else _of_type(str, reason)
        except ImagemillError:
            raise
        except Exception as error:
            raise _unwritten(picture, suffix, error) from error

    def encode(self, picture: Picture, suffix: str) -> bytes:
        """As the codec's."""
        try:
            return _of_type(bytes, self.codec.encode(picture, suffix))
        except ImagemillError:
            raise
        except Exception as error:
            raise _unwritten(picture, suffix, error) from error


def _of_type(wanted: type[R], found: Any) -> R:
    if not isinstance(found, wanted):
        raise TypeError(f"{type(found).__name__} in place of {wanted.__name__}")
    return found


def told(path: Path | str, expected: str, error: Exception) -> CodecError:
    """The error of our own for one of another library, or of the system."""
    if isinstance(error, FileNotFoundError):
        return problem(path, "a file", "nothing at this path", "check the spelling and the folder")
    if isinstance(error, MemoryError):
        do = "use a machine with more memory, or a smaller file"
        return problem(path, "a picture that fits the memory", "too little memory", do)
    if isinstance(error, OSError) and error.errno is not None:
        return problem(path, "a readable file", str(error), "check the file and its permissions")
    return problem(path, expected, cause(error), _AGAIN)


def cause(error: Exception) -> str:
    """An error in words: its text, behind its name where the text alone would say little.

    Examples
    --------
    >>> cause(ValueError("bad header")), cause(KeyError(6)), cause(EOFError())
    ('bad header', 'KeyError: 6', 'EOFError')
    """
    text, name = str(error), type(error).__name__
    if not text:
        return name
    return text if isinstance(error, OSError | ValueError | SyntaxError) else f"{name}: {text}"


def _called(where: Any) -> Path | str:
    """What errors call a place."""
    if isinstance(where, bytes):
        return "bytes"
    return where if isinstance(where, Path | str) else str(getattr(where, "name", where))


def _unwritten(picture: Picture, suffix: str, error: Exception) -> CodecError:
    got = f"{cause(error)} for {picture.array.dtype} of shape {picture.array.shape}"
    return CodecError(f"expected a picture that a {suffix} file holds, got {got}; choose .tiff or .npy")
