"""What a rule is worth and how long it holds, in sentences for people."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.feedback.quiet import Quiet, QuietLeak


def leak(measured: "QuietLeak | None") -> str:
    """What else goes silent."""
    if measured is None:
        return "Its leak was not measured."
    told = []
    if measured.share is not None:
        names = f": {', '.join(measured.quieted)}" if measured.quieted else ""
        told.append(
            f"Leak {100 * measured.share:.1f}% ({len(measured.quieted)} of {measured.planted} "
            f"planted others{names})."
        )
    if measured.same:
        told.append(f"A {measured.same} would go silent: it is the same as far as can be seen.")
    if measured.confirmed:
        lost = f": {', '.join(measured.lost)}" if measured.lost else ""
        told.append(
            f"Of {measured.confirmed} past events that you confirmed as something else "
            f"{len(measured.lost)} would have gone silent{lost}."
        )
    return " ".join(told)


def until(rule: "Quiet", now_us: int) -> str:
    """When it ends."""
    if rule.until_us is None:
        return ""
    ends = datetime.fromtimestamp(rule.until_us / 1e6, UTC).astimezone()
    if not rule.holds(now_us):
        return f", expired on {ends:%Y-%m-%d}"
    return f" until {ends:%Y-%m-%d}, longer if it is used"
