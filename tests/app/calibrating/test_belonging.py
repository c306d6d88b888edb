"""Weights of a camera, from events that were answered to events that are told by them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.calibrating.answers import read_answers
from app.calibrating.belonging import answered, weighed, word_of
from app.calibrating.page import write_page
from app.calibrating.request import CalibrateRequest
from app.calibrating.run import Tools, calibrate_with
from app.events.event import Event
from app.events.store import Store
from app.progress import Reporter
from app.watching.holding import Holding
from app.watching.namer import Elected, Words
from app.why.receipts import of_event
from calibration.belonging import WORDS
from calibration.site.calibrated import Bindings, SiteCalibration
from calibration.site.confirmed import Confirmed
from calibration.site.files import load_calibration
from calibration.site.weights import Weight, Weights
from detectors.base import Detector
from detectors.files import CALIBRATION, read_facts
from novic.certainty import Scaling
from novic.vocabulary import ThingKind
from scenarios.belonging_rule import BelongingRule
from tests.app.calibrating.names import ColourNames
from tests.app.events.findings import a_finding, changes

BINDINGS = Bindings("d" * 64, "colours", "none")


def frequency(noun: str) -> float | None:
    """Of a site that knows buses, has heard of dogs and cannot say "nicol"."""
    return {"bus": 9.0, "dog": 2.0, "cat": 0.0}.get(noun)


def told(words: Words, number: int, dog: float) -> Event:
    """An event whose name is in doubt between bus and dog."""
    plain = replace(a_finding(number, start_s=60.0 * number).event, candidates=())
    plain = replace(plain, bar=1.2, level=1.5)
    candidates = sorted((("bus", 0.8 - dog), ("dog", dog)), key=lambda one: -one[1])
    return words.named(
        plain, Elected(tuple(candidates), None, ThingKind("thing", 0.3, False), 0, 0.2)
    )


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Events that people answered: here it is a dog from .2 on, sooner than the rule says."""
    words = Words(frequency=lambda noun: frequency(noun) or 0.0)
    shares = np.random.default_rng(4).uniform(0.0, 0.5, 80)
    answers = [{"confirmed": "dog"} if dog > 0.2 else {"normal": True} for dog in shares]
    events = [told(words, n, float(dog)).as_json() for n, dog in enumerate(shares)]
    return [json.dumps({**one, **said}) for one, said in zip(events, answers, strict=True)]


@pytest.fixture
def confirmed(lines: list[str], tmp_path: Path) -> Path:
    file = tmp_path / "confirmed.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_what_people_say_is_one_of_three_words():
    event = Confirmed("a", 1, (), 1.5, "")
    nouns = ("", "bus", "dog", "cat", "nicol", "Unknown")
    words = [word_of(replace(event, noun=noun), frequency, 5.0) for noun in nouns]
    assert words == ["expected", "expected", "unexpected", "unexpected", "unknown", "unknown"]


def test_a_camera_learns_from_answers_and_tells_by_them(
    knows: Detector, footage: Path, confirmed: Path, tmp_path: Path
):
    site = tmp_path / "detector"
    knows.save(site)
    request = CalibrateRequest(site=site, normal=(footage,), events=confirmed, blind=False)
    bindings = replace(BINDINGS, detector=read_facts(site)["weights_sha256"])
    tools = Tools(knows, ColourNames(), bindings, frequency)
    done = calibrate_with(tools, request, read_answers(confirmed), Reporter(quiet=True))
    said = done.as_json()["parts"]["verdict"]
    assert said.startswith("verdict: weights fitted on 80 confirmed events decide")
    assert "weights fitted on 80 confirmed events decide" in write_page(done).read_text()
    kept = json.loads((site / CALIBRATION).read_text())
    assert kept["measured"]["verdict"]["rule_right"] < kept["measured"]["verdict"]["right"]
    assert list(kept["weights"]["features"]) == ["dictionary"]

    here = load_calibration(site)
    words = Words(frequency=lambda noun: frequency(noun) or 0.0, site=here)
    bus, dog = (told(words, 1, p) for p in (0.02, 0.35))
    assert [one.belongs and (one.belongs.word, one.belongs.by) for one in (bus, dog)] == [
        ("expected", "weights"),
        ("unexpected", "weights"),
    ]
    # The rule would have told it otherwise, and that is kept beside it.
    assert dog.as_json()["belongs"]["rule"]["word"] != "unexpected"
    change = of_event(dog, lambda _: None).belonging
    assert change is not None
    assert (change.setting, change.outcome) == ("belonging.sure_from", "it would be unknown")


