"""Where an audit can be taken up again: what a camera followed at a moment, pictures and all.

Pictures are kept without loss, so that things are named later as they would have been.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from safetensors.numpy import load, save

from app.events.event import Event, Picture, box_sides
from detectors.types import Box, Pixels
from novic.surrounded import Edges, Surrounded


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What is kept of a track besides its boxes."""

    id: str
    """Of its event, also while it is none."""
    opened: bool
    """Whether it is an event."""
    named_from: int
    """Pictures that its present name rests on; 0 while it has none."""
    pictures: Sequence[Picture]
    looks: Mapping[str, Any] = field(default_factory=dict)
    """How it looked beside the learned view, as JSON can hold it."""
    level: float = 0.0
    """The largest bar at which it would have been told so far; 0 while nobody asked."""
    level_s: float | None = None
    """Up to when that was asked, in seconds from the start of the recording; None if never."""


@dataclass(slots=True, eq=False)
class Trouble:
    """What is wrong with a camera's pictures at present."""

    fault: str
    event: Event
    picture: Picture
    told: bool = False


_EVENT = TypeAdapter(Event)


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """What was followed in a recording at a moment."""

    at_s: float
    """Time of the last frame that was followed, in seconds from the start of the recording."""
    tracks: str
    """State of the tracker, JSON."""
    kept: Sequence[Kept]
    """Of each of its tracks, in the same order."""
    warm_s: float = 0.0
    """From here on frames are looked at again, to know how the camera's pictures usually are."""
    troubles: Sequence[Trouble | None] = ()
    """What was wrong with the camera's pictures, of each kind of fault."""

    @property
    def pictures(self) -> dict[tuple[str, float], Picture]:
        """All its pictures by the id of their event and their time."""
        told = [(one.event.id, one.picture) for one in self.troubles if one is not None]
        kept = [(one.id, picture) for one in self.kept for picture in one.pictures]
        return {(event_id, picture.pts_s): picture for event_id, picture in [*kept, *told]}


type Packed = dict[tuple[str, float], bytes]
"""Pictures by the id of their event and their time."""


def packed(db: sqlite3.Connection, run_id: int, uri: str, checkpoint: Checkpoint) -> Packed:
    """Those pictures of a checkpoint that are not in the store from an earlier one, packed."""
    rows = db.execute(
        "SELECT event_id, pts_s FROM checkpoint_picture WHERE run_id = ? AND uri = ?", (run_id, uri)
    )
    there = {(event_id, pts_s) for event_id, pts_s in rows}
    return {key: _pack(one) for key, one in checkpoint.pictures.items() if key not in there}


def write(
    db: sqlite3.Connection, run_id: int, uri: str, checkpoint: Checkpoint, fresh: Packed
) -> None:
    """Put a checkpoint in the place of the one before (inside a transaction)."""
    kept = [
        {
            "id": one.id,
            "opened": one.opened,
            "named_from": one.named_from,
            "looks": one.looks,
            "level": one.level,
            "level_s": one.level_s,
        }
        for one in checkpoint.kept
    ]
    troubles = [None if one is None else _told(one) for one in checkpoint.troubles]
    db.execute(
        "INSERT INTO checkpoint(run_id, uri, at_s, tracks, kept, troubles, warm_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " at_s = excluded.at_s, tracks = excluded.tracks, kept = excluded.kept,"
        " troubles = excluded.troubles, warm_s = excluded.warm_s",
        (
            run_id,
            uri,
            checkpoint.at_s,
            checkpoint.tracks,
            json.dumps(kept),
            json.dumps(troubles),
            checkpoint.warm_s,
        ),
    )
    wanted = checkpoint.pictures
    rows = db.execute(
        "SELECT event_id, pts_s FROM checkpoint_picture WHERE run_id = ? AND uri = ?", (run_id, uri)
    ).fetchall()
    db.executemany(
        "DELETE FROM checkpoint_picture"
        " WHERE run_id = ? AND uri = ? AND event_id = ? AND pts_s = ?",
        [(run_id, uri, *row) for row in rows if tuple(row) not in wanted],
    )
    db.executemany(
        "INSERT INTO checkpoint_picture VALUES (?, ?, ?, ?, ?)",
        [(run_id, uri, event_id, pts_s, blob) for (event_id, pts_s), blob in fresh.items()],
    )


