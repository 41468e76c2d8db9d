"""What networks are trained for: the loss and the score of every item of a batch. PyTorch.

One value an item, so that a batch may be cut between processes and summed again.
"""

from __future__ import annotations

from typing import Any

from imagemill.core.extras import require

__all__ = ["classified", "objective_of", "segmented"]

_SMOOTH = 1.0
"""Pixels added to both sides of a soft Dice, so that a class that is not there has a slope and no 0 / 0."""


def objective_of(task: str) -> Any:
    """The loss and score of a task, ``(logits, truth) -> (losses [n], scores [n])``."""
    return segmented if task == "segmentation" else classified


def classified(logits: Any, truth: Any) -> tuple[Any, Any]:
    """Cross-entropy, in nats, and whether it is right; of mixed images the share of the class that is said.

    Parameters
    ----------
    logits : tensor ``[n, classes]``
    truth : tensor of int ``[n]``, or shares of classes ``[n, classes]``
    """
    functional = require("torch", extra="torch").nn.functional
    if truth.ndim > 1:
        said = logits.detach().argmax(1, keepdim=True)
        return functional.cross_entropy(logits, truth, reduction="none"), truth.gather(1, said)[:, 0]
    return functional.cross_entropy(logits, truth, reduction="none"), (logits.detach().argmax(1) == truth).float()


def segmented(logits: Any, truth: Any) -> tuple[Any, Any]:
    """Cross-entropy over pixels plus one less the soft Dice of the foreground, and the Dice of the answer.

    Parameters
    ----------
    logits : tensor ``[n, classes, (z,) y, x]``
    truth : tensor of int ``[n, (z,) y, x]``

    Notes
    -----
    Source: Milletari, Navab, Ahmadi (2016), "V-Net", 3DV, for the soft Dice; Isensee et al. (2021), "nnU-Net", Nature
    Methods 18, for the sum.
    """
    torch = require("torch", extra="torch")
    functional = torch.nn.functional
    logs = functional.log_softmax(logits, 1)
    true = functional.one_hot(truth, logits.shape[1]).movedim(-1, 1).to(logs.dtype)
    pixels = tuple(range(2, logs.ndim))
    # By a product and no gather: its gradient is the same on every device and every time.
    entropy = -(logs * true).sum(1).flatten(1).mean(1)
    likely = logs.exp()
    share = (2 * (likely * true).sum(pixels) + _SMOOTH) / (likely.sum(pixels) + true.sum(pixels) + _SMOOTH)
    losses = entropy + 1 - share[:, 1:].mean(1)
    with torch.no_grad():
        said = functional.one_hot(logits.argmax(1), logits.shape[1]).movedim(-1, 1).to(logs.dtype)
        both, together = (said * true).sum(pixels), said.sum(pixels) + true.sum(pixels)
        # Empty on both sides is agreement, as in the figures of test images.
        found = torch.where(together > 0, 2 * both / together.clamp(min=1), torch.ones_like(both))
    return losses, found[:, 1:].mean(1)
