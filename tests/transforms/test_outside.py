"""Transforms of packages and of a program itself stand in pipeline files; names that clash are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import imagemill as im
from imagemill.transforms import registry
from imagemill.transforms.base import REGISTRY
from tests.plugins import install

FOG = '''
from dataclasses import dataclass

import numpy as np

from imagemill.transforms import Draws, Frame, Random, Transform, param
from imagemill.core.ops import ChannelMix


@dataclass(frozen=True, slots=True)
class TestedFog(Transform):
    """Mix with white."""

    amount: Random = param((0, 0.5), low=0, high=1)

    def draw(self, draws: Draws, frame: Frame) -> ChannelMix:
        return ChannelMix.diagonal(np.repeat(1 - draws(self.amount)[:, None], frame.channels, axis=1))
'''
FILE = "transforms:\n  - TestedFog: {amount: 0.5}\nseed: 1\n"
GROUP = registry.GROUP


@pytest.fixture(autouse=True)
def forget() -> object:
    yield
    REGISTRY.pop("TestedFog", None)


def test_a_package_brings_a_transform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "fog-one", FOG, **{GROUP: {"TestedFog": "fog_one:TestedFog"}})
    assert "TestedFog" in registry.names()
    assert "TestedFog" not in REGISTRY, "not loaded before it is asked for"
    pipe = im.Pipeline.from_yaml(FILE)
    assert type(pipe.transforms[0]).__name__ == "TestedFog"
    assert im.Pipeline.from_yaml(pipe.to_yaml()) == pipe
    with pytest.raises(im.PipelineFileError, match="did you mean 'TestedFog'"):
        im.Pipeline.from_yaml(FILE.replace("TestedFog", "TestedFg"))


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ({"TestedFog": "fog_two:Missing"}, r"'TestedFog' of the package fog-two 1\.0 to load, got AttributeError"),
        ({"TestedFog": "fog_two:FOG"}, r"'TestedFog' of the package fog-two 1\.0 to be a class of transforms, got 3"),
        ({"TestedFog": "fog_two:Other"}, r"entry point of Transform in fog-two 1\.0 to have its name, got 'TestedFog'"),
    ],
)
def test_an_entry_point_that_is_wrong_is_named(
    points: dict[str, str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "FOG = 3\nfrom imagemill import Transform as Other\n"
    install(tmp_path, monkeypatch, "fog-two", code, **{GROUP: points})
    with pytest.raises(im.ParameterError, match=words):
        im.Pipeline.from_yaml(FILE)


def test_two_packages_with_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fog-three", "fog-four"):
        module = name.replace("-", "_")
        install(tmp_path / name, monkeypatch, name, FOG, **{GROUP: {"TestedFog": f"{module}:TestedFog"}})
    with pytest.raises(im.ParameterError, match=r"one of each of fog-four 1\.0 and fog-three 1\.0; uninstall"):
        im.Pipeline.from_yaml(FILE)


def test_a_package_cannot_take_a_name_of_imagemill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "fog-five", "", **{GROUP: {"Flip": "fog_five:Flip"}})
    with pytest.raises(im.ParameterError, match=r"that imagemill does not use, got 'Flip' of the package fog-five"):
        im.Pipeline.from_yaml("transforms: [Flip]\nseed: 1\n")


def test_a_program_cannot_take_a_name_of_imagemill() -> None:
    with pytest.raises(im.ParameterError, match="no transform of imagemill has, got Flip; call the class something"):
        type("Flip", (im.Transform,), {"__module__": "theirs", "__slots__": ()})
    assert REGISTRY["Flip"] is im.Flip


def test_a_program_defines_a_transform_again_as_in_a_notebook() -> None:
    for _ in range(2):
        space: dict[str, object] = {"__name__": "__main__"}
        exec(compile(FOG, "cell", "exec", dont_inherit=True), space)
        assert type(im.Pipeline.from_yaml(FILE).transforms[0]) is space["TestedFog"]
