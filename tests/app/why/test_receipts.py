"""Receipts: why something rang or did not, and what would have flipped it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.errors import UsageError
from app.events.event import Finding
from app.events.moment import KEPT_US, Moment
from app.events.store import Changes, Store
from app.feedback.heeding import Heeding, Wanted
from app.feedback.saying import forget, say_normal
from app.feedback.verdicts import Verdicts
from app.report.times import local
from app.sources.base import Gap
from app.why.asking import why
from app.why.receipts import of_event, of_moment
from calibration.belonging import Evidence
from detectors.tracks import TrackRule
from detectors.types import Box
from novic.certainty import Certainty
from novic.kind_rules import KindRule
from tests.app.feedback.verdicts import EMBEDDER, a_run_of, seen
from tests.app.report.runs import BEGAN_US, a_fault, a_run, a_seen, a_source

DOG = Evidence((("dog", 0.8, 2.0),), 0.2)
"""Of a site whose dictionary holds dogs, which are rare there."""
NO_SITE = Evidence((("dog", 0.8, 0.0),), 0.2)


def a_moment(at_s: float = 40.0, level: float = 0.6, why: str = "bar") -> Moment:
    begin_us = BEGAN_US + round(at_s * 1e6)
    box = Box(10, 20, 60, 90)
    return Moment(
        "hall", at_s, at_s + 2, begin_us, begin_us + 2_000_000, box, level, 0.7, why  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


def a_thing(number: int = 0, **facts: object) -> Finding:
    finding = a_seen(number)
    given = {"bar": 0.7, "level": 1.4, "evidence": DOG, **facts}
    return replace(finding, event=replace(finding.event, **given))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


class TestEvents:
    def test_an_event_tells_its_gates_in_order_and_what_would_have_silenced_it(self, store: Store):
        finding = a_thing()
        a_run(store, finding)
        (receipt,) = why(store.folder, finding.event.id)
        assert receipt.outcome == "rang"
        names = [gate.name for gate in receipt.gates]
        assert names == ["bar", "thing", "feedback", "name", "place"]
        assert receipt.gates[0].margin == pytest.approx(2)
        assert receipt.flip is not None
        assert (receipt.flip.setting, receipt.flip.now) == ("--bar", 0.7)
        assert receipt.flip.value == pytest.approx(1.4001)

    @pytest.mark.parametrize(
        ("noun", "p", "flips"),
        [("cat", 0.8, True), ("cat", 0.5, True), ("gun", 0.85, False), ("gun", 0.95, True)],
    )
    def test_the_stated_share_of_wrong_names_tells_a_noun_otherwise(
        self, noun: str, p: float, flips: bool
    ):
        lines = Certainty(sure_from=0.7, sensitive_from=0.9)
        event = replace(a_thing().event, candidates=((noun, p),), sure_from=lines.line(noun))
        change = of_event(event, lambda _: None).naming
        assert (change is not None) == flips
        if change is not None and change.value is not None:
            before, after = (
                one.sure(noun, p) for one in (lines, lines.at_most_wrong(change.value))
            )
            assert before != after

    def test_where_it_belongs_comes_with_the_setting_that_changes_it(self, store: Store):
        finding = a_thing()
        a_run(store, finding)
        (receipt,) = why(store.folder, finding.event.id)
        assert receipt.gates[-1].said == "not expected here"
        assert receipt.belonging is not None
        assert receipt.belonging.setting == "belonging.sure_from"
        assert receipt.belonging.outcome == "it would be unknown"

    def test_where_nothing_is_known_of_what_is_usual_nobody_asks_whether_it_belongs(
        self, store: Store
    ):
        finding = a_thing(evidence=NO_SITE)
        a_run(store, finding)
        (receipt,) = why(store.folder, finding.event.id)
        assert [gate.name for gate in receipt.gates] == ["bar", "thing", "feedback", "name"]
        assert receipt.belonging is None

    def test_a_muted_event_is_silent(self, store: Store):
        finding = a_thing(muted="verdict 1: cat is normal here, said of 1")
        a_run(store, finding)
        (receipt,) = why(store.folder, finding.event.id)
        assert receipt.outcome == "silent"
        assert [gate.passed for gate in receipt.gates if gate.name == "feedback"] == [False]
        assert receipt.flip is None  # the verdict is gone

    def test_a_verdict_is_told_with_the_others_that_silence_the_same(self, tmp_path: Path):
        cat, again = seen(1, 0), seen(2, 8)
        a_run_of(tmp_path, cat, again)
        say_normal(tmp_path, cat.event.id, None, "")
        say_normal(tmp_path, again.event.id, None, "")
        heeding = Heeding(Verdicts(tmp_path / "detector"), EMBEDDER, pytest.fail)
        (receipt,) = why(tmp_path, cat.event.id)
        assert receipt.flip is not None
        assert receipt.flip.setting == "nomaly feedback forget 1 and"
        assert receipt.flip.value == 2
        assert receipt.flip.outcome == "its like would ring again"
        for number, silent in ((1, True), (2, False)):
            forget(tmp_path, number)
            (like,) = heeding.heeded([seen(2 + number, 4)])
            assert bool(like.event.muted) == silent

    @pytest.mark.parametrize(("tell", "wanted"), [("person", False), ("any animal", True)])
    def test_what_a_verdict_and_the_run_silence_needs_more_than_that_the_verdict_goes(
        self, tmp_path: Path, tell: str, wanted: bool
    ):
        cat = seen(1, 0)
        a_run_of(tmp_path, cat, tell=[tell])
        say_normal(tmp_path, cat.event.id, None, "")
        (receipt,) = why(tmp_path, cat.event.id)
        assert receipt.flip is not None
        assert (receipt.flip.setting, receipt.flip.value) == ("nomaly feedback forget", 1)
        also = "" if wanted else " if --tell wanted it too"
        assert receipt.flip.outcome == f"its like would ring again{also}"
        forget(tmp_path, 1)
        rules = Wanted((KindRule.parse(tell),), Certainty())
        heeding = Heeding(Verdicts(tmp_path / "detector"), EMBEDDER, pytest.fail, rules)
        (like,) = heeding.heeded([seen(2, 4)])
        assert bool(like.event.muted) != wanted

    def test_what_nobody_wants_says_how_it_would_be_told(self, store: Store):
        finding = a_thing(muted="only person is told (--tell); the chance that it is one: 1%")
        a_run(store, finding)
        by_id, by_time = why(store.folder, finding.event.id), why(store.folder, "6.0s")
        assert by_id == by_time
        assert by_id[0].flip is not None
        assert "--tell" in by_id[0].flip.setting

    def test_the_camera_tells_of_itself(self, store: Store):
        finding = a_fault(0)
        a_run(store, finding)
        (receipt,) = why(store.folder, finding.event.id)
        assert receipt.said.startswith("The camera told of itself")
        assert receipt.gates == ()

    def test_an_event_of_an_older_nomaly_has_no_bar(self, store: Store):
        finding = a_seen(0)
        a_run(store, finding)
        (receipt,) = why(store.folder, finding.event.id)
        assert receipt.gates[0].name == "thing"
        assert receipt.flip is None


class TestSilences:
    def test_what_came_near_tells_the_bar_at_which_it_would_have_rung(self, store: Store):
        a_run(store, moments=[a_moment()])
        (receipt,) = why(store.folder, "41s")
        assert receipt.outcome == "silent"
        assert receipt.flip is not None
        assert receipt.flip.value == pytest.approx(0.5999)
        assert receipt.flip.outcome == "it would have rung"

    @pytest.mark.parametrize("level", [0.647149, 0.61236, 0.7, 0.30005, 0.5999999])
    def test_a_bar_flips_as_it_is_printed(self, level: float):
        rings = of_moment(a_moment(level=level) if level < 0.7 else a_moment(), lambda _: None).flip
        silent = of_event(a_thing(level=level).event, lambda _: None).flip
        assert rings is not None
        assert silent is not None
        for change, least in ((rings, 0.6 if level == 0.7 else level), (silent, level)):
            typed = float(f"{change.value:.6g}")
            assert (typed < least) == (change is rings)
            assert typed == pytest.approx(least, abs=2.1e-4)

    def test_what_would_need_a_bar_below_the_lowest_has_none_that_flips_it(self):
        assert of_moment(a_moment(level=0.30000001), lambda _: None).flip is None

    def test_what_was_taken_for_light_has_no_bar_that_flips_it(self, store: Store):
        a_run(store, moments=[a_moment(level=0.9, why="light")])
        (receipt,) = why(store.folder, "41s")
        assert [gate.passed for gate in receipt.gates] == [True, False]
        assert "taken for light" in receipt.said
        assert receipt.flip is None

    def test_where_nothing_came_near_the_highest_value_is_told(self, store: Store):
        a_run(store, peaks={40: 0.41, 41: 0.2})
        (receipt,) = why(store.folder, "41s")
        assert receipt.outcome == "quiet"
        assert "0.41 times the bar" in receipt.said
        assert (receipt.start_s, receipt.end_s) == (40.0, 41.0)

    def test_what_was_high_enough_but_not_for_long_is_not_said_to_be_too_low(
        self, store: Store, tmp_path: Path
    ):
        video = tmp_path / "hall.mp4"
        a_run(store, source=a_source(uri=str(video)), peaks={40: 1.93, 41: 0.2})
        (receipt,) = why(store.folder, "41s")
        assert (
            "1.93 times the bar. An event needs 1.25 once, and 1 in 60% of the frames of a second, "
            "3 at least, as one thing; it did not last so long." in receipt.said
        )
        assert [(gate.name, gate.passed) for gate in receipt.gates] == [
            ("bar", True),
            ("thing", False),
        ]
        assert receipt.flip is None
        assert "It can be seen in" not in receipt.said
        video.touch()
        (receipt,) = why(store.folder, "41s")
        assert receipt.said.endswith(f"It can be seen in {video} at 0:40.0.")

    def test_what_an_event_needs_is_told_by_the_rule_of_the_run(self, store: Store):
        rule = TrackRule(open_score=2.0, open_share=0.8, window_s=2.0, window_frames=10)
        a_run(store, peaks={40: 1.93}, settings={"rule": rule.model_dump()})
        (receipt,) = why(store.folder, "41s")
        assert receipt.gates[0].needed == 2.0
        assert "where an event needs 2 once, and 1 for longer than a moment." in receipt.said
        store.save(1, Changes(a_source(), peaks={40: 2.1}))
        (receipt,) = why(store.folder, "41s")
        assert "needs 2 once, and 1 in 80% of the frames of 2 s, 8 at least," in receipt.said

    def test_a_camera_whose_address_is_longer_than_a_name_of_a_file_has_no_video(
        self, store: Store
    ):
        address = f"rtsp://hall/live?token={'a' * 5000}"
        a_run(store, source=a_source(uri=address), peaks={40: 0.41})
        (receipt,) = why(store.folder, "41s")
        assert receipt.outcome == "quiet"
        assert "It can be seen in" not in receipt.said

    def test_a_time_in_which_the_camera_could_not_see_says_so(self, store: Store):
        begin_us = BEGAN_US + 30_000_000
        gap = Gap(begin_us, begin_us + 20_000_000, "stalled", "black picture")
        a_run(store, gaps=[gap])
        (receipt,) = why(store.folder, "41s")
        assert (receipt.outcome, receipt.said) == (
            "unseen",
            "Nothing could be seen then: black picture.",
        )

    def test_a_time_at_which_nobody_watched_says_so(self, store: Store):
        a_run(store)
        (receipt,) = why(store.folder, "2026-11-20T10:00:00+00:00")
        assert receipt.said.startswith("Nobody watched then: 1 begins at 0:00.0 (2026-11-29")

    def test_a_time_at_which_the_view_was_learned_says_so(self, store: Store):
        a_run(store, source=a_source(from_s=40.0))
        (receipt,) = why(store.folder, "0:30")
        assert receipt.said.startswith("Its normal view was learned until 0:40.0;")
        assert receipt.start_s == 30

    @pytest.mark.parametrize(
        ("finished", "word"), [(True, "ends at"), (False, "was looked at until")]
    )
    def test_a_time_past_the_end_tells_the_end(self, store: Store, finished: bool, word: str):
        a_run(store, source=a_source(314.0, finished=finished))
        (receipt,) = why(store.folder, "400s")
        assert receipt.said.startswith(f"Nobody watched then: 1 {word} 5:14.0 (2026-11-29")
        assert receipt.start_s == 400

    def test_events_come_before_what_only_came_near(self, store: Store):
        finding = a_thing()
        a_run(store, finding, moments=[a_moment(at_s=3.0), a_moment(at_s=7.5, level=0.65)])
        receipts = why(store.folder, "6.0s")
        assert [one.outcome for one in receipts] == ["rang", "silent", "silent"]
        assert [one.gates[0].value for one in receipts[1:]] == [0.65, 0.6]

    def test_moments_are_kept_for_a_month(self, store: Store):
        run = a_run(store, moments=[a_moment()])
        later = KEPT_US / 1e6 + 100
        store.save(run.id, Changes(a_source(), moments=[a_moment(at_s=later)]))
        begin, end = BEGAN_US, BEGAN_US + 2 * KEPT_US
        assert [one.start_s for one in store.moments(run.id, begin, end)] == [later]

    def test_those_of_another_recording_are_kept_however_old(self, store: Store):
        run = a_run(store, moments=[a_moment()])
        later = KEPT_US / 1e6 + 100
        other = replace(a_source(), uri="march.mp4")
        store.save(run.id, Changes(other, moments=[a_moment(at_s=later)]))
        assert len(store.moments(run.id, BEGAN_US, BEGAN_US + 2 * KEPT_US)) == 2

    def test_what_goes_on_is_one_moment_with_its_highest_level(self, store: Store):
        steps = [a_moment(at_s=40 + 2 * n, level=0.6 + 0.01 * (n == 3)) for n in range(9)]
        elsewhere = replace(a_moment(at_s=45), box=Box(300, 20, 340, 90))
        run = a_run(store, moments=steps[:5])
        store.save(run.id, Changes(a_source(), moments=[*steps[5:], elsewhere]))
        kept = store.moments(run.id, BEGAN_US, BEGAN_US + 100_000_000)
        assert [(one.start_s, one.end_s, one.level) for one in kept] == [
            (40, 58, 0.61),
            (45, 47, 0.6),
        ]

    def test_what_is_audited_again_leaves_no_moment_twice(self, store: Store):
        run = a_run(store, moments=[a_moment(), a_moment(at_s=50)])
        with store.saving():
            store.go_back(run.id, a_source().uri, 45.0)
        kept = store.moments(run.id, BEGAN_US, BEGAN_US + 100_000_000)
        assert [one.start_s for one in kept] == [40.0]


class TestAsking:
    def test_what_is_neither_event_nor_time_is_refused(self, store: Store):
        a_run(store)
        with pytest.raises(UsageError, match=r"yesterday: is no event of .* and no time"):
            why(store.folder, "yesterday")

    @pytest.mark.parametrize("asked", ["1:06.6", "1:06", " 66.6s ", "0:01:06"])
    def test_a_time_may_be_asked_for_as_the_list_shows_it(self, store: Store, asked: str):
        finding = a_seen(0)
        times = {"start_s": 66.6, "end_s": 68.0}
        at_us = {key[:-1] + "us": BEGAN_US + round(1e6 * s) for key, s in times.items()}
        event = replace(finding.event, **times, **at_us)
        a_run(store, replace(finding, event=event), source=a_source(90.0))
        (receipt,) = why(store.folder, asked)
        assert receipt.event_id == event.id

    def test_a_time_of_day_at_which_somebody_watched_is_one_of_the_wall(self, store: Store):
        finding = a_thing()
        a_run(store, finding, source=a_source(100_000.0))
        (receipt,) = why(store.folder, f"{local(finding.event.start_us):%H:%M:%S}")
        assert receipt.event_id == finding.event.id

    def test_a_time_from_the_start_is_looked_for_in_each_video(self, store: Store):
        run = a_run(store, a_thing())
        other = a_source(60.0, uri="march.mp4", start_us=BEGAN_US + 10**12)
        store.save(run.id, Changes(other, peaks={6: 0.3}))
        found = why(store.folder, "0:06")
        assert [one.outcome for one in found] == ["rang", "quiet"]

    def test_a_folder_without_a_run_is_refused(self, store: Store):
        with pytest.raises(UsageError, match="nothing was audited or watched there yet"):
            why(store.folder, "41s")

    def test_the_command_prints_gates_and_what_flips(self, store: Store):
        finding = a_thing()
        a_run(store, finding)
        done = CliRunner().invoke(cli, ["events", "why", str(store.folder), finding.event.id])
        assert done.exit_code == 0
        assert "bar       passed" in done.output
        assert "With --bar 1.4001 it would have been silent; now it is 0.7." in done.output
        assert "failed" not in done.output
        assert "  place             not expected here (77%, sure from 50%)" in done.output
        assert "under belonging in the site's scenario.yaml" in done.output

    def test_another_name_is_told_as_a_condition_not_as_advice(self, store: Store):
        finding = a_thing(candidates=(("cat", 0.2),), sure_from=0.8)
        a_run(store, finding)
        done = CliRunner().invoke(cli, ["events", "why", str(store.folder), finding.event.id])
        assert (
            "Its noun would be told as a fact only if 80% of names may be wrong "
            "(--wrong-names 0.8001); now 20% may." in done.output
        )

    def test_the_command_prints_json(self, store: Store):
        a_run(store, moments=[a_moment()])
        done = CliRunner().invoke(cli, ["events", "why", str(store.folder), "41s", "--json"])
        (receipt,) = json.loads(done.output)
        assert receipt["flip"]["setting"] == "--bar"
        assert receipt["gates"][0]["margin"] == pytest.approx(0.6 / 0.7, abs=1e-3)

    def test_events_are_listed_with_their_ids(self, store: Store):
        finding = a_thing()
        a_run(store, finding)
        done = CliRunner().invoke(cli, ["events", "list", str(store.folder), "--json"])
        assert [event["id"] for event in json.loads(done.output)] == [finding.event.id]
        shown = CliRunner().invoke(
            cli, ["events", "list", str(store.folder)], env={"COLUMNS": "200"}
        )
        assert finding.event.id in shown.output
