"""Which answers are refused, rule by rule, and which runs."""

import json
import re

import numpy as np
import pytest

from scenarios.llm.transport import Reply
from scenarios.raters.digits.checks import check_run, read_reply
from scenarios.ratings.records import Line, Planned, RawScores

LINES = (
    *(Line(f"noun {n}", f"Noun {n}") for n in range(22)),
    Line("seen", "seen", "positive"),
    Line("never", "never", "negative"),
    Line("again", "again", "duplicate"),
)
HONEST = [0, 3, 1, 0, 7, 2, 0, 5, 1, 0, 0, 4, 2, 0, 8, 1, 0, 6, 3, 0, 1, 2, 7, 0, 4]
KNOWN = {"again": 3.0}


def reply(digits: object, cut: bool = False) -> Reply:
    text = digits if isinstance(digits, str) else json.dumps(digits)
    return Reply("id", text, cut=cut, tokens_in=500, tokens_out=170, cost_usd=0.1)


def keyed(digits: list[int]) -> dict[str, object]:
    return {f"n{number}": digit for number, digit in enumerate(digits, start=1)}


def changed(**values: object) -> dict[str, object]:
    return {**keyed(HONEST), **values}


def with_anchors(digits: list[int], high: int = 8, low: int = 0) -> dict[str, object]:
    return keyed(digits) | {"n23": high, "n24": low}


def test_an_honest_answer_is_kept_with_every_line():
    answer = read_reply(Planned(LINES, 2), reply(keyed(HONEST)), KNOWN, "batch")
    assert (answer.status, answer.reason, answer.backend) == ("ok", "", "batch")
    assert [rating.raw for rating in answer.ratings] == HONEST
    assert [rating.line for rating in answer.ratings] == list(range(25))
    assert {rating.opinion for rating in answer.ratings} == {2}
    assert (answer.tokens_in, answer.tokens_out, answer.cost_usd) == (500, 170, 0.1)
    assert answer.created_us > 0


@pytest.mark.parametrize(
    "said",
    [
        f"Sure:\n```json\n{json.dumps(keyed(HONEST))}\n```",
        {name: str(digit) for name, digit in keyed(HONEST).items()},
        {name: float(str(digit)) for name, digit in keyed(HONEST).items()},
    ],
)
def test_models_without_schemas_may_wrap_and_quote(said: object):
    answer = read_reply(Planned(LINES), reply(said), KNOWN, "direct")
    assert [rating.raw for rating in answer.ratings] == HONEST


REJECTED = [
    ("no JSON", "I would say seven.", "the answer is no JSON object"),
    ("list", HONEST, "the answer is no JSON object"),
    ("missing", {k: v for k, v in keyed(HONEST).items() if k != "n7"}, r"n7 \(Noun 6\) is missing"),
    ("too high", changed(n7=10), r"n7 \(Noun 6\) got '10', not a digit from 0 to 9"),
    ("negative", changed(n7=-1), "got '-1', not a digit"),
    ("between", changed(n7=2.5), "got '2.5', not a digit"),
    ("true", changed(n7=True), "got 'True', not a digit"),
    ("word", changed(n7="often"), "got 'often', not a digit"),
    ("none", changed(n7=None), "got 'None', not a digit"),
    ("extra", changed(n26=1), "'n26' was answered, but not asked"),
    ("swapped anchors", changed(n23=0, n24=7), "seen, seen at the site, got 0"),
    ("near anchors", changed(n23=5, n24=4), "got 5, which is not 2 above the 4 of never"),
    ("constant zero", keyed([0] * 25), "got 0, which is not 2 above"),
    ("constant", with_anchors([5] * 25), "23 of 25 lines got the same digit, 5"),
    ("80 % equal", with_anchors([3] * 20 + [1, 2, 0, 0, 4]), "20 of 25 lines got the same"),
    ("counting", with_anchors([n % 10 for n in range(25)], 2, 0), "repeat|count the lines"),
    ("counting 1-5", keyed([n % 5 + 1 for n in range(25)]), "got 3, which is not 2 above the 4"),
    ("falling", with_anchors([9 - n % 10 for n in range(25)], 7, 2), "repeat|count the lines"),
    ("pattern", keyed([7, 0, 4, 1] * 6 + [7]), "repeat every 4 lines"),
    ("copied", keyed([2] * 6 + [7] * 6 + [1] * 5 + [4] * 5 + [8, 0, 0]), "copy the line before"),
    ("moved", changed(n25=7), "again got 7, but 3 when it was asked before"),
]


