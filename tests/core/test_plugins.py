"""Entry points are found wherever packages lie, and nothing is loaded to find that there are none."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import zipfile
from pathlib import Path

import pytest

from imagemill.core import plugins as of_packages
from imagemill.core.plugins import plugins
from tests.plugins import install


def names(group: str) -> list[tuple[str, str]]:
    return [(one.name, one.package) for one in plugins(group)]


def test_a_package_in_a_folder_is_found_by_its_group_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "adds-some", "", **{"imagemill.some": {"a": "adds_some"}})
    assert names("imagemill.some") == [("a", "adds-some 1.0")]
    assert names("imagemill.som") == []


def test_a_package_in_an_archive_or_an_egg_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "in", monkeypatch, "adds-more", "", **{"imagemill.more": {"b": "adds_more"}})
    monkeypatch.undo()
    with zipfile.ZipFile(tmp_path / "adds.zip", "w") as archive:
        for path in (tmp_path / "in").rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(tmp_path / "in"))
    egg = tmp_path / "adds_more-1.0-py3.egg"
    (tmp_path / "in").rename(egg)
    (egg / "adds_more-1.0.dist-info").rename(egg / "EGG-INFO")
    (egg / "EGG-INFO/METADATA").rename(egg / "EGG-INFO/PKG-INFO")
    for place in (tmp_path / "adds.zip", egg):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "path", [*sys.path, str(place)])
            importlib.invalidate_caches()
            assert names("imagemill.more") == [("b", "adds-more 1.0")]


def test_a_package_of_another_finder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        @staticmethod
        def find_spec(*_: object) -> None:
            return None

        @staticmethod
        def find_distributions(_: object) -> list[object]:
            return [importlib.metadata.PathDistribution(tmp_path / "adds_else-1.0.dist-info")]

    install(tmp_path, monkeypatch, "adds-else", "", **{"imagemill.else": {"c": "adds_else"}})
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(tmp_path)])
    of_packages._plugins.cache_clear()
    assert names("imagemill.else") == []
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    of_packages._plugins.cache_clear()
    assert names("imagemill.else") == [("c", "adds-else 1.0")]
    of_packages._plugins.cache_clear()
