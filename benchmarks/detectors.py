"""Which detector finds what, at what price? All kinds on the same simulated frames, in one run.

Every kind learns a minute of a scene. Its threshold is then set so that the same share of other
normal frames exceeds it (--budget), and things that lie there for a second are counted as the
product counts them: boxes, tracks, an event that covers the thing. So kinds are compared at equal
false alarms, whatever their own thresholds are worth; those are in the last column. All kinds look
at each batch in turn; times are processor time, read them as ratios.

    python -m benchmarks.detectors [--kinds padim,diagonal] [--split dev] [--json FILE]
"""

import argparse
import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import batched
from pathlib import Path
from time import process_time

import numpy as np
import torch
from numpy.typing import NDArray

from app.simulator.places import Place
from app.simulator.simulation import Simulation
from app.simulator.splits import Split, split
from app.simulator.things import Thing, lying, tall
from app.simulator.views import scene, scene_names
from detectors.base import Detector
from detectors.build import build_detector
from detectors.configs import CONFIGS, parse_config
from detectors.features.backbones import Backbone
from detectors.features.extractors import ExtractorKey, Extractors, FeatureExtractor
from detectors.finding import Finder
from detectors.frames import BATCH
from detectors.tracks import Tracker, TrackRule
from detectors.types import Box, Frame, Pixels
from novic.device import resolve_device

WIDTHS = (0.02, 0.04, 0.06, 0.12)
FPS = 5.0
LEARN_S = 60
FITTED_ON = 60
"""Frames of that minute; the product keeps as many."""
LIES_S = 1.2


@dataclass
class Result:
    """One kind, over all scenes."""

    fit_s: list[float] = field(default_factory=list)
    look_s: float = 0.0
    looked: int = 0
    bytes: int = 0
    found: dict[float, list[bool]] = field(default_factory=lambda: defaultdict(list))
    own_false: list[bool] = field(default_factory=list)
    """Whether a normal frame exceeds the detector's own threshold."""


@dataclass(frozen=True)
class Clip:
    """A thing that lies there."""

    frames: list[Pixels]
    width: float
    true: Box


