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
import numpy.typing as npt

from imagemill.audits.neighbours import by_threads
from imagemill.engine.shipped_kernels import njit

__all__ = ["aligned", "solved", "warped"]

_CHUNK = 2048
_OVERLAP = 0.45
"""Share of the second picture that the first has to reach."""
_STEP = 0.15
"""Longest step of a number of a move."""
_FAST = {"contract", "reassoc", "nsz"}


def aligned(
    planes: npt.NDArray[np.float32],
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    move: npt.NDArray[np.float64],
    frame: npt.NDArray[np.float64],
    *,
    steps: int,
    bound: float,
    threads: int,
) -> npt.NDArray[np.float64]:
    """Move the first of each pair onto the second, in place; the shares of variance that are left, 2 where it failed.

    Parameters
    ----------
    planes : array ``[n, s, s]``
    first, second : array of int64
        Rows; equal ones of the second together, each of which is prepared once.
    move : array ``[m, 6]``
        Where to begin, and in the end where least is left.
    frame : array ``[m, 4]``
        What of the first counts: top, bottom, left and right as shares of its sides.
    steps : int
    bound : float
        A pair is given up when more than two and a half times this is left after three steps.
    threads : int
    """
    found = np.full(len(first), 2.0)

    def chunk(at: int) -> None:
        part = slice(at, at + _CHUNK)
        _align(planes, first[part], second[part], move[part], frame[part], steps, bound, found[part])

    by_threads(chunk, range(0, len(first), _CHUNK), threads)
    return found


@njit(nogil=True, error_model="numpy")
def _align(planes, first, second, move, frame, steps, bound, found):
    side = planes.shape[1]
    steepest, hessian = np.empty((6, side, side), np.float32), np.empty((6, 6))
    last, usable = -1, False
    for i in range(len(first)):
        if second[i] != last:
            last = second[i]
            usable = _descent(planes[last], steepest, hessian)
        if usable:
            found[i] = _settle(
                planes[first[i] : first[i] + 1], planes[last], frame[i], steepest, hessian, move[i], steps, bound
            )


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _descent(plane, steepest, hessian):
    """What moves do to a picture, free of what gain and offset do; False where it has nothing to hold on to."""
    side = plane.shape[0]
    mean, power = 0.0, 0.0
    for y in range(side):
        for x in range(side):
            mean += plane[y, x]
            power += plane[y, x] * plane[y, x]
    mean /= side * side
    power -= mean * mean * side * side
    if power < 1e-3 * side * side:
        return False
    _slopes(plane, steepest)
    level_of = np.float32(mean)
    for k in range(6):
        along, level = 0.0, 0.0
        for y in range(side):
            row_along, row_level = np.float32(0.0), np.float32(0.0)
            for x in range(side):
                row_along += steepest[k, y, x] * (plane[y, x] - level_of)
                row_level += steepest[k, y, x]
            along += float(row_along)
            level += float(row_level)
        down, share = np.float32(level / (side * side)), np.float32(along / power)
        for y in range(side):
            for x in range(side):
                steepest[k, y, x] -= down + share * (plane[y, x] - level_of)
    _products(steepest, hessian)
    return True


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _slopes(plane, steepest):
    """Derivatives of a picture by the six numbers of a move."""
    side = plane.shape[0]
    half = (side - 1) / 2.0
    for y in range(side):
        u = (y - half) / half
        above, below = max(y - 1, 0), min(y + 1, side - 1)
        for x in range(side):
            v = (x - half) / half
            left, right = max(x - 1, 0), min(x + 1, side - 1)
            dy = (plane[below, x] - plane[above, x]) / (below - above) * half
            dx = (plane[y, right] - plane[y, left]) / (right - left) * half
            steepest[0, y, x], steepest[2, y, x], steepest[3, y, x] = dy, dy * u, dy * v
            steepest[1, y, x], steepest[4, y, x], steepest[5, y, x] = dx, dx * u, dx * v


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _products(steepest, hessian):
    """Inner products, a little larger on the diagonal: what hardly changes a picture is hardly moved."""
    side = steepest.shape[1]
    trace = 0.0
    for i in range(6):
        for j in range(i + 1):
            total = 0.0
            for y in range(side):
                along = np.float32(0.0)
                for x in range(side):
                    along += steepest[i, y, x] * steepest[j, y, x]
                total += float(along)
            hessian[i, j] = total
            hessian[j, i] = total
        trace += hessian[i, i]
    for i in range(6):
        hessian[i, i] += 1e-3 * trace + 1e-6


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def warped(planes, move, frame, out, inside):
    """Planes of the first picture as the second sees it, and where it reaches; how many pixels that are."""
    count, side = planes.shape[:2]
    half = (side - 1) / 2.0
    top, bottom = np.float32(frame[0] * side - 0.5), np.float32(frame[1] * side - 0.5)
    left, right = np.float32(frame[2] * side - 0.5), np.float32(frame[3] * side - 0.5)
    rows, columns = np.empty(side, np.int32), np.empty(side, np.int32)
    below, beside = np.empty(side, np.float32), np.empty(side, np.float32)
    step_y, step_x, last = np.float32(move[3]), np.float32(move[5]), np.float32(side - 1)
    zero, reached = np.float32(0), np.float32(0)
    for y in range(side):
        u = y - half
        row_y = np.float32(half + move[0] * half + move[2] * u - move[3] * half)
        row_x = np.float32(half + move[1] * half + move[4] * u - move[5] * half)
        # Places first, which fills vectors; then the pixels, which does not.
        for x in range(side):
            at_y, at_x = row_y + step_y * np.float32(x), row_x + step_x * np.float32(x)
            within = (at_y >= top) & (at_y <= bottom) & (at_x >= left) & (at_x <= right)
            inside[y, x] = np.float32(within)
            at_y, at_x = min(max(at_y, zero), last), min(max(at_x, zero), last)
            row, column = min(np.int32(at_y), np.int32(side - 2)), min(np.int32(at_x), np.int32(side - 2))
            rows[x], columns[x] = row, column
            below[x], beside[x] = at_y - np.float32(row), at_x - np.float32(column)
        for x in range(side):
            reached += inside[y, x]
        for k in range(count):
            plane = planes[k]
            for x in range(side):
                row, column, across = rows[x], columns[x], beside[x]
                one, two = plane[row, column], plane[row + 1, column]
                one += across * (plane[row, column + 1] - one)
                two += across * (plane[row + 1, column + 1] - two)
                out[k, y, x] = one + below[x] * (two - one)
    return int(reached)


