"""Which detector of stills tells defective solar cells from good ones, and at what price?

Real defects: the monocrystalline cells of elpv-dataset (electroluminescence, Buerhop-Lutz et al.
2018; CC BY-NC-SA 4.0, so it is measured on here and is no part of anything else). Good is what its
experts were sure of, defective what they held for likely (0.5 or more). All learn the same good
cells. Choices are made on `--part dev`, whose cells are always the same; figures are those of
`--part report`, which has all others. anomalib's own modules stand beside ours, on the same network
and size of picture, in the same run; all take turns, times are processor time on one core.

    pip install --no-deps --target FOLDER elpv-dataset
    python -m benchmarks.elpv --package FOLDER [--part dev] [--kinds "padim patchcore,vectors=500"]
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import batched
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from app.inspecting.request import stills_config
from calibration.ranking import auroc, measured
from detectors.build import build_detector
from detectors.features.extractors import Extractors
from detectors.features.timm_folders import timm_folder
from detectors.models.memory import k_centre
from detectors.scaling import resized
from detectors.scores import image_scores
from detectors.types import Pixels
from novic.images import read_image

KINDS = "padim diagonal lowrank patchcore bank reconstruction anomalib-padim anomalib-patchcore"
BATCH = 8
SIDE = 256
"""Pixels of the pictures that anomalib's modules are given, as ours are by default."""
LIKELY = 0.5
DEV_GOOD, DEV_BAD = 118, 123

type Scores = NDArray[np.float64]
type Scorer = Callable[[Sequence[Pixels]], tuple[Scores, Scores]]
"""From pictures to two scores of each: the detector's own, and the mean of the top of its map."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells to learn from and to judge, RGB uint8 [300, 300, 3]."""

    learned: list[Pixels]
    good: list[Pixels]
    defective: list[Pixels]


@dataclass(slots=True)
class Taken:
    """What one detector took and gave."""

    fit_s: float
    score: Scorer
    look_s: float = 0.0
    own: list[float] = field(default_factory=list)
    top: list[float] = field(default_factory=list)


def package_folder(named: Path | None) -> Path:
    """Where the package lies: where it was said, or where Python finds it."""
    place = named or (Path(said) if (said := os.environ.get("ELPV_DATASET")) else None)
    if place is None and (spec := find_spec("elpv_dataset")) and spec.origin:
        place = Path(spec.origin).parent.parent
    if place is None or not (place / "elpv_dataset/data/labels.csv").is_file():
        raise SystemExit(
            f"elpv-dataset is not {'there' if place is None else f'in {place}'}; run: pip install "
            "--no-deps --target FOLDER elpv-dataset; then name it: --package FOLDER, or "
            "ELPV_DATASET=FOLDER"
        )
    return place / "elpv_dataset/data"


def load_cells(data: Path, part: str, learned: int, most: int, seed: int) -> Cells:
    """Cells of a part; `seed` draws which of those that are not of `dev` are learned.

    Args:
        data: Folder of labels.csv.
        part: `dev` or `report`.
        learned: Good cells to learn from.
        most: Good cells and defective ones to judge, each.
        seed: Of the draw.
    """
    rows = [line.split() for line in (data / "labels.csv").read_text().splitlines() if line]
    chances = {name: float(chance) for name, chance, kind in rows if kind == "mono"}
    always = np.random.default_rng(0)
    good = always.permutation(sorted(name for name, chance in chances.items() if chance == 0))
    bad = always.permutation(sorted(name for name, chance in chances.items() if chance >= LIKELY))
    others = np.random.default_rng(seed).permutation(good[DEV_GOOD:])
    dev = part == "dev"
    names = {
        "learned": others[:learned],
        "good": (good[:DEV_GOOD] if dev else others[learned:])[:most],
        "defective": (bad[:DEV_BAD] if dev else bad[DEV_BAD:])[:most],
    }
    return Cells(**{what: [read_image(data / one) for one in them] for what, them in names.items()})


def ours(word: str, cells: Cells, extractors: Extractors) -> Scorer:
    """A detector of stills, fitted as `nomaly inspect fit` does."""
    kind, *settings = word.split(",")
    config = stills_config(kind, dict(one.split("=", 1) for one in settings))
    detector = build_detector(config, torch.device("cpu"), extractors)
    detector.fit(cells.learned)

    def score(pictures: Sequence[Pixels]) -> tuple[Scores, Scores]:
        tops = image_scores(detector.detect(pictures).maps)
        return tops, tops

    return score


