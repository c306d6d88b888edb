"""How well the demo's objects were found and named, against what was truly there.

A name is right when it is one of the object's accepted words, or a kind that the object belongs
to ("bird" for a parrot), or a more special kind of it ("tabby" for a cat): a camera that says
"tabby" has seen the cat. Words that fit everything ("object", "artifact") are never right.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.demo.footage import DemoPlan, Placement
from detectors.types import Box

MIN_IOU = 0.3
WIDE = 0.06
"""Objects wider than this share of the frame are promised to be found."""

TOO_GENERAL = frozenset(
    {
        "abstraction",
        "artefact",
        "artifact",
        "being",
        "entity",
        "instrumentality",
        "instrumentation",
        "living thing",
        "matter",
        "object",
        "organism",
        "physical entity",
        "physical object",
        "thing",
        "unit",
        "whole",
    }
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """An event as the score sees it."""

    start_s: float
    end_s: float
    box: Box
    nouns: tuple[tuple[str, float], ...]
    """Names with their probabilities, the most probable first."""
    boxes: tuple[tuple[float, Box], ...] = ()
    """Where it was at which time, if known."""
    sure: bool = False
    """Whether its best noun was told as a fact."""
    headline: str = ""
    """What was told of it first."""
    headline_p: float | None = None
    """Probability of that; None where it says nothing."""
    told: str = ""
    """The noun, or else the kind, that was told as a fact; empty where neither was."""


@dataclass(frozen=True, slots=True)
class PlacementScore:
    """What became of one object."""

    noun: str
    accepts: tuple[str, ...]
    start_s: float
    end_s: float
    box: Box
    wide: bool
    event: int | None
    """Which event found it, counted from 0; None if none did."""
    iou: float
    """Of that event's box and the resting place; of the best event in its time if none found it."""
    named: str
    """The most probable noun of that event, empty if there is none."""
    p: float
    sure: bool
    """Whether that noun was told as a fact."""
    named_top1: bool
    named_top3: bool
    headline: str = ""
    """What was told first of it: that noun, its kind, or that it has no name."""
    headline_p: float | None = None
    told: str = ""
    """The noun, or else the kind, that was told of it as a fact; empty where neither was."""
    told_right: bool = False
    """Whether that is right."""


@dataclass(frozen=True, slots=True)
class DemoScore:
    """The demo in figures."""

    placements: tuple[PlacementScore, ...]
    placed: int
    placed_wide: int
    found: int
    found_wide: int
    told: int
    """Objects of which a noun or a kind was told as a fact, ..."""
    told_right: int
    """... and rightly."""
    named_top1: int
    """Objects whose likeliest noun is right, told as a fact or only a guess, ..."""
    named_top3: int
    """... and one of whose three likeliest is."""
    false_events: int
    normal_seconds: float


def score_demo(
    plan: DemoPlan, events: Iterable[Any], hypernyms: Mapping[str, Sequence[str]]
) -> DemoScore:
    """Compare the events of an audit with what the footage really held.

    Args:
        plan: What was placed.
        events: Objects or mappings with start_s, end_s, box, noun, p, candidates, and perhaps
            boxes ([[time_s, [x1, y1, x2, y2]], ...]).
        hypernyms: Every noun's kinds, for example {"parrot": ["bird"]}.

    Returns:
        One line for every placement, in order of time, and the totals. Each placement is found by
        the event of its time whose box fits its resting place best, if the IoU is 0.3 or more.
    """
    seen = [sighting(event) for event in events]
    lines = tuple(_line(placed, seen, hypernyms) for placed in plan.placements)
    found = [line for line in lines if line.event is not None]
    return DemoScore(
        placements=lines,
        placed=len(lines),
        placed_wide=sum(line.wide for line in lines),
        found=len(found),
        found_wide=sum(line.wide for line in found),
        told=sum(bool(line.told) for line in lines),
        told_right=sum(line.told_right for line in lines),
        named_top1=sum(line.named_top1 for line in lines),
        named_top3=sum(line.named_top3 for line in lines),
        false_events=sum(not _touches_any(event, plan.placements) for event in seen),
        normal_seconds=plan.normal_seconds,
    )


