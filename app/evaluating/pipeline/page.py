"""The report: the table, every thing with what each row called it, and the boxes on nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader

from app.evaluating.pipeline.outcome import Fate, PipelineResult, Row, ToldThing
from app.evaluating.pipeline.place import PAGE
from app.evaluating.pipeline.views import shown
from app.events.outputs import write_text
from app.report.pictures import Room, address
from calibration.events import TrueThing

ROOM = Room(128, 3_500)
MOST_FALSE = 40
"""Boxes on nothing that are shown of each row."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one row called a thing."""

    noun: str
    verdict: str
    """missed, named, meant, kind or wrong."""
    steps: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing."""

    recording: str
    thing: TrueThing
    picture: str
    """Data address of its crop, as the first row that found it saw it; empty if none did."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """A box on nothing."""

    recording: str
    one: ToldThing
    picture: str


def write_page(done: PipelineResult, out: Path) -> None:
    """Write the report into the folder.

    Raises:
        app.errors.StoreError: If it cannot be written.
    """
    write_text(out / PAGE, render(done))


def render(done: PipelineResult) -> str:
    """The whole page, which needs nothing else."""
    folders = ("app.evaluating.pipeline", "app.evaluating", "app.report")
    loader = ChoiceLoader([PackageLoader(folder, ".") for folder in folders])
    page = Environment(loader=loader, autoescape=True, trim_blocks=True).get_template(
        "pipeline.html.j2"
    )
    nothing = [(row, _nothing(row)) for row in done.rows]
    return page.render(done=done, lines=_lines(done), nothing=nothing, most=MOST_FALSE)


def _lines(done: PipelineResult) -> list[Line]:
    return [
        Line(recording, thing, _first_picture(fates), tuple(map(_cell, fates)))
        for recording, things in done.things.items()
        for place, thing in enumerate(things)
        for fates in [[row.fates[recording][place] for row in done.rows]]
    ]


def _cell(fate: Fate) -> Cell:
    if fate.told is None:
        return Cell("", "missed", None)
    kinds = ((fate.named, "named"), (fate.meant, "meant"), (fate.steps is not None, "kind"))
    verdict = next((name for holds, name in kinds if holds), "wrong")
    return Cell(fate.told.box.noun, verdict, fate.steps)


def _first_picture(fates: Sequence[Fate]) -> str:
    told = (fate.told for fate in fates)
    return next((seen for one in told if one is not None and (seen := _picture(one))), "")


def _picture(one: ToldThing) -> str:
    image = None if one.pictures is None else shown(one.pictures.views())
    return "" if image is None else address(image, ROOM)


def _nothing(row: Row) -> list[Nothing]:
    every = [(recording, one) for recording, own in row.false.items() for one in own]
    return [Nothing(recording, one, _picture(one)) for recording, one in every[:MOST_FALSE]]
