"""What names the crops of a box: the product's own, and three that others would build.

All see the same crops. A crop counts by how good a view it is, as in the product's own vote.

* argmax: the ImageNet class with the highest mean probability, by its commonest word.
* nearest: the noun whose text vector has the largest cosine to the crops' mean vector.
* cased: CaSED (Conti et al., NeurIPS 2023, arXiv 2306.00917; constants of its authors' repository).
  The 10 captions nearest to the crops' vector are retrieved, their nouns are the candidates, and
  each scores a softmax(f w / t) + (1 - a) softmax(c w / t), f the crops' vector, c the mean of the
  captions' vectors, w the nouns', a = .5, t = .07. Captions are "a photo of a NOUN" of every noun.

Where a list of candidates is given nothing else is said: the classifier adds up the classes that
are a candidate or a kind of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.evaluating.pipeline.meaning import Embed, Meanings
from app.evaluating.pipeline.views import Pictures, View
from app.events.event import Picture
from app.watching.namer import VOTERS, Names, vote
from detectors.types import Box
from novic.certainty import Certainty
from novic.embedder import Vectors
from novic.embedders.starter import StarterEmbedder, conse, load_class_vectors
from novic.vocabulary import canonical
from scenarios.raters.vectors.shipped import PackedVectors
from scenarios.raters.vectors.texts import texts_of

RETRIEVED = 10
"""Captions that CaSED retrieves."""
IMAGE_SHARE = 0.5
"""Its a, what the image counts against the captions."""
TEMPERATURE = 0.07
"""Its t."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What the classifier of the starter sees in the crops of one thing."""

    probabilities: NDArray[np.float64]
    """Mean over the crops [1000], ImageNet's classes in the classifier's order."""
    vector: NDArray[np.float32]
    """Unit vector [384] in the direction of the mean of the crops' vectors."""


class Namer(Protocol):
    """Names a thing by its crops."""

    def name(self, pictures: Pictures) -> str:
        """The best noun; empty if it has none, or the pictures are gone.

        Args:
            pictures: Of the thing.
        """
        ...


class Look:
    """Runs the starter's classifier once for each thing, whoever asks.

    Args:
        embedder: The starter.
    """

    def __init__(self, embedder: StarterEmbedder) -> None:
        self._embedder = embedder
        self._class_vectors = load_class_vectors()
        self._seen: dict[Pictures, Looked | None] = {}

    def at(self, pictures: Pictures) -> Looked | None:
        """What is seen in the pictures of a thing, which are not held; None if they are gone."""
        if pictures not in self._seen:
            views = pictures.views()
            self._seen[pictures] = self._looked(views) if views else None
        return self._seen[pictures]

    def _looked(self, views: Sequence[View]) -> Looked:
        crops = [crop for view in views for crop in view.crops]
        weights = np.array([view.quality for view in views for _ in view.crops], np.float64)
        probabilities = self._embedder.class_probabilities(crops)
        vectors = conse(probabilities, self._class_vectors)
        share = weights / weights.sum()
        mean = (share @ vectors).astype(np.float32)
        return Looked(share @ probabilities, mean / np.linalg.norm(mean))


@dataclass(frozen=True, slots=True)
class Voted:
    """The product's own vote.

    Attributes:
        names: The decoder, with a list of candidates or without.
        certainty: What its p are worth.
    """

    names: Names
    certainty: Certainty | None = None

    def name(self, pictures: Pictures) -> str:
        """See `Namer`."""
        views = pictures.views()
        if not views:
            return ""
        crops = [crop for view in views for crop in view.crops]
        around = [view.around for view in views for _ in view.crops]
        named = iter(self.names.name(crops, VOTERS, around))
        ballots = {_picture(view): tuple(next(named) for _ in view.crops) for view in views}
        return vote(ballots, self.certainty).noun


@dataclass(frozen=True, slots=True)
class Argmax:
    """The classifier's best class."""

    look: Look
    words: "ClassWords"
    listed: tuple[str, ...] = ()
    """Candidates; empty for the words of all classes."""

    def name(self, pictures: Pictures) -> str:
        """See `Namer`."""
        looked = self.look.at(pictures)
        if looked is None:
            return ""
        if not self.listed:
            return self.words.first[int(looked.probabilities.argmax())]
        members = self.words.members(self.listed)
        sums = members @ looked.probabilities
        best = int(sums.argmax())
        return self.listed[best] if members[best].any() else ""


