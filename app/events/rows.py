"""How an event lies in its row of the store."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from app.events.event import Event, Part, box_sides
from calibration.belonging import Evidence
from detectors.types import Box
from novic.vocabulary import ThingKind
from scenarios.belonging_rule import BelongingRule

type Row = dict[str, Any]


def row_of(event: Event) -> Row:
    """The columns of an event, without its run and its candidates."""
    values = asdict(event)
    del values["box"], values["frame_size"], values["candidates"]
    # Clips are noted by who makes them (app.events.clips), often after the event's last word.
    del values["clip_from_us"]
    values["raw_p"] = json.dumps(event.raw_p) if event.raw_p else None
    values["moved_from"] = event.moved_from and json.dumps(box_sides(event.moved_from))
    values["thing"] = event.thing and json.dumps(asdict(event.thing))
    values["evidence"] = event.evidence and json.dumps(event.evidence.as_json())
    values["belonging"] = event.belonging.model_dump_json()
    return values | shown(event)


def shown(event: Event) -> Row:
    """What an event says of its pictures, by column."""
    height, width = event.frame_size
    parts = [(*box_sides(one.box), one.p) for one in event.parts]
    return {
        **asdict(event.box),
        "frame_height": height,
        "frame_width": width,
        "snapshot_s": event.snapshot_s,
        "parts": json.dumps(parts) if parts else None,
    }


def event_of(row: Row, candidates: Iterable[tuple[str, float]]) -> Event:
    """The event of a row, which is used up."""
    del row["run_id"], row["keep"]
    raw_p = tuple(json.loads(row.pop("raw_p") or "[]"))
    parts = json.loads(row.pop("parts") or "[]")
    moved_from, thing = row.pop("moved_from"), row.pop("thing")
    evidence, belonging = row.pop("evidence"), row.pop("belonging")
    return Event(
        **{name: row.pop(name) for name in ("id", "camera", "video", "state")},
        box=Box(*(row.pop(side) for side in ("x1", "y1", "x2", "y2"))),
        frame_size=(row.pop("frame_height"), row.pop("frame_width")),
        candidates=tuple((noun, p) for noun, p in candidates),
        raw_p=raw_p,
        parts=tuple(Part(Box(*sides), p) for *sides, p in parts),
        cut=bool(row.pop("cut")),
        moved_from=moved_from and Box(*json.loads(moved_from)),
        thing=thing and ThingKind(**json.loads(thing)),
        evidence=evidence and Evidence.of(json.loads(evidence)),
        belonging=BelongingRule.model_validate_json(belonging or "{}"),
        **row,
    )
