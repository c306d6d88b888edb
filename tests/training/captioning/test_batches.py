"""Captions through gpt_batch_api: rounds of batches, resumed, and what can go wrong."""

from pathlib import Path
from typing import Any

import filelock
import pytest
import tiktoken

from scenarios.dictionary import ObjectDictionary
from tests.scenarios.builders import DEER, GLASS, small_dictionary
from tests.training.chat_server import ChatServer, chat_server, completion, good_captions
from training.captioning.batches import open_client, write_in_batches
from training.captioning.rules import (
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


@pytest.fixture(autouse=True)
def bytes_as_tokens(monkeypatch: pytest.MonkeyPatch):
    """Stands for the vocabulary that tiktoken would download; it serves predictions only."""
    by_byte = tiktoken.Encoding(
        "o200k_base",
        pat_str=r"\s+|\S+",
        mergeable_ranks={bytes([byte]): byte for byte in range(256)},
        special_tokens={},
    )
    monkeypatch.setitem(tiktoken.registry.ENCODINGS, "o200k_base", by_byte)


def ask(
    server: ChatServer,
    dictionary: ObjectDictionary,
    folder: Path,
    **requester: Any,  # noqa: ANN401
) -> list[NounInProgress]:
    nouns = begin(dictionary)
    replay(nouns, read_answers(batch_answers_file(folder)))
    client = open_client(server.url, None).with_options(max_retries=0)
    limits = {"min_batch_requests": 1, "remote_update_interval": 1.0} | requester
    write_in_batches(nouns, client, folder, "writer", **limits)
    return nouns


def test_all_captions_come_in_batches(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with chat_server() as server:
        nouns = ask(server, small_dictionary(), tmp_path / "work")
        assert server.stat().batches == 1
        assert server.stat().files == 0
        for noun in nouns:
            for number in ("singular", "plural"):
                assert len(noun.captions.of(number)) == wanted_captions(noun.entry, number)
        assert len(server.bodies) == estimate(begin(small_dictionary())).calls
        answers = read_answers(batch_answers_file(tmp_path / "work"))
        assert {(one.model, one.output_tokens) for one in answers} == {("writer", 120)}
        again = ask(server, small_dictionary(), tmp_path / "work")
        assert server.stat().batches == 1
        assert [noun.captions for noun in again] == [noun.captions for noun in nouns]
    assert capsys.readouterr().out == ""


def test_what_lacks_is_asked_for_in_further_rounds(tmp_path: Path):
    with chat_server() as server:

        def half(body: dict, call: int):
            return 200, {}, completion("\n".join(good_captions(body, call).splitlines()[:5]))

        server.reply = half
        nouns = ask(server, ObjectDictionary((DEER,)), tmp_path / "work")
    assert nouns[0].next_number is None
    assert not nouns[0].given_up
    assert server.stat().batches >= 2


def test_garbage_is_given_up(tmp_path: Path):
    with chat_server() as server:
        server.reply = lambda *_: (200, {}, completion("1. I am a teapot, short and stout"))
        nouns = ask(server, ObjectDictionary((GLASS,)), tmp_path / "work")
    assert nouns[0].given_up
    assert len(server.bodies) == 8 + 4


def test_small_rounds_can_go_directly(tmp_path: Path):
    with chat_server() as server:
        nouns = ask(server, ObjectDictionary((GLASS,)), tmp_path / "work", min_batch_requests=101)
        assert server.stat().batches == 0
    assert nouns[0].next_number is None
    assert server.stat().most_at_once == 1


def test_a_server_that_dies_loses_nothing_and_the_work_goes_on(tmp_path: Path):
    folder = tmp_path / "work"
    with chat_server() as server:

        def half(body: dict, call: int):
            if call > 14:
                return 0, {}, None
            return 200, {}, completion("\n".join(good_captions(body, call).splitlines()[:5]))

        server.reply = half
        with pytest.raises(CaptionError, match="the same command goes on from there"):
            ask(server, ObjectDictionary((DEER,)), folder, force_direct=True)
    kept = len(read_answers(batch_answers_file(folder)))
    assert kept == 14
    with chat_server() as server:
        server.reply = lambda body, call: (200, {}, completion(good_captions(body, 100 + call)))
        nouns = ask(server, ObjectDictionary((DEER,)), folder, force_direct=True)
        assert len(server.bodies) < 14
    assert not nouns[0].given_up
    assert nouns[0].next_number is None


def test_ctrl_c_keeps_batches_that_are_under_way(tmp_path: Path):
    def interrupted(new: int) -> None:
        raise KeyboardInterrupt

    with chat_server() as server:
        with pytest.raises(KeyboardInterrupt):
            ask(server, ObjectDictionary((DEER,)), tmp_path / "work", report=interrupted)
        assert read_answers(batch_answers_file(tmp_path / "work")) == []
        nouns = ask(server, ObjectDictionary((DEER,)), tmp_path / "work")
        assert server.stat().batches == 1
    assert nouns[0].next_number is None
    assert len(server.bodies) == 14


def test_a_server_without_batches_is_told(tmp_path: Path):
    with chat_server() as server:
        server.url = server.url.replace("/v1", "/other")
        with pytest.raises(CaptionError, match="--direct does without the batch service"):
            ask(server, small_dictionary(), tmp_path / "work")


def test_a_spending_limit_is_told(tmp_path: Path):
    with chat_server() as server, pytest.raises(CaptionError, match="a spending limit"):
        ask(server, small_dictionary(), tmp_path / "work", max_session_requests=3)
    assert server.bodies == []


def test_a_vocabulary_that_cannot_be_fetched_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delitem(tiktoken.registry.ENCODINGS, "o200k_base")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with chat_server() as server, pytest.raises(CaptionError, match="TIKTOKEN_CACHE_DIR"):
        ask(server, small_dictionary(), tmp_path / "work")


def test_two_at_once_in_a_folder_are_refused(tmp_path: Path):
    folder = tmp_path / "work"
    folder.mkdir()
    with (
        chat_server() as server,
        filelock.FileLock(folder / "captions.lock"),
        pytest.raises(CaptionError, match="another process is writing captions there"),
    ):
        ask(server, small_dictionary(), folder)
