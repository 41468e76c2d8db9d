"""Whether an object can be a codec, asked before it is called for the first time."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any

from imagemill.core.errors import InputError
from imagemill.data.codecs.base import Codec
from imagemill.data.records.record import split_suffix

__all__ = ["check_fit"]

_METHODS = {
    "read": ("path", "options", "data"),
    "recognises": ("start",),
    "header": ("path", "data"),
    "can_write": ("picture", "suffix"),
    "encode": ("picture", "suffix"),
}
_SEE = "derive it from imagemill.data.Codec"


def check_fit(codec: Any, reserved: Collection[str] = (), of: str = "") -> Codec:
    """Give a codec back that has a name, suffixes and methods as `Codec` says.

    Parameters
    ----------
    codec : Codec
    reserved : collection of str
        Names that it must not have.
    of : str
        Where it comes from, for errors.

    Raises
    ------
    InputError
        Naming what is wrong.

    Examples
    --------
    >>> check_fit(object())
    Traceback (most recent call last):
    imagemill.core.errors.InputError: expected a codec with a name, got object with name None; ...
    """
    who = f"{type(codec).__name__}{of}"
    name = getattr(codec, "name", None)
    if not isinstance(name, str) or not name:
        raise InputError(f"expected a codec with a name, got {who} with name {name!r}; {_SEE}")
    if name in reserved:
        raise InputError(
            f"expected a codec with a name of its own, got {who} called {name!r}, which imagemill uses; "
            "add a word to it"
        )
    missing = [method for method in _METHODS if not callable(getattr(codec, method, None))]
    if missing:
        raise InputError(f"expected a codec with {', '.join(_METHODS)}, got {who} without {', '.join(missing)}; {_SEE}")
    for method, arguments in _METHODS.items():
        try:
            inspect.signature(getattr(codec, method)).bind(*arguments)
        except TypeError as error:
            raise InputError(f"expected {who} with {method}({', '.join(arguments)}), got {error}; {_SEE}") from error
    _check_suffixes(codec, who)
    checked: Codec = codec
    return checked


def _check_suffixes(codec: Any, who: str) -> None:
    suffixes, writes = getattr(codec, "suffixes", None), getattr(codec, "writes", None)
    if not isinstance(suffixes, tuple) or not suffixes or not all(map(_is_suffix, suffixes)):
        raise InputError(
            f"expected {who} with a tuple of suffixes like ('.qoi',), in lower case and with one dot, got "
            f"{suffixes!r}; write them so"
        )
    if not isinstance(writes, tuple) or not set(writes) <= set(suffixes):
        raise InputError(f"expected {who} to write some of {suffixes!r}, got {writes!r}; name no others")


def _is_suffix(one: Any) -> bool:
    # What a file's name ends in has to be what the codec is looked up by.
    return isinstance(one, str) and one == one.lower() and len(one) > 1 and split_suffix(f"a{one}")[1] == one
