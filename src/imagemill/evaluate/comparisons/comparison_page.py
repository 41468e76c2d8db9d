"""A comparison as one page: the verdict first, then what carries it, then all that is needed to make it again."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from imagemill.evaluate.comparisons.curve_panels import curve_panels
from imagemill.evaluate.comparisons.differing_images import differing, small_pictures
from imagemill.evaluate.comparisons.differing_label_maps import differing_maps, map_pictures
from imagemill.evaluate.comparisons.rerun_section import own_version, pipeline_section, rerun_section
from imagemill.evaluate.comparisons.screen_section import screen_section
from imagemill.evaluate.inputs.arms import CLEAN, NONE
from imagemill.evaluate.statistics.intervals import FEWEST_SEEDS, Difference
from imagemill.evaluate.statistics.metrics import Metrics
from imagemill.evaluate.statistics.scores import ACCURACY, Measure
from imagemill.pages import (
    Block,
    Cell,
    Folded,
    HeatMap,
    Interval,
    IntervalPlot,
    Panels,
    Part,
    Pictures,
    Section,
    Table,
    Word,
    page,
)

if TYPE_CHECKING:
    from imagemill.evaluate.comparisons.comparison import Comparison, Effect

__all__ = ["as_page", "effect_plot", "summary_blocks"]

_MOST_CLASSES, _MOST_PICTURES, _MOST_IN_ALL, _MOST_MATRICES = 26, 8, 160, 24
_MOST_MAPS = 4
_NOT_AT_HAND = "The images are not at hand: this comparison was not made in this process."
_MOST_TOLD = 5
"""Arms that the first sentence names each of."""
_SHARES = (0.005, 0.02, 0.05, 0.1, 0.3, 0.7)
"""Where shades of a confusion matrix begin: few errors must be told from none."""

Blocks = list[Block | str]


def as_page(found: Comparison, command: str | None = None) -> str:
    """The whole page as HTML.

    Parameters
    ----------
    found : Comparison
    command : str, optional
        The command line that made it.
    """
    sections = [
        Section("The verdict", [*_verdicts(found)]),
        Section("What could have been seen", _seen(found)),
        *([screen_section(found.screen, found.material.arms)] if found.screen and found.material else []),
        Section("The effects", _effects(found)),
        Section("How good each arm is", _figures(found)),
        Section("What changed by class", _classes(found)),
        *_examples(found),
        Section("Training", curve_panels(found.runs)),
        Section("Time", _times(found)),
        pipeline_section(found),
        rerun_section(found, command),
    ]
    asked = found.design
    title = f"Does the augmentation help? {_many(len(asked['arms']) - 1, 'arm')} with {asked['model']}"
    lead = [
        _headline(found),
        f"{asked['train_images']:,} training images, {asked['test_images'][CLEAN]:,} clean test images, "
        f"{len(asked['classes'])} classes, {_many(asked['seeds'], 'seed')}, "
        f"{_many(asked['recipe']['epochs'], 'epoch')}.",
    ]
    if found.ended:
        lead.append(f"{found.ended[0].upper()}{found.ended[1:]}.")
    return page(title, lead, sections, f"Made by imagemill {own_version()}.")


def _examples(found: Comparison) -> list[Section]:
    """Test images that tell what changed, and of classifiers what is taken for what."""
    if _measure(found) is not ACCURACY:
        return [Section("Test images whose label maps became better and worse", _label_maps(found))]
    return [
        Section("Confusion before and after", _confusions(found)),
        Section("Test images that one of them alone gets right", _images(found)),
    ]


def _measure(found: Comparison) -> Measure:
    return found.effects[0].measure if found.effects else ACCURACY


def summary_blocks(found: Comparison) -> Blocks:
    """What a notebook shows: the verdict, what could have been seen, and the effects on clean images."""
    plots = [effect_plot(found, CLEAN)] if found.effects else []
    return [_headline(found), f"This design can detect {found.detectable_sentence()}.", *_verdicts(found), *plots]


def effect_plot(found: Comparison, population: str) -> IntervalPlot:
    """Changes of the score on one population, an arm each, in points."""
    rows, name = [], _measure(found).name
    for effect in found.effects:
        if effect.population == population:
            outer = (effect.anywhere.low * 100, effect.anywhere.high * 100)
            rows.append(_interval(effect.arm, effect.here, effect.here.verdict, outer))
    with_effect = {row.name for row in rows}
    rows += [Interval(arm, None, word="diverged") for arm in found.diverged if arm not in {*with_effect, NONE}]
    level = f"{found.effects[0].here.level:.0%}" if found.effects else ""
    return IntervalPlot(
        f"{name[0].upper()}{name[1:]} less that without augmentation, on {population} test images",
        rows,
        f"points of {name}",
        inner_name=f"on these test images, {level}",
        outer_name=f"on new images of this kind, {level}",
    )


def _interval(name: str, change: Difference, word: str, outer: tuple[float, float] | None = None) -> Interval:
    return Interval(name, change.mean * 100, change.low * 100, change.high * 100, word, outer)


def _headline(found: Comparison) -> str:
    if not found.effects:
        return "No verdict: no seed trained both an arm and the arm without augmentation to the end."
    if found.effects[0].here.verdict == "too few seeds":
        return f"No verdict: that takes {FEWEST_SEEDS} seeds or more."
    # What harms on clean images may help where the network will be used: neither is told without the other.
    names = list(dict.fromkeys(effect.population for effect in found.effects))
    told = [_on(name, [effect for effect in found.effects if effect.population == name]) for name in names[:_MOST_TOLD]]
    if len(names) > _MOST_TOLD:
        told.append(f"Further test images are in the table: {', '.join(names[_MOST_TOLD:])}.")
    return " ".join(told)


def _on(population: str, effects: Sequence[Effect]) -> str:
    """The verdicts on one kind of test images in a sentence; of many arms how many have which."""
    if len(effects) > _MOST_TOLD:
        what = "arm"
        counts = Counter(effect.here.verdict for effect in effects)
        words = [f"{word}: {_many(count, what)}" for word, count in counts.items()]
    else:
        words = [
            f"{e.arm}{' ' if e.here.verdict in ('helps', 'harms') else ': '}{e.here.verdict} "
            f"({_signed(e.here.mean)} points)"
            for e in effects
        ]
    return f"On {population} test images: {'; '.join(words)}."


def _verdicts(found: Comparison) -> Iterator[Block | str]:
    rows: list[list[Cell]] = [
        [e.arm, e.population, _claim(e.here), _claim(e.anywhere, e.here), f"{e.baseline:.3f} to {e.score:.3f}"]
        for e in found.effects
    ]
    if rows:
        score = _measure(found).name
        names = ["arm", "test images", "on these test images", "on new images of this kind", score]
        yield Table(f"Change of {score}, in points, against no augmentation; intervals in brackets", names, rows, 2)
        yield (
            "On these test images: only the seeds vary, and the interval is Student's t over the differences of pairs. "
            "On new images of this kind: the test images count as drawn too, and what varies between them is added. "
            "Helps and harms mean that an interval does not hold zero; no difference seen does not mean that there is "
            "none."
        )
    for arm, lost in found.diverged.items():
        yield f"{arm}: diverged with seeds {', '.join(map(str, lost))}; these runs are in no figure."
    yield from found.notes


def _claim(change: Difference, here: Difference | None = None) -> Word:
    if change.verdict == "too few seeds":
        return Word("no verdict", f"{_signed(change.mean)} so far")
    said = f"{_signed(change.mean)} [{_signed(change.low)}, {_signed(change.high)}]"
    shown = change.verdict
    if here is not None and here.verdict in ("helps", "harms") and shown != here.verdict:
        return Word("not shown", said)
    return Word(shown, said)


def _seen(found: Comparison) -> Blocks:
    rows = [
        [e.arm, e.population, str(e.here.pairs), _points(e.detectable), str(e.seeds_for_half or "–")]
        for e in found.effects
    ]
    names = ["arm", "test images", "pairs", "smallest difference that would be seen", "pairs to see half of it"]
    table = Table(f"In points of {_measure(found).name}; seen four times of five (power 0.8)", names, rows, 2)
    return [f"This design can detect {found.detectable_sentence()}.", *([table] if rows else [])]


def _signed(value: float) -> str:
    return f"{value * 100:+.1f}"


def _points(value: float) -> str:
    return f"{value * 100:.1f}" if math.isfinite(value) else "–"


def _effects(found: Comparison) -> Blocks:
    populations = dict.fromkeys(effect.population for effect in found.effects)
    plots: list[Any] = [effect_plot(found, name) for name in populations]
    return [*found.corruption_sentences, *plots] or ["No arm was trained to the end."]


def _figures(found: Comparison) -> Blocks:
    names = next((seeds[0].columns for seeds in found.metrics.values() if seeds), {})
    rows = []
    for (arm, population), seeds in found.metrics.items():
        plain: list[dict[str, Any]] = [one.to_dict() for one in seeds]
        cells = [_spread([one[name] for one in plain]) for name in names.values()]
        rows.append([arm, population, *cells, str(len(plain))])
    if _measure(found) is ACCURACY:
        means = "precision, recall and F1 are means over classes (macro)"
        note = (
            "ECE is the expected calibration error, over 15 bins: how far the network's confidence is from its share "
            "of right answers, 0 at best."
        )
    else:
        means = "and over images and classes without the background"
        note = (
            "HD95 is the 95 % Hausdorff distance. Two empty label maps of a class count as a Dice of 1 and a distance "
            "of 0; one that is empty and one that is not: a Dice of 0 and the distance of opposite corners."
        )
    head = f"Means over seeds ± standard deviation; {means}"
    return [Table(head, ["arm", "test images", *names, "seeds"], rows, 2), note]


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else "")


def _classes(found: Comparison) -> Blocks:
    blocks: Blocks = [
        f"Changes of {_measure(found).of_class}, an interval a class. A verdict on a class also needs a p value that "
        "holds after Holm's correction for the number of classes, so an interval beside zero may have none."
    ]
    for effect in found.effects:
        part = _class_part(effect)
        blocks.append(part if effect.population == CLEAN else Folded(_titled(effect), part.blocks))
    return blocks


def _class_part(effect: Effect) -> Part:
    # With many classes those that changed most, and never only those with a verdict.
    chosen = sorted(effect.classes, key=lambda c: -abs(c.difference.mean))[:_MOST_CLASSES]
    order = {change.name: place for place, change in enumerate(effect.classes)}
    chosen = sorted(chosen, key=lambda change: order[change.name])
    few, level = len(chosen) < len(effect.classes), f"{effect.here.level:.0%} interval of a class"
    rows, of = [_interval(c.name, c.difference, c.verdict) for c in chosen], effect.measure.of_class
    title = f"{effect.arm} on {effect.population} test images"
    note = f"The {len(chosen)} of {len(effect.classes)} classes that changed most; all are in results.json."
    return Part(
        title,
        [
            *([note] if few else ()),
            IntervalPlot(f"{of[0].upper()}{of[1:]} by class: {title}", rows, f"points of {of}", inner_name=level),
        ],
    )


def _confusions(found: Comparison) -> Blocks:
    blocks: Blocks = ["Rows are true classes, columns what was called; shares of each row, means over seeds."]
    shown = 0
    for effect in found.effects:
        before, after = (_matrix(found, arm, effect.population) for arm in (NONE, effect.arm))
        title = f"{effect.arm} on {effect.population} test images"
        shown += 2
        inside: Blocks = [_largest_changes(before, after, found.design["classes"])]
        if shown <= _MOST_MATRICES:
            inside.insert(0, Panels([_map("without", before, found), _map(f"with {effect.arm}", after, found)]))
        blocks.append(Part(title, inside) if effect.population == CLEAN else Folded(title, inside))
    if shown > _MOST_MATRICES:
        blocks.append(f"{shown - _MOST_MATRICES} further matrices are not drawn; all are in results.json.")
    return blocks


def _matrix(found: Comparison, arm: str, population: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    total = np.sum(
        [one.confusion for one in found.metrics[arm, population] if isinstance(one, Metrics)], axis=0
    ).astype(np.float64)
    images = total.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(total, images, out=np.full_like(total, np.nan), where=images > 0))


def _map(name: str, values: Any, found: Comparison) -> HeatMap:
    classes = found.design["classes"]
    return HeatMap(name, values.tolist(), classes, classes, "true", "called", _SHARES, "{:.2f}")


def _largest_changes(before: Any, after: Any, classes: Sequence[str]) -> Block | str:
    change = np.nan_to_num(after - before)
    np.fill_diagonal(change, 0.0)
    order = np.argsort(-np.abs(change), axis=None, kind="stable")[:8]
    rows = []
    for true, called in (np.unravel_index(place, change.shape) for place in order):
        if change[true, called]:
            ends = [f"{m[true, called] * 100:.1f}" for m in (before, after)]
            rows.append([classes[true], classes[called], *ends, f"{change[true, called] * 100:+.1f}"])
    if not rows:
        return "No confusion changed."
    return Table(
        "Confusions that changed most, percent of the images of the true class",
        ["true", "called", "without", "with", "change"],
        rows,
        2,
    )


def _images(found: Comparison) -> Blocks:
    if found.material is None:
        return [_NOT_AT_HAND]
    asked = {one.name: one for one in found.material.asked}
    classes, left, blocks = found.design["classes"], _MOST_IN_ALL, Blocks()
    blocks.append("Right with most seeds of the one, and with half of the seeds or fewer of the other.")
    for effect in found.effects:
        population = asked[effect.population]
        split = differing(found.runs, effect.arm, population)
        if split is None:
            continue
        inside: Blocks = []
        for rows, words in ((split.gained, f"with {effect.arm} alone"), (split.lost, "without augmentation alone")):
            few = rows[: min(_MOST_PICTURES, left)]
            left -= len(few)
            head = f"{_many(len(rows), 'image')} right {words}"
            if len(few):
                note = head if len(few) == len(rows) else f"{head}; {len(few)} of them"
                inside.append(Pictures(small_pictures(population, few, split, classes), note))
            else:
                inside.append(f"{head}.")
        blocks.append(Part(_titled(effect), inside) if effect.population == CLEAN else Folded(_titled(effect), inside))
    return blocks


def _label_maps(found: Comparison) -> Blocks:
    if found.material is None:
        return [_NOT_AT_HAND]
    asked, left = {one.name: one for one in found.material.asked}, _MOST_IN_ALL
    blocks: Blocks = [
        "By the Dice of each image, the mean over seeds; the largest changes first. From left to right: the image, "
        "what is true, what is answered without augmentation, and with the arm, with one seed. Of a volume the slice "
        "with most of what is true."
    ]
    for effect in found.effects:
        split = differing_maps(found.runs, effect.arm, asked[effect.population], len(found.design["classes"]))
        if split is None:
            continue
        inside: Blocks = []
        for rows, words in ((split.gained, "better"), (split.lost, "worse")):
            few = rows[: min(_MOST_MAPS, left)]
            left -= len(few)
            head = f"{_many(len(rows), 'image')} {words} with {effect.arm}"
            if len(few):
                inside.append(f"{head if len(few) == len(rows) else f'{head}; {len(few)} of them'}; seed {split.seed}:")
                inside += map_pictures(asked[effect.population], few.tolist(), split)
            else:
                inside.append(f"{head}.")
        blocks.append(Part(_titled(effect), inside) if effect.population == CLEAN else Folded(_titled(effect), inside))
    return blocks


def _titled(effect: Effect) -> str:
    return f"{effect.arm} on {effect.population} test images"


def _times(found: Comparison) -> Blocks:
    rows = [
        [arm, f"{one['images_per_second']:,.0f}", f"{one['waiting'] * 100:.0f} %"]
        for arm, one in found.timing().items()
    ]
    if not rows:
        return ["No times are known."]
    names = ["arm", "images a second", "share of the time spent waiting for augmented images"]
    return [Table("Training, means over seeds, on the machine that trained", names, rows)]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
