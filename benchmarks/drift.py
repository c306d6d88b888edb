"""How soon is a calibration called void, and how often for nothing?

For each scene a detector learns a minute of a simulated day, whose light wanders by 12%. The
camera is calibrated on the next 50 minutes, and then watched for an hour in which nothing changes.
Its first ten minutes are watched again with 25 minutes behind them in which something is changed.
Only those frames are drawn of which crops are taken, three a minute; crops, distances and bets are
the product's own, for a live camera and, with fewer bets, for a recording. Which crops of the hour
are bet on is chosen by 200 other chances, too, to count how often it is called void for nothing.

    python -m benchmarks.drift [--split report] [--scenes terrace,...] [--seed 7] [--minutes 60]
    python -m benchmarks.drift --waiting      # no scene: after how many quiet scores it gets slower
"""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched

import cv2
import numpy as np

from app.events.bets import Bet
from app.simulator.simulation import Simulation
from app.simulator.splits import split
from app.simulator.views import scene
from app.watching.drifting import LIVE, RECORDED
from app.watching.holding import Holding, Light, Sampling
from app.watching.namer import Names, name_pictures, vote
from app.watching.sampling import MINUTE_S, Crop, Sampler, chosen
from benchmarks.looking import LEARN_S, fitted, frames_of
from calibration.betting import SLACK, Betting
from calibration.site.calibrated import Bindings, SiteCalibration, calibrated
from calibration.site.crops import Crops
from detectors.base import Detector
from detectors.types import Frame, Pixels
from novic.device import resolve_device
from novic.model import ModelOptions, load_model

CALIBRATED_S = 3000.0
EVERY_S = 20.0
CHANGED_S, CHANGED_FOR_S = 600.0, 1500.0
"""From the start of the hour that is watched, and how long it is watched then."""
WAYS = 200
_AT_ONCE = 16
_FPS = 5.0

type Changed = Callable[[Pixels], Pixels]
type Seen = tuple[Crop, np.ndarray, float]
"""A crop with its vector, and how light its frame is."""
type Far = tuple[Crop, float, float]
"""The same with its distance from what was normal."""


def _gains(*gains: float) -> Changed:
    def change(image: Pixels) -> Pixels:
        return np.clip(image * np.array(gains, np.float32) + 0.5, 0, 255).astype(np.uint8)

    return change


def _autumn(image: Pixels) -> Pixels:
    """What is green turns brown."""
    red, green, blue = np.moveaxis(image.astype(np.float32), -1, 0)
    leaf = np.clip((green - np.maximum(red, blue)) / 40 + 0.5, 0, 1)
    turned = np.stack([red + leaf * 0.5 * green, green * (1 - 0.15 * leaf), blue], -1)
    return np.clip(turned + 0.5, 0, 255).astype(np.uint8)


CHANGES: dict[str, Changed] = {
    "light -40%": _gains(0.6, 0.6, 0.6),
    "tint": _gains(1.12, 1.0, 0.85),
    "autumn": _autumn,
}


def taken(
    day: Simulation, from_s: float, for_s: float, change: Changed | None = None
) -> Iterator[Frame]:
    """The frames of a day of which crops are taken."""
    for at_s in np.arange(from_s, from_s + for_s, EVERY_S):
        index = round(float(at_s) * _FPS)
        frame = next(iter(frames_of(day, index, index + 1)))
        image = frame.image if change is None else change(frame.image)
        time_us = round(frame.pts_s * 1e6)
        yield Frame(frame.camera, frame.index, frame.pts_s, time_us, image)


def vectors(
    frames: Iterator[Frame], detector: Detector, names: Names, sampler: Sampler
) -> Iterator[Seen]:
    """Crops with their vectors, and how light their frames are."""

    def crops() -> Iterator[tuple[Crop, float]]:
        for frame in frames:
            heat = detector.detect([frame.image]).maps[0]
            light = float(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY).mean())
            yield from ((crop, light) for crop in sampler.crops(frame, heat))

    for some in batched(crops(), _AT_ONCE):
        named = name_pictures(names, [crop.picture for crop, _ in some])
        for crop, light in some:
            vector = vote({crop.picture: named[crop.picture]}).vector
            if vector is not None:
                yield crop, vector, light


def calibrate(day: Simulation, detector: Detector, names: Names) -> SiteCalibration:
    """As `nomaly calibrate` does it."""
    frames = taken(day, LEARN_S, CALIBRATED_S)
    seen = [*vectors(frames, detector, names, Sampler(EVERY_S))]
    at_s = np.array([crop.at_s for crop, _, _ in seen])
    known = np.stack([vector for _, vector, _ in seen])
    nothing = np.zeros(len(seen))
    crops = Crops(known, nothing + 0.5, nothing + 0.5, at_s, (at_s * 1e6).astype(np.int64))
    done, _ = calibrated(Bindings("d", "starter", "n"), crops, LEARN_S + CALIBRATED_S)
    light = Light.of([light for _, _, light in seen])
    a_minute = 60 * len(seen) / CALIBRATED_S
    done.measured["sampling"] = Sampling(EVERY_S, a_minute, light).as_json()  # type: ignore[index]
    return done


