from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import CodecError
from imagemill.data import append_jsonl, atomic_path, read_jsonl


def test_a_file_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    for text in ("first", "second"):
        with atomic_path(target, durable=True) as part:
            assert part.parent == target.parent
            assert part.name.startswith(".a.txt.")
            assert part.name.endswith(".part")
            part.write_text(text)
            assert not target.exists() or target.read_text() == "first"
        assert target.read_text() == text
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]


def test_a_failure_leaves_nothing_new_and_the_old_file_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail() -> None:
        with atomic_path(target) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="got a folder; add a file name"), atomic_path(tmp_path):
        raise AssertionError("the block must not run")


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("file")
    with pytest.raises(CodecError, match="choose another folder"), atomic_path(tmp_path / "a" / "b.txt"):
        raise AssertionError("the block must not run")


json_rows = st.lists(
    st.dictionaries(st.text(max_size=5), st.none() | st.integers(-9, 9) | st.text(max_size=5), max_size=3),
    max_size=4,
)


@given(json_rows, json_rows, st.integers(0, 60))
def test_whole_lines_survive_a_torn_write(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[dict[str, object]],
    second: list[dict[str, object]],
    torn: int,
) -> None:
    log = tmp_path_factory.mktemp("log") / "log.jsonl"
    assert append_jsonl(log, first) == len(first)
    line = json.dumps({"key": "the run was killed while this was written" * 2})
    with log.open("a") as file:
        file.write(line[:torn])
    found = read_jsonl(log)
    assert found.rows == first
    assert found.dropped == (line[:torn] or None)
    append_jsonl(log, second, durable=True)
    if second:
        assert read_jsonl(log).rows == first + second
        assert read_jsonl(log).dropped is None


def test_a_whole_last_line_without_newline_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"a": 1}\n{"a": 2}')
    assert append_jsonl(log, [{"a": 3}]) == 1
    assert read_jsonl(log).rows == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_a_bad_line_in_the_middle_is_an_error_with_its_number(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"a": 1}\n[2]\n{"a": 3}\n')
    with pytest.raises(CodecError, match=r"line 2, got b'\[2\]'"):
        read_jsonl(log)


def test_not_a_number_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_jsonl(log, [{"a": 1}, {"a": math.nan}])
    assert not log.exists()


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match=r"none\.jsonl.*check the path"):
        read_jsonl(tmp_path / "none.jsonl")
