"""Time and memory of the detector and of a camera, all ways in turn in one run.

Times are processor milliseconds a frame, all threads together, medians of rounds in which every way
has its turn: read them as ratios. `--names` chooses parts: ways, gate, memory, load, fit.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter, process_time
from typing import Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from app.media.video import VideoWriter
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.gate import MotionGate
from app.watching.keeper import Keeper
from app.watching.lookout import Lookout
from app.watching.naming import AtOnce
from app.watching.recorder import Recorder
from benchmarks.detector_anomalib import AnomalibPadim
from benchmarks.detector_recall import clip
from benchmarks.detector_runs import FPS, LEARNED, Options, table
from benchmarks.looking import learned_frames
from benchmarks.scoring import presences
from calibration.promise import DEFAULT
from detectors.build import load_detector
from detectors.configs import PadimConfig
from detectors.features.extractors import Extractors
from detectors.maps import blur
from detectors.models.padim import PadimDetector
from detectors.scaling import resized
from detectors.types import Frame, Pixels
from novic.runtime import OpenVinoRuntime, TorchRuntime

ROUNDS = 7
CPU = torch.device("cpu")
PARTS = ("ways", "gate", "memory", "load", "fit")
VIEWS = 8


def run(options: Options) -> dict[str, Any]:
    """Measure in the first scene."""
    wanted = options.names or PARTS
    options = replace(options, objects=min(options.objects, 8))
    simulation = clip(options, options.scenes[0])
    frames, shared = learned_frames(simulation), Extractors()
    now, before = (_fitted(frames, precision, shared) for precision in ("auto", "float32"))
    result: dict[str, Any] = {"precision": now.precision}
    if "ways" in wanted:
        result |= _ways(simulation, frames, now, before)
    if "gate" in wanted:
        result |= _gate(simulation.shot(LEARNED).image, now)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        now.save(folder / "view")
        if "memory" in wanted:
            result |= _memory(folder / "view")
        if "load" in wanted:
            result |= _load(folder / "view")
        if "fit" in wanted:
            result |= _fit(options, folder)
    return result


def _fitted(frames: Sequence[Pixels], precision: str, shared: Extractors) -> PadimDetector:
    config = PadimConfig.model_validate({"precision": precision})
    detector = PadimDetector(config, CPU, shared)
    detector.fit(frames)
    return detector


class _AsItWas:
    """Maps as they were computed until 31c90bc: in float32, a batch at once, by whole matrices."""

    def __init__(self, detector: PadimDetector) -> None:
        self._detector, self._learned = detector, detector._fitted()
        self._network = cast(OpenVinoRuntime, detector.extractor.runtime)._compiled
        self._whitening = self._learned.model.whitening.numpy()

    def maps(self, pictures: NDArray[np.uint8]) -> torch.Tensor:
        """Maps [B, h, w] of pictures [B, H, W, 3]."""
        learned = self._learned
        features = torch.from_numpy(self._network(pictures)[0])
        cells = features.permute(2, 3, 0, 1).flatten(0, 1)
        white = np.matmul((cells - learned.model.mean[:, None]).numpy(), self._whitening)
        distances = torch.linalg.vector_norm(torch.from_numpy(white), dim=2).T
        maps = blur(
            distances.reshape(len(pictures), *features.shape[2:]), self._detector.config.blur
        )
        return maps / (learned.threshold * torch.from_numpy(learned.tolerance))


def _ways(
    simulation: Any,  # noqa: ANN401  # a Simulation
    frames: Sequence[Pixels],
    now: PadimDetector,
    before: PadimDetector,
) -> dict[str, Any]:
    """The detector, itself in float32, its network alone, and anomalib's on the same pictures."""
    theirs, first = AnomalibPadim(now, frames), _AsItWas(before)
    seen = presences(simulation, LEARNED)
    odd = [simulation.shot(round((one.from_s + one.to_s) / 2 * FPS)).image for one in seen]
    usual = [simulation.shot(LEARNED + number % 15).image for number in range(15)]
    calm = replace(simulation, things=(), seed=simulation.seed + 1)
    usual += [calm.shot(LEARNED + 7 * number).image for number in range(len(odd) - 15)]
    batch = usual[:8]
    pictures = np.stack([resized(picture, now.extractor.size) for picture in batch])
    extractor = now.extractor
    eager = TorchRuntime(
        extractor.backbone.net(torch.tensor(extractor.key.channels), extractor.size), CPU
    )
    both: dict[str, Callable[[int], object]] = {
        f"detector ({now.precision})": lambda n: now.detect(batch[:n]).scores,
        "detector as it was": lambda n: first.maps(pictures[:n]),
        f"backbone alone ({now.precision})": lambda n: extractor.features(pictures[:n]),
        "backbone alone, float32": lambda n: before.extractor.features(pictures[:n]),
        "backbone alone, torch": lambda n: eager.run(pictures[:n]),
        "anomalib's module": lambda n: theirs.scores(batch[:n]),
        "anomalib's OpenVINO inferencer": lambda n: [theirs.inferred(one) for one in batch[:n]],
    }
    ours = f"detector ({now.precision})"
    spent = {
        n: _in_turn({name: lambda n=n, call=call: call(n) for name, call in both.items()})
        for n in (1, 8)
    }
    rows = [
        {
            "what": name,
            "ms a frame, 1": round(spent[1][name], 1),
            "ms a frame, 8": round(spent[8][name] / 8, 1),
            "over ours, 1": round(spent[1][name] / spent[1][ours], 2),
            "over ours, 8": round(spent[8][name] / spent[8][ours], 2),
        }
        for name in both
    ]
    table(rows)
    scores = {
        ours: np.concatenate([now.detect(usual).scores, now.detect(odd).scores]),
        "detector, float32": np.concatenate(
            [before.detect(usual).scores, before.detect(odd).scores]
        ),
        "anomalib's module": np.concatenate([theirs.scores([one]) for one in (*usual, *odd)]),
    }
    truth = [0] * len(usual) + [1] * len(odd)
    areas = {name: round(float(roc_auc_score(truth, found)), 4) for name, found in scores.items()}
    print(f"image AUROC, {len(usual)} usual and {len(odd)} with a thing of 2 to 20%: {areas}")
    return {"ways": rows, "auroc": areas}


