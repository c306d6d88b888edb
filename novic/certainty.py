"""When a name is told as a fact and when it is a guess: one rule for all that is shown or sent.

From a line on, the best noun is told plainly. Below it the headline is `vocabulary.UNNAMED`, and
the nouns are only its candidates. The line belongs to a decoder with its embedder, since p of
another one means something else; it lies beside the bundle in `certainty.json`:

    {"format": "nomaly-certainty", "version": 1, "weights_sha256": of the bundle's weights,
     "sure_from": p, "sensitive_from": p, "measured": how, in words}

A decoder without that file has the lines of `Certainty`. How the starter's were chosen:
benchmarks/README.md.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from novic.json_files import CARD_BYTES, read_json
from novic.vocabulary import UNNAMED, canonical

FORMAT = "nomaly-certainty"
VERSION = 1
CERTAINTY = "certainty.json"


@dataclass(frozen=True, slots=True)
class Certainty:
    """From which probability on a decoder's best noun is told as a fact."""

    sure_from: float = 0.7
    """At this p a name should be right in half of the cases, above it more often. The default is
    more careful than what was measured of the starter, .565."""
    sensitive_from: float = 0.98
    """The same line for nouns that alarm or insult where they are wrong (`is_sensitive`)."""

    def line(self, noun: str) -> float:
        """The probability from which on a noun is told as a fact, 0 to 1."""
        return self.sensitive_from if is_sensitive(noun) else self.sure_from

    def sure(self, noun: str, p: float) -> bool:
        """Whether a best noun of this probability is told as a fact; a NaN never is."""
        return bool(noun) and p >= self.line(noun)


def headline(noun: str, *, sure: bool) -> str:
    """What is told first of a thing: its noun, or that it has none."""
    return noun if sure else UNNAMED


def is_sensitive(noun: str) -> bool:
    """Whether a noun alarms, accuses or insults where it is wrong, by `sensitive_nouns.txt`.

    Args:
        noun: Of any spelling; the list's nouns cover all that end in them.
    """
    listed, excepted = _sensitive()
    words = canonical(noun).split()
    endings = [" ".join(words[start:]) for start in range(len(words))]
    forms = [form for ending in endings for form in (ending, ending.removesuffix("s"))]
    # The longest that is listed decides: "glue gun" before "gun".
    return next((form in listed for form in forms if form in listed or form in excepted), False)


def read_certainty(folder: Path, weights_sha256: str) -> Certainty:
    """The lines of the bundle in a folder; those of `Certainty` if none were measured.

    Raises:
        ValueError: If its file is damaged, or speaks of other weights.
        OSError: If it cannot be read.
    """
    try:
        said = read_json(folder / CERTAINTY, CARD_BYTES)
    except FileNotFoundError:
        return Certainty()
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ValueError(f"{CERTAINTY} is not one of Nomaly's")
    if said.get("version") != VERSION:
        raise ValueError(f"{CERTAINTY} is of version {said.get('version')}; update Nomaly")
    if said.get("weights_sha256") != weights_sha256:
        raise ValueError(
            f"{CERTAINTY} was measured on other weights; remove it, and the usual lines hold"
        )
    return Certainty(_line(said, "sure_from"), _line(said, "sensitive_from"))


def _line(said: dict[str, Any], key: str) -> float:
    value = said.get(key)
    if not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(f"{CERTAINTY}: {key} must be a number above 0 and at most 1")
    return float(value)


@cache
def _sensitive() -> tuple[frozenset[str], frozenset[str]]:
    """The nouns of the list, and its exceptions."""
    text = (files("novic") / "data" / "sensitive_nouns.txt").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    nouns = [line for line in lines if line and not line.startswith("#")]
    return (
        frozenset(noun for noun in nouns if not noun.startswith("-")),
        frozenset(noun[1:] for noun in nouns if noun.startswith("-")),
    )
