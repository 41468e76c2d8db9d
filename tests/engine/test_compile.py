"""What is compiled, and how often: a first use waits for all of it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numba.core.caching import NullCache

from imagemill.engine.backends.cpu.compile import compiled


@compiled.part
def added(x, number):  # type: ignore[no-untyped-def]
    return x + number


@compiled.part
def twice(x):  # type: ignore[no-untyped-def]
    return added(added(x, 1), 2)  # type: ignore[no-untyped-call]


@compiled
def kernel(x):  # type: ignore[no-untyped-def]
    return added(twice(x), x)  # type: ignore[no-untyped-call]


@compiled.part
def long(x):  # type: ignore[no-untyped-def]
    """Too much to be copied into each of its callers."""
    for c in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29):
        x = np.sin(x) + np.cos(c * x) + np.exp(-x * x) + np.tanh(c - x) + np.log(x * x + c) + np.arctan(x) / (x + c)
        x = np.sin(c + x) + np.cos(c - x) + np.exp(-x * x) + np.tanh(c + x) + np.log1p(x * x) + np.arctan(x / c)
        x = np.sin(c - x) - np.cos(c + x) * np.exp(-x * x) + np.tanh(c * x) / np.log(x * x + 2) - np.arctan(x * c)
        x = np.sin(c / x) - np.cos(c * x) * np.exp(-x * x) - np.tanh(c * x) / np.log(x * x + 3) - np.arctan(x + c)
    return x


@compiled
def longer(x):  # type: ignore[no-untyped-def]
    return long(x) + long(x + 1) + long(x + 2)  # type: ignore[no-untyped-call]


ADDED: Any = added
LONG: Any = long
LONGER: Any = longer
TWICE: Any = twice
KERNEL: Any = kernel
for one in (ADDED, TWICE, KERNEL, LONG, LONGER):
    one._cache = NullCache()  # what was compiled for an earlier run would only be loaded


def test_a_part_is_compiled_once_for_a_type_whatever_numbers_are_written_out() -> None:
    assert KERNEL(np.int64(5)) == 13
    assert len(ADDED.overloads) == 1


def test_a_part_called_from_python_says_so_before_it_ends_the_process() -> None:
    KERNEL(np.int64(5))
    with pytest.raises(TypeError, match=r"added is a part of kernels, without an entry for Python: .* \.py_func"):
        ADDED(1, 2)
    assert ADDED.py_func(1, 2) == 3


def test_a_part_is_optimised_within_what_calls_it_and_not_before() -> None:
    KERNEL(np.int64(5))
    (part,), (whole,) = TWICE.inspect_llvm().values(), KERNEL.inspect_llvm().values()
    call = r"call i32 @\S*added"
    assert re.search(call, part)
    assert not re.search(call, whole)


def test_a_part_that_stays_a_function_is_the_kernels_own() -> None:
    """A weak symbol would be the part by itself, which nobody optimised, in the process that compiled both."""
    assert LONGER(0.5) == pytest.approx(sum(map(long.py_func, (0.5, 1.5, 2.5))))  # type: ignore[attr-defined]
    (whole,) = LONGER.inspect_llvm().values()
    assert re.search(r"define internal .*long", whole)
    assert not re.search(r"define (linkonce|linkonce_odr|weak|weak_odr) .*long", whole)
