"""Pipelines in files: those that Albumentations saves, and configurations of MONAI's bundles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagemill.compat.translate.calls import Call, Unread
from imagemill.core.errors import InputError

__all__ = ["from_plain", "read_plain"]

_CLASS = ("__class_fullname__", "__class_name__", "_target_")


def read_plain(path: Path, library: str) -> tuple[Any, int | None]:
    """A file as `from_plain` takes it.

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
            value = json.loads(text)
        else:
            import yaml

            value = yaml.safe_load(text)
    except ValueError as error:
        raise InputError(f"expected JSON in {path}, got something else: {error}") from None
    except Exception as error:
        raise InputError(f"expected YAML in {path}, got something else: {error}") from None
    return from_plain(value, library)


def from_plain(value: Any, library: str) -> tuple[Any, int | None]:
    """Calls of a description, and the first number of the version that wrote it.

    Raises
    ------
    InputError
        When it describes no transform.

    Examples
    --------
    >>> described = {"__version__": "1.3.1", "transform": {"__class_fullname__": "HorizontalFlip", "p": 0.5}}
    >>> call, version = from_plain(described, "albumentations")
    >>> call.name, call.given, version
    ('HorizontalFlip', {'p': 0.5}, 1)
    """
    version = None
    if isinstance(value, Mapping):
        said = str(value.get("__version__", "")).partition(".")[0]
        version = max(int(said), 1) if said.isdigit() else None
        if "transform" in value and not any(key in value for key in _CLASS):
            value = value["transform"]
    found = _calls(value, "")
    if not isinstance(found, Call):
        raise InputError(
            f"expected a description of transforms of {library}, with {' or '.join(_CLASS)} for each, "
            f"got {_shown(value)}"
        )
    return found, version


def _calls(value: Any, where: str) -> Any:
    if isinstance(value, Mapping):
        named = next((str(value[key]) for key in _CLASS if key in value), "")
        given = {str(key): one for key, one in value.items() if key not in (*_CLASS, "_desc_", "_requires_")}
        if not named:
            return {key: _calls(one, "") for key, one in given.items()}
        given.pop("_disabled_", None)
        inside = {key: _listed(one) if isinstance(one, list) else _calls(one, "") for key, one in given.items()}
        for key in ("bbox_params", "keypoint_params"):
            if isinstance(given.get(key), Mapping):
                inside[key] = dict(given[key])
        return Call(named.rpartition(".")[2], inside, (), where)
    if isinstance(value, list):
        return _listed(value)
    if isinstance(value, str) and value.startswith(("@", "$")):
        return Unread(value)
    return value


def _listed(values: list[Any]) -> list[Any]:
    shown = [one for one in values if not (isinstance(one, Mapping) and one.get("_disabled_") is True)]
    return [_calls(one, f"step {place}") for place, one in enumerate(shown, 1)]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else text[:77] + "..."
