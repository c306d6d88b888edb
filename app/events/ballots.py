"""What each crop of an event said, kept so that the event can be named again by the same vote."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.events.packing import packed, unpacked

_STEPS = 127


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """The crops that an event's name rests on."""

    vectors: NDArray[np.float32]
    """Unit vectors [N, F]."""
    weights: tuple[float, ...]
    """How much each counts, above 0."""
    pictures: tuple[int, ...]
    """Which picture each crop is of, from 0."""
    persons: tuple[float, ...]
    """Probability that a person was seen there, apart from the vector; 0 if nobody looked."""
    people: tuple[int, ...]
    """How many were seen."""

    @property
    def as_bytes(self) -> bytes:
        """As it is kept: vectors in steps of their largest number over 127."""
        # A crop that an embedder made no numbers of has no name either way.
        vectors = np.nan_to_num(self.vectors, nan=0.0, posinf=0.0, neginf=0.0)
        largest = np.abs(vectors).max(axis=1, initial=1e-9)
        whole = np.round(vectors / largest[:, None] * _STEPS).astype(np.int8)
        return packed(
            {
                "vectors": whole,
                "weights": np.array(self.weights, np.float32),
                "pictures": np.array(self.pictures, np.uint8),
                "persons": np.array(self.persons, np.float32),
                "people": np.array(np.minimum(self.people, 255), np.uint8),
            }
        )


def read(data: bytes) -> Ballots:
    """Ballots as they were kept.

    Raises:
        ValueError: If they are damaged.
    """
    columns = unpacked(data)
    try:
        vectors = columns["vectors"].astype(np.float32)
        if vectors.ndim != 2 or any(len(one) != len(vectors) for one in columns.values()):
            raise ValueError("the columns differ in length")
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)
        weights, pictures, persons, people = (
            columns[name].tolist() for name in ("weights", "pictures", "persons", "people")
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"what crops said is damaged: {error}") from error
    return Ballots(vectors, tuple(weights), tuple(pictures), tuple(persons), tuple(people))


def cast(crops: Sequence[tuple[NDArray[np.float32], float, int, float, int]]) -> Ballots | None:
    """The ballots of crops: (unit vector [F], weight, picture, p of a person, people) each."""
    if not crops or any(vector.ndim != 1 or vector.size < 2 for vector, *_ in crops):
        return None
    vectors, weights, pictures, persons, people = zip(*crops, strict=True)
    return Ballots(np.stack(vectors), weights, pictures, persons, people)