def test_events_by_weights_are_kept_and_answered_like_others(lines: list[str], tmp_path: Path):
    fitted = weighed(read_answers(written(tmp_path, lines)), frequency).weights
    site = SiteCalibration(BINDINGS, weights=fitted)
    words = Words(frequency=lambda noun: frequency(noun) or 0.0, site=site)
    event = told(words, 3, 0.35)
    with Store(tmp_path) as store:
        run_id = store.begin_run("watch", {}).id
        store.save(run_id, changes(replace(a_finding(3), event=event)))
        [kept] = store.events(run_id)
    assert kept.belongs == event.belongs
    answer = json.dumps({**kept.as_json(), "confirmed": "dog"})
    [read] = read_answers(written(tmp_path, [answer])).events
    learned = answered(read, frequency, BelongingRule())
    assert (learned.by_rule.by, learned.by_rule.word) == ("rule", "unknown")
    assert read.seen["dictionary"] == pytest.approx(np.log(0.48 / 0.38), abs=1e-4)


def test_events_of_an_older_nomaly_or_without_numbers_leave_the_rule(
    lines: list[str], tmp_path: Path
):
    old = [json.loads(line) for line in lines]
    for one in old[:20]:
        del one["belongs"]["seen"]
    for one in old[20:31]:
        one["belongs"]["seen"]["dictionary"] = float("nan")
    answers = read_answers(written(tmp_path, [json.dumps(one) for one in old]))
    assert len(answers.events) == 80
    done = weighed(answers, frequency)
    assert done.weights is None
    assert (
        done.said == "verdict: the rule is kept, 49 confirmed events with evidence, 50 are needed"
    )


def test_what_weights_learn_does_not_depend_on_what_a_calibration_made_of_p(tmp_path: Path):
    scaled = SiteCalibration(BINDINGS, names=Scaling(0.4, 1.5))
    plain, other = (
        Words(frequency=lambda noun: frequency(noun) or 0.0, site=site) for site in (None, scaled)
    )
    learned = []
    for words in (plain, other):
        line = json.dumps({**told(words, 1, 0.3).as_json(), "confirmed": "dog"})
        [event] = read_answers(written(tmp_path, [line])).events
        learned.append(answered(event, frequency, BelongingRule()))
    assert learned[0].by_rule.shares == pytest.approx(learned[1].by_rule.shares, abs=1e-3)
    assert learned[0].seen == pytest.approx(learned[1].seen, abs=1e-3)
    assert learned[0].by_rule.unknown == pytest.approx(0.2, abs=1e-3)


def test_weights_are_used_with_the_rule_that_they_were_judged_by():
    weights = Weights(WORDS[:2], {"dictionary": Weight(0.0, 1.0, (1.0, -1.0))}, (0.0, 0.0), 0.1, 50)
    site = SiteCalibration(BINDINGS, names=Scaling(0.4, 1.5), weights=weights)
    words = Words(frequency=lambda noun: frequency(noun) or 0.0, site=site)
    event = told(words, 1, 0.3)
    assert event.evidence is not None
    assert event.evidence.rest > 0.5
    assert event.evidence.weighed is not None
    # Thing or not, nothing fits it with .2: that is what the decoder itself says.
    assert event.evidence.weighed[2] == pytest.approx(0.2, abs=1e-6)


def test_answers_that_were_told_by_another_rule_are_learned_by_that_of_the_site(tmp_path: Path):
    strict = BelongingRule(expected_from=9.5)
    words = Words(frequency=lambda noun: frequency(noun) or 0.0, belonging=strict)
    event = told(words, 1, 0.1)
    assert dict(event.evidence.seen if event.evidence else ())["dictionary"] < 0
    line = json.dumps({**event.as_json(), "normal": True})
    [read] = read_answers(written(tmp_path, [line])).events
    usual = answered(read, frequency, BelongingRule())
    assert usual.seen["dictionary"] > 0
    assert usual.by_rule.word == "expected"


def test_weights_of_another_rule_are_told_and_left(lines: list[str], tmp_path: Path):
    fitted = weighed(read_answers(written(tmp_path, lines)), frequency).weights
    assert fitted is not None
    assert fitted.expected_from == 5.0
    site = SiteCalibration(BINDINGS, weights=fitted)
    said: list[str] = []
    assert Holding(site, said.append, BelongingRule()).weights == fitted
    assert not [one for one in said if "weights" in one]
    assert Holding(site, said.append, BelongingRule(expected_from=4.0)).weights is None
    (told_so,) = [one for one in said if "weights" in one]
    assert "expected from frequency 5 on, at this site it is 4. The rule of the site" in told_so
    # Nobody noted it, or they do not ask for it.
    other = next(iter(fitted.features.values()))
    for fine in (replace(fitted, expected_from=None), replace(fitted, features={"rest": other})):
        assert fine.fits(BelongingRule(expected_from=4.0))


def written(folder: Path, lines: list[str]) -> Path:
    file = folder / "lines.jsonl"
    file.write_text("\n".join(lines))
    return file