def _in_turn(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median processor milliseconds of each, after a round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS + 1):
        for name, call in calls.items():
            start = process_time()
            call()
            times[name].append(1e3 * (process_time() - start))
    return {name: float(np.median(taken[1:])) for name, taken in times.items()}


def _gate(picture: Pixels, detector: PadimDetector) -> dict[str, Any]:
    """A camera that stands still (noise, compression, slow light), without a gate and with it."""
    rng, base, spent = np.random.default_rng(0), picture.astype(np.float32), {}
    frames = [_still(base, number, rng) for number in range(20 * round(FPS) + 160)]
    for name, gate in (("every frame", None), ("with the gate", MotionGate())):
        settings = CameraSettings(keeper=Keeper(DEFAULT, detector.peak))
        size = (picture.shape[0], picture.shape[1])
        camera = Camera(size, live=True, view=detector.view, settings=settings)
        recorder = cast(Recorder, _Uncounted())
        lookout = Lookout(camera, detector, AtOnce(cast(Any, None)), recorder, gate)
        for frame in frames[:20]:
            lookout.look([frame])
        start = process_time()
        for frame in frames[20:]:
            lookout.look([frame])
        spent[name] = 1e3 * (process_time() - start) / len(frames[20:])
    share = spent["with the gate"] / spent["every frame"]
    print(f"a quiet camera, whole path, ms a frame: {spent}; with the gate {share:.3f} of it")
    return {"gate": {**spent, "share": round(share, 3)}}


def _still(base: Any, number: int, rng: np.random.Generator) -> Frame:  # noqa: ANN401  # an array
    noisy = base * (1 + 0.03 * np.sin(number / 150)) + rng.normal(0, 2.5, base.shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 85]
    _, coded = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8), quality)
    image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return Frame("still", number, number / FPS, round(1e6 * number / FPS), image)


class _Uncounted:
    """Keeps nothing."""

    def watched(self, frames: Sequence[Frame], peaks: object) -> None:
        """Do nothing."""


