"""How well and how fast does the default detector watch a fixed camera?

The demo's places, on days that are harder than the demo's: twice the wander of exposure, colour and
shadows, and JPEG. Cut-outs of known width lie in the view for a second. Events are counted by the
product's own boxes, tracker and rule. The speed is limited by the backbone's convolutions.

    python -m benchmarks.detector [--json] [--scenes yard,garden] [--seconds 180]
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import batched
from time import perf_counter

import numpy as np
import torch

from app.simulator.cutouts import cutouts, sticker
from app.simulator.places import MARGIN, Place, place, place_names
from app.simulator.scene import Camera, Weather, lay
from detectors.boxes import find_boxes
from detectors.configs import PadimConfig
from detectors.features.extractors import Extractors
from detectors.models.padim import PadimDetector
from detectors.scaling import resized
from detectors.tracks import Track, Tracker, TrackRule
from detectors.types import Box, Detection, Frame, Pixels
from novic.device import resolve_device
from novic.runtime import TorchRuntime

HARD = Weather(exposure=2.0, warmth=2.0, shade=2.0, jpeg=(78, 95))
WIDTHS = (0.04, 0.06, 0.08, 0.12, 0.20)
RATE = 5.0
LEARN_S = 60
LIES_S = 1
"""How long an object lies there: as many frames as the rule looks back on."""


@dataclass(slots=True)
class Tally:
    """What one scene gave."""

    false_frames: list[bool] = field(default_factory=list)
    false_events: int = 0
    normal_scores: list[float] = field(default_factory=list)
    object_scores: list[float] = field(default_factory=list)
    hits: dict[float, list[bool]] = field(default_factory=lambda: {w: [] for w in WIDTHS})
    tight: dict[float, list[bool]] = field(default_factory=lambda: {w: [] for w in WIDTHS})
    events: dict[float, list[bool]] = field(default_factory=lambda: {w: [] for w in WIDTHS})


def watch(where: Place, seed: int, seconds: float, objects: int) -> tuple[Tally, PadimDetector]:
    """Learn a scene, watch it, then watch objects lying in it."""
    learned, watched = round(LEARN_S * RATE), round(seconds * RATE)
    camera = Camera(where, seed, learned + watched, RATE, HARD)
    pictures = (camera.picture(index, where.world) for index in range(learned + watched))
    normal = [next(pictures) for _ in range(learned)]
    detector = PadimDetector(PadimConfig(), resolve_device("auto"), Extractors())
    detector.fit(normal[::6])
    tally = Tally()
    detections = []
    for batch in batched(pictures, 10):
        result = detector.detect(batch)
        detections += [find_boxes(one, where.size) for one in result.maps]
        tally.normal_scores += result.scores.tolist()
    tally.false_frames = [bool(found) for found in detections]
    tally.false_events = len(opened(detections))
    rng = np.random.default_rng(seed)
    for number in range(objects * len(WIDTHS)):
        _watch_object(detector, where, WIDTHS[number % len(WIDTHS)], rng, tally)
    return tally, detector


def _watch_object(
    detector: PadimDetector, where: Place, width: float, rng: np.random.Generator, tally: Tally
) -> None:
    """Look at one object on a day of its own."""
    world, true = with_object(where, width, rng)
    frames = round(LIES_S * RATE)
    camera = Camera(where, int(rng.integers(1, 1 << 30)), frames, RATE, HARD)
    result = detector.detect([camera.picture(index, world) for index in range(frames)])
    found = [find_boxes(one, where.size) for one in result.maps]
    tally.object_scores += result.scores.tolist()
    tally.hits[width] += [any(d.box.overlap(true) > 0 for d in some) for some in found]
    tally.tight[width] += [any(d.box.iou(true) >= 0.3 for d in some) for some in found]
    told = any(track.extent.iou(true) >= 0.3 for track in opened(found))
    tally.events[width].append(told)


def opened(found: Sequence[Sequence[Detection]]) -> list[Track]:
    """The events that the product makes of the detections in consecutive frames."""
    tracker = Tracker(TrackRule())
    tracks: list[Track] = []
    nothing = np.zeros((1, 1, 3), np.uint8)
    for index, detections in enumerate(found):
        frame = Frame("benchmark", index, index / RATE, round(1e6 * index / RATE), nothing)
        tracks += tracker.update(frame, detections).opened
    return tracks


def with_object(where: Place, share: float, rng: np.random.Generator) -> tuple[Pixels, Box]:
    """The place's world with a cut-out lying anywhere in the view, and its box in the view."""
    height, width = where.size
    choice = [cut for cut in cutouts().values() if cut.photo not in where.photos]
    while True:
        one = choice[int(rng.integers(len(choice)))]
        flip = one.flips and bool(rng.random() < 0.5)
        cut = sticker(one, round(share * width), flip)
        left, top, right, bottom = cut.covered
        if bottom - top < 0.8 * height:
            break
    x = int(rng.integers(0, width - (right - left)))
    y = int(rng.integers(0, height - (bottom - top)))
    world = where.world.copy()
    lay(cut, (x - left + MARGIN, y - top + MARGIN), where, shadow=False).over(world)
    return world, Box(x, y, x + right - left, y + bottom - top)


