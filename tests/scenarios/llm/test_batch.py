"""The batch service through gpt_batch_api, against a real server on this machine."""

import json
import signal
import threading
import time
from pathlib import Path

import pytest
from openai import OpenAI

from scenarios.llm import doctor
from scenarios.llm.batch import BatchTransport
from scenarios.llm.costs import Prices
from scenarios.llm.transport import BudgetError, ChatError, ChatRequest, EndpointError, Reply
from scenarios.ratings.records import RatingError
from tests.peers.llm_model import Fault, FaultKind
from tests.peers.llm_server import LlmServer, llm_server

PRICES = Prices(1.0, 10.0)


def made(count: int) -> list[ChatRequest]:
    """Requests about two nouns each."""
    return [
        ChatRequest(
            f"r{number}",
            {
                "model": "rater",
                "messages": [{"role": "user", "content": f"n1 thing {number}\nn2 other {number}"}],
                "max_tokens": 30,
            },
        )
        for number in range(count)
    ]


def transport(server: LlmServer, folder: Path, batch_requests: int = 4) -> BatchTransport:
    return BatchTransport(
        folder / "work" / "batches",
        "rater",
        server.url,
        "secret",
        PRICES,
        poll_s=1,
        batch_requests=batch_requests,
        retries=0,
        instead="rate with --backend direct",
    )


def asked(server: LlmServer, folder: Path, count: int) -> dict[str, Reply]:
    """Replies by request, each brought once."""
    replies: list[Reply] = []
    transport(server, folder).ask(made(count), replies.append)
    assert len({reply.request_id for reply in replies}) == len(replies)
    return {reply.request_id: reply for reply in replies}


def test_every_request_is_answered_once_and_paid_at_batch_prices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with llm_server({"thing 3": 9}) as server:
        replies = asked(server, tmp_path, 10)
        stat = server.stat()
    assert replies.keys() == {f"r{number}" for number in range(10)}
    assert json.loads(replies["r3"].text)["n1"] == 9
    for reply in replies.values():
        assert reply.cost_usd == pytest.approx(PRICES.cost(reply.tokens_in, reply.tokens_out))
        assert reply.tokens_out > 0
    assert (stat.batches, stat.files, stat.calls) == (3, 0, 0)
    assert set(stat.nouns.values()) == {1}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", ["line_expired", "line_500", "line_code", "line_missing"])
def test_lines_without_an_answer_are_sent_again_and_the_others_are_kept(
    tmp_path: Path, kind: FaultKind
):
    with llm_server() as server:
        server.faults = [Fault(kind, every=3)]
        replies = asked(server, tmp_path, 8)
        stat = server.stat()
    assert [reply.error for reply in replies.values() if reply.error] == []
    assert set(stat.nouns.values()) == {1}
    assert len(stat.nouns) == 16


def test_what_stays_without_an_answer_is_told_as_an_error(tmp_path: Path):
    with llm_server() as server:
        server.faults = [Fault("line_400", every=3, by="body"), Fault("line_500", by="body")]
        replies = asked(server, tmp_path, 4)
        assert len(server.bodies) > 4
    errors = {reply.error for reply in replies.values()}
    assert "HTTP 500: The server had an error" in errors
    assert errors <= {"HTTP 400: Invalid request", "HTTP 500: The server had an error"}
    assert {reply.cost_usd for reply in replies.values()} == {0.0}


def test_odd_answers_are_brought_as_they_are_with_their_cost(tmp_path: Path):
    kinds: list[FaultKind] = ["length", "refusal", "malformed", "no_usage"]
    with llm_server() as server:
        server.faults = [Fault(kind, times=1) for kind in kinds]
        replies = [*asked(server, tmp_path, 5).values()]
    (cut,) = [reply for reply in replies if reply.cut]
    assert cut.text
    assert cut.cost_usd > 0
    (refused,) = [reply for reply in replies if reply.error]
    assert (refused.text, refused.error) == ("", "the model refused: I cannot help with that.")
    assert refused.cost_usd > 0
    assert [reply.cost_usd for reply in replies].count(0.0) == 1


def test_lines_about_other_requests_are_no_answers(tmp_path: Path):
    with llm_server() as server:
        server.faults = [Fault("line_unknown", times=1)]
        replies = asked(server, tmp_path, 3)
    for number in range(3):
        assert json.loads(replies[f"r{number}"].text).keys() == {"n1", "n2"}


