"""What is asked for captions, what of the answers is kept, and how work goes on."""

import json
import resource
import sys
import time
from pathlib import Path

import pytest

from scenarios.dictionary import NounEntry, ObjectDictionary
from scenarios.llm.direct import DirectTransport
from tests.scenarios.builders import AIRPLANE, DEER, GLASS, GLASSES, SUV, small_dictionary
from tests.training.chat_server import asked_noun, chat_server, completion, good_captions
from training.captioning.asking import write_directly
from training.captioning.rules import (
    Answer,
    AnswerLog,
    NounInProgress,
    begin,
    caption_lines,
    estimate,
    messages,
    read_answers,
    replay,
    request,
)
from training.texts.captions import CaptionError, wanted_captions

GOLF_BALL = NounEntry(
    5, "golf ball", "golf ball", ("golf ball", "golfball"), ("golf balls",), (12, 2), (3,)
)


def kept(entry: NounEntry, number: str, *lines: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    noun = NounInProgress(entry)
    noun.add(number, "\n".join(f"{n}. {line}" for n, line in enumerate(lines, start=1)))  # type: ignore[arg-type]
    return noun.captions.singular, noun.captions.plural


def test_only_numbered_lines_are_taken():
    answer = (
        "Here are ten captions of a deer:\n\n"
        "1. A deer stands in the snow.\n"
        "  2.   A deer   by  the road\n"
        "3) A deer behind a fence\n"
        "- A deer in a park\n"
        "A deer at night\n"
        '10. "A deer drinks from a river."\n'
        "11. A deer.\n"
        "12. \n"
        "13. A {deer} in braces\n"
        "14.A deer without a space"
    )
    assert caption_lines(answer) == [
        "A deer stands in the snow.",
        "A deer by the road",
        "A deer drinks from a river.",
        "A deer without a space",
    ]


def test_letters_become_ascii():
    typeset = "1. A café\u2019s \u201cdeer\u201d \u2013 très calme"
    assert caption_lines(typeset) == ['A cafe\'s "deer" - tres calme']


@pytest.mark.parametrize(
    ("line", "caption"),
    [
        ("A golf ball on the green.", "A {singular} on the green"),
        ("GOLF BALL in a bunker!!", "{singular} in a bunker"),
        ("The golf ball's dimples up close", "The {singular}'s dimples up close"),
        ("A golf ball, white, rests near a cup:", "A {singular}, white, rests near a cup"),
        ("Is this white thing a golf ball?", "Is this white thing a {singular}"),
        ("One golf ball beside another golf ball", "One {singular} beside another {singular}"),
        ("A golfball in the rough", "A {singular} in the rough"),
        ("A child holds a golf ball ...", "A child holds a {singular}"),
    ],
)
def test_the_noun_becomes_a_placeholder(line: str, caption: str):
    assert kept(GOLF_BALL, "singular", line) == ((caption,), ())


@pytest.mark.parametrize(
    "line",
    [
        "A golf-ball on the green",
        "A minigolf ball on the green",
        "A golf ballpark at night",
        "A ball on the golf course",
        'A "golf ball" in quotation marks',
        "A golf ball; it is white",
        "A pre-golf ball",
    ],
)
def test_lines_without_the_noun_as_a_word_are_dropped(line: str):
    assert kept(GOLF_BALL, "singular", line) == ((), ())


def test_the_number_of_the_line_decides():
    assert kept(GLASS, "singular", "Two glasses on a table") == ((), ("Two {plural} on a table",))


def test_spellings_with_accents_and_dots_are_found():
    cafe = NounEntry(1, "cafe", "café", ("café",), (), (1,), ())
    assert kept(cafe, "singular", "A café by the river") == (("A {singular} by the river",), ())
    assert kept(SUV, "singular", "A S.U.V. in the mud") == (("A {singular} in the mud",), ())
    assert kept(SUV, "singular", "An suv. Nothing else") == (("An {singular}. Nothing else",), ())


def test_duplicates_are_kept_once():
    lines = ("A glass on a table.", "A glass on a table!", "a glass on a table")
    assert kept(GLASS, "singular", *lines) == (
        ("A {singular} on a table", "a {singular} on a table"),
        (),
    )


def test_a_caption_in_both_numbers_goes_where_more_lacks():
    both = "A glass among other glasses"
    assert kept(GLASS, "plural", both) == (("A {singular} among other glasses",), ())  # 80 and 40.
    even = NounEntry(1, "glass", "glass", ("glass",), ("glasses",), (4,), (4,))
    assert kept(even, "plural", both) == ((), ("A glass among other {plural}",))
    assert kept(even, "singular", both) == (("A {singular} among other glasses",), ())


def test_a_word_that_is_its_own_plural_fills_both():
    noun = NounInProgress(DEER)
    for call in range(14):
        lines = (f"{n}. Photograph {call} {n} of deer" for n in range(10))
        noun.add("plural", "\n".join(lines))
    assert (len(noun.captions.singular), len(noun.captions.plural)) == (70, 70)
    assert noun.next_number is None


def test_no_more_captions_than_wanted_are_kept():
    rare = NounEntry(1, "owl", "owl", ("owl",), (), (1,), ())
    lines = [f"Photograph {n} of an owl" for n in range(25)]
    assert len(kept(rare, "singular", *lines)[0]) == wanted_captions(rare, "singular") == 10


def test_a_number_is_given_up_after_four_calls_without_a_caption():
    noun = NounInProgress(GLASS)
    assert noun.next_number == "singular"
    for _ in range(4):
        assert noun.lacks("singular") == 80
        noun.add("singular", "I cannot help with that.")
    assert noun.lacks("singular") == 0
    assert noun.next_number == "plural"
    assert noun.given_up
    for n in range(4):
        noun.add("plural", "\n".join(f"{m}. Picture {n} {m} of glasses" for m in range(10)))
    assert noun.next_number is None


def test_a_caption_now_and_then_keeps_a_noun_going():
    noun = NounInProgress(GLASS)
    for n in range(12):
        noun.add("singular", f"1. Photograph {n} of a glass" if n % 4 == 3 else "no")
    assert noun.next_number == "singular"
    assert len(noun.captions.singular) == 3


def test_the_request_names_the_noun_in_its_number():
    assert asked_noun(request("m", SUV, "singular")) == "SUV"
    assert asked_noun(request("m", AIRPLANE, "plural")) == "airplanes"  # Frequency 4, not 1.
    singular, plural = (messages(AIRPLANE, n)[1]["content"] for n in ("singular", "plural"))
    assert "an airplane" in singular
    assert "several airplanes" in plural
    body = request("gpt-4o-mini", SUV, "singular")
    assert (body["temperature"], body["max_tokens"]) == (0.8, 1000)
    assert "temperature" not in request("o4-mini", SUV, "singular")


def test_the_most_frequent_nouns_come_first_when_limited():
    nouns = begin(small_dictionary(), limit=3)
    assert [noun.entry.target_noun for noun in nouns] == ["airplane", "suv", "deer"]


def test_the_estimate_counts_calls_of_ten():
    plan = estimate(begin(ObjectDictionary((DEER, SUV))))
    assert plan.calls == 7 + 7 + 10
    assert plan.output_tokens == 24 * 200
    assert 24 * 100 < plan.input_tokens < 24 * 400
    assert estimate([]).calls == 0


def test_answers_survive_a_torn_last_line(tmp_path: Path):
    path = tmp_path / "answers.jsonl"
    first, second = (Answer("deer", "plural", text, "m", 3, 4) for text in ("1. é\n2.", ""))
    AnswerLog(path).append(first)
    with path.open("ab") as file:
        file.write(b'{"target_noun": "deer", "number": "plu')
    assert read_answers(path) == [first]
    AnswerLog(path).append(second)
    assert read_answers(path) == [first, second]
    assert read_answers(tmp_path / "none.jsonl") == []


def test_a_full_disk_ends_the_work_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # What is imported meanwhile must leave no half a file in Python's cache.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / "answers.jsonl"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with chat_server() as server, pytest.raises(CaptionError, match="cannot be written"):
            ask(server.url, small_dictionary(), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes().endswith(b"}\n")
    assert read_answers(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CaptionError, match=r"file/answers\.jsonl: cannot be written: "):
        AnswerLog(tmp_path / "file" / "answers.jsonl")


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"target_noun": "deer"}',
        '{"target_noun": "a", "number": "dual", "text": "", "model": "m"}',
        '{"target_noun": "a", "number": "plural", "text": 3, "model": "m"}',
    ],
)
def test_another_file_is_not_taken_for_answers(tmp_path: Path, line: str):
    path = tmp_path / "answers.jsonl"
    good = json.dumps({"target_noun": "a", "number": "plural", "text": "", "model": "m"})
    path.write_text(f"{good}\n{line}\n")
    with pytest.raises(CaptionError, match=r"answers\.jsonl:2: not an answer"):
        read_answers(path)


