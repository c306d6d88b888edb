"""What is told: a thing that did not belong, or a camera that saw nothing, from start to end."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.events.ballots import Ballots
from calibration.belonging import Belonging, Evidence, decide
from detectors.types import Box, Pixels
from novic.certainty import Certainty, guesses, headline, headline_p
from novic.surrounded import Surrounded
from novic.vocabulary import ThingKind
from scenarios.belonging_rule import BelongingRule

type EventState = Literal["opened", "updated", "stationary", "closed"]
"""Only the first one rings; a thing that stands is told once, and again after a while."""

type EventChange = Literal["arrived", "missing", "moved", "changed"]
"""A thing is there that was not learned, is gone that was, stands elsewhere in the view, or is no
longer as it was."""

type EventKind = Literal["object", "camera"]
"""Something in front of the camera, or what is wrong with the camera's picture itself."""

VOID = "calibration void"
"""The name of the camera's event that tells that its calibration no longer holds."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of several people in the box of an event."""

    box: Box
    """Where it is in the frame of the snapshot, pixels of the full frame."""
    p: float
    """Probability that it is a person, 0 to 1."""

    def as_json(self) -> dict[str, Any]:
        """The part as scripts read it; keys are stable."""
        return {"box": _rounded(self.box), "p": round(self.p, 4)}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that did not belong, where and when it was, and what it may have been."""

    id: str
    """Sorts by time; the same for the same thing when a recording is audited again."""
    camera: str
    state: EventState
    start_s: float
    """Seconds from the start of the source at which it was first seen."""
    end_s: float
    """... and last seen."""
    start_us: int
    """UTC in microseconds."""
    end_us: int
    box: Box
    """Where it was in the frame of the snapshot, pixels of the full frame."""
    frame_size: tuple[int, int]
    """(height, width) of that frame."""
    score: float
    """Peak of the anomaly map over the detector's threshold; 1.0 is just unusual."""
    frames: int
    """In how many analysed frames it was seen."""
    video: str = ""
    """The file it was found in; empty for a live camera."""
    candidates: tuple[tuple[str, float], ...] = ()
    """Nouns with probabilities, best first."""
    raw_p: tuple[float, ...] = ()
    """What the decoder itself gave each candidate, where a camera's calibration scaled that; empty
    where nothing did."""
    cut: bool = False
    """Whether the run was stopped while it was still there."""
    snapshot_s: float = 0.0
    """When its picture was taken, in seconds from the start of the source."""
    surprise_bits: float | None = None
    """How unexpected the best noun is at the site, -log2 of its share of all frequencies there;
    None where no site's decoder names things."""
    surprise_here_bits: float | None = None
    """How unexpected the best noun is at its place and hour of the day, -log2 of the probability
    that one comes there in such an hour; None where the camera has seen too little."""
    kind: EventKind = "object"
    name: str = ""
    """What is wrong with the camera, for example "black picture"; empty for an object, which has
    nouns instead. Its box is then the whole frame, its score 0."""
    said: str = ""
    """What people should know of the camera's fault, one sentence; empty for an object."""
    sure_from: float = Certainty().sure_from
    """The probability from which on the decoder's word for it would have been told as a fact."""
    thing: ThingKind | None = None
    """What kind of thing it is, where the decoder tells that."""
    people: int = 0
    """How many people are seen in its box; 0 if none, or if nobody looked for them."""
    parts: tuple[Part, ...] = ()
    """Each of several people in the picture of its snapshot, if they are clearly apart there; else
    none."""
    evidence: Evidence | None = None
    """By what is decided whether it belongs; None while unnamed, and of a camera's own fault."""
    belonging: BelongingRule = field(default_factory=BelongingRule)
    """When a thing belongs to the site."""
    change: EventChange = "arrived"
    """What happened; of a camera's own fault it says nothing."""
    moved_from: Box | None = None
    """Where a thing was that has moved, pixels of the full frame."""
    bar: float | None = None
    """What the detector's maps were divided by; None of a camera's own fault."""
    level: float | None = None
    """The largest bar at which it would still have been told; None where that is not known."""
    uncalibrated: str = ""
    """Why its verdict rests on no calibration although the camera had one, as "calibration void
    since 09:40: light changed"; empty where it rests on one, or where there never was one."""
    named_again: str = ""
    """That it was named once more from its vector, by what and what it was called before, in a
    sentence; empty where it was not."""
    muted: str = ""
    """By what people said of it or of its like it is not told; empty if it is told."""
    clip_from_us: int | None = None
    """UTC in microseconds at the start of its clip, by the time of its own first frame; None while
    there is none."""

    @property
    def clip(self) -> str:
        """Where its clip lies below the run's --out; empty if there is none."""
        return "" if self.clip_from_us is None else clip_name(self.id)

    still_us: int | None = None
    """Since when its thing stands still, UTC in microseconds; None while it moves."""
    reminders: int = 0
    """How often it was told again that it still stands there."""

    @property
    def rings(self) -> bool:
        """Whether people should be alarmed by this state: once an event, the first time."""
        first = self.state == "closed" if self.video else self.state == "opened"
        return first and not self.muted

    @property
    def noun(self) -> str:
        """The best noun; empty while unnamed."""
        return self.candidates[0][0] if self.candidates else ""

    @property
    def p(self) -> float:
        """Probability of the best noun, 0 while unnamed."""
        return self.candidates[0][1] if self.candidates else 0.0

    @property
    def sure(self) -> bool:
        """Whether the headline is a fact: a fault is, the best noun from its line on."""
        return self.kind == "camera" or (bool(self.noun) and self.p >= self.sure_from)

    @property
    def of_sure_kind(self) -> bool:
        """Whether its kind is told as a fact, as its noun is not."""
        return not self.sure and self.thing is not None and self.thing.sure

    @property
    def belongs(self) -> Belonging | None:
        """Whether it is expected, unexpected or unknown here; None where nothing tells that."""
        return None if self.evidence is None else decide(self.evidence, self.belonging)

    @property
    def headline_p(self) -> float | None:
        """Probability of what the headline says; None of a camera's fault or of UNNAMED."""
        return None if self.kind == "camera" else headline_p(self.p, self.thing, sure=self.sure)

    @property
    def category(self) -> str:
        """What it is counted with: its noun, its kind, UNNAMED, or the camera's fault."""
        if self.kind == "camera":
            return self.name
        if not self.sure and self.thing is not None and self.thing.sure:
            return self.thing.noun
        return headline(self.noun, sure=self.sure)

    @property
    def guesses(self) -> tuple[tuple[str, float], ...]:
        """What it may be besides the headline, with probabilities: its likely kind, then nouns."""
        return () if self.kind == "camera" else guesses(self.candidates, self.thing, sure=self.sure)

    @property
    def headline(self) -> str:
        """What is told first: the camera's fault, the noun if it is sure, or else the kind.

        Where that is not sure either, it is UNNAMED. Of a thing that has not simply arrived it says
        before what happened: "missing: ladder".
        """
        if self.kind == "camera":
            return self.name
        thing = headline(self.noun, self.thing, sure=self.sure, people=self.people)
        return thing if self.change == "arrived" else f"{self.change}: {thing}"

    def as_json(self) -> dict[str, Any]:
        """The event as scripts read it; keys are stable, `snapshot` is below the run's --out."""
        return {
            "id": self.id,
            "kind": self.kind,
            **(
                {"name": self.name, "said": self.said}
                if self.kind == "camera"
                else {"change": self.change}
            ),
            "camera": self.camera,
            "video": self.video,
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "start_us": self.start_us,
            "end_us": self.end_us,
            "box": _rounded(self.box),
            "score": round(self.score, 4),
            **({} if self.bar is None else {"bar": round(self.bar, 4)}),
            **({} if self.level is None else {"level": round(self.level, 4)}),
            "noun": self.noun,
            "p": round(self.p, 4),
            "sure": self.sure,
            "headline": self.headline,
            "headline_p": None if self.headline_p is None else round(self.headline_p, 4),
            "candidates": [[noun, round(p, 4)] for noun, p in self.candidates],
            **({"raw_p": [round(p, 4) for p in self.raw_p]} if self.raw_p else {}),
            **({} if self.thing is None else {"is_a": self.thing.as_json()}),
            **({"people": self.people} if self.people else {}),
            **({"parts": [part.as_json() for part in self.parts]} if self.parts else {}),
            **({} if self.belongs is None else {"belongs": self._belongs()}),
            **({"uncalibrated": self.uncalibrated} if self.uncalibrated else {}),
            "frames": self.frames,
            "cut": self.cut,
            "snapshot": f"snapshots/{self.id}.jpg",
            **({"clip": self.clip, "clip_from_us": self.clip_from_us} if self.clip else {}),
            **(
                {}
                if self.surprise_bits is None
                else {"surprise_bits": round(self.surprise_bits, 2)}
            ),
            **(
                {}
                if self.surprise_here_bits is None
                else {"surprise_here_bits": round(self.surprise_here_bits, 2)}
            ),
            **({"moved_from": _rounded(self.moved_from)} if self.moved_from else {}),
            **({"named_again": self.named_again} if self.named_again else {}),
            **({"muted": self.muted} if self.muted else {}),
            **({} if self.still_us is None else self._standing()),
        }

    def as_told(self) -> dict[str, Any]:
        """A message about it: its state as `event`, and whether people should be alarmed."""
        return {"event": self.state, "rings": self.rings, **self.as_json()}

    def _standing(self) -> dict[str, Any]:
        return {"still_us": self.still_us, "reminders": self.reminders}

    def _belongs(self) -> dict[str, Any]:
        """Whether it belongs, as scripts read it."""
        told, evidence = self.belongs, self.evidence
        if told is None or evidence is None:
            return {}
        said = {**told.as_json(), "provisional": evidence.provisional}
        if told.by == "weights":
            said["rule"] = decide(replace(evidence, weighed=None), self.belonging).as_json()
        return said | ({"seen": dict(evidence.seen)} if evidence.seen else {})


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture of a track."""

    pts_s: float
    box: Box
    frame_size: tuple[int, int]
    """(height, width) of the frame that the box is in."""
    crops: tuple[Pixels, ...]
    """What is named: the box, and the box with a margin, RGB uint8 [H, W, 3]; none of a camera's
    own fault, of which there is nothing to name."""
    snapshot: Pixels
    """The whole frame, made smaller, RGB uint8 [H, W, 3]."""
    heat: NDArray[np.float32]
    """Its anomaly map [h, w], 1.0 where just unusual, 0 where nobody watches."""
    quality: float
    """How good a view it is, above 0; comparable within a track only."""
    before: tuple[Pixels, ...] = ()
    """The crops as they were learned; none where nobody knows."""
    around: Surrounded | None = None
    """What the thing lies in; None where that is not known."""

    @property
    def as_learned(self) -> "Picture":
        """The same with the learned crops in the place of its own, if there are any."""
        return replace(self, crops=self.before, around=None) if self.before else self


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """An event with what backs it."""

    event: Event
    picture: Picture | None
    """The most typical view of it; None once it was dropped, because it could not be stored for so
    long that there was no room for more in memory."""
    path: tuple[tuple[float, Box, float], ...]
    """(pts_s, box, score) of every sighting."""
    vector: NDArray[np.float32] | None = None
    """Unit vector [F] of the crop that was named best; None while unnamed."""
    signature: NDArray[np.float32] | None = None
    """What it looks like (detectors.signatures); None where that could not be seen."""
    ballots: Ballots | None = None
    """What its crops said; None while unnamed."""
    silent: bool = False
    """Whether nobody is told of it: it is muted, and was so before anything was told."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """How far an event has come that was told and is still open."""

    id: str
    end_s: float
    """When it was seen last, in seconds from the start of the source."""
    end_us: int
    """The same as UTC in microseconds."""
    score: float
    frames: int
    path: tuple[tuple[float, Box, float], ...] = ()
    """(pts_s, box, score) of its sightings: those that were not saved yet, ..."""
    thinned: bool = False
    """... or all, because older ones were thinned out."""


def clip_name(event_id: str) -> str:
    """Where the clip of an event lies below the run's --out."""
    return f"clips/{event_id}.mp4"


def voids(events: Iterable[Event]) -> list[str]:
    """What is said of calibrations that no longer held, of all events of a run."""
    return [one.said for one in events if one.kind == "camera" and one.name == VOID]


def agreement(one: Iterable[tuple[str, float]], other: Iterable[tuple[str, float]]) -> float:
    """How far two names agree, 0 to 1: the Bhattacharyya coefficient of their candidates."""
    p_of = dict(other)
    return sum((p * p_of.get(noun, 0.0)) ** 0.5 for noun, p in one)


def event_id(camera: str, start_us: int, what: str) -> str:
    """An id that sorts by time and is the same whenever the same recording is audited.

    Args:
        camera: Its name.
        start_us: When the event began, UTC in microseconds.
        what: Tells it from others that began then.
    """
    digest = hashlib.sha256(f"{camera} {what}".encode()).hexdigest()[:6]
    return f"{start_us:014x}-{digest}"


def _rounded(box: Box) -> list[float]:
    return [round(side, 1) for side in box_sides(box)]


def box_sides(box: Box) -> tuple[float, float, float, float]:
    """(x1, y1, x2, y2) in pixels, x2 and y2 excluded."""
    return box.x1, box.y1, box.x2, box.y2
