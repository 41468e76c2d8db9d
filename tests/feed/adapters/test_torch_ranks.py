"""Data-parallel training in PyTorch: every sample once an epoch, and the ranks' networks stay the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.feed.ranks import run_ranks

pytest.importorskip("torch.distributed", reason="PyTorch is not installed")
pytest.importorskip("sklearn.datasets", reason="scikit-learn, whose digits these are, is not installed")

PROGRAM = """
import gc, json, sys
import numpy as np
import torch
from sklearn.datasets import load_digits
import imagemill as im
from imagemill.feed import Loader

rank, world, meeting = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
digits = load_digits()
images, labels = np.uint8(digits.images * 15)[:1003], digits.target[:1003]
pipeline = im.Pipeline([im.Shift((-1, 1)), im.Rescale("depth"), im.ToLayout("channels_first")], seed=5)
torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
network = torch.nn.parallel.DistributedDataParallel(network)
optimiser = torch.optim.SGD(network.parameters(), lr=0.5)
seen, losses = [], []
with Loader((images, labels), pipeline, batch_size=32, workers=1, rank=rank, world_size=world) as loader:
    for epoch in range(2):
        keys, batches, total = [], 0, 0.0
        for batch in loader:
            made = network(torch.from_numpy(batch.image))
            loss = torch.nn.functional.cross_entropy(made, torch.from_numpy(batch.label))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            keys += [] if batch.repeated else [int(key) for key in batch.keys]
            batches, total = batches + 1, total + loss.item()
        seen.append((keys, batches))
        losses.append(total / batches)
weights = torch.cat([p.detach().flatten() for p in network.parameters()]).sum().item()
everything = [None] * world
torch.distributed.all_gather_object(everything, (seen, weights, losses))
if rank == 0:
    print(json.dumps(everything))
# The network keeps threads of the group, which must not outlive the interpreter.
torch.distributed.barrier()
del network, optimiser, made, loss
gc.collect()
torch.distributed.destroy_process_group()
"""


@pytest.mark.parametrize("world_size", [2, 3])
def test_two_processes_of_ddp_see_every_sample_once_an_epoch(tmp_path: Path, world_size: int) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    said = run_ranks(program, world_size, lambda rank: [str(rank), str(world_size), str(tmp_path / "meeting")])
    ranks = json.loads(said[0])
    for epoch in range(2):
        keys = [key for seen, _, _ in ranks for key in seen[epoch][0]]
        assert sorted(keys) == list(range(1003))
        assert len({seen[epoch][1] for seen, _, _ in ranks}) == 1, "expected as many batches on every rank"
    assert len({weights for _, weights, _ in ranks}) == 1
    assert all(losses[1] < losses[0] for _, _, losses in ranks)
