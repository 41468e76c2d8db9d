"""Kernels that were compiled when the wheel was built, so that a first use does not wait for the compiler.

An archive holds the machine code of kernels for one Python, one numba, one kind of system and a level of processors
(``x86-64-v3``, which every x86 processor with AVX2 has). Its manifest says what it was made by, and each entry's name
what it was made of. Whatever differs, a version, a setting of the compiler, a byte of a source file, and it is left:
the kernel is compiled here, as it would be without, and kept where numba keeps it. So it is with what is damaged.
``IMAGEMILL_COMPILE_HERE=1`` leaves archives as well: for a processor that can do more than the level.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numba
import numpy as np
from numba.core import caching, config
from numba.core.codegen import ll  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.serialize import dumps

from imagemill.engine.kernel_sources import digest_of

__all__ = ["FOLDER", "SHIPPED", "Archives", "KernelCache", "njit", "recording", "write_archive"]

FOLDER = Path(__file__).parent / "shipped"
"""Where archives lie in a wheel; a checkout has none."""
_MANIFEST = "manifest.json"
_SETTINGS = ("OPT", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "USING_SVML")
"""Settings of numba that change machine code. The processor is asked for by itself."""
_DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error, pickle.UnpicklingError)


def made_by() -> dict[str, Any]:
    """What must be the same where kernels are compiled and where they run."""
    return {
        "python": sys.implementation.cache_tag + getattr(sys, "abiflags", ""),
        "system": re.sub(r"[\d.]+$", "", ll.get_process_triple()),
        "numba": numba.__version__,
        "llvmlite": sys.modules["llvmlite"].__version__,
        "numpy": np.__version__.split(".")[0],
        "settings": {name: getattr(config, name, None) for name in _SETTINGS},
    }


def instructions() -> set[str]:
    """What the processor has, or what numba was told that it has (``NUMBA_CPU_FEATURES``)."""
    told = cpu_target.target_context.codegen().magic_tuple()[2].split(",")
    return {one.removeprefix("+") for one in told if one.startswith("+")}


def _named(function: Callable[..., object], options: str, signature: Any) -> str | None:
    """What an entry is called: a function, all that it is made of, how it is compiled, and for which types.

    None for what no name stands for: numbers of a function around it, and functions that are passed as arguments.
    """
    if function.__closure__ or " at 0x" in str(signature):
        return None
    code = function.__code__
    whole = f"{digest_of(code.co_filename)} {function.__qualname__} {code.co_firstlineno} {options} {signature}"
    return f"{function.__module__}.{function.__qualname__}-{hashlib.sha256(whole.encode()).hexdigest()[:16]}"


class Archives:
    """A folder of archives, of which the one is read that fits this process best.

    Parameters
    ----------
    folder : Path
        It need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def fitting(self) -> Path | None:
        """The archive for the most instructions that this processor has; None where none fits."""
        if config.CPU_NAME is not None or os.environ.get("IMAGEMILL_COMPILE_HERE"):  # type: ignore[attr-defined]
            return None
        fitting = []
        for path in sorted(self.folder.glob("*.kernels")):
            manifest = _manifest(path)
            needs = manifest.get("instructions")
            if manifest.get("made_by") == made_by() and isinstance(needs, list) and instructions() >= set(needs):
                fitting.append((len(needs), path))
        return max(fitting)[1] if fitting else None

    def load(self, function: Callable[..., object], options: str, signature: Any) -> Any:
        """What was compiled of a function, taken apart; None where it is not there or is damaged."""
        path = self.fitting
        if path is None:
            return None
        try:
            name = _named(function, options, signature)
            with zipfile.ZipFile(path) as archive:  # opened each time: forked processes would share the place in it
                return name and pickle.loads(archive.read(name))  # read to its end, so its sum is right
        except _DAMAGED:
            return None


