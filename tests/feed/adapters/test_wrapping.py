"""Datasets of others, wrapped or read through Hugging Face, Grain and Lightning: structures, epochs, ranks."""

from __future__ import annotations

import json
import pickle
from collections import namedtuple
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import imagemill as im
from imagemill.feed import Loader
from tests.feed.draws import ONE, N, Raw, pipeline
from tests.feed.ranks import run_ranks

FLIP = im.Pipeline([im.Flip("x")], seed=1)
PICTURE = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)


def value(image: Any) -> float:
    return float(np.asarray(image).ravel()[0])


Pair = namedtuple("Pair", "image label")


@pytest.mark.parametrize(
    "item",
    [PICTURE, (PICTURE, 3), [PICTURE, "cat"], Pair(PICTURE, 3), {"image": PICTURE, "name": "a"}],
    ids=["image", "tuple", "list", "named tuple", "mapping"],
)
@pytest.mark.parametrize("make", [np.asarray, Pillow.fromarray], ids=["array", "PIL"])
def test_items_come_back_in_their_structure(item: Any, make: Any) -> None:
    def given(x: Any) -> Any:
        return make(x) if isinstance(x, np.ndarray) else x

    if isinstance(item, dict):
        data = {name: given(x) for name, x in item.items()}
    elif isinstance(item, Pair):
        data = Pair(*map(given, item))
    else:
        data = type(item)(map(given, item)) if isinstance(item, tuple | list) else given(item)
    for found in (im.augmented([data], FLIP)[0], im.augmented([data, data], FLIP).__getitems__([0, 1])[1]):
        assert isinstance(found, type(item))
        image = found if isinstance(item, np.ndarray) else found["image"] if isinstance(item, dict) else found[0]
        assert np.array_equal(image, PICTURE[:, ::-1])
        if not isinstance(item, np.ndarray):
            last = list(found.values())[-1] if isinstance(found, dict) else found[-1]
            assert last == (list(item.values()) if isinstance(item, dict) else item)[-1]


def test_what_is_said_of_boxes_goes_with_them() -> None:
    boxes, mask = [[0, 0, 1, 2], [1, 0, 2, 2]], PICTURE[..., 0]
    item = {"image": PICTURE, "boxes": boxes, "labels": ["left", "right"], "mask": mask}
    cut = im.Pipeline([im.Flip("x"), im.Crop((2, 2), at="centre")], seed=0)
    found = im.augmented([item], cut)[0]
    assert found["labels"] == ["right"]
    assert np.array_equal(found["boxes"], [[1, 0, 2, 2]])
    assert np.array_equal(found["mask"], mask[:, 1:3][:, ::-1])


def test_what_would_have_to_move_is_not_passed_over() -> None:
    with pytest.raises(im.InputError, match=r"names=\('image', 'mask'\)"):
        im.augmented([(PICTURE, PICTURE[..., 0])], FLIP)[0]
    image, mask = im.augmented([(PICTURE, PICTURE[..., 0])], FLIP, names=("image", "mask"))[0]
    assert np.array_equal(mask, image[..., 0])
    with pytest.raises(im.InputError, match="mappings of image"):
        im.augmented([(PICTURE, {"boxes": [[0, 0, 1, 1]]})], FLIP)[0]
    with pytest.raises(im.InputError, match="item with an image"):
        im.augmented([{"picture": PICTURE}], FLIP)[0]
    with pytest.raises(im.InputError, match="length and items"):
        im.augmented(iter([PICTURE]), FLIP)
    with pytest.raises(im.InputError, match="2 keys"):
        im.augmented([PICTURE, PICTURE], FLIP, keys=["a"])


def test_pictures_that_stay_of_different_sizes_come_one_by_one() -> None:
    both = im.augmented([PICTURE, PICTURE[:1]], FLIP).__getitems__([0, 1])
    assert [image.shape for image in both] == [(2, 4, 3), (1, 4, 3)]


def test_keys_and_epochs_decide_the_pixels() -> None:
    train = im.augmented([ONE] * 3, pipeline(), keys=["a", "b", "c"])
    for epoch in range(2):  # in a plain loop an item's epoch is how often it was asked for
        assert [value(train[i]) for i in range(3)] == [value(pipeline()(ONE, key=k, epoch=epoch)) for k in "abc"]
    train.set_epoch(5)
    assert value(train[-1]) == value(pipeline()(ONE, key="c", epoch=5))
    assert value(pickle.loads(pickle.dumps(train))[0]) == value(pipeline()(ONE, key="a", epoch=5))


def test_tensors_go_in_and_out() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    item = (torch.from_numpy(PICTURE.transpose(2, 0, 1).copy()), 1)
    image, _ = im.augmented([item], FLIP, tensors=True)[0]
    assert torch.equal(image, item[0].flip(-1))


# ----------------------------------------------------------------------------------------------- Hugging Face


