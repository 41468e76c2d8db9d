"""How kernels are compiled: on first use unless the wheel holds them, cached on disk, without the GIL, NaN kept.

A kernel is what Python calls, ``@compiled``. What only kernels call is a part, ``@compiled.part``: it gets no entry
for Python, since making one for every part is an eighth of the time that a first use waits for the compiler.

``NUMBA_DISABLE_JIT=1`` leaves all of them plain Python. Where compiling takes some seconds, a line on stderr says so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn, TypeVar, cast

from numba import types
from numba.core.codegen import (  # type: ignore[attr-defined]  # ll is llvmlite's, as numba itself uses it
    CPUCodeLibrary,
    ll,
)
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import AnnotateTypes

from imagemill.engine.compile_notice import listen_for_notice
from imagemill.engine.shipped_kernels import njit

F = TypeVar("F", bound=Callable[..., object])

listen_for_notice()


class _Kernel(CPUDispatcher):
    """What is compiled: once for a type, where numba would compile it anew for each number that is written out."""

    def get_call_template(self, args: Any, kws: Any) -> Any:
        named = {name: types.unliteral(one) for name, one in kws.items()}
        return super().get_call_template(tuple(map(types.unliteral, args)), named)


class _Part(_Kernel):
    """What kernels call. Without an entry for Python the call would end the process, so it is refused."""

    def __call__(self, *_: object, **__: object) -> NoReturn:
        name = self.py_func.__name__
        raise TypeError(f"{name} is a part of kernels, without an entry for Python: its plain function is .py_func")


def _leave(*_: object) -> None:
    """Nothing is done to a module that only serves to be linked into others."""


def _optimise_as_one(library: Any) -> None:
    """Optimise a kernel with all that it calls as its own.

    Otherwise each of its parts would be a weak symbol, and in the process that compiles it the first definition of that
    name would be called: the part by itself, which nobody optimised (three times as slow until the next start).
    """
    for function in library._final_module.functions:
        if (
            not function.is_declaration
            and function.linkage == ll.Linkage.linkonce_odr
            and function.name.startswith("_Z")
        ):
            function.linkage = ll.Linkage.internal
    CPUCodeLibrary._optimize_final_module(library)


class _OwnLibrary(LoweringPass):
    """Makes the library that code goes into before numba would, with its optimiser replaced.

    A library without the method that is replaced here is optimised as numba does it, which takes more time.
    """

    _optimiser: Callable[..., None]

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        state.library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        state.library.enable_object_caching()
        state.library._optimize_final_module = partial(type(self)._optimiser, state.library)
        return False


@register_pass(mutates_CFG=False, analysis_only=False)
class _OptimisedByCallers(_OwnLibrary):
    """LLVM optimises a part within each kernel that it is linked into; before, alone, it would be for nothing."""

    _name = "optimised_by_callers"
    _optimiser = _leave


@register_pass(mutates_CFG=False, analysis_only=False)
class _OptimisedAsOne(_OwnLibrary):
    """LLVM optimises a kernel with its parts."""

    _name = "optimised_as_one"
    _optimiser = _optimise_as_one


class _Compiler(CompilerBase):
    """Numba's own passes, and one of those before the code is made."""

    _library: type[_OwnLibrary] = _OptimisedAsOne

    def define_pipelines(self) -> list[Any]:
        passes: Any = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(self._library, AnnotateTypes)
        passes.finalize()
        return [passes]


class _PartCompiler(_Compiler):
    _library = _OptimisedByCallers


class Compiler:
    """A decorator that compiles a kernel when it is first called.

    Parameters
    ----------
    freedom : set of str
        What may change the rounding, in the words of LLVM: ``contract`` (a * b + c in one step), ``reassoc`` (sums
        in any order). NaN and infinity keep their meaning.
    """

    def __init__(self, freedom: set[str]) -> None:
        self._how: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
        if freedom:
            self._how["fastmath"] = freedom

    def __call__(self, function: F) -> F:
        """A kernel, called from Python and from others."""
        return cast(F, self._made(function, _Kernel, pipeline_class=_Compiler))

    def part(self, function: F) -> F:
        """What kernels alone call."""
        how = {"no_cpython_wrapper": True, "pipeline_class": _PartCompiler}
        return cast(F, self._made(function, _Part, shipped=False, **how))

    def by_processor(self, function: F) -> F:
        """A kernel that is another one on another processor: compiled where it runs, never shipped."""
        return cast(F, self._made(function, _Kernel, shipped=False))

    def _made(self, function: Callable[..., object], kind: type[CPUDispatcher], **how: Any) -> Any:
        made: Any = njit(**self._how, **how)(function)
        if isinstance(made, CPUDispatcher):  # not with NUMBA_DISABLE_JIT
            made.__class__ = kind
        return made


compiled = Compiler({"contract"})
"""For nearly everything."""

exactly = Compiler(set())
"""Without contraction: for numbers whose last bit decides, such as what lies inside of a picture."""

summing = Compiler({"reassoc", "contract"})
"""For sums that fill vectors in any order: for numbers whose last bits decide nothing."""
