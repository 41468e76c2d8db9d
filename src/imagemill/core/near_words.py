"""What was probably meant by a word that nobody knows, and by arguments that a function does not take."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

from imagemill.core.errors import UnknownParameter

__all__ = ["near_word", "no_attribute", "takes"]

P = ParamSpec("P")
R = TypeVar("R")

_ELSEWHERE: dict[str, str] = {
    "num_workers": "workers", "n_jobs": "workers", "jobs": "workers", "bs": "batch_size", "batch": "batch_size",
    "batchsize": "batch_size", "transform": "pipeline", "transforms": "pipeline", "augmentation": "pipeline",
    "pipe": "pipeline", "random_state": "seed", "random_seed": "seed", "prefetch_factor": "prefetch",
    "image_size": "size", "img_size": "size", "target_size": "size", "n": "copies", "ncopies": "copies",
    "test_size": "split", "output": "out", "output_dir": "out", "dst": "out", "to_format": "format", "fmt": "format",
    "rotation": "rotation_range", "rotate": "rotation_range", "width_shift": "width_shift_range",
    "height_shift": "height_shift_range", "zoom": "zoom_range", "shear": "shear_range",
    "brightness": "brightness_range", "flip": "horizontal_flip", "hflip": "horizontal_flip",
    "vflip": "vertical_flip", "scale": "rescale", "preprocessing": "preprocessing_function",
    "size": "target_size", "labels": "label", "label": "labels",
}  # fmt: skip
"""What other libraries call an argument, and what it is called here."""


def near_word(word: object, known: Iterable[Any], called: Mapping[str, str] | None = None) -> str:
    """The end of a message: the known word that was probably meant; empty where none resembles it.

    Parameters
    ----------
    word : object
        What came.
    known : iterable
        Words, or what is written like them.
    called : mapping of str to str, optional
        What others call a known word, in small letters.

    Examples
    --------
    >>> near_word("horizontl", ["horizontal", "vertical"]), near_word("CHW", ["channels_first"])
    ("; did you mean 'horizontal'?", '')
    >>> near_word("CHW", ["channels_first"], {"chw": "channels_first"}), near_word("workerz", ["workers"])
    ("; did you mean 'channels_first'?", "; did you mean 'workers'?")
    """
    written, asked = {str(one): one for one in known}, str(word)
    meant = (called or {}).get(asked.lower())
    if meant not in written:
        small = {one.lower(): one for one in written}
        near = difflib.get_close_matches(asked.lower(), small, n=1)
        meant = small[near[0]] if near else None
    return "" if meant is None else f"; did you mean {written[meant]!r}?"


def no_attribute(
    thing: object, name: str, answers: Mapping[str, str], called: Mapping[str, str] | None = None
) -> AttributeError:
    """The error for an attribute that something has not, with what to write instead.

    Parameters
    ----------
    thing : object
    name : str
        What was asked for.
    answers : mapping of str to str
        For names that other libraries use, whole clauses.
    called : mapping of str to str, optional
        For the same, a name that is here.

    Examples
    --------
    >>> no_attribute(1.5, "is_int", {})
    AttributeError("a float has no 'is_int'; did you mean 'is_integer'?")
    """
    public = [one for one in dir(thing) if not one.startswith("_")]
    hint = f"; {answers[name]}" if name in answers else near_word(name, public, called)
    return AttributeError(f"a {type(thing).__name__} has no {name!r}{hint}", name=name, obj=thing)


def takes(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: arguments that do not fit raise an error that says which were meant.

    Python says only that an argument is unexpected. The error is a `TypeError` all the same.

    Examples
    --------
    >>> @takes
    ... def load(path, *, workers=2): ...
    >>> load("photos", num_workers=4)
    Traceback (most recent call last):
    imagemill.core.errors.UnknownParameter: expected an argument of load (path, workers), got 'num_workers'; did you ...
    >>> load("photos", 4)
    Traceback (most recent call last):
    imagemill.core.errors.UnknownParameter: expected path in place and the rest of load by name (workers=...), got 2 ...
    """
    name = function.__qualname__.removesuffix(".__init__")
    begins = f"{function.__qualname__}() "
    bound = int("self" in inspect.signature(function).parameters)
    parameters = list(inspect.signature(function).parameters.values())[bound:]
    known = [one.name for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
    places = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            # Another of deeper down is not ours to explain.
            if isinstance(error, UnknownParameter) or not str(error).startswith(begins):
                raise
            raise UnknownParameter(_unfit(name, known, places, args[bound:], kwargs) or str(error)) from None

    return call


def _unfit(name: str, known: list[str], places: list[str], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Why arguments do not fit; empty where Python's own words say it."""
    for word in kwargs:
        if word not in known:
            return (
                f"expected an argument of {name} ({', '.join(known)}), got {word!r}{near_word(word, known, _ELSEWHERE)}"
            )
    if len(args) > len(places):
        rest = ", ".join(f"{word}=..." for word in known if word not in places)
        return (
            f"expected {', '.join(places)} in place and the rest of {name} by name ({rest}), "
            f"got {len(args)} values in place"
        )
    return ""
