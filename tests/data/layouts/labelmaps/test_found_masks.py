"""Label maps as people keep them: each arrangement is made small, opened, and compared with what its maker knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import imagemill as im
from imagemill.core.errors import SourceError
from imagemill.data import Source, open_source
from imagemill.data.records.loading import load_mask

RNG = np.random.default_rng(7)


def a_photo(path: Path) -> None:
    """Noise in colours: what no label map looks like."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (24, 32, 3), np.uint8)).save(path)


def a_map(path: Path, values: tuple[int, ...] = (0, 1, 2)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    regions = np.repeat(np.repeat(RNG.choice(values, (3, 4)), 8, 0), 8, 1).astype(np.uint8)
    Image.fromarray(regions).save(path)


@dataclass(frozen=True)
class Case:
    """A folder and what is right for it: image keys with label map, split and label; what else may be there."""

    name: str
    pairs: dict[str, tuple[str, ...]]
    splits: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


TRAIN_DOMAINS, VAL_DOMAINS = (
    [f"{part}/{name}/images_png/{n}.png" for name in ("Rural", "Urban") for n in (1, 2)] for part in ("Train", "Val")
)
SLICES = [f"kaggle_3m/TCGA_{n}_1/TCGA_{n}_{m}.tif" for n in (4941, 5855) for m in (1, 2)]
OBJECTS = [f"DUTS-{part}/DUTS-{part}-Image/{n}.jpg" for n, part in enumerate(("TR", "TE"))]

CASES = [
    Case(
        "train_masks",
        {"train/car_1.jpg": ("train_masks/car_1_mask.gif",), "train/car_2.jpg": ("train_masks/car_2_mask.gif",)},
        dict.fromkeys(("train/car_1.jpg", "train/car_2.jpg"), "train"),
        said=("car_1.jpg with car_1_mask.gif",),
    ),
    Case(
        "camvid",
        {f"{part}/{n}.png": (f"{part}annot/{n}.png",) for n, part in enumerate(("train", "val", "test"))},
        {"train/0.png": "train", "val/1.png": "val", "test/2.png": "test"},
    ),
    Case(
        "camvid in a folder",
        {f"CamVid/{part}/{n}.png": (f"CamVid/{part}_labels/{n}_L.png",) for n, part in enumerate(("train", "val"))},
        {"CamVid/train/0.png": "train", "CamVid/val/1.png": "val"},
    ),
    Case(
        "roles behind parts",
        {"train_images/x.png": ("train_labels/x_L.png",), "val_images/y.png": ("val_labels/y_L.png",)},
        {"train_images/x.png": "train", "val_images/y.png": "val"},
    ),
    Case(
        "isic",
        {
            f"ISIC2018_Task1-2_{part}_Input/ISIC_1.jpg": (f"ISIC2018_Task1_{part}_GroundTruth/ISIC_1_segmentation.png",)
            for part in ("Training", "Test")
        },
        {"ISIC2018_Task1-2_Training_Input/ISIC_1.jpg": "train", "ISIC2018_Task1-2_Test_Input/ISIC_1.jpg": "test"},
    ),
    Case(
        "cityscapes",
        {
            f"leftImg8bit/{part}/{city}/{city}_0_leftImg8bit.png": (
                f"gtFine/{part}/{city}/{city}_0_gtFine_labelIds.png",
            )
            for part, city in (("train", "ulm"), ("val", "jena"))
        },
        {"leftImg8bit/train/ulm/ulm_0_leftImg8bit.png": "train", "leftImg8bit/val/jena/jena_0_leftImg8bit.png": "val"},
        others=(
            "gtFine/train/ulm/ulm_0_gtFine_color.png",
            "gtFine/train/ulm/ulm_0_gtFine_instanceIds.png",
            "gtFine/val/jena/jena_0_gtFine_color.png",
            "gtFine/val/jena/jena_0_gtFine_instanceIds.png",
        ),
        said=(
            "named jena, ulm: taken for neither classes nor groups",
            "labelids taken",
            "color (2)",
            "instanceids (2)",
            "--option masks=",
        ),
    ),
    Case(
        "ade",
        {
            "images/training/a.jpg": ("annotations/training/a.png",),
            "images/validation/b.jpg": ("annotations/validation/b.png",),
        },
        {"images/training/a.jpg": "train", "images/validation/b.jpg": "val"},
    ),
    Case(
        "mmseg",
        {
            "img_dir/train/a.jpg": ("ann_dir/train/a_labelTrainIds.png",),
            "img_dir/val/b.jpg": ("ann_dir/val/b_labelTrainIds.png",),
        },
        {"img_dir/train/a.jpg": "train", "img_dir/val/b.jpg": "val"},
    ),
    Case("decathlon without its file", {"imagesTr/a_0000.png": ("labelsTr/a.png",)}, {"imagesTr/a_0000.png": "train"}),
    Case(
        "nuclei",
        {
            "s1/images/s1.png": ("s1/masks/2.png", "s1/masks/10.png", "s1/masks/x.png"),
            "s2/images/s2.png": ("s2/masks/u.png",),
        },
        said=("1 images have several label maps", "merge=union"),
    ),
    Case(
        "trimaps",
        {
            "images/Abyssinian_1.jpg": ("annotations/trimaps/Abyssinian_1.png",),
            "images/beagle_2.jpg": ("annotations/trimaps/beagle_2.png",),
        },
    ),
    Case(
        "drive",
        {f"training/images/{n}_training.tif": (f"training/1st_manual/{n}_manual1.gif",) for n in (21, 22)},
        {f"training/images/{n}_training.tif": "train" for n in (21, 22)},
        others=tuple(f"training/mask/{n}_training_mask.gif" for n in (21, 22)),
        said=("mask/ *_mask (2) left out", "--option masks=mask"),
    ),
    Case(
        "busi",
        {
            "benign/benign (1).png": ("benign/benign (1)_mask.png", "benign/benign (1)_mask_1.png"),
            "normal/normal (1).png": ("normal/normal (1)_mask.png",),
            "malignant/m (2).png": ("malignant/m (2)_mask.png",),
        },
        labels={
            "benign/benign (1).png": "benign",
            "normal/normal (1).png": "normal",
            "malignant/m (2).png": "malignant",
        },
    ),
    Case(
        "classes with mirrored masks",
        {f"{name}/{n}.jpg": (f"masks/{name}/{n}.png",) for name in ("cat", "dog") for n in (1, 2)},
        labels={f"{name}/{n}.jpg": name for name in ("cat", "dog") for n in (1, 2)},
    ),
    Case(
        "masks within classes",
        {f"{name}/images/{n}.jpg": (f"{name}/masks/{n}.png",) for name in ("cat", "dog") for n in (1, 2)},
        labels={f"{name}/images/{n}.jpg": name for name in ("cat", "dog") for n in (1, 2)},
    ),
    Case(
        "domains",
        {key: (key.replace("images", "masks"),) for key in (*TRAIN_DOMAINS, *VAL_DOMAINS)},
        dict.fromkeys(TRAIN_DOMAINS, "train") | dict.fromkeys(VAL_DOMAINS, "val"),
        {key: key.split("/")[1] for key in (*TRAIN_DOMAINS, *VAL_DOMAINS)},
    ),
    Case("letters alone", {f"X/{n}.png": (f"Y/{n}.png",) for n in (1, 2)}),
    Case("input and target", {f"set/input/{n}.png": (f"set/target/{n}.png",) for n in (1, 2)}),
    Case("matting", {f"clip_img/{n}.jpg": (f"matting/{n}.png",) for n in (1, 2)}),
    Case("words in the middle", {f"img/{n}.jpg": (f"masks_machine/{n}.png",) for n in (1, 2)}),
    Case("an end that nobody knows", {f"Image_0{n}L.jpg": (f"Image_0{n}L_1stHO.png",) for n in (1, 2, 3)}),
    Case("salient objects", {key: (key.replace("Image", "Mask"),) for key in OBJECTS}),
    Case(
        "a folder of label maps each",
        {f"images/{n}.jpg": (f"masks/{n}/a.png", f"masks/{n}/b.png") for n in (1, 2)},
        said=("2 images have several label maps",),
    ),
    Case("numbers in other words", {f"DIC/01/t00{n}.tif": (f"DIC/01_GT/SEG/man_seg00{n}.tif",) for n in (1, 2)}),
    Case(
        "birds",
        {
            f"images/{c}/b_{n}.jpg": (f"segmentations/{c}/b_{n}.png",)
            for c in ("001.Laysan", "002.Sooty")
            for n in (1, 2)
        },
        labels={f"images/{c}/b_{n}.jpg": c for c in ("001.Laysan", "002.Sooty") for n in (1, 2)},
    ),
    Case(
        "patients with slices",
        {key: (key.replace(".tif", "_mask.tif"),) for key in SLICES},
        said=("group: the folder of each image",),
    ),
    Case(
        "parts and classes",
        {
            f"{part}/{name}/1.jpg": (f"{part}_masks/{name}/1.png",)
            for part in ("train", "test")
            for name in ("cat", "dog")
        },
        {f"{part}/{name}/1.jpg": part for part in ("train", "test") for name in ("cat", "dog")},
        {f"{part}/{name}/1.jpg": name for part in ("train", "test") for name in ("cat", "dog")},
    ),
    Case("other words in front", {"images/img_1.png": ("masks/seg_1.png",), "images/img_2.png": ("masks/seg_2.png",)}),
    Case(
        "words that nobody knows",
        {f"images/foto-{n}.png": (f"masks/umriss-{n}.png",) for n in (1, 2, 3)},
        said=("foto-1.png with umriss-1.png",),
    ),
    Case("beside, in front", {"a.jpg": ("mask_a.png",), "b.jpg": ("mask_b.png",)}),
    Case("beside, with a dash", {"a.jpg": ("a-seg.png",), "b.jpg": ("b-seg.png",)}),
    Case("beside, with a dot", {"a.jpg": ("a.mask.png",), "b.jpg": ("b.mask.png",)}),
    Case("beside, satellite", {"1_sat.jpg": ("1_mask.png",), "2_sat.jpg": ("2_mask.png",)}),
    Case("a folder each", {"p1/image.png": ("p1/mask.png",), "p2/image.png": ("p2/mask.png",)}),
    Case(
        "labelme's export",
        {"a_json/img.png": ("a_json/label.png",), "b_json/img.png": ("b_json/label.png",)},
        others=("a_json/label_viz.png", "b_json/label_viz.png"),
    ),
    Case(
        "two spellings of an accent",
        {"images/\u00c4rger.jpg": ("masks/A\u0308rger.png",), "images/b.jpg": ("masks/b.png",)},
    ),
    Case("capitals", {"Images/One.JPG": ("Masks/one.png",), "Images/TWO.JPG": ("Masks/two.png",)}),
    Case(
        "only some",
        {"images/a.jpg": ("masks/a.png",), "images/b.jpg": (), "images/c.jpg": ()},
        others=("masks/z.png",),
        said=("1 mask files belong to no image: masks/z.png", "2 images have no label map: images/b.jpg, images/c.jpg"),
    ),
    Case("flat masks of images in folders", {"images/s1/a.jpg": ("masks/a.png",), "images/s2/b.jpg": ("masks/b.png",)}),
    Case(
        "some of the images have masks beside them",
        {"a.jpg": ("a_mask.png",), "b.jpg": (), "c.jpg": (), "d.jpg": ()},
        said=("3 images have no label map",),
    ),
]


def made(root: Path, case: Case) -> Path:
    for image, masks in case.pairs.items():
        a_photo(root / image)
        for mask in masks:
            a_map(root / mask)
    for other in case.others:
        a_map(root / other)
    return root


def value_of(source: Source, key: str) -> np.ndarray | None:
    mask = next(record.mask for record in source if record.key == key)
    return None if mask is None else load_mask(mask).array


def wanted_of(root: Path, masks: tuple[str, ...], several: bool) -> np.ndarray | None:
    """What the files hold, by Pillow; of several, the number of the last that marks a pixel."""
    if not masks:
        return None
    arrays = []
    for mask in masks:
        with Image.open(root / mask) as file:
            arrays.append(np.array(file))
    if not several:
        return arrays[0]
    found = np.zeros(arrays[0].shape, np.uint8)
    for number, array in enumerate(arrays, 1):
        found[array != 0] = number
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_label_maps_are_paired_and_nothing_else_is_lost(tmp_path: Path, case: Case) -> None:
    source = open_source(made(tmp_path, case))
    assert [record.key for record in source] == sorted(case.pairs)
    several = any(len(masks) > 1 for masks in case.pairs.values())
    for record in source:
        wanted = wanted_of(tmp_path, case.pairs[record.key], several)
        assert np.array_equal(value_of(source, record.key), wanted) if wanted is not None else record.mask is None
    assert {record.key: record.split for record in source if record.split} == case.splits
    assert {record.key: record.label for record in source if record.label} == case.labels
    assert all(words in source.describe() for words in case.said)
    assert not source.problems
    assert not set(source.passed_over) & {mask for masks in case.pairs.values() for mask in masks}


def photos(root: Path, *names: str) -> Path:
    for name in names:
        a_photo(root / name)
    return root


@pytest.mark.parametrize(
    "folders",
    [
        ("with_mask", "without_mask"),
        ("masks", "no_masks"),
        ("mask", "face"),
        ("mask", "cat", "dog"),
        ("gt", "rt"),
        ("labels", "x"),
    ],
)
@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_classes_with_such_names_stay_classes(
    tmp_path: Path, folders: tuple[str, ...], same: bool, suffix: str
) -> None:
    names = [f"{folder}/{'' if same else folder}{n}{suffix}" for folder in folders for n in range(3)]
    source = open_source(photos(tmp_path, *names))
    assert [record.key for record in source] == sorted(names)
    assert {record.key: record.label for record in source} == {name: name.partition("/")[0] for name in names}
    assert all(record.mask is None for record in source)


def test_photos_named_like_label_maps_are_images_and_it_is_said(tmp_path: Path) -> None:
    source = open_source(photos(tmp_path, "a.jpg", "a_mask.jpg", "b.jpg", "b_mask.jpg"))
    assert (len(source), sum(record.mask is not None for record in source)) == (4, 0)
    assert "2 files named like label maps (a_mask.jpg, b_mask.jpg) show photos" in source.describe()


def test_numbers_with_other_zeros_are_not_paired_and_it_is_said(tmp_path: Path) -> None:
    photos(tmp_path, *(f"images/{n}.jpg" for n in (1, 2, 3)))
    for n in (1, 2, 3):
        a_map(tmp_path / f"masks/{n:03d}.png")
    source = open_source(tmp_path)
    assert [(record.key, record.mask) for record in source] == [(f"images/{n}.jpg", None) for n in (1, 2, 3)]
    said = str(source.problems[0])
    assert "(images/1.jpg), got masks/001.png, masks/002.png, masks/003.png: 3 were not paired" in said
    assert "the same apart from leading zeros; rename them, or say by --mask-pattern" in said


def test_a_pattern_needs_no_layout_and_keeps_classes_and_parts(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            a_photo(tmp_path / part / name / "1.jpg")
            a_map(tmp_path / "maps" / f"{part}-{name}-1.png")
    source = open_source(tmp_path, mask_pattern=r"(\w+)/(\w+)/(\w+)\.jpg=>maps/\1-\2-\3.png")
    assert [(record.split, record.label) for record in source] == [
        (part, name) for part in ("test", "train") for name in ("cat", "dog")
    ]
    assert [record.mask for record in source] == [
        tmp_path / f"maps/{part}-{name}-1.png" for part in ("test", "train") for name in ("cat", "dog")
    ]
    with pytest.raises(SourceError, match=r"test/cat/1\.jpg would have maps/cat\.png, which is not there"):
        open_source(tmp_path, mask_pattern=r"\w+/(\w+)/\w+\.jpg=>maps/\1.png")
    with pytest.raises(SourceError, match=r"got none, the first file is maps/test-cat-1\.png"):
        open_source(tmp_path, mask_pattern=r"(.*)\.bmp=>maps/\1.png")


def test_label_maps_may_be_chosen_or_refused(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "cityscapes")
    made(tmp_path, case)
    chosen = open_source(tmp_path, extra={"masks": "instanceIds"})
    assert [record.mask.name for record in chosen] == ["ulm_0_gtFine_instanceIds.png", "jena_0_gtFine_instanceIds.png"]
    assert len(open_source(tmp_path, extra={"masks": "none"})) == 8
    with pytest.raises(SourceError, match="called 'depth', got gtFine/"):
        open_source(tmp_path, extra={"masks": "depth"})


def test_files_of_one_image_may_be_united(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "busi")
    source = open_source(made(tmp_path, case), extra={"merge": "union"})
    wanted = wanted_of(tmp_path, case.pairs["benign/benign (1).png"], several=True)
    assert np.array_equal(value_of(source, "benign/benign (1).png"), wanted > 0)
    with pytest.raises(SourceError, match="got 'first'; choose one"):
        open_source(tmp_path, extra={"merge": "first"})


def test_kinds_of_which_none_is_better_are_chosen_or_made_one(tmp_path: Path) -> None:
    for n in (1, 2):
        a_photo(tmp_path / f"images/{n}.jpg")
        for organ in ("liver", "kidney"):
            a_map(tmp_path / f"masks/{organ}/{n}.png")
    with pytest.raises(SourceError, match=r"got masks/kidney, masks/liver; choose one by extra="):
        open_source(tmp_path)
    liver = open_source(tmp_path, extra={"masks": "liver"})
    assert [record.mask for record in liver] == [tmp_path / f"masks/liver/{n}.png" for n in (1, 2)]
    both = open_source(tmp_path, extra={"masks": "kidney,liver"})
    wanted = wanted_of(tmp_path, ("masks/kidney/1.png", "masks/liver/1.png"), several=True)
    assert np.array_equal(value_of(both, "images/1.jpg"), wanted)


def test_things_that_overlap_are_said(tmp_path: Path) -> None:
    a_photo(tmp_path / "s/images/s.png")
    (tmp_path / "s/masks").mkdir()
    for n, part in enumerate((slice(0, 10), slice(8, 20))):
        array = np.zeros((24, 32), np.uint8)
        array[part] = 255
        Image.fromarray(array).save(tmp_path / f"s/masks/{n}.png")
    mask = load_mask(open_source(tmp_path).records[0].mask)
    assert (mask.array[:, 0].tolist(), mask.note) == (
        [1] * 8 + [2] * 12 + [0] * 4,
        "made of 2 files, 64 pixels lie in more than one: the last counts",
    )


def test_they_go_through_prepare_and_batches(tmp_path: Path) -> None:
    for name in ("busi", "cityscapes", "nuclei"):
        case = next(case for case in CASES if case.name == name)
        made(tmp_path / name, case)
        im.prepare(tmp_path / name, tmp_path / f"{name}.store", split="keep" if case.splits else (0.34, 0.33, 0.33))
        stored = im.open(tmp_path / f"{name}.store")
        assert sorted(stored.table["key"]) == sorted(case.pairs)
        several = any(len(masks) > 1 for masks in case.pairs.values())
        for key, masks in case.pairs.items():
            assert np.array_equal(stored[key].mask, wanted_of(tmp_path / name, masks, several))
        batch = next(
            iter(im.Loader(im.open(tmp_path / name), None, split="all", batch_size=len(case.pairs), shuffle=False))
        )
        for key, mask in zip(sorted(case.pairs), np.asarray(batch.mask), strict=True):
            assert np.array_equal(mask, wanted_of(tmp_path / name, case.pairs[key], several))


def test_augment_takes_a_pattern_and_makes_outputs_again(tmp_path: Path) -> None:
    for n in (1, 2):
        a_photo(tmp_path / f"in/{n}_raw.png")
        a_map(tmp_path / f"in/{n}_cells.png")
    pipeline = im.Pipeline([im.Flip("x", p=1.0)], seed=1)
    report = im.augment(tmp_path / "in", tmp_path / "out", pipeline, mask_pattern=r"(.*)_raw\.png=>\1_cells.png")
    assert report.made == 2
    masks = sorted((tmp_path / "out/masks").glob("*.png"))
    for n, path in enumerate(masks, 1):
        with Image.open(tmp_path / f"in/{n}_cells.png") as before, Image.open(path) as after:
            assert np.array_equal(np.array(after), np.array(before)[:, ::-1])
    case = next(case for case in CASES if case.name == "nuclei")
    im.augment(made(tmp_path / "nuclei", case), tmp_path / "more", pipeline)
    assert im.verify(tmp_path / "more", source=tmp_path / "nuclei").ok


def test_what_was_made_of_label_maps_is_in_the_scan(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == "nuclei")
    notes = im.scan(made(tmp_path, case)).pixels.notes
    assert any(note.startswith("label map: made of 3 files, ") for note in notes)
