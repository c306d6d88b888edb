import json
import urllib.request

import openai
import pytest

from tests.peers.llm_model import Fault, lines_of
from tests.peers.llm_server import LlmServer, llm_server


def body(*nouns: str) -> dict:
    listed = "\n".join(f"n{number} {noun}" for number, noun in enumerate(nouns, start=1))
    return {"model": "rater", "messages": [{"role": "user", "content": listed}]}


def client(server: LlmServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key="x", max_retries=0)


def ask(server: LlmServer, *nouns: str) -> dict[str, int]:
    with client(server) as asking:
        reply = asking.chat.completions.create(**body(*nouns))
    return json.loads(reply.choices[0].message.content or "")


def test_rates_the_listed_nouns_and_counts_what_was_paid():
    with llm_server({"torque wrench": 8}) as server:
        first = ask(server, "torque wrench", "horse")
        assert ask(server, "horse", "torque wrench") == {"n1": first["n2"], "n2": 8}
        root = server.url.removesuffix("/v1")
        with urllib.request.urlopen(f"{root}/stat") as answer:  # noqa: S310 - on loopback
            stat = json.load(answer)
    assert stat["nouns"] == {"torque wrench": 2, "horse": 2}
    assert sorted(stat["paid"].values()) == [1, 1]
    assert lines_of(body("a b", "c")) == {"n1": "a b", "n2": "c"}


def test_faults_strike_as_often_as_told():
    with llm_server() as server:
        server.faults = [Fault("rate_limit", every=2), Fault("drop", times=1)]
        with pytest.raises(openai.APIConnectionError):
            ask(server, "horse")
        for _ in range(2):
            with pytest.raises(openai.RateLimitError):
                ask(server, "horse")
            assert ask(server, "horse").keys() == {"n1"}
        assert server.stat().nouns == {"horse": 2}
        server.faults = [Fault("cut_body")]
        with pytest.raises(openai.APIConnectionError):
            ask(server, "horse")
        assert sum(server.stat().cut.values()) == 1


def test_batches_come_in_any_order_with_errors_apart():
    with llm_server() as server, client(server) as asking:
        server.faults = [Fault("line_400", every=4)]
        lines = [
            {
                "custom_id": f"id-{number}",
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": body(f"noun {number}"),
            }
            for number in range(8)
        ]
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        file = asking.files.create(file=("in.jsonl", text.encode()), purpose="batch")
        batch = asking.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        batch = asking.batches.retrieve(batch.id)
        assert batch.status == "completed"
        assert batch.output_file_id
        assert batch.error_file_id
        good = asking.files.content(batch.output_file_id).text.splitlines()
        bad = asking.files.content(batch.error_file_id).text.splitlines()
        ids = [json.loads(line)["custom_id"] for line in good]
        assert (len(good), len(bad)) == (6, 2)
        assert ids != sorted(ids)
        assert [listed.id for listed in asking.batches.list()] == [batch.id]
