"""`nomaly demo`: footage with known intruders, an ordinary audit, and truth beside findings."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.demo.footage import DemoPlan, plan_demo, write_footage, write_truth
from app.demo.score import DemoScore, score_demo
from app.errors import UsageError
from app.events.outputs import claim_folder
from app.progress import Reporter
from app.watching.audit import AuditRequest, audit
from app.watching.results import AuditResult
from novic.bundle import load_bundle
from novic.model import starter_bundle_path


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo placed, and what the audit made of it."""

    plan: DemoPlan
    audited: AuditResult
    score: DemoScore

    def as_json(self) -> dict[str, Any]:
        """The summary as scripts read it; keys are stable."""
        score = self.score
        return {
            "placed": score.placed,
            "placed_wide": score.placed_wide,
            "found": score.found,
            "found_wide": score.found_wide,
            "told": score.told,
            "told_right": score.told_right,
            "named_top1": score.named_top1,
            "named_top3": score.named_top3,
            "false_events": score.false_events,
            "normal_seconds": round(score.normal_seconds, 1),
            "stopped": self.audited.stopped,
            "fps": round(self.audited.fps, 2),
            "video": str(self.audited.out.parent / "watch.mp4"),
            "report": str(self.audited.out / "report.html"),
        }


def run_demo(
    out: Path, seed: int, device: str, reporter: Reporter, *, overwrite: bool
) -> DemoResult:
    """Make the footage and audit it as any other video.

    Args:
        out: Folder for `watch.mp4`, `truth.json` and the audit's results.
        seed: Another number draws another demo.
        device: Where models run.
        reporter: Told what is going on.
        overwrite: Replace an earlier demo.

    Raises:
        app.simulator.photos.PhotoError: If a package with photographs is missing.
        UsageError, SourceError, DetectorError, StoreError: As from an audit.
    """
    results, video, truth = out / "audit", out / "watch.mp4", out / "truth.json"
    plan = plan_demo(seed)
    if not overwrite:
        _check_folder(out, truth, seed)
    claim_folder(results, overwrite=overwrite)
    if overwrite or not truth.exists():
        part = out / "watch.part.mp4"
        with reporter.task("Filming the demo") as meter:
            write_footage(plan, part, meter.count)
        part.replace(video)
        write_truth(plan, truth)
    request = AuditRequest(videos=(video,), out=results, normal_first_s=plan.learn_s, device=device)
    audited = audit(request, reporter)
    hypernyms = load_bundle(starter_bundle_path()).hypernyms
    things = [event for event in audited.events if event.kind == "object"]
    return DemoResult(plan, audited, score_demo(plan, things, hypernyms))


def _check_folder(out: Path, truth: Path, seed: int) -> None:
    """Refuse a folder that holds something else than this very demo.

    Raises:
        UsageError: If so.
    """
    if truth.exists():
        made = json.loads(truth.read_text(encoding="utf-8"))["seed"]
        if made != seed:
            raise UsageError(
                f"--out {out}: holds the demo of seed {made}; "
                "name another folder, or use --overwrite to replace it"
            )
    elif out.is_dir() and {entry.name for entry in out.iterdir()} - {"audit", "watch.part.mp4"}:
        raise UsageError(f"--out {out}: holds other files; name a new or empty folder")
