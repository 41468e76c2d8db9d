"""Tensors that share the batch's memory, and a dataset for a DataLoader."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.feed import Loader
from tests.feed.makes import coco, hashes

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

X = np.random.default_rng(0).integers(0, 256, (48, 64, 64, 3), dtype=np.uint8)
Y = np.arange(48) % 3
PIPE = im.Pipeline([im.Flip("x", p=0.5), im.Normalize((0.5,) * 3, (0.5,) * 3), im.ToLayout("channels_first")], seed=2)


def loader(**how: Any) -> Loader:
    return Loader((X, Y), PIPE, **{"batch_size": 16, "workers": 0, **how})


def test_tensors_hold_what_the_batch_holds() -> None:
    ours = loader()
    for tensors, batch in zip(ours.torch(), [ours.batch(n, epoch=0) for n in range(3)], strict=True):
        assert sorted(tensors) == ["image", "label"]
        assert (tensors["image"].dtype, tensors["label"].dtype) == (torch.float32, torch.int64)
        assert np.array_equal(tensors["image"].numpy(), batch.image)
        assert tensors["label"].tolist() == batch.label.tolist()


def test_memory_is_shared_and_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    from imagemill.feed.adapters.torch import converter

    batch = loader().batch(0)
    tensors = converter(None, pin=False, device=None)(batch)
    assert tensors["image"].data_ptr() == batch.image.ctypes.data
    assert tensors["label"].data_ptr() == batch.label.ctypes.data


def test_memory_is_not_used_again_while_a_tensor_lives() -> None:
    ours = loader(workers=2)
    kept = [(tensors["image"], tensors["image"].clone()) for _ in range(6) for tensors in ours.torch()]
    assert len({tensor.data_ptr() for tensor, _ in kept}) == len(kept)
    assert all(torch.equal(tensor, before) for tensor, before in kept)


def test_memory_is_used_again_afterwards() -> None:
    places = set()
    for _ in range(10):
        for tensors in loader().torch():
            places.add(tensors["image"].data_ptr())
    ours = loader(workers=0)
    places = {tensors["image"].data_ptr() for _ in range(10) for tensors in ours.torch()}
    assert len(places) <= 4


def test_a_view_of_a_tensor_keeps_the_memory_too() -> None:
    ours = iter(loader(workers=0).torch())
    row = next(ours)["image"][3, 0]
    before = row.clone()
    for _ in ours:
        pass
    assert torch.equal(row, before)


def test_tuples_of_named_columns_and_wrong_names() -> None:
    label, image = next(iter(loader().torch(("label", "image"))))
    assert (label.shape, image.shape) == ((16,), (16, 3, 64, 64))
    with pytest.raises(im.InputError, match="columns of image, label"):
        next(iter(loader().torch(("mask",))))


def test_boxes_are_lists_of_tensors(tmp_path: Path) -> None:
    pipe = im.Pipeline([im.Resize((40, 40))], seed=0)
    ours = Loader(im.open(coco(tmp_path)), pipe, batch_size=4, shuffle=False, workers=0)
    boxes = next(iter(ours.torch()))["boxes"]
    assert [tuple(b.shape) for b in boxes] == [(0, 4), (1, 4), (2, 4), (0, 4)]
    assert np.allclose(boxes[2].numpy(), ours.batch(0, epoch=0).boxes[2].array)


def test_rows_of_a_store_may_be_written_to(tmp_path: Path) -> None:
    for n in range(12):
        im.write_picture(tmp_path / "in" / "ab"[n % 2] / f"{n}.png", im.Picture(X[n], "yxc"))
    im.prepare(tmp_path / "in", tmp_path / "out")
    for tensors in Loader(tmp_path / "out", split="all", batch_size=4, workers=0).torch():
        tensors["image"].zero_()
    assert im.open(tmp_path / "out").images.any()


def test_sending_to_a_device() -> None:
    assert next(iter(loader().torch(device="cpu")))["image"].device.type == "cpu"
    assert next(iter(loader().torch(device="meta")))["image"].device.type == "meta"


def test_views_pass_on_length_epoch_and_state() -> None:
    view = loader().torch()
    assert len(view) == 3
    next(iter(view))
    state = view.state_dict()
    other = loader().torch()
    other.load_state_dict(state)
    assert len(list(other)) == 2
    view.set_epoch(4)
    assert view.loader.epoch == 4


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_loader_of_ones_own(workers: int) -> None:
    ours = loader()
    places = ours.torch_dataset()
    assert len(places) == 48
    theirs = torch.utils.data.DataLoader(places, batch_size=16, collate_fn=places.collate, num_workers=workers)
    for epoch in range(2):
        places.set_epoch(epoch)
        for tensors, batch in zip(theirs, [ours.batch(n, epoch=epoch) for n in range(3)], strict=True):
            assert np.array_equal(tensors["image"].numpy(), batch.image)
            assert np.array_equal(tensors["label"].numpy(), batch.label)


def test_what_spawned_workers_get_can_be_sent() -> None:
    # The documented call gives the DataLoader both, and spawned workers get both pickled.
    places = loader().torch_dataset()
    sent, collate = pickle.loads(pickle.dumps((places, places.collate)))
    made = collate(sent.__getitems__([0, 5]))
    assert torch.equal(made["image"], places.collate(places.__getitems__([0, 5]))["image"])


def test_single_items_are_those_of_batches() -> None:
    ours = loader()
    places = ours.torch_dataset()
    batch = ours.batch(0)
    assert np.array_equal(places[5]["image"].numpy(), batch.image[5])
    assert places[5]["label"] == batch.label[5]
    with pytest.raises(IndexError):
        places[48]


def test_a_network_learns_from_it() -> None:
    x = np.where(Y[:, None, None, None] == 1, 200, 50).astype(np.uint8) * np.ones((1, 8, 8, 3), np.uint8)
    pipe = im.Pipeline([im.Rescale("depth"), im.ToLayout("channels_first")], seed=0)
    ours = Loader((x, (Y == 1).astype(np.int64)), pipe, batch_size=16, workers=1)
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(15):
        for image, label in ours.torch(("image", "label")):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(image), label)
            loss.backward()
            optimizer.step()
    assert loss.item() < 0.55
    assert len(hashes([ours.batch(0)])) == 16


def test_scans_and_label_maps_come_as_losses_over_classes_take_them() -> None:
    image, mask = im.Image(np.ones((4, 6, 5), np.float32), "zyx"), im.Mask(np.full((4, 6, 5), 2, np.uint8), "zyx")
    scans = Loader([{"image": image, "mask": mask}] * 2, batch_size=2, workers=0)
    images, masks = next(iter(scans.torch(("image", "mask"), masks="int64", channel=True)))
    assert (tuple(images.shape), tuple(masks.shape), masks.dtype) == ((2, 1, 4, 6, 5), (2, 4, 6, 5), torch.int64)
    torch.nn.functional.cross_entropy(images.expand(2, 3, 4, 6, 5), masks)
    plain = next(iter(scans.torch()))
    assert (plain["image"].ndim, plain["mask"].dtype) == (4, torch.uint8)
    photos = Loader((np.zeros((2, 6, 5, 3), np.uint8),), batch_size=2, workers=0)
    assert tuple(next(iter(photos.torch(channel=True)))["image"].shape) == (2, 6, 5, 3)
    with pytest.raises(im.InputError, match="masks='int64'"):
        scans.torch(masks="bool")
