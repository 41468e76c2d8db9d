"""Images that are not fit to learn from: unreadable, cut off, dark, light, flat, blurred, noisy, odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from imagemill.audits.checks.base import NotAsked, listed, many
from imagemill.audits.glance import Glance
from imagemill.audits.problem_kinds import problem_kinds
from imagemill.audits.survey import Survey
from imagemill.core.findings import Finding

__all__ = ["check_quality", "far_below", "far_out"]

Numbers = npt.NDArray[np.float64]
_FEW = 20
"""Below this many images a set has no usual value that others could be odd beside."""


def check_quality(survey: Survey) -> Iterator[Finding | NotAsked]:
    """What single images are like, by themselves and beside the rest."""
    if survey.problems:
        yield Finding(
            "unreadable",
            "error",
            f"{many(len(survey.problems))} that cannot be read: {survey.problems[0]}",
            tuple(problem.name for problem in survey.problems),
            {"images": len(survey.problems)},
            "mend or leave them out: --apply quarantine-corrupt",
        )
    # What became an image all the same, or is a matter of label maps, is told by the checks of these.
    if left := [one for one in survey.source.problems if one.name not in (*survey.row_of, "label maps")]:
        yield Finding(
            "left-out",
            "warning",
            f"{many(len(left), 'file, line or annotation')} that could not be taken in: {problem_kinds(left)}",
            tuple(problem.name for problem in left),
            {"problems": len(left)},
            "mend them in the source; imagemill scan lists all",
        )
    if not len(survey.seen):
        yield NotAsked("quality", "no image can be read")
        return
    yield from _by_themselves(survey)
    photos = sum(glance is not None and glance.scan is None for glance in survey.glances)
    if photos < _FEW:
        what = "photos" if photos < len(survey.seen) else "images"
        yield NotAsked("odd", f"there are fewer than {_FEW} {what}, so that none is odd beside the others")
    else:
        yield from _beside_the_rest(survey)
    if len(survey.seen) >= _FEW:
        yield from _kinds(survey)


def _of_photos(survey: Survey, of: Callable[[Glance], float]) -> Numbers:
    """A number of each photo; NaN for scans, whose values, sizes and borders mean something else."""
    return survey.numbers(lambda glance: of(glance) if glance.scan is None else np.nan)


def _by_themselves(survey: Survey) -> Iterator[Finding]:
    asked = survey.settings
    bright = _of_photos(survey, lambda g: np.nan if _is_flat(g) else g.brightness[4])
    # A few images say nothing of what is usual.
    usual = usual_of(bright) if np.isfinite(bright).sum() >= _FEW else 0.0
    dark = max(asked.dark, min(asked.darker * usual, 0.5))
    percentile = [survey.numbers(lambda g, at=at: g.brightness[at]) for at in range(5)]  # type: ignore[misc]
    entropy, cut = survey.numbers(lambda g: g.entropy), _of_photos(survey, lambda g: g.gray_rows)
    flat = survey.numbers(_is_flat) > 0
    border = _of_photos(survey, lambda g: g.border)
    shape = _of_photos(survey, lambda g: min(g.shape[-2:]) / max(g.shape[-2:]))
    lost = survey.numbers(lambda g: g.not_finite)
    # Scans are dark beside photos by nature: their values are spread from the smallest to the largest.
    photo = survey.numbers(lambda g: "uint8" in g.kind and "volume" not in g.kind) > 0
    rules: list[tuple[str, str, str, Numbers | npt.NDArray[np.bool_], Numbers, str]] = [
        # Where most are, little is left to learn from once they are left out.
        ("flat", "error" if 2 * flat.sum() > len(flat) else "warning", "of one colour",
         flat, entropy, "leave them out"),
        ("cut-off", "error", "whose lower rows are a flat gray, as decoders fill a file that was cut off",
         (cut > 0) & ~flat, -cut, "fetch them again, or leave them out"),
        ("dark", "warning", f"dark: 99 of 100 pixels below {dark:.2f} of white",
         photo & ~flat & (percentile[4] < dark), percentile[4], "look at them: is anything to be seen?"),
        ("light", "warning", f"light: 95 of 100 pixels above {1 - asked.light:.2f} of white",
         photo & ~flat & (percentile[1] > 1 - asked.light), -percentile[1], "look at them: is anything to be seen?"),
        ("low-information", "note", f"with gray values of under {asked.information:g} bits",
         photo & ~flat & (entropy < asked.information), entropy, "look at them: drawings and blanks are such"),
        ("border", "note", "with borders of one colour over a fifth of a side or more",
         ~flat & (border >= 0.2), -border, "crop them: a network learns borders"),
        ("aspect", "note", f"whose shorter side is under {asked.aspect:.2f} of the longer",
         shape < asked.aspect, shape, "crop or pad them; resizing squashes them"),
        ("turned-twice", "warning", "whose EXIF orientation turns what was turned before: EXIF's own size says so",
         survey.numbers(_is_turned_twice) > 0, shape, "look at them; where they lie on their side, remove the flag"),
        ("not-finite", "error", "with values that are NaN or infinite", lost > 0, -lost, "replace those values"),
    ]  # fmt: skip
    for rule, level, what, hit, worst, advice in rules:
        yield from _found(survey, rule, level, what, np.asarray(hit, bool), worst, advice)


def _is_turned_twice(glance: Glance) -> bool:
    """Whether EXIF says a quarter turn, and a size that is as wide as the stored pixels are high."""
    (height, width), (across, down) = glance.shape[-2:], glance.file.exif_size
    # The shape is as it is seen, after the turn: stored, width and height change places.
    return glance.file.orientation > 4 and 0 not in (across, down) and (across - down) * (height - width) < 0


def _is_flat(glance: Glance) -> bool:
    if glance.scan is not None and glance.scan.is_volume:
        return len(glance.scan.blank) == glance.scan.shape[0]
    return glance.contrast < 1 / 255


def _beside_the_rest(survey: Survey) -> Iterator[Finding]:
    asked = survey.settings
    sharp = _of_photos(survey, lambda g: np.nan if _is_flat(g) else g.detail)
    low, spread = far_below(np.log(np.maximum(sharp, 1e-6)))
    blurred = (low - np.log(np.maximum(sharp, 1e-6)) > asked.blurred * spread) & (sharp < asked.sharpness)
    noise = _of_photos(survey, lambda g: g.noise)
    yield from _found(
        survey, "blurred", "warning", "far less sharp than the rest, at the size a network sees", blurred, sharp,
        "leave them out, unless such images will come in use",
    )  # fmt: skip
    odd_noise = (noise > asked.noisy) & (noise > 3 * usual_of(noise))
    yield from _found(
        survey, "noisy", "warning", f"with noise above {asked.noisy:.0%} of white, three times the rest", odd_noise,
        -noise, "leave them out, unless such images will come in use",
    )  # fmt: skip
    for end, of in (("black", lambda g: g.black), ("white", lambda g: g.white)):
        share = _of_photos(survey, of)
        hit = (share > asked.clipped) & (usual_of(share) < asked.clipped / 2)
        yield from _found(
            survey, f"clipped-{end}", "note", f"with {asked.clipped:.0%} of the values or more at pure {end}", hit,
            -share, "look at them: what was there is lost",
        )  # fmt: skip
    even = _of_photos(survey, lambda g: np.nan if _is_flat(g) else g.even)
    yield from _found(
        survey, "graphic", "note", "like drawings, screenshots or cut-outs: most pixels equal the next",
        (even > asked.graphic) & (usual_of(even) < asked.graphic / 2), -even, "leave them out, unless meant",
    )  # fmt: skip
    side = np.sqrt(_of_photos(survey, lambda g: float(np.prod(g.shape[-2:]))))
    # Where most images have one size the quartiles lie together: what is odd is also twice or half of the usual.
    odd = far_out(side, asked.odd_size) & (np.abs(np.log2(side / usual_of(side))) >= 1)
    yield from _found(
        survey, "odd-size", "note", f"of a size far from the rest (median {usual_of(side):.0f} pixels a side)", odd,
        -np.abs(side - usual_of(side)), "look at them: thumbnails and scans of whole pages are such",
    )  # fmt: skip


def _kinds(survey: Survey) -> Iterator[Finding]:
    """Channels and depth, orientation flags, and formats that differ from image to image."""
    of: tuple[tuple[str, Callable[[Glance], str], str, str], ...] = (
        ("kinds", lambda g: g.kind, "kinds of pixels", "choose one with prepare --channels and --dtype"),
        ("orientation", lambda g: f"EXIF orientation {g.file.orientation}", "orientations",
         "nothing, if whatever reads them turns them; imagemill does, many tools do not"),
    )  # fmt: skip
    for rule, value, what, advice in of:
        values = [None if g is None else value(g) for g in survey.glances]
        counts = Counter(v for v in values if v is not None)
        if len(counts) < 2:
            continue
        common, _ = counts.most_common(1)[0]
        rare = [row for row, v in enumerate(values) if v is not None and v != common]
        shown = [f"{name} ({count:,})" for name, count in counts.most_common()]
        yield Finding(
            rule,
            "warning" if rule == "kinds" else "note",
            f"{len(counts)} {what} are mixed: {listed(shown)}",
            survey.keys(rare),
            {"kinds": len(counts), "images": len(rare)},
            advice,
        )


def _found(
    survey: Survey,
    rule: str,
    level: str,
    what: str,
    hit: npt.NDArray[np.bool_],
    worst: Numbers,
    advice: str,
) -> Iterator[Finding]:
    rows = np.flatnonzero(hit)
    if len(rows):
        rows = rows[np.argsort(worst[rows], kind="stable")]
        share = len(rows) / len(survey.seen)
        yield Finding(
            rule, level, f"{many(len(rows))} {what}", survey.keys(rows), {"images": len(rows), "share": share}, advice
        )


def usual_of(values: Numbers) -> float:
    """The median of those that are numbers; not a number where none is, which nothing is larger or smaller than."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def far_below(values: Numbers) -> tuple[float, float]:
    """The median, and the spread above it as a standard deviation: what is odd below does not widen it.

    Where no value is a number nothing is odd, and neither is one.
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    middle = float(np.median(values))
    return middle, max(float(np.percentile(values, 84.13)) - middle, 1e-6)


def far_out(values: Numbers, times: float) -> npt.NDArray[np.bool_]:
    """Whether values lie so many times the distance of the quartiles beyond them.

    Source: Tukey (1977), "Exploratory Data Analysis".

    Examples
    --------
    >>> far_out(np.array([1.0, 2, 3, 4, 100]), 3.0).tolist()
    [False, False, False, False, True]
    """
    low, high = np.nanpercentile(values, (25, 75))
    return np.asarray((values < low - times * (high - low)) | (values > high + times * (high - low)), bool)
