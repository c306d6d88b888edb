"""How well and how fast does the default detector watch a fixed camera?

Simulated views after detectors_spec §6: a real photograph seen through a shaking window, with
wandering exposure and colour, drifting soft shadows, sensor noise and JPEG; photographic cut-outs
of known width lie in it for some frames. The speed is limited by the backbone's convolutions.

    python -m benchmarks.detector [--json] [--scenes yard,house] [--seconds 180]
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import skimage.data
import sklearn.datasets
from numpy.typing import NDArray

from detectors.boxes import find_boxes
from detectors.configs import PadimConfig
from detectors.features.backbones import FeatureNet, choose_channels, find_spec
from detectors.features.extractors import Extractors
from detectors.models.padim import PadimDetector
from detectors.types import Box, Detection, Pixels
from novic.device import resolve_device
from novic.runtime import TorchRuntime

STAMPS = Path("/usr/share/tuxpaint/stamps")
VTEST = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
VIEW = (480, 640)
WIDTHS = (0.04, 0.06, 0.08, 0.12, 0.20)
RATE = 5.0


def scene_photos() -> dict[str, Pixels]:
    """Backgrounds of twice the view's size, by name."""
    photos: dict[str, Pixels] = {}
    if VTEST.is_file():
        photos["yard"] = _median_of(VTEST)
    photos["workshop"] = skimage.data.stereo_motorcycle()[0]
    photos["temple"] = sklearn.datasets.load_sample_image("china.jpg")
    photos["desk"] = skimage.data.coffee()
    height, width = VIEW
    size = (2 * width, 2 * height)
    return {
        name: np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        for name, photo in photos.items()
    }


def _median_of(path: Path) -> Pixels:
    reader = cv2.VideoCapture(str(path))
    frames = []
    for index in range(780):
        ok, frame = reader.read()
        if not ok:
            break
        if index % 20 == 0:
            frames.append(frame)
    median = np.median(np.stack(frames), axis=0).astype(np.uint8)
    return np.asarray(cv2.cvtColor(median, cv2.COLOR_BGR2RGB), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A photographed object with its outline."""

    image: Pixels
    alpha: NDArray[np.float32]


def cutouts(count: int, rng: np.random.Generator) -> list[Cutout]:
    """Objects to place: photographic stamps if installed, else ellipses out of photographs."""
    found: list[Cutout] = []
    folders = ("animals", "food", "household", "clothes", "hobbies", "vehicles")
    paths = [p for f in folders for p in sorted((STAMPS / f).rglob("*.png"))]
    paths = [p for p in paths if "cartoon" not in str(p)]
    for index in rng.permutation(len(paths)):
        if len(found) == count:
            return found
        picture = cv2.imread(str(paths[index]), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
            continue
        ys, xs = np.nonzero(picture[..., 3] > 128)
        if len(ys) < 0.15 * picture[..., 3].size or not 0.4 < np.ptp(xs) / max(np.ptp(ys), 1) < 2.5:
            continue
        cut = picture[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        colour = np.ascontiguousarray(cut[..., 2::-1], np.uint8)
        if len(np.unique(colour.reshape(-1, 3), axis=0)) > 1500:  # flat drawings have few colours
            found.append(Cutout(colour, np.asarray(cut[..., 3] / 255, np.float32)))
    photos = [skimage.data.astronaut(), skimage.data.chelsea(), skimage.data.rocket()]
    while len(found) < count:
        photo = photos[len(found) % len(photos)]
        side = int(rng.integers(90, 200))
        y, x = (int(rng.integers(0, photo.shape[i] - side)) for i in (0, 1))
        alpha = np.zeros((side, side), np.float32)
        centre, axes = (side // 2, side // 2), (side // 2 - 2, int(side * rng.uniform(0.25, 0.48)))
        cv2.ellipse(alpha, centre, axes, float(rng.uniform(0, 180)), 0, 360, (1.0,), -1)
        found.append(Cutout(photo[y : y + side, x : x + side], alpha))
    return found


def place(
    photo: Pixels, cutout: Cutout, width_share: float, rng: np.random.Generator
) -> tuple[Pixels, Box]:
    """The background with an object lying in it, and the object's box in the view."""
    height, width = VIEW
    wide = round(2 * width_share * width)
    high = max(2, round(cutout.alpha.shape[0] * wide / cutout.alpha.shape[1]))
    image = cv2.resize(cutout.image, (wide, high), interpolation=cv2.INTER_AREA).astype(np.float32)
    alpha = cv2.resize(cutout.alpha, (wide, high), interpolation=cv2.INTER_AREA)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 1.0)
    # The window looks at the middle of the photograph at half its scale.
    y = int(rng.uniform(60, 2 * height - 60 - high))
    x = int(rng.uniform(60, 2 * width - 60 - wide))
    ground = photo[y : y + high, x : x + wide].astype(np.float32)
    light = (0.5 + 0.5 * ground.mean() / max(image[alpha > 0.5].mean(), 1)).clip(0.6, 1.5)
    mixed = ground * (1 - alpha[..., None]) + (image * light).clip(0, 255) * alpha[..., None]
    placed = photo.copy()
    placed[y : y + high, x : x + wide] = mixed.astype(np.uint8)
    ys, xs = np.nonzero(alpha > 0.5)
    top, left, bottom, right = y + ys.min(), x + xs.min(), y + ys.max() + 1, x + xs.max() + 1
    return placed, Box(left / 2, top / 2, right / 2, bottom / 2)


