"""Text of pipeline files to plain values, and back from a place in them to its line."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from imagemill.core.annotated.box_rules import BoxRules
from imagemill.core.errors import InputError, ParameterError, PipelineFileError
from imagemill.core.keypoint_names import read_swap
from imagemill.core.near_paths import near_path
from imagemill.core.near_words import near_word
from imagemill.transforms.presets import PRESETS
from imagemill.transforms.reading import Path, from_dict, located

__all__ = ["FORMAT", "Text", "from_json", "from_yaml", "of", "read", "rules_of", "transforms_of", "written"]

FORMAT = 1
"""Version of the file format."""

_KNOWN = ("imagemill", "seed", "boxes", "swap", "transforms")
_EXAMPLE = "write 'transforms:' and below it a list, such as '- Flip: {axis: x, p: 0.5}'"


@dataclass(frozen=True, slots=True)
class Text:
    """What a text says, and on which lines.

    Parameters
    ----------
    value
        Plain values.
    lines : mapping from path to int
        Line of everything that could be located, counted from 1.
    """

    value: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """The line of a place, or of the nearest thing around it."""
        return next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), None)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let errors about what stands in the text begin with the step and the line."""
        try:
            yield
        except (PipelineFileError, ParameterError) as error:
            if not error.path:
                raise
            where = ", ".join(filter(None, (_step(error.path), _on(self.line(error.path)))))
            raise _retold(error, f"{where}: {error}") from error


@contextmanager
def of(path: str | FilePath) -> Iterator[None]:
    """Let errors about what stands in a file begin with its name."""
    try:
        yield
    except (PipelineFileError, ParameterError) as error:
        said = str(error)
        named = not isinstance(path, str | FilePath) or "\n" in str(path) or str(path) in said  # or is no path at all
        raise _retold(error, said if named else f"{path}: {said}") from None


def written(text: str, path: str | FilePath | None) -> str:
    """A text, also written to a file where one is given."""
    if path is not None:
        FilePath(path).write_text(text, "utf-8")
    return text


def _step(path: Path) -> str:
    """Which transform, by its number and name: ``step 2 (OneOf), in it 1 (Flip)``."""
    words: list[str] = []
    for place, part in enumerate(path):
        if isinstance(part, int):
            after = path[place + 1] if place + 1 < len(path) else None
            name = f" ({after})" if isinstance(after, str) else ""
            words.append(f"{'in it' if words else 'step'} {part + 1}{name}")
    return ", ".join(words)


def _on(line: int | None) -> str:
    return "" if line is None else f"line {line}"


def _retold(error: InputError, message: str) -> InputError:
    again = type(error)(message)
    again.path = error.path
    return again


def transforms_of(described: Any) -> tuple[list[Any], Any]:
    """The transforms and the seed of a description. Unknown keys are refused by name.

    Raises
    ------
    PipelineFileError, ParameterError
        With a ``path`` that says where.
    """
    if not isinstance(described, Mapping):
        nothing = described is None
        what = "nothing" if nothing else type(described).__name__
        if isinstance(described, str):
            raise PipelineFileError(
                f"expected the text of a pipeline file, got {described[:80]!r}; {_of_text(described)}"
            )
        raise PipelineFileError(f"expected a mapping with {sorted(_KNOWN)}, got {what}; {_EXAMPLE}")
    for key in described:
        if key not in _KNOWN:
            with located((key,) if isinstance(key, str) else ()):
                unknown = sorted(str(k) for k in set(described) - set(_KNOWN))
                meant = near_word(unknown[0], _KNOWN)
                raise PipelineFileError(f"expected the keys {sorted(_KNOWN)}, got also {unknown}{meant}")
    with located(("imagemill",)):
        version = described.get("imagemill", FORMAT)
        if version != FORMAT or isinstance(version, bool):
            raise PipelineFileError(
                f"expected format {FORMAT}, got {version!r}; it was written by another version of imagemill, "
                "update this one or write the file again"
            )
    listed = described.get("transforms")
    with located(("transforms",)):
        if not isinstance(listed, list):
            raise PipelineFileError(f"expected a list under 'transforms', got {listed!r}; {_EXAMPLE}")
    return [from_dict(t, ("transforms", place)) for place, t in enumerate(listed)], described.get("seed")


def _of_text(text: str) -> str:
    """What was probably meant by a text that is no mapping: the file of that name, or a preset."""
    if text in PRESETS:
        return f"that preset is the pipeline imagemill.preset({text!r})"
    if FilePath(text).suffix in (".yaml", ".yml", ".json"):
        return f"read a file with Pipeline.load({text!r})"
    return _EXAMPLE


def rules_of(described: Mapping[str, Any]) -> dict[str, Any]:
    """What a description asks of targets beside moving them.

    Raises
    ------
    ParameterError
        With a ``path`` that says where.
    """
    with located(("boxes",)):
        boxes = BoxRules.from_dict(described.get("boxes", {}))
    with located(("swap",)):
        return {"boxes": boxes, "swap": read_swap(described.get("swap", "auto"))}


