"""What the local rater asks of a language model, however it is run."""

from collections.abc import Callable, Sequence
from typing import Protocol

from scenarios.raters.local.wordings import Turn


class Engine(Protocol):
    """A language model that can be asked yes or no."""

    name: str
    """Of its file."""
    sha256: str
    """Of its file, hexadecimal."""

    @property
    def how(self) -> str:
        """How it is run, which is part of what is asked."""
        ...

    def rendered(self, turns: Sequence[Turn], *, answering: bool) -> str:
        """Lay a conversation out; `answering` if the model's own turn begins after it."""
        ...

    def log_odds(
        self, prefix: str, endings: Sequence[str], taken: Callable[[int], None] | None = None
    ) -> list[float]:
        """Log-odds of yes against no after `prefix` and each ending; `taken` hears of tokens."""
        ...

    def close(self) -> None:
        """Free everything."""
        ...
