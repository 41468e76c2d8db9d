"""The benchmarks load and reckon rightly without any of the libraries they compare with."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from bench import harness, report, workloads
from bench.harness import Contestant, Expect, Ratio, Result, Timing, Workload
from tests.architecture.repository import ROOT, SRC, environment

PEERS = ("albumentations", "torch", "torchvision", "kornia", "keras", "torchio", "batchgeneratorsv2", "monai")


def _workload(*contestants: Contestant) -> Workload:
    return Workload("w", "W", "item", lambda: 2.0, contestants, (Expect((3,), "float32"),))


def _fills(value: float) -> Contestant:
    return Contestant(f"imagemill {value:g}", lambda data: lambda: np.full(3, data * value, np.float32), 1, ours=True)


def test_ratios_are_formed_within_each_round() -> None:
    # The machine is twice as slow in the second round: the ratio of medians would be 4, every round says 2.
    ours, peer = Timing([1.0, 2.0, 1.0], [1.0, 1.0, 1.0]), Timing([2.0, 4.0, 2.0], [3.0, 3.0, 3.0])
    assert Ratio.of(peer, ours) == Ratio(2.0, 2.0, 2.0, 3.0)


def test_spread_is_the_quartiles() -> None:
    assert harness.spread([4, 1, 3, 2, 5]) == (2.0, 4.0)


def test_psnr_of_a_known_error() -> None:
    assert harness.psnr(np.array([0.0, 1.0]), np.array([0.1, 0.9])) == pytest.approx(20.0)
    assert harness.psnr(np.ones(3), np.ones(3)) == np.inf


@pytest.mark.parametrize(
    "made",
    [
        np.zeros(4, np.float32),
        np.zeros(3, np.float64),
        np.zeros(6, np.float32)[::2],
        np.array([0, np.nan, 0], np.float32),
        (np.zeros(3, np.float32),) * 2,
    ],
    ids=["shape", "dtype", "strides", "unwritten", "count"],
)
def test_other_work_does_not_count(made: object) -> None:
    contestant = _fills(1)
    with pytest.raises(AssertionError, match="imagemill 1"):
        harness.check(_workload(contestant), contestant, made)


def test_a_batch_of_any_length_and_either_order_of_axes_count() -> None:
    expect = Expect((-1, 2, 3), "uint8", also=(-1, 3, 2))
    expect.check("batch", np.zeros((5, 2, 3), np.uint8))
    expect.check("other order", np.zeros((1, 3, 2), np.uint8))
    with pytest.raises(AssertionError, match="not the same work"):
        expect.check("neither", np.zeros((1, 3, 3), np.uint8))


def test_measure_times_all_and_names_the_absent() -> None:
    absent = Contestant("other", lambda data: lambda: None, 1, needs=("no_such_module_anywhere",))
    said: list[str] = []
    result = harness.measure(_workload(_fills(1), _fills(3), absent), rounds=3, seconds=0, log=said.append)
    assert {name: len(t.wall) for name, t in result.timings.items()} == {"imagemill 1": 3, "imagemill 3": 3}
    assert result.absent == {"other": "not installed: no_such_module_anywhere"}
    assert any("no_such_module_anywhere" in line for line in said)
    assert "no_such_module_anywhere" in report.table(result)


def test_a_peer_that_breaks_is_named_and_ours_is_raised() -> None:
    def broken(data: float) -> harness.Run:
        raise ValueError("no such kernel")

    peer = Contestant("other", broken, 1)
    result = harness.measure(_workload(_fills(1), peer), rounds=1, seconds=0, log=lambda line: None)
    assert result.absent == {"other": "failed: ValueError: no such kernel"}
    ours = Contestant("imagemill", broken, 1, ours=True)
    with pytest.raises(ValueError, match="no such kernel"):
        harness.measure(_workload(ours), rounds=1, seconds=0, log=lambda line: None)


def test_aims_are_met_or_missed_as_measured() -> None:
    peers = [Contestant(name, lambda data: lambda: None, 1, budget=b) for name, b in (("slow", 2.0), ("fast", 5.0))]
    ours = _fills(1)
    times = {ours.name: Timing([1.0], [1.0]), "slow": Timing([3.0], [3.0]), "fast": Timing([0.5], [0.5])}
    page = report.aims([Result(_workload(ours, *peers), times, {}, {})])
    assert "| slow | at least 2 | 3.00 |  | met |" in page
    assert "| fast | at least 5 | 0.50 |  | **missed** |" in page
    assert "fast takes 0.50 times as long" in report.score([Result(_workload(ours, *peers), times, {}, {})])


def test_aims_are_judged_in_batches_and_single_calls_stand_beside() -> None:
    single, batch = (Contestant(n, lambda data: lambda: None, 1, ours=True) for n in ("single calls", "batch of 8"))
    peer = Contestant("peer", lambda data: lambda: None, 1, budget=3.0)
    times = {"single calls": Timing([2.0], [2.0]), "batch of 8": Timing([1.0], [1.0]), "peer": Timing([4.0], [4.0])}
    page = report.aims([Result(_workload(single, batch, peer), times, {}, {})])
    assert "| peer | at least 3 | 4.00 | 2.00 | met |" in page


def test_every_workload_has_a_champion_and_names_of_its_own() -> None:
    found = workloads.load()
    assert len({w.name for w in found}) == len(found) >= 7
    for workload in found:
        names = [c.name for c in workload.contestants]
        assert len(set(names)) == len(names), workload.name
        assert workload.champion.ours
        assert all(c.versus is None or c.versus in names for c in workload.contestants)


def test_bench_modules_load_without_peers() -> None:
    modules = ("run", "report", "quality", "agreement", "floor", "latency", "growth", "growth_page", "inputs")
    code = (
        f"import sys, importlib; [importlib.import_module('bench.' + m) for m in {modules}];"
        "from bench import workloads; workloads.load();"
        f"print(sorted(set({PEERS}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(ROOT, SRC), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_maps_of_the_chain_lead_back_to_its_part() -> None:
    # The corners of the result are the corners of the part that was cut, when nothing else moves.
    from bench.quality import SIDE, Chain

    chain = Chain((100, 120), False, 0.0, 1.0, (0, 0), (10, 20, 50, 60))
    total = np.linalg.multi_dot(chain.pulls())
    corners = np.array([[-0.5, -0.5, 1], [SIDE - 0.5, SIDE - 0.5, 1]]).T
    np.testing.assert_allclose((total @ corners)[:2].T, [[9.5, 19.5], [59.5, 79.5]], atol=1e-9)