def work_on(dictionary: ObjectDictionary, answers: Path) -> list[NounInProgress]:
    nouns = begin(dictionary)
    replay(nouns, read_answers(answers))
    return nouns


def transport(url: str, parallel: int = 4, retries: int = 6) -> DirectTransport:
    return DirectTransport(
        "writer", url, None, parallel, wait_s=0.01, retries=retries, most_faults=None
    )


def ask(
    url: str, dictionary: ObjectDictionary, answers: Path, retries: int = 6
) -> list[NounInProgress]:
    nouns = work_on(dictionary, answers)
    write_directly(nouns, transport(url, retries=retries), "writer", AnswerLog(answers))
    return nouns


def test_all_captions_are_written_many_at_once(tmp_path: Path):
    with chat_server() as server:

        def slow(body: dict, call: int):
            time.sleep(0.05)
            return 200, {}, completion(good_captions(body, call))

        server.reply = slow
        nouns = ask(server.url, small_dictionary(), tmp_path / "answers.jsonl")
    for noun in nouns:
        for number in ("singular", "plural"):
            assert len(noun.captions.of(number)) == wanted_captions(noun.entry, number)
    assert server.stat().most_at_once == 4
    assert len(server.bodies) == estimate(begin(small_dictionary())).calls
    answers = read_answers(tmp_path / "answers.jsonl")
    assert len(answers) == len(server.bodies)
    assert {(one.model, one.input_tokens, one.output_tokens) for one in answers} == {
        ("writer", 150, 120)
    }


