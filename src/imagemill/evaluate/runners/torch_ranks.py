"""A network of PyTorch that several processes train: gradients are averaged, batch statistics are those of all."""

from __future__ import annotations

from typing import Any

from imagemill.core.extras import require
from imagemill.evaluate.runners.ranks import Ranks

__all__ = ["in_parallel"]


def in_parallel(module: Any, ranks: Ranks, device: str, seed: int) -> Any:
    """The network as one of several processes trains it; itself where there is one process.

    All processes must have built it with the same weights. Batch normalisation goes over the batches of all of them.
    What is random within the network (dropout) differs from process to process, and so from a run in one process.

    Parameters
    ----------
    module : torch.nn.Module
        On its device.
    ranks : Ranks
    device : str
    seed : int

    Notes
    -----
    Source: Li et al. (2020), "PyTorch distributed: experiences on accelerating data parallel training", VLDB 13.
    """
    if ranks.world == 1:
        return module
    torch = require("torch", extra="torch")
    cuda = device.startswith("cuda")
    shared = torch.nn.SyncBatchNorm.convert_sync_batchnorm(module) if cuda else _with_shared_statistics(torch, module)
    # Unlike the weights, which came from the common seed.
    torch.manual_seed(seed + 1_000_003 * ranks.rank)
    return torch.nn.parallel.DistributedDataParallel(shared, device_ids=[torch.device(device)] if cuda else None)


def _with_shared_statistics(torch: Any, module: Any) -> Any:
    """The network with its batch normalisations replaced: PyTorch's own, for several processes, is for GPUs alone."""
    norm = torch.nn.modules.batchnorm._BatchNorm
    distributed = require("torch.distributed", extra="torch")

    class Total(torch.autograd.Function):  # type: ignore[misc]
        """The sum over all processes; its gradient is the sum of theirs."""

        @staticmethod
        def forward(_context: Any, values: Any) -> Any:
            found = values.clone()
            distributed.all_reduce(found)
            return found

        @staticmethod
        def backward(_context: Any, gradient: Any) -> Any:
            return Total.forward(_context, gradient)

    total = Total.apply

    class Shared(norm):  # type: ignore[misc,valid-type]
        def _check_input_dim(self, x: Any) -> None:
            """Any number of axes."""

        def forward(self, x: Any) -> Any:
            if not (self.training and self.track_running_stats):
                return super().forward(x)
            others = (0, *range(2, x.ndim))
            count = torch.full((1,), x.numel() // x.shape[1], dtype=x.dtype)
            sums = total(torch.cat([x.sum(others), count]))
            count = sums[-1].detach()
            shape = (1, -1, *[1] * (x.ndim - 2))
            mean = sums[:-1] / count
            centred = x - mean.view(shape)
            variance = total((centred * centred).sum(others)) / count
            with torch.no_grad():
                self.num_batches_tracked += 1
                momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
                self.running_mean.lerp_(mean.detach(), momentum)
                self.running_var.lerp_(variance.detach() * count / (count - 1), momentum)
            found = centred * torch.rsqrt(variance + self.eps).view(shape)
            return found * self.weight.view(shape) + self.bias.view(shape) if self.affine else found

    def replaced(part: Any) -> Any:
        if isinstance(part, norm) and not isinstance(part, Shared) and part.track_running_stats:
            made = Shared(part.num_features, part.eps, part.momentum, part.affine, dtype=part.running_mean.dtype)
            made.load_state_dict(part.state_dict())
            return made
        for name, child in part.named_children():
            setattr(part, name, replaced(child))
        return part

    return replaced(module)
