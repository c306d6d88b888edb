"""What stored events would be called by another decoder, from the vectors of their crops."""

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from app.errors import StoreError
from app.events.ballots import Ballots, cast, read
from app.events.event import Event, Picture
from app.events.reading import StoreReader
from app.watching.namer import VOTERS, Words, vote
from detectors.types import Box
from novic.certainty import Certainty
from novic.embedder import Embedder
from novic.model import (
    ModelOptions,
    NounModel,
    open_decoder,
    starter_bundle_path,
)
from novic.persons import Persons
from novic.upstream import read_model_file
from novic.vocabulary import Naming
from scenarios.belonging_rule import BelongingRule

ONE_CROP = "only one of its crops was kept"
_BATCH = 512


@dataclass(frozen=True, slots=True)
class Renamed:
    """Events as they would be called."""

    events: Mapping[str, Event]
    """By id; those that can be named."""
    unsure: Mapping[str, str]
    """Why a name is uncertain, by id."""
    other_embedder: int = 0
    """Events whose vectors are of another embedder than the decoder reads."""
    bare: int = 0
    """Events that have no vectors."""


class Renamer:
    """Names events again."""

    def __init__(self, model: Path | None, wrong_names: float | None = None) -> None:
        """Open a decoder; what makes vectors of pictures is not needed.

        Args:
            model: Its folder or file; None for what Nomaly ships.
            wrong_names: See `novic.model.ModelOptions`.

        Raises:
            NomalyError: If it cannot be opened.
        """
        bundle = read_model_file(model or starter_bundle_path(), torch.device("cpu"))
        decoder = open_decoder(bundle, ModelOptions())
        stands = _Vectors(bundle.embedder, bundle.decoder.config.width)
        embedder = typing.cast(Embedder, stands)
        self._model = NounModel(embedder, decoder, wrong_names=wrong_names)

    @property
    def certainty(self) -> Certainty:
        """What its p are worth."""
        return self._model.certainty

    def renamed(
        self,
        store: StoreReader,
        run_id: int,
        events: Sequence[Event],
        since_us: int,
        belonging: BelongingRule | None,
    ) -> Renamed:
        """Name events again.

        Args:
            store: That holds them.
            run_id: Of their run.
            events: Of things that have a name.
            since_us: None of them ended before, UTC in microseconds.
            belonging: When things belong; None for as each event has it.

        Raises:
            StoreError: If what was kept is damaged.
        """
        known, unsure, others, bare = dict[str, Ballots](), dict[str, str](), 0, 0
        kept = store.ballots(run_id, since_us)
        for event in events:
            spec, ballots = self._ballots(store, event, kept)
            if ballots is None:
                bare += 1
            elif spec != self._model.embedder.spec:
                others += 1
            else:
                known[event.id] = ballots
                if event.id not in kept:
                    unsure[event.id] = ONE_CROP
        named = self._named(known)
        renamed = {
            event.id: self._voted(event, known[event.id], named[event.id], belonging)
            for event in events
            if event.id in known
        }
        return Renamed(renamed, unsure, others, bare)

    @staticmethod
    def _ballots(
        store: StoreReader, event: Event, kept: Mapping[str, tuple[str, bytes]]
    ) -> tuple[str, Ballots | None]:
        if event.id in kept:
            spec, blob = kept[event.id]
            try:
                return spec, read(blob)
            except ValueError as error:
                raise StoreError(f"{store.folder}: event {event.id}: {error}") from error
        one = store.vector(event.id)
        if one is None:
            return "", None
        return one[0], cast([(one[1], 1.0, 0, 0.0, event.people)])

    def _named(self, known: Mapping[str, Ballots]) -> dict[str, list[Naming]]:
        """What each crop of each event would be called."""
        every = [
            (key, vector, Persons(p, ()))
            for key, one in known.items()
            for vector, p in zip(one.vectors, one.persons, strict=True)
        ]
        named: dict[str, list[Naming]] = {}
        for first in range(0, len(every), _BATCH):
            some = every[first : first + _BATCH]
            vectors = np.stack([vector for _, vector, _ in some])
            namings = self._model.decode(vectors, VOTERS, [seen for *_, seen in some])
            for (key, *_), naming in zip(some, namings, strict=True):
                named.setdefault(key, []).append(naming)
        return named

    def _voted(
        self,
        event: Event,
        ballots: Ballots,
        named: Sequence[Naming],
        belonging: BelongingRule | None,
    ) -> Event:
        """The event as its crops vote."""
        pictures: dict[int, Picture] = {}
        votes: dict[Picture, list[Naming]] = {}
        rows = zip(ballots.pictures, ballots.weights, ballots.people, named, strict=True)
        for number, weight, people, naming in rows:
            picture = pictures.setdefault(number, _blank(weight))
            seen = naming if naming.person_p == 0 else _counted(naming, people)
            votes.setdefault(picture, []).append(seen)
        words = Words.of(self._model, None, belonging or event.belonging)
        return words.named(event, vote(votes, self._model.certainty))


def _counted(naming: Naming, people: int) -> Naming:
    """A naming of somebody with as many as were seen."""
    return Naming(
        naming.nouns, naming.vector, naming.rest, naming.sure, naming.kind, people,
        person_p=naming.person_p,
    )  # fmt: skip


def _blank(weight: float) -> Picture:
    """What stands for a picture that is kept no more: it counts as much."""
    nothing = np.zeros((1, 1, 3), np.uint8)
    return Picture(0.0, Box(0, 0, 1, 1), (1, 1), (), nothing, np.zeros((1, 1), np.float32), weight)


@dataclass(frozen=True, slots=True)
class _Vectors:
    """Stands for the embedder that made the stored vectors."""

    spec: str
    width: int

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Never asked."""
        raise ValueError(f"{len(images)} pictures were to be embedded, where only vectors are kept")

    def warm_up(self) -> None:
        """Nothing to do."""