@dataclass(frozen=True)
class ClassWords:
    """What ImageNet's classes are called and are kinds of, by WordNet."""

    meanings: Meanings

    @cached_property
    def offsets(self) -> list[int]:
        """WordNet's offsets of the classes, in the classifier's order."""
        from timm.data.imagenet_info import ImageNetInfo  # noqa: PLC0415  # a second to import

        return [int(name[1:]) for name in ImageNetInfo().label_names()]

    @cached_property
    def first(self) -> list[str]:
        """The commonest word for each class."""
        return [self.meanings.words_for(offset)[0] for offset in self.offsets]

    def members(self, nouns: Sequence[str]) -> NDArray[np.bool_]:
        """Which classes are called by each noun, or are a kind of what it means [nouns, 1000]."""
        found = np.zeros((len(nouns), len(self.offsets)), np.bool_)
        for row, noun in zip(found, nouns, strict=True):
            name, meant = canonical(noun), self.meanings.sense(noun)
            row[:] = [
                name in self.meanings.words_for(offset) or meant in kinds
                for offset, kinds in zip(self.offsets, self._kinds, strict=True)
            ]
        return found

    @cached_property
    def _kinds(self) -> list[frozenset[int]]:
        return [self.meanings.kinds(offset) for offset in self.offsets]


@dataclass(frozen=True, slots=True, eq=False)
class Dictionary:
    """Nouns with their text vectors."""

    nouns: tuple[str, ...]
    bare: Vectors
    """Of the nouns alone, unit [N, 384]."""
    photo: Vectors
    """Of "a photo of a NOUN", unit [N, 384]."""

    @classmethod
    def of(cls, nouns: Sequence[str], packed: PackedVectors, embed: Embed) -> "Dictionary":
        """Some nouns, once each, with shipped vectors where there are, else with embedded ones."""
        row_of = {noun: row for row, noun in enumerate(packed.nouns)}
        distinct = dict.fromkeys(map(canonical, nouns))
        known = [noun for noun in distinct if noun in row_of]
        others = [noun for noun in distinct if noun not in row_of]
        texts = [text for noun in others for text in texts_of(noun, singular=True)[:2]]
        ready = packed.vectors([row_of[noun] for noun in known])[:, :2]
        made = embed(texts).reshape(len(others), 2, ready.shape[2])
        both = np.concatenate([ready, made])
        return cls((*known, *others), both[:, 0], both[:, 1])


@dataclass(frozen=True, slots=True)
class Nearest:
    """The noun nearest to the crops."""

    look: Look
    dictionary: Dictionary

    def name(self, pictures: Pictures) -> str:
        """See `Namer`."""
        looked = self.look.at(pictures)
        if looked is None or not self.dictionary.nouns:
            return ""
        cosines = self.dictionary.bare @ looked.vector
        return self.dictionary.nouns[int(cosines.argmax())]


@dataclass(frozen=True, slots=True)
class Cased:
    """The noun that image and retrieved captions agree on."""

    look: Look
    dictionary: Dictionary

    def name(self, pictures: Pictures) -> str:
        """See `Namer`."""
        looked = self.look.at(pictures)
        if looked is None or not self.dictionary.nouns:
            return ""
        scores, rows = cased_scores(looked.vector, self.dictionary.photo, self.dictionary.bare)
        return self.dictionary.nouns[int(rows[int(scores.argmax())])]


def cased_scores(
    image: NDArray[np.float32], captions: Vectors, nouns: Vectors
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """CaSED's scores of the nouns whose captions are nearest to an image.

    Args:
        image: Its unit vector [F].
        captions: Unit vectors of a caption of each noun [N, F], N at least 1.
        nouns: Unit vectors of the nouns [N, F].

    Returns:
        Scores [K] that sum to 1, and which nouns they are of [K], the nearest caption first.
    """
    rows = np.argsort(-(captions @ image), kind="stable")[:RETRIEVED]
    centre = captions[rows].mean(axis=0)
    centre /= np.linalg.norm(centre)
    by_image, by_captions = (_softmax(nouns[rows] @ one / TEMPERATURE) for one in (image, centre))
    return IMAGE_SHARE * by_image + (1 - IMAGE_SHARE) * by_captions, rows


def _softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return powers / powers.sum()


def _picture(view: View) -> Picture:
    """A picture as the vote takes it: by its crops and its quality."""
    nowhere = Box(0, 0, 1, 1)
    empty = Picture(0.0, nowhere, (1, 1), (), view.crops[0], np.zeros((1, 1), np.float32), 1.0)
    return replace(empty, crops=view.crops, quality=view.quality)
