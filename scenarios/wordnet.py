"""WordNet 3.0's nouns, read from files in its own plain format, which come with Nomaly.

`scenarios/data/wordnet-3.0.zip` holds what is read here and WordNet's licence;
`python -m scenarios.wordnet_packing` makes it. A folder with WordNet's whole files reads the same.

NLTK's reader wants files (`lexnames`) that Debian does not ship, and those that matter here are
simple: `data.noun` holds a synset per line, `index.noun` the senses of each lemma in order of use,
`cntlist.rev` how often each sense was met in tagged text, `noun.exc` irregular plurals. The format
is described in wndb(5WN), cntlist(5WN) and morphy(7WN).
"""

import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from lzma import LZMAError
from pathlib import Path

from novic.errors import NomalyError

SHIPPED = Path(str(files("scenarios"))) / "data" / "wordnet-3.0.zip"
"""What comes with Nomaly."""

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
    """WordNet's files are missing, or not what they should be."""


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


type Files = Path | zipfile.Path
"""A folder, or the inside of an archive."""


def read_wordnet(source: Path = SHIPPED) -> WordNet:
    """Read WordNet's nouns.

    Args:
        source: An archive or a folder that holds the files named in FILES.

    Raises:
        WordNetError: If it or a file in it is missing or broken.
    """
    with _opened(source) as inside:
        synsets = {s.offset: s for s in map(_synset, data_lines(inside / "data.noun"))}
        senses = dict(map(_senses, data_lines(inside / "index.noun")))
        counts = _counts(data_lines(inside / "cntlist.rev"), senses)
        verbs = frozenset(
            line.split()[0].replace("_", " ") for line in data_lines(inside / "index.verb")
        )
        forms = {line.split()[0]: line.split()[1] for line in data_lines(inside / "verb.exc")}
        plurals = _plurals(data_lines(inside / "noun.exc"))
    return WordNet(synsets, senses, *counts, verbs, forms, plurals)


def read_irregular_plurals(source: Path = SHIPPED) -> dict[str, tuple[str, ...]]:
    """Only the irregular plurals, WordNet.plurals.

    Raises:
        WordNetError: As `read_wordnet`.
    """
    with _opened(source) as inside:
        return _plurals(data_lines(inside / "noun.exc"))


@contextmanager
def _opened(source: Path) -> Iterator[Files]:
    """The files of a source; whatever is wrong with them is told as a WordNetError."""
    try:
        if source.is_dir():
            _check(source, source)
            yield source
        else:
            with zipfile.ZipFile(source) as archive:
                inside = zipfile.Path(archive)
                _check(source, inside)
                yield inside
    except FileNotFoundError as error:
        raise WordNetError(f"{source}: WordNet is missing; install Nomaly again") from error
    except (OSError, IndexError, KeyError, ValueError, zipfile.BadZipFile, LZMAError) as error:
        raise WordNetError(f"{source} does not hold WordNet 3.0's files: {error}") from error


def _check(source: Path, inside: Files) -> None:
    for name in FILES:
        if not (inside / name).is_file():
            raise WordNetError(f"{source}: WordNet's {name} is missing; install Nomaly again")


def _plurals(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    plurals: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        plural, *nouns = (word.replace("_", " ") for word in line.split())
        for noun in nouns:
            plurals[noun].append(plural)
    return {noun: tuple(of_noun) for noun, of_noun in plurals.items()}


def data_lines(file: Files) -> Iterable[str]:
    """The data lines of a file; its licence stands in lines that start with two spaces."""
    with file.open("r", encoding="utf-8") as lines:
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
