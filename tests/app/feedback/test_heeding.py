"""What a run makes of verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import FeedbackError
from app.events.event import Event, Finding
from app.feedback.heeding import Heeding, Seen, Wanted, match
from app.feedback.verdicts import FEEDBACK, Verdicts
from novic.certainty import Certainty
from novic.kind_rules import KindRule
from tests.app.events.findings import a_camera_finding
from tests.app.feedback.verdicts import EMBEDDER, a_signature, a_vector, a_verdict, seen


def heard(heeding: Heeding, *findings: Finding) -> list[tuple[bool, bool]]:
    """Whether each is muted, and whether nobody hears of it."""
    return [(bool(one.event.muted), one.silent) for one in heeding.heeded(findings)]


def a_heeding(folder: Path, said: list[str] | None = None) -> Heeding:
    return Heeding(Verdicts(folder), EMBEDDER, (said if said is not None else []).append)


def state(finding: Finding, name: str) -> Finding:
    return replace(finding, event=replace(finding.event, state=name))


def test_a_verdict_said_while_it_runs_silences_the_like_from_the_next_event_on(tmp_path: Path):
    heeding = a_heeding(tmp_path)
    assert heard(heeding, seen(1, 0)) == [(False, False)]
    Verdicts(tmp_path).add(a_verdict(10))
    assert heard(heeding, seen(2, 0), seen(3, 90)) == [(True, True), (False, False)]
    (verdict,) = Verdicts(tmp_path).all()
    assert (verdict.matches, verdict.matched_us) == (1, 2_000_000)
    assert heard(a_heeding(tmp_path), seen(4, 0)) == [(True, True)]
    Verdicts(tmp_path).forget(verdict.number)
    assert heard(heeding, seen(5, 0)) == [(False, False)]


def test_who_heard_that_it_opened_hears_that_it_is_over(tmp_path: Path):
    heeding = a_heeding(tmp_path)
    finding = seen(1, 0)
    live = replace(finding, event=replace(finding.event, video=""))
    for told, ends in ((live, False), (seen(2, 0), True)):
        # Of a recording nothing is told before it is over.
        assert heard(heeding, state(told, "opened")) == [(False, False)]
        Verdicts(tmp_path).add(replace(a_verdict(90), event_id=told.event.id))
        assert heard(heeding, state(told, "closed")) == [(True, ends)]


def test_an_event_counts_once_however_often_it_is_told(tmp_path: Path):
    heeding = a_heeding(tmp_path)
    Verdicts(tmp_path).add(a_verdict(0))
    states = [state(seen(1, 0), name) for name in ("opened", "updated", "closed")]
    assert heard(heeding, *states) == [(True, True)] * 3
    assert Verdicts(tmp_path).all()[0].matches == 1


def test_a_verdict_expires_after_its_last_match(tmp_path: Path):
    Verdicts(tmp_path).add(a_verdict(0, keep_s=100.0))
    heeding = a_heeding(tmp_path)
    at = [seen(number, 0, start_s=start_s) for number, start_s in enumerate((90, 180, 281))]
    assert [heard(heeding, one)[0][0] for one in at] == [True, True, False]


def test_the_likest_verdict_is_the_reason():
    near, far = replace(a_verdict(10), number=1), replace(a_verdict(20), number=2)
    event = Seen.of(seen(1, 0), EMBEDDER)
    assert match([far, near], event) is near
    assert match([], event) is None
    assert match([far, near], replace(event, embedder="another")) is None
    assert match([far, near], replace(event, vector=None)) is None
    assert match([far, near], replace(event, signature=None)) is None
    assert match([far, near], replace(event, vector=a_vector(0)[:2])) is None


def test_that_a_thing_may_be_there_does_not_say_that_it_may_be_gone():
    there, gone = a_verdict(0), replace(a_verdict(0), change="missing")
    came = Seen.of(seen(1, 0), EMBEDDER)
    went = replace(came, event=replace(came.event, change="missing"))
    assert match([gone], came) is None
    assert match([there], went) is None
    assert match([gone], went) is gone


def test_a_fault_of_the_camera_is_no_thing():
    fault = replace(a_camera_finding(), vector=a_vector(0), signature=a_signature(0))
    assert match([a_verdict(0)], Seen.of(fault, EMBEDDER)) is None


def test_a_damaged_file_silences_nothing_and_is_told_once(tmp_path: Path):
    (tmp_path / FEEDBACK).write_text("no database, but more than a hundred bytes long " * 9)
    said: list[str] = []
    heeding = a_heeding(tmp_path, said)
    assert heard(heeding, seen(1, 0)) == [(False, False)]
    assert heard(heeding, seen(2, 0)) == [(False, False)]
    assert len(said) == 1
    assert "told as if nothing had been said of them" in said[0]
    with pytest.raises(FeedbackError):
        Verdicts(tmp_path).all()


def test_the_reason_names_what_was_said_of_which_event():
    verdict = replace(a_verdict(0), number=3, note="Tom", event_id="e1")
    assert verdict.why == "verdict 3: cat is normal here, said of e1 (Tom)"
    event: Event = replace(seen(1, 0).event, muted=verdict.why)
    assert event.as_json()["muted"] == verdict.why
    assert "muted" not in seen(1, 0).event.as_json()


def test_only_what_is_wanted_is_told_and_the_camera_itself_always(tmp_path: Path):
    wanted = Wanted((KindRule.parse("any animal but the cat"),), Certainty())
    heeding = Heeding(Verdicts(tmp_path), EMBEDDER, [].append, wanted)
    dog, cat, ladder = (
        replace(one, event=replace(one.event, candidates=((noun, 0.8),)))
        for one, noun in ((seen(1, 0), "dog"), (seen(2, 30), "cat"), (seen(3, 60), "ladder"))
    )
    told = heeding.heeded([dog, cat, ladder, a_camera_finding(4)])
    assert [bool(one.event.muted) for one in told] == [False, True, True, False]
    assert [one.silent for one in told] == [False, True, True, False]
    assert (
        told[1].event.muted
        == "only any animal but the cat is told (--tell); the chance that it is "
        "one: less than 1%"
    )
