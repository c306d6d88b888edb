"""Rules by kind: which things are to be told, as "any animal but the cat", "person or vehicle"."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

from novic.certainty import Certainty
from novic.errors import UsageError
from novic.kinds import is_kind, kind_sizes
from novic.synonyms import further_words
from novic.vocabulary import ThingKind, canonical

WANTED_FROM = 0.5
"""Probability from which on a thing is taken for one that is wanted."""
_BUT = re.compile(r"\b(?:but|except|without)\b")
_OR = re.compile(r"\bor\b|,")
_FILL = re.compile(r"\b(?:any|all|every|the|an?|not)\b")


@dataclass(frozen=True, slots=True)
class KindRule:
    """Kinds and nouns, and exceptions to them."""

    text: str
    """As it was typed."""
    wanted: tuple[str, ...]
    """Kinds (`novic.kinds`) or nouns, in canonical form."""
    but: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """From words such as "any animal but the cat".

        Raises:
            UsageError: If it names nothing.
        """
        wanted, *but = _BUT.split(canonical_list(text))
        parts = _nouns(wanted), _nouns(",".join(but))
        if not parts[0] or (but and not parts[1]):
            raise UsageError(f"'{text}': name kinds or nouns, as 'any animal but the cat'")
        return cls(text, *parts)

    def check(self, nouns: Collection[str]) -> None:
        """Refuse what is neither a kind nor a noun that can be said.

        Args:
            nouns: All that a decoder can say.

        Raises:
            UsageError: If so; it tells what may have been meant.
        """
        known = {canonical(noun) for noun in nouns} | set(kind_sizes())
        for noun in (*self.wanted, *self.but):
            if noun not in known:
                near = get_close_matches(noun, known, n=3)
                hint = f"did you mean {' or '.join(near)}?" if near else f"kinds are {kinds_told()}"
                raise UsageError(f"'{self.text}': nothing is ever named '{noun}'; {hint}")

    def p(
        self,
        candidates: Sequence[tuple[str, float]],
        thing: ThingKind | None,
        certainty: Certainty,
    ) -> float:
        """Probability that a thing is wanted, 0 to 1.

        Args:
            candidates: (noun, p), scaled, the best few.
            thing: What kind of thing it was told to be, by all nouns that are known of it.
            certainty: Says what the mass of a kind's nouns is worth, where that was measured.
        """
        # Each way of being wanted is a part of the others or apart from them: the largest is never
        # too much, their sum may count a sparrow as a bird and as an animal.
        return max(
            max(self._p(kind, candidates, certainty), self._told(kind, candidates, thing))
            for kind in self.wanted
        )

    def _p(self, kind: str, candidates: Sequence[tuple[str, float]], certainty: Certainty) -> float:
        """Probability of one kind or noun by the candidates, without the exceptions."""
        mass, kept = self._masses(kind, candidates)
        if mass <= 0:
            return 0.0
        whole = mass
        if kind in kind_sizes() and certainty.kinds is not None:
            whole = certainty.kind_p(candidates).get(kind, 0.0)
        return min(1.0, whole * kept / mass)

    def _told(
        self, kind: str, candidates: Sequence[tuple[str, float]], thing: ThingKind | None
    ) -> float:
        """The same by the kind of thing that it was told to be."""
        if thing is None or not _is(thing.noun, kind) or self._excepts(thing.noun):
            return 0.0
        mass, kept = self._masses(thing.noun, candidates)
        return thing.p * kept / mass if mass > 0 else thing.p

    def _masses(self, kind: str, candidates: Sequence[tuple[str, float]]) -> tuple[float, float]:
        """Probability of all candidates of a kind, and of those that are no exceptions."""
        of_it = [(noun, p) for noun, p in candidates if _is(noun, kind)]
        return sum(p for _, p in of_it), sum(p for noun, p in of_it if not self._excepts(noun))

    def _excepts(self, noun: str) -> bool:
        return any(_is(noun, one) for one in self.but)


def kinds_told() -> str:
    """All kinds, for people."""
    return ", ".join(sorted(kind_sizes()))


def canonical_list(text: str) -> str:
    """Canonical form of all but the commas."""
    return ",".join(canonical(part) for part in text.split(","))


def _nouns(text: str) -> tuple[str, ...]:
    parts: Iterable[str] = (" ".join(_FILL.sub(" ", part).split()) for part in _OR.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


def _is(noun: str, kind: str) -> bool:
    """Whether a noun is a word or another word for it, or mostly used for things of its kind."""
    name = canonical(noun)
    return name == kind or kind in further_words(name) or is_kind(noun, kind)
