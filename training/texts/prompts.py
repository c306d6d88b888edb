"""Sentences that nouns are put into: upstream's `prompts.json` and what comes of it.

The shipped file holds the templates that CLIP is tested with on ImageNet and CIFAR (Radford et al.
2021, published under the MIT licence), with number and article made explicit. It agrees with
upstream's in every count that is known (novic_spec §1.7); which of the two templates with "my"
upstream gives plurals too is not known, nor the collection ImageNet1KSel. Suffixes that name a kind
("hypernyms" in the file) are not read: upstream's own training cannot use them either.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from novic.errors import NomalyError
from scenarios.dictionary import NUMBERS, Number, ObjectDictionary
from scenarios.json_files import Faults, is_whole, read_json
from training.texts.samples import Caption

DEFAULT_COLLECTIONS = "ImageNet1K | CIFAR"

PLACEHOLDERS: dict[str, tuple[Number, ...]] = {
    "{noun}": ("singular", "plural"),
    "{singular}": ("singular",),
    "{plural}": ("plural",),
    "{article_noun}": ("singular", "plural"),
    "{article_singular}": ("singular",),
}
"""What a template holds once, and the numbers that it is used for."""

_SPELT_AN = re.compile(r"[AEFHILMNORSX][B-Z][A-Z]?\b")
_SOUNDS_AN = re.compile(r"[aefhilmnorsx][.\-]|hour", re.IGNORECASE)
_SOUNDS_A = re.compile(r"[a-z][.\-]|eu|ew|onc?e\b|uni|u[bcfghjkqrst][aeiou]", re.IGNORECASE)


class PromptError(NomalyError):
    """Prompts cannot be used; the text names the file, the collection and the fault."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template and its weight."""

    before: str
    """Text in front of the placeholder."""
    placeholder: str
    after: str
    """Text behind it, a full stop at its end."""
    freq: int
    """How often it is used for every noun, at least 1."""

    @property
    def template(self) -> str:
        """As it stands in the file."""
        return f"{self.before}{self.placeholder}{self.after}"

    def suits(self, number: Number) -> bool:
        """Whether it is used for nouns in this number."""
        return number in PLACEHOLDERS[self.placeholder]

    def word(self, noun: str, number: Number) -> str:
        """A noun as it stands in the sentence, behind its article if it gets one."""
        if number == "singular" and self.placeholder in ("{article_noun}", "{article_singular}"):
            return f"{article(noun)} {noun}"
        return noun

    def sentence(self, words: Sequence[str]) -> str:
        """The template filled with one or several words, as `word` gives them."""
        return f"{self.before}{' and '.join(words)}{self.after}"


def article(noun: str) -> str:
    """The indefinite article of a noun by upstream's rules; the first that fits decides."""
    if _SPELT_AN.match(noun) or _SOUNDS_AN.match(noun):
        return "an"
    if _SOUNDS_A.match(noun):
        return "a"
    return "an" if noun[:1].lower() in tuple("aeiou") else "a"


def read_prompts(
    path: Path | None = None, collections: str = DEFAULT_COLLECTIONS
) -> tuple[Prompt, ...]:
    """Read the templates of some collections.

    Args:
        path: A `prompts.json`; by default the one that Nomaly ships.
        collections: Their names with | between. A template that is in several gets the sum of its
            frequencies.

    Returns:
        Each template once, in the order of the file, without those of frequency 0.

    Raises:
        PromptError: If the file is missing or breaks a rule, or has no such collection.
    """
    if path is None:
        with as_file(files("training") / "data" / "prompts.json") as shipped:
            return read_prompts(shipped, collections)
    known = _read_collections(path)
    freqs = Counter[str]()
    for name in (name.strip() for name in collections.split("|")):
        if name not in known:
            raise PromptError(
                f"{path}: there is no collection {name!r}; there are {', '.join(known)}"
            )
        for freq, template in known[name]:
            freqs[template] += freq
    prompts = tuple(_prompt(template, freq) for template, freq in freqs.items() if freq)
    if not prompts:
        raise PromptError(f"{path}: every template of {collections} has frequency 0; give some 1")
    return prompts


def noun_captions(dictionary: ObjectDictionary, prompts: Sequence[Prompt]) -> Iterator[Caption]:
    """Every spelling of every noun in every template, upstream's plain noun data set (M1).

    The order is entry, singular then plural, template, spelling (novic_spec §1.8). A caption's
    count is the template's frequency times the spelling's.
    """
    for noun, entry in enumerate(dictionary.entries):
        for number in NUMBERS:
            variants = entry.variants(number)
            for prompt in prompts:
                if not prompt.suits(number):
                    continue
                for spelling, freq in variants:
                    text = prompt.sentence((prompt.word(spelling, number),))
                    yield Caption(text, (noun,), prompt.freq * freq)


def noun_samples(dictionary: ObjectDictionary, prompts: Sequence[Prompt]) -> int:
    """Samples that `noun_captions` stands for.

    With the shipped prompts 97 times the frequency of all singulars plus 79 times that of all
    plurals.
    """
    return sum(
        sum(prompt.freq for prompt in prompts if prompt.suits(number))
        * sum(entry.freq(number) for entry in dictionary.entries)
        for number in NUMBERS
    )


def _prompt(template: str, freq: int) -> Prompt:
    placeholder = next(name for name in PLACEHOLDERS if name in template)
    before, after = template.split(placeholder)
    return Prompt(before, placeholder, after, freq)


def _read_collections(path: Path) -> dict[str, list[tuple[int, str]]]:
    """All collections of a file, their templates normalised."""
    raw = read_json(path, PromptError)
    if not isinstance(raw, dict) or not isinstance(raw.get("prompts"), dict) or not raw["prompts"]:
        raise PromptError(f'{path}: must be {{"prompts": {{collection: [[freq, template], …]}}}}')
    faults = Faults(path, PromptError)
    collections = {name: _read_rows(name, rows, faults) for name, rows in raw["prompts"].items()}
    faults.raise_any()
    return collections


def _read_rows(name: str, rows: object, faults: Faults) -> list[tuple[int, str]]:
    """The templates of a collection; what is wrong is noted."""
    if not isinstance(rows, list):
        faults.add(name, "must be a list of [freq, template]")
        return []
    read = []
    for place, row in enumerate(rows, start=1):
        here = f"{name}, template {place}"
        if not (isinstance(row, list) and len(row) == 2):
            faults.add(here, f"{row!r} must be [freq, template]")
            continue
        freq, text = row
        if not is_whole(freq, least=0):
            faults.add(here, f"frequency {freq!r} is not a whole number from 0")
        elif what := _wrong_template(text):
            faults.add(here, what)
        else:
            tidy = " ".join(text.split())
            read.append((freq, tidy if tidy.endswith(".") else f"{tidy}."))
    return read


def _wrong_template(text: object) -> str:
    """What is wrong with a template; empty if nothing is."""
    if not isinstance(text, str):
        return f"{text!r} must be text"
    held = re.findall(r"\{[^{}]*\}", text)
    unknown = [name for name in held if name not in PLACEHOLDERS]
    if unknown:
        return f"{text!r} holds {unknown[0]}; the placeholders are {', '.join(PLACEHOLDERS)}"
    if len(held) != 1:
        return f"{text!r} holds {len(held)} placeholders; it must hold one"
    if text.count("{") != 1 or text.count("}") != 1:
        return f"{text!r} holds a brace outside its placeholder"
    return ""
