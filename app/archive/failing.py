"""`--fail-on`: which events make a command end with exit code 1, in a small language of its own.

    CHECK = TERM (' and ' TERM)*      TERM = FIELD OPERATOR VALUE

Nothing is evaluated but this: names of fields are those of FIELDS.
"""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.errors import UsageError
from app.events.event import Event

type Value = float | str

FIELDS: dict[str, Callable[[Event], Value]] = {
    "noun": lambda event: event.noun,
    "headline": lambda event: event.headline,
    "camera": lambda event: event.camera,
    "video": lambda event: event.video.rsplit("/", 1)[-1],
    "kind": lambda event: event.kind,
    "change": lambda event: event.change,
    "belongs": lambda event: "" if event.belongs is None else event.belongs.word,
    "p": lambda event: event.p,
    "score": lambda event: event.score,
    "seconds": lambda event: event.end_s - event.start_s,
    "people": lambda event: float(event.people),
}
"""What an event can be asked for: words, or numbers (p from 0 to 1)."""
_NUMBERS = ("p", "score", "seconds", "people")
_OPERATORS: dict[str, Callable[[Value, Value], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": lambda one, other: one > other,  # pyright: ignore[reportOperatorIssue]
    ">=": lambda one, other: one >= other,  # pyright: ignore[reportOperatorIssue]
    "<": lambda one, other: one < other,  # pyright: ignore[reportOperatorIssue]
    "<=": lambda one, other: one <= other,  # pyright: ignore[reportOperatorIssue]
}
_TERM = re.compile(r"\s*([a-z]+)\s*(!=|>=|<=|=|>|<)\s*(.+?)\s*")
_EXAMPLE = "write it as 'noun=person and p>0.9'"


@dataclass(frozen=True, slots=True)
class _Term:
    field: str
    sign: str
    value: Value

    def holds(self, event: Event) -> bool:
        return _OPERATORS[self.sign](FIELDS[self.field](event), self.value)


@dataclass(frozen=True, slots=True)
class Check:
    """One --fail-on."""

    text: str
    terms: tuple[_Term, ...]

    @classmethod
    def parse(cls, text: str) -> "Check":
        """Read what was typed.

        Raises:
            UsageError: If it is no check; the text says what is wrong.
        """
        return cls(text, tuple(_term(part, text) for part in re.split(r"\s+and\s+", text)))

    def found(self, events: Iterable[Event]) -> Sequence[Event]:
        """Events for which all terms hold."""
        return [event for event in events if all(term.holds(event) for term in self.terms)]


def _term(part: str, text: str) -> _Term:
    match = _TERM.fullmatch(part)
    if match is None:
        raise UsageError(f"--fail-on {text}: {part.strip() or 'nothing'} is no check; {_EXAMPLE}")
    name, sign, value = match.groups()
    if name not in FIELDS:
        raise UsageError(f"--fail-on {text}: there is no {name}; there are {', '.join(FIELDS)}")
    if name not in _NUMBERS:
        if sign not in ("=", "!="):
            raise UsageError(f"--fail-on {text}: {name} is a word; compare it by = or !=")
        return _Term(name, sign, value)
    try:
        return _Term(name, sign, float(value))
    except ValueError as error:
        raise UsageError(f"--fail-on {text}: {value} is no number; {_EXAMPLE}") from error
