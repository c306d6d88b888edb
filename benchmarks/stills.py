"""How well do detectors judge stills, and is the promised share of good ones kept?

Without folders: surfaces and parts of `app.simulator.stills` (photographs of scikit-image with
drawn defects). Each detector learns from the good images alone, chooses its threshold on them, and
judges others, all by the path of `nomaly inspect`. The speed is limited by the backbone. Surfaces
are judged in the other half of their photograph, with `--one-piece` in the half that was learned.
Solar cells: `benchmarks.elpv`.

    python -m benchmarks.stills [FOLDER ...] [--items brick,cup] [--kinds padim,diagonal] [--seed 1]
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.inspecting.judged import Inspection
from app.inspecting.request import SHARE, FitRequest, InspectRequest, stills_config
from app.inspecting.run import inspect
from app.progress import Reporter
from app.simulator.stills import PARTS, SURFACES, StillsPlan, write_stills
from novic.intervals import Estimate

COLUMNS = ("image AUROC", "best F1", "pixel AUROC", "AUPRO", "AP50", "found", "wrong", "ms", "MB")


def folders(
    named: Sequence[str], plans: Sequence[StillsPlan], work: Path
) -> Iterator[tuple[str, Path]]:
    """What is measured on: names and folders in MVTec AD's layout; plans if none are named."""
    for one in named:
        yield Path(one).name, Path(one)
    if named:
        return
    for plan in plans:
        write_stills(plan, work / plan.item)
        yield plan.item, work / plan.item


def measure(folder: Path, kind: str, settings: Sequence[str], work: Path) -> Inspection:
    """Learn and judge one folder with one kind of detector."""
    values = dict(setting.split("=", 1) for setting in settings)
    fit = FitRequest(config=stills_config(kind, values), share=SHARE)
    request = InspectRequest(folder=folder, out=work, detector=None, fit=fit, names=False)
    return inspect(request, Reporter(quiet=True))


def row(done: Inspection, detector: Path) -> list[str]:
    """The figures of one inspection as text, see COLUMNS."""
    figures = done.figures
    if figures is None:
        raise SystemExit(f"{done.folder}: holds no test/good beside defects")
    pixels = figures.pixels
    megabytes = sum(file.stat().st_size for file in detector.iterdir()) / 1e6
    return [
        _text(figures.auroc),
        _text(figures.f1),
        _text(pixels.auroc if pixels else None),
        _text(pixels.aupro if pixels else None),
        "-" if figures.ap50 is None else f"{figures.ap50:.3f}",
        f"{figures.found}/{figures.defective}",
        f"{figures.wrong}/{figures.good}",
        f"{1000 * done.seconds / max(len(done.worst_first), 1):.0f}",
        f"{megabytes:.1f}",
    ]


def _text(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.3f} ({estimate.low:.2f}-{estimate.high:.2f})"


def main() -> None:
    """Print a table, and JSON if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--kinds", default="padim,diagonal")
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--items", default=",".join((*SURFACES, *PARTS)))
    parser.add_argument("--one-piece", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    plans = [
        StillsPlan(item, asked.seed, one_piece=asked.one_piece) for item in asked.items.split(",")
    ]
    told: dict[str, Any] = {}
    print("|", " | ".join(("item", "detector", *COLUMNS)), "|", flush=True)
    print("|", "---|" * (2 + len(COLUMNS)), sep="", flush=True)
    with TemporaryDirectory() as place:
        for name, folder in folders(asked.folders, plans, Path(place)):
            for kind in asked.kinds.split(","):
                out = Path(place) / f"{name}-{kind}"
                done = measure(folder, kind, asked.setting, out)
                cells = row(done, out / "detector")
                print("|", " | ".join((name, kind, *cells)), "|", flush=True)
                told[f"{name} {kind}"] = done.figures.as_json() if done.figures else None
    if asked.json:
        print(json.dumps(told))


if __name__ == "__main__":
    main()