class Camera:
    """A view whose light and pose wander slowly; one call is one frame at 5 frames/s."""

    def __init__(self, seed: int, drift: float = 0.15) -> None:
        """Start at a random state.

        Args:
            seed: Of everything.
            drift: Exposure stays within about this share of 1.
        """
        self._rng = np.random.default_rng(seed)
        self._drift = drift
        self._slow = self._rng.normal(0, 1, 4)
        self._pose = self._rng.normal(0, 1, 4)
        self._shadows = [self._new_shadow() for _ in range(2)]

    def look(self, photo: Pixels) -> Pixels:
        """One frame of the photograph."""
        rng = self._rng
        # Exposure and colour forget half their state in about 20 s, the pose within a second.
        self._slow = 0.993 * self._slow + np.sqrt(1 - 0.993**2) * rng.normal(0, 1, 4)
        self._pose = 0.8 * self._pose + 0.6 * rng.normal(0, 1, 4)
        height, width = VIEW
        scale, angle = 0.5 * (1 + 0.0005 * self._pose[2]), 0.05 * self._pose[3]
        turn = cv2.getRotationMatrix2D((width, height), angle, scale)
        turn[:, 2] += np.array([-width / 2, -height / 2]) + 0.6 * self._pose[:2]
        seen = cv2.warpAffine(photo, turn, (width, height), flags=cv2.INTER_AREA).astype(np.float32)
        gain = 1 + np.tanh(self._slow[0] / 1.5) * self._drift
        light = (gain * (1 + 0.015 * self._slow[1:])).astype(np.float32)[None, None]
        for index, shadow in enumerate(self._shadows):
            light = light * shadow.draw(VIEW)
            if shadow.step():
                self._shadows[index] = self._new_shadow()
        lit = seen * light
        lit += rng.normal(0, 1, lit.shape).astype(np.float32) * np.sqrt(4 + 0.05 * lit.clip(0))
        quality = int(rng.integers(78, 96))
        bgr = np.ascontiguousarray(lit.clip(0, 255).astype(np.uint8)[..., ::-1])
        _, packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
        return np.ascontiguousarray(decoded[..., ::-1])

    def _new_shadow(self) -> "_Shadow":
        rng = self._rng
        corners = rng.uniform(-0.2, 0.4, (int(rng.integers(4, 7)), 2)) + rng.uniform(0, 0.8, 2)
        seconds = rng.uniform(20, 60)
        strength = rng.uniform(0.2, 0.4) if rng.random() < 0.7 else 0.0
        return _Shadow(corners, rng.normal(0, 0.004, 2), strength, round(seconds * RATE))


@dataclass(slots=True)
class _Shadow:
    corners: NDArray[np.float64]
    speed: NDArray[np.float64]
    strength: float
    length: int
    age: int = 0

    def step(self) -> bool:
        """One frame on; whether it is gone."""
        self.age += 1
        self.corners = self.corners + self.speed / RATE
        return self.age >= self.length

    def draw(self, size: tuple[int, int]) -> NDArray[np.float32]:
        """Factor of the light [H, W, 1]."""
        height, width = size[0] // 4, size[1] // 4
        mask = np.zeros((height, width), np.float32)
        points = (self.corners * (width, height)).astype(np.int32)
        cv2.fillPoly(mask, [cv2.convexHull(points)], (1.0,))
        mask = cv2.GaussianBlur(mask, (0, 0), 3)
        strength = self.strength * np.sin(np.pi * self.age / self.length)
        factor = cv2.resize(1 - mask * np.float32(strength), (size[1], size[0]))
        return np.asarray(factor[..., None], np.float32)


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


