"""Do events keep to people who cross each other?

`vtest.avi` (Debian opencv-doc; 795 frames of a busy yard, 10 a second), an empty yard learned, as
`benchmarks.audit` makes it. Reference: blobs of background difference at a pixel's resolution. They
are linked by overlap as they are, also where people merge; and in stretches in which a blob shows
the same people from beginning to end, neither merged nor parted. An event touches a track if it
covers more than half of its blob in any frame.

    python -m benchmarks.vtest [--every 3] [--maps FILE.npz] [--json]
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.sources.open import open_recording
from benchmarks.audit import VTEST, empty_yard
from detectors.build import build_detector
from detectors.configs import PadimConfig
from detectors.finding import Finder
from detectors.learned import LearnedView
from detectors.tracks import Track, Tracker, TrackRule
from detectors.types import Box, Detection, Frame, Pixels
from novic.device import resolve_device

RATE = 10.0
DIFFERS = 30
"""Grey levels that a person differs from the empty yard by, ..."""
LEAST_PIXELS = 60
"""... in so many pixels of half the size."""
LASTS_S = 1.0

type Walk = list[tuple[int, Box]]
"""(number of the frame, box) of one blob over time."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was found in every frame, and the events that it made."""

    detections: list[list[Detection]]
    events: list[dict[int, Box]]
    """Boxes of each by the number of the frame."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--every", type=int, default=3, help="look at every such frame")
    parser.add_argument("--maps", type=Path, help="keep the maps here, and take them from here")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    options = parser.parse_args()
    if not VTEST.exists():
        sys.exit(f"{VTEST} is missing: apt-get install opencv-doc")
    frames = [frame.image for frame in open_recording(str(VTEST)).frames()]
    normal = list(empty_yard(frames))
    maps = _maps(frames, normal, options.maps)
    told = measured(frames, normal, maps, options.every)
    if not options.json:
        for name, value in told.items():
            print(f"{name:<28} {value}")
    print(json.dumps(told))


def measured(
    frames: Sequence[Pixels], normal: Sequence[Pixels], maps: NDArray[np.float32], every: int
) -> dict[str, float]:
    """All figures, of every so many of the frames."""
    fps, shown = RATE / every, frames[::every]
    seen = followed(shown, maps[::every], LearnedView.of(normal), fps)
    empty = np.median([half_size(frame) for frame in frames[::10]], axis=0)
    blobs = [find_blobs(half_size(frame), empty) for frame in shown]
    tracks, stretches = _linked(blobs, fps), undisturbed(blobs, fps)
    people = [number for number, some in enumerate(blobs) if some]
    found = [
        any(_on(one.box, blob) for one in seen.detections[number] for blob in blobs[number])
        for number in people
    ]
    return {
        "frames_a_second": round(fps, 2),
        "blobs_a_frame": round(sum(map(len, blobs)) / len(blobs), 2),
        "events": len(seen.events),
        "frames_with_people_found": round(float(np.mean(found)), 3),
        "tracks": len(tracks),
        "events_a_track": round(float(np.mean(_touched(tracks, seen))), 2),
        "tracks_seen": round(float(np.mean(np.array(_touched(tracks, seen)) > 0)), 3),
        "stretches": len(stretches),
        "events_a_stretch": round(float(np.mean(_touched(stretches, seen))), 2),
        "stretches_seen": round(float(np.mean(np.array(_touched(stretches, seen)) > 0)), 3),
    }


def followed(
    frames: Sequence[Pixels], maps: NDArray[np.float32], view: LearnedView, fps: float
) -> Seen:
    """What the product makes of frames and their maps."""
    tracker, finder = Tracker(TrackRule()), Finder(view)
    detections: list[list[Detection]] = []
    ended: list[Track] = []
    for number, (image, heat) in enumerate(zip(frames, maps, strict=True)):
        detections.append(finder.find(heat, image))
        frame = Frame("yard", number, number / fps, round(1e6 * number / fps), image)
        ended += tracker.update(frame, detections[-1]).closed
    ended += tracker.finish().closed
    paths = [{round(at_s * fps): box for at_s, box, _ in track.path} for track in ended]
    return Seen(detections, paths)


def _maps(frames: Sequence[Pixels], normal: list[Pixels], kept: Path | None) -> NDArray[np.float32]:
    """The maps [N, h, w] of all frames, by the default detector."""
    if kept is not None and kept.exists():
        return np.load(kept)["maps"].astype(np.float32)
    detector = build_detector(PadimConfig(), resolve_device("auto"))
    detector.fit(normal)
    maps = np.concatenate([detector.detect(some).maps for some in batched(frames, 8)])
    if kept is not None:
        np.savez_compressed(kept, maps=maps.astype(np.float16))
    return maps


def half_size(frame: Pixels) -> Pixels:
    """The frame [H, W, 3] at half of its size."""
    height, width = frame.shape[:2]
    half = cv2.resize(frame, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return half.astype(np.uint8, copy=False)


def find_blobs(half: Pixels, empty: NDArray[np.floating]) -> list[Box]:
    """What differs from the empty yard, in pixels of the whole frame."""
    differs = np.abs(half.astype(np.float32) - empty).max(-1)
    mask = (cv2.GaussianBlur(differs, (0, 0), 1.5) > DIFFERS).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 5), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    return [
        Box(2.0 * x, 2.0 * y, 2.0 * (x + w), 2.0 * (y + h))
        for x, y, w, h, area in stats[1:].tolist()
        if area >= LEAST_PIXELS and h >= 8
    ]


def _linked(blobs: Sequence[Sequence[Box]], fps: float) -> list[Walk]:
    """Blobs linked by their overlap alone, the best first, over gaps of 0.4 s."""
    going: list[Walk] = []
    ended: list[Walk] = []
    for number, some in enumerate(blobs):
        pairs = [(t[-1][1].iou(b), i, j) for i, t in enumerate(going) for j, b in enumerate(some)]
        taken: dict[int, int] = {}
        for iou, i, j in sorted(pairs, reverse=True):
            if iou >= 0.2 and i not in taken and j not in taken.values():
                taken[i] = j
                going[i].append((number, some[j]))
        gap = max(1, round(0.4 * fps))
        ended += [one for one in going if number - one[-1][0] > gap]
        going = [one for one in going if number - one[-1][0] <= gap]
        going += [[(number, b)] for j, b in enumerate(some) if j not in taken.values()]
    return _lasting(ended + going, fps)


def undisturbed(blobs: Sequence[Sequence[Box]], fps: float) -> list[Walk]:
    """Blobs while each goes on as one, and as large as it was."""
    going: list[Walk] = []
    ended: list[Walk] = []
    for number, some in enumerate(blobs):
        near = [[j for j, b in enumerate(some) if _meet(t[-1][1], b)] for t in going]
        goes_on: dict[int, int] = {}
        for i, those in enumerate(near):
            alone = len(those) == 1 and sum(those[0] in others for others in near) == 1
            if alone and _as_large(going[i][-1][1], some[those[0]]):
                goes_on[i] = those[0]
                going[i].append((number, some[those[0]]))
        ended += [one for i, one in enumerate(going) if i not in goes_on]
        going = [going[i] for i in goes_on]
        going += [[(number, b)] for j, b in enumerate(some) if j not in goes_on.values()]
    return _lasting(ended + going, fps)


def _lasting(paths: list[Walk], fps: float) -> list[Walk]:
    return [one for one in paths if (one[-1][0] - one[0][0]) / fps >= LASTS_S]


def _meet(one: Box, other: Box) -> bool:
    return one.overlap(other) > 0.2 * min(one.area, other.area)


def _as_large(one: Box, other: Box) -> bool:
    return max(one.area, other.area) < 1.8 * min(one.area, other.area)


def _on(box: Box, blob: Box) -> bool:
    return box.overlap(blob) > 0.5 * min(box.area, blob.area)


def _touched(paths: Sequence[Walk], seen: Seen) -> list[int]:
    """How many events cover more than half of each path's blob in any frame."""
    return [
        sum(
            any(n in event and event[n].overlap(blob) > 0.5 * blob.area for n, blob in path)
            for event in seen.events
        )
        for path in paths
    ]


if __name__ == "__main__":
    main()
