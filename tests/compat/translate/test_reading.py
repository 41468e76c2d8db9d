"""Other libraries' pipelines as text, programs, notebooks and files: read, never run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import imagemill as im
from imagemill.compat.translate.calls import Call, Unread
from imagemill.compat.translate.readers.source_text import expression, pipelines_in
from imagemill.core.errors import InputError

PROGRAM = """
import albumentations as A
import torchvision.transforms as T
from albumentations.pytorch import ToTensorV2
import cv2

class CFG:
    size = 128
    mean = [0.5, 0.5, 0.5]

cfg = CFG()
STEPS = [A.HorizontalFlip(p=0.5)]
STEPS.append(A.VerticalFlip(p=0.1))

def get_train(size=CFG.size):
    return A.Compose([
        A.RandomCrop(size, 2 * size // 2),
        *STEPS,
        A.Rotate(limit=30, border_mode=cv2.BORDER_REFLECT_101, p=1),
        A.Normalize(cfg.mean, [0.2] * 3),
        ToTensorV2(),
    ])

data_transforms = {
    "val": A.Compose([A.CenterCrop(cfg.size, cfg.size)]),
    "other": T.Compose([T.CenterCrop(3)]),
}

class Set(Dataset):
    def __init__(self, path):
        os.remove(path)
        self.transform = A.Compose([A.Resize(64, 64)])
"""


def names(pipe: im.Pipeline) -> list[str]:
    return [type(one).__name__ for one in pipe.transforms]


def test_a_program_is_searched_and_variables_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(PROGRAM)
    pipe = im.from_albumentations(path, name="get_train", seed=1)
    assert names(pipe) == ["Crop", "Flip", "Flip", "Rotate", "Normalize", "ToLayout"]
    crop, _, _, turn, normal, _ = pipe.transforms
    assert crop.size == (128, 128)  # type: ignore[attr-defined]
    assert turn.border == "mirror"  # type: ignore[attr-defined]
    assert normal.std == (0.2, 0.2, 0.2)  # type: ignore[attr-defined]
    assert names(im.from_albumentations(path, name="val")) == ["Crop"]
    assert names(im.from_albumentations(path, name="transform")) == ["Resize"]
    assert im.from_torchvision(path).transforms[1].size == (3, 3)  # type: ignore[attr-defined]


def test_which_of_several_has_to_be_said() -> None:
    with pytest.raises(InputError, match=r"got 3; say which: name='get_train'; there are get_train, data_transforms"):
        im.from_albumentations(PROGRAM)
    with pytest.raises(InputError, match=r"expected one pipeline 'test' in the program, got none; there are get_train"):
        im.from_albumentations(PROGRAM, name="test")


def test_two_of_one_name_are_told_apart_by_what_they_depend_on_or_their_lines() -> None:
    text = "if train:\n    t = A.Compose([A.HorizontalFlip()])\nelse:\n    t = A.Compose([A.VerticalFlip()])\n"
    assert list(pipelines_in(text)) == ["t (train)", "t (not train)"]
    text = "t = A.Compose([A.HorizontalFlip()])\nt = A.Compose([A.VerticalFlip()])\n"
    assert list(pipelines_in(text)) == ["t (line 1)", "t (line 2)"]
    assert im.from_albumentations(text, name="t (line 2)").transforms[0].axis == "y"  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="got 2 of that name"):
        im.from_albumentations(text, name="t")


def test_a_program_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = f"open({str(mark)!r}, 'w').write('x')\nt = A.Compose([A.HorizontalFlip(p=__import__('os').getpid())])\n"
    with pytest.raises(InputError, match="without a counterpart"):
        im.from_albumentations(text)
    assert not mark.exists()


def test_a_notebook_is_searched(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["t = A.Compose([A.VerticalFlip()])"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "!pip install x\n", "n = 9"]},
        {"cell_type": "code", "source": ["t = A.Compose([A.Resize(n, n)])"]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert im.from_albumentations(path).transforms[0].size == (9, 9)  # type: ignore[attr-defined]


def test_a_variable_from_elsewhere_is_asked_for_and_taken() -> None:
    text = "A.Compose([A.Resize(args.size, args.size)])"
    with pytest.raises(
        InputError, match=r"Resize \(line 1\): expected values, got args.size; say them: names=\{'args.size'"
    ):
        im.from_albumentations(text)
    pipe = im.from_albumentations(text, names={"args.size": 40})
    assert pipe.transforms[0].size == (40, 40)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 * 3 + 1", 7),
        ("(1, -2.5)", (1, -2.5)),
        ("[0.5] * 3", [0.5, 0.5, 0.5]),
        ("cv2.INTER_CUBIC", 2),
        ("transforms.InterpolationMode.BICUBIC", "bicubic"),
        ("torch.float32", "float32"),
        ("int(224 * 1.14)", 255),
        ("{'x': (0, 1)}['x'][1]", 1),
        ("dict(a=1)", {"a": 1}),
        ("10 ** 10 ** 10", Unread("10 ** 10 ** 10")),
        ("[0] * 10 ** 9", Unread("[0] * 10 ** 9")),
        ("1 / 0", Unread("1 / 0")),
        ("lambda x: x", Unread("lambda x: x")),
        ("a if 1 < 2 else c", Unread("a")),
        ("[x / 4 for x in (1, 2)]", [0.25, 0.5]),
        ("{'n': 3}.get('m', 4)", 4),
        ("f'{2}x'", "2x"),
        ("size or 224", Unread("size or 224")),
        ("None or 224", 224),
        ("np.deg2rad(180)", 3.141592653589793),
        ("[1, 2, 3][1:]", [2, 3]),
    ],
)
def test_values(text: str, value: object) -> None:
    assert expression(text) == value


def test_mappings_of_arguments_are_opened() -> None:
    call = expression("A.Rotate(**common, p=1)", {"common": {"limit": 5}})
    assert isinstance(call, Call)
    assert call.given == {"limit": 5, "p": 1}


def test_what_albumentations_saves(tmp_path: Path) -> None:
    # As version 1.3.1 wrote it.
    saved = {
        "__version__": "1.3.1",
        "transform": {
            "__class_fullname__": "Compose",
            "p": 1.0,
            "transforms": [
                {"__class_fullname__": "VerticalFlip", "always_apply": False, "p": 0.25},
                {
                    "__class_fullname__": "albumentations.augmentations.geometric.rotate.Rotate",
                    "always_apply": True, "p": 0.5, "limit": [-20, 20], "interpolation": 1, "border_mode": 4,
                    "value": None, "mask_value": None, "rotate_method": "largest_box", "crop_border": False,
                },
            ],
            "bbox_params": {"format": "coco", "label_fields": ["l"], "min_area": 4.0, "min_visibility": 0.25},
            "keypoint_params": None,
            "additional_targets": {},
        },
    }  # fmt: skip
    path = tmp_path / "a.json"
    path.write_text(json.dumps(saved))
    pipe = im.from_albumentations(path)
    flip, turn = pipe.transforms
    assert (flip.axis, flip.p) == ("y", 0.25)  # type: ignore[attr-defined]
    assert (turn.degrees.bounds, turn.border, turn.p) == ((-20, 20), "mirror", 1.0)  # type: ignore[attr-defined]
    assert pipe.boxes == im.BoxRules(min_area=4, min_visibility=0.25)
    import yaml

    yml = tmp_path / "a.yaml"
    yml.write_text(yaml.safe_dump(saved))
    assert im.from_albumentations(yml).transforms == pipe.transforms
    assert im.from_albumentations(saved).transforms == pipe.transforms


def test_a_configuration_of_a_bundle() -> None:
    config = {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": ["image", "label"]},
            {"_target_": "RandFlipd", "keys": ["image", "label"], "prob": 0.5, "spatial_axis": 2},
            {"_target_": "RandFlipd", "keys": "image", "_disabled_": True},
            {
                "_target_": "ScaleIntensityRanged",
                "keys": "image",
                "a_min": -100,
                "a_max": 300,
                "b_min": 0.0,
                "b_max": 1.0,
            },
        ],
    }
    flip, window = im.from_monai(config).transforms
    assert (flip.axis, flip.p) == ("z", 0.5)  # type: ignore[attr-defined]
    assert window.by == (-100, 300)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("no/such/file.json", "expected a pipeline of albumentations or its file, got 'no/such/file.json'"),
        ({"a": 1}, "expected a description of albumentations's transforms|expected a description"),
        (
            object(),
            "expected a pipeline of albumentations .an object, a file, or its source text., got builtins.object",
        ),
        ("A.Compose([A.HorizontalFlip(0.5, 1, 2)])", "expected at most 1 arguments without a name .p., got 3"),
        ("A.Compose([A.Crop3()])", "Crop3 .line 1.: no transform of albumentations we know"),
        ("A.Compose([A.RandomSizedCrop()])", "expected min_max_height, got no arguments"),
        ("A.Compose([A.Rotate(limit='much')])", "expected limit as a number or a pair of them, got 'much'"),
        ("A.Compose([A.Rotate(limit=900)])", "expected Rotate.degrees=.... within -360..360"),
        ("A.Compose([A.Rotate(interpolation=77)])", "expected an interpolation, got 77"),
    ],
)
def test_bad_input_says_what_was_expected(given: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        im.from_albumentations(given)


def test_broken_files_are_named(tmp_path: Path) -> None:
    for name, text, said in (
        ("a.json", "{", "expected JSON"),
        ("a.yaml", "a: [", "expected YAML"),
        ("a.py", "x = (", "line 1"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=said):
            im.from_albumentations(tmp_path / name)


def test_missing_ones_are_all_named_or_left_out_with_a_warning() -> None:
    text = "A.Compose([A.Nonsense(), A.HorizontalFlip(), A.Lambda(image=lambda x, **more: x ** 2)])"
    with pytest.raises(InputError, match=r"2 transforms .* Nonsense \(line 1\).*Lambda.*missing='skip'"):
        im.from_albumentations(text, missing="error")
    with pytest.warns(UserWarning, match="left out 2 transforms"):
        pipe = im.from_albumentations(text)
    assert names(pipe) == ["Flip"]
    assert sum(note.startswith("left out: ") for note in pipe.notes) == 2
    assert "left out: Nonsense" in pipe.explain()


def test_objects_say_what_they_were_made_with_and_not_what_the_whole_told_them() -> None:
    """As version 2 keeps them: what is inside holds the rules of bounding boxes and the targets of the whole."""

    class Kept:
        def __init__(self, **kept: Any) -> None:
            self.__dict__.update(kept)

        def __call__(self) -> None: ...

    def kind(name: str) -> Any:
        return type(name, (Kept,), {"__module__": "albumentations.core", "get_transform_init_args": lambda self: {}})

    rules = {"bboxes": Kept(params=Kept(format="coco", min_visibility=0.5, label_fields=["c"]))}
    flips = [kind("HorizontalFlip")(p=0.25), kind("VerticalFlip")(p=0.75)]
    inner = kind("OneOf")(transforms=flips, p=0.5, processors=rules, additional_targets={})
    pipe = im.from_albumentations(
        kind("Compose")(transforms=[inner], p=1.0, processors=rules, additional_targets={}, seed=None), seed=1
    )
    (choice,) = pipe.transforms
    assert (choice.p, choice.weights) == (0.5, (0.25, 0.75))  # type: ignore[attr-defined]
    assert pipe.boxes.min_visibility == 0.5
    assert [note.partition(":")[0] for note in pipe.notes] == ["Compose"]


def test_nothing_of_other_libraries_is_imported() -> None:
    im.from_albumentations("A.Compose([A.HorizontalFlip()])")
    assert not {"albumentations", "torchvision", "monai", "torchio"} & set(sys.modules)
