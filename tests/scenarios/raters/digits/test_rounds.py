"""Rating by digits, round after round, with a model in this process and a real store."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from scenarios.llm.transport import BudgetError, ChatRequest, EndpointError, Reply
from scenarios.raters.digits.rounds import Progress, digit_scores, rate_by_digits
from scenarios.ratings.records import Planned, RatingError, RawScores
from scenarios.ratings.store import RatingStore
from tests.scenarios.raters.digits.digits import (
    NEVER,
    PLACE,
    QUESTION,
    SEEN,
    InProcess,
    digit_of,
    listed,
    nouns,
    reply,
)

LINES = nouns(290)
NAMES = [line.target_noun for line in LINES]


@pytest.fixture
def store(tmp_path: Path):
    with RatingStore(tmp_path / "ratings.sqlite") as opened:
        yield opened


def drawn(request: ChatRequest, every: int) -> bool:
    """One request in so many, always the same."""
    return int(request.request_id, 16) % every == 0


def troubled(request: ChatRequest, number: int) -> Reply:
    """Some requests fail, some answers are nonsense; others are a little off each time."""
    del number
    if drawn(request, 7):
        return Reply(request.request_id, error="overloaded")
    digits = {key: digit_of(noun) for key, noun in listed(request).items()}
    if drawn(request, 5):
        return reply(request, dict.fromkeys(digits, 5))
    off = int(request.request_id, 16) // 35
    return reply(
        request,
        {
            key: min(9, digit + (off >> place & 1))
            for place, (key, digit) in enumerate(digits.items())
        },
    )


def rated(store: RatingStore, transport: InProcess, seed: int = 0) -> RawScores:
    rate_by_digits(store, QUESTION, PLACE, LINES, transport, seed=seed)
    return digit_scores(store, QUESTION, NAMES)


def planned_of(store: RatingStore, transport: InProcess) -> list[Planned]:
    """All requests of the only run."""
    asked = {request.request_id for request in transport.asked}
    ((run,),) = store._db.execute("SELECT DISTINCT run FROM planned").fetchall()
    planned = [each for of_round in store.rounds(run) for each in of_round]
    assert {each.request_id(QUESTION) for each in planned} == asked
    return planned


def test_every_noun_gets_its_digit_and_every_example_is_judged_unseen(store: RatingStore):
    transport = InProcess()
    scores = rated(store, transport)
    assert scores.nouns == {line.target_noun: digit_of(line.asked_as) for line in LINES}
    assert scores.seen == dict.fromkeys(SEEN, 8)
    assert scores.never == dict.fromkeys(NEVER, 0)
    for request in transport.asked:
        system = request.body["messages"][0]["content"]
        assert not any(noun in system for noun in listed(request).values())


def test_digits_in_the_middle_and_a_few_others_are_asked_twice(store: RatingStore):
    scores = rated(store, InProcess())
    middle = [noun for noun in NAMES if 1 <= scores.nouns[noun] <= 5]
    others = [noun for noun in NAMES if noun not in middle]
    assert all(scores.opinions[noun] == 2 for noun in middle)
    again = sum(scores.opinions[noun] == 2 for noun in others)
    assert 0.01 < again / len(others) < 0.12


def test_the_prior_calls_for_a_second_opinion_where_it_contradicts(store: RatingStore):
    sure = [noun for noun in NAMES if digit_of(noun) == 0]
    prior = {noun: (12.0 if noun in sure[:20] else -12.0) for noun in sure}
    rate_by_digits(store, QUESTION, PLACE, LINES, InProcess(), prior=prior)
    opinions = digit_scores(store, QUESTION, NAMES).opinions
    assert all(opinions[noun] == 2 for noun in sure[:20])


def test_a_third_opinion_is_asked_for_where_two_differ_much(store: RatingStore):
    seen: list[int] = []

    def behave(request: ChatRequest, number: int) -> Reply:
        del number
        digits = {key: digit_of(noun) for key, noun in listed(request).items()}
        for key, noun in listed(request).items():
            if noun == "Noun 7":
                seen.append([3, 8, 7][len(seen)])
                digits[key] = seen[-1]
        return reply(request, digits)

    # Without others it is never asked as a duplicate.
    rate_by_digits(store, QUESTION, PLACE, nouns(8)[7:], InProcess(behave))
    assert digit_scores(store, QUESTION, ["noun 7"]).opinions == {"noun 7": 3}
    assert digit_scores(store, QUESTION, ["noun 7"]).nouns == {"noun 7": 6}


def test_runs_cut_anywhere_end_with_the_same_scores_and_ask_nothing_twice(tmp_path: Path):
    with RatingStore(tmp_path / "whole.sqlite") as store:
        whole = InProcess(troubled)
        expected = rated(store, whole)
    total = len(whole.asked)
    assert total >= 31
    for cut in (number * total // 31 for number in range(31)):
        with RatingStore(tmp_path / f"{cut}.sqlite") as store:
            first = InProcess(troubled, stop_after=cut)
            with pytest.raises(KeyboardInterrupt):
                rated(store, first)
        with RatingStore(tmp_path / f"{cut}.sqlite") as store:
            rest = InProcess(troubled, backwards=bool(cut % 2))
            assert rated(store, rest) == expected
        asked = Counter(request.request_id for request in (*first.asked, *rest.asked))
        assert asked == Counter(request.request_id for request in whole.asked)


def test_what_the_store_knows_is_not_asked_again_by_a_longer_list(store: RatingStore):
    rated(store, InProcess())
    more = InProcess()
    longer = nouns(320)
    rate_by_digits(store, QUESTION, PLACE, longer, more)
    asked = {line.asked_as for line in longer[290:]}
    opinions = [noun for request in more.asked for noun in listed(request).values()]
    assert asked <= set(opinions)
    known = [noun for noun in opinions if noun in {line.asked_as for line in LINES}]
    assert len(known) <= len(more.asked)  # only the duplicates
    assert len(digit_scores(store, QUESTION, [line.target_noun for line in longer]).nouns) == 320


def test_duplicates_have_an_answer_before_and_are_told(store: RatingStore):
    scores = rated(store, InProcess())
    assert len(scores.duplicates) >= 3
    assert all(first == again for first, again in scores.duplicates)


def test_failed_requests_are_tried_once_more_and_again_by_the_next_run(store: RatingStore):
    def behave(request: ChatRequest, number: int) -> Reply:
        del number
        if down and "Noun 9" in listed(request).values():
            return Reply(request.request_id, error="content filter")
        return reply(request)

    down = True
    transport = InProcess(behave)
    first = rated(store, transport)
    assert "noun 9" not in first.nouns
    failing = [r for r in transport.asked if "Noun 9" in listed(r).values()]
    assert len(failing) == 2
    down = False
    again = InProcess(behave)
    assert len(rated(store, again).nouns) == len(NAMES)
    assert 0 < len(again.asked) < 8


def test_rejected_nouns_are_shuffled_anew_then_asked_alone_then_left(store: RatingStore):
    def behave(request: ChatRequest, number: int) -> Reply:
        del number
        names = listed(request)
        if "Noun 9" in names.values():
            return reply(request, dict.fromkeys(names, 7))
        return reply(request)

    transport = InProcess(behave)
    scores = rated(store, transport)
    assert set(NAMES) - set(scores.nouns) == {"noun 9"}
    with_it = [
        each
        for each in planned_of(store, transport)
        if any(line.target_noun == "noun 9" and line.role == "noun" for line in each.lines)
    ]
    assert [each.attempt for each in with_it] == [1, 2, 3]
    sizes = [sum(line.role == "noun" for line in each.lines) for each in with_it]
    assert sizes[0] == sizes[1] > 1
    assert sizes[2] == 1
    assert with_it[0].lines != with_it[1].lines


def test_hidden_examples_of_rejected_answers_count_too(store: RatingStore):
    def behave(request: ChatRequest, number: int) -> Reply:
        del number
        names = listed(request)
        return reply(request, {key: 1 if n == SEEN[0] else digit_of(n) for key, n in names.items()})

    scores = rated(store, InProcess(behave))
    assert scores.seen[SEEN[0]] == 1
    assert len(scores.nouns) == len(NAMES)


def test_the_cap_is_never_passed_and_nothing_paid_is_lost(store: RatingStore):
    transport = InProcess()
    with pytest.raises(BudgetError, match="USD are spent, and the next request could cost"):
        rate_by_digits(store, QUESTION, PLACE, LINES, transport, max_cost_usd=0.155)
    # Each costs 0.01 and could cost 0.02: after 14, 0.015 is left.
    assert len(transport.asked) == 14
    assert store.spent(QUESTION).cost_usd == pytest.approx(0.14)
    more = InProcess()
    with pytest.raises(BudgetError):
        rate_by_digits(store, QUESTION, PLACE, LINES, more, max_cost_usd=0.155)
    assert more.asked == []
    rate_by_digits(store, QUESTION, PLACE, LINES, more, max_cost_usd=10)
    assert len(digit_scores(store, QUESTION, NAMES).nouns) == len(NAMES)


def test_a_transport_that_brings_nothing_is_an_error(store: RatingStore):
    class Silent(InProcess):
        def ask(self, requests: Iterable[ChatRequest], take: Callable[[Reply], None]) -> None:
            del requests, take

    with pytest.raises(EndpointError, match="no answer came to any of 12 requests"):
        rated(store, Silent())


def test_nonsense_costs_no_more_than_the_pilot(store: RatingStore):
    counting = InProcess(lambda r, _: reply(r, {k: i % 10 for i, k in enumerate(listed(r))}))
    with pytest.raises(RatingError, match="of the first 24 answers of gpt-4o-mini cannot be used"):
        rated(store, counting)
    assert len(counting.asked) == 24
    with pytest.raises(RatingError, match="cannot be used"):
        rated(store, counting)
    assert len(counting.asked) == 24


def test_progress_is_told(store: RatingStore):
    told: list[Progress] = []
    rate_by_digits(store, QUESTION, PLACE, LINES, InProcess(), report=told.append)
    assert [each.answered for each in told] == list(range(1, len(told) + 1))
    assert told[-1].answered == told[-1].planned
    assert told[-1].cost_usd == pytest.approx(0.01 * len(told))


def test_seeds_shuffle_differently_but_rate_alike(tmp_path: Path):
    bodies = []
    for seed in (1, 1, 2):
        with RatingStore(tmp_path / f"{len(bodies)}.sqlite") as store:
            transport = InProcess()
            assert len(rated(store, transport, seed).nouns) == len(NAMES)
            bodies.append(json.dumps([dict(request.body) for request in transport.asked]))
    assert bodies[0] == bodies[1] != bodies[2]
