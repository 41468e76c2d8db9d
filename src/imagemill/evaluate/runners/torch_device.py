"""Where PyTorch computes, and how exactly: devices and mixed precision, settled before anything is trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.extras import require
from imagemill.evaluate.runners.recipe import DEVICES, PRECISIONS, Recipe

__all__ = ["flushing", "mixed", "own_device", "scaler_of", "settled"]


def settled(recipe: Recipe) -> Recipe:
    """A recipe with ``"auto"`` replaced by what there is: a GPU where PyTorch sees one, and there mixed precision.

    Parameters
    ----------
    recipe : Recipe

    Returns
    -------
    Recipe

    Raises
    ------
    ParameterError
        For a device or a precision that is not known.
    InputError
        When the device is not there, or cannot compute so.

    Examples
    --------
    >>> settled(Recipe(device="cpu", precision="auto")).precision
    'float32'
    """
    torch = require("torch", extra="torch")
    device, precision = recipe.device, recipe.precision
    if device not in DEVICES:
        raise ParameterError(f"expected a device of {', '.join(DEVICES)}, got {device!r}")
    if precision not in PRECISIONS:
        raise ParameterError(f"expected a precision of {', '.join(PRECISIONS)}, got {precision!r}")
    there = torch.cuda.is_available()
    if device == "auto":
        device = "cuda" if there else "cpu"
    if device == "cuda" and not there:
        raise InputError("expected a GPU for device 'cuda', got none that PyTorch can use; take device 'cpu' or 'auto'")
    if device == "cpu":
        if precision == "float16":
            raise InputError("expected a GPU for precision 'float16', got device 'cpu'; take 'bfloat16' or 'float32'")
        return replace(recipe, device=device, precision="float32" if precision == "auto" else precision)
    wide = torch.cuda.is_bf16_supported()
    if precision == "bfloat16" and not wide:
        raise InputError("expected a GPU that computes in bfloat16, got one that does not; take precision 'float16'")
    if precision == "auto":
        precision = "bfloat16" if wide else "float16"
    return replace(recipe, device=device, precision=precision)


def own_device(device: str) -> str:
    """The device of this process: each of several on one machine has a GPU of its own.

    Raises
    ------
    InputError
        When there are more processes than GPUs.
    """
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if device != "cuda" or "LOCAL_RANK" not in os.environ:
        return device
    torch = require("torch", extra="torch")
    if local >= torch.cuda.device_count():
        raise InputError(
            f"expected a GPU for each process, got {torch.cuda.device_count()} and process {local + 1}; start fewer"
        )
    torch.cuda.set_device(local)
    return f"cuda:{local}"


def mixed(recipe: Recipe) -> Any:
    """A context in which a network computes in the recipe's precision; weights stay in float32.

    Notes
    -----
    Source: Micikevicius et al. (2018), "Mixed precision training", ICLR.
    """
    if recipe.precision == "float32":
        return nullcontext()
    torch = require("torch", extra="torch")
    return torch.autocast(recipe.device.partition(":")[0], dtype=getattr(torch, recipe.precision))


def scaler_of(recipe: Recipe) -> Any:
    """What scales losses, so that small gradients are not lost: in float16 alone, elsewhere it does nothing."""
    torch = require("torch", extra="torch")
    return torch.amp.GradScaler(recipe.device.partition(":")[0], enabled=recipe.precision == "float16")


@contextmanager
def flushing() -> Iterator[None]:
    """Take numbers of the CPU that are too small for a normal exponent (under 1e-38) for 0.

    Processors are many times slower with them, and the running squares of RMSprop and Adam become such numbers wherever
    a weight gets no gradient any more, as at the dark border of digits. Beside the ``eps`` that is added to their root
    they are nothing.

    Notes
    -----
    Source: Intel 64 and IA-32 architectures software developer's manual, volume 1, 10.2.3, for flush-to-zero and
    denormals-are-zeros; the mode is that of one thread.
    """
    torch = require("torch", extra="torch")
    before = not bool(torch.full((1,), 1e-310, dtype=torch.float64) * 1.0)
    torch.set_flush_denormal(True)  # of PyTorch; gives False where the processor cannot
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
