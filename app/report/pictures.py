"""Pictures inside the page, each in no more bytes than it is given."""

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

QUALITY = 62


@dataclass(frozen=True, slots=True)
class Room:
    """How many pixels a picture may be long, and how many bytes it may have."""

    side: int
    most: int


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the pictures of one event may take."""

    crop: Room
    before: Room
    snapshot: Room
    heat: Room


FEW = Rooms(Room(400, 18_000), Room(400, 18_000), Room(800, 36_000), Room(160, 3_000))
MANY = Rooms(Room(256, 3_000), Room(160, 1_500), Room(400, 3_800), Room(100, 700))
"""Base64 makes 4 bytes of 3; with its text an event stays below 15 kB."""
MOST_FEW = 50
"""Events that may have the larger pictures."""


def rooms(events: int) -> Rooms:
    """What each event's pictures may take in a report of so many."""
    return FEW if events <= MOST_FEW else MANY


def embedded(path: Path, room: Room) -> str:
    """A picture as a data address; empty if it is gone or damaged."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (room.side, room.side))
            return address(image.convert("RGBA" if "A" in image.getbands() else "RGB"), room)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        # Pillow's faults of a torn file; a PNG's is a SyntaxError.
        return ""


def address(image: Image.Image, room: Room) -> str:
    """An RGB or RGBA picture, which is made smaller, as a data address."""
    data = _fitted(image, room)
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


def _fitted(image: Image.Image, room: Room) -> bytes:
    """The picture as WebP, made smaller until it has at most so many bytes."""
    side = float(room.side)
    while True:
        image.thumbnail((max(1, round(side)), max(1, round(side))))
        file = BytesIO()
        image.save(file, "webp", quality=QUALITY, method=2)
        data = file.getvalue()
        if len(data) <= room.most or max(image.size) == 1:
            return data
        # Bytes go with the pixels, somewhat less than that.
        side = max(image.size) * min(0.9, 0.95 * (room.most / len(data)) ** 0.5)
