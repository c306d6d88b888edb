"""How good is the whole at telling what should not be there, beside what others would build?

`nomaly evaluate pipeline` on the simulator's scenes of a split, with photographic stamps of
`tuxpaint-stamps-default` for things, as the package's own cut-outs are few. Only stamps take part
whose label is a noun that the shipped decoder can say; each comes once.

    python -m benchmarks.pipeline --split report --things 10 --out FOLDER [--json]

Nothing of the product may be chosen by what `--split report` says.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.commands.pipeline import print_result
from app.evaluating.pipeline.auditing import Looking
from app.evaluating.pipeline.run import PipelineRequest, evaluate_pipeline
from app.evaluating.pipeline.simulated import Drawn, simulated_days
from app.progress import Reporter
from app.simulator.places import Place
from app.simulator.things import TALLEST, Thing, lying, tall
from benchmarks.naming import Stamp, find_stamps
from benchmarks.scenes import Material, material
from detectors.configs import PadimConfig
from novic.bundle import load_bundle
from novic.model import starter_bundle_path


def main() -> None:
    """Measure; print the table and one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--split", default="dev", help="dev, report or a whole number")
    parser.add_argument("--things", type=int, default=10, help="in each scene")
    parser.add_argument("--scenes", help="comma-separated; default: all of the split")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    drawn = material(args.split)
    scenes = args.scenes.split(",") if args.scenes else ()
    days = simulated_days(drawn.split, scenes, args.things, draw=drawing(drawn))
    looking = Looking(config=PadimConfig())
    request = PipelineRequest(out=args.out, looking=looking, days=tuple(days), true_nouns=True)
    done = evaluate_pipeline(request, Reporter(quiet=args.json))
    if not args.json:
        print_result(done, args.out)
    print(json.dumps(done.as_json()))


def drawing(drawn: Material) -> Drawn:
    """Draws each stamp of a split once, those first that fit."""
    left = _in_order(drawn)

    def draw(place: Place, width: float, _: np.random.Generator) -> Thing:
        for stamp in list(left):
            thing = replace(lying(stamp.noun, width, (0.5, 0.5), 0.0), picture=stamp.path)
            # Taller ones are drawn again later, when they may be narrower.
            if tall(thing, place.size) < TALLEST:
                left.remove(stamp)
                return thing
        raise SystemExit("there are not so many stamps; ask for fewer --things")

    return draw


def _in_order(drawn: Material) -> list[Stamp]:
    nouns = frozenset(load_bundle(starter_bundle_path()).tokens.nouns)
    own = set(drawn.stamps)
    stamps = [stamp for stamp in find_stamps(nouns) if stamp.path in own]
    rng = np.random.default_rng((drawn.split.first_seed, 29))
    return [stamps[number] for number in rng.permutation(len(stamps)).tolist()]


if __name__ == "__main__":
    main()
