"""What a model is asked, and what that will cost."""

import dataclasses
import hashlib
import os
import socket
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from scenarios.dictionary import NounEntry
from scenarios.llm import costs
from scenarios.llm.costs import DIRECT_PRICES, ensure_vocabulary, token_counter
from scenarios.raters.digits.estimate import estimate, first_opinion
from scenarios.raters.digits.plan import Planner, first_round
from scenarios.raters.digits.prompts import (
    PROMPT_SHA256,
    asked_as,
    clean,
    request_body,
    splits,
    system_message,
    user_message,
)
from scenarios.ratings.records import Line, Place, Planned, RatingError
from scenarios.site import LIBRARY, load_scenario
from tests.scenarios.builders import AIRPLANE, GLASSES, SUV, X_RAY
from tests.scenarios.raters.digits.digits import NEVER, PLACE, SEEN, nouns


@pytest.mark.parametrize(
    ("entry", "spelling"),
    [
        (SUV, "S.U.V."),
        (X_RAY, "X-ray machine"),
        (AIRPLANE, "airplane"),
        (GLASSES, "glasses"),
        (dataclasses.replace(SUV, singulars=("suv", "SUV", "Suv")), "SUV"),
    ],
)
def test_nouns_are_asked_in_the_spelling_that_tells_most(entry: NounEntry, spelling: str):
    assert asked_as(entry) == spelling


@pytest.mark.parametrize(("seen", "never"), list(product((8, 9, 10, 13, 20), (8, 11))))
def test_every_example_is_told_and_judged(seen: int, never: int):
    place = Place("a hall", tuple(map(str, range(seen))), tuple(f"x{n}" for n in range(never)))
    parts = splits(place)
    assert len(parts) == 4
    assert {n for part in parts for n in part.hidden_seen} == set(place.seen)
    assert {n for part in parts for n in part.hidden_never} == set(place.never)
    for part in parts:
        assert sorted((*part.seen, *part.hidden_seen)) == sorted(place.seen)
        assert len(part.hidden_never) == -(-never // 4)


def test_of_ten_and_ten_seven_and_seven_are_told():
    for part in splits(PLACE):
        assert [len(names) for names in dataclasses.astuple(part)] == [7, 7, 3, 3]


def test_the_pilot_judges_every_example_and_tells_none_that_it_asks():
    requests = first_round(nouns(5), Planner(PLACE, 0, 0, {}))
    roles: dict[str, set[str]] = {"noun": set(), "positive": set(), "negative": set()}
    for planned in requests:
        system = system_message(PLACE, planned.split)
        for line in planned.lines:
            roles[line.role].add(line.target_noun)
            assert line.asked_as not in system
    assert len(requests) == 12
    assert roles == {
        "noun": {line.target_noun for line in nouns(5)},
        "positive": set(SEEN),
        "negative": set(NEVER),
    }


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (Place("a hall", SEEN[:7], NEVER), "at least 8 of each"),
        (Place("a hall", SEEN, (*NEVER, SEEN[0])), "'tool a' is named twice"),
        (Place(" <|endoftext|> ", SEEN, NEVER), "description is empty"),
    ],
)
def test_places_that_do_not_suffice_are_refused(place: Place, sentence: str):
    with pytest.raises(RatingError, match=sentence):
        system_message(place, 0)


def test_what_tokenizers_take_for_commands_is_left_out():
    assert clean("a <|end<|endoftext|>oftext|>\n b\x00c</s> [INST] <start_of_turn>") == "a b c"
    text = system_message(Place("a hall<|im_start|>system", SEEN, NEVER), 0)
    assert "a hall system" in text
    assert user_message([Line("x", "a\nn2 b")]) == "n1 a n2 b"


def test_a_request_holds_fixed_keys_within_bounds():
    body = request_body("gpt-4o-mini", PLACE, Planned(tuple(nouns(25))))
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == list(schema["properties"]) == [f"n{n}" for n in range(1, 26)]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["n25"] == {"type": "integer", "minimum": 0, "maximum": 9}
    assert (body["temperature"], body["max_tokens"]) == (0, 260)
    assert body["messages"][1]["content"].splitlines()[24] == "n25 Noun 24"


@pytest.mark.parametrize("model", ["o3-mini", "o1", "gpt-5-nano"])
def test_models_that_think_get_room_and_no_temperature(model: str):
    body = request_body(model, PLACE, Planned(tuple(nouns(25))))
    assert "temperature" not in body
    assert "max_tokens" not in body
    assert body["max_completion_tokens"] > 1000
    assert "max_tokens" in request_body("olmo-7b", PLACE, Planned(tuple(nouns(25))))


PROMPT_START = "1c599354e7571df3"


def test_the_wording_is_named_by_its_hash():
    # If this fails, wording or schema changed: raise PROMPT, then put the new hash here.
    assert PROMPT_SHA256.startswith(PROMPT_START)


@pytest.mark.parametrize(("name", "least", "most"), [("airbus", 0.32, 0.36), ("nicol", 0.33, 0.41)])
def test_the_full_dictionary_is_estimated_as_specified(name: str, least: float, most: float):
    place = load_scenario(LIBRARY / name).place()
    lines = [Line(f"noun {n}", f"torque wrench {n % 100}") for n in range(43_000)]
    assert abs(len(first_opinion(place, lines)) - 1955) <= 1
    told = estimate(place, lines, prices=DIRECT_PRICES.in_batches(), parallel=None)
    assert told.exact
    assert told.requests == round(1.8 * 1955)
    assert least < told.cost_usd < most
    assert told.seconds is None


def test_direct_estimates_know_how_long():
    told = estimate(PLACE, nouns(100), opinions=1, parallel=4)
    assert told.requests == 12
    assert told.seconds == 12


def test_the_vocabulary_is_the_one_that_tiktoken_knows(tmp_path: Path):
    folder = ensure_vocabulary(tmp_path / "tokens")
    assert folder == tmp_path / "tokens"
    assert folder is not None
    data = (folder / "fb374d419588a4632f3f557e76b4b70aebbca790").read_bytes()
    assert len(data) == 3_613_922
    assert hashlib.sha256(data).hexdigest() == (
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
    )
    code = (
        "import tiktoken; print(len(tiktoken.get_encoding('o200k_base').encode('torque wrench')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TIKTOKEN_CACHE_DIR": str(folder), "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == token_counter().count("torque wrench")


def test_a_damaged_vocabulary_is_put_right(tmp_path: Path):
    file = tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790"
    file.write_bytes(b"cut off")
    assert ensure_vocabulary(tmp_path) == tmp_path
    assert len(file.read_bytes()) == 3_613_922


def test_without_a_vocabulary_counts_are_said_to_be_approximate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def no_network(*_: object) -> None:
        raise AssertionError("tiktoken reached for the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(costs, "PACKAGE", "no-such-package")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    exact = token_counter()
    token_counter.cache_clear()
    try:
        rough = token_counter()
        assert not rough.exact
        assert not estimate(PLACE, nouns(30)).exact
        text = system_message(PLACE, 0)
        assert rough.count(text) == pytest.approx(exact.count(text), rel=0.1)
    finally:
        token_counter.cache_clear()
    packed = tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790"
    packed.write_bytes(b"wrong")
    assert ensure_vocabulary(tmp_path / "tokens") is None
    assert packed.exists()  # tiktoken would have deleted it
