"""Nouns: how they are spelt so that they can be compared (novic_spec §1.2), and their scores."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from unidecode import unidecode

from novic.surrounded import Place

PERSON = "person"
"""The noun of people that were seen to be some, whoever they are (`novic.persons`)."""
TIMES = "\N{MULTIPLICATION SIGN}"
UNNAMED = "something unnamed"
"""The headline of what has no name that is sure (`novic.certainty`)."""


@dataclass(frozen=True, slots=True)
class NounScore:
    """One candidate name of an image."""

    noun: str
    p: float
    """exp of the score (`novic.decode`): with the standard strategy the probability, 0 to 1, that
    the decoder says exactly this noun, so that the candidates of one image sum to at most 1. Where
    it was measured what that is worth, the chance that the noun is right (`novic.certainty`)."""


@dataclass(frozen=True, slots=True)
class ThingKind:
    """What kind of thing something is, where its noun may be doubtful."""

    noun: str
    """A plain word: bird, tool, vehicle."""
    p: float
    """Probability that the thing is of that kind, 0 to 1."""
    sure: bool
    """Whether that is told as a fact."""
    maybe: str = ""
    """The best noun that is of the kind; empty if there is none that may be told."""

    @property
    def told(self) -> str:
        """The kind, and in brackets what it may be: "bird (pigeon?)"."""
        return f"{self.noun} ({self.maybe}?)" if self.maybe else self.noun

    def as_json(self) -> dict[str, Any]:
        """The kind as scripts read it; keys are stable."""
        return {"kind": self.noun, "p": round(self.p, 4), "sure": self.sure}


@dataclass(frozen=True, slots=True, eq=False)
class Naming:
    """What one image was named, and by what: enough to judge, search or name it anew."""

    nouns: tuple[NounScore, ...]
    """Candidates, best first."""
    vector: NDArray[np.float32]
    """The image's unit vector [F] in the embedder's space."""
    rest: float
    """Probability that the candidates leave to everything else, 1 less the sum of their p, 0 to 1.
    NaN under strategies whose scores are no probabilities (`GenConfig.gives_probabilities`)."""
    sure: bool = False
    """Whether the best noun is told as a fact; below that line it is a guess."""
    kind: ThingKind | None = None
    """What kind of thing it is; None where nothing is known of that."""
    people: int = 0
    """How many people were seen in it; 0 if none, or if nobody looked for them."""
    places: tuple[Place, ...] = ()
    """Where each of them is in the square that they were looked for in; none where nobody was
    found, though it may be told that somebody is there."""

    person_p: float = 0.0
    """Probability that it shows a person by what was seen beside the vector, 0 to 1; 0 if that is
    too little to count, or if nobody looked."""

    @property
    def headline(self) -> str:
        """What is told first: the best noun if it is sure, else its kind if that is, or UNNAMED."""
        if self.sure:
            return counted(self.nouns[0].noun, self.people)
        return self.kind.told if self.kind is not None and self.kind.sure else UNNAMED


def counted(noun: str, people: int) -> str:
    """A noun, and how many they are if it is people: "person", TIMES and a number."""
    return f"{noun} {TIMES} {people}" if noun == PERSON and people > 1 else noun


def canonical(text: str) -> str:
    """The canonical form of a noun: lower case, no ' or ., single spaces, also for - and /."""
    bare = text.lower().replace("'", "").replace(".", "")
    return " ".join(bare.replace("/", " ").replace("-", " ").split())


def sanitised(text: str) -> str:
    """The canonical form of what a person typed: spaces collapsed and letters made ASCII first."""
    return canonical(unidecode(" ".join(text.split())))
