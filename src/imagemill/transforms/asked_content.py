"""How transforms ask what is in the images, and what they say where nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from imagemill.core.content import Array, Content
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame
from imagemill.transforms.base import one_of, option

__all__ = ["Missing", "all_maps", "asked", "missing_option", "name_of_target"]

Missing = Literal["raise", "ignore"]
T = TypeVar("T")


def missing_option() -> Any:
    """The ``missing`` setting: what becomes of samples that came without what a transform goes by."""
    return option("raise", check=one_of("raise", "ignore"), by_name=True)


def name_of_target(name: str, value: Any) -> str:
    """A check for the name of a target."""
    if not isinstance(value, str) or not value:
        raise ParameterError(f"expected {name} to be the name of a target, such as 'mask', got {value!r}")
    return value


def asked(frame: Frame, what: str, owner: str, missing: Missing | None, ask: Callable[[Content], T | None]) -> T | None:
    """What is in the images of a frame; None where nobody knows: no images yet, or none that tell.

    Parameters
    ----------
    what : str
        What is asked for, and the word by which it is passed: ``"boxes"``.
    owner : str
        The transform, for the error.
    missing : {"raise", "ignore"} or None
        Of :func:`missing_option`; None for a transform that cannot do without.

    Raises
    ------
    InputError
        When the samples came without it, unless that is to be ignored.
    """
    if frame.content is None:
        return None
    found = ask(frame.content)
    if found is None and missing != "ignore" and (frame.chosen is None or frame.chosen.any()):
        do = f"pass {what}=... beside the image"
        if missing is not None:
            do += f", an empty one for an image without any, or say {owner}(missing='ignore')"
            do += " to treat all images as empty"
        raise InputError(f"expected {what} for {owner} to go by, got none; {do}")
    return found


def all_maps(frame: Frame, name: str | None) -> Callable[[Content], list[Array] | None]:
    """Asks for the label maps of all images as they are in the frame."""

    def ask(content: Content) -> list[Array] | None:
        found = [maps for row in range(frame.n) if (maps := content.maps(row, name)) is not None]
        return found or None

    return ask
