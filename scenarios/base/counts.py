"""How common words and pairs of words are on the web."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import wordfreq
from unidecode import unidecode

from scenarios.base.packages import package_file

_EDGES = "a an the to in on off up down out over through by away at it for and or is not"

EDGES = frozenset(_EDGES.split())
"""Words at the edge of a pair that make its count the count of something else: "fill in", "show
off" and "a line" are rarely the nouns fill-in, show-off and A-line."""


@dataclass(frozen=True, slots=True, eq=False)
class WordCounts:
    """Counts of Google's Web 1T corpus of 2006, as the package wordsegment carries them."""

    counts: dict[str, int]
    """Of words and pairs of words with a space between: lower case, ASCII."""

    def knows(self, word: str) -> bool:
        """Whether a word was counted at all, that is, at least 12,711 times in 10^12 words."""
        return word in self.counts

    def frequency(self, form: str) -> float:
        """How often a form occurs for each "the".

        wordfreq stands in for single words that were not counted, many of them younger than the
        corpus. It is not asked about phrases, whose frequency it guesses from their words
        (measured: half of all phrases would be common by that, 845 of 27,219 by counted pairs).

        Args:
            form: Canonical spelling, singular or plural.

        Returns:
            A ratio from 0 to 1; 0 for phrases of more than two words.
        """
        words = form.split()
        if len(words) > 1 and (words[0] in EDGES or words[-1] in EDGES):
            return 0.0
        if form in self.counts or len(words) > 1:
            return self.counts.get(form, 0) / self.counts["the"]
        return wordfreq.word_frequency(form, "en") / wordfreq.word_frequency("the", "en")


@cache
def read_counts() -> WordCounts:
    """The counts of words and pairs in wordsegment's files; case and accents are merged.

    They are read once for a process, which makes a dictionary and then adds to it.

    Raises:
        DictionaryError: If the package is not installed.
    """
    counts: dict[str, int] = defaultdict(int)
    for name in ("unigrams.txt", "bigrams.txt"):
        for line in package_file("wordsegment", name).read_text("utf-8").splitlines():
            words, _, count = line.partition("\t")
            counts[(words if words.isascii() else unidecode(words)).lower()] += int(count)
    return WordCounts(dict(counts))