@njit(nogil=True, error_model="numpy")
def _settle(first, second, frame, steepest, hessian, move, steps, bound):
    """Move the first onto the second, in place; the least share of variance left."""
    side = second.shape[0]
    warp, inside = np.empty((1, side, side), np.float32), np.empty((side, side), np.float32)
    made = warp[0]
    best = 2.0
    at, kept = move.copy(), move.copy()
    for step in range(steps + 1):
        count = warped(first, at, frame, warp, inside)
        if count < _OVERLAP * side * side:
            break
        left, gain, offset = _fitted(made, second, inside, count)
        if left < best:
            best = left
            for k in range(6):
                kept[k] = at[k]
        given_up = step >= 3 and best > 2.5 * bound
        if step == steps or given_up or left > best + 0.1:
            break
        if _step(made, second, inside, gain, offset, steepest, hessian, at) < 1e-5:
            break
    for k in range(6):
        move[k] = kept[k]
    return best


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _fitted(made, second, inside, count):
    """Share of variance that a gain and an offset leave where pictures overlap, and the two; 2 where none fits."""
    side = second.shape[0]
    sum_made, sum_other, square_made, square_other, both = 0.0, 0.0, 0.0, 0.0, 0.0
    for y in range(side):
        of_made = of_other = made_made = other_other = made_other = np.float32(0.0)
        for x in range(side):
            a, b = made[y, x] * inside[y, x], second[y, x] * inside[y, x]
            of_made += a
            of_other += b
            made_made += a * a
            other_other += b * b
            made_other += a * b
        sum_made += float(of_made)
        sum_other += float(of_other)
        square_made += float(made_made)
        square_other += float(other_other)
        both += float(made_other)
    square_made -= sum_made * sum_made / count
    square_other -= sum_other * sum_other / count
    both -= sum_made * sum_other / count
    if square_made < 1e-3 * count or square_other < 1e-3 * count or both <= 0:
        return 2.0, 1.0, 0.0
    gain = both / square_made
    return 1.0 - both * gain / square_other, gain, (sum_other - gain * sum_made) / count


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _step(made, second, inside, gain, offset, steepest, hessian, move):
    """One step of the move, in place (what was made becomes its error); its squared length, 0 where there is none."""
    side = second.shape[0]
    delta, gain, offset = np.zeros(6), np.float32(gain), np.float32(offset)
    for y in range(side):
        for x in range(side):
            made[y, x] = (gain * made[y, x] + offset - second[y, x]) * inside[y, x]
    for k in range(6):
        for y in range(side):
            along = np.float32(0.0)
            for x in range(side):
                along += steepest[k, y, x] * made[y, x]
            delta[k] += along
    solved(hessian, delta)
    length = 0.0
    for k in range(6):
        delta[k] = min(max(delta[k], -_STEP), _STEP)
        length += delta[k] * delta[k]
    # The inverse of the map that moves by delta, then the map there was.
    a, b, c, d = 1.0 + delta[2], delta[3], delta[4], 1.0 + delta[5]
    over = a * d - b * c
    if over < 0.2:
        return 0.0
    a, b, c, d = d / over, -b / over, -c / over, a / over
    down, across = -(a * delta[0] + b * delta[1]), -(c * delta[0] + d * delta[1])
    move[0] += move[2] * down + move[3] * across
    move[1] += move[4] * down + move[5] * across
    move[2], move[3] = move[2] * a + move[3] * c, move[2] * b + move[3] * d
    move[4], move[5] = move[4] * a + move[5] * c, move[4] * b + move[5] * d
    return length


@njit(nogil=True, error_model="numpy")
def solved(matrix, right):
    """Solve a symmetric positive definite system by the square roots of Cholesky; the right side becomes the answer."""
    count = len(right)
    root = np.zeros((count, count))
    for i in range(count):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= root[i, k] * root[j, k]
            root[i, j] = np.sqrt(max(total, 1e-12)) if i == j else total / root[j, j]
    for i in range(count):
        for k in range(i):
            right[i] -= root[i, k] * right[k]
        right[i] /= root[i, i]
    for i in range(count - 1, -1, -1):
        for k in range(i + 1, count):
            right[i] -= root[k, i] * right[k]
        right[i] /= root[i, i]
