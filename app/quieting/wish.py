"""What somebody asks a rule for, as it is typed or clicked."""

from dataclasses import dataclass

from app.errors import UsageError
from novic.kinds import kind_sizes
from novic.vocabulary import canonical

MONTH_S = 30 * 86400.0
ALL_HOURS = "all"
ALL_OF_VIEW = "all"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a rule shall speak of; what is empty is taken from the event."""

    hours: str = ""
    """As `app.feedback.when.When.parse` takes them, or ALL_HOURS; empty to go by the history."""
    days: str = ""
    """The same; empty for every day."""
    zone: str = ""
    """As `app.feedback.where.Where.parse` takes it, or ALL_OF_VIEW; empty for where it was."""
    noun: str = ""
    """Anything of this noun, however it looks."""
    kind: str = ""
    """Anything of this kind, however it looks."""
    keep_s: float | None = MONTH_S
    """It expires so long after it was last used; None for never."""
    who: str = ""
    note: str = ""

    @property
    def what(self) -> str:
        """The noun or kind that is asked for, canonical; empty for what looks like the event.

        Raises:
            UsageError: If it is both, or there is no such kind.
        """
        if self.noun and self.kind:
            raise UsageError("--noun and --kind exclude each other; name one")
        kind = canonical(self.kind)
        if self.kind and kind not in kind_sizes():
            raise UsageError(f"--kind {self.kind}: is no kind; kinds are {', '.join(kind_sizes())}")
        return kind or canonical(self.noun)
