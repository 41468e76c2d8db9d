"""The front door: a pipeline of another library, as it comes, becomes a `Pipeline`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from imagemill.compat.translate.calls import Call, calls_in
from imagemill.compat.translate.readers.live_objects import from_object
from imagemill.compat.translate.readers.serialised import from_plain, read_plain
from imagemill.compat.translate.readers.source_text import expression, program
from imagemill.compat.translate.rules.rule import Rules, Translator
from imagemill.compat.translate.rules.tables import table
from imagemill.core.errors import InputError
from imagemill.pipeline.lint import lint
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import Transform

__all__ = ["from_albumentations", "from_monai", "from_torchio", "from_torchvision"]

Missing = Literal["error", "skip"]


def from_albumentations(
    pipeline: Any,
    *,
    name: str | None = None,
    names: Mapping[str, Any] | None = None,
    missing: Missing = "skip",
    version: int | None = None,
    seed: int | None = None,
) -> Pipeline:
    """Turn an Albumentations pipeline into one of this library.

    Parameters
    ----------
    pipeline : Compose, dict, Path or str
        The object; what ``to_dict`` gave; a file that ``A.save`` wrote (``.json``, ``.yaml``); the text of an
        expression, ``"A.Compose([A.HorizontalFlip(p=0.5)])"``; or a program (``Path("train.py")``), which is read and
        never run. Names that were removed since 0.1 are known.
    name : str, optional
        Which pipeline of a program: the variable, the function that returns it, or the key in a dictionary.
    names : mapping, optional
        Values of variables that a program gets from elsewhere: ``{"args.size": 224}``.
    missing : {"skip", "error"}
        What to do about transforms that have no counterpart: leave them out, with a warning and a note that name them
        all, or name them in an error.
    version : {1, 2}, optional
        Of Albumentations, where defaults differ (borders mirror in 1 and are constant in 2). Left out: the one that
        wrote the file, that is installed with the object, or whose names and arguments a text has; else 2.
    seed : int, optional
        Of the pipeline.

    Returns
    -------
    Pipeline
        Its ``notes``, which ``explain`` shows as well, say what is not the same.

    Raises
    ------
    InputError
        When it cannot be read, when nothing in it has a counterpart, and with ``missing="error"`` for each one that has
        none.

    Examples
    --------
    >>> pipe = from_albumentations(
    ...     "A.Compose([A.HorizontalFlip(p=0.5), A.ShiftScaleRotate(rotate_limit=10, p=1)])", seed=1
    ... )
    >>> [type(transform).__name__ for transform in pipe.transforms]
    ['Flip', 'Affine']
    """
    return _translated(table("albumentations"), pipeline, name, names, missing, version, seed)


def from_torchvision(
    pipeline: Any,
    *,
    name: str | None = None,
    names: Mapping[str, Any] | None = None,
    missing: Missing = "skip",
    seed: int | None = None,
) -> Pipeline:
    """Turn transforms of torchvision (v1 or v2) into a pipeline of this library.

    Parameters
    ----------
    pipeline : Compose, nn.Sequential, Path or str
        The object; the text of an expression; or a program, which is read and never run.
    name, names, missing, seed
        As for `from_albumentations`.

    Returns
    -------
    Pipeline

    Raises
    ------
    InputError

    Examples
    --------
    >>> pipe = from_torchvision("T.Compose([T.RandomHorizontalFlip(), T.ColorJitter(0.4, hue=0.1)])", seed=1)
    >>> pipe.transforms[1].hue
    Range(low=-36.0, high=36.0)
    """
    return _translated(table("torchvision"), pipeline, name, names, missing, None, seed)


def from_monai(
    pipeline: Any,
    *,
    name: str | None = None,
    names: Mapping[str, Any] | None = None,
    missing: Missing = "skip",
    seed: int | None = None,
) -> Pipeline:
    """Turn MONAI transforms (of arrays or of dictionaries) into a pipeline of this library.

    Parameters
    ----------
    pipeline : dict, Path or str
        A bundle's configuration (``_target_``) as a mapping or file, the text of an expression, or a program, which
        is read and never run.
    name, names, missing, seed
        As for `from_albumentations`. Keys of dictionaries are left out: targets have names of their own here.

    Returns
    -------
    Pipeline

    Raises
    ------
    InputError

    Examples
    --------
    >>> from_monai("Compose([RandFlipd(keys=['image', 'label'], prob=0.5, spatial_axis=0)])", seed=1).transforms[0].axis
    'x'
    """
    return _translated(table("monai"), pipeline, name, names, missing, None, seed)


def from_torchio(
    pipeline: Any,
    *,
    name: str | None = None,
    names: Mapping[str, Any] | None = None,
    missing: Missing = "skip",
    seed: int | None = None,
) -> Pipeline:
    """Turn TorchIO transforms into a pipeline of this library.

    Parameters
    ----------
    pipeline : Path or str
        The text of an expression, or a program, which is read and never run.
    name, names, missing, seed
        As for `from_albumentations`.

    Returns
    -------
    Pipeline

    Raises
    ------
    InputError

    Examples
    --------
    >>> from_torchio("tio.Compose([tio.RandomFlip(axes=('LR',)), tio.RandomAffine(degrees=10)])", seed=1).transforms[0]
    Flip(p=0.5)
    """
    return _translated(table("torchio"), pipeline, name, names, missing, None, seed)


def _translated(
    rules: Rules,
    pipeline: Any,
    name: str | None,
    names: Mapping[str, Any] | None,
    missing: str,
    version: int | None,
    seed: int | None,
) -> Pipeline:
    if missing not in ("error", "skip"):
        raise InputError(f"expected missing='error' or 'skip', got {missing!r}")
    call, found, said = _read(rules, pipeline, name, names)
    home = call.origin if isinstance(call, Call) else ""
    translator = Translator(rules, version or found or 2, home=home, whole=call)
    if version is None and found is None:
        translator.version = rules.version_of(call, translator.notes)
    made = translator.transforms(call)
    translator.known()
    if translator.missing:
        _tell(rules, translator.missing, missing, nothing=not made)
        translator.notes.extend(f"left out: {one}" for one in translator.missing)
    translator.notes += [f.message for f in lint(tuple(made)) if f.rule == "reads-behind-mixing"]
    settings = translator.settings | ({} if seed is None else {"seed": seed})
    return Pipeline(made, notes=(*translator.notes, *said, *_resamples(made)), **settings)


def _tell(rules: Rules, lost: list[str], missing: str, nothing: bool) -> None:
    listed = "; ".join(lost)
    count = f"{len(lost)} transform{'s' if len(lost) > 1 else ''} of {rules.library} without a counterpart: {listed}"
    if nothing:
        raise InputError(f"expected a transform that has a counterpart here, got {count}")
    if missing == "error":
        raise InputError(f"{count}. Take them out, or leave them out with missing='skip'")
    warnings.warn(f"left out {count}", UserWarning, stacklevel=4)


def _resamples(transforms: list[Transform]) -> tuple[str, ...]:
    """How many transforms interpolate one after the other there."""
    count = sum(map(_interpolations, transforms))
    return (
        (f"{count} transforms that each interpolated do so together where nothing stands between",) if count > 1 else ()
    )


def _interpolations(transform: Transform) -> int:
    """How often it interpolates one image at most: by one of several that exclude each other, by none of a fan."""
    traits, inside = transform.traits(), [_interpolations(one) for one in transform.children()]
    if traits.fans:
        return 0
    if not inside:
        return int(traits.moves and (traits.order or 0) > 0)
    return max(inside) if traits.exclusive else sum(inside)


def _read(
    rules: Rules, pipeline: Any, name: str | None, names: Mapping[str, Any] | None
) -> tuple[Any, int | None, tuple[str, ...]]:
    """The calls, the library's version where it is known, and what there is to say."""
    if isinstance(pipeline, Path) or (isinstance(pipeline, str) and "(" not in pipeline):
        path = Path(pipeline)
        if path.suffix.lower() in (".py", ".ipynb"):
            call, said = _chosen(rules, _program(path), name, names, str(path))
            return call, None, said
        return *_described(rules, read_plain(path, rules.library), name, str(path)), ()
    if isinstance(pipeline, str):
        if _is_expression(pipeline):
            return expression(pipeline, names), None, ()
        call, said = _chosen(rules, pipeline, name, names, "the program")
        return call, None, said
    if isinstance(pipeline, Mapping):
        return *_described(rules, pipeline, name, "the description"), ()
    if isinstance(pipeline, list | tuple) and all(isinstance(one, Mapping) for one in pipeline):
        return [_described(rules, one, None, "the description")[0] for one in pipeline], None, ()
    return *from_object(pipeline, rules), ()


