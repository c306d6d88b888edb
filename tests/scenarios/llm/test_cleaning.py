"""What endpoints say is shown without what they were told in confidence."""

import base64
from pathlib import Path

import pytest

from novic.errors import UsageError
from scenarios.llm.batch import BatchTransport
from scenarios.llm.cleaning import Cleaner, shown_endpoint
from scenarios.llm.costs import Prices
from scenarios.llm.direct import DirectTransport
from scenarios.llm.opening import open_batches, open_direct
from scenarios.llm.transport import ChatError, Reply, Transport
from scenarios.raters.digits.prompts import digit_request
from scenarios.ratings.records import Planned
from tests.peers.llm_server import LlmServer, llm_server
from tests.scenarios.raters.digits.digits import PLACE, nouns

KEY = "sk-canary-hunter2"
LOGIN = "ann:canary%2Fhunter2"
SECRETS = (
    "canary",
    base64.b64encode(b"ann:canary/hunter2").decode(),
    base64.b64encode(b"ann:canary%2Fhunter2").decode(),
    base64.b64encode(KEY.encode()).decode(),
)


def open_way(way: str, llm: LlmServer, login: bool, folder: Path) -> Transport:
    url, key = (llm.url.replace("//", f"//{LOGIN}@"), None) if login else (llm.url, KEY)
    if way == "direct":
        return DirectTransport("judge", url, key, wait_s=0.001, retries=1)
    return BatchTransport(folder, "judge", url, key, Prices(1.0, 1.0), retries=0, patience_s=0.0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500])
@pytest.mark.parametrize("login", [False, True], ids=["key", "login"])
@pytest.mark.parametrize("way", ["direct", "batch"])
def test_nothing_that_an_endpoint_repeats_of_a_login_is_shown(
    tmp_path: Path, way: str, login: bool, status: int
):
    (line,) = nouns(1)
    asked = digit_request(line.asked_as, "judge", PLACE, Planned((line,)))
    replies: list[Reply] = []
    with llm_server({}) as llm:
        llm.repeats = status
        try:
            open_way(way, llm, login, tmp_path).ask([asked], replies.append)
            (shown,) = [reply.error for reply in replies]
        except ChatError as error:
            shown = str(error)
        (sent,) = llm.keys
    assert sent.startswith("Basic " if login else f"Bearer {KEY}")
    assert "***" in shown
    assert shown.isprintable()
    for secret in SECRETS:
        assert secret not in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://ann:pw@host/v1?key=x", "http://host/v1"),
        ("http://ann:p/w#x@host/v1", "http://host/v1"),
        ("ann:pw@host/v1", "host/v1"),
    ],
)
def test_an_endpoint_is_shown_by_its_place(url: str, shown: str):
    assert shown_endpoint(url) == shown


@pytest.mark.parametrize(
    "url", ["http://ann:p/w-canary@host/v1", "http://ann:canary#@host", "ann:canary@host/v1"]
)
def test_a_login_that_is_not_encoded_is_refused_without_it(
    url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match="percent-encoded") as caught:
        open_direct("judge", url)
    assert "canary" not in str(caught.value)


def test_a_key_and_a_login_are_not_both_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    url = f"http://{LOGIN}@127.0.0.1:9/v1"
    for refused in (
        lambda: open_direct("judge", url),
        lambda: open_batches(tmp_path, "judge", url, Prices(1.0, 1.0)),
    ):
        with pytest.raises(UsageError, match=r"http://127\.0\.0\.1:9/v1: .*both be sent") as caught:
            refused()
        assert "canary" not in str(caught.value)
    monkeypatch.delenv("OPENAI_API_KEY")
    assert open_direct("judge", url).backend == "direct"


def test_short_words_are_left_and_long_ones_go_first():
    clean = Cleaner("http://bob:abc@host/v1", "canary")
    assert clean("abc said\tcanary\x07 canary-more") == "abc said *** ***-more"