def _memory(view: Path) -> dict[str, Any]:
    """Memory of processes that look at frames of one view, and of several."""
    held = {count: _child("views", view, count) for count in (1, VIEWS)}
    fitted = held[1]["fitted_mb"]
    ratio = (held[VIEWS]["mb"] - (VIEWS - 1) * fitted) / held[1]["mb"]
    print(
        f"{held[1]['mb']:.0f} MB with one view, {held[VIEWS]['mb']:.0f} MB with {VIEWS}; "
        f"a fitted state has {fitted:.0f} MB: {ratio:.3f} times one, plus these"
    )
    return {
        "memory": {"one_mb": held[1]["mb"], "all_mb": held[VIEWS]["mb"], "ratio": round(ratio, 3)}
    }


def _load(view: Path) -> dict[str, Any]:
    """Seconds from a folder to a detector, and to its first map."""
    spent = _child("load", view, 1)
    print(
        f"load {spent['load_s']:.2f} s after imports ({spent['load_cpu_s']:.2f} processor s), "
        f"first frame {spent['first_s']:.2f} s more"
    )
    return {"load": spent}


def _child(what: str, view: Path, count: int) -> dict[str, Any]:
    """What one of the functions below tells of a process of its own."""
    command = [sys.executable, "-m", "benchmarks.detector_speed", what, str(view), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _views(path: Path, count: int) -> dict[str, Any]:
    """Look at frames of `count` views in one process."""
    shared = Extractors()
    views = [cast(PadimDetector, load_detector(path, CPU, shared)) for _ in range(count)]
    height, width = views[0].frame_size or (0, 0)
    frame = np.zeros((height, width, 3), np.uint8)
    for _ in range(3):
        for view in views:  # as cameras are watched, a frame at a time
            view.detect([frame])
    state = views[0]._fitted()
    picture = 0 if state.view is None else state.view.picture.nbytes + state.view.noise.nbytes
    fitted = state.model.nbytes + picture
    # What the system has put aside counts, what it can read from files again does not.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    held = sum(int(status[name].split()[0]) for name in ("RssAnon", "VmSwap"))
    return {"mb": held / 1024, "fitted_mb": fitted / 2**20}


def _loaded(path: Path) -> dict[str, Any]:
    """Load a detector when all libraries have been imported."""
    load_detector(path, CPU)
    start, busy = perf_counter(), process_time()
    detector = load_detector(path, CPU)
    load_s, load_cpu_s = perf_counter() - start, process_time() - busy
    height, width = detector.frame_size or (0, 0)
    start = perf_counter()
    detector.detect([np.zeros((height, width, 3), np.uint8)])
    return {"load_s": load_s, "load_cpu_s": load_cpu_s, "first_s": perf_counter() - start}


def _fit(options: Options, folder: Path) -> dict[str, Any]:
    """`nomaly fit` on ten minutes of 1280x720 at 25 frames a second: one minute, ten times over."""
    if shutil.which("ffmpeg") is None:
        print("fit: left out, ffmpeg is missing")
        return {}
    place = options.material.place(options.scenes[0], (720, 1280))
    day = replace(options.day(options.scenes[0], 60.0), place=place)
    with VideoWriter(folder / "minute.mp4", (720, 1280), 25) as writer:
        for shot in day.shots():
            for part in range(5):
                writer.write(shot.image, shot.time_s + part / 25)
    again = [
        "ffmpeg",
        "-v",
        "error",
        "-stream_loop",
        "9",
        "-i",
        "minute.mp4",
        "-c",
        "copy",
        "ten.mp4",
    ]
    subprocess.run(again, cwd=folder, check=True)
    command = [sys.executable, "-m", "nomaly", "fit", str(folder / "ten.mp4"), "--out"]
    start, busy = perf_counter(), _children_s()
    subprocess.run([*command, str(folder / "fitted")], check=True, capture_output=True)
    spent, busy = perf_counter() - start, _children_s() - busy
    print(f"fit of ten minutes of 1280x720: {spent:.0f} s, {busy:.0f} processor s")
    return {"fit_s": round(spent, 1), "fit_cpu_s": round(busy, 1)}


def _children_s() -> float:
    """Processor seconds of all processes that were waited for."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    said, where, many = sys.argv[1:]
    print(json.dumps(_views(Path(where), int(many)) if said == "views" else _loaded(Path(where))))
