"""Things that went from one place and came to another: one event instead of two."""

from collections.abc import Sequence
from dataclasses import replace

from app.events.event import Event, Finding, agreement
from detectors.signatures import sameness

WITHIN_S = 60.0
"""So long after a thing has gone it may turn up elsewhere, or before: who carries it is slow."""
SAME = 0.0
"""Log-odds from which on what came is what went (benchmarks/README.md)."""
LARGER = 2.0
"""A thing that moves in a view is at most so many times as long there."""
_REMEMBERED = 64


class Moves:
    """Links the events of one camera.

    What came is told as moved, with the place that it left; what went is kept and not told, or no
    longer.
    """

    def __init__(self) -> None:
        self._gone: dict[str, Finding] = {}
        """Findings of what is missing, by event, as they were last."""
        self._came: dict[str, Finding] = {}
        self._pairs: dict[str, str] = {}
        """From what came to what went."""

    def linked(self, findings: Sequence[Finding]) -> list[Finding]:
        """The same findings, things that have moved as one; others may be told anew with them.

        Args:
            findings: What changed, in the order to tell it.
        """
        for finding in findings:
            self._remember(finding)
        fresh = self._pair()
        self._forget_pictures(max((one.event.end_s for one in findings), default=0.0))
        told = [self._as_moved(finding) for finding in findings]
        here = {finding.event.id for finding in findings}
        late = [self._now(one) for one in fresh if one not in here]
        return [*told, *(self._as_moved(finding) for finding in late)]

    def _remember(self, finding: Finding) -> None:
        event = finding.event
        if event.kind != "object" or finding.vector is None or finding.signature is None:
            return
        for kept, holds in ((self._gone, "missing"), (self._came, "arrived")):
            kept.pop(event.id, None)
            if event.change == holds:
                kept[event.id] = finding
                if len(kept) > _REMEMBERED:
                    del kept[next(iter(kept))]

    def _forget_pictures(self, now_s: float) -> None:
        """Let go of the pictures of what has found no partner by now: each takes a megabyte."""
        paired = {*self._pairs, *self._pairs.values()}
        for kept in (self._gone, self._came):
            for event_id, one in kept.items():
                if event_id not in paired and now_s - one.event.end_s > WITHIN_S:
                    kept[event_id] = replace(one, picture=None)

    def _pair(self) -> list[str]:
        """Pair what is not yet; returns the events at both ends of the new pairs."""
        gone = [one for key, one in self._gone.items() if key not in self._pairs.values()]
        came = [one for key, one in self._came.items() if key not in self._pairs]
        likest = sorted(
            ((_alike(one, other), one, other) for one in came for other in gone),
            key=lambda three: -three[0],
        )
        fresh: list[str] = []
        for alike, one, other in likest:
            ends = [one.event.id, other.event.id]
            if alike >= SAME and not set(ends) & set(fresh):
                self._pairs[ends[0]] = ends[1]
                fresh += ends
        for old in [*self._pairs][:-_REMEMBERED]:
            del self._pairs[old]
        return fresh

    def _now(self, event_id: str) -> Finding:
        finding = self._gone.get(event_id) or self._came[event_id]
        state = "closed" if finding.event.state == "closed" else "updated"
        return replace(finding, event=replace(finding.event, state=state))

    def _as_moved(self, finding: Finding) -> Finding:
        event = finding.event
        gone = self._gone.get(self._pairs.get(event.id, ""))
        if gone is not None and event.change == "arrived":
            moved = replace(event, change="moved", moved_from=gone.event.box)
            picture = finding.picture
            if picture is not None and gone.picture is not None:
                picture = replace(picture, before=gone.picture.before)
            return replace(finding, event=moved, picture=picture)
        went_to = [came for came, went in self._pairs.items() if went == event.id]
        if went_to and event.change == "missing":
            return replace(finding, event=replace(event, muted=_why(went_to[0])))
        return finding


def _alike(came: Finding, gone: Finding) -> float:
    """Log-odds that what came is what went; -inf where it cannot be."""
    apart_s = abs(came.event.start_s - gone.event.start_s)
    lengths = sorted(_length(one.event) for one in (came, gone))
    if came.event.camera != gone.event.camera or came.event.video != gone.event.video:
        return float("-inf")
    if apart_s > WITHIN_S or lengths[1] > LARGER * lengths[0]:
        return float("-inf")
    if came.vector is None or gone.vector is None:
        return float("-inf")
    if came.signature is None or gone.signature is None:
        return float("-inf")
    named = agreement(came.event.candidates, gone.event.candidates)
    cosine = float(came.vector @ gone.vector)
    return sameness(came.signature, gone.signature, cosine, named, SAME)


def _length(event: Event) -> float:
    return max(event.box.width, event.box.height, 1.0)


def _why(event_id: str) -> str:
    return f"it has moved: event {event_id} shows where to"
