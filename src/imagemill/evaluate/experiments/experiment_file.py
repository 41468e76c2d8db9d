"""What an experiment is, and reading one from its file.

One file says everything: the data, one comparison a network, the arms of each, the recipe, and published figures to
put beside what comes out. ``known/`` holds those that have a name; any other file is as good.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagemill.core.errors import ImagemillError, InputError
from imagemill.datasets import SOURCES
from imagemill.evaluate.inputs.arms import CLEAN, NONE, each, stressed
from imagemill.pipeline import files
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Experiment", "Study", "known_experiments", "read_experiment"]

_KNOWN = Path(__file__).parent / "known"
_KEYS = (
    "title",
    "data",
    "size",
    "test",
    "seeds",
    "epochs",
    "batch_size",
    "learning_rate",
    "stress",
    "studies",
    "published",
)
_NUMBERS = ("size", "seeds", "epochs", "batch_size", "learning_rate")
_NAME = re.compile(r"[\w][\w .,+-]*")


@dataclass(frozen=True, slots=True)
class Study:
    """One network and its arms: one comparison.

    Parameters
    ----------
    name : str
    model : str
        As `imagemill.compare` takes it.
    arms : mapping of str to Pipeline
        Without any, the network is trained without augmentation only.
    """

    name: str
    model: str
    arms: Mapping[str, Pipeline] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything that decides an experiment.

    Parameters
    ----------
    name, title : str
    data : str
        A name of ``imagemill datasets``; empty where a folder must be given.
    size : int, pixels
        Side of the images; 0 leaves them as they are.
    test : float, 0 to 1
        Share of the images to test with, drawn as many of every class, where the data have no test part.
    studies : tuple of Study
    seeds, epochs, batch_size : int
    learning_rate : float
    stress : tuple of str
        As `imagemill.compare` takes it.
    published : mapping of (study, arm, population) to float
        Accuracies that others found, 0 to 1.
    """

    name: str
    title: str
    data: str
    size: int
    studies: tuple[Study, ...]
    seeds: int = 3
    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3
    stress: tuple[str, ...] = ()
    published: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    test: float = 0.2


def known_experiments() -> tuple[str, ...]:
    """Names of the experiments that come with the package.

    Examples
    --------
    >>> known_experiments()
    ('cifar-flip', 'demo', 'digits', 'elastic-digits')
    """
    return tuple(sorted(path.stem for path in _KNOWN.glob("*.yaml")))


def read_experiment(name: str | Path) -> Experiment:
    """An experiment by its name, or from a file of one's own.

    Parameters
    ----------
    name : str or Path
        One of `known_experiments`, or a file ``.yaml`` or ``.json``.

    Returns
    -------
    Experiment

    Raises
    ------
    InputError
        For a name that is not there, or a file that does not say an experiment, with the place.

    Examples
    --------
    >>> [study.model for study in read_experiment("digits").studies][-2:]
    ['cnn-16', 'cnn']
    """
    path = Path(name)
    if str(name) in known_experiments():
        path = _KNOWN / f"{name}.yaml"
    elif path.suffix.lower() not in (".yaml", ".yml", ".json"):
        raise InputError(
            f"expected an experiment of {', '.join(known_experiments())}, or a file .yaml, got {str(name)!r}"
        )
    try:
        return _experiment(path.stem, files.read(path).value)
    except ImagemillError as error:
        raise InputError(f"{path}: {error}") from error


def _experiment(name: str, said: Any) -> Experiment:
    if not isinstance(said, Mapping):
        raise InputError(f"expected a mapping with {', '.join(_KEYS)}, got {type(said).__name__}")
    _only(said, _KEYS, "the experiment")
    data = said.get("data", "")
    if data and data not in SOURCES:
        raise InputError(
            f"expected data of {', '.join(SOURCES)}, or none, got {data!r}; leave it out and give data='DIR'"
        )
    studies = said.get("studies")
    if not isinstance(studies, Mapping) or not studies:
        raise InputError("expected studies by name, such as 'studies: {cnn: {model: cnn, arms: ...}}', got none")
    numbers = {key: _number(said, key, whole=key != "learning_rate") for key in _NUMBERS if key in said}
    test = said.get("test", 0.2)
    if isinstance(test, bool) or not isinstance(test, int | float) or not 0 < test < 1:
        raise InputError(f"expected a share between 0 and 1 for 'test', got {test!r}")
    stress = said.get("stress", [])
    if not isinstance(stress, list):
        raise InputError(f"expected a list under 'stress', got {stress!r}")
    populations = (CLEAN, *(stressed(one)[0] for spec in stress for one in each(str(spec))))
    found = tuple(_study(str(key), value) for key, value in studies.items())
    return Experiment(
        name,
        str(said.get("title", name)),
        str(data),
        int(numbers.pop("size", 0)),
        found,
        stress=tuple(map(str, stress)),
        published=_published(said.get("published", {}), found, populations),
        test=float(test),
        **numbers,
    )


def _number(said: Mapping[str, Any], key: str, *, whole: bool) -> Any:
    value = said[key]
    fits = isinstance(value, int) if whole else isinstance(value, int | float)
    if isinstance(value, bool) or not fits or not value > 0:
        raise InputError(f"expected {'a whole number' if whole else 'a number'} above 0 for {key!r}, got {value!r}")
    return value


def _study(name: str, said: Any) -> Study:
    if not _NAME.fullmatch(name):
        raise InputError(f"expected a name that a folder can have for a study, got {name!r}")
    if not isinstance(said, Mapping) or not isinstance(said.get("model"), str):
        raise InputError(f"expected study {name!r} to say a model, such as 'model: cnn', got {said!r}")
    _only(said, ("model", "arms"), f"study {name!r}")
    arms = said.get("arms", {})
    if not isinstance(arms, Mapping):
        raise InputError(f"expected arms of study {name!r} by name, got {arms!r}")
    return Study(name, said["model"], {str(arm): _pipeline(name, str(arm), steps) for arm, steps in arms.items()})


def _pipeline(study: str, arm: str, steps: Any) -> Pipeline:
    try:
        return Pipeline.from_dict(steps if isinstance(steps, Mapping) else {"seed": 0, "transforms": steps})
    except ImagemillError as error:
        raise InputError(f"expected arm {arm!r} of study {study!r} to be a list of transforms, got: {error}") from error


def _published(
    said: Any, studies: tuple[Study, ...], populations: tuple[str, ...]
) -> dict[tuple[str, str, str], float]:
    """Published figures by study, arm and population, each of which must be there: a slip of the pen would hide one."""
    arms = {study.name: {NONE, *study.arms} for study in studies}
    found = {}
    for study, by_arm in _mapping(said, "published").items():
        for arm, by_population in _mapping(by_arm, f"published of {study!r}").items():
            for population, value in _mapping(by_population, f"published of {study!r}, {arm!r}").items():
                if arm not in arms.get(study, ()) or population not in populations:
                    raise InputError(
                        f"expected published figures of studies, arms and test images that are there, got {study!r}, "
                        f"{arm!r}, {population!r}"
                    )
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                    raise InputError(f"expected a published accuracy from 0 to 1, got {value!r} for {study!r}, {arm!r}")
                found[study, arm, population] = float(value)
    return found


def _mapping(said: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise InputError(f"expected a mapping under {where}, got {said!r}")
    return said


def _only(said: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    if extra := [str(key) for key in said if key not in keys]:
        raise InputError(f"expected {', '.join(keys)} for {where}, got also {', '.join(extra)}")