def anomalibs(word: str, cells: Cells) -> Scorer:
    """Anomalib's own torch module on lite0, as its authors set it up."""
    model: Any
    if word == "anomalib-padim":
        from anomalib.models.image.padim.torch_model import PadimModel

        layers = ["blocks.1", "blocks.2", "blocks.4"]
        model = PadimModel(timm_folder("lite0"), layers, n_features=100)
    else:
        from anomalib.models.image.patchcore.torch_model import PatchcoreModel

        model = PatchcoreModel(["blocks.2", "blocks.4"], timm_folder("lite0"))
    model.train()
    with torch.no_grad():
        for some in batched(cells.learned, BATCH):
            model(_as_timm(some))
        if word == "anomalib-padim":
            model.fit()
        else:
            model.memory_bank = _tenth(torch.vstack(model.embedding_store))
            model.embedding_store.clear()
    model.eval()

    @torch.inference_mode()
    def score(pictures: Sequence[Pixels]) -> tuple[Scores, Scores]:
        found = model(_as_timm(pictures))
        return found.pred_score.double().numpy().ravel(), image_scores(
            found.anomaly_map[:, 0].numpy()
        )

    return score


def _tenth(vectors: torch.Tensor) -> torch.Tensor:
    """What anomalib's coreset of 10% keeps, by the same algorithm; its own takes an hour."""
    return vectors[k_centre(vectors, len(vectors) // 10, first=0)]


def _as_timm(pictures: Sequence[Pixels]) -> torch.Tensor:
    """Pictures of SIDE as lite0 wants them, float32 [B, 3, SIDE, SIDE] from -1 to 1."""
    stacked = np.stack([resized(one, (SIDE, SIDE)) for one in pictures])
    return (torch.from_numpy(stacked).permute(0, 3, 1, 2).float() - 127.5) / 127.5


def compare(words: Sequence[str], cells: Cells) -> dict[str, Taken]:
    """Teach all, then let all look at each batch in turn."""
    extractors = Extractors()
    taken: dict[str, Taken] = {}
    for word in words:
        began = process_time()
        theirs = word.startswith("anomalib-")
        score = anomalibs(word, cells) if theirs else ours(word, cells, extractors)
        taken[word] = Taken(process_time() - began, score)
        score(cells.good[:BATCH])
        print(f"{word}: learned in {taken[word].fit_s:.0f} s", flush=True)
    for some in batched([*cells.good, *cells.defective], BATCH):
        for one in taken.values():
            began = process_time()
            own, top = one.score(some)
            one.look_s += process_time() - began
            one.own += own.tolist()
            one.top += top.tolist()
    return taken


def figures(taken: Taken, good: int) -> dict[str, Any]:
    """AUROC by both scores with 95% intervals, CPU ms an image, CPU seconds of the fit."""
    own = measured(auroc, taken.own[:good], taken.own[good:])
    if own is None:
        raise SystemExit("no cells are left to judge: learn from fewer")
    return {
        "auroc": [round(value, 4) for value in (own.value, own.low, own.high)],
        "auroc of the top 1%": round(auroc(taken.top[:good], taken.top[good:]), 4),
        "ms": round(1000 * taken.look_s / len(taken.own), 1),
        "fit s": round(taken.fit_s, 1),
    }


def print_table(found: Mapping[str, Mapping[str, Any]]) -> None:
    """The table as it stands in benchmarks/README.md."""
    print("| detector | AUROC | by the top 1% of its map | CPU ms an image | fit, CPU-s |")
    print("|---|---|---|---|---|")
    for word, told in found.items():
        value, low, high = told["auroc"]
        figure = f"{value:.3f} ({low:.3f}-{high:.3f})"
        cells = (word, figure, f"{told['auroc of the top 1%']:.3f}", told["ms"], told["fit s"])
        print("|", " | ".join(map(str, cells)), "|")


def main() -> None:
    """Print a table and one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--package", type=Path, help="folder that elpv-dataset was installed into")
    parser.add_argument("--part", choices=("dev", "report"), default="report")
    parser.add_argument("--kinds", default=KINDS, help="spaces between, settings after commas")
    parser.add_argument("--learn", type=int, default=120, help="good cells to learn from")
    parser.add_argument("--most", type=int, default=1000, help="good, defective cells to judge")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    data = package_folder(asked.package)
    if hasattr(os, "sched_setaffinity"):  # before any runtime counts its threads
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    cells = load_cells(data, asked.part, asked.learn, asked.most, asked.seed)
    counts = {name: len(getattr(cells, name)) for name in ("learned", "good", "defective")}
    print(", ".join(f"{count} {what}" for what, count in counts.items()), flush=True)
    taken = compare(asked.kinds.split(), cells)
    found = {word: figures(one, len(cells.good)) for word, one in taken.items()}
    print_table(found)
    print(json.dumps({**counts, "part": asked.part, "seed": asked.seed, "detectors": found}))


if __name__ == "__main__":
    main()
