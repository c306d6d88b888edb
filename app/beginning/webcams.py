"""Webcams that are connected to this machine."""

from dataclasses import dataclass
from pathlib import Path

_NODES = Path("/dev")
_TOLD = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class Webcam:
    """One camera."""

    number: int
    """As `nomaly watch` takes it."""
    name: str
    """As it calls itself; empty if it does not."""


def find_webcams(nodes: Path = _NODES, told: Path = _TOLD) -> list[Webcam]:
    """Webcams by their numbers; what belongs to one but sends no pictures is left out.

    Args:
        nodes: Where `video0` lies.
        told: Where the system says more about each.
    """
    numbers = sorted(int(node.name[5:]) for node in nodes.glob("video[0-9]*"))
    # The first of a camera's nodes sends pictures, the others say more about them.
    cameras = [one for one in numbers if _read(told / f"video{one}" / "index") in ("", "0")]
    return [Webcam(one, _read(told / f"video{one}" / "name")) for one in cameras]


def _read(path: Path) -> str:
    try:
        return "".join(sign for sign in path.read_text("utf-8", "replace") if sign.isprintable())
    except OSError:
        return ""
