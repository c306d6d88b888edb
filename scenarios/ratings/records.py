"""What is asked about a site's nouns and what is answered, as the store keeps it.

A `Question` says what is asked, of whom and about which place. Equal questions have equal answers,
so answers are kept by question and shared by every run and scenario that asks the same. A `Planned`
request fixes which nouns are asked together before anything is sent: a run that was killed asks
exactly what is left of its plan. An `Answer` is what came of one request.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Literal

from novic.errors import NomalyError

type RawKind = Literal["digit", "logodds"]
"""A digit from 0 to 9, how often a thing is seen; or log-odds of "yes" against "no"."""

type Role = Literal["noun", "positive", "negative", "duplicate"]
"""Why a noun is on a line: to be rated, as one of the owner's examples seen or never seen that the
model was not told, or to see whether it answers the same twice."""

type Status = Literal["ok", "rejected", "failed"]
"""Usable; answered but nonsense; or without an answer after all attempts."""

type Backend = Literal["batch", "direct", "local", "prior"]


class RatingError(NomalyError):
    """Nouns cannot be rated as asked; the text says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a rater is told of a site."""

    description: str
    seen: tuple[str, ...]
    """The owner's examples of what is seen there, target nouns."""
    never: tuple[str, ...]
    """And of what is never seen there."""

    @property
    def sha256(self) -> str:
        """Of all of it, hexadecimal."""
        return _sha256(astuple(self))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of whom, about which place."""

    kind: RawKind
    model: str
    """Name at its provider, or of its file."""
    model_sha256: str
    """Of its file; empty for a provider's, whose name must do."""
    prompt_sha256: str
    """Of the wording, with everything in it that is not the site's."""
    site_sha256: str
    """Of description and examples."""

    @property
    def key(self) -> str:
        """SHA-256 of all of it, hexadecimal."""
        return _sha256(astuple(self))


@dataclass(frozen=True, slots=True)
class Line:
    """One noun within a request."""

    target_noun: str
    asked_as: str
    """The spelling that the model reads."""
    role: Role = "noun"


@dataclass(frozen=True, slots=True)
class Planned:
    """A request that is to be made; what is not here does not change its text."""

    lines: tuple[Line, ...]
    opinion: int = 1
    """The first, second or third time that these nouns are asked."""
    attempt: int = 1
    """2 and 3 after the answer before was rejected."""
    split: int = 0
    """Which of the owner's examples the model is told; the others are hidden among the lines."""

    def request_id(self, question: Question) -> str:
        """SHA-256 of what makes it this request, hexadecimal, first 32 digits."""
        return _sha256([question.key, astuple(self)])[:32]


@dataclass(frozen=True, slots=True)
class Rating:
    """What was said about one noun."""

    target_noun: str
    asked_as: str
    raw: float
    role: Role = "noun"
    opinion: int = 1
    line: int = 0
    """Place in its request, from 0."""


@dataclass(frozen=True, slots=True)
class RawScores:
    """What a rater said in all, not calibrated yet: means over opinions."""

    nouns: Mapping[str, float]
    opinions: Mapping[str, int]
    """How many answers each of these means has."""
    seen: Mapping[str, float]
    """Of the owner's examples that are seen there, judged while the rater was not told of them."""
    never: Mapping[str, float]
    """The same of those never seen there."""
    duplicates: tuple[tuple[float, float], ...] = ()
    """Pairs of answers about one noun, asked twice within one opinion."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request."""

    request_id: str
    status: Status
    ratings: tuple[Rating, ...] = ()
    """Of every line if ok. If it was rejected though every line has a digit, of the hidden lines
    alone: a rater is judged by all that it said, not only by what passed. Else empty."""
    reason: str = ""
    """Why it is not ok, for people."""
    backend: Backend = "direct"
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    """Really spent, by the provider's count of tokens and the prices given."""
    created_us: int = 0
    """UTC, microseconds; for people, nothing is ordered by it."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What answers took, rejected ones included."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0


def _sha256(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