def read(path: str | FilePath) -> Text:
    """Read a file as plain values: JSON where it ends in ``.json``, else YAML.

    Raises
    ------
    PipelineFileError
        When it cannot be read, named by the file.
    """
    if isinstance(path, Mapping):
        raise PipelineFileError("expected the path of a pipeline file, got a mapping; read it with Pipeline.from_dict")
    if "\n" in str(path):
        raise PipelineFileError("expected the path of a pipeline file, got text; read it with Pipeline.from_yaml(text)")
    if str(path) in PRESETS and not FilePath(path).exists():
        raise PipelineFileError(f"expected the path of a pipeline file, got {str(path)!r}; {_of_text(str(path))}")
    path = FilePath(path)
    try:
        # With or without the mark that some editors put first.
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, FileNotFoundError):
            do = near_path(path)
            raise PipelineFileError(f"expected a pipeline file, got {str(path)!r}, where there is none; {do}") from None
        raise PipelineFileError(f"expected a pipeline file at {path}, got: {error}") from None
    return (from_json if path.suffix.lower() == ".json" else from_yaml)(text)


def from_json(text: str) -> Text:
    """Plain values of JSON text."""
    text = _text(text)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for key, many in Counter(key for key, _ in pairs).items():
            if many > 1:
                from_yaml(text.expandtabs())  # says the same with its line, where it can
                raise PipelineFileError(f"expected each key once, got {key!r} twice; drop one of them")
        return dict(pairs)

    try:
        value = json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise PipelineFileError(f"expected JSON, got an error at line {error.lineno}: {error.msg}") from None
    except RecursionError:
        raise PipelineFileError(_DEEP) from None
    try:
        # JSON is YAML, but for tabs between its parts.
        return Text(value, from_yaml(text.expandtabs()).lines)
    except PipelineFileError:
        return Text(value)


_DEEP = "expected a description of transforms, got one that is nested too deeply or contains itself; write it out"


def from_yaml(text: str) -> Text:
    """Plain values of YAML text (safe loader: no objects are made), with the line of everything."""
    import yaml

    text = _text(text)
    if not text.strip():
        return Text(None)
    loader = _loader()(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Text(None)
        lines = _Lines()
        lines.visit(node, ())
        return Text(loader.construct_document(node), lines.found)
    except yaml.MarkedYAMLError as error:
        raise PipelineFileError(_yaml_words(error, text)) from None
    except yaml.YAMLError as error:
        raise PipelineFileError(f"expected YAML, got: {error}") from None
    except PipelineFileError:
        raise
    except RecursionError:
        raise PipelineFileError(_DEEP) from None
    except ValueError as error:  # a date that there is not, say
        raise PipelineFileError(f"expected YAML of numbers, words and lists, got: {error}") from None
    finally:
        loader.dispose()


def _text(given: Any) -> str:
    """Refuse a path where text is meant; a name of a file is refused by what is read of it."""
    if isinstance(given, FilePath):
        raise PipelineFileError(f"expected text, got the path {str(given)!r}; read a file with Pipeline.load(path)")
    if FilePath(given).suffix in (".yaml", ".yml", ".json") and "\n" not in given and len(given.split()) == 1:
        raise PipelineFileError(f"expected text, got the name {given!r}; {_of_text(given)}")
    return str(given)


def _yaml_words(error: Any, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    line = text.splitlines()[mark.line] if mark is not None and mark.line < len(text.splitlines()) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in str(error.problem):
        return f"{where}expected spaces in front, got a tab, which YAML does not allow; put spaces instead"
    said = ", ".join(filter(None, (error.context, error.problem)))
    return f"{where}expected YAML, got: {said}"


def _loader() -> Any:
    """The safe loader, with ``1e-3`` read as the number that it is for everybody but YAML 1.1."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    number = re.compile(r"^[-+]?(\d+|\d+\.\d*|\.\d+)[eE][-+]?\d+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+0123456789."))
    return Loader


class _Lines:
    """Finds the line of everything in a tree of nodes; refuses keys that come twice, and what contains itself."""

    def __init__(self) -> None:
        self.found: dict[Path, int] = {}
        self._seen: set[int] = set()

    def visit(self, node: Any, path: Path, around: tuple[int, ...] = ()) -> None:
        """Fill in the line of a node and of all in it."""
        line = node.start_mark.line + 1
        if id(node) in around:
            raise PipelineFileError(f"line {line}: {_DEEP}")
        self.found.setdefault(path, line)
        # What an alias repeats was located where it stands, which also bounds the work for aliases of aliases.
        if id(node) in self._seen or node.id == "scalar":
            return
        self._seen.add(id(node))
        inside = (*around, id(node))
        if node.id == "sequence":
            for place, item in enumerate(node.value):
                self.visit(item, (*path, place), inside)
            return
        keys: set[Any] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.id != "scalar":  # refused as a name where names are read
                continue
            if key.value in keys:
                raise PipelineFileError(
                    f"line {line}: expected each key once, got {key.value!r} twice; drop one of them"
                )
            keys.add(key.value)
            self.found[(*path, key.value)] = line
            self.visit(value, (*path, key.value), inside)
