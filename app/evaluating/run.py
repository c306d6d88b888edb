"""`nomaly evaluate detector`: detectors on stills with labels, and on recordings with truth."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import UsageError
from app.evaluating.page import write_page
from app.evaluating.place import AUDIT, RESULTS
from app.evaluating.recordings import EvaluatedAudit, evaluate_audit
from app.evaluating.truth import read_truth
from app.events.outputs import write_text
from app.events.schema import STORE
from app.inspecting.judged import Inspection
from app.inspecting.layout import read_layout
from app.inspecting.request import FitRequest, InspectRequest
from app.inspecting.run import inspect
from app.paths import shown_path
from app.progress import Reporter
from app.sources.folder import find_videos
from app.watching.audit import audit
from app.watching.audit_request import AuditRequest
from detectors.configs import DetectorConfig


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured."""

    stills: tuple[Inspection, ...] = ()
    audits: tuple[EvaluatedAudit, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As scripts read it; keys are stable."""
        without = {"images", "notes"}
        return {
            "stills": [
                {key: value for key, value in one.as_json().items() if key not in without}
                for one in self.stills
            ],
            "audits": [one.as_json() for one in self.audits],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LookingRequest:
    """How a recording is audited."""

    config: DetectorConfig
    """What a detector that learns is made of."""
    detector: Path | None = None
    """One that has learned."""
    normal_first_s: float | None = None
    """Or: seconds of the start that are normal."""
    fps: float = 5.0
    device: str = "auto"


def evaluate_stills(
    folders: Sequence[Path], fits: Sequence[FitRequest], out: Path, reporter: Reporter
) -> Evaluation:
    """Learn each folder's train/good with each kind of detector, and measure it on its test.

    Each leaves a report of its own below `out`.

    Raises:
        UsageError: If a folder lacks train/good, test/good or defects.
        app.errors.StoreError: If results cannot be written.
    """
    for folder in folders:
        layout = read_layout(folder)
        if not layout.good or not layout.labelled:
            raise UsageError(
                f"{shown_path(folder)}: must hold train/good, test/good and test/KIND of defects "
                "(MVTec AD); for a recording say --truth FILE"
            )
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        raise UsageError("two folders have one name, so their results would share a place")
    done: list[Inspection] = []
    for folder, name in zip(folders, names, strict=True):
        for fit in fits:
            place = out / f"{name}-{fit.config.kind}"
            request = InspectRequest(
                folder=folder, out=place, detector=None, fit=fit, names=False, device=fit.device
            )
            done.append(inspect(request, reporter))
            if done[-1].stopped:
                raise KeyboardInterrupt
    return _kept(Evaluation(stills=tuple(done)), out)


def evaluate_recording(
    data: Path | AuditRequest, truth: Path, out: Path, reporter: Reporter
) -> Evaluation:
    """Measure an audit, which is run if it was not yet.

    Args:
        data: Folder of an audit, or the audit to run.
        truth: See `app.evaluating.truth`.
        out: Folder for the results.
        reporter: Told how far it is.

    Raises:
        app.evaluating.truth.TruthError: If the truth cannot be read.
        UsageError: If there is no audit to measure.
    """
    things = read_truth(truth)
    if isinstance(data, AuditRequest):
        if audit(data, reporter).stopped:
            raise KeyboardInterrupt
        data = data.out
    return _kept(Evaluation(audits=(evaluate_audit(data, things),)), out)


def audit_of(data: Path, out: Path, looking: LookingRequest) -> Path | AuditRequest:
    """The folder of an audit, or the audit to run for one.

    Args:
        data: Such a folder, or a recording.
        out: Folder for the results.
        looking: How.

    Raises:
        UsageError: If the recording is none, or more than one.
    """
    if (data / STORE).is_file():
        return data
    videos = find_videos([data], lambda _: None)
    request = AuditRequest(
        videos=tuple(videos),
        out=out / AUDIT,
        detector=looking.detector,
        normal_first_s=looking.normal_first_s,
        detector_config=looking.config,
        fps=looking.fps,
        device=looking.device,
        draw=False,
    )
    request.check()
    return request


def _kept(evaluation: Evaluation, out: Path) -> Evaluation:
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / RESULTS, json.dumps(evaluation.as_json(), indent=1) + "\n")
    write_page(evaluation.stills, evaluation.audits, out)
    return evaluation