def _described(rules: Rules, value: Any, name: str | None, where: str) -> tuple[Call, int | None]:
    found, version = from_plain(value, rules.library)
    return _one_of(rules, found, name, where), version


def _is_expression(text: str) -> bool:
    try:
        compile(text.strip(), "<pipeline>", "eval")
    except SyntaxError:
        return False
    return True


def _program(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputError(f"expected a program, got {path}: {error.strerror}") from None
    if path.suffix.lower() == ".ipynb":
        import json

        cells = [cell for cell in json.loads(text).get("cells", []) if cell.get("cell_type") == "code"]
        lines = [line for cell in cells for line in [*"".join(cell["source"]).splitlines(), ""]]
        # What a notebook says to its shell is no Python.
        text = "\n".join("" if line.lstrip().startswith(("%", "!", "?")) else line for line in lines)
    return text


def _chosen(
    rules: Rules, text: str, name: str | None, names: Mapping[str, Any] | None, where: str
) -> tuple[Call, tuple[str, ...]]:
    """The pipeline of a program that is meant, and what there is to say of transforms that stand in none."""
    found, beside = program(text, names, package=rules.library)
    mine = {label: call for label, call in found.items() if _known(rules, call)}
    beside = {label: call for label, call in beside.items() if _known(rules, call)}
    if name in beside and name not in mine:
        return beside[name], ()
    chosen = _one_of(rules, mine, name, where)
    return chosen, tuple(
        f"not in this pipeline: {label}, which the program calls by itself ({_said(call)}); name={label!r} gives it"
        for label, call in beside.items()
    )


def _said(call: Call) -> str:
    return ", ".join(dict.fromkeys(one.name for one in calls_in(call) if one is not call))


def _one_of(rules: Rules, mine: Mapping[str, Call], name: str | None, where: str) -> Call:
    listed = ", ".join(mine)
    if name is not None:
        fits = [label for label in mine if label == name]
        fits = fits or [label for label in mine if f"'{name}'" in label or name in label.split(" (")]
        # Of a class or an object: Model.transform, self.train_transform.
        fits = fits or [label for label in mine if label == name.rpartition(".")[2]]
        if len({id(mine[label]) for label in fits}) != 1:
            what = f"{len(fits)} of that name" if fits else "none"
            raise InputError(f"expected one pipeline {name!r} in {where}, got {what}; there are {listed or 'none'}")
        return mine[fits[0]]
    kinds = len({id(call) for call in mine.values()})
    if kinds != 1:
        said = f"expected one pipeline of {rules.library} in {where}, got {kinds}"
        raise InputError(said + (f"; say which: name={next(iter(mine))!r}; there are {listed}" if mine else ""))
    return next(iter(mine.values()))


def _known(rules: Rules, call: Call) -> bool:
    """Whether it is of this library: by its import, or by at least half of the names in it."""
    if call.origin.partition(".")[0] == rules.library:
        return True
    inside = [rules.named(one).name for one in calls_in(call)][1:]
    return sum(one in rules.by_name or one in rules.absent for one in inside) * 2 >= len(inside)
