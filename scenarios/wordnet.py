"""WordNet 3.0's nouns, read from the plain files of Debian's `wordnet-base`.

NLTK's reader wants files (`lexnames`) that Debian does not ship, and those that matter here are
simple: `data.noun` holds a synset per line, `index.noun` the senses of each lemma in order of use,
`cntlist.rev` how often each sense was met in tagged text, `noun.exc` irregular plurals. The format
is described in wndb(5WN), cntlist(5WN) and morphy(7WN).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from novic.errors import NomalyError

FOLDER = Path("/usr/share/wordnet")
"""Where Debian puts it."""

FILES = ("data.noun", "index.noun", "cntlist.rev", "index.verb", "verb.exc", "noun.exc")

NOUN, VERB = 1, 2
"""Parts of speech in sense keys; 3 and 5 are adjectives, 4 adverbs."""

LEXNAMES = {
    3: "tops",
    4: "act",
    5: "animal",
    6: "artifact",
    7: "attribute",
    8: "body",
    9: "cognition",
    10: "communication",
    11: "event",
    12: "feeling",
    13: "food",
    14: "group",
    15: "location",
    16: "motive",
    17: "object",
    18: "person",
    19: "phenomenon",
    20: "plant",
    21: "possession",
    22: "process",
    23: "quantity",
    24: "relation",
    25: "shape",
    26: "state",
    27: "substance",
    28: "time",
}
"""Lexicographer files of nouns by number, lexnames(5WN)."""


class WordNetError(NomalyError):
    """WordNet is not installed, or its files are not what they should be."""


@dataclass(frozen=True, slots=True)
class Synset:
    """One meaning and the words for it."""

    offset: int
    """Its id: the byte offset in `data.noun`, which is also ImageNet's class id without the n."""
    lexname: str
    lemmas: tuple[str, ...]
    """With spaces, in WordNet's spelling, the commonest first."""
    hypernyms: tuple[int, ...]
    """Offsets of what this is a kind of; empty for an instance such as Einstein."""
    instance: bool
    """Whether it is one particular thing rather than a kind."""
    gloss: str
    """What it means, in a phrase, often with examples of use."""


@dataclass(frozen=True, slots=True, eq=False)
class WordNet:
    """All noun synsets, and how words use them."""

    synsets: dict[int, Synset]
    senses: dict[str, tuple[int, ...]]
    """Lower-case lemma with spaces: offsets of its noun senses, the commonest first."""
    noun_counts: dict[str, dict[int, int]]
    """Lower-case lemma: how often each of its noun senses (by offset) was met in tagged text."""
    verb_counts: dict[str, int]
    """Lower-case lemma: how often it was met as a verb."""
    adjective_counts: dict[str, int]
    """Lower-case lemma: how often it was met as an adjective or adverb."""
    verbs: frozenset[str]
    verb_forms: dict[str, str]
    """Irregular verb form: its verb, for example saw: see."""
    plurals: dict[str, tuple[str, ...]]
    """Lower-case noun: its irregular plurals, for example foot: (feet,)."""

    def ancestors(self, offset: int) -> list[int]:
        """Everything that a synset is a kind of, nearest first, without itself."""
        found: dict[int, None] = {}
        level = list(self.synsets[offset].hypernyms)
        while level:
            found.update(dict.fromkeys(level))
            level = [up for o in level for up in self.synsets[o].hypernyms if up not in found]
        return list(found)


def read_wordnet(folder: Path = FOLDER) -> WordNet:
    """Read WordNet's nouns.

    Args:
        folder: Holds the files named in FILES.

    Raises:
        WordNetError: If a file is missing or broken.
    """
    files = [_installed(folder / name) for name in FILES]
    try:
        synsets = {s.offset: s for s in map(_synset, _lines(files[0]))}
        senses = dict(map(_senses, _lines(files[1])))
        counts = _counts(_lines(files[2]), senses)
        verbs = frozenset(line.split()[0].replace("_", " ") for line in _lines(files[3]))
        forms = {line.split()[0]: line.split()[1] for line in _lines(files[4])}
        plurals = read_irregular_plurals(folder)
    except (IndexError, ValueError) as error:
        raise WordNetError(f"{folder} does not hold WordNet 3.0's files: {error}") from error
    return WordNet(synsets, senses, *counts, verbs, forms, plurals)


def read_irregular_plurals(folder: Path = FOLDER) -> dict[str, tuple[str, ...]]:
    """Only the irregular plurals, WordNet.plurals.

    Raises:
        WordNetError: If the file is missing.
    """
    plurals: dict[str, list[str]] = defaultdict(list)
    for line in _lines(_installed(folder / "noun.exc")):
        plural, *nouns = (word.replace("_", " ") for word in line.split())
        for noun in nouns:
            plurals[noun].append(plural)
    return {noun: tuple(of_noun) for noun, of_noun in plurals.items()}


def _installed(file: Path) -> Path:
    if not file.is_file():
        raise WordNetError(
            f"WordNet is missing ({file}): install the Debian package wordnet-base "
            "(apt-get install wordnet-base)"
        )
    return file


def _lines(file: Path) -> Iterable[str]:
    """The data lines of a file; its licence stands in lines that start with two spaces."""
    with file.open(encoding="utf-8") as lines:
        yield from (line for line in lines if not line.startswith("  "))


def _synset(line: str) -> Synset:
    facts, _, gloss = line.partition(" | ")
    fields = facts.split()
    count = int(fields[3], 16)
    lemmas = tuple(fields[4 + 2 * i].replace("_", " ") for i in range(count))
    pointers = fields[4 + 2 * count + 1 :]
    marks, targets = pointers[0::4], pointers[1::4]
    return Synset(
        offset=int(fields[0]),
        lexname=LEXNAMES[int(fields[1])],
        lemmas=lemmas,
        hypernyms=tuple(int(o) for m, o in zip(marks, targets, strict=False) if m == "@"),
        instance="@i" in marks,
        gloss=gloss.strip(),
    )


def _senses(line: str) -> tuple[str, tuple[int, ...]]:
    fields = line.split()
    return fields[0].replace("_", " "), tuple(map(int, fields[-int(fields[2]) :]))


def _counts(
    lines: Iterable[str], senses: dict[str, tuple[int, ...]]
) -> tuple[dict[str, dict[int, int]], dict[str, int], dict[str, int]]:
    """Uses of noun senses by lemma and offset, then of verbs and of adjectives by lemma."""
    nouns: dict[str, dict[int, int]] = defaultdict(dict)
    verbs: dict[str, int] = defaultdict(int)
    adjectives: dict[str, int] = defaultdict(int)
    for line in lines:
        key, number, count = line.split()
        lemma, _, rest = key.partition("%")
        lemma, part = lemma.replace("_", " "), int(rest.split(":")[0])
        if part == VERB:
            verbs[lemma] += int(count)
        elif part != NOUN:
            adjectives[lemma] += int(count)
        elif int(number) <= len(senses.get(lemma, ())):
            nouns[lemma][senses[lemma][int(number) - 1]] = int(count)
    return dict(nouns), dict(verbs), dict(adjectives)
