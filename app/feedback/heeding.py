"""What a run makes of verdicts: events that are normal here are kept, but not told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from app.errors import FeedbackError
from app.events.event import Event, Finding
from app.feedback.quiet import Quiet, ending, quieting
from app.feedback.quiets import Quiets
from app.feedback.seen import Seen
from app.feedback.verdicts import Verdict, Verdicts
from novic.certainty import TOLD, Certainty, kind_line
from novic.kind_rules import WANTED_FROM, KindRule

UNWANTED = "only "
"""What the reason begins with of an event that no rule wants."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which things are told, by kind."""

    rules: tuple[KindRule, ...]
    """At least one; a thing that one of them wants is told."""
    certainty: Certainty

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self | None:
        """What a run told, by its settings (`app.watching.request`); None if it told all.

        A run of before December 2026 did not keep what p of kinds were worth: there they count as
        they are.
        """
        rules = tuple(KindRule.parse(text) for text in settings.get("tell") or ())
        kinds = settings.get("kinds")
        certainty = Certainty(kinds=None if kinds is None else kind_line(kinds))
        return cls(rules, certainty) if rules else None

    def wants(self, event: Event) -> bool:
        """Whether it is told as far as these rules go, whatever else silences it."""
        return not self.marked(replace(event, muted="")).muted

    def marked(self, event: Event) -> Event:
        """The event, marked if no rule wants it; the camera's own faults are always wanted."""
        if event.kind != "object" or event.muted or not event.candidates:
            return event
        p = max(rule.p(event.candidates, event.thing, self.certainty) for rule in self.rules)
        if p >= WANTED_FROM:
            return event
        asked = " or ".join(rule.text for rule in self.rules)
        chance = "less than 1%" if p < TOLD else f"{100 * p:.0f}%"
        return replace(
            event, muted=f"{UNWANTED}{asked} is told (--tell); the chance that it is one: {chance}"
        )


class Heeding:
    """Silences the events of one camera that verdicts or rules speak of.

    Both are read anew whenever there is something to tell, so that one that is said while
    a watch runs holds from the next event on.
    """

    def __init__(
        self,
        verdicts: Verdicts,
        embedder: str,
        say: Callable[[str], None],
        wanted: Wanted | None = None,
        known: Callable[[Event], Event] = lambda event: event,
    ) -> None:
        """Begin with no event.

        Args:
            verdicts: Those of the view.
            embedder: Spec of the embedder whose vectors the findings carry.
            say: Told in a sentence that they cannot be read, once.
            wanted: Says which things are told at all; None for all.
            known: Adds to each event what is known of it by what was there before.
        """
        self._known = known
        self._quiets = Quiets(verdicts)
        self._warned: set[str] = set()
        self._wanted = wanted
        self._verdicts = verdicts
        self._embedder = embedder
        self._say = say
        self._said = False
        self._told: set[str] = set()
        self._matched: set[str] = set()

    def heeded(self, findings: Sequence[Finding]) -> list[Finding]:
        """The same findings, those marked that are not to be told."""
        if not findings:
            return []
        verdicts, rules = self._read()
        self._warn(rules, max(finding.event.start_us for finding in findings))
        return [self._heeded(finding, verdicts, rules) for finding in findings]

    def _heeded(
        self, finding: Finding, verdicts: Sequence[Verdict], rules: Sequence[Quiet]
    ) -> Finding:
        event = self._known(finding.event)
        seen = Seen.of(finding, self._embedder)
        if (verdict := match(verdicts, seen)) is not None:
            self._note(self._verdicts.matched, verdict.number, event)
            event = replace(event, muted=verdict.why)
        elif found := quieting(rules, seen):
            self._note(self._quiets.used, found[0].number, event)
            event = replace(event, muted=found[0].why)
        elif self._wanted is not None:
            event = self._wanted.marked(event)
        finding = replace(finding, event=event)
        if event.muted:
            # Who was told that it is there is told of its end.
            finding = replace(finding, silent=event.id not in self._told)
        elif event.state == "closed" or not event.video:
            self._told.add(event.id)
        if event.state == "closed":
            self._told.discard(event.id)
            self._matched.discard(event.id)
        return finding

    def _read(self) -> tuple[list[Verdict], list[Quiet]]:
        try:
            return self._verdicts.all(), self._quiets.all()
        except FeedbackError as error:
            self._fault(error)
            return [], []

    def _warn(self, rules: Sequence[Quiet], time_us: int) -> None:
        """Say of rules that they end soon or have ended, each once."""
        for rule in rules:
            said = ending(rule, time_us)
            state = f"{rule.number} {rule.holds(time_us)} {rule.uses}"
            if said and state not in self._warned:
                self._warned.add(state)
                self._say(f"Feedback: {said}.")

    def _note(self, used: Callable[[int, int], None], number: int, event: Event) -> None:
        """Let a verdict or a rule live on, once for an event."""
        if event.id in self._matched:
            return
        self._matched.add(event.id)
        try:
            used(number, event.start_us)
        except FeedbackError as error:
            self._fault(error)

    def _fault(self, error: FeedbackError) -> None:
        if not self._said:
            self._say(f"{error}; events are told as if nothing had been said of them")
        self._said = True


def match(verdicts: Sequence[Verdict], seen: Seen) -> Verdict | None:
    """The verdict that an event falls under, the likest one first; None if it falls under none.

    Args:
        verdicts: In any order; those that have expired by the event's start are left out.
        seen: The event; until it has a name only its own verdict counts.
    """
    event = seen.event
    own = [one for one in verdicts if one.event_id == event.id]
    if own or event.kind != "object":
        return own[-1] if own else None
    held = [one for one in verdicts if one.holds(event.start_us)]
    alike = [(seen.likeness(one, one.likeness), one) for one in held]
    same = [pair for pair in alike if pair[0] >= pair[1].likeness]
    return max(same, key=lambda pair: pair[0])[1] if same else None