def is_right(
    noun: str,
    accepts: Iterable[str],
    hypernyms: Mapping[str, Sequence[str]],
    kinds: Iterable[str] = (),
) -> bool:
    """Whether a name fits a thing.

    Args:
        noun: The name given.
        accepts: The true noun and other words for the same thing.
        hypernyms: Every noun's kinds.
        kinds: Kinds of the true noun that count whatever `hypernyms` holds.
    """
    name = _plain(noun)
    if not name or name in TOO_GENERAL:
        return False
    words = {_plain(word) for word in accepts}
    if name in words or name in {_plain(kind) for kind in kinds}:
        return True
    true_kinds = {_plain(kind) for word in words for kind in hypernyms.get(word, ())}
    own_kinds = {_plain(kind) for kind in hypernyms.get(noun, hypernyms.get(name, ()))}
    return name in true_kinds or not words.isdisjoint(own_kinds)


def sighting(event: Any) -> Sighting:  # noqa: ANN401  # events come as dataclasses and as JSON
    """Read an event, whether it is a mapping or an object."""
    candidates = [(str(noun), float(p)) for noun, p in _field(event, "candidates", ())]
    if not candidates and _field(event, "noun", ""):
        candidates = [(str(_field(event, "noun", "")), float(_field(event, "p", 0.0)))]
    trail = _field(event, "boxes", ())
    return Sighting(
        start_s=float(_field(event, "start_s", 0.0)),
        end_s=float(_field(event, "end_s", 0.0)),
        box=_box(_field(event, "box", (0, 0, 0, 0))),
        nouns=tuple(candidates),
        boxes=tuple((float(time_s), _box(box)) for time_s, box in trail),
        sure=bool(_field(event, "sure", False)),
        headline=str(_field(event, "headline", "")),
        headline_p=_field(event, "headline_p", None),
        told=_told(event, candidates),
    )


def _told(event: Any, candidates: Sequence[tuple[str, float]]) -> str:  # noqa: ANN401
    """The noun or the kind that was told of an event as a fact; empty where neither was."""
    if _field(event, "sure", False):
        return candidates[0][0] if candidates else ""
    kind = _field(event, "thing", None) or _field(event, "is_a", None)
    return _field(kind, "noun", "") or _field(kind, "kind", "") if _field(kind, "sure", 0) else ""


def _line(
    placed: Placement, seen: Sequence[Sighting], hypernyms: Mapping[str, Sequence[str]]
) -> PlacementScore:
    iou, event = max(
        ((_fit(one, placed), number) for number, one in enumerate(seen) if _meets(one, placed)),
        key=lambda pair: (pair[0], -pair[1]),
        default=(0.0, -1),
    )
    found = iou >= MIN_IOU
    nouns = seen[event].nouns if found else ()
    right = [is_right(noun, placed.accepts, hypernyms, placed.kinds) for noun, _ in nouns[:3]]
    told = seen[event].told if found else ""
    return PlacementScore(
        noun=placed.noun,
        accepts=placed.accepts,
        start_s=placed.enter_s,
        end_s=placed.gone_s,
        box=placed.box,
        wide=placed.width_share > WIDE,
        event=event if found else None,
        iou=iou,
        named=nouns[0][0] if nouns else "",
        p=nouns[0][1] if nouns else 0.0,
        sure=found and seen[event].sure,
        named_top1=any(right[:1]),
        named_top3=any(right),
        headline=seen[event].headline if found else "",
        headline_p=seen[event].headline_p if found else None,
        told=told,
        told_right=is_right(told, placed.accepts, hypernyms, placed.kinds),
    )


def _meets(event: Sighting, placed: Placement) -> bool:
    return event.start_s < placed.gone_s and event.end_s > placed.enter_s


def _fit(event: Sighting, placed: Placement) -> float:
    return event.box.iou(placed.box)


def _touches_any(event: Sighting, placements: Iterable[Placement]) -> bool:
    """Whether the event overlaps something that was placed, at a time when it was there."""
    return any(_meets(event, placed) and _touches(event, placed) for placed in placements)


def _touches(event: Sighting, placed: Placement) -> bool:
    if event.box.overlap(placed.swept) > 0:
        return True
    return any(
        (there := placed.box_at(time_s)) is not None and box.overlap(there) > 0
        for time_s, box in event.boxes
    )


def _field(event: Any, name: str, default: Any) -> Any:  # noqa: ANN401
    if isinstance(event, Mapping):
        return event.get(name, default)
    return getattr(event, name, default)


def _box(value: Any) -> Box:  # noqa: ANN401
    if isinstance(value, Box):
        return value
    x1, y1, x2, y2 = (float(edge) for edge in value)
    return Box(x1, y1, x2, y2)


def _plain(noun: str) -> str:
    return noun.replace("_", " ").strip().lower()
