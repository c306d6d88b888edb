"""What a run makes of verdicts: events that are normal here are kept, but not told."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.errors import FeedbackError
from app.events.event import Event, Finding, agreement
from app.feedback.verdicts import Verdict, Verdicts
from detectors.signatures import sameness
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
    """Silences the events of one camera that verdicts speak of.

    The verdicts are read anew whenever there is something to tell, so that one that is said while
    a watch runs holds from the next event on.
    """

    def __init__(
        self,
        verdicts: Verdicts,
        embedder: str,
        say: Callable[[str], None],
        wanted: Wanted | None = None,
    ) -> None:
        """Begin with no event.

        Args:
            verdicts: Those of the view.
            embedder: Spec of the embedder whose vectors the findings carry.
            say: Told in a sentence that they cannot be read, once.
            wanted: Says which things are told at all; None for all.
        """
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
        verdicts = self._read()
        return [self._heeded(finding, verdicts) for finding in findings]

    def _heeded(self, finding: Finding, verdicts: Sequence[Verdict]) -> Finding:
        event = finding.event
        verdict = match(verdicts, Seen.of(finding, self._embedder))
        if verdict is not None:
            self._note(verdict, event)
            finding = replace(finding, event=replace(event, muted=verdict.why))
        elif self._wanted is not None:
            finding = replace(finding, event=self._wanted.marked(event))
        if finding.event.muted:
            # Who was told that it is there is told of its end.
            finding = replace(finding, silent=event.id not in self._told)
        elif event.state == "closed" or not event.video:
            self._told.add(event.id)
        if event.state == "closed":
            self._told.discard(event.id)
            self._matched.discard(event.id)
        return finding

    def _read(self) -> list[Verdict]:
        try:
            return self._verdicts.all()
        except FeedbackError as error:
            self._fault(error)
            return []

    def _note(self, verdict: Verdict, event: Event) -> None:
        """Let the verdict live on, once for an event."""
        if event.id in self._matched:
            return
        self._matched.add(event.id)
        try:
            self._verdicts.matched(verdict.number, event.start_us)
        except FeedbackError as error:
            self._fault(error)

    def _fault(self, error: FeedbackError) -> None:
        if not self._said:
            self._say(f"{error}; events are told as if nothing had been said of them")
        self._said = True


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """An event and what it looks like."""

    event: Event
    embedder: str
    """Spec of the embedder that made the vector."""
    vector: NDArray[np.float32] | None
    """Unit vector [F]; None while it has no name."""
    signature: NDArray[np.float32] | None
    """See `app.events.event.Finding`."""

    @classmethod
    def of(cls, finding: Finding, embedder: str) -> Self:
        """What a finding carries."""
        return cls(finding.event, embedder, finding.vector, finding.signature)

    def likeness(self, verdict: Verdict, least: float = -math.inf) -> float:
        """Log-odds that it shows the same thing as a verdict; -inf where that cannot be told.

        What cannot reach `least` is not looked at closely; what comes back is below it.
        """
        vector, signature = self.vector, self.signature
        if vector is None or signature is None or self.embedder != verdict.embedder:
            return -math.inf
        fits = vector.shape == verdict.vector.shape and signature.shape == verdict.signature.shape
        # Nobody who says that a thing may be there says that it may be gone.
        if not fits or (self.event.change == "missing") != (verdict.change == "missing"):
            return -math.inf
        named = agreement(self.event.candidates, verdict.nouns)
        cosine = float(vector @ verdict.vector)
        return sameness(signature, verdict.signature, cosine, named, least)


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
