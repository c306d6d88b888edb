"""The report of an inspection: one page that needs nothing else, the worst images first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader
from PIL import Image

from app.events.outputs import write_text
from app.inspecting.judged import Inspection, Judged
from app.inspecting.layout import GOOD
from app.inspecting.place import PAGE
from app.report.pictures import Room, address, embedded
from novic.images import ImageError, read_image

LARGE, SMALL = Room(640, 40_000), Room(320, 9_000)
HEAT = Room(96, 2_500)
MOST_LARGE = 60
"""Images that may have the larger pictures."""
MOST_SHOWN = 400
"""Images that have a picture; all are in the table."""
MOST_GOOD = 60
"""Of those that were called good."""
REACHES = (1.5, 3.0)
"""Right ends of the drawing of scores: the near one if all lie before it. Higher ones than the far
one are drawn there."""


@dataclass(frozen=True, slots=True)
class Card:
    """One image of the page."""

    judged: Judged
    picture: str
    heat: str
    """Data addresses; empty if there is none."""
    boxes: tuple[str, ...]
    """As CSS puts them on the picture."""
    shape: float
    """Width over height."""
    wrong: bool
    """Whether it is known to be judged wrongly."""

    @property
    def title(self) -> str:
        """What stands above it."""
        return self.judged.named.headline if self.judged.named else self.judged.still.path.name


@dataclass(frozen=True, slots=True)
class Lane:
    """The scores of one kind, drawn in a row."""

    kind: str
    images: int
    unusual: int
    at: tuple[float, ...]
    """Where each score lies, per cent of the row."""


def write_page(inspection: Inspection, out: Path) -> None:
    """Write the report into the folder.

    Raises:
        app.errors.StoreError: If it cannot be written.
    """
    write_text(out / PAGE, render(inspection, out))


def render(inspection: Inspection, out: Path) -> str:
    """The whole page; maps are read from the folder."""
    ordered = inspection.worst_first
    bad = [one for one in ordered if one.unusual]
    good = [one for one in ordered if not one.unusual]
    shown_bad, shown_good = bad[:MOST_SHOWN], good[:MOST_GOOD]
    large = len(shown_bad) <= MOST_LARGE
    near, far = REACHES
    reach = near if all(one.score <= near for one in ordered) else far
    loader = ChoiceLoader([PackageLoader("app.inspecting", "."), PackageLoader("app.report", ".")])
    page = Environment(loader=loader, autoescape=True, trim_blocks=True).get_template(
        "inspection.html.j2"
    )
    return page.render(
        inspection=inspection,
        title=Path(inspection.folder).name or inspection.folder,
        judged=len(ordered),
        bad=[_card(one, out, LARGE if large else SMALL) for one in shown_bad],
        all_bad=len(bad),
        good=[_card(one, out, SMALL) for one in shown_good],
        all_good=len(good),
        kinds=Counter(one.still.kind for one in shown_bad if one.still.kind).most_common(),
        lanes=lanes(ordered, reach),
        reach=reach,
        figures=inspection.figures,
    )


def lanes(judged: Sequence[Judged], reach: float) -> list[Lane]:
    """The scores of every kind, good ones first, those without a kind together.

    Args:
        judged: Images.
        reach: Score at the right end.
    """
    kinds: dict[str, list[Judged]] = {}
    for one in sorted(judged, key=lambda one: (one.still.kind != GOOD, one.still.kind)):
        kinds.setdefault(one.still.kind, []).append(one)
    return [
        Lane(
            kind,
            len(images),
            sum(one.unusual for one in images),
            tuple(round(100 * min(one.score / reach, 1.0), 2) for one in images),
        )
        for kind, images in kinds.items()
    ]


def _card(judged: Judged, out: Path, room: Room) -> Card:
    height, width = judged.size
    known = judged.still.defective
    return Card(
        judged,
        _picture(judged.still.path, room),
        embedded(out / judged.heat, HEAT) if judged.heat else "",
        tuple(
            f"left:{100 * box.x1 / width:.2f}%;top:{100 * box.y1 / height:.2f}%;"
            f"width:{100 * box.width / width:.2f}%;height:{100 * box.height / height:.2f}%"
            for box in (one.box for one in judged.defects)
        ),
        width / height,
        known is not None and known != judged.unusual,
    )


def _picture(path: Path, room: Room) -> str:
    try:
        return address(Image.fromarray(read_image(str(path))), room)
    except ImageError:
        # It was there a moment ago.
        return ""
