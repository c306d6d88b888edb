"""What the parts of a calibration are called for people; scripts know them by their names."""

from collections.abc import Iterable, Mapping
from datetime import datetime

TITLES = {
    "site_p": "How rare a thing looks here",
    "unnameable_p": "How rarely so little can be named here",
    "names_p": "How likely names are right",
    "verdict": "What belongs here",
    "tail": "False events",
    "rings": "What would have rung",
    "drift": "Whether it still holds",
    "blind_map": "Blind map",
    "clock": "Clock of the footage",
}
NO_ANSWERS = "nobody told what events were (--events)"


def titled(said: Mapping[str, str]) -> list[tuple[str, str]]:
    """Title and sentence of each part, without the name that scripts know it by."""
    return [(title(name), text.removeprefix(f"{name}: ")) for name, text in said.items()]


def title(name: str) -> str:
    """What a part is called."""
    return TITLES.get(name, name)


def listed(names: Iterable[str]) -> str:
    """Parts one after the other."""
    return "; ".join(title(name) for name in names)


def when(created: str) -> str:
    """When a calibration was made, for people."""
    try:
        at = datetime.fromisoformat(created)
    except ValueError:
        return created
    return created if at.tzinfo is None else f"{at:%Y-%m-%d %H:%M %Z}"