class Networks(Extractors):
    """Networks that look at no picture twice, however many detectors ask; one scene's."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[ExtractorKey, _Remembering] = {}

    def extractor(self, key: ExtractorKey) -> FeatureExtractor:
        """See `Extractors.extractor`."""
        if key not in self._kept:
            self._kept[key] = _Remembering(key, self.backbone(key.backbone))
        return self._kept[key]

    def now(self) -> float:
        """Processor seconds, as if nothing had been remembered."""
        return process_time() + sum(network.saved_s for network in self._kept.values())


class _Remembering(FeatureExtractor):
    """Remembers what it saw, and how long that took."""

    def __init__(self, key: ExtractorKey, backbone: Backbone) -> None:
        super().__init__(key, backbone)
        self.saved_s = 0.0
        self._seen: dict[bytes, tuple[torch.Tensor, float]] = {}

    def features(self, pictures: NDArray[np.uint8]) -> torch.Tensor:
        """See `FeatureExtractor.features`."""
        key = hashlib.blake2b(np.ascontiguousarray(pictures), digest_size=16).digest()
        if key in self._seen:
            self.saved_s += self._seen[key][1]
        else:
            began = process_time()
            self._seen[key] = super().features(pictures), process_time() - began
        return self._seen[key][0].clone()


def compare(
    words: Sequence[str], one: Split, normal_s: float, objects: int, budget: float
) -> dict[str, Result]:
    """All kinds on all scenes of a split."""
    results = {word: Result() for word in words}
    for name in one.scenes:
        place = scene(name)
        seed = one.seed(40 + scene_names().index(name))
        day = Simulation(place, seed, LEARN_S + normal_s, fps=FPS)
        learned = [shot.image for shot in day.shots(0, round(LEARN_S * FPS), 5)][:FITTED_ON]
        networks = Networks()
        fitted = {word: _fit(word, learned, networks, results[word]) for word in words}
        normal = [shot.image for shot in day.shots(round(LEARN_S * FPS))]
        clips = list(_clips(place, one, seed + 20, objects))
        maps = _looked(
            fitted, [*normal, *(f for clip in clips for f in clip.frames)], results, networks
        )
        for word, found in maps.items():
            _judge(found, len(normal), clips, budget, results[word], fitted[word])
        print(name, {w: _shares(r) for w, r in results.items()}, flush=True)
    return results


def _fit(word: str, frames: list[Pixels], networks: Networks, result: Result) -> Detector:
    kind, *settings = word.split(",")
    config = parse_config(kind, dict(one.split("=", 1) for one in settings))
    detector = build_detector(config, resolve_device("auto"), networks)
    began = networks.now()
    detector.fit(frames)
    result.fit_s.append(networks.now() - began)
    with tempfile.TemporaryDirectory() as folder:
        detector.save(Path(folder) / "view")
        files = (Path(folder) / "view").iterdir()
        result.bytes = sum(file.stat().st_size for file in files)
    detector.detect(frames[:1])
    return detector


def _clips(place: Place, one: Split, seed: int, objects: int) -> Iterator[Clip]:
    rng = np.random.default_rng(seed)
    nouns = one.nouns_for(place)
    for number in range(objects * len(WIDTHS)):
        width = WIDTHS[number % len(WIDTHS)]
        while True:
            thing = lying(nouns[int(rng.integers(len(nouns)))], width, (0.5, 0.5), 0.0, LIES_S)
            if tall(thing, place.size) < 0.8:
                break
        clip = Simulation(place, seed + 1 + number, LIES_S, (_put(thing, rng),), fps=FPS)
        shots = list(clip.shots())
        yield Clip([shot.image for shot in shots], width, shots[0].truth[0].box)


def _put(thing: Thing, rng: np.random.Generator) -> Thing:
    x, y = rng.uniform(0.1, 0.9, 2)
    return lying(thing.noun, thing.width, (float(x), float(y)), 0.0, LIES_S)


def _looked(
    detectors: dict[str, Detector],
    frames: Sequence[Pixels],
    results: dict[str, Result],
    networks: "Networks",
) -> dict[str, NDArray[np.float32]]:
    """Maps before the threshold of every frame, the detectors taking turns."""
    maps: dict[str, list[NDArray[np.float32]]] = {word: [] for word in detectors}
    for batch in batched(frames, BATCH):
        for word, detector in detectors.items():
            began = networks.now()
            found = detector.detect(batch).maps
            results[word].look_s += networks.now() - began
            results[word].looked += len(batch)
            maps[word].append(found * detector.threshold)
    return {word: np.concatenate(found) for word, found in maps.items()}


def _judge(
    maps: NDArray[np.float32],
    normal: int,
    clips: Sequence[Clip],
    budget: float,
    result: Result,
    detector: Detector,
) -> None:
    """Count which clips give an event at the threshold that the budget allows."""
    scores = maps[:normal].max(axis=(1, 2))
    result.own_false += (scores > detector.threshold).tolist()
    level = max(float(np.quantile(scores, 1 - budget)), 1e-9)
    at = normal
    for clip in clips:
        heat = maps[at : at + len(clip.frames)] / level
        at += len(clip.frames)
        result.found[clip.width].append(_told(heat, clip, detector))


def _told(heat: NDArray[np.float32], clip: Clip, detector: Detector) -> bool:
    finder, tracker = Finder(detector.view), Tracker(TrackRule())
    opened = []
    for index, image in enumerate(clip.frames):
        frame = Frame("benchmark", index, index / FPS, round(1e6 * index / FPS), image)
        opened += tracker.update(frame, finder.find(heat[index], image)).opened
    return any(track.extent.overlap(clip.true) > 0 for track in opened)


def _shares(result: Result) -> dict[str, float]:
    return {f"{100 * w:.0f}%": round(float(np.mean(f)), 2) for w, f in result.found.items()}


def main() -> None:
    """Compare, and print the table as it stands in benchmarks/README.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kinds", help="spaces between, settings after commas; default: all")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--scenes", help="commas between; default: all of the split")
    parser.add_argument("--seconds", type=float, default=80, help="normal footage per scene")
    parser.add_argument("--objects", type=int, default=8, help="per width and scene")
    parser.add_argument("--budget", type=float, default=0.01, help="share of false frames")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args()
    words = options.kinds.split() if options.kinds else list(CONFIGS)
    one = split(options.split)
    if options.scenes:
        one = replace(one, scenes=tuple(options.scenes.split(",")))
    results = compare(words, one, options.seconds, options.objects, options.budget)
    print_table(results)
    if options.json:
        figures = {word: asdict(result) for word, result in results.items()}
        options.json.write_text(json.dumps(figures))


def print_table(results: dict[str, Result]) -> None:
    """The table as it stands in benchmarks/README.md."""
    sizes = " | ".join(f"{100 * width:.0f}%" for width in WIDTHS)
    print(f"| kind | {sizes} | CPU ms | MB | fit CPU-s | above its own threshold |")
    for word, result in results.items():
        cells = [
            *(f"{share:.2f}" for share in _shares(result).values()),
            f"{1000 * result.look_s / result.looked:.0f}",
            f"{result.bytes / 1e6:.1f}",
            f"{np.mean(result.fit_s):.0f}",
            f"{np.mean(result.own_false):.3f}",
        ]
        print(f"| {word} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
