"""Wrong labels: planted ones found, the rate and its interval against the truth, and what is said of clean sets.

``python -m bench.audit.labels --images 2000 --seeds 5`` with ``IMAGEMILL_DATA`` set. Features are learnt once from all
images that are drawn (no label takes part in that); each seed has labels of its own made wrong.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from imagemill.audits import Settings
from imagemill.audits.image_features import image_features
from imagemill.audits.label_check import LabelCheck, check_labels
from imagemill.audits.label_noise import planted
from imagemill.audits.probes import folds_of
from imagemill.audits.survey import Survey, survey
from imagemill.data.as_source import source_of

DATA = Path(os.environ.get("IMAGEMILL_DATA", "."))
SETS = {
    "cifar10": DATA / "cifar10" / "cifar10-jpeg-train.parquet",
    "mnist": DATA / "mnist",
    "pets": DATA / "pets",
}
ALIKE = {"cifar10": (8, 9, 4, 5, 7, 3, 4, 4, 0, 1)}
"""A class that people mistake each for; for others the next one."""


def looked_at(name: str, images: int, seed: int) -> Survey:
    """So many images of a set, looked at."""
    source = source_of(SETS[name])
    rows = np.sort(np.random.default_rng(seed).permutation(len(source))[:images])
    return survey(replace(source, records=tuple(source.records[row] for row in rows.tolist())), workers=2)


def like_matrix(name: str, classes: int) -> np.ndarray:
    """Where each class goes when it is mistaken for one that resembles it."""
    to = ALIKE.get(name, tuple((n + 1) % classes for n in range(classes)))
    return np.eye(classes)[list(to)]


def scored(found: LabelCheck, wrong: np.ndarray) -> tuple[float, float]:
    """Precision and recall of as many images as the rate says."""
    top = found.order[: found.expected]
    hits = np.isin(top, wrong).sum()
    return (hits / len(top) if len(top) else float("nan")), (hits / len(wrong) if len(wrong) else float("nan"))


def main() -> None:
    """Print a table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--sets", nargs="+", default=list(SETS))
    asked.add_argument("--images", type=int, default=2000)
    asked.add_argument("--seeds", type=int, default=5)
    asked.add_argument("--rates", type=float, nargs="+", default=[0.0, 0.03])
    given = asked.parse_args()
    limit = Settings().label_errors
    print("set images errors kind seed: accuracy, rate [low, high], covered, over the limit, listed, precision, recall")
    for name in given.sets:
        seen = looked_at(name, given.images, 0)
        start = time.process_time()
        features = image_features(seen)
        rows, labels, names = seen.classes()
        values = features.of(rows)
        print(f"{name}: {len(rows)} images described in {time.process_time() - start:.1f} CPU seconds")
        for rate in given.rates:
            for kind in ("random", "alike") if rate else ("none",):
                like = np.ones((len(names),) * 2) if kind != "alike" else like_matrix(name, len(names))
                total = []
                for seed in range(given.seeds):
                    made, wrong = planted(labels, rate, np.random.Generator(np.random.Philox(seed)), like)
                    start = time.process_time()
                    found = check_labels(values, made, folds_of(made, 5, seed=seed), seed=seed)
                    precision, recall = scored(found, wrong)
                    total.append((found.low <= rate <= found.high, found.low > limit, precision, recall))
                    print(
                        f"{name} {len(rows)} {rate:.0%} {kind} {seed}: {found.accuracy:.1%}, {found.rate:.2%} "
                        f"[{found.low:.2%}, {found.high:.2%}], {total[-1][0]}, {total[-1][1]}, {len(found.listed)}, "
                        f"{precision:.2f}, {recall:.2f} ({time.process_time() - start:.1f} s)",
                        flush=True,
                    )
                # Where nothing is listed there is no precision.
                every = np.ma.masked_invalid(np.array(total, float))
                covered, over, precision, recall = every.mean(axis=0).filled(np.nan)
                print(f"  mean: covered {covered:.0%}, over {over:.0%}, precision {precision:.2f}, recall {recall:.2f}")


if __name__ == "__main__":
    main()
