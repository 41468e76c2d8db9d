"""`imagemill audit` beside CleanVision and imagededup: time, memory, and what each finds of planted faults.

Run: ``python -m bench.audit.peers [--rounds 3] [--images 1000]`` with the peers installed (cleanvision, imagededup).
Set IMAGEMILL_DATA to the folder with the data sets. Every tool runs in a process of its own, two workers each, and
they take turns, so that a busy machine slows all alike; ratios are formed within a round. Faults are planted by a seed:
dark, light, blurred, of odd aspect, low in information, the same bytes, and re-encoded and shrunk. What is named and
carries a fault of another kind counts as right: a dark image is low in information, and a copy of what it was made of.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
Found = dict[str, list[str]]

FAULTS = ("dark", "light", "blurred", "aspect", "low-information", "same-bytes", "near-copy")
OF_CLEANVISION = {
    "dark": "is_dark_issue", "light": "is_light_issue", "blurred": "is_blurry_issue",
    "aspect": "is_odd_aspect_ratio_issue", "low-information": "is_low_information_issue",
}  # fmt: skip


# ------------------------------------------------------------------------------------------------------- images
def planted(rgb: Array, how: str, draws: np.random.Generator) -> Array:
    """The image with one fault."""
    height, width = rgb.shape[:2]
    if how == "dark":
        return (rgb * draws.uniform(0.08, 0.2)).astype(np.uint8)
    if how == "light":
        return (255 - (255 - rgb.astype(float)) * draws.uniform(0.025, 0.045)).astype(np.uint8)
    if how == "blurred":
        return cv2.GaussianBlur(rgb, (0, 0), 0.04 * max(height, width))
    if how == "aspect":
        return np.ascontiguousarray(rgb[: max(2, height // 5)])
    if how == "low-information":
        made = np.full_like(rgb, 235)
        cv2.rectangle(
            made, (width // 4, height // 4), (width // 2, height // 2), draws.integers(0, 255, 3).tolist(), -1
        )
        return made
    small = (max(8, round(width * 0.9)), max(8, round(height * 0.9)))
    return cv2.resize(rgb, small, interpolation=cv2.INTER_AREA)


def make_folder(source: list[tuple[str, bytes]], to: Path, count: int, seed: int) -> dict[str, list[str]]:
    """Write the images and so many of each fault, of images that are drawn without repetition; names by fault."""
    draws = np.random.default_rng(seed)
    to.mkdir(parents=True)
    for name, data in source:
        (to / name).write_bytes(data)
    order = draws.permutation(len(source))
    truth: dict[str, list[str]] = {}
    for number, how in enumerate(FAULTS):
        for row in order[number * count : (number + 1) * count]:
            name, data = source[row]
            made = f"{how}-{name}"
            if how == "same-bytes":
                (to / made).write_bytes(data)
            else:
                rgb = planted(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), how, draws)
                made = made.rsplit(".", 1)[0] + ".jpg" if how == "near-copy" else made
                how_stored = [cv2.IMWRITE_JPEG_QUALITY, 75] if made.endswith(".jpg") else []
                cv2.imwrite(str(to / made), rgb, how_stored)
            if how != "low-information":  # nothing of the original is left in these
                truth.setdefault("made of", []).append(" ".join(sorted((made, name))))
            if how in ("same-bytes", "near-copy"):
                truth.setdefault(how, []).append(" ".join(sorted((made, name))))
            else:
                truth.setdefault(how, []).append(made)
    return truth


def sources(images: int) -> dict[str, list[tuple[str, bytes]]]:
    """Encoded images by set."""
    data = Path(os.environ["IMAGEMILL_DATA"])
    found: dict[str, list[tuple[str, bytes]]] = {}
    with tarfile.open(data / "cifar10/cifar10-png-train-10000.tar") as tar:
        members = [m for m in tar if m.isfile()][:images]
        found["CIFAR-10, PNG 32x32"] = [(Path(m.name).name, tar.extractfile(m).read()) for m in members]  # type: ignore[union-attr]
    found["pets, JPEG 500 px"] = [(p.name, p.read_bytes()) for p in sorted((data / "pets").rglob("*.jpg"))]
    found["COCO, JPEG 640 px"] = [(p.name, p.read_bytes()) for p in sorted((data / "coco_sample/images").glob("*.jpg"))]
    return found


# -------------------------------------------------------------------------------------------------------- tools
def imagemill(folder: Path) -> Found:
    import imagemill as im

    audit = im.audit(folder, checks=["quality", "copies"])
    found: Found = {}
    for finding in audit.findings:
        if finding.rule in FAULTS:
            found[finding.rule] = [str(place) for place in finding.places]
    pairs = []
    for cluster in audit.survey.clusters:
        keys = audit.survey.keys(cluster.rows)
        pairs += [" ".join(sorted((a, b))) for n, a in enumerate(keys) for b in keys[n + 1 :]]
    found["copies"] = pairs
    return found


def imagemill_quality(folder: Path) -> Found:
    import imagemill as im

    audit = im.audit(folder, checks=["quality"])
    return {f.rule: [str(place) for place in f.places] for f in audit.findings if f.rule in FAULTS}


def cleanvision(folder: Path) -> Found:
    from cleanvision import Imagelab

    lab = Imagelab(data_path=str(folder), verbose=False)
    lab.find_issues(n_jobs=2, verbose=False)
    found: Found = {}
    for rule, column in OF_CLEANVISION.items():
        found[rule] = [Path(name).name for name in lab.issues.index[lab.issues[column]]]
    pairs = []
    for kind in ("exact_duplicates", "near_duplicates"):
        for group in lab.info.get(kind, {}).get("sets", []):
            keys = [Path(name).name for name in group]
            pairs += [" ".join(sorted((a, b))) for n, a in enumerate(keys) for b in keys[n + 1 :]]
    found["copies"] = pairs
    return found


def imagededup(folder: Path) -> Found:
    from bench.peers.torchvision_cpu import load

    load()
    from imagededup.methods import PHash

    method = PHash(verbose=False)
    encodings = method.encode_images(image_dir=str(folder), num_enc_workers=2)
    told = method.find_duplicates(encoding_map=encodings, max_distance_threshold=10, num_dist_workers=2)
    return {"copies": sorted({" ".join(sorted((a, b))) for a, others in told.items() for b in others})}


TOOLS: dict[str, Callable[[Path], Found]] = {
    "imagemill": imagemill, "imagemill, quality alone": imagemill_quality, "CleanVision": cleanvision,
    "imagededup PHash": imagededup,
}  # fmt: skip


# ----------------------------------------------------------------------------------------------------- contest
def child(name: str, folder: Path) -> None:
    """One tool once; what it took and found as JSON."""
    warm = Path(tempfile.mkdtemp())
    draws = np.random.default_rng(0)
    for number in range(12):  # imports and compiled code are not what is compared
        cv2.imwrite(str(warm / f"{number}.png"), draws.integers(0, 256, (40, 40, 3), np.uint8))
    TOOLS[name](warm)
    began, spent = time.perf_counter(), processor_seconds()
    found = TOOLS[name](folder)
    seconds, spent = time.perf_counter() - began, processor_seconds() - spent
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print("RESULT " + json.dumps({"seconds": seconds, "processor": spent, "peak": peak, "found": found}))


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended: what a busy machine changes little."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def run_child(name: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.audit.peers", "--child", name, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not lines:
        raise SystemExit(f"{name} failed on {folder}:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(lines[-1].removeprefix("RESULT "))
    return result


def scored(found: Found, truth: Found) -> dict[str, tuple[float, float, int]]:
    """Recall and precision by fault; of copies recall by kind, and one precision over all pairs."""
    told = {}
    faulty = {name for fault in OF_CLEANVISION for name in truth[fault]}
    for fault, names in truth.items():
        if fault == "made of":
            continue
        copies = fault in ("same-bytes", "near-copy")
        got, want = set(found.get("copies" if copies else fault, ())), set(names)
        if (copies and "copies" not in found) or (not copies and not set(found) & set(OF_CLEANVISION)):
            continue  # a tool that does not ask for it
        right = set(truth["made of"]) if copies else faulty
        # A rectangle on a plain ground and another one are as good as copies, and nobody's fault.
        got = {name for name in got if name.count(f"{FAULTS[4]}-") < 2}
        told[fault] = (len(got & want) / len(want), len(got & right) / len(got) if got else float("nan"), len(got))
    return told


def contest(title: str, source: list[tuple[str, bytes]], args: argparse.Namespace) -> None:
    per_fault = max(3, len(source) // 30)
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where) / "images"
        truth = make_folder(source, folder, per_fault, args.seed)
        images = len(list(folder.iterdir()))
        rounds: list[dict[str, dict[str, Any]]] = []
        names = [name for name in TOOLS if not args.only or name in args.only]
        for number in range(args.rounds):
            order = names[number % len(names) :] + names[: number % len(names)]
            rounds.append({name: run_child(name, folder) for name in order})
    print(f"\n{title}: {images:,} images, {per_fault} of each fault, {args.rounds} rounds")
    for name in names:
        seconds = statistics.median(one[name]["seconds"] for one in rounds)
        peak = statistics.median(one[name]["peak"] for one in rounds)
        ratio = statistics.median(one[name]["seconds"] / one[names[0]]["seconds"] for one in rounds)
        spent = statistics.median(one[name]["processor"] for one in rounds)
        more = statistics.median(one[name]["processor"] / one[names[0]]["processor"] for one in rounds)
        print(
            f"  {name}: {images / seconds:,.0f} images/s, {1000 * spent / images:.1f} ms of a processor an image, "
            f"{peak:,.0f} MiB; takes {ratio:.2f} times as long, {more:.2f} of the processor's time"
        )
        for fault, (recall, precision, got) in scored(rounds[0][name]["found"], truth).items():
            print(f"    {fault}: recall {recall:.2f}, precision {precision:.2f} of {got}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=1000, help="of CIFAR-10")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="these tools")
    parser.add_argument("--sets", nargs="*", help="sets whose names begin so")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.folder)
        return
    for title, source in sources(args.images).items():
        if not args.sets or title.startswith(tuple(args.sets)):
            contest(title, source, args)


if __name__ == "__main__":
    main()