def test_rate_limits_and_failures_are_waited_out(tmp_path: Path):
    with chat_server() as server:

        def busy(body: dict, call: int):
            if call % 3 == 0:
                error = {"error": {"message": "slow down"}}
                return (429 if call % 2 else 503), {"retry-after-ms": "5"}, error
            return 200, {}, completion(good_captions(body, call))

        server.reply = busy
        nouns = ask(server.url, ObjectDictionary((GLASS,)), tmp_path / "answers.jsonl")
    assert nouns[0].next_number is None
    assert not nouns[0].given_up
    assert len(server.bodies) > 12


def test_garbage_is_given_up_and_costs_little(tmp_path: Path):
    garbage = [None, "", "I am a teapot.", "1. deer deer", "{" * 1000]
    with chat_server() as server:
        server.reply = lambda _, call: (200, {}, completion(garbage[call % len(garbage)]))
        nouns = ask(server.url, ObjectDictionary((GLASS, GLASSES)), tmp_path / "answers.jsonl")
    assert all(noun.given_up for noun in nouns)
    assert len(server.bodies) == 4 + 4 + 4


def test_a_server_that_dies_loses_nothing_and_the_work_goes_on(tmp_path: Path):
    answers = tmp_path / "answers.jsonl"
    with chat_server() as server:

        def dying(body: dict, call: int):
            if call > 9:
                return 0, {}, None
            return 200, {}, completion(good_captions(body, call))

        server.reply = dying
        with pytest.raises(CaptionError, match=f"{server.url}.* does not answer"):
            ask(server.url, small_dictionary(), answers, retries=0)
    assert len(read_answers(answers)) == 9
    with pytest.raises(CaptionError, match="does not answer"):
        ask(server.url, small_dictionary(), answers, retries=0)
    with chat_server() as server:
        server.reply = lambda body, call: (200, {}, completion(good_captions(body, 100 + call)))
        nouns = ask(server.url, small_dictionary(), answers)
        needed = estimate(begin(small_dictionary())).calls
        assert len(server.bodies) == needed - 9
    assert all(noun.next_number is None and not noun.given_up for noun in nouns)


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (401, {"error": {"message": "wrong key"}}, "answered 401: .*wrong key"),
        (404, {"error": {"message": "no such model"}}, "answered 404: .*no such model"),
        (400, {"error": {"message": "bad request"}}, "answered 400: .*bad request"),
        (200, "<html>a login page</html>", "answers, but not with chat completions"),
        (200, {"hello": "world"}, "answers, but not with chat completions"),
    ],
)
def test_a_server_that_refuses_ends_the_work_with_a_sentence(
    tmp_path: Path, status: int, body: object, what: str
):
    with chat_server() as server:
        server.reply = lambda *_: (status, {}, body)
        with pytest.raises(CaptionError, match=what):
            ask(server.url, small_dictionary(), tmp_path / "answers.jsonl")
    assert len(server.bodies) <= 8


def test_a_noun_that_the_filter_refuses_does_not_stop_the_others(tmp_path: Path):
    refusal = {"error": {"message": "filtered", "code": "content_filter"}}
    with chat_server() as server:

        def filtered(body: dict, call: int):
            if asked_noun(body) in ("glass", "glasses"):
                return 400, {}, refusal
            return 200, {}, completion(good_captions(body, call))

        server.reply = filtered
        nouns = ask(server.url, ObjectDictionary((DEER, GLASS)), tmp_path / "answers.jsonl")
    assert [noun.given_up for noun in nouns] == [False, True]


def test_ctrl_c_keeps_what_came(tmp_path: Path):
    answers = tmp_path / "answers.jsonl"
    with chat_server() as server:

        def interrupted(new: int) -> None:
            if len(read_answers(answers)) == 5:
                raise KeyboardInterrupt

        nouns = work_on(small_dictionary(), answers)
        with pytest.raises(KeyboardInterrupt):
            write_directly(
                nouns, transport(server.url, 1), "writer", AnswerLog(answers), interrupted
            )
        assert len(read_answers(answers)) == 5
        again = ask(server.url, small_dictionary(), answers)
    assert all(noun.next_number is None for noun in again)
