"""How well does a detector watch a fixed camera? Footage of the simulator, the product's own path.

    python -m benchmarks.detector recall            # things of 2 to 20% of the width
    python -m benchmarks.detector normal --hours 1  # false events, with a 95% interval
    python -m benchmarks.detector restless --hours 6   # what comes where a promise has to give way
    python -m benchmarks.detector nuisances         # rain, a nudge, dusk, ...
    python -m benchmarks.detector movers            # learned, fast, crossing, touching, staying
    python -m benchmarks.detector missing           # what was learned and is taken away
    python -m benchmarks.detector contaminated      # somebody walked by while it learned
    python -m benchmarks.detector sides             # more pixels for the network
    python -m benchmarks.detector speed             # time and memory, anomalib's beside it

Tune on `--split dev`, report on `--split report` or on a number of your own. `--cache FOLDER` keeps
detectors and maps, so that a second run with other boxes, tracks or rules takes seconds.
"""

import argparse
import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    detector_contaminated,
    detector_missing,
    detector_movers,
    detector_normal,
    detector_nuisances,
    detector_recall,
    detector_restless,
    detector_sides,
    detector_speed,
)
from benchmarks.detector_runs import Options, as_json
from benchmarks.scenes import material

PARTS: dict[str, Callable[[Options], dict[str, Any]]] = {
    "recall": detector_recall.run,
    "normal": detector_normal.run,
    "restless": detector_restless.run,
    "nuisances": detector_nuisances.run,
    "movers": detector_movers.run,
    "missing": detector_missing.run,
    "contaminated": detector_contaminated.run,
    "sides": detector_sides.run,
    "speed": detector_speed.run,
}


def main() -> None:
    """Run one part; print its table and one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--split", default="dev", help="dev, report or a whole number")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scenes", help="comma-separated; default: all of the split")
    parser.add_argument("--cache", type=Path, help="folder for detectors and maps")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--detector", default="padim", help="its kind")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--no-stamps", action="store_true", help="the package's cut-outs only")
    parser.add_argument("--objects", type=int, default=8, help="of each size and scene")
    parser.add_argument("--seconds", type=float, default=300, help="of each nuisance")
    parser.add_argument("--hours", type=float, default=1, help="of normal footage, all scenes")
    parser.add_argument(
        "--names", help="comma-separated nuisances, movers or parts of speed; default: all"
    )
    parser.add_argument("--widths", default="0.06", help="of things in nuisances, of the frame's")
    read = parser.parse_args()
    options = Options(
        split=read.split,
        seed=read.seed,
        scenes=tuple(read.scenes.split(",")) if read.scenes else material(read.split).scenes,
        cache=read.cache,
        jobs=read.jobs,
        detector=read.detector,
        settings=dict(pair.split("=", 1) for pair in read.set),
        stamps=not read.no_stamps,
        objects=read.objects,
        seconds=read.seconds,
        hours=read.hours,
        names=tuple(read.names.split(",")) if read.names else (),
        widths=tuple(float(width) for width in read.widths.split(",")),
    )
    with contextlib.redirect_stdout(io.StringIO()) if read.json else contextlib.nullcontext():
        result = PARTS[read.part](options)
    print(as_json(read.part, options, result))


if __name__ == "__main__":
    main()