def test_a_batch_that_fails_is_told_and_sent_again_by_the_next_run(tmp_path: Path):
    taken: list[Reply] = []
    with llm_server() as server:
        server.faults = [Fault("batch_failed", every=2, times=1)]
        with pytest.raises(EndpointError, match=r"failed by the provider: Enqueued token limit"):
            transport(server, tmp_path).ask(made(8), taken.append)
        assert len(taken) == 4
        rest = [request for request in made(8) if request.request_id not in ids(taken)]
        transport(server, tmp_path).ask(rest, taken.append)
        stat = server.stat()
    assert len(ids(taken)) == len(taken) == 8
    assert set(stat.nouns.values()) == {1}


def test_a_batch_that_expires_whole_is_sent_again(tmp_path: Path):
    with llm_server() as server:
        server.faults = [Fault("batch_expired", times=1)]
        assert len(asked(server, tmp_path, 3)) == 3


def ids(replies: list[Reply]) -> set[str]:
    return {reply.request_id for reply in replies}


def test_stopped_while_a_batch_is_out_the_same_request_collects_it(tmp_path: Path):
    taken: list[Reply] = []
    with llm_server() as server:
        stop_once_sent(server, tmp_path, 6, batches=2)
        end_batches(server)
        transport(server, tmp_path).ask(made(6), taken.append)
        stat = server.stat()
    assert len(ids(taken)) == len(taken) == 6
    assert (stat.batches, set(stat.nouns.values())) == (2, {1})


def test_a_batch_that_ended_before_anyone_noted_it_is_collected(tmp_path: Path):
    """As after a kill between sending and saving; a state that says nothing of its end ends too."""
    state_file = tmp_path / "work" / "batches" / "ratings_state.json"
    with llm_server() as server:
        stop_once_sent(server, tmp_path, 3)
        end_batches(server)
        state = json.loads(state_file.read_text())
        state["batches"][0]["remote"] = None
        state_file.write_text(json.dumps(state))
        doctor.repair(state_file.parent, OpenAI(base_url=server.url, api_key="secret"))
        (batch,) = json.loads(state_file.read_text())["batches"]
        assert batch["remote"]["batch"]["status"] == "completed"
        assert batch["remote"]["finished"]
        batch["remote"]["finished"] = False
        state_file.write_text(json.dumps(state | {"batches": [batch]}))
        assert len(asked(server, tmp_path, 3)) == 3
        stat = server.stat()
    assert (stat.batches, set(stat.nouns.values())) == (1, {1})


def stop_once_sent(server: LlmServer, folder: Path, count: int, batches: int = 1) -> None:
    """Ask, and press Ctrl-C a little after so many batches were sent; they do not end by then."""
    server.batches.seconds = 3600
    taken: list[Reply] = []

    def press() -> None:
        while len(server.batches.batches) < batches:
            time.sleep(0.02)
        time.sleep(0.3)
        signal.raise_signal(signal.SIGINT)

    stopping = threading.Thread(target=press)
    stopping.start()
    with pytest.raises(KeyboardInterrupt):
        transport(server, folder).ask(made(count), taken.append)
    stopping.join()
    assert (server.stat().batches, taken) == (batches, [])


def test_a_wait_is_ended_by_its_check_long_before_the_provider_is_asked_again(tmp_path: Path):
    looks = []

    def check() -> None:
        looks.append(len(server.batches.batches))
        if len(looks) == 3:
            raise KeyboardInterrupt

    with llm_server() as server:
        server.batches.seconds = 3600
        waiting = BatchTransport(
            *(tmp_path / "work" / "batches", "rater", server.url, "secret", PRICES),
            poll_s=3600,
            check=check,
        )
        with pytest.raises(KeyboardInterrupt):
            waiting.ask(made(3), lambda _: None)
        assert looks == [1, 1, 1]
        end_batches(server)
        assert len(asked(server, tmp_path, 3)) == 3
        stat = server.stat()
    assert (stat.batches, set(stat.nouns.values())) == (1, {1})


def end_batches(server: LlmServer) -> None:
    """Let what is under way be done the next time somebody asks."""
    server.batches.due = dict.fromkeys(server.batches.due, 0.0)


