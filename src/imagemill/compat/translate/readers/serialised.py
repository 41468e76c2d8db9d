"""Pipelines in files: those that Albumentations saves, and configurations of MONAI's bundles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from imagemill.compat.translate.calls import COMPOSERS, Call, Unread
from imagemill.compat.translate.readers.source_text import expression
from imagemill.core.errors import InputError

__all__ = ["from_plain", "read_plain"]

_CLASS = ("__class_fullname__", "__class_name__", "_target_", "__type__")
_REFERENCE = re.compile(r"@[A-Za-z_][\w]*(?:(?:#|::)\w+)*")
_DEEPEST = 20


def read_plain(path: Path, library: str) -> Any:
    """What a file holds.

    Raises
    ------
    InputError
        When there is none, or when it holds something else.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputError(f"expected a pipeline of {library} or its file, got {str(path)!r}: {error.strerror}") from None
    try:
        if path.suffix.lower() == ".json":
            return json.loads(text)
        import yaml

        return yaml.safe_load(text)
    except ValueError as error:
        raise InputError(f"expected JSON in {path}, got something else: {error}") from None
    except Exception as error:
        raise InputError(f"expected YAML in {path}, got something else: {error}") from None


def from_plain(value: Any, library: str) -> tuple[dict[str, Call], int | None]:
    """Pipelines of a description by their place in it, and the first number of the version that wrote it.

    Raises
    ------
    InputError
        When it describes no transform.

    Examples
    --------
    >>> described = {"__version__": "1.3.1", "transform": {"__class_fullname__": "HorizontalFlip", "p": 0.5}}
    >>> found, version = from_plain(described, "albumentations")
    >>> found["transform"].given, version
    ({'p': 0.5}, 1)
    """
    version = None
    if isinstance(value, Mapping):
        said = str(value.get("__version__", "")).partition(".")[0]
        version = max(int(said), 1) if said.isdigit() else None
    described = _Description(value)
    found = {place: call for place, one in _places(value, "") if isinstance(call := described.calls(one, ""), Call)}
    if not found:
        raise InputError(
            f"expected a description of transforms of {library}, with {' or '.join(_CLASS[:3])} for each, "
            f"got {_shown(value)}"
        )
    return found, version


def _places(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """The outermost compositions; the whole, where it describes one transform."""
    if not isinstance(value, Mapping):
        return
    if any(key in value for key in _CLASS):
        name = next(str(value[key]) for key in _CLASS if key in value).rpartition(".")[2]
        if place in ("", "transform") or name in COMPOSERS:
            yield place or "pipeline", value
        return
    for key, one in value.items():
        yield from _places(one, f"{place}#{key}" if place else str(key))


class _Description:
    """Plain data in which ``@a#b`` stands for another place, and ``$`` for an expression."""

    def __init__(self, whole: Any) -> None:
        self.whole = whole
        self.depth = 0

    def calls(self, value: Any, where: str) -> Any:
        """The same with calls for what describes a transform."""
        if isinstance(value, Mapping):
            return self._mapping(value, where)
        if isinstance(value, list):
            return self._listed(value)
        if isinstance(value, str) and value.startswith(("@", "$")):
            return self._referred(value)
        return value

    def _mapping(self, value: Mapping[str, Any], where: str) -> Any:
        named = next((str(value[key]) for key in _CLASS if key in value), "")
        given = {str(key): one for key, one in value.items() if key not in (*_CLASS, "_desc_", "_requires_", "_mode_")}
        if not named:
            return {key: self.calls(one, "") for key, one in given.items()}
        given.pop("_disabled_", None)
        inside = {key: self.calls(one, "") for key, one in given.items()}
        for key in ("bbox_params", "keypoint_params"):
            if isinstance(given.get(key), Mapping):
                inside[key] = dict(given[key])
        return Call(named.rpartition(".")[2], inside, (), where)

    def _listed(self, values: list[Any]) -> list[Any]:
        shown = [one for one in values if not (isinstance(one, Mapping) and one.get("_disabled_") is True)]
        return [self.calls(one, f"step {place}") for place, one in enumerate(shown, 1)]

    def _referred(self, text: str) -> Any:
        self.depth += 1
        try:
            if self.depth > _DEEPEST:
                return Unread(text)
            if text.startswith("@"):
                return self._at(text)
            names: dict[str, Any] = {}

            def placed(match: re.Match[str]) -> str:
                name = f"reference_{len(names)}"
                names[name] = self._at(match.group())
                return name

            found = expression(_REFERENCE.sub(placed, text[1:]), names)
            if isinstance(found, Unread):
                # A function is read as it is written; a value that is not known keeps its place.
                return found if found.text.startswith("lambda") else Unread(text)
            return found
        finally:
            self.depth -= 1

    def _at(self, reference: str) -> Any:
        found = self.whole
        for step in re.split(r"#|::", reference[1:]):
            if isinstance(found, Mapping) and step in found:
                found = found[step]
            elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
                found = found[int(step)]
            else:
                return Unread(reference)
        return self.calls(found, "")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."
