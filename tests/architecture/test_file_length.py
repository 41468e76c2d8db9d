"""A file over 500 lines is a room that wants splitting."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.repository import ROOT, files

LIMIT = 500


def too_long(paths: list[Path]) -> dict[str, int]:
    lengths = {p.as_posix(): len(p.read_text(encoding="utf-8").splitlines()) for p in paths}
    return {name: n for name, n in lengths.items() if n > LIMIT}


def test_no_python_file_is_over_the_limit() -> None:
    rooms = {"src", "tests", "bench"}
    ours = [p for p in files() if p.suffix in {".py", ".pyi"} and p.relative_to(ROOT).parts[0] in rooms]
    assert len(ours) > 5, "expected the project's files, found next to none: the search is broken"
    assert too_long(ours) == {}


def test_the_limit_is_exact(tmp_path: Path) -> None:
    fits, over = tmp_path / "fits.py", tmp_path / "over.py"
    fits.write_text("x = 1\n" * LIMIT, encoding="utf-8")
    over.write_text("x = 1\n" * (LIMIT + 1), encoding="utf-8")
    assert too_long([fits, over]) == {over.as_posix(): LIMIT + 1}
