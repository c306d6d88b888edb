"""What every source of frames can do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from detectors.types import Frame


class SourceError(RuntimeError):
    """A source cannot be opened or read; the text names it (without its password) and says why."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before its first frame."""

    camera: str
    uri: str
    """Where it is, with any password removed."""
    size: tuple[int, int]
    """(height, width) in pixels."""
    fps: float
    """Announced frames a second; 0 if the source does not say."""
    duration_s: float
    """Announced length in seconds; 0 if unknown or endless."""


class Source(Protocol):
    """Frames in the order they were taken, until the source ends or is closed."""

    @property
    def info(self) -> SourceInfo:
        """What the source announced when it was opened."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield frames.

        Raises:
            SourceError: If the source breaks before its end.
        """
        ...

    def close(self) -> None:
        """Let go of the file, device or connection. Safe to call twice and from another thread."""
        ...
