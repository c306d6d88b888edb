"""Direct transport against llama.cpp's own server and a real, if senseless, model."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.llm.costs import Prices
from scenarios.llm.direct import DirectTransport
from scenarios.llm.transport import ChatRequest, EndpointError, Reply
from scenarios.raters.digits.checks import read_reply
from scenarios.raters.digits.prompts import digit_question, digit_request
from scenarios.raters.digits.rounds import Progress, digit_scores, rate_by_digits
from scenarios.ratings.records import Planned, RatingError
from scenarios.ratings.store import RatingStore
from tests.scenarios.raters.digits.digits import PLACE, nouns
from tests.scenarios.raters.local.llama_process import SLOTS, Serving, serving
from tests.scenarios.raters.local.tiny_gguf import write_tiny_model

QUESTION = digit_question("tiny", PLACE)
BLANK = b" \n\t"
ALL_SEVEN = "7"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that writes sevens where it may, and no blanks, which JSON allows without end."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    return write_tiny_model(path, likes=ALL_SEVEN.encode(), shuns=BLANK)


@pytest.fixture(scope="module")
def llama(model: Path) -> Iterator[Serving]:
    with serving(model) as server:
        yield server


def transport(server: Serving, key: str | None = None) -> DirectTransport:
    return DirectTransport("tiny", server.url, key, SLOTS, Prices(0, 0), wait_s=0.01)


def planned(count: int, size: int = 3) -> dict[str, Planned]:
    """So many requests of so many nouns each."""
    lines = nouns(count * size)
    asked = [Planned(tuple(lines[size * place :][:size])) for place in range(count)]
    return {each.request_id(QUESTION): each for each in asked}


def requests(of: dict[str, Planned]) -> list[ChatRequest]:
    return [digit_request(id_, "tiny", PLACE, each) for id_, each in of.items()]


def test_it_takes_our_schema_and_answers_requests_at_once(llama: Serving):
    asked = planned(2 * SLOTS)
    replies: list[Reply] = []
    transport(llama).ask(requests(asked), replies.append)
    assert llama.busy() > 1
    assert sorted(reply.request_id for reply in replies) == sorted(asked)
    for reply in replies:
        # Without the schema such a model writes anything but JSON.
        assert json.loads(reply.text) == dict.fromkeys(("n1", "n2", "n3"), 7)
        assert (reply.error, reply.cut, reply.cost_usd) == ("", False, 0)
        # It reads and writes byte by byte.
        assert len(reply.text) <= reply.tokens_out <= len(reply.text) + 1
        assert reply.tokens_in > 900
        assert read_reply(asked[reply.request_id], reply, {}, "direct").status == "ok"


def test_an_answer_that_its_limit_ends_is_told_as_cut(tmp_path: Path):
    asked = planned(2)
    replies: list[Reply] = []
    with serving(write_tiny_model(tmp_path / "blank.gguf", likes=BLANK)) as server:
        transport(server).ask(requests(asked), replies.append)
    assert len(replies) == 2
    for reply in replies:
        assert reply.cut
        answer = read_reply(asked[reply.request_id], reply, {}, "direct")
        assert (answer.status, answer.ratings) == ("rejected", ())
        assert "cut off before its end" in answer.reason


def test_nonsense_in_good_form_is_refused_and_gets_nowhere(llama: Serving, tmp_path: Path):
    lines = nouns(120)
    progress: list[Progress] = []
    with RatingStore(tmp_path / "ratings.sqlite") as store:
        with pytest.raises(RatingError, match=r"answers of tiny cannot be used") as caught:
            rate_by_digits(store, QUESTION, PLACE, lines, transport(llama), report=progress.append)
        scores = digit_scores(store, QUESTION, [line.target_noun for line in lines])
        spent = store.spent(QUESTION)
    assert "got 7, which is not 2 above the 7 of" in str(caught.value)
    last = progress[-1]
    assert last.rejected == last.answered == last.planned
    assert not scores.nouns
    assert spent.cost_usd == 0
    assert spent.tokens_in > 900 * last.answered


def test_a_server_that_dies_is_told_and_what_it_said_is_kept(model: Path):
    asked = planned(5 * SLOTS)
    replies: list[Reply] = []
    with serving(model) as server:

        def take(reply: Reply) -> None:
            replies.append(reply)
            if len(replies) == SLOTS:
                server.kill()

        with pytest.raises(EndpointError, match=r"does not answer .*start the server") as caught:
            transport(server).ask(requests(asked), take)
    assert server.url in str(caught.value)
    assert SLOTS <= len(replies) < len(asked)
    assert all(json.loads(reply.text) for reply in replies)


def test_a_wrong_key_is_told(model: Path):
    with serving(model, key="right") as server:
        with pytest.raises(EndpointError, match=r"refuses the key \(Invalid API Key\)"):
            transport(server, "wrong").ask(requests(planned(1)), lambda _: None)
        replies: list[Reply] = []
        transport(server, "right").ask(requests(planned(1)), replies.append)
    assert [reply.error for reply in replies] == [""]


def test_a_context_that_is_too_small_is_told(model: Path):
    with (
        serving(model, context=512) as server,
        pytest.raises(EndpointError, match=r"exceeds the available context size \(512 tokens\)"),
    ):
        transport(server).ask(requests(planned(4 * SLOTS)), lambda _: None)