def interrupt() -> None:
    raise KeyboardInterrupt


def test_the_cap_stops_sending_but_loses_nothing(tmp_path: Path):
    taken: list[Reply] = []

    def take(reply: Reply) -> None:
        taken.append(reply)
        raise BudgetError("no more than 0.01 USD")

    with llm_server() as server, pytest.raises(BudgetError, match="no more"):
        transport(server, tmp_path, batch_requests=50).ask(made(5), take)
    assert len(taken) == 5


def test_answers_nobody_waits_for_are_kept_for_whoever_asks(tmp_path: Path):
    with llm_server() as server:
        with pytest.raises(KeyboardInterrupt):
            transport(server, tmp_path).ask(made(4), lambda _: interrupt())
        other = ChatRequest("other", made(9)[8].body)
        transport(server, tmp_path).ask([other], lambda _: None)
        assert len(asked(server, tmp_path, 4)) == 4
        stat = server.stat()
    assert set(stat.nouns.values()) == {1}


@pytest.mark.parametrize(
    ("set_up", "told"),
    [
        ({"key": "another"}, "refuses the key"),
        ({"without_batches": True}, "no batch service at this address.*--backend direct"),
    ],
)
def test_a_provider_that_refuses_is_told_in_a_sentence(
    tmp_path: Path, set_up: dict[str, object], told: str
):
    with llm_server() as server:
        for name, value in set_up.items():
            setattr(server, name, value)
        with pytest.raises(EndpointError, match=told) as caught:
            asked(server, tmp_path, 2)
    assert "secret" not in str(caught.value)


def test_a_provider_out_of_reach_is_told_in_a_sentence(tmp_path: Path):
    with llm_server() as server:
        gone = transport(server, tmp_path)
    with pytest.raises(EndpointError, match="cannot be reached"):
        gone.ask(made(1), lambda _: None)


def test_two_runs_in_one_folder_are_refused(tmp_path: Path):
    with llm_server() as server:

        def take(reply: Reply) -> None:
            del reply
            with pytest.raises(ChatError, match="another process is at work there"):
                transport(server, tmp_path).ask(made(1), lambda _: None)

        transport(server, tmp_path).ask(made(1), take)


def test_a_damaged_state_cancels_what_it_was_about_and_starts_afresh(tmp_path: Path):
    folder = tmp_path / "work" / "batches"
    with llm_server() as server:
        stop_once_sent(server, tmp_path, 4)
        (folder / "ratings_state.json").write_text('{"version": 1,')
        server.batches.seconds = 0
        assert len(asked(server, tmp_path, 4)) == 4
        stat = server.stat()
        statuses = {batch["status"] for batch in server.batches.batches.values()}
    assert statuses == {"cancelled", "completed"}
    assert set(stat.nouns.values()) == {1}
    assert (folder / "ratings_state.damaged").exists()


def test_another_version_of_the_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "LIBRARY_VERSION", "1.0.6")
    with llm_server() as server, pytest.raises(ChatError, match=r"1\.0\.6, which is 1\.0\.5"):
        asked(server, tmp_path, 1)


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path):
    taken: list[Reply] = []

    def full(reply: Reply) -> None:
        if len(taken) == 2:
            raise RatingError("no space left")
        taken.append(reply)

    with llm_server() as server:
        with pytest.raises(RatingError, match="no space left"):
            transport(server, tmp_path).ask(made(4), full)
        rest = [request for request in made(4) if request.request_id not in ids(taken)]
        transport(server, tmp_path).ask(rest, taken.append)
        stat = server.stat()
    assert len(ids(taken)) == len(taken) == 4
    assert (stat.batches, set(stat.nouns.values())) == (1, {1})


def test_files_that_a_loss_of_power_emptied_are_made_again(tmp_path: Path):
    folder = tmp_path / "work" / "batches"
    with llm_server() as server:
        stop_once_sent(server, tmp_path, 4)
        for path in folder.glob("ratings_*"):
            if path.name != "ratings_state.json":
                path.write_text("")
        end_batches(server)
        assert len(asked(server, tmp_path, 4)) == 4
        stat = server.stat()
    assert (stat.batches, set(stat.nouns.values())) == (1, {1})
