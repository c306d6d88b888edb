"""`nomaly inspect`: learn what good images look like, then tell which of others are not."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from app.errors import UsageError
from app.events.outputs import write_text
from app.inspecting.card import read_card, write_card
from app.inspecting.figures import figures
from app.inspecting.judged import Inspection, Judged, as_csv
from app.inspecting.judging import Judge, verdict
from app.inspecting.layout import Layout, good_images
from app.inspecting.learning import Taught, Teaching, suited, teach
from app.inspecting.page import write_page
from app.inspecting.pictures import load_good, usual_size
from app.inspecting.place import DETECTOR, HEAT, RESULTS, TABLE, claim
from app.inspecting.request import FitRequest, InspectRequest
from app.inspecting.shift import told_shift
from app.paths import shown_path
from app.progress import Reporter
from app.stop import stoppable
from app.watching.keeping import put_detector
from detectors.build import load_detector
from detectors.files import read_facts
from novic.device import resolve_device
from novic.model import ModelOptions, NounModel, load_model


def fit_stills(folder: Path, out: Path, request: FitRequest, reporter: Reporter) -> Taught:
    """Learn from a folder of good images, and keep the detector.

    Raises:
        UsageError: If the folder holds no images.
        detectors.base.DetectorError: If they are too few, or the detector cannot be written.
        KeyboardInterrupt: On Ctrl-C; nothing is kept then.
    """
    paths = good_images(folder)
    with stoppable(reporter.say) as stop:
        taught = _taught(paths, request, reporter, stop.check)
    put_detector(taught.detector, out)
    write_card(taught.card, out)
    return taught


def inspect(request: InspectRequest, reporter: Reporter) -> Inspection:
    """Judge the images of a folder, and write report, table, results and maps.

    Ctrl-C ends it with what was judged so far.

    Raises:
        UsageError: If there is nothing to inspect or to learn from.
        detectors.base.DetectorError: If no detector can be fitted or loaded.
        app.errors.StoreError: If results cannot be written.
    """
    layout = request.layout()
    device = resolve_device(request.device)
    loaded = None if request.detector is None else _loaded(request.detector, device)
    claim(request.out)
    with stoppable(reporter.say) as stop:
        taught = loaded or _taught(layout.good, request.fit, reporter, stop.check)
        place = request.detector or request.out / DETECTOR
        if loaded is None:
            taught.detector.save(place)
            write_card(taught.card, place)
        names = _names(request, device, reporter) if request.names else None
        judge = Judge(taught, names, request.out / HEAT, reporter.say)
        images, stopped = _judged(judge, layout, reporter, stop.check)
        judge.note(told_shift(images, taught.card))
    inspection = Inspection(
        folder=shown_path(request.folder),
        detector=shown_path(place),
        kind=taught.kind,
        card=taught.card,
        images=images,
        figures=figures([verdict(one) for one in images if _counts(one)], judge.pixels),
        notes=tuple(judge.notes),
        seconds=judge.seconds,
        stopped=stopped,
    )
    _write(inspection, request, reporter)
    return inspection


def _taught(
    paths: Sequence[Path], request: FitRequest, reporter: Reporter, check: Callable[[], None]
) -> Taught:
    size = usual_size(paths)
    if size is None:
        raise UsageError(f"{shown_path(paths[0].parent)}: none of its images can be read")
    with reporter.task("Reading good images", len(paths)) as meter:

        def done(count: int) -> None:
            check()
            meter.to(count)

        images = load_good(paths, size, reporter.say, done)
    device = resolve_device(request.device)
    config = suited(request, images)
    return teach(images, Teaching(config, request.share, device, reporter, check))


def _loaded(folder: Path, device: torch.device) -> Taught:
    if not folder.exists():
        raise UsageError(f"--detector {shown_path(folder)}: there is no such folder")
    detector = load_detector(folder, device)
    return Taught(detector, read_card(folder), str(read_facts(folder)["kind"]))


def _names(request: InspectRequest, device: torch.device, reporter: Reporter) -> NounModel:
    with reporter.task("Loading the namer"):
        options = ModelOptions(embedder=request.embedder)
        return load_model(request.model, device, options, many_images=True)


def _judged(
    judge: Judge, layout: Layout, reporter: Reporter, check: Callable[[], None]
) -> tuple[tuple[Judged, ...], bool]:
    """The images that were judged, and whether Ctrl-C came before the last."""
    images: list[Judged] = []
    with reporter.task("Inspecting", len(layout.stills)) as meter:
        try:
            for judged in judge.judge(layout.stills, check):
                images.append(judged)
                meter.to(len(images), f"{sum(one.unusual for one in images)} defective")
        except KeyboardInterrupt:
            return tuple(images), True
    return tuple(images), False


def _counts(judged: Judged) -> bool:
    return not judged.error and judged.still.defective is not None


def _write(inspection: Inspection, request: InspectRequest, reporter: Reporter) -> None:
    out = request.out
    told = json.dumps(inspection.as_json(), ensure_ascii=False, indent=1)
    write_text(out / RESULTS, told + "\n")
    write_text(out / TABLE, as_csv(inspection.images))
    with reporter.task("Writing the report", None):
        write_page(inspection, out)
