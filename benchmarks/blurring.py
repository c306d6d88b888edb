"""How many people does --blur-people miss?

Pictures of the second half of `vtest.avi` (Debian opencv-doc), a frame a second; what is looked at
and from which score on was chosen on the first half. Reference: blobs of background difference, as
`benchmarks.vtest` makes them; some show several people, a few a shadow. A blob counts as hidden if
more than half, or 80%, of its box lies in places that are hidden. Boxes of events, which are hidden
besides where their names say a person, are left out: this is the network alone.

    nice python -m benchmarks.blurring [--json]
"""

import argparse
import json
import sys
import time

import numpy as np

from app.sources.open import open_recording
from app.watching.blurring import People
from benchmarks.audit import VTEST, empty_yard
from benchmarks.vtest import find_blobs, half_size
from detectors.types import Box, Pixels

EVERY = 10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    options = parser.parse_args()
    if not VTEST.exists():
        sys.exit(f"{VTEST} is missing: apt-get install opencv-doc")
    frames = [frame.image for frame in open_recording(str(VTEST)).frames()]
    told = measured(frames)
    if not options.json:
        for name, value in told.items():
            print(f"{name:<24} {value}")
    print(json.dumps(told))


def measured(frames: list[Pixels]) -> dict[str, float]:
    """All figures."""
    empty = np.median([half_size(frame) for frame in frames[::10]], axis=0)
    people = People()
    shares, heights, hidden, took_s = [], [], [], []
    shown = frames[len(frames) // 2 :: EVERY]
    for image in shown:
        began = time.perf_counter()
        mask = _mask(image, people.places(image))
        took_s.append(time.perf_counter() - began)
        hidden.append(mask.mean())
        for blob in find_blobs(half_size(image), empty):
            shares.append(_cut(mask, blob).mean())
            heights.append(blob.height)
    share, tall = np.array(shares), np.array(heights)
    missed = tall[share <= 0.5]
    yard = next(iter(empty_yard(frames)))
    return {
        "pictures": len(shown),
        "blobs": len(share),
        "hidden_by_half": round(float((share > 0.5).mean()), 3),
        "hidden_by_80_percent": round(float((share > 0.8).mean()), 3),
        "missed": len(missed),
        "median_height": round(float(np.median(tall)), 1),
        "median_height_missed": round(float(np.median(missed)), 1) if len(missed) else 0.0,
        "hidden_of_a_picture": round(float(np.mean(hidden)), 3),
        "hidden_of_the_empty_yard": round(float(_mask(yard, people.places(yard)).mean()), 3),
        "seconds_a_picture": round(float(np.median(took_s)), 2),
    }


def _mask(image: Pixels, places: list[Box]) -> np.ndarray:
    mask = np.zeros(image.shape[:2], bool)
    for box in places:
        _cut(mask, box)[:] = True
    return mask


def _cut(mask: np.ndarray, box: Box) -> np.ndarray:
    return mask[max(0, int(box.y1)) : int(box.y2) + 1, max(0, int(box.x1)) : int(box.x2) + 1]


if __name__ == "__main__":
    main()
