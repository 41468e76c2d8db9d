"""What the library advises, in the words of the command line."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

from typer.models import OptionInfo

__all__ = ["option_names", "said_as_options"]

_VALUE = r"(?:'[^'\s]*'|\"[^\"\s]*\"|True|\([\d, ]+\)|-?\d[\d.]*)"
_SETTING = re.compile(rf"(?<![\w.(-])([a-z_]+)=({_VALUE})((?:(?:, | or | \(or ){_VALUE})*)(?: \(--\1(?: [^)]*)?\))?")
_EXTRA = re.compile(r"extra=\{'(\w+)': '([^']*)'\}")

# Words about a source, which every verb takes as --option: Python's spelling with this one behind it.
_SOURCE_WORD = re.compile(r"\b(\w+)=(?:True|'[^'\s]*') \((--option \1=[^)\s]+)\)")
_SOURCE_ENTRY = re.compile(r"\b(?:columns|extra)=\{[^}]*\} \((--option [^)]+)\)")

_CALLS = {
    "dataset.prepare(folder, size=...)": "imagemill prepare -o DIR --size N",
    "pipeline.explain()": "imagemill explain",
    "run imagemill.scan": "run imagemill scan",
}
"""Calls of the library that are verbs here."""


def option_names(verb: Callable[..., Any]) -> dict[str, str]:
    """The options of a verb, by the names of the parameters that they set.

    Examples
    --------
    >>> import typer
    >>> from typing import Annotated
    >>> def verb(path: str, channels: Annotated[str, typer.Option("--channels", "-c")] = "keep"): ...
    >>> option_names(verb)
    {'channels': '--channels'}
    """
    found = {}
    hints = get_type_hints(verb, include_extras=True)
    for name in inspect.signature(verb).parameters:
        for extra in get_args(hints.get(name))[1:]:
            if isinstance(extra, OptionInfo):
                # Within Annotated the first name stands where a default would.
                names = [one for one in (extra.default, *(extra.param_decls or ())) if isinstance(one, str)]
                long = next((one for one in names if one.startswith("--")), f"--{name.replace('_', '-')}")
                found[name] = long.partition("/")[0]
    return found


def said_as_options(text: str, options: dict[str, str]) -> str:
    """Say settings of the Python functions as options; what is no option of this verb stays as it is.

    Parameters
    ----------
    text : str
        An error: "expected X, got Y; do Z". Only what is to be done is changed.
    options : dict of str to str
        As `option_names` gives them.

    Examples
    --------
    >>> options = {"channels": "--channels", "dtype": "--dtype"}
    >>> said_as_options("a.png: expected RGB, got gray; pass channels='rgb' (or 'gray')", options)
    'a.png: expected RGB, got gray; pass --channels rgb (or gray)'
    >>> said_as_options("expected that, got this; pass rescale=True (--option rescale=yes) to scale", {})
    'expected that, got this; pass --option rescale=yes to scale'
    >>> said_as_options("name it: columns={'image': 'x'} (--option column.image=x)", {})
    'name it: --option column.image=x'
    >>> said_as_options("expected one, got two; choose by extra={'masks': 'a b'}", {"option": "--option"})
    "expected one, got two; choose by --option masks='a b'"
    """
    for call, verb in _CALLS.items():
        text = text.replace(call, verb)
    text = _SOURCE_ENTRY.sub(r"\1", _SOURCE_WORD.sub(r"\2", text))
    if "axes" in options:
        text = text.replace("Image(array, axes=...) with", f"{options['axes']} with")
    before, mark, advice = text.partition("; ")

    def option(found: re.Match[str]) -> str:
        name, value, others = found.group(1, 2, 3)
        if name not in options or _within_call(advice[: found.start()]):
            return found.group(0)
        value = "" if value == "True" else " " + value.strip("'\"()").replace(", ", ",")
        return options[name] + value + re.sub(r"['\"]", "", others)

    if "option" in options:
        advice = _EXTRA.sub(lambda found: f"{options['option']} {found[1]}={shlex.quote(found[2])}", advice)
    return before + mark + _SETTING.sub(option, advice)


def _within_call(before: str) -> bool:
    """Whether a call is open behind some text, as in Image(array, axes='zyx')."""
    while "(" in before and before.rindex("(") < before.rfind(")"):
        before = re.sub(r"\([^()]*\)", "", before)
    return bool(re.search(r"\w\([^)]*$", before))