@pytest.mark.parametrize(
    ("said", "reason"), [r[1:] for r in REJECTED], ids=[r[0] for r in REJECTED]
)
def test_nonsense_is_rejected_with_a_reason(said: object, reason: str):
    answer = read_reply(Planned(LINES), reply(said), KNOWN, "direct")
    assert answer.status == "rejected"
    assert re.search(reason, answer.reason), answer.reason
    assert answer.cost_usd == 0.1
    assert not any(rating.role == "noun" for rating in answer.ratings)


def test_a_rejected_answer_keeps_what_it_said_of_hidden_lines():
    answer = read_reply(Planned(LINES), reply(changed(n23=0, n24=7)), KNOWN, "direct")
    assert {rating.role: rating.raw for rating in answer.ratings} == {
        "positive": 0,
        "negative": 7,
        "duplicate": 4,
    }


def test_a_duplicate_without_an_answer_before_is_not_judged():
    answer = read_reply(Planned(LINES), reply(changed(n25=9)), {}, "direct")
    assert answer.status == "ok"


def test_an_answer_that_was_cut_off_says_so():
    cut = reply(json.dumps(keyed(HONEST))[:40], cut=True)
    assert "cut off" in read_reply(Planned(LINES), cut, KNOWN, "direct").reason


def test_what_never_came_is_failed_not_rejected():
    answer = read_reply(Planned(LINES), Reply("id", error="overloaded"), KNOWN, "direct")
    assert (answer.status, answer.reason, answer.ratings) == ("failed", "overloaded", ())


def test_honest_answers_of_a_dictionary_that_is_mostly_never_seen_pass():
    # The rule of 80% (scenarios_spec §3.3), applied to zeros as well, would refuse most of these.
    drawn = np.random.default_rng(1)
    passed = 0
    for _ in range(200):
        digits = [0 if drawn.random() < 0.85 else int(drawn.integers(1, 10)) for _ in range(22)]
        said = keyed([*digits, 8, 0, 3])
        passed += read_reply(Planned(LINES), reply(said), KNOWN, "direct").status == "ok"
    assert passed >= 198


def test_short_requests_are_judged_by_their_anchors_alone():
    lines = (LINES[0], *LINES[22:24])
    assert read_reply(Planned(lines), reply(keyed([0, 8, 0])), {}, "direct").status == "ok"
    assert read_reply(Planned(lines), reply(keyed([0, 1, 0])), {}, "direct").status == "rejected"


SEEN = {f"s{n}": 7.0 for n in range(10)}
NEVER = {f"n{n}": 1.0 for n in range(10)}
SPREAD = {f"noun {n}": float(HONEST[n % 25]) for n in range(300)}


def scores(
    nouns: dict[str, float] = SPREAD,
    seen: dict[str, float] = SEEN,
    duplicates: tuple[tuple[float, float], ...] = ((3, 3), (2, 4)),
) -> RawScores:
    return RawScores(nouns, dict.fromkeys(nouns, 1), seen, NEVER, duplicates)


def test_a_good_run_passes_the_gate():
    assert check_run(scores(), 0.02) == []
    assert check_run(scores({"drill": 0.0}), 0.0) == []  # of one noun there is no distribution


@pytest.mark.parametrize(
    ("run", "unrated", "fault"),
    [
        (scores(seen=dict.fromkeys(SEEN, 0.5)), 0.0, "in only 0% of the pairs"),
        (scores(seen={}), 0.0, "none of the owner's examples was judged"),
        (scores(duplicates=((1, 3), (4, 3))), 0.0, "moves by 1.5 digits"),
        (scores(), 0.021, "2.1% of the nouns have no usable answer"),
        (scores({f"x{n}": float(n % 4 * 2) for n in range(300)}), 0.0, "only 4 different digits"),
        (scores({f"x{n}": float(n % 5) for n in range(300)}), 0.0, "0.0% of the nouns are said"),
        (scores({f"x{n}": 3.0 + n % 6 for n in range(300)}), 0.0, "50.0% of the nouns are said"),
    ],
)
def test_the_gate_says_what_is_wrong(run: RawScores, unrated: float, fault: str):
    (told,) = check_run(run, unrated)
    assert fault in told
