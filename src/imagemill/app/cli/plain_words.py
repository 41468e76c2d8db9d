"""Words of a command line that need no library to be read: texts, places, numbers, one of a few words.

Newer releases of typer load pydantic to read any word, which takes longer than the verb of a small folder. Here
whatever is plainly right is taken as it is; what is not goes to typer, which reads it, or says what is wrong with it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, get_args, get_origin

__all__ = ["read_plainly"]

_WHOLE, _DECIMAL = re.compile(r"[+-]?[0-9]{1,15}"), re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?(e[+-]?[0-9]{1,2})?")
_PATH_IS = {
    **dict.fromkeys(("exists", "writable", "resolve_path", "allow_dash"), False),
    **dict.fromkeys(("file_okay", "dir_okay", "readable"), True),
    **dict.fromkeys(("path_type", "parser", "click_type"), None),
}
"""What typer asks of a path where it is told nothing."""


class _NotPlainError(Exception):
    """A word for typer."""


class _Reader:
    """Stands where a parameter keeps what reads its words, in releases of typer that have such a thing."""

    def __init__(self, kind: Any, asked: Any, choices: Any) -> None:
        self._kind, self._asked, self._choices = kind, asked, choices

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """What a verb is given for a word, or for the words of an option that may be repeated."""
        try:
            return self.plainly(value, several=param.multiple or param.nargs == -1)
        except _NotPlainError:
            param._runtime_param = None  # typer makes its own then
            return param.get_runtime_param().coerce(value, param=param, ctx=ctx)

    def plainly(self, value: Any, *, several: bool) -> Any:
        """The same without typer."""
        if value is None:
            return () if several else None
        if not several:
            return self._one(value, self._kind)
        if get_origin(self._kind) is not list or not isinstance(value, tuple | list):
            raise _NotPlainError
        return [self._one(one, get_args(self._kind)[0]) for one in value]

    def _one(self, value: Any, kind: Any) -> Any:
        asked = self._asked
        if getattr(asked, "parser", None) is not None or getattr(asked, "click_type", None) is not None:
            raise _NotPlainError
        if (kind is str and type(value) is str) or (kind is bool and type(value) is bool):
            return value
        if kind in (int, float) and type(value) in (str, int, float):
            return self._number(value, kind)
        if kind is Path and isinstance(value, str | Path):
            return self._place(str(value))
        if self._choices is not None:
            return self._chosen(value)
        raise _NotPlainError

    def _chosen(self, value: Any) -> Any:
        for one in self._choices:
            # Of an enumeration members are given where the word was left out, and their values on the command line.
            if value is one or (isinstance(value, str) and value == getattr(one, "value", one)):
                return one
        raise _NotPlainError

    def _number(self, value: Any, kind: Any) -> Any:
        form = _WHOLE if kind is int else _DECIMAL
        if (form.fullmatch(value) is None) if isinstance(value, str) else (kind is int and type(value) is not int):
            raise _NotPlainError
        found, low, high = kind(value), self._asked.min, self._asked.max
        if (low is not None and not found >= low) or (high is not None and not found <= high):
            raise _NotPlainError
        return found

    def _place(self, value: str) -> Path:
        usual = all(getattr(self._asked, name, given) == given for name, given in _PATH_IS.items())
        if not usual or value == "-" or (os.path.lexists(value) and not os.access(value, os.R_OK)):
            raise _NotPlainError
        return Path(value)


def read_plainly(params: list[Any]) -> list[Any]:
    """Have the words of parameters read here first, where typer would load a library to read them.

    Parameters
    ----------
    params : list of parameters of a typer command

    Returns
    -------
    list
        The same.
    """
    for param in params:
        described = getattr(param, "type_descriptor", None)
        # An older typer has none, and reads words itself.
        if described is not None and getattr(param, "_runtime_param", described) is None:
            choices = described.choices if described.is_choice else None
            param._runtime_param = _Reader(described.annotation, described.parameter_info, choices)
    return params
