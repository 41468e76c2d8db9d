"""Pipelines as plain values, JSON and YAML, and back."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from imagemill.pipeline import files
from imagemill.transforms.reading import located
from imagemill.transforms.written_calls import stable

if TYPE_CHECKING:
    from imagemill.transforms.base import Transform

__all__ = ["Written"]


class Written(ABC):
    """What a file holds of a pipeline; the base of :class:`~imagemill.pipeline.pipeline.Pipeline`."""

    transforms: tuple[Transform, ...]
    seed: int

    @abstractmethod
    def __init__(self, transforms: Any, **how: Any) -> None: ...

    @abstractmethod
    def _asked(self) -> dict[str, Any]:
        """What it asks of targets beside moving them, where that is not the usual."""

    @cached_property
    def digest(self) -> str:
        """Sixteen hex digits that stand for the transforms and their parameters, not for the seed."""
        described: list[Any] = [stable(t) for t in self.transforms]
        # Pipelines that ask nothing keep the digest they had before anything could be asked.
        if asked := self._asked():
            described.append(asked)
        text = json.dumps(described, sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Written):
            return False
        return (self.transforms, self.seed, self._asked()) == (other.transforms, other.seed, other._asked())

    def __hash__(self) -> int:
        return hash((self.digest, self.seed))

    def to_dict(self) -> dict[str, Any]:
        """Plain values that :meth:`from_dict` reads back as an equal pipeline."""
        listed = [t.to_dict() for t in self.transforms]
        return {"imagemill": files.FORMAT, "seed": self.seed, **self._asked(), "transforms": listed}

    @classmethod
    def from_dict(cls, described: Any) -> Self:
        """Read what :meth:`to_dict` wrote. Unknown keys are refused by name.

        Raises
        ------
        PipelineFileError
        """
        return cls._read(files.Text(described))

    @classmethod
    def _read(cls, text: files.Text) -> Self:
        with text.named():
            transforms, seed = files.transforms_of(text.value)
            rules = files.rules_of(text.value)
            with located(("seed",)):
                return cls(transforms, seed=seed, **rules)

    def to_json(self, path: str | Path | None = None) -> str:
        """As JSON text, also written to ``path`` when given."""
        return files.written(json.dumps(self.to_dict(), indent=2) + "\n", path)

    def to_yaml(self, path: str | Path | None = None) -> str:
        """As YAML text, also written to ``path`` when given."""
        import yaml

        return files.written(yaml.safe_dump(self.to_dict(), sort_keys=False, default_flow_style=None, width=100), path)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read JSON text."""
        return cls._read(files.from_json(text))

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Read YAML text (safe loader: no objects are made)."""
        return cls._read(files.from_yaml(text))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a pipeline file, ``.json``, or YAML under any other name.

        Raises
        ------
        PipelineFileError, ParameterError
            Naming the file, the transform by its number and name, and the line.
        """
        with files.of(path):
            return cls._read(files.read(path))