def count_events(found: Sequence[Sequence[Detection]]) -> int:
    """Chains of overlapping boxes that are hit in 3 of 5 frames."""
    chains: list[tuple[Box, list[int]]] = []
    for index, detections in enumerate(found):
        for detection in detections:
            near = next((i for i, (b, _) in enumerate(chains) if b.iou(detection.box) > 0.15), None)
            if near is None:
                chains.append((detection.box, [index]))
            else:
                chains[near] = (detection.box, [*chains[near][1], index])
    return sum(any(b - a <= 4 for a, b in zip(c, c[2:], strict=False)) for _, c in chains)


def watch(photo: Pixels, seed: int, seconds: float, objects: int, tally: Tally) -> PadimDetector:
    """Learn a scene, watch it, then watch objects lying in it."""
    camera = Camera(seed)
    learned = [camera.look(photo) for _ in range(round(60 * RATE))]
    detector = PadimDetector(PadimConfig(), resolve_device("auto"), Extractors())
    detector.fit(learned[::6])
    boxes: list[list[Detection]] = []
    for _ in range(round(seconds * RATE / 10)):
        result = detector.detect([camera.look(photo) for _ in range(10)])
        boxes += [find_boxes(one, VIEW) for one in result.maps]
        tally.normal_scores += result.scores.tolist()
    tally.false_frames += [bool(found) for found in boxes]
    tally.false_events += count_events(boxes)
    rng = np.random.default_rng(seed)
    things = cutouts(objects * len(WIDTHS), rng)
    for index, thing in enumerate(things):
        width = WIDTHS[index % len(WIDTHS)]
        placed, true = place(photo, thing, width, rng)
        state = Camera(1000 * seed + index)
        result = detector.detect([state.look(placed) for _ in range(5)])
        tally.object_scores += result.scores.tolist()
        found = [[d.box for d in find_boxes(one, VIEW)] for one in result.maps]
        tight = [any(box.iou(true) >= 0.3 for box in boxes) for boxes in found]
        tally.hits[width] += [any(box.overlap(true) > 0 for box in boxes) for boxes in found]
        tally.tight[width] += tight
        tally.events[width].append(sum(tight) >= 3)
    return detector


def auroc(normal: Sequence[float], unusual: Sequence[float]) -> float:
    """Chance that an unusual frame scores above a normal one, ties counting half."""
    ordered = np.sort(np.asarray(normal))
    below = np.searchsorted(ordered, unusual, "left") + np.searchsorted(ordered, unusual, "right")
    return float(below.mean() / (2 * len(ordered)))


def speed(photo: Pixels, detector: PadimDetector, runs: int = 7) -> dict[str, float]:
    """Frames per second at batch 8, and the backbone in both runtimes, interleaved."""
    camera = Camera(1)
    batch = [camera.look(photo) for _ in range(8)]
    images = np.stack(batch)
    spec = find_spec(detector.config.backbone)
    chosen = choose_channels(spec, detector.config.channels, detector.config.seed)
    net = FeatureNet(detector.extractor.network, spec, chosen).eval()
    plain = TorchRuntime(net, detector.device)
    chosen_runtime = detector.extractor.runtime
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
    parser.add_argument("--scenes", help="comma-separated; default: all that are installed")
    parser.add_argument("--seconds", type=float, default=180, help="normal footage per scene")
    parser.add_argument("--objects", type=int, default=8, help="per width and scene")
    options = parser.parse_args()
    photos = scene_photos()
    names = options.scenes.split(",") if options.scenes else list(photos)
    scenes: dict[str, dict[str, object]] = {}
    measured: dict[str, float] = {}
    for seed, name in enumerate(names):
        tally = Tally()
        detector = watch(photos[name], seed, options.seconds, options.objects, tally)
        scenes[name] = _summary(tally)
        measured = measured or speed(photos[name], detector)
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
