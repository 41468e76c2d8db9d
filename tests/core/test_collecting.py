"""Garbage collection is put off, and goes on however it ends."""

from __future__ import annotations

import gc

import pytest

from imagemill.core.pause_gc import without_collecting


@without_collecting()
def is_collecting() -> bool:
    return gc.isenabled()


@without_collecting()
def fails() -> None:
    raise ValueError(f"collecting: {gc.isenabled()}")


def test_it_goes_on_after_an_error() -> None:
    with pytest.raises(ValueError, match="collecting: False"):
        fails()
    assert gc.isenabled()
    assert not is_collecting()
    assert gc.isenabled()


def test_who_collects_nothing_still_does_not() -> None:
    gc.disable()
    try:
        assert not is_collecting()
        assert not gc.isenabled()
    finally:
        gc.enable()
