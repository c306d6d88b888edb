"""Of several people in an event each gets a box, where its pictures agree on them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from app.events.event import Event, Finding, Picture
from app.watching.best import BestPictures
from app.watching.followed import Due, Followed
from app.watching.namer import Words
from app.watching.parting import AGREE, parted
from detectors.types import Box, Detection
from novic.persons import PersonEvidence, with_person
from novic.surrounded import Edges, Place
from novic.vocabulary import PERSON, TIMES, Naming, NounScore
from tests.app.builders import a_frame, a_map
from tests.app.events.findings import a_finding

SIZE = (60, 80)
TWO = (Place((0.2, 0.3, 0.4, 0.7), 0.9), Place((0.5, 0.3, 0.75, 0.7), 0.8))


def a_picture(pts_s: float = 0.0, quality: float = 1.0, box: Box | None = None) -> Picture:
    evidence = BestPictures()
    evidence.offer(a_frame(pts_s), Detection(box or Box(20, 15, 50, 45), 2.0), a_map())
    return replace(evidence.pictures[0], quality=quality)


def saying(people: int, places: Sequence[Place], noun: str = PERSON) -> list[Naming]:
    """What both crops of a picture are named."""
    nouns = (NounScore(noun, 0.9),)
    naming = Naming(nouns, np.ones(2, np.float32), 0.1, people=people, places=tuple(places))
    return [naming, naming]


def test_what_two_pictures_show_is_parted_in_pixels_of_the_frame():
    pictures = [a_picture(0.0), a_picture(1.0)]
    found = parted({one: saying(2, TWO) for one in pictures}, 2)
    assert found is not None
    # The square is 42 pixels long and begins at (14, 9).
    assert [part.p for part in found.parts] == [0.9, 0.8]
    sides = [14 + 0.2 * 42, 9 + 0.3 * 42, 14 + 0.4 * 42, 9 + 0.7 * 42]
    box = found.parts[0].box
    assert [box.x1, box.y1, box.x2, box.y2] == pytest.approx(sides)


def test_they_are_told_from_left_to_right():
    found = parted({a_picture(at): saying(2, TWO[::-1]) for at in (0.0, 1.0)}, 2)
    assert found is not None
    assert [part.p for part in found.parts] == [0.9, 0.8]


@pytest.mark.parametrize(
    ("counts", "people"),
    [
        pytest.param([2], 2, id="one picture alone"),
        pytest.param([2, 1, 1], 2, id="the others show one"),
        pytest.param([1, 1], 1, id="one person"),
        pytest.param([2, 2], 3, id="fewer than were counted"),
        pytest.param([0, 0], 0, id="nobody"),
    ],
)
def test_what_pictures_do_not_agree_on_is_not_parted(counts: list[int], people: int):
    named = {a_picture(at): saying(count, TWO[:count]) for at, count in enumerate(counts)}
    assert AGREE == 2
    assert parted(named, people) is None


def test_the_picture_in_which_all_are_seen_best_is_shown():
    doubtful = (TWO[0], replace(TWO[1], p=0.55))
    large, clear = a_picture(0.0, 1.2), a_picture(1.0, 1.0)
    named = {large: saying(2, doubtful), clear: saying(2, TWO)}
    found = parted(named, 2)
    assert found is not None
    assert found.picture is clear
    # A much better view wins over somewhat surer parts.
    named = {replace(large, quality=3.0): saying(2, doubtful), clear: saying(2, TWO)}
    found = parted(named, 2)
    assert found is not None
    assert found.picture.quality == 3.0


def test_parts_end_where_the_frame_ends():
    at_the_edge = Box(0, 30, 30, 60)
    wide: Sequence[Edges] = ((0.0, 0.2, 0.4, 1.0), (0.5, 0.2, 1.0, 1.0))
    places = [Place(edges, 0.9) for edges in wide]
    named = {a_picture(at, box=at_the_edge): saying(2, places) for at in (0.0, 1.0)}
    found = parted(named, 2)
    assert found is not None
    left, right = (part.box for part in found.parts)
    assert (left.x1, left.y2, right.y2) == (0.0, 60.0, 60.0)


def told(named: dict[Picture, list[Naming]], best: Picture) -> Finding:
    """What is told of a track with these pictures."""
    event = replace(a_finding().event, box=best.box, snapshot_s=best.pts_s)
    path = tuple((picture.pts_s, picture.box, 2.0) for picture in named)
    due = Due(event, best, tuple(named), path, Followed())
    return due.finding({one: tuple(some) for one, some in named.items()}, Words())


def test_an_event_is_shown_by_the_picture_that_parts_it():
    best, apart, also = a_picture(0.0), a_picture(1.0, box=Box(22, 15, 52, 45)), a_picture(2.0, 0.5)
    together = {best: saying(1, TWO[:1]), apart: saying(2, TWO), also: saying(2, TWO)}
    finding = told(together, best)
    event = finding.event
    assert finding.picture is apart
    assert (event.headline, event.people, len(event.parts)) == (f"person {TIMES} 2", 2, 2)
    # Parts and crop lie in the box of that picture.
    assert (event.snapshot_s, event.box) == (1.0, apart.box)
    assert event.frame_size == SIZE
    said = event.as_json()["parts"]
    assert [part["p"] for part in said] == [0.9, 0.8]
    assert all(len(part["box"]) == 4 for part in said)


@pytest.mark.parametrize(
    ("count", "noun"),
    [pytest.param(1, PERSON, id="one person"), pytest.param(2, "suit", id="another name")],
)
def test_other_events_are_told_as_ever(count: int, noun: str):
    best, other = a_picture(0.0), a_picture(1.0, 3.0)
    finding = told({one: saying(count, TWO[:count], noun) for one in (best, other)}, best)
    event: Event = finding.event
    assert (finding.picture, event.parts, event.snapshot_s) == (best, (), 0.0)
    assert "parts" not in event.as_json()


def test_two_people_side_by_side_are_found_where_they_stand():
    evidence = PersonEvidence()
    astronaut = data.astronaut()[:, 60:380]
    picture = np.full((560, 900, 3), 120, np.uint8)
    picture[24:536, 150:470], picture[24:536, 530:850] = astronaut, astronaut[:, ::-1]
    named: dict[Picture, list[Naming]] = {}
    for at in (0.0, 1.0):
        kept = BestPictures()
        kept.offer(a_frame(at, picture), Detection(Box(150, 24, 850, 536), 2.0), a_map())
        (one,) = kept.pictures
        assert one.around is not None
        plain = Naming((NounScore("suit", 0.5),), np.ones(2, np.float32), 0.5)
        named[one] = [with_person(plain, evidence.look(one.around))]
    found = parted(named, 2)
    assert found is not None
    left, right = found.parts
    assert left.box.iou(Box(150, 24, 470, 536)) > 0.6
    assert right.box.iou(Box(530, 24, 850, 536)) > 0.6
    assert min(left.p, right.p) > 0.5
