"""Captions through a batch service: rounds, stops, kills, and what can go wrong."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from scenarios.dictionary import ObjectDictionary
from scenarios.llm.batch import BatchTransport
from scenarios.llm.costs import DIRECT_PRICES
from tests.peers.llm_model import Fault
from tests.scenarios.builders import DEER, GLASS, small_dictionary
from tests.training.chat_server import chat_server, completion, good_captions
from training.captioning.asking import refuse_older_batches, write_in_batches
from training.captioning.rules import (
    AnswerLog,
    NounInProgress,
    batch_answers_file,
    begin,
    estimate,
    read_answers,
    replay,
)
from training.texts.captions import CaptionError, wanted_captions

pytestmark = pytest.mark.filterwarnings(
    # gpt_batch_api leaves the files that it uploads to the garbage collector.
    "ignore:unclosed file:ResourceWarning",
    "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning",
)


ROOT = Path(__file__).parents[3]


def log_of(folder: Path) -> Path:
    return folder / "captions.answers.jsonl"


def ask(
    url: str,
    dictionary: ObjectDictionary,
    folder: Path,
    report: Callable[[int], None] = lambda _: None,
    batch_requests: int = 50_000,
) -> list[NounInProgress]:
    nouns, answers = begin(dictionary), read_answers(log_of(folder))
    replay(nouns, answers)
    transport = BatchTransport(
        *(folder / "batches", "writer", url, None, DIRECT_PRICES.in_batches()),
        poll_s=1,
        batch_requests=batch_requests,
        retries=0,
        instead="use --direct",
    )
    log = AnswerLog(log_of(folder))
    write_in_batches(nouns, transport, "writer", log, answers, folder / "batches", report)
    return nouns


def test_all_captions_come_in_batches(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with chat_server() as server:
        nouns = ask(server.url, small_dictionary(), tmp_path)
        assert server.stat().batches == 1
        assert server.stat().files == 0
        for noun in nouns:
            for number in ("singular", "plural"):
                assert len(noun.captions.of(number)) == wanted_captions(noun.entry, number)
        assert len(server.bodies) == estimate(begin(small_dictionary())).calls
        answers = read_answers(log_of(tmp_path))
        assert {(one.model, one.output_tokens) for one in answers} == {("writer", 120)}
        again = ask(server.url, small_dictionary(), tmp_path)
        assert server.stat().batches == 1
        assert [noun.captions for noun in again] == [noun.captions for noun in nouns]
    assert capsys.readouterr().out == ""


def test_what_lacks_is_asked_for_in_further_rounds(tmp_path: Path):
    with chat_server() as server:

        def half(body: dict, call: int):
            return 200, {}, completion("\n".join(good_captions(body, call).splitlines()[:5]))

        server.reply = half
        nouns = ask(server.url, ObjectDictionary((DEER,)), tmp_path)
    assert nouns[0].next_number is None
    assert not nouns[0].given_up
    assert server.stat().batches >= 2


def test_garbage_is_given_up(tmp_path: Path):
    with chat_server() as server:
        server.reply = lambda *_: (200, {}, completion("1. I am a teapot, short and stout"))
        nouns = ask(server.url, ObjectDictionary((GLASS,)), tmp_path)
    assert nouns[0].given_up
    assert len(server.bodies) == 8 + 4


def test_small_rounds_stay_in_batches(tmp_path: Path):
    with chat_server() as server:
        nouns = ask(server.url, ObjectDictionary((GLASS,)), tmp_path)
        assert (server.stat().batches, server.stat().calls) == (1, 0)
    assert len(server.bodies) == 12
    assert nouns[0].next_number is None


def test_tokens_are_counted_without_the_internet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with chat_server() as server:
        nouns = ask(server.url, ObjectDictionary((GLASS,)), tmp_path)
    assert nouns[0].next_number is None
    assert not (tmp_path / "empty").exists()


def test_ctrl_c_keeps_batches_that_are_under_way(tmp_path: Path):
    def interrupted(new: int) -> None:
        raise KeyboardInterrupt

    with chat_server() as server:
        with pytest.raises(KeyboardInterrupt):
            ask(server.url, ObjectDictionary((DEER,)), tmp_path, interrupted)
        assert len(read_answers(log_of(tmp_path))) == 1
        nouns = ask(server.url, ObjectDictionary((DEER,)), tmp_path)
        assert server.stat().batches == 1
    assert nouns[0].next_number is None
    assert len(server.bodies) == 14
    assert len(read_answers(log_of(tmp_path))) == 14


WRITES = """
import sys
from pathlib import Path
from scenarios.dictionary import ObjectDictionary
from tests.scenarios.builders import small_dictionary
from tests.training.captioning.test_batches import ask
ask(sys.argv[1], small_dictionary(), Path(sys.argv[2]), batch_requests=8)
"""


def test_killed_runs_lose_no_answer_and_pay_none_twice(tmp_path: Path):
    """Killed as soon as so many answers are kept; some batches are out, some half taken over."""
    log, wanted = log_of(tmp_path), estimate(begin(small_dictionary())).calls
    with chat_server() as server:
        for kept in (0, 3, 21):
            words = [sys.executable, "-c", WRITES, server.url, tmp_path]
            with subprocess.Popen(words, cwd=ROOT) as writing:
                while server.stat().batches == 0 or len(read_answers(log)) < kept:
                    assert writing.poll() is None
                    time.sleep(0.005)
                writing.kill()
        nouns = ask(server.url, small_dictionary(), tmp_path, batch_requests=8)
    assert len(read_answers(log)) == len(server.bodies) == wanted
    assert all(noun.next_number is None and not noun.given_up for noun in nouns)


def test_what_a_service_did_not_answer_is_asked_again(tmp_path: Path):
    with chat_server() as server:
        server.faults = [Fault("line_400", every=3)]
        nouns = ask(server.url, ObjectDictionary((GLASS,)), tmp_path)
        assert all(answer.text for answer in read_answers(log_of(tmp_path)))
        assert nouns[0].next_number is None


def test_a_service_that_answers_nothing_is_told(tmp_path: Path):
    with chat_server() as server:
        server.faults = [Fault("line_400")]
        with pytest.raises(CaptionError, match=r"no request was answered: HTTP 400: Invalid requ"):
            ask(server.url, ObjectDictionary((GLASS,)), tmp_path)
    assert len(server.bodies) == 12
    assert read_answers(log_of(tmp_path)) == []


def test_a_server_without_batches_is_told(tmp_path: Path):
    with chat_server() as server:
        server.url = server.url.replace("/v1", "/other")
        with pytest.raises(CaptionError, match=r"no batch service at this address.*use --direct"):
            ask(server.url, small_dictionary(), tmp_path)


def test_two_at_once_in_a_folder_are_refused(tmp_path: Path):
    (tmp_path / "batches").mkdir()
    with (
        chat_server() as server,
        filelock.FileLock(tmp_path / "batches" / "ratings.lock"),
        pytest.raises(CaptionError, match="another process is at work there"),
    ):
        ask(server.url, small_dictionary(), tmp_path)


def test_answers_of_an_earlier_version_are_read_and_its_batches_not_forgotten(tmp_path: Path):
    old = {"target_noun": "deer", "number": "plural", "text": "1. Two deer in a wood", "model": "m"}
    batch_answers_file(tmp_path).write_text(f"{json.dumps(old)}\n")
    (answer,) = read_answers(batch_answers_file(tmp_path))
    assert (answer.text, answer.request_id) == ("1. Two deer in a wood", "")
    state = tmp_path / "captions_state.json"
    state.write_text(json.dumps({"batches": [{"remote": None}]}))
    refuse_older_batches(tmp_path)
    state.write_text(json.dumps({"batches": [{"remote": {"batch": {"id": "b"}}}]}))
    with pytest.raises(CaptionError, match=r"an earlier version of Nomaly has sent; .*state\.json"):
        refuse_older_batches(tmp_path)
