"""Chains of the kind that fuse-augmentations fuses: its own pipeline and ours, each over the chain as it was."""

from __future__ import annotations

import gc
import statistics
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import inputs
from bench.harness import Run, Timing, time_once
from bench.transforms.measure import geometric_mean

SIDE = 256

CHAINS: dict[str, tuple[str, str, str, str]] = {
    "rotate, scale, flip": (
        "im.Rotate((-15, 15)), im.Zoom((.9, 1.1)), im.Flip('x', p=.5)",
        "A.Rotate(15, p=1), A.Affine(scale=(.9, 1.1), p=1), A.HorizontalFlip(p=.5)",
        "T.RandomRotation(15., BILINEAR), T.RandomAffine(0., scale=(.9, 1.1), interpolation=BILINEAR), "
        "T.RandomHorizontalFlip(.5)",
        "K.RandomRotation(15., p=1), K.RandomAffine(0., scale=(.9, 1.1), p=1), K.RandomHorizontalFlip(p=.5)",
    ),
    "rotate, scale, shear": (
        "im.Rotate((-15, 15)), im.Zoom((.9, 1.1)), im.Shear((-5, 5))",
        "A.Rotate(15, p=1), A.Affine(scale=(.9, 1.1), p=1), A.Affine(shear=(-5, 5), p=1)",
        "T.RandomRotation(15., BILINEAR), T.RandomAffine(0., scale=(.9, 1.1), interpolation=BILINEAR), "
        "T.RandomAffine(0., shear=5., interpolation=BILINEAR)",
        "K.RandomRotation(15., p=1), K.RandomAffine(0., scale=(.9, 1.1), p=1), K.RandomShear(5., p=1)",
    ),
    "rotate, scale, shear, translate, flip": (
        "im.Rotate((-15, 15)), im.Zoom((.9, 1.1)), im.Shear((-5, 5)), im.Shift(fraction=(-.1, .1)), im.Flip('x', p=.5)",
        "A.Rotate(15, p=1), A.Affine(scale=(.9, 1.1), p=1), A.Affine(shear=(-5, 5), p=1), "
        "A.Affine(translate_percent=(-.1, .1), p=1), A.HorizontalFlip(p=.5)",
        "T.RandomRotation(15., BILINEAR), T.RandomAffine(0., scale=(.9, 1.1), interpolation=BILINEAR), "
        "T.RandomAffine(0., shear=5., interpolation=BILINEAR), T.RandomAffine(0., (.1, .1), interpolation=BILINEAR), "
        "T.RandomHorizontalFlip(.5)",
        "K.RandomRotation(15., p=1), K.RandomAffine(0., scale=(.9, 1.1), p=1), K.RandomShear(5., p=1), "
        "K.RandomTranslate((-.1, .1), (-.1, .1), p=1), K.RandomHorizontalFlip(p=.5)",
    ),
    "rotate, scale, brightness and contrast, normalise": (
        "im.Rotate((-15, 15)), im.Zoom((.9, 1.1)), im.ColorJitter((.8, 1.2), (.8, 1.2)), im.Normalize('imagenet')",
        "A.Rotate(15, p=1), A.Affine(scale=(.9, 1.1), p=1), A.RandomBrightnessContrast(.2, .2, p=1), A.Normalize()",
        "T.RandomRotation(15., BILINEAR), T.RandomAffine(0., scale=(.9, 1.1), interpolation=BILINEAR), "
        "T.ColorJitter((.8, 1.2), (.8, 1.2)), T.Normalize((.485, .456, .406), (.229, .224, .225))",
        "K.RandomRotation(15., p=1), K.RandomAffine(0., scale=(.9, 1.1), p=1), K.RandomBrightness((.8, 1.2), p=1), "
        "K.RandomContrast((.8, 1.2), p=1), K.Normalize((.485, .456, .406), (.229, .224, .225))",
    ),
    "perspective twice": (
        "im.Perspective(.1), im.Perspective(.1)",
        "A.Perspective((.1, .1), p=1), A.Perspective((.1, .1), p=1)",
        "T.RandomPerspective(.2, 1), T.RandomPerspective(.2, 1)",
        "K.RandomPerspective(.2, p=1), K.RandomPerspective(.2, p=1)",
    ),
    "gamma, solarize, posterize": (
        "im.Gamma((.8, 1.25)), im.Solarize(.5), im.Posterize(4)",
        "A.RandomGamma((80, 125), p=1), A.Solarize((.5, .5), p=1), A.Posterize(4, p=1)",
        "",  # torchvision draws no gamma
        "K.RandomGamma((.8, 1.25), p=1), K.RandomSolarize((.5, .5), (0., 0.), p=1), K.RandomPosterize((4., 4.), p=1)",
    ),
}
"""Ours, then Albumentations', torchvision's and Kornia's."""