def _manifest(path: Path) -> dict[str, Any]:
    """What an archive says of itself; nothing where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = json.loads(archive.read(_MANIFEST))
    except _DAMAGED:
        return {}
    return found if isinstance(found, dict) else {}


SHIPPED = Archives(FOLDER)
"""What came with the package."""

_Record = Callable[[Callable[..., object], str, Any, Any], None]
_record: _Record | None = None


class _OwnCache(caching.FunctionCache):
    """Numba's cache, in which a kernel is new when anything that it is made of is."""

    def __init__(self, function: Callable[..., object], options: str) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]  # numba has no types
        made_of = f"{digest_of(function.__code__.co_filename)} {options}"
        name = self._impl.filename_base
        self._cache_file = caching.IndexDataCacheFile(self._cache_path, name, made_of)  # type: ignore[no-untyped-call]


class KernelCache(caching._Cache):
    """Where the machine code of a kernel is looked for: in what was shipped, then where numba keeps it.

    Parameters
    ----------
    function : callable
        The kernel in Python.
    shipped : Archives or None
        None for what is not shipped: parts, which are within the kernels that call them.
    options : str
        How it is compiled.
    """

    def __init__(self, function: Callable[..., object], shipped: Archives | None, options: str = "") -> None:
        self._function, self._shipped, self._options = function, shipped, options

    @cached_property
    def _own(self) -> Any:
        """Numba's cache, made when it is asked for, since it tries whether its folder can be written to."""
        try:
            return _OwnCache(self._function, self._options)
        except (RuntimeError, OSError):  # nowhere to write, or no sources: compiled in every run
            return caching.NullCache()

    @property
    def cache_path(self) -> Any:
        """The folder of what is compiled here."""
        return self._own.cache_path

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled for a signature; None where it has to be compiled."""
        target_context.refresh()
        if self._shipped is not None and _record is None:
            found = self._shipped.load(self._function, self._options, sig)
            if isinstance(found, tuple):
                return CompileResult._rebuild(target_context, *found)  # type: ignore[no-untyped-call]
        return None if _record is not None else self._own.load_overload(sig, target_context)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled here."""
        if _record is None:
            self._own.save_overload(sig, data)
        elif self._shipped is not None and not data.library.has_dynamic_globals:
            _record(self._function, self._options, sig, data)

    def enable(self) -> None:
        """As numba's own."""
        self._own.enable()

    def disable(self) -> None:
        """As numba's own."""
        self._own.disable()

    def flush(self) -> None:
        """As numba's own."""
        self._own.flush()


def _written(how: dict[str, Any]) -> str:
    """Options of the compiler, the same text in every process."""
    words = {
        name: sorted(one) if isinstance(one, set) else getattr(one, "__qualname__", one) for name, one in how.items()
    }
    return json.dumps(words, sort_keys=True)


def njit(*, shipped: bool = True, **how: Any) -> Callable[[Any], Any]:
    """Numba's ``njit``, whose code is looked for in what was shipped.

    Parameters
    ----------
    shipped : bool
        Whether the wheel may hold it.
    **how
        Options of numba's.
    """

    def decorator(function: Any) -> Any:
        made: object = numba.njit(**how)(function)
        if isinstance(made, numba.core.dispatcher.Dispatcher):  # not with NUMBA_DISABLE_JIT
            cast(Any, made)._cache = KernelCache(function, SHIPPED if shipped else None, _written(how))
        return made

    return decorator


@contextmanager
def recording() -> Iterator[dict[str, bytes]]:
    """Everything is compiled anew meanwhile, kept nowhere else, and here by the names of entries."""
    global _record
    made: dict[str, bytes] = {}

    def record(function: Callable[..., object], options: str, signature: Any, compiled: Any) -> None:
        name = _named(function, options, signature)
        if name is not None:
            made[name] = dumps(compiled._reduce())  # type: ignore[no-untyped-call]

    before, _record = _record, record
    try:
        yield made
    finally:
        _record = before


def write_archive(path: Path, made: dict[str, bytes], needs: set[str]) -> None:
    """Write what was recorded.

    Parameters
    ----------
    path : Path
        The file to write.
    made : dict
        As :func:`recording` gives it.
    needs : set of str
        The instructions that a processor must have, in the words of LLVM.
    """
    manifest = {"made_by": made_by(), "instructions": sorted(needs)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in {_MANIFEST: json.dumps(manifest).encode(), **made}.items():
            # The same kernels make the same file, whenever it is written.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, 9)
