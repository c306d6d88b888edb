"""Direct transport against a real server on this machine."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scenarios.llm import direct
from scenarios.llm.costs import Prices
from scenarios.llm.direct import DirectTransport
from scenarios.llm.transport import ChatRequest, EndpointError, Reply
from scenarios.raters.digits.prompts import digit_request
from scenarios.raters.digits.rounds import digit_scores, rate_by_digits
from scenarios.ratings.records import Planned, RatingError
from scenarios.ratings.store import RatingStore
from tests.peers.llm_model import Fault, FaultKind
from tests.peers.llm_server import LlmServer, llm_server
from tests.scenarios.raters.digits.digits import NEVER, PLACE, QUESTION, SEEN, digit_of, nouns

DIGITS = {
    **{line.asked_as: digit_of(line.asked_as) for line in nouns(400)},
    **{noun: digit_of(noun) for noun in (*SEEN, *NEVER)},
}


def requests(count: int) -> list[ChatRequest]:
    lines = nouns(count)
    return [digit_request(line.asked_as, "gpt-4o-mini", PLACE, Planned((line,))) for line in lines]


def transport(llm: LlmServer, parallel: int = 4, key: str | None = None) -> DirectTransport:
    return DirectTransport("gpt-4o-mini", llm.url, key, parallel, Prices(1.0, 10.0), wait_s=0.01)


def ask(llm: LlmServer, count: int = 12, parallel: int = 4) -> dict[str, Reply]:
    replies: dict[str, Reply] = {}

    def take(reply: Reply) -> None:
        assert reply.request_id not in replies
        replies[reply.request_id] = reply

    transport(llm, parallel).ask(requests(count), take)
    return replies


def test_requests_are_under_way_at_once_and_cost_what_the_server_counts():
    with llm_server(DIGITS) as llm:
        llm.faults = [Fault("delay", seconds=0.05)]
        replies = ask(llm)
    assert llm.stat().most_at_once == 4
    assert len(replies) == 12
    for noun, reply in replies.items():
        assert json.loads(reply.text) == {"n1": digit_of(noun)}
        assert reply.cost_usd == pytest.approx((reply.tokens_in + 10 * reply.tokens_out) / 1e6)
        assert reply.tokens_in > 100


@pytest.mark.parametrize("kind", ["rate_limit", "error_500", "drop", "cut_body"])
def test_faults_that_pass_are_sat_out(kind: FaultKind):
    with llm_server(DIGITS) as llm:
        llm.faults = [Fault(kind, every=3, seconds=0.01)]
        replies = ask(llm)
    assert len(replies) == 12
    assert not any(reply.error for reply in replies.values())


def test_without_usage_tokens_are_counted_here():
    with llm_server(DIGITS) as llm:
        llm.faults = [Fault("no_usage")]
        reply = ask(llm, 1)["Noun 0"]
    # The system message alone has about 270 tokens; the answer is one short object.
    assert 250 < reply.tokens_in < 400
    assert 3 < reply.tokens_out < 12
    assert reply.cost_usd > 0


def test_an_endpoint_without_schemas_is_asked_without():
    with llm_server(DIGITS) as llm:
        llm.faults = [Fault("no_schema")]
        replies = ask(llm)
    assert {json.loads(reply.text)["n1"] for reply in replies.values()} <= set(range(10))
    last = llm.bodies[-1]
    assert last["response_format"] == {"type": "json_object"}
    assert "n1 to n1" in last["messages"][0]["content"]
    refused = [body for body in llm.bodies if body["response_format"]["type"] == "json_schema"]
    assert len(refused) <= 4  # those that were under way together, not every request


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("quota", "has no money left in the account"),
        ("rate_limit", "is too busy"),
        ("drop", "does not answer"),
    ],
)
def test_an_endpoint_that_answers_nobody_is_named(fault: FaultKind, sentence: str):
    with llm_server(DIGITS) as llm:
        llm.faults = [Fault(fault, seconds=0.001)]
        with pytest.raises(EndpointError, match=sentence) as caught:
            ask(llm, 2)
    assert llm.url in str(caught.value)


def test_a_server_that_is_too_slow_is_not_taken_for_an_absent_one(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(direct, "REQUEST_S", 0.05)
    with llm_server(DIGITS) as llm:
        llm.faults = [Fault("delay", seconds=0.5)]
        with pytest.raises(EndpointError, match=r"takes longer than 0\.05 s .*fewer at once"):
            ask(llm, 1)
        assert llm.stat().calls == 1 + direct.SLOW_RETRIES


def test_a_wrong_key_is_told_but_not_shown():
    with llm_server(DIGITS) as llm:
        llm.key = "right"
        with pytest.raises(EndpointError, match="refuses the key") as caught:
            transport(llm, key="sk-secret").ask(requests(1), lambda _: None)
    assert "sk-secret" not in str(caught.value)


def test_a_password_in_the_address_is_not_shown():
    with llm_server(DIGITS) as llm:
        llm.models = frozenset()
        url = llm.url.replace("//", "//ann:pw@")
        with pytest.raises(EndpointError, match="knows no model gpt-4o-mini") as caught:
            DirectTransport("gpt-4o-mini", url, None).ask(requests(1), lambda _: None)
    assert "ann" not in str(caught.value)


def test_a_request_that_always_fails_does_not_stop_the_others():
    with llm_server(DIGITS) as llm:
        llm.faults = [Fault("bad_request", every=3, by="body")]
        replies = ask(llm)
    failed = [reply for reply in replies.values() if reply.error]
    assert len(replies) == 12
    assert 0 < len(failed) < 12
    assert all("Invalid request" in reply.error for reply in failed)


def test_an_endpoint_that_refuses_everything_is_given_up():
    with llm_server(DIGITS) as llm:
        llm.faults = [Fault("bad_request")]
        with pytest.raises(EndpointError, match="failed 8 requests in a row"):
            ask(llm, 30)
    assert llm.stat().calls < 20


def test_refusals_and_cut_answers_are_told_and_paid():
    with llm_server(DIGITS) as llm:
        llm.faults = [Fault("refusal", times=1), Fault("length", times=1, after=1)]
        first, second, _ = ask(llm, 3, parallel=1).values()
    assert "refused" in first.error
    assert first.cost_usd > 0
    assert second.cut


def test_what_take_raises_ends_the_asking_after_what_is_under_way():
    taken = []

    def take(reply: Reply) -> None:
        taken.append(reply)
        if len(taken) == 3:
            raise RatingError("the disk is full")

    with llm_server(DIGITS) as llm:
        llm.faults = [Fault("delay", seconds=0.02)]
        with pytest.raises(RatingError, match="disk is full"):
            transport(llm).ask(requests(30), take)
    assert 3 <= len(taken) <= 7
    assert len(taken) == llm.stat().calls


def ask_until_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    taken = []

    def take(reply: Reply) -> None:
        taken.append(reply)
        if len(taken) == 3:
            signal.raise_signal(signal.SIGINT)

    assert threading.current_thread() is threading.main_thread()
    with llm_server(DIGITS) as llm:
        llm.faults = [Fault("delay", seconds=0.02)]
        with pytest.raises(KeyboardInterrupt):
            transport(llm).ask(requests(30), take)
    # The signal comes a moment later than it was sent.
    assert 3 <= len(taken) <= 15
    assert len(taken) == llm.stat().calls


def test_ctrl_c_takes_what_is_under_way():
    # In a process of its own: what else ran in this one may have changed what Ctrl-C does.
    code = "from tests.scenarios.llm.test_direct import ask_until_ctrl_c; ask_until_ctrl_c()"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_site_is_rated_through_a_server(tmp_path: Path):
    lines = nouns(400)
    with llm_server(DIGITS) as llm, RatingStore(tmp_path / "r.sqlite") as store:
        # Twice at most: a noun that is asked in vain three times is given up.
        llm.faults = [Fault("missing_keys", every=5, times=2), Fault("error_500", every=7)]
        rate_by_digits(store, QUESTION, PLACE, lines, transport(llm))
        scores = digit_scores(store, QUESTION, [line.target_noun for line in lines])
    assert scores.nouns == {line.target_noun: digit_of(line.asked_as) for line in lines}


def test_a_model_without_structured_output_is_named(tmp_path: Path):
    with llm_server(DIGITS) as llm, RatingStore(tmp_path / "r.sqlite") as store:
        llm.faults = [Fault("malformed")]
        with pytest.raises(RatingError, match=r"gpt-4o-mini .*may not know structured output"):
            rate_by_digits(store, QUESTION, PLACE, nouns(400), transport(llm))
        assert llm.stat().calls == 24  # the pilot, twice; the many others were not sent


def test_a_model_that_keeps_to_the_schema_but_says_one_digit_is_called_too_small(tmp_path: Path):
    same = dict.fromkeys(DIGITS, 5)
    with (
        llm_server(same) as llm,
        RatingStore(tmp_path / "r.sqlite") as store,
        pytest.raises(RatingError, match="The model is too small to rate many nouns"),
    ):
        rate_by_digits(store, QUESTION, PLACE, nouns(400), transport(llm))
