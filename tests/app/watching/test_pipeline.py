"""Frames and maps in, named events out."""

import dataclasses

import numpy as np
import pytest

from app.events.event import Finding
from app.watching.evidence import KEPT, Evidence, Picture
from app.watching.namer import vote
from app.watching.pipeline import CameraPipeline
from detectors.types import Box
from detectors.zones import Zones
from novic.vocabulary import NounScore
from tests.app.builders import BrightnessNames, a_detection, a_frame, a_map


def bright_frame(pts_s: float):
    image = np.full((60, 80, 3), 90, np.uint8)
    image[20:40, 20:40] = 250
    return a_frame(pts_s, image)


def play(pipeline: CameraPipeline, seconds: float, spot: tuple[int, int, int]) -> list[Finding]:
    """A second of nothing, then a bright thing, then three seconds of nothing, at 5 frames/s."""
    told = []
    for number in range(round((seconds + 4) * 5)):
        pts_s = number / 5
        there = 1 <= pts_s < 1 + seconds
        frame = bright_frame(pts_s) if there else a_frame(pts_s)
        told += pipeline.update(frame, a_map(spot) if there else a_map())
    return told


def test_an_audit_names_an_event_when_it_has_ended():
    pipeline = CameraPipeline(BrightnessNames(), live=False, video="a.mp4")
    assert play(pipeline, 3, (4, 4, 4)) == []
    assert pipeline.idle
    (finding,) = pipeline.flush()
    event = finding.event
    assert (event.state, event.noun, event.video, event.cut) == ("closed", "lamp", "a.mp4", False)
    assert event.p == pytest.approx(0.8)
    assert event.box == Box(20, 20, 40, 40)
    assert (event.start_s, event.end_s) == (1, 3.8)
    assert (event.start_us, event.end_us) == (2_000_000, 4_800_000)
    assert event.frame_size == (60, 80)
    assert len(finding.path) == event.frames == 15


def test_an_event_tells_how_unexpected_its_noun_is():
    bits = {"lamp": 6.5}
    pipeline = CameraPipeline(BrightnessNames(), live=False, surprise=bits.get)
    play(pipeline, 3, (4, 4, 4))
    (finding,) = pipeline.flush()
    assert finding.event.surprise_bits == 6.5


def test_live_it_opens_is_named_anew_with_all_its_pictures_and_closes():
    names = BrightnessNames()
    told = play(CameraPipeline(names, live=True), 6, (4, 4, 4))
    assert [finding.event.state for finding in told] == ["opened", "updated", "closed"]
    assert len({finding.event.id for finding in told}) == 1
    assert all(finding.event.noun == "lamp" for finding in told)
    # Every picture is named once, tight and with context.
    assert sum(names.batches) == 2 * KEPT


def test_the_same_frames_give_the_same_id():
    ids = set()
    for _ in range(2):
        pipeline = CameraPipeline(BrightnessNames(), live=False)
        play(pipeline, 3, (4, 4, 4))
        ids |= {finding.event.id for finding in pipeline.flush()}
    assert len(ids) == 1


def test_what_is_still_there_when_a_run_stops_is_marked_as_cut():
    pipeline = CameraPipeline(BrightnessNames(), live=False)
    for number in range(10):
        pipeline.update(bright_frame(number / 5), a_map((4, 4, 4)))
    assert not pipeline.idle
    (finding,) = pipeline.finish(cut=True)
    assert finding.event.cut


def test_a_zone_that_is_not_watched_has_no_events():
    left = Zones(exclude=(((0, 0), (0.6, 0), (0.6, 1), (0, 1)),))
    pipeline = CameraPipeline(BrightnessNames(), live=False, zones=left)
    play(pipeline, 3, (4, 4, 4))
    assert pipeline.finish() == []


def test_many_ended_tracks_are_named_in_one_batch():
    names = BrightnessNames()
    pipeline = CameraPipeline(names, live=False)
    told = []
    for start in range(0, 100, 10):
        for number in range(50):
            there = number < 15
            pts_s = start + number / 5
            told += pipeline.update(bright_frame(pts_s), a_map((4, 4, 4)) if there else a_map())
    told += pipeline.finish()
    assert len(told) == 10
    assert len(names.batches) < 5


def a_picture(nouns: dict[str, float], quality: float) -> Picture:
    evidence = Evidence()
    evidence.offer(a_frame(), a_detection(), a_map())
    scores = [NounScore(noun, p) for noun, p in nouns.items()]
    return dataclasses.replace(evidence.pictures[0], quality=quality, nouns=[scores])


def test_a_vote_adds_up_probability_and_weighs_views():
    def best(clear: float, cut_off: float) -> tuple[str, float]:
        return vote([a_picture({"cat": 0.6, "dog": 0.2}, clear), a_picture({"dog": 0.9}, cut_off)])[
            0
        ]

    assert best(3, 1) == ("cat", pytest.approx(0.45))
    assert best(1, 3) == ("dog", pytest.approx(0.725))


def test_evidence_keeps_the_best_views_apart_in_time():
    evidence = Evidence()
    for number in range(100):
        evidence.offer(a_frame(number / 25), a_detection(side=10 + number % 30), a_map())
    assert len(evidence.pictures) == KEPT
    assert len({picture.pts_s // 0.4 for picture in evidence.pictures}) == KEPT
    assert min(picture.box.width for picture in evidence.pictures) > 25


def test_a_thing_that_comes_nearer_is_kept_more_than_once():
    evidence = Evidence()
    for number in range(20):
        evidence.offer(a_frame(number / 5), a_detection(side=10 + number), a_map())
    assert len(evidence.pictures) == KEPT


def test_a_view_cut_off_by_the_edge_loses_against_a_whole_one():
    evidence = Evidence()
    evidence.offer(a_frame(0), a_detection(x=0, side=30), a_map())
    evidence.offer(a_frame(0.1), a_detection(x=20, side=20), a_map())
    (picture,) = evidence.pictures
    assert picture.box.x1 == 20


def test_a_view_at_rest_wins_over_a_more_striking_one_in_motion():
    evidence = Evidence()
    evidence.offer(a_frame(0), a_detection(x=40, score=3), a_map(), before=Box(10, 10, 30, 30))
    evidence.offer(a_frame(0.1), a_detection(x=20, score=2), a_map(), before=Box(20, 10, 40, 30))
    (picture,) = evidence.pictures
    assert picture.box.x1 == 20


def test_the_most_typical_view_is_shown():
    evidence = Evidence()
    for number, x in enumerate((5, 20, 21)):
        evidence.offer(a_frame(number), a_detection(x=x, side=20), a_map())
    assert evidence.best().box.x1 == 20


def test_huge_frames_are_kept_small():
    huge = np.zeros((3000, 4000, 3), np.uint8)
    evidence = Evidence()
    evidence.offer(a_frame(0, huge), a_detection(side=2500), a_map())
    (picture,) = evidence.pictures
    assert max(picture.snapshot.shape) == 960
    assert max(picture.crops[0].shape) == 512
    assert picture.frame_size == (3000, 4000)