def measured(site: SiteCalibration, seen: Iterable[Seen]) -> list[Far]:
    """How far crops lie from what was normal."""
    known = [*seen]
    far = site.distances(np.stack([vector for _, vector, _ in known]))
    return [(crop, float(one), light) for (crop, _, light), one in zip(known, far, strict=True)]


def watched(site: SiteCalibration, seen: Iterable[Far]) -> tuple[str, int, float | None]:
    """What is said at last, after how many bets, and when that was, seconds of the day."""
    holding, bets = Holding(site), 0
    for crop, distance, light in seen:
        bets += 1
        one = Bet("", holding.key, crop.at_s, crop.time_us, crop.place, distance, light)
        if holding.bet(one):
            return holding.said, bets, crop.at_s
    return "", bets, None


def rows(
    name: str, day: Simulation, names: Names, for_s: float
) -> Iterator[dict[str, str | float | None]]:
    """What is said of one scene after each change."""
    from_s = LEARN_S + CALIBRATED_S
    detector = fitted(day).detector
    site = calibrate(day, detector, names)
    how = Holding(site).sampling
    if how is None:
        yield {"scene": name, "said": site.said["site_p"]}
        return
    every = measured(site, vectors(taken(day, from_s, for_s), detector, names, Sampler(EVERY_S)))
    for kind, rate in (("live", LIVE), ("recorded", RECORDED)):
        void = sum(bool(watched(site, one)[0]) for one in _ways(every, how.share(rate)))
        yield {"scene": name, "change": "nothing", "as": kind, "ways": WAYS, "void": void}
    share = how.share(LIVE)
    same = [one for one in every if _is_chosen(one[0], share)]
    begins_s = from_s + CHANGED_S
    for what, change in (("nothing", None), *CHANGES.items()):
        seen = same
        if change is not None:
            frames = taken(day, begins_s, CHANGED_FOR_S, change)
            after = measured(site, vectors(frames, detector, names, Sampler(EVERY_S, share)))
            seen = [*(one for one in same if one[0].at_s < begins_s), *after]
        for kind, rate in (("live", LIVE), ("recorded", RECORDED)):
            fewer = [one for one in seen if _is_chosen(one[0], how.share(rate))]
            said, bets, at_s = watched(site, fewer)
            late = None if at_s is None else round((at_s - begins_s) / 60, 1)
            row = {"scene": name, "change": what, "as": kind, "bets": bets, "minutes": late}
            yield {**row, "a_minute": round(how.a_minute, 1), "said": said}


def _ways(every: Sequence[Far], share: float) -> Iterator[list[Far]]:
    """The crops of the same hour, chosen by other chances."""
    for way in range(WAYS):
        rng = np.random.default_rng(way)
        yield [one for one in every if rng.random() < share]


def _is_chosen(crop: Crop, share: float) -> bool:
    return chosen(int(crop.at_s // MINUTE_S), crop.place, share)


def waiting(seed: int, ways: int = 10) -> Iterator[dict[str, float | None]]:
    """How many scores a change takes that comes after so many in which nothing changed.

    Scores are exponential with spread 1, 80 of them are known, and 1.5 is added to all.
    """
    for quiet in (0, 150, 2_500, 10_000, 39_000):
        late: list[float] = []
        for way in range(ways):
            rng = np.random.default_rng((seed, way))
            betting = Betting(rng.exponential(size=80), seed=way, slack=SLACK)
            for number, score in enumerate(rng.exponential(size=quiet + 500)):
                if betting.see(float(score) + 1.5 * (number >= quiet), number):
                    late.append(number + 1 - quiet)
                    break
        told = float(np.median(late)) if len(late) == ways else None
        yield {"quiet": quiet, "ways": ways, "noticed": len(late), "scores": told}


def main() -> None:
    """Measure, and print a line of JSON for each scene and what happens there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="report")
    parser.add_argument("--scenes", default="")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--waiting", action="store_true")
    args = parser.parse_args()
    if args.waiting:
        for row in waiting(args.seed):
            print(json.dumps(row), flush=True)
        return
    cv2.setNumThreads(1)
    names = load_model(None, resolve_device("auto"), ModelOptions(), many_images=True)
    material = split(args.split)
    for name in args.scenes.split(",") if args.scenes else material.scenes:
        length_s = LEARN_S + CALIBRATED_S + 60 * args.minutes
        day = Simulation(scene(name), material.seed(args.seed), length_s)
        for row in rows(name, day, names, 60 * args.minutes):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
