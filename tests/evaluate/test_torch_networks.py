"""The networks themselves: what they compute does not depend on how they are written down to be fast."""

from __future__ import annotations

import pytest
import torch

from imagemill.evaluate.runners.torch_networks import network_named


def test_pooling_before_the_rectifier_and_colour_last_change_no_value() -> None:
    torch.manual_seed(3)
    module = network_named("cnn").build((1, 28, 28), 10).eval()
    x = torch.rand(5, 1, 28, 28)
    first, second = (part for part in module if isinstance(part, torch.nn.Conv2d))
    made = x
    for convolution in (first, second):
        made = torch.nn.functional.conv2d(made, convolution.weight.contiguous(), convolution.bias)
        made = torch.nn.functional.max_pool2d(torch.relu(made), 2)
    with torch.no_grad():
        torch.testing.assert_close(module(x), module[-1](made.contiguous().flatten(1)), atol=1e-5, rtol=1e-5)
    assert first.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("name", "shape", "parameters"),
    [
        ("dense", (1, 28, 28), 784 * 512 + 512 + 512 * 10 + 10),
        ("cnn-16", (1, 28, 28), 9 * 16 + 16 + 13 * 13 * 16 * 10 + 10),
        ("cnn", (1, 28, 28), 9 * 16 + 16 + 9 * 16 * 32 + 32 + 5 * 5 * 32 * 10 + 10),
        ("resnet18", (3, 32, 32), 11_173_962),  # as published for the form for 32x32 with ten classes
        ("resnet18-16", (3, 32, 32), 701_466),
    ],
)
def test_networks_have_the_published_number_of_parameters(
    name: str, shape: tuple[int, int, int], parameters: int
) -> None:
    module = network_named(name).build(shape, 10)
    assert sum(one.numel() for one in module.parameters()) == parameters
