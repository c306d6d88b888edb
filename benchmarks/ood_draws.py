"""Which fusion without labels is best, on other classes and pictures than `ood_scores` reports?

Known are six classes of CIFAR-10, near the four others, in 12 draws that are not those of
`ood_scores`: 400 pictures of each class of data_batch_3 to fit (a quarter kept by fusions), 150 of
data_batch_4 measured. All else is as there. Told is the mean near AUROC, and how far each fusion is
from that of mass and mahalanobis_pp, with the standard error over the draws.

    python -m benchmarks.ood_draws --cifar package [--out FOLDER]
"""

import argparse
import hashlib
import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.ood_scores import KNOWN, Seen, cifar, inside, keep, kept, of_class, see
from calibration.ranking import auroc
from calibration.scores.clusters import ClusterEnergy
from calibration.scores.features import Knn
from calibration.scores.fusion import FisherFusion
from calibration.scores.gaussians import MahalanobisPP
from calibration.scores.protocol import Pictures, Score
from calibration.scores.texts import DictionaryMass

DRAWS = 12
FIT, NEW, SHARE = 400, 150, 0.25
MASS, LOOKS = DictionaryMass(), MahalanobisPP()
BASE = "mass, mahalanobis_pp"
FUSIONS: Mapping[str, tuple[Score, ...]] = {
    BASE: (MASS, LOOKS),
    "mass, knn": (MASS, Knn()),
    "mass, mahalanobis_pp, knn": (MASS, LOOKS, Knn()),
    "mass, mahalanobis_pp, cluster_energy": (MASS, LOOKS, ClusterEnergy()),
    "mahalanobis_pp, cluster_energy": (LOOKS, ClusterEnergy()),
}


def seen_of(arguments: argparse.Namespace, name: str, number: int, count: int) -> Seen:
    """What is seen in the first pictures of every class of a training file, class by class."""
    file = file_of(arguments.out, name, arguments.cifar)
    if not file.exists():
        rows, labels = cifar(arguments.cifar, f"data_batch_{number}.png", "train_lables.json")
        labels = labels[len(rows) * (number - 1) : len(rows) * number]
        now = see(list(rows[of_class(labels, range(10), 0, count)]))
        arguments.out.mkdir(parents=True, exist_ok=True)
        keep(file, now)
    return kept(file)


def file_of(out: Path, name: str, cifar_at: Path) -> Path:
    """Where it is kept what was seen in the pictures of one source."""
    source = hashlib.sha256(os.fsencode(cifar_at.resolve())).hexdigest()[:12]
    return out / f"draws-{name}-{source}.npz"


def rows_of(classes: Sequence[int], count: int) -> np.ndarray:
    """Numbers of the pictures of some classes."""
    return np.concatenate([np.arange(count * one, count * (one + 1)) for one in classes])


def draws() -> list[tuple[int, ...]]:
    """Six classes each, never those of `ood_scores`."""
    every = [one for one in combinations(range(10), len(KNOWN)) if one != KNOWN]
    chosen = np.random.default_rng(7).choice(len(every), DRAWS, replace=False)
    return [every[at] for at in chosen]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cifar", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("ood-scores"))
    arguments = parser.parse_args()
    fit, new = seen_of(arguments, "fit", 3, FIT), seen_of(arguments, "new", 4, NEW)
    found: dict[str, list[float]] = {name: [] for name in FUSIONS}
    for known in draws():
        others = [one for one in range(10) if one not in known]
        flags = inside(known)

        def part(seen: Seen, rows: np.ndarray, flags: np.ndarray = flags) -> Pictures:
            return seen.pictures(flags, None).part(rows)

        learned = part(fit, rows_of(known, FIT))
        same, near = part(new, rows_of(known, NEW)), part(new, rows_of(others, NEW))
        for name, parts in FUSIONS.items():
            fitted = FisherFusion(parts, SHARE).fit(learned)
            found[name].append(auroc(fitted.score(same), fitted.score(near)))
    base = np.array(found[BASE])
    print("| fusion | near | difference | better in |\n|---|---|---|---|")
    for name, values in found.items():
        by = 100 * (np.array(values) - base)
        spread = by.std(ddof=1) / np.sqrt(len(by))
        better = f"{int((by > 0).sum())} of {len(by)}"
        print(
            f"| {name} | {100 * np.mean(values):.1f} | {by.mean():+.1f} ± {spread:.1f} | {better} |"
        )


if __name__ == "__main__":
    main()