def read(db: sqlite3.Connection, run_id: int, uri: str) -> Checkpoint | None:
    """The last checkpoint of a recording, if there is one."""
    row = db.execute(
        "SELECT * FROM checkpoint WHERE run_id = ? AND uri = ?", (run_id, uri)
    ).fetchone()
    if row is None:
        return None
    pictures: dict[str, list[Picture]] = {}
    for event_id, blob in db.execute(
        "SELECT event_id, packed FROM checkpoint_picture WHERE run_id = ? AND uri = ?"
        " ORDER BY pts_s",
        (run_id, uri),
    ):
        pictures.setdefault(event_id, []).append(_unpack(blob))
    kept = [Kept(**one, pictures=pictures.get(one["id"], [])) for one in json.loads(row["kept"])]
    troubles = [_trouble(one, pictures) for one in json.loads(row["troubles"])]
    return Checkpoint(row["at_s"], row["tracks"], kept, row["warm_s"], troubles)


def drop(db: sqlite3.Connection, run_id: int, uri: str) -> None:
    """Forget the checkpoint of a recording (inside a transaction)."""
    db.execute("DELETE FROM checkpoint WHERE run_id = ? AND uri = ?", (run_id, uri))


def _told(trouble: Trouble) -> dict[str, Any]:
    event = _EVENT.dump_python(trouble.event, mode="json")
    return {"fault": trouble.fault, "told": trouble.told, "event": event}


def _trouble(
    told: dict[str, Any] | None, pictures: Mapping[str, Sequence[Picture]]
) -> Trouble | None:
    if told is None:
        return None
    event = _EVENT.validate_python(told["event"])
    return Trouble(told["fault"], event, pictures[event.id][0], told["told"])


def _pack(picture: Picture) -> bytes:
    facts = {
        "pts_s": picture.pts_s,
        "box": box_sides(picture.box),
        "frame_size": picture.frame_size,
        "quality": picture.quality,
        "crops": len(picture.crops),
    }
    seen = picture.around
    around = {} if seen is None else {"around": _png(seen.square), "thing": np.array(seen.thing)}
    if seen is not None and seen.wide is not None:
        around["wide"] = _png(seen.wide)
    arrays = {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8), "heat": picture.heat}
    images = [picture.snapshot, *picture.crops, *picture.before]
    numbered = {str(number): _png(image) for number, image in enumerate(images)}
    return save(arrays | around | numbered)


def _unpack(blob: bytes) -> Picture:
    arrays = load(blob)
    facts, heat = json.loads(arrays.pop("facts").tobytes()), arrays.pop("heat")
    around = None
    if "around" in arrays:
        wide = _image(arrays.pop("wide")) if "wide" in arrays else None
        around = Surrounded(_image(arrays.pop("around")), _edges(arrays.pop("thing")), wide)
    snapshot, *crops = [_image(arrays[str(number)]) for number in range(len(arrays))]
    taken = facts.get("crops", len(crops))
    return Picture(
        facts["pts_s"],
        Box(*facts["box"]),
        (facts["frame_size"][0], facts["frame_size"][1]),
        tuple(crops[:taken]),
        snapshot,
        heat,
        facts["quality"],
        tuple(crops[taken:]),
        around,
    )


def _edges(values: NDArray[np.float64]) -> Edges:
    x1, y1, x2, y2 = values.tolist()
    return x1, y1, x2, y2


def _png(image: Pixels) -> Pixels:
    # Channels in the wrong order are as good: they come back as they went.
    import cv2  # noqa: PLC0415  # who only reads events needs no such library

    _, coded = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return coded.astype(np.uint8, copy=False)


def _image(coded: Pixels) -> Pixels:
    import cv2  # noqa: PLC0415

    image = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    if image is None:
        raise sqlite3.DatabaseError("a picture of a checkpoint is damaged")
    return image.astype(np.uint8, copy=False)
