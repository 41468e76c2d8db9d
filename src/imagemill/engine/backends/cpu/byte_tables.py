"""Bytes through tables of 256: 64 at a time where the processor has an instruction for it (AVX-512 VBMI).

With AVX2 a table is sixteen registers of 16 bytes: each is asked by the low four bits of a value, and the high four
choose among the answers, two at a time. That is worth it where all channels share a table.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.simd import pointers

__all__ = ["histogram", "look_up"]

Array = np.ndarray[Any, Any]

_FEW = 1 << 30
"""Pixels at a time of which no count leaves 32 bits."""
_WIDTH = 64
_BYTES = ir.VectorType(ir.IntType(8), _WIDTH)


def _has(feature: str) -> bool:
    """Whether compiled code may use instructions; ``NUMBA_CPU_FEATURES`` has its say, as the code is kept by it."""
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # set at run time
        return False
    return f"+{feature}," in cpu_target.target_context.codegen().magic_tuple()[2] + ","


_WIDE = _has("avx512vbmi")
_HALF = _has("avx2") and not _WIDE
_HALF_BYTES = ir.VectorType(ir.IntType(8), 32)


@intrinsic
def _look_up_64(typing, src, at, table, out):
    """``out[at : at + 64]`` by the table, whose 256 bytes are four registers."""
    del typing
    signature = numba.types.void(src, at, table, out)

    def generate(context, builder, signature, arguments):
        pixels, numbers, target = pointers(context, builder, signature, arguments, (0, 2, 3))
        values = _load(builder, pixels, arguments[1])
        found = _found(builder, values, numbers, 0)
        _store(builder, found, target, arguments[1])
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def _look_up_32(typing, src, at, table, out):
    """``out[at : at + 32]`` by the table, sixteen bytes of which are asked at a time."""
    del typing
    signature = numba.types.void(src, at, table, out)

    def generate(context, builder, signature, arguments):
        pixels, numbers, target = pointers(context, builder, signature, arguments, (0, 2, 3))
        values = _load(builder, pixels, arguments[1], _HALF_BYTES)
        low = builder.and_(values, ir.Constant(_HALF_BYTES, [15] * 32))
        name = "llvm.x86.avx2.pshuf.b"
        shuffle = builder.module.globals.get(name)
        if shuffle is None:
            kind = ir.FunctionType(_HALF_BYTES, [_HALF_BYTES, _HALF_BYTES])
            shuffle = ir.Function(builder.module, kind, name)
        both = ir.Constant(ir.VectorType(ir.IntType(32), 32), [*range(16), *range(16)])
        found = []
        for k in range(16):
            part = _load(builder, numbers, ir.Constant(ir.IntType(64), 16 * k), ir.VectorType(ir.IntType(8), 16))
            found.append(builder.call(shuffle, [builder.shuffle_vector(part, part, both), low]))
        for bit in range(4, 8):
            # The bit that decides is the sign of a value moved up: what one instruction chooses by.
            moved = builder.shl(values, ir.Constant(_HALF_BYTES, [7 - bit] * 32))
            upper = builder.icmp_signed("<", moved, ir.Constant(_HALF_BYTES, [0] * 32))
            found = [builder.select(upper, found[k + 1], found[k]) for k in range(0, len(found), 2)]
        _store(builder, found[0], target, arguments[1])
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def _look_up_192(typing, src, at, table, out):
    """``out[at : at + 192]`` by three tables in turn, ``at`` being the place of a first channel."""
    del typing
    signature = numba.types.void(src, at, table, out)

    def generate(context, builder, signature, arguments):
        pixels, numbers, target = pointers(context, builder, signature, arguments, (0, 2, 3))
        for part in range(3):
            at = builder.add(arguments[1], ir.Constant(arguments[1].type, part * _WIDTH))
            values, made = _load(builder, pixels, at), None
            for c in range(3):
                found = _found(builder, values, numbers, 256 * c)
                turn = [int((part * _WIDTH + lane) % 3 == c) for lane in range(_WIDTH)]
                whose = ir.Constant(ir.VectorType(ir.IntType(1), _WIDTH), turn)
                made = found if made is None else builder.select(whose, found, made)
            _store(builder, made, target, at)
        return context.get_dummy_value()

    return signature, generate


def _load(builder: Any, pointer: Any, at: Any, kind: Any = _BYTES) -> Any:
    return builder.load(builder.bitcast(builder.gep(pointer, [at]), kind.as_pointer()), align=1)


def _store(builder: Any, values: Any, pointer: Any, at: Any) -> None:
    builder.store(values, builder.bitcast(builder.gep(pointer, [at]), values.type.as_pointer()), align=1)


def _found(builder: Any, values: Any, table: Any, first: int) -> Any:
    """Values through the 256 bytes of a table from ``first`` on: halves by the low seven bits, then by the eighth."""
    parts = [_load(builder, table, ir.Constant(ir.IntType(64), first + k * _WIDTH)) for k in range(4)]
    name = "llvm.x86.avx512.vpermi2var.qi.512"
    permute = builder.module.globals.get(name)
    if permute is None:
        permute = ir.Function(builder.module, ir.FunctionType(_BYTES, [_BYTES, _BYTES, _BYTES]), name)
    low, high = (builder.call(permute, [parts[k], values, parts[k + 1]]) for k in (0, 2))
    upper = builder.icmp_signed("<", values, ir.Constant(_BYTES, [0] * _WIDTH))
    return builder.select(upper, high, low)


# Typed as plain calls: their first argument is numba's own.
_by_32: Any = _look_up_32
_by_64: Any = _look_up_64
_by_192: Any = _look_up_192


@compiled.by_processor
def _by_one(src, table, out):
    start = 0
    if _WIDE:
        start = src.size // 64 * 64
        for i in range(0, start, 64):
            _by_64(src, i, table, out)
    elif _HALF:
        start = src.size // 32 * 32
        for i in range(0, start, 32):
            _by_32(src, i, table, out)
    for i in range(start, src.size):
        out[i] = table[src[i]]


@compiled.by_processor
def _by_three(src, table, out):
    start = 0
    if _WIDE:
        start = src.size // 192 * 192
        for i in range(0, start, 192):
            _by_192(src, i, table, out)
    for i in range(start // 3, src.size // 3):
        k = 3 * i
        out[k], out[k + 1], out[k + 2] = table[0, src[k]], table[1, src[k + 1]], table[2, src[k + 2]]


@compiled
def _by_any(src, table, out):
    channels = table.shape[0]
    for i in range(src.size // channels):
        for c in range(channels):
            out[channels * i + c] = table[c, src[channels * i + c]]


@compiled
def _singly(src, table, out):
    for i in range(src.size):
        out[i] = table[src[i]]


@compiled
def _count(src, counts):
    # Each of four pixels has its own counters: one that was just written cannot be read again without a wait.
    channels = counts.shape[0]
    apart = np.zeros((4, 256, channels), np.uint32)
    whole = src.shape[0] // 4 * 4
    if channels == 3:
        flat = src.reshape(-1)
        for i in range(0, whole * 3, 12):
            for k in range(12):
                apart[k // 3, flat[i + k], k % 3] += np.uint32(1)
    else:
        for i in range(0, whole, 4):
            for k in range(4):
                for c in range(channels):
                    apart[k, src[i + k, c], c] += np.uint32(1)
    for i in range(whole, src.shape[0]):
        for c in range(channels):
            apart[0, src[i, c], c] += np.uint32(1)
    for k in range(4):
        for v in range(256):
            for c in range(channels):
                counts[c, v] += apart[k, v, c]


def histogram(src: Array) -> npt.NDArray[np.int64]:
    """How often each value occurs in each channel of ``(*shape, C)`` of 8 bits: ``(C, 256)``."""
    channels = src.shape[-1]
    counts = np.zeros((channels, 256), np.int64)
    pixels = np.ascontiguousarray(src).reshape(-1, channels)
    for start in range(0, len(pixels), _FEW):
        _count(pixels[start : start + _FEW], counts)
    return counts


_UP = np.arange(256, dtype=np.uint8)
_DOWN = _UP[::-1].copy()
_LINE = 1 << 12
"""Pixels of a line of masks: long enough that what is done for each line does not count."""


def _bits_alone(flat: Array, table: Array, out: Array) -> bool:
    """Negatives, and channels that stay or have one value: what bits of many bytes at once do; False for others."""
    ends = table[:, (0, 128, 255)].tolist()
    if len(ends) == 1 or ends[1:] == ends[:-1]:
        if ends[0] != [255, 127, 0] or (table != _DOWN).any():
            return False
        np.invert(flat, out=out)
        return True
    if not all(one == [0, 128, 255] or one[0] == one[1] == one[2] for one in ends):
        return False
    stays = (table == _UP).all(axis=1)
    if not (stays | (table == table[:, :1]).all(axis=1)).all():
        return False
    masks, values = np.where(stays, 255, 0).astype(np.uint8), np.where(stays, 0, table[:, 0]).astype(np.uint8)
    line = len(table) * _LINE
    whole = flat.size // line * line
    parts = ((flat[:whole].reshape(-1, line), out[:whole].reshape(-1, line)), (flat[whole:], out[whole:]))
    for part, made in parts:
        np.bitwise_and(part, _line_of(masks.tobytes())[: part.shape[-1]], out=made)
        if values.any():
            np.bitwise_or(made, _line_of(values.tobytes())[: part.shape[-1]], out=made)
    return True


@lru_cache(maxsize=64)
def _line_of(values: bytes) -> Array:
    """One value a channel, for a line of pixels."""
    return np.tile(np.frombuffer(values, np.uint8), _LINE)


def look_up(src: Array, table: Array, out: Array) -> None:
    """Each channel of ``(*shape, C)`` of 8 bits through its row of ``(C, 256)``; both images lie in memory in order."""
    flat, target, table = src.reshape(-1), out.reshape(-1), np.ascontiguousarray(table)
    if flat.size >= _LINE and out.dtype == np.uint8 == table.dtype and _bits_alone(flat, table, target):
        return
    if len(table) == 1 or (table == table[0]).all():
        (_by_one if out.dtype == np.uint8 else _singly)(flat, table[0], target)
    elif len(table) == 3 and out.dtype == np.uint8:
        _by_three(flat, table, target)
    else:
        _by_any(flat, table, target)