@pytest.mark.parametrize("workers", [None, 0, 2])
@pytest.mark.parametrize("key", [None, "name"])
def test_rows_of_hugging_face_get_other_pixels_in_each_epoch(workers: int | None, key: str | None) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    data = pytest.importorskip("torch.utils.data", reason="PyTorch is not installed")
    rows = datasets.Dataset.from_dict({"image": [np.ones((8, 8, 3)).tolist()] * N, "name": [f"{n}" for n in range(N)]})
    transform = im.hf_transform(pipeline(), key=key)
    rows.set_transform(pickle.loads(pickle.dumps(transform)))
    loader = rows if workers is None else data.DataLoader(rows, batch_size=None, num_workers=workers)
    found = [[value(row["image"]) for row in loader] for _ in range(3)]
    assert len({v for epoch in found for v in epoch}) == 36
    if key:
        for epoch in range(3):
            expected = [value(pipeline()(np.ones((8, 8, 3)), key=f"{n}", epoch=epoch)) for n in range(N)]
            assert found[epoch] == expected


# ----------------------------------------------------------------------------------------------- ranks


@pytest.mark.parametrize("n", [10, 11, 12])
def test_a_torch_dataset_has_the_rows_of_its_rank(n: int) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    x, y = np.zeros((n, 4, 4, 3), np.uint8), np.arange(n)
    ranks = [Loader((x, y), FLIP, batch_size=2, rank=r, world_size=2, workers=0).torch_dataset() for r in range(2)]
    rows = [[int(places[i]["label"]) for i in range(len(places))] for places in ranks]
    assert sorted(rows[0] + rows[1]) == list(range(n))
    with pytest.raises(IndexError):
        ranks[0][len(ranks[0])]


def test_a_loader_of_all_rows_takes_a_share_once() -> None:
    ours = Loader((np.zeros((8, 4, 4, 3), np.uint8), np.arange(8)), FLIP, batch_size=2, workers=0)
    ours.take_share(1, 2)
    assert len(ours) == 2
    ours.take_share(1, 2)
    with pytest.raises(im.InputError, match="made for rank 1 of 2"):
        ours.take_share(0, 2)


LIGHTNING = """
import sys, json, logging, warnings
import numpy as np, torch, lightning
import imagemill as im
from imagemill.feed import Loader

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

class Net(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer, self.seen = torch.nn.Linear(1, 1), []

    def training_step(self, batch, number):
        x, y = batch
        self.seen += zip(y.tolist(), x[:, 0, 0, 0].tolist())
        return self.layer(x[:, :1, 0, 0]).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

x, y = np.ones((12, 8, 8, 3), np.float32), np.arange(12)
# They meet by a file, which no other program has, as it may have a port.
where = f"file://{sys.argv[2]}"
torch.distributed.init_process_group("gloo", init_method=where, rank=int(sys.argv[1]), world_size=2)

def fit(seed):
    net, pipe = Net(), im.Pipeline([im.Brightness((0.5, 1.5))], seed=seed)
    how = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = lightning.Trainer(max_epochs=3, accelerator="cpu", devices=2, strategy="ddp", **how)
    trainer.fit(net, datamodule=Loader((x, y), pipe, batch_size=2, workers=0).lightning())
    return net.seen

said = [fit(7)]
for seed in (None, 7 + int(sys.argv[1])):
    try:
        fit(seed)
    except im.InputError as error:
        said.append(str(error))
print(json.dumps(said))
"""


@pytest.mark.skipif(find_spec("lightning") is None, reason="Lightning is not installed")
def test_ranks_of_lightning_train_on_parts(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(LIGHTNING)
    # As a launcher of processes says it: Lightning starts none of its own, which would outlive a first one that failed.
    said = run_ranks(program, 2, lambda rank: [str(rank), str(tmp_path / "meeting")], LOCAL_RANK="{rank}")
    ranks, seedless, apart = zip(*map(json.loads, said), strict=True)
    assert all("expected a seed that all ranks share" in words for words in seedless), seedless
    assert all("expected one seed and one dataset for all 2 processes" in words for words in apart), apart
    for epoch in range(3):
        assert sorted(label for rank in ranks for label, _ in rank[6 * epoch : 6 * epoch + 6]) == list(range(12))
    assert len({drawn for rank in ranks for _, drawn in rank}) == 36


# ----------------------------------------------------------------------------------------------- Grain


def batches() -> Loader:
    return Loader((np.ones((N, 8, 8, 3), np.float32), np.arange(N)), pipeline(), batch_size=1, workers=0)


def test_batches_asked_for_again_are_those_of_the_next_epoch() -> None:
    ours = batches()
    source = ours.grain()
    for epoch in range(3):
        made = [value(source[number][0]) for number in range(N)]
        assert made == [value(ours.batch(number, epoch=epoch).image) for number in range(N)]


def test_grain_counts_the_epochs() -> None:
    grain = pytest.importorskip("grain", reason="Grain is not installed")
    ours = batches()
    expected = [value(ours.batch(number, epoch=epoch).image) for epoch in range(3) for number in range(N)]
    repeated = grain.MapDataset.source(ours.grain()).repeat(3)
    assert [value(repeated[i][0]) for i in range(36)] == expected
    assert value(repeated[30][0]) == expected[30]  # as often as it is asked for
    shuffled = grain.MapDataset.source(ours.grain()).shuffle(seed=1).repeat(3)
    assert sorted(value(batch[0]) for batch in shuffled.to_iter_dataset()) == sorted(expected)


def test_a_dataset_of_items_needs_no_pipeline_of_its_own() -> None:
    assert im.augmented(Raw(None, keyed=False), pipeline())[0]["label"] == 0
