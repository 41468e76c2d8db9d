"""The mean corruption error by hand, and corruptions as stressed populations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.evaluate.inputs.arms import each, populations, stressed
from imagemill.evaluate.inputs.changes import change_named
from imagemill.evaluate.statistics.corruption_error import corruption_error
from imagemill.transforms.corruptions import COMMON

DIGITS = np.random.default_rng(1).integers(0, 255, (3, 28, 28, 1)).astype(np.uint8)


def accuracies(clean: float, **each_: list[float]) -> dict[str, float]:
    rest = {f"corruption:{n}:{s}": 1 - e for n, errors in each_.items() for s, e in enumerate(errors, start=1)}
    return {"clean": clean, "rotate:15": 0.1, **rest}


def test_the_formula_of_the_paper_by_hand() -> None:
    ours = accuracies(0.9, fog=[0.1, 0.2, 0.3, 0.4, 0.5], snow=[0.2] * 5)
    theirs = accuracies(0.8, fog=[0.5] * 5, snow=[0.4] * 5)
    found = corruption_error(ours, theirs)
    assert found is not None
    # CE is 1.5 / 2.5 and 1.0 / 2.0; relative (1.5 - 0.5) / (2.5 - 1.0) and (1.0 - 0.5) / (2.0 - 1.0).
    assert found.each == pytest.approx({"fog": 0.6, "snow": 0.5})
    assert found.mean == pytest.approx(0.55)
    assert found.relative == pytest.approx((1.0 / 1.5 + 0.5) / 2)
    assert found.sentence.startswith("mean corruption error over fog, snow: 55.0 % of the baseline's; of what errors")


def test_all_fifteen_are_called_the_mean_corruption_error() -> None:
    ours = accuracies(0.9, **dict.fromkeys(COMMON, [0.3] * 5))
    found = corruption_error(ours, ours)
    assert found is not None
    assert (found.mean, found.relative) == (pytest.approx(1), pytest.approx(1))
    assert found.sentence.startswith("mean corruption error: 100.0 %")


def test_what_does_not_count_and_what_is_left_out() -> None:
    four = {k: v for k, v in accuracies(0.9, fog=[0.3] * 5).items() if not k.endswith(":5")}
    assert corruption_error(four, four) is None
    assert corruption_error({"clean": 0.9}, {"clean": 0.9}) is None
    ours = accuracies(0.9, fog=[0.3] * 5, snow=[0.1] * 5)
    perfect = accuracies(1.0, fog=[0.3] * 5, snow=[0.0] * 5)
    found = corruption_error(ours, perfect)
    assert found is not None
    assert (set(found.each), found.left_out) == ({"fog"}, ("snow",))
    assert "without snow, where the baseline makes none" in found.sentence
    still = accuracies(0.7, fog=[0.3] * 5)
    falls = corruption_error(still, still)
    assert falls is not None
    assert falls.relative is None
    with pytest.raises(im.InputError, match=r"accuracy under corruption:fog:1, .* got none; ask it about the same"):
        corruption_error(ours, {"clean": 0.9})


def test_corruptions_are_populations_by_name() -> None:
    assert each("corruption:fog") == tuple(f"corruption:fog:{s}" for s in range(1, 6))
    assert len(each("corruptions")) == 75
    assert len(each("corruptions-extra")) == 20
    assert each("corruption:fog:1,3") == ("corruption:fog:1", "corruption:fog:3")
    name, pipeline = stressed("corruption:jpeg-compression:4")
    assert (name, pipeline.transforms) == ("corruption:jpeg-compression:4", (im.Corruption("jpeg_compression", 4),))
    found = populations(DIGITS, np.arange(3), ["corruption:contrast:2", "jpeg:5"])
    assert [one.name for one in found] == ["clean", "corruption:contrast:2", "jpeg:5"]
    for population in found[1:]:
        assert population.images.shape == DIGITS.shape
        assert (population.images != DIGITS).any()


def test_severity_0_leaves_images_as_they_are() -> None:
    change, _ = change_named("corruption:fog")
    assert (change.neutral, change.grid(5)) == (0, (1.0, 2.0, 3.0, 4.0, 5.0))
    assert change.make(0).transforms == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("corruption", "such as corruption:fog:3, got 'corruption'"),
        ("corruption:fog:", "such as corruption:fog:3"),
        ("corruption:fogg:2", "did you mean 'fog'"),
        ("corruption:fog:6", r"within 1\.\.5, got 6"),
        ("corruption:fog:3px", "severities in plain numbers, got 'px'"),
    ],
)
def test_names_that_are_none(text: str, message: str) -> None:
    with pytest.raises(im.ParameterError, match=message):
        stressed(text)


def test_a_stressed_model_beside_another(tmp_path: Path) -> None:
    y = np.arange(60) % 2
    x = np.where(y, 200, 60).astype(np.uint8)[:, None, None, None] * np.ones((1, 28, 28, 1), np.uint8)

    def above(level: float) -> Any:
        def predict(images: Any) -> Any:
            over = images.mean(axis=(1, 2, 3)) >= level
            return np.stack([~over, over], axis=1).astype(float)

        return predict

    over = "corruption:brightness,corruption:contrast"
    good, poor = (im.stress(above(level), (x, y), over, worst=False, out=tmp_path / str(level)) for level in (160, 100))
    # Brightness adds 25.5 to 127.5: of 60 a level of 100 is reached from severity 2 on, one of 160 from severity 4 on.
    assert [1 - point.score.value for point in good["corruption:brightness"].points] == [0, 0, 0, 0, 0.5, 0.5]
    found = good.corruption_error(poor)
    assert found is not None
    assert found.each["brightness"] == pytest.approx(2 / 4)
    assert good.corruption_error(tmp_path / "100" / "results.json") == found
    with pytest.raises(im.InputError, match=r"results\.json of a baseline, got .*none"):
        good.corruption_error(tmp_path / "none")
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(im.InputError, match="that stress writes"):
        good.corruption_error(tmp_path / "other.json")
