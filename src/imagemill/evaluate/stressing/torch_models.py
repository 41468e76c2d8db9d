"""Models of PyTorch: modules, TorchScript and exported programs."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.evaluate.stressing.opened import Opened, as_arrays, in_batches

__all__ = ["of_module", "open_export", "open_script"]

Array = npt.NDArray[Any]
_AT_ONCE = 256


def of_module(module: Any, name: str, said: str = "a PyTorch module", *, fixed: bool = False) -> Opened:
    """A module as it is in memory; asked in evaluation mode, and left in the mode it was in.

    ``fixed`` says that its mode is part of it, as in an exported program.
    """
    torch = require("torch", extra="torch")
    weight = next(iter(module.parameters()), None)

    def ask(batch: Array) -> list[Array]:
        training = module.training and not fixed
        if training:
            module.eval()
        try:
            with torch.no_grad():
                return in_batches(some, batch, _AT_ONCE)
        finally:
            if training:
                module.train()

    def some(batch: Array) -> list[Array]:
        given = torch.from_numpy(np.ascontiguousarray(batch))
        if weight is not None:
            given = given.to(weight.device)
            given = given.to(weight.dtype) if weight.dtype.is_floating_point else given
        return as_arrays(module(given))

    return Opened(name, ask, said, ("first", "flat", "last"))


def open_script(path: Path) -> Opened:
    """A TorchScript file; a pickled module is refused, for loading it would run whatever is in it.

    Raises
    ------
    InputError
    """
    inside = zipfile.ZipFile(path).namelist() if zipfile.is_zipfile(path) else []
    if any("/models/" in name for name in inside):
        return open_export(path)
    if not any("/code/" in name for name in inside):
        raise InputError(
            f"expected TorchScript or an exported program, got {path.name}: pickled weights or a pickled module, "
            "which can "
            "run any code when it is loaded and says nothing of the network; save "
            "torch.export.save(torch.export.export("
            "model, ...), 'model.pt2'), or write FILE.py with load() that builds the module and gives it the weights"
        )
    torch = require("torch", extra="torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch asks people to export instead
        try:
            module = torch.jit.load(str(path), map_location="cpu")
        except RuntimeError as error:
            raise InputError(f"expected {path.name} to load as TorchScript, got: {_first(error)}") from error
    return of_module(module.eval(), path.stem, "a TorchScript module")


def open_export(path: Path) -> Opened:
    """An exported program (``torch.export.save``).

    Raises
    ------
    InputError
    """
    torch = require("torch", extra="torch")
    try:
        program = torch.export.load(str(path))
    except Exception as error:  # whatever of pickle, zip and json torch meets in a damaged file
        raise InputError(f"expected {path.name} to load as a program of torch.export, got: {_first(error)}") from error
    shape = _declared(program)
    opened = of_module(program.module(), path.stem, "an exported PyTorch program", fixed=True)
    size = shape[0] if shape else None
    ask = opened.ask
    if size is not None:

        def ask(batch: Array) -> list[Array]:  # exported for batches of one size
            return in_batches(opened.ask, batch, size, fixed=True)

    return Opened(opened.name, ask, opened.said, opened.layouts, shape[1:])


def _declared(program: Any) -> tuple[int | None, ...]:
    """The shape of the one input, None for what may vary."""
    inputs = [one.arg.name for one in program.graph_signature.input_specs if one.kind.name == "USER_INPUT"]
    if len(inputs) != 1:
        raise InputError(f"expected a program with one input, images, got {len(inputs)}")
    node = next(one for one in program.graph.nodes if one.name == inputs[0])
    return tuple(int(one) if isinstance(one, int) else None for one in node.meta["val"].shape)


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
