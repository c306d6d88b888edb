"""Captions that a language model wrote: upstream's `captions_dataset.json`, and samples of it.

A caption is kept with `{singular}` or `{plural}` in the place of its noun, so that one caption
serves every spelling of the noun. It has no mark at its end; the full stop is added when it is
filled (novic_spec §2.1, §2.3).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np

from novic.errors import NomalyError, UsageError
from scenarios.dictionary import NUMBERS, NounEntry, Number, ObjectDictionary
from scenarios.json_files import Faults, is_tidy, read_json, write_json
from training.texts.samples import Caption

CAPTIONS_PER_FREQ = 10
"""Captions that are wanted, and at most used, for each unit of a noun's frequency."""
MOST_FREQ = 10
"""Frequency above which no further captions are wanted."""
SAMPLES_PER_FREQ = 20
"""Samples that each spelling gives for each unit of its frequency."""


class CaptionError(NomalyError):
    """Captions cannot be read or written; the text names the file, the noun and the fault."""


@dataclass(frozen=True, slots=True)
class NounCaptions:
    """Captions about one noun."""

    target_noun: str
    singular: tuple[str, ...]
    """Each holds `{singular}`, none stands twice."""
    plural: tuple[str, ...]
    """Each holds `{plural}`."""

    def of(self, number: Number) -> tuple[str, ...]:
        """Those in a grammatical number."""
        return self.singular if number == "singular" else self.plural


def wanted_captions(entry: NounEntry, number: Number) -> int:
    """How many captions a noun should have in a number: at most 100."""
    return CAPTIONS_PER_FREQ * min(entry.freq(number), MOST_FREQ)


def read_captions(path: Path) -> dict[str, NounCaptions]:
    """Read a caption data set.

    Only `target_noun` and the two lists of captions are needed; other fields are passed over.

    Returns:
        Target noun to its captions, in the order of the file.

    Raises:
        CaptionError: If the file is missing or breaks a rule; up to ten faults are told at once.
    """
    raw = read_json(path, CaptionError)
    if not isinstance(raw, list):
        raise CaptionError(f"{path}: must be a JSON list of nouns with their captions")
    faults = Faults(path, CaptionError)
    captions: dict[str, NounCaptions] = {}
    for place, value in enumerate(raw, start=1):
        noun = _read_noun(value, place, faults)
        if noun is None:
            continue
        if noun.target_noun in captions:
            here = f"entry {place} ({noun.target_noun}), target_noun"
            faults.add(here, "the noun has an entry already; put its captions into one")
        captions[noun.target_noun] = noun
    faults.raise_any()
    return captions


def write_captions(
    path: Path, dictionary: ObjectDictionary, captions: Mapping[str, NounCaptions]
) -> None:
    """Write a caption data set in upstream's format.

    Args:
        path: The file, replaced in one go.
        dictionary: Gives the fields of a noun; nouns without captions are left out.
        captions: Target noun to its captions.
    """
    write_json(
        path,
        [
            {
                **asdict(entry),
                "singular_captions": captions[entry.target_noun].singular,
                "plural_captions": captions[entry.target_noun].plural,
                "num_singular_captions": wanted_captions(entry, "singular"),
                "num_plural_captions": wanted_captions(entry, "plural"),
            }
            for entry in dictionary.entries
            if entry.target_noun in captions
        ],
    )


def caption_samples(
    dictionary: ObjectDictionary,
    captions: Mapping[str, NounCaptions],
    seed: int = 0,
    captions_per_freq: int = CAPTIONS_PER_FREQ,
    samples_per_freq: int = SAMPLES_PER_FREQ,
) -> Iterator[Caption]:
    """Fill captions with the spellings of their nouns, each spelling as often as it is common.

    For each noun and number some captions are chosen at random; the spellings use them in turn. A
    noun's choice depends on the seed and its id alone, so a threshold does not change it. Nouns
    without captions give no samples (`nouns_without_captions` tells them), and captions of nouns
    that the dictionary lacks are not used.

    Yields:
        Every filled caption once, with its count; the counts of a spelling sum to
        `samples_per_freq` times its frequency.

    Raises:
        UsageError: If there would be more captions than samples to use them in.
    """
    if not 1 <= captions_per_freq <= samples_per_freq:
        raise UsageError(
            f"{captions_per_freq} captions for each unit of frequency with {samples_per_freq} "
            "samples: take at least one caption, and no more than there are samples"
        )
    for noun, entry in enumerate(dictionary.entries):
        held = captions.get(entry.target_noun)
        for which, number in enumerate(NUMBERS):
            written = held.of(number) if held else ()
            if not written:
                continue
            stream = np.random.default_rng([seed, entry.id, which])
            order = stream.permutation(len(written))
            chosen = [written[place] for place in order[: entry.freq(number) * captions_per_freq]]
            yield from _fill(chosen, entry, noun, number, samples_per_freq)


def nouns_without_captions(
    dictionary: ObjectDictionary, captions: Mapping[str, NounCaptions]
) -> list[str]:
    """Target nouns that lack captions in a number that they have spellings in."""
    return [
        entry.target_noun
        for entry in dictionary.entries
        if any(
            entry.freq(number)
            and not (entry.target_noun in captions and captions[entry.target_noun].of(number))
            for number in NUMBERS
        )
    ]


def _fill(
    chosen: Sequence[str], entry: NounEntry, noun: int, number: Number, samples_per_freq: int
) -> Iterator[Caption]:
    """Captions of one noun in one number, used in turn from spelling to spelling."""
    used = 0
    for spelling, freq in entry.variants(number):
        samples = range(used, used + samples_per_freq * freq)
        used = samples.stop
        for place, count in Counter(sample % len(chosen) for sample in samples).items():
            text = chosen[place].removesuffix(".").replace(placeholder(number), spelling)
            yield Caption(f"{text}.", (noun,), count)


def placeholder(number: Number) -> str:
    """What stands for the noun in a caption."""
    return f"{{{number}}}"


def _read_noun(value: object, place: int, faults: Faults) -> NounCaptions | None:
    """The captions of a noun; what is wrong is noted."""
    if not isinstance(value, dict) or not is_tidy(value.get("target_noun")):
        faults.add(f"entry {place}, target_noun", "there is no target noun")
        return None
    target = value["target_noun"]
    lists = {}
    for number in NUMBERS:
        field = f"{number}_captions"
        lists[number] = value.get(field)
        here = f"entry {place} ({target}), {field}"
        if not isinstance(lists[number], list):
            faults.add(here, "must be a list of captions")
            continue
        for which, what in _wrong_captions(lists[number], number):
            faults.add(f"{here} {which}", what)
    if not all(isinstance(found, list) for found in lists.values()):
        return None
    return NounCaptions(target, *(tuple(cast("list[str]", lists[number])) for number in NUMBERS))


def _wrong_captions(texts: list[object], number: Number) -> Iterator[tuple[int, str]]:
    """Places of captions that break a rule, from 1, and how."""
    first: dict[object, int] = {}
    wanted = placeholder(number)
    other = placeholder("plural" if number == "singular" else "singular")
    for place, text in enumerate(texts, start=1):
        if not isinstance(text, str) or not is_tidy(text):
            yield place, f"{text!r} must be text without stray spaces, and not empty"
        elif wanted not in text:
            yield place, f"{text!r} holds no {wanted}"
        elif other in text:
            yield place, f"{text!r} holds {other} among the {number} captions"
        elif first.setdefault(text, place) != place:
            yield place, f"{text!r} is caption {first[text]} already"
