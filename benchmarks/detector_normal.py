"""False events in hours of normal footage: slow light, passing shadows, shake, noise.

Every scene's hours are cut into parts of ten minutes, each watched from a fresh start. Parts that
were done before, with the same source, are read from the cache's folder, so that a run can be
stopped and taken up, or made longer.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.detector_runs import FPS, LEARNED, Options, in_processes, table
from benchmarks.looking import source_key, watched
from benchmarks.scoring import poisson

PART_S = 600.0


@dataclass(frozen=True, slots=True)
class _Part:
    options: Options
    scene: str
    number: int

    @property
    def done(self) -> Path | None:
        """Where its result is kept."""
        options = self.options
        if options.cache is None:
            return None
        name = f"{options.split}-{options.seed}-{self.scene}-{self.number}"
        settings = "".join(f"-{key}{value}" for key, value in sorted(options.settings.items()))
        return (
            options.cache
            / f"normal-{source_key(rules=True)}"
            / f"{options.detector}{settings}-{name}.json"
        )


def _watch(part: _Part) -> dict[str, Any]:
    done = part.done
    if done is not None and done.is_file():
        return json.loads(done.read_text())
    begin = LEARNED + round(part.number * PART_S * FPS)
    simulation = part.options.day(part.scene, begin / FPS + PART_S)
    detector = part.options.fitted(simulation)
    told = watched(simulation, detector.forgetful, begin)
    result = {
        "scene": part.scene,
        "number": part.number,
        "hours": PART_S / 3600,
        "events": [
            [round(one.opened_s, 1), round(one.lasts_s, 1), round(one.event.score, 2)]
            for one in told
            if not one.is_camera
        ],
        "camera": [one.event.name for one in told if one.is_camera],
    }
    if done is not None:
        done.parent.mkdir(parents=True, exist_ok=True)
        done.write_text(json.dumps(result))
    return result


def run(options: Options) -> dict[str, Any]:
    """Watch so many hours over all scenes, and print the rate with its interval."""
    each = max(1, round(options.hours * 3600 / PART_S / len(options.scenes)))
    parts = [_Part(options, scene, number) for number in range(each) for scene in options.scenes]
    done = []
    for result in in_processes(_watch, parts, options.jobs):
        done.append(result)
        told = [*result["events"], *result["camera"]]
        print(f"# {result['scene']} {result['number']}: {told}", flush=True)
    rows = [_row(scene, [one for one in done if one["scene"] == scene]) for scene in options.scenes]
    whole = _row("all", done)
    table([*rows, whole])
    return {"scenes": rows, "all": whole}


def _row(name: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    hours = sum(part["hours"] for part in parts)
    events = sum(len(part["events"]) for part in parts)
    low, high = poisson(events, hours)
    return {
        "scene": name,
        "hours": round(hours, 2),
        "false events": events,
        "per hour": round(events / hours, 3),
        "95% from": round(low, 3),
        "to": round(high, 3),
        "camera events": sum(len(part["camera"]) for part in parts),
    }
