"""The nouns of a site: what means one of them, and which others may stand for what is foreign."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.unknown.known_texts import embed_once
from calibration.scores.negatives import canonical, foreign, mined, spellings
from calibration.scores.protocol import Flags
from scenarios.base.senses import VISIBLE
from scenarios.wordnet import WordNet, read_wordnet

if TYPE_CHECKING:
    from novic.embedder import Embedder, Vectors

PLAIN, NICE = "{}", "the nice {}"
"""The template of the starter, whose pictures are mixtures of plain names, and the one that did
best as negative labels with CLIP (Jiang et al. 2024)."""


class Site:
    """What belongs to a site, by its nouns and WordNet's kinds of them."""

    def __init__(self, nouns: Sequence[str]) -> None:
        """Know a site.

        Args:
            nouns: One or more; a comma parts names of one thing.
        """
        self.nouns = tuple(noun.split(", ")[0] for noun in nouns)
        self.aliases = tuple(name for noun in nouns for name in noun.split(", ")[1:])
        self._taken = frozenset().union(*map(spellings, [*self.nouns, *self.aliases]))
        self._wordnet = read_wordnet()
        meant = (self._sense(name) for name in (*self.nouns, *self.aliases))
        self._own = frozenset(sense for sense in meant if sense is not None)
        self._above = frozenset(up for own in self._own for up in self._wordnet.ancestors(own))

    def holds(self, noun: str) -> bool:
        """Whether a noun is one of the site's, or a kind of one."""
        return canonical(noun) in self._taken or self._is_kind(noun)

    def related(self, noun: str) -> bool:
        """Whether it is a kind of one of the site's nouns, or one of them a kind of it."""
        return self._is_kind(noun) or self._sense(noun) in self._above

    def inside(self, said: Sequence[Sequence[str]], width: int) -> Flags:
        """Which of the nouns that were said belong to the site [N, width]."""
        known = {noun: self.holds(noun) for row in said for noun in row}
        flags = np.zeros((len(said), width), bool)
        for number, row in enumerate(said):
            flags[number, : len(row)] = [known[noun] for noun in row]
        return flags

    def _is_kind(self, noun: str) -> bool:
        sense = self._sense(noun)
        if sense is None:
            return False
        return not self._own.isdisjoint((sense, *self._wordnet.ancestors(sense)))

    def _sense(self, noun: str) -> int | None:
        return meaning(self._wordnet, noun)


def meaning(wordnet: WordNet, noun: str) -> int | None:
    """What a noun, or its singular, means where it is seen; None if WordNet knows neither.

    Of its meanings the commonest that is a thing, an animal or a plant: an ostrich is a bird before
    it is somebody who shuts the eyes.
    """
    name = canonical(noun)
    for spelt in (name, *sorted(spellings(noun) - {name}, key=len)):
        if senses := wordnet.senses.get(spelt):
            seen = [one for one in senses if wordnet.synsets[one].lexname in VISIBLE]
            return (*seen, *senses)[0]
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Vectors of the site's nouns and of foreign ones."""

    positive: "Vectors"
    """[P, F]."""
    negative: "Vectors"
    """[M, F]."""


def texts_of(
    site: Site,
    candidates: Sequence[str],
    embedder: "Embedder",
    template: str = "",
    told: Callable[[int, int], None] = lambda *_: None,
    cache: Path | None = None,
) -> Texts:
    """Embed a site's nouns and those of the candidates that mean nothing of the site's.

    Args:
        site: Whose nouns are positive.
        candidates: Nouns that may be negative.
        embedder: Of the texts.
        template: Has `{}` where the noun stands; by default the embedder's usual one.
        told: Called with how many candidates are embedded, and of how many.
        cache: Folder that keeps the candidates' vectors for the next time; None for none. The
            site's own nouns are not kept.

    Raises:
        novic.embedder.EmbedderError: If there is no text model.
    """
    template = template or (PLAIN if embedder.spec == "starter" else NICE)
    positive = embedder.embed_texts([template.replace("{}", noun) for noun in site.nouns])
    others = [template.replace("{}", noun) for noun in candidates]
    every = embed_once(others, embedder, cache, told)
    kept = foreign(candidates, site.nouns, every, positive, site.aliases, site.related)
    negative = every[kept]
    return Texts(positive, negative[mined(negative, positive)])
