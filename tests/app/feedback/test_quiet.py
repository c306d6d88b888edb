"""What rules quiet, how long they hold, and what a run makes of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.feedback.heeding import Heeding
from app.feedback.quiet import QuietLeak, ending, quieting
from app.feedback.quiets import Quiets
from app.feedback.seen import Seen
from app.feedback.verdicts import Verdicts
from app.feedback.when import When
from app.feedback.where import Where
from tests.app.events.findings import a_camera_finding
from tests.app.feedback.rules import a_rule
from tests.app.feedback.test_when import at
from tests.app.feedback.verdicts import EMBEDDER, a_verdict, seen

DAY_US = 86_400_000_000


def a_cat(time_us: int = 0, degrees: float = 0, noun: str = "cat") -> Seen:
    finding = seen(1, degrees, noun)
    return Seen.of(replace(finding, event=replace(finding.event, start_us=time_us)), EMBEDDER)


def test_a_rule_asks_for_looks_place_and_hours_together():
    left = Where("", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
    rule = a_rule(when=When.parse("8-12"), where=left)
    cat = a_cat(at(3, 9))
    moved = replace(cat.event.box, x1=60, x2=79)
    assert rule.quiets(cat)
    assert not rule.quiets(a_cat(at(3, 12)))
    assert not rule.quiets(a_cat(at(3, 9), degrees=80))
    assert not rule.quiets(replace(cat, event=replace(cat.event, box=moved)))


def test_nobody_who_says_that_a_thing_may_be_there_says_that_it_may_be_gone():
    gone = replace(a_cat().event, change="missing")
    assert not a_rule().quiets(replace(a_cat(), event=gone))


def test_a_rule_by_noun_or_kind_does_not_ask_for_looks():
    by_noun, by_kind = a_rule(None), a_rule(None, what="animal")
    away = a_cat(degrees=80)
    assert by_noun.quiets(away)
    assert by_kind.quiets(away)
    bicycle = replace(away.event, candidates=(("bicycle", 0.9), ("cat", 0.05)))
    assert not by_noun.quiets(replace(away, event=bicycle))
    assert not by_kind.quiets(replace(away, event=bicycle))
    assert by_kind.said == "any animal"


@pytest.mark.parametrize("candidates", [(), (("cat", 0.5),)])
def test_neither_an_unnamed_thing_nor_the_camera_itself_is_quieted(candidates: tuple):
    unnamed = replace(a_cat().event, candidates=())
    assert not a_rule(None).quiets(replace(a_cat(), event=unnamed))
    fault = replace(a_camera_finding().event, candidates=candidates)
    assert not a_rule(None).quiets(replace(a_cat(), event=fault))


def test_a_rule_expires_unless_it_is_used_and_warns_before(tmp_path: Path):
    quiets = Quiets(Verdicts(tmp_path))
    rule = quiets.add(a_rule(keep_s=30 * 86400.0))
    assert [rule.holds(day * DAY_US) for day in (0, 30, 31)] == [True, True, False]
    assert [rule.ends_soon(day * DAY_US) for day in (0, 26, 28, 31)] == [False, False, True, False]
    assert "ends in 2 days" in ending(rule, 28 * DAY_US)
    assert "has expired" in ending(rule, 31 * DAY_US)
    assert quieting([rule], a_cat(31 * DAY_US)) == []
    quiets.used(rule.number, 29 * DAY_US)
    (used,) = quiets.all()
    assert (used.uses, used.used, used.used_us) == (1, "used 1 time", 29 * DAY_US)
    assert used.holds(58 * DAY_US)
    assert not used.ends_soon(31 * DAY_US)


def test_a_rule_comes_back_from_the_file_as_it_was_kept(tmp_path: Path):
    quiets = Quiets(Verdicts(tmp_path))
    gate = Where("gate", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0)), "at the gate")
    leak = QuietLeak(9, ("mug", "mug"), 2, ("a",), "tom cat")
    asked = replace(
        a_rule(when=When.parse("22-6", "sat,sun"), where=gate), who="ada", note="Tom", leak=leak
    )
    kept = quiets.add(asked)
    (found,) = quiets.all()
    assert found.as_json() == kept.as_json() == asked.as_json() | {"number": 1}
    assert found.why == "quiet by rule 1: cat at the gate 22 to 6, Sat, Sun (Tom)"
    assert found.quiets(a_cat(at(7, 23))) == asked.quiets(a_cat(at(7, 23)))
    assert found.looks is not None
    assert quiets.add(a_rule(None)).looks is None
    assert quiets.all()[1].looks is None


def test_no_rule_has_the_number_of_a_verdict(tmp_path: Path):
    verdicts = Verdicts(tmp_path)
    quiets = Quiets(verdicts)
    assert verdicts.add(a_verdict(0)) == 1
    assert quiets.add(a_rule()).number == 2
    quiets.forget(2)
    assert [verdicts.add(a_verdict(90)), quiets.add(a_rule()).number] == [3, 4]


def test_a_rule_made_while_a_watch_runs_holds_from_the_next_event_on(tmp_path: Path):
    said: list[str] = []
    heeding = Heeding(Verdicts(tmp_path), EMBEDDER, said.append)
    (told,) = heeding.heeded([seen(1, 0)])
    quiets = Quiets(Verdicts(tmp_path))
    rule = quiets.add(a_rule(keep_s=100.0))
    lasting = replace(seen(2, 0), event=replace(seen(2, 0).event, state="updated"))
    (quiet,) = heeding.heeded([lasting])
    assert (told.event.muted, quiet.event.muted, quiet.silent) == ("", rule.why, True)
    assert heeding.heeded([seen(2, 0)])[0].event.muted == rule.why
    assert quiets.all()[0].uses == 1
    assert said == []
    (late,) = heeding.heeded([seen(3, 0, start_s=110.0), seen(4, 90, start_s=95.0)])[:1]
    assert (late.event.muted, len(said)) == ("", 1)
    assert "rule 1 (cat) was not used any more and has expired" in said[0]


def test_a_verdict_goes_before_a_rule(tmp_path: Path):
    verdicts = Verdicts(tmp_path)
    Quiets(verdicts).add(a_rule())
    verdicts.add(a_verdict(0))
    (heard,) = Heeding(verdicts, EMBEDDER, lambda _: None).heeded([seen(1, 0)])
    assert heard.event.muted.startswith("verdict 2: ")
    assert Quiets(verdicts).all()[0].uses == 0
