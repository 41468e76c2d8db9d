"""How much of one small picture another explains once it was moved onto it, by compiled kernels.

Moved by any affine map, in gray values up to a gain and an offset. Pairs are aligned at half the size first, and most,
being no copies, are given up there.

Source: Baker and Matthews (2004), "Lucas-Kanade 20 years on", International Journal of Computer Vision 56, for the
inverse compositional step, with gain and offset projected out as in its part 3 (Baker, Gross, Ishikawa, Matthews 2003).
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np
from numba import njit

from imagemill.audits.neighbours import by_threads

__all__ = ["aligned", "warped"]

_CHUNK = 2048

OVERLAP = 0.45
"""Share of the second picture that the first has to reach."""


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _descent(plane, steepest, inverse):
    """What moves do to a picture, free of what gain and offset do; False where it has nothing to hold on to."""
    side = plane.shape[0]
    centre = (side - 1) / 2.0
    total = 0.0
    for y in range(side):
        for x in range(side):
            total += plane[y, x]
    mean = total / (side * side)
    power = 0.0
    for y in range(side):
        for x in range(side):
            power += (plane[y, x] - mean) ** 2
    if power < 1e-3 * side * side:
        return False
    for y in range(side):
        u = (y - centre) / centre
        above, below = max(y - 1, 0), min(y + 1, side - 1)
        for x in range(side):
            v = (x - centre) / centre
            left, right = max(x - 1, 0), min(x + 1, side - 1)
            dy = (plane[below, x] - plane[above, x]) / (below - above) * centre
            dx = (plane[y, right] - plane[y, left]) / (right - left) * centre
            steepest[0, y, x] = dy
            steepest[1, y, x] = dx
            steepest[2, y, x] = dy * u
            steepest[3, y, x] = dy * v
            steepest[4, y, x] = dx * u
            steepest[5, y, x] = dx * v
    for k in range(6):
        along, level = 0.0, 0.0
        for y in range(side):
            for x in range(side):
                along += steepest[k, y, x] * (plane[y, x] - mean)
                level += steepest[k, y, x]
        along /= power
        level /= side * side
        for y in range(side):
            for x in range(side):
                steepest[k, y, x] -= level + along * (plane[y, x] - mean)
    hessian = np.empty((6, 6))
    for i in range(6):
        for j in range(i + 1):
            total = 0.0
            for y in range(side):
                for x in range(side):
                    total += steepest[i, y, x] * steepest[j, y, x]
            hessian[i, j] = total
            hessian[j, i] = total
    trace = 0.0
    for i in range(6):
        trace += hessian[i, i]
    for i in range(6):
        hessian[i, i] += 1e-3 * trace + 1e-6
    inverse[:] = np.linalg.inv(hessian)
    return True


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def warped(first, moved, frame, out, inside):
    """The first picture as the second sees it, and where it reaches; how many pixels that are."""
    side = first.shape[0]
    centre = (side - 1) / 2.0
    reached = 0
    for y in range(side):
        u = (y - centre) / centre
        for x in range(side):
            v = (x - centre) / centre
            at_y = centre + (moved[0] + moved[2] * u + moved[3] * v) * centre
            at_x = centre + (moved[1] + moved[4] * u + moved[5] * v) * centre
            inside[y, x] = 0.0
            if (
                at_y >= frame[0] * side - 0.5
                and at_y <= frame[1] * side - 0.5
                and at_x >= frame[2] * side - 0.5
                and at_x <= frame[3] * side - 0.5
            ):
                inside[y, x] = 1.0
                reached += 1
            at_y = min(max(at_y, 0.0), side - 1.0)
            at_x = min(max(at_x, 0.0), side - 1.0)
            row, column = min(int(at_y), side - 2), min(int(at_x), side - 2)
            down, right = at_y - row, at_x - column
            out[y, x] = (1 - down) * (
                (1 - right) * first[row, column] + right * first[row, column + 1]
            ) + down * ((1 - right) * first[row + 1, column] + right * first[row + 1, column + 1])
    return reached


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _settle(first, second, frame, steepest, inverse, moved, steps, bound):
    """Move the first onto the second, in place; the least share of variance left.

    Given up as soon as three steps left more than two and a half times `bound`.
    """
    side = first.shape[0]
    made = np.empty((side, side), np.float32)
    inside = np.empty((side, side), np.float32)
    best = 2.0
    kept = moved.copy()
    change = np.empty(6)
    for step in range(steps + 1):
        count = warped(first, moved, frame, made, inside)
        if count < OVERLAP * side * side:
            break
        sa, sb, saa, sbb, sab = 0.0, 0.0, 0.0, 0.0, 0.0
        for y in range(side):
            for x in range(side):
                a = made[y, x] * inside[y, x]
                b = second[y, x] * inside[y, x]
                sa += a
                sb += b
                saa += a * a
                sbb += b * b
                sab += a * b
        va, vb, vab = saa - sa * sa / count, sbb - sb * sb / count, sab - sa * sb / count
        if va < 1e-3 * count or vb < 1e-3 * count or vab <= 0:
            break
        left = 1.0 - vab * vab / (va * vb)
        if left < best:
            best = left
            kept[:] = moved
        if step == steps or (step >= 3 and best > 2.5 * bound) or left > best + 0.1:
            break
        # The first, brought to the gain and offset of the second.
        gain = vab / va
        offset = (sb - gain * sa) / count
        for k in range(6):
            change[k] = 0.0
        for y in range(side):
            for x in range(side):
                error = (gain * made[y, x] + offset - second[y, x]) * inside[y, x]
                for k in range(6):
                    change[k] += steepest[k, y, x] * error
        length = _compose(moved, inverse, change)
        if length < 1e-5:
            break
    moved[:] = kept
    return best


@njit(nogil=True, cache=True, error_model="numpy")
def _compose(moved, inverse, change):
    """Follow a step of the second backwards, in place; its squared length."""
    delta = inverse @ change
    length = 0.0
    for k in range(6):
        delta[k] = min(max(delta[k], -0.15), 0.15)
        length += delta[k] * delta[k]
    # The inverse of the map that moves by delta, then the map there was.
    a, b, c, d = 1.0 + delta[2], delta[3], delta[4], 1.0 + delta[5]
    over = a * d - b * c
    if over < 0.2:
        return 0.0
    ia, ib, ic, id_ = d / over, -b / over, -c / over, a / over
    ty, tx = -(ia * delta[0] + ib * delta[1]), -(ic * delta[0] + id_ * delta[1])
    m0 = moved[0] + moved[2] * ty + moved[3] * tx
    m1 = moved[1] + moved[4] * ty + moved[5] * tx
    m2, m3 = moved[2] * ia + moved[3] * ic, moved[2] * ib + moved[3] * id_
    m4, m5 = moved[4] * ia + moved[5] * ic, moved[4] * ib + moved[5] * id_
    moved[0], moved[1], moved[2], moved[3], moved[4], moved[5] = m0, m1, m2, m3, m4, m5
    return length


@njit(nogil=True, cache=True, error_model="numpy")
def _align(planes, a, b, moved, frames, steps, bound, found):
    side = planes.shape[1]
    steepest, inverse = np.empty((6, side, side), np.float32), np.empty((6, 6))
    last, usable = -1, False
    for i in range(len(a)):
        if b[i] != last:
            usable, last = _descent(planes[b[i]], steepest, inverse), b[i]
        found[i] = 2.0
        if usable:
            found[i] = _settle(
                planes[a[i]], planes[b[i]], frames[i], steepest, inverse, moved[i], steps, bound
            )


def aligned(planes, first, second, move, frame, *, steps, bound, threads):
    """Move the first of each pair onto the second, in place; the shares of variance that are left, 2 where it failed.

    Parameters
    ----------
    planes : array ``[n, s, s]`` float32
    first, second : array of int64
        Rows; those of the second in order, each of which is prepared once.
    move : array ``[m, 6]`` float64
        Where to begin, and in the end where least is left.
    frame : array ``[m, 4]``
        What of the first counts: top, bottom, left and right as shares of its sides.
    steps : int
    bound : float
        A pair is given up when more than this is left after three steps.
    threads : int
    """
    found = np.full(len(first), 2.0)

    def chunk(at: int) -> None:
        part = slice(at, at + _CHUNK)
        _align(planes, first[part], second[part], move[part], frame[part], steps, bound, found[part])

    by_threads(chunk, range(0, len(first), _CHUNK), threads)
    return found