@dataclass(frozen=True)
class Chain:
    """One chain of one library: how many times as fast by fuse-augmentations, by ours, and ours over ours unfused."""

    name: str
    library: str
    theirs: float
    ours: float
    ours_alone: float

    @classmethod
    def of(cls, name: str, library: str, timings: dict[str, Timing]) -> Chain:
        """Ratios are formed in each round."""

        def over(one: str, base: str) -> float:
            return statistics.median(b / n for b, n in zip(timings[base].cpu, timings[one].cpu, strict=True))

        each = (over("fuse-augmentations", "native"), over("ours", "native"), over("ours", "ours, unfused"))
        return cls(name, library, *each)


def _runs(ours: str, text: str, library: str, scope: dict[str, Any]) -> dict[str, Run]:
    import fuse_augmentations as fuse

    im, torch = scope["im"], scope["torch"]
    photo = np.ascontiguousarray(inputs.photos_of_one_size(64)[0][:SIDE, :SIDE])
    tensor = torch.from_numpy(photo.transpose(2, 0, 1).copy()).float().div_(255)[None]
    listed = eval(f"[{text}]", scope)
    policy = fuse.ReorderPolicy.NONE
    pipes = [im.Pipeline(eval(f"[{ours}]", scope), seed=0, fuse=fused) for fused in (True, False)]
    runs: dict[str, Run] = {"ours": lambda: pipes[0](photo), "ours, unfused": lambda: pipes[1](photo)}
    if library == "Albumentations":
        native = scope["A"].Compose(listed)
        fused = fuse.Compose(listed, reorder=policy)
        runs["native"] = lambda: native(image=photo)["image"]
        runs["fuse-augmentations"] = lambda: fused(image=photo)["image"]
    else:
        native = scope["T"].Compose(listed) if library == "torchvision" else torch.nn.Sequential(*listed)
        fused = fuse.Compose(eval(f"[{text}]", scope), reorder=policy)
        runs["native"] = lambda: native(tensor)
        runs["fuse-augmentations"] = lambda: fused(tensor)
    return runs


def measure(scope: dict[str, Any], *, rounds: int, seconds: float) -> list[Chain]:
    """All chains of all three libraries; one that fails is printed and left out."""
    found = []
    for name, (ours, *others) in CHAINS.items():
        for library, text in zip(("Albumentations", "torchvision", "Kornia"), others, strict=True):
            if not text:
                continue
            try:
                runs = _runs(ours, text, library, scope)
                made = {key: (run, Timing()) for key, run in runs.items()}
                for run, timing in made.values():
                    run()
                    time_once(run, 1, 1, timing)
            except Exception as error:  # a chain that a peer refuses costs no other
                print(f"chain    {name}, {library}: {type(error).__name__}: {str(error).splitlines()[0]}")
                continue
            repeats = {key: max(1, round(seconds / timing.cpu[-1])) for key, (_, timing) in made.items()}
            timings = {key: Timing() for key in made}
            for _ in range(rounds):
                gc.collect()
                for key, (run, _) in made.items():
                    time_once(run, 1, repeats[key], timings[key])
            chain = Chain.of(name, library, timings)
            found.append(chain)
            print(f"chain    {name}, {library}: {chain.theirs:.2f}, ours {chain.ours:.2f}")
    return found


def table(chains: list[Chain]) -> list[str]:
    """Lines of Markdown."""
    if not chains:
        return []
    theirs, ours = geometric_mean([c.theirs for c in chains]), geometric_mean([c.ours for c in chains])
    own = geometric_mean([c.ours_alone for c in chains])
    lines = [
        f"Over the chain as it was, {len(chains)} chains of three libraries, a photo of {SIDE}x{SIDE}, one call each: "
        f"fuse-augmentations {theirs:.2f} times as fast, **ours {ours:.2f}** "
        f"(aim 3); ours over our own unfused chain {own:.2f}.",
        "",
        "| chain | library | fuse-augmentations | ours | ours over ours unfused |",
        "|---|---|---:|---:|---:|",
    ]
    return lines + [f"| {c.name} | {c.library} | {c.theirs:.2f} | {c.ours:.2f} | {c.ours_alone:.2f} |" for c in chains]
