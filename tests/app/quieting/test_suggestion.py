"""A rule from one event: proposed, tried, kept and forgotten, as it is typed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.errors import UsageError
from app.events.event import Event, Finding
from app.events.store import Store
from app.feedback.answers import Answer, keep_answer
from app.quieting.keeping import forget, keep, rules_there
from app.quieting.suggestion import suggest
from app.quieting.wish import Wish
from app.watching.namer import Elected
from app.watching.pasting import Pasted
from app.why.asking import why
from detectors.signatures import Signatures
from tests.app.feedback.test_when import at
from tests.app.feedback.verdicts import NAMES, a_run_of, a_signature, a_vector, seen


def a_sight(number: int, day: int, hour: int, degrees: float = 0, noun: str = "cat") -> Finding:
    """An event on a day of November 2026."""
    finding, begun_us = seen(number, degrees, noun), at(day, hour)
    event = replace(finding.event, start_us=begun_us, end_us=begun_us + 2_000_000)
    return replace(finding, event=event)


CATS = [a_sight(day, day, 9 + day % 2) for day in range(3, 9)]
NIGHT_CAT = a_sight(20, 9, 23)
DOG = a_sight(21, 5, 9, 80, "dog")
ID = CATS[2].event.id


@pytest.fixture
def out(tmp_path: Path) -> Path:
    a_run_of(tmp_path, *CATS, DOG)
    return tmp_path


def ask(*words: object) -> Any:  # noqa: ANN401
    done = CliRunner().invoke(cli, ["feedback", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def planted(*things: tuple[str, float]) -> Sequence[Pasted]:
    """Things (noun, degrees) as they would look in the view, each in two places."""
    nothing = np.zeros_like(a_signature(0))
    return [
        Pasted(noun, Elected(NAMES, a_vector(angle)), Signatures(a_signature(angle), nothing, 0.3))
        for noun, angle in things
        for _ in range(2)
    ]


def test_without_hours_they_are_proposed_by_when_its_like_was_seen(out: Path):
    found = suggest(out, ID)
    assert (found.rule.when.said, found.hours_from) == ("8 to 11", 6)
    assert [event.id for event in found.quieted] == [one.event.id for one in CATS]
    assert found.told == 7
    assert found.rule.said == "cat in its place 8 to 11"
    assert rules_there(out) == []


def test_what_comes_at_another_hour_rings_on(tmp_path: Path):
    a_run_of(tmp_path, *CATS[:3], NIGHT_CAT)
    at_any = suggest(tmp_path, ID)
    assert (at_any.rule.when.always, len(at_any.quieted), at_any.hours_from) == (True, 4, 0)
    by_day = suggest(tmp_path, ID, Wish(hours="8-12", days="mon-fri"))
    assert [event.id for event in by_day.quieted] == [one.event.id for one in CATS[:3]]


def test_the_leak_counts_what_was_planted_and_what_was_confirmed_as_something_else(out: Path):
    keep_answer(out, Answer(DOG.event.id, "confirmed"))
    keep_answer(out, Answer(CATS[0].event.id, "renamed", "fox"))
    keep_answer(out, Answer(CATS[1].event.id, "confirmed"))

    def plant(event: Event) -> Sequence[Pasted]:
        assert event.id == ID
        return planted(("axe", 100), ("book", 5), ("cup", 120), ("drum", 4), ("dog", 150))

    leak = suggest(out, ID, planting=plant).rule.leak
    assert leak is not None
    # The likest is taken for the thing itself; by half of the others the line is chosen.
    assert (leak.same, leak.planted, leak.quieted) == ("drum", 4, ("book", "book"))
    assert (leak.confirmed, leak.lost) == (2, (CATS[0].event.id,))
    by_kind = suggest(out, ID, Wish(kind="animal"), plant).rule.leak
    assert by_kind is not None
    # All of them are named so that they are animals; the dog is one.
    assert (by_kind.planted, len(by_kind.quieted), by_kind.share) == (8, 8, 1.0)


def test_a_rule_is_kept_and_tells_of_itself_until_it_is_forgotten(out: Path):
    rule = keep(out, suggest(out, ID, Wish(note="Tom")))
    with Store(out) as store:
        muted = [event for event in store.events(1) if event.muted]
    assert {event.id for event in muted} == {one.event.id for one in CATS}
    assert {event.muted for event in muted} == {
        "quiet by rule 1: cat in its place 8 to 11 (Tom)",
    }
    (receipt,) = why(out, ID)
    assert receipt.said == f"It is silent: {rule.why}; used 0 times."
    assert receipt.flip is not None
    assert (receipt.flip.setting, receipt.flip.value) == ("nomaly feedback forget", 1)
    with pytest.raises(UsageError, match=r"is quiet already, by rule 1 .*forget .* 1$"):
        keep(out, replace(suggest(out, ID), rule=rule))
    assert forget(out, 1) == [one.event.id for one in CATS]
    assert forget(out, 1) is None


def test_what_another_rule_or_a_verdict_speaks_of_stays_silent(out: Path):
    ask("normal", out, ID, "--json")
    rule = keep(out, suggest(out, DOG.event.id, Wish(kind="animal")))
    assert rule.number == 2
    freed = json.loads(ask("forget", out, 1, "--json").stdout)
    assert freed == {"number": 1, "told": []}
    with Store(out) as store:
        assert {event.muted for event in store.events(1)} == {rule.why}
    said = ask("forget", out, 2).stdout
    assert said == f"Rule 2 is forgotten; of {out} 7 events are shown again.\n"


def test_a_try_keeps_nothing_and_shows_what_would_be_quiet(out: Path):
    said = ask("quiet", out, ID, "--try").stdout
    assert "Not kept yet: cat in its place 8 to 11." in said
    assert "Hours by 6 such events of the last 30 days: 8 to 11." in said
    assert "It would have quieted 6 of the 7 events that were told in the last 30 days:" in said
    assert all(one.event.id in said for one in CATS)
    assert DOG.event.id not in said
    assert ask("list", out).stdout.startswith("Nothing was said yet.")


def test_a_rule_is_made_and_listed_by_typing(out: Path):
    zone = "--zone", "gate=0,0 1,0 1,1 0,1"
    told = json.loads(
        ask("quiet", out, ID[:14], *zone, "--hours", "8-12", "--for", "8w", "--json").stdout
    )
    assert (told["number"], told["kept"], told["zone"], told["leak"]) == (1, True, "gate", None)
    assert told["quieted"] == [one.event.id for one in CATS]
    said = ask("list", out).stdout
    assert "  1  quiet: cat at the gate 8 to 12, what looks like it until " in said
    assert "longer if it is used; used 0 times." in said
    (listed,) = json.loads(ask("list", out, "--json").stdout)
    assert (listed["said"], listed["holds"]) == ("cat at the gate 8 to 12", True)
    again = json.loads(ask("quiet", out, DOG.event.id, "--zone", "gate", "--json").stdout)
    assert again["corners"] == told["corners"]


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (Wish(noun="cat", kind="animal"), "--noun and --kind exclude each other"),
        (Wish(kind="things of mine"), "--kind things of mine: is no kind; kinds are "),
        (Wish(zone="0,0 .1,0 .1,.1"), "does not stand in it; name another zone"),
        (Wish(hours="late"), "--hours late: are no hours of a day"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(out: Path, wish: Wish, sentence: str):
    with pytest.raises(UsageError, match=sentence):
        suggest(out, ID, wish)


def test_what_shows_too_little_is_quieted_by_noun_alone(tmp_path: Path):
    plain = replace(CATS[0], signature=None)
    a_run_of(tmp_path, plain, CATS[1])
    with pytest.raises(UsageError, match=r"shows too little, .*; say --noun or --kind"):
        suggest(tmp_path, plain.event.id)
    assert len(suggest(tmp_path, plain.event.id, Wish(noun="cat")).quieted) == 2