def auroc(normal: Sequence[float], unusual: Sequence[float]) -> float:
    """Chance that an unusual frame scores above a normal one, ties counting half."""
    ordered = np.sort(np.asarray(normal))
    below = np.searchsorted(ordered, unusual, "left") + np.searchsorted(ordered, unusual, "right")
    return float(below.mean() / (2 * len(ordered)))


def speed(where: Place, detector: PadimDetector, runs: int = 7) -> dict[str, float]:
    """Frames per second at batch 8, and the backbone in both runtimes, interleaved."""
    camera = Camera(where, 1, 8, RATE, HARD)
    batch = [camera.picture(index, where.world) for index in range(8)]
    images = np.stack([resized(picture, detector.extractor.key.size) for picture in batch])
    extractor = detector.extractor
    chosen = torch.tensor(extractor.key.channels)
    plain = TorchRuntime(extractor.backbone.net(chosen, extractor.size), detector.device)
    chosen_runtime = extractor.runtime
    times: dict[str, list[float]] = {"detect": [], "torch": [], chosen_runtime.name + " chosen": []}
    for _ in range(runs + 1):
        for name, call in zip(
            times,
            (
                lambda: detector.detect(batch).scores,
                lambda: plain.run(images).cpu(),
                lambda: chosen_runtime.run(images).cpu(),
            ),
            strict=True,
        ):
            start = perf_counter()
            call()
            times[name].append(perf_counter() - start)
    detect, torch_s, best = (float(np.median(t[1:])) for t in times.values())
    return {"fps": 8 / detect, "backbone_fps": 8 / best, "torch_ratio": torch_s / best}


def main() -> None:
    """Run all scenes, print a table and one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--scenes", help="comma-separated; default: all places of the demo")
    parser.add_argument("--seconds", type=float, default=180, help="normal footage per scene")
    parser.add_argument("--objects", type=int, default=8, help="per width and scene")
    options = parser.parse_args()
    names = options.scenes.split(",") if options.scenes else place_names()
    scenes: dict[str, dict[str, object]] = {}
    measured: dict[str, float] = {}
    for name in names:
        seed = place_names().index(name)
        tally, detector = watch(place(name), seed, options.seconds, options.objects)
        scenes[name] = _summary(tally)
        measured = measured or speed(place(name), detector)
        if not options.json:
            print(name, _row(scenes[name]), flush=True)
    whole = {
        "scenes": scenes,
        "normal_seconds": options.seconds * len(names),
        "false_events": sum(int(str(s["false_events"])) for s in scenes.values()),
        **{key: round(value, 2) for key, value in measured.items()},
    }
    print(json.dumps(whole))


def _summary(tally: Tally) -> dict[str, object]:
    def shares(marks: dict[float, list[bool]]) -> dict[str, float]:
        return {f"{width:.2f}": round(float(np.mean(m)), 3) for width, m in marks.items()}

    return {
        "auroc": round(auroc(tally.normal_scores, tally.object_scores), 4),
        "false_frames": round(float(np.mean(tally.false_frames)), 4),
        "false_events": tally.false_events,
        "highest_normal": round(max(tally.normal_scores), 2),
        "hit": shares(tally.hits),
        "iou_30": shares(tally.tight),
        "event": shares(tally.events),
    }


def _row(summary: dict[str, object]) -> str:
    cells = []
    for key, value in summary.items():
        shown = " / ".join(f"{v:g}" for v in value.values()) if isinstance(value, dict) else value
        cells.append(f"{key} {shown}")
    return "  ".join(cells)


if __name__ == "__main__":
    main()
