"""Choosing a wording, rating with it, stopping and going on (scenarios_spec §3.4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.raters.local.rater import BLOCK, LocalRater, best_wording
from scenarios.raters.local.wordings import LINES, LISTED, QUESTION, THING
from scenarios.ratings.records import Line, Place, Question, RatingError
from scenarios.ratings.scale import calibrate
from scenarios.ratings.store import RatingStore
from tests.scenarios.llm.answering import Answering
from tests.scenarios.raters.local.tiny_gguf import write_tiny_model

SEEN = tuple(f"seen {letter}" for letter in "abcdefghij")
NEVER = tuple(f"never {letter}" for letter in "abcdefghij")
NOUNS = [f"noun {number}" for number in range(2 * BLOCK + 10)]
PLACE = Place("A hall.", SEEN, NEVER)
MODEL = Path("answers.gguf")


def in_order(in_error: int = 0) -> dict[str, float]:
    """Answers that put the examples in order, but for some of those never seen."""
    answers = {noun: 1.0 + place / 10 for place, noun in enumerate(SEEN)}
    answers |= {noun: -2.0 + place / 10 for place, noun in enumerate(NEVER)}
    answers |= dict.fromkeys(NEVER[:in_error], 5.0)
    return answers | {noun: place / 100 for place, noun in enumerate(NOUNS)}


def answering(lines: int = 0, question: int = 0, listed: int = 0, thing: int = 0) -> Answering:
    """A model that is wrong about so many of ten, by wording."""
    wrong = {LINES.name: lines, QUESTION.name: question, LISTED.name: listed, THING.name: thing}
    return Answering({name: in_order(count) for name, count in wrong.items()})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RatingStore]:
    with RatingStore(tmp_path / "ratings.sqlite") as opened:
        yield opened


def lines_of(nouns: list[str]) -> list[Line]:
    return [Line(noun, noun) for noun in nouns]


def test_each_example_is_judged_once_while_the_model_is_not_told_of_it(store: RatingStore):
    engine = answering()
    choice = LocalRater(MODEL, PLACE, store, engine=engine).choose()
    assert choice.wording is LINES
    assert choice.aucs == {"lines": 1.0}
    assert sorted(engine.asked) == sorted(("lines", noun) for noun in SEEN + NEVER)
    assert choice.judged.seen == pytest.approx({noun: in_order()[noun] for noun in SEEN})


def test_what_was_judged_before_is_found(store: RatingStore):
    first = LocalRater(MODEL, PLACE, store, engine=answering(lines=2)).choose()
    again = answering(lines=2)
    assert LocalRater(MODEL, PLACE, store, engine=again).choose() == first
    assert again.asked == []


@pytest.mark.parametrize(
    ("aucs", "chosen"),
    [
        ({"lines": 0.96, "question": 1.0, "list": 0.99, "thing": 0.9}, LINES),
        ({"lines": 0.92, "question": 0.99, "list": 0.98, "thing": 0.9}, QUESTION),
        ({"lines": 0.88, "question": 0.89, "list": 0.91, "thing": 0.7}, LISTED),
        ({"question": 0.93, "thing": 0.96}, THING),
        ({"question": 0.96, "thing": 0.96}, QUESTION),
    ],
)
def test_the_best_wording_is_taken_unless_lines_are_as_good(aucs: dict, chosen: object):
    assert best_wording(aucs, "m.gguf") is chosen


def test_a_better_wording_is_found_by_asking(store: RatingStore):
    rater = LocalRater(
        MODEL, PLACE, store, engine=answering(lines=3, question=1, thing=4, listed=2)
    )
    choice = rater.choose()
    assert choice.wording is QUESTION
    assert choice.aucs == pytest.approx({"lines": 0.7, "question": 0.9, "list": 0.8, "thing": 0.6})


def test_no_wording_below_the_gate_is_used(store: RatingStore):
    rater = LocalRater(
        MODEL, PLACE, store, engine=answering(lines=3, question=2, thing=4, listed=2)
    )
    told = r"AUC by wording: lines 0\.70, question 0\.80, list 0\.80, thing 0\.60; 0\.9 is needed"
    with pytest.raises(RatingError, match=told):
        rater.rate(lines_of(NOUNS))
    with pytest.raises(RatingError, match="no wording is chosen"):
        _ = rater.question


def test_a_real_model_that_knows_nothing_is_refused(store: RatingStore, tmp_path: Path):
    model = write_tiny_model(tmp_path / "tiny.gguf")
    with (
        LocalRater(model, PLACE, store, threads=1) as rater,
        pytest.raises(RatingError, match=r"tiny\.gguf does not tell this site's examples apart"),
    ):
        rater.choose()


def test_few_examples_are_all_kept_for_judging(store: RatingStore):
    engine = answering()
    place = Place("A hall.", SEEN[:9], NEVER)
    choice = LocalRater(MODEL, place, store, engine=engine).choose()
    assert choice.wording is QUESTION
    assert {wording for wording, _ in engine.asked} == {"question", "thing"}


def test_too_few_examples_are_refused(store: RatingStore):
    place = Place("A hall.", SEEN[:7], NEVER)
    with pytest.raises(RatingError, match=r"has 7 examples .* and 10 .* at least 8 of each"):
        LocalRater(MODEL, place, store, engine=answering())


def test_rating_stops_between_blocks_and_goes_on(store: RatingStore):
    nouns = [*NOUNS[:20], SEEN[0], *NOUNS[20:], NEVER[3]]
    told: list[int] = []

    def stop_after_a_block(done: int, total: int, note: str) -> None:
        assert note == f"{done} of {total} nouns"
        told.append(done)
        if done > BLOCK:
            raise KeyboardInterrupt

    rater = LocalRater(MODEL, PLACE, store, engine=answering())
    with pytest.raises(KeyboardInterrupt):
        rater.rate(lines_of(nouns), stop_after_a_block)
    assert told == [2, 2 + BLOCK]
    engine = answering()
    again = LocalRater(MODEL, PLACE, store, engine=engine)
    again.rate(lines_of(nouns))
    assert [noun for _, noun in engine.asked] == NOUNS[BLOCK:]
    scores = again.scores([*nouns, "unrated"])
    assert scores.nouns == pytest.approx({noun: in_order()[noun] for noun in nouns})
    assert set(scores.opinions.values()) == {1}
    assert (tuple(scores.seen), tuple(scores.never)) == (SEEN, NEVER)
    assert calibrate(scores).auc == 1.0


def test_answers_say_where_they_come_from_and_what_they_took(store: RatingStore):
    rater = LocalRater(MODEL, PLACE, store, engine=answering())
    rater.rate(lines_of(NOUNS))
    (asked,) = store.questions()
    assert asked.question == rater.question
    assert asked.question.model_sha256 == Answering.sha256
    assert asked.backends == {"local": 5 + 3}
    assert asked.spent.tokens_in == 10 * (20 + len(NOUNS))
    assert asked.spent.cost_usd == 0


def test_other_ways_of_running_wordings_and_sites_are_other_questions(store: RatingStore):
    def question(place: Place, engine: Answering) -> Question:
        rater = LocalRater(MODEL, place, store, engine=engine)
        rater.choose()
        return rater.question

    yard = Place("A yard.", SEEN, NEVER)
    base = question(PLACE, answering())
    other_way = question(PLACE, Answering({LINES.name: in_order()}, how="otherwise"))
    other_wording = question(yard, answering(lines=3))
    assert question(PLACE, answering()) == base
    assert other_way.prompt_sha256 != base.prompt_sha256
    assert other_wording.prompt_sha256 not in (base.prompt_sha256, other_way.prompt_sha256)
    assert other_wording.site_sha256 != base.site_sha256
