"""Two real processes train one network: the loss of one process, batch statistics of all, files by the first alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import imagemill as im
from imagemill.core.errors import InputError
from imagemill.evaluate.runners.launch import several_processes
from imagemill.evaluate.runners.ranks import Ranks, is_first_process, joined, world_size
from tests.app.terminal import imagemill
from tests.evaluate.made_up import sides

ROOT = Path(__file__).parents[2]
NORMED = """
import torch
OPTIMIZER = "adam"
def build(shape, classes):
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(shape[0], 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(16, classes),
    )
"""


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    # 47 training images in batches of 8, with 43 left by validation: the last batch is of 3, 2 for one process and 1.
    data = sides(78)
    im.prepare(im.from_arrays(*data.train, classes=data.classes), tmp_path / "set", split=(0.6, 0.0, 0.4))
    im.Pipeline([im.Shift(pixels={"y": (-1, 1)})], seed=0).to_yaml(tmp_path / "shifted.yaml")
    (tmp_path / "normed.py").write_text(NORMED)
    options = f"-p {tmp_path}/shifted.yaml -m {tmp_path}/normed.py --seeds 1 --epochs 3 --batch 8 --workers 0"
    return ["compare", f"{tmp_path}/set", *options.split()]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    more = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        env={**os.environ, **more}, capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip


def results(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return found


def test_two_processes_end_with_the_loss_of_one_and_the_first_alone_writes(asked: list[str], tmp_path: Path) -> None:
    one = imagemill(*asked, "-o", tmp_path / "one")
    two = run("-m", "imagemill", *asked, "-o", str(tmp_path / "two"), "--processes", "2")
    assert (one.code, two.returncode) == (0, 0), one.err + two.stderr
    alone, together = results(tmp_path / "one"), results(tmp_path / "two")
    assert together["design"].pop("processes") == 2
    assert together["design"] == alone["design"]
    for mine, theirs in zip(together["curves"], alone["curves"], strict=True):
        # Sums of float32 in another order, over 18 steps.
        np.testing.assert_allclose(mine["epochs"], theirs["epochs"], rtol=0, atol=2e-5)
    assert (
        together["metrics"] == alone["metrics"]
        or abs(together["effects"][0]["accuracy"] - alone["effects"][0]["accuracy"]) < 0.05
    )
    assert two.stdout.count("This design can detect") == 1
    # What is there is not trained again, in as many processes.
    again = run("-m", "imagemill", *asked, "-o", str(tmp_path / "two"), "--processes", "2")
    assert again.returncode == 0, again.stderr
    assert results(tmp_path / "two") == {**together, "design": {**together["design"], "processes": 2}}


def test_what_is_worth_in_images_is_asked_in_several_processes_too(asked: list[str], tmp_path: Path) -> None:
    options = [one for one in asked[1:] if one not in ("--epochs", "3")]
    worth = ["worth", *options, "--epochs", "1", "--sizes", "16,32", "-o", str(tmp_path / "out"), "--json"]
    two = run("-m", "imagemill", *worth, "--processes", "2")
    assert two.returncode == 0, two.stderr
    found = json.loads(two.stdout)  # one of them speaks
    assert found == results(tmp_path / "out")
    assert found["design"]["processes"] == 2
    assert [one["size"] for one in found["curves"]] == [16, 32, 16]


SHARED = """
import copy, torch
from imagemill.evaluate.runners.ranks import joined
from imagemill.evaluate.runners.torch_networks import NETWORKS
from imagemill.evaluate.runners.torch_ranks import in_parallel
with joined() as ranks:
    torch.manual_seed(0)
    net = NETWORKS["resnet18-16"].build((3, 16, 16), 4).double()
    one = copy.deepcopy(net)
    shared = in_parallel(net, ranks, "cpu", 0)
    x, y = torch.randn(6, 3, 16, 16, dtype=torch.float64), torch.arange(6) % 4
    x, y = ranks.share((x, y))
    mine = slice(0, 4) if ranks.is_first else slice(4, 6)
    loss = torch.nn.functional.cross_entropy
    (loss(shared(x[mine]), y[mine], reduction="sum") * ranks.world / 6).backward()
    loss(one(x), y).backward()
    apart = [float((a.grad - b.grad).abs().max()) for a, b in zip(net.parameters(), one.parameters())]
    apart += [float((a - b).abs().max()) for a, b in zip(net.buffers(), one.buffers())]
    assert max(apart) < 1e-12, max(apart)
"""


def test_gradients_and_batch_statistics_of_two_processes_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    # In float64, where rounding is nothing: a ResNet, of whose batch one process has four images and the other two.
    (tmp_path / "shared.py").write_text(SHARED)
    done = run("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(tmp_path / "shared.py"))
    assert done.returncode == 0, done.stderr


def test_a_process_that_fails_ends_the_others_and_says_why(asked: list[str], tmp_path: Path) -> None:
    file = tmp_path / "normed.py"
    file.write_text("import os\nif os.environ.get('RANK') == '1':\n    raise ValueError('no memory')\n" + NORMED)
    lost = run("-m", "imagemill", *asked, "-o", str(tmp_path / "out"), "--processes", "2")
    assert lost.returncode != 0
    assert "a process that trains with this one ended with" in lost.stderr
    assert "no memory" in lost.stderr


def test_what_several_processes_cannot_do_is_refused(
    asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uneven = run("-m", "imagemill", *asked[:-4], "--batch", "9", "-o", str(tmp_path / "out"), "--processes", "2")
    assert uneven.returncode == 2
    assert "expected a batch that 2 processes can share evenly, got 9 images; take 10" in uneven.stderr
    assert not (tmp_path / "out").exists()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with (
        pytest.raises(InputError, match="expected 2 processes, as many as were started, got 3"),
        several_processes(3, []),
    ):
        pass
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(InputError, match="expected RANK, MASTER_ADDR, MASTER_PORT in the environment"), joined():
        pass
    monkeypatch.setenv("WORLD_SIZE", "some")
    with pytest.raises(InputError, match="expected a number in the environment variable WORLD_SIZE, got 'some'"):
        world_size()


def test_one_process_is_alone_and_needs_nobody() -> None:
    with several_processes(1, []), joined() as ranks:
        assert (ranks, is_first_process()) == (Ranks(), True)
        assert (ranks.share(5), ranks.gather("a"), ranks.part_of(7)) == (5, ["a"], 7)
        assert ranks.sum(torch.ones(2)).tolist() == [1, 1]
