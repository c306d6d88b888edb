"""The report of an evaluation: tables, and recall and scores drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader

from app.evaluating.recordings import EvaluatedAudit
from app.events.outputs import write_text
from app.inspecting.judged import Inspection
from calibration.events import SIZES
from novic.intervals import Estimate

PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Bar:
    """The recall of things of one size."""

    label: str
    share: Estimate
    tight: tuple[tuple[float, float], ...]
    """(IoU, share) that a sighting covers so well."""


def write_page(stills: Sequence[Inspection], audits: Sequence[EvaluatedAudit], out: Path) -> None:
    """Write the report into the folder.

    Raises:
        app.errors.StoreError: If it cannot be written.
    """
    loader = ChoiceLoader([PackageLoader("app.evaluating", "."), PackageLoader("app.report", ".")])
    page = Environment(loader=loader, autoescape=True, trim_blocks=True).get_template(
        "evaluation.html.j2"
    )
    write_text(
        out / PAGE,
        page.render(
            stills=[(one, _place(one, out)) for one in stills],
            audits=[(one, bars(one)) for one in audits],
        ),
    )


def bars(audit: EvaluatedAudit) -> list[Bar]:
    """Recall by size, all sizes last."""
    figures = audit.figures
    return [
        Bar(
            f"{100 * size:g}%" if size else "all",
            figures.recall[size],
            tuple((iou, shares[size]) for iou, shares in figures.tight.items()),
        )
        for size in (*SIZES, 0.0)
        if size in figures.recall
    ]


def _place(done: Inspection, out: Path) -> str:
    """The report of one inspection, from this page on."""
    return (Path(done.detector).parent / PAGE).relative_to(out).as_posix()
